package sandbox

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDown(t *testing.T) {
	t.Run("nothing there", func(t *testing.T) {
		require.NoError(t, checkout(t).RunDown(t.Context()))
	})
	t.Run("half there", func(t *testing.T) {
		s := checkout(t)
		write(t, s.readyFile(), "1")
		require.NoError(t, s.RunDown(t.Context()))
		assert.NoDirExists(t, s.Dir())
	})
	t.Run("all there", func(t *testing.T) {
		s := checkout(t)
		withFakes(t, s)
		require.NoError(t, s.StartCluster(t.Context()))
		require.NoError(t, s.RunDown(t.Context()))
		_, up := s.findCluster()
		assert.False(t, up)
		assert.NoDirExists(t, s.Dir())
		assert.FileExists(t, s.bin("kubectl"))
	})
	t.Run("refused while another command runs", func(t *testing.T) {
		s := checkout(t)
		release, err := s.Lock("up")
		require.NoError(t, err)
		defer release()
		for _, run := range []func() error{
			func() error { return s.RunDown(t.Context()) },
			func() error { return s.RunClean(t.Context()) },
			func() error { return s.RunUp(t.Context(), LocalStack) },
		} {
			require.ErrorContains(t, run(), "`up`, since")
		}
		assert.DirExists(t, s.Dir())
	})
}

func TestCleanTakesAllInstances(t *testing.T) {
	s := checkout(t)
	withFakes(t, s)
	other, err := New(s.root, "other", WithPort(freePort(t)), WithOutput(t.Output()))
	require.NoError(t, err)
	release, err := other.Lock("up")
	require.NoError(t, err)
	require.NoError(t, other.StartCluster(t.Context()))
	release()
	require.NoError(t, s.RunClean(t.Context()))
	_, up := other.findCluster()
	assert.False(t, up)
	assert.NoDirExists(t, s.Home())
	require.NoError(t, s.RunClean(t.Context()), "cleaning twice is fine")
}

func TestStatusAndEnv(t *testing.T) {
	var out bytes.Buffer
	s := checkout(t, WithOutput(&out))
	write(t, s.root+"/sandbox/kubernetes/go.mod", "module example.com/kubernetes\n")
	write(t, s.toolsDir()+"/charts/go.mod", "module example.com/charts\n")
	withFakes(t, s)
	require.ErrorIs(t, s.RunStatus(t.Context(), LocalStack), ErrDown)
	require.ErrorIs(t, s.PrintEnv(), ErrDown)
	assert.Contains(t, out.String(), "to be built by the next `make up`: hello v1.0.0, Istio charts 1.29.1")
	assert.Contains(t, out.String(), "cluster      down")

	require.NoError(t, s.StartCluster(t.Context()))
	out.Reset()
	require.NoError(t, s.RunStatus(t.Context(), LocalStack))
	assert.Regexp(t, `cluster      up since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: https://127\.0\.0\.1:\d+, pid \d+, \d+ MB of memory`, out.String())
	assert.Contains(t, out.String(), "stack local  never deployed")
	assert.Contains(t, out.String(), "deployment   istio-system/istiod: 2/3 ready")
	out.Reset()
	require.NoError(t, s.PrintEnv())
	assert.Contains(t, out.String(), "export KUBECONFIG='"+s.Kubeconfig()+"'\n")
	assert.Contains(t, out.String(), "unset PULUMI_CONFIG_PASSPHRASE ")
}

func TestQuote(t *testing.T) {
	assert.Equal(t, `'it'\''s $HOME'`, quote("it's $HOME"))
}

func TestNewRefusesNamesThatAreTaken(t *testing.T) {
	for _, name := range []string{"bin", "pulumi", "charts", "", "..", "a/b", "Upper"} {
		_, err := New(t.TempDir(), name)
		require.ErrorContains(t, err, "the name must consist of", name)
	}
}
