package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const stackFile = "../../../Pulumi.local.yaml"

func TestRunPrintsAndDraws(t *testing.T) {
	var out strings.Builder
	picture := filepath.Join(t.TempDir(), "new", "matrix.svg")
	require.NoError(t, run([]string{"-svg", picture, stackFile}, &out))
	assert.Contains(t, out.String(), "## Who may call whom")
	drawn, err := os.ReadFile(picture)
	require.NoError(t, err)
	assert.Contains(t, string(drawn), "<svg")
}

func TestRunRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"no stack file":      {nil, "name one stack file"},
		"missing stack file": {[]string{"nowhere.yaml"}, "read stack file"},
		"unknown flag":       {[]string{"-png", "a", stackFile}, "flag provided but not defined"},
		"file for a folder":  {[]string{"-svg", "main.go/matrix.svg", stackFile}, "draw the matrix"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			assert.ErrorContains(t, run(tc.args, &out), tc.want)
			assert.Empty(t, out.String())
		})
	}
}
