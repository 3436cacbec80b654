// Package access derives from the catalogue everything that decides who may do
// what: policies for tokens, requests and connections, and the access matrix.
package access

import (
	"github.com/mcp-security-platform/mesh/components/authorization"
	"github.com/mcp-security-platform/mesh/components/gateway"
	"github.com/mcp-security-platform/mesh/components/identity"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// The ports on which the gateways listen.
const (
	// RedirectPort is the public gateway's port that only redirects to HTTPS.
	RedirectPort = 80
	// HTTPSPort is the public gateway's port for users.
	HTTPSPort = 443
	// InternalPort is the internal gateway's port with mutual TLS.
	InternalPort = 8443
	// EgressPort is the egress gateway's port.
	EgressPort = 443
)

// Mesh is the catalogue and what surrounds its services.
type Mesh struct {
	// Catalogue says what is true of the services.
	Catalogue catalogue.Catalogue
	// TrustDomain is the first part of every identity.
	TrustDomain string
	// Namespaces are those of the mesh.
	Namespaces Namespaces
	// Gateways are the names of the gateways.
	Gateways Gateways
	// Tokens are the tokens that are believed.
	Tokens Tokens
	// Collector receives the spans of every proxy.
	Collector Collector
	// APIServer is where the Kubernetes API is.
	APIServer APIServer
	// DryRun are the policies that are being introduced.
	DryRun []DryRun
	// MTLSExceptions are the ports that accept plain text.
	MTLSExceptions []MTLSException
}

// APIServer is where the Kubernetes API is, behind its Service and before it:
// network policies are enforced on either side, depending on the cluster's network.
type APIServer struct {
	// Ranges are its addresses (CIDR); empty for any.
	Ranges []string
	// Ports are its ports; empty for 443 and 6443, which the usual clusters have.
	Ports []int
}

// Namespaces are the namespaces of the mesh.
type Namespaces struct{ System, Ingress, Egress, Platform, Observability string }

// served are the namespaces whose pods belong to the mesh.
func (n Namespaces) served() []string {
	return []string{n.Ingress, n.Egress, n.Platform, n.Observability}
}

// Gateways are the names of the gateways, and of their service accounts.
type Gateways struct{ Public, Internal, Egress string }

// Tokens are the issuers by kind of their tokens.
type Tokens struct {
	// Users and Machines are the issuers of each kind. At least one of each.
	Users, Machines []requestauthentication.Issuer
	// ClaimsToHeaders are the claims that services find in headers.
	ClaimsToHeaders []requestauthentication.ClaimToHeader
	// RolesClaim is the path of the claim that lists a user's roles.
	RolesClaim []string
}

// Issuers returns all issuers.
func (t Tokens) Issuers() []requestauthentication.Issuer {
	return append(append([]requestauthentication.Issuer{}, t.Users...), t.Machines...)
}

// Collector is where proxies send their spans.
type Collector struct {
	Namespace string
	Port      int
}

// Identity returns the identity of a service.
func (m Mesh) Identity(service catalogue.Service) identity.Identity {
	return m.account(m.Namespaces.Platform, service.Account())
}

func (m Mesh) account(namespace, name string) identity.Identity {
	return identity.Identity{TrustDomain: m.TrustDomain, Namespace: namespace, ServiceAccount: name}
}

func (m Mesh) publicGateway() identity.Identity {
	return m.account(m.Namespaces.Ingress, m.Gateways.Public)
}

func (m Mesh) fromGateway() []identity.Identity { return []identity.Identity{m.publicGateway()} }

// everyone returns every workload of the catalogue and every gateway.
func (m Mesh) everyone() []identity.Identity {
	all := []identity.Identity{
		m.publicGateway(),
		m.account(m.Namespaces.Ingress, m.Gateways.Internal),
		m.account(m.Namespaces.Egress, m.Gateways.Egress),
	}
	for _, service := range m.Catalogue.Services {
		all = append(all, m.Identity(service))
	}
	return all
}

func (m Mesh) gatewayTarget() authorization.Target {
	return authorization.Target{Namespace: m.Namespaces.Ingress, Pods: gateway.Selector(m.Gateways.Public)}
}

func (m Mesh) serviceTarget(service catalogue.Service) authorization.Target {
	return authorization.Target{Namespace: m.Namespaces.Platform, Pods: service.Labels()}
}
