package peerauthentication

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	securityapi "istio.io/api/security/v1beta1"
	typeapi "istio.io/api/type/v1beta1"
	securityv1 "istio.io/client-go/pkg/apis/security/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/istioobject"
	"github.com/mcp-security-platform/mesh/components/problem"
)

// ScopeType is the type token of [Scope].
const ScopeType = "mcp-mesh:peerauthentication:Scope"

// ScopeArgs describe the policies below the mesh-wide one.
type ScopeArgs struct {
	// Namespaces accept mutual TLS only, whatever becomes of the mesh-wide policy. At
	// least one.
	Namespaces []string
	// Workloads have policies of their own, for the sake of their exceptions.
	Workloads []Workload
	// Now is the time by which exceptions are judged. Required with workloads.
	Now time.Time
}

// Workload is a workload with exceptions. All of its other ports accept mutual TLS
// only.
type Workload struct {
	// Name is the name of the policy.
	Name string
	// Namespace is that of the workload.
	Namespace string
	// Pods are labels of its pods; they cannot be empty.
	Pods map[string]string
	// Exceptions are its ports that also accept plain text; at least one.
	Exceptions []Exception
}

// Scope are the policies of namespaces and workloads.
type Scope struct {
	pulumi.ResourceState

	// All are the policies, for dependencies.
	All []*apiextensions.CustomResource
}

// NewScope declares the policies of namespaces and workloads, and warns of each
// exception. It must depend on the control plane, whose webhook validates them. It
// returns an error that lists every unusable argument.
func NewScope(ctx *pulumi.Context, name string, args ScopeArgs, opts ...pulumi.ResourceOption) (*Scope, error) {
	if err := args.problems().Err(); err != nil {
		return nil, fmt.Errorf("peer authentication %q: %w", name, err)
	}
	component := &Scope{}
	if err := ctx.RegisterComponentResource(ScopeType, name, component, opts...); err != nil {
		return nil, fmt.Errorf("peer authentication %q: %w", name, err)
	}
	for _, namespace := range args.Namespaces {
		if err := component.add(ctx, name+"-"+namespace, Strict(namespace)); err != nil {
			return nil, err
		}
	}
	for _, workload := range args.Workloads {
		if err := component.add(ctx, name+"-"+workload.Namespace+"."+workload.Name, workload.Object()); err != nil {
			return nil, err
		}
		for _, exception := range workload.Exceptions {
			text := fmt.Sprintf("strict mTLS: %s/%s: %s", workload.Namespace, workload.Name, exception)
			if err := ctx.Log.Warn(text, &pulumi.LogArgs{Resource: component}); err != nil {
				return nil, fmt.Errorf("peer authentication %q: %w", name, err)
			}
		}
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{})
}

func (s *Scope) add(ctx *pulumi.Context, name string, object *securityv1.PeerAuthentication) error {
	policy, err := istioobject.New(ctx, name, object, pulumi.Parent(s))
	if err != nil {
		return fmt.Errorf("peer authentication %q: %w", name, err)
	}
	s.All = append(s.All, policy)
	return nil
}

// Object returns the workload's policy.
func (w Workload) Object() *securityv1.PeerAuthentication {
	ports := map[uint32]*securityapi.PeerAuthentication_MutualTLS{}
	for _, exception := range w.Exceptions {
		ports[uint32(exception.Port)] = &securityapi.PeerAuthentication_MutualTLS{Mode: securityapi.PeerAuthentication_MutualTLS_PERMISSIVE}
	}
	return &securityv1.PeerAuthentication{
		TypeMeta:   metav1.TypeMeta{APIVersion: securityv1.SchemeGroupVersion.String(), Kind: "PeerAuthentication"},
		ObjectMeta: metav1.ObjectMeta{Name: w.Name, Namespace: w.Namespace},
		Spec: securityapi.PeerAuthentication{
			Selector:      &typeapi.WorkloadSelector{MatchLabels: w.Pods},
			Mtls:          &securityapi.PeerAuthentication_MutualTLS{Mode: securityapi.PeerAuthentication_MutualTLS_STRICT},
			PortLevelMtls: ports,
		},
	}
}

func (a ScopeArgs) problems() problem.List {
	var list problem.List
	if len(a.Namespaces) == 0 {
		list.Add("namespaces", nil, "name at least one")
	}
	for _, namespace := range a.Namespaces {
		checkName(&list, "namespaces", namespace)
	}
	if len(a.Workloads) > 0 && a.Now.IsZero() {
		list.Add("now", nil, "pass the time by which exceptions are judged")
	}
	for _, workload := range a.Workloads {
		list.Within("workloads."+workload.Name, workload.problems(a.Now))
	}
	return list
}

func (w Workload) problems(now time.Time) problem.List {
	var list problem.List
	checkName(&list, "name", w.Name)
	checkName(&list, "namespace", w.Namespace)
	if len(w.Pods) == 0 {
		list.Add("pods", nil, "name the labels of the workload; without them the whole namespace would be meant")
	}
	if len(w.Exceptions) == 0 {
		list.Add("exceptions", nil, "give at least one; the namespace's policy covers a workload without")
	}
	seen := map[int]bool{}
	for i, exception := range w.Exceptions {
		field := fmt.Sprintf("exceptions[%d]", i)
		list.Within(field, exception.Problems(now))
		if seen[exception.Port] {
			list.Add(field+".port", exception.Port, "name a port once")
		}
		seen[exception.Port] = true
	}
	return list
}

func checkName(list *problem.List, field, name string) {
	if len(validation.IsDNS1123Label(name)) > 0 {
		list.Add(field, name, "use a DNS label")
	}
}
