package catalogue

import (
	"slices"
	"strings"
)

// Host is one of the platform's public hosts; which name it has is the stack's
// business.
type Host string

// The kinds of [Host].
const (
	// SecurityHost is the host of the user interface.
	SecurityHost Host = "security"
	// APIHost is the host of the API.
	APIHost Host = "api"
)

// Route is what a service offers through the public gateway, and to whom. A
// request belongs to the route with the longest matching path; what no route
// declares is refused.
type Route struct {
	// Public host: `security` or `api`.
	Host Host `json:"host"`
	// Paths of the route.
	Path Path `json:"path"`
	// Methods of the route; empty for GET, HEAD, POST, PUT, PATCH and DELETE.
	Methods []string `json:"methods"`
	// Who may use it; there is no default.
	Audience Audience `json:"audience"`
}

// Path is one exact path, or all paths below a prefix. A prefix ends at a segment
// boundary: "/api/v1/scans" holds "/api/v1/scans/7" but not "/api/v1/scansX".
type Path struct {
	// Everything from here on, on segment boundaries.
	Prefix string `json:"prefix"`
	// This path only.
	Exact string `json:"exact"`
}

// Prefix returns the path of everything below prefix, itself included.
func Prefix(prefix string) Path { return Path{Prefix: prefix} }

// Exact returns the path of one path only.
func Exact(path string) Path { return Path{Exact: path} }

// IsPrefix says whether the path holds others below it.
func (p Path) IsPrefix() bool { return p.Exact == "" }

// String returns the path in the notation of the access matrix, where an ellipsis
// stands for everything below.
func (p Path) String() string {
	if p.IsPrefix() {
		return p.Base() + "/…"
	}
	return p.Exact
}

// Base returns the path without its last slash, which means nothing: of the root
// the empty text.
func (p Path) Base() string {
	if p.IsPrefix() {
		return strings.TrimSuffix(p.Prefix, "/")
	}
	return p.Exact
}

// Patterns returns the path in Istio's notation, positive and on segment
// boundaries.
func (p Path) Patterns() []string {
	base := p.Base()
	switch {
	case !p.IsPrefix():
		return []string{base}
	case base == "":
		return []string{"/*"}
	default:
		return []string{base, base + "/*"}
	}
}

// DenyPatterns returns the patterns of the path for a rule that denies. They reach
// further than [Path.Patterns]: an application may read "%2F" as a slash and drop
// what follows a semicolon, so both end a segment, too.
func (p Path) DenyPatterns() []string {
	patterns := p.Patterns()
	if base := p.Base(); p.IsPrefix() && base != "" {
		patterns = append(patterns, base+"%*", base+";*")
	}
	return patterns
}

// same says whether both paths are the same place, whatever they hold below it.
func (p Path) same(other Path) bool { return p.Base() == other.Base() }

// within says whether outer holds every path that p holds, and more.
func (p Path) within(outer Path) bool {
	if !outer.IsPrefix() || p == outer {
		return false
	}
	if p.same(outer) {
		return !p.IsPrefix()
	}
	return strings.HasPrefix(p.Base(), outer.Base()+"/")
}

// AllMethods returns the methods that the platform knows. OPTIONS is not among
// them: the user interface reaches the API through its own service, so that no
// browser asks the API host for permission first.
func AllMethods() []string {
	return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
}

// ReadMethods returns the methods that change nothing.
func ReadMethods() []string { return []string{"GET", "HEAD"} }

// WriteMethods returns the methods that change something.
func WriteMethods() []string { return []string{"POST", "PUT", "PATCH", "DELETE"} }

// AllowedMethods returns the route's methods with their default.
func (r Route) AllowedMethods() []string {
	if len(r.Methods) == 0 {
		return AllMethods()
	}
	return r.Methods
}

// Inside returns the route as other services see it: under any host, and open to
// them by their own identity where it is open to every user. What takes a role or a
// machine takes that token from a service, too, so that none can be talked into
// doing more than whom it acts for.
func (r Route) Inside() Route {
	r.Host = ""
	if r.Audience.Kind == KindUsers {
		r.Audience = Public()
	}
	return r
}

// allows says whether the route declares the method.
func (r Route) allows(method string) bool { return slices.Contains(r.AllowedMethods(), method) }
