package gateway

import (
	"net/netip"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/helmchart"
	"github.com/mcp-security-platform/mesh/components/problem"
	"github.com/mcp-security-platform/mesh/components/workload"
)

// ServiceType says who can reach a gateway's Service.
type ServiceType string

// The kinds of [ServiceType].
const (
	// LoadBalancer asks the cloud for an address.
	LoadBalancer ServiceType = "LoadBalancer"
	// ClusterIP is reachable from within the cluster only.
	ClusterIP ServiceType = "ClusterIP"
)

// Service is how a gateway is reached.
type Service struct {
	// Who can reach the gateway: `LoadBalancer` or `ClusterIP`.
	Type ServiceType `json:"type"`
	// Annotations of the Service, for the cloud's load balancer.
	Annotations map[string]string `json:"annotations"`
	// Addresses (CIDR) that the load balancer lets in; empty for all.
	SourceRanges []string `json:"sourceRanges"`
}

// Port is a port of a gateway's Service. The proxy listens on the same number.
type Port struct {
	// Name starts with the protocol, as Istio's protocol selection wants it.
	Name string
	// Number is the port number.
	Number int
}

// StatusPort is the readiness port that every gateway has, for the health checks
// of load balancers.
const StatusPort = 15021

// Settings are what a stack decides about a gateway.
type Settings struct {
	workload.Size
	// How the gateway is reached.
	Service Service `json:"service"`
}

// Args describe a gateway.
type Args struct {
	// Namespace is where the gateway runs; it must exist and be injected. Required.
	Namespace string
	// Charts is where the chart comes from. Required.
	Charts helmchart.Source
	// Ports are the ports of its Service, without [StatusPort]. At least one.
	Ports []Port
	// Settings are its size and how it is reached.
	Settings Settings
}

// Problems returns what is wrong with the settings, with fields relative to them.
func (s Settings) Problems() problem.List {
	list := s.Size.Problems()
	list.Within("service", s.Service.problems())
	return list
}

func (s Service) problems() problem.List {
	var list problem.List
	if s.Type != LoadBalancer && s.Type != ClusterIP {
		list.Add("type", string(s.Type), "choose %s or %s", LoadBalancer, ClusterIP)
	}
	for _, cidr := range s.SourceRanges {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			list.Add("sourceRanges", cidr, "use CIDR notation such as 203.0.113.0/24")
		}
	}
	if len(s.SourceRanges) > 0 && s.Type == ClusterIP {
		list.Add("sourceRanges", s.SourceRanges, "they hold for a LoadBalancer only; remove them or change type")
	}
	return list
}

func (a Args) problems() problem.List {
	var list problem.List
	if len(validation.IsDNS1123Label(a.Namespace)) > 0 {
		list.Add("namespace", a.Namespace, "name the gateway's namespace")
	}
	if len(a.Ports) == 0 {
		list.Add("ports", nil, "name at least one port")
	}
	for _, port := range a.Ports {
		if len(validation.IsValidPortNum(port.Number)) > 0 || port.Number == StatusPort {
			list.Add("ports", port.Number, "use a port from 1 to 65535 other than %d", StatusPort)
		}
		if len(validation.IsDNS1123Label(port.Name)) > 0 {
			list.Add("ports", port.Name, "name the port protocol first, such as https or tls-egress")
		}
	}
	list.Within("settings", a.Settings.Problems())
	return list
}
