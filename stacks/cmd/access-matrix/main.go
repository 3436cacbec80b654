// Access-matrix prints who may do what in a stack, as Markdown, and draws it as an
// SVG picture.
//
// Usage:
//
//	access-matrix [-svg file] Pulumi.<stack>.yaml
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/mcp-security-platform/mesh/stacks"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "access-matrix:", err)
		os.Exit(1)
	}
}

// run writes the matrix of the stack file that args name to out.
func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("access-matrix", flag.ContinueOnError)
	picture := flags.String("svg", "", "also draw the matrix into this `file`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("name one stack file, such as Pulumi.prod.yaml")
	}
	config, err := stacks.LoadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	mesh := config.AccessMesh()
	if *picture != "" {
		if err := draw(*picture, mesh.Graph()); err != nil {
			return fmt.Errorf("draw the matrix: %w", err)
		}
	}
	_, err = io.WriteString(out, mesh.Matrix())
	return err
}

func draw(file, picture string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(picture), 0o644)
}
