package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// placed is a route with the place where it is declared.
type placed struct {
	Route
	service, field string
}

func (p placed) String() string { return fmt.Sprintf("%s %s", p.Host, p.Path) }

func (c Catalogue) placedRoutes() []placed {
	var all []placed
	for _, service := range c.Services {
		for i, route := range service.Routes {
			all = append(all, placed{route, service.Name, fmt.Sprintf("services.%s.routes[%d]", service.Name, i)})
		}
	}
	return all
}

// Routes returns every route of every service.
func (c Catalogue) Routes() []Route {
	var routes []Route
	for _, service := range c.Services {
		routes = append(routes, service.Routes...)
	}
	return routes
}

// checkRoutes adds what is wrong with routes side by side.
func (c Catalogue) checkRoutes(list *problem.List) {
	routes := c.placedRoutes()
	for i, later := range routes {
		for _, earlier := range routes[:i] {
			if earlier.Host == later.Host && earlier.Path.same(later.Path) {
				checkSamePlace(list, earlier, later)
			}
		}
		for _, outer := range routes {
			if outer.Host == later.Host && later.Path.within(outer.Path) && shareMethod(outer.Route, later.Route) {
				checkInside(list, outer, later)
			}
		}
	}
	for _, s := range sites(c.Routes()) {
		for _, method := range AllMethods() {
			if surroundings(c.Routes(), s, method).unguardable() {
				i := slices.IndexFunc(routes, func(p placed) bool { return p.Host == s.host && p.Path == s.path })
				list.Add(routes[i].field, routes[i].String(),
					"a route inside it admits callers that it refuses but a route around it admits (%s); move the inner route to a path of its own", method)
				break
			}
		}
	}
}

func checkSamePlace(list *problem.List, earlier, later placed) {
	switch {
	case earlier.service != later.service:
		list.Add(later.field, later.String(), "two services on one host and path: %s has it already", earlier.service)
	case earlier.Path == later.Path && shareMethod(earlier.Route, later.Route):
		list.Add(later.field, later.String(), "a duplicate of %s; give each method to one of them", earlier.field)
	case earlier.Path != later.Path && earlier.Path.IsPrefix() == later.Path.IsPrefix():
		list.Add(later.field, later.String(), "the same path as %s but for the last slash; write both alike", earlier.field)
	}
}

func checkInside(list *problem.List, outer, inner placed) {
	innerAudience, outerAudience := inner.Audience.Admitted(), outer.Audience.Admitted()
	switch {
	case innerAudience.Anyone && !outerAudience.Anyone:
		list.Add(inner.field, inner.String(), "a public route inside the protected %s would need an exception to it; move it out", outer.String())
	case inner.service == outer.service && sameAudience(innerAudience, outerAudience) && sameMethods(inner.Route, outer.Route):
		list.Add(inner.field, inner.String(), "shadowed by %s, which says the same; remove it", outer.String())
	}
}

func shareMethod(a, b Route) bool { return slices.ContainsFunc(a.AllowedMethods(), b.allows) }

func sameMethods(a, b Route) bool {
	return !slices.ContainsFunc(AllMethods(), func(m string) bool { return a.allows(m) != b.allows(m) })
}

func sameAudience(a, b Admitted) bool { return a.in(b) && b.in(a) }

// checkCycles adds each cycle of calls that no call is declared to close: services
// that wait for each other fail together.
func (c Catalogue) checkCycles(list *problem.List) {
	const visiting, done = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(Service)
	visit = func(service Service) {
		state[service.Name] = visiting
		path = append(path, service.Name)
		for _, call := range service.Calls {
			callee, known := c.Service(call.Service)
			switch {
			case !known || call.ClosesCycle || call.Service == service.Name:
			case state[callee.Name] == visiting:
				cycle := append(slices.Clone(path[slices.Index(path, callee.Name):]), callee.Name)
				list.Add("services."+service.Name+".calls", strings.Join(cycle, " → "),
					"a cycle of calls; break it, or set closesCycle on the call that is meant to close it")
			case state[callee.Name] == 0:
				visit(callee)
			}
		}
		path = path[:len(path)-1]
		state[service.Name] = done
	}
	for _, service := range c.Services {
		if state[service.Name] == 0 {
			visit(service)
		}
	}
}
