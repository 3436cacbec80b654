package requestauthentication

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	securityapi "istio.io/api/security/v1beta1"

	"github.com/mcp-security-platform/mesh/components/authorization"
	"github.com/mcp-security-platform/mesh/components/problem"
)

const keys = `{"keys":[{"kty":"EC","crv":"P-256","x":"eA","y":"eQ"}]}`

func issuer(edit func(i *Issuer)) Issuer {
	i := Issuer{Issuer: "https://a", Audiences: []string{"api"}, JWKS: JWKS{Inline: keys}}
	edit(&i)
	return i
}

func args(edit func(a *Args)) Args {
	a := Args{
		Target:  authorization.Target{Namespace: "istio-ingress", Pods: map[string]string{"istio": "public"}},
		Issuers: []Issuer{issuer(func(*Issuer) {}), issuer(func(i *Issuer) { i.Issuer = "https://b"; i.FromHeaders = []Header{{Name: "x-service-token"}} })},
		Forward: true,
		Required: Required{
			Ports:      authorization.OnPorts(443),
			Operations: []authorization.Operation{{Paths: []string{"/api/*"}}},
		},
		ClaimsToHeaders: []ClaimToHeader{{Header: "x-auth-subject", Claim: "sub"}},
	}
	edit(&a)
	return a
}

func TestOneConstructorBelievesAndRequires(t *testing.T) {
	a := args(func(*Args) {})
	require.Empty(t, a.problems())
	believed := a.Object("tokens")
	assert.Equal(t, a.Target.Pods, believed.Spec.Selector.MatchLabels)
	require.Len(t, believed.Spec.JwtRules, 2)
	for _, rule := range believed.Spec.JwtRules {
		assert.True(t, rule.ForwardOriginalToken)
		assert.Equal(t, []string{"api"}, rule.Audiences)
		assert.Equal(t, "x-auth-subject", rule.OutputClaimToHeaders[0].Header, "every issuer writes the header, or a client could")
	}
	assert.Equal(t, "Authorization", believed.Spec.JwtRules[0].FromHeaders[0].Name, "else Istio takes it from the query, too")
	assert.Equal(t, "x-service-token", believed.Spec.JwtRules[1].FromHeaders[0].Name)

	required := a.Policy("tokens-required").Object()
	assert.Equal(t, securityapi.AuthorizationPolicy_DENY, required.Spec.Action)
	assert.Equal(t, believed.Spec.Selector.MatchLabels, required.Spec.Selector.MatchLabels)
	when := required.Spec.Rules[0].When[0]
	assert.Equal(t, "request.auth.claims[iss]", when.Key)
	assert.Equal(t, []string{"https://a", "https://b"}, when.NotValues)
}

func TestLocationsOfATokenAreKept(t *testing.T) {
	rule := issuer(func(i *Issuer) { i.FromParams, i.FromCookies = []string{"token"}, []string{"session"} }).rule(false, nil)
	assert.Equal(t, []string{"token"}, rule.FromParams)
	assert.Equal(t, []string{"session"}, rule.FromCookies)
	assert.Empty(t, rule.FromHeaders)
	assert.False(t, rule.ForwardOriginalToken)
}

