package workload

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Resources are what a container asks for and what it may use at most.
type Resources struct {
	// What the scheduler reserves for each pod.
	Requests Quantities `json:"requests"`
	// What each pod may use at most.
	Limits Quantities `json:"limits"`
}

// Quantities are an amount of CPU and of memory in Kubernetes notation.
type Quantities struct {
	// CPU, such as `500m` or `2`.
	CPU string `json:"cpu"`
	// Memory, such as `256Mi` or `2Gi`.
	Memory string `json:"memory"`
}

// Problems returns what is wrong with the amounts, with fields relative to them.
func (r Resources) Problems() problem.List {
	var list problem.List
	comparePair(&list, "cpu", r.Requests.CPU, r.Limits.CPU)
	comparePair(&list, "memory", r.Requests.Memory, r.Limits.Memory)
	return list
}

func comparePair(list *problem.List, kind, request, limit string) {
	low, lowOK := parseQuantity(list, "requests."+kind, request)
	high, highOK := parseQuantity(list, "limits."+kind, limit)
	if lowOK && highOK && high.Cmp(low) < 0 {
		list.Add("limits."+kind, limit, "use at least the request, which is %s", request)
	}
}

func parseQuantity(list *problem.List, field, text string) (resource.Quantity, bool) {
	quantity, err := resource.ParseQuantity(text)
	if err != nil || quantity.Sign() <= 0 {
		list.Add(field, text, "use a positive Kubernetes quantity such as 500m, 2, 256Mi or 2Gi")
		return quantity, false
	}
	return quantity, true
}

// Kubernetes returns the amounts as the Kubernetes API has them. The amounts must
// have passed [Resources.Problems]; an unreadable one is left out.
func (r Resources) Kubernetes() corev1.ResourceRequirements {
	return corev1.ResourceRequirements{Requests: r.Requests.list(), Limits: r.Limits.list()}
}

func (q Quantities) list() corev1.ResourceList {
	list := corev1.ResourceList{}
	for name, text := range map[corev1.ResourceName]string{corev1.ResourceCPU: q.CPU, corev1.ResourceMemory: q.Memory} {
		if quantity, err := resource.ParseQuantity(text); err == nil {
			list[name] = quantity
		}
	}
	return list
}
