package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// goEnv is what the go command says about itself.
type goEnv struct {
	GOVERSION, GOCACHE, GOMODCACHE string
}

// EnsureToolchain makes the named tools available below Home, or without names all that a running sandbox needs,
// and then compiles the mesh program. A tool that the user has in a fitting version is linked to, the others are
// compiled from their Go modules. When all is there it takes a fraction of a second.
func (s *Sandbox) EnsureToolchain(ctx context.Context, names ...string) error {
	tools, err := s.selectTools(names)
	if err != nil {
		return err
	}
	if err := makeDir(s.Home()); err != nil {
		return err
	}
	env, err := s.goEnv(ctx)
	if err != nil {
		return err
	}
	release, err := s.lockToolchain(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := s.preparePulumiHome(); err != nil {
		return err
	}
	todo, err := s.missing(ctx, tools, env)
	if err != nil {
		return err
	}
	var steps []step
	for _, m := range todo {
		steps = append(steps, step{m.title(), "compiling", m.cost().time, func() error { return s.build(ctx, m) }})
	}
	if len(names) == 0 {
		steps = append(steps, s.programSteps(ctx)...)
	}
	if err := checkDisk(s.free, s.demands(todo, env)); err != nil {
		return err
	}
	return newProgress(s.out).runSteps(steps)
}

// selectTools returns the tools of those names; without names all but the linters.
func (s *Sandbox) selectTools(names []string) ([]tool, error) {
	tools, err := s.tools()
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return slices.DeleteFunc(tools, func(t tool) bool { return t.Kind == kindLint }), nil
	}
	var known []string
	selected := make([]tool, 0, len(names))
	for _, t := range tools {
		known = append(known, t.Name)
		if slices.Contains(names, t.Name) {
			selected = append(selected, t)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("no tool is called %q; there are: %s", name, strings.Join(known, ", "))
		}
	}
	return selected, nil
}

func (s *Sandbox) goEnv(ctx context.Context) (goEnv, error) {
	var env goEnv
	if _, err := exec.LookPath("go"); err != nil {
		return env, errors.New("there is no go command on the PATH; install Go 1.26 or newer from https://go.dev/dl")
	}
	out, err := s.output(ctx, filepath.Join(s.root, "sandbox"), "go", "env", "-json", "GOVERSION", "GOCACHE", "GOMODCACHE")
	if err != nil {
		return env, fmt.Errorf("ask the go command for its settings: %w", err)
	}
	if err := json.Unmarshal(out, &env); err != nil {
		return env, fmt.Errorf("ask the go command for its settings: %w", err)
	}
	return env, checkGo(env.GOVERSION)
}

// checkGo refuses a Go that cannot compile the modules, before half of them are.
func checkGo(version string) error {
	var major, minor int
	if _, err := fmt.Sscanf(version, "go%d.%d", &major, &minor); err != nil {
		return nil // a development build: let it try
	}
	if major == 1 && minor < 26 {
		return fmt.Errorf("the go command on the PATH is %s; Go 1.26 or newer is needed: https://go.dev/dl", version)
	}
	return nil
}

// preparePulumiHome makes the folder that the CLI keeps its plugins in.
func (s *Sandbox) preparePulumiHome() error {
	if err := os.MkdirAll(filepath.Join(s.pulumiHome(), "plugins"), 0o755); err != nil {
		return fmt.Errorf("make the Pulumi home: %w", err)
	}
	// The CLI logs every property of every resource to a folder of this name, which takes half of its time. It has
	// no switch for that, but does without the log when the folder cannot be made.
	logs := filepath.Join(s.pulumiHome(), "logs")
	if st, err := os.Lstat(logs); err == nil && !st.IsDir() {
		return nil
	}
	if err := os.RemoveAll(logs); err != nil {
		return fmt.Errorf("turn off the log of the Pulumi CLI: %w", err)
	}
	return writeFile(logs, []byte("A file, so that the Pulumi CLI does not write its automatic log, which is slow.\n"), 0o644)
}

// pending is a tool that has to be compiled.
type pending struct {
	tool
	recipe string
}

