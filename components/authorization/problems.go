package authorization

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Problems returns what is wrong with the policy.
func (p Policy) Problems() problem.List {
	var list problem.List
	if len(validation.IsDNS1123Subdomain(p.name)) > 0 {
		list.Add("name", p.name, "use a DNS name")
	}
	if len(validation.IsDNS1123Label(p.target.Namespace)) > 0 {
		list.Add("namespace", p.target.Namespace, "name the namespace of the workloads")
	}
	if p.action == 0 {
		list.Add("action", nil, "make policies with the constructors of this package")
	}
	if p.action == custom && p.provider == "" {
		list.Add("provider", nil, "name an extension provider of the mesh configuration")
	}
	if p.dryRun && p.action == custom {
		list.Add("dryRun", true, "Istio asks an external authorizer for real; introduce it on a path of its own instead")
	}
	if (p.action == deny || p.action == custom) && len(p.ports.numbers) == 0 {
		list.Add("ports", nil, "name the ports; without them a rule for HTTP denies all TCP")
	}
	checkPorts(&list, "ports", p.ports.numbers)
	if len(p.rules) == 0 && !p.nothing && !p.all {
		list.Add("rules", nil, "give at least one rule, or use AllowNothing or AllowAll, which mean opposite things")
	}
	for i, rule := range p.rules {
		list.Within(fmt.Sprintf("rules[%d]", i), rule.problems(p.action))
	}
	return list
}

func (r Rule) problems(action action) problem.List {
	var list problem.List
	if r.empty() && action == allow {
		list.Add("from", nil, "narrow the rule, or use AllowAll: an empty rule allows everything")
	}
	for i, caller := range r.From {
		list.Within(fmt.Sprintf("from[%d]", i), caller.Problems())
	}
	r.checkAddresses(&list, action)
	for i, operation := range r.To {
		list.Within(fmt.Sprintf("to[%d]", i), operation.problems(action))
	}
	for i, condition := range r.When {
		list.Within(fmt.Sprintf("when[%d]", i), condition.problems(action))
	}
	return list
}

func (r Rule) checkAddresses(list *problem.List, action action) {
	if len(r.Addresses) == 0 {
		return
	}
	for _, cidr := range r.Addresses {
		if prefix, err := netip.ParsePrefix(cidr); err != nil || prefix.Bits() == 0 {
			list.Add("addresses", cidr, "use CIDR notation such as 10.20.0.0/16, not of all addresses")
		}
	}
	portless := func(o Operation) bool { return len(o.Ports) == 0 }
	if action == allow && (len(r.To) == 0 || slices.ContainsFunc(r.To, portless)) {
		list.Add("to", nil, "name the ports: an address is no identity, and opens them only")
	}
}

func (o Operation) problems(action action) problem.List {
	var list problem.List
	if action != allow && len(o.Ports) > 0 {
		list.Add("ports", o.Ports, "name them on the policy, where they hold for every rule")
	}
	if action == allow && len(o.Hosts)+len(o.Ports)+len(o.Methods)+len(o.Paths) == 0 {
		list.Add("paths", nil, "narrow the operation, or leave it out")
	}
	checkPorts(&list, "ports", o.Ports)
	for _, host := range o.Hosts {
		if len(validation.IsDNS1123Subdomain(host)) > 0 {
			list.Add("hosts", host, "use a lower-case host name without wildcard or port; the port form is added")
		}
	}
	for _, method := range o.Methods {
		if method == "" || strings.ToUpper(method) != method || strings.Contains(method, "*") {
			list.Add("methods", method, "use HTTP methods in upper case")
		}
	}
	for _, path := range o.Paths {
		checkPath(&list, action, path)
	}
	return list
}

func checkPath(list *problem.List, action action, path string) {
	before, _, wild := strings.Cut(path, "*")
	switch {
	case !strings.HasPrefix(path, "/"):
		list.Add("paths", path, "start with a slash: a match by suffix says nothing about where a path leads")
	case wild && before+"*" != path, strings.ContainsAny(path, "{}?#"):
		list.Add("paths", path, "use a * at the end only, and no template, query or fragment")
	case wild && action == allow && !strings.HasSuffix(before, "/"):
		list.Add("paths", path, "end the prefix with a slash: /scans* matches /scansX")
	}
}

func (c Condition) problems(action action) problem.List {
	var list problem.List
	field := "when." + c.key
	if c.key == "" {
		list.Add("when", nil, "make conditions with the functions of this package")
	}
	if action == allow && len(c.notValues) > 0 {
		list.Add(field, c.notValues, "an allow rule matches what it names, never what it does not")
	}
	for _, name := range c.claim {
		if name == "" || strings.ContainsAny(name, "[]") {
			list.Add(field, name, "use the name of a claim, without brackets")
		}
	}
	if c.key == claimKey(nil) {
		list.Add(field, nil, "name the claim")
	}
	for _, value := range slices.Concat(c.values, c.notValues) {
		if value == "" || strings.Contains(value, "*") {
			list.Add(field, value, "use a value without wildcard: it would match what others choose")
		}
	}
	return list
}

func checkPorts(list *problem.List, field string, ports []int) {
	for _, port := range ports {
		if len(validation.IsValidPortNum(port)) > 0 {
			list.Add(field, port, "use a port from 1 to 65535")
		}
	}
}
