package access

import (
	"slices"

	"github.com/mcp-security-platform/mesh/components/gateway"
	"github.com/mcp-security-platform/mesh/components/networkpolicy"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// The ports of Istio's own parts.
const (
	xdsPort           = 15012
	istiodMetricsPort = 15014
	webhookPort       = 15017
	mergedMetricsPort = 15020
	proxyMetricsPort  = 15090
)

// NetworkPolicies returns the policies about connections: the same edges as the
// policies about requests, and what the mesh itself needs.
func (m Mesh) NetworkPolicies() []networkpolicy.Policy {
	policies := []networkpolicy.Policy{networkpolicy.DefaultDeny(m.Namespaces.System)}
	policies = append(policies, m.controlPlaneNetwork()...)
	for _, namespace := range m.Namespaces.served() {
		policies = append(policies, networkpolicy.DefaultDeny(namespace), m.proxyNetwork(namespace))
	}
	policies = append(policies, m.gatewayNetworks()...)
	policies = append(policies, m.observabilityNetwork())
	for _, service := range m.Catalogue.Services {
		if policy := m.serviceNetwork(service); len(policy.Ingress)+len(policy.Egress) > 0 {
			policies = append(policies, policy)
		}
	}
	return policies
}

// controlPlaneNetwork lets proxies reach istiod, and the API server its webhooks:
// from anywhere, since the API server is no pod. Everything there talks to the API
// server.
func (m Mesh) controlPlaneNetwork() []networkpolicy.Policy {
	return []networkpolicy.Policy{
		{
			Name:      "api-server",
			Namespace: m.Namespaces.System,
			Egress:    append(dns(), m.apiServer()),
		},
		{
			Name:      "istiod",
			Namespace: m.Namespaces.System,
			Pods:      istiodPods(),
			Ingress: []networkpolicy.Rule{
				{Peers: m.proxies(), Ports: networkpolicy.TCP(xdsPort)},
				{Peers: networkpolicy.Anywhere(), Ports: networkpolicy.TCP(webhookPort)},
				{Peers: m.watchers(), Ports: networkpolicy.TCP(istiodMetricsPort)},
			},
			Egress: m.keySets(requestauthentication.ByIstiod),
		},
	}
}

// proxyNetwork is what every proxy of a namespace needs: names, istiod, the
// collector of spans, and to be scraped.
func (m Mesh) proxyNetwork(namespace string) networkpolicy.Policy {
	egress := append(dns(),
		networkpolicy.Rule{Peers: []networkpolicy.Peer{m.istiod()}, Ports: networkpolicy.TCP(xdsPort)},
		networkpolicy.Rule{Peers: []networkpolicy.Peer{networkpolicy.Namespace(m.Collector.Namespace)}, Ports: networkpolicy.TCP(m.Collector.Port)},
	)
	return networkpolicy.Policy{
		Name:      "proxies",
		Namespace: namespace,
		Ingress:   []networkpolicy.Rule{{Peers: m.watchers(), Ports: networkpolicy.TCP(mergedMetricsPort, proxyMetricsPort)}},
		Egress:    append(egress, m.keySets(requestauthentication.ByProxy)...),
	}
}

// gatewayNetworks opens the gateways to their clients and to what stands behind
// them. Load balancers check their health on the status port.
func (m Mesh) gatewayNetworks() []networkpolicy.Policy {
	public := networkpolicy.Policy{
		Name:      m.Gateways.Public,
		Namespace: m.Namespaces.Ingress,
		Pods:      gateway.Selector(m.Gateways.Public),
		Ingress:   []networkpolicy.Rule{{Peers: networkpolicy.Anywhere(), Ports: networkpolicy.TCP(RedirectPort, HTTPSPort, gateway.StatusPort)}},
	}
	internal := networkpolicy.Policy{
		Name:      m.Gateways.Internal,
		Namespace: m.Namespaces.Ingress,
		Pods:      gateway.Selector(m.Gateways.Internal),
		Ingress:   []networkpolicy.Rule{{Peers: networkpolicy.Anywhere(), Ports: networkpolicy.TCP(InternalPort, gateway.StatusPort)}},
	}
	egress := networkpolicy.Policy{
		Name:      m.Gateways.Egress,
		Namespace: m.Namespaces.Egress,
		Pods:      gateway.Selector(m.Gateways.Egress),
		Ingress:   []networkpolicy.Rule{{Peers: networkpolicy.Anywhere(), Ports: networkpolicy.TCP(gateway.StatusPort)}},
	}
	var outside []int
	for _, service := range m.Catalogue.Services {
		if len(service.Routes) > 0 {
			public.Egress = append(public.Egress, m.to(service))
		}
		if len(service.External) > 0 {
			egress.Ingress = append(egress.Ingress, networkpolicy.Rule{Peers: []networkpolicy.Peer{m.pods(service)}, Ports: networkpolicy.TCP(EgressPort)})
		}
		for _, external := range service.External {
			outside = append(outside, external.Number())
		}
	}
	slices.Sort(outside)
	if outside = slices.Compact(outside); len(outside) > 0 {
		egress.Egress = append(egress.Egress, networkpolicy.Rule{Peers: networkpolicy.Outside(), Ports: networkpolicy.TCP(outside...)})
	}
	return []networkpolicy.Policy{public, internal, egress}
}

// serviceNetwork is the service's part of the catalogue's edges.
func (m Mesh) serviceNetwork(service catalogue.Service) networkpolicy.Policy {
	policy := networkpolicy.Policy{Name: service.Name, Namespace: m.Namespaces.Platform, Pods: service.Labels()}
	var callers []networkpolicy.Peer
	if len(service.Routes) > 0 {
		callers = append(callers, networkpolicy.Pods(m.Namespaces.Ingress, gateway.Selector(m.Gateways.Public)))
	}
	for _, edge := range m.Catalogue.Edges() {
		if edge.Callee.Name == service.Name {
			callers = append(callers, m.pods(edge.Caller))
		}
		if edge.Caller.Name == service.Name {
			policy.Egress = append(policy.Egress, m.to(edge.Callee))
		}
	}
	if len(callers) > 0 {
		policy.Ingress = []networkpolicy.Rule{{Peers: callers, Ports: networkpolicy.TCP(service.Port.Number)}}
	}
	policy.Ingress = append(policy.Ingress, m.plainTextNetwork(service)...)
	if len(service.External) > 0 {
		peer := networkpolicy.Pods(m.Namespaces.Egress, gateway.Selector(m.Gateways.Egress))
		policy.Egress = append(policy.Egress, networkpolicy.Rule{Peers: []networkpolicy.Peer{peer}, Ports: networkpolicy.TCP(EgressPort)})
	}
	return policy
}

// observabilityNetwork lets what watches the mesh scrape everything and find out
// from the API server what there is, and the collector receive spans.
func (m Mesh) observabilityNetwork() networkpolicy.Policy {
	policy := networkpolicy.Policy{
		Name:      "telemetry",
		Namespace: m.Namespaces.Observability,
		Egress: []networkpolicy.Rule{
			{Peers: m.proxies(), Ports: networkpolicy.TCP(mergedMetricsPort, proxyMetricsPort)},
			{Peers: []networkpolicy.Peer{m.istiod()}, Ports: networkpolicy.TCP(istiodMetricsPort)},
			m.apiServer(),
		},
	}
	if m.Collector.Namespace == m.Namespaces.Observability {
		policy.Ingress = []networkpolicy.Rule{{Peers: m.proxies(), Ports: networkpolicy.TCP(m.Collector.Port)}}
	}
	return policy
}

// keySets are the ways to remote key sets.
func (m Mesh) keySets(by requestauthentication.Fetcher) []networkpolicy.Rule {
	var ports []int
	for _, need := range requestauthentication.EgressNeeds(m.Tokens.Issuers()) {
		if need.By == by && !slices.Contains(ports, need.Port) {
			ports = append(ports, need.Port)
		}
	}
	if len(ports) == 0 {
		return nil
	}
	return []networkpolicy.Rule{{Peers: networkpolicy.Outside(), Ports: networkpolicy.TCP(ports...)}}
}

func (m Mesh) pods(service catalogue.Service) networkpolicy.Peer {
	return networkpolicy.Pods(m.Namespaces.Platform, service.Labels())
}

func (m Mesh) to(service catalogue.Service) networkpolicy.Rule {
	return networkpolicy.Rule{Peers: []networkpolicy.Peer{m.pods(service)}, Ports: networkpolicy.TCP(service.Port.Number)}
}

func (m Mesh) istiod() networkpolicy.Peer {
	return networkpolicy.Pods(m.Namespaces.System, istiodPods())
}

// proxies are the pods of every namespace that the mesh serves.
func (m Mesh) proxies() []networkpolicy.Peer {
	var peers []networkpolicy.Peer
	for _, namespace := range m.Namespaces.served() {
		peers = append(peers, networkpolicy.Namespace(namespace))
	}
	return peers
}

func (m Mesh) watchers() []networkpolicy.Peer {
	return []networkpolicy.Peer{networkpolicy.Namespace(m.Namespaces.Observability)}
}

// apiServer is the way to the Kubernetes API.
func (m Mesh) apiServer() networkpolicy.Rule {
	peers := networkpolicy.Outside()
	if len(m.APIServer.Ranges) > 0 {
		peers = nil
		for _, cidr := range m.APIServer.Ranges {
			peers = append(peers, networkpolicy.Range(cidr))
		}
	}
	ports := m.APIServer.Ports
	if len(ports) == 0 {
		ports = []int{443, 6443}
	}
	return networkpolicy.Rule{Peers: peers, Ports: networkpolicy.TCP(ports...)}
}

func istiodPods() map[string]string { return map[string]string{"app": "istiod"} }

// dns is the cluster's name server.
func dns() []networkpolicy.Rule {
	server := networkpolicy.Pods("kube-system", map[string]string{"k8s-app": "kube-dns"})
	return []networkpolicy.Rule{{
		Peers: []networkpolicy.Peer{server},
		Ports: append(networkpolicy.UDP(53), networkpolicy.TCP(53)...),
	}}
}
