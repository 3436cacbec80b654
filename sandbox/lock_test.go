package sandbox

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLockRefusesASecondCommand(t *testing.T) {
	s := checkout(t)
	release, err := s.Lock("up")
	require.NoError(t, err)
	_, err = s.Lock("down")
	var busy *BusyError
	require.ErrorAs(t, err, &busy)
	assert.Regexp(t, "^another sandbox command \\(pid \\d+, `up`, since \\d\\d:\\d\\d:\\d\\d\\) is running; wait for it or stop it$", err.Error())

	release()
	release, err = s.Lock("down")
	require.NoError(t, err, "the lock ends with its holder")
	require.NoError(t, os.RemoveAll(s.Dir()))
	second, err := s.Lock("up")
	require.NoError(t, err, "a lock whose folder was removed is nobody's")
	second()
	release()
}

func TestLockToolchainWaits(t *testing.T) {
	s := checkout(t)
	release, err := s.lockToolchain(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = s.lockToolchain(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	time.AfterFunc(50*time.Millisecond, release)
	release, err = s.lockToolchain(t.Context())
	require.NoError(t, err)
	release()
}

func TestMakeDirSaysWhatToDoAboutAFolderThatCannotBeWritten(t *testing.T) {
	// A file in the way stops root, too, whom permissions do not stop.
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	err := makeDir(filepath.Join(file, "sub"))
	require.ErrorContains(t, err, "cannot be written; make it writable for you")
	assert.ErrorContains(t, err, file)
}

func TestUnwritableHome(t *testing.T) {
	s := checkout(t)
	write(t, s.Home(), "not a folder")
	require.ErrorContains(t, s.EnsureToolchain(t.Context(), "hello"), "cannot be written")
	_, err := s.Lock("up")
	require.ErrorContains(t, err, "cannot be written")
}
