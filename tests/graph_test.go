package tests

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mcp-security-platform/mesh/components/authorization"
	"github.com/mcp-security-platform/mesh/components/ca"
	"github.com/mcp-security-platform/mesh/components/controlplane"
	"github.com/mcp-security-platform/mesh/components/gateway"
	"github.com/mcp-security-platform/mesh/components/identity"
	"github.com/mcp-security-platform/mesh/components/namespace"
	"github.com/mcp-security-platform/mesh/components/networkpolicy"
	"github.com/mcp-security-platform/mesh/components/peerauthentication"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
)

const (
	chartType          = "kubernetes:helm.sh/v4:Chart"
	secretType         = "kubernetes:core/v1:Secret"
	namespaceType      = "kubernetes:core/v1:Namespace"
	providerType       = "pulumi:providers:kubernetes"
	serviceAccount     = "kubernetes:core/v1:ServiceAccount"
	networkPolicy      = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
	peerAuthentication = "kubernetes:security.istio.io/v1:PeerAuthentication"

	requestAuthentication = "kubernetes:security.istio.io/v1:RequestAuthentication"
	authorizationPolicy   = "kubernetes:security.istio.io/v1:AuthorizationPolicy"
)

// forEachStack runs test on the record of each stack of the repository.
func forEachStack(t *testing.T, test func(t *testing.T, stack string, r *record)) {
	t.Helper()
	for _, stack := range stackNames {
		t.Run(stack, func(t *testing.T) {
			r, err := deploy(t, stackConfig(t, stack))
			require.NoError(t, err)
			require.NotEmpty(t, r.resources)
			test(t, stack, r)
		})
	}
}

func TestStackHasExactlyTheseResources(t *testing.T) {
	want := []string{
		providerType + " cluster",
		namespace.Type + " namespaces",
		namespaceType + " istio-system",
		namespaceType + " istio-ingress",
		namespaceType + " istio-egress",
		namespaceType + " mcp-security",
		namespaceType + " observability",
		ca.Type + " mesh-ca",
		"tls:index/privateKey:PrivateKey mesh-ca-root",
		"tls:index/selfSignedCert:SelfSignedCert mesh-ca-root",
		"tls:index/privateKey:PrivateKey mesh-ca-intermediate-1",
		"tls:index/certRequest:CertRequest mesh-ca-intermediate-1",
		"tls:index/locallySignedCert:LocallySignedCert mesh-ca-intermediate-1",
		secretType + " cacerts",
		controlplane.Type + " control-plane",
		chartType + " control-plane-base",
		chartType + " control-plane-cni",
		chartType + " control-plane-istiod",
		gateway.Type + " public-ingress",
		gateway.Type + " internal-ingress",
		gateway.Type + " egress",
		chartType + " public-ingress",
		chartType + " internal-ingress",
		chartType + " egress",
		peerauthentication.Type + " strict-mtls",
		peerAuthentication + " strict-mtls",
		peerauthentication.ScopeType + " strict-mtls-scope",
		identity.Type + " service-accounts",
		requestauthentication.Type + " public-ingress-tokens",
		requestauthentication.Type + " service-tokens",
		authorization.Type + " access",
		networkpolicy.Type + " network-access",
	}
	add := func(typ string, names ...string) {
		for _, name := range names {
			want = append(want, typ+" "+name)
		}
	}
	for _, namespace := range []string{"istio-ingress", "istio-egress", "mcp-security", "observability"} {
		add(peerAuthentication, "strict-mtls-scope-"+namespace)
		add(authorizationPolicy, namespace+".allow-nothing")
		add(networkPolicy, namespace+".default-deny", namespace+".proxies")
	}
	for _, service := range []string{"web-ui", "api-gateway", "scans", "vulnerabilities", "reports", "integrations", "dashboard"} {
		add(serviceAccount, service)
		add(authorizationPolicy, "istio-ingress.public-ingress-"+service, "mcp-security."+service)
		add(networkPolicy, "mcp-security."+service)
	}
	add(requestAuthentication, "public-ingress-tokens", "service-tokens")
	add(authorizationPolicy, "public-ingress-tokens-required", "service-tokens-required",
		"istio-system.allow-nothing", "istio-ingress.public-ingress-redirect",
		"istio-ingress.public-ingress-api-gateway-guard", "mcp-security.api-gateway-guard",
		"istio-ingress.public-ingress-scans-guard",
		"istio-ingress.public-ingress-integrations-guard", "mcp-security.integrations-guard",
		"istio-egress.egress-external", "observability.spans")
	add(networkPolicy, "istio-system.default-deny", "istio-system.api-server", "istio-system.istiod",
		"istio-ingress.public-ingress", "istio-ingress.internal-ingress", "istio-egress.egress", "observability.telemetry")
	forEachStack(t, func(t *testing.T, _ string, r *record) {
		var got []string
		for _, resource := range r.resources {
			got = append(got, resource.typ+" "+resource.name)
		}
		assert.ElementsMatch(t, want, got)
	})
}

