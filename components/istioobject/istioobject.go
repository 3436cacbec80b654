// Package istioobject is the one place where a typed Istio object becomes a
// Pulumi resource.
package istioobject

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// New registers object, a typed object of istio.io/client-go with its TypeMeta
// set, as a Pulumi resource called name. It returns an error if the object has no
// JSON form, no apiVersion or no kind.
func New(ctx *pulumi.Context, name string, object any, opts ...pulumi.ResourceOption) (*apiextensions.CustomResource, error) {
	args, err := Args(object)
	if err != nil {
		return nil, fmt.Errorf("object %q: %w", name, err)
	}
	return apiextensions.NewCustomResource(ctx, name, args, opts...)
}

// Args returns the arguments of the custom resource that stands for object.
func Args(object any) (*apiextensions.CustomResourceArgs, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", object, err)
	}
	var manifest manifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("decode %T: %w", object, err)
	}
	if manifest.APIVersion == "" || manifest.Kind == "" {
		return nil, fmt.Errorf("%T %q has no apiVersion or kind", object, manifest.Metadata.Name)
	}
	return &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String(manifest.APIVersion),
		Kind:       pulumi.String(manifest.Kind),
		Metadata: metav1.ObjectMetaArgs{
			Name:        pulumi.String(manifest.Metadata.Name),
			Namespace:   pulumi.String(manifest.Metadata.Namespace),
			Labels:      stringMap(manifest.Metadata.Labels),
			Annotations: stringMap(manifest.Metadata.Annotations),
		},
		OtherFields: kubernetes.UntypedArgs{"spec": manifest.Spec},
	}, nil
}

// stringMap returns nothing for an empty map: the API server drops it, and a map
// that is declared but never there would be a difference for ever.
func stringMap(values map[string]string) pulumi.StringMapInput {
	if len(values) == 0 {
		return nil
	}
	return pulumi.ToStringMap(values)
}

// manifest is the part of an object that is applied; status and the fields that
// the API server fills in are not.
type manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec map[string]any `json:"spec"`
}
