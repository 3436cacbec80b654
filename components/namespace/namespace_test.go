package namespace

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLabels(t *testing.T) {
	for name, tc := range map[string]struct {
		namespace Namespace
		want      map[string]string
		absent    []string
	}{
		"injected by tag":           {Namespace{Name: "a", Injected: true}, map[string]string{"istio.io/rev": "stable"}, []string{"istio-injection"}},
		"outside the mesh":          {Namespace{Name: "a"}, nil, []string{"istio.io/rev", "istio-injection", "topology.istio.io/network"}},
		"restricted by default":     {Namespace{Name: "a"}, map[string]string{"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}, nil},
		"privileged where asked":    {Namespace{Name: "a", PodSecurity: Privileged}, map[string]string{"pod-security.kubernetes.io/enforce": "privileged"}, nil},
		"network of control planes": {Namespace{Name: "a", Network: "main"}, map[string]string{"topology.istio.io/network": "main"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			labels := Labels(tc.namespace, "stable")
			assert.Subset(t, labels, tc.want)
			for _, key := range tc.absent {
				assert.NotContains(t, labels, key)
			}
		})
	}
}

func TestArgs(t *testing.T) {
	good := Args{RevisionTag: "stable", Namespaces: []Namespace{{Name: "a"}, {Name: "b"}}}
	assert.Empty(t, good.problems())
	for name, tc := range map[string]struct {
		args  Args
		field string
	}{
		"no tag":                {Args{Namespaces: good.Namespaces}, "revisionTag"},
		"no namespaces":         {Args{RevisionTag: "stable"}, "namespaces"},
		"name in upper case":    {Args{RevisionTag: "stable", Namespaces: []Namespace{{Name: "A"}}}, "namespaces"},
		"namespace named twice": {Args{RevisionTag: "stable", Namespaces: []Namespace{{Name: "a"}, {Name: "a"}}}, "namespaces"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := tc.args.problems()
			require.Len(t, problems, 1)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}
