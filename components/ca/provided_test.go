package ca

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mcp-security-platform/mesh/components/ca/catest"
)

const ninetyDays = 90 * 24 * time.Hour

func provided(chain, key string) Provided {
	return Provided{Chain: chain, PrivateKey: key, MinimumLife: ninetyDays, Now: catest.Now()}
}

func TestProvidedAcceptsGoodChains(t *testing.T) {
	root, intermediate := catest.Chain(t, catest.Now())
	deepRoot := catest.New(t, "Deep Root", 2, catest.Now())
	deepRoot.Sign(t, deepRoot)
	policy := catest.New(t, "Policy CA", 1, catest.Now()).Sign(t, deepRoot)
	issuing := catest.New(t, "Issuing CA", 0, catest.Now()).Sign(t, policy)
	ecdsaKey, err := x509.MarshalECPrivateKey(intermediate.Key.(*ecdsa.PrivateKey))
	require.NoError(t, err)

	for name, p := range map[string]Provided{
		"intermediate and root":  provided(intermediate.PEM+root.PEM, intermediate.KeyPEM(t)),
		"two intermediates":      provided(issuing.PEM+policy.PEM+deepRoot.PEM, issuing.KeyPEM(t)),
		"comments and blanks":    provided("\nsubject=CN = x\n"+intermediate.PEM+"\n\n"+root.PEM+"\n", intermediate.KeyPEM(t)+"\n\n"),
		"SEC 1 key":              provided(intermediate.PEM+root.PEM, encode1("EC PRIVATE KEY", ecdsaKey)),
		"exactly the life asked": {Chain: intermediate.PEM + root.PEM, PrivateKey: intermediate.KeyPEM(t), MinimumLife: root.Template.NotAfter.Sub(catest.Now()), Now: catest.Now()},
	} {
		t.Run(name, func(t *testing.T) { assert.Empty(t, p.Problems()) })
	}
}

