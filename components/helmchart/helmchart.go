// Package helmchart is the one place where a Helm chart becomes a Pulumi
// resource: it takes typed values and installs the chart with helm.v4.Chart, so
// that a reviewer sees the difference of every resource that the chart renders.
package helmchart

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	helmv4 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/helm/v4"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// OfficialRepository is where the Istio project publishes its charts
// (https://istio.io/latest/docs/setup/install/helm/).
const OfficialRepository = "https://istio-release.storage.googleapis.com/charts"

// Source says where charts come from.
type Source struct {
	// Repository is the URL of a Helm repository; it is not used when Folder is set.
	// Default [OfficialRepository].
	Repository string
	// Folder is a local folder that holds one folder per chart, for a machine
	// without internet. Default none.
	Folder string
	// Version is the version of every chart, such as 1.29.1.
	Version string
}

// Chart is one chart to install.
type Chart struct {
	// Name is the name of the chart in its source, such as istiod.
	Name string
	// Release is the name of the Helm release. Default Name.
	Release string
	// Namespace is where the chart's namespaced resources go. It must exist.
	Namespace string
	// Values are the typed values; they are passed on as their JSON form.
	Values any
}

// New installs chart from source as a resource called name. It returns an error
// if the values have no JSON form or the resource cannot be registered.
func New(ctx *pulumi.Context, name string, source Source, chart Chart, opts ...pulumi.ResourceOption) (*helmv4.Chart, error) {
	values, err := Values(chart.Values)
	if err != nil {
		return nil, fmt.Errorf("chart %q: %w", name, err)
	}
	release := chart.Release
	if release == "" {
		release = chart.Name
	}
	args := source.locate(chart.Name)
	args.Name = pulumi.String(release)
	args.Namespace = pulumi.String(chart.Namespace)
	args.Values = pulumi.ToMap(values)
	resource, err := helmv4.NewChart(ctx, name, args, opts...)
	if err != nil {
		return nil, fmt.Errorf("chart %q: %w", name, err)
	}
	return resource, nil
}

// locate returns the arguments that find the chart called name.
func (s Source) locate(name string) *helmv4.ChartArgs {
	if s.Folder != "" {
		return &helmv4.ChartArgs{Chart: pulumi.String(filepath.Join(s.Folder, name))}
	}
	repository := s.Repository
	if repository == "" {
		repository = OfficialRepository
	}
	return &helmv4.ChartArgs{
		Chart:          pulumi.String(name),
		Version:        pulumi.String(s.Version),
		RepositoryOpts: &helmv4.RepositoryOptsArgs{Repo: pulumi.String(repository)},
	}
}

// Values returns the JSON form of typed chart values.
func Values(typed any) (map[string]any, error) {
	text, err := json.Marshal(typed)
	if err != nil {
		return nil, fmt.Errorf("encode values: %w", err)
	}
	values := map[string]any{}
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("values of type %T are not an object: %w", typed, err)
	}
	return values, nil
}
