package gateway

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/mcp-security-platform/mesh/components/workload"
)

// proxyUID is the user that Istio's proxies run as.
const proxyUID = 1337

// values are the values of the chart "gateway" that this project sets.
type values struct {
	Name                      string                            `json:"name"`
	ReplicaCount              int                               `json:"replicaCount,omitempty"`
	Autoscaling               autoscalingValues                 `json:"autoscaling"`
	Strategy                  appsv1.DeploymentStrategy         `json:"strategy"`
	Resources                 corev1.ResourceRequirements       `json:"resources"`
	Affinity                  *corev1.Affinity                  `json:"affinity,omitempty"`
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
	PodDisruptionBudget       *pdbValues                        `json:"podDisruptionBudget,omitempty"`
	PriorityClassName         string                            `json:"priorityClassName,omitempty"`
	SecurityContext           *corev1.PodSecurityContext        `json:"securityContext"`
	ContainerSecurityContext  *corev1.SecurityContext           `json:"containerSecurityContext"`
	Service                   serviceValues                     `json:"service"`
}

type autoscalingValues struct {
	Enabled                        bool `json:"enabled"`
	MinReplicas                    int  `json:"minReplicas,omitempty"`
	MaxReplicas                    int  `json:"maxReplicas,omitempty"`
	TargetCPUUtilizationPercentage int  `json:"targetCPUUtilizationPercentage,omitempty"`
}

type pdbValues struct {
	MaxUnavailable int `json:"maxUnavailable"`
}

type serviceValues struct {
	Type                     string            `json:"type"`
	Annotations              map[string]string `json:"annotations"`
	LoadBalancerSourceRanges []string          `json:"loadBalancerSourceRanges"`
	Ports                    []portValues      `json:"ports"`
}

type portValues struct {
	Name       string `json:"name"`
	Port       int    `json:"port"`
	Protocol   string `json:"protocol"`
	TargetPort int    `json:"targetPort"`
}

func newValues(name string, args Args) values {
	size, labels := args.Settings.Size, Selector(name)
	v := values{
		Name:                      name,
		Strategy:                  rollingUpdate(size),
		Resources:                 size.Resources.Kubernetes(),
		Affinity:                  size.Affinity(labels),
		TopologySpreadConstraints: size.TopologySpread(labels),
		PriorityClassName:         size.PriorityClass,
		SecurityContext:           podSecurity(),
		ContainerSecurityContext:  workload.RestrictedContainer(proxyUID),
		Service:                   newServiceValues(args),
	}
	if size.Replicas.Autoscaled() {
		v.Autoscaling = autoscalingValues{true, size.Replicas.Min, size.Replicas.Max, size.Replicas.TargetCPUPercent}
	} else {
		v.ReplicaCount = size.Replicas.Min
	}
	if maxUnavailable, ok := size.DisruptionBudget(); ok {
		v.PodDisruptionBudget = &pdbValues{maxUnavailable}
	}
	return v
}

func newServiceValues(args Args) serviceValues {
	service := args.Settings.Service
	v := serviceValues{
		Type:                     string(service.Type),
		Annotations:              map[string]string{},
		LoadBalancerSourceRanges: append([]string{}, service.SourceRanges...),
		Ports:                    []portValues{newPortValues(Port{Name: "status-port", Number: StatusPort})},
	}
	for key, value := range service.Annotations {
		v.Annotations[key] = value
	}
	for _, port := range args.Ports {
		v.Ports = append(v.Ports, newPortValues(port))
	}
	return v
}

func newPortValues(port Port) portValues {
	return portValues{port.Name, port.Number, string(corev1.ProtocolTCP), port.Number}
}

// podSecurity lets the non-root proxy bind the ports below 1024 that its Service
// names; the sysctl is among those that the standard "restricted" allows.
func podSecurity() *corev1.PodSecurityContext {
	pod := workload.RestrictedPod()
	pod.Sysctls = []corev1.Sysctl{{Name: "net.ipv4.ip_unprivileged_port_start", Value: "0"}}
	return pod
}

func rollingUpdate(size workload.Size) appsv1.DeploymentStrategy {
	surge, unavailable := intstr.FromInt(size.MaxSurge), intstr.FromInt(size.MaxUnavailable)
	return appsv1.DeploymentStrategy{
		Type:          appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &surge, MaxUnavailable: &unavailable},
	}
}
