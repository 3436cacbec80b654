package tests

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	securityapi "istio.io/api/security/v1beta1"
	typeapi "istio.io/api/type/v1beta1"
	"istio.io/client-go/pkg/apis/security/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The evaluator answers what a proxy does with a call, given the policies that the
// program rendered. It follows Istio's own translation to Envoy (pilot/pkg/security)
// and shares no code with the builders of the policies. What it does not
// understand it refuses to read, so that no field is ignored by accident.

// policies are those of the whole mesh.
type policies struct {
	rootNamespace  string
	authorization  []*v1beta1.AuthorizationPolicy
	authentication []*v1beta1.RequestAuthentication
	peer           []*v1beta1.PeerAuthentication
}

// readPolicies decodes the policies of a record.
func readPolicies(r *record) (*policies, error) {
	p := &policies{rootNamespace: "istio-system"}
	for _, resource := range r.resources {
		var err error
		switch kind, _ := strings.CutPrefix(resource.typ, "kubernetes:security.istio.io/v1:"); kind {
		case "AuthorizationPolicy":
			object := &v1beta1.AuthorizationPolicy{}
			err = decode(resource, &object.ObjectMeta, &object.Spec)
			p.authorization = append(p.authorization, object)
		case "RequestAuthentication":
			object := &v1beta1.RequestAuthentication{}
			err = decode(resource, &object.ObjectMeta, &object.Spec)
			p.authentication = append(p.authentication, object)
		case "PeerAuthentication":
			object := &v1beta1.PeerAuthentication{}
			err = decode(resource, &object.ObjectMeta, &object.Spec)
			p.peer = append(p.peer, object)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", resource.urn, err)
		}
	}
	return p, p.understood()
}

// decode reads the inputs of a custom resource. It refuses fields that the API
// does not know: the API server would drop them, and the policy would mean less.
func decode(resource registered, meta *metav1.ObjectMeta, spec proto.Message) error {
	text, err := json.Marshal(resource.inputs.Mappable())
	if err != nil {
		return err
	}
	var manifest struct {
		Metadata *metav1.ObjectMeta `json:"metadata"`
		Spec     json.RawMessage    `json:"spec"`
	}
	manifest.Metadata = meta
	if err := json.Unmarshal(text, &manifest); err != nil {
		return err
	}
	if len(manifest.Spec) == 0 {
		return nil
	}
	return protojson.Unmarshal(manifest.Spec, spec)
}

// understood returns an error if a policy uses what the evaluator does not model.
func (p *policies) understood() error {
	for _, policy := range p.authorization {
		if policy.Spec.GetTargetRef() != nil || len(policy.Spec.GetTargetRefs()) > 0 {
			return fmt.Errorf("%s: sidecars and gateways of the chart ignore a policy with targetRefs", policy.Name)
		}
		for _, rule := range policy.Spec.GetRules() {
			for _, when := range rule.GetWhen() {
				if conditionField(when, &visit{}) == nil {
					return fmt.Errorf("%s: condition %q", policy.Name, when.GetKey())
				}
			}
			for _, to := range rule.GetTo() {
				for _, path := range slices.Concat(to.GetOperation().GetPaths(), to.GetOperation().GetNotPaths()) {
					if strings.ContainsAny(path, "{}") {
						return fmt.Errorf("%s: path template %q", policy.Name, path)
					}
				}
			}
		}
	}
	for _, policy := range p.authentication {
		if policy.Spec.GetTargetRef() != nil || len(policy.Spec.GetTargetRefs()) > 0 {
			return fmt.Errorf("%s: sidecars and gateways of the chart ignore a policy with targetRefs", policy.Name)
		}
	}
	return nil
}

// workload is a set of pods with a proxy.
type workload struct {
	namespace string
	labels    map[string]string
	// gateway is true if its listeners speak TLS as their Gateway says, whatever
	// PeerAuthentication says.
	gateway bool
}

// location is where a token stands: a header behind a prefix, a query parameter
// or a cookie.
type location struct{ kind, name, prefix string }

// bearer is where Istio looks for tokens unless told otherwise, with accessToken.
var (
	bearer      = location{"header", "authorization", "Bearer "}
	accessToken = location{"param", "access_token", ""}
)

// jwt is a token in a request.
type jwt struct {
	at     location
	claims map[string]any
	// broken is true if the signature or the dates are wrong.
	broken bool
}

