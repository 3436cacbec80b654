package stacks

import (
	"fmt"
	"os"
	"strings"

	"gopkg.in/yaml.v3"
)

// LoadFile returns the configuration that a stack file describes, as far as access
// goes: without Pulumi secrets cannot be decrypted, and the keys that hold them are
// left at their defaults. What it does read is as strict as in [Load].
func LoadFile(path string) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read stack file: %w", err)
	}
	raw, err := readConfig(text)
	if err != nil {
		return nil, fmt.Errorf("read stack file %s: %w", path, err)
	}
	values := map[string]any{}
	for _, name := range []string{"environment", "mesh", "hosts", "kubernetes", "tracing", "catalogue", "tokens", "access"} {
		if value, ok := raw[key(name)]; ok {
			values[name] = value
		}
	}
	config, list := decode(values, func(string) bool { return false })
	if len(list) == 0 {
		list = config.Validate()
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", strings.TrimPrefix(path, "./"), err)
	}
	return config, nil
}

// readConfig returns the configuration of a stack file as it is written.
func readConfig(text []byte) (map[string]any, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	keepDates(&document)
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	if err := document.Decode(&file); err != nil {
		return nil, err
	}
	return file.Config, nil
}

// keepDates keeps dates without quotes from becoming points in time.
func keepDates(node *yaml.Node) {
	if node.ShortTag() == "!!timestamp" {
		node.Tag = "!!str"
	}
	for _, child := range node.Content {
		keepDates(child)
	}
}
