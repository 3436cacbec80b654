package ca

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Algorithm is a kind of private key.
type Algorithm string

// The kinds of keys that istiod can sign with.
const (
	// RSA keys have a size of [Generated.RSABits].
	RSA Algorithm = "RSA"
	// ECDSA keys lie on the curve [Generated.ECDSACurve].
	ECDSA Algorithm = "ECDSA"
)

// hoursPerDay converts the lifetimes, which are days for people, into the hours
// that pulumi-tls wants.
const hoursPerDay = 24

// Subject is the distinguished name of both certificates, but for their common
// names.
type Subject struct {
	// Common name of the root; the intermediate's is the same with its generation.
	CommonName string `json:"commonName"`
	// Organization that runs the mesh.
	Organization string `json:"organization"`
	// Organizational unit; empty for none.
	OrganizationalUnit string `json:"organizationalUnit"`
	// Two-letter ISO 3166 country code; empty for none.
	Country string `json:"country"`
}

// Generated is a root and an intermediate made with pulumi-tls. The keys lie in
// the stack's state, encrypted by its secrets provider; an enterprise that wants
// its root elsewhere uses [Provided].
type Generated struct {
	// Kind of both private keys: `RSA` or `ECDSA`.
	Algorithm Algorithm `json:"algorithm"`
	// Size of RSA keys in bits: 2048, 3072 or 4096.
	RSABits int `json:"rsaBits"`
	// Curve of ECDSA keys: `P256` or `P384`.
	ECDSACurve string `json:"ecdsaCurve"`
	// Lifetime of the root in days.
	RootDays int `json:"rootDays"`
	// Lifetime of an intermediate in days; well below the root's.
	IntermediateDays int `json:"intermediateDays"`
	// Generation of the intermediate. Raising it makes a new key and certificate under
	// the same root, which istiod picks up without a restart.
	Generation int `json:"generation"`
	// Whether Pulumi refuses to replace or delete the root. A new root is a new trust
	// anchor that running proxies do not accept, so a change of the root's settings
	// must not slip through in an ordinary update.
	ProtectRoot bool `json:"protectRoot"`
	// Distinguished name of the certificates.
	Subject Subject `json:"subject"`
}

// Problems returns what is wrong with the settings.
func (g Generated) Problems() problem.List {
	var list problem.List
	switch g.Algorithm {
	case RSA:
		if g.RSABits != 2048 && g.RSABits != 3072 && g.RSABits != 4096 {
			list.Add("rsaBits", g.RSABits, "use 2048, 3072 or 4096")
		}
	case ECDSA:
		if g.ECDSACurve != "P256" && g.ECDSACurve != "P384" {
			list.Add("ecdsaCurve", g.ECDSACurve, "use P256 or P384, the curves that istiod can sign with")
		}
	default:
		list.Add("algorithm", string(g.Algorithm), "choose %s or %s", RSA, ECDSA)
	}
	if g.IntermediateDays < 1 {
		list.Add("intermediateDays", g.IntermediateDays, "use 1 day or more")
	}
	if g.RootDays <= g.IntermediateDays {
		list.Add("rootDays", g.RootDays, "the root must outlive its intermediates; use more than intermediateDays, which is %d", g.IntermediateDays)
	}
	if g.Generation < 1 {
		list.Add("generation", g.Generation, "start at 1 and raise it by 1 for each rotation")
	}
	list.Within("subject", g.Subject.problems())
	return list
}

func (s Subject) problems() problem.List {
	var list problem.List
	if strings.TrimSpace(s.CommonName) == "" {
		list.Add("commonName", nil, "name the authority, such as MCP Mesh CA")
	}
	if strings.TrimSpace(s.Organization) == "" {
		list.Add("organization", nil, "name the organization that runs the mesh")
	}
	if s.Country != "" && len(s.Country) != 2 {
		list.Add("country", s.Country, "use a two-letter country code such as CH")
	}
	return list
}

// issue makes the root and the intermediate. Every resource of the intermediate
// carries its generation in its name, so that a rotation creates its successor
// before it takes the old one away, and the preview says which is which.
func (g Generated) issue(ctx *pulumi.Context, name string, parent pulumi.Resource) (*material, error) {
	rootKey, root, err := g.newRoot(ctx, name+"-root", parent)
	if err != nil {
		return nil, fmt.Errorf("root: %w", err)
	}
	key, certificate, err := g.newIntermediate(ctx, fmt.Sprintf("%s-intermediate-%d", name, g.Generation), rootKey, root, parent)
	if err != nil {
		return nil, fmt.Errorf("intermediate: %w", err)
	}
	return &material{
		certificate:   certificate.CertPem,
		key:           secretString(key.PrivateKeyPemPkcs8), // the one form that istiod reads for every algorithm
		root:          root.CertPem,
		chain:         pulumi.Sprintf("%s%s", certificate.CertPem, root.CertPem),
		rootExpiry:    root.ValidityEndTime,
		issuingExpiry: certificate.ValidityEndTime,
	}, nil
}

