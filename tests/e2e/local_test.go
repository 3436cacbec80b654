package e2e

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	system  = "istio-system"
	istiod  = "istiod-1-29-1"
	ingress = "istio-ingress"
	egress  = "istio-egress"
)

// The life of a stack, from the first up to the destroy.
func TestLocalStack(t *testing.T) {
	s := newStack(t, "local")
	before := s.cluster.objects(t)
	steps := []struct {
		name string
		run  func(*testing.T)
	}{
		{"bad configuration is refused and creates nothing", func(t *testing.T) { refuse(t, s) }},
		{"up", func(t *testing.T) { s.up(t) }},
		{"nothing changes on the second preview and on refresh", s.requireNoChanges},
		{"the mesh runs", func(t *testing.T) { checkMesh(t, s) }},
		{"the CA Secret holds a chain that verifies", func(t *testing.T) { checkCA(t, s) }},
		{"no private key stands in the state in the clear", func(t *testing.T) { checkState(t, s) }},
		{"a changed setting changes only what it should", func(t *testing.T) { changeSetting(t, s) }},
		{"a rotation changes only the intermediate", func(t *testing.T) { rotate(t, s) }},
		{"destroy leaves nothing", func(t *testing.T) {
			s.destroy(t)
			s.cluster.requireOnly(t, before)
		}},
	}
	for _, step := range steps {
		// Each step builds on the one before, so the first failure ends the test.
		if !t.Run(step.name, step.run) {
			return
		}
	}
}

func refuse(t *testing.T, s *stack) {
	before := s.cluster.objects(t)
	s.set(t, "mesh.trustdomain", "typo.company.com")
	s.set(t, "istiod.replicas.min", "0")
	_, err := s.Stack.Preview(context.Background())
	require.Error(t, err)
	assert.Contains(t, err.Error(), `mcp-mesh:mesh.trustdomain is "an unknown key": did you mean "trustDomain"?`)
	s.unset(t, "mesh.trustdomain")

	_, err = s.Up(context.Background())
	require.Error(t, err)
	assert.Contains(t, err.Error(), "mcp-mesh:istiod.replicas.min is 0: use 1 or more")
	s.unset(t, "istiod")
	s.cluster.requireOnly(t, before)
	for _, resource := range s.resources(t) {
		assert.Equal(t, "pulumi:pulumi:Stack", string(resource.Type), "nothing may be created")
	}
}

func checkMesh(t *testing.T, s *stack) {
	for name, namespace := range map[string]string{istiod: system, "public-ingress": ingress, "internal-ingress": ingress, "egress": egress} {
		zones := s.cluster.zonesOf(t, namespace, name, 1)
		assert.Len(t, zones, 1, name)
	}
	policies := s.cluster.dynamic.Resource(schema.GroupVersionResource{Group: "security.istio.io", Version: "v1", Resource: "peerauthentications"})
	policy, err := policies.Namespace(system).Get(context.Background(), "default", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"mtls": map[string]any{"mode": "STRICT"}}, policy.Object["spec"])

	service, err := s.cluster.CoreV1().Services(ingress).Get(context.Background(), "public-ingress", metav1.GetOptions{})
	require.NoError(t, err)
	assert.NotEmpty(t, service.Status.LoadBalancer.Ingress)

	mounts := 0
	for _, volume := range s.cluster.deployment(t, system, istiod).Spec.Template.Spec.Volumes {
		if volume.Name == "cacerts" {
			mounts++
			assert.False(t, *volume.Secret.Optional, "istiod must not start without its CA")
		}
	}
	assert.Equal(t, 1, mounts)
	tag, err := s.cluster.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(context.Background(), "istio-revision-tag-stable", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, istiod, tag.Webhooks[0].ClientConfig.Service.Name, "the tag leads to the revision")
}

// checkCA verifies the chain as istiod and as a proxy would, and with openssl
// where that is installed.
func checkCA(t *testing.T, s *stack) {
	files := s.cluster.secret(t, system, "cacerts")
	require.ElementsMatch(t, []string{"ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem"}, sortedKeys(files))
	pair, err := tls.X509KeyPair(files["ca-cert.pem"], files["ca-key.pem"])
	require.NoError(t, err, "the key belongs to the certificate")

	issuing, root := certificate(t, files["ca-cert.pem"]), certificate(t, files["root-cert.pem"])
	roots := x509.NewCertPool()
	roots.AddCert(root)
	_, err = issuing.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	require.NoError(t, err)
	assert.True(t, root.IsCA && issuing.IsCA)
	assert.Equal(t, 1, root.MaxPathLen)
	checkIntermediateSignsWorkloadsOnly(t, pair, roots, issuing)

	outputs, err := s.Outputs(context.Background())
	require.NoError(t, err)
	for output, want := range map[string]time.Time{"caRootExpiry": root.NotAfter, "caIssuingExpiry": issuing.NotAfter} {
		got, err := time.Parse(time.RFC3339, outputs[output].Value.(string))
		require.NoError(t, err)
		assert.WithinDuration(t, want, got, time.Second, output)
	}
	verifyWithOpenSSL(t, files)
}

