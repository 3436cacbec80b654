package tests

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
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
	touches  func(w workload) bool
	// behind are the other lines of defence that may hide the mistake; each is taken
	// away, from the mutant and from the original alike, to see it.
	behind []layer
}

// layer is a view of policies that lacks some of the lines of defence.
type layer func(*policies) *policies

// mutants makes the mistakes that somebody could make: a policy or a rule is
// missing, a rule lacks one of its restrictions, mutual TLS is optional.
func mutants(rendered *policies) []mutant {
	var all []mutant
	add := func(m mutant, change func(p *policies)) {
		m.policies = rendered.clone()
		change(m.policies)
		if !m.policies.equal(rendered) {
			all = append(all, m)
		}
	}
	for i, policy := range rendered.authorization {
		if len(policy.Spec.GetRules()) == 0 {
			continue // one of several default denials; all are taken away at once below
		}
		m := mutant{
			touches: func(w workload) bool { return rendered.applies(policy.Namespace, policy.Spec.GetSelector(), w) },
			behind:  []layer{withoutDenyAndOverlap, withoutDeny, asRendered},
		}
		if policy.Spec.GetAction() == securityapi.AuthorizationPolicy_DENY {
			m.behind = []layer{onlyDeny}
		}
		for j, rule := range policy.Spec.GetRules() {
			for how, change := range ruleMistakes(rule, policy.Spec.GetAction()) {
				m.name = fmt.Sprintf("%s/%s, rule %d %s", policy.Namespace, policy.Name, j, how)
				add(m, func(p *policies) { change(p.authorization[i].Spec.Rules[j]) })
			}
			m.name = fmt.Sprintf("%s/%s, rule %d missing", policy.Namespace, policy.Name, j)
			add(m, func(p *policies) {
				p.authorization[i].Spec.Rules = slices.Delete(p.authorization[i].Spec.Rules, j, j+1)
			})
		}
	}
	everywhere := mutant{touches: func(workload) bool { return true }, behind: []layer{asRendered}}
	everywhere.name = "default denial missing"
	add(everywhere, func(p *policies) {
		p.authorization = slices.DeleteFunc(p.authorization, func(policy *v1beta1.AuthorizationPolicy) bool { return len(policy.Spec.GetRules()) == 0 })
	})
	everywhere.name, everywhere.behind = "mutual TLS optional", []layer{onlyDeny}
	add(everywhere, func(p *policies) {
		for _, policy := range p.peer {
			policy.Spec.Mtls.Mode = securityapi.PeerAuthentication_MutualTLS_PERMISSIVE
		}
	})
	for i, policy := range rendered.authentication {
		m := mutant{
			touches: func(w workload) bool { return rendered.applies(policy.Namespace, policy.Spec.GetSelector(), w) },
			behind:  []layer{asRendered},
		}
		for j, rule := range policy.Spec.GetJwtRules() {
			for how, change := range tokenMistakes() {
				m.name = fmt.Sprintf("%s/%s, %s %s", policy.Namespace, policy.Name, rule.GetIssuer(), how)
				add(m, func(p *policies) { change(p.authentication[i].Spec.JwtRules[j]) })
			}
		}
	}
	return all
}

// ruleMistakes are ways to say too much or too little in one rule. What a DENY says
// on paths, methods and hosts repeats itself on purpose, so that one mistake there
// changes nothing.
func ruleMistakes(rule *securityapi.Rule, action securityapi.AuthorizationPolicy_Action) map[string]func(*securityapi.Rule) {
	all := map[string]func(*securityapi.Rule){}
	for i, when := range rule.GetWhen() {
		all["whatever "+when.GetKey()] = func(r *securityapi.Rule) { r.When = slices.Delete(r.When, i, i+1) }
	}
	if action == securityapi.AuthorizationPolicy_DENY {
		return all
	}
	if len(rule.GetFrom()) > 0 {
		all["from anyone"] = func(r *securityapi.Rule) { r.From = nil }
	}
	for i, from := range rule.GetFrom() {
		for j, principal := range from.GetSource().GetPrincipals() {
			if len(from.GetSource().GetPrincipals()) > 1 {
				all["without "+principal] = func(r *securityapi.Rule) {
					r.From[i].Source.Principals = slices.Delete(r.From[i].Source.Principals, j, j+1)
				}
			}
		}
	}
	for i, to := range rule.GetTo() {
		change := func(field string, clear func(o *securityapi.Operation)) {
			all[fmt.Sprintf("on any %s of operation %d", field, i)] = func(r *securityapi.Rule) { clear(r.To[i].Operation) }
		}
		if !slices.Contains(to.GetOperation().GetPaths(), "/*") {
			change("path", func(o *securityapi.Operation) { o.Paths = nil })
		}
		change("method", func(o *securityapi.Operation) { o.Methods = nil })
		change("host", func(o *securityapi.Operation) { o.Hosts = nil })
		change("port", func(o *securityapi.Operation) { o.Ports = nil })
	}
	return all
}

