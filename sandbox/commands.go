package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrDown says that the sandbox is not running.
var ErrDown = errors.New("the sandbox is down; `make up` starts it")

// RunUp does all that it takes to have the stack deployed, and then says what runs.
func (s *Sandbox) RunUp(ctx context.Context, stack string) error {
	return s.locked("up", func() error {
		t := newTimer()
		if err := s.ready(ctx, t); err != nil {
			return err
		}
		if err := s.Up(ctx, stack); err != nil {
			return err
		}
		t.done("pulumi up")
		return s.summary(ctx, t)
	})
}

// RunPreview shows what a stack would deploy to the cluster, which it starts if need be.
func (s *Sandbox) RunPreview(ctx context.Context, stack string, diff bool) error {
	return s.locked("preview", func() error {
		t := newTimer()
		if err := s.ready(ctx, t); err != nil {
			return err
		}
		if err := s.Preview(ctx, stack, diff); err != nil {
			return err
		}
		t.done("pulumi preview")
		s.logf("\n%s", t)
		return nil
	})
}

// RunDown stops the cluster and deletes the instance, whatever is left of it. The toolchain stays.
func (s *Sandbox) RunDown(ctx context.Context) error {
	if _, err := os.Stat(s.Dir()); errors.Is(err, fs.ErrNotExist) {
		s.logf("the sandbox is down already")
		return nil
	}
	return s.locked("down", func() error {
		if err := s.StopCluster(ctx); err != nil {
			return err
		}
		if err := s.Remove(); err != nil {
			return err
		}
		s.logf("the sandbox is down; the toolchain is kept in %s", s.Home())
		return nil
	})
}

