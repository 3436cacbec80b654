package access

import (
	"reflect"
	"slices"

	"github.com/mcp-security-platform/mesh/components/authorization"
	"github.com/mcp-security-platform/mesh/components/identity"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// atService returns what a service's own proxy lets through: from the public
// gateway what the routes declare, with the user's token checked again; from other
// services the same routes, so far as they declare to call them; and for a while what
// an exception opens.
func (m Mesh) atService(service catalogue.Service) []authorization.Policy {
	var rules []authorization.Rule
	for _, route := range service.Routes {
		rule := m.routeRule(route, service.Port.Number)
		rule.From = m.fromGateway()
		rules = append(rules, rule)
	}
	rules = append(rules, m.callRules(service)...)
	rules = append(rules, m.plainTextRules(service)...)
	if len(rules) == 0 {
		return nil
	}
	policies := []authorization.Policy{authorization.Allow(service.Name, m.serviceTarget(service), rules...)}
	if denials := m.serviceDenials(service); len(denials) > 0 {
		ports := authorization.OnPorts(service.Port.Number)
		policies = append(policies, authorization.Deny(serviceGuard(service), m.serviceTarget(service), ports, denials...))
	}
	return policies
}

func serviceGuard(service catalogue.Service) string { return service.Name + "-guard" }

// serviceDenials returns what closes a service's inner routes: to every caller, and
// where the gateway's are held to more, to those.
func (m Mesh) serviceDenials(service catalogue.Service) []authorization.Rule {
	var rules []authorization.Rule
	everyCaller := catalogue.Guards(service.InsideRoutes())
	for _, guard := range everyCaller {
		rules = append(rules, m.guardRules(guard, nil)...)
	}
	for _, guard := range catalogue.Guards(service.Routes) {
		anyHost := guard
		anyHost.Host = ""
		if slices.ContainsFunc(everyCaller, func(g catalogue.Guard) bool { return reflect.DeepEqual(g, anyHost) }) {
			continue
		}
		rules = append(rules, m.guardRules(guard, m.fromGateway())...)
	}
	return rules
}

// callRules returns the rules for the service's callers: one set for all who may use
// everything, and one for each who declares less.
func (m Mesh) callRules(service catalogue.Service) []authorization.Rule {
	var unlimited []identity.Identity
	var rules []authorization.Rule
	for _, edge := range m.Catalogue.Edges() {
		switch {
		case edge.Callee.Name != service.Name:
		case len(edge.Call.Methods)+len(edge.Call.Paths) == 0:
			unlimited = append(unlimited, m.Identity(edge.Caller))
		default:
			rules = append(rules, m.callRule(service, edge.Call, m.Identity(edge.Caller))...)
		}
	}
	if len(unlimited) == 0 {
		return rules
	}
	return append(m.callRule(service, catalogue.Call{}, unlimited...), rules...)
}

// callRule returns the rules for callers who may use what call says of a service.
func (m Mesh) callRule(service catalogue.Service, call catalogue.Call, callers ...identity.Identity) []authorization.Rule {
	from, ports := callers, []int{service.Port.Number}
	if len(service.Routes) == 0 {
		operation := authorization.Operation{Ports: ports, Methods: call.Methods, Paths: patterns(call.Paths)}
		return []authorization.Rule{{From: from, To: []authorization.Operation{operation}}}
	}
	var rules []authorization.Rule
	for _, route := range service.InsideRoutes() {
		paths, methods := call.PathsIn(route), call.MethodsIn(route)
		if len(paths) == 0 || len(methods) == 0 {
			continue
		}
		rules = append(rules, authorization.Rule{
			From: from,
			To:   []authorization.Operation{{Ports: ports, Methods: methods, Paths: patterns(paths)}},
			When: m.admit(route.Audience),
		})
	}
	return rules
}

func patterns(paths []catalogue.Path) []string {
	var all []string
	for _, path := range paths {
		for _, pattern := range path.Patterns() {
			if !slices.Contains(all, pattern) {
				all = append(all, pattern)
			}
		}
	}
	return all
}
