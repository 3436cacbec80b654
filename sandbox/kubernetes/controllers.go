package main

import (
	"context"
	"fmt"

	controllerapp "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	controlleroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	schedulerapp "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

// clientArgs are common to the two clients of the API server: one of each, no
// port of their own, and no limit that slows a cluster of one process down.
func clientArgs() []string {
	return []string{
		"--kubeconfig=" + kubeconfigFile,
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
	}
}

func controllerManagerArgs() []string {
	return append(clientArgs(),
		"--root-ca-file="+caCertFile,
		"--service-account-private-key-file="+tokenKeyFile,
		// The default is a folder of the system, which it would make if missing.
		"--flex-volume-plugin-dir=flexvolume",
		// A laptop sleeps longer than the default 50 s; its nodes are there when it wakes up.
		"--node-monitor-grace-period=1h",
		// Also the delay of the first look at a new HorizontalPodAutoscaler.
		"--horizontal-pod-autoscaler-sync-period=5s",
	)
}

// runControllerManager runs kube-controller-manager until ctx is done.
func runControllerManager(ctx context.Context) error {
	opts, err := controlleroptions.NewKubeControllerManagerOptions()
	if err != nil {
		return fmt.Errorf("default options: %w", err)
	}
	known, disabled, aliases := controllerapp.KnownControllers(), controllerapp.ControllersDisabledByDefault(), controllerapp.ControllerAliases()
	flags := opts.Flags(known, disabled, aliases)
	opts.ParsedFlags = &flags
	if err := parseArgs(flags, controllerManagerArgs()); err != nil {
		return err
	}
	// The context of the configuration ends the event broadcaster, which must outlive the controllers.
	config, err := opts.Config(context.WithoutCancel(ctx), known, disabled, aliases)
	if err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	return controllerapp.Run(ctx, config.Complete())
}

// runScheduler runs kube-scheduler until ctx is done.
func runScheduler(ctx context.Context) error {
	opts := scheduleroptions.NewOptions()
	if err := parseArgs(*opts.Flags, clientArgs()); err != nil {
		return err
	}
	config, scheduler, err := schedulerapp.Setup(ctx, opts)
	if err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	return schedulerapp.Run(ctx, config, scheduler)
}
