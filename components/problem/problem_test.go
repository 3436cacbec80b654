package problem

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStringNamesFieldValueAndRemedy(t *testing.T) {
	for name, tc := range map[string]struct {
		problem Problem
		want    string
	}{
		"text":    {Problem{"ca.mode", "self", "choose generated or provided"}, `ca.mode is "self": choose generated or provided`},
		"number":  {Problem{"replicas.min", 1, "use 3 or more"}, "replicas.min is 1: use 3 or more"},
		"missing": {Problem{"trustDomain", nil, "set it"}, "trustDomain is not set: set it"},
		"secret":  {Problem{"ca.key", Hidden, "set a PEM key"}, "ca.key is [secret]: set a PEM key"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, tc.problem.String()) })
	}
}

func TestListErrIsNilOnlyWhenEmpty(t *testing.T) {
	var list List
	require.NoError(t, list.Err())

	var inner List
	inner.Add("min", 0, "use %d or more", 1)
	list.Within("istiod.replicas", inner)

	var refused Error
	require.True(t, errors.As(list.Err(), &refused))
	assert.Equal(t, "istiod.replicas.min", refused.Problems[0].Field)
	assert.Contains(t, list.Err().Error(), "istiod.replicas.min is 0: use 1 or more")
}
