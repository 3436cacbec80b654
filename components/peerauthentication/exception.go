package peerauthentication

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/problem"
	"github.com/mcp-security-platform/mesh/components/temporary"
)

// Exception lets one port of a workload accept plain text beside mutual TLS, for
// somebody who cannot join the mesh yet. It says who and why, and it ends.
type Exception struct {
	// Port of the pods; not the one that the mesh calls.
	Port int `json:"port"`
	// Addresses (CIDR) of the callers, who have no certificate to be known by.
	From []string `json:"from"`
	temporary.Term
}

// Problems returns what is wrong with the exception on the day of now.
func (e Exception) Problems(now time.Time) problem.List {
	var list problem.List
	if len(validation.IsValidPortNum(e.Port)) > 0 {
		list.Add("port", e.Port, "use a port from 1 to 65535")
	} else if e.Port >= 15000 && e.Port <= 15100 {
		list.Add("port", e.Port, "use a port outside 15000 to 15100, which belong to the proxy")
	}
	if len(e.From) == 0 {
		list.Add("from", nil, "name the addresses of the callers, such as [10.20.0.0/16]; nobody else can connect")
	}
	for _, cidr := range e.From {
		prefix, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil || prefix != prefix.Masked():
			list.Add("from", cidr, "use the CIDR notation of a network, such as 10.20.0.0/16")
		case prefix.Bits() == 0:
			list.Add("from", cidr, "name the callers: plain text is not for everybody")
		}
	}
	return append(list, e.Term.Problems(now)...)
}

// String returns the exception as a warning shows it.
func (e Exception) String() string {
	return fmt.Sprintf("port %d accepts plain text from %s until %s: %s", e.Port, strings.Join(e.From, ", "), e.LastDay(), e.Reason)
}