// tokenMistakes are ways to believe too much or too little of one issuer.
func tokenMistakes() map[string]func(*securityapi.JWTRule) {
	return map[string]func(*securityapi.JWTRule){
		"for any audience":          func(r *securityapi.JWTRule) { r.Audiences = nil },
		"for another audience":      func(r *securityapi.JWTRule) { r.Audiences = []string{"x"} },
		"under another name":        func(r *securityapi.JWTRule) { r.Issuer = "https://x" },
		"looked for somewhere else": func(r *securityapi.JWTRule) { r.FromHeaders = []*securityapi.JWTHeader{{Name: "x"}} },
	}
}

func asRendered(p *policies) *policies { return p }

// withoutDeny leaves everything to what is allowed.
func withoutDeny(p *policies) *policies {
	return p.only(func(policy *v1beta1.AuthorizationPolicy) bool {
		return policy.Spec.GetAction() != securityapi.AuthorizationPolicy_DENY
	})
}

// onlyDeny allows whatever is not denied.
func onlyDeny(p *policies) *policies {
	return p.only(func(policy *v1beta1.AuthorizationPolicy) bool {
		return policy.Spec.GetAction() == securityapi.AuthorizationPolicy_DENY
	})
}

// withoutDenyAndOverlap also takes away the rules for the whole of a host or of the
// API, which hold the narrower ones.
func withoutDenyAndOverlap(p *policies) *policies {
	p = withoutDeny(p).clone()
	for _, policy := range p.authorization {
		policy.Spec.Rules = slices.DeleteFunc(policy.Spec.Rules, func(rule *securityapi.Rule) bool {
			return slices.ContainsFunc(rule.GetTo(), func(to *securityapi.Rule_To) bool {
				paths := to.GetOperation().GetPaths()
				return slices.Contains(paths, "/api/v1/*") || slices.Contains(paths, "/*")
			})
		})
	}
	return p
}

func (p *policies) only(keep func(*v1beta1.AuthorizationPolicy) bool) *policies {
	kept := *p
	kept.authorization = slices.DeleteFunc(slices.Clone(p.authorization), func(policy *v1beta1.AuthorizationPolicy) bool { return !keep(policy) })
	return &kept
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

// The table can fail: each mistake changes an answer, be it only once the other
// lines of defence are down.
func TestTableNoticesEveryMistake(t *testing.T) {
	r, err := deploy(t, stackConfig(t, "prod"))
	require.NoError(t, err)
	rendered, err := readPolicies(r)
	require.NoError(t, err)
	p := newPlatform(t, "prod")
	// Mixed, so that the first answer that a mistake changes comes soon.
	cases := p.all()
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	all := mutants(rendered)
	require.NotEmpty(t, all)
	var missed []string
	for _, m := range all {
		if !slices.ContainsFunc(m.behind, func(l layer) bool { return p.differ(l(rendered), l(m.policies), cases, m.touches) }) {
			missed = append(missed, m.name)
		}
	}
	// A rule that says again what the next one says as well.
	missed = slices.DeleteFunc(missed, func(name string) bool {
		return name == "istio-ingress/public-ingress-integrations-guard, rule 0 missing"
	})
	slices.Sort(missed)
	assert.Empty(t, strings.Join(missed, "\n"), "of %d mistakes", len(all))
}

// differ tells whether two sets of policies, which are the same but for the
// workloads that a mistake touches, answer some case differently.
func (p platform) differ(a, b *policies, cases []accessCase, touches func(workload) bool) bool {
	return slices.ContainsFunc(cases, func(c accessCase) bool {
		return (touches(c.to) || c.gateway && touches(ingress("public-ingress"))) && p.answer(a, c).allowed() != p.answer(b, c).allowed()
	})
}
