package tests

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mcp-security-platform/mesh/components/ca/catest"
	"github.com/mcp-security-platform/mesh/components/problem"
)

// change is one setting of a stack that a test replaces.
type change struct {
	path  string
	value any
}

// Every kind of bad configuration is refused before a single resource is
// registered, with a message that names the key, the value and the remedy.
func TestBadConfigurationIsRefusedBeforeAnythingIsCreated(t *testing.T) {
	root, intermediate := catest.Chain(t, time.Now())
	_, other := catest.Chain(t, time.Now())
	expiring := catest.New(t, "Expiring", 0, time.Now())
	expiring.Template.NotAfter = time.Now().Add(48 * time.Hour)
	expiring.Sign(t, root)
	charts := chartFolder(t, "1.29.1")

	for name, tc := range map[string]struct {
		stack   string
		changes []change
		want    string
	}{
		// Decoding.
		"unknown key": {"local", []change{{"istoid", map[string]any{}}},
			`mcp-mesh:istoid is "an unknown key": did you mean "istiod"?`},
		"unknown key far from any": {"local", []change{{"zzzzzzzz", "x"}},
			`mcp-mesh:zzzzzzzz is "an unknown key": use one of access, ca, catalogue, environment,`},
		"misspelt nested key": {"local", []change{{"mesh.trustdomain", "x.y"}},
			`mcp-mesh:mesh.trustdomain is "an unknown key": did you mean "trustDomain"?`},
		"misspelt deep key": {"local", []change{{"gateways.public.replicas.minimum", 2}},
			`mcp-mesh:gateways.public.replicas.minimum is "an unknown key": use one of max, min, targetCPUPercent`},
		"text for a number": {"local", []change{{"istiod.replicas.min", "three"}},
			`mcp-mesh:istiod.replicas.min is "three": use a value of type integer`},
		"fraction for a number": {"local", []change{{"istiod.replicas.min", 1.5}},
			`mcp-mesh:istiod.replicas.min is "1.5": use a value of type integer`},
		"text for a boolean": {"local", []change{{"istio.cni", "yes"}},
			`mcp-mesh:istio.cni is "yes": use a value of type boolean`},
		"text for an object": {"local", []change{{"istiod", "big"}},
			`mcp-mesh:istiod is "big": use an object with the fields of docs/config.md`},

		// The mesh.
		"unknown environment": {"local", []change{{"environment", "production"}},
			`mcp-mesh:environment is "production": choose local, staging or prod`},
		"no trust domain": {"local", []change{{"mesh.trustDomain", ""}},
			`mcp-mesh:mesh.trustDomain is not set: set a DNS name of your own`},
		"everybody's trust domain": {"local", []change{{"mesh.trustDomain", "cluster.local"}},
			`mcp-mesh:mesh.trustDomain is "cluster.local": it is everybody's default`},
		"trust domain with scheme": {"local", []change{{"mesh.trustDomain", "spiffe://mesh"}},
			`mcp-mesh:mesh.trustDomain is "spiffe://mesh": use a lower-case DNS name`},
		"cluster name": {"local", []change{{"mesh.clusterName", "My Cluster"}},
			`mcp-mesh:mesh.clusterName is "My Cluster": use a DNS label`},
		"network name": {"local", []change{{"mesh.network", "net_1"}},
			`mcp-mesh:mesh.network is "net_1": use a DNS label`},
		"outbound policy": {"local", []change{{"mesh.outboundTrafficPolicy", "DENY"}},
			`mcp-mesh:mesh.outboundTrafficPolicy is "DENY": choose REGISTRY_ONLY or ALLOW_ANY`},
		"open outbound policy in prod": {"prod", []change{{"mesh.outboundTrafficPolicy", "ALLOW_ANY"}},
			`mcp-mesh:mesh.outboundTrafficPolicy is "ALLOW_ANY": prod lets no unknown host be called`},
		"TLS version": {"local", []change{{"mesh.minTLSVersion", "1.1"}},
			`mcp-mesh:mesh.minTLSVersion is "1.1": choose "1.2" or "1.3"`},
		"workload certificate lifetime": {"local", []change{{"mesh.workloadCertificateHours", 0}},
			`mcp-mesh:mesh.workloadCertificateHours is 0: use 1 to 2160 hours`},

		// Hosts.
		"host missing": {"local", []change{{"hosts.api", ""}},
			`mcp-mesh:hosts.api is not set: set a host name`},
		"host with port": {"local", []change{{"hosts.security", "security.company.com:443"}},
			`mcp-mesh:hosts.security is "security.company.com:443": use a full lower-case host name`},
		"wildcard host": {"local", []change{{"hosts.api", "*.company.com"}},
			`mcp-mesh:hosts.api is "*.company.com": use a full lower-case host name`},
		"same host twice": {"local", []change{{"hosts.api", "a.company.com"}, {"hosts.security", "a.company.com"}},
			`mcp-mesh:hosts.api is "a.company.com": use a host of its own`},

		// Istio.
		"version with v": {"local", []change{{"istio.version", "v1.29.1"}},
			`mcp-mesh:istio.version is "v1.29.1": use a release from 1.29 to 1.32`},
		"version too old": {"local", []change{{"istio.version", "1.18.0"}},
			`mcp-mesh:istio.version is "1.18.0": use a release from 1.29 to 1.32`},
		"revision with dots": {"local", []change{{"istio.revision", "1.29.1"}},
			`mcp-mesh:istio.revision is "1.29.1": use a DNS label`},
		"revision default": {"local", []change{{"istio.revision", "default"}},
			`mcp-mesh:istio.revision is "default": name it after the version`},
		"tag equal to the revision": {"local", []change{{"istio.tag", "1-29-1"}},
			`mcp-mesh:istio.tag is "1-29-1": use a name that stays when the revision changes`},
		"chart repository without TLS": {"local", []change{{"istio.chartRepository", "http://charts.company.com"}},
			`mcp-mesh:istio.chartRepository is "http://charts.company.com": use the https address`},
		"chart folder missing": {"local", []change{{"istio.chartFolder", "/nowhere"}},
			`mcp-mesh:istio.chartFolder is "/nowhere": it must hold the chart "base"`},
		"chart folder of another version": {"local", []change{{"istio.chartFolder", charts}, {"istio.version", "1.30.0"}},
			`its chart "base" has version 1.29.1 but istio.version is 1.30.0`},
		"no namespace for the CNI agent": {"local", []change{{"istio.cniNamespace", ""}},
			`mcp-mesh:istio.cniNamespace is "": name an existing namespace`},

		// Sizes.
		"no replicas": {"local", []change{{"istiod.replicas.min", 0}},
			`mcp-mesh:istiod.replicas.min is 0: use 1 or more`},
		"bounds the wrong way round": {"staging", []change{{"gateways.public.replicas", map[string]any{"min": 3, "max": 2}}},
			`mcp-mesh:gateways.public.replicas.max is 2: use at least min, which is 3`},
		"autoscaler target": {"staging", []change{{"istiod.replicas.targetCPUPercent", 200}},
			`mcp-mesh:istiod.replicas.targetCPUPercent is 200: use a percentage from 10 to 95`},
		"too few istiod in prod": {"prod", []change{{"istiod.replicas.min", 2}, {"istiod.zones", 2}},
			`mcp-mesh:istiod.replicas.min is 2: prod runs at least 3 replicas`},
		"too few gateways in prod": {"prod", []change{{"gateways.egress.replicas.min", 1}, {"gateways.egress.zones", 1}},
			`mcp-mesh:gateways.egress.replicas.min is 1: prod runs at least 3 replicas`},
		"one zone in prod": {"prod", []change{{"gateways.public.zones", 1}},
			`mcp-mesh:gateways.public.zones is 1: prod spreads over at least 2 zones`},
		"more zones than replicas": {"staging", []change{{"istiod.zones", 3}},
			`mcp-mesh:istiod.zones is 3: 2 replicas cannot cover that many zones`},
		"unknown spread": {"local", []change{{"istiod.zoneSpread", "strict"}},
			`mcp-mesh:istiod.zoneSpread is "strict": choose preferred or required`},
		"rollout that hangs": {"prod", []change{{"istiod.nodeSpread", "required"}},
			`mcp-mesh:istiod.maxUnavailable is 0: with nodeSpread required the rollout hangs`},
		"rollout that cannot move": {"local", []change{{"gateways.internal.maxSurge", 0}},
			`mcp-mesh:gateways.internal.maxSurge is 0: a rollout could neither add nor remove a pod`},
		"quantity": {"local", []change{{"istiod.resources.requests.memory", "2 GB"}},
			`mcp-mesh:istiod.resources.requests.memory is "2 GB": use a positive Kubernetes quantity`},
		"limit below request": {"local", []change{{"proxy.resources.limits.cpu", "50m"}},
			`mcp-mesh:proxy.resources.limits.cpu is "50m": use at least the request, which is 100m`},
		"priority class": {"local", []change{{"istiod.priorityClass", "Very High"}},
			`mcp-mesh:istiod.priorityClass is "Very High": name a PriorityClass`},
		"service type": {"local", []change{{"gateways.public.service.type", "NodePort"}},
			`mcp-mesh:gateways.public.service.type is "NodePort": choose LoadBalancer or ClusterIP`},
		"source range": {"local", []change{{"gateways.public.service.sourceRanges", []string{"10.0.0.0"}}},
			`mcp-mesh:gateways.public.service.sourceRanges is "10.0.0.0": use CIDR notation`},
		"source range without load balancer": {"local", []change{{"gateways.internal.service.sourceRanges", []string{"10.0.0.0/8"}}},
			`mcp-mesh:gateways.internal.service.sourceRanges is [10.0.0.0/8]: they hold for a LoadBalancer only`},
		"tracing service": {"local", []change{{"tracing.service", "http://jaeger"}},
			`mcp-mesh:tracing.service is "http://jaeger": use the full name of a Service`},
		"tracing service by another name": {"local", []change{{"tracing.service", "otel.company.com"}},
			`mcp-mesh:tracing.service is "otel.company.com": use the full name of a Service`},
		"tracing port": {"local", []change{{"tracing.port", 70000}},
			`mcp-mesh:tracing.port is 70000: use a port from 1 to 65535`},

		// Certificate authority.
		"CA mode": {"local", []change{{"ca.mode", "self-signed"}},
			`mcp-mesh:ca.mode is "self-signed": choose generated or provided`},
		"CA algorithm": {"local", []change{{"ca.generated.algorithm", "ED25519"}},
			`mcp-mesh:ca.generated.algorithm is "ED25519": choose RSA or ECDSA`},
		"CA key size": {"local", []change{{"ca.generated.algorithm", "RSA"}, {"ca.generated.rsaBits", 1024}},
			`mcp-mesh:ca.generated.rsaBits is 1024: use 2048, 3072 or 4096`},
		"CA curve": {"local", []change{{"ca.generated.ecdsaCurve", "P521"}},
			`mcp-mesh:ca.generated.ecdsaCurve is "P521": use P256 or P384`},
		"root shorter than intermediate": {"local", []change{{"ca.generated.rootDays", 365}},
			`mcp-mesh:ca.generated.rootDays is 365: the root must outlive its intermediates`},
		"intermediate shorter than workload certificates": {"local", []change{{"ca.generated.intermediateDays", 1}},
			`mcp-mesh:ca.generated.intermediateDays is 1: an intermediate must outlive the workload certificates`},
		"CA generation": {"local", []change{{"ca.generated.generation", 0}},
			`mcp-mesh:ca.generated.generation is 0: start at 1`},
		"CA subject": {"local", []change{{"ca.generated.subject.commonName", " "}},
			`mcp-mesh:ca.generated.subject.commonName is not set: name the authority`},
		"CA country": {"local", []change{{"ca.generated.subject.country", "Switzerland"}},
			`mcp-mesh:ca.generated.subject.country is "Switzerland": use a two-letter country code`},
		"CA minimum life": {"local", []change{{"ca.minimumDays", 0}},
			`mcp-mesh:ca.minimumDays is 0: use 1 day or more`},
		"provided CA without chain": {"local", []change{{"ca.mode", "provided"}},
			`mcp-mesh:ca.provided.chain is not set: give the PEM chain`},
		"provided CA in mode generated": {"local", []change{{"ca.provided.chain", root.PEM}},
			`mcp-mesh:ca.provided is [secret]: it is not used in mode generated`},
		"provided key of another certificate": {"local", providedCA(intermediate.PEM+root.PEM, other.KeyPEM(t)),
			`mcp-mesh:ca.provided.privateKey is [secret]: it does not belong to the first certificate`},
		"provided chain in the wrong order": {"local", providedCA(root.PEM+intermediate.PEM, root.KeyPEM(t)),
			`append the certificate of "CN=Test Root,O=Test"`},
		"provided chain that expires soon": {"local", providedCA(expiring.PEM+root.PEM, expiring.KeyPEM(t)),
			`which is less than the 30 days asked for; have it renewed`},
	} {
		t.Run(name, func(t *testing.T) {
			config := stackConfig(t, tc.stack)
			for _, c := range tc.changes {
				set(config, c.path, c.value)
			}
			r, err := deploy(t, config, "mcp-mesh:ca")
			require.Error(t, err)
			assert.Contains(t, err.Error(), tc.want)
			assert.NotContains(t, err.Error(), "PRIVATE KEY")
			assert.Empty(t, r.resources, "nothing may be created")
		})
	}
}

