package sandbox

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// PrepareProject writes the Pulumi project of this instance for a stack and returns its folder, which is to be the
// working directory of Pulumi commands. The project runs the checkout's program with the checkout's settings; Pulumi
// writes to this copy of the stack file, so the checkout stays as it is.
func (s *Sandbox) PrepareProject(stack string) (workDir string, err error) {
	for _, dir := range []string{s.projectDir(), s.stateDir()} {
		if err := makeDir(dir); err != nil {
			return "", err
		}
	}
	if err := s.ensurePassphrase(); err != nil {
		return "", err
	}
	charts, err := s.Charts()
	if err != nil {
		return "", err
	}
	if err := s.derive("Pulumi.yaml", func(doc, _ *yaml.Node) {
		set(doc, s.root, "main")
		set(doc, "go", "runtime", "name")
		set(doc, s.program(), "runtime", "options", "binary")
	}); err != nil {
		return "", err
	}
	if err := s.derive("Pulumi."+stack+".yaml", func(doc, old *yaml.Node) {
		// The sandbox encrypts with a passphrase of its own, whose salt Pulumi has put into our copy.
		for _, key := range []string{"encryptionsalt", "encryptedkey", "secretsprovider"} {
			remove(doc, key)
		}
		if salt := child(old, "encryptionsalt"); salt != nil {
			set(doc, salt.Value, "encryptionsalt")
		}
		set(doc, charts, "config", "mcp-mesh:istio", "chartFolder")
	}); err != nil {
		return "", err
	}
	return s.projectDir(), nil
}

// derive writes the project's copy of one of the checkout's files. The edit gets the file, and the earlier copy.
func (s *Sandbox) derive(name string, edit func(doc, old *yaml.Node)) error {
	doc, err := readYAML(filepath.Join(s.root, name))
	if err != nil {
		return fmt.Errorf("prepare the project: %w", err)
	}
	path := filepath.Join(s.projectDir(), name)
	old, err := readYAML(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("prepare the project: %w", err)
	}
	edit(doc, old)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(doc), enc.Close()); err != nil {
		return fmt.Errorf("prepare the project: %s: %w", name, err)
	}
	if err := writeFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("prepare the project: %w", err)
	}
	return nil
}

// readYAML returns the mapping that a file consists of. It works on nodes, so that values keep the form they have.
func readYAML(path string) (*yaml.Node, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(doc.Content) == 0 {
		return &yaml.Node{Kind: yaml.MappingNode}, nil
	}
	if doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: want a mapping at the top", path)
	}
	return doc.Content[0], nil
}

// child returns the value of a key of a mapping, or nil.
func child(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// set sets the value at a path of keys. What stands in the way of a mapping, such as a null or the short form
// `runtime: go`, gives way to one.
func set(mapping *yaml.Node, value string, path ...string) {
	v := child(mapping, path[0])
	if v == nil {
		v = &yaml.Node{}
		mapping.Content = append(mapping.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: path[0]}, v)
	}
	if len(path) == 1 {
		v.SetString(value)
		return
	}
	if v.Kind != yaml.MappingNode {
		*v = yaml.Node{Kind: yaml.MappingNode}
	}
	set(v, value, path[1:]...)
}

func remove(mapping *yaml.Node, key string) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			mapping.Content = append(mapping.Content[:i], mapping.Content[i+2:]...)
			return
		}
	}
}

// ensurePassphrase makes the secret that encrypts the state, once for each instance.
func (s *Sandbox) ensurePassphrase() error {
	path := filepath.Join(s.Dir(), "passphrase")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := writeFile(path, []byte(rand.Text()+"\n"), 0o600); err != nil {
		return fmt.Errorf("make a passphrase: %w", err)
	}
	return nil
}
