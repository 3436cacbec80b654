package workload

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

// spread is a size that covers three zones with an autoscaler.
func spread() Size {
	return Size{
		Replicas:   Replicas{Min: 3, Max: 10, TargetCPUPercent: 70},
		Zones:      3,
		ZoneSpread: SpreadRequired,
		NodeSpread: SpreadPreferred,
		MaxSurge:   1,
		Resources:  Resources{Requests: Quantities{"500m", "1Gi"}, Limits: Quantities{"2", "2Gi"}},
	}
}

func TestSizeAccepts(t *testing.T) {
	for name, change := range map[string]func(*Size){
		"autoscaled over three zones":       func(*Size) {},
		"fixed number":                      func(s *Size) { s.Replicas = Replicas{Min: 3, Max: 3} },
		"one replica in one zone":           func(s *Size) { s.Replicas, s.Zones = Replicas{Min: 1, Max: 1}, 1 },
		"one node each, old pods first":     func(s *Size) { s.NodeSpread, s.MaxUnavailable = SpreadRequired, 1 },
		"no surge, old pods first":          func(s *Size) { s.MaxSurge, s.MaxUnavailable = 0, 1 },
		"limit equal to request":            func(s *Size) { s.Resources.Limits = s.Resources.Requests },
		"priority class of the cluster":     func(s *Size) { s.PriorityClass = "system-cluster-critical" },
		"priority class with a dotted name": func(s *Size) { s.PriorityClass = "mesh.company.com" },
	} {
		t.Run(name, func(t *testing.T) {
			size := spread()
			change(&size)
			assert.Empty(t, size.Problems())
		})
	}
}

func TestSizeRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Size)
		field  string
	}{
		"no replicas":                  {func(s *Size) { s.Replicas.Min = 0 }, "replicas.min"},
		"fewer at most than at least":  {func(s *Size) { s.Replicas.Max = 2 }, "replicas.max"},
		"target of zero":               {func(s *Size) { s.Replicas.TargetCPUPercent = 0 }, "replicas.targetCPUPercent"},
		"no zone":                      {func(s *Size) { s.Zones = 0 }, "zones"},
		"more zones than replicas":     {func(s *Size) { s.Zones = 4 }, "zones"},
		"unknown zone spread":          {func(s *Size) { s.ZoneSpread = "" }, "zoneSpread"},
		"unknown node spread":          {func(s *Size) { s.NodeSpread = "hard" }, "nodeSpread"},
		"negative surge":               {func(s *Size) { s.MaxSurge = -1 }, "maxSurge"},
		"all pods away at once":        {func(s *Size) { s.MaxUnavailable = 4 }, "maxUnavailable"},
		"neither surge nor removal":    {func(s *Size) { s.MaxSurge = 0 }, "maxSurge"},
		"no place for the surge pod":   {func(s *Size) { s.NodeSpread = SpreadRequired }, "maxUnavailable"},
		"CPU that is no quantity":      {func(s *Size) { s.Resources.Requests.CPU = "half" }, "resources.requests.cpu"},
		"no memory":                    {func(s *Size) { s.Resources.Limits.Memory = "0" }, "resources.limits.memory"},
		"memory limit below request":   {func(s *Size) { s.Resources.Limits.Memory = "512Mi" }, "resources.limits.memory"},
		"priority class with a blank":  {func(s *Size) { s.PriorityClass = "very high" }, "priorityClass"},
		"priority class in upper case": {func(s *Size) { s.PriorityClass = "High" }, "priorityClass"},
	} {
		t.Run(name, func(t *testing.T) {
			size := spread()
			tc.change(&size)
			problems := size.Problems()
			require.Len(t, problems, 1)
			assert.Equal(t, tc.field, problems[0].Field)
			assert.NotEmpty(t, problems[0].Remedy)
		})
	}
}

func TestDisruptionBudgetNeedsTwoReplicas(t *testing.T) {
	size := spread()
	maxUnavailable, ok := size.DisruptionBudget()
	assert.Equal(t, 1, maxUnavailable)
	assert.True(t, ok)

	size.Replicas.Min = 1
	_, ok = size.DisruptionBudget()
	assert.False(t, ok, "a budget over one replica blocks every node drain")
}

func TestTopologySpread(t *testing.T) {
	labels := map[string]string{"app": "istiod"}
	size := spread()
	required := size.TopologySpread(labels)
	require.Len(t, required, 1)
	assert.Equal(t, corev1.DoNotSchedule, required[0].WhenUnsatisfiable)
	assert.Nil(t, required[0].MinDomains, "a failed zone must not keep pods pending")
	assert.Equal(t, corev1.NodeInclusionPolicyHonor, *required[0].NodeTaintsPolicy)
	assert.Equal(t, "topology.kubernetes.io/zone", required[0].TopologyKey)
	assert.Equal(t, labels, required[0].LabelSelector.MatchLabels)
	assert.Equal(t, []string{"pod-template-hash"}, required[0].MatchLabelKeys)

	size.ZoneSpread = SpreadPreferred
	preferred := size.TopologySpread(labels)
	assert.Equal(t, corev1.ScheduleAnyway, preferred[0].WhenUnsatisfiable)
	assert.Nil(t, preferred[0].NodeTaintsPolicy)

	size.Zones = 1
	assert.Nil(t, size.TopologySpread(labels))
}

func TestAffinity(t *testing.T) {
	labels := map[string]string{"app": "istiod"}
	size := spread()
	preferred := size.Affinity(labels).PodAntiAffinity
	assert.Empty(t, preferred.RequiredDuringSchedulingIgnoredDuringExecution)
	assert.Equal(t, "kubernetes.io/hostname", preferred.PreferredDuringSchedulingIgnoredDuringExecution[0].PodAffinityTerm.TopologyKey)

	size.NodeSpread = SpreadRequired
	required := size.Affinity(labels).PodAntiAffinity
	assert.Empty(t, required.PreferredDuringSchedulingIgnoredDuringExecution)
	assert.Equal(t, labels, required.RequiredDuringSchedulingIgnoredDuringExecution[0].LabelSelector.MatchLabels)

	size.Replicas = Replicas{Min: 1, Max: 1}
	assert.Nil(t, size.Affinity(labels), "a single pod has nothing to keep apart from")
}
