package controlplane

import (
	"regexp"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/helmchart"
	"github.com/mcp-security-platform/mesh/components/problem"
	"github.com/mcp-security-platform/mesh/components/workload"
)

// OutboundPolicy says what happens to a request for a host that the mesh does not
// know.
type OutboundPolicy string

// The kinds of [OutboundPolicy].
const (
	// RegistryOnly refuses it.
	RegistryOnly OutboundPolicy = "REGISTRY_ONLY"
	// AllowAny lets it out unchecked.
	AllowAny OutboundPolicy = "ALLOW_ANY"
)

// TLSVersion is the lowest TLS version that the mesh speaks.
type TLSVersion string

// The kinds of [TLSVersion].
const (
	TLS12 TLSVersion = "1.2"
	TLS13 TLSVersion = "1.3"
)

// Mesh are the settings that hold for the whole mesh.
type Mesh struct {
	// Trust domain, the first part of every SPIFFE identity; a DNS name that no other environment uses.
	TrustDomain string `json:"trustDomain"`
	// Name of the cluster, unique among the clusters that will ever share the mesh.
	ClusterName string `json:"clusterName"`
	// Name of the network that the cluster's pods share.
	Network string `json:"network"`
	// Name of the mesh, equal on all clusters that share it.
	ID string `json:"id"`
	// What happens to a request for an unknown host: `REGISTRY_ONLY` or `ALLOW_ANY`.
	OutboundTrafficPolicy OutboundPolicy `json:"outboundTrafficPolicy"`
	// Lowest TLS version between workloads: `1.2` or `1.3`.
	MinTLSVersion TLSVersion `json:"minTLSVersion"`
	// Lifetime of a workload certificate in hours; proxies renew well before its end.
	WorkloadCertificateHours int `json:"workloadCertificateHours"`
}

// WorkloadCertificateLife returns the lifetime of a workload certificate.
func (m Mesh) WorkloadCertificateLife() time.Duration {
	return time.Duration(m.WorkloadCertificateHours) * time.Hour
}

// Tracing says where proxies send their spans.
type Tracing struct {
	// Service of the OpenTelemetry collector or Jaeger, `name.namespace.svc.cluster.local`.
	Service string `json:"service"`
	// OTLP gRPC port of that service.
	Port int `json:"port"`
}

// Args describe a control plane.
type Args struct {
	// Namespace is where istiod runs; it must exist. Required.
	Namespace string
	// CNINamespace is where the CNI agent runs; it must exist and allow privileged
	// pods. Required with CNI.
	CNINamespace string
	// Charts is where the charts come from. Required.
	Charts helmchart.Source
	// Hub is the image registry; empty for the one the charts name.
	Hub string
	// Revision is the name of this control plane. Required.
	Revision string
	// RevisionTag is the name that namespaces follow; it points to Revision. Required.
	RevisionTag string
	// CNI says whether a node agent redirects pod traffic, so that pods need no
	// privileged init container.
	CNI bool
	// Mesh are the settings of the whole mesh.
	Mesh Mesh
	// Tracing is the destination of spans.
	Tracing Tracing
	// Istiod is the size of istiod.
	Istiod workload.Size
	// Proxy are the resources of each sidecar.
	Proxy workload.Resources
	// CA is the Secret that istiod signs with; istiod starts after it. Required.
	CA pulumi.Resource
}

// Problems returns what is wrong with the settings, with fields relative to them.
func (m Mesh) Problems() problem.List {
	var list problem.List
	m.checkNames(&list)
	if m.OutboundTrafficPolicy != RegistryOnly && m.OutboundTrafficPolicy != AllowAny {
		list.Add("outboundTrafficPolicy", string(m.OutboundTrafficPolicy), "choose %s or %s", RegistryOnly, AllowAny)
	}
	if m.MinTLSVersion != TLS12 && m.MinTLSVersion != TLS13 {
		list.Add("minTLSVersion", string(m.MinTLSVersion), "choose %q or %q, in quotes", TLS12, TLS13)
	}
	if m.WorkloadCertificateHours < 1 || m.WorkloadCertificateHours > 90*24 {
		list.Add("workloadCertificateHours", m.WorkloadCertificateHours, "use 1 to 2160 hours (90 days); 24 is usual")
	}
	return list
}

func (m Mesh) checkNames(list *problem.List) {
	switch {
	case m.TrustDomain == "":
		list.Add("trustDomain", nil, "set a DNS name of your own, such as mesh.company.com")
	case m.TrustDomain == "cluster.local":
		list.Add("trustDomain", m.TrustDomain, "it is everybody's default, so identities of two clusters could not be told apart; use a DNS name of your own")
	case len(validation.IsDNS1123Subdomain(m.TrustDomain)) > 0:
		list.Add("trustDomain", m.TrustDomain, "use a lower-case DNS name such as mesh.company.com, without scheme, port or path")
	}
	for _, name := range []struct{ field, value string }{{"clusterName", m.ClusterName}, {"network", m.Network}, {"id", m.ID}} {
		checkLabel(list, name.field, name.value)
	}
}

// Problems returns what is wrong with the destination of spans.
func (t Tracing) Problems() problem.List {
	var list problem.List
	if parts := strings.SplitN(t.Service, ".", 4); len(parts) < 4 || parts[2] != "svc" || len(validation.IsDNS1123Subdomain(t.Service)) > 0 {
		list.Add("service", t.Service, "use the full name of a Service, such as jaeger-collector.observability.svc.cluster.local")
	}
	if len(validation.IsValidPortNum(t.Port)) > 0 {
		list.Add("port", t.Port, "use a port from 1 to 65535; OTLP over gRPC is 4317")
	}
	return list
}

// CheckRevision adds what is wrong with the names of a revision and its tag.
func CheckRevision(list *problem.List, revision, tag string) {
	checkLabel(list, "revision", revision)
	checkLabel(list, "tag", tag)
	if revision == "default" {
		list.Add("revision", revision, "name it after the version, such as 1-29-1: upgrades run two revisions side by side")
	}
	if revision != "" && revision == tag {
		list.Add("tag", tag, "use a name that stays when the revision changes, such as stable")
	}
}

// CheckVersion adds what is wrong with an Istio version.
func CheckVersion(list *problem.List, version string) {
	if !supportedVersion.MatchString(version) {
		list.Add("version", version, "use a release from 1.29 to 1.32 such as 1.29.1, without a leading v")
	}
}

var supportedVersion = regexp.MustCompile(`^1\.(29|3[0-2])\.(0|[1-9][0-9]*)$`)

func checkLabel(list *problem.List, field, value string) {
	if value == "" {
		list.Add(field, nil, "set a DNS label such as mcp-prod")
	} else if len(validation.IsDNS1123Label(value)) > 0 {
		list.Add(field, value, "use a DNS label: lower-case letters, digits and dashes, at most 63")
	}
}

func (a Args) problems() problem.List {
	var list problem.List
	checkLabel(&list, "namespace", a.Namespace)
	if a.CNI {
		checkLabel(&list, "cniNamespace", a.CNINamespace)
	}
	if a.CA == nil {
		list.Add("ca", nil, "pass the Secret of the certificate authority; without it istiod signs with a CA of its own")
	}
	CheckVersion(&list, a.Charts.Version)
	CheckRevision(&list, a.Revision, a.RevisionTag)
	list.Within("mesh", a.Mesh.Problems())
	list.Within("tracing", a.Tracing.Problems())
	list.Within("istiod", a.Istiod.Problems())
	list.Within("proxy", a.Proxy.Problems())
	return list
}
