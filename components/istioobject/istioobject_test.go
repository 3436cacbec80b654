package istioobject

import (
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	securityapi "istio.io/api/security/v1beta1"
	securityv1 "istio.io/client-go/pkg/apis/security/v1"
	apimetav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestArgsKeepEveryPartOfTheObject(t *testing.T) {
	args, err := Args(&securityv1.PeerAuthentication{
		TypeMeta:   apimetav1.TypeMeta{APIVersion: "security.istio.io/v1", Kind: "PeerAuthentication"},
		ObjectMeta: apimetav1.ObjectMeta{Name: "default", Namespace: "istio-system", Labels: map[string]string{"a": "b"}},
		Spec: securityapi.PeerAuthentication{
			Mtls: &securityapi.PeerAuthentication_MutualTLS{Mode: securityapi.PeerAuthentication_MutualTLS_STRICT},
		},
	})
	require.NoError(t, err)
	assert.Equal(t, pulumi.String("security.istio.io/v1"), args.ApiVersion)
	assert.Equal(t, pulumi.String("PeerAuthentication"), args.Kind)
	assert.Equal(t, kubernetes.UntypedArgs{"spec": map[string]any{"mtls": map[string]any{"mode": "STRICT"}}}, args.OtherFields)
	metadata := args.Metadata.(metav1.ObjectMetaArgs)
	assert.Equal(t, pulumi.String("default"), metadata.Name)
	assert.Equal(t, pulumi.String("istio-system"), metadata.Namespace)
	assert.Equal(t, pulumi.StringMap{"a": pulumi.String("b")}, metadata.Labels)
	assert.Nil(t, metadata.Annotations, "an empty map would be a difference for ever")
}

func TestArgsRefuseWhatIsNoObject(t *testing.T) {
	for name, object := range map[string]any{
		"no type meta": &securityv1.PeerAuthentication{},
		"no JSON form": make(chan int),
		"no object":    "text",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Args(object)
			assert.Error(t, err)
		})
	}
}
