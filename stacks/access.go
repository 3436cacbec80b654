package stacks

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcp-security-platform/mesh/components/identity"
	"github.com/mcp-security-platform/mesh/components/problem"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
	"github.com/mcp-security-platform/mesh/stacks/access"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// NewCatalogue returns the catalogue of services as the stack adjusts it.
func (c *Config) NewCatalogue() catalogue.Catalogue {
	var providers []string
	for _, issuer := range c.Tokens.External {
		if address, err := url.Parse(issuer.Issuer); err == nil && address.Host != "" {
			providers = append(providers, address.Hostname())
		}
	}
	return catalogue.New(catalogue.Hosts(c.Hosts), c.Catalogue, providers)
}

// AccessMesh returns the catalogue and what surrounds it, from which all access is
// derived.
func (c *Config) AccessMesh() access.Mesh {
	users, machines := c.Tokens.issuers(c.Hosts)
	return access.Mesh{
		Catalogue:   c.NewCatalogue(),
		TrustDomain: c.Mesh.TrustDomain,
		Namespaces: access.Namespaces{
			System: SystemNamespace, Ingress: IngressNamespace, Egress: EgressNamespace,
			Platform: PlatformNamespace, Observability: ObservabilityNamespace,
		},
		Gateways:  access.Gateways{Public: PublicGateway, Internal: InternalGateway, Egress: EgressGateway},
		Tokens:    access.Tokens{Users: users, Machines: machines, ClaimsToHeaders: c.Tokens.ClaimsToHeaders, RolesClaim: c.Tokens.RolesClaim},
		Collector: access.Collector{Namespace: serviceNamespace(c.Tracing.Service), Port: c.Tracing.Port},
		APIServer: access.APIServer{Ranges: c.Kubernetes.APIServerRanges, Ports: c.Kubernetes.APIServerPorts},

		DryRun:         c.Access.DryRun,
		MTLSExceptions: c.Access.MTLSExceptions,
	}
}

// serviceNamespace returns the namespace of name.namespace.svc.cluster.local.
func serviceNamespace(service string) string {
	parts := strings.Split(service, ".")
	if len(parts) < 2 {
		return ObservabilityNamespace
	}
	return parts[1]
}

// issuers returns the issuers of users and of machines, with those of the platform
// at their usual addresses.
func (t Tokens) issuers(hosts Hosts) (users, machines []requestauthentication.Issuer) {
	platform, machine := t.Platform, t.Machines
	if platform.Issuer == "" {
		platform.Issuer = "https://" + hosts.Security + "/auth"
	}
	if machine.Issuer == "" {
		machine.Issuer = "https://" + hosts.Security + "/machines"
	}
	return append([]requestauthentication.Issuer{platform}, t.External...), []requestauthentication.Issuer{machine}
}

func (t Tokens) problems(hosts Hosts) problem.List {
	var list problem.List
	users, machines := t.issuers(hosts)
	issuers, fields := append(users, machines...), []string{"platform"}
	for i := range t.External {
		fields = append(fields, fmt.Sprintf("external[%d]", i))
	}
	fields = append(fields, "machines")
	for i, issuer := range issuers {
		list.Within(fields[i], issuer.Problems())
		checkReachable(&list, fields[i]+".jwks.remote.uri", issuer.JWKS.Remote.URI, hosts)
	}
	requestauthentication.CheckTogether(&list, issuers, fields)
	requestauthentication.CheckCopies(&list, t.ClaimsToHeaders, issuers)
	if len(t.RolesClaim) == 0 || slices.Contains(t.RolesClaim, "") {
		list.Add("rolesClaim", t.RolesClaim, "name the claim that lists a user's roles, such as [roles] or [realm_access, roles]")
	}
	return list
}

// checkReachable refuses keys behind the mesh's own gateway: until they are there,
// the gateway lets nobody through to them.
func checkReachable(list *problem.List, field, uri string, hosts Hosts) {
	address, err := url.Parse(uri)
	if err != nil || address.Host == "" {
		return
	}
	host := address.Hostname()
	switch {
	case host == hosts.Security || host == hosts.API:
		list.Add(field, uri, "the keys lie behind the mesh's own gateway, which needs them to start; give them inline or publish them elsewhere")
	case !strings.Contains(host, ".") || strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".local"):
		list.Add(field, uri, "istiod is not in the mesh and cannot call its services; give the keys inline or publish them outside")
	}
}

func (a Access) problems(c catalogue.Catalogue, now time.Time) problem.List {
	var list problem.List
	for i, exception := range a.MTLSExceptions {
		field := fmt.Sprintf("mtlsExceptions[%d]", i)
		service, known := c.Service(exception.Service)
		switch {
		case !known:
			list.Add(field+".service", exception.Service, "an unknown service; use one of %s", c.Names())
		case service.Port.Number == exception.Port:
			list.Add(field+".port", exception.Port, "it is the port that the mesh calls, and an address would pass every route: give plain text a port of its own")
		}
		list.Within(field, exception.Problems(now))
		for _, earlier := range a.MTLSExceptions[:i] {
			if earlier.Service == exception.Service && earlier.Port == exception.Port {
				list.Add(field+".port", exception.Port, "name a port of a service once")
			}
		}
	}
	for i, dryRun := range a.DryRun {
		field := fmt.Sprintf("dryRun[%d]", i)
		list.Within(field, dryRun.Problems(now))
		if slices.ContainsFunc(a.DryRun[:i], func(d access.DryRun) bool { return d.Policy == dryRun.Policy }) {
			list.Add(field+".policy", dryRun.Policy, "name a policy once")
		}
	}
	return list
}

// accessProblems returns what is wrong with what is derived, once its sources are
// sound.
func (c *Config) accessProblems() problem.List {
	var list problem.List
	mesh := c.AccessMesh()
	var deniers []string
	for _, policy := range mesh.Policies() {
		list.Within("catalogue.policies."+policy.ID(), policy.Problems())
		if policy.Denies() {
			deniers = append(deniers, policy.ID())
		}
	}
	for _, policy := range mesh.NetworkPolicies() {
		list.Within("catalogue.networkPolicies."+policy.ID(), policy.Problems())
	}
	for i, dryRun := range c.Access.DryRun {
		if !slices.Contains(deniers, dryRun.Policy) {
			list.Add(fmt.Sprintf("access.dryRun[%d].policy", i), dryRun.Policy, "use a policy that denies, of %s; one that allows would let nobody in", strings.Join(deniers, ", "))
		}
	}
	return list
}

func (c *Config) serviceAccounts() identity.Args {
	args := identity.Args{Namespace: PlatformNamespace}
	for _, service := range c.NewCatalogue().Services {
		args.Names = append(args.Names, service.Account())
	}
	return args
}
