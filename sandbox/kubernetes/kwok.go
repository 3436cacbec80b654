package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	"sigs.k8s.io/kwok/kustomize/stage/node/heartbeat"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/client"
)

//go:embed stages/loadbalancer.yaml
var loadBalancerStage string

// runKwok plays the nodes, the pods and the load balancers until ctx is done.
func runKwok(ctx context.Context) error {
	ctx = log.NewContext(ctx, log.NewLogger(errorLog{os.Stderr}, log.LevelError))
	conf, err := kwokConfig()
	if err != nil {
		return err
	}
	controller, err := controllers.NewController(conf)
	if err != nil {
		return fmt.Errorf("build controller: %w", err)
	}
	if err := controller.Start(ctx); err != nil {
		return fmt.Errorf("start controller: %w", err)
	}
	<-ctx.Done()
	return nil
}

func kwokConfig() (controllers.Config, error) {
	stages, err := kwokStages()
	if err != nil {
		return controllers.Config{}, err
	}
	clients, err := client.NewClientset("", kubeconfigFile)
	if err != nil {
		return controllers.Config{}, fmt.Errorf("build clients: %w", err)
	}
	restConfig, err := clients.ToRESTConfig()
	if err != nil {
		return controllers.Config{}, err
	}
	typed, err := kubernetes.NewForConfig(restConfig)
	if err != nil {
		return controllers.Config{}, fmt.Errorf("build client: %w", err)
	}
	restClient, err := rest.RESTClientFor(restConfig)
	if err != nil {
		return controllers.Config{}, fmt.Errorf("build REST client: %w", err)
	}
	dynamic, err := clients.ToDynamicClient()
	if err != nil {
		return controllers.Config{}, err
	}
	mapper, err := clients.ToRESTMapper()
	if err != nil {
		return controllers.Config{}, fmt.Errorf("build REST mapper: %w", err)
	}
	return controllers.Config{
		Clock:                     clock.RealClock{},
		DynamicClient:             dynamic,
		RESTClient:                restClient,
		RESTMapper:                mapper,
		TypedClient:               typed,
		ManageAllNodes:            true,
		LocalStages:               stages,
		PodPlayStageParallelism:   4,
		NodePlayStageParallelism:  4,
		PodsOnNodeSyncParallelism: 1,
		ID:                        clusterName,
	}, nil
}

// kwokStages are kwok's own for nodes and pods, and the one for load balancers.
func kwokStages() (map[internalversion.StageResourceRef][]*internalversion.Stage, error) {
	stages := make(map[internalversion.StageResourceRef][]*internalversion.Stage)
	for _, text := range []string{
		nodefast.DefaultNodeInit,
		heartbeat.DefaultNodeHeartbeat,
		podfast.DefaultPodReady,
		podfast.DefaultPodComplete,
		podfast.DefaultPodDelete,
		loadBalancerStage,
	} {
		stage, err := config.UnmarshalWithType[*internalversion.Stage](text)
		if err != nil {
			return nil, fmt.Errorf("read stage: %w", err)
		}
		stages[stage.Spec.ResourceRef] = append(stages[stage.Spec.ResourceRef], stage)
	}
	return stages, nil
}
