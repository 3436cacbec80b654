package sandbox

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain makes the test binary stand in for the programs that the sandbox starts, under whose names it is linked.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "mesh-kubernetes":
		os.Exit(fakeKubernetes(os.Args))
	case "kubectl":
		os.Exit(fakeKubectl(os.Args))
	case "pulumi":
		os.Exit(fakePulumi(os.Args))
	}
	os.Exit(m.Run())
}

// fakeKubernetes keeps the contract of sandbox/kubernetes. FAKE_KUBERNETES makes it misbehave.
func fakeKubernetes(args []string) int {
	dir, mode := argument(args, "--data"), os.Getenv("FAKE_KUBERNETES")
	if mode == "broken" {
		fmt.Fprintln(os.Stderr, "etcd: the data is damaged")
		return 1
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+argument(args, "--port"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer l.Close()
	stop := make(chan os.Signal, 1)
	if mode == "stubborn" {
		signal.Ignore(syscall.SIGTERM)
	} else {
		signal.Notify(stop, syscall.SIGTERM)
	}
	ready := filepath.Join(dir, "ready")
	if mode != "slow" {
		for name, text := range map[string]string{"kubeconfig": "fake", "ready": strconv.Itoa(os.Getpid())} {
			if err := writeFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
	}
	<-stop
	os.Remove(ready)
	return 0
}

func fakeKubectl(args []string) int {
	switch line := strings.Join(args, " "); {
	case strings.Contains(line, "/readyz"):
	case strings.Contains(line, "get deployments"):
		fmt.Println(`{"items":[{"metadata":{"namespace":"istio-system","name":"istiod"},"spec":{"replicas":3},"status":{"readyReplicas":2}}]}`)
	default:
		return 1
	}
	return 0
}

// fakePulumi notes what it was asked for, and then waits to be stopped if FAKE_PULUMI says so.
func fakePulumi(args []string) int {
	fmt.Println("pulumi", strings.Join(args[1:], " "))
	if os.Getenv("FAKE_PULUMI") != "wait" || args[1] != "up" {
		return 0
	}
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGINT)
	fmt.Println("waiting")
	<-stop
	fmt.Println("cancelled")
	return 1
}

// checkout makes a checkout that has all the sandbox looks at, and a sandbox in it.
func checkout(t *testing.T, opts ...Option) *Sandbox {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"sandbox/go.mod": "module example.com/sandbox\n\ngo 1.26\n",
		"sandbox/tools/tools.json": `[
			{"name":"hello","dir":"hello","package":".","ldflags":"-X main.greeting=hi","output":"bin/hello","kind":"command","version":"1.0.0"},
			{"name":"istio-charts","dir":"charts","package":".","output":"bin/istio-charts","kind":"charts","version":"1.29.1"}]`,
		"sandbox/tools/hello/go.mod":  "module example.com/hello\n\ngo 1.26\n",
		"sandbox/tools/hello/main.go": "package main\n\nvar greeting string\n\nfunc main() { print(greeting) }\n",
		"Pulumi.yaml":                 "name: mcp-mesh\nruntime: go\ndescription: A mesh.\n",
		"Pulumi.local.yaml":           "config:\n  mcp-mesh:profile: local\n",
	}
	for name, text := range files {
		write(t, filepath.Join(root, name), text)
	}
	s, err := New(root, "local", append([]Option{WithOutput(t.Output()), WithPort(freePort(t))}, opts...)...)
	require.NoError(t, err)
	return s
}

// withFakes puts the stand-ins in the place of the toolchain.
func withFakes(t *testing.T, s *Sandbox) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(s.bin(""), 0o755))
	for _, name := range []string{"mesh-kubernetes", "kubectl", "pulumi"} {
		require.NoError(t, os.Symlink(self, s.bin(name)))
	}
	t.Cleanup(func() {
		if p, up := s.findCluster(); up {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
