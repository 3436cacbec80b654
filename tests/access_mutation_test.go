package tests

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	securityapi "istio.io/api/security/v1beta1"
	"istio.io/client-go/pkg/apis/security/v1beta1"
)

// mutant is the platform's policies with one mistake.
type mutant struct {
	name     string
	policies *policies
}

// mutants makes every small mistake that somebody could make: a policy is missing,
// a rule lacks one of its restrictions or is left out, mutual TLS is optional.
func mutants(rendered *policies) []mutant {
	var all []mutant
	add := func(name string, change func(p *policies)) {
		p := rendered.clone()
		change(p)
		all = append(all, mutant{name, p})
	}
	for i, policy := range rendered.authorization {
		name := policy.Namespace + "/" + policy.Name
		add(name+" missing", func(p *policies) { p.authorization = slices.Delete(p.authorization, i, i+1) })
		for j, rule := range policy.Spec.GetRules() {
			at := func(p *policies) *securityapi.Rule { return p.authorization[i].Spec.Rules[j] }
			name := fmt.Sprintf("%s rule %d ", name, j)
			add(name+"missing", func(p *policies) {
				p.authorization[i].Spec.Rules = slices.Delete(p.authorization[i].Spec.Rules, j, j+1)
			})
			if len(rule.GetFrom()) > 0 {
				add(name+"from anyone", func(p *policies) { at(p).From = nil })
			}
			for k, when := range rule.GetWhen() {
				add(name+"whatever "+when.GetKey(), func(p *policies) { at(p).When = slices.Delete(at(p).When, k, k+1) })
			}
			for k := range rule.GetTo() {
				operation := func(p *policies) *securityapi.Operation { return at(p).To[k].Operation }
				add(name+"on all paths", func(p *policies) { operation(p).Paths = nil })
				add(name+"by all methods", func(p *policies) { operation(p).Methods = nil })
				add(name+"on all hosts", func(p *policies) { operation(p).Hosts = nil })
				add(name+"on all ports", func(p *policies) { operation(p).Ports = nil })
			}
		}
	}
	for i, policy := range rendered.authentication {
		name := policy.Namespace + "/" + policy.Name
		add(name+" missing", func(p *policies) { p.authentication = slices.Delete(p.authentication, i, i+1) })
		for j, rule := range policy.Spec.GetJwtRules() {
			add(name+" for all audiences of "+rule.GetIssuer(), func(p *policies) { p.authentication[i].Spec.JwtRules[j].Audiences = nil })
			add(name+" without "+rule.GetIssuer(), func(p *policies) {
				p.authentication[i].Spec.JwtRules = slices.Delete(p.authentication[i].Spec.JwtRules, j, j+1)
			})
		}
	}
	add("mutual TLS optional", func(p *policies) {
		for _, policy := range p.peer {
			policy.Spec.Mtls.Mode = securityapi.PeerAuthentication_MutualTLS_PERMISSIVE
		}
	})
	return slices.DeleteFunc(all, func(m mutant) bool { return m.policies.equal(rendered) })
}

func (p *policies) clone() *policies {
	c := &policies{rootNamespace: p.rootNamespace}
	for _, policy := range p.authorization {
		c.authorization = append(c.authorization, policy.DeepCopy())
	}
	for _, policy := range p.authentication {
		c.authentication = append(c.authentication, policy.DeepCopy())
	}
	for _, policy := range p.peer {
		c.peer = append(c.peer, policy.DeepCopy())
	}
	return c
}

func (p *policies) equal(other *policies) bool {
	return slices.EqualFunc(p.authorization, other.authorization, func(a, b *v1beta1.AuthorizationPolicy) bool { return proto.Equal(&a.Spec, &b.Spec) }) &&
		slices.EqualFunc(p.authentication, other.authentication, func(a, b *v1beta1.RequestAuthentication) bool { return proto.Equal(&a.Spec, &b.Spec) }) &&
		slices.EqualFunc(p.peer, other.peer, func(a, b *v1beta1.PeerAuthentication) bool { return proto.Equal(&a.Spec, &b.Spec) })
}

// The table can fail: it notices each of the mistakes.
func TestTableNoticesEveryMistake(t *testing.T) {
	r, err := deploy(t, stackConfig(t, "prod"))
	require.NoError(t, err)
	rendered, err := readPolicies(r)
	require.NoError(t, err)
	p := newPlatform(t, "prod")
	cases := p.all()
	all := mutants(rendered)
	require.NotEmpty(t, all)
	var missed []string
	for _, m := range all {
		if len(p.disagreements(m.policies, cases, 1)) == 0 {
			missed = append(missed, m.name)
		}
	}
	assert.Empty(t, missed, "of %d mistakes", len(all))
}
