// Package tests proves the whole program under Pulumi mocks, for every stack: the
// graph of resources, and properties that hold for all of them.
package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/mcp-security-platform/mesh/stacks"
)

// stackNames are the stacks that have a file in the repository.
var stackNames = []string{"local", "staging", "prod"}

// registered is one resource as the program registered it.
type registered struct {
	urn, typ, name, parent, provider string
	custom                           bool
	dependencies                     []string
	protected                        bool
	transforms                       int
	inputs                           resource.PropertyMap
}

// record is a mock of the engine that remembers every resource.
type record struct {
	mu        sync.Mutex
	resources []registered
}

// NewResource implements pulumi.MockResourceMonitor. As the engine does, it turns
// the outputs that the SDK declares secret into secrets.
func (r *record) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	rpc := args.RegisterRPC
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resources = append(r.resources, registered{
		urn:          urn(rpc.GetParent(), args.TypeToken, args.Name),
		typ:          args.TypeToken,
		name:         args.Name,
		parent:       rpc.GetParent(),
		provider:     rpc.GetProvider(),
		custom:       args.Custom,
		dependencies: rpc.GetDependencies(),
		protected:    rpc.GetProtect(),
		transforms:   len(rpc.GetTransforms()),
		inputs:       args.Inputs,
	})
	state := args.Inputs.Copy()
	for key, value := range computed(args) {
		state[key] = resource.NewStringProperty(value)
	}
	for _, key := range rpc.GetAdditionalSecretOutputs() {
		if value, ok := state[resource.PropertyKey(key)]; ok && !value.IsSecret() {
			state[resource.PropertyKey(key)] = resource.MakeSecret(value)
		}
	}
	return args.Name + "-id", state, nil
}

// Call implements pulumi.MockResourceMonitor; the program calls no function.
func (r *record) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return resource.PropertyMap{}, nil
}

// computed are the outputs that a provider would make.
func computed(args pulumi.MockResourceArgs) map[resource.PropertyKey]string {
	switch args.TypeToken {
	case "tls:index/privateKey:PrivateKey":
		pem := "-----BEGIN PRIVATE KEY-----\n" + args.Name + "\n-----END PRIVATE KEY-----\n"
		return map[resource.PropertyKey]string{"privateKeyPem": pem, "privateKeyPemPkcs8": pem, "privateKeyOpenssh": pem}
	case "tls:index/certRequest:CertRequest":
		return map[resource.PropertyKey]string{"certRequestPem": "request " + args.Name + "\n"}
	case "tls:index/selfSignedCert:SelfSignedCert", "tls:index/locallySignedCert:LocallySignedCert":
		return map[resource.PropertyKey]string{"certPem": "certificate " + args.Name + "\n", "validityEndTime": "2036-01-01T00:00:00Z"}
	}
	return nil
}

// urn returns the name that the mock engine gives a resource.
func urn(parent, typ, name string) string {
	parentType := ""
	if p := resource.URN(parent); parent != "" && p.QualifiedType() != resource.RootStackType {
		parentType = string(p.QualifiedType()) + "$"
	}
	return "urn:pulumi:test::mcp-mesh::" + parentType + typ + "::" + name
}

// one returns the resource of a type and name.
func (r *record) one(t *testing.T, typ, name string) registered {
	t.Helper()
	for _, resource := range r.resources {
		if resource.typ == typ && resource.name == name {
			return resource
		}
	}
	require.Failf(t, "resource missing", "%s %s", typ, name)
	return registered{}
}

// ofType returns the resources of a type, by name.
func (r *record) ofType(typ string) map[string]registered {
	found := map[string]registered{}
	for _, resource := range r.resources {
		if resource.typ == typ {
			found[resource.name] = resource
		}
	}
	return found
}

// stackConfig returns what the stack's file in the repository says, by key
// without namespace.
func stackConfig(t *testing.T, stack string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "Pulumi."+stack+".yaml"))
	require.NoError(t, err)
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	config := map[string]any{}
	for key, value := range file.Config {
		name, ours := strings.CutPrefix(key, "mcp-mesh:")
		require.True(t, ours, "%s: key of another namespace", key)
		config[name] = value
	}
	return config
}

// deploy runs the program with config as Pulumi would hand it over.
func deploy(t *testing.T, config map[string]any, secretKeys ...string) (*record, error) {
	t.Helper()
	values := map[string]string{}
	for name, value := range config {
		if text, ok := value.(string); ok {
			values["mcp-mesh:"+name] = text
			continue
		}
		text, err := json.Marshal(value)
		require.NoError(t, err)
		values["mcp-mesh:"+name] = string(text)
	}
	all, err := json.Marshal(values)
	require.NoError(t, err)
	secrets, err := json.Marshal(secretKeys)
	require.NoError(t, err)
	t.Setenv(pulumi.EnvConfig, string(all))
	t.Setenv(pulumi.EnvConfigSecretKeys, string(secrets))

	mocks := &record{}
	err = pulumi.RunErr(stacks.Deploy, pulumi.WithMocks("mcp-mesh", "test", mocks))
	return mocks, err
}

// set returns config with the value at a dotted path replaced.
func set(config map[string]any, path string, value any) map[string]any {
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		config[first] = value
		return config
	}
	child, ok := config[first].(map[string]any)
	if !ok {
		child = map[string]any{}
	}
	config[first] = set(child, rest, value)
	return config
}
