package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

const networkPolicyType = "kubernetes:networking.k8s.io/v1:NetworkPolicy"

// network answers which connections the rendered network policies let through.
type network struct {
	policies   []*networkingv1.NetworkPolicy
	namespaces map[string]labels.Set
}

// readNetwork decodes the network policies and the labels of the namespaces.
func readNetwork(r *record) (*network, error) {
	n := &network{namespaces: map[string]labels.Set{}}
	for _, resource := range r.resources {
		switch resource.typ {
		case namespaceType:
			object := &corev1.Namespace{}
			if err := decodeObject(resource, object); err != nil {
				return nil, err
			}
			n.namespaces[object.Name] = object.Labels
		case networkPolicyType:
			object := &networkingv1.NetworkPolicy{}
			if err := decodeObject(resource, object); err != nil {
				return nil, err
			}
			n.policies = append(n.policies, object)
		}
	}
	return n, nil
}

func decodeObject(resource registered, object any) error {
	text, err := json.Marshal(resource.inputs.Mappable())
	if err != nil {
		return fmt.Errorf("%s: %w", resource.urn, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(object); err != nil {
		return fmt.Errorf("%s: %w", resource.urn, err)
	}
	return nil
}

// endpoint is one end of a connection: a pod, or an address outside the cluster
// if it has no namespace.
type endpoint struct {
	name, namespace string
	labels          labels.Set
	address         netip.Addr
}

// allows tells whether a connection may be made: the source's policies must let it
// out and the target's must let it in.
func (n *network) allows(from, to endpoint, protocol corev1.Protocol, port int) bool {
	return n.passes(from, to, protocol, port, networkingv1.PolicyTypeEgress) &&
		n.passes(to, from, protocol, port, networkingv1.PolicyTypeIngress)
}

// passes judges one direction at one pod. A pod that no policy of the direction
// selects is open; several policies add up.
func (n *network) passes(pod, peer endpoint, protocol corev1.Protocol, port int, direction networkingv1.PolicyType) bool {
	open := true
	for _, policy := range n.policies {
		if policy.Namespace != pod.namespace || !matches(&policy.Spec.PodSelector, pod.labels) || !slices.Contains(directions(policy), direction) {
			continue
		}
		open = false
		if direction == networkingv1.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				if n.anyPeer(rule.From, policy.Namespace, peer) && anyPort(rule.Ports, protocol, port) {
					return true
				}
			}
			continue
		}
		for _, rule := range policy.Spec.Egress {
			if n.anyPeer(rule.To, policy.Namespace, peer) && anyPort(rule.Ports, protocol, port) {
				return true
			}
		}
	}
	return open
}

// directions are those that a policy restricts; unnamed they are ingress, and
// egress where there are rules for it.
func directions(policy *networkingv1.NetworkPolicy) []networkingv1.PolicyType {
	if len(policy.Spec.PolicyTypes) > 0 {
		return policy.Spec.PolicyTypes
	}
	if len(policy.Spec.Egress) > 0 {
		return []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
	}
	return []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
}

// anyPeer tells whether one of peers is e. No peers at all means everyone. A block
// of addresses also holds the pods with such addresses.
func (n *network) anyPeer(peers []networkingv1.NetworkPolicyPeer, policyNamespace string, e endpoint) bool {
	return len(peers) == 0 || slices.ContainsFunc(peers, func(peer networkingv1.NetworkPolicyPeer) bool {
		if peer.IPBlock != nil {
			return inBlock(peer.IPBlock, e.address)
		}
		if e.namespace == "" {
			return false
		}
		if peer.NamespaceSelector == nil && e.namespace != policyNamespace {
			return false
		}
		return (peer.NamespaceSelector == nil || matches(peer.NamespaceSelector, n.namespaceLabels(e.namespace))) &&
			(peer.PodSelector == nil || matches(peer.PodSelector, e.labels))
	})
}

