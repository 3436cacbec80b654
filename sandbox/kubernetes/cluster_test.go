package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
)

const settle = 60 * time.Second

// eventually awaits a condition; each look is cheap, so it looks often.
func eventually(t *testing.T, condition func() bool, message string) {
	t.Helper()
	require.Eventually(t, condition, settle, 50*time.Millisecond, message)
}

// newNamespace makes a namespace for one test, with its default ServiceAccount, and removes it after.
func newNamespace(t *testing.T, labels map[string]string) string {
	t.Helper()
	namespaces := cluster.client.CoreV1().Namespaces()
	created, err := namespaces.Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Labels: labels},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		err := namespaces.Delete(context.WithoutCancel(t.Context()), created.Name, metav1.DeleteOptions{})
		if !apierrors.IsNotFound(err) {
			require.NoError(t, err)
		}
	})
	eventually(t, func() bool {
		_, err := cluster.client.CoreV1().ServiceAccounts(created.Name).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	}, "no default ServiceAccount")
	return created.Name
}

func newDeployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{Name: "app", Image: "app"}},
					TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
						MaxSkew:           1,
						TopologyKey:       corev1.LabelTopologyZone,
						WhenUnsatisfiable: corev1.DoNotSchedule,
						LabelSelector:     &metav1.LabelSelector{MatchLabels: labels},
					}},
				},
			},
		},
	}
}

func awaitAvailable(t *testing.T, namespace, name string, replicas int32) {
	t.Helper()
	eventually(t, func() bool {
		d, err := cluster.client.AppsV1().Deployments(namespace).Get(t.Context(), name, metav1.GetOptions{})
		return err == nil && d.Status.AvailableReplicas == replicas && d.Status.ObservedGeneration == d.Generation
	}, "the Deployment is not available")
}

func TestReady(t *testing.T) {
	t.Run("tells its version", func(t *testing.T) {
		version, err := cluster.client.Discovery().ServerVersion()
		require.NoError(t, err)
		assert.Equal(t, "v1.36.1", version.GitVersion)
		assert.Equal(t, "1", version.Major)
		assert.Equal(t, "36", version.Minor)
	})
	t.Run("tells how long it took", func(t *testing.T) {
		eventually(t, func() bool {
			return regexp.MustCompile(`^ready in \d+\.\ds\n$`).MatchString(cluster.process.output("stdout"))
		}, "no line on stdout")
	})
	t.Run("writes a private kubeconfig that stands alone", func(t *testing.T) {
		path := filepath.Join(cluster.process.dir, "kubeconfig")
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		config, err := clientcmd.LoadFromFile(path)
		require.NoError(t, err)
		assert.Equal(t, "mesh-sandbox", config.CurrentContext)
		assert.Contains(t, config.Clusters, "mesh-sandbox")
		assert.NotEmpty(t, config.AuthInfos["mesh-sandbox"].ClientKeyData)
		assert.NotEmpty(t, config.Clusters["mesh-sandbox"].CertificateAuthorityData)
	})
	t.Run("has a node in each of three zones", func(t *testing.T) {
		nodes, err := cluster.client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		zonesByName := make(map[string]string)
		for _, node := range nodes.Items {
			zonesByName[node.Name] = node.Labels[corev1.LabelTopologyZone]
			assert.Equal(t, "sandbox", node.Labels[corev1.LabelTopologyRegion])
			assert.Equal(t, node.Name, node.Labels[corev1.LabelHostname])
			assert.Empty(t, node.Spec.Taints)
		}
		assert.Equal(t, map[string]string{"sandbox-a": "zone-a", "sandbox-b": "zone-b", "sandbox-c": "zone-c"}, zonesByName)
	})
	t.Run("has the system priority classes", func(t *testing.T) {
		_, err := cluster.client.SchedulingV1().PriorityClasses().Get(t.Context(), "system-cluster-critical", metav1.GetOptions{})
		require.NoError(t, err)
	})
	t.Run("publishes the CA without its key", func(t *testing.T) {
		published, err := cluster.client.CoreV1().ConfigMaps("default").Get(t.Context(), "kube-root-ca.crt", metav1.GetOptions{})
		require.NoError(t, err)
		assert.Contains(t, published.Data["ca.crt"], "CERTIFICATE")
		assert.NotContains(t, published.Data["ca.crt"], "PRIVATE KEY")
	})
	t.Run("leaves no probe behind", func(t *testing.T) {
		eventually(t, func() bool {
			pods, err := cluster.client.CoreV1().Pods("kube-system").List(t.Context(), metav1.ListOptions{})
			return err == nil && len(pods.Items) == 0
		}, "pods in kube-system")
	})
}

