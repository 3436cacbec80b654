package ca

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/mcp-security-platform/mesh/components/problem"
)

const certificateBlock = "CERTIFICATE"

// parseChain returns the certificates of a PEM chain, or adds what is wrong with
// its form.
func parseChain(list *problem.List, text string) []*x509.Certificate {
	const field = "chain"
	rest := bytes.TrimSpace([]byte(text))
	if len(rest) == 0 {
		list.Add(field, nil, "give the PEM chain: issuing certificate first, root last")
		return nil
	}
	var certificates []*x509.Certificate
	for len(rest) > 0 {
		block, remaining := pem.Decode(rest)
		if block == nil {
			list.Add(field, fmt.Sprintf("text after certificate %d", len(certificates)), "use PEM blocks only; this part is none")
			return nil
		}
		if block.Type != certificateBlock {
			list.Add(field, fmt.Sprintf("block %d of type %s", len(certificates)+1, block.Type), "use CERTIFICATE blocks only; a key belongs in privateKey")
			return nil
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			list.Add(field, fmt.Sprintf("certificate %d", len(certificates)+1), "it does not parse (%v); export it again", err)
			return nil
		}
		certificates = append(certificates, certificate)
		rest = bytes.TrimSpace(remaining)
	}
	return certificates
}

// parseKey returns a private key that istiod can sign with, or adds why there is
// none.
func parseKey(list *problem.List, text string) crypto.Signer {
	const field = "privateKey"
	trimmed := bytes.TrimSpace([]byte(text))
	if len(trimmed) == 0 {
		list.Add(field, nil, "set the PEM key of the issuing certificate as a secret")
		return nil
	}
	block, rest := pem.Decode(trimmed)
	if block == nil {
		list.Add(field, problem.Hidden, "it is not PEM; export the key with `openssl pkey -in KEY`")
		return nil
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		list.Add(field, problem.Hidden, "it holds more than one PEM block; give the key alone")
		return nil
	}
	key, err := parseKeyBlock(block)
	if err != nil {
		list.Add(field, problem.Hidden, "%v", err)
		return nil
	}
	return key
}

func parseKeyBlock(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return nil, errEncryptedKey
		}
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errEncryptedKey
	default:
		return nil, fmt.Errorf("a PEM block of type %s is not a private key; use PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY", block.Type)
	}
	if err != nil {
		// The parser's own words may quote the key, so they are not passed on.
		return nil, errors.New("it does not parse; export the key again with `openssl pkey -in KEY`")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign; use an RSA or ECDSA key", key)
	}
	return signer, nil
}

var errEncryptedKey = errors.New("it is protected by a pass phrase that istiod could not give; decrypt it with `openssl pkey` and set it as a secret")

// encodeCertificates returns the certificates in PEM, without the comments and
// attributes that exported files often carry.
func encodeCertificates(certificates ...*x509.Certificate) string {
	var text bytes.Buffer
	for _, certificate := range certificates {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: certificate.Raw}))
	}
	return text.String()
}
