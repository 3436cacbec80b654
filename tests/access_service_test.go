package tests

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// notifications is an eighth service: one literal, the same in Go and in a stack
// file.
func notifications() catalogue.Service {
	return catalogue.Service{
		Name: "notifications",
		Port: catalogue.Port{Number: 8080, Protocol: catalogue.HTTP},
		Routes: []catalogue.Route{
			{Host: catalogue.APIHost, Path: catalogue.Prefix("/api/v1/notifications"), Audience: catalogue.Users()},
			{Host: catalogue.APIHost, Path: catalogue.Prefix("/api/v1/notifications/rules"), Audience: catalogue.Roles(catalogue.Admin)},
		},
		Calls:    []catalogue.Call{{Service: "scans", Methods: catalogue.ReadMethods()}},
		External: []catalogue.External{{Host: "smtp.company.com", Port: 465}},
	}
}

// withServices adds services to the configuration as a stack file would.
func withServices(t *testing.T, config map[string]any, services ...catalogue.Service) map[string]any {
	t.Helper()
	text, err := json.Marshal(services)
	require.NoError(t, err)
	var list []any
	require.NoError(t, json.Unmarshal(text, &list))
	return set(config, "catalogue.services", list)
}

func TestAddingAServiceIsOneLiteral(t *testing.T) {
	before, err := deploy(t, stackConfig(t, "local"))
	require.NoError(t, err)
	after, err := deploy(t, withServices(t, stackConfig(t, "local"), notifications()))
	require.NoError(t, err)

	added, changed := difference(before, after)
	assert.ElementsMatch(t, []string{
		serviceAccount + " notifications",
		authorizationPolicy + " istio-ingress.public-ingress-notifications",
		authorizationPolicy + " istio-ingress.public-ingress-notifications-guard",
		authorizationPolicy + " mcp-security.notifications",
		authorizationPolicy + " mcp-security.notifications-guard",
		networkPolicy + " mcp-security.notifications",
	}, added, "what appears")
	assert.ElementsMatch(t, []string{
		authorizationPolicy + " public-ingress-tokens-required",
		authorizationPolicy + " service-tokens-required",
		authorizationPolicy + " mcp-security.scans",
		authorizationPolicy + " istio-egress.egress-external",
		authorizationPolicy + " observability.spans",
		networkPolicy + " mcp-security.scans",
		networkPolicy + " istio-ingress.public-ingress",
		networkPolicy + " istio-egress.egress",
	}, changed, "what has to know the newcomer")

	rules := spec(after, authorizationPolicy, "mcp-security.scans")
	assert.Contains(t, rules, `"principals":["local.mcp.company.com/ns/mcp-security/sa/notifications"]`)
	assert.Contains(t, rules, `"methods":["GET","HEAD"],"paths":["/api/v1/scans","/api/v1/scans/*"],"ports":["8080"]`)
}

// difference returns the resources that only after has, and those that both have
// with different inputs.
func difference(before, after *record) (added, changed []string) {
	old := map[string]registered{}
	for _, r := range before.resources {
		old[r.urn] = r
	}
	for _, r := range after.resources {
		switch earlier, known := old[r.urn]; {
		case !known:
			added = append(added, r.typ+" "+r.name)
		case !earlier.inputs.DeepEquals(r.inputs):
			changed = append(changed, r.typ+" "+r.name)
		}
	}
	return added, changed
}

// spec returns the specification of an object as JSON with sorted keys.
func spec(r *record, typ, name string) string {
	for _, registered := range r.resources {
		if registered.typ == typ && registered.name == name {
			text, err := json.Marshal(registered.inputs["spec"].Mappable())
			if err != nil {
				return err.Error()
			}
			return string(text)
		}
	}
	return ""
}

// Rules that hold for every policy of every stack, whoever made it.
func TestNoPolicyIsDangerous(t *testing.T) {
	forEachStack(t, func(t *testing.T, _ string, r *record) {
		denies := 0
		for name, registered := range r.ofType(authorizationPolicy) {
			text := spec(r, authorizationPolicy, name)
			for _, never := range []string{"notPaths", "notPrincipals", "notMethods", "notHosts", "notPorts", "requestPrincipals", `"*"`} {
				assert.NotContains(t, text, never, name)
			}
			object := registered.inputs["spec"].ObjectValue()
			if action, ok := object["action"]; ok && action.StringValue() == "DENY" {
				denies++
				for _, rule := range object["rules"].ArrayValue() {
					for _, to := range rule.ObjectValue()["to"].ArrayValue() {
						assert.NotEmpty(t, to.ObjectValue()["operation"].ObjectValue()["ports"].ArrayValue(), "%s denies without ports", name)
					}
				}
				continue
			}
			assert.NotContains(t, text, "notValues", name)
			for path := range patternsOf(object) {
				assert.True(t, !strings.Contains(path, "*") || strings.HasSuffix(path, "/*"), "%s allows %s", name, path)
			}
		}
		assert.Equal(t, 7, denies)
		assert.Len(t, r.ofType(requestAuthentication), 2)
		for name := range r.ofType(requestAuthentication) {
			assert.Contains(t, r.ofType(authorizationPolicy), name+"-required", "a token that is believed is also required")
			assert.NotContains(t, spec(r, requestAuthentication, name), `"audiences":[]`)
		}
	})
}

