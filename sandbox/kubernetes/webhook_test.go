package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// TestWebhookIsCalledOnItsClusterIP proves that a local process can stand in for the pods of a webhook.
func TestWebhookIsCalledOnItsClusterIP(t *testing.T) {
	namespace := newNamespace(t, nil)
	service, err := cluster.client.CoreV1().Services(namespace).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "refuser"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 10443}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	ca := serveRefusals(t, net.JoinHostPort(service.Spec.ClusterIP, "10443"), "refuser."+namespace+".svc")

	webhooks := cluster.client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	created, err := webhooks.Create(t.Context(), &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: "refuser.test.mesh",
			ClientConfig: admissionregistrationv1.WebhookClientConfig{
				Service:  &admissionregistrationv1.ServiceReference{Namespace: namespace, Name: "refuser", Port: ptr.To[int32](10443)},
				CABundle: ca,
			},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
			}},
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
			SideEffects:             ptr.To(admissionregistrationv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, webhooks.Delete(context.WithoutCancel(t.Context()), created.Name, metav1.DeleteOptions{}))
	})

	var refusal error
	eventually(t, func() bool {
		_, refusal = cluster.client.CoreV1().ConfigMaps(namespace).Create(t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "map-"},
		}, metav1.CreateOptions{})
		return refusal != nil
	}, "the webhook is not called")
	require.ErrorContains(t, refusal, "refused by the test")
}

// serveRefusals serves a webhook that refuses everything and returns the CA of its certificate for host.
func serveRefusals(t *testing.T, address, host string) []byte {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	ca, err := issue(caTemplate(), nil)
	require.NoError(t, err)
	template := servingTemplate()
	template.DNSNames = []string{host}
	serving, err := issue(template, ca)
	require.NoError(t, err)
	certificate, err := tls.X509KeyPair(serving.certPEM, serving.keyPEM)
	require.NoError(t, err)

	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		review.Response = &admissionv1.AdmissionResponse{
			UID:    review.Request.UID,
			Result: &metav1.Status{Message: "refused by the test"},
		}
		_ = json.NewEncoder(w).Encode(review) // A failure shows as a different refusal.
	}))
	require.NoError(t, server.Listener.Close())
	server.Listener = listener
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return ca.certPEM
}
