// Command mesh-kubernetes is a whole Kubernetes cluster in one process, for a
// machine that has nothing but Go: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler as released, and kwok, which plays
// three nodes in three zones and the pods on them.
//
//	mesh-kubernetes --data DIR --port N
//
// It runs in the foreground until SIGINT or SIGTERM and listens on 127.0.0.1
// and on a unix socket in DIR only. In DIR it keeps
//
//	kubeconfig  a cluster administrator; the same bytes at every start with the same port
//	ready       the process id, there only while the cluster is ready
//	lock        held by the running process
//	etcd, pki   the cluster's data and keys
//
// Nothing runs inside the pods: they become Ready whatever their image, and
// Jobs complete at once. NetworkPolicies are stored, not enforced; there is no
// DNS and no metrics API.
//
// A plain build is complete:
//
//	go build -o mesh-kubernetes .
//
// The module also pins a kubectl that fits. Its version is known only to the linker:
//
//	go build -ldflags "-X k8s.io/component-base/version.gitVersion=v1.36.1 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36" -o kubectl k8s.io/kubernetes/cmd/kubectl
package main