func TestIssuer(t *testing.T) {
	remote := func(uri string) func(i *Issuer) {
		return func(i *Issuer) { i.JWKS = JWKS{Remote: Remote{URI: uri}} }
	}
	for name, edit := range map[string]func(i *Issuer){
		"inline":          func(*Issuer) {},
		"remote":          remote("https://keys.company.com/jwks.json"),
		"remote by proxy": func(i *Issuer) { remote("https://k.company.com/a")(i); i.JWKS.Remote.FetchedBy = ByProxy },
		"header":          func(i *Issuer) { i.FromHeaders = []Header{{Name: "x-a"}, {Name: "x-b", Prefix: "B "}} },
	} {
		t.Run(name, func(t *testing.T) { assert.Empty(t, issuer(edit).Problems()) })
	}
	for name, tc := range map[string]struct {
		edit  func(i *Issuer)
		field string
	}{
		"no issuer":           {func(i *Issuer) { i.Issuer = "" }, "issuer"},
		"issuer by wildcard":  {func(i *Issuer) { i.Issuer = "*" }, "issuer"},
		"no audiences":        {func(i *Issuer) { i.Audiences = nil }, "audiences"},
		"empty audience":      {func(i *Issuer) { i.Audiences = []string{""} }, "audiences"},
		"no keys":             {func(i *Issuer) { i.JWKS = JWKS{} }, "jwks.inline"},
		"keys twice":          {func(i *Issuer) { i.JWKS.Remote.URI = "https://a" }, "jwks.inline"},
		"no JSON":             {func(i *Issuer) { i.JWKS.Inline = "x" }, "jwks.inline"},
		"private key":         {func(i *Issuer) { i.JWKS.Inline = `{"keys":[{"kty":"RSA","d":"x"}]}` }, "jwks.inline"},
		"symmetric key":       {func(i *Issuer) { i.JWKS.Inline = `{"keys":[{"kty":"oct","k":"x"}]}` }, "jwks.inline"},
		"unknown key type":    {func(i *Issuer) { i.JWKS.Inline = `{"keys":[{"kty":"x"}]}` }, "jwks.inline"},
		"keys in plain HTTP":  {remote("http://keys.company.com"), "jwks.remote.uri"},
		"credentials in URI":  {remote("https://user:secret@keys.company.com"), "jwks.remote.uri"},
		"unknown fetcher":     {func(i *Issuer) { remote("https://k")(i); i.JWKS.Remote.FetchedBy = "cron" }, "jwks.remote.fetchedBy"},
		"header twice":        {func(i *Issuer) { i.FromHeaders = []Header{{Name: "x-a"}, {Name: "X-A"}} }, "fromHeaders"},
		"header with a blank": {func(i *Issuer) { i.FromHeaders = []Header{{Name: "x a"}} }, "fromHeaders"},
		"parameter twice":     {func(i *Issuer) { i.FromParams = []string{"a", "a"} }, "fromParams"},
		"cookie twice":        {func(i *Issuer) { i.FromCookies = []string{"a", "a"} }, "fromCookies"},
		"cookie without name": {func(i *Issuer) { i.FromCookies = []string{""} }, "fromCookies"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := issuer(tc.edit).Problems()
			require.Len(t, problems, 1, "%v", problems)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}

func TestArgs(t *testing.T) {
	copies := func(c ...ClaimToHeader) func(a *Args) { return func(a *Args) { a.ClaimsToHeaders = c } }
	for name, tc := range map[string]struct {
		edit  func(a *Args)
		field string
	}{
		"no issuers":                {func(a *Args) { a.Issuers = nil }, "issuers"},
		"bad issuer":                {func(a *Args) { a.Issuers[1].Audiences = nil }, "issuers[1].audiences"},
		"issuer twice":              {func(a *Args) { a.Issuers[1].Issuer = "https://a" }, "issuers[1].issuer"},
		"no requirement":            {func(a *Args) { a.Required.Operations = nil }, "required.operations"},
		"no ports":                  {func(a *Args) { a.Required.Ports = authorization.Ports{} }, "required.ports"},
		"no namespace":              {func(a *Args) { a.Target.Namespace = "" }, "required.namespace"},
		"header with two prefixes":  {func(a *Args) { a.Issuers[1].FromHeaders = []Header{{Name: "authorization"}} }, "issuers[1].fromHeaders"},
		"claim to two-word header":  {copies(ClaimToHeader{"x y", "sub"}), "claimsToHeaders"},
		"no claim":                  {copies(ClaimToHeader{"x", ""}), "claimsToHeaders"},
		"claims to one header":      {copies(ClaimToHeader{"x", "a"}, ClaimToHeader{"X", "b"}), "claimsToHeaders"},
		"claim over a token":        {copies(ClaimToHeader{"X-Service-Token", "sub"}), "claimsToHeaders"},
		"claim over a usual token":  {copies(ClaimToHeader{"authorization", "sub"}), "claimsToHeaders"},
		"keys fetched by different": {mixedFetchers, "issuers[1].jwks.remote.fetchedBy"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := args(tc.edit).problems()
			require.Len(t, problems, 1, "%v", problems)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}

func mixedFetchers(a *Args) {
	a.Issuers[0].JWKS = JWKS{Remote: Remote{URI: "https://k/a"}}
	a.Issuers[1].JWKS = JWKS{Remote: Remote{URI: "https://k/b", FetchedBy: ByProxy}}
}

func TestKeysAreNeverShown(t *testing.T) {
	problems := issuer(func(i *Issuer) { i.JWKS.Inline = `{"keys":[{"kty":"oct","k":"secret"}]}` }).Problems()
	require.Len(t, problems, 1)
	assert.Equal(t, problem.Hidden, problems[0].Value)
	assert.NotContains(t, problems[0].String(), `"secret"`)
}

func TestRemoteKeysNeedAWayOut(t *testing.T) {
	issuers := []Issuer{
		{JWKS: JWKS{Inline: keys}},
		{JWKS: JWKS{Remote: Remote{URI: "https://keys.company.com/a.json"}}},
		{JWKS: JWKS{Remote: Remote{URI: "https://keys.company.com/b.json"}}},
		{JWKS: JWKS{Remote: Remote{URI: "https://login.company.com:8443/keys", FetchedBy: ByProxy}}},
	}
	assert.Equal(t, []Egress{
		{ByIstiod, "keys.company.com", 443},
		{ByProxy, "login.company.com", 8443},
	}, EgressNeeds(issuers))
}

func TestNewRefusesBeforeItRegisters(t *testing.T) {
	_, err := New(&pulumi.Context{}, "tokens", Args{})
	assert.ErrorContains(t, err, "issuers is not set")
	assert.ErrorContains(t, err, "required.operations is not set")
}
