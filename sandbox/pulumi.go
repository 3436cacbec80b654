package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Up deploys a stack to the cluster, which must run, without asking.
func (s *Sandbox) Up(ctx context.Context, stack string) error {
	return s.pulumi(ctx, stack, "up", "--yes", "--skip-preview")
}

// Preview shows what Up would do, with the properties of each resource if diff is set.
func (s *Sandbox) Preview(ctx context.Context, stack string, diff bool) error {
	if diff {
		return s.pulumi(ctx, stack, "preview", "--diff")
	}
	return s.pulumi(ctx, stack, "preview")
}

// pulumi runs an operation on a stack of this instance, which it makes if need be.
func (s *Sandbox) pulumi(ctx context.Context, stack, operation string, flags ...string) error {
	dir, err := s.PrepareProject(stack)
	if err != nil {
		return err
	}
	if err := s.ensureStack(ctx, dir, stack); err != nil {
		return err
	}
	if err := s.breakLocks(ctx, dir, stack); err != nil {
		return err
	}
	args := append([]string{operation, "--non-interactive", "--stack", stack}, flags...)
	if err := s.stream(ctx, dir, s.bin("pulumi"), args...); err != nil {
		return fmt.Errorf("pulumi %s of stack %q: %w", operation, stack, err)
	}
	return nil
}

// ensureStack makes a stack the first time. Only the stack that Up is for becomes the one that a user's own commands
// work on; a preview does not change that.
func (s *Sandbox) ensureStack(ctx context.Context, dir, stack string) error {
	found, err := filepath.Glob(filepath.Join(s.stateDir(), ".pulumi", "stacks", "*", stack+".json"))
	if err != nil || len(found) > 0 {
		return err
	}
	args := []string{"stack", "init", stack, "--non-interactive"}
	if stack != LocalStack {
		args = append(args, "--no-select")
	}
	if err := s.stream(ctx, dir, s.bin("pulumi"), args...); err != nil {
		return fmt.Errorf("pulumi stack init %s: %w", stack, err)
	}
	return nil
}

// breakLocks removes the lock of a Pulumi that was killed. We hold the lock of the instance, so a Pulumi that is
// alive is the child of a sandbox command that was killed; it has been told to stop.
func (s *Sandbox) breakLocks(ctx context.Context, dir, stack string) error {
	holders, err := s.lockHolders(stack)
	if err != nil || len(holders) == 0 {
		return err
	}
	for _, pid := range holders {
		if !isPulumi(pid) {
			continue
		}
		s.logf("waiting for an earlier pulumi (pid %d) to stop", pid)
		if err := poll(ctx, stopGrace, func() bool { return !isPulumi(pid) }); err != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("an earlier pulumi (pid %d) holds the lock of stack %q; stop it", pid, stack))
		}
	}
	if err := s.stream(ctx, dir, s.bin("pulumi"), "cancel", "--yes", "--stack", stack); err != nil {
		return fmt.Errorf("pulumi cancel of stack %q: %w", stack, err)
	}
	return nil
}

// lockHolders returns the pids in the lock files of a stack.
func (s *Sandbox) lockHolders(stack string) ([]int, error) {
	var pids []int
	err := filepath.WalkDir(filepath.Join(s.stateDir(), ".pulumi", "locks"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(filepath.Dir(path)) != stack || filepath.Ext(path) != ".json" {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		var holder struct{ Pid int }
		if err == nil {
			_ = json.Unmarshal(b, &holder) // a lock cut short by the kill has no pid; it is to be removed all the same
			pids = append(pids, holder.Pid)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return pids, err
}

func isPulumi(pid int) bool {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	name, _, _ := strings.Cut(string(line), "\x00")
	return err == nil && filepath.Base(name) == "pulumi"
}

// update is what Pulumi remembers of the last operation on a stack.
type update struct {
	Kind    string
	Result  string
	EndTime time.Time
}

// lastUpdate returns the last operation on a stack, or nil.
func (s *Sandbox) lastUpdate(ctx context.Context, stack string) (*update, error) {
	if _, err := os.Stat(s.projectDir()); err != nil {
		return nil, nil
	}
	out, err := s.output(ctx, s.projectDir(), s.bin("pulumi"),
		"stack", "history", "--json", "--page-size", "1", "--stack", stack, "--non-interactive")
	if err != nil {
		return nil, err
	}
	var updates []update
	if err := json.Unmarshal(out, &updates); err != nil {
		return nil, fmt.Errorf("pulumi stack history: %w", err)
	}
	if len(updates) == 0 {
		return nil, nil
	}
	return &updates[0], nil
}
