package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/mcp-security-platform/mesh/components/peerauthentication"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
	"github.com/mcp-security-platform/mesh/components/temporary"
	"github.com/mcp-security-platform/mesh/stacks"
	"github.com/mcp-security-platform/mesh/stacks/access"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// loadProd returns the configuration of production, afresh.
func loadProd(t *testing.T) *stacks.Config {
	t.Helper()
	c, err := stacks.LoadFile(filepath.Join("..", "Pulumi.prod.yaml"))
	require.NoError(t, err)
	return c
}

func digest(t *testing.T, c *stacks.Config) string {
	t.Helper()
	text, err := c.AccessMesh().Digest()
	require.NoError(t, err)
	assert.Len(t, text, 64)
	return text
}

func TestDigestChangesWithAccessOnly(t *testing.T) {
	term := temporary.Term{Reason: "r", Until: tomorrow()}
	exception := access.MTLSException{Service: "scans", Exception: peerauthentication.Exception{Port: 9000, From: []string{"10.20.0.0/16"}, Term: term}}
	for name, tc := range map[string]struct {
		edit    func(c *stacks.Config)
		changes bool
	}{
		"nothing":        {func(*stacks.Config) {}, false},
		"size of istiod": {func(c *stacks.Config) { c.Istiod.Replicas.Min++ }, false},
		"chart":          {func(c *stacks.Config) { c.Istio.Hub = "registry.company.com" }, false},
		"dry run": {func(c *stacks.Config) {
			c.Access.DryRun = []access.DryRun{{Policy: "mcp-security.api-gateway-guard", Term: term}}
		}, true},
		"exception": {func(c *stacks.Config) { c.Access.MTLSExceptions = []access.MTLSException{exception} }, true},
		"caller of an exception": {func(c *stacks.Config) {
			other := exception
			other.From = []string{"10.21.0.0/16"}
			c.Access.MTLSExceptions = []access.MTLSException{other}
		}, true},
		"keys":               {func(c *stacks.Config) { c.Tokens.Platform.JWKS.Inline = `{"keys":[]}` }, true},
		"address of keys":    {func(c *stacks.Config) { c.Tokens.Platform.JWKS.Remote.URI = "https://keys.company.com/b.json" }, true},
		"issuer":             {func(c *stacks.Config) { c.Tokens.Machines.Issuer = "https://other.company.com" }, true},
		"audience of tokens": {func(c *stacks.Config) { c.Tokens.Platform.Audiences = []string{"other"} }, true},
		"header of tokens": {func(c *stacks.Config) {
			c.Tokens.Machines.FromHeaders = []requestauthentication.Header{{Name: "x-other"}}
		}, true},
		"parameter of tokens": {func(c *stacks.Config) { c.Tokens.Platform.FromParams = []string{"token"} }, true},
		"cookie of tokens":    {func(c *stacks.Config) { c.Tokens.Platform.FromCookies = []string{"token"} }, true},
		"claims for services": {func(c *stacks.Config) {
			c.Tokens.ClaimsToHeaders = []requestauthentication.ClaimToHeader{{Header: "x-tenant", Claim: "tenant"}}
		}, true},
		"claim of roles":  {func(c *stacks.Config) { c.Tokens.RolesClaim = []string{"realm_access", "roles"} }, true},
		"value of a role": {func(c *stacks.Config) { c.Catalogue.Roles["admin"] = []string{"platform-admin"} }, true},
		"trust domain":    {func(c *stacks.Config) { c.Mesh.TrustDomain = "other.company.com" }, true},
		"host":            {func(c *stacks.Config) { c.Hosts.API = "other.company.com" }, true},
		"API server":      {func(c *stacks.Config) { c.Kubernetes.APIServerRanges = []string{"10.9.0.1/32"} }, true},
		"collector":       {func(c *stacks.Config) { c.Tracing.Port = 4318 }, true},
		"external host": {func(c *stacks.Config) {
			c.Catalogue.External = map[string][]catalogue.External{"scans": {{Host: "a.company.com"}}}
		}, true},
		"service": {func(c *stacks.Config) { c.Catalogue.Services = []catalogue.Service{notifications()} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := loadProd(t)
			tc.edit(c)
			assert.Equal(t, tc.changes, digest(t, loadProd(t)) != digest(t, c))
		})
	}
}

// Neither the account nor the port of a service stands in the matrix.
func TestDigestChangesWithAccountAndPort(t *testing.T) {
	digests := map[string]bool{}
	for _, edit := range []func(s *catalogue.Service){
		func(*catalogue.Service) {},
		func(s *catalogue.Service) { s.ServiceAccount = "notifier" },
		func(s *catalogue.Service) { s.Port.Number = 9090 },
	} {
		service, c := notifications(), loadProd(t)
		edit(&service)
		c.Catalogue.Services = []catalogue.Service{service}
		digests[digest(t, c)] = true
	}
	assert.Len(t, digests, 3)
}