// A key that stands a level too high is refused without being shown, whether the
// stack keeps it encrypted or not.
func TestMisplacedPrivateKeyIsNotShown(t *testing.T) {
	_, intermediate := catest.Chain(t, time.Now())
	key := intermediate.KeyPEM(t)
	body := strings.Split(key, "\n")[1][:30]
	for _, path := range []string{"ca", "ca.provided", "ca.generated", "ca.minimumDays", "ca.provided.chain"} {
		for _, secrets := range [][]string{nil, {"mcp-mesh:ca"}} {
			_, err := deploy(t, set(stackConfig(t, "local"), path, strings.ReplaceAll(key, "-----BEGIN PRIVATE KEY-----\n", "")), secrets...)
			require.Error(t, err, path)
			assert.NotContains(t, err.Error(), body, path)
		}
	}
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	config := stackConfig(t, "prod")
	set(config, "mesh.trustDomain", "cluster.local")
	set(config, "istiod.replicas.min", 1)
	set(config, "hosts.api", "")
	_, err := deploy(t, config)
	var refused problem.Error
	require.True(t, errors.As(err, &refused), "%v", err)
	var fields []string
	for _, p := range refused.Problems {
		fields = append(fields, p.Field)
	}
	assert.Equal(t, []string{
		"mcp-mesh:mesh.trustDomain", "mcp-mesh:hosts.api", "mcp-mesh:istiod.zones", "mcp-mesh:istiod.replicas.min",
	}, fields)
}

