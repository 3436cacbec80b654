package main

import (
	"context"
	"fmt"
	"runtime"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// zones are the letters of the zones, each with one node.
func zones() []string {
	return []string{"a", "b", "c"}
}

// createNodes adds the nodes that are missing. Those of an earlier start stay as they are, cordoned or labelled.
func createNodes(ctx context.Context, client kubernetes.Interface) error {
	for i, zone := range zones() {
		_, err := client.CoreV1().Nodes().Create(ctx, newNode(i, zone), metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create node: %w", err)
		}
	}
	return nil
}

func newNode(index int, zone string) *corev1.Node {
	name := "sandbox-" + zone
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("32"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("250"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				corev1.LabelHostname:       name,
				corev1.LabelTopologyRegion: "sandbox",
				corev1.LabelTopologyZone:   "zone-" + zone,
				corev1.LabelOSStable:       "linux",
				corev1.LabelArchStable:     runtime.GOARCH,
			},
		},
		Spec: corev1.NodeSpec{PodCIDR: podRange(index), PodCIDRs: []string{podRange(index)}},
		Status: corev1.NodeStatus{
			Capacity:    capacity,
			Allocatable: capacity,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: nodeIP(index)},
				{Type: corev1.NodeHostName, Address: name},
			},
			NodeInfo: corev1.NodeSystemInfo{
				Architecture:    runtime.GOARCH,
				OperatingSystem: "linux",
				KubeletVersion:  kubernetesVersion(),
			},
		},
	}
}
