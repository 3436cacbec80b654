package controlplane

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	meshapi "istio.io/api/mesh/v1alpha1"

	"github.com/mcp-security-platform/mesh/components/helmchart"
	"github.com/mcp-security-platform/mesh/components/workload"
)

// goodArgs describe a highly available control plane.
func goodArgs() Args {
	return Args{
		Namespace:    "istio-system",
		CNINamespace: "kube-system",
		Charts:       helmchart.Source{Version: "1.29.1"},
		Revision:     "1-29-1",
		RevisionTag:  "stable",
		CNI:          true,
		Mesh: Mesh{
			TrustDomain: "mesh.company.com", ClusterName: "prod", Network: "main", ID: "mesh",
			OutboundTrafficPolicy: RegistryOnly, MinTLSVersion: TLS13, WorkloadCertificateHours: 24,
		},
		Tracing: Tracing{Service: "jaeger-collector.observability.svc.cluster.local", Port: 4317},
		Istiod: workload.Size{
			Replicas: workload.Replicas{Min: 3, Max: 5, TargetCPUPercent: 70}, Zones: 3,
			ZoneSpread: workload.SpreadRequired, NodeSpread: workload.SpreadPreferred, MaxSurge: 1,
			Resources:     workload.Resources{Requests: workload.Quantities{CPU: "1", Memory: "4Gi"}, Limits: workload.Quantities{CPU: "4", Memory: "8Gi"}},
			PriorityClass: "system-cluster-critical",
		},
		Proxy: workload.Resources{Requests: workload.Quantities{CPU: "100m", Memory: "128Mi"}, Limits: workload.Quantities{CPU: "200m", Memory: "256Mi"}},
		CA:    &pulumi.ResourceState{},
	}
}

func TestArgs(t *testing.T) {
	assert.Empty(t, goodArgs().problems())

	for name, tc := range map[string]struct {
		change func(*Args)
		field  string
	}{
		"no namespace":          {func(a *Args) { a.Namespace = "" }, "namespace"},
		"no CNI namespace":      {func(a *Args) { a.CNINamespace = "" }, "cniNamespace"},
		"no CA":                 {func(a *Args) { a.CA = nil }, "ca"},
		"version too new":       {func(a *Args) { a.Charts.Version = "1.40.0" }, "version"},
		"no revision":           {func(a *Args) { a.Revision = "" }, "revision"},
		"tag is the revision":   {func(a *Args) { a.RevisionTag = a.Revision }, "tag"},
		"trust domain":          {func(a *Args) { a.Mesh.TrustDomain = "cluster.local" }, "mesh.trustDomain"},
		"mesh id":               {func(a *Args) { a.Mesh.ID = "a b" }, "mesh.id"},
		"tracing":               {func(a *Args) { a.Tracing.Port = 0 }, "tracing.port"},
		"tracing by address":    {func(a *Args) { a.Tracing.Service = "otel.company.com" }, "tracing.service"},
		"size":                  {func(a *Args) { a.Istiod.Zones = 9 }, "istiod.zones"},
		"proxy":                 {func(a *Args) { a.Proxy.Limits.CPU = "1m" }, "proxy.limits.cpu"},
		"certificate life":      {func(a *Args) { a.Mesh.WorkloadCertificateHours = 10000 }, "mesh.workloadCertificateHours"},
		"outbound policy":       {func(a *Args) { a.Mesh.OutboundTrafficPolicy = "" }, "mesh.outboundTrafficPolicy"},
		"TLS version":           {func(a *Args) { a.Mesh.MinTLSVersion = "1.0" }, "mesh.minTLSVersion"},
		"trust domain is empty": {func(a *Args) { a.Mesh.TrustDomain = "" }, "mesh.trustDomain"},
	} {
		t.Run(name, func(t *testing.T) {
			args := goodArgs()
			tc.change(&args)
			problems := args.problems()
			require.Len(t, problems, 1)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}

	without := goodArgs()
	without.CNI, without.CNINamespace = false, ""
	assert.Empty(t, without.problems(), "without CNI its namespace is not needed")
}

// What the chart puts into the ConfigMap must be read back by Istio's own types as
// the same mesh configuration, with no field that they do not know.
func TestMeshConfigSurvivesHelmAndIstio(t *testing.T) {
	args := goodArgs()
	text, err := json.Marshal(newIstiodValues(args).MeshConfig)
	require.NoError(t, err)

	var got meshapi.MeshConfig
	require.NoError(t, protojson.Unmarshal(text, &got))
	assert.True(t, proto.Equal(MeshConfig(args.Mesh, args.Tracing), &got), "%s", text)

	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields))
	assert.Equal(t, map[string]any{"mode": "REGISTRY_ONLY"}, fields["outboundTrafficPolicy"], "the zero value must be written out")
	assert.Equal(t, map[string]any{"normalization": "MERGE_SLASHES"}, fields["pathNormalization"])
	assert.Equal(t, "JSON", fields["accessLogEncoding"])
}