func TestProvidedRefusesBadChains(t *testing.T) {
	root, intermediate := catest.Chain(t, catest.Now())
	otherRoot, other := catest.Chain(t, catest.Now())
	key := intermediate.KeyPEM(t)
	// vary returns a chain whose intermediate differs from a good one in its template.
	vary := func(change func(*x509.Certificate)) string {
		varied := catest.New(t, "Test Intermediate", 0, catest.Now())
		varied.Key = intermediate.Key
		change(varied.Template)
		return varied.Sign(t, root).PEM + root.PEM
	}
	shortRoot := catest.New(t, "Short Root", 0, catest.Now())
	shortRoot.Sign(t, shortRoot)
	middle := catest.New(t, "Middle", 1, catest.Now()).Sign(t, shortRoot)
	leaf := catest.New(t, "Leaf CA", 0, catest.Now()).Sign(t, middle)

	for name, tc := range map[string]struct {
		provided Provided
		field    string
		remedy   string
	}{
		"no chain":             {provided("", key), "chain", "give the PEM chain"},
		"not PEM":              {provided("hello", key), "chain", "use PEM blocks only"},
		"text after the chain": {provided(intermediate.PEM+root.PEM+"hello", key), "chain", "use PEM blocks only"},
		"key in the chain":     {provided(intermediate.PEM+root.PEM+key, key), "chain", "a key belongs in privateKey"},
		"damaged certificate":  {provided(encode1("CERTIFICATE", []byte("no DER"))+root.PEM, key), "chain", "does not parse"},
		"root alone":           {provided(root.PEM, root.KeyPEM(t)), "chain", "issuing certificate and its root"},
		"wrong order":          {provided(root.PEM+intermediate.PEM, root.KeyPEM(t)), "chain", "self-signed root"},
		"missing link":         {provided(leaf.PEM+shortRoot.PEM, leaf.KeyPEM(t)), "chain", "order the chain"},
		"foreign root":         {provided(intermediate.PEM+otherRoot.PEM, key), "chain", "signature was not made by the next certificate"},
		"root missing":         {provided(leaf.PEM+middle.PEM, leaf.KeyPEM(t)), "chain", "self-signed root"},
		"no CA":                {provided(vary(func(c *x509.Certificate) { c.IsCA, c.MaxPathLenZero = false, false }), key), "chain", "CA:TRUE"},
		"may not sign":         {provided(vary(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), key), "chain", "keyCertSign"},
		"path too long":        {provided(leaf.PEM+middle.PEM+shortRoot.PEM, leaf.KeyPEM(t)), "chain", "raise its path length"},
		"expired":              {provided(vary(func(c *x509.Certificate) { c.NotAfter = catest.Now().Add(-time.Hour) }), key), "chain", "it expired on 2030-06-01T11:00:00Z"},
		"not valid yet":        {provided(vary(func(c *x509.Certificate) { c.NotBefore = catest.Now().Add(time.Hour) }), key), "chain", "valid from 2030-06-01T13:00:00Z only"},
		"too little life":      {provided(vary(func(c *x509.Certificate) { c.NotAfter = catest.Now().Add(ninetyDays - time.Hour) }), key), "chain", "89 days, which is less than the 90 days"},
		"no key":               {provided(intermediate.PEM+root.PEM, ""), "privateKey", "set the PEM key"},
		"key is not PEM":       {provided(intermediate.PEM+root.PEM, "hello"), "privateKey", "not PEM"},
		"two keys":             {provided(intermediate.PEM+root.PEM, key+key), "privateKey", "more than one PEM block"},
		"key is a certificate": {provided(intermediate.PEM+root.PEM, root.PEM), "privateKey", "type CERTIFICATE is not a private key"},
		"damaged key":          {provided(intermediate.PEM+root.PEM, encode1("PRIVATE KEY", []byte("no DER"))), "privateKey", "does not parse"},
		"encrypted key":        {provided(intermediate.PEM+root.PEM, encode1("ENCRYPTED PRIVATE KEY", []byte("x"))), "privateKey", "pass phrase"},
		"key of another":       {provided(intermediate.PEM+root.PEM, other.KeyPEM(t)), "privateKey", "does not belong to the first certificate"},
		"weak RSA key":         {provided(intermediate.PEM+root.PEM, weakRSA(t)), "privateKey", "1024 bits"},
		"P-521 key":            {provided(intermediate.PEM+root.PEM, p521(t)), "privateKey", "P-521"},
		"Ed25519 key":          {provided(intermediate.PEM+root.PEM, ed25519Key(t)), "privateKey", "cannot sign with a key of type"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := tc.provided.Problems()
			require.NotEmpty(t, problems)
			var texts []string
			for _, p := range problems {
				texts = append(texts, p.String())
			}
			all := strings.Join(texts, "\n")
			assert.Contains(t, all, tc.remedy)
			assert.True(t, strings.HasPrefix(problems[len(problems)-1].Field, tc.field) || strings.Contains(all, tc.field+" is"), all)
			for _, line := range strings.Split(strings.TrimSpace(tc.provided.PrivateKey), "\n") {
				if len(line) > 20 && !strings.HasPrefix(line, "-----") && !strings.Contains(tc.provided.Chain, line) {
					assert.NotContains(t, all, line, "the key must not be shown")
				}
			}
		})
	}
}

func TestProvidedReportsAllProblemsAtOnce(t *testing.T) {
	root, intermediate := catest.Chain(t, catest.Now())
	_, other := catest.Chain(t, catest.Now())
	p := provided(intermediate.PEM+root.PEM, other.KeyPEM(t))
	p.Now = root.Template.NotAfter.Add(time.Hour)
	assert.Len(t, p.Problems(), 3, "two expired certificates and a foreign key")
}

func encode1(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func weakRSA(t *testing.T) string {
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	return catest.EncodeKey(t, key)
}

func p521(t *testing.T) string {
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	return catest.EncodeKey(t, key)
}

func ed25519Key(t *testing.T) string {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return catest.EncodeKey(t, key)
}
