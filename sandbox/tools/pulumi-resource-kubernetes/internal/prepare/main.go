// Command prepare derives the files that the Kubernetes provider embeds from
// the provider's module, for the version given as its argument.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	module = "github.com/pulumi/pulumi-kubernetes/provider/v4"
	output = "generated"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "prepare: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("give the provider's version as the only argument")
	}
	source, err := moduleDir(module)
	if err != nil {
		return err
	}
	source = filepath.Join(source, "cmd", "pulumi-resource-kubernetes")
	if err := os.MkdirAll(output, 0o755); err != nil {
		return fmt.Errorf("create the output folder: %w", err)
	}
	return errors.Join(
		os.WriteFile(filepath.Join(output, "version"), []byte(args[0]), 0o644),
		prepare(source, "schema.json", map[string]string{"version": args[0]}),
		prepare(source, "terraform-mapping.json", nil),
	)
}

// moduleDir returns the folder of a module of the build list, downloading the
// module if need be.
func moduleDir(path string) (string, error) {
	command := exec.Command("go", "mod", "download", "-json", path)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("download %s: %w: %s", path, err, strings.TrimSpace(string(out)))
	}
	var info struct{ Dir string }
	if err := json.Unmarshal(out, &info); err != nil {
		return "", fmt.Errorf("read what go says of %s: %w", path, err)
	}
	return info.Dir, nil
}

// prepare writes a JSON file of the source folder to the output folder,
// compacted, with some of its top-level fields set.
func prepare(source, name string, fields map[string]string) error {
	content, err := os.ReadFile(filepath.Join(source, name))
	if err != nil {
		return fmt.Errorf("read the provider's %s: %w", name, err)
	}
	var document map[string]json.RawMessage
	if err := json.Unmarshal(content, &document); err != nil {
		return fmt.Errorf("parse the provider's %s: %w", name, err)
	}
	for field, value := range fields {
		quoted, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("field %s of %s: %w", field, name, err)
		}
		document[field] = quoted
	}
	compact, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.WriteFile(filepath.Join(output, name), compact, 0o644)
}
