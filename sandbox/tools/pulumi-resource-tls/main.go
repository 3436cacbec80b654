// Command pulumi-resource-tls is a Pulumi provider for keys and certificates:
// Pulumi's bridge over the Terraform TLS provider, under the names of the
// published pulumi-tls.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
)

func main() {
	ctx := context.Background()
	info := provider()
	// The published provider embeds a schema generated at build time. This one
	// is small enough to generate when the provider starts.
	schema, err := tfgen.GenerateSchema(ctx, tfgen.GenerateSchemaOptions{ProviderInfo: info, DiagnosticsSink: quiet(), XInMemoryDocs: true})
	if err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-resource-tls: generate the schema: %v\n", err)
		os.Exit(1)
	}
	tfbridge.Main(ctx, info.Name, info, schema.ProviderMetadata)
}
