package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// This file says who may do what, by hand. It takes nothing from the catalogue nor
// from what is derived from it; only names (hosts, issuers, ports) are agreed on.

// Callers from outside, and the sets of them that the table speaks of.
const (
	nobody   = ""
	anyone   = "anonymous user analyst admin machine"
	users    = "user analyst admin"
	writers  = "analyst admin"
	admins   = "admin"
	machines = "machine"
)

// row is one route of the platform: everything at and below path on host belongs
// to service. read is GET and HEAD, write is POST, PUT, PATCH and DELETE.
type row struct {
	host, path, service string
	read, write         string
}

// routes is the whole of what the platform answers.
var routes = []row{
	// host  path                              service            read      write
	{"security", "/", "web-ui", anyone, anyone},
	{"api", "/auth/", "api-gateway", anyone, anyone},
	{"security", "/auth/", "api-gateway", anyone, anyone}, // the issuer's address
	{"api", "/healthz", "api-gateway", anyone, nobody},
	{"api", "/api/v1/", "api-gateway", users, users},
	{"api", "/api/v1/admin/", "api-gateway", admins, admins},
	{"api", "/api/v1/scans", "scans", users, writers},
	{"api", "/api/v1/vulnerabilities", "vulnerabilities", users, users},
	{"api", "/api/v1/reports", "reports", users, users},
	{"api", "/api/v1/integrations", "integrations", users, admins},
	{"api", "/api/v1/integrations/webhooks/", "integrations", machines, machines},
	{"api", "/api/v1/dashboard", "dashboard", users, users},
}

// below are samples of what a route covers.
var below = map[string][]string{
	"/":                              {"/", "/index.html", "/assets/app.js?v=1"},
	"/auth/":                         {"/auth/login", "/auth/.well-known/jwks.json"},
	"/healthz":                       {"/healthz"},
	"/api/v1/":                       {"/api/v1/me", "/api/v1/projects/7?x=/api/v1/admin/", "/api/v1/administrators"},
	"/api/v1/admin/":                 {"/api/v1/admin/", "/api/v1/admin/users/7", "/api/v1/admin"},
	"/api/v1/scans":                  {"/api/v1/scans", "/api/v1/scans/", "/api/v1/scans/7/results?page=2"},
	"/api/v1/vulnerabilities":        {"/api/v1/vulnerabilities", "/api/v1/vulnerabilities/7"},
	"/api/v1/reports":                {"/api/v1/reports", "/api/v1/reports/7/pdf"},
	"/api/v1/integrations":           {"/api/v1/integrations", "/api/v1/integrations/jira/test"},
	"/api/v1/integrations/webhooks/": {"/api/v1/integrations/webhooks/", "/api/v1/integrations/webhooks/github/7"},
	"/api/v1/dashboard":              {"/api/v1/dashboard", "/api/v1/dashboard/widgets/7"},
}

// trap is a request that looks like another one. It names the service that the
// gateway's routes would take it to, if any.
type trap struct {
	why, method, host, path, service string
	may                              string
}

