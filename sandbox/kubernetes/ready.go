package main

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

const (
	pollInterval = 20 * time.Millisecond
	readyTimeout = 2 * time.Minute
	probeName    = "sandbox-probe"
)

// await polls until done, telling what it waited for if that never comes.
func await(ctx context.Context, what string, done wait.ConditionWithContextFunc) error {
	if err := wait.PollUntilContextTimeout(ctx, pollInterval, readyTimeout, true, done); err != nil {
		return fmt.Errorf("wait for %s: %w", what, err)
	}
	return nil
}

// awaitAPI waits until the API server calls itself ready.
func awaitAPI(ctx context.Context, client kubernetes.Interface) error {
	return await(ctx, "kube-apiserver", func(ctx context.Context) (bool, error) {
		err := client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
		return err == nil, nil
	})
}

// awaitCluster waits until the nodes take pods and the controllers do their work.
func awaitCluster(ctx context.Context, client kubernetes.Interface) error {
	if err := await(ctx, "the default ServiceAccount", func(ctx context.Context) (bool, error) {
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return found(err)
	}); err != nil {
		return err
	}
	if err := await(ctx, "the nodes", func(ctx context.Context) (bool, error) {
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		return err == nil && countReady(nodes.Items) >= len(zones()), err
	}); err != nil {
		return err
	}
	return probe(ctx, client)
}

func found(err error) (bool, error) {
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

func countReady(nodes []corev1.Node) int {
	var ready int
	for _, node := range nodes {
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	return ready
}

// probe takes one pod from ReplicaSet to Ready. The controller manager and the
// scheduler have no port that could be asked, and this is what they are for.
func probe(ctx context.Context, client kubernetes.Interface) error {
	sets := client.AppsV1().ReplicaSets(metav1.NamespaceSystem)
	set, err := sets.Create(ctx, newProbe(), metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create probe: %w", err)
	}
	if err := await(ctx, "a first pod", func(ctx context.Context) (bool, error) {
		current, err := sets.Get(ctx, set.Name, metav1.GetOptions{})
		return err == nil && current.Status.ReadyReplicas == 1, err
	}); err != nil {
		return err
	}
	// By label, which also clears the probe of a start that was killed.
	background := metav1.DeletePropagationBackground
	err = sets.DeleteCollection(ctx,
		metav1.DeleteOptions{PropagationPolicy: &background},
		metav1.ListOptions{LabelSelector: "app=" + probeName})
	if err != nil {
		return fmt.Errorf("delete probe: %w", err)
	}
	return nil
}

func newProbe() *appsv1.ReplicaSet {
	replicas, labels := int32(1), map[string]string{"app": probeName}
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{GenerateName: probeName + "-", Labels: labels},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "probe", Image: "probe"}}},
			},
		},
	}
}
