package main

import (
	"bytes"
	"fmt"
	"regexp"
)

// Placeholders in the source tree that Istio's release-builder replaces.
var (
	chartVersion = regexp.MustCompile(`(?m)^(version|appVersion): 1\.0\.0$`)
	imageHub     = regexp.MustCompile(`(?m)^(\s*hub:) gcr\.io/istio-testing$`)
	imageTag     = regexp.MustCompile(`(?m)^(\s*tag:) latest$`)
)

// stamp is what turns charts of the source tree into charts of a release.
type stamp struct {
	version string // of the charts and the images
	hub     string // registry of the images
}

// apply returns the content of a chart's file as it is in the release.
func (s stamp) apply(name string, content []byte) ([]byte, error) {
	switch name {
	case "Chart.yaml":
		if n := len(chartVersion.FindAll(content, -1)); n != 2 {
			return nil, fmt.Errorf("found %d of the 2 placeholders for version and appVersion", n)
		}
		return chartVersion.ReplaceAll(content, []byte("$1: "+s.version)), nil
	case "values.yaml":
		content = imageHub.ReplaceAll(content, []byte("$1 "+s.hub))
		content = imageTag.ReplaceAll(content, []byte("$1 "+s.version))
		// A placeholder of another form would send users to images of a development build.
		if bytes.Contains(content, []byte("istio-testing")) {
			return nil, fmt.Errorf("a development image hub is left after stamping")
		}
	}
	return content, nil
}
