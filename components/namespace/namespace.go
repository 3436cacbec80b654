// Package namespace owns every namespace of the mesh. No other component creates
// one, so that labels which decide about injection and pod security have a single
// owner.
package namespace

import (
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Type is the type token of [Namespaces].
const Type = "mcp-mesh:namespace:Namespaces"

// PodSecurity is a level of the Pod Security Standards
// (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
type PodSecurity string

// The levels of [PodSecurity] that the mesh uses.
const (
	// Restricted is current best practice: non-root, no capabilities, seccomp.
	Restricted PodSecurity = "restricted"
	// Privileged is unrestricted; injected pods need it where the CNI plugin does not
	// redirect their traffic, since their init container asks for NET_ADMIN.
	Privileged PodSecurity = "privileged"
)

// Namespace is one namespace of the mesh.
type Namespace struct {
	// Name is the name in the cluster.
	Name string
	// Injected says whether its pods belong to the mesh.
	Injected bool
	// PodSecurity is the level that is enforced. Default [Restricted].
	PodSecurity PodSecurity
	// Network is the Istio network of the namespace's own gateway addresses; it is set
	// on the namespace of the control plane only. Default none.
	Network string
}

// Args describe all namespaces.
type Args struct {
	// RevisionTag is the Istio revision tag that injected namespaces follow. It is a
	// tag and not a revision, so that an upgrade moves one tag and no namespace.
	RevisionTag string
	// Namespaces are created in no particular order. At least one.
	Namespaces []Namespace
}

// Namespaces are all namespaces of the mesh.
type Namespaces struct {
	pulumi.ResourceState

	// All are the namespaces in the order of the arguments, for dependencies.
	All []pulumi.Resource
}

// New creates the namespaces. It returns an error that lists every unusable
// argument.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Namespaces, error) {
	if err := args.problems().Err(); err != nil {
		return nil, fmt.Errorf("namespaces %q: %w", name, err)
	}
	component := &Namespaces{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("namespaces %q: %w", name, err)
	}
	for _, namespace := range args.Namespaces {
		resource, err := corev1.NewNamespace(ctx, namespace.Name, &corev1.NamespaceArgs{
			Metadata: metav1.ObjectMetaArgs{
				Name:   pulumi.String(namespace.Name),
				Labels: pulumi.ToStringMap(Labels(namespace, args.RevisionTag)),
			},
		}, pulumi.Parent(component))
		if err != nil {
			return nil, fmt.Errorf("namespace %q: %w", namespace.Name, err)
		}
		component.All = append(component.All, resource)
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{})
}

// Labels returns the labels of namespace: injection by revision tag, and the Pod
// Security level for enforcement, audit and warning alike.
func Labels(namespace Namespace, revisionTag string) map[string]string {
	level := string(namespace.PodSecurity)
	if level == "" {
		level = string(Restricted)
	}
	labels := map[string]string{
		"app.kubernetes.io/part-of":          "mcp-mesh",
		"pod-security.kubernetes.io/enforce": level,
		"pod-security.kubernetes.io/audit":   level,
		"pod-security.kubernetes.io/warn":    level,
	}
	if namespace.Injected {
		labels["istio.io/rev"] = revisionTag
	}
	if namespace.Network != "" {
		labels["topology.istio.io/network"] = namespace.Network
	}
	return labels
}

func (a Args) problems() problem.List {
	var list problem.List
	if len(validation.IsDNS1123Label(a.RevisionTag)) > 0 {
		list.Add("revisionTag", a.RevisionTag, "use a DNS label such as stable")
	}
	if len(a.Namespaces) == 0 {
		list.Add("namespaces", nil, "name at least one")
	}
	seen := map[string]bool{}
	for _, namespace := range a.Namespaces {
		if len(validation.IsDNS1123Label(namespace.Name)) > 0 {
			list.Add("namespaces", namespace.Name, "use a DNS label of at most 63 characters")
		}
		if seen[namespace.Name] {
			list.Add("namespaces", namespace.Name, "name it once: a namespace has one owner")
		}
		seen[namespace.Name] = true
	}
	return list
}
