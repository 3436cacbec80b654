package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// settings are the command line.
type settings struct {
	data string
	port int
}

func main() {
	if err := command(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintf(os.Stderr, "mesh-kubernetes: %v\n", err)
		os.Exit(1)
	}
}

// command parses args and runs the cluster until a signal asks it to stop.
func command(args []string, stdout, stderr io.Writer) error {
	opts, err := parseSettings(args, stderr)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once: the default is restored after the first.
	context.AfterFunc(ctx, stop)

	configureLogs(stderr)
	return run(ctx, opts, stdout)
}

func parseSettings(args []string, stderr io.Writer) (settings, error) {
	var opts settings
	flags := flag.NewFlagSet("mesh-kubernetes", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&opts.data, "data", "", "`folder` for the cluster's data, made if missing (required)")
	flags.IntVar(&opts.port, "port", 16443, "`port` of the API server on 127.0.0.1")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	switch {
	case flags.NArg() > 0:
		return settings{}, fmt.Errorf("unexpected argument %q: only --data and --port are known", flags.Arg(0))
	case opts.data == "":
		return settings{}, errors.New("--data is missing: name the folder for the cluster's data")
	case opts.port < 1 || opts.port > 65535:
		return settings{}, fmt.Errorf("--port %d is not a port: choose one from 1 to 65535", opts.port)
	}
	return opts, nil
}