// missing returns the tools that are neither up to date nor found on this machine. It links to those it finds.
func (s *Sandbox) missing(ctx context.Context, tools []tool, env goEnv) ([]pending, error) {
	var todo []pending
	for _, t := range tools {
		recipe, err := s.recipe(t, env.GOVERSION)
		if err != nil {
			return nil, err
		}
		if s.upToDate(t, recipe) {
			continue
		}
		found := s.find(ctx, t)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if found == "" {
			todo = append(todo, pending{t, recipe})
			continue
		}
		if err := s.link(t, found); err != nil {
			return nil, err
		}
		if err := s.writeStamp(t, recipe); err != nil {
			return nil, err
		}
		s.logf("%s: using %s", t.title(), found)
	}
	return todo, nil
}

// link puts a tool of the user's where the sandbox looks for it.
func (s *Sandbox) link(t tool, found string) error {
	out := s.toolOutput(t)
	err := os.MkdirAll(filepath.Dir(out), 0o755)
	if err == nil {
		if err = os.Remove(out); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		err = os.Symlink(found, out)
	}
	if err != nil {
		return fmt.Errorf("link to %s: %w", found, err)
	}
	return nil
}

// build compiles a tool. The binary gets its name when it is complete, and the stamp comes last: what an
// interrupted build has compiled is in Go's cache, so the next one goes on from there.
func (s *Sandbox) build(ctx context.Context, p pending) error {
	out := s.toolOutput(p.tool)
	partial := filepath.Join(filepath.Dir(out), "."+filepath.Base(out)+".partial")
	defer os.Remove(partial)
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return fmt.Errorf("%s: %w", p.title(), err)
	}
	commands := [][]string{
		{"go", "generate", "./..."},
		{"go", "build", "-ldflags", p.LDFlags, "-o", partial, p.Package},
	}
	if !p.local() {
		commands = commands[1:]
	}
	if err := s.runLogged(ctx, p.Name, s.toolDir(p.tool), commands...); err != nil {
		return fmt.Errorf("%s: %w", p.title(), err)
	}
	if err := os.Rename(partial, out); err != nil {
		return fmt.Errorf("%s: %w", p.title(), err)
	}
	if p.Kind == kindCharts {
		if err := s.runLogged(ctx, p.Name, s.toolDir(p.tool), []string{out, "--to", s.chartDir(p.tool)}); err != nil {
			return fmt.Errorf("%s: %w", p.title(), err)
		}
	}
	return s.writeStamp(p.tool, p.recipe)
}

// programSteps is the compilation of the mesh program itself. Pulumi runs that binary, else it would link the
// program anew for each of its commands. The go command knows best whether there is anything to do.
func (s *Sandbox) programSteps(ctx context.Context) []step {
	if _, err := os.Stat(filepath.Join(s.root, "main.go")); errors.Is(err, os.ErrNotExist) {
		s.logf("the mesh program: skipped, there is no main.go in %s", s.root)
		return nil
	}
	return []step{{"the mesh program", "compiling", 3 * time.Minute, func() error {
		if err := s.runLogged(ctx, "program", s.root, []string{"go", "build", "-o", s.program(), "."}); err != nil {
			return fmt.Errorf("the mesh program: %w", err)
		}
		return nil
	}}}
}

// runLogged runs commands one after the other, with their output in a log file, whose end is in the error.
func (s *Sandbox) runLogged(ctx context.Context, name, dir string, commands ...[]string) error {
	path := s.logFile(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	log, err := os.Create(path)
	if err != nil {
		return err
	}
	defer log.Close()
	for _, args := range commands {
		cmd := s.command(ctx, dir, args[0], args[1:]...)
		// Compilers are in the group of the go command, and stop at once only if they are told, too.
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
		cmd.Env = append(cmd.Env, "GOWORK=off")
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Run(); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%s: %w\n%s\nall of the output: %s", strings.Join(args, " "), err, tail(path, 20), path)
		}
	}
	return nil
}

// demands says where the builds will write how much.
func (s *Sandbox) demands(todo []pending, env goEnv) []demand {
	var sum uint64
	for _, p := range todo {
		sum += p.cost().disk
	}
	if sum == 0 {
		return nil
	}
	return []demand{
		{s.Home(), "the binaries", sum / 8, ""},
		{env.GOCACHE, "Go's build cache", sum / 2, "set GOCACHE to a folder on a larger disk"},
		{env.GOMODCACHE, "Go's module cache", sum - sum/8 - sum/2, "set GOMODCACHE to a folder on a larger disk"},
	}
}
