package tests

import (
	"net/netip"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// recorded returns a record of the policies in texts, as `kind: spec` with the
// metadata beside the spec.
func recorded(t *testing.T, texts ...string) *record {
	t.Helper()
	r := &record{}
	for _, text := range texts {
		var object map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(text), &object), text)
		kind := object["kind"].(string)
		r.resources = append(r.resources, registered{
			urn:    kind,
			typ:    "kubernetes:security.istio.io/v1:" + kind,
			inputs: resource.NewPropertyMapFromMap(object),
		})
	}
	return r
}

// The evaluator judges small cases as Istio's documentation and its translation to
// Envoy do; each rule has a call that passes and one that does not.
func TestEvaluatorFollowsIstio(t *testing.T) {
	const (
		allow = "kind: AuthorizationPolicy\nmetadata: {name: a, namespace: apps}\nspec: "
		root  = "kind: AuthorizationPolicy\nmetadata: {name: r, namespace: istio-system}\nspec: "
		token = "kind: RequestAuthentication\nmetadata: {name: j, namespace: apps}\nspec: "
		peer  = "kind: PeerAuthentication\nmetadata: {name: p, namespace: "
		dry   = "kind: AuthorizationPolicy\nmetadata: {name: d, namespace: apps, annotations: {istio.io/dry-run: 'true'}}\nspec: "

		issuers = `{jwtRules: [{issuer: i1, audiences: [me]}, {issuer: i2, fromHeaders: [{name: X-Service, prefix: "Bearer "}], forwardOriginalToken: true}]}`
	)
	app := workload{namespace: "apps", labels: map[string]string{"app": "x"}}
	gateway := workload{namespace: "apps", gateway: true}
	get := call{principal: "td/ns/web/sa/ui", port: 8080, method: "GET", host: "x:8080", path: "/a/b"}
	with := func(edit func(c *call)) call { c := get; edit(&c); return c }
	path := func(p string) call { return with(func(c *call) { c.path = p }) }
	host := func(h string) call { return with(func(c *call) { c.host = h }) }
	from := func(p string) call { return with(func(c *call) { c.principal = p }) }
	bearing := func(at location, claims map[string]any) call {
		return with(func(c *call) { c.tokens = []jwt{{at: at, claims: claims}} })
	}
	claims := func(more map[string]any) map[string]any {
		all := map[string]any{"iss": "i1", "aud": "me", "sub": "s"}
		for name, value := range more {
			all[name] = value
		}
		return all
	}
	header := location{"header", "x-service", "Bearer "}

	for name, tc := range map[string]struct {
		policies []string
		to       workload
		call     call
		want     int
	}{
		"no policy":                  {nil, app, get, 200},
		"spec without rules":         {[]string{allow + "{}"}, app, get, 403},
		"empty rule":                 {[]string{allow + "{rules: [{}]}"}, app, get, 200},
		"DENY without rules":         {[]string{allow + "{action: DENY}"}, app, get, 200},
		"DENY with an empty rule":    {[]string{allow + "{action: DENY, rules: [{}]}", root + "{rules: [{}]}"}, app, get, 403},
		"CUSTOM is left out":         {[]string{allow + "{action: CUSTOM, provider: {name: x}, rules: [{}]}"}, app, get, 200},
		"AUDIT decides nothing":      {[]string{allow + "{action: AUDIT, rules: [{}]}"}, app, get, 200},
		"dry-run DENY":               {[]string{dry + "{action: DENY, rules: [{}]}"}, app, get, 200},
		"dry-run ALLOW":              {[]string{allow + "{}", dry + "{rules: [{}]}"}, app, get, 403},
		"other namespace":            {[]string{allow + "{}"}, workload{namespace: "other"}, get, 200},
		"root namespace":             {[]string{root + "{}"}, app, get, 403},
		"selector hits":              {[]string{allow + "{selector: {matchLabels: {app: x}}}"}, app, get, 403},
		"selector misses":            {[]string{allow + "{selector: {matchLabels: {app: y}}}"}, app, get, 200},
		"root with selector":         {[]string{root + "{selector: {matchLabels: {app: x}}}"}, app, get, 403},
		"root adds to the namespace": {[]string{allow + "{}", root + "{rules: [{}]}"}, app, get, 200},

		"principal":                       {[]string{allow + "{rules: [{from: [{source: {principals: [td/ns/web/sa/ui]}}]}]}"}, app, get, 200},
		"principal of another":            {[]string{allow + "{rules: [{from: [{source: {principals: [td/ns/web/sa/ui]}}]}]}"}, app, from("td/ns/web/sa/ui2"), 403},
		"principal of another domain":     {[]string{allow + "{rules: [{from: [{source: {principals: [td/ns/web/sa/ui]}}]}]}"}, app, from("evil/ns/web/sa/ui"), 403},
		"any principal":                   {[]string{allow + `{rules: [{from: [{source: {principals: ["*"]}}]}]}`}, app, get, 200},
		"any principal in plain text":     {[]string{allow + `{rules: [{from: [{source: {principals: ["*"]}}]}]}`}, app, from(""), 403},
		"principal by suffix":             {[]string{allow + `{rules: [{from: [{source: {principals: ["*/sa/ui"]}}]}]}`}, app, get, 200},
		"not this principal":              {[]string{allow + "{rules: [{from: [{source: {notPrincipals: [td/ns/web/sa/ui]}}]}]}"}, app, get, 403},
		"not that principal":              {[]string{allow + "{rules: [{from: [{source: {notPrincipals: [td/ns/web/sa/x]}}]}]}"}, app, from(""), 200},
		"namespace":                       {[]string{allow + "{rules: [{from: [{source: {namespaces: [web]}}]}]}"}, app, get, 200},
		"namespace is no substring":       {[]string{allow + "{rules: [{from: [{source: {namespaces: [we]}}]}]}"}, app, get, 403},
		"second source":                   {[]string{allow + "{rules: [{from: [{source: {namespaces: [x]}}, {source: {namespaces: [web]}}]}]}"}, app, get, 200},
		"both fields of a source":         {[]string{allow + "{rules: [{from: [{source: {namespaces: [x], principals: [td/ns/web/sa/ui]}}]}]}"}, app, get, 403},
		"service account of elsewhere":    {[]string{allow + "{rules: [{from: [{source: {serviceAccounts: [web/ui]}}]}]}"}, app, get, 200},
		"service account of the policy's": {[]string{allow + "{rules: [{from: [{source: {serviceAccounts: [ui]}}]}]}"}, app, get, 403},
		"address in a block": {[]string{allow + "{rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]}"}, app,
			with(func(c *call) { c.source = netip.MustParseAddr("10.1.2.3") }), 200},
		"address outside it": {[]string{allow + "{rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]}"}, app,
			with(func(c *call) { c.source = netip.MustParseAddr("11.1.2.3") }), 403},

		"path":                            {[]string{allow + "{rules: [{to: [{operation: {paths: [/a/b]}}]}]}"}, app, path("/a/b?c=/d"), 200},
		"path is exact":                   {[]string{allow + "{rules: [{to: [{operation: {paths: [/a/b]}}]}]}"}, app, path("/a/b/"), 403},
		"path by prefix":                  {[]string{allow + "{rules: [{to: [{operation: {paths: [/a/*]}}]}]}"}, app, path("/a/b/c"), 200},
		"prefix of a segment":             {[]string{allow + "{rules: [{to: [{operation: {paths: [/a/*]}}]}]}"}, app, path("/ab"), 403},
		"path by suffix":                  {[]string{allow + "{rules: [{to: [{operation: {paths: ['*/b']}}]}]}"}, app, get, 200},
		"slashes are merged":              {[]string{allow + "{rules: [{to: [{operation: {paths: [/a/b]}}]}]}"}, app, path("//a///b"), 200},
		"dot segments go":                 {[]string{allow + "{rules: [{to: [{operation: {paths: [/a/b]}}]}]}"}, app, path("/a/./c/%2e%2E/b"), 200},
		"path cannot leave its root":      {[]string{allow + "{rules: [{to: [{operation: {paths: [/b]}}]}]}"}, app, path("/../../b"), 200},
		"backslashes are slashes":         {[]string{allow + "{rules: [{to: [{operation: {paths: [/a/b]}}]}]}"}, app, path(`/a\b`), 200},
		"escaped letters are decoded":     {[]string{allow + "{rules: [{to: [{operation: {paths: [/a/b]}}]}]}"}, app, path("/a/%62"), 200},
		"escaped slashes stay":            {[]string{allow + "{rules: [{to: [{operation: {paths: [/a/b]}}]}]}"}, app, path("/a%2Fb"), 403},
		"paths are case-sensitive":        {[]string{allow + "{rules: [{to: [{operation: {paths: [/a/b]}}]}]}"}, app, path("/A/b"), 403},
		"excluded path":                   {[]string{allow + "{rules: [{to: [{operation: {notPaths: [/a/*]}}]}]}"}, app, get, 403},
		"method":                          {[]string{allow + "{rules: [{to: [{operation: {methods: [GET]}}]}]}"}, app, get, 200},
		"other method":                    {[]string{allow + "{rules: [{to: [{operation: {methods: [POST]}}]}]}"}, app, get, 403},
		"host with a port":                {[]string{allow + `{rules: [{to: [{operation: {hosts: ["x:*"]}}]}]}`}, app, get, 200},
		"host without the port":           {[]string{allow + "{rules: [{to: [{operation: {hosts: [x]}}]}]}"}, app, get, 403},
		"host in capitals":                {[]string{allow + "{rules: [{to: [{operation: {hosts: [x.y]}}]}]}"}, app, host("X.Y"), 200},
		"longer host":                     {[]string{allow + `{rules: [{to: [{operation: {hosts: ["x.y", "x.y:*"]}}]}]}`}, app, host("x.y.z"), 403},
		"port":                            {[]string{allow + `{rules: [{to: [{operation: {ports: ["8080"]}}]}]}`}, app, get, 200},
		"other port":                      {[]string{allow + `{rules: [{to: [{operation: {ports: ["80"]}}]}]}`}, app, get, 403},
		"second operation":                {[]string{allow + "{rules: [{to: [{operation: {methods: [PUT]}}, {operation: {paths: ['*']}}]}]}"}, app, get, 200},
		"DENY by absent identity":         {[]string{allow + "{action: DENY, rules: [{from: [{source: {notPrincipals: ['*']}}]}]}"}, app, from(""), 403},
		"source and operation":            {[]string{allow + "{rules: [{from: [{source: {namespaces: [web]}}], to: [{operation: {methods: [PUT]}}]}]}"}, app, get, 403},
		"rules of two policies":           {[]string{allow + "{rules: [{to: [{operation: {methods: [PUT]}}]}]}", root + "{rules: [{to: [{operation: {methods: [GET]}}]}]}"}, app, get, 200},
		"header":                          {[]string{allow + "{rules: [{when: [{key: 'request.headers[X-A]', values: [b]}]}]}"}, app, with(func(c *call) { c.headers = map[string]string{"x-a": "b"} }), 200},
		"header is missing":               {[]string{allow + "{rules: [{when: [{key: 'request.headers[X-A]', values: ['*']}]}]}"}, app, get, 403},
		"condition on the source":         {[]string{allow + "{rules: [{when: [{key: source.namespace, values: [web]}]}]}"}, app, get, 200},
		"condition on the port":           {[]string{allow + "{rules: [{when: [{key: destination.port, notValues: ['8080']}]}]}"}, app, get, 403},
		"server name":                     {[]string{allow + "{rules: [{when: [{key: connection.sni, values: [x.y]}]}]}"}, app, with(func(c *call) { c.sni, c.tcp = "x.y", true }), 200},
		"no server name":                  {[]string{allow + "{rules: [{when: [{key: connection.sni, values: [x.y]}]}]}"}, app, with(func(c *call) { c.tcp = true }), 403},
		"every condition must hold":       {[]string{allow + "{rules: [{when: [{key: source.namespace, values: [web]}, {key: destination.port, values: ['1']}]}]}"}, app, get, 403},
		"TCP drops an HTTP rule of ALLOW": {[]string{allow + "{rules: [{to: [{operation: {methods: [GET]}}]}]}"}, app, with(func(c *call) { c.tcp = true }), 403},
		"TCP widens an HTTP rule of DENY": {[]string{allow + "{action: DENY, rules: [{to: [{operation: {paths: [/x]}}]}]}"}, app, with(func(c *call) { c.tcp = true }), 403},
		"ports keep DENY off other TCP":   {[]string{allow + "{action: DENY, rules: [{to: [{operation: {paths: [/x], ports: ['80']}}]}]}"}, app, with(func(c *call) { c.tcp = true }), 200},
		"TCP by principal":                {[]string{allow + "{rules: [{from: [{source: {namespaces: [web]}}]}]}"}, app, with(func(c *call) { c.tcp = true }), 200},

		"token is optional":              {[]string{token + issuers}, app, get, 200},
		"good token":                     {[]string{token + issuers}, app, bearing(bearer, claims(nil)), 200},
		"good token in the query":        {[]string{token + issuers}, app, bearing(accessToken, claims(nil)), 200},
		"token of an unknown issuer":     {[]string{token + issuers}, app, bearing(bearer, map[string]any{"iss": "i3"}), 401},
		"token for another audience":     {[]string{token + issuers}, app, bearing(bearer, map[string]any{"iss": "i1", "aud": "you"}), 401},
		"one of the audiences":           {[]string{token + issuers}, app, bearing(bearer, claims(map[string]any{"aud": []string{"you", "me"}})), 200},
		"forged token":                   {[]string{token + issuers}, app, with(func(c *call) { c.tokens = []jwt{{bearer, claims(nil), true}} }), 401},
		"token where no rule looks":      {[]string{token + issuers}, app, bearing(location{"header", "x", ""}, claims(nil)), 200},
		"issuer in the other's header":   {[]string{token + issuers}, app, bearing(header, claims(nil)), 401},
		"good and bad token of one rule": {[]string{token + issuers}, app, with(func(c *call) { c.tokens = []jwt{{bearer, claims(nil), false}, {accessToken, claims(nil), true}} }), 401},
		"authentication of elsewhere":    {[]string{token + issuers}, workload{namespace: "other"}, bearing(bearer, map[string]any{"iss": "i3"}), 200},

		"any request principal":               {[]string{token + issuers, allow + "{rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}"}, app, bearing(bearer, claims(nil)), 200},
		"no request principal":                {[]string{token + issuers, allow + "{rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}"}, app, get, 403},
		"no principal without a subject":      {[]string{token + issuers, allow + "{rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}"}, app, bearing(header, map[string]any{"iss": "i2"}), 403},
		"issuer of a request principal":       {[]string{token + issuers, allow + "{rules: [{from: [{source: {requestPrincipals: [i1/*]}}]}]}"}, app, bearing(bearer, claims(nil)), 200},
		"other issuer of a request principal": {[]string{token + issuers, allow + "{rules: [{from: [{source: {requestPrincipals: [i2/*]}}]}]}"}, app, bearing(bearer, claims(nil)), 403},
		"principal without authentication":    {[]string{allow + "{rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}"}, app, bearing(bearer, claims(nil)), 403},
		"claim":                               {[]string{token + issuers, allow + "{rules: [{when: [{key: 'request.auth.claims[iss]', values: [i2]}]}]}"}, app, bearing(header, map[string]any{"iss": "i2"}), 200},
		"other claim":                         {[]string{token + issuers, allow + "{rules: [{when: [{key: 'request.auth.claims[iss]', values: [i2]}]}]}"}, app, bearing(bearer, claims(nil)), 403},
		"claim in a list":                     {[]string{token + issuers, allow + "{rules: [{when: [{key: 'request.auth.claims[roles]', values: [admin]}]}]}"}, app, bearing(bearer, claims(map[string]any{"roles": []string{"x", "admin"}})), 200},
		"part of a claim":                     {[]string{token + issuers, allow + "{rules: [{when: [{key: 'request.auth.claims[roles]', values: [admin]}]}]}"}, app, bearing(bearer, claims(map[string]any{"roles": "admin x"})), 403},
		"scopes are split":                    {[]string{token + issuers, allow + "{rules: [{when: [{key: 'request.auth.claims[scope]', values: [admin]}]}]}"}, app, bearing(bearer, claims(map[string]any{"scope": "x admin"})), 200},
		"nested claim":                        {[]string{token + issuers, allow + "{rules: [{when: [{key: 'request.auth.claims[a][b]', values: [c]}]}]}"}, app, bearing(bearer, claims(map[string]any{"a": map[string]any{"b": "c"}})), 200},
		"nested claim is no plain one":        {[]string{token + issuers, allow + "{rules: [{when: [{key: 'request.auth.claims[a][b]', values: [c]}]}]}"}, app, bearing(bearer, claims(map[string]any{"b": "c"})), 403},
		"not this claim":                      {[]string{token + issuers, allow + "{rules: [{when: [{key: 'request.auth.claims[a]', notValues: [b]}]}]}"}, app, bearing(bearer, claims(map[string]any{"a": "b"})), 403},
		"not this claim, and no token":        {[]string{token + issuers, allow + "{rules: [{when: [{key: 'request.auth.claims[a]', notValues: [b]}]}]}"}, app, get, 200},
		"the first issuer's token is the one": {[]string{token + issuers, allow + "{rules: [{when: [{key: 'request.auth.claims[iss]', values: [i2]}]}]}"}, app, with(func(c *call) {
			c.tokens = []jwt{{header, map[string]any{"iss": "i2"}, false}, {bearer, claims(nil), false}}
		}), 403},
		"client cannot send a claim's header": {[]string{token + "{jwtRules: [{issuer: i1, outputClaimToHeaders: [{header: X-Sub, claim: sub}]}]}", allow + "{rules: [{when: [{key: 'request.headers[x-sub]', values: [s]}]}]}"}, app, with(func(c *call) { c.headers = map[string]string{"x-sub": "s"} }), 403},
		"but where an earlier rule takes his token": {[]string{token + "{jwtRules: [{issuer: i1}, {issuer: i2, outputClaimToHeaders: [{header: X-Sub, claim: sub}]}]}", allow + "{rules: [{when: [{key: 'request.headers[x-sub]', values: [me]}]}]}"}, app, with(func(c *call) {
			c.headers = map[string]string{"x-sub": "me"}
			c.tokens = []jwt{{bearer, claims(nil), false}}
		}), 200},
		"the token sets a claim's header":      {[]string{token + "{jwtRules: [{issuer: i1, outputClaimToHeaders: [{header: X-Sub, claim: sub}]}]}", allow + "{rules: [{when: [{key: 'request.headers[x-sub]', values: [s]}]}]}"}, app, bearing(bearer, claims(nil)), 200},
		"DENY of all but one claim":            {[]string{token + issuers, allow + "{action: DENY, rules: [{when: [{key: 'request.auth.claims[roles]', notValues: [admin]}]}]}"}, app, get, 403},
		"DENY of all but one claim spares him": {[]string{token + issuers, allow + "{action: DENY, rules: [{when: [{key: 'request.auth.claims[roles]', notValues: [admin]}]}]}"}, app, bearing(bearer, claims(map[string]any{"roles": "admin"})), 200},

		"plain text by default":                {nil, app, from(""), 200},
		"plain text to a strict mesh":          {[]string{peer + "istio-system}\nspec: {mtls: {mode: STRICT}}"}, app, from(""), 0},
		"mutual TLS to a strict mesh":          {[]string{peer + "istio-system}\nspec: {mtls: {mode: STRICT}}"}, app, get, 200},
		"plain text to a gateway":              {[]string{peer + "istio-system}\nspec: {mtls: {mode: STRICT}}"}, gateway, from(""), 200},
		"namespace loosens the mesh":           {[]string{peer + "istio-system}\nspec: {mtls: {mode: STRICT}}", peer + "apps}\nspec: {mtls: {mode: PERMISSIVE}}"}, app, from(""), 200},
		"unset takes the mesh's":               {[]string{peer + "istio-system}\nspec: {mtls: {mode: STRICT}}", peer + "apps}\nspec: {}"}, app, from(""), 0},
		"workload tightens the namespace":      {[]string{peer + "apps}\nspec: {mtls: {mode: PERMISSIVE}}", peer + "apps}\nspec: {selector: {matchLabels: {app: x}}, mtls: {mode: STRICT}}"}, app, from(""), 0},
		"exception for the port":               {[]string{peer + "apps}\nspec: {selector: {matchLabels: {app: x}}, mtls: {mode: STRICT}, portLevelMtls: {'8080': {mode: PERMISSIVE}}}"}, app, from(""), 200},
		"exception for another port":           {[]string{peer + "apps}\nspec: {selector: {matchLabels: {app: x}}, mtls: {mode: STRICT}, portLevelMtls: {'80': {mode: PERMISSIVE}}}"}, app, from(""), 0},
		"exception for another workload":       {[]string{peer + "istio-system}\nspec: {mtls: {mode: STRICT}}", peer + "apps}\nspec: {selector: {matchLabels: {app: y}}, mtls: {mode: DISABLE}}"}, app, from(""), 0},
		"exception in another namespace":       {[]string{peer + "istio-system}\nspec: {mtls: {mode: STRICT}}", peer + "other}\nspec: {mtls: {mode: DISABLE}}"}, app, from(""), 0},
		"ports need a selector to be excepted": {[]string{peer + "apps}\nspec: {mtls: {mode: STRICT}, portLevelMtls: {'8080': {mode: PERMISSIVE}}}"}, app, from(""), 0},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := readPolicies(recorded(t, tc.policies...))
			require.NoError(t, err)
			got, _ := p.decide(tc.to, tc.call)
			assert.Equal(t, tc.want, got.status, got.reason)
		})
	}
}

