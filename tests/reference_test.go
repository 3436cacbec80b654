package tests

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mcp-security-platform/mesh/stacks"
)

var update = flag.Bool("update", false, "write the generated files instead of comparing them")

// The config reference and Pulumi.yaml are made from the types that the
// configuration is decoded into: names and types by reflection, descriptions from
// the fields' comments, defaults from the profiles. `make docs` writes them.
func TestConfigReferenceIsUpToDate(t *testing.T) {
	reference := newReference(t)
	for file, want := range map[string]string{
		filepath.Join("..", "docs", "config.md"): reference.markdown(),
		filepath.Join("..", "Pulumi.yaml"):       reference.pulumiYAML(),
	} {
		checkGenerated(t, file, want)
	}
}

// checkGenerated compares a file that is made from the code with what the code
// makes now, or writes it with -update.
func checkGenerated(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
		return
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "%s is out of date; run `make docs`", file)
}

func TestEveryKeyIsDescribed(t *testing.T) {
	for _, top := range newReference(t).keys {
		assert.NotEmpty(t, top.description, top.path)
		for _, leaf := range top.leaves {
			assert.NotEmpty(t, leaf.description, leaf.path)
		}
	}
}

// setting is one key of the configuration.
type setting struct {
	path, typ, description string
	// defaults are the values by environment, in the order of environments.
	defaults []string
	leaves   []setting
}

type reference struct{ keys []setting }

var environments = []stacks.Environment{stacks.Local, stacks.Staging, stacks.Prod}

// required are the keys that every stack must set.
var required = map[string]bool{"environment": true, "mesh.trustDomain": true, "hosts.security": true, "hosts.api": true}

func newReference(t *testing.T) reference {
	t.Helper()
	comments := fieldComments(t)
	var values []reflect.Value
	for _, environment := range environments {
		values = append(values, reflect.ValueOf(stacks.Defaults(environment)))
	}
	var r reference
	for _, field := range reflect.VisibleFields(values[0].Type()) {
		top := setting{path: field.Tag.Get("json"), description: comments.of(values[0].Type(), field), typ: kindName(field.Type)}
		if field.Type.Kind() == reflect.Struct {
			top.leaves = leaves(comments, top.path, fieldsOf(values, field))
		}
		r.keys = append(r.keys, top)
	}
	return r
}

// leaves returns the settings below path, where values are the same struct in
// each environment.
func leaves(comments comments, path string, values []reflect.Value) []setting {
	var found []setting
	for _, field := range reflect.VisibleFields(values[0].Type()) {
		name := field.Tag.Get("json")
		if field.Anonymous || name == "" || name == "-" {
			continue
		}
		full := path + "." + name
		if field.Type.Kind() == reflect.Struct {
			found = append(found, leaves(comments, full, fieldsOf(values, field))...)
			continue
		}
		leaf := setting{path: full, typ: kindName(field.Type), description: comments.of(values[0].Type(), field)}
		for _, value := range fieldsOf(values, field) {
			leaf.defaults = append(leaf.defaults, literal(value))
		}
		found = append(found, leaf)
		if path, element := elements(full, field.Type); element.Kind() == reflect.Struct {
			found = append(found, leaves(comments, path, []reflect.Value{reflect.Zero(element)})...)
		}
	}
	return found
}

// elements returns the path and the type of what lists and maps hold.
func elements(path string, t reflect.Type) (string, reflect.Type) {
	switch t.Kind() {
	case reflect.Slice:
		return elements(path+"[]", t.Elem())
	case reflect.Map:
		return elements(path+".<name>", t.Elem())
	default:
		return path, t
	}
}

func fieldsOf(values []reflect.Value, field reflect.StructField) []reflect.Value {
	var fields []reflect.Value
	for _, value := range values {
		fields = append(fields, value.FieldByIndex(field.Index))
	}
	return fields
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int:
		return "integer"
	case reflect.Slice:
		return "list of " + kindName(t.Elem()) + "s"
	case reflect.Struct, reflect.Map:
		return "object"
	default:
		return t.Kind().String()
	}
}

func literal(value reflect.Value) string {
	if value.IsZero() && value.Kind() != reflect.Bool && value.Kind() != reflect.Int {
		return "none"
	}
	if value.Kind() == reflect.Map || value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct {
		if text, err := json.Marshal(value.Interface()); err == nil {
			return "`" + string(text) + "`"
		}
	}
	return fmt.Sprintf("`%v`", value.Interface())
}