// call is a connection, or a request on one, as a proxy receives it.
type call struct {
	principal string // identity of the peer's certificate, without spiffe://; empty without mutual TLS
	port      int    // where the workload listens
	tcp       bool   // the port is not declared as HTTP
	sni       string // server name that the peer asked for
	method    string
	host      string
	path      string
	headers   map[string]string // names in lower case
	tokens    []jwt
	source    netip.Addr
}

// decision is what a proxy does: 200 lets the call pass, 401 and 403 refuse it,
// and 0 refuses the connection.
type decision struct {
	status int
	reason string
}

func (d decision) allowed() bool { return d.status == 200 }

// decide returns what the proxy of w does with c, and the call as it passes it on.
func (p *policies) decide(w workload, c call) (decision, call) {
	if c.principal == "" && !w.gateway && p.mutualTLS(w, c.port) == securityapi.PeerAuthentication_MutualTLS_STRICT {
		return decision{0, "plain text where mutual TLS is STRICT"}, c
	}
	v := &visit{call: c}
	if !c.tcp {
		v.path = normalize(c.path)
		claims, passed, err := p.authenticate(w, c)
		if err != nil {
			return decision{401, err.Error()}, c
		}
		v.claims, c = claims, passed
		v.headers = c.headers
	}
	return p.authorize(w, v), c
}

// mutualTLS returns the mode that holds on a port: the narrowest policy wins, and
// what it leaves unset comes from the wider one.
func (p *policies) mutualTLS(w workload, port int) securityapi.PeerAuthentication_MutualTLS_Mode {
	mode := securityapi.PeerAuthentication_MutualTLS_PERMISSIVE
	scopes := make([]*securityapi.PeerAuthentication, 3)
	for _, policy := range p.peer {
		selected := len(policy.Spec.GetSelector().GetMatchLabels()) > 0
		switch {
		case selected && policy.Namespace == w.namespace && selects(policy.Spec.GetSelector(), w):
			scopes[2] = &policy.Spec
		case !selected && policy.Namespace == p.rootNamespace:
			scopes[0] = &policy.Spec
		case !selected && policy.Namespace == w.namespace:
			scopes[1] = &policy.Spec
		}
	}
	for _, scope := range scopes {
		if m := scope.GetMtls().GetMode(); m != securityapi.PeerAuthentication_MutualTLS_UNSET {
			mode = m
		}
	}
	if m := scopes[2].GetPortLevelMtls()[uint32(port)].GetMode(); m != securityapi.PeerAuthentication_MutualTLS_UNSET {
		return m
	}
	return mode
}

// applies tells whether a policy of a namespace reaches w: one of the root
// namespace reaches the workloads of all.
func (p *policies) applies(namespace string, selector *typeapi.WorkloadSelector, w workload) bool {
	return (namespace == w.namespace || namespace == p.rootNamespace) && selects(selector, w)
}