// A proxy hands the token on only where the rule says so.
func TestEvaluatorDropsTokensThatAreNotForwarded(t *testing.T) {
	for name, tc := range map[string]struct {
		rule string
		want int
	}{
		"forwarded":     {"{issuer: i, forwardOriginalToken: true}", 1},
		"not forwarded": {"{issuer: i}", 0},
		"not looked at": {"{issuer: i, fromHeaders: [{name: other}]}", 1},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := readPolicies(recorded(t, "kind: RequestAuthentication\nmetadata: {namespace: apps}\nspec: {jwtRules: ["+tc.rule+"]}"))
			require.NoError(t, err)
			_, passed := p.decide(workload{namespace: "apps"}, call{tokens: []jwt{{at: bearer, claims: map[string]any{"iss": "i"}}}})
			assert.Len(t, passed.tokens, tc.want)
		})
	}
}

// What the evaluator would have to guess at, it does not read.
func TestEvaluatorRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, text := range map[string]string{
		"unknown field":     "kind: AuthorizationPolicy\nspec: {rule: [{}]}",
		"unknown condition": "kind: AuthorizationPolicy\nspec: {rules: [{when: [{key: request.time, values: [now]}]}]}",
		"path template":     `kind: AuthorizationPolicy` + "\n" + `spec: {rules: [{to: [{operation: {paths: ["/a/{*}"]}}]}]}`,
		"target":            "kind: AuthorizationPolicy\nspec: {targetRefs: [{kind: Gateway, name: x}]}",
		"target of tokens":  "kind: RequestAuthentication\nspec: {targetRefs: [{kind: Gateway, name: x}]}",
		"wrong mode":        "kind: PeerAuthentication\nspec: {mtls: {mode: STRICTER}}",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readPolicies(recorded(t, text))
			assert.Error(t, err)
		})
	}
}
