package authorization

import (
	"strconv"

	"istio.io/api/annotation"
	securityapi "istio.io/api/security/v1beta1"
	typeapi "istio.io/api/type/v1beta1"
	securityv1 "istio.io/client-go/pkg/apis/security/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Object returns the policy as an Istio object.
func (p Policy) Object() *securityv1.AuthorizationPolicy {
	target := p.target.clone()
	object := &securityv1.AuthorizationPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: securityv1.SchemeGroupVersion.String(), Kind: "AuthorizationPolicy"},
		ObjectMeta: metav1.ObjectMeta{Name: p.name, Namespace: target.Namespace},
	}
	if p.dryRun {
		object.Annotations = map[string]string{annotation.IoIstioDryRun.Name: "true"}
	}
	if len(target.Pods) > 0 {
		object.Spec.Selector = &typeapi.WorkloadSelector{MatchLabels: target.Pods}
	}
	switch p.action {
	case deny:
		object.Spec.Action = securityapi.AuthorizationPolicy_DENY
	case custom:
		object.Spec.Action = securityapi.AuthorizationPolicy_CUSTOM
		object.Spec.ActionDetail = &securityapi.AuthorizationPolicy_Provider{
			Provider: &securityapi.AuthorizationPolicy_ExtensionProvider{Name: p.provider},
		}
	}
	if p.all {
		object.Spec.Rules = []*securityapi.Rule{{}}
	}
	for _, rule := range p.rules {
		object.Spec.Rules = append(object.Spec.Rules, rule.build(p.ports))
	}
	return object
}

func (r Rule) build(ports Ports) *securityapi.Rule {
	rule := &securityapi.Rule{From: r.sources()}
	operations := r.To
	if len(operations) == 0 && len(ports.numbers) > 0 {
		operations = []Operation{{}}
	}
	for _, operation := range operations {
		if len(ports.numbers) > 0 {
			operation.Ports = ports.numbers
		}
		rule.To = append(rule.To, &securityapi.Rule_To{Operation: operation.build()})
	}
	for _, condition := range r.When {
		rule.When = append(rule.When, &securityapi.Condition{
			Key: condition.key, Values: condition.values, NotValues: condition.notValues,
		})
	}
	return rule
}

func (r Rule) sources() []*securityapi.Rule_From {
	var from []*securityapi.Rule_From
	if len(r.From) > 0 {
		source := &securityapi.Source{}
		for _, caller := range r.From {
			source.Principals = append(source.Principals, caller.Principal())
		}
		from = append(from, &securityapi.Rule_From{Source: source})
	}
	if len(r.Addresses) > 0 {
		from = append(from, &securityapi.Rule_From{Source: &securityapi.Source{IpBlocks: r.Addresses}})
	}
	return from
}

func (o Operation) build() *securityapi.Operation {
	operation := &securityapi.Operation{Methods: o.Methods, Paths: o.Paths}
	for _, host := range o.Hosts {
		// A client may send the port along in the Host header.
		operation.Hosts = append(operation.Hosts, host, host+":*")
	}
	for _, port := range o.Ports {
		operation.Ports = append(operation.Ports, strconv.Itoa(port))
	}
	return operation
}
