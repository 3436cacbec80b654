package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/mcp-security-platform/mesh/components/problem"
)

const minimumRSABits = 2048

// checkLinks checks that each certificate is signed by the next one and that the
// last one is a self-signed root.
func checkLinks(list *problem.List, chain []*x509.Certificate) {
	if len(chain) < 2 {
		list.Add("chain", "1 certificate", "give the issuing certificate and its root: a root that signs workloads itself cannot be rotated")
	}
	for i, certificate := range chain[:len(chain)-1] {
		issuer := chain[i+1]
		if !bytes.Equal(certificate.RawIssuer, issuer.RawSubject) {
			list.Add("chain", describe(i, certificate),
				"its issuer is %q but the next certificate is %q; order the chain from the issuing certificate to the root",
				certificate.Issuer, issuer.Subject)
			continue
		}
		if err := signedBy(certificate, issuer); err != nil {
			list.Add("chain", describe(i, certificate), "its signature was not made by the next certificate (%v); give the chain that belongs together", err)
		}
	}
	last := len(chain) - 1
	root := chain[last]
	if !bytes.Equal(root.RawIssuer, root.RawSubject) || signedBy(root, root) != nil {
		list.Add("chain", describe(last, root), "the last certificate must be the self-signed root; append the certificate of %q", root.Issuer)
	}
}

// signedBy checks the signature alone: whether the issuer may sign is a check of
// its own, with a message of its own.
func signedBy(certificate, issuer *x509.Certificate) error {
	return issuer.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature)
}

// checkAuthority checks that every certificate may sign certificates and that no
// path length is exceeded.
func checkAuthority(list *problem.List, chain []*x509.Certificate) {
	for i, certificate := range chain {
		if !certificate.BasicConstraintsValid || !certificate.IsCA {
			list.Add("chain", describe(i, certificate), "it is no CA certificate; have it issued with basicConstraints CA:TRUE")
			continue
		}
		if certificate.KeyUsage&x509.KeyUsageCertSign == 0 {
			list.Add("chain", describe(i, certificate), "its key usage lacks certificate signing; have it issued with keyCertSign")
		}
		limited := certificate.MaxPathLen > 0 || certificate.MaxPathLenZero
		if limited && i > certificate.MaxPathLen {
			list.Add("chain", describe(i, certificate),
				"it allows %d intermediates below it but has %d; shorten the chain or raise its path length", certificate.MaxPathLen, i)
		}
	}
}

// checkValidity checks that every certificate is valid now and for some time to
// come.
func checkValidity(list *problem.List, chain []*x509.Certificate, now time.Time, minimumLife time.Duration) {
	for i, certificate := range chain {
		left := certificate.NotAfter.Sub(now)
		switch {
		case now.Before(certificate.NotBefore):
			list.Add("chain", describe(i, certificate), "it is valid from %s only; wait, or check the clock", certificate.NotBefore.Format(time.RFC3339))
		case left <= 0:
			list.Add("chain", describe(i, certificate), "it expired on %s; have it renewed", certificate.NotAfter.Format(time.RFC3339))
		case left < minimumLife:
			list.Add("chain", describe(i, certificate), "it expires on %s, in %s, which is less than the %s asked for; have it renewed",
				certificate.NotAfter.Format(time.RFC3339), days(left), days(minimumLife))
		}
	}
}

// checkPair checks that the key belongs to the certificate and is strong enough.
func checkPair(list *problem.List, certificate *x509.Certificate, key crypto.Signer) {
	public, ok := certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(key.Public()) {
		list.Add("privateKey", problem.Hidden, "it does not belong to the first certificate, %q; give the key of that certificate", certificate.Subject)
	}
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		if public.N.BitLen() < minimumRSABits {
			list.Add("privateKey", problem.Hidden, "its RSA key has %d bits; use %d or more", public.N.BitLen(), minimumRSABits)
		}
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() && public.Curve != elliptic.P384() {
			list.Add("privateKey", problem.Hidden, "its curve is %s; use P-256 or P-384, the curves that istiod can sign with", public.Params().Name)
		}
	default:
		list.Add("privateKey", problem.Hidden, "istiod cannot sign with a key of type %T; use an RSA or ECDSA key", key)
	}
}

func describe(index int, certificate *x509.Certificate) string {
	return fmt.Sprintf("certificate %d, %s", index+1, certificate.Subject)
}

func days(d time.Duration) string {
	return fmt.Sprintf("%d days", int(d.Hours()/hoursPerDay))
}
