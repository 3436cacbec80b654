// Package peerauthentication declares which connections a workload accepts: only
// mutually authenticated ones.
package peerauthentication

import (
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	securityapi "istio.io/api/security/v1beta1"
	securityv1 "istio.io/client-go/pkg/apis/security/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-security-platform/mesh/components/istioobject"
	"github.com/mcp-security-platform/mesh/components/problem"
)

// Type is the type token of [MeshWide].
const Type = "mcp-mesh:peerauthentication:MeshWide"

// Args describe the mesh-wide policy.
type Args struct {
	// RootNamespace is Istio's root namespace, whose policy without a selector holds
	// for the whole mesh. Required.
	RootNamespace string
}

// MeshWide is the policy that every workload of the mesh accepts mutual TLS only.
type MeshWide struct {
	pulumi.ResourceState

	// Policy is the PeerAuthentication.
	Policy *apiextensions.CustomResource
}

// New declares the mesh-wide policy. It must depend on the control plane, whose
// webhook validates it. It returns an error for incomplete arguments.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*MeshWide, error) {
	if args.RootNamespace == "" {
		var list problem.List
		list.Add("rootNamespace", nil, "name the namespace of the control plane, such as istio-system")
		return nil, fmt.Errorf("peer authentication %q: %w", name, list.Err())
	}
	component := &MeshWide{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("peer authentication %q: %w", name, err)
	}
	policy, err := istioobject.New(ctx, name, Strict(args.RootNamespace), pulumi.Parent(component))
	if err != nil {
		return nil, fmt.Errorf("peer authentication %q: %w", name, err)
	}
	component.Policy = policy
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{})
}

// Strict returns the policy that all workloads of a namespace accept mutual TLS
// only; in the root namespace it holds for the whole mesh. It is called "default"
// because that is the name under which operators look for it.
func Strict(namespace string) *securityv1.PeerAuthentication {
	return &securityv1.PeerAuthentication{
		TypeMeta:   metav1.TypeMeta{APIVersion: securityv1.SchemeGroupVersion.String(), Kind: "PeerAuthentication"},
		ObjectMeta: metav1.ObjectMeta{Name: "default", Namespace: namespace},
		Spec: securityapi.PeerAuthentication{
			Mtls: &securityapi.PeerAuthentication_MutualTLS{Mode: securityapi.PeerAuthentication_MutualTLS_STRICT},
		},
	}
}
