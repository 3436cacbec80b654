package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// runAsMain makes the test binary be mesh-kubernetes, so that no second binary has to be linked.
const runAsMain = "MESH_KUBERNETES_MAIN"

// startTimeout is generous: a busy machine must not fail the tests.
const startTimeout = 90 * time.Second

// process is mesh-kubernetes in a process of its own.
type process struct {
	dir    string
	port   int
	cmd    *exec.Cmd
	exited chan struct{}
}

func startProcess(dir string, port int) (*process, error) {
	p := &process{dir: dir, port: port, exited: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], "--data", dir, "--port", strconv.Itoa(port))
	p.cmd.Env = append(os.Environ(), runAsMain+"=1")
	// Files, unlike buffers, can be read while the process writes.
	stdout, err := os.Create(dir + ".stdout")
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	stderr, err := os.Create(dir + ".stderr")
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	p.cmd.Stdout, p.cmd.Stderr = stdout, stderr
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start mesh-kubernetes: %w", err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // The tests read the exit code from ProcessState.
	}()
	return p, nil
}

// output returns what the process wrote to its "stdout" or "stderr" so far.
func (p *process) output(stream string) string {
	content, err := os.ReadFile(p.dir + "." + stream)
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// awaitReady waits for the ready file of this very process.
func (p *process) awaitReady() error {
	timeout := time.After(startTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		content, err := os.ReadFile(filepath.Join(p.dir, "ready"))
		if err == nil && strings.TrimSpace(string(content)) == strconv.Itoa(p.cmd.Process.Pid) {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return fmt.Errorf("exited before it was ready: %s", p.output("stderr"))
		case <-timeout:
			return errors.New("not ready in time")
		}
	}
}

// end sends signal and waits for the exit; it returns the exit code, -1 if the signal killed the process.
func (p *process) end(signal syscall.Signal) (int, error) {
	if err := p.cmd.Process.Signal(signal); err != nil {
		return 0, err
	}
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(startTimeout):
		return 0, errors.New("did not exit in time")
	}
}

func (p *process) restConfig() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(p.dir, kubeconfigFile))
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return config, nil
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// shared is the one control plane of the tests; the tests separate by namespace.
type shared struct {
	process *process
	client  kubernetes.Interface
	config  *rest.Config
}

func startShared(dir string) (*shared, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := startProcess(dir, port)
	if err != nil {
		return nil, err
	}
	if err := p.awaitReady(); err != nil {
		return nil, errors.Join(err, p.cmd.Process.Kill())
	}
	config, err := p.restConfig()
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &shared{process: p, client: client, config: config}, nil
}

// restart kills the control plane and starts it again on the same data.
func (s *shared) restart() error {
	if _, err := s.process.end(syscall.SIGKILL); err != nil {
		return err
	}
	p, err := startProcess(s.process.dir, s.process.port)
	if err != nil {
		return err
	}
	s.process = p
	return p.awaitReady()
}

// cluster is set by TestMain before any test runs.
var cluster *shared

func TestMain(m *testing.M) {
	if os.Getenv(runAsMain) != "" {
		main()
		return
	}
	os.Exit(testAll(m))
}

func testAll(m *testing.M) int {
	temporary, err := os.MkdirTemp("", "mesh-kubernetes")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(temporary)
	dir := filepath.Join(temporary, "data")
	if cluster, err = startShared(dir); err != nil {
		fmt.Fprintln(os.Stderr, "start the cluster:", err)
		return 1
	}
	code := m.Run()
	exit, err := cluster.process.end(syscall.SIGTERM)
	if err != nil || exit != 0 {
		fmt.Fprintf(os.Stderr, "stop the cluster: exit code %d, %v\n", exit, err)
		code = 1
	}
	if _, err := os.Stat(filepath.Join(dir, "ready")); err == nil {
		fmt.Fprintln(os.Stderr, "the ready file is still there after the exit")
		code = 1
	}
	if code != 0 {
		fmt.Fprintf(os.Stderr, "log of the cluster:\n%s", cluster.process.output("stderr"))
	}
	return code
}