var traps = []trap{
	{"a longer segment is another resource", "GET", "api", "/api/v1/scansX", "api-gateway", users},
	{"a longer segment needs no role for scans", "POST", "api", "/api/v1/scans-archive", "api-gateway", users},
	{"a longer segment is not the webhooks", "POST", "api", "/api/v1/integrations/webhooksX", "integrations", admins},
	{"a longer segment is not the admin area", "GET", "api", "/api/v1/adminX", "api-gateway", users},
	{"a longer segment is not public", "GET", "api", "/authX", "api-gateway", nobody},
	{"a longer segment is not the health check", "GET", "api", "/healthzX", "api-gateway", nobody},
	{"there is nothing below the health check", "GET", "api", "/healthz/x", "api-gateway", nobody},
	{"double slashes are merged", "GET", "api", "//api//v1///scans//7", "scans", users},
	{"double slashes open nothing", "DELETE", "api", "//api//v1///scans//7", "scans", writers},
	{"double slashes do not hide the admin area", "GET", "api", "/api/v1//admin//users", "api-gateway", admins},
	{"double slashes do not hide the webhooks", "POST", "api", "/api/v1/integrations//webhooks/github", "integrations", machines},
	{"dot segments do not hide the admin area", "GET", "api", "/api/v1/scans/../admin/users", "api-gateway", admins},
	{"dot segments do not make a path public", "GET", "api", "/auth/../api/v1/admin/users", "api-gateway", admins},
	{"escaped dot segments neither", "GET", "api", "/auth/%2e%2e/api/v1/me", "api-gateway", users},
	{"backslashes neither", "GET", "api", `/auth/..\api/v1/me`, "api-gateway", users},
	{"escaped letters do not hide the admin area", "GET", "api", "/api/v1/%61dmin/users", "api-gateway", admins},
	{"an escaped slash does not hide the admin area", "GET", "api", "/api/v1/admin%2Fusers", "api-gateway", admins},
	{"an escaped slash in lower case neither", "POST", "api", "/api/v1/admin%2fusers", "api-gateway", admins},
	{"an escaped slash gives no role", "POST", "api", "/api/v1%2Fscans", "api-gateway", nobody},
	{"paths are case-sensitive", "GET", "api", "/API/v1/scans", "api-gateway", nobody},
	{"another version is not there", "GET", "api", "/api/v2/scans", "api-gateway", nobody},
	{"the API has no front page", "GET", "api", "/", "api-gateway", nobody},
	{"metrics are not for outside", "GET", "api", "/metrics", "api-gateway", nobody},
	{"debug pages are not for outside", "GET", "api", "/debug/pprof/", "api-gateway", nobody},
	{"methods are case-sensitive", "post", "api", "/api/v1/scans", "scans", nobody},
	{"a port in the host changes nothing", "GET", "api:443", "/api/v1/scans", "scans", users},
	{"a port in the host opens nothing", "POST", "api:443", "/api/v1/scans", "scans", writers},
	{"a port in the host of the user interface", "GET", "security:443", "/", "web-ui", anyone},
	{"capitals in the host change nothing", "GET", "API", "/api/v1/scans", "scans", users},
	{"an unknown host", "GET", "evil.example.com", "/", "web-ui", nobody},
	{"an unknown host with a known path", "GET", "evil.example.com", "/api/v1/scans", "scans", nobody},
	{"a host that starts like ours", "GET", "api.evil.example.com", "/api/v1/scans", "scans", nobody},
	{"a host that ends like ours", "GET", "xapi", "/api/v1/scans", "scans", nobody},
	{"an address for a host", "GET", "203.0.113.7", "/api/v1/scans", "scans", nobody},
	{"no host", "GET", "", "/api/v1/scans", "scans", nobody},
	{"a service's name for a host", "GET", "scans.mcp-security.svc.cluster.local", "/api/v1/scans", "scans", nobody},
	{"the API's paths on the other host are the user interface's", "GET", "security", "/api/v1/scans", "web-ui", anyone},
}

// services are the seven of the platform.
var services = []string{"web-ui", "api-gateway", "scans", "vulnerabilities", "reports", "integrations", "dashboard"}

// calls says which service calls which; no other pair may.
var calls = map[string][]string{
	"web-ui":      {"api-gateway"},
	"api-gateway": {"scans", "vulnerabilities", "reports", "integrations", "dashboard"},
	"scans":       {"vulnerabilities"},
	"reports":     {"scans", "vulnerabilities"},
	"dashboard":   {"scans", "vulnerabilities", "reports"},
}

// forService returns who may use a route when a service calls it for them: a
// service does what every user may even without a user's token, say for a nightly
// report. What takes a role or a machine takes that token from a service, too.
func forService(audience string) string {
	if audience == users {
		return anyone
	}
	return audience
}

var (
	reads  = []string{"GET", "HEAD"}
	writes = []string{"POST", "PUT", "PATCH", "DELETE"}
)

// Where the services listen, and the names that a token carries.
const (
	servicePort   = 8080
	audience      = "mcp-security-api"
	rolesClaim    = "roles"
	machineHeader = "x-service-token"
)

// platform is the mesh of one stack as the table sees it.
type platform struct {
	trustDomain    string
	hosts          map[string]string
	issuer         string // the platform's own tokens
	externalIssuer string // tokens of the company's OIDC provider
	machineIssuer  string // tokens of machines
}

