// Command pulumi-resource-kubernetes is Pulumi's Kubernetes provider.
//
// The command in the provider's own module embeds files that its release
// process generates and that the module lacks. This one embeds the same files,
// which "go generate" derives from the module.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:generate go run ./internal/prepare 4.25.0

//go:embed generated/version
var version string

//go:embed generated/schema.json
var schema []byte

//go:embed generated/terraform-mapping.json
var terraformMapping []byte

func main() {
	provider.Serve("kubernetes", version, schema, terraformMapping)
}
