package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/go-viper/mapstructure/v2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// project is the namespace of the project's keys in a stack file; Pulumi wants
// it to be the project's name.
const project = "mcp-mesh"

// Load returns the configuration of the stack that ctx runs for, decoded strictly
// over the defaults of its environment and validated as a whole. The error is a
// [problem.Error] that lists everything a user has to mend.
func Load(ctx *pulumi.Context) (*Config, error) {
	values, list := readValues(ctx)
	config, decodeProblems := decode(values, func(name string) bool { return ctx.IsConfigSecret(key(name)) })
	list = append(list, decodeProblems...)
	if len(list) == 0 {
		// Checking values that did not decode would only add confusing followers.
		list = config.Validate()
	}
	if config.CA.Provided.PrivateKey != "" && !ctx.IsConfigSecret(project+":ca") {
		list.Add(key("ca.provided.privateKey"), problem.Hidden,
			"it stands in the stack file in the clear: replace the key pair, then use `pulumi config set --secret --path mcp-mesh:ca.provided.privateKey`")
	}
	return config, list.Err()
}

// readValues returns the stack's values by their key without the namespace.
func readValues(ctx *pulumi.Context) (map[string]any, problem.List) {
	var list problem.List
	values := map[string]any{}
	for _, name := range configuredKeys(ctx) {
		text, _ := ctx.GetConfig(project + ":" + name)
		field, known := topLevel()[name]
		if known && field.Kind() == reflect.String {
			values[name] = text
			continue
		}
		value, err := parse(text)
		if err != nil {
			if !known {
				value = text // an unknown key is reported as such, whatever its value is
			} else {
				list.Add(key(name), shown(name, text, ctx.IsConfigSecret(key(name))), "use an object with the fields of docs/config.md")
				continue
			}
		}
		values[name] = value
	}
	return values, list
}

// configuredKeys returns the names of all keys of the namespace that the stack
// has. Pulumi's Go SDK can look a key up but not list them; the language host
// hands all of them over in the environment.
func configuredKeys(ctx *pulumi.Context) []string {
	var all map[string]string
	if err := json.Unmarshal([]byte(os.Getenv(pulumi.EnvConfig)), &all); err != nil {
		all = map[string]string{}
		for name := range topLevel() {
			if _, ok := ctx.GetConfig(project + ":" + name); ok {
				all[project+":"+name] = ""
			}
		}
	}
	var names []string
	for full := range all {
		if name, ours := strings.CutPrefix(full, project+":"); ours {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// parse reads a value of a stack file, which Pulumi hands over as JSON. Numbers
// keep their text, so that 2.5 does not pass for 2.
func parse(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

// decode lays the stack's values over the defaults of its environment. secret says
// which keys the stack keeps encrypted.
func decode(values map[string]any, secret func(name string) bool) (*Config, problem.List) {
	var list problem.List
	environment, _ := values["environment"].(string)
	config := Defaults(Environment(environment))
	var metadata mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		TagName:   "json",
		Squash:    true, // embedded structs have no key of their own, as in encoding/json
		MatchName: func(mapKey, fieldName string) bool { return mapKey == fieldName },
		Metadata:  &metadata,
		Result:    &config,
	})
	if err != nil {
		list.Add(project, nil, "%v", err)
		return &config, list
	}
	addDecodeErrors(&list, decoder.Decode(values), secret)
	slices.Sort(metadata.Unused)
	for _, unknown := range metadata.Unused {
		addUnknown(&list, unknown)
	}
	return &config, list
}

// addDecodeErrors adds a problem for each value of a wrong type.
func addDecodeErrors(list *problem.List, err error, secret func(name string) bool) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, inner := range joined.Unwrap() {
			addDecodeErrors(list, inner, secret)
		}
		return
	}
	var wrong *mapstructure.DecodeError
	if !errors.As(err, &wrong) {
		list.Add(project, nil, "%v", err)
		return
	}
	top, _, _ := strings.Cut(wrong.Name(), ".")
	var kind *mapstructure.UnconvertibleTypeError
	var form *mapstructure.ParseError
	switch {
	case errors.As(err, &kind):
		list.Add(key(wrong.Name()), shown(wrong.Name(), kind.Value, secret(top)), "use a value of type %s", typeName(kind.Expected.Type()))
	case errors.As(err, &form):
		list.Add(key(wrong.Name()), shown(wrong.Name(), form.Value, secret(top)), "use a value of type %s", typeName(form.Expected.Type()))
	default:
		list.Add(key(wrong.Name()), problem.Hidden, "%v", wrong.Unwrap())
	}
}

// addUnknown adds a key that no field has, with the nearest one that there is.
func addUnknown(list *problem.List, path string) {
	parent, name := "", path
	if i := strings.LastIndex(path, "."); i >= 0 {
		parent, name = path[:i], path[i+1:]
	}
	siblings := fieldNames(reflect.TypeFor[Config](), parent)
	if nearest, ok := closest(name, siblings); ok {
		list.Add(key(path), "an unknown key", "did you mean %q?", nearest)
		return
	}
	list.Add(key(path), "an unknown key", "use one of %s", strings.Join(siblings, ", "))
}

// closest returns the candidate that is most likely meant by a misspelt name; of
// two that are equally far, the one of nearer length, since letters are swapped
// more often than forgotten.
func closest(name string, candidates []string) (string, bool) {
	nearest, best := "", max(2, len(name)/3)*2+1
	for _, candidate := range candidates {
		distance := 2 * levenshtein.Distance(name, candidate, nil)
		if len(candidate) != len(name) {
			distance++
		}
		if distance <= best {
			nearest, best = candidate, distance-1
		}
	}
	return nearest, nearest != ""
}

// fieldNames returns the keys that the object at path has.
func fieldNames(t reflect.Type, path string) []string {
	if path != "" {
		first, rest, _ := strings.Cut(path, ".")
		first, index, _ := strings.Cut(first, "[")
		for name, field := range keys(t) {
			if name == first {
				// "routes[0]" and "external[scans][0]" name elements of a list or map.
				for range strings.Count(index, "]") {
					field = field.Elem()
				}
				return fieldNames(field, rest)
			}
		}
		return nil
	}
	var names []string
	for name := range keys(t) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// keys returns the keys of an object and their types, with those of embedded
// structs among them.
func keys(t reflect.Type) map[string]reflect.Type {
	found := map[string]reflect.Type{}
	if t.Kind() != reflect.Struct {
		return found
	}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			found[name] = field.Type
		}
	}
	return found
}

func topLevel() map[string]reflect.Type { return keys(reflect.TypeFor[Config]()) }

// key returns the name under which a user knows the field at path.
func key(path string) string { return project + ":" + path }

// typeName returns the name of t in the words of a stack file.
func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int:
		return "integer"
	case reflect.String:
		return "string"
	case reflect.Slice:
		return "list of " + typeName(t.Elem())
	default:
		return "object"
	}
}

// shown returns a value as an error may show it: not at all where it is a secret,
// or where a private key belongs and may have been put a level too high.
func shown(path string, value any, secret bool) any {
	if secret || path == "ca" || strings.HasPrefix(path, "ca.") && !strings.HasPrefix(path, "ca.generated.") {
		return problem.Hidden
	}
	return shorten(fmt.Sprint(value))
}

// shorten keeps a value that is shown to a user on one readable line.
func shorten(text string) string {
	const limit = 60
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > limit {
		return text[:limit] + "…"
	}
	return text
}