func newPlatform(t *testing.T, stack string) platform {
	t.Helper()
	config := stackConfig(t, stack)
	hosts := config["hosts"].(map[string]any)
	return platform{
		trustDomain:    config["mesh"].(map[string]any)["trustDomain"].(string),
		hosts:          map[string]string{"security": hosts["security"].(string), "api": hosts["api"].(string)},
		issuer:         "https://" + hosts["security"].(string) + "/auth",
		externalIssuer: "https://login.company.com",
		machineIssuer:  "https://" + hosts["security"].(string) + "/machines",
	}
}

// address turns the table's short names of hosts into the stack's.
func (p platform) address(host string) string {
	name, port, _ := strings.Cut(host, ":")
	switch {
	case name == "api.evil.example.com":
		name = p.hosts["api"] + ".evil.example.com"
	case name == "xapi":
		name = "x" + p.hosts["api"]
	case name == "API":
		name = strings.ToUpper(p.hosts["api"])
	case p.hosts[name] != "":
		name = p.hosts[name]
	}
	if port != "" {
		return name + ":" + port
	}
	return name
}

func (p platform) identity(namespace, account string) string {
	return p.trustDomain + "/ns/" + namespace + "/sa/" + account
}

func (p platform) service(name string) workload {
	return workload{namespace: "mcp-security", labels: map[string]string{"app": name}}
}

func ingress(name string) workload {
	return workload{namespace: "istio-ingress", labels: map[string]string{"app": name, "istio": name}, gateway: true}
}

func egress() workload {
	return workload{namespace: "istio-egress", labels: map[string]string{"app": "egress", "istio": "egress"}, gateway: true}
}

// caller is someone of the table with one of the tokens that he may come with.
type caller struct {
	name, how string
	tokens    []jwt
}

// callers are all of the table's, each in every guise.
func (p platform) callers() []caller {
	user := func(issuer string, roles any) []jwt {
		claims := map[string]any{"iss": issuer, "aud": audience, "sub": "7"}
		if roles != nil {
			claims[rolesClaim] = roles
		}
		return []jwt{{at: bearer, claims: claims}}
	}
	machine := func(more map[string]any) []jwt {
		claims := map[string]any{"iss": p.machineIssuer, "aud": audience}
		for name, value := range more {
			claims[name] = value
		}
		return []jwt{{at: location{"header", machineHeader, "Bearer "}, claims: claims}}
	}
	return []caller{
		{"anonymous", "without a token", nil},
		{"user", "without roles", user(p.issuer, nil)},
		{"user", "of the OIDC provider", user(p.externalIssuer, nil)},
		{"user", "with role user", user(p.issuer, []string{"user"})},
		{"user", "with a role that only starts like admin", user(p.issuer, []string{"administrator", "admin "})},
		{"user", "with a role that only ends like admin", user(p.issuer, "not-admin")},
		{"user", "with a role in capitals", user(p.issuer, []string{"Admin", "ANALYST"})},
		{"user", "with roles in another form", user(p.issuer, map[string]any{"admin": true})},
		{"analyst", "", user(p.issuer, []string{"analyst"})},
		{"analyst", "of the OIDC provider", user(p.externalIssuer, []string{"user", "analyst"})},
		{"admin", "", user(p.issuer, []string{"admin"})},
		{"admin", "of the OIDC provider", user(p.externalIssuer, []string{"user", "admin"})},
		{"machine", "without a subject", machine(nil)},
		{"machine", "with a subject", machine(map[string]any{"sub": "ci"})},
		{"machine", "that claims to be an admin", machine(map[string]any{"sub": "ci", rolesClaim: []string{"admin"}})},
	}
}