// patternsOf returns the paths of a policy.
func patternsOf(spec resource.PropertyMap) map[string]bool {
	found := map[string]bool{}
	if !spec.HasValue("rules") {
		return found
	}
	for _, rule := range spec["rules"].ArrayValue() {
		if !rule.IsObject() || !rule.ObjectValue().HasValue("to") {
			continue
		}
		for _, to := range rule.ObjectValue()["to"].ArrayValue() {
			operation := to.ObjectValue()["operation"].ObjectValue()
			if operation.HasValue("paths") {
				for _, path := range operation["paths"].ArrayValue() {
					found[path.StringValue()] = true
				}
			}
		}
	}
	return found
}

func TestDryRunMarksOnlyTheNamedPolicy(t *testing.T) {
	r, err := deploy(t, set(stackConfig(t, "local"), "access.dryRun", []any{
		map[string]any{"policy": "mcp-security.api-gateway-guard", "reason": "new", "until": tomorrow()},
	}))
	require.NoError(t, err)
	for name, registered := range r.ofType(authorizationPolicy) {
		metadata := registered.inputs["metadata"].ObjectValue()
		marked := metadata.HasValue("annotations") && metadata["annotations"].ObjectValue().HasValue("istio.io/dry-run")
		assert.Equal(t, name == "mcp-security.api-gateway-guard", marked, name)
	}
}

func TestMutualTLSExceptionIsPerPort(t *testing.T) {
	exception := map[string]any{"service": "scans", "port": 9000, "from": []any{"10.200.0.0/16"}, "reason": "legacy collector", "until": tomorrow()}
	r, err := deploy(t, set(stackConfig(t, "local"), "access.mtlsExceptions", []any{exception}))
	require.NoError(t, err)
	assert.JSONEq(t, `{"selector":{"matchLabels":{"app":"scans"}},"mtls":{"mode":"STRICT"},"portLevelMtls":{"9000":{"mode":"PERMISSIVE"}}}`,
		spec(r, peerAuthentication, "strict-mtls-scope-mcp-security.scans"))
	for name := range r.ofType(peerAuthentication) {
		assert.Equal(t, name == "strict-mtls-scope-mcp-security.scans", strings.Contains(spec(r, peerAuthentication, name), "PERMISSIVE"), name)
	}

	rendered, err := readPolicies(r)
	require.NoError(t, err)
	n, err := readNetwork(r)
	require.NoError(t, err)
	ends := endpoints()
	for name, tc := range map[string]struct {
		from, to  string
		principal string
		port      int
		network   bool
		status    int
	}{
		"its caller":                    {"company", "scans", "", 9000, true, 200},
		"another address":               {"internet", "scans", "", 9000, false, 403},
		"a pod of the mesh":             {"web-ui", "scans", "local.mcp.company.com/ns/mcp-security/sa/web-ui", 9000, false, 403},
		"its caller on the mesh's port": {"company", "scans", "", 8080, false, 0},
		"its caller on another port":    {"company", "scans", "", 9001, false, 0},
		"its caller at another service": {"company", "reports", "", 9000, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := ends[tc.from], ends[tc.to]
			assert.Equal(t, tc.network, n.allows(from, to, tcp, tc.port), "network")
			for _, overTCP := range []bool{true, false} {
				got, _ := rendered.decide(workload{namespace: to.namespace, labels: to.labels},
					call{principal: tc.principal, port: tc.port, tcp: overTCP, method: "GET", host: "scans", path: "/", source: from.address})
				assert.Equal(t, tc.status, got.status, "authorization: %s", got.reason)
			}
		})
	}
}

func TestExternalHostsAndProvidersAreAdded(t *testing.T) {
	config := set(stackConfig(t, "local"), "catalogue.external", map[string]any{"reports": []any{map[string]any{"host": "storage.company.com"}}})
	r, err := deploy(t, config)
	require.NoError(t, err)
	rules := spec(r, authorizationPolicy, "istio-egress.egress-external")
	assert.Contains(t, rules, `"values":["storage.company.com"]`)
	assert.Contains(t, rules, `"login.company.com"`, "the host of the external identity provider")
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range r.ofType(networkPolicy) {
			if strings.Contains(spec(r, networkPolicy, name), `"app":"egress"`) && strings.HasPrefix(name, "mcp-security.") && !yield(name) {
				return
			}
		}
	})
	assert.Equal(t, []string{"mcp-security.integrations", "mcp-security.reports"}, names, "only they reach the egress gateway")
}

// A cluster with its API server on other ports says so; others need not.
func TestPortsOfTheAPIServer(t *testing.T) {
	for name, tc := range map[string]struct {
		configured []any
		want       []float64
	}{
		"usual clusters": {nil, []float64{443, 6443}},
		"minikube":       {[]any{443, 8443}, []float64{443, 8443}},
	} {
		t.Run(name, func(t *testing.T) {
			config := stackConfig(t, "local")
			if tc.configured != nil {
				set(config, "kubernetes.apiServerPorts", tc.configured)
			}
			r, err := deploy(t, config)
			require.NoError(t, err)
			policy := r.one(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "istio-system.api-server")
			rules := policy.inputs["spec"].ObjectValue()["egress"].ArrayValue()
			var ports []float64
			for _, port := range rules[len(rules)-1].ObjectValue()["ports"].ArrayValue() {
				ports = append(ports, port.ObjectValue()["port"].NumberValue())
			}
			assert.Equal(t, tc.want, ports)
		})
	}
}
