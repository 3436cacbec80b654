package controlplane

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-security-platform/mesh/components/workload"
)

// baseValues are the values of the chart "base" that this project sets.
type baseValues struct {
	DefaultRevision string            `json:"defaultRevision"`
	Base            *validationValues `json:"base,omitempty"`
	Global          globalValues      `json:"global"`
}

// validationValues say what happens to Istio objects while no istiod answers the
// validation webhook.
type validationValues struct {
	ValidationFailurePolicy string `json:"validationFailurePolicy"`
}

// cniValues are the values of the chart "cni" that this project sets.
type cniValues struct {
	Revision       string                 `json:"revision"`
	SeccompProfile *corev1.SeccompProfile `json:"seccompProfile"`
	Global         globalValues           `json:"global"`
}

// istiodValues are the values of the chart "istiod" that this project sets.
type istiodValues struct {
	Revision                  string                            `json:"revision"`
	RevisionTags              []string                          `json:"revisionTags"`
	AutoscaleEnabled          bool                              `json:"autoscaleEnabled"`
	AutoscaleMin              int                               `json:"autoscaleMin,omitempty"`
	AutoscaleMax              int                               `json:"autoscaleMax,omitempty"`
	ReplicaCount              int                               `json:"replicaCount,omitempty"`
	CPU                       *cpuValues                        `json:"cpu,omitempty"`
	RollingMaxSurge           int                               `json:"rollingMaxSurge"`
	RollingMaxUnavailable     int                               `json:"rollingMaxUnavailable"`
	Resources                 corev1.ResourceRequirements       `json:"resources"`
	Affinity                  *corev1.Affinity                  `json:"affinity,omitempty"`
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
	SeccompProfile            *corev1.SeccompProfile            `json:"seccompProfile"`
	PDB                       pdbValues                         `json:"pdb"`
	CNI                       switchValues                      `json:"cni"`
	Env                       map[string]string                 `json:"env"`
	MeshConfig                meshConfigValue                   `json:"meshConfig"`
	Base                      *validationValues                 `json:"base,omitempty"`
	Global                    globalValues                      `json:"global"`
}

type cpuValues struct {
	TargetAverageUtilization int `json:"targetAverageUtilization"`
}

// pdbValues has maxUnavailable only; where it is set the chart leaves its default
// minAvailable out.
type pdbValues struct {
	MaxUnavailable int `json:"maxUnavailable"`
}

type switchValues struct {
	Enabled bool `json:"enabled"`
}

// globalValues are the values that the charts call "global".
type globalValues struct {
	Hub                        string             `json:"hub,omitempty"`
	IstioNamespace             string             `json:"istioNamespace,omitempty"`
	LogAsJSON                  bool               `json:"logAsJson"`
	MeshID                     string             `json:"meshID,omitempty"`
	Network                    string             `json:"network,omitempty"`
	MultiCluster               *multiCluster      `json:"multiCluster,omitempty"`
	PriorityClassName          string             `json:"priorityClassName,omitempty"`
	DefaultPodDisruptionBudget *switchValues      `json:"defaultPodDisruptionBudget,omitempty"`
	Proxy                      *globalProxyValues `json:"proxy,omitempty"`
}

type multiCluster struct {
	ClusterName string `json:"clusterName"`
}

type globalProxyValues struct {
	Resources      corev1.ResourceRequirements `json:"resources"`
	SeccompProfile *corev1.SeccompProfile      `json:"seccompProfile"`
}

func newBaseValues(args Args) baseValues {
	return baseValues{
		DefaultRevision: args.Revision,
		Base:            newValidationValues(args.Charts.Version),
		Global:          globalValues{IstioNamespace: args.Namespace, LogAsJSON: true},
	}
}

func newCNIValues(args Args) cniValues {
	return cniValues{
		Revision:       args.Revision,
		SeccompProfile: workload.RuntimeDefaultSeccomp(),
		Global:         globalValues{Hub: args.Hub, LogAsJSON: true},
	}
}

func newIstiodValues(args Args) istiodValues {
	size, labels := args.Istiod, podLabels(args.Revision)
	maxUnavailable, budget := size.DisruptionBudget()
	values := istiodValues{
		Revision:                  args.Revision,
		RevisionTags:              []string{args.RevisionTag},
		AutoscaleEnabled:          size.Replicas.Autoscaled(),
		RollingMaxSurge:           size.MaxSurge,
		RollingMaxUnavailable:     size.MaxUnavailable,
		Resources:                 size.Resources.Kubernetes(),
		Affinity:                  size.Affinity(labels),
		TopologySpreadConstraints: size.TopologySpread(labels),
		SeccompProfile:            workload.RuntimeDefaultSeccomp(),
		PDB:                       pdbValues{MaxUnavailable: maxUnavailable},
		CNI:                       switchValues{Enabled: args.CNI},
		Env:                       certificateEnv(args.Mesh),
		MeshConfig:                meshConfigValue{MeshConfig(args.Mesh, args.Tracing)},
		Base:                      newValidationValues(args.Charts.Version),
		Global:                    newGlobalValues(args, budget),
	}
	if values.AutoscaleEnabled {
		values.AutoscaleMin, values.AutoscaleMax = size.Replicas.Min, size.Replicas.Max
		values.CPU = &cpuValues{TargetAverageUtilization: size.Replicas.TargetCPUPercent}
	} else {
		values.ReplicaCount = size.Replicas.Min
	}
	return values
}

func newGlobalValues(args Args, budget bool) globalValues {
	return globalValues{
		Hub:                        args.Hub,
		IstioNamespace:             args.Namespace,
		LogAsJSON:                  true,
		MeshID:                     args.Mesh.ID,
		Network:                    args.Mesh.Network,
		MultiCluster:               &multiCluster{ClusterName: args.Mesh.ClusterName},
		PriorityClassName:          args.Istiod.PriorityClass,
		DefaultPodDisruptionBudget: &switchValues{Enabled: budget},
		Proxy: &globalProxyValues{
			Resources:      args.Proxy.Kubernetes(),
			SeccompProfile: workload.RuntimeDefaultSeccomp(),
		},
	}
}

// newValidationValues closes the webhook from the start where the charts can say
// so, which is from 1.30 on; nil before.
func newValidationValues(version string) *validationValues {
	if failurePolicyIsPatched(version) {
		return nil
	}
	return &validationValues{ValidationFailurePolicy: "Fail"}
}

// failurePolicyIsPatched reports whether the charts of a version render the
// webhooks' failure policy as Ignore and leave it to istiod to turn it into Fail.
func failurePolicyIsPatched(version string) bool {
	return strings.HasPrefix(version, "1.29.")
}

// certificateEnv bounds the lifetime of workload certificates on the side of
// istiod: what a proxy asks for is cut off at the maximum.
func certificateEnv(mesh Mesh) map[string]string {
	life := mesh.WorkloadCertificateLife().String()
	return map[string]string{
		"DEFAULT_WORKLOAD_CERT_TTL": life,
		"MAX_WORKLOAD_CERT_TTL":     life,
	}
}

// podLabels are the labels that the chart gives the pods of a revision.
func podLabels(revision string) map[string]string {
	return map[string]string{"app": "istiod", "istio.io/rev": revision}
}