func TestDeploymentSpreadsOverZones(t *testing.T) {
	namespace := newNamespace(t, nil)
	deployment := newDeployment("web", 3)
	_, err := cluster.client.AppsV1().Deployments(namespace).Create(t.Context(), deployment, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = cluster.client.PolicyV1().PodDisruptionBudgets(namespace).Create(t.Context(), &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: ptr.To(intstr.FromInt32(1)),
			Selector:       deployment.Spec.Selector,
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)

	awaitAvailable(t, namespace, "web", 3)
	pods, err := cluster.client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	nodes, addresses := make(map[string]bool), make(map[string]bool)
	for _, pod := range pods.Items {
		nodes[pod.Spec.NodeName] = true
		addresses[pod.Status.PodIP] = true
	}
	assert.Len(t, nodes, 3, "nodes, one a zone")
	assert.Len(t, addresses, 3, "addresses")
	eventually(t, func() bool {
		budget, err := cluster.client.PolicyV1().PodDisruptionBudgets(namespace).Get(t.Context(), "web", metav1.GetOptions{})
		return err == nil && budget.Status.DisruptionsAllowed == 1
	}, "the PodDisruptionBudget allows no disruption")
}

func TestDaemonSetRunsOnEveryNode(t *testing.T) {
	namespace := newNamespace(t, nil)
	template := newDeployment("agent", 1).Spec.Template
	template.Spec.TopologySpreadConstraints = nil
	_, err := cluster.client.AppsV1().DaemonSets(namespace).Create(t.Context(), &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "agent"},
		Spec:       appsv1.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: template.Labels}, Template: template},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	eventually(t, func() bool {
		set, err := cluster.client.AppsV1().DaemonSets(namespace).Get(t.Context(), "agent", metav1.GetOptions{})
		return err == nil && set.Status.NumberAvailable == 3
	}, "the DaemonSet is not available")
}

func TestJobCompletes(t *testing.T) {
	namespace := newNamespace(t, nil)
	_, err := cluster.client.BatchV1().Jobs(namespace).Create(t.Context(), &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "task"},
		Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			Containers:    []corev1.Container{{Name: "task", Image: "task"}},
		}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	eventually(t, func() bool {
		job, err := cluster.client.BatchV1().Jobs(namespace).Get(t.Context(), "task", metav1.GetOptions{})
		return err == nil && job.Status.Succeeded == 1
	}, "the Job does not complete")
}

func TestLoadBalancerAddress(t *testing.T) {
	namespace := newNamespace(t, nil)
	services := cluster.client.CoreV1().Services(namespace)
	addressOf := func(name string) string {
		service, err := services.Get(t.Context(), name, metav1.GetOptions{})
		if err != nil || len(service.Status.LoadBalancer.Ingress) == 0 {
			return ""
		}
		return service.Status.LoadBalancer.Ingress[0].IP
	}
	addresses := make(map[string]string)
	for _, name := range []string{"public", "internal"} {
		created, err := services.Create(t.Context(), &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: corev1.ServiceSpec{
				Type:  corev1.ServiceTypeLoadBalancer,
				Ports: []corev1.ServicePort{{Name: "https", Port: 443}},
			},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
		eventually(t, func() bool { return addressOf(name) != "" }, "no address")
		addresses[name] = addressOf(name)
		assert.Equal(t, strings.Replace(created.Spec.ClusterIP, "127.96.", "127.97.", 1), addresses[name])
	}
	assert.NotEqual(t, addresses["public"], addresses["internal"])

	t.Run("stays as it is when the Service changes", func(t *testing.T) {
		service, err := services.Get(t.Context(), "public", metav1.GetOptions{})
		require.NoError(t, err)
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: "http", Port: 80})
		updated, err := services.Update(t.Context(), service, metav1.UpdateOptions{})
		require.NoError(t, err)
		// Any later write by the sandbox would raise the resource version.
		assert.Never(t, func() bool {
			current, err := services.Get(t.Context(), "public", metav1.GetOptions{})
			return err != nil || current.ResourceVersion != updated.ResourceVersion
		}, 500*time.Millisecond, 50*time.Millisecond)
		assert.Equal(t, addresses["public"], addressOf("public"))
	})
}

