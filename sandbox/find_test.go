package sandbox

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFind(t *testing.T) {
	cli := tool{Name: "pulumi", Output: "bin/pulumi", Kind: kindCommand, Version: "3.255.0"}
	kubectl := tool{Name: "kubectl", Output: "bin/kubectl", Kind: kindCommand, Version: "1.36.1"}
	tls := tool{Name: "tls", Output: "pulumi/plugins/resource-tls-v5.3.0/pulumi-resource-tls", Kind: kindResource, Version: "5.3.0"}
	client := func(v string) string { return `{"clientVersion":{"gitVersion":"` + v + `"}}` }
	const plugin = "home/.pulumi/plugins/resource-tls-v5.3.0/pulumi-resource-tls"
	tests := []struct {
		name  string
		tool  tool
		files map[string]string // executable -> what it prints
		want  string
	}{
		{"no CLI", cli, nil, ""},
		{"the pinned CLI", cli, map[string]string{"bin/pulumi": "v3.255.0", "bin/pulumi-language-go": ""}, "bin/pulumi"},
		{"a newer CLI", cli, map[string]string{"bin/pulumi": "v3.260.1", "bin/pulumi-language-go": ""}, "bin/pulumi"},
		{"a CLI without the language host", cli, map[string]string{"bin/pulumi": "v3.255.0"}, ""},
		{"an older CLI", cli, map[string]string{"bin/pulumi": "v3.254.9", "bin/pulumi-language-go": ""}, ""},
		{"a CLI of another major version", cli, map[string]string{"bin/pulumi": "v4.0.0", "bin/pulumi-language-go": ""}, ""},
		{"a CLI that says nothing sensible", cli, map[string]string{"bin/pulumi": "hello", "bin/pulumi-language-go": ""}, ""},
		{"kubectl one minor version older", kubectl, map[string]string{"bin/kubectl": client("v1.35.9")}, "bin/kubectl"},
		{"kubectl of a cloud", kubectl, map[string]string{"bin/kubectl": client("v1.37.0-dispatcher")}, "bin/kubectl"},
		{"kubectl too old", kubectl, map[string]string{"bin/kubectl": client("v1.32.4-dispatcher")}, ""},
		{"kubectl too new", kubectl, map[string]string{"bin/kubectl": client("v1.38.0")}, ""},
		{"an installed provider", tls, map[string]string{plugin: ""}, plugin},
		{"a provider on the PATH", tls, map[string]string{"bin/pulumi-resource-tls": "v5.3.0"}, "bin/pulumi-resource-tls"},
		{"another version of a provider", tls, map[string]string{"bin/pulumi-resource-tls": "v5.3.1"}, ""},
		{"what nobody has installed", tool{Name: "istio-charts", Kind: kindCharts}, map[string]string{"bin/istio-charts": ""}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := checkout(t)
			machine := t.TempDir()
			t.Setenv("HOME", filepath.Join(machine, "home"))
			t.Setenv("PULUMI_HOME", "")
			t.Setenv("PATH", filepath.Join(machine, "bin"))
			for name, prints := range tt.files {
				script(t, filepath.Join(machine, name), prints)
			}
			want := tt.want
			if want != "" {
				want = filepath.Join(machine, want)
			}
			assert.Equal(t, want, s.find(t.Context(), tt.tool))
		})
	}
}

func TestFindTakesTheLanguageHostOfTheCLIThatWasFound(t *testing.T) {
	s, machine := checkout(t), t.TempDir()
	host := tool{Name: "pulumi-language-go", Output: "bin/pulumi-language-go", Kind: kindLanguage}
	script(t, filepath.Join(machine, "pulumi"), "")
	script(t, filepath.Join(machine, "pulumi-language-go"), "")
	assert.Empty(t, s.find(t.Context(), host), "there is no CLI yet")
	require.NoError(t, s.link(tool{Output: "bin/pulumi"}, filepath.Join(machine, "pulumi")))
	assert.Equal(t, filepath.Join(machine, "pulumi-language-go"), s.find(t.Context(), host))
	require.NoError(t, os.Remove(s.bin("pulumi")))
	script(t, s.bin("pulumi"), "")
	assert.Empty(t, s.find(t.Context(), host), "a CLI of ours goes with a language host of ours")
}

func TestMissingLinksToWhatItFinds(t *testing.T) {
	s, machine := checkout(t), t.TempDir()
	write(t, filepath.Join(s.toolsDir(), "pulumi", "go.mod"), "module x\n")
	script(t, filepath.Join(machine, "pulumi"), "v3.255.0")
	script(t, filepath.Join(machine, "pulumi-language-go"), "")
	t.Setenv("PATH", machine)
	cli := tool{Name: "pulumi", Dir: "pulumi", Output: "bin/pulumi", Kind: kindCommand, Version: "3.255.0"}
	for range 2 {
		todo, err := s.missing(t.Context(), []tool{cli}, goEnv{GOVERSION: "go1.26"})
		require.NoError(t, err)
		assert.Empty(t, todo)
	}
	target, err := os.Readlink(s.bin("pulumi"))
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(machine, "pulumi"), target)

	require.NoError(t, os.Remove(target))
	todo, err := s.missing(t.Context(), []tool{cli}, goEnv{GOVERSION: "go1.26"})
	require.NoError(t, err)
	assert.Len(t, todo, 1, "the user's CLI is gone, so it is compiled")
}

func TestFindSkipsWhatIsOurs(t *testing.T) {
	s := checkout(t)
	script(t, s.bin("pulumi"), "v3.255.0")
	script(t, s.bin("pulumi-language-go"), "")
	t.Setenv("PATH", s.bin(""))
	assert.Empty(t, s.find(t.Context(), tool{Name: "pulumi", Output: "bin/pulumi", Version: "3.255.0"}))
}

// script makes an executable that prints something.
func script(t *testing.T, path, prints string) {
	t.Helper()
	write(t, path, "#!/bin/sh\necho '"+prints+"'\n")
	require.NoError(t, os.Chmod(path, 0o755))
}
