// Package identity gives services their identity: the service account, and the
// SPIFFE name that its certificates carry.
package identity

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Identity is who a workload is. It is the one place that knows how a principal is
// spelt; a wildcard cannot be part of it.
type Identity struct {
	// TrustDomain is the mesh's trust domain.
	TrustDomain string
	// Namespace and ServiceAccount are those of the workload's pods.
	Namespace, ServiceAccount string
}

// Principal returns the identity as Istio's policies spell it.
func (i Identity) Principal() string {
	return strings.Join([]string{i.TrustDomain, "ns", i.Namespace, "sa", i.ServiceAccount}, "/")
}

// SPIFFE returns the identity as certificates spell it.
func (i Identity) SPIFFE() string { return "spiffe://" + i.Principal() }

// Problems returns what is wrong with the identity.
func (i Identity) Problems() problem.List {
	var list problem.List
	if len(validation.IsDNS1123Subdomain(i.TrustDomain)) > 0 {
		list.Add("trustDomain", i.TrustDomain, "use the DNS name that is the mesh's trust domain")
	}
	if len(validation.IsDNS1123Label(i.Namespace)) > 0 {
		list.Add("namespace", i.Namespace, "use a DNS label, without wildcard")
	}
	if len(validation.IsDNS1123Subdomain(i.ServiceAccount)) > 0 {
		list.Add("serviceAccount", i.ServiceAccount, "use the name of a service account, without wildcard")
	}
	return list
}
