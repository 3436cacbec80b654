package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"istio.io/istio/manifests"
)

func TestWriteCharts(t *testing.T) {
	to := filepath.Join(t.TempDir(), "cache", "charts")
	require.NoError(t, writeCharts(manifests.FS, release, to))
	stale := filepath.Join(to, "stale")
	require.NoError(t, os.WriteFile(stale, nil, 0o600))
	require.NoError(t, writeCharts(manifests.FS, release, to), "a second run replaces the first")
	assert.NoFileExists(t, stale)

	entries, err := os.ReadDir(filepath.Dir(to))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no temporary folder is left")

	for _, chart := range []string{"base", "istiod", "cni", "gateway"} {
		t.Run(chart, func(t *testing.T) {
			about := read(t, to, chart, "Chart.yaml")
			assert.Contains(t, about, "\nversion: 1.29.1\n")
			assert.Contains(t, about, "\nappVersion: 1.29.1\n")
			assert.DirExists(t, filepath.Join(to, chart, "templates"))
			assert.NoFileExists(t, filepath.Join(to, chart, "README.md"))
		})
	}
	for _, chart := range []string{"istiod", "cni"} {
		t.Run(chart+" images", func(t *testing.T) {
			values := read(t, to, chart, "values.yaml")
			assert.Contains(t, values, "    hub: docker.io/istio\n")
			assert.Contains(t, values, "    tag: 1.29.1\n")
		})
	}
}

func TestStampRefusesUnknownPlaceholders(t *testing.T) {
	tests := []struct{ name, file, content, want string }{
		{"no app version", "Chart.yaml", "version: 1.0.0\n", "found 1 of the 2 placeholders"},
		{"other hub", "values.yaml", "hub: registry.example/istio-testing\n", "development image hub"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := release.apply(test.file, []byte(test.content))
			assert.ErrorContains(t, err, test.want)
		})
	}
}

func read(t *testing.T, elements ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(elements...))
	require.NoError(t, err)
	return string(content)
}
