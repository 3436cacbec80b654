// Package catalogue says what the platform's services are and who may do what.
// Identity, access and the access matrix are derived from it and from nothing
// else, so that they cannot disagree.
package catalogue

import (
	"reflect"
	"slices"
)

// Catalogue is the intent of the whole platform.
type Catalogue struct {
	// Hosts are the names behind the symbolic hosts of the routes.
	Hosts Hosts
	// Roles are the values of the roles claim that stand for each role.
	Roles map[string][]string
	// Services are in the order in which people read about them.
	Services []Service
}

// Hosts are the names under which the platform is reached from outside.
type Hosts struct {
	// Security is the host of the user interface.
	Security string
	// API is the host of the API.
	API string
}

// Service is one service of the platform.
type Service struct {
	// Name of the service: of its Kubernetes Service, and of the label `app` of its pods.
	Name string `json:"name"`
	// Port on which its pods and its Kubernetes Service listen.
	Port Port `json:"port"`
	// Service account of its pods; empty for the service's name.
	ServiceAccount string `json:"serviceAccount"`
	// What is reachable through the public gateway.
	Routes []Route `json:"routes"`
	// Services that it calls.
	Calls []Call `json:"calls"`
	// Hosts outside the mesh that it calls.
	External []External `json:"external"`
	// Whether it also calls the hosts of the external identity providers of `tokens.external`.
	CallsIdentityProviders bool `json:"callsIdentityProviders"`
}

// Protocol is what a port speaks; it decides what the mesh can tell about a
// request.
type Protocol string

// The kinds of [Protocol].
const (
	// HTTP is HTTP/1.1.
	HTTP Protocol = "http"
	// HTTP2 is HTTP/2 without TLS of its own.
	HTTP2 Protocol = "http2"
	// GRPC is gRPC.
	GRPC Protocol = "grpc"
	// TCP is anything else; it has no paths, methods or tokens.
	TCP Protocol = "tcp"
)

// Port is a port of a service.
type Port struct {
	// Number of the port.
	Number int `json:"number"`
	// What it speaks: `http`, `http2`, `grpc` or `tcp`.
	Protocol Protocol `json:"protocol"`
}

// Call is an edge of the catalogue: one service calls another.
type Call struct {
	// Name of the service that is called.
	Service string `json:"service"`
	// Methods that it uses; empty for all that the routes declare.
	Methods []string `json:"methods"`
	// Paths that it uses, each inside a route of the callee; empty for all of its routes.
	Paths []Path `json:"paths"`
	// Whether this call is meant to close a cycle of calls; any other cycle is refused.
	ClosesCycle bool `json:"closesCycle"`
}

// External is a host outside the mesh.
type External struct {
	// Host name, without wildcard.
	Host string `json:"host"`
	// TLS port; 0 for 443.
	Port int `json:"port"`
}

// httpsPort is the port of an [External] that names none.
const httpsPort = 443

// Number returns the port with its default.
func (e External) Number() int {
	if e.Port == 0 {
		return httpsPort
	}
	return e.Port
}

// Account returns the service account of the service's pods.
func (s Service) Account() string {
	if s.ServiceAccount == "" {
		return s.Name
	}
	return s.ServiceAccount
}

// Labels returns the labels by which policies know the service's pods.
func (s Service) Labels() map[string]string { return map[string]string{"app": s.Name} }

// InsideRoutes returns the routes as other services see them, each once.
func (s Service) InsideRoutes() []Route {
	var routes []Route
	for _, route := range s.Routes {
		inside := route.Inside()
		if !slices.ContainsFunc(routes, func(r Route) bool { return reflect.DeepEqual(r, inside) }) {
			routes = append(routes, inside)
		}
	}
	return routes
}

// PathsIn returns the part of a route that the call uses.
func (c Call) PathsIn(route Route) []Path {
	if len(c.Paths) == 0 {
		return []Path{route.Path}
	}
	var paths []Path
	for _, path := range c.Paths {
		switch {
		case path == route.Path, path.within(route.Path):
			paths = append(paths, path)
		case route.Path.within(path):
			paths = append(paths, route.Path)
		}
	}
	return paths
}

// MethodsIn returns the methods of a route that the call uses.
func (c Call) MethodsIn(route Route) []string {
	if len(c.Methods) == 0 {
		return route.AllowedMethods()
	}
	return slices.DeleteFunc(slices.Clone(c.Methods), func(method string) bool { return !route.allows(method) })
}

// Service returns the service of that name.
func (c Catalogue) Service(name string) (Service, bool) {
	i := slices.IndexFunc(c.Services, func(s Service) bool { return s.Name == name })
	if i < 0 {
		return Service{}, false
	}
	return c.Services[i], true
}

// Edge is a call with both of its ends.
type Edge struct {
	// Caller and Callee are the two services.
	Caller, Callee Service
	// Call is what the caller may do.
	Call Call
}

// Edges returns every call of the catalogue, in its order.
func (c Catalogue) Edges() []Edge {
	var edges []Edge
	for _, caller := range c.Services {
		for _, call := range caller.Calls {
			if callee, ok := c.Service(call.Service); ok {
				edges = append(edges, Edge{caller, callee, call})
			}
		}
	}
	return edges
}

// Host returns the host name behind a symbolic host.
func (c Catalogue) Host(host Host) string {
	if host == SecurityHost {
		return c.Hosts.Security
	}
	return c.Hosts.API
}

// RoleValues returns the values of the roles claim that stand for the roles.
func (c Catalogue) RoleValues(roles []string) []string {
	var values []string
	for _, role := range roles {
		values = append(values, c.Roles[role]...)
	}
	return values
}
