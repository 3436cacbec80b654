// Package workload says how big a Deployment is, how it spreads over nodes and
// zones, and how it is rolled out: the part of high availability that istiod and
// every gateway have in common.
package workload

import (
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Spread says how strictly pods keep apart.
type Spread string

// The kinds of [Spread].
const (
	// SpreadPreferred lets the scheduler put pods together when it has no other place.
	SpreadPreferred Spread = "preferred"
	// SpreadRequired leaves a pod pending rather than breaking the spread.
	SpreadRequired Spread = "required"
)

func (s Spread) check(list *problem.List, field string) {
	if s != SpreadPreferred && s != SpreadRequired {
		list.Add(field, string(s), "choose %s or %s", SpreadPreferred, SpreadRequired)
	}
}

// Replicas are the bounds of the number of pods. An autoscaler moves between
// them; equal bounds mean a fixed number without one. The two can therefore never
// contradict each other, as a replica count beside an autoscaler would.
type Replicas struct {
	// Smallest number of pods.
	Min int `json:"min"`
	// Largest number of pods; equal to `min` for a fixed number without an autoscaler.
	Max int `json:"max"`
	// Average CPU use, in percent of the request, that the autoscaler aims at.
	TargetCPUPercent int `json:"targetCPUPercent"`
}

// Autoscaled reports whether an autoscaler chooses the number of pods.
func (r Replicas) Autoscaled() bool { return r.Max > r.Min }

// Size is the size and the availability of one Deployment.
type Size struct {
	// Number of pods, or the bounds between which an autoscaler chooses it.
	Replicas Replicas `json:"replicas"`
	// Number of availability zones that the pods must cover; 1 for no spreading over zones.
	Zones int `json:"zones"`
	// How strictly pods spread over zones: `preferred` or `required`.
	ZoneSpread Spread `json:"zoneSpread"`
	// How strictly pods avoid sharing a node: `preferred` or `required`.
	NodeSpread Spread `json:"nodeSpread"`
	// Number of pods that a rollout may start beyond the wanted number.
	MaxSurge int `json:"maxSurge"`
	// Number of pods that a rollout may take away before their successors are ready.
	MaxUnavailable int `json:"maxUnavailable"`
	// CPU and memory of each pod.
	Resources Resources `json:"resources"`
	// PriorityClass of the pods; empty for the cluster's default.
	PriorityClass string `json:"priorityClass"`
}

// DisruptionBudget returns how many pods a node drain may take away at once, and
// whether there is a budget at all: over a single replica it would block every
// drain (istio/istio#12602).
func (s Size) DisruptionBudget() (maxUnavailable int, ok bool) {
	return 1, s.Replicas.Min > 1
}

// Problems returns what is wrong with the size, with fields relative to it.
func (s Size) Problems() problem.List {
	var list problem.List
	list.Within("replicas", s.Replicas.problems())
	s.checkSpread(&list)
	s.checkRollout(&list)
	list.Within("resources", s.Resources.Problems())
	if s.PriorityClass != "" && len(validation.IsDNS1123Subdomain(s.PriorityClass)) > 0 {
		list.Add("priorityClass", s.PriorityClass, "name a PriorityClass of the cluster, such as system-cluster-critical")
	}
	return list
}

func (r Replicas) problems() problem.List {
	var list problem.List
	if r.Min < 1 {
		list.Add("min", r.Min, "use 1 or more")
	}
	if r.Max < r.Min {
		list.Add("max", r.Max, "use at least min, which is %d", r.Min)
	}
	if r.Autoscaled() && (r.TargetCPUPercent < 10 || r.TargetCPUPercent > 95) {
		list.Add("targetCPUPercent", r.TargetCPUPercent, "use a percentage from 10 to 95")
	}
	return list
}

func (s Size) checkSpread(list *problem.List) {
	s.ZoneSpread.check(list, "zoneSpread")
	s.NodeSpread.check(list, "nodeSpread")
	if s.Zones < 1 {
		list.Add("zones", s.Zones, "use 1 (no spreading) or the number of zones of the cluster")
	}
	if s.Replicas.Min >= 1 && s.Zones > s.Replicas.Min {
		list.Add("zones", s.Zones, "%d replicas cannot cover that many zones; raise replicas.min or lower zones", s.Replicas.Min)
	}
}

// checkRollout refuses settings with which a rollout can never finish: pods that
// refuse to share a node leave no place for the surge pod on a full cluster, so
// an old pod must be allowed to go first.
func (s Size) checkRollout(list *problem.List) {
	if s.MaxSurge < 0 {
		list.Add("maxSurge", s.MaxSurge, "use 0 or more")
	}
	if s.MaxUnavailable < 0 || (s.Replicas.Min >= 1 && s.MaxUnavailable > s.Replicas.Min) {
		list.Add("maxUnavailable", s.MaxUnavailable, "use 0 to %d (replicas.min)", s.Replicas.Min)
	}
	if s.MaxSurge == 0 && s.MaxUnavailable == 0 {
		list.Add("maxSurge", s.MaxSurge, "a rollout could neither add nor remove a pod; set maxSurge or maxUnavailable to 1")
	}
	if s.NodeSpread == SpreadRequired && s.MaxUnavailable == 0 {
		list.Add("maxUnavailable", s.MaxUnavailable,
			"with nodeSpread required the rollout hangs where every node holds a pod; set maxUnavailable to 1 or nodeSpread to preferred")
	}
}
