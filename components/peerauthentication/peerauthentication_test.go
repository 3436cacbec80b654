package peerauthentication

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	securityapi "istio.io/api/security/v1beta1"
)

func TestStrict(t *testing.T) {
	policy := Strict("istio-system")
	assert.Equal(t, securityapi.PeerAuthentication_MutualTLS_STRICT, policy.Spec.Mtls.Mode)
	assert.Nil(t, policy.Spec.Selector, "a selector would take the rest of the namespace out")
	assert.Empty(t, policy.Spec.PortLevelMtls)
	assert.Equal(t, "default", policy.Name)
	assert.Equal(t, "security.istio.io/v1", policy.APIVersion)
}

func TestNewRefusesAMissingNamespace(t *testing.T) {
	_, err := New(&pulumi.Context{}, "strict", Args{})
	assert.ErrorContains(t, err, "rootNamespace is not set")
}
