package main

import (
	"io"
	"unicode"

	"github.com/hashicorp/terraform-provider-tls/shim"
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// version is the release of pulumi-tls whose SDK this provider serves.
const version = "5.3.0"

// provider describes how Terraform's resources map to those of pulumi-tls.
func provider() tfbridge.ProviderInfo {
	return tfbridge.ProviderInfo{
		P:            pf.ShimProvider(shim.NewProvider()),
		Name:         "tls",
		Version:      version,
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
		Resources: map[string]*tfbridge.ResourceInfo{
			"tls_cert_request":        {Tok: tokens.Type(token("CertRequest"))},
			"tls_locally_signed_cert": {Tok: tokens.Type(token("LocallySignedCert"))},
			"tls_private_key":         {Tok: tokens.Type(token("PrivateKey"))},
			"tls_self_signed_cert":    {Tok: tokens.Type(token("SelfSignedCert"))},
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"tls_certificate": {Tok: token("getCertificate")},
			"tls_public_key":  {Tok: token("getPublicKey")},
		},
		EnableZeroDefaultSchemaVersion: true,
	}
}

// token names a member of the package as the SDK does: tls:index/privateKey:PrivateKey.
func token(member string) tokens.ModuleMember {
	file := string(unicode.ToLower(rune(member[0]))) + member[1:]
	return tokens.ModuleMember("tls:index/" + file + ":" + member)
}

// quiet discards diagnostics: the schema generator warns about documentation
// that this provider does not carry.
func quiet() diag.Sink {
	return diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})
}
