package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// find returns a tool that the user has installed in a fitting version, or "".
func (s *Sandbox) find(ctx context.Context, t tool) string {
	switch {
	case t.Name == "pulumi":
		return s.findPulumi(ctx, t)
	case t.Kind == kindLanguage:
		// The CLI looks for it beside itself, so the two are taken together or not at all.
		if cli, err := filepath.EvalSymlinks(s.bin("pulumi")); err == nil && cli != s.bin("pulumi") {
			return executableAt(filepath.Join(filepath.Dir(cli), t.executable()))
		}
	case t.Kind == kindResource:
		return s.findPlugin(ctx, t)
	case t.Name == "kubectl":
		return s.findKubectl(ctx, t)
	}
	return ""
}

// findPulumi accepts a CLI of the pinned major version that is not older, with the Go language host beside it.
func (s *Sandbox) findPulumi(ctx context.Context, t tool) string {
	path, err := filepath.EvalSymlinks(s.lookPath(t))
	if err != nil {
		return ""
	}
	if executableAt(filepath.Join(filepath.Dir(path), "pulumi-language-go")) == "" {
		return ""
	}
	have, ok := parseVersion(s.ask(ctx, path, "version"))
	want, _ := parseVersion(t.Version)
	if !ok || have[0] != want[0] || less(have, want) {
		return ""
	}
	return path
}

// findPlugin accepts exactly the pinned version of a provider: the program's SDK asks for that one.
func (s *Sandbox) findPlugin(ctx context.Context, t tool) string {
	home := os.Getenv("PULUMI_HOME")
	if dir, err := os.UserHomeDir(); home == "" && err == nil {
		home = filepath.Join(dir, ".pulumi")
	}
	installed := filepath.Join(home, "plugins", fmt.Sprintf("resource-%s-v%s", t.Name, t.Version))
	if path := executableAt(filepath.Join(installed, t.executable())); path != "" && path != s.toolOutput(t) {
		return path
	}
	path := s.lookPath(t)
	if path == "" || strings.TrimPrefix(s.ask(ctx, path, "-version"), "v") != t.Version {
		return ""
	}
	return path
}

// findKubectl accepts a client within one minor version of the server, the skew that Kubernetes supports.
func (s *Sandbox) findKubectl(ctx context.Context, t tool) string {
	path := s.lookPath(t)
	if path == "" {
		return ""
	}
	var answer struct{ ClientVersion struct{ GitVersion string } }
	if json.Unmarshal([]byte(s.ask(ctx, path, "version", "--client", "--output=json")), &answer) != nil {
		return ""
	}
	have, ok := parseVersion(answer.ClientVersion.GitVersion)
	want, _ := parseVersion(t.Version)
	if !ok || have[0] != want[0] || have[1] < want[1]-1 || have[1] > want[1]+1 {
		return ""
	}
	return path
}

// lookPath is exec.LookPath without our own folder, which is on the PATH of a user who follows `make env`.
func (s *Sandbox) lookPath(t tool) string {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := executableAt(filepath.Join(dir, t.executable()))
		if filepath.IsAbs(path) && filepath.Dir(path) != s.bin("") {
			return path
		}
	}
	return ""
}

// ask runs a program of the user's and returns what it prints, or "" if it fails.
func (s *Sandbox) ask(ctx context.Context, path string, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := s.output(ctx, s.root, path, args...)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// executableAt returns path if an executable file is there, else "".
func executableAt(path string) string {
	if st, err := os.Stat(path); err != nil || st.IsDir() || st.Mode()&0o111 == 0 {
		return ""
	}
	return path
}

// parseVersion reads the three numbers of a version such as v3.255.0-dev.
func parseVersion(v string) (n [3]int, ok bool) {
	v, _, _ = strings.Cut(strings.TrimPrefix(v, "v"), "-")
	v, _, _ = strings.Cut(v, "+")
	parts := strings.Split(v, ".")
	if len(parts) != len(n) {
		return n, false
	}
	for i, p := range parts {
		var err error
		if n[i], err = strconv.Atoi(p); err != nil {
			return n, false
		}
	}
	return n, true
}

func less(a, b [3]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
