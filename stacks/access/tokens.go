package access

import (
	"slices"

	"github.com/mcp-security-platform/mesh/components/authorization"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// ServiceTokensName is the name of [Mesh.ServiceTokens].
const ServiceTokensName = "service-tokens"

// GatewayTokensName returns the name of [Mesh.GatewayTokens].
func (m Mesh) GatewayTokensName() string { return m.Gateways.Public + "-tokens" }

// GatewayTokens say which tokens the public gateway believes, and for what it
// requires one. It forwards them, so that services check them again.
func (m Mesh) GatewayTokens() requestauthentication.Args {
	return requestauthentication.Args{
		Target:          m.gatewayTarget(),
		Issuers:         m.Tokens.Issuers(),
		ClaimsToHeaders: m.Tokens.ClaimsToHeaders,
		Forward:         true,
		Required: requestauthentication.Required{
			Ports:      authorization.OnPorts(HTTPSPort),
			Operations: m.protected(),
		},
	}
}

// ServiceTokens say which tokens the services believe, and for which requests from
// the public gateway they require one. The application receives the token, too.
func (m Mesh) ServiceTokens() requestauthentication.Args {
	ports := m.routedPorts()
	return requestauthentication.Args{
		Target:          authorization.Target{Namespace: m.Namespaces.Platform},
		Issuers:         m.Tokens.Issuers(),
		ClaimsToHeaders: m.Tokens.ClaimsToHeaders,
		Forward:         true,
		Required: requestauthentication.Required{
			Ports:      authorization.OnPorts(ports[0], ports[1:]...),
			From:       m.fromGateway(),
			Operations: m.protected(),
		},
	}
}

// protected returns what takes a token. No public route lies inside: the catalogue
// refuses it.
func (m Mesh) protected() []authorization.Operation {
	var operations []authorization.Operation
	for _, route := range m.Catalogue.Routes() {
		if route.Audience.Kind == catalogue.KindPublic {
			continue
		}
		operations = append(operations, authorization.Operation{
			Hosts:   []string{m.Catalogue.Host(route.Host)},
			Methods: route.AllowedMethods(),
			Paths:   route.Path.DenyPatterns(),
		})
	}
	return operations
}

// routedPorts returns the ports of the services that have routes.
func (m Mesh) routedPorts() []int {
	var ports []int
	for _, service := range m.Catalogue.Services {
		if len(service.Routes) > 0 && !slices.Contains(ports, service.Port.Number) {
			ports = append(ports, service.Port.Number)
		}
	}
	return ports
}
