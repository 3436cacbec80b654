package e2e

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/require"
)

// stack is a Pulumi stack of the repository on the tests' cluster.
type stack struct {
	auto.Stack
	cluster *cluster
	state   string // folder of the file backend
}

// newStack returns the stack with the settings of its file. Whatever a test that
// fails leaves of it is destroyed, so that the next test starts with an empty
// cluster.
func newStack(t *testing.T, name string) *stack {
	t.Helper()
	ctx := context.Background()
	sb, err := newSandbox()
	require.NoError(t, err)
	folder, err := sb.PrepareProject(name)
	require.NoError(t, err)
	command, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: sb.Home()})
	require.NoError(t, err)
	for _, variable := range sb.Unset() {
		t.Setenv(variable, "")
	}
	env := sb.Env()
	for key, value := range env {
		t.Setenv(key, value)
	}
	s, err := auto.UpsertStackLocalSource(ctx, name, folder, auto.Pulumi(command), auto.PulumiHome(env["PULUMI_HOME"]), auto.EnvVars(env))
	require.NoError(t, err)
	result := &stack{Stack: s, cluster: newCluster(t, sb.Kubeconfig()), state: strings.TrimPrefix(env["PULUMI_BACKEND_URL"], "file://")}
	t.Cleanup(func() {
		if t.Failed() {
			result.set(t, "ca.generated.protectRoot", "false")
			_, err := result.Up(ctx)
			t.Logf("cleaning up: up: %v", err)
			_, err = result.Destroy(ctx, optdestroy.Remove())
			t.Logf("cleaning up: destroy: %v", err)
		}
	})
	return result
}

// set changes one setting of the stack, as `pulumi config set --path` does.
func (s *stack) set(t *testing.T, path, value string) {
	t.Helper()
	err := s.SetConfigWithOptions(context.Background(), "mcp-mesh:"+path, auto.ConfigValue{Value: value}, &auto.ConfigOptions{Path: true})
	require.NoError(t, err)
}

// unset takes a setting back.
func (s *stack) unset(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, s.RemoveConfigWithOptions(context.Background(), "mcp-mesh:"+path, &auto.ConfigOptions{Path: true}))
}

// up deploys the stack and says how long it took.
func (s *stack) up(t *testing.T) auto.UpResult {
	t.Helper()
	began := time.Now()
	result, err := s.Up(context.Background(), optup.SuppressOutputs())
	require.NoError(t, err)
	t.Logf("up of %s took %s: %v", s.Name(), time.Since(began).Round(100*time.Millisecond), *result.Summary.ResourceChanges)
	return result
}

// requireNoChanges requires that neither a preview nor a refresh finds anything to
// do.
func (s *stack) requireNoChanges(t *testing.T) {
	t.Helper()
	began := time.Now()
	_, err := s.Stack.Preview(context.Background(), optpreview.ExpectNoChanges(), optpreview.Diff())
	require.NoError(t, err, "preview")
	t.Logf("preview without changes took %s", time.Since(began).Round(100*time.Millisecond))
	_, err = s.Refresh(context.Background(), optrefresh.ExpectNoChanges(), optrefresh.Diff())
	require.NoError(t, err, "refresh")
}

// planned returns what a preview would do, by resource; what stays the same is
// left out.
func (s *stack) planned(t *testing.T) map[string]apitype.OpType {
	t.Helper()
	stream := make(chan events.EngineEvent)
	done := make(chan map[string]apitype.OpType)
	go func() {
		steps := map[string]apitype.OpType{}
		for event := range stream {
			if pre := event.ResourcePreEvent; pre != nil && pre.Metadata.Op != apitype.OpSame {
				steps[shortURN(pre.Metadata.URN)] = pre.Metadata.Op
			}
		}
		done <- steps
	}()
	_, err := s.Stack.Preview(context.Background(), optpreview.EventStreams(stream))
	require.NoError(t, err)
	return <-done
}

// shortURN returns the type and the name of a resource.
func shortURN(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	types := strings.Split(parts[2], "$")
	return types[len(types)-1] + " " + parts[3]
}

// destroy destroys the stack and requires that its state is empty.
func (s *stack) destroy(t *testing.T) {
	t.Helper()
	_, err := s.Destroy(context.Background(), optdestroy.SuppressProgress())
	require.NoError(t, err)
	state := s.resources(t)
	require.Empty(t, state)
	require.NoError(t, s.Workspace().RemoveStack(context.Background(), s.Name()))
}

// resources returns the resources in the stack's state.
func (s *stack) resources(t *testing.T) []apitype.ResourceV3 {
	t.Helper()
	exported, err := s.Export(context.Background())
	require.NoError(t, err)
	var state apitype.DeploymentV3
	require.NoError(t, json.Unmarshal(exported.Deployment, &state))
	return state.Resources
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