// Every resource hangs below a component of this project, but for the components
// themselves and the provider, which hang below the stack.
func TestEveryChildHasItsComponentAsParent(t *testing.T) {
	forEachStack(t, func(t *testing.T, _ string, r *record) {
		components := map[string]bool{}
		for _, resource := range r.resources {
			if strings.HasPrefix(resource.typ, "mcp-mesh:") {
				components[resource.urn] = true
			}
		}
		for _, child := range r.resources {
			parentType := string(resource.URN(child.parent).Type())
			if strings.HasPrefix(child.typ, "mcp-mesh:") || child.typ == providerType {
				assert.Equal(t, "pulumi:pulumi:Stack", parentType, child.urn)
				continue
			}
			assert.True(t, components[child.parent], "%s has parent %q", child.urn, child.parent)
		}
	})
}

func TestEveryClusterResourceUsesTheExplicitProvider(t *testing.T) {
	forEachStack(t, func(t *testing.T, _ string, r *record) {
		provider := r.one(t, providerType, "cluster")
		for _, flag := range []resource.PropertyKey{"enableServerSideApply", "enableSecretMutable", "enableConfigMapMutable"} {
			assert.True(t, provider.inputs[flag].BoolValue(), flag)
		}
		for _, resource := range r.resources {
			if !strings.HasPrefix(resource.typ, "kubernetes:") {
				continue
			}
			assert.True(t, strings.HasPrefix(resource.provider, provider.urn+"::"), "%s uses provider %q", resource.urn, resource.provider)
		}
	})
}

// The order in which the mesh comes to life: namespaces, CA, CRDs, CNI, istiod,
// gateways, policies.
func TestOrderIsExplicit(t *testing.T) {
	forEachStack(t, func(t *testing.T, _ string, r *record) {
		secret := r.one(t, secretType, "cacerts")
		istiod := r.one(t, chartType, "control-plane-istiod")
		system := r.one(t, namespaceType, "istio-system")
		for name, edge := range map[string]struct{ later, earlier registered }{
			"CA after its namespace":            {r.one(t, ca.Type, "mesh-ca"), system},
			"control plane after its namespace": {r.one(t, controlplane.Type, "control-plane"), system},
			"istiod after the CA Secret":        {istiod, secret},
			"istiod after the CRDs":             {istiod, r.one(t, chartType, "control-plane-base")},
			"istiod after the CNI agent":        {istiod, r.one(t, chartType, "control-plane-cni")},
			"CNI agent after the CRDs":          {r.one(t, chartType, "control-plane-cni"), r.one(t, chartType, "control-plane-base")},
			"public gateway after istiod":       {r.one(t, gateway.Type, "public-ingress"), istiod},
			"internal gateway after istiod":     {r.one(t, gateway.Type, "internal-ingress"), istiod},
			"egress gateway after istiod":       {r.one(t, gateway.Type, "egress"), istiod},
			"strict mTLS after istiod":          {r.one(t, peerauthentication.Type, "strict-mtls"), istiod},
			"strict mTLS after the gateways":    {r.one(t, peerauthentication.Type, "strict-mtls"), r.one(t, chartType, "public-ingress")},
			"identity after istiod":             {r.one(t, identity.Type, "service-accounts"), istiod},
			"gateway tokens after the gateway":  {r.one(t, requestauthentication.Type, "public-ingress-tokens"), r.one(t, chartType, "public-ingress")},
			"token required after it is known":  {r.one(t, authorizationPolicy, "service-tokens-required"), r.one(t, requestAuthentication, "service-tokens")},
			"policies after identity":           {r.one(t, authorization.Type, "access"), r.one(t, serviceAccount, "scans")},
			"policies after gateway tokens":     {r.one(t, authorization.Type, "access"), r.one(t, requestAuthentication, "public-ingress-tokens")},
			"policies after service tokens":     {r.one(t, authorization.Type, "access"), r.one(t, requestAuthentication, "service-tokens")},
			"nothing allowed after all allowed": {r.one(t, authorizationPolicy, "mcp-security.allow-nothing"), r.one(t, authorizationPolicy, "mcp-security.scans")},
			"network after policies":            {r.one(t, networkpolicy.Type, "network-access"), r.one(t, authorizationPolicy, "mcp-security.scans")},
			"default deny after its exceptions": {r.one(t, networkPolicy, "mcp-security.default-deny"), r.one(t, networkPolicy, "mcp-security.scans")},
		} {
			assert.Contains(t, edge.later.dependencies, edge.earlier.urn, name)
		}
	})
}

