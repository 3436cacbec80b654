package stacks

import (
	"github.com/mcp-security-platform/mesh/components/ca"
	"github.com/mcp-security-platform/mesh/components/controlplane"
	"github.com/mcp-security-platform/mesh/components/gateway"
	"github.com/mcp-security-platform/mesh/components/helmchart"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
	"github.com/mcp-security-platform/mesh/components/workload"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// criticalPriority is a PriorityClass that every cluster has; a mesh without its
// control plane or gateways serves nobody.
const criticalPriority = "system-cluster-critical"

// Defaults returns what a stack of the environment starts from: the built-in
// values, and over them the profile of the environment. An unknown environment
// gets the built-in values.
func Defaults(environment Environment) Config {
	config := builtIn()
	config.Environment = environment
	switch environment {
	case Local:
		localProfile(&config)
	case Staging:
		stagingProfile(&config)
	case Prod:
		prodProfile(&config)
	}
	return config
}

// builtIn are the values that no environment changes, and a middle ground for
// those that each does.
func builtIn() Config {
	return Config{
		Mesh: controlplane.Mesh{
			ID:                       "mcp-mesh",
			Network:                  "main",
			OutboundTrafficPolicy:    controlplane.RegistryOnly,
			MinTLSVersion:            controlplane.TLS13,
			WorkloadCertificateHours: 24,
		},
		Istio: Istio{
			Version:         "1.29.1",
			Revision:        "1-29-1",
			Tag:             "stable",
			ChartRepository: helmchart.OfficialRepository,
			CNI:             true,
			CNINamespace:    "kube-system",
		},
		CA:     defaultCA(),
		Istiod: singleReplica("500m", "2Gi", "2", "4Gi"),
		Gateways: Gateways{
			Public:   gateway.Settings{Size: singleReplica("250m", "256Mi", "2", "1Gi"), Service: gateway.Service{Type: gateway.LoadBalancer}},
			Internal: gateway.Settings{Size: singleReplica("100m", "128Mi", "1", "512Mi"), Service: gateway.Service{Type: gateway.ClusterIP}},
			Egress:   gateway.Settings{Size: singleReplica("100m", "128Mi", "1", "512Mi"), Service: gateway.Service{Type: gateway.ClusterIP}},
		},
		Proxy:     Proxy{Resources: resources("100m", "128Mi", "200m", "256Mi")},
		Tracing:   controlplane.Tracing{Service: "jaeger-collector.observability.svc.cluster.local", Port: 4317},
		Catalogue: catalogue.Adjustments{Roles: catalogue.DefaultRoles()},
		Tokens:    defaultTokens(),
	}
}

// defaultTokens are the platform's own tokens, but for their keys: those are for
// each stack to say.
func defaultTokens() Tokens {
	audiences := func() []string { return []string{"mcp-security-api"} }
	return Tokens{
		Platform: requestauthentication.Issuer{Audiences: audiences()},
		Machines: requestauthentication.Issuer{
			Audiences:   audiences(),
			FromHeaders: []requestauthentication.Header{{Name: "x-service-token", Prefix: "Bearer "}},
		},
		ClaimsToHeaders: []requestauthentication.ClaimToHeader{{Header: "x-auth-subject", Claim: "sub"}},
		RolesClaim:      []string{"roles"},
	}
}

func defaultCA() CA {
	return CA{
		Mode:        CAGenerated,
		MinimumDays: 30,
		Generated: ca.Generated{
			Algorithm:        ca.ECDSA,
			RSABits:          4096,
			ECDSACurve:       "P256",
			RootDays:         3650,
			IntermediateDays: 365,
			Generation:       1,
			Subject:          ca.Subject{CommonName: "MCP Mesh CA", Organization: "MCP Security Platform"},
		},
	}
}

// localProfile makes everything small enough for a laptop.
func localProfile(config *Config) {
	config.Mesh.ClusterName = "mcp-local"
	config.Istiod.Resources = resources("100m", "256Mi", "1", "1Gi")
	for _, settings := range config.Gateways.all() {
		settings.Resources = resources("50m", "64Mi", "500m", "256Mi")
	}
}

// stagingProfile is shaped like production, with two of everything in two zones.
func stagingProfile(config *Config) {
	config.Mesh.ClusterName = "mcp-staging"
	for _, size := range config.sizes() {
		size.Replicas = workload.Replicas{Min: 2, Max: 3, TargetCPUPercent: 80}
		size.Zones = 2
		size.PriorityClass = criticalPriority
	}
}

// prodProfile covers three zones, and insists on it: a control plane or a gateway
// in one zone goes down with it. The root CA cannot be replaced by accident.
func prodProfile(config *Config) {
	config.Mesh.ClusterName = "mcp-prod"
	config.CA.MinimumDays = 90
	config.CA.Generated.ProtectRoot = true
	for _, size := range config.sizes() {
		size.Replicas = workload.Replicas{Min: 3, Max: 10, TargetCPUPercent: 70}
		size.Zones = 3
		size.ZoneSpread = workload.SpreadRequired
		size.PriorityClass = criticalPriority
	}
	config.Istiod.Replicas.Max = 5
	config.Istiod.Resources = resources("1", "4Gi", "4", "8Gi")
	config.Gateways.Public.Resources = resources("500m", "512Mi", "4", "2Gi")
}

func singleReplica(requestCPU, requestMemory, limitCPU, limitMemory string) workload.Size {
	return workload.Size{
		Replicas:   workload.Replicas{Min: 1, Max: 1, TargetCPUPercent: 80},
		Zones:      1,
		ZoneSpread: workload.SpreadPreferred,
		NodeSpread: workload.SpreadPreferred,
		MaxSurge:   1,
		Resources:  resources(requestCPU, requestMemory, limitCPU, limitMemory),
	}
}

func resources(requestCPU, requestMemory, limitCPU, limitMemory string) workload.Resources {
	return workload.Resources{
		Requests: workload.Quantities{CPU: requestCPU, Memory: requestMemory},
		Limits:   workload.Quantities{CPU: limitCPU, Memory: limitMemory},
	}
}

// sizes returns every size of the configuration, so that a profile treats them
// alike.
func (c *Config) sizes() []*workload.Size {
	sizes := []*workload.Size{&c.Istiod}
	for _, settings := range c.Gateways.all() {
		sizes = append(sizes, &settings.Size)
	}
	return sizes
}

func (g *Gateways) all() []*gateway.Settings {
	return []*gateway.Settings{&g.Public, &g.Internal, &g.Egress}
}
