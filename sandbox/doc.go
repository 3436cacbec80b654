// Package sandbox runs the mesh program on a machine that has Go and nothing else.
//
// It compiles the Pulumi toolchain and an embedded Kubernetes from their Go modules, starts that Kubernetes on
// loopback, and runs Pulumi with a local file backend against it. All it writes lives in the folder .sandbox at the
// root of the repository, which Git ignores:
//
//	bin/, pulumi/, charts/   the toolchain, the Pulumi home with the provider plugins, the Istio charts
//	logs/, stamps/           the output of each build, and what each result was built from
//	<instance>/              one running sandbox: cluster/, state/, project/, passphrase, lock
package sandbox