// forgers come with tokens that nobody may accept; they get in where anyone does
// at most.
func (p platform) forgers() []caller {
	admin := func(issuer, audience string) map[string]any {
		return map[string]any{"iss": issuer, "aud": audience, "sub": "7", rolesClaim: []string{"admin"}}
	}
	machine := location{"header", machineHeader, "Bearer "}
	return []caller{
		{"forger", "with a bad signature", []jwt{{bearer, admin(p.issuer, audience), true}}},
		{"forger", "of an unknown issuer", []jwt{{bearer, admin("https://evil.example.com", audience), false}}},
		{"forger", "with a token for someone else", []jwt{{bearer, admin(p.issuer, "another-api"), false}}},
		{"forger", "with a token of the OIDC provider for someone else", []jwt{{bearer, admin(p.externalIssuer, "another-api"), false}}},
		{"forger", "with a machine's token for someone else", []jwt{{machine, admin(p.machineIssuer, "another-api"), false}}},
		{"forger", "with a bad machine token", []jwt{{machine, admin(p.machineIssuer, audience), true}}},
		{"forger", "with an admin's token where machines have theirs", []jwt{{machine, admin(p.issuer, audience), false}}},
		{"forger", "with a machine's token where users have theirs", []jwt{{bearer, admin(p.machineIssuer, audience), false}}},
	}
}

// accessCase is one question of the table, with the answer.
type accessCase struct {
	who     string
	gateway bool     // through the public gateway, or straight at the service
	to      workload // the service that the request is for
	call    call
	want    bool
}

func (c accessCase) String() string {
	return fmt.Sprintf("%s: %s %s%s at %s", c.who, c.call.method, c.call.host, c.call.path, c.to.labels["app"])
}

// requests expands the routes: each path, with each method and who may. Of methods
// that the table does not know, TRACE stands for all.
func requests(visit func(r row, path, method, audience string)) {
	for _, r := range routes {
		for _, path := range below[r.path] {
			for _, method := range reads {
				visit(r, path, method, r.read)
			}
			for _, method := range writes {
				visit(r, path, method, r.write)
			}
			visit(r, path, "TRACE", nobody)
		}
	}
}

func has(audience, name string) bool { return slices.Contains(strings.Fields(audience), name) }

// fromOutside are the questions of everyone who comes through the public gateway.
// Each is also asked of the gateway alone, and of the service alone in the gateway's
// name: neither relies on what the other checks.
func (p platform) fromOutside() []accessCase {
	var all []accessCase
	ask := func(method, host, path, service, audience string, sidecar bool) {
		request := call{port: 443, method: method, host: p.address(host), path: path}
		handed := request
		handed.port, handed.principal = servicePort, p.identity("istio-ingress", "public-ingress")
		add := func(who caller, want bool) {
			name := who.name + " " + who.how
			request.tokens, handed.tokens = who.tokens, who.tokens
			all = append(all, accessCase{name + " through the gateway", true, p.service(service), request, want})
			all = append(all, accessCase{name + " as far as the gateway goes", false, ingress("public-ingress"), request, want})
			if sidecar {
				all = append(all, accessCase{name + " in the gateway's name", false, p.service(service), handed, want})
			}
		}
		for _, who := range p.callers() {
			add(who, has(audience, who.name))
		}
		if !has(audience, "anonymous") {
			for _, who := range p.forgers() {
				add(who, false)
			}
		}
	}
	requests(func(r row, path, method, audience string) { ask(method, r.host, path, r.service, audience, true) })
	for _, r := range routes {
		for _, method := range []string{"GET", "POST"} {
			ask(method, "evil.example.com", below[r.path][0], r.service, nobody, true)
		}
	}
	for _, t := range traps {
		// A sidecar need not know the platform's hosts: the gateway has let no other in.
		ask(t.method, t.host, t.path, t.service, t.may, t.host == "api")
	}
	return all
}

// amongServices are the questions of each service to each, itself included, with
// and without someone's token.
func (p platform) amongServices() []accessCase {
	var all []accessCase
	requests(func(r row, path, method, audience string) {
		for _, from := range services {
			for _, who := range p.callers() {
				all = append(all, accessCase{
					who: from + " for " + who.name + " " + who.how,
					to:  p.service(r.service),
					call: call{
						principal: p.identity("mcp-security", from), port: servicePort, method: method,
						host: r.service + ".mcp-security.svc.cluster.local:8080", path: path, tokens: who.tokens,
					},
					want: slices.Contains(calls[from], r.service) && has(forService(audience), who.name),
				})
			}
			if !has(audience, "anonymous") {
				for _, who := range p.forgers() {
					all = append(all, accessCase{
						who: from + " for " + who.name + " " + who.how,
						to:  p.service(r.service),
						call: call{
							principal: p.identity("mcp-security", from), port: servicePort, method: method,
							host: r.service, path: path, tokens: who.tokens,
						},
					})
				}
			}
		}
	})
	return all
}