// No private key leaves the TLS provider other than as a secret, in whatever form
// and at whatever depth it stands.
func TestNoPrivateKeyOutsideASecret(t *testing.T) {
	forEachStack(t, func(t *testing.T, _ string, r *record) {
		keys := 0
		for _, registered := range r.resources {
			walk(resource.NewObjectProperty(registered.inputs), false, func(text string, secret bool) {
				if decoded, err := base64.StdEncoding.DecodeString(text); err == nil {
					text += string(decoded)
				}
				if strings.Contains(text, "PRIVATE KEY") {
					keys++
					assert.True(t, secret, "%s has a private key in the clear", registered.urn)
				}
			})
		}
		assert.Equal(t, 4, keys, "self-signed root, request, signed intermediate and Secret take a key")
	})
}

// Only the intermediate's key reaches the cluster.
func TestRootKeyStaysOutOfTheCluster(t *testing.T) {
	forEachStack(t, func(t *testing.T, _ string, r *record) {
		data := r.one(t, secretType, "cacerts").inputs["data"]
		for data.IsSecret() {
			data = data.SecretValue().Element
		}
		files := map[string]string{}
		for name, value := range data.ObjectValue() {
			for value.IsSecret() {
				value = value.SecretValue().Element
			}
			decoded, err := base64.StdEncoding.DecodeString(value.StringValue())
			require.NoError(t, err)
			files[string(name)] = string(decoded)
		}
		assert.Equal(t, map[string]string{
			"ca-cert.pem":    "certificate mesh-ca-intermediate-1\n",
			"ca-key.pem":     "-----BEGIN PRIVATE KEY-----\nmesh-ca-intermediate-1\n-----END PRIVATE KEY-----\n",
			"root-cert.pem":  "certificate mesh-ca-root\n",
			"cert-chain.pem": "certificate mesh-ca-intermediate-1\ncertificate mesh-ca-root\n",
		}, files)
	})
}

func TestNamespacesFollowTheTagAndAreRestricted(t *testing.T) {
	injected := map[string]bool{"istio-system": false, "istio-ingress": true, "istio-egress": true, "mcp-security": true, "observability": true}
	forEachStack(t, func(t *testing.T, _ string, r *record) {
		for name, registered := range r.ofType(namespaceType) {
			labels := registered.inputs["metadata"].ObjectValue()["labels"].ObjectValue()
			assert.Equal(t, "restricted", labels["pod-security.kubernetes.io/enforce"].StringValue(), name)
			if injected[name] {
				assert.Equal(t, "stable", labels["istio.io/rev"].StringValue(), name)
			} else {
				assert.NotContains(t, labels, resource.PropertyKey("istio.io/rev"), name)
			}
		}
	})
}

