package workload

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Affinity keeps the pods that carry labels apart from each other over nodes; nil
// for a single pod, which has nothing to keep apart from.
func (s Size) Affinity(labels map[string]string) *corev1.Affinity {
	if s.Replicas.Max < 2 {
		return nil
	}
	term := corev1.PodAffinityTerm{
		LabelSelector: &metav1.LabelSelector{MatchLabels: labels},
		TopologyKey:   corev1.LabelHostname,
	}
	apart := &corev1.PodAntiAffinity{}
	if s.NodeSpread == SpreadRequired {
		apart.RequiredDuringSchedulingIgnoredDuringExecution = []corev1.PodAffinityTerm{term}
	} else {
		apart.PreferredDuringSchedulingIgnoredDuringExecution = []corev1.WeightedPodAffinityTerm{{Weight: 100, PodAffinityTerm: term}}
	}
	return &corev1.Affinity{PodAntiAffinity: apart}
}

// TopologySpread spreads the pods that carry labels evenly over the zones; nil
// where there is one zone.
//
// Pods are counted per ReplicaSet (`pod-template-hash`): counted together with
// their predecessors, the pods of a rollout would end up in the zones that the
// old ones happened to leave free.
func (s Size) TopologySpread(labels map[string]string) []corev1.TopologySpreadConstraint {
	if s.Zones < 2 {
		return nil
	}
	constraint := corev1.TopologySpreadConstraint{
		MaxSkew:           1,
		TopologyKey:       corev1.LabelTopologyZone,
		WhenUnsatisfiable: corev1.ScheduleAnyway,
		LabelSelector:     &metav1.LabelSelector{MatchLabels: labels},
		MatchLabelKeys:    []string{"pod-template-hash"},
	}
	if s.ZoneSpread == SpreadRequired {
		// Nodes that take no pods do not count, and there is no minimum of zones: when a
		// zone fails, the others must be able to take over its pods.
		honor := corev1.NodeInclusionPolicyHonor
		constraint.WhenUnsatisfiable = corev1.DoNotSchedule
		constraint.NodeTaintsPolicy = &honor
	}
	return []corev1.TopologySpreadConstraint{constraint}
}