// namespaceLabels adds the label that every namespace has.
func (n *network) namespaceLabels(namespace string) labels.Set {
	return labels.Merge(n.namespaces[namespace], labels.Set{corev1.LabelMetadataName: namespace})
}

func inBlock(block *networkingv1.IPBlock, address netip.Addr) bool {
	within := func(cidr string) bool {
		prefix, err := netip.ParsePrefix(cidr)
		return err == nil && prefix.Contains(address)
	}
	return within(block.CIDR) && !slices.ContainsFunc(block.Except, within)
}

func anyPort(ports []networkingv1.NetworkPolicyPort, protocol corev1.Protocol, port int) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		wanted := corev1.ProtocolTCP
		if p.Protocol != nil {
			wanted = *p.Protocol
		}
		switch {
		case wanted != protocol:
			return false
		case p.Port == nil:
			return true
		case p.EndPort != nil:
			return p.Port.IntValue() <= port && port <= int(*p.EndPort)
		}
		return p.Port.IntValue() == port
	})
}

func matches(selector *metav1.LabelSelector, set labels.Set) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(set)
}

// Each rule of the evaluator has a connection that passes and one that does not.
func TestNetworkEvaluatorFollowsKubernetes(t *testing.T) {
	const policy = "{kind: NetworkPolicy, metadata: {name: p, namespace: a}, spec: "
	pod := func(namespace, app, address string) endpoint {
		return endpoint{app, namespace, labels.Set{"app": app}, netip.MustParseAddr(address)}
	}
	x, y, z, web := pod("a", "x", "10.0.0.1"), pod("a", "y", "10.0.0.2"), pod("b", "y", "10.0.1.1"), endpoint{address: netip.MustParseAddr("203.0.113.7")}
	for name, tc := range map[string]struct {
		policies []string
		from, to endpoint
		protocol corev1.Protocol
		want     bool
	}{
		"no policy":                   {nil, x, y, corev1.ProtocolTCP, true},
		"default deny in":             {[]string{policy + "{podSelector: {}, policyTypes: [Ingress]}}"}, x, y, corev1.ProtocolTCP, false},
		"default deny in stays in":    {[]string{policy + "{podSelector: {}, policyTypes: [Ingress]}}"}, x, z, corev1.ProtocolTCP, true},
		"default deny out":            {[]string{policy + "{podSelector: {}, policyTypes: [Egress]}}"}, x, z, corev1.ProtocolTCP, false},
		"types default to ingress":    {[]string{policy + "{podSelector: {}}}"}, x, y, corev1.ProtocolTCP, false},
		"rules out imply egress":      {[]string{policy + "{podSelector: {}, egress: [{to: [{podSelector: {matchLabels: {app: y}}}]}], ingress: [{}]}}"}, x, z, corev1.ProtocolTCP, false},
		"pod not selected":            {[]string{policy + "{podSelector: {matchLabels: {app: x}}}}"}, x, y, corev1.ProtocolTCP, true},
		"empty rule lets all in":      {[]string{policy + "{podSelector: {}, ingress: [{}]}}"}, z, y, corev1.ProtocolTCP, true},
		"policies add up":             {[]string{policy + "{podSelector: {}}}", policy + "{podSelector: {matchLabels: {app: y}}, ingress: [{}]}}"}, x, y, corev1.ProtocolTCP, true},
		"pod of the namespace":        {[]string{policy + "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: x}}}]}]}}"}, x, y, corev1.ProtocolTCP, true},
		"same pod elsewhere":          {[]string{policy + "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: y}}}]}]}}"}, z, y, corev1.ProtocolTCP, false},
		"namespace":                   {[]string{policy + "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}]}]}}"}, z, x, corev1.ProtocolTCP, true},
		"pod and namespace":           {[]string{policy + "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}, podSelector: {matchLabels: {app: q}}}]}]}}"}, z, x, corev1.ProtocolTCP, false},
		"pod or namespace":            {[]string{policy + "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}, {podSelector: {matchLabels: {app: q}}}]}]}}"}, z, x, corev1.ProtocolTCP, true},
		"any namespace is no outside": {[]string{policy + "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}}"}, web, x, corev1.ProtocolTCP, false},
		"block":                       {[]string{policy + "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}}"}, x, web, corev1.ProtocolTCP, true},
		"block holds pods, too":       {[]string{policy + "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}}"}, x, z, corev1.ProtocolTCP, true},
		"exception of a block":        {[]string{policy + "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]}}"}, x, z, corev1.ProtocolTCP, false},
		"port":                        {[]string{policy + "{podSelector: {}, ingress: [{ports: [{port: 8080}]}]}}"}, x, y, corev1.ProtocolTCP, true},
		"port of another protocol":    {[]string{policy + "{podSelector: {}, ingress: [{ports: [{port: 8080}]}]}}"}, x, y, corev1.ProtocolUDP, false},
		"other port":                  {[]string{policy + "{podSelector: {}, ingress: [{ports: [{port: 80}]}]}}"}, x, y, corev1.ProtocolTCP, false},
		"range of ports":              {[]string{policy + "{podSelector: {}, ingress: [{ports: [{port: 8000, endPort: 9000}]}]}}"}, x, y, corev1.ProtocolTCP, true},
		"outside the range of ports":  {[]string{policy + "{podSelector: {}, ingress: [{ports: [{port: 9000, endPort: 9999}]}]}}"}, x, y, corev1.ProtocolTCP, false},
		"both ends must agree":        {[]string{policy + "{podSelector: {matchLabels: {app: y}}, ingress: [{}]}}", policy + "{podSelector: {matchLabels: {app: x}}, policyTypes: [Egress]}}"}, x, y, corev1.ProtocolTCP, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := recorded(t, tc.policies...)
			for i := range r.resources {
				r.resources[i].typ = networkPolicyType
			}
			n, err := readNetwork(r)
			require.NoError(t, err)
			require.Len(t, n.policies, len(tc.policies))
			assert.Equal(t, tc.want, n.allows(tc.from, tc.to, tc.protocol, 8080))
		})
	}
}