// defaultText returns the default in one phrase.
func (s setting) defaultText() string {
	if required[s.path] {
		return "required"
	}
	for _, other := range s.defaults[min(1, len(s.defaults)):] {
		if other != s.defaults[0] {
			var parts []string
			for i, environment := range environments {
				parts = append(parts, fmt.Sprintf("%s: %s", environment, s.defaults[i]))
			}
			return strings.Join(parts, ", ")
		}
	}
	return s.defaults[0]
}

func (r reference) markdown() string {
	var text strings.Builder
	text.WriteString(`# Config reference

Every key of a stack, in ` + "`Pulumi.<stack>.yaml`" + ` below ` + "`config:`" + ` with the prefix ` + "`mcp-mesh:`" + `. What a stack
leaves out comes from the profile of its environment, and what the profile leaves out
from the built-in values. An unknown or misspelt key is an error, and so is every value
that cannot work: ` + "`pulumi preview`" + ` lists all problems at once.

This page is made from the code by ` + "`make docs`" + `.
`)
	for _, top := range r.keys {
		fmt.Fprintf(&text, "\n## %s\n\n%s\n\n", top.path, top.description)
		text.WriteString("| key | type | default | meaning |\n| --- | --- | --- | --- |\n")
		if len(top.leaves) == 0 {
			fmt.Fprintf(&text, "| `%s` | %s | required | %s |\n", top.path, top.typ, top.description)
		}
		for _, leaf := range top.leaves {
			fmt.Fprintf(&text, "| `%s` | %s | %s | %s |\n", leaf.path, leaf.typ, leaf.defaultText(), leaf.description)
		}
	}
	return text.String()
}

func (r reference) pulumiYAML() string {
	var text strings.Builder
	text.WriteString(`# The keys below are made from the code by ` + "`make docs`" + `; docs/config.md has them as tables.
name: mcp-mesh
description: Zero-trust Istio mesh of the MCP Security Platform
runtime: go
config:
`)
	for _, top := range r.keys {
		fmt.Fprintf(&text, "  mcp-mesh:%s:\n    type: %s\n", top.path, top.typ)
		if len(top.leaves) == 0 {
			fmt.Fprintf(&text, "    description: %q\n", "Required. "+top.description)
			continue
		}
		text.WriteString("    default: {}\n    description: |\n      " + top.description + "\n")
		for _, leaf := range top.leaves {
			name := strings.TrimPrefix(leaf.path, top.path+".")
			fmt.Fprintf(&text, "      - %s (%s, %s): %s\n", name, leaf.typ, defaultPhrase(leaf.defaultText()), leaf.description)
		}
	}
	return text.String()
}

func defaultPhrase(text string) string {
	if text == "required" {
		return text
	}
	return "default " + text
}

// comments are the comments of struct fields, by package path, type and field.
type comments map[string]string

func (c comments) of(owner reflect.Type, field reflect.StructField) string {
	for _, i := range field.Index[:len(field.Index)-1] {
		owner = owner.Field(i).Type
	}
	return c[owner.PkgPath()+"."+owner.Name()+"."+field.Name]
}

const module = "github.com/mcp-security-platform/mesh"

// fieldComments reads the comments of all struct fields of the packages that the
// configuration is made of.
func fieldComments(t *testing.T) comments {
	t.Helper()
	found := comments{}
	for _, folder := range []string{"stacks", "stacks/catalogue", "stacks/access", "components/requestauthentication", "components/peerauthentication", "components/temporary", "components/ca", "components/controlplane", "components/gateway", "components/workload"} {
		files, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
		require.NoError(t, err)
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			require.NoError(t, err)
			ast.Inspect(file, func(node ast.Node) bool {
				spec, ok := node.(*ast.TypeSpec)
				if !ok {
					return true
				}
				if object, ok := spec.Type.(*ast.StructType); ok {
					for _, field := range object.Fields.List {
						for _, ident := range field.Names {
							found[module+"/"+folder+"."+spec.Name.Name+"."+ident.Name] = strings.Join(strings.Fields(field.Doc.Text()), " ")
						}
					}
				}
				return true
			})
		}
	}
	return found
}