// strangers are all who have no business with the services: they are refused
// whatever token they hold.
func (p platform) strangers() []accessCase {
	var all []accessCase
	for name, principal := range map[string]string{
		"plain text":                              "",
		"another account of the namespace":        p.identity("mcp-security", "default"),
		"a service's name in another namespace":   p.identity("default", "api-gateway"),
		"a service's name in another mesh":        "evil.example.com/ns/mcp-security/sa/api-gateway",
		"a name that starts like a service's":     p.identity("mcp-security", "api-gateway-2"),
		"the gateway's name in another namespace": p.identity("mcp-security", "public-ingress"),
		"the internal gateway":                    p.identity("istio-ingress", "internal-ingress"),
		"the egress gateway":                      p.identity("istio-egress", "egress"),
		"what watches the mesh":                   p.identity("observability", "prometheus"),
		"the control plane":                       p.identity("istio-system", "istiod"),
	} {
		requests(func(r row, path, method, _ string) {
			for _, who := range p.callers() {
				all = append(all, accessCase{
					who:  name + " for " + who.name + " " + who.how,
					to:   p.service(r.service),
					call: call{principal: principal, port: servicePort, method: method, host: p.address(r.host), path: path, tokens: who.tokens},
				})
			}
		})
	}
	return all
}

// astray are requests for what a service does not offer, by those who may call it,
// with an admin's token.
func (p platform) astray() []accessCase {
	all, callers := []accessCase(nil), p.callers()
	admin := callers[slices.IndexFunc(callers, func(c caller) bool { return c.name == "admin" })]
	ask := func(service string, c call, why string) {
		c.tokens = admin.tokens
		hosts := map[string][]string{p.identity("istio-ingress", "public-ingress"): {p.hosts["api"], p.hosts["security"]}}
		for _, from := range services {
			if slices.Contains(calls[from], service) {
				hosts[p.identity("mcp-security", from)] = []string{service, p.hosts["api"]}
			}
		}
		for principal := range hosts {
			for _, c.host = range hosts[principal] {
				for _, c.method = range []string{"GET", "POST"} {
					c.principal = principal
					all = append(all, accessCase{who: principal + " " + why, to: p.service(service), call: c})
				}
			}
		}
	}
	for _, path := range []string{"/", "/metrics", "/debug/pprof/", "/api/v2/scans", "/authX", "/healthzX"} {
		ask("api-gateway", call{port: servicePort, path: path}, "for what is not there")
	}
	for _, service := range services[2:] {
		own := "/api/v1/" + service
		for _, path := range []string{"/", "/metrics", "/debug/pprof/", own + "X", "/api/v1/admin/users", "/api/v1/other", "/api/v2/" + service} {
			ask(service, call{port: servicePort, path: path}, "for a path of another")
		}
		ask(service, call{port: 9999, tcp: true}, "at an undeclared TCP port")
	}
	requests(func(r row, path, method, _ string) {
		for _, who := range callers {
			c := call{port: 9999, method: method, path: path, tokens: who.tokens}
			c.principal, c.host = p.identity("istio-ingress", "public-ingress"), p.address(r.host)
			all = append(all, accessCase{who: "the gateway at an undeclared port", to: p.service(r.service), call: c})
			for _, from := range services[:2] {
				c.principal, c.host = p.identity("mcp-security", from), r.service
				all = append(all, accessCase{who: from + " at an undeclared port", to: p.service(r.service), call: c})
			}
		}
	})
	return all
}

