// Package ca gives the mesh its certificate authority: a root, and below it an
// intermediate with which istiod signs workload certificates. Only the
// intermediate's key ever reaches the cluster.
package ca

import (
	"encoding/base64"
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Type is the type token of [Authority].
const Type = "mcp-mesh:ca:CertificateAuthority"

// SecretName is the name of the Secret that istiod reads its CA from
// (https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/).
const SecretName = "cacerts"

// Source is where the certificates come from: [Generated] or [Provided].
type Source interface {
	// Problems returns what is wrong with the source, with fields relative to it.
	Problems() problem.List
	// issue returns the certificates, with parent as the parent of what it creates.
	issue(ctx *pulumi.Context, name string, parent pulumi.Resource) (*material, error)
}

// material is what goes into the Secret, and when it expires.
type material struct {
	certificate, key, root, chain pulumi.StringOutput
	rootExpiry, issuingExpiry     pulumi.StringOutput
}

// Args describe a certificate authority.
type Args struct {
	// Namespace is the namespace of the control plane; it must exist. Required.
	Namespace string
	// Source is where the certificates come from. Required.
	Source Source
}

// Authority is the certificate authority of a mesh.
type Authority struct {
	pulumi.ResourceState

	// Secret is the Secret "cacerts". The control plane must depend on it: an istiod
	// that starts before it signs with a CA of its own until it is restarted
	// (istio/istio#57853).
	Secret *corev1.Secret
	// RootExpiry is when the root expires, in RFC 3339.
	RootExpiry pulumi.StringOutput `pulumi:"rootExpiry"`
	// IssuingExpiry is when the certificate that istiod signs with expires, in RFC 3339.
	IssuingExpiry pulumi.StringOutput `pulumi:"issuingExpiry"`
}

// New creates the authority. It returns an error that lists every unusable
// argument, before anything is created.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Authority, error) {
	if err := args.problems().Err(); err != nil {
		return nil, fmt.Errorf("certificate authority %q: %w", name, err)
	}
	component := &Authority{}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("certificate authority %q: %w", name, err)
	}
	issued, err := args.Source.issue(ctx, name, component)
	if err != nil {
		return nil, fmt.Errorf("certificate authority %q: %w", name, err)
	}
	component.Secret, err = newSecret(ctx, args.Namespace, issued, pulumi.Parent(component))
	if err != nil {
		return nil, fmt.Errorf("certificate authority %q: %w", name, err)
	}
	component.RootExpiry, component.IssuingExpiry = issued.rootExpiry, issued.issuingExpiry
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{
		"rootExpiry":    component.RootExpiry,
		"issuingExpiry": component.IssuingExpiry,
	})
}

func (a Args) problems() problem.List {
	var list problem.List
	if a.Namespace == "" {
		list.Add("namespace", nil, "name the namespace of the control plane, such as istio-system")
	}
	if a.Source == nil {
		list.Add("source", nil, "use ca.Generated or ca.Provided")
		return list
	}
	list.Within("source", a.Source.Problems())
	return list
}

// newSecret creates the Secret. Its values are given as `data`, the form in which
// the API server returns them, so that a refresh finds nothing to change.
func newSecret(ctx *pulumi.Context, namespace string, m *material, opts ...pulumi.ResourceOption) (*corev1.Secret, error) {
	return corev1.NewSecret(ctx, SecretName, &corev1.SecretArgs{
		Metadata: metav1.ObjectMetaArgs{
			Name:      pulumi.String(SecretName),
			Namespace: pulumi.String(namespace),
			Labels:    pulumi.StringMap{"app.kubernetes.io/part-of": pulumi.String("mcp-mesh")},
		},
		Type: pulumi.String("Opaque"),
		Data: pulumi.StringMap{
			"ca-cert.pem":    encode(m.certificate),
			"ca-key.pem":     pulumi.ToSecret(encode(m.key)).(pulumi.StringOutput),
			"root-cert.pem":  encode(m.root),
			"cert-chain.pem": encode(m.chain),
		},
	}, opts...)
}

func encode(text pulumi.StringOutput) pulumi.StringOutput {
	return text.ApplyT(func(text string) string {
		return base64.StdEncoding.EncodeToString([]byte(text))
	}).(pulumi.StringOutput)
}
