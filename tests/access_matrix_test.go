package tests

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mcp-security-platform/mesh/stacks"
)

const matrixHead = `# Access matrix

Who may do what in production, made from the catalogue and ` + "`Pulumi.prod.yaml`" + ` by ` + "`make docs`" + `. For another
stack: ` + "`make access-matrix STACK=staging`" + `.

![The services, their routes and who may use them, and their calls](access-matrix.svg)

`

func TestAccessMatrixIsUpToDate(t *testing.T) {
	config, err := stacks.LoadFile(filepath.Join("..", "Pulumi.prod.yaml"))
	require.NoError(t, err)
	for file, want := range map[string]string{
		filepath.Join("..", "docs", "access-matrix.md"):  matrixHead + config.AccessMesh().Matrix(),
		filepath.Join("..", "docs", "access-matrix.svg"): config.AccessMesh().Graph(),
	} {
		checkGenerated(t, file, want)
	}
}

// The matrix has a row for each caller and each route.
func TestAccessMatrixShowsWhatChanges(t *testing.T) {
	config, err := stacks.LoadFile(filepath.Join("..", "Pulumi.prod.yaml"))
	require.NoError(t, err)
	before := config.AccessMesh()
	for _, row := range []string{
		"| api-gateway |  |  | yes | yes | yes | yes | yes |",
		"| integrations |  |  |  |  |  |  |  |",
		"| api.security.company.com | `/api/v1/scans/…` | write | role analyst or admin (analyst, admin) | scans |",
		"| api.security.company.com | `/api/v1/integrations/webhooks/…` | all | machines | integrations |",
	} {
		assert.Contains(t, before.Matrix(), row+"\n")
	}
	config.Catalogue.Roles["admin"] = []string{"platform-admin"}
	assert.Contains(t, config.AccessMesh().Matrix(), "role admin (platform-admin)")
	assert.NotContains(t, before.Matrix(), "What holds for a while")
}

func TestAccessGraphIsWellFormedAndComplete(t *testing.T) {
	config, err := stacks.LoadFile(filepath.Join("..", "Pulumi.local.yaml"))
	require.NoError(t, err)
	graph := config.AccessMesh().Graph()
	decoder, arrows := xml.NewDecoder(strings.NewReader(graph)), 0
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "path" {
			for _, attribute := range start.Attr {
				if attribute.Name.Local == "d" && strings.Contains(attribute.Value, " C") {
					arrows++
				}
			}
		}
	}
	calls := 0
	for _, service := range config.NewCatalogue().Services {
		calls += len(service.Calls)
		assert.Contains(t, graph, ">"+service.Name+"</text>")
	}
	assert.Equal(t, 12, calls)
	assert.Equal(t, calls, arrows, "an arrow for each call")
}

func TestStackFileIsReadAsStrictlyAsByPulumi(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"no YAML":     {"config: [", "read stack file"},
		"unknown key": {"config:\n  mcp-mesh:catalogue: {service: []}\n", `mcp-mesh:catalogue.service is "an unknown key": did you mean "services"?`},
		"bad values":  {"config:\n  mcp-mesh:environment: local\n", "mcp-mesh:hosts.api is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "Pulumi.test.yaml")
			require.NoError(t, os.WriteFile(file, []byte(tc.text), 0o644))
			_, err := stacks.LoadFile(file)
			assert.ErrorContains(t, err, tc.want)
		})
	}
	_, err := stacks.LoadFile("nowhere.yaml")
	assert.ErrorContains(t, err, "read stack file")
}
