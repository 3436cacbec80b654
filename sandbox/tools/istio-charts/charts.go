package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// charts lists where the module keeps each chart, and the name under which
// Istio publishes it.
var charts = []struct{ name, source string }{
	{"base", "charts/base"},
	{"istiod", "charts/istio-control/istio-discovery"},
	{"cni", "charts/istio-cni"},
	{"gateway", "charts/gateway"},
}

// writeCharts replaces the folder to with the stamped charts. It writes to a
// folder beside it first, so that an interrupted run leaves no half chart.
func writeCharts(source fs.FS, s stamp, to string) (err error) {
	parent := filepath.Dir(filepath.Clean(to))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("create the parent of the chart folder: %w", err)
	}
	temp, err := os.MkdirTemp(parent, ".istio-charts-")
	if err != nil {
		return fmt.Errorf("create a temporary chart folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()

	fresh := filepath.Join(temp, "charts")
	for _, c := range charts {
		if err := writeChart(source, c.source, s, filepath.Join(fresh, c.name)); err != nil {
			return fmt.Errorf("chart %s: %w", c.name, err)
		}
	}
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("remove the former charts: %w", err)
	}
	if err := os.Rename(fresh, to); err != nil {
		return fmt.Errorf("move the charts into place: %w", err)
	}
	return nil
}

// writeChart copies one chart, without its documentation, and stamps it.
func writeChart(source fs.FS, root string, s stamp, to string) error {
	chart, err := fs.Sub(source, root)
	if err != nil {
		return err
	}
	return fs.WalkDir(chart, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, filepath.FromSlash(name))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		if path.Ext(name) == ".md" {
			return nil
		}
		content, err := fs.ReadFile(chart, name)
		if err != nil {
			return err
		}
		content, err = s.apply(name, content)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return os.WriteFile(target, content, 0o644)
	})
}
