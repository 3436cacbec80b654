package identity

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIdentityIsSpeltForPoliciesAndCertificates(t *testing.T) {
	scans := Identity{TrustDomain: "mcp.company.com", Namespace: "mcp-security", ServiceAccount: "scans"}
	assert.Empty(t, scans.Problems())
	assert.Equal(t, "mcp.company.com/ns/mcp-security/sa/scans", scans.Principal())
	assert.Equal(t, "spiffe://mcp.company.com/ns/mcp-security/sa/scans", scans.SPIFFE())
}

func TestIdentityRefusesWildcards(t *testing.T) {
	for name, tc := range map[string]struct {
		identity Identity
		field    string
	}{
		"any trust domain":    {Identity{"*", "a", "b"}, "trustDomain"},
		"no trust domain":     {Identity{"", "a", "b"}, "trustDomain"},
		"any namespace":       {Identity{"d", "*", "b"}, "namespace"},
		"any service account": {Identity{"d", "a", "*"}, "serviceAccount"},
		"account by prefix":   {Identity{"d", "a", "b*"}, "serviceAccount"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := tc.identity.Problems()
			require.Len(t, problems, 1)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}

func TestAccounts(t *testing.T) {
	assert.Empty(t, Args{Namespace: "a", Names: []string{"b", "c"}}.problems())
	for name, tc := range map[string]struct {
		args  Args
		field string
	}{
		"no namespace":  {Args{Names: []string{"a"}}, "namespace"},
		"no names":      {Args{Namespace: "a"}, "names"},
		"bad name":      {Args{Namespace: "a", Names: []string{"B"}}, "names"},
		"name repeated": {Args{Namespace: "a", Names: []string{"b", "b"}}, "names"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := tc.args.problems()
			require.Len(t, problems, 1)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}
