package catalogue

import (
	"maps"
	"slices"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Adjustments are what a stack changes of the catalogue.
type Adjustments struct {
	// Values of the roles claim that stand for each role; a role that a service asks for must be here.
	Roles map[string][]string `json:"roles"`
	// Further hosts outside the mesh that a service calls, by the service's name.
	External map[string][]External `json:"external"`
	// Further services, in the same form as the built-in ones.
	Services []Service `json:"services"`
}

// New returns the platform's services as a stack adjusts them; identityProviders
// are the hosts of the external identity providers. What is wrong with the result
// as a whole is for [Catalogue.Problems] to say.
func New(hosts Hosts, adjustments Adjustments, identityProviders []string) Catalogue {
	c := Default(hosts)
	c.Roles = adjustments.Roles
	c.Services = append(c.Services, adjustments.Services...)
	for i := range c.Services {
		service := &c.Services[i]
		service.External = append(service.External, adjustments.External[service.Name]...)
		if !service.CallsIdentityProviders {
			continue
		}
		for _, host := range identityProviders {
			if external := (External{Host: host}); !slices.Contains(service.External, external) {
				service.External = append(service.External, external)
			}
		}
	}
	return c
}

// Problems returns what is wrong with the adjusted catalogue, with fields relative
// to the adjustments.
func (a Adjustments) Problems(c Catalogue) problem.List {
	var list problem.List
	for _, role := range slices.Sorted(maps.Keys(a.Roles)) {
		if len(a.Roles[role]) == 0 {
			list.Add("roles."+role, nil, "name at least one value of the roles claim, such as [%s]", role)
		}
		for _, value := range a.Roles[role] {
			if !literal(value) {
				list.Add("roles."+role, value, "use a literal value: a * would match the roles of others")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.External)) {
		if _, ok := c.Service(name); !ok {
			list.Add("external."+name, "an unknown service", "use one of %s", c.Names())
		}
	}
	return append(list, c.Problems()...)
}
