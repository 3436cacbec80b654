package peerauthentication

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Exception lets one port of a workload accept plain text beside mutual TLS, for
// somebody who cannot join the mesh yet. It says why, and it ends.
type Exception struct {
	// Port of the pods.
	Port int `json:"port"`
	// Why it is needed and what will replace it, for the reviewer.
	Reason string `json:"reason"`
	// Last day on which it holds, such as `2027-01-31`; after it the configuration is refused.
	Until string `json:"until"`
}

const dateLayout = "2006-01-02"

// longestException keeps exceptions from becoming the rule.
const longestException = 365 * 24 * time.Hour

// Problems returns what is wrong with the exception on the day of now.
func (e Exception) Problems(now time.Time) problem.List {
	var list problem.List
	if len(validation.IsValidPortNum(e.Port)) > 0 {
		list.Add("port", e.Port, "use a port from 1 to 65535")
	}
	if strings.TrimSpace(e.Reason) == "" {
		list.Add("reason", nil, "say why the port needs plain text, and what will replace it")
	}
	until, err := time.Parse(dateLayout, e.Until)
	switch {
	case e.Until == "":
		list.Add("until", nil, "set the last day on which it holds, such as %s", now.AddDate(0, 1, 0).Format(dateLayout))
	case err != nil:
		list.Add("until", e.Until, "use a date such as %s", now.AddDate(0, 1, 0).Format(dateLayout))
	case until.AddDate(0, 0, 1).Before(now):
		list.Add("until", e.Until, "it has passed: remove the exception, or decide anew until when")
	case until.After(now.Add(longestException)):
		list.Add("until", e.Until, "use a day within a year")
	}
	return list
}

// String returns the exception as a warning shows it.
func (e Exception) String() string {
	return fmt.Sprintf("port %d accepts plain text until %s: %s", e.Port, e.Until, e.Reason)
}
