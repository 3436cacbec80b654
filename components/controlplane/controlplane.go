// Package controlplane installs Istio's control plane through its Helm charts:
// the CRDs, the CNI node agent and a highly available istiod.
package controlplane

import (
	"fmt"

	helmv4 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/helm/v4"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/mcp-security-platform/mesh/components/helmchart"
)

// Type is the type token of [ControlPlane].
const Type = "mcp-mesh:controlplane:ControlPlane"

// ControlPlane is one revision of Istio's control plane.
type ControlPlane struct {
	pulumi.ResourceState

	// Base holds the CRDs.
	Base *helmv4.Chart
	// CNI is the node agent; nil where it is switched off.
	CNI *helmv4.Chart
	// Istiod is registered once its pods are available.
	Istiod *helmv4.Chart
}

// New installs the control plane: CRDs, then the CNI agent, then istiod, which
// waits for its CA. It returns an error that lists every unusable argument,
// before anything is created.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*ControlPlane, error) {
	if err := args.problems().Err(); err != nil {
		return nil, fmt.Errorf("control plane %q: %w", name, err)
	}
	component := &ControlPlane{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("control plane %q: %w", name, err)
	}
	if err := component.install(ctx, name, args); err != nil {
		return nil, fmt.Errorf("control plane %q: %w", name, err)
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{})
}

func (c *ControlPlane) install(ctx *pulumi.Context, name string, args Args) (err error) {
	transforms := []pulumi.ResourceTransform{}
	if failurePolicyIsPatched(args.Charts.Version) {
		transforms = append(transforms, leaveFailurePolicyToIstiod)
	}
	c.Base, err = helmchart.New(ctx, name+"-base", args.Charts, helmchart.Chart{
		Name:      "base",
		Release:   "istio-base",
		Namespace: args.Namespace,
		Values:    newBaseValues(args),
	}, pulumi.Parent(c), pulumi.Transforms(append([]pulumi.ResourceTransform{deleteWithStack}, transforms...)))
	if err != nil {
		return err
	}
	before := []pulumi.Resource{args.CA, c.Base}
	if args.CNI {
		c.CNI, err = helmchart.New(ctx, name+"-cni", args.Charts, helmchart.Chart{
			Name:      "cni",
			Release:   "istio-cni",
			Namespace: args.CNINamespace,
			Values:    newCNIValues(args),
		}, pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{c.Base}))
		if err != nil {
			return err
		}
		before = append(before, c.CNI)
	}
	c.Istiod, err = helmchart.New(ctx, name+"-istiod", args.Charts, helmchart.Chart{
		Name:      "istiod",
		Release:   "istiod-" + args.Revision,
		Namespace: args.Namespace,
		Values:    newIstiodValues(args),
	}, pulumi.Parent(c), pulumi.DependsOn(before),
		pulumi.Transforms(append([]pulumi.ResourceTransform{requireCASecret}, transforms...)))
	return err
}