// RunClean takes down all instances of the checkout and deletes the toolchain, too.
func (s *Sandbox) RunClean(ctx context.Context) error {
	dirs, err := filepath.Glob(filepath.Join(s.Home(), "*", "lock"))
	if err != nil {
		return err
	}
	for _, path := range dirs {
		instance := *s
		instance.name = filepath.Base(filepath.Dir(path))
		if err := instance.RunDown(ctx); err != nil {
			return err
		}
	}
	if _, err := os.Stat(s.Home()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	release, err := lock(filepath.Join(s.Home(), "toolchain.lock"), "clean")
	if err != nil {
		return err
	}
	defer release()
	if err := os.RemoveAll(s.Home()); err != nil {
		return fmt.Errorf("delete the toolchain: %w", err)
	}
	s.logf("deleted %s", s.Home())
	return nil
}

// RunToolchain makes the toolchain, or the named tools of it, and nothing else.
func (s *Sandbox) RunToolchain(ctx context.Context, names ...string) error {
	if err := s.EnsureToolchain(ctx, names...); err != nil {
		return err
	}
	s.logf("the toolchain is ready in %s", s.Home())
	return nil
}

// RunStatus says what is up. It returns ErrDown when the cluster is not.
func (s *Sandbox) RunStatus(ctx context.Context, stack string) error {
	if err := s.toolchainStatus(ctx); err != nil {
		return err
	}
	p, running := s.findCluster()
	if !running {
		s.logf("cluster      down")
		return ErrDown
	}
	if !s.declaredReady(p) || !s.apiAnswers(ctx) {
		s.logf("cluster      pid %d does not answer on 127.0.0.1:%d; `make down` stops it", p.pid, p.port)
		return ErrDown
	}
	since := "?"
	if st, err := os.Stat(s.readyFile()); err == nil {
		since = st.ModTime().Format(time.DateTime)
	}
	s.logf("cluster      up since %s: https://127.0.0.1:%d, pid %d, %s of memory", since, p.port, p.pid, p.memory())
	s.logf("kubeconfig   %s", s.Kubeconfig())
	last, err := s.lastUpdate(ctx, stack)
	switch {
	case err != nil:
		return err
	case last == nil:
		s.logf("stack %-6s never deployed", stack)
	default:
		s.logf("stack %-6s last %s %s at %s", stack, last.Kind, last.Result, last.EndTime.Local().Format(time.DateTime))
	}
	return s.printDeployments(ctx)
}

// PrintEnv prints the shell commands that point Pulumi and kubectl at this instance.
func (s *Sandbox) PrintEnv() error {
	if _, running := s.findCluster(); !running {
		return ErrDown
	}
	s.logf("unset %s", strings.Join(s.Unset(), " "))
	env := s.Env()
	for _, key := range slices.Sorted(maps.Keys(env)) {
		s.logf("export %s=%s", key, quote(env[key]))
	}
	return nil
}

func quote(v string) string { return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'" }

func (s *Sandbox) locked(command string, run func() error) error {
	release, err := s.Lock(command)
	if err != nil {
		return err
	}
	defer release()
	return run()
}

// ready makes the toolchain and the cluster ready.
func (s *Sandbox) ready(ctx context.Context, t *timer) error {
	if err := s.EnsureToolchain(ctx); err != nil {
		return err
	}
	t.done("toolchain")
	if err := s.StartCluster(ctx); err != nil {
		return err
	}
	t.done("cluster")
	return nil
}

func (s *Sandbox) toolchainStatus(ctx context.Context) error {
	env, err := s.goEnv(ctx)
	if err != nil {
		return err
	}
	tools, err := s.selectTools(nil)
	if err != nil {
		return err
	}
	var missing []string
	for _, t := range tools {
		recipe, err := s.recipe(t, env.GOVERSION)
		if err != nil {
			return err
		}
		if !s.upToDate(t, recipe) {
			missing = append(missing, t.title())
		}
	}
	if len(missing) > 0 {
		s.logf("toolchain    to be built by the next `make up`: %s", strings.Join(missing, ", "))
		return nil
	}
	s.logf("toolchain    ready in %s", s.Home())
	return nil
}

// summary says what runs and what to do with it.
func (s *Sandbox) summary(ctx context.Context, t *timer) error {
	s.logf("\nThe mesh is up (%s).\n", t)
	if err := s.printDeployments(ctx); err != nil {
		return err
	}
	s.logf(`
kubeconfig   %s

Try next:
  eval "$(make -s env)"                        # kubectl and pulumi in this shell
  kubectl get pods -A -o wide                  # what runs in which zone
  pulumi -C %s stack output
  make preview STACK=prod                      # what production would get
  make status, make down`, s.Kubeconfig(), s.projectDir())
	return nil
}

func (s *Sandbox) printDeployments(ctx context.Context) error {
	out, err := s.kubectl(ctx, "get", "deployments", "--all-namespaces", "--output=json")
	if err != nil {
		return fmt.Errorf("list the deployments: %w", err)
	}
	var list struct {
		Items []struct {
			Metadata struct{ Namespace, Name string }
			Spec     struct{ Replicas int }
			Status   struct{ ReadyReplicas int }
		}
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return fmt.Errorf("list the deployments: %w", err)
	}
	for _, d := range list.Items {
		s.logf("deployment   %s/%s: %d/%d ready", d.Metadata.Namespace, d.Metadata.Name, d.Status.ReadyReplicas, d.Spec.Replicas)
	}
	return nil
}

// memory returns what the process uses, as the kernel counts it.
func (p process) memory() string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	for line := range strings.Lines(string(b)) {
		var kb uint64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			return size(kb << 10)
		}
	}
	return "?"
}

// timer notes how long the phases of a command take.
type timer struct {
	start, last time.Time
	phases      []string
}

func newTimer() *timer {
	now := time.Now()
	return &timer{start: now, last: now}
}

func (t *timer) done(phase string) {
	now := time.Now()
	t.phases = append(t.phases, phase+" "+short(now.Sub(t.last)))
	t.last = now
}

// String implements fmt.Stringer.
func (t *timer) String() string {
	return strings.Join(t.phases, ", ") + "; total " + short(t.last.Sub(t.start))
}