// unlisted are workloads that the catalogue does not know: nobody reaches them, in
// any namespace that the mesh serves, the gateways' included. A gateway serves on
// its own port only, and on port 80 lets pass what it redirects.
func (p platform) unlisted() []accessCase {
	var all []accessCase
	for _, namespace := range []string{"mcp-security", "istio-ingress", "istio-egress", "observability"} {
		to := workload{namespace: namespace, labels: map[string]string{"app": "stranger"}}
		for _, principal := range []string{"", p.identity("mcp-security", "api-gateway"), p.identity("istio-ingress", "public-ingress"), p.identity(namespace, "default")} {
			for _, who := range p.callers() {
				for _, tcp := range []bool{false, true} {
					all = append(all, accessCase{
						who:  principal + " for " + who.name + " in " + namespace,
						to:   to,
						call: call{principal: principal, port: servicePort, tcp: tcp, method: "GET", host: p.hosts["api"], path: "/api/v1/scans", tokens: who.tokens},
					})
				}
			}
		}
	}
	for _, host := range []string{p.hosts["security"], "evil.example.com"} {
		all = append(all, accessCase{
			who:  "anonymous, to be redirected to HTTPS",
			to:   ingress("public-ingress"),
			call: call{port: 80, method: "GET", host: host, path: "/"},
			want: host == p.hosts["security"],
		})
	}
	for _, r := range routes {
		for _, who := range p.callers() {
			for _, method := range []string{"GET", "POST"} {
				all = append(all, accessCase{
					who:  who.name + " " + who.how + " at an undeclared port",
					to:   ingress("public-ingress"),
					call: call{port: 9999, method: method, host: p.address(r.host), path: below[r.path][0], tokens: who.tokens},
				})
			}
		}
	}
	for _, gateway := range []workload{ingress("internal-ingress"), egress()} {
		for _, who := range p.callers() {
			all = append(all, accessCase{
				who:  who.name + " " + who.how + " at a gateway that is not his",
				to:   gateway,
				call: call{port: 8443, method: "GET", host: p.hosts["api"], path: "/api/v1/scans", tokens: who.tokens},
			})
		}
	}
	return all
}

// outwards are connections to hosts outside the mesh, at the egress gateway: only
// integrations makes any, and only to the hosts that it is declared to need.
func (p platform) outwards() []accessCase {
	var all []accessCase
	declared := []string{"api.github.com", "gitlab.com", "slack.com", "api.atlassian.com", "login.company.com"}
	for _, host := range append(declared, "evil.example.com", "api.github.com.evil.example.com", "github.com", "") {
		for _, name := range append(services, "default") {
			all = append(all, accessCase{
				who:  name + " calls " + host,
				to:   egress(),
				call: call{principal: p.identity("mcp-security", name), port: 443, tcp: true, sni: host},
				want: name == "integrations" && slices.Contains(declared, host),
			})
		}
		all = append(all, accessCase{
			who:  "integrations calls another port of " + host,
			to:   egress(),
			call: call{principal: p.identity("mcp-security", "integrations"), port: 8443, tcp: true, sni: host},
		})
		for _, principal := range []string{"", p.identity("default", "integrations"), p.identity("istio-ingress", "public-ingress")} {
			all = append(all, accessCase{
				who:  principal + " calls " + host,
				to:   egress(),
				call: call{principal: principal, port: 443, tcp: true, sni: host},
			})
		}
	}
	return all
}

