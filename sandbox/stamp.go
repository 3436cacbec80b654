package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// recipe is a hash of all that a tool's binary follows from: a change of it is a reason to build again.
func (s *Sandbox) recipe(t tool, goVersion string) (string, error) {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(t); err != nil {
		return "", err
	}
	fmt.Fprintln(h, goVersion)
	dir := s.toolDir(t)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isSource(t, d.Name()) {
			return err
		}
		fmt.Fprintln(h, strings.TrimPrefix(path, dir))
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(h, f)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash the sources of %s: %w", t.Name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// isSource leaves out tests, and what go generate writes, which follows from the rest.
func isSource(t tool, name string) bool {
	switch {
	case name == "go.mod", name == "go.sum":
		return true
	case strings.HasSuffix(name, "_test.go"):
		return false
	}
	return t.local() && (strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".yaml"))
}

// stamp ties a recipe to the file that came of it. It is written last, so a build that was cut short has none, and
// a file that was exchanged or cut off afterwards does not match.
func (s *Sandbox) stamp(t tool, recipe string) (string, error) {
	st, err := os.Stat(s.toolOutput(t))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %d %d\n", recipe, st.Size(), st.ModTime().UnixNano()), nil
}

func (s *Sandbox) stampFile(t tool) string { return filepath.Join(s.Home(), "stamps", t.Name) }

// upToDate reports whether the tool is there and needs no work.
func (s *Sandbox) upToDate(t tool, recipe string) bool {
	want, err := s.stamp(t, recipe)
	if err != nil {
		return false
	}
	if t.Kind == kindCharts {
		if _, err := os.Stat(s.chartDir(t)); err != nil {
			return false
		}
	}
	have, err := os.ReadFile(s.stampFile(t))
	return err == nil && string(have) == want
}

func (s *Sandbox) writeStamp(t tool, recipe string) error {
	text, err := s.stamp(t, recipe)
	if err != nil {
		return fmt.Errorf("stamp %s: %w", t.Name, err)
	}
	return writeFile(s.stampFile(t), []byte(text), 0o644)
}

// writeFile writes a file in one step, so that nobody ever reads half of it.
func writeFile(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
