package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefusesToStart(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	used := listener.Addr().(*net.TCPAddr).Port
	free, err := freePort()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))

	tests := []struct {
		name string
		args []string
		want []string
	}{
		{
			name: "the data folder is in use",
			args: []string{"--data", cluster.process.dir, "--port", strconv.Itoa(free)},
			want: []string{cluster.process.dir, fmt.Sprint("in use by process ", cluster.process.cmd.Process.Pid), "--data"},
		},
		{
			name: "the port is in use",
			args: []string{"--data", t.TempDir(), "--port", strconv.Itoa(used)},
			want: []string{fmt.Sprintf("127.0.0.1:%d is in use", used), "--port"},
		},
		{
			name: "the data folder cannot be made",
			args: []string{"--data", filepath.Join(file, "data"), "--port", strconv.Itoa(free)},
			want: []string{file, "not a directory", "--data"},
		},
		{
			name: "no data folder is given",
			args: []string{"--port", strconv.Itoa(free)},
			want: []string{"--data is missing"},
		},
		{
			name: "the port is out of range",
			args: []string{"--data", t.TempDir(), "--port", "70000"},
			want: []string{"--port 70000", "1 to 65535"},
		},
		{
			name: "there is an argument too many",
			args: []string{"--data", t.TempDir(), "start"},
			want: []string{`"start"`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), os.Args[0], test.args...)
			cmd.Env = append(os.Environ(), runAsMain+"=1")
			cmd.Stdout, cmd.Stderr = &stdout, &stderr

			var exit *exec.ExitError
			require.True(t, errors.As(cmd.Run(), &exit), "it started")
			assert.Equal(t, 1, exit.ExitCode())
			assert.Empty(t, stdout.String())
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), "lines in %q", stderr.String())
			for _, want := range test.want {
				assert.Contains(t, stderr.String(), want)
			}
		})
	}
}

func TestStopsWhileStarting(t *testing.T) {
	var dir string
	port, err := freePort()
	require.NoError(t, err)
	tests := []struct {
		name   string
		moment func() bool
	}{
		{name: "before anything runs", moment: func() bool { return exists(dir, "lock") }},
		{name: "while the store starts", moment: func() bool { return exists(dir, "kubeconfig") }},
		{name: "while the API server is built", moment: func() bool { return exists(dir, "etcd.sock") }},
		{name: "while the API server starts", moment: func() bool {
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				return false
			}
			defer conn.Close()
			client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
			return client.HandshakeContext(t.Context()) == nil
		}},
	}
	for _, test := range tests {
		dir = t.TempDir()
		t.Run(test.name, func(t *testing.T) {
			p, err := startProcess(dir, port)
			require.NoError(t, err)
			eventually(t, test.moment, "the moment never came")
			exit, err := p.end(syscall.SIGTERM)
			require.NoError(t, err)
			assert.Equal(t, 0, exit, p.output("stderr"))
			assert.False(t, exists(dir, "ready"))
		})
	}
	t.Run("and starts after it", func(t *testing.T) {
		p, err := startProcess(dir, port)
		require.NoError(t, err)
		require.NoError(t, p.awaitReady())
		exit, err := p.end(syscall.SIGINT)
		require.NoError(t, err)
		assert.Equal(t, 0, exit, p.output("stderr"))
		assert.False(t, exists(dir, "ready"))
	})
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

func TestErrorLog(t *testing.T) {
	tests := []struct {
		name string
		line string
		want string
	}{
		{name: "an error", line: "E1121 etcd is gone\n", want: "E1121 etcd is gone\n"},
		{name: "no metrics", line: "E1121 unable to fetch metrics from resource metrics API\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var output bytes.Buffer
			n, err := errorLog{&output}.Write([]byte(test.line))
			require.NoError(t, err)
			assert.Equal(t, len(test.line), n)
			assert.Equal(t, test.want, output.String())
		})
	}
}

func TestCheckFree(t *testing.T) {
	tests := []struct {
		name string
		min  uint64
		want string
	}{
		{name: "enough", min: 1},
		{name: "too little", min: math.MaxUint64, want: "MB needed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := checkFree(t.TempDir(), test.min)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
		})
	}
}
