package sandbox

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckDisk(t *testing.T) {
	repo, cache := t.TempDir(), t.TempDir()
	demands := []demand{
		{filepath.Join(repo, ".sandbox"), "the binaries", 1 * gib, ""},
		{filepath.Join(cache, "build"), "Go's build cache", 3 * gib, "set GOCACHE to a folder on a larger disk"},
	}
	type disk struct{ device, free uint64 }
	tests := []struct {
		name        string
		repo, cache disk
		want        string
	}{
		{"room for both on one disk", disk{1, 4 * gib}, disk{1, 4 * gib}, ""},
		{"room for either, not for both", disk{1, 3 * gib}, disk{1, 3 * gib},
			"not enough disk: about 4.0 GB are needed (1.0 GB for the binaries in $REPO/.sandbox, 3.0 GB for Go's build cache in $CACHE/build), " +
				"but only 3.0 GB are free there; free some space, or set GOCACHE to a folder on a larger disk"},
		{"room on two disks", disk{1, 1 * gib}, disk{2, 3 * gib}, ""},
		{"one of two disks full", disk{1, gib / 2}, disk{2, 3 * gib},
			"not enough disk: about 1.0 GB are needed (1.0 GB for the binaries in $REPO/.sandbox), but only 512 MB are free there; free some space"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// It is asked about the nearest folders that exist.
			disks := map[string]disk{repo: tt.repo, cache: tt.cache}
			err := checkDisk(func(dir string) (uint64, uint64, error) {
				return disks[dir].device, disks[dir].free, nil
			}, demands)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, strings.NewReplacer("$REPO", repo, "$CACHE", cache).Replace(tt.want))
		})
	}
}

func TestEnsureToolchainChecksTheDiskBeforeItBuilds(t *testing.T) {
	s := checkout(t)
	s.free = func(string) (uint64, uint64, error) { return 1, 1 << 20, nil }
	require.ErrorContains(t, s.EnsureToolchain(t.Context(), "hello"), "not enough disk")
	require.NoFileExists(t, s.bin("hello"))
}

func TestStartClusterChecksTheDisk(t *testing.T) {
	s := checkout(t)
	s.free = func(string) (uint64, uint64, error) { return 1, 1 << 20, nil }
	require.ErrorContains(t, s.StartCluster(t.Context()), "512 MB for the cluster's data in "+s.clusterDir())
}
