package stacks

import (
	"slices"
	"time"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/mcp-security-platform/mesh/components/authorization"
	"github.com/mcp-security-platform/mesh/components/ca"
	"github.com/mcp-security-platform/mesh/components/controlplane"
	"github.com/mcp-security-platform/mesh/components/gateway"
	"github.com/mcp-security-platform/mesh/components/helmchart"
	"github.com/mcp-security-platform/mesh/components/identity"
	"github.com/mcp-security-platform/mesh/components/namespace"
	"github.com/mcp-security-platform/mesh/components/networkpolicy"
	"github.com/mcp-security-platform/mesh/components/peerauthentication"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
	"github.com/mcp-security-platform/mesh/stacks/access"
)

// The namespaces of the mesh.
const (
	// SystemNamespace holds the control plane; it is Istio's root namespace.
	SystemNamespace = "istio-system"
	// IngressNamespace holds the public and the internal ingress gateway.
	IngressNamespace = "istio-ingress"
	// EgressNamespace holds the egress gateway.
	EgressNamespace = "istio-egress"
	// PlatformNamespace holds the services of the platform.
	PlatformNamespace = "mcp-security"
	// ObservabilityNamespace holds what watches the mesh.
	ObservabilityNamespace = "observability"
)

// The names of the gateways, which are also those of their service accounts.
const (
	// PublicGateway serves users: 443, and 80 for the redirect to it.
	PublicGateway = "public-ingress"
	// InternalGateway serves callers inside the company on 8443.
	InternalGateway = "internal-ingress"
	// EgressGateway passes on calls that leave the mesh.
	EgressGateway = "egress"
)

// Deploy is the Pulumi program: it reads the stack's configuration and deploys
// the mesh. It creates nothing when the configuration has a problem.
func Deploy(ctx *pulumi.Context) error {
	config, err := Load(ctx)
	if err != nil {
		return err
	}
	mesh, err := newMesh(ctx, config)
	if err != nil {
		return err
	}
	return mesh.export(ctx, config)
}

// mesh are the parts that others depend on or that the stack's outputs speak of.
type mesh struct {
	namespaces   *namespace.Namespaces
	authority    *ca.Authority
	controlPlane *controlplane.ControlPlane
}

// newMesh registers the components in the order in which they come to life:
// namespaces, CA, control plane, gateways, policies.
func newMesh(ctx *pulumi.Context, config *Config) (*mesh, error) {
	provider, err := newProvider(ctx, config.Kubernetes)
	if err != nil {
		return nil, err
	}
	m, inCluster := &mesh{}, pulumi.Providers(provider)
	m.namespaces, err = namespace.New(ctx, "namespaces", namespaceArgs(config), inCluster)
	if err != nil {
		return nil, err
	}
	m.authority, err = ca.New(ctx, "mesh-ca", ca.Args{Namespace: SystemNamespace, Source: config.CA.source()},
		inCluster, pulumi.DependsOn(m.namespaces.All))
	if err != nil {
		return nil, err
	}
	m.controlPlane, err = controlplane.New(ctx, "control-plane", controlPlaneArgs(config, m.authority),
		inCluster, pulumi.DependsOn(m.namespaces.All))
	if err != nil {
		return nil, err
	}
	afterIstiod := []pulumi.ResourceOption{inCluster, pulumi.DependsOn([]pulumi.Resource{m.controlPlane.Istiod})}
	gateways, err := newGateways(ctx, config, afterIstiod...)
	if err != nil {
		return nil, err
	}
	if err := newAccess(ctx, config, provider, append(gateways, m.controlPlane.Istiod)); err != nil {
		return nil, err
	}
	return m, nil
}

// newAccess registers who is who and who may do what, each step after the one
// before: identity, mutual TLS, tokens, requests, connections.
func newAccess(ctx *pulumi.Context, config *Config, provider *kubernetes.Provider, before []pulumi.Resource) error {
	mesh := config.AccessMesh()
	after := func(earlier ...pulumi.Resource) pulumi.ResourceOption {
		return pulumi.Composite(pulumi.Providers(provider), pulumi.DependsOn(append(earlier, before...)))
	}
	accounts, err := identity.New(ctx, "service-accounts", config.serviceAccounts(), after())
	if err != nil {
		return err
	}
	if _, err := peerauthentication.New(ctx, "strict-mtls", peerauthentication.Args{RootNamespace: SystemNamespace}, after()); err != nil {
		return err
	}
	if _, err := peerauthentication.NewScope(ctx, "strict-mtls-scope", mesh.MTLSScope(time.Now()), after()); err != nil {
		return err
	}
	atGateway, err := requestauthentication.New(ctx, mesh.GatewayTokensName(), mesh.GatewayTokens(), after())
	if err != nil {
		return err
	}
	atServices, err := requestauthentication.New(ctx, access.ServiceTokensName, mesh.ServiceTokens(), after())
	if err != nil {
		return err
	}
	policies, err := authorization.New(ctx, "access", authorization.Args{Policies: mesh.Policies()}, after(slices.Concat(accounts.All, atGateway.All, atServices.All)...))
	if err != nil {
		return err
	}
	_, err = networkpolicy.New(ctx, "network-access", networkpolicy.Args{Policies: mesh.NetworkPolicies()}, after(policies.All...))
	return err
}