// The ends of the connections that the network must or must not let through.
func endpoints() map[string]endpoint {
	all := map[string]endpoint{}
	add := func(name, namespace string, set labels.Set, address string) {
		all[name] = endpoint{name, namespace, set, netip.MustParseAddr(address)}
	}
	for i, service := range services {
		add(service, "mcp-security", labels.Set{"app": service}, fmt.Sprintf("10.244.1.%d", i+1))
	}
	gateway := func(name, namespace, address string) {
		add(name, namespace, labels.Set{"app": name, "istio": name}, address)
	}
	gateway("public-ingress", "istio-ingress", "10.244.2.1")
	gateway("internal-ingress", "istio-ingress", "10.244.2.2")
	gateway("egress", "istio-egress", "10.244.2.3")
	add("istiod", "istio-system", labels.Set{"app": "istiod", "istio": "pilot"}, "10.244.3.1")
	add("prometheus", "observability", labels.Set{"app.kubernetes.io/name": "prometheus"}, "10.244.4.1")
	add("jaeger", "observability", labels.Set{"app": "jaeger"}, "10.244.4.2")
	add("dns", "kube-system", labels.Set{"k8s-app": "kube-dns"}, "10.244.5.1")
	add("stranger", "mcp-security", labels.Set{"app": "stranger"}, "10.244.6.1")
	add("other namespace", "default", labels.Set{"app": "api-gateway"}, "10.244.6.2")
	add("stranger of istio-system", "istio-system", labels.Set{"app": "stranger"}, "10.244.6.3")
	add("stranger of istio-egress", "istio-egress", labels.Set{"app": "stranger"}, "10.244.6.4")
	add("node", "", nil, "10.0.0.2")
	add("apiserver", "", nil, "10.0.0.1")
	add("company", "", nil, "10.200.0.1")
	add("internet", "", nil, "203.0.113.7")
	add("metadata", "", nil, "169.254.169.254")
	return all
}

