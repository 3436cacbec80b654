package access

import (
	"fmt"
	"strings"
	"time"

	"github.com/mcp-security-platform/mesh/components/authorization"
	"github.com/mcp-security-platform/mesh/components/networkpolicy"
	"github.com/mcp-security-platform/mesh/components/peerauthentication"
	"github.com/mcp-security-platform/mesh/components/temporary"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// DryRun lets a policy that denies only report what it would deny, for a while.
type DryRun struct {
	// Name of the policy, as `<namespace>.<name>`.
	Policy string `json:"policy"`
	temporary.Term
}

// MTLSException is a port of a service that accepts plain text for a while.
type MTLSException struct {
	// Name of the service.
	Service string `json:"service"`
	peerauthentication.Exception
}

// MTLSScope returns strict mutual TLS for each namespace that the mesh serves, with
// the exceptions of workloads as they are on the day of now.
func (m Mesh) MTLSScope(now time.Time) peerauthentication.ScopeArgs {
	args := peerauthentication.ScopeArgs{Namespaces: m.Namespaces.served(), Now: now}
	for _, service := range m.Catalogue.Services {
		exceptions := m.exceptions(service)
		if len(exceptions) == 0 {
			continue
		}
		args.Workloads = append(args.Workloads, peerauthentication.Workload{
			Name: service.Name, Namespace: m.Namespaces.Platform, Pods: service.Labels(), Exceptions: exceptions,
		})
	}
	return args
}

func (m Mesh) exceptions(service catalogue.Service) []peerauthentication.Exception {
	var found []peerauthentication.Exception
	for _, exception := range m.MTLSExceptions {
		if exception.Service == service.Name {
			found = append(found, exception.Exception)
		}
	}
	return found
}

// plainTextRules let the callers of exceptions use their ports; without a
// certificate they are known by their addresses only.
func (m Mesh) plainTextRules(service catalogue.Service) []authorization.Rule {
	var rules []authorization.Rule
	for _, exception := range m.exceptions(service) {
		rules = append(rules, authorization.Rule{
			Addresses: exception.From,
			To:        []authorization.Operation{{Ports: []int{exception.Port}}},
		})
	}
	return rules
}

// plainTextNetwork lets the callers of exceptions connect to their ports.
func (m Mesh) plainTextNetwork(service catalogue.Service) []networkpolicy.Rule {
	var rules []networkpolicy.Rule
	for _, exception := range m.exceptions(service) {
		rule := networkpolicy.Rule{Ports: networkpolicy.TCP(exception.Port)}
		for _, cidr := range exception.From {
			rule.Peers = append(rule.Peers, networkpolicy.Range(cidr))
		}
		rules = append(rules, rule)
	}
	return rules
}

// introduce marks the policies that are in dry run.
func (m Mesh) introduce(policies []authorization.Policy) []authorization.Policy {
	for i, policy := range policies {
		for _, dryRun := range m.DryRun {
			if dryRun.Policy == policy.ID() {
				policies[i] = policy.DryRun(fmt.Sprintf("until %s %s: %s", dryRun.LastDay(), m.unguarded(policy), dryRun.Reason))
			}
		}
	}
	return policies
}

// unguarded says whom a guard in dry run does not keep out of which route; another
// guard on the way may.
func (m Mesh) unguarded(policy authorization.Policy) string {
	var open []string
	routes := m.Catalogue.Routes()
	for _, service := range m.Catalogue.Services {
		if policy.ID() != m.Namespaces.Ingress+"."+m.gatewayGuard(service) && policy.ID() != m.Namespaces.Platform+"."+serviceGuard(service) {
			continue
		}
		for _, guard := range catalogue.Guards(routes) {
			if owns(service, guard) {
				open = append(open, fmt.Sprintf("%s are not kept out of %s%s (%s)", catalogue.Around(routes, guard), m.Catalogue.Host(guard.Host), guard.Path, guard.Except))
			}
		}
	}
	if len(open) == 0 {
		return "it denies nothing"
	}
	return strings.Join(open, ", ")
}

// writeTemporary writes what holds for a while, if anything does.
func (m Mesh) writeTemporary(text *strings.Builder) {
	if len(m.MTLSExceptions)+len(m.DryRun) == 0 {
		return
	}
	text.WriteString("\n## What holds for a while\n\n")
	row(text, "where", "what", "until", "why")
	row(text, repeat("---", 4)...)
	for _, e := range m.MTLSExceptions {
		row(text, e.Service, fmt.Sprintf("port %d accepts plain text from %s", e.Port, strings.Join(e.From, ", ")), e.LastDay(), e.Reason)
	}
	for _, policy := range m.Policies() {
		for _, dryRun := range m.DryRun {
			if dryRun.Policy == policy.ID() {
				row(text, policy.ID(), "in dry run: "+m.unguarded(policy), dryRun.LastDay(), dryRun.Reason)
			}
		}
	}
}
