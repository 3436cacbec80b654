// Package authorization declares who may do what, as Istio AuthorizationPolicies.
// Its constructors are the only way to a policy, and the dangerous ones cannot be
// written: no rule matches what it does not name, no rule denies without ports, and
// no principal is a wildcard.
package authorization

import (
	"maps"

	"github.com/mcp-security-platform/mesh/components/identity"
)

// Target says for which workloads a policy holds.
type Target struct {
	// Namespace is that of the policy and of its workloads.
	Namespace string
	// Pods are labels of the workloads' pods; empty for the whole namespace.
	Pods map[string]string
}

type action int

const (
	allow action = iota + 1
	deny
	custom
)

// Policy is one AuthorizationPolicy.
type Policy struct {
	name     string
	target   Target
	action   action
	provider string
	ports    Ports
	rules    []Rule
	nothing  bool
	all      bool
	dryRun   bool
	note     string
}

// AllowNothing returns the policy that refuses every request to a namespace that
// no other policy allows; in the root namespace, to the whole mesh. Its spec is
// empty, unlike that of [AllowAll].
func AllowNothing(namespace string) Policy {
	return Policy{name: "allow-nothing", target: Target{Namespace: namespace}, action: allow, nothing: true}
}

// AllowAll returns the policy that lets every request to the target pass, unless
// another denies it. Its one rule is empty, unlike [AllowNothing], which has none.
func AllowAll(name string, target Target) Policy {
	return Policy{name: name, target: target, action: allow, all: true}
}

// Allow returns the policy that lets requests pass which match at least one of the
// rules.
func Allow(name string, target Target, rules ...Rule) Policy {
	return Policy{name: name, target: target, action: allow, rules: rules}
}

// Deny returns the policy that refuses requests to the ports which match at least
// one of the rules, whatever else allows them. Without ports Istio would leave out
// what only HTTP has and deny all TCP (istio/istio#41802).
func Deny(name string, target Target, ports Ports, rules ...Rule) Policy {
	return Policy{name: name, target: target, action: deny, ports: ports, rules: rules}
}

// Custom returns the policy that asks the external authorizer called provider, an
// extension provider of the mesh configuration, about requests to the ports which
// match at least one of the rules. It can refuse but not allow.
func Custom(name string, target Target, provider string, ports Ports, rules ...Rule) Policy {
	return Policy{name: name, target: target, action: custom, provider: provider, ports: ports, rules: rules}
}

// DryRun returns the policy as one that is being introduced: proxies report what it
// would decide, in logs and metrics, but do not enforce it. The note says in the
// warning what that leaves open.
func (p Policy) DryRun(note string) Policy {
	p.dryRun, p.note = true, note
	return p
}

// Name returns the policy's name.
func (p Policy) Name() string { return p.name }

// Namespace returns the policy's namespace.
func (p Policy) Namespace() string { return p.target.Namespace }

// Denies says whether the policy can only take away.
func (p Policy) Denies() bool { return p.action == deny }

// Ports are the ports of a policy that denies, at least one.
type Ports struct{ numbers []int }

// OnPorts returns ports.
func OnPorts(port int, more ...int) Ports { return Ports{append([]int{port}, more...)} }

// Rule matches a request that comes from one of its callers, does one of its
// operations and meets all of its conditions.
type Rule struct {
	// From are the callers by their certificates; empty for any.
	From []identity.Identity
	// Addresses (CIDR) are callers beside From, for those who have no certificate. To
	// must then name ports, so that an address opens nothing else.
	Addresses []string
	// To are the operations; empty for any.
	To []Operation
	// When are the conditions; empty for none.
	When []Condition
}

func (r Rule) empty() bool { return len(r.From)+len(r.Addresses)+len(r.To)+len(r.When) == 0 }

// Operation matches a request by what it does, on every field that is set.
type Operation struct {
	// Hosts are host names; each also matches with a port.
	Hosts []string
	// Ports are ports of the workload.
	Ports []int
	// Methods are HTTP methods.
	Methods []string
	// Paths are normalized paths; a * stands at the end only. In a policy that allows
	// it must follow a slash, so that it ends a segment.
	Paths []string
}

func (t Target) clone() Target { return Target{t.Namespace, maps.Clone(t.Pods)} }
