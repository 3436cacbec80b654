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
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("read stack file %s: %w", path, err)
	}
	values := map[string]any{}
	for _, name := range []string{"environment", "mesh", "hosts", "catalogue", "tokens", "access"} {
		if value, ok := file.Config[key(name)]; ok {
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
