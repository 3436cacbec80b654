package authorization

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	securityapi "istio.io/api/security/v1beta1"

	"github.com/mcp-security-platform/mesh/components/identity"
)

var (
	pods  = Target{Namespace: "mcp-security", Pods: map[string]string{"app": "scans"}}
	scans = identity.Identity{TrustDomain: "mcp.company.com", Namespace: "mcp-security", ServiceAccount: "scans"}
)

// "spec: {}" refuses everything, "rules: [{}]" allows everything.
func TestAllowNothingAndAllowAllAreOpposites(t *testing.T) {
	nothing, all := AllowNothing("mcp-security"), AllowAll("open", pods)
	assert.Empty(t, nothing.Problems())
	assert.Empty(t, all.Problems())
	assert.Empty(t, nothing.Object().Spec.Rules)
	assert.Nil(t, nothing.Object().Spec.Selector)
	require.Len(t, all.Object().Spec.Rules, 1)
	assert.Empty(t, all.Object().Spec.Rules[0].String())
}

func TestHostsMatchWithAndWithoutPort(t *testing.T) {
	policy := Allow("a", pods, Rule{To: []Operation{{Hosts: []string{"api.company.com"}}}})
	assert.Empty(t, policy.Problems())
	assert.Equal(t, []string{"api.company.com", "api.company.com:*"}, policy.Object().Spec.Rules[0].To[0].Operation.Hosts)
}

func TestPortsOfADenialHoldForEveryRule(t *testing.T) {
	policy := Deny("a", pods, OnPorts(8080, 8081), Rule{When: []Condition{NoClaim([]string{"iss"}, "i")}}, Rule{To: []Operation{{Paths: []string{"/admin%*"}}}})
	assert.Empty(t, policy.Problems())
	assert.True(t, policy.Denies())
	spec := policy.Object().Spec.DeepCopy()
	assert.Equal(t, securityapi.AuthorizationPolicy_DENY, spec.Action)
	for _, rule := range spec.Rules {
		require.Len(t, rule.To, 1)
		assert.Equal(t, []string{"8080", "8081"}, rule.To[0].Operation.Ports)
	}
	assert.Equal(t, []string{"i"}, spec.Rules[0].When[0].NotValues)
}

func TestRuleIsBuiltWhole(t *testing.T) {
	policy := Allow("a", pods, Rule{
		From: []identity.Identity{scans},
		To:   []Operation{{Ports: []int{8080}, Methods: []string{"GET"}, Paths: []string{"/a", "/a/*"}}},
		When: []Condition{Claim([]string{"realm_access", "roles"}, "admin"), ServerName("api.github.com")},
	})
	assert.Empty(t, policy.Problems())
	object := policy.Object()
	assert.Equal(t, pods.Pods, object.Spec.Selector.MatchLabels)
	rule := object.Spec.Rules[0]
	assert.Equal(t, []string{"mcp.company.com/ns/mcp-security/sa/scans"}, rule.From[0].Source.Principals)
	assert.Equal(t, "request.auth.claims[realm_access][roles]", rule.When[0].Key)
	assert.Equal(t, "connection.sni", rule.When[1].Key)
	assert.Empty(t, object.Annotations)
}

func TestCustomNamesItsProvider(t *testing.T) {
	policy := Custom("a", pods, "opa", OnPorts(8080), Rule{To: []Operation{{Paths: []string{"/a/*"}}}})
	assert.Empty(t, policy.Problems())
	spec := policy.Object().Spec.DeepCopy()
	assert.Equal(t, securityapi.AuthorizationPolicy_CUSTOM, spec.Action)
	assert.Equal(t, "opa", spec.GetProvider().GetName())
}

func TestDryRunIsAnAnnotation(t *testing.T) {
	policy := Deny("a", pods, OnPorts(8080), Rule{}).DryRun("open")
	assert.Empty(t, policy.Problems())
	assert.Equal(t, map[string]string{"istio.io/dry-run": "true"}, policy.Object().Annotations)
}

func TestAddressesAreCallersBesidePrincipals(t *testing.T) {
	caller := identity.Identity{TrustDomain: "mesh", Namespace: "a", ServiceAccount: "b"}
	policy := Allow("a", pods, Rule{From: []identity.Identity{caller}, Addresses: []string{"10.20.0.0/16"}, To: []Operation{{Ports: []int{9000}}}})
	assert.Empty(t, policy.Problems())
	from := policy.Object().Spec.Rules[0].From
	require.Len(t, from, 2, "either suffices")
	assert.Equal(t, []string{"mesh/ns/a/sa/b"}, from[0].Source.Principals)
	assert.Equal(t, []string{"10.20.0.0/16"}, from[1].Source.IpBlocks)
}

