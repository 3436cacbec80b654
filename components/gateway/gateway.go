// Package gateway installs an Envoy gateway through Istio's chart: the same
// component for public ingress, internal ingress and egress.
package gateway

import (
	"fmt"

	helmv4 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/helm/v4"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/mcp-security-platform/mesh/components/helmchart"
)

// Type is the type token of [Gateway].
const Type = "mcp-mesh:gateway:Gateway"

// Gateway is a highly available gateway.
type Gateway struct {
	pulumi.ResourceState

	// Chart holds the Deployment, the Service and what belongs to them.
	Chart *helmv4.Chart
}

// New installs a gateway whose Deployment, Service and service account are called
// name. It must depend on an awaited control plane: the injector fills in the
// image, and a pod that comes before it can never start (istio/istio#46307). It
// returns an error that lists every unusable argument, before anything is
// created.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Gateway, error) {
	if err := args.problems().Err(); err != nil {
		return nil, fmt.Errorf("gateway %q: %w", name, err)
	}
	component := &Gateway{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("gateway %q: %w", name, err)
	}
	chart, err := helmchart.New(ctx, name, args.Charts, helmchart.Chart{
		Name:      "gateway",
		Release:   name,
		Namespace: args.Namespace,
		Values:    newValues(name, args),
	}, pulumi.Parent(component))
	if err != nil {
		return nil, fmt.Errorf("gateway %q: %w", name, err)
	}
	component.Chart = chart
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{})
}

// Selector returns the labels of the pods of the gateway called name, for Gateway
// resources and policies that are meant for it.
func Selector(name string) map[string]string {
	return map[string]string{"app": name, "istio": name}
}
