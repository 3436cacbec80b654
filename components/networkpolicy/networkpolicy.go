package networkpolicy

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/istioobject"
	"github.com/mcp-security-platform/mesh/components/problem"
)

// Type is the type token of [Policies].
const Type = "mcp-mesh:networkpolicy:Policies"

// Args describe the policies.
type Args struct {
	// Policies are registered in their order, those without rules last. At least one.
	Policies []Policy
}

// Policies are policies that belong together.
type Policies struct {
	pulumi.ResourceState

	// All are the policies, for dependencies.
	All []pulumi.Resource
}

// New declares the policies. What denies by default comes after what allows, so
// that a cluster in use is never shut in between. It returns an error that lists
// every unusable argument.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Policies, error) {
	if err := args.problems().Err(); err != nil {
		return nil, fmt.Errorf("network policies %q: %w", name, err)
	}
	component := &Policies{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("network policies %q: %w", name, err)
	}
	for _, closing := range []bool{false, true} {
		before := pulumi.DependsOn(component.All)
		for _, policy := range args.Policies {
			if policy.closes() != closing {
				continue
			}
			resource, err := istioobject.New(ctx, policy.ID(), policy.Object(), pulumi.Parent(component), before)
			if err != nil {
				return nil, fmt.Errorf("network policies %q: %w", name, err)
			}
			component.All = append(component.All, resource)
		}
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{})
}

// ID returns the policy's name among those of all namespaces.
func (p Policy) ID() string { return p.Namespace + "." + p.Name }

func (p Policy) closes() bool { return len(p.Ingress)+len(p.Egress) == 0 }

func (a Args) problems() problem.List {
	var list problem.List
	if len(a.Policies) == 0 {
		list.Add("policies", nil, "give at least one")
	}
	seen := map[string]bool{}
	for _, policy := range a.Policies {
		list.Within(policy.ID(), policy.Problems())
		if seen[policy.ID()] {
			list.Add(policy.ID(), policy.Name, "name a policy once in its namespace")
		}
		seen[policy.ID()] = true
	}
	return list
}

// Problems returns what is wrong with the policy.
func (p Policy) Problems() problem.List {
	var list problem.List
	if len(validation.IsDNS1123Subdomain(p.Name)) > 0 {
		list.Add("name", p.Name, "use a DNS name")
	}
	if len(validation.IsDNS1123Label(p.Namespace)) > 0 {
		list.Add("namespace", p.Namespace, "name the namespace of the pods")
	}
	for i, rule := range p.Ingress {
		list.Within(fmt.Sprintf("ingress[%d]", i), rule.problems())
	}
	for i, rule := range p.Egress {
		list.Within(fmt.Sprintf("egress[%d]", i), rule.problems())
	}
	return list
}

func (r Rule) problems() problem.List {
	var list problem.List
	if len(r.Peers) == 0 {
		list.Add("peers", nil, "name at least one; Kubernetes takes none for everybody, which is Anywhere")
	}
	if len(r.Ports) == 0 {
		list.Add("ports", nil, "name at least one; Kubernetes takes none for all")
	}
	for _, peer := range r.Peers {
		switch {
		case peer.api.IPBlock != nil:
			if _, err := netip.ParsePrefix(peer.api.IPBlock.CIDR); err != nil {
				list.Add("peers", peer.api.IPBlock.CIDR, "use CIDR notation such as 203.0.113.0/24")
			}
		case peer.api.NamespaceSelector == nil:
			list.Add("peers", nil, "make peers with the functions of this package")
		case peer.api.PodSelector != nil && len(peer.api.PodSelector.MatchLabels) == 0:
			list.Add("peers", nil, "name labels, or use Namespace for all of its pods")
		}
	}
	for _, port := range r.Ports {
		if len(validation.IsValidPortNum(port.number)) > 0 {
			list.Add("ports", port.number, "use a port from 1 to 65535")
		}
	}
	return list
}
