package networkpolicy

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPolicyIsBuiltWhole(t *testing.T) {
	policy := Policy{
		Name: "scans", Namespace: "mcp-security", Pods: map[string]string{"app": "scans"},
		Ingress: []Rule{{Peers: []Peer{Pods("istio-ingress", map[string]string{"app": "public"})}, Ports: TCP(8080)}},
		Egress:  []Rule{{Peers: []Peer{Namespace("kube-system"), Range("10.0.0.0/8")}, Ports: UDP(53)}},
	}
	assert.Empty(t, policy.Problems())
	text, err := json.Marshal(policy.Object().Spec)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"podSelector": {"matchLabels": {"app": "scans"}},
		"policyTypes": ["Ingress", "Egress"],
		"ingress": [{
			"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "istio-ingress"}}, "podSelector": {"matchLabels": {"app": "public"}}}],
			"ports": [{"port": 8080, "protocol": "TCP"}]
		}],
		"egress": [{
			"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}],
			"ports": [{"port": 53, "protocol": "UDP"}]
		}]
	}`, string(text))
}

func TestDefaultDenyHoldsBothWays(t *testing.T) {
	policy := DefaultDeny("a")
	assert.Empty(t, policy.Problems())
	text, err := json.Marshal(policy.Object().Spec)
	require.NoError(t, err)
	assert.JSONEq(t, `{"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}`, string(text))
}

func TestOutsideLeavesTheCloudsCredentialsOut(t *testing.T) {
	for name, tc := range map[string]struct {
		address string
		want    bool
	}{
		"metadata (AWS, Azure, GCP)": {"169.254.169.254", false},
		"credentials of pods (AWS)":  {"169.254.170.23", false},
		"link-local (IPv6)":          {"fe80::a9fe:a9fe", false},
		"metadata (AWS, IPv6)":       {"fd00:ec2::254", false},
		"neighbour of the metadata":  {"fd00:ec2::253", true},
		"internet":                   {"203.0.113.7", true},
		"internet (IPv6)":            {"2001:db8::1", true},
		"inside":                     {"10.0.0.1", true},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, slices.ContainsFunc(Outside(), func(p Peer) bool { return holds(p, tc.address) }))
			assert.True(t, slices.ContainsFunc(Anywhere(), func(p Peer) bool { return holds(p, tc.address) }))
		})
	}
}

func holds(peer Peer, address string) bool {
	within := func(cidr string) bool { return netip.MustParsePrefix(cidr).Contains(netip.MustParseAddr(address)) }
	return within(peer.api.IPBlock.CIDR) && !slices.ContainsFunc(peer.api.IPBlock.Except, within)
}

func TestPoliciesRefuseWhatIsOpen(t *testing.T) {
	with := func(r Rule) Policy { return Policy{Name: "a", Namespace: "b", Ingress: []Rule{r}} }
	out := func(r Rule) Policy { return Policy{Name: "a", Namespace: "b", Egress: []Rule{r}} }
	for name, tc := range map[string]struct {
		policy Policy
		field  string
	}{
		"no name":             {Policy{Namespace: "b"}, "name"},
		"no namespace":        {Policy{Name: "a"}, "namespace"},
		"no peers":            {with(Rule{Ports: TCP(80)}), "ingress[0].peers"},
		"no ports":            {out(Rule{Peers: Anywhere()}), "egress[0].ports"},
		"port":                {out(Rule{Peers: Anywhere(), Ports: TCP(0)}), "egress[0].ports"},
		"peer made by hand":   {with(Rule{Peers: []Peer{{}}, Ports: TCP(80)}), "ingress[0].peers"},
		"pods without labels": {with(Rule{Peers: []Peer{Pods("a", nil)}, Ports: TCP(80)}), "ingress[0].peers"},
		"range":               {with(Rule{Peers: []Peer{Range("10.0.0.0")}, Ports: TCP(80)}), "ingress[0].peers"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := tc.policy.Problems()
			require.Len(t, problems, 1, "%v", problems)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}

func TestNewRefusesBeforeItRegisters(t *testing.T) {
	_, err := New(&pulumi.Context{}, "network", Args{})
	assert.ErrorContains(t, err, "policies is not set")
	_, err = New(&pulumi.Context{}, "network", Args{Policies: []Policy{DefaultDeny("a"), DefaultDeny("a")}})
	assert.ErrorContains(t, err, "name a policy once")
}