// spans are what proxies send to the collector: all of the platform's and the
// gateways', nobody else, and nothing else.
func (p platform) spans() []accessCase {
	var all []accessCase
	ask := func(principal string, want bool) {
		for _, port := range []int{4317, 16686} {
			for _, tcp := range []bool{false, true} {
				all = append(all, accessCase{
					who:  principal + " sends spans",
					to:   workload{namespace: "observability", labels: map[string]string{"app": "jaeger"}},
					call: call{principal: principal, port: port, tcp: tcp, method: "POST", host: "jaeger-collector", path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export"},
					want: want && port == 4317,
				})
			}
		}
	}
	for _, service := range services {
		ask(p.identity("mcp-security", service), true)
	}
	ask(p.identity("istio-ingress", "public-ingress"), true)
	ask(p.identity("istio-ingress", "internal-ingress"), true)
	ask(p.identity("istio-egress", "egress"), true)
	ask(p.identity("mcp-security", "default"), false)
	ask(p.identity("default", "scans"), false)
	ask("evil.example.com/ns/mcp-security/sa/scans", false)
	ask("", false)
	return all
}

// all are the questions of the whole table.
func (p platform) all() []accessCase {
	return slices.Concat(p.fromOutside(), p.amongServices(), p.strangers(), p.astray(), p.unlisted(), p.outwards(), p.spans())
}

// answer says whether the policies let a case through, and if not, who refuses it.
func (p platform) answer(rendered *policies, c accessCase) decision {
	request := c.call
	if c.gateway {
		got, passed := rendered.decide(ingress("public-ingress"), request)
		if !got.allowed() {
			got.reason += " at the gateway"
			return got
		}
		request = passed
		request.principal, request.port = p.identity("istio-ingress", "public-ingress"), servicePort
	}
	got, _ := rendered.decide(c.to, request)
	return got
}

// disagreements returns up to limit cases in which the policies say other than the
// table.
func (p platform) disagreements(rendered *policies, cases []accessCase, limit int) []string {
	var found []string
	for _, c := range cases {
		if got := p.answer(rendered, c); got.allowed() != c.want {
			found = append(found, fmt.Sprintf("%s: want allowed=%t, got %d, %s", c, c.want, got.status, got.reason))
			if len(found) == limit {
				break
			}
		}
	}
	return found
}

func TestAccessIsAsTheTableSays(t *testing.T) {
	forEachStack(t, func(t *testing.T, stack string, r *record) {
		p := newPlatform(t, stack)
		rendered, err := readPolicies(r)
		require.NoError(t, err)
		for name, cases := range map[string][]accessCase{
			"from outside":          p.fromOutside(),
			"among services":        p.amongServices(),
			"from strangers":        p.strangers(),
			"astray":                p.astray(),
			"to unlisted workloads": p.unlisted(),
			"outwards":              p.outwards(),
			"spans":                 p.spans(),
		} {
			t.Run(name, func(t *testing.T) {
				require.NotEmpty(t, cases)
				assert.Empty(t, strings.Join(p.disagreements(rendered, cases, 50), "\n"), "of %d cases", len(cases))
			})
		}
	})
}

// A header that a proxy fills from a token tells a service who calls. A client
// cannot send it himself, whatever token he holds.
func TestClaimHeadersCannotBeForged(t *testing.T) {
	forEachStack(t, func(t *testing.T, stack string, r *record) {
		p := newPlatform(t, stack)
		rendered, err := readPolicies(r)
		require.NoError(t, err)
		forged := map[string]string{}
		for _, policy := range rendered.authentication {
			for _, rule := range policy.Spec.GetJwtRules() {
				for _, output := range rule.GetOutputClaimToHeaders() {
					forged[strings.ToLower(output.GetHeader())] = "somebody-else"
				}
			}
		}
		require.NotEmpty(t, forged)
		for _, to := range []workload{ingress("public-ingress"), p.service("scans")} {
			for _, who := range p.callers() {
				request := call{
					principal: p.identity("istio-ingress", "public-ingress"), port: servicePort, method: "GET",
					host: p.hosts["api"], path: "/api/v1/scans", tokens: who.tokens, headers: forged,
				}
				_, passed := rendered.decide(to, request)
				for header, value := range passed.headers {
					assert.NotEqual(t, "somebody-else", value, "%s of %s %s passes %s", header, who.name, who.how, to.labels["app"])
				}
			}
		}
	})
}

// The gateway hands tokens on to the services, and those to their applications.
func TestTokensReachTheApplication(t *testing.T) {
	forEachStack(t, func(t *testing.T, stack string, r *record) {
		p := newPlatform(t, stack)
		rendered, err := readPolicies(r)
		require.NoError(t, err)
		for _, to := range []workload{ingress("public-ingress"), p.service("scans")} {
			for _, who := range p.callers() {
				_, passed := rendered.decide(to, call{principal: p.identity("istio-ingress", "public-ingress"), path: "/", tokens: who.tokens})
				assert.Equal(t, who.tokens, passed.tokens, "%s %s at %s", who.name, who.how, to.labels["app"])
			}
		}
	})
}
