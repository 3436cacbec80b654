package main

import (
	"context"
	"fmt"
	"net"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// apiServerArgs are the settings in which the sandbox differs from Kubernetes' defaults.
func apiServerArgs() []string {
	return []string{
		"--etcd-servers=" + etcdURL,
		"--bind-address=127.0.0.1",
		"--tls-cert-file=" + servingFile,
		"--tls-private-key-file=" + servingFile,
		"--client-ca-file=" + caCertFile,
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-signing-key-file=" + tokenKeyFile,
		"--service-account-key-file=" + tokenKeyFile,
		"--service-cluster-ip-range=" + serviceRange,
		// Loopback is refused as an endpoint, so nothing is published: clients come by the kubeconfig.
		"--advertise-address=" + advertisedIP,
		"--endpoint-reconciler-type=none",
		// The CNI plugin's DaemonSet is privileged.
		"--allow-privileged=true",
		// istiod's pods are simulated, so nobody serves the injection webhook that its chart
		// registers; called, it would refuse every pod of an injected namespace.
		"--disable-admission-plugins=MutatingAdmissionWebhook",
	}
}

// newAPIServer builds kube-apiserver on an open listener and returns the function that runs it.
//
// Its cobra command is not used, since that installs signal handlers for the whole process.
func newAPIServer(ctx context.Context, listener net.Listener) (func(context.Context) error, error) {
	opts := options.NewServerRunOptions()
	if err := parseArgs(opts.Flags(), apiServerArgs()); err != nil {
		return nil, err
	}
	opts.SecureServing.Listener = listener
	if err := opts.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	completed, err := opts.Complete(ctx)
	if err != nil {
		return nil, err
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return nil, utilerrors.NewAggregate(errs)
	}
	config, err := app.NewConfig(completed)
	if err != nil {
		return nil, err
	}
	setVersion(config)
	completedConfig, err := config.Complete()
	if err != nil {
		return nil, err
	}
	server, err := app.CreateServerChain(completedConfig)
	if err != nil {
		return nil, err
	}
	prepared, err := server.PrepareRun()
	if err != nil {
		return nil, err
	}
	return prepared.Run, nil
}

// parseArgs parses args by the named flag sets of a component.
func parseArgs(sets cliflag.NamedFlagSets, args []string) error {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("parse arguments: %w", err)
	}
	return nil
}
