// Package problem collects what is wrong with a configuration, so that a user
// sees every mistake at once instead of one per run.
package problem

import (
	"fmt"
	"strings"
)

// Hidden stands in for a value that must not be shown, such as a private key.
const Hidden = hidden("[secret]")

type hidden string

// Problem is one mistake: where it is, what stands there and what would be right.
type Problem struct {
	// Field is the path of the field, in the words of the user's configuration.
	Field string
	// Value is what stands there; [Hidden] for a secret, nil for a missing value.
	Value any
	// Remedy says what would be right, as a sentence without a full stop.
	Remedy string
}

// String returns the problem on one line.
func (p Problem) String() string {
	switch value := p.Value.(type) {
	case nil:
		return fmt.Sprintf("%s is not set: %s", p.Field, p.Remedy)
	case string:
		return fmt.Sprintf("%s is %q: %s", p.Field, value, p.Remedy)
	default:
		return fmt.Sprintf("%s is %v: %s", p.Field, value, p.Remedy)
	}
}

// List is a collection of problems in the order in which they were found. Its
// zero value is empty and ready to use.
type List []Problem

// Add appends a problem; remedy is a format with its arguments.
func (l *List) Add(field string, value any, remedy string, args ...any) {
	*l = append(*l, Problem{Field: field, Value: value, Remedy: fmt.Sprintf(remedy, args...)})
}

// Within appends inner with every field below prefix.
func (l *List) Within(prefix string, inner List) {
	for _, p := range inner {
		p.Field = prefix + "." + p.Field
		*l = append(*l, p)
	}
}

// Err returns nil for an empty list, else an [Error] with all problems.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return Error{Problems: l}
}

// Error says that a configuration was refused, and why. It is a mistake of the
// user, as opposed to a failure of the system.
type Error struct {
	// Problems are never empty.
	Problems List
}

// Error lists every problem on a line of its own.
func (e Error) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	lines = append(lines, fmt.Sprintf("the configuration has %d problem(s); nothing was changed:", len(e.Problems)))
	for _, p := range e.Problems {
		lines = append(lines, "  - "+p.String())
	}
	return strings.Join(lines, "\n")
}
