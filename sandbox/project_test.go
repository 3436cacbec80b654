package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPrepareProject(t *testing.T) {
	tests := []struct {
		name          string
		project       string
		stack, before string
		wantProject   string
		wantStack     string
	}{
		{
			name:        "the checkout's settings, with the local charts",
			project:     "name: mcp-mesh\nruntime: go\nconfig:\n  a: {type: string}\n",
			stack:       "config:\n  mcp-mesh:istio:\n    version: 1.29.1\n    revision: \"1-29\"\n  mcp-mesh:since: 2026-01-02\n",
			wantProject: "name: mcp-mesh\nruntime:\n  name: go\n  options:\n    binary: ROOT/.sandbox/bin/mcp-mesh\nconfig:\n  a: {type: string}\nmain: ROOT\n",
			wantStack: "config:\n  mcp-mesh:istio:\n    version: 1.29.1\n    revision: \"1-29\"\n    chartFolder: ROOT/.sandbox/charts/1.29.1\n" +
				"  mcp-mesh:since: 2026-01-02\n",
		},
		{
			name:        "other runtime options and an own chart folder",
			project:     "name: mcp-mesh\nruntime:\n  name: go\n  options:\n    x: y\n",
			stack:       "config:\n  mcp-mesh:istio:\n    chartFolder: elsewhere\n",
			wantProject: "name: mcp-mesh\nruntime:\n  name: go\n  options:\n    x: y\n    binary: ROOT/.sandbox/bin/mcp-mesh\nmain: ROOT\n",
			wantStack:   "config:\n  mcp-mesh:istio:\n    chartFolder: ROOT/.sandbox/charts/1.29.1\n",
		},
		{
			name:    "a stack file that says nothing",
			project: "name: mcp-mesh\nruntime: go\n",
			stack:   "",
			wantProject: "name: mcp-mesh\nruntime:\n  name: go\n  options:\n    binary: ROOT/.sandbox/bin/mcp-mesh\n" +
				"main: ROOT\n",
			wantStack: "config:\n  mcp-mesh:istio:\n    chartFolder: ROOT/.sandbox/charts/1.29.1\n",
		},
		{
			name:    "the sandbox's salt stays, the checkout's keys go",
			project: "name: mcp-mesh\nruntime: go\n",
			stack:   "secretsprovider: awskms://alias/x\nencryptedkey: abc\nencryptionsalt: theirs\nconfig:\n  mcp-mesh:istio: null\n",
			before:  "encryptionsalt: v1:ours\nconfig:\n  mcp-mesh:old: gone\n",
			wantProject: "name: mcp-mesh\nruntime:\n  name: go\n  options:\n    binary: ROOT/.sandbox/bin/mcp-mesh\n" +
				"main: ROOT\n",
			wantStack: "config:\n  mcp-mesh:istio:\n    chartFolder: ROOT/.sandbox/charts/1.29.1\nencryptionsalt: v1:ours\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := checkout(t)
			write(t, filepath.Join(s.root, "Pulumi.yaml"), tt.project)
			write(t, filepath.Join(s.root, "Pulumi.prod.yaml"), tt.stack)
			if tt.before != "" {
				write(t, filepath.Join(s.projectDir(), "Pulumi.prod.yaml"), tt.before)
			}
			dir, err := s.PrepareProject("prod")
			require.NoError(t, err)
			got := func(name string) string {
				return strings.ReplaceAll(read(t, filepath.Join(dir, name)), s.root, "ROOT")
			}
			assert.Equal(t, tt.wantProject, got("Pulumi.yaml"))
			assert.Equal(t, tt.wantStack, got("Pulumi.prod.yaml"))
			assert.Equal(t, tt.stack, read(t, filepath.Join(s.root, "Pulumi.prod.yaml")), "the checkout is left alone")

			_, err = s.PrepareProject("prod")
			require.NoError(t, err)
			assert.Equal(t, tt.wantStack, got("Pulumi.prod.yaml"), "a second time changes nothing")
		})
	}
}

func TestPrepareProjectErrors(t *testing.T) {
	s := checkout(t)
	_, err := s.PrepareProject("qa")
	require.ErrorContains(t, err, "Pulumi.qa.yaml: no such file")
	write(t, filepath.Join(s.root, "Pulumi.list.yaml"), "- a\n")
	_, err = s.PrepareProject("list")
	require.ErrorContains(t, err, "Pulumi.list.yaml: want a mapping at the top")
}

func TestPassphraseIsMadeOnceAndPrivate(t *testing.T) {
	s := checkout(t)
	_, err := s.PrepareProject("local")
	require.NoError(t, err)
	path := s.Env()["PULUMI_CONFIG_PASSPHRASE_FILE"]
	st, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), st.Mode().Perm())
	first := read(t, path)
	assert.GreaterOrEqual(t, len(first), 26)
	_, err = s.PrepareProject("local")
	require.NoError(t, err)
	assert.Equal(t, first, read(t, path))
}