func TestWithoutCNIOnlyInjectedApplicationsMayBePrivileged(t *testing.T) {
	r, err := deploy(t, set(stackConfig(t, "local"), "istio.cni", false))
	require.NoError(t, err)
	assert.NotContains(t, r.ofType(chartType), "control-plane-cni")
	for name, want := range map[string]string{
		"istio-system": "restricted", "istio-ingress": "restricted", "istio-egress": "restricted",
		"mcp-security": "privileged", "observability": "privileged",
	} {
		labels := r.one(t, namespaceType, name).inputs["metadata"].ObjectValue()["labels"].ObjectValue()
		assert.Equal(t, want, labels["pod-security.kubernetes.io/enforce"].StringValue(), name)
	}
}

func TestStrictMutualTLSHoldsForTheMesh(t *testing.T) {
	forEachStack(t, func(t *testing.T, _ string, r *record) {
		policy := r.one(t, peerAuthentication, "strict-mtls").inputs
		assert.Equal(t, "istio-system", policy["metadata"].ObjectValue()["namespace"].StringValue())
		assert.Equal(t, "STRICT", policy["spec"].ObjectValue()["mtls"].ObjectValue()["mode"].StringValue())
		assert.NotContains(t, policy["spec"].ObjectValue(), resource.PropertyKey("selector"))
	})
}

func TestOnlyProductionProtectsItsRoot(t *testing.T) {
	forEachStack(t, func(t *testing.T, stack string, r *record) {
		for _, registered := range r.resources {
			root := registered.name == "mesh-ca-root"
			assert.Equal(t, root && stack == "prod", registered.protected, registered.urn)
		}
	})
}

func TestSizesOfTheStacks(t *testing.T) {
	type size struct{ min, max float64 }
	want := map[string]size{"local": {1, 1}, "staging": {2, 3}, "prod": {3, 10}}
	forEachStack(t, func(t *testing.T, stack string, r *record) {
		for name, chart := range r.ofType(chartType) {
			if strings.HasPrefix(name, "control-plane") {
				continue
			}
			values := chart.inputs["values"].ObjectValue()
			scaling := values["autoscaling"].ObjectValue()
			if stack == "local" {
				assert.Equal(t, 1.0, values["replicaCount"].NumberValue(), name)
				assert.False(t, scaling["enabled"].BoolValue(), name)
				assert.NotContains(t, values, resource.PropertyKey("podDisruptionBudget"), name)
				continue
			}
			assert.Equal(t, want[stack], size{scaling["minReplicas"].NumberValue(), scaling["maxReplicas"].NumberValue()}, name)
			assert.NotContains(t, values, resource.PropertyKey("replicaCount"), name)
			assert.Equal(t, 1.0, values["podDisruptionBudget"].ObjectValue()["maxUnavailable"].NumberValue(), name)
		}
	})
}

func TestRotationRenamesOnlyTheIntermediate(t *testing.T) {
	before, err := deploy(t, stackConfig(t, "local"))
	require.NoError(t, err)
	after, err := deploy(t, set(stackConfig(t, "local"), "ca.generated.generation", 2))
	require.NoError(t, err)

	urns := func(r *record) map[string]bool {
		all := map[string]bool{}
		for _, resource := range r.resources {
			all[resource.urn] = true
		}
		return all
	}
	for gone := range urns(before) {
		assert.Equal(t, strings.Contains(gone, "intermediate-1"), !urns(after)[gone], gone)
	}
	for new := range urns(after) {
		assert.Equal(t, strings.Contains(new, "intermediate-2"), !urns(before)[new], new)
	}
}

// walk calls visit for each text below value and says whether it is a secret.
func walk(value resource.PropertyValue, secret bool, visit func(text string, secret bool)) {
	switch {
	case value.IsSecret():
		walk(value.SecretValue().Element, true, visit)
	case value.IsString():
		visit(value.StringValue(), secret)
	case value.IsArray():
		for _, element := range value.ArrayValue() {
			walk(element, secret, visit)
		}
	case value.IsObject():
		for _, element := range value.ObjectValue() {
			walk(element, secret, visit)
		}
	}
}