// What the digest is made of is what is applied: no more, no less.
func TestDigestIsOfWhatIsApplied(t *testing.T) {
	applied := stackConfig(t, "prod")
	set(applied, "access", map[string]any{
		"mtlsExceptions": []any{map[string]any{"service": "scans", "port": 9000, "from": []any{"10.20.0.0/16"}, "reason": "r", "until": tomorrow()}},
		"dryRun":         []any{map[string]any{"policy": "mcp-security.api-gateway-guard", "reason": "r", "until": tomorrow()}},
	})
	r, err := deploy(t, applied)
	require.NoError(t, err)
	var want []string
	for _, typ := range []string{peerAuthentication, requestAuthentication, authorizationPolicy, networkPolicy} {
		for _, resource := range r.ofType(typ) {
			want = append(want, essence(t, resource.inputs.Mappable()))
		}
	}
	c := loadProd(t)
	term := temporary.Term{Reason: "r", Until: tomorrow()}
	c.Access.MTLSExceptions = []access.MTLSException{{Service: "scans", Exception: peerauthentication.Exception{Port: 9000, From: []string{"10.20.0.0/16"}, Term: term}}}
	c.Access.DryRun = []access.DryRun{{Policy: "mcp-security.api-gateway-guard", Term: term}}
	var got []string
	for _, object := range c.AccessMesh().Objects() {
		got = append(got, essence(t, object))
	}
	assert.ElementsMatch(t, want, got)
}

// essence returns what is applied of an object, as JSON with sorted keys.
func essence(t *testing.T, object any) string {
	t.Helper()
	text, err := json.Marshal(object)
	require.NoError(t, err)
	var manifest struct {
		Kind     string
		Metadata struct {
			Name, Namespace string
			Annotations     map[string]string
		}
		Spec map[string]any
	}
	require.NoError(t, json.Unmarshal(text, &manifest))
	text, err = json.Marshal(manifest)
	require.NoError(t, err)
	return string(text)
}

func TestMatrixShowsWhatHoldsForAWhile(t *testing.T) {
	c := loadProd(t)
	term := temporary.Term{Reason: "replaced by OTLP", Until: "2027-01-31 00:00:00 +0000 UTC"}
	c.Access.MTLSExceptions = []access.MTLSException{{Service: "scans", Exception: peerauthentication.Exception{Port: 9000, From: []string{"10.20.0.0/16"}, Term: term}}}
	c.Access.DryRun = []access.DryRun{{Policy: "mcp-security.api-gateway-guard", Term: term}}
	matrix := c.AccessMesh().Matrix()
	assert.Contains(t, matrix, "| scans | port 9000 accepts plain text from 10.20.0.0/16 | 2027-01-31 | replaced by OTLP |\n")
	assert.Contains(t, matrix, "| mcp-security.api-gateway-guard | in dry run: users are not kept out of api.security.company.com/api/v1/admin/… (role admin) | 2027-01-31 | replaced by OTLP |\n")
}

// A date may stand in a stack file with quotes or without.
func TestDatesAreReadFromYAML(t *testing.T) {
	for name, tc := range map[string]struct{ until, want string }{
		"quoted":              {`"` + tomorrow() + `"`, ""},
		"unquoted":            {tomorrow(), ""},
		"passed":              {`"2026-01-31"`, "it has passed"},
		"passed and unquoted": {"2026-01-31", "it has passed"},
		"point in time":       {tomorrow() + "T08:00:00Z", "use a date such as"},
		"no date":             {"soon", "use a date such as"},
	} {
		local, err := os.ReadFile(filepath.Join("..", "Pulumi.local.yaml"))
		require.NoError(t, err)
		text := string(local) + "\n  mcp-mesh:access:\n    mtlsExceptions:\n" +
			"      - { service: scans, port: 9000, from: [10.20.0.0/16], reason: legacy, until: " + tc.until + " }\n"
		answers := func(t *testing.T, err error) {
			t.Helper()
			if tc.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tc.want)
		}
		t.Run(name+" by the program", func(t *testing.T) {
			_, err := deploy(t, asPulumiReads(t, text))
			answers(t, err)
		})
		t.Run(name+" by the access matrix", func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "Pulumi.test.yaml")
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
			_, err := stacks.LoadFile(file)
			answers(t, err)
		})
	}
}

// asPulumiReads returns the values of a stack file as Pulumi hands them over.
func asPulumiReads(t *testing.T, text string) map[string]any {
	t.Helper()
	var file struct {
		Config config.Map `yaml:"config"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(text), &file))
	decrypted, err := file.Config.Decrypt(config.NopDecrypter)
	require.NoError(t, err)
	values := map[string]any{}
	for key, value := range decrypted {
		values[strings.TrimPrefix(key.String(), "mcp-mesh:")] = value
	}
	return values
}
