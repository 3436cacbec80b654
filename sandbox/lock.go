package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Lock keeps other sandbox commands away from this instance until release is called. It fails at once when one is
// running. The lock is a flock, so it ends with the process, however that ends.
func (s *Sandbox) Lock(command string) (release func(), err error) {
	return lock(filepath.Join(s.Dir(), "lock"), command)
}

// lockToolchain waits for its turn: instances share the toolchain, and two builds at once need too much memory.
func (s *Sandbox) lockToolchain(ctx context.Context) (release func(), err error) {
	for said := false; ; said = true {
		release, err := lock(filepath.Join(s.Home(), "toolchain.lock"), "toolchain")
		var busy *BusyError
		if !errors.As(err, &busy) {
			return release, err
		}
		if !said {
			s.logf("waiting for the toolchain: %v", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// BusyError says that another sandbox command holds a lock.
type BusyError struct {
	Holder string // what the holder wrote about itself
}

// Error implements error.
func (e *BusyError) Error() string {
	return fmt.Sprintf("another sandbox command (%s) is running; wait for it or stop it", e.Holder)
}

func lock(path, command string) (release func(), err error) {
	if err := makeDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, fmt.Errorf("lock the sandbox: %w", err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			holder, _ := os.ReadFile(path)
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, &BusyError{Holder: strings.TrimSpace(string(holder))}
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		// The holder before us may have removed the file after we opened it: then we locked a file nobody sees.
		if !isOpenFile(f, path) {
			f.Close()
			continue
		}
		text := fmt.Sprintf("pid %d, `%s`, since %s\n", os.Getpid(), command, time.Now().Format(time.TimeOnly))
		if err := errors.Join(f.Truncate(0), writeAt(f, text)); err != nil {
			f.Close()
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
		return func() { f.Close() }, nil
	}
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

func isOpenFile(f *os.File, path string) bool {
	opened, err1 := f.Stat()
	named, err2 := os.Stat(path)
	return err1 == nil && err2 == nil && os.SameFile(opened, named)
}

// makeDir makes dir and proves that it can be written to, so that the error comes before the work.
func makeDir(dir string) error {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".writable-*"); err == nil {
			f.Close()
			err = os.Remove(f.Name())
		}
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%s: the disk is full; free some space and run this again: %w", dir, err)
	case err != nil:
		return fmt.Errorf("%s cannot be written; make it writable for you, or work in a checkout of your own: %w", dir, err)
	}
	return nil
}
