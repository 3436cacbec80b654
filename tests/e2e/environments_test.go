package e2e

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What staging and prod promise is checked on the cluster itself: replicas, zones,
// autoscalers and budgets.
func TestEnvironments(t *testing.T) {
	for _, tc := range []struct {
		stack    string
		replicas int
		zones    map[string]int
		protects bool
	}{
		{"staging", 2, nil, false},
		{"prod", 3, map[string]int{"zone-a": 1, "zone-b": 1, "zone-c": 1}, true},
	} {
		t.Run(tc.stack, func(t *testing.T) {
			s := newStack(t, tc.stack)
			before := s.cluster.objects(t)
			s.up(t)
			for name, namespace := range map[string]string{istiod: system, "public-ingress": ingress, "internal-ingress": ingress, "egress": egress} {
				zones := s.cluster.zonesOf(t, namespace, name, tc.replicas)
				t.Logf("%s %s: %v", tc.stack, name, zones)
				if tc.zones != nil {
					assert.Equal(t, tc.zones, zones, name)
				}
				checkBudget(t, s, namespace, name)
			}
			s.requireNoChanges(t)
			if tc.protects {
				requireProtectedRoot(t, s)
			}
			s.destroy(t)
			s.cluster.requireOnly(t, before)
		})
	}
}

func checkBudget(t *testing.T, s *stack, namespace, name string) {
	t.Helper()
	budget, err := s.cluster.PolicyV1().PodDisruptionBudgets(namespace).Get(context.Background(), name, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, 1, budget.Spec.MaxUnavailable.IntValue(), name)
	assert.Nil(t, budget.Spec.MinAvailable, name)
}

// requireProtectedRoot requires that the root of production survives both a
// destroy and a change that would replace it, until it is released on purpose.
func requireProtectedRoot(t *testing.T, s *stack) {
	t.Helper()
	root := s.cluster.secret(t, system, "cacerts")["root-cert.pem"]
	_, err := s.PreviewDestroy(context.Background())
	require.ErrorContains(t, err, "protect")

	s.set(t, "ca.generated.rootDays", "4000")
	_, err = s.Up(context.Background())
	require.ErrorContains(t, err, "marked for protection")
	s.unset(t, "ca.generated.rootDays")
	assert.Equal(t, root, s.cluster.secret(t, system, "cacerts")["root-cert.pem"])

	s.set(t, "ca.generated.protectRoot", "false")
	s.up(t)
}
