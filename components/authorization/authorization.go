package authorization

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/mcp-security-platform/mesh/components/istioobject"
	"github.com/mcp-security-platform/mesh/components/problem"
)

// Type is the type token of [Policies].
const Type = "mcp-mesh:authorization:Policies"

// Args describe the policies.
type Args struct {
	// Policies are registered in their order, those of [AllowNothing] last. At least one.
	Policies []Policy
}

// Policies are policies that belong together.
type Policies struct {
	pulumi.ResourceState

	// All are the policies, for dependencies.
	All []pulumi.Resource
}

// New declares the policies. It must depend on the control plane, whose webhook
// validates them. What denies by default comes after what allows, so that a mesh in
// use is never shut in between. It returns an error that lists every unusable
// argument, and warns of each policy in dry run.
//
// Whatever the policies say, these keep working, since they do not pass the
// filter that enforces them: the kubelet's probes, which the injector redirects to
// the agent on 15020; the readiness port 15021; Prometheus on 15020 (merged metrics
// of proxy and application) and 15090; and istiod with its webhooks, which is no
// workload of the mesh.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Policies, error) {
	if err := args.problems().Err(); err != nil {
		return nil, fmt.Errorf("authorization policies %q: %w", name, err)
	}
	component := &Policies{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("authorization policies %q: %w", name, err)
	}
	for _, closing := range []bool{false, true} {
		before := pulumi.DependsOn(component.All)
		for _, policy := range args.Policies {
			if policy.nothing != closing {
				continue
			}
			resource, err := istioobject.New(ctx, policy.ID(), policy.Object(), pulumi.Parent(component), before)
			if err != nil {
				return nil, fmt.Errorf("authorization policies %q: %w", name, err)
			}
			component.All = append(component.All, resource)
			if err := policy.warn(ctx, component); err != nil {
				return nil, fmt.Errorf("authorization policies %q: %w", name, err)
			}
		}
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{})
}

// ID returns the policy's name among those of all namespaces.
func (p Policy) ID() string { return p.target.Namespace + "." + p.name }

func (p Policy) warn(ctx *pulumi.Context, component pulumi.Resource) error {
	if !p.dryRun {
		return nil
	}
	return ctx.Log.Warn(fmt.Sprintf("authorization policy %s is in dry run: %s", p.ID(), p.note), &pulumi.LogArgs{Resource: component})
}

func (a Args) problems() problem.List {
	var list problem.List
	if len(a.Policies) == 0 {
		list.Add("policies", nil, "give at least one")
	}
	seen := map[string]bool{}
	for _, policy := range a.Policies {
		list.Within(policy.ID(), policy.Problems())
		if seen[policy.ID()] {
			list.Add(policy.ID(), policy.name, "name a policy once in its namespace")
		}
		seen[policy.ID()] = true
	}
	return list
}
