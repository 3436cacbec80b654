package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/keyutil"
)

// Files of the data folder, which is the working directory.
const (
	kubeconfigFile = "kubeconfig"
	pkiDir         = "pki"
	caFile         = "pki/ca.pem"     // certificate and key: only this process reads it
	caCertFile     = "pki/ca.crt"     // certificate alone: published in every namespace
	servingFile    = "pki/server.pem" // certificate and key
	adminFile      = "pki/admin.pem"  // certificate and key
	tokenKeyFile   = "pki/tokens.key" // signs service account tokens
)

// clusterName is the name of the cluster, its user and its context in the kubeconfig.
const clusterName = "mesh-sandbox"

// validity outlives any sandbox: nothing here renews certificates.
const validity = 10 * 365 * 24 * time.Hour

// keyPair is a certificate with its key, and the PEM text of both.
type keyPair struct {
	cert    *x509.Certificate
	key     crypto.Signer
	certPEM []byte
	keyPEM  []byte
}

// preparePKI makes the cluster's keys on its first start, finds them on the
// next, and writes the kubeconfig of the administrator of the API server.
func preparePKI(server string) error {
	if err := os.MkdirAll(pkiDir, 0o700); err != nil {
		return fmt.Errorf("make pki folder: %w", err)
	}
	ca, err := loadOrIssue(caFile, caTemplate(), nil)
	if err != nil {
		return err
	}
	if err := writeFile(caCertFile, ca.certPEM); err != nil {
		return fmt.Errorf("write CA certificate: %w", err)
	}
	if _, err := loadOrIssue(servingFile, servingTemplate(), ca); err != nil {
		return err
	}
	admin, err := loadOrIssue(adminFile, adminTemplate(), ca)
	if err != nil {
		return err
	}
	if err := ensureTokenKey(); err != nil {
		return err
	}
	return writeKubeconfig(server, ca, admin)
}

func caTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: clusterName + "-ca"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
}

func servingTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{
			"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(apiServiceIP)},
	}
}

func adminTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: clusterName + "-admin", Organization: []string{"system:masters"}},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

// loadOrIssue returns the pair in file, issued now by issuer (nil: by itself) if there is none.
func loadOrIssue(file string, template *x509.Certificate, issuer *keyPair) (*keyPair, error) {
	content, err := os.ReadFile(file)
	switch {
	case err == nil:
		pair, err := parsePair(content)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		return pair, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("read key pair: %w", err)
	}
	pair, err := issue(template, issuer)
	if err != nil {
		return nil, fmt.Errorf("issue %s: %w", file, err)
	}
	if err := writeFile(file, append(pair.certPEM, pair.keyPEM...)); err != nil {
		return nil, fmt.Errorf("write key pair: %w", err)
	}
	return pair, nil
}

func issue(template *x509.Certificate, issuer *keyPair) (*keyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if issuer == nil {
		issuer = &keyPair{cert: template, key: key}
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	// An hour back, for a clock that is set right only after the first start.
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(validity)
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.cert, key.Public(), issuer.key)
	if err != nil {
		return nil, err
	}
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return nil, err
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return parsePair(append(certPEM, keyPEM...))
}

func parsePair(content []byte) (*keyPair, error) {
	block, rest := pem.Decode(content)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("no certificate in it")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, err := keyutil.ParsePrivateKeyPEM(rest)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("its key cannot sign")
	}
	return &keyPair{cert: cert, key: signer, certPEM: pem.EncodeToMemory(block), keyPEM: rest}, nil
}

func ensureTokenKey() error {
	if _, err := os.Stat(tokenKeyFile); err == nil {
		return nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read token key: %w", err)
	}
	content, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return fmt.Errorf("make token key: %w", err)
	}
	if err := writeFile(tokenKeyFile, content); err != nil {
		return fmt.Errorf("write token key: %w", err)
	}
	return nil
}

// writeKubeconfig embeds all it refers to, so that the file can be copied elsewhere.
func writeKubeconfig(server string, ca, admin *keyPair) error {
	config := api.NewConfig()
	config.Clusters[clusterName] = &api.Cluster{Server: server, CertificateAuthorityData: ca.certPEM}
	config.AuthInfos[clusterName] = &api.AuthInfo{ClientCertificateData: admin.certPEM, ClientKeyData: admin.keyPEM}
	config.Contexts[clusterName] = &api.Context{Cluster: clusterName, AuthInfo: clusterName}
	config.CurrentContext = clusterName
	content, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("encode kubeconfig: %w", err)
	}
	if err := writeFile(kubeconfigFile, content); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