// connection is one row of the table of connections, for several ends at once.
type connection struct {
	why      string
	from, to string // names of endpoints, separated by commas
	port     int
	protocol corev1.Protocol
	want     bool
}

const (
	allServices = "web-ui,api-gateway,scans,vulnerabilities,reports,integrations,dashboard"
	allGateways = "public-ingress,internal-ingress,egress"
	tcp, udp    = corev1.ProtocolTCP, corev1.ProtocolUDP
)

// connections says what else than the calls of the catalogue passes the network.
var connections = []connection{
	{"users reach the public gateway", "internet,company", "public-ingress", 443, tcp, true},
	{"and its redirect", "internet,company", "public-ingress", 80, tcp, true},
	{"load balancers ask for its health", "internet,company", "public-ingress", 15021, tcp, true},
	{"and for nothing else", "internet,company", "public-ingress", 15000, tcp, false},
	{"nor for its metrics", "internet,company", "public-ingress", 15020, tcp, false},
	{"the node asks for the health of all", "node", allGateways, 15021, tcp, true},
	{"the company reaches the internal gateway", "company", "internal-ingress", 8443, tcp, true},
	{"only there", "company,internet", "internal-ingress", 443, tcp, false},
	{"and nobody else's gateway so", "company,internet", "public-ingress,egress", 8443, tcp, false},
	{"the public gateway reaches each service", "public-ingress", allServices, 8080, tcp, true},
	{"only where it listens", "public-ingress", allServices, 8081, tcp, false},
	{"other gateways do not", "internal-ingress,egress", allServices, 8080, tcp, false},
	{"nobody from outside does", "internet,company,apiserver", allServices, 8080, tcp, false},
	{"no pod of another namespace does", "other namespace,prometheus,dns,istiod", allServices, 8080, tcp, false},
	{"nor one that the catalogue does not know", "stranger", allServices, 8080, tcp, false},
	{"which nobody reaches in turn", allServices + ",public-ingress,other namespace,internet", "stranger", 8080, tcp, false},
	{"proxies get their configuration", allServices + "," + allGateways, "istiod", 15012, tcp, true},
	{"not in plain text", allServices + "," + allGateways + ",internet,other namespace", "istiod", 15010, tcp, false},
	{"and only proxies do", "internet,other namespace,apiserver", "istiod", 15012, tcp, false},
	{"from istiod, not from its neighbours", "internet,other namespace,apiserver", "stranger of istio-system", 15017, tcp, false},
	{"whose debug page is for nobody", "internet,other namespace,apiserver,prometheus", "istiod", 8080, tcp, false},
	{"names are resolved", allServices + "," + allGateways, "dns", 53, udp, true},
	{"also over TCP", allServices + "," + allGateways, "dns", 53, tcp, true},
	{"the API server asks istiod's webhooks", "apiserver", "istiod", 15017, tcp, true},
	{"istiod asks the API server", "istiod", "apiserver", 6443, tcp, true},
	{"istiod resolves names", "istiod", "dns", 53, udp, true},
	{"istiod fetches the keys of issuers", "istiod", "internet", 443, tcp, true},
	{"and nothing in plain HTTP", "istiod,egress,prometheus,jaeger," + allGateways, "internet,other namespace,metadata", 80, tcp, false},
	{"what observes has proxies as well", "prometheus,jaeger", "istiod", 15012, tcp, true},
	{"which resolve names", "prometheus,jaeger", "dns", 53, udp, true},
	{"send spans", "prometheus", "jaeger", 4317, tcp, true},
	{"and have metrics", "prometheus", "jaeger", 15020, tcp, true},
	{"prometheus asks the API server what there is", "prometheus", "apiserver", 6443, tcp, true},
	{"nobody else sends spans", "internet,other namespace,dns", "jaeger", 4317, tcp, false},
	{"nor looks at them", "internet,other namespace,public-ingress," + allServices, "jaeger", 16686, tcp, false},
	{"metrics of services and gateways", "prometheus", allServices + "," + allGateways, 15020, tcp, true},
	{"metrics of istiod", "prometheus", "istiod", 15014, tcp, true},
	{"metrics are for observability only", "internet,other namespace,stranger," + allServices, "scans", 15020, tcp, false},
	{"spans of services and gateways", allServices + "," + allGateways, "jaeger", 4317, tcp, true},
	{"the proxy's admin page is for nobody", "prometheus,internet,other namespace,public-ingress,api-gateway", "scans", 15000, tcp, false},
	{"services do not reach the internet", "web-ui,api-gateway,scans,vulnerabilities,reports,dashboard", "internet", 443, tcp, false},
	{"nobody in plain HTTP", allServices, "internet", 80, tcp, false},
	{"services do not reach the machine's metadata", allServices + ",public-ingress", "metadata", 80, tcp, false},
	{"nor the API server", allServices, "apiserver", 6443, tcp, false},
	{"nor other namespaces", allServices, "other namespace", 443, tcp, false},
	{"nor the ingress gateways", allServices, "public-ingress,internal-ingress", 443, tcp, false},
	{"calls outwards leave by the egress gateway", "integrations", "egress", 443, tcp, true},
	{"which passes them on", "egress", "internet", 443, tcp, true},
	{"its neighbours do not", "node,internet,integrations", "stranger of istio-egress", 15021, tcp, false},
	{"which only callers of the outside reach", "web-ui,api-gateway,scans,vulnerabilities,reports,dashboard,stranger,other namespace,internet", "egress", 443, tcp, false},
	{"ingress gateways do not reach the internet", "public-ingress,internal-ingress", "internet", 443, tcp, false},
}

