package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// freeFunc returns which file system a folder is on, and how much a user may still write there.
type freeFunc func(dir string) (device, free uint64, err error)

func diskFree(dir string) (device, free uint64, err error) {
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err != nil {
		return 0, 0, err
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, 0, err
	}
	return uint64(st.Dev), fs.Bavail * uint64(fs.Bsize), nil
}

// demand is what a build will write to a folder.
type demand struct {
	dir    string
	what   string
	bytes  uint64
	remedy string
}

// checkDisk refuses a build that the disk has no room for. Folders on one file system share what is free there.
func checkDisk(free freeFunc, demands []demand) error {
	type disk struct {
		free, need uint64
		demands    []demand
	}
	disks := map[uint64]*disk{}
	var order []*disk
	for _, d := range demands {
		device, n, err := free(existing(d.dir))
		if err != nil {
			return fmt.Errorf("look up the free space of %s: %w", d.dir, err)
		}
		if disks[device] == nil {
			disks[device] = &disk{free: n}
			order = append(order, disks[device])
		}
		disks[device].need += d.bytes
		disks[device].demands = append(disks[device].demands, d)
	}
	for _, k := range order {
		if k.free >= k.need {
			continue
		}
		var parts, remedies []string
		for _, d := range k.demands {
			parts = append(parts, fmt.Sprintf("%s for %s in %s", size(d.bytes), d.what, d.dir))
			if d.remedy != "" {
				remedies = append(remedies, d.remedy)
			}
		}
		remedy := strings.Join(append([]string{"free some space"}, remedies...), ", or ")
		return fmt.Errorf("not enough disk: about %s are needed (%s), but only %s are free there; %s",
			size(k.need), strings.Join(parts, ", "), size(k.free), remedy)
	}
	return nil
}

// existing returns dir or the nearest folder above it that is there.
func existing(dir string) string {
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

func size(n uint64) string {
	if n < gib {
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/gib)
}
