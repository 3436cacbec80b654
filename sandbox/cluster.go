package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const pollInterval = 50 * time.Millisecond

// process is a running embedded Kubernetes.
type process struct {
	pid, port int
}

// StartCluster starts the embedded Kubernetes and returns when its API answers. A cluster that runs already is left
// alone. The cluster outlives this process; when ctx ends before it is ready, it is stopped again.
func (s *Sandbox) StartCluster(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.startDeadline, fmt.Errorf("it was not ready within %s", s.startDeadline))
	defer cancel()
	var died <-chan error
	p, running := s.findCluster()
	if !running {
		var err error
		if p, died, err = s.launchCluster(ctx); err != nil {
			return err
		}
	}
	err := s.awaitReady(ctx, p, died)
	if err == nil {
		return nil
	}
	// A half-started cluster must not get in the way of the next command.
	stopErr := s.StopCluster(context.WithoutCancel(ctx))
	if errors.Is(ctx.Err(), context.Canceled) {
		return errors.Join(ctx.Err(), stopErr)
	}
	return errors.Join(fmt.Errorf("start the embedded Kubernetes: %w\n%s\nall of its output: %s",
		err, tail(s.clusterLog(), 10), s.clusterLog()), stopErr)
}

// StopCluster stops the embedded Kubernetes and keeps its data. It does nothing when none runs.
func (s *Sandbox) StopCluster(ctx context.Context) error {
	p, running := s.findCluster()
	if !running {
		return nil
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(p.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the embedded Kubernetes (pid %d): %w", p.pid, err)
		}
		err := poll(ctx, s.stopDeadline, func() bool { q, up := s.findCluster(); return !up || q.pid != p.pid })
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("stop the embedded Kubernetes: pid %d is still there after SIGKILL", p.pid)
}

// launchCluster starts the process in a session of its own, out of reach of the terminal's Ctrl-C. What ends it
// before its time arrives on died.
func (s *Sandbox) launchCluster(ctx context.Context) (p process, died <-chan error, err error) {
	if err := s.checkPort(ctx); err != nil {
		return p, nil, err
	}
	if err := makeDir(s.clusterDir()); err != nil {
		return p, nil, err
	}
	if err := checkDisk(s.free, []demand{{s.clusterDir(), "the cluster's data", gib / 2, ""}}); err != nil {
		return p, nil, err
	}
	log, err := os.Create(s.clusterLog())
	if err != nil {
		return p, nil, fmt.Errorf("start the embedded Kubernetes: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(s.bin("mesh-kubernetes"), "--data", s.clusterDir(), "--port", strconv.Itoa(s.port))
	cmd.Dir = s.clusterDir()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return p, nil, fmt.Errorf("start the embedded Kubernetes: %w", err)
	}
	exit := make(chan error, 1)
	go func() { exit <- cmd.Wait() }()
	return process{cmd.Process.Pid, s.port}, exit, nil
}

// checkPort refuses a port that is in use, after a moment in which a cluster that was just killed may let go of it.
func (s *Sandbox) checkPort(ctx context.Context) error {
	var err error
	free := func() bool {
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))); err == nil {
			err = l.Close()
		}
		return err == nil
	}
	if poll(ctx, time.Second, free) == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("start the embedded Kubernetes: %w; if another program uses port %d, choose a free one with MESH_SANDBOX_PORT=<port>",
		err, s.port)
}

// awaitReady waits until that very process has declared itself ready and its API answers.
func (s *Sandbox) awaitReady(ctx context.Context, p process, died <-chan error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if s.declaredReady(p) && s.apiAnswers(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-died:
			return fmt.Errorf("it ended at once: %w", errOr(err, errors.New("exit status 0")))
		case <-tick.C:
		}
		if _, running := s.findCluster(); !running && died == nil {
			return fmt.Errorf("its process (pid %d) has ended", p.pid)
		}
	}
}

// declaredReady reads the file that the cluster writes its pid to when it is ready. A file that a killed cluster has
// left behind names another process.
func (s *Sandbox) declaredReady(p process) bool {
	b, err := os.ReadFile(s.readyFile())
	return err == nil && strings.TrimSpace(string(b)) == strconv.Itoa(p.pid)
}

func (s *Sandbox) apiAnswers(ctx context.Context) bool {
	_, err := s.kubectl(ctx, "get", "--raw", "/readyz", "--request-timeout=5s")
	return err == nil
}

func (s *Sandbox) kubectl(ctx context.Context, args ...string) ([]byte, error) {
	return s.output(ctx, s.root, s.bin("kubectl"), append([]string{"--kubeconfig", s.Kubeconfig()}, args...)...)
}

// findCluster looks for the process that serves this instance's data. The process table cannot be stale, as a file
// with a pid would be after a crash.
func (s *Sandbox) findCluster() (process, bool) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return process{}, false
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err != nil {
			continue // it has just ended
		}
		args := strings.Split(string(line), "\x00")
		if filepath.Base(args[0]) != "mesh-kubernetes" || argument(args, "--data") != s.clusterDir() {
			continue
		}
		port, err := strconv.Atoi(argument(args, "--port"))
		return process{pid, port}, err == nil
	}
	return process{}, false
}

func argument(args []string, flag string) string {
	if i := slices.Index(args, flag); i >= 0 && i+1 < len(args) {
		return args[i+1]
	}
	return ""
}

// poll waits until done holds.
func poll(ctx context.Context, deadline time.Duration, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func (s *Sandbox) clusterLog() string { return filepath.Join(s.clusterDir(), "log") }
func (s *Sandbox) readyFile() string  { return filepath.Join(s.clusterDir(), "ready") }