// newProvider connects to the cluster. Secrets and ConfigMaps are updated in
// place: replaced, they would be gone for a moment, and with them the CA or the
// mesh configuration (pulumi/pulumi-kubernetes#1772, #3164).
func newProvider(ctx *pulumi.Context, cluster Kubernetes) (*kubernetes.Provider, error) {
	args := &kubernetes.ProviderArgs{
		EnableServerSideApply:  pulumi.Bool(true),
		EnableSecretMutable:    pulumi.Bool(true),
		EnableConfigMapMutable: pulumi.Bool(true),
	}
	if cluster.Context != "" {
		args.Context = pulumi.String(cluster.Context)
	}
	return kubernetes.NewProvider(ctx, "cluster", args)
}

func namespaceArgs(config *Config) namespace.Args {
	// Without the CNI agent an init container with NET_ADMIN redirects the traffic of
	// each injected pod. Gateways redirect nothing, and neither does the control plane.
	injected := namespace.Restricted
	if !config.Istio.CNI {
		injected = namespace.Privileged
	}
	return namespace.Args{
		RevisionTag: config.Istio.Tag,
		Namespaces: []namespace.Namespace{
			{Name: SystemNamespace, Network: config.Mesh.Network},
			{Name: IngressNamespace, Injected: true},
			{Name: EgressNamespace, Injected: true},
			{Name: PlatformNamespace, Injected: true, PodSecurity: injected},
			{Name: ObservabilityNamespace, Injected: true, PodSecurity: injected},
		},
	}
}

func controlPlaneArgs(config *Config, authority *ca.Authority) controlplane.Args {
	return controlplane.Args{
		Namespace:    SystemNamespace,
		CNINamespace: config.Istio.CNINamespace,
		Charts:       config.Istio.charts(),
		Hub:          config.Istio.Hub,
		Revision:     config.Istio.Revision,
		RevisionTag:  config.Istio.Tag,
		CNI:          config.Istio.CNI,
		Mesh:         config.Mesh,
		Tracing:      config.Tracing,
		Istiod:       config.Istiod,
		Proxy:        config.Proxy.Resources,
		CA:           authority.Secret,
	}
}

func newGateways(ctx *pulumi.Context, config *Config, opts ...pulumi.ResourceOption) ([]pulumi.Resource, error) {
	var charts []pulumi.Resource
	for _, g := range []struct {
		name, namespace string
		settings        gateway.Settings
		ports           []gateway.Port
	}{
		{PublicGateway, IngressNamespace, config.Gateways.Public, []gateway.Port{{Name: "http2", Number: access.RedirectPort}, {Name: "https", Number: access.HTTPSPort}}},
		{InternalGateway, IngressNamespace, config.Gateways.Internal, []gateway.Port{{Name: "https-internal", Number: access.InternalPort}}},
		{EgressGateway, EgressNamespace, config.Gateways.Egress, []gateway.Port{{Name: "https", Number: access.EgressPort}}},
	} {
		created, err := gateway.New(ctx, g.name, gateway.Args{
			Namespace: g.namespace,
			Charts:    config.Istio.charts(),
			Ports:     g.ports,
			Settings:  g.settings,
		}, opts...)
		if err != nil {
			return nil, err
		}
		charts = append(charts, created.Chart)
	}
	return charts, nil
}

func (i Istio) charts() helmchart.Source {
	return helmchart.Source{Repository: i.ChartRepository, Folder: i.ChartFolder, Version: i.Version}
}

// export publishes the stack's outputs.
func (m *mesh) export(ctx *pulumi.Context, config *Config) error {
	digest, err := config.AccessMesh().Digest()
	if err != nil {
		return err
	}
	ctx.Export("trustDomain", pulumi.String(config.Mesh.TrustDomain))
	ctx.Export("istioVersion", pulumi.String(config.Istio.Version))
	ctx.Export("revision", pulumi.String(config.Istio.Revision))
	ctx.Export("revisionTag", pulumi.String(config.Istio.Tag))
	ctx.Export("caRootExpiry", m.authority.RootExpiry)
	ctx.Export("caIssuingExpiry", m.authority.IssuingExpiry)
	ctx.Export("accessMatrixDigest", pulumi.String(digest))
	return nil
}
