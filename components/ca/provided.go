package ca

import (
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Provided is an enterprise's own chain: its root stays where it is, and the mesh
// gets an intermediate with its key.
type Provided struct {
	// Chain is the PEM chain in order: the certificate that istiod signs with, further
	// intermediates if there are any, and the self-signed root last.
	Chain string
	// PrivateKey is the PEM key of the first certificate, in PKCS #8, PKCS #1 or SEC 1.
	PrivateKey string
	// MinimumLife is how long every certificate must still be valid.
	MinimumLife time.Duration
	// Now is the time of the check.
	Now time.Time
}

// Problems returns what is wrong with the chain and the key. It never contains
// the key.
func (p Provided) Problems() problem.List {
	var list problem.List
	certificates := parseChain(&list, p.Chain)
	key := parseKey(&list, p.PrivateKey)
	if len(certificates) == 0 {
		return list
	}
	checkLinks(&list, certificates)
	checkAuthority(&list, certificates)
	checkValidity(&list, certificates, p.Now, p.MinimumLife)
	if key != nil {
		checkPair(&list, certificates[0], key)
	}
	return list
}

func (p Provided) issue(*pulumi.Context, string, pulumi.Resource) (*material, error) {
	var list problem.List
	certificates := parseChain(&list, p.Chain)
	if err := list.Err(); err != nil {
		return nil, err
	}
	issuing, root := certificates[0], certificates[len(certificates)-1]
	return &material{
		certificate:   pulumi.String(encodeCertificates(issuing)).ToStringOutput(),
		key:           secretString(pulumi.String(strings.TrimSpace(p.PrivateKey) + "\n").ToStringOutput()),
		root:          pulumi.String(encodeCertificates(root)).ToStringOutput(),
		chain:         pulumi.String(encodeCertificates(certificates...)).ToStringOutput(),
		rootExpiry:    pulumi.String(root.NotAfter.Format(time.RFC3339)).ToStringOutput(),
		issuingExpiry: pulumi.String(issuing.NotAfter.Format(time.RFC3339)).ToStringOutput(),
	}, nil
}
