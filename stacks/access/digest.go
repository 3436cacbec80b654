package access

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/mcp-security-platform/mesh/components/peerauthentication"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
)

// Digest returns the digest of all access: it changes with every change of a policy
// that is applied, and of the matrix, which also tells what a change means.
func (m Mesh) Digest() (string, error) {
	hash := sha256.New()
	_, _ = io.WriteString(hash, m.Matrix()) // a hash never fails
	encoder := json.NewEncoder(hash)
	for _, object := range m.Objects() {
		if err := encoder.Encode(object); err != nil {
			return "", fmt.Errorf("digest of access: %w", err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Objects returns every policy that is applied, as Kubernetes objects: who must
// prove an identity, whose tokens count, and which requests and connections pass.
func (m Mesh) Objects() []any {
	objects := []any{peerauthentication.Strict(m.Namespaces.System)}
	scope := m.MTLSScope(time.Time{})
	for _, namespace := range scope.Namespaces {
		objects = append(objects, peerauthentication.Strict(namespace))
	}
	for _, workload := range scope.Workloads {
		objects = append(objects, workload.Object())
	}
	gateway, services := m.GatewayTokens(), m.ServiceTokens()
	objects = append(objects,
		gateway.Object(m.GatewayTokensName()), gateway.Policy(m.GatewayTokensName()+requestauthentication.RequiredSuffix).Object(),
		services.Object(ServiceTokensName), services.Policy(ServiceTokensName+requestauthentication.RequiredSuffix).Object())
	for _, policy := range m.Policies() {
		objects = append(objects, policy.Object())
	}
	for _, policy := range m.NetworkPolicies() {
		objects = append(objects, policy.Object())
	}
	return objects
}
