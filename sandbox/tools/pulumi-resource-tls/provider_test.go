package main

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSchemaFitsTheSDK(t *testing.T) {
	generated, err := tfgen.GenerateSchema(t.Context(), tfgen.GenerateSchemaOptions{ProviderInfo: provider(), DiagnosticsSink: quiet()})
	require.NoError(t, err)
	var spec schema.PackageSpec
	require.NoError(t, json.Unmarshal(generated.ProviderMetadata.PackageSchema, &spec))
	assert.Equal(t, "tls", spec.Name)
	assert.Equal(t, "5.3.0", spec.Version)

	tests := []struct {
		token           string
		secret, visible []string // outputs
	}{
		{"tls:index/privateKey:PrivateKey", []string{"privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"}, []string{"publicKeyPem"}},
		{"tls:index/selfSignedCert:SelfSignedCert", []string{"privateKeyPem"}, []string{"certPem", "validityEndTime", "maxPathLength"}},
		{"tls:index/certRequest:CertRequest", []string{"privateKeyPem"}, []string{"certRequestPem"}},
		{"tls:index/locallySignedCert:LocallySignedCert", []string{"caPrivateKeyPem"}, []string{"certPem", "validityEndTime", "maxPathLength"}},
	}
	assert.Len(t, spec.Resources, len(tests))
	for _, test := range tests {
		t.Run(test.token, func(t *testing.T) {
			resource, ok := spec.Resources[test.token]
			require.True(t, ok)
			for _, name := range test.secret {
				require.Contains(t, resource.Properties, name)
				assert.True(t, resource.Properties[name].Secret, "%s is a secret", name)
			}
			for _, name := range test.visible {
				require.Contains(t, resource.Properties, name)
				assert.False(t, resource.Properties[name].Secret, "%s is no secret", name)
			}
		})
	}
}