// agrees tells whether a connection is answered as the table says. Among services
// each end decides alone: what one forgets, the other still refuses.
func (n *network) agrees(c connection, ends map[string]endpoint) bool {
	leaves := n.passes(ends[c.from], ends[c.to], c.protocol, c.port, networkingv1.PolicyTypeEgress)
	enters := n.passes(ends[c.to], ends[c.from], c.protocol, c.port, networkingv1.PolicyTypeIngress)
	inside := func(name string) bool { return ends[name].namespace == "mcp-security" }
	if inside(c.from) && inside(c.to) && c.port == servicePort {
		return leaves == c.want && enters == c.want
	}
	return (leaves && enters) == c.want
}

// networkCases are the table of connections with one pair of ends each, and the
// calls of the catalogue.
func networkCases() []connection {
	var all []connection
	for _, from := range services {
		for _, to := range services {
			all = append(all, connection{"calls of the catalogue", from, to, servicePort, tcp, slices.Contains(calls[from], to)})
		}
	}
	for _, c := range connections {
		for from := range strings.SplitSeq(c.from, ",") {
			for to := range strings.SplitSeq(c.to, ",") {
				all = append(all, connection{c.why, from, to, c.port, c.protocol, c.want})
			}
		}
	}
	return all
}

func TestNetworkIsAsTheTableSays(t *testing.T) {
	forEachStack(t, func(t *testing.T, _ string, r *record) {
		n, err := readNetwork(r)
		require.NoError(t, err)
		ends := endpoints()
		for _, c := range networkCases() {
			require.Contains(t, ends, c.from)
			require.Contains(t, ends, c.to)
			assert.True(t, n.agrees(c, ends), "%s: %s → %s:%d/%s, want allowed=%t", c.why, c.from, c.to, c.port, c.protocol, c.want)
		}
	})
}

