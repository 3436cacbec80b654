package main

import (
	"runtime/debug"

	apimachineryversion "k8s.io/apimachinery/pkg/version"
	"k8s.io/component-base/compatibility"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// release is a version of Kubernetes that knows its own name. A build by the
// go command leaves it at v0.0.0-master, on which Helm's checks of the
// cluster's capabilities go wrong.
type release struct {
	compatibility.EffectiveVersion
	name string
}

// Info returns what the API server tells at /version.
func (r release) Info() *apimachineryversion.Info {
	info := r.EffectiveVersion.Info()
	if info == nil {
		return nil
	}
	info.GitVersion = r.name
	info.GitCommit = ""
	info.GitTreeState = "clean"
	return info
}

// setVersion gives all parts of the API server the release they were built from.
func setVersion(config *app.Config) {
	name := kubernetesVersion()
	generic := config.KubeAPIs.ControlPlane.Generic
	generic.EffectiveVersion = release{generic.EffectiveVersion, name}
	config.Aggregator.GenericConfig.EffectiveVersion = generic.EffectiveVersion
	config.ApiExtensions.GenericConfig.EffectiveVersion = generic.EffectiveVersion
}

// kubernetesVersion is the version of the k8s.io/kubernetes module in this program.
func kubernetesVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, module := range info.Deps {
		if module.Path == "k8s.io/kubernetes" {
			return module.Version
		}
	}
	return ""
}