func TestProvidedCAIsAcceptedAsASecretOnly(t *testing.T) {
	root, intermediate := catest.Chain(t, time.Now())
	config := stackConfig(t, "local")
	for _, c := range providedCA(intermediate.PEM+root.PEM, intermediate.KeyPEM(t)) {
		set(config, c.path, c.value)
	}
	r, err := deploy(t, config, "mcp-mesh:ca")
	require.NoError(t, err)
	assert.Empty(t, r.ofType("tls:index/privateKey:PrivateKey"), "nothing is generated")
	assert.True(t, r.one(t, secretType, "cacerts").inputs["data"].ContainsSecrets())

	r, err = deploy(t, config)
	require.ErrorContains(t, err, "it stands in the stack file in the clear")
	assert.Empty(t, r.resources)
}

func TestLocalChartFolderReplacesTheRepository(t *testing.T) {
	folder := chartFolder(t, "1.29.1")
	r, err := deploy(t, set(stackConfig(t, "local"), "istio.chartFolder", folder))
	require.NoError(t, err)
	chart := r.one(t, chartType, "control-plane-istiod").inputs
	assert.Equal(t, filepath.Join(folder, "istiod"), chart["chart"].StringValue())
	assert.NotContains(t, chart, "repositoryOpts")

	r, err = deploy(t, stackConfig(t, "local"))
	require.NoError(t, err)
	chart = r.one(t, chartType, "control-plane-istiod").inputs
	assert.Equal(t, "istiod", chart["chart"].StringValue())
	assert.Equal(t, "1.29.1", chart["version"].StringValue())
	assert.Equal(t, "https://istio-release.storage.googleapis.com/charts", chart["repositoryOpts"].ObjectValue()["repo"].StringValue())
}

func providedCA(chain, key string) []change {
	return []change{{"ca.mode", "provided"}, {"ca.provided.chain", chain}, {"ca.provided.privateKey", key}}
}

// chartFolder returns a folder with the charts' metadata in the given version.
func chartFolder(t *testing.T, version string) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"base", "istiod", "cni", "gateway"} {
		require.NoError(t, os.Mkdir(filepath.Join(folder, name), 0o755))
		text := "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(folder, name, "Chart.yaml"), []byte(text), 0o644))
	}
	return folder
}
