package sandbox

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEnsureToolchainBuildsOnceAndAgainWhenSomethingChanged(t *testing.T) {
	var out bytes.Buffer
	s := checkout(t, WithOutput(&out))
	dir := filepath.Join(s.toolsDir(), "hello")
	ensure := func() string {
		out.Reset()
		require.NoError(t, s.EnsureToolchain(t.Context(), "hello"))
		return out.String()
	}
	assert.Contains(t, ensure(), "[1/1] hello v1.0.0: done in ")
	said, err := exec.Command(s.bin("hello")).CombinedOutput()
	require.NoError(t, err)
	assert.Equal(t, "hi", string(said), "the linker flags are in force")
	left, err := filepath.Glob(s.bin(".*"))
	require.NoError(t, err)
	assert.Empty(t, left, "no partial binary is left")
	assert.Empty(t, ensure(), "a second time there is nothing to do")

	write(t, filepath.Join(dir, "main_test.go"), "package main\n")
	write(t, filepath.Join(dir, "generated", "schema.json"), "{}")
	assert.Empty(t, ensure(), "tests and generated files do not count")
	write(t, filepath.Join(dir, "main.go"), "package main\n\nfunc main() {}\n")
	assert.NotEmpty(t, ensure(), "a source was edited")
	require.NoError(t, os.Truncate(s.bin("hello"), 10))
	assert.NotEmpty(t, ensure(), "the binary was cut off")
	require.NoError(t, os.Remove(s.stampFile(tool{Name: "hello"})))
	assert.NotEmpty(t, ensure(), "the last build did not get to its end")
}

func TestEnsureToolchainGenerates(t *testing.T) {
	s := checkout(t)
	write(t, filepath.Join(s.toolsDir(), "hello", "gen.go"), "package main\n\n//go:generate cp go.mod generated.txt\n")
	require.NoError(t, s.EnsureToolchain(t.Context(), "hello"))
	assert.FileExists(t, filepath.Join(s.toolsDir(), "hello", "generated.txt"))
}

func TestEnsureToolchainShowsWhatTheCompilerSays(t *testing.T) {
	s := checkout(t)
	write(t, filepath.Join(s.toolsDir(), "hello", "main.go"), "package main\n\nfunc main() { nonsense() }\n")
	err := s.EnsureToolchain(t.Context(), "hello")
	require.ErrorContains(t, err, "undefined: nonsense")
	require.ErrorContains(t, err, "all of the output: "+s.logFile("hello"))
	assert.NoFileExists(t, s.bin("hello"))
}

func TestEnsureToolchainStopsWhenTold(t *testing.T) {
	s := checkout(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.EnsureToolchain(ctx, "hello"), context.Canceled)
	assert.NoFileExists(t, s.bin("hello"))
	require.NoError(t, s.EnsureToolchain(t.Context(), "hello"), "and goes on the next time")
}

func TestEnsureToolchainWritesTheCharts(t *testing.T) {
	s := checkout(t)
	dir := filepath.Join(s.toolsDir(), "charts")
	write(t, filepath.Join(dir, "go.mod"), "module example.com/charts\n\ngo 1.26\n")
	write(t, filepath.Join(dir, "main.go"),
		"package main\n\nimport \"os\"\n\nfunc main() { os.MkdirAll(os.Args[2]+\"/\"+os.Args[1], 0o755) }\n")
	require.NoError(t, s.EnsureToolchain(t.Context(), "istio-charts"))
	charts, err := s.Charts()
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(s.Home(), "charts", "1.29.1"), charts)
	assert.DirExists(t, filepath.Join(charts, "--to"))

	require.NoError(t, os.RemoveAll(charts))
	require.NoError(t, s.EnsureToolchain(t.Context(), "istio-charts"))
	assert.DirExists(t, charts, "deleted charts are written again")
}

func TestEnsureToolchainRefuses(t *testing.T) {
	s := checkout(t)
	require.ErrorContains(t, s.EnsureToolchain(t.Context(), "helo"),
		`no tool is called "helo"; there are: hello, istio-charts, mesh-kubernetes, kubectl`)
	t.Setenv("PATH", t.TempDir())
	require.ErrorContains(t, s.EnsureToolchain(t.Context(), "hello"), "there is no go command on the PATH; install Go 1.26")
}

func TestCheckGo(t *testing.T) {
	tests := []struct{ version, want string }{
		{"go1.26.8", ""},
		{"go1.27rc1", ""},
		{"go2.0", ""},
		{"devel go1.28-abcdef", ""},
		{"go1.25.4", "the go command on the PATH is go1.25.4; Go 1.26 or newer is needed: https://go.dev/dl"},
	}
	for _, tt := range tests {
		t.Run(tt.version, func(t *testing.T) {
			err := checkGo(tt.version)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestPulumiHomeHasNoLogFolder(t *testing.T) {
	s := checkout(t)
	logs := filepath.Join(s.pulumiHome(), "logs")
	write(t, filepath.Join(logs, "old.log"), "")
	require.NoError(t, s.preparePulumiHome())
	require.NoError(t, s.preparePulumiHome())
	assert.FileExists(t, logs)
}
