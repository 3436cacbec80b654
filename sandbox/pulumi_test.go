package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUp(t *testing.T) {
	stack := filepath.Join(".pulumi", "stacks", "mcp-mesh", "local.json")
	lock := filepath.Join(".pulumi", "locks", "organization", "mcp-mesh", "local", "x.json")
	const up = "pulumi up --non-interactive --stack local --yes --skip-preview"
	tests := []struct {
		name  string
		state map[string]string
		want  []string
	}{
		{"a new stack is made first", nil, []string{"pulumi stack init local --non-interactive", up}},
		{"a stack that is there", map[string]string{stack: "{}"}, []string{up}},
		{"the lock of a Pulumi that was killed", map[string]string{stack: "{}", lock: `{"pid":4194305}`},
			[]string{"pulumi cancel --yes --stack local", up}},
		{"the lock of a pid that another program has now", map[string]string{stack: "{}", lock: fmt.Sprintf(`{"pid":%d}`, os.Getpid())},
			[]string{"pulumi cancel --yes --stack local", up}},
		{"a lock that was cut off", map[string]string{stack: "{}", lock: ""}, []string{"pulumi cancel --yes --stack local", up}},
		{"the lock of another stack", map[string]string{stack: "{}", strings.Replace(lock, "local", "prod", 1): `{"pid":1}`}, []string{up}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			s := checkout(t, WithOutput(&out))
			withFakes(t, s)
			for name, text := range tt.state {
				write(t, filepath.Join(s.stateDir(), name), text)
			}
			require.NoError(t, s.Up(t.Context(), LocalStack))
			assert.Equal(t, tt.want, strings.Split(strings.TrimSpace(out.String()), "\n"))
		})
	}
}

func TestPreviewLeavesTheSelectedStackAlone(t *testing.T) {
	var out bytes.Buffer
	s := checkout(t, WithOutput(&out))
	withFakes(t, s)
	write(t, filepath.Join(s.root, "Pulumi.prod.yaml"), "")
	require.NoError(t, s.Preview(t.Context(), "prod", true))
	assert.Equal(t, "pulumi stack init prod --non-interactive --no-select\npulumi preview --non-interactive --stack prod --diff\n", out.String())
}

func TestUpInterrupted(t *testing.T) {
	var out syncBuffer
	s := checkout(t, WithOutput(&out))
	withFakes(t, s)
	t.Setenv("FAKE_PULUMI", "wait")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Up(ctx, LocalStack) }()
	require.NoError(t, poll(t.Context(), 5*time.Second, func() bool { return strings.Contains(out.String(), "waiting") }))
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	assert.Contains(t, out.String(), "cancelled", "Pulumi was waited for")
}

func TestEnviron(t *testing.T) {
	s := checkout(t)
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "would win over the file")
	t.Setenv("KUBECONFIG", "/production")
	t.Setenv("MESH_TEST", "kept")
	env := s.environ()
	assert.Contains(t, env, "KUBECONFIG="+s.Kubeconfig())
	assert.NotContains(t, env, "KUBECONFIG=/production")
	assert.Contains(t, env, "MESH_TEST=kept")
	assert.NotContains(t, strings.Join(env, "\n"), "PULUMI_CONFIG_PASSPHRASE=")
}

// syncBuffer is a buffer that may be read while a command writes to it.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
