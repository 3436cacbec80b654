package gateway

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mcp-security-platform/mesh/components/helmchart"
	"github.com/mcp-security-platform/mesh/components/workload"
)

func goodArgs() Args {
	return Args{
		Namespace: "istio-ingress",
		Ports:     []Port{{"http2", 80}, {"https", 443}},
		Settings: Settings{
			Size: workload.Size{
				Replicas: workload.Replicas{Min: 3, Max: 10, TargetCPUPercent: 70}, Zones: 3,
				ZoneSpread: workload.SpreadRequired, NodeSpread: workload.SpreadPreferred, MaxSurge: 1,
				Resources: workload.Resources{Requests: workload.Quantities{CPU: "1", Memory: "1Gi"}, Limits: workload.Quantities{CPU: "2", Memory: "2Gi"}},
			},
			Service: Service{Type: LoadBalancer, Annotations: map[string]string{"cloud": "x"}, SourceRanges: []string{"203.0.113.0/24"}},
		},
	}
}

func TestArgs(t *testing.T) {
	assert.Empty(t, goodArgs().problems())
	for name, tc := range map[string]struct {
		change func(*Args)
		field  string
	}{
		"no namespace":        {func(a *Args) { a.Namespace = "" }, "namespace"},
		"no port":             {func(a *Args) { a.Ports = nil }, "ports"},
		"port out of range":   {func(a *Args) { a.Ports[0].Number = 0 }, "ports"},
		"the readiness port":  {func(a *Args) { a.Ports[0].Number = StatusPort }, "ports"},
		"port name":           {func(a *Args) { a.Ports[0].Name = "HTTP" }, "ports"},
		"service type":        {func(a *Args) { a.Settings.Service.Type = "" }, "settings.service.type"},
		"source range":        {func(a *Args) { a.Settings.Service.SourceRanges = []string{"all"} }, "settings.service.sourceRanges"},
		"range for ClusterIP": {func(a *Args) { a.Settings.Service.Type = ClusterIP }, "settings.service.sourceRanges"},
		"size":                {func(a *Args) { a.Settings.Replicas.Max = 0 }, "settings.replicas.max"},
	} {
		t.Run(name, func(t *testing.T) {
			args := goodArgs()
			tc.change(&args)
			problems := args.problems()
			require.Len(t, problems, 1)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}

func TestValuesAreHighlyAvailableAndRestricted(t *testing.T) {
	values, err := helmchart.Values(newValues("public-ingress", goodArgs()))
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"enabled": true, "minReplicas": 3.0, "maxReplicas": 10.0, "targetCPUUtilizationPercentage": 70.0}, values["autoscaling"])
	assert.NotContains(t, values, "replicaCount", "never beside an autoscaler")
	assert.Equal(t, map[string]any{"maxUnavailable": 1.0}, values["podDisruptionBudget"])
	assert.Equal(t, map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"maxSurge": 1.0, "maxUnavailable": 0.0}}, values["strategy"])
	assert.Len(t, values["topologySpreadConstraints"], 1)

	container := values["containerSecurityContext"].(map[string]any)
	assert.Equal(t, map[string]any{"drop": []any{"ALL"}}, container["capabilities"])
	assert.Equal(t, true, container["runAsNonRoot"])
	assert.Equal(t, false, container["allowPrivilegeEscalation"])
	pod := values["securityContext"].(map[string]any)
	assert.Equal(t, map[string]any{"type": "RuntimeDefault"}, pod["seccompProfile"])
	assert.Equal(t, []any{map[string]any{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}}, pod["sysctls"])
}

func TestServiceHasTheStatusPortFirst(t *testing.T) {
	values, err := helmchart.Values(newValues("public-ingress", goodArgs()))
	require.NoError(t, err)
	service := values["service"].(map[string]any)
	var numbers []any
	for _, port := range service["ports"].([]any) {
		numbers = append(numbers, port.(map[string]any)["port"])
	}
	assert.Equal(t, []any{15021.0, 80.0, 443.0}, numbers)
	assert.Equal(t, "LoadBalancer", service["type"])
	assert.Equal(t, []any{"203.0.113.0/24"}, service["loadBalancerSourceRanges"])
	assert.Equal(t, map[string]any{"cloud": "x"}, service["annotations"])
}

func TestSingleGatewayHasNoBudget(t *testing.T) {
	args := goodArgs()
	args.Settings.Replicas, args.Settings.Zones = workload.Replicas{Min: 1, Max: 1}, 1
	values, err := helmchart.Values(newValues("egress", args))
	require.NoError(t, err)
	assert.Equal(t, 1.0, values["replicaCount"])
	assert.Equal(t, map[string]any{"enabled": false}, values["autoscaling"])
	assert.NotContains(t, values, "podDisruptionBudget")
}
