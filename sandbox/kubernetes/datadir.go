package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// minFree covers etcd's preallocated logs and its database with room to grow;
// etcd itself ends in a panic when the disk is full.
const minFree = 512 << 20

// dataDir is the folder that holds all the state of one cluster, locked for this process.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir makes the folder if need be and claims it.
func openDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	const remedy = "choose another folder with --data"
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the data folder (%w): %s", err, remedy)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot write to the data folder (%w): %s", err, remedy)
	}
	d := &dataDir{path: path, lock: lock}
	if err := d.claim(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := checkFree(path, minFree); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: free some space, or %s", err, remedy), lock.Close())
	}
	return d, nil
}

// claim takes the lock, notes who holds it, and removes what a killed holder left behind.
func (d *dataDir) claim() error {
	err := unix.Flock(int(d.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("data folder %s is in use by process %s: stop it, or choose another folder with --data", d.path, d.holder())
	}
	if err != nil {
		return fmt.Errorf("lock data folder: %w", err)
	}
	if err := d.removeReady(); err != nil {
		return err
	}
	if err := d.lock.Truncate(0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	if _, err := d.lock.WriteAt([]byte(pid()), 0); err != nil {
		return fmt.Errorf("cannot write to the data folder: %w", err)
	}
	return nil
}

func (d *dataDir) holder() string {
	content, err := os.ReadFile(d.lock.Name())
	if err != nil || len(content) == 0 {
		return "unknown"
	}
	return strings.TrimSpace(string(content))
}

// markReady tells whoever waits that the cluster is ready.
func (d *dataDir) markReady() error {
	if err := writeFile(d.readyFile(), []byte(pid())); err != nil {
		return fmt.Errorf("mark ready: %w", err)
	}
	return nil
}

func (d *dataDir) removeReady() error {
	if err := os.Remove(d.readyFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove ready file: %w", err)
	}
	return nil
}

func (d *dataDir) readyFile() string {
	return filepath.Join(d.path, "ready")
}

// close releases the folder. The lock file stays: removing it would let two processes hold "the" lock.
func (d *dataDir) close() error {
	if err := d.lock.Close(); err != nil {
		return fmt.Errorf("release data folder: %w", err)
	}
	return nil
}

// checkFree returns an error if fewer than min bytes are free at path.
func checkFree(path string, min uint64) error {
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil {
		return fmt.Errorf("ask for free space at %s: %w", path, err)
	}
	if free := stat.Bavail * uint64(stat.Bsize); free < min {
		return fmt.Errorf("only %d MB free at %s, %d MB needed", free>>20, path, min>>20)
	}
	return nil
}

// writeFile writes a private file in one step, so that no reader and no restart sees half of it.
func writeFile(path string, content []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

func pid() string {
	return strconv.Itoa(os.Getpid()) + "\n"
}
