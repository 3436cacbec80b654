package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Problems returns everything that is wrong with the catalogue: with each service,
// and with how they fit together. Fields start with "services.<name>".
func (c Catalogue) Problems() problem.List {
	var list problem.List
	seen, accounts := map[string]bool{}, map[string]string{}
	for _, service := range c.Services {
		field := "services." + service.Name
		if seen[service.Name] {
			list.Add(field, service.Name, "name a service once")
		}
		seen[service.Name] = true
		if other, taken := accounts[service.Account()]; taken && other != service.Name {
			list.Add(field+".serviceAccount", service.Account(), "give it one of its own: with that of %s the mesh cannot tell the two apart", other)
		}
		accounts[service.Account()] = service.Name
		list.Within(field, service.problems(c))
	}
	c.checkRoutes(&list)
	c.checkCycles(&list)
	return list
}

// Names lists the services.
func (c Catalogue) Names() string {
	var names []string
	for _, service := range c.Services {
		names = append(names, service.Name)
	}
	return strings.Join(names, ", ")
}

func (s Service) problems(c Catalogue) problem.List {
	var list problem.List
	checkLabel(&list, "name", s.Name)
	checkLabel(&list, "serviceAccount", s.Account())
	if len(validation.IsValidPortNum(s.Port.Number)) > 0 {
		list.Add("port.number", s.Port.Number, "use a port from 1 to 65535")
	} else if s.Port.Number >= 15000 && s.Port.Number <= 15100 {
		list.Add("port.number", s.Port.Number, "use a port outside 15000 to 15100, which belong to the proxy")
	}
	if !slices.Contains([]Protocol{HTTP, HTTP2, GRPC, TCP}, s.Port.Protocol) {
		list.Add("port.protocol", string(s.Port.Protocol), "choose %s, %s, %s or %s", HTTP, HTTP2, GRPC, TCP)
	}
	if s.Port.Protocol == TCP && len(s.Routes) > 0 {
		list.Add("routes", len(s.Routes), "a tcp service has no paths to route by; remove them or change port.protocol")
	}
	for i, route := range s.Routes {
		list.Within(fmt.Sprintf("routes[%d]", i), route.problems(c))
	}
	s.checkCalls(&list, c)
	seen := map[External]bool{}
	for i, external := range s.External {
		list.Within(fmt.Sprintf("external[%d]", i), external.problems(c))
		external.Port = external.Number()
		if seen[external] {
			list.Add(fmt.Sprintf("external[%d]", i), external.Host, "name a host once")
		}
		seen[external] = true
	}
	return list
}

func (s Service) checkCalls(list *problem.List, c Catalogue) {
	seen := map[string]bool{}
	for i, call := range s.Calls {
		field := fmt.Sprintf("calls[%d]", i)
		callee, known := c.Service(call.Service)
		switch {
		case !known:
			list.Add(field+".service", call.Service, "an unknown callee; use one of %s", c.Names())
		case call.Service == s.Name:
			list.Add(field+".service", call.Service, "a service needs no permission to call itself inside its pod; remove it")
		case seen[call.Service]:
			list.Add(field+".service", call.Service, "name a callee once, with all its methods and paths")
		case callee.Port.Protocol == TCP && len(call.Methods)+len(call.Paths) > 0:
			list.Add(field, call.Service, "a tcp service has no methods or paths; remove them")
		}
		seen[call.Service] = true
		checkMethods(list, field+".methods", call.Methods)
		for j, path := range call.Paths {
			inside := fmt.Sprintf("%s.paths[%d]", field, j)
			list.Within(inside, path.problems())
			if len(callee.Routes) > 0 && !slices.ContainsFunc(callee.Routes, func(r Route) bool { return path == r.Path || path.within(r.Path) }) {
				list.Add(inside, path.String(), "%s declares no such route; use a path inside one of its routes", call.Service)
			}
		}
	}
}

func (e External) problems(c Catalogue) problem.List {
	var list problem.List
	if len(validation.IsDNS1123Subdomain(e.Host)) > 0 || !strings.Contains(e.Host, ".") {
		list.Add("host", e.Host, "use a full lower-case host name without wildcard, scheme or port")
	}
	if e.Host == c.Hosts.Security || e.Host == c.Hosts.API {
		list.Add("host", e.Host, "it is the platform's own; declare a call instead")
	}
	if len(validation.IsValidPortNum(e.Number())) > 0 {
		list.Add("port", e.Port, "use a port from 1 to 65535, or leave it out for 443")
	}
	return list
}

func (r Route) problems(c Catalogue) problem.List {
	var list problem.List
	if r.Host != SecurityHost && r.Host != APIHost {
		list.Add("host", string(r.Host), "choose %s or %s", SecurityHost, APIHost)
	}
	list.Within("path", r.Path.problems())
	checkMethods(&list, "methods", r.Methods)
	list.Within("audience", r.Audience.problems(c))
	return list
}

func (a Audience) problems(c Catalogue) problem.List {
	var list problem.List
	kinds := []AudienceKind{KindPublic, KindUsers, KindRoles, KindMachines}
	switch {
	case a.Kind == "":
		list.Add("kind", nil, "declare who may use the route: %s, %s, %s or %s", kinds[0], kinds[1], kinds[2], kinds[3])
	case !slices.Contains(kinds, a.Kind):
		list.Add("kind", string(a.Kind), "choose %s, %s, %s or %s", kinds[0], kinds[1], kinds[2], kinds[3])
	case a.Kind == KindRoles && len(a.Roles) == 0:
		list.Add("roles", nil, "name at least one role")
	case a.Kind != KindRoles && len(a.Roles) > 0:
		list.Add("roles", strings.Join(a.Roles, ", "), "they are for kind %s only; remove them or change kind", KindRoles)
	}
	for _, role := range a.Roles {
		if len(c.Roles[role]) == 0 {
			list.Add("roles", role, "an unknown role; add it to catalogue.roles with the values of the claim that stand for it")
		}
	}
	return list
}

func (p Path) problems() problem.List {
	var list problem.List
	text := p.Prefix + p.Exact
	switch {
	case text == "":
		list.Add("prefix", nil, "set a prefix or an exact path, such as /api/v1/scans")
	case p.Prefix != "" && p.Exact != "":
		list.Add("exact", p.Exact, "set a prefix or an exact path, not both")
	case !strings.HasPrefix(text, "/"), strings.ContainsAny(text, "*?#%;{}\\ "), strings.Contains(text, "//"), hasDots(text):
		field := "prefix"
		if p.Exact != "" {
			field = "exact"
		}
		list.Add(field, text, "use a plain path that starts with a slash, without wildcards, encoded characters, // or ..")
	}
	return list
}

func hasDots(path string) bool {
	segments := strings.Split(path, "/")
	return slices.Contains(segments, ".") || slices.Contains(segments, "..")
}

func checkMethods(list *problem.List, field string, methods []string) {
	for i, method := range methods {
		if !slices.Contains(AllMethods(), method) {
			list.Add(field, method, "use methods of %s", strings.Join(AllMethods(), ", "))
		} else if slices.Contains(methods[:i], method) {
			list.Add(field, method, "name a method once")
		}
	}
}

func checkLabel(list *problem.List, field, name string) {
	if len(validation.IsDNS1123Label(name)) > 0 {
		list.Add(field, name, "use a DNS label: lower-case letters, digits and dashes, at most 63")
	}
}

// literal says whether Istio matches the value as it stands.
func literal(value string) bool { return value != "" && !strings.Contains(value, "*") }