func selects(selector *typeapi.WorkloadSelector, w workload) bool {
	for key, value := range selector.GetMatchLabels() {
		if got, ok := w.labels[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// authenticate returns the claims of the request's token, if it has one, and the
// request as it is passed on. The rules are tried by issuer; the first whose tokens
// are all good wins. Without one, any token where a rule looks is an error.
func (p *policies) authenticate(w workload, c call) (map[string]any, call, error) {
	var rules []*securityapi.JWTRule
	for _, policy := range p.authentication {
		if p.applies(policy.Namespace, policy.Spec.GetSelector(), w) {
			rules = append(rules, policy.Spec.GetJwtRules()...)
		}
	}
	slices.SortStableFunc(rules, func(a, b *securityapi.JWTRule) int { return cmp.Compare(a.GetIssuer(), b.GetIssuer()) })

	c.headers = maps.Clone(c.headers)
	seen := false
	for _, rule := range rules {
		removeOutputs(c.headers, rule)
		var good []jwt
		found := 0
		for _, token := range c.tokens {
			if !slices.Contains(locations(rule), token.at) {
				continue
			}
			found, seen = found+1, true
			if accepts(rule, token) {
				good = append(good, token)
			}
		}
		if found == 0 || len(good) < found {
			continue
		}
		claims := good[len(good)-1].claims
		return claims, forward(c, rule, claims), nil
	}
	if seen {
		return nil, c, errors.New("a token that no rule accepts")
	}
	return nil, c, nil
}

// removeOutputs removes the headers that a rule sets from claims, so that a client
// cannot send them. Envoy does so for the rules that it tries, and no others.
func removeOutputs(headers map[string]string, rule *securityapi.JWTRule) {
	delete(headers, strings.ToLower(rule.GetOutputPayloadToHeader()))
	for _, output := range rule.GetOutputClaimToHeaders() {
		delete(headers, strings.ToLower(output.GetHeader()))
	}
}

// forward returns c as it leaves the proxy that accepted a token by rule.
func forward(c call, rule *securityapi.JWTRule, claims map[string]any) call {
	if !rule.GetForwardOriginalToken() {
		c.tokens = slices.DeleteFunc(slices.Clone(c.tokens), func(t jwt) bool { return slices.Contains(locations(rule), t.at) })
	}
	for _, output := range rule.GetOutputClaimToHeaders() {
		if text, ok := claims[output.GetClaim()].(string); ok {
			if c.headers == nil {
				c.headers = map[string]string{}
			}
			c.headers[strings.ToLower(output.GetHeader())] = text
		}
	}
	return c
}

// locations are the places where a rule looks for tokens.
func locations(rule *securityapi.JWTRule) []location {
	var at []location
	for _, header := range rule.GetFromHeaders() {
		at = append(at, location{"header", strings.ToLower(header.GetName()), header.GetPrefix()})
	}
	for _, name := range rule.GetFromParams() {
		at = append(at, location{"param", name, ""})
	}
	for _, name := range rule.GetFromCookies() {
		at = append(at, location{"cookie", name, ""})
	}
	if len(at) == 0 {
		return []location{bearer, accessToken}
	}
	return at
}

func accepts(rule *securityapi.JWTRule, t jwt) bool {
	if t.broken || t.claims["iss"] != rule.GetIssuer() {
		return false
	}
	return len(rule.GetAudiences()) == 0 || slices.ContainsFunc(rule.GetAudiences(), func(audience string) bool {
		return slices.Contains(texts(t.claims["aud"]), audience)
	})
}

// authorize decides by the authorization policies: a DENY that matches refuses;
// then, if there is any ALLOW, one of them must match. CUSTOM is left out, since an
// external authorizer can only refuse more; AUDIT decides nothing, and neither does
// a policy in dry-run mode.
func (p *policies) authorize(w workload, v *visit) decision {
	var allow, deny []*v1beta1.AuthorizationPolicy
	for _, policy := range p.authorization {
		dryRun, _ := strconv.ParseBool(policy.Annotations["istio.io/dry-run"])
		if dryRun || !p.applies(policy.Namespace, policy.Spec.GetSelector(), w) {
			continue
		}
		switch policy.Spec.GetAction() {
		case securityapi.AuthorizationPolicy_ALLOW:
			allow = append(allow, policy)
		case securityapi.AuthorizationPolicy_DENY:
			deny = append(deny, policy)
		}
	}
	if name, ok := v.first(deny); ok {
		return decision{403, "DENY of " + name}
	}
	if len(allow) == 0 {
		return decision{200, "no ALLOW policy"}
	}
	if name, ok := v.first(allow); ok {
		return decision{200, "ALLOW of " + name}
	}
	return decision{403, "no ALLOW rule matches"}
}

// visit is a call on its way through the rules of one proxy: its path is
// normalized and its token accepted.
type visit struct {
	call
	claims map[string]any
}

// first returns the first of the policies with a rule that matches. A policy
// without rules matches nothing, an empty rule everything.
func (v *visit) first(policies []*v1beta1.AuthorizationPolicy) (string, bool) {
	for _, policy := range policies {
		for _, rule := range policy.Spec.GetRules() {
			if v.matches(rule, policy) {
				return policy.Namespace + "/" + policy.Name, true
			}
		}
	}
	return "", false
}

// field is one condition: some value, and none of the others.
type field struct {
	values, not []string
	match       func(value string) bool
	http        bool // means nothing without HTTP
}

func (f field) used() bool { return len(f.values)+len(f.not) > 0 }

func (f field) holds() bool {
	return (len(f.values) == 0 || slices.ContainsFunc(f.values, f.match)) && !slices.ContainsFunc(f.not, f.match)
}

// matches tells whether one source, one operation and all conditions hold.
func (v *visit) matches(rule *securityapi.Rule, policy *v1beta1.AuthorizationPolicy) bool {
	var from, to [][]field
	for _, source := range rule.GetFrom() {
		from = append(from, v.sourceFields(source.GetSource(), policy.Namespace))
	}
	for _, operation := range rule.GetTo() {
		to = append(to, v.operationFields(operation.GetOperation()))
	}
	var when []field
	for _, condition := range rule.GetWhen() {
		when = append(when, *conditionField(condition, v))
	}
	if v.tcp {
		// Without HTTP Istio drops an ALLOW rule with such a field, and the field alone
		// from a DENY rule, which then denies more.
		all := slices.Concat(slices.Concat(from...), slices.Concat(to...), when)
		if policy.Spec.GetAction() == securityapi.AuthorizationPolicy_ALLOW && slices.ContainsFunc(all, httpOnly) {
			return false
		}
		from, to, when = overTCP(from), overTCP(to), overTCP([][]field{when})[0]
	}
	return someHolds(from) && someHolds(to) && allHold(when)
}

func httpOnly(f field) bool { return f.http && f.used() }

func overTCP(groups [][]field) [][]field {
	var kept [][]field
	for _, group := range groups {
		kept = append(kept, slices.DeleteFunc(slices.Clone(group), httpOnly))
	}
	return kept
}

func someHolds(groups [][]field) bool {
	return len(groups) == 0 || slices.ContainsFunc(groups, allHold)
}

func allHold(fields []field) bool {
	return !slices.ContainsFunc(fields, func(f field) bool { return !f.holds() })
}

func (v *visit) sourceFields(s *securityapi.Source, policyNamespace string) []field {
	return []field{
		{s.GetPrincipals(), s.GetNotPrincipals(), v.fromPrincipal, false},
		{s.GetNamespaces(), s.GetNotNamespaces(), v.fromNamespace, false},
		{s.GetServiceAccounts(), s.GetNotServiceAccounts(), v.fromServiceAccount(policyNamespace), false},
		{s.GetIpBlocks(), s.GetNotIpBlocks(), v.fromBlock, false},
		{s.GetRemoteIpBlocks(), s.GetNotRemoteIpBlocks(), v.fromBlock, false},
		{s.GetRequestPrincipals(), s.GetNotRequestPrincipals(), v.fromRequestPrincipal, true},
	}
}

func (v *visit) operationFields(o *securityapi.Operation) []field {
	return []field{
		{o.GetHosts(), o.GetNotHosts(), v.toHost, true},
		{o.GetMethods(), o.GetNotMethods(), func(value string) bool { return like(value, v.method) }, true},
		{o.GetPaths(), o.GetNotPaths(), v.toPath, true},
		{o.GetPorts(), o.GetNotPorts(), v.toPort, false},
	}
}

// conditionField returns nil for a key that the evaluator does not know.
func conditionField(c *securityapi.Condition, v *visit) *field {
	key, rest, nested := strings.Cut(c.GetKey(), "[")
	f := &field{values: c.GetValues(), not: c.GetNotValues()}
	switch {
	case key == "request.auth.claims" && nested:
		names := strings.Split(strings.TrimSuffix(rest, "]"), "][")
		f.http, f.match = true, func(value string) bool { return v.hasClaim(names, value) }
	case key == "request.headers" && nested:
		name := strings.ToLower(strings.TrimSuffix(rest, "]"))
		f.http, f.match = true, func(value string) bool { return like(value, v.headers[name]) }
	case c.GetKey() == "request.auth.principal":
		f.http, f.match = true, v.fromRequestPrincipal
	case c.GetKey() == "request.auth.audiences":
		f.http, f.match = true, func(value string) bool { return v.hasClaim([]string{"aud"}, value) }
	case c.GetKey() == "request.auth.presenter":
		f.http, f.match = true, func(value string) bool { return v.hasClaim([]string{"azp"}, value) }
	case c.GetKey() == "source.principal":
		f.match = v.fromPrincipal
	case c.GetKey() == "source.namespace":
		f.match = v.fromNamespace
	case c.GetKey() == "source.ip", c.GetKey() == "remote.ip":
		f.match = v.fromBlock
	case c.GetKey() == "connection.sni":
		f.match = func(value string) bool { return like(value, v.sni) }
	case c.GetKey() == "destination.port":
		f.match = v.toPort
	default:
		return nil
	}
	return f
}

func (v *visit) fromPrincipal(value string) bool { return like(value, v.principal) }

func (v *visit) fromNamespace(value string) bool {
	return v.principal != "" && fullMatch(".*/ns/"+strings.ReplaceAll(value, "*", ".*")+"/.*", v.principal)
}

// fromServiceAccount takes `name`, of the policy's own namespace, or
// `namespace/name`.
func (v *visit) fromServiceAccount(policyNamespace string) func(string) bool {
	return func(value string) bool {
		namespace, name, qualified := strings.Cut(value, "/")
		if !qualified {
			namespace, name = policyNamespace, value
		}
		return v.principal != "" && fullMatch(".+/ns/"+namespace+"/(.+/|)sa/"+name+"(/.+)?", v.principal)
	}
}

func (v *visit) fromBlock(value string) bool {
	if address, err := netip.ParseAddr(value); err == nil {
		return address == v.source
	}
	prefix, err := netip.ParsePrefix(value)
	return err == nil && v.source.IsValid() && prefix.Contains(v.source)
}

// fromRequestPrincipal compares `issuer/subject`; a token without a subject has no
// principal at all.
func (v *visit) fromRequestPrincipal(value string) bool {
	issuer, _ := v.claims["iss"].(string)
	subject, _ := v.claims["sub"].(string)
	if issuer == "" || subject == "" {
		return false
	}
	switch slash := strings.LastIndex(value, "/"); {
	case slash >= 0:
		return like(value[:slash], issuer) && like(value[slash+1:], subject)
	case strings.HasPrefix(value, "*"):
		return like(value, subject)
	case strings.HasSuffix(value, "*"):
		return like(value, issuer)
	}
	return false
}

// toHost ignores case, and does not ignore a port.
func (v *visit) toHost(value string) bool {
	return like(strings.ToLower(value), strings.ToLower(v.host))
}

func (v *visit) toPath(value string) bool {
	path, _, _ := strings.Cut(v.path, "?")
	return like(value, path)
}

func (v *visit) toPort(value string) bool { return value == strconv.Itoa(v.port) }

// hasClaim tells whether the claim under names is the text value, or a list that
// contains it.
func (v *visit) hasClaim(names []string, value string) bool {
	var claim any = v.claims
	for _, name := range names {
		object, _ := claim.(map[string]any)
		claim = object[name]
	}
	list := texts(claim)
	if last := names[len(names)-1]; len(names) == 1 && (last == "scope" || last == "permission") && len(list) == 1 {
		list = strings.Fields(list[0])
	}
	return slices.ContainsFunc(list, func(text string) bool { return like(value, text) })
}

// texts returns the texts of a claim; numbers and booleans are none.
func texts(claim any) []string {
	switch claim := claim.(type) {
	case string:
		return []string{claim}
	case []string:
		return claim
	}
	return nil
}

// like compares exactly, by prefix, by suffix, or asks for any text at all.
func like(pattern, text string) bool {
	switch {
	case pattern == "*":
		return text != ""
	case strings.HasPrefix(pattern, "*"):
		return strings.HasSuffix(text, pattern[1:])
	case strings.HasSuffix(pattern, "*"):
		return strings.HasPrefix(text, pattern[:len(pattern)-1])
	}
	return pattern == text
}

func fullMatch(pattern, text string) bool {
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	return err == nil && re.MatchString(text)
}

var (
	escape  = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	slashes = regexp.MustCompile(`/{2,}`)
)

// normalize does to a path what Envoy does with MERGE_SLASHES: escapes of unreserved
// characters are decoded, others such as %2F kept; backslashes become slashes; dot
// segments go; then slashes are merged.
func normalize(target string) string {
	path, query, hasQuery := strings.Cut(target, "?")
	path = escape.ReplaceAllStringFunc(path, func(code string) string {
		n, _ := strconv.ParseUint(code[1:], 16, 8)
		if c := byte(n); c == '-' || c == '.' || c == '_' || c == '~' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			return string(c)
		}
		return code
	})
	path = strings.ReplaceAll(path, `\`, "/")
	var kept []string
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		switch segment {
		case ".", "..":
			if segment == ".." && len(kept) > 1 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, segment)
		}
	}
	path = slashes.ReplaceAllString(strings.Join(kept, "/"), "/")
	if hasQuery {
		return path + "?" + query
	}
	return path
}
