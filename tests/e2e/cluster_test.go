package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// cluster is the tests' view of the cluster, past Pulumi.
type cluster struct {
	kubernetes.Interface
	dynamic dynamic.Interface
}

func newCluster(t *testing.T, kubeconfig string) *cluster {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	require.NoError(t, err)
	config.QPS, config.Burst = 200, 400
	clientset, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	dynamicClient, err := dynamic.NewForConfig(config)
	require.NoError(t, err)
	return &cluster{clientset, dynamicClient}
}

// objects returns every object of the cluster, but for those that come and go by
// themselves.
func (c *cluster) objects(t *testing.T) sets.Set[string] {
	t.Helper()
	lists, err := c.Discovery().ServerPreferredResources()
	if !discovery.IsGroupDiscoveryFailedError(err) {
		require.NoError(t, err)
	}
	found := sets.New[string]()
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		require.NoError(t, err)
		for _, resource := range list.APIResources {
			if passing[resource.Name] || !sets.New(resource.Verbs...).Has("list") {
				continue
			}
			objects, err := c.dynamic.Resource(gv.WithResource(resource.Name)).List(context.Background(), metav1.ListOptions{})
			if err != nil {
				continue // the resource went away between discovery and list
			}
			for _, object := range objects.Items {
				found.Insert(fmt.Sprintf("%s.%s %s/%s", resource.Name, gv.Group, object.GetNamespace(), object.GetName()))
			}
		}
	}
	return found
}

// passing are the resources that the cluster makes and drops on its own account.
var passing = map[string]bool{
	"events": true, "leases": true, "endpoints": true, "endpointslices": true, "ipaddresses": true,
	"componentstatuses": true, "apiservices": true, "controllerrevisions": true, "storageversions": true,
}

// requireOnly requires that in the end nothing but before is in the cluster.
func (c *cluster) requireOnly(t *testing.T, before sets.Set[string]) {
	t.Helper()
	var left sets.Set[string]
	require.Eventually(t, func() bool {
		left = c.objects(t).Difference(before)
		return left.Len() == 0
	}, time.Minute, time.Second, "objects left behind")
	require.Empty(t, before.Difference(c.objects(t)), "objects that were there before")
}

// deployment returns a Deployment.
func (c *cluster) deployment(t *testing.T, namespace, name string) *appsv1.Deployment {
	t.Helper()
	deployment, err := c.AppsV1().Deployments(namespace).Get(context.Background(), name, metav1.GetOptions{})
	require.NoError(t, err)
	return deployment
}

// zonesOf awaits that a Deployment has the wanted number of ready pods and returns
// how many of them run in each zone.
func (c *cluster) zonesOf(t *testing.T, namespace, name string, replicas int) map[string]int {
	t.Helper()
	selector := metav1.FormatLabelSelector(c.deployment(t, namespace, name).Spec.Selector)
	var pods []corev1.Pod
	require.Eventually(t, func() bool {
		list, err := c.CoreV1().Pods(namespace).List(context.Background(), metav1.ListOptions{LabelSelector: selector})
		require.NoError(t, err)
		pods = list.Items
		ready := 0
		for _, pod := range pods {
			for _, condition := range pod.Status.Conditions {
				if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
					ready++
				}
			}
		}
		return ready == replicas && len(pods) == replicas
	}, 2*time.Minute, 500*time.Millisecond, "%s/%s has no %d ready pods", namespace, name, replicas)
	zones := map[string]int{}
	for _, pod := range pods {
		node, err := c.CoreV1().Nodes().Get(context.Background(), pod.Spec.NodeName, metav1.GetOptions{})
		require.NoError(t, err)
		zones[node.Labels[corev1.LabelTopologyZone]]++
	}
	return zones
}

// secret returns the data of a Secret.
func (c *cluster) secret(t *testing.T, namespace, name string) map[string][]byte {
	t.Helper()
	secret, err := c.CoreV1().Secrets(namespace).Get(context.Background(), name, metav1.GetOptions{})
	require.NoError(t, err)
	return secret.Data
}
