package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The kinds of tools in tools.json.
const (
	kindCommand  = "command"
	kindLanguage = "language"
	kindResource = "resource"
	kindCharts   = "charts"
	kindLint     = "lint"
	kindCluster  = "cluster"
)

// tool is something that the sandbox compiles: an entry of sandbox/tools/tools.json.
type tool struct {
	Name    string `json:"name"`
	Dir     string `json:"dir"` // below sandbox/tools
	Package string `json:"package"`
	LDFlags string `json:"ldflags"`
	Output  string `json:"output"` // below .sandbox
	Kind    string `json:"kind"`
	Version string `json:"version"`
}

// tools reads what there is to build, in the order in which to build it.
func (s *Sandbox) tools() ([]tool, error) {
	path := filepath.Join(s.toolsDir(), "tools.json")
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("list the tools: %w", err)
	}
	var tools []tool
	if err := json.Unmarshal(b, &tools); err != nil {
		return nil, fmt.Errorf("list the tools: %s: %w", path, err)
	}
	return append(tools,
		tool{"mesh-kubernetes", "../kubernetes", ".", "", "bin/mesh-kubernetes", kindCluster, kubernetesVersion},
		tool{"kubectl", "../kubernetes", "k8s.io/kubernetes/cmd/kubectl", kubectlLDFlags, "bin/kubectl", kindCommand, kubernetesVersion},
	), nil
}

// The version that sandbox/kubernetes requires, and how its kubectl learns it.
const (
	kubernetesVersion = "1.36.1"
	kubectlLDFlags    = "-X k8s.io/component-base/version.gitVersion=v" + kubernetesVersion +
		" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"
)

func (s *Sandbox) toolsDir() string           { return filepath.Join(s.root, "sandbox", "tools") }
func (s *Sandbox) toolDir(t tool) string      { return filepath.Join(s.toolsDir(), t.Dir) }
func (s *Sandbox) toolOutput(t tool) string   { return filepath.Join(s.Home(), t.Output) }
func (s *Sandbox) logFile(name string) string { return filepath.Join(s.Home(), "logs", name+".log") }

// title names the tool for people.
func (t tool) title() string {
	switch t.Kind {
	case kindResource:
		return fmt.Sprintf("Pulumi provider %s v%s", t.Name, t.Version)
	case kindCluster:
		return "embedded Kubernetes v" + t.Version
	case kindCharts:
		return "Istio charts " + t.Version
	}
	switch t.Name {
	case "pulumi":
		return "Pulumi CLI v" + t.Version
	case "pulumi-language-go":
		return "Pulumi Go language host v" + t.Version
	}
	return t.Name + " v" + t.Version
}

// cost is what a build with empty caches takes, measured on two cores.
type cost struct {
	time time.Duration
	disk uint64 // binary, build cache and modules together
}

const gib = 1 << 30

func (t tool) cost() cost {
	switch t.Name {
	case "pulumi":
		return cost{6 * time.Minute, 3 * gib}
	case "kubernetes":
		return cost{9 * time.Minute, 4 * gib}
	case "mesh-kubernetes":
		return cost{5 * time.Minute, 3 * gib}
	case "tls":
		return cost{2 * time.Minute, 1 * gib}
	}
	return cost{time.Minute, gib / 2}
}

// executable is the file name under which the tool is found on PATH.
func (t tool) executable() string { return filepath.Base(t.Output) }

// local reports whether the main package is one of ours, not one of a module that ours requires.
func (t tool) local() bool { return strings.HasPrefix(t.Package, ".") }
