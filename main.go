// Command mesh is the Pulumi program of the MCP Security Platform's service mesh.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/mcp-security-platform/mesh/stacks"
)

func main() {
	pulumi.Run(stacks.Deploy)
}
