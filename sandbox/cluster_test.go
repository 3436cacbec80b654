package sandbox

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClusterLifecycle(t *testing.T) {
	s := checkout(t)
	withFakes(t, s)
	require.NoError(t, s.StartCluster(t.Context()))
	first, up := s.findCluster()
	require.True(t, up)
	assert.Equal(t, s.port, first.port)
	session, _, errno := syscall.RawSyscall(syscall.SYS_GETSID, uintptr(first.pid), 0, 0)
	require.Zero(t, errno)
	assert.Equal(t, first.pid, int(session), "it has a session of its own, out of reach of the terminal")

	require.NoError(t, s.StartCluster(t.Context()))
	second, _ := s.findCluster()
	assert.Equal(t, first, second, "a cluster that runs is left alone")
	require.ErrorContains(t, s.Remove(), "still running")

	require.NoError(t, s.StopCluster(t.Context()))
	_, up = s.findCluster()
	assert.False(t, up)
	assert.NoFileExists(t, s.readyFile())
	require.NoError(t, s.StopCluster(t.Context()), "stopping twice is fine")
	require.NoError(t, s.Remove())
	assert.NoDirExists(t, s.Dir())
	assert.DirExists(t, s.bin(""))
}

func TestStartClusterSurvivesWhatACrashLeaves(t *testing.T) {
	tests := []struct {
		name  string
		ready string
	}{
		{"the pid of a process that is gone", "4194305"},
		{"the pid of another program", strconv.Itoa(os.Getpid())},
		{"an empty file", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := checkout(t)
			withFakes(t, s)
			write(t, s.readyFile(), tt.ready)
			require.NoError(t, s.StartCluster(t.Context()))
			p, up := s.findCluster()
			require.True(t, up)
			assert.Equal(t, strconv.Itoa(p.pid), read(t, s.readyFile()))
		})
	}
}

func TestStartClusterAfterSIGKILL(t *testing.T) {
	s := checkout(t)
	withFakes(t, s)
	require.NoError(t, s.StartCluster(t.Context()))
	p, _ := s.findCluster()
	require.NoError(t, syscall.Kill(p.pid, syscall.SIGKILL))
	require.NoError(t, poll(t.Context(), 5*time.Second, func() bool { _, up := s.findCluster(); return !up }))
	require.NoError(t, s.StartCluster(t.Context()))
}

func TestStartClusterErrors(t *testing.T) {
	tests := []struct {
		name, mode string
		want       []string
	}{
		{"it ends at once", "broken", []string{"it ended at once: exit status 1", "etcd: the data is damaged", "all of its output: "}},
		{"it is never ready", "slow", []string{"it was not ready within 300ms"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := checkout(t)
			withFakes(t, s)
			t.Setenv("FAKE_KUBERNETES", tt.mode)
			s.startDeadline = 300 * time.Millisecond
			if tt.mode == "broken" {
				s.startDeadline = 5 * time.Second
			}
			err := s.StartCluster(t.Context())
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			_, up := s.findCluster()
			assert.False(t, up, "nothing is left that blocks the next start")
		})
	}
}

func TestStartClusterPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	s := checkout(t, WithPort(port))
	withFakes(t, s)
	err = s.StartCluster(t.Context())
	require.ErrorContains(t, err, "address already in use")
	require.ErrorContains(t, err, fmt.Sprintf("if another program uses port %d, choose a free one with MESH_SANDBOX_PORT=<port>", port))
}

func TestStartClusterInterrupted(t *testing.T) {
	s := checkout(t)
	withFakes(t, s)
	t.Setenv("FAKE_KUBERNETES", "slow")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.StartCluster(ctx) }()
	require.NoError(t, poll(t.Context(), 5*time.Second, func() bool { _, up := s.findCluster(); return up }))
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	_, up := s.findCluster()
	assert.False(t, up)
}

func TestStopClusterKillsOneThatDoesNotListen(t *testing.T) {
	s := checkout(t)
	withFakes(t, s)
	t.Setenv("FAKE_KUBERNETES", "stubborn")
	s.stopDeadline = 200 * time.Millisecond
	require.NoError(t, s.StartCluster(t.Context()))
	require.NoError(t, s.StopCluster(t.Context()))
	_, up := s.findCluster()
	assert.False(t, up)
}

func TestFindClusterLooksAtTheDataFolder(t *testing.T) {
	s := checkout(t)
	withFakes(t, s)
	require.NoError(t, s.StartCluster(t.Context()))
	other, err := New(s.root, "other")
	require.NoError(t, err)
	_, up := other.findCluster()
	assert.False(t, up)
	assert.Equal(t, filepath.Join(s.root, ".sandbox", "other", "cluster"), other.clusterDir())
}