// checkIntermediateSignsWorkloadsOnly signs a workload certificate, which must
// verify, and a further CA, whose workload certificate must not.
func checkIntermediateSignsWorkloadsOnly(t *testing.T, pair tls.Certificate, roots *x509.CertPool, issuing *x509.Certificate) {
	t.Helper()
	issuer := signer{issuing, pair.PrivateKey.(crypto.Signer)}
	further := issuer.sign(t, true)
	intermediates := x509.NewCertPool()
	intermediates.AddCert(issuing)
	intermediates.AddCert(further.certificate)
	options := x509.VerifyOptions{Roots: roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}

	_, err := issuer.sign(t, false).certificate.Verify(options)
	require.NoError(t, err, "workload certificate")
	_, err = further.sign(t, false).certificate.Verify(options)
	require.Error(t, err, "workload certificate of a CA below the intermediate")
}

type signer struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func (s signer) sign(t *testing.T, isCA bool) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: "test"},
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  isCA,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, s.certificate, key.Public(), s.key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return signer{certificate, key}
}

func verifyWithOpenSSL(t *testing.T, files map[string][]byte) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("openssl is not installed: the chain was verified by crypto/x509 only")
		return
	}
	folder := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
	command := exec.Command(openssl, "verify", "-CAfile", "root-cert.pem", "-untrusted", "cert-chain.pem", "ca-cert.pem")
	command.Dir = folder
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	assert.Contains(t, string(output), "ca-cert.pem: OK")
}

func certificate(t *testing.T, text []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(text)
	require.NotNil(t, block)
	parsed, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return parsed
}

// checkState reads the files of the backend: state, backups and history.
func checkState(t *testing.T, s *stack) {
	files := 0
	err := filepath.WalkDir(s.state, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		assert.NotContains(t, string(content), "PRIVATE KEY", path)
		assert.NotContains(t, string(content), "UFJJVkFURSBLRVk", "%s: PRIVATE KEY in Base64", path)
		return err
	})
	require.NoError(t, err)
	assert.Positive(t, files)
}

func changeSetting(t *testing.T, s *stack) {
	s.set(t, "mesh.workloadCertificateHours", "12")
	assert.Equal(t, map[string]apitype.OpType{
		"kubernetes:core/v1:ConfigMap control-plane-istiod:istio-system/istio-1-29-1":                  apitype.OpUpdate,
		"kubernetes:core/v1:ConfigMap control-plane-istiod:istio-system/values-1-29-1":                 apitype.OpUpdate,
		"kubernetes:apps/v1:Deployment control-plane-istiod:istio-system/istiod-1-29-1":                apitype.OpUpdate,
		"kubernetes:core/v1:ConfigMap control-plane-istiod:istio-system/istio-sidecar-injector-1-29-1": apitype.OpUpdate,
	}, s.planned(t))
	s.up(t)
	s.requireNoChanges(t)
}

func rotate(t *testing.T, s *stack) {
	before := s.cluster.secret(t, system, "cacerts")
	s.set(t, "ca.generated.generation", "2")
	assert.Equal(t, map[string]apitype.OpType{
		"tls:index/privateKey:PrivateKey mesh-ca-intermediate-2":               apitype.OpCreate,
		"tls:index/certRequest:CertRequest mesh-ca-intermediate-2":             apitype.OpCreate,
		"tls:index/locallySignedCert:LocallySignedCert mesh-ca-intermediate-2": apitype.OpCreate,
		"kubernetes:core/v1:Secret cacerts":                                    apitype.OpUpdate,
		"tls:index/privateKey:PrivateKey mesh-ca-intermediate-1":               apitype.OpDelete,
		"tls:index/certRequest:CertRequest mesh-ca-intermediate-1":             apitype.OpDelete,
		"tls:index/locallySignedCert:LocallySignedCert mesh-ca-intermediate-1": apitype.OpDelete,
	}, s.planned(t))
	s.up(t)
	after := s.cluster.secret(t, system, "cacerts")
	assert.Equal(t, before["root-cert.pem"], after["root-cert.pem"])
	assert.NotEqual(t, before["ca-cert.pem"], after["ca-cert.pem"])
	assert.NotEqual(t, before["ca-key.pem"], after["ca-key.pem"])
	assert.True(t, strings.HasSuffix(certificate(t, after["ca-cert.pem"]).Subject.CommonName, "Intermediate 2"))
	checkCA(t, s)
	s.requireNoChanges(t)
}