func TestMeshConfigFollowsTheSettings(t *testing.T) {
	args := goodArgs()
	args.Mesh.OutboundTrafficPolicy, args.Mesh.MinTLSVersion = AllowAny, TLS12
	config := MeshConfig(args.Mesh, args.Tracing)
	assert.Equal(t, "mesh.company.com", config.TrustDomain)
	assert.Equal(t, meshapi.MeshConfig_OutboundTrafficPolicy_ALLOW_ANY, config.OutboundTrafficPolicy.Mode)
	assert.Equal(t, meshapi.MeshConfig_TLSConfig_TLSV1_2, config.MeshMTLS.MinProtocolVersion)
	assert.True(t, config.DefaultConfig.HoldApplicationUntilProxyStarts.GetValue())
	assert.Equal(t, "24h0m0s", config.DefaultConfig.ProxyMetadata["SECRET_TTL"])

	var names []string
	for _, provider := range config.ExtensionProviders {
		names = append(names, provider.Name)
	}
	assert.Equal(t, []string{"prometheus", "jaeger", "access-log"}, names)
	assert.Equal(t, uint32(4317), config.ExtensionProviders[1].GetOpentelemetry().Port)
}

func TestIstiodValuesAreHighlyAvailable(t *testing.T) {
	values, err := helmchart.Values(newIstiodValues(goodArgs()))
	require.NoError(t, err)
	assert.Equal(t, true, values["autoscaleEnabled"])
	assert.Equal(t, 3.0, values["autoscaleMin"])
	assert.Equal(t, 5.0, values["autoscaleMax"])
	assert.NotContains(t, values, "replicaCount", "never beside an autoscaler")
	assert.Equal(t, map[string]any{"maxUnavailable": 1.0}, values["pdb"])
	assert.Equal(t, []any{"stable"}, values["revisionTags"])
	assert.Equal(t, map[string]any{"enabled": true}, values["cni"])
	assert.Equal(t, map[string]any{"type": "RuntimeDefault"}, values["seccompProfile"])
	assert.Len(t, values["topologySpreadConstraints"], 1)
	assert.Contains(t, values, "affinity")
	assert.Equal(t, "24h0m0s", values["env"].(map[string]any)["MAX_WORKLOAD_CERT_TTL"])
	global := values["global"].(map[string]any)
	assert.Equal(t, "system-cluster-critical", global["priorityClassName"])
	assert.Equal(t, map[string]any{"enabled": true}, global["defaultPodDisruptionBudget"])
	assert.Equal(t, map[string]any{
		"requests": map[string]any{"cpu": "100m", "memory": "128Mi"},
		"limits":   map[string]any{"cpu": "200m", "memory": "256Mi"},
	}, global["proxy"].(map[string]any)["resources"])
	assert.NotContains(t, global, "hub", "the charts know their own registry")
}

