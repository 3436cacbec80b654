// Package e2e proves the program end to end: the real Pulumi CLI and providers
// against a real Kubernetes API.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/mcp-security-platform/mesh/sandbox"
)

// port keeps the tests' cluster beside one that `make up` started.
const port = 16543

// root is the checkout.
const root = "../.."

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Println("end-to-end tests skipped: -short leaves out what needs the sandbox")
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := run(ctx, m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// run runs the tests with a cluster of their own, which starts empty and is gone
// afterwards.
func run(ctx context.Context, m *testing.M) (code int, err error) {
	s, err := newSandbox()
	if err != nil {
		return 0, err
	}
	release, err := s.Lock("end-to-end tests")
	if err != nil {
		return 0, err
	}
	defer release()
	if err := errors.Join(s.StopCluster(ctx), s.Remove()); err != nil {
		return 0, fmt.Errorf("clear what an earlier run left: %w", err)
	}
	if err := s.EnsureToolchain(ctx); err != nil {
		return 0, err
	}
	if err := s.StartCluster(ctx); err != nil {
		return 0, err
	}
	defer func() {
		err = errors.Join(err, s.StopCluster(context.WithoutCancel(ctx)), s.Remove())
	}()
	return m.Run(), nil
}

func newSandbox() (*sandbox.Sandbox, error) {
	return sandbox.New(root, "e2e", sandbox.WithPort(port))
}
