package peerauthentication

import (
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	securityapi "istio.io/api/security/v1beta1"

	"github.com/mcp-security-platform/mesh/components/temporary"
)

var today = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

var callers = []string{"10.20.0.0/16"}

func workload(exceptions ...Exception) Workload {
	return Workload{Name: "scans", Namespace: "mcp-security", Pods: map[string]string{"app": "scans"}, Exceptions: exceptions}
}

func TestExceptionOpensItsPortOnly(t *testing.T) {
	w := workload(Exception{9000, callers, temporary.Term{Reason: "legacy collector", Until: "2026-12-31"}})
	assert.Empty(t, w.problems(today))
	object := w.Object()
	assert.Equal(t, securityapi.PeerAuthentication_MutualTLS_STRICT, object.Spec.Mtls.Mode)
	assert.Equal(t, w.Pods, object.Spec.Selector.MatchLabels, "ports need a selector")
	require.Len(t, object.Spec.PortLevelMtls, 1)
	assert.Equal(t, securityapi.PeerAuthentication_MutualTLS_PERMISSIVE, object.Spec.PortLevelMtls[9000].Mode)
	assert.Equal(t, "port 9000 accepts plain text from 10.20.0.0/16 until 2026-12-31: legacy collector", w.Exceptions[0].String())
}

func TestExceptionNamesPortCallersAndEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		port  int
		from  []string
		until string
		field string // empty if it is accepted
	}{
		"network":           {9000, []string{"10.20.0.0/16"}, "2026-12-31", ""},
		"IPv6":              {9000, []string{"fd00:20::/64", "10.20.0.7/32"}, "2026-12-31", ""},
		"port":              {0, []string{"10.20.0.0/16"}, "2026-12-31", "port"},
		"port of a proxy":   {15020, []string{"10.20.0.0/16"}, "2026-12-31", "port"},
		"nobody":            {9000, nil, "2026-12-31", "from"},
		"everybody":         {9000, []string{"0.0.0.0/0"}, "2026-12-31", "from"},
		"everybody (IPv6)":  {9000, []string{"::/0"}, "2026-12-31", "from"},
		"address":           {9000, []string{"10.20.0.1"}, "2026-12-31", "from"},
		"host of a network": {9000, []string{"10.20.0.1/16"}, "2026-12-31", "from"},
		"ended":             {9000, []string{"10.20.0.0/16"}, "2026-06-14", "until"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := Exception{tc.port, tc.from, temporary.Term{Reason: "r", Until: tc.until}}.Problems(today)
			if tc.field == "" {
				assert.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1, "%v", problems)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}

func TestScopeArgs(t *testing.T) {
	good := Exception{9000, callers, temporary.Term{Reason: "r", Until: "2026-12-31"}}
	assert.Empty(t, ScopeArgs{Namespaces: []string{"a"}}.problems())
	assert.Empty(t, ScopeArgs{Namespaces: []string{"a"}, Workloads: []Workload{workload(good)}, Now: today}.problems())
	unlabelled := workload(good)
	unlabelled.Pods = nil
	for name, tc := range map[string]struct {
		args  ScopeArgs
		field string
	}{
		"no namespaces":          {ScopeArgs{}, "namespaces"},
		"namespace":              {ScopeArgs{Namespaces: []string{"A"}}, "namespaces"},
		"without exceptions":     {ScopeArgs{Namespaces: []string{"a"}, Workloads: []Workload{workload()}, Now: today}, "workloads.scans.exceptions"},
		"port twice":             {ScopeArgs{Namespaces: []string{"a"}, Workloads: []Workload{workload(good, good)}, Now: today}, "workloads.scans.exceptions[1].port"},
		"whole namespace":        {ScopeArgs{Namespaces: []string{"a"}, Workloads: []Workload{unlabelled}, Now: today}, "workloads.scans.pods"},
		"exceptions without now": {ScopeArgs{Namespaces: []string{"a"}, Workloads: []Workload{workload(Exception{9000, callers, temporary.Term{Reason: "r", Until: "0001-06-01"}})}}, "now"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := tc.args.problems()
			require.Len(t, problems, 1, "%v", problems)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}

func TestNewScopeRefusesBeforeItRegisters(t *testing.T) {
	_, err := NewScope(&pulumi.Context{}, "scope", ScopeArgs{})
	assert.ErrorContains(t, err, "namespaces is not set")
}