func (g Generated) newRoot(ctx *pulumi.Context, name string, parent pulumi.Resource) (*tls.PrivateKey, *tls.SelfSignedCert, error) {
	opts := []pulumi.ResourceOption{pulumi.Parent(parent), pulumi.Protect(g.ProtectRoot)}
	key, err := g.newKey(ctx, name, opts...)
	if err != nil {
		return nil, nil, err
	}
	root, err := tls.NewSelfSignedCert(ctx, name, &tls.SelfSignedCertArgs{
		PrivateKeyPem:   secretString(key.PrivateKeyPem),
		IsCaCertificate: pulumi.Bool(true),
		// One intermediate below the root and no further: a CA that an intermediate
		// signed does not verify.
		MaxPathLength:       pulumi.Int(1),
		SetSubjectKeyId:     pulumi.Bool(true),
		SetAuthorityKeyId:   pulumi.Bool(true),
		AllowedUses:         signingUses(),
		ValidityPeriodHours: pulumi.Int(g.RootDays * hoursPerDay),
		Subject: tls.SelfSignedCertSubjectArgs{
			CommonName:         pulumi.String(g.Subject.CommonName),
			Organization:       pulumi.String(g.Subject.Organization),
			OrganizationalUnit: optional(g.Subject.OrganizationalUnit),
			Country:            optional(g.Subject.Country),
		},
	}, opts...)
	return key, root, err
}

func (g Generated) newIntermediate(
	ctx *pulumi.Context, name string, rootKey *tls.PrivateKey, root *tls.SelfSignedCert, parent pulumi.Resource,
) (*tls.PrivateKey, *tls.LocallySignedCert, error) {
	key, err := g.newKey(ctx, name, pulumi.Parent(parent))
	if err != nil {
		return nil, nil, err
	}
	request, err := tls.NewCertRequest(ctx, name, &tls.CertRequestArgs{
		PrivateKeyPem: secretString(key.PrivateKeyPem),
		Subject: tls.CertRequestSubjectArgs{
			CommonName:         pulumi.Sprintf("%s Intermediate %d", g.Subject.CommonName, g.Generation),
			Organization:       pulumi.String(g.Subject.Organization),
			OrganizationalUnit: optional(g.Subject.OrganizationalUnit),
			Country:            optional(g.Subject.Country),
		},
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, nil, err
	}
	certificate, err := tls.NewLocallySignedCert(ctx, name, &tls.LocallySignedCertArgs{
		CertRequestPem:  request.CertRequestPem,
		CaPrivateKeyPem: secretString(rootKey.PrivateKeyPem),
		CaCertPem:       root.CertPem,
		IsCaCertificate: pulumi.Bool(true),
		// The provider drops a length of 0 (it leaves x509's MaxPathLenZero unset); the
		// root's length holds all the same.
		MaxPathLength:       pulumi.Int(0),
		SetSubjectKeyId:     pulumi.Bool(true),
		AllowedUses:         signingUses(),
		ValidityPeriodHours: pulumi.Int(g.IntermediateDays * hoursPerDay),
	}, pulumi.Parent(parent))
	return key, certificate, err
}

func (g Generated) newKey(ctx *pulumi.Context, name string, opts ...pulumi.ResourceOption) (*tls.PrivateKey, error) {
	args := &tls.PrivateKeyArgs{Algorithm: pulumi.String(string(g.Algorithm))}
	if g.Algorithm == RSA {
		args.RsaBits = pulumi.Int(g.RSABits)
	} else {
		args.EcdsaCurve = pulumi.String(g.ECDSACurve)
	}
	return tls.NewPrivateKey(ctx, name, args, opts...)
}

func signingUses() pulumi.StringArray {
	return pulumi.ToStringArray([]string{"cert_signing", "crl_signing"})
}

func secretString(text pulumi.StringOutput) pulumi.StringOutput {
	return pulumi.ToSecret(text).(pulumi.StringOutput)
}

func optional(text string) pulumi.StringPtrInput {
	if text == "" {
		return nil
	}
	return pulumi.String(text)
}
