package controlplane

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/mcp-security-platform/mesh/components/ca"
)

const (
	deploymentType        = "kubernetes:apps/v1:Deployment"
	validatingWebhookType = "kubernetes:admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration"
)

// leaveFailurePolicyToIstiod ignores changes of the webhooks' failure policy. The
// charts up to 1.29 render Ignore and istiod turns it into Fail once it serves
// the webhook, which would otherwise be a difference for ever and a conflict with
// the field manager pilot-discovery (pulumi/pulumi-kubernetes#2210,
// istio/istio#44285).
func leaveFailurePolicyToIstiod(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
	if args.Type != validatingWebhookType {
		return nil
	}
	args.Opts.IgnoreChanges = append(args.Opts.IgnoreChanges, "webhooks[*].failurePolicy")
	return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
}

// deleteWithStack lets `pulumi destroy` remove the CRDs as well. The chart marks
// them to be kept, so that `helm uninstall` of one release spares the objects of
// others; a destroyed stack leaves nothing behind.
func deleteWithStack(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
	if !args.Opts.RetainOnDelete {
		return nil
	}
	args.Opts.RetainOnDelete = false
	return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
}

// requireCASecret makes istiod's volume of the CA Secret mandatory. The chart
// mounts it as optional, and an istiod without it silently signs with a CA of its
// own (istio/istio#57853); with it mandatory the kubelet does not start the pod.
func requireCASecret(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
	if args.Type != deploymentType {
		return nil
	}
	volumes := lookup[pulumi.Array](args.Props, "spec", "template", "spec", "volumes")
	for _, volume := range volumes {
		volume, _ := volume.(pulumi.Map)
		secret := lookup[pulumi.Map](volume, "secret")
		if secret["secretName"] == pulumi.String(ca.SecretName) {
			secret["optional"] = pulumi.Bool(false)
		}
	}
	return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
}

// lookup returns what stands below path, or the zero value where the path leads
// nowhere.
func lookup[T pulumi.Input](props pulumi.Map, path ...string) T {
	var zero T
	for _, key := range path[:len(path)-1] {
		next, ok := props[key].(pulumi.Map)
		if !ok {
			return zero
		}
		props = next
	}
	found, ok := props[path[len(path)-1]].(T)
	if !ok {
		return zero
	}
	return found
}
