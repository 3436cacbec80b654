package requestauthentication

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	securityapi "istio.io/api/security/v1beta1"
	typeapi "istio.io/api/type/v1beta1"
	securityv1 "istio.io/client-go/pkg/apis/security/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-security-platform/mesh/components/authorization"
	"github.com/mcp-security-platform/mesh/components/identity"
	"github.com/mcp-security-platform/mesh/components/istioobject"
)

// Type is the type token of [Tokens].
const Type = "mcp-mesh:requestauthentication:Tokens"

// RequiredSuffix ends the name of the policy that requires a token, after the name
// of the one that says which are believed.
const RequiredSuffix = "-required"

// Args describe which tokens a group of workloads believes, and where they require
// one.
type Args struct {
	// Target are the workloads.
	Target authorization.Target
	// Issuers are those whose tokens are believed. At least one. A token that is there
	// but not valid is refused by all of the workloads, wherever it is not required, too.
	Issuers []Issuer
	// ClaimsToHeaders are claims that are copied to headers for the application, from
	// the tokens of all issuers alike: a header that only some write could be sent by a
	// client who holds a token of another.
	ClaimsToHeaders []ClaimToHeader
	// Forward says whether the token goes on to the next hop, which may check it again.
	Forward bool
	// Required says where a valid token must be there. Required.
	Required Required
}

// Required says which requests must bring a valid token.
type Required struct {
	// Ports are the ports of the workloads on which a token is required.
	Ports authorization.Ports
	// From are the callers that must bring one; empty for all.
	From []identity.Identity
	// Operations are what a token is required for. At least one.
	Operations []authorization.Operation
}

// Tokens are the two policies about tokens for a group of workloads.
type Tokens struct {
	pulumi.ResourceState

	// All are the policies, for dependencies.
	All []pulumi.Resource
}

// New declares which tokens are believed and where one is required. It must depend
// on the control plane, whose webhook validates the policies. It returns an error
// that lists every unusable argument.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Tokens, error) {
	if err := args.problems().Err(); err != nil {
		return nil, fmt.Errorf("request authentication %q: %w", name, err)
	}
	component := &Tokens{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("request authentication %q: %w", name, err)
	}
	believed, err := istioobject.New(ctx, name, args.Object(name), pulumi.Parent(component))
	if err != nil {
		return nil, fmt.Errorf("request authentication %q: %w", name, err)
	}
	// Without the former no token is valid, and the latter would refuse all of them.
	required, err := istioobject.New(ctx, name+RequiredSuffix, args.Policy(name+RequiredSuffix).Object(),
		pulumi.Parent(component), pulumi.DependsOn([]pulumi.Resource{believed}))
	if err != nil {
		return nil, fmt.Errorf("request authentication %q: %w", name, err)
	}
	component.All = []pulumi.Resource{believed, required}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{})
}

// Object returns the RequestAuthentication.
func (a Args) Object(name string) *securityv1.RequestAuthentication {
	object := &securityv1.RequestAuthentication{
		TypeMeta:   metav1.TypeMeta{APIVersion: securityv1.SchemeGroupVersion.String(), Kind: "RequestAuthentication"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: a.Target.Namespace},
		Spec:       securityapi.RequestAuthentication{},
	}
	if len(a.Target.Pods) > 0 {
		object.Spec.Selector = &typeapi.WorkloadSelector{MatchLabels: a.Target.Pods}
	}
	for _, issuer := range a.Issuers {
		object.Spec.JwtRules = append(object.Spec.JwtRules, issuer.rule(a.Forward, a.ClaimsToHeaders))
	}
	return object
}

// Policy returns the policy that refuses requests without a valid token of one of
// the issuers.
func (a Args) Policy(name string) authorization.Policy {
	var issuers []string
	for _, issuer := range a.Issuers {
		issuers = append(issuers, issuer.Issuer)
	}
	return authorization.Deny(name, a.Target, a.Required.Ports, authorization.Rule{
		From: a.Required.From,
		To:   a.Required.Operations,
		When: []authorization.Condition{authorization.NoClaim([]string{"iss"}, issuers[0], issuers[1:]...)},
	})
}
