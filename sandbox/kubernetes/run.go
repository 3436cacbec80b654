package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// run keeps the cluster up until ctx is done or a component fails.
func run(ctx context.Context, opts settings, stdout io.Writer) (err error) {
	started := time.Now()
	dir, err := openDataDir(opts.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.close()) }()

	listener, err := listen(opts.port)
	if err != nil {
		return err
	}
	// Not closed here: it is the API server's, which panics if another closes it.

	// Relative paths keep etcd's socket within the 108 bytes the kernel allows, whatever the data folder.
	if err := os.Chdir(dir.path); err != nil {
		return fmt.Errorf("enter data folder: %w", err)
	}

	parts, running := newGroup(ctx)
	// The start makes much that lasts; fewer collections make it a third shorter.
	usual := debug.SetGCPercent(400)
	if err := startCluster(running, parts, listener); err != nil {
		// No stop: an API server that is stopped before it is ready ends in a
		// crash report. The exit of the process is as safe as a kill is.
		return outcome(ctx, running, err)
	}
	defer parts.stop()
	debug.SetGCPercent(usual)
	if err := dir.markReady(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.removeReady()) }()
	fmt.Fprintf(stdout, "ready in %.1fs\n", time.Since(started).Seconds())
	debug.FreeOSMemory()

	<-running.Done()
	return outcome(ctx, running, nil)
}

// outcome tells why the cluster ended: nil if it was asked to, else the part
// that failed first, else err, which merely followed from it.
func outcome(asked, running context.Context, err error) error {
	switch {
	case asked.Err() != nil:
		return nil
	case running.Err() != nil:
		return context.Cause(running)
	default:
		return err
	}
}

// startCluster starts every part in the order of its needs and waits until the cluster is ready.
func startCluster(ctx context.Context, parts *group, listener net.Listener) error {
	if err := preparePKI("https://" + listener.Addr().String()); err != nil {
		return err
	}
	store, err := startEtcd(ctx)
	if err != nil {
		return err
	}
	parts.run("etcd", store)

	apiServer, err := newAPIServer(ctx, listener)
	if err != nil {
		return fmt.Errorf("build kube-apiserver: %w", err)
	}
	parts.run("kube-apiserver", apiServer)

	client, err := newClient()
	if err != nil {
		return err
	}
	if err := awaitAPI(ctx, client); err != nil {
		return err
	}
	parts.run("kube-controller-manager", runControllerManager)
	parts.run("kube-scheduler", runScheduler)
	parts.run("kwok", runKwok)
	if err := createNodes(ctx, client); err != nil {
		return err
	}
	return awaitCluster(ctx, client)
}

// listen claims the API server's port before anything else starts, so that a port in use costs nothing.
func listen(port int) (net.Listener, error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program: stop it, or choose another port with --port", address)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (%w): choose another port with --port", address, err)
	}
	return listener, nil
}

// newClient returns a client for the administrator of the kubeconfig.
func newClient() (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfigFile)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kubeconfigFile, err)
	}
	// The only caller is this process, at its start: a limit would just slow it down.
	config.QPS = -1
	client, err := kubernetes.NewForConfig(rest.AddUserAgent(config, "mesh-kubernetes"))
	if err != nil {
		return nil, fmt.Errorf("build client: %w", err)
	}
	return client, nil
}
