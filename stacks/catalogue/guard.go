package catalogue

import (
	"fmt"
	"slices"
)

// Guard closes a route against those whom a wider route around it lets in. An
// allow rule for "/api/v1/…" cannot leave "/api/v1/admin/…" out: matching is
// positive, since encoded paths slip past a negative match. So the inner route is
// guarded by a rule that denies it to everybody but its own audience.
type Guard struct {
	// Host, Path and Methods are what is guarded.
	Host    Host
	Path    Path
	Methods []string
	// Except are those who pass: the audience of the route, and of the routes inside
	// it, which have guards of their own.
	Except Admitted
}

// Guards returns the guards that routes need among each other.
func Guards(routes []Route) []Guard {
	var guards []Guard
	for _, site := range sites(routes) {
		byExcept := map[string]int{}
		for _, method := range AllMethods() {
			around := surroundings(routes, site, method)
			if around.outer.in(around.own) {
				continue
			}
			except := around.own.union(around.inner)
			key := fmt.Sprintf("%#v", except)
			i, known := byExcept[key]
			if !known {
				i = len(guards)
				byExcept[key] = i
				guards = append(guards, Guard{Host: site.host, Path: site.path, Except: except})
			}
			guards[i].Methods = append(guards[i].Methods, method)
		}
	}
	return guards
}

// Around returns those whom the routes around a guard would let in without it.
func Around(routes []Route, guard Guard) Admitted {
	var outer Admitted
	for _, method := range guard.Methods {
		outer = outer.union(surroundings(routes, site{guard.Host, guard.Path}, method).outer)
	}
	return outer
}

// site is a place that routes share.
type site struct {
	host Host
	path Path
}

func sites(routes []Route) []site {
	var all []site
	for _, r := range routes {
		if s := (site{r.Host, r.Path}); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// around are the audiences of a method at a site: of its own route, of the routes
// around it, and of the routes inside it.
type around struct{ own, outer, inner Admitted }

func surroundings(routes []Route, s site, method string) around {
	var a around
	for _, r := range routes {
		if r.Host != s.host || !r.allows(method) {
			continue
		}
		switch {
		case r.Path == s.path:
			a.own = a.own.union(r.Audience.Admitted())
		case s.path.within(r.Path):
			a.outer = a.outer.union(r.Audience.Admitted())
		case r.Path.within(s.path):
			a.inner = a.inner.union(r.Audience.Admitted())
		}
	}
	return a
}

// unguardable says that a guard of the site would have to let somebody in whom
// only a route inside it admits, but whom a route around it would then serve.
func (a around) unguardable() bool {
	if a.outer.in(a.own) {
		return false
	}
	for _, part := range a.inner.parts() {
		if !part.in(a.own) && part.meets(a.outer) {
			return true
		}
	}
	return false
}