func TestAutoscalerRaisesToItsMinimum(t *testing.T) {
	namespace := newNamespace(t, nil)
	deployment := newDeployment("web", 1)
	_, err := cluster.client.AppsV1().Deployments(namespace).Create(t.Context(), deployment, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = cluster.client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Create(t.Context(), &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			MinReplicas:    ptr.To[int32](3),
			MaxReplicas:    5,
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	awaitAvailable(t, namespace, "web", 3)
}

func TestNamespaceDeletionFinishes(t *testing.T) {
	namespace := newNamespace(t, nil)
	_, err := cluster.client.AppsV1().Deployments(namespace).Create(t.Context(), newDeployment("web", 3), metav1.CreateOptions{})
	require.NoError(t, err)
	awaitAvailable(t, namespace, "web", 3)
	require.NoError(t, cluster.client.CoreV1().Namespaces().Delete(t.Context(), namespace, metav1.DeleteOptions{}))
	eventually(t, func() bool {
		_, err := cluster.client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, "the namespace is still there")
}

func TestPodSecurity(t *testing.T) {
	restricted := &corev1.SecurityContext{
		AllowPrivilegeEscalation: ptr.To(false),
		RunAsNonRoot:             ptr.To(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	tests := []struct {
		name    string
		context *corev1.SecurityContext
		allowed bool
	}{
		{name: "a restricted pod is let in", context: restricted, allowed: true},
		{name: "a pod without a security context is refused"},
		{name: "a privileged pod is refused", context: &corev1.SecurityContext{Privileged: ptr.To(true)}},
	}
	namespace := newNamespace(t, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := cluster.client.CoreV1().Pods(namespace).Create(t.Context(), &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{GenerateName: "pod-"},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{Name: "app", Image: "app", SecurityContext: test.context}},
				},
			}, metav1.CreateOptions{})
			if test.allowed {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, `violates PodSecurity "restricted:latest"`)
		})
	}
}

func TestCustomResourceRules(t *testing.T) {
	client, err := apiextensions.NewForConfig(cluster.config)
	require.NoError(t, err)
	definitions := client.ApiextensionsV1().CustomResourceDefinitions()
	_, err = definitions.Create(t.Context(), widgetDefinition(), metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, definitions.Delete(context.WithoutCancel(t.Context()), "widgets.test.mesh", metav1.DeleteOptions{}))
	})
	namespace := newNamespace(t, nil)
	dynamicClient, err := dynamic.NewForConfig(cluster.config)
	require.NoError(t, err)
	widgets := dynamicClient.Resource(schema.GroupVersionResource{Group: "test.mesh", Version: "v1", Resource: "widgets"}).Namespace(namespace)
	apply := func(minimum, maximum int64) error {
		_, err := widgets.Apply(t.Context(), "widget", &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "test.mesh/v1",
			"kind":       "Widget",
			"metadata":   map[string]any{"name": "widget"},
			"spec":       map[string]any{"min": minimum, "max": maximum},
		}}, metav1.ApplyOptions{FieldManager: "test"})
		return err
	}
	eventually(t, func() bool { return apply(1, 2) == nil }, "a valid resource is refused")
	require.ErrorContains(t, apply(3, 2), "min must not exceed max")
}

func widgetDefinition() *apiextensionsv1.CustomResourceDefinition {
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets.test.mesh"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "test.mesh",
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Kind: "Widget"},
			Scope: apiextensionsv1.NamespaceScoped,
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object",
					Properties: map[string]apiextensionsv1.JSONSchemaProps{"spec": {
						Type:       "object",
						Properties: map[string]apiextensionsv1.JSONSchemaProps{"min": {Type: "integer"}, "max": {Type: "integer"}},
						XValidations: apiextensionsv1.ValidationRules{{
							Rule: "self.min <= self.max", Message: "min must not exceed max",
						}},
					}},
				}},
			}},
		},
	}
}

func TestSurvivesKill(t *testing.T) {
	namespace := newNamespace(t, nil)
	_, err := cluster.client.AppsV1().Deployments(namespace).Create(t.Context(), newDeployment("web", 3), metav1.CreateOptions{})
	require.NoError(t, err)
	awaitAvailable(t, namespace, "web", 3)
	kubeconfig, err := os.ReadFile(filepath.Join(cluster.process.dir, "kubeconfig"))
	require.NoError(t, err)

	require.NoError(t, cluster.restart())

	after, err := os.ReadFile(filepath.Join(cluster.process.dir, "kubeconfig"))
	require.NoError(t, err)
	assert.Equal(t, string(kubeconfig), string(after), "the kubeconfig changed")
	awaitAvailable(t, namespace, "web", 3)
	require.NoError(t, cluster.client.AppsV1().Deployments(namespace).Delete(t.Context(), "web", metav1.DeleteOptions{}))
	eventually(t, func() bool {
		pods, err := cluster.client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
		return err == nil && len(pods.Items) == 0
	}, "pods of a deleted Deployment remain")
}
