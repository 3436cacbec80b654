package sandbox

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// DefaultInstance is the name of the sandbox that the make targets use.
const DefaultInstance = "local"

// LocalStack is the stack that is made for the sandbox.
const LocalStack = "local"

// DefaultPort is where the API server of a sandbox listens unless WithPort says otherwise. It is fixed, so that a
// kubeconfig stays valid when the cluster is restarted.
const DefaultPort = 16443

// Sandbox is one instance of the sandbox of a checkout. Several instances share the toolchain.
type Sandbox struct {
	root string // of the checkout
	name string
	port int
	out  io.Writer
	free freeFunc

	startDeadline, stopDeadline time.Duration // of the cluster
}

// Option adjusts a Sandbox.
type Option func(*Sandbox)

// WithPort sets the loopback port of the Kubernetes API server, DefaultPort by default.
func WithPort(port int) Option { return func(s *Sandbox) { s.port = port } }

// WithOutput sets where progress and the output of Pulumi go, os.Stdout by default.
func WithOutput(w io.Writer) Option { return func(s *Sandbox) { s.out = w } }

// New returns the instance called name of the checkout at root. It touches nothing.
func New(root, name string, opts ...Option) (*Sandbox, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("sandbox %q: %w", name, err)
	}
	reserved := []string{"bin", "charts", "logs", "pulumi", "stamps"}
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`).MatchString(name) || slices.Contains(reserved, name) {
		return nil, fmt.Errorf("sandbox %q: the name must consist of lower-case letters, digits and dashes, and be none of %s",
			name, strings.Join(reserved, ", "))
	}
	s := &Sandbox{
		root: abs, name: name, port: DefaultPort, out: os.Stdout, free: diskFree,
		startDeadline: time.Minute, stopDeadline: 20 * time.Second,
	}
	for _, o := range opts {
		o(s)
	}
	return s, nil
}

// FindRoot returns the root of the checkout that holds dir.
func FindRoot(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for d := abs; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "sandbox", "tools", "tools.json")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("find the repository: no sandbox/tools/tools.json in %s or above it; run this inside a checkout", abs)
		}
	}
}

// Home returns the folder that all instances share. The Pulumi CLI is bin/pulumi below it.
func (s *Sandbox) Home() string { return filepath.Join(s.root, ".sandbox") }

// Dir returns the folder of this instance.
func (s *Sandbox) Dir() string { return filepath.Join(s.Home(), s.name) }

// Kubeconfig returns the path of the cluster administrator's kubeconfig; it exists once the cluster has started.
func (s *Sandbox) Kubeconfig() string { return filepath.Join(s.clusterDir(), "kubeconfig") }

// Charts returns the folder with the Istio charts, one folder for each: base, cni, gateway, istiod.
func (s *Sandbox) Charts() (string, error) {
	tools, err := s.tools()
	if err != nil {
		return "", err
	}
	for _, t := range tools {
		if t.Kind == kindCharts {
			return s.chartDir(t), nil
		}
	}
	return "", errors.New("sandbox/tools/tools.json lists no charts")
}

// Remove deletes the instance: its cluster's data, its Pulumi state, its project. The cluster must be stopped.
// What instances share stays.
func (s *Sandbox) Remove() error {
	if _, up := s.findCluster(); up {
		return fmt.Errorf("sandbox %q: its cluster is still running", s.name)
	}
	if err := os.RemoveAll(s.Dir()); err != nil {
		return fmt.Errorf("remove sandbox %q: %w", s.name, err)
	}
	return nil
}

// Env returns the variables that point Pulumi and kubectl at this instance. A process that gets them must not also
// have one of the variables that Unset names.
func (s *Sandbox) Env() map[string]string {
	return map[string]string{
		"KUBECONFIG":                    s.Kubeconfig(),
		"PATH":                          s.bin("") + string(os.PathListSeparator) + os.Getenv("PATH"),
		"PULUMI_HOME":                   s.pulumiHome(),
		"PULUMI_BACKEND_URL":            "file://" + s.stateDir(),
		"PULUMI_CONFIG_PASSPHRASE_FILE": filepath.Join(s.Dir(), "passphrase"),
		// Nothing of the following may reach for the network, or pick up another plugin than the pinned one.
		"PULUMI_SKIP_UPDATE_CHECK":                    "true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
		"PULUMI_IGNORE_AMBIENT_PLUGINS":               "true",
	}
}

// Unset returns the variables that would overrule those of Env.
func (s *Sandbox) Unset() []string {
	return []string{"PULUMI_CONFIG_PASSPHRASE", "PULUMI_STACK", "PULUMI_ACCESS_TOKEN", "PULUMI_DIY_BACKEND_LEGACY_LAYOUT"}
}

// environ is the environment of the processes that the sandbox starts.
func (s *Sandbox) environ() []string {
	set := s.Env()
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		key, _, _ := strings.Cut(kv, "=")
		_, ours := set[key]
		return ours || slices.Contains(s.Unset(), key)
	})
	for _, key := range slices.Sorted(maps.Keys(set)) {
		env = append(env, key+"="+set[key])
	}
	return env
}

func (s *Sandbox) bin(name string) string  { return filepath.Join(s.Home(), "bin", name) }
func (s *Sandbox) program() string         { return s.bin("mcp-mesh") }
func (s *Sandbox) pulumiHome() string      { return filepath.Join(s.Home(), "pulumi") }
func (s *Sandbox) clusterDir() string      { return filepath.Join(s.Dir(), "cluster") }
func (s *Sandbox) stateDir() string        { return filepath.Join(s.Dir(), "state") }
func (s *Sandbox) projectDir() string      { return filepath.Join(s.Dir(), "project") }
func (s *Sandbox) chartDir(t tool) string  { return filepath.Join(s.Home(), "charts", t.Version) }
func (s *Sandbox) logf(f string, a ...any) { fmt.Fprintf(s.out, f+"\n", a...) }
