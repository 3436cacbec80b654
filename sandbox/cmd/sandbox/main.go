// Command sandbox runs the mesh on this machine: see the package sandbox, and `make` at the root of the repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/mcp-security-platform/mesh/sandbox"
)

const usage = `usage: sandbox [--instance name] <command>

  up                                  deploy the local stack, with all that takes
  preview [--stack name] [--diff]     show what a stack would deploy
  status                              say what is up; exit status 3 when nothing is
  env                                 print shell commands for kubectl and pulumi
  down                                stop the cluster and delete its data
  clean                               down, and delete the toolchain
  toolchain [name ...]                compile what is missing of the toolchain

MESH_SANDBOX_PORT chooses another port than 16443 for the Kubernetes API.
`

// The exit codes besides 0 and 1.
const (
	exitUsage  = 2
	exitDown   = 3
	exitSignal = 128 // plus the signal's number
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		sig := <-signals
		fmt.Fprintf(os.Stderr, "\nsandbox: %v; waiting for what is running to stop\n", sig)
		cancel(stopped{sig.(syscall.Signal)})
	}()
	err := dispatch(ctx, args)
	var stop stopped
	switch {
	case errors.As(context.Cause(ctx), &stop):
		fmt.Fprintf(os.Stderr, "sandbox: stopped by signal: %v; run the same command again to go on\n", stop.signal)
		return exitSignal + int(stop.signal)
	case errors.Is(err, errUsage), errors.Is(err, flag.ErrHelp):
		return exitUsage
	case err == nil:
		return 0
	}
	fmt.Fprintf(os.Stderr, "sandbox: %v\n", err)
	if errors.Is(err, sandbox.ErrDown) {
		return exitDown
	}
	return 1
}

// stopped is the cause of a context that a signal has ended.
type stopped struct{ signal syscall.Signal }

// Error implements error.
func (s stopped) Error() string { return s.signal.String() }

// errUsage ends a command whose usage has been printed.
var errUsage = errors.New("usage")

func dispatch(ctx context.Context, args []string) error {
	global := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	global.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	instance := global.String("instance", sandbox.DefaultInstance, "")
	if err := global.Parse(args); err != nil {
		return errUsage
	}
	if global.NArg() == 0 {
		global.Usage()
		return errUsage
	}
	s, err := open(*instance)
	if err != nil {
		return err
	}
	name := global.Arg(0)
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.Usage = global.Usage
	stack, diff := sandbox.LocalStack, false
	if name == "preview" {
		flags.StringVar(&stack, "stack", stack, "")
		flags.BoolVar(&diff, "diff", diff, "")
	}
	if err := flags.Parse(global.Args()[1:]); err != nil {
		return errUsage
	}
	if flags.NArg() > 0 && name != "toolchain" {
		global.Usage()
		return errUsage
	}
	switch name {
	case "up":
		return s.RunUp(ctx, stack)
	case "preview":
		return s.RunPreview(ctx, stack, diff)
	case "status":
		return s.RunStatus(ctx, stack)
	case "env":
		return s.PrintEnv()
	case "down":
		return s.RunDown(ctx)
	case "clean":
		return s.RunClean(ctx)
	case "toolchain":
		return s.RunToolchain(ctx, flags.Args()...)
	}
	global.Usage()
	return errUsage
}

// open returns the instance of the checkout that the working directory is in.
func open(instance string) (*sandbox.Sandbox, error) {
	root, err := sandbox.FindRoot(".")
	if err != nil {
		return nil, err
	}
	port := sandbox.DefaultPort
	if v := os.Getenv("MESH_SANDBOX_PORT"); v != "" {
		if port, err = strconv.Atoi(v); err != nil || port < 1 || port > 65535 {
			return nil, fmt.Errorf("MESH_SANDBOX_PORT=%q: want a port number from 1 to 65535", v)
		}
	}
	return sandbox.New(root, instance, sandbox.WithPort(port))
}
