package identity

import (
	"fmt"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Type is the type token of [Accounts].
const Type = "mcp-mesh:identity:Accounts"

// Args describe the service accounts of a namespace.
type Args struct {
	// Namespace must exist. Required.
	Namespace string
	// Names are the service accounts. At least one.
	Names []string
}

// Accounts are the service accounts of a namespace.
type Accounts struct {
	pulumi.ResourceState

	// All are the service accounts in the order of the arguments, for dependencies.
	All []pulumi.Resource
}

// New creates the service accounts. It returns an error that lists every unusable
// argument.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Accounts, error) {
	if err := args.problems().Err(); err != nil {
		return nil, fmt.Errorf("service accounts %q: %w", name, err)
	}
	component := &Accounts{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("service accounts %q: %w", name, err)
	}
	for _, account := range args.Names {
		resource, err := corev1.NewServiceAccount(ctx, account, &corev1.ServiceAccountArgs{
			Metadata: metav1.ObjectMetaArgs{
				Name:      pulumi.String(account),
				Namespace: pulumi.String(args.Namespace),
				Labels:    pulumi.StringMap{"app.kubernetes.io/part-of": pulumi.String("mcp-mesh")},
			},
			// The proxy mounts a token of its own; the application has no business with the
			// Kubernetes API unless its pod asks for it.
			AutomountServiceAccountToken: pulumi.Bool(false),
		}, pulumi.Parent(component))
		if err != nil {
			return nil, fmt.Errorf("service account %q: %w", account, err)
		}
		component.All = append(component.All, resource)
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{})
}

func (a Args) problems() problem.List {
	var list problem.List
	if len(validation.IsDNS1123Label(a.Namespace)) > 0 {
		list.Add("namespace", a.Namespace, "name an existing namespace")
	}
	if len(a.Names) == 0 {
		list.Add("names", nil, "name at least one")
	}
	for i, name := range a.Names {
		if len(validation.IsDNS1123Subdomain(name)) > 0 {
			list.Add("names", name, "use a DNS name: lower-case letters, digits, dashes and dots")
		}
		if slices.Contains(a.Names[:i], name) {
			list.Add("names", name, "name it once: two services with one account could not be told apart")
		}
	}
	return list
}
