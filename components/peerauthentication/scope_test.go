package peerauthentication

import (
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	securityapi "istio.io/api/security/v1beta1"
)

var today = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func workload(exceptions ...Exception) Workload {
	return Workload{Name: "scans", Namespace: "mcp-security", Pods: map[string]string{"app": "scans"}, Exceptions: exceptions}
}

func TestExceptionOpensItsPortOnly(t *testing.T) {
	w := workload(Exception{9000, "legacy collector", "2026-12-31"})
	assert.Empty(t, w.problems(today))
	object := w.Object()
	assert.Equal(t, securityapi.PeerAuthentication_MutualTLS_STRICT, object.Spec.Mtls.Mode)
	assert.Equal(t, w.Pods, object.Spec.Selector.MatchLabels, "ports need a selector")
	require.Len(t, object.Spec.PortLevelMtls, 1)
	assert.Equal(t, securityapi.PeerAuthentication_MutualTLS_PERMISSIVE, object.Spec.PortLevelMtls[9000].Mode)
	assert.Equal(t, "port 9000 accepts plain text until 2026-12-31: legacy collector", w.Exceptions[0].String())
}

func TestExceptionNeedsReasonAndEnd(t *testing.T) {
	assert.Empty(t, Exception{9000, "r", "2026-06-15"}.Problems(today), "its last day is included")
	for name, tc := range map[string]struct {
		exception Exception
		field     string
	}{
		"port":          {Exception{0, "r", "2026-12-31"}, "port"},
		"no reason":     {Exception{9000, "", "2026-12-31"}, "reason"},
		"no end":        {Exception{9000, "r", ""}, "until"},
		"no date":       {Exception{9000, "r", "soon"}, "until"},
		"ended":         {Exception{9000, "r", "2026-06-14"}, "until"},
		"over a year":   {Exception{9000, "r", "2027-06-16"}, "until"},
		"American date": {Exception{9000, "r", "12/31/2026"}, "until"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := tc.exception.Problems(today)
			require.Len(t, problems, 1, "%v", problems)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}

func TestScopeArgs(t *testing.T) {
	good := Exception{9000, "r", "2026-12-31"}
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
		"exceptions without now": {ScopeArgs{Namespaces: []string{"a"}, Workloads: []Workload{workload(Exception{9000, "r", "0001-06-01"})}}, "now"},
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