func TestPoliciesRefuseWhatIsDangerous(t *testing.T) {
	to := func(o Operation) Rule { return Rule{To: []Operation{o}} }
	when := func(c Condition) Rule { return Rule{When: []Condition{c}} }
	for name, tc := range map[string]struct {
		policy Policy
		field  string
	}{
		"made without constructor":      {Policy{name: "a", target: pods, all: true}, "action"},
		"no name":                       {AllowAll("", pods), "name"},
		"no namespace":                  {AllowAll("a", Target{}), "namespace"},
		"allow without rules":           {Allow("a", pods), "rules"},
		"allow by an empty rule":        {Allow("a", pods, Rule{}), "rules[0].from"},
		"allow by an empty operation":   {Allow("a", pods, to(Operation{})), "rules[0].to[0].paths"},
		"deny without ports":            {Deny("a", pods, Ports{}, to(Operation{Paths: []string{"/a"}})), "ports"},
		"deny with other ports":         {Deny("a", pods, OnPorts(80), to(Operation{Ports: []int{81}})), "rules[0].to[0].ports"},
		"impossible port":               {Deny("a", pods, OnPorts(0), Rule{}), "ports"},
		"custom without provider":       {Custom("a", pods, "", OnPorts(80), Rule{}), "provider"},
		"custom without ports":          {Custom("a", pods, "opa", Ports{}, Rule{}), "ports"},
		"custom in dry run":             {Custom("a", pods, "opa", OnPorts(80), Rule{}).DryRun("open"), "dryRun"},
		"callers at any address":        {Allow("a", pods, Rule{Addresses: []string{"0.0.0.0/0"}, To: []Operation{{Ports: []int{9000}}}}), "rules[0].addresses"},
		"address without network":       {Allow("a", pods, Rule{Addresses: []string{"10.0.0.1"}, To: []Operation{{Ports: []int{9000}}}}), "rules[0].addresses"},
		"address to any port":           {Allow("a", pods, Rule{Addresses: []string{"10.0.0.0/8"}}), "rules[0].to"},
		"address to a path":             {Allow("a", pods, Rule{Addresses: []string{"10.0.0.0/8"}, To: []Operation{{Paths: []string{"/a"}}}}), "rules[0].to"},
		"wildcard principal":            {Allow("a", pods, Rule{From: []identity.Identity{{TrustDomain: "*", Namespace: "a", ServiceAccount: "b"}}}), "rules[0].from[0].trustDomain"},
		"prefix across segments":        {Allow("a", pods, to(Operation{Paths: []string{"/scans*"}})), "rules[0].to[0].paths"},
		"path by suffix":                {Allow("a", pods, to(Operation{Paths: []string{"*/scans"}})), "rules[0].to[0].paths"},
		"path with a * inside":          {Deny("a", pods, OnPorts(80), to(Operation{Paths: []string{"/a/*/b"}})), "rules[0].to[0].paths"},
		"path with a template":          {Allow("a", pods, to(Operation{Paths: []string{"/a/{*}"}})), "rules[0].to[0].paths"},
		"host with port":                {Allow("a", pods, to(Operation{Hosts: []string{"a.company.com:443"}})), "rules[0].to[0].hosts"},
		"wildcard host":                 {Allow("a", pods, to(Operation{Hosts: []string{"*.company.com"}})), "rules[0].to[0].hosts"},
		"method in lower case":          {Allow("a", pods, to(Operation{Methods: []string{"get"}})), "rules[0].to[0].methods"},
		"any value of a claim":          {Allow("a", pods, when(Claim([]string{"iss"}, "*"))), "rules[0].when[0].when.request.auth.claims[iss]"},
		"value by prefix":               {Allow("a", pods, when(Claim([]string{"iss"}, "https://a*"))), "rules[0].when[0].when.request.auth.claims[iss]"},
		"allow by a missing claim":      {Allow("a", pods, when(NoClaim([]string{"iss"}, "i"))), "rules[0].when[0].when.request.auth.claims[iss]"},
		"claim without name":            {Allow("a", pods, when(Claim(nil, "i"))), "rules[0].when[0].when.request.auth.claims[]"},
		"claim with brackets":           {Allow("a", pods, when(Claim([]string{"a][b"}, "i"))), "rules[0].when[0].when.request.auth.claims[a][b]"},
		"condition without constructor": {Allow("a", pods, when(Condition{})), "rules[0].when[0].when"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := tc.policy.Problems()
			require.Len(t, problems, 1, "%v", problems)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}

func TestNewRefusesBeforeItRegisters(t *testing.T) {
	for name, tc := range map[string]struct {
		args Args
		want string
	}{
		"no policies": {Args{}, "policies is not set"},
		"same twice":  {Args{Policies: []Policy{AllowNothing("a"), AllowNothing("a")}}, "name a policy once"},
		"bad policy":  {Args{Policies: []Policy{Allow("a", pods)}}, "mcp-security.a.rules is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(&pulumi.Context{}, "access", tc.args)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}
