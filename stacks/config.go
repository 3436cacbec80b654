// Package stacks says what is deployed: the configuration of a stack, and the
// order of the components.
package stacks

import (
	"github.com/mcp-security-platform/mesh/components/ca"
	"github.com/mcp-security-platform/mesh/components/controlplane"
	"github.com/mcp-security-platform/mesh/components/gateway"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
	"github.com/mcp-security-platform/mesh/components/workload"
	"github.com/mcp-security-platform/mesh/stacks/access"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// Environment is the kind of a stack; it chooses the profile of defaults and how
// strict the checks are.
type Environment string

// The environments.
const (
	// Local is a laptop or a test machine: one replica of everything.
	Local Environment = "local"
	// Staging is shaped like production, smaller.
	Staging Environment = "staging"
	// Prod serves users.
	Prod Environment = "prod"
)

// Config is the configuration of a stack. Each field is a key of the namespace
// "mcp-mesh" in Pulumi.<stack>.yaml; what a stack leaves out comes from the
// profile of its environment.
type Config struct {
	// Kind of the stack, which chooses its defaults: `local`, `staging` or `prod`.
	Environment Environment `json:"environment"`
	// Settings that hold for the whole mesh.
	Mesh controlplane.Mesh `json:"mesh"`
	// Names under which the platform is reached from outside.
	Hosts Hosts `json:"hosts"`
	// The cluster that the stack is deployed to.
	Kubernetes Kubernetes `json:"kubernetes"`
	// Version, revision and source of Istio.
	Istio Istio `json:"istio"`
	// Certificate authority of the mesh.
	CA CA `json:"ca"`
	// Size and availability of istiod.
	Istiod workload.Size `json:"istiod"`
	// Size, availability and reach of the gateways.
	Gateways Gateways `json:"gateways"`
	// Resources of each sidecar proxy.
	Proxy Proxy `json:"proxy"`
	// Destination of traces.
	Tracing controlplane.Tracing `json:"tracing"`
	// What this stack changes of the catalogue of services.
	Catalogue catalogue.Adjustments `json:"catalogue"`
	// Tokens (JWT) that are believed. A request carries one at most: with several, Istio does not say which counts.
	Tokens Tokens `json:"tokens"`
	// Policies that are being introduced, and exceptions that end.
	Access Access `json:"access"`
}

// Hosts are the names under which the platform is reached from outside.
type Hosts struct {
	// Host of the user interface, such as `security.company.com`.
	Security string `json:"security"`
	// Host of the API, such as `api.security.company.com`.
	API string `json:"api"`
}

// Kubernetes says which cluster the stack is deployed to.
type Kubernetes struct {
	// Context of the kubeconfig; empty for its current context. Naming it keeps a stack off another environment's cluster.
	Context string `json:"context"`
	// Addresses (CIDR) of the Kubernetes API, for network policies; empty for any.
	APIServerRanges []string `json:"apiServerRanges"`
	// Ports of the Kubernetes API behind its Service and before it, for network policies; empty for 443 and 6443.
	APIServerPorts []int `json:"apiServerPorts"`
}

// Istio says which Istio is installed, and where it comes from.
type Istio struct {
	// Istio release, without a leading `v`.
	Version string `json:"version"`
	// Name of the control plane; it changes with every upgrade, such as `1-29-1`.
	Revision string `json:"revision"`
	// Revision tag that namespaces follow; it stays when the revision changes.
	Tag string `json:"tag"`
	// Helm repository of the charts.
	ChartRepository string `json:"chartRepository"`
	// Folder with the charts `base`, `istiod`, `cni` and `gateway`, instead of a repository; for a machine without internet.
	ChartFolder string `json:"chartFolder"`
	// Image registry; empty for the one that the charts name.
	Hub string `json:"hub"`
	// Whether a node agent redirects pod traffic, so that pods need no privileged init container.
	CNI bool `json:"cni"`
	// Namespace of the node agent; it must exist and allow privileged pods.
	CNINamespace string `json:"cniNamespace"`
}

// CAMode says where the certificate authority comes from.
type CAMode string

// The modes of a certificate authority.
const (
	// CAGenerated makes a root and an intermediate with pulumi-tls.
	CAGenerated CAMode = "generated"
	// CAProvided takes an enterprise's chain and key.
	CAProvided CAMode = "provided"
)

// CA is the certificate authority of the mesh.
type CA struct {
	// Where it comes from: `generated` or `provided`.
	Mode CAMode `json:"mode"`
	// Days for which a provided certificate must still be valid.
	MinimumDays int `json:"minimumDays"`
	// Settings of the mode `generated`.
	Generated ca.Generated `json:"generated"`
	// Settings of the mode `provided`.
	Provided ProvidedCA `json:"provided"`
}

// ProvidedCA is an enterprise's chain and key.
type ProvidedCA struct {
	// PEM chain in order: the issuing certificate, further intermediates, the root.
	Chain string `json:"chain"`
	// PEM key of the issuing certificate; a secret.
	PrivateKey string `json:"privateKey"`
}

// Gateways are the three gateways.
type Gateways struct {
	// Gateway for users, in front of everything.
	Public gateway.Settings `json:"public"`
	// Gateway for callers inside the company, with mutual TLS.
	Internal gateway.Settings `json:"internal"`
	// Gateway for calls that leave the mesh.
	Egress gateway.Settings `json:"egress"`
}

// Proxy are the settings of each sidecar proxy.
type Proxy struct {
	// CPU and memory of each proxy.
	Resources workload.Resources `json:"resources"`
}

// Tokens are the tokens that are believed.
type Tokens struct {
	// The platform's own issuer of users' tokens; without `issuer` it is `https://<hosts.security>/auth`.
	Platform requestauthentication.Issuer `json:"platform"`
	// Issuer of tokens of machine clients, in a header of their own; without `issuer` it is `https://<hosts.security>/machines`.
	Machines requestauthentication.Issuer `json:"machines"`
	// External identity providers (OIDC) whose users are believed.
	External []requestauthentication.Issuer `json:"external"`
	// Claims that are copied to headers for the services, from every token.
	ClaimsToHeaders []requestauthentication.ClaimToHeader `json:"claimsToHeaders"`
	// Claim that lists a user's roles; several names for a claim inside claims.
	RolesClaim []string `json:"rolesClaim"`
}

// Access are policies that are being introduced, and exceptions that end.
type Access struct {
	// Policies that deny and for now only report what they would deny, each with a reason and an end.
	DryRun []access.DryRun `json:"dryRun"`
	// Ports that accept plain text beside mutual TLS, each with its callers, a reason and an end.
	MTLSExceptions []access.MTLSException `json:"mtlsExceptions"`
}
