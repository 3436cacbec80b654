package access

import (
	"github.com/mcp-security-platform/mesh/components/authorization"
	"github.com/mcp-security-platform/mesh/components/gateway"
	"github.com/mcp-security-platform/mesh/components/identity"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// Policies returns the policies about requests. The mesh-wide one closes namespaces
// that nobody has thought of yet; those of each namespace hold whatever becomes of
// it.
func (m Mesh) Policies() []authorization.Policy {
	policies := []authorization.Policy{authorization.AllowNothing(m.Namespaces.System)}
	for _, namespace := range m.Namespaces.served() {
		policies = append(policies, authorization.AllowNothing(namespace))
	}
	policies = append(policies, m.redirect())
	for _, service := range m.Catalogue.Services {
		policies = append(policies, m.atGateway(service)...)
	}
	for _, service := range m.Catalogue.Services {
		policies = append(policies, m.atService(service)...)
	}
	policies = append(policies, m.atEgress()...)
	return m.introduce(append(policies, m.atCollector()...))
}

// redirect lets plain HTTP reach the redirect to HTTPS, which the router answers
// only after the policies have been asked.
func (m Mesh) redirect() authorization.Policy {
	return authorization.Allow(m.Gateways.Public+"-redirect", m.gatewayTarget(), authorization.Rule{
		To: []authorization.Operation{{
			Hosts: []string{m.Catalogue.Hosts.Security, m.Catalogue.Hosts.API},
			Ports: []int{RedirectPort},
		}},
	})
}

// atGateway returns what the public gateway lets through to a service: a request of
// the audience of its route.
func (m Mesh) atGateway(service catalogue.Service) []authorization.Policy {
	if len(service.Routes) == 0 {
		return nil
	}
	name := m.Gateways.Public + "-" + service.Name
	var rules []authorization.Rule
	for _, route := range service.Routes {
		rules = append(rules, m.routeRule(route, HTTPSPort))
	}
	policies := []authorization.Policy{authorization.Allow(name, m.gatewayTarget(), rules...)}

	var denials []authorization.Rule
	for _, guard := range catalogue.Guards(m.Catalogue.Routes()) {
		if owns(service, guard) {
			denials = append(denials, m.guardRules(guard, nil)...)
		}
	}
	if len(denials) > 0 {
		policies = append(policies, authorization.Deny(m.gatewayGuard(service), m.gatewayTarget(), authorization.OnPorts(HTTPSPort), denials...))
	}
	return policies
}

func (m Mesh) gatewayGuard(service catalogue.Service) string {
	return m.Gateways.Public + "-" + service.Name + "-guard"
}

func (m Mesh) routeRule(route catalogue.Route, port int) authorization.Rule {
	return authorization.Rule{
		To: []authorization.Operation{{
			Hosts:   []string{m.Catalogue.Host(route.Host)},
			Ports:   []int{port},
			Methods: route.AllowedMethods(),
			Paths:   route.Path.Patterns(),
		}},
		When: m.admit(route.Audience),
	}
}

// guardRules returns the rules that close what is guarded to all but its own
// audience; a guard without a host holds under any.
func (m Mesh) guardRules(guard catalogue.Guard, from []identity.Identity) []authorization.Rule {
	operation := authorization.Operation{Methods: guard.Methods, Paths: guard.Path.DenyPatterns()}
	if guard.Host != "" {
		operation.Hosts = []string{m.Catalogue.Host(guard.Host)}
	}
	var rules []authorization.Rule
	for _, conditions := range m.refuse(guard.Except) {
		rules = append(rules, authorization.Rule{From: from, To: []authorization.Operation{operation}, When: conditions})
	}
	return rules
}

// atEgress returns what the egress gateway passes on: for each service TLS to the
// hosts that it declares.
func (m Mesh) atEgress() []authorization.Policy {
	var rules []authorization.Rule
	for _, service := range m.Catalogue.Services {
		var hosts []string
		for _, external := range service.External {
			hosts = append(hosts, external.Host)
		}
		if len(hosts) == 0 {
			continue
		}
		rules = append(rules, authorization.Rule{
			From: []identity.Identity{m.Identity(service)},
			To:   []authorization.Operation{{Ports: []int{EgressPort}}},
			When: []authorization.Condition{authorization.ServerName(hosts[0], hosts[1:]...)},
		})
	}
	if len(rules) == 0 {
		return nil
	}
	target := authorization.Target{Namespace: m.Namespaces.Egress, Pods: gateway.Selector(m.Gateways.Egress)}
	return []authorization.Policy{authorization.Allow(m.Gateways.Egress+"-external", target, rules...)}
}

// atCollector lets every proxy send its spans.
func (m Mesh) atCollector() []authorization.Policy {
	if m.Collector.Namespace != m.Namespaces.Observability {
		return nil // it is not of this mesh
	}
	return []authorization.Policy{authorization.Allow("spans", authorization.Target{Namespace: m.Collector.Namespace}, authorization.Rule{
		From: m.everyone(),
		To:   []authorization.Operation{{Ports: []int{m.Collector.Port}}},
	})}
}

func owns(service catalogue.Service, guard catalogue.Guard) bool {
	for _, route := range service.Routes {
		if route.Host == guard.Host && route.Path == guard.Path {
			return true
		}
	}
	return false
}
