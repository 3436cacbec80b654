// Package temporary keeps exceptions from becoming the rule: each says why it is
// there, and ends.
package temporary

import (
	"strings"
	"time"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Term says why something holds for a while, and until when.
type Term struct {
	// Why it is needed and what will replace it, for the reviewer.
	Reason string `json:"reason"`
	// Last day on which it holds, such as `2027-01-31`; after it the configuration is refused.
	Until string `json:"until"`
}

const longest = 365 * 24 * time.Hour

// Problems returns what is wrong with the term on the day of now.
func (t Term) Problems(now time.Time) problem.List {
	var list problem.List
	if strings.TrimSpace(t.Reason) == "" {
		list.Add("reason", nil, "say why it is needed, and what will replace it")
	}
	until, ok := parseDay(t.Until)
	switch {
	case t.Until == "":
		list.Add("until", nil, "set the last day on which it holds, such as %s", now.AddDate(0, 1, 0).Format(time.DateOnly))
	case !ok:
		list.Add("until", t.Until, "use a date such as %s", now.AddDate(0, 1, 0).Format(time.DateOnly))
	case until.AddDate(0, 0, 1).Before(now):
		list.Add("until", t.Until, "it has passed: remove the exception, or decide anew until when")
	case until.After(now.Add(longest)):
		list.Add("until", t.Until, "use a day within a year")
	}
	return list
}

// LastDay returns the last day as year, month and day, however it is written.
func (t Term) LastDay() string {
	if day, ok := parseDay(t.Until); ok {
		return day.Format(time.DateOnly)
	}
	return t.Until
}

// parseDay reads a date. Without quotes it is a point in time to YAML, which Pulumi
// hands over as Go prints it, and others as JSON does.
func parseDay(text string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04:05 -0700 MST", time.RFC3339} {
		if day, err := time.Parse(layout, text); err == nil {
			return day, day.UTC().Equal(day.UTC().Truncate(24 * time.Hour))
		}
	}
	return time.Time{}, false
}
