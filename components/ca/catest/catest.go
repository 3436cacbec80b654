// Package catest makes certificate chains for tests, good ones and broken ones.
package catest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Now returns the time at which the chains of [New] are in the middle of their lives.
func Now() time.Time { return time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC) }

// Certificate is a certificate with its key and its issuer.
type Certificate struct {
	// Template is what the certificate is made from; a test may change it before [Sign].
	Template *x509.Certificate
	// Key is the private key.
	Key crypto.Signer
	// PEM is the signed certificate.
	PEM string
}

// New returns an unsigned CA certificate that may sign pathLength intermediates,
// valid from a year before at until three years after it.
func New(t testing.TB, name string, pathLength int, at time.Time) *Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	return &Certificate{
		Key: key,
		Template: &x509.Certificate{
			SerialNumber:          serial,
			Subject:               pkix.Name{CommonName: name, Organization: []string{"Test"}},
			NotBefore:             at.AddDate(-1, 0, 0),
			NotAfter:              at.AddDate(3, 0, 0),
			IsCA:                  true,
			BasicConstraintsValid: true,
			MaxPathLen:            pathLength,
			MaxPathLenZero:        pathLength == 0,
			KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		},
	}
}

// Sign has issuer sign the certificate; a certificate that signs itself is a root.
func (c *Certificate) Sign(t testing.TB, issuer *Certificate) *Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c.Template, issuer.Template, c.Key.Public(), issuer.Key)
	require.NoError(t, err)
	c.PEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return c
}

// KeyPEM returns the private key in PKCS #8.
func (c *Certificate) KeyPEM(t testing.TB) string {
	t.Helper()
	return EncodeKey(t, c.Key)
}

// EncodeKey returns key in PKCS #8.
func EncodeKey(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Chain returns a root and the intermediate that it signed, in the middle of their
// lives at the time at.
func Chain(t testing.TB, at time.Time) (root, intermediate *Certificate) {
	t.Helper()
	root = New(t, "Test Root", 1, at)
	root.Sign(t, root)
	intermediate = New(t, "Test Intermediate", 0, at)
	intermediate.Sign(t, root)
	return root, intermediate
}