func TestSingleIstiodHasNoBudgetAndNoAutoscaler(t *testing.T) {
	args := goodArgs()
	args.Istiod.Replicas, args.Istiod.Zones = workload.Replicas{Min: 1, Max: 1}, 1
	values, err := helmchart.Values(newIstiodValues(args))
	require.NoError(t, err)
	assert.Equal(t, false, values["autoscaleEnabled"])
	assert.Equal(t, 1.0, values["replicaCount"])
	assert.NotContains(t, values, "autoscaleMin")
	assert.NotContains(t, values, "topologySpreadConstraints")
	assert.Equal(t, map[string]any{"enabled": false}, values["global"].(map[string]any)["defaultPodDisruptionBudget"])
}

func TestFailurePolicyIsSetWhereTheChartsHaveIt(t *testing.T) {
	for version, want := range map[string]any{
		"1.29.1": nil,
		"1.30.0": map[string]any{"validationFailurePolicy": "Fail"},
		"1.32.4": map[string]any{"validationFailurePolicy": "Fail"},
	} {
		args := goodArgs()
		args.Charts.Version = version
		for _, typed := range []any{newBaseValues(args), newIstiodValues(args)} {
			values, err := helmchart.Values(typed)
			require.NoError(t, err)
			assert.Equal(t, want, values["base"], version)
		}
		assert.Equal(t, want == nil, failurePolicyIsPatched(version), "only then istiod's change is ignored")
	}
}

func TestFailurePolicyIsLeftToIstiod(t *testing.T) {
	webhook := &pulumi.ResourceTransformArgs{Type: validatingWebhookType}
	result := leaveFailurePolicyToIstiod(context.Background(), webhook)
	require.NotNil(t, result)
	assert.Equal(t, []string{"webhooks[*].failurePolicy"}, result.Opts.IgnoreChanges)

	assert.Nil(t, leaveFailurePolicyToIstiod(context.Background(), &pulumi.ResourceTransformArgs{Type: deploymentType}))
}

func TestCRDsAreDeletedWithTheStack(t *testing.T) {
	kept := &pulumi.ResourceTransformArgs{Opts: pulumi.ResourceOptions{RetainOnDelete: true}}
	result := deleteWithStack(context.Background(), kept)
	require.NotNil(t, result)
	assert.False(t, result.Opts.RetainOnDelete)

	assert.Nil(t, deleteWithStack(context.Background(), &pulumi.ResourceTransformArgs{}))
}

func TestIstiodRequiresItsCASecret(t *testing.T) {
	volume := func(name string) pulumi.Map {
		return pulumi.Map{"name": pulumi.String(name), "secret": pulumi.Map{"secretName": pulumi.String(name), "optional": pulumi.Bool(true)}}
	}
	volumes := pulumi.Array{volume("cacerts"), volume("istio-kubeconfig"), pulumi.Map{"emptyDir": pulumi.Map{}}}
	props := pulumi.Map{"spec": pulumi.Map{"template": pulumi.Map{"spec": pulumi.Map{"volumes": volumes}}}}

	result := requireCASecret(context.Background(), &pulumi.ResourceTransformArgs{Type: deploymentType, Props: props})
	require.NotNil(t, result)
	optional := func(i int) pulumi.Input { return volumes[i].(pulumi.Map)["secret"].(pulumi.Map)["optional"] }
	assert.Equal(t, pulumi.Bool(false), optional(0))
	assert.Equal(t, pulumi.Bool(true), optional(1), "only the CA is mandatory")

	assert.Nil(t, requireCASecret(context.Background(), &pulumi.ResourceTransformArgs{Type: validatingWebhookType}))
	empty := requireCASecret(context.Background(), &pulumi.ResourceTransformArgs{Type: deploymentType, Props: pulumi.Map{}})
	assert.Equal(t, pulumi.Map{}, empty.Props, "a Deployment without volumes is left alone")
}