// The table of connections can fail: a policy that is missing, or a rule that is
// missing or lets in or out more than it should, changes an answer.
func TestNetworkTableNoticesEveryMistake(t *testing.T) {
	// Without its addresses the API server may be anywhere, and hides what else is open.
	r, err := deploy(t, set(stackConfig(t, "prod"), "kubernetes.apiServerRanges", []string{"10.0.0.1/32"}))
	require.NoError(t, err)
	n, err := readNetwork(r)
	require.NoError(t, err)
	ends, cases := endpoints(), networkCases()
	var missed []string
	tried := 0
	try := func(i int, how string, change func(spec *networkingv1.NetworkPolicySpec)) {
		mutated := &network{slices.Clone(n.policies), n.namespaces}
		mutated.policies[i] = n.policies[i].DeepCopy()
		change(&mutated.policies[i].Spec)
		if apiequality.Semantic.DeepEqual(mutated.policies[i], n.policies[i]) {
			return
		}
		tried++
		if !slices.ContainsFunc(cases, func(c connection) bool { return !mutated.agrees(c, ends) }) {
			missed = append(missed, fmt.Sprintf("%s/%s %s", n.policies[i].Namespace, n.policies[i].Name, how))
		}
	}
	for i, policy := range n.policies {
		for j := range policy.Spec.Ingress {
			name := fmt.Sprintf("ingress %d ", j)
			try(i, name+"missing", func(s *networkingv1.NetworkPolicySpec) { s.Ingress = slices.Delete(s.Ingress, j, j+1) })
			try(i, name+"from anywhere to any port", func(s *networkingv1.NetworkPolicySpec) { s.Ingress[j] = networkingv1.NetworkPolicyIngressRule{} })
		}
		for j := range policy.Spec.Egress {
			name := fmt.Sprintf("egress %d ", j)
			try(i, name+"missing", func(s *networkingv1.NetworkPolicySpec) { s.Egress = slices.Delete(s.Egress, j, j+1) })
			try(i, name+"to anywhere at any port", func(s *networkingv1.NetworkPolicySpec) { s.Egress[j] = networkingv1.NetworkPolicyEgressRule{} })
		}
		if len(policy.Spec.Ingress)+len(policy.Spec.Egress) > 0 {
			try(i, "for all pods", func(s *networkingv1.NetworkPolicySpec) { s.PodSelector = metav1.LabelSelector{} })
		}
	}
	require.NotZero(t, tried)
	assert.Empty(t, strings.Join(missed, "\n"), "of %d mistakes", tried)
}

// Who may open a connection may also say something on it, and who may not say
// anything cannot connect.
func TestNetworkAgreesWithAuthorization(t *testing.T) {
	forEachStack(t, func(t *testing.T, stack string, r *record) {
		p := newPlatform(t, stack)
		rendered, err := readPolicies(r)
		require.NoError(t, err)
		n, err := readNetwork(r)
		require.NoError(t, err)
		identities := map[string]string{
			"public-ingress":   p.identity("istio-ingress", "public-ingress"),
			"internal-ingress": p.identity("istio-ingress", "internal-ingress"),
			"egress":           p.identity("istio-egress", "egress"),
			"istiod":           p.identity("istio-system", "istiod"),
			"prometheus":       p.identity("observability", "prometheus"),
			"stranger":         p.identity("mcp-security", "stranger"),
			"other namespace":  p.identity("default", "api-gateway"),
		}
		for _, service := range services {
			identities[service] = p.identity("mcp-security", service)
		}
		spoken := p.spoken(rendered, identities)
		all := endpoints()
		pairs := 0
		for from := range identities {
			for _, to := range services {
				pairs++
				assert.Equal(t, spoken[from+" "+to], n.allows(all[from], all[to], tcp, servicePort), "%s → %s: authorization, network", from, to)
			}
		}
		assert.Equal(t, 14*7, pairs)
	})
}

// spoken are the pairs `caller service` between which some request is allowed.
func (p platform) spoken(rendered *policies, identities map[string]string) map[string]bool {
	found := map[string]bool{}
	requests(func(r row, path, method, _ string) {
		for name, principal := range identities {
			for _, who := range p.callers() {
				c := call{principal: principal, port: servicePort, method: method, host: p.address(r.host), path: path, tokens: who.tokens}
				if got, _ := rendered.decide(p.service(r.service), c); got.allowed() {
					found[name+" "+r.service] = true
				}
			}
		}
	})
	return found
}
