package tests

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

func tomorrow() string { return time.Now().AddDate(0, 0, 1).Format(time.DateOnly) }

// Every kind of bad access is refused before a single resource is registered, with
// a message that names the key, the value and the remedy.
func TestBadAccessIsRefusedBeforeAnythingIsCreated(t *testing.T) {
	service := func(edit func(s *catalogue.Service)) func(t *testing.T, config map[string]any) {
		return func(t *testing.T, config map[string]any) {
			s := notifications()
			edit(&s)
			withServices(t, config, s)
		}
	}
	route := func(r catalogue.Route) func(t *testing.T, config map[string]any) {
		return service(func(s *catalogue.Service) { s.Routes = []catalogue.Route{r} })
	}
	value := func(path string, value any) func(t *testing.T, config map[string]any) {
		return func(_ *testing.T, config map[string]any) { set(config, path, value) }
	}
	exception := func(port int, reason, until string) func(t *testing.T, config map[string]any) {
		return value("access.mtlsExceptions", []any{map[string]any{"service": "scans", "port": port, "from": []any{"10.20.0.0/16"}, "reason": reason, "until": until}})
	}
	from := func(cidrs ...any) func(t *testing.T, config map[string]any) {
		return value("access.mtlsExceptions", []any{map[string]any{"service": "scans", "port": 9000, "from": cidrs, "reason": "r", "until": tomorrow()}})
	}
	dryRun := func(policy, reason, until string) func(t *testing.T, config map[string]any) {
		return value("access.dryRun", []any{map[string]any{"policy": policy, "reason": reason, "until": until}})
	}
	const guard = "mcp-security.api-gateway-guard"
	api := catalogue.APIHost
	keys := `{"keys":[{"kty":"EC","crv":"P-256","x":"eA","y":"eQ"}]}`

	for name, tc := range map[string]struct {
		edit func(t *testing.T, config map[string]any)
		want string
	}{
		// Decoding.
		"misspelt key in a list": {value("catalogue.services", []any{map[string]any{"nmae": "x"}}),
			`mcp-mesh:catalogue.services[0].nmae is "an unknown key": did you mean "name"?`},
		"misspelt key in a map of lists": {value("catalogue.external", map[string]any{"scans": []any{map[string]any{"hst": "x"}}}),
			`.hst is "an unknown key": did you mean "host"?`},
		"misspelt key deep in a list": {value("catalogue.services", []any{map[string]any{"routes": []any{map[string]any{"audience": map[string]any{"knid": "users"}}}}}),
			`mcp-mesh:catalogue.services[0].routes[0].audience.knid is "an unknown key": did you mean "kind"?`},
		"text for a list": {value("catalogue.services", "x"),
			`mcp-mesh:catalogue.services`},

		// Services.
		"name that is no label": {service(func(s *catalogue.Service) { s.Name = "Notify_Me" }),
			`name is "Notify_Me": use a DNS label`},
		"name taken": {service(func(s *catalogue.Service) { s.Name = "scans" }),
			`mcp-mesh:catalogue.services.scans is "scans": name a service once`},
		"service account of another": {service(func(s *catalogue.Service) { s.ServiceAccount = "scans" }),
			`serviceAccount is "scans": give it one of its own`},
		"port": {service(func(s *catalogue.Service) { s.Port.Number = 0 }),
			`port.number is 0: use a port from 1 to 65535`},
		"port of the proxy": {service(func(s *catalogue.Service) { s.Port.Number = 15020 }),
			`port.number is 15020: use a port outside 15000 to 15100`},
		"protocol": {service(func(s *catalogue.Service) { s.Port.Protocol = "https" }),
			`port.protocol is "https": choose http, http2, grpc or tcp`},
		"routes over TCP": {service(func(s *catalogue.Service) { s.Port.Protocol = catalogue.TCP }),
			`routes is 2: a tcp service has no paths`},

		// Calls.
		"unknown callee": {service(func(s *catalogue.Service) { s.Calls[0].Service = "scan" }),
			`calls[0].service is "scan": an unknown callee; use one of web-ui,`},
		"call of itself": {service(func(s *catalogue.Service) { s.Calls[0].Service = s.Name }),
			`calls[0].service is "notifications": a service needs no permission to call itself`},
		"callee twice": {service(func(s *catalogue.Service) { s.Calls = append(s.Calls, s.Calls[0]) }),
			`calls[1].service is "scans": name a callee once`},
		"call of a path that nobody offers": {service(func(s *catalogue.Service) { s.Calls[0].Paths = []catalogue.Path{catalogue.Exact("/metrics")} }),
			`calls[0].paths[0] is "/metrics": scans declares no such route`},
		"cycle": {func(t *testing.T, config map[string]any) {
			a, b := notifications(), notifications()
			a.Name, a.Routes, a.Calls = "a", nil, []catalogue.Call{{Service: "b"}}
			b.Name, b.Routes, b.Calls = "b", nil, []catalogue.Call{{Service: "a"}}
			withServices(t, config, a, b)
		}, `mcp-mesh:catalogue.services.b.calls is "a → b → a": a cycle of calls`},

		// Routes.
		"no audience": {route(catalogue.Route{Host: api, Path: catalogue.Prefix("/n")}),
			`routes[0].audience.kind is not set: declare who may use the route`},
		"unknown audience": {route(catalogue.Route{Host: api, Path: catalogue.Prefix("/n"), Audience: catalogue.Audience{Kind: "all"}}),
			`routes[0].audience.kind is "all": choose public, users, roles or machines`},
		"no roles": {route(catalogue.Route{Host: api, Path: catalogue.Prefix("/n"), Audience: catalogue.Audience{Kind: catalogue.KindRoles}}),
			`routes[0].audience.roles is not set: name at least one role`},
		"roles for users": {route(catalogue.Route{Host: api, Path: catalogue.Prefix("/n"), Audience: catalogue.Audience{Kind: catalogue.KindUsers, Roles: []string{"admin"}}}),
			`routes[0].audience.roles is "admin": they are for kind roles only`},
		"unknown role": {route(catalogue.Route{Host: api, Path: catalogue.Prefix("/n"), Audience: catalogue.Roles("admn")}),
			`routes[0].audience.roles is "admn": an unknown role`},
		"unknown host": {route(catalogue.Route{Host: "intranet", Path: catalogue.Prefix("/n"), Audience: catalogue.Users()}),
			`routes[0].host is "intranet": choose security or api`},
		"no path": {route(catalogue.Route{Host: api, Audience: catalogue.Users()}),
			`routes[0].path.prefix is not set: set a prefix or an exact path`},
		"two paths": {route(catalogue.Route{Host: api, Path: catalogue.Path{Prefix: "/n", Exact: "/n"}, Audience: catalogue.Users()}),
			`routes[0].path.exact is "/n": set a prefix or an exact path, not both`},
		"path with wildcard": {route(catalogue.Route{Host: api, Path: catalogue.Prefix("/n*"), Audience: catalogue.Users()}),
			`routes[0].path.prefix is "/n*": use a plain path`},
		"encoded path": {route(catalogue.Route{Host: api, Path: catalogue.Exact("/n%2Fm"), Audience: catalogue.Users()}),
			`routes[0].path.exact is "/n%2Fm": use a plain path`},
		"path with dots": {route(catalogue.Route{Host: api, Path: catalogue.Prefix("/n/../api"), Audience: catalogue.Users()}),
			`routes[0].path.prefix is "/n/../api": use a plain path`},
		"unknown method": {route(catalogue.Route{Host: api, Path: catalogue.Prefix("/n"), Methods: []string{"get"}, Audience: catalogue.Users()}),
			`routes[0].methods is "get": use methods of GET, HEAD,`},
		"two services on one host and path": {route(catalogue.Route{Host: api, Path: catalogue.Prefix("/api/v1/scans/"), Methods: []string{"GET"}, Audience: catalogue.Users()}),
			`routes[0] is "api /api/v1/scans/…": two services on one host and path: scans has it already`},
		"duplicate route": {service(func(s *catalogue.Service) { s.Routes[1] = s.Routes[0] }),
			`routes[1] is "api /api/v1/notifications/…": a duplicate of services.notifications.routes[0]`},
		"shadowed route": {service(func(s *catalogue.Service) { s.Routes[1].Audience = catalogue.Users() }),
			`routes[1] is "api /api/v1/notifications/rules/…": shadowed by api /api/v1/notifications/…`},
		"public route inside a protected one": {route(catalogue.Route{Host: api, Path: catalogue.Prefix("/api/v1/open"), Audience: catalogue.Public()}),
			`routes[0] is "api /api/v1/open/…": a public route inside the protected api /api/v1/…`},
		"route that cannot be guarded": {service(func(s *catalogue.Service) {
			s.Routes = append(s.Routes, catalogue.Route{Host: api, Path: catalogue.Prefix("/api/v1/notifications/rules/mine"), Audience: catalogue.Users()})
		}), `a route inside it admits callers that it refuses but a route around it admits (GET)`},

		// External hosts.
		"wildcard outside": {service(func(s *catalogue.Service) { s.External[0].Host = "*.company.com" }),
			`external[0].host is "*.company.com": use a full lower-case host name`},
		"own host outside": {service(func(s *catalogue.Service) { s.External[0].Host = "api.security.local.company.com" }),
			`external[0].host is "api.security.local.company.com": it is the platform's own`},
		"external hosts of nobody": {value("catalogue.external.scan", []any{map[string]any{"host": "a.company.com"}}),
			`mcp-mesh:catalogue.external.scan is "an unknown service": use one of web-ui,`},
		"external host twice": {value("catalogue.external.integrations", []any{map[string]any{"host": "gitlab.com", "port": 443}}),
			`is "gitlab.com": name a host once`},

		// Roles.
		"role by wildcard": {value("catalogue.roles.admin", []any{"admin*"}),
			`mcp-mesh:catalogue.roles.admin is "admin*": use a literal value`},
		"role without value": {value("catalogue.roles.auditor", []any{}),
			`mcp-mesh:catalogue.roles.auditor is not set: name at least one value`},

		// Tokens.
		"no keys": {value("tokens.platform.jwks", map[string]any{}),
			`mcp-mesh:tokens.platform.jwks.inline is not set: give the key set, or remote.uri`},
		"keys twice": {value("tokens.platform.jwks.remote.uri", "https://keys.company.com/a.json"),
			`give the key set or remote, not both`},
		"private key": {value("tokens.platform.jwks.inline", `{"keys":[{"kty":"EC","d":"c2VjcmV0"}]}`),
			`mcp-mesh:tokens.platform.jwks.inline is [secret]: keys[0] is private`},
		"shared secret": {value("tokens.platform.jwks.inline", `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`),
			`mcp-mesh:tokens.platform.jwks.inline is [secret]: keys[0] is private`},
		"no key set": {value("tokens.machines.jwks.inline", `{}`),
			`mcp-mesh:tokens.machines.jwks.inline is [secret]: use a JSON Web Key Set`},
		"keys in the clear": {value("tokens.machines.jwks", map[string]any{"remote": map[string]any{"uri": "http://keys.company.com/a.json"}}),
			`mcp-mesh:tokens.machines.jwks.remote.uri is "http://keys.company.com/a.json": use an https address`},
		"keys behind the mesh's own gateway": {value("tokens.platform.jwks", map[string]any{"remote": map[string]any{"uri": "https://security.local.company.com/auth/jwks.json"}}),
			`the keys lie behind the mesh's own gateway`},
		"keys inside the mesh": {value("tokens.platform.jwks", map[string]any{"remote": map[string]any{"uri": "https://api-gateway.mcp-security.svc.cluster.local/jwks.json"}}),
			`istiod is not in the mesh and cannot call its services`},
		"who fetches the keys": {value("tokens.platform.jwks.remote.fetchedBy", "proxy"),
			`mcp-mesh:tokens.platform.jwks.remote.fetchedBy is "an unknown key"`},
		"no audience of tokens": {value("tokens.platform.audiences", []any{}),
			`mcp-mesh:tokens.platform.audiences is not set: name at least one`},
		"issuer twice": {value("tokens.external", []any{map[string]any{"issuer": "https://security.local.company.com/auth", "audiences": []any{"a"}, "jwks": map[string]any{"inline": keys}}}),
			`mcp-mesh:tokens.external[0].issuer is "https://security.local.company.com/auth": platform has it already`},
		"issuer by wildcard": {value("tokens.platform.issuer", "https://*"),
			`mcp-mesh:tokens.platform.issuer is "https://*": use the literal value`},
		"location twice": {value("tokens.machines.fromHeaders", []any{map[string]any{"name": "x-token"}, map[string]any{"name": "X-Token"}}),
			`mcp-mesh:tokens.machines.fromHeaders is "x-token": name a location once`},
		"header with two prefixes": {value("tokens.machines.fromHeaders", []any{map[string]any{"name": "authorization", "prefix": "Machine "}}),
			`it with another prefix`},
		"claim over the token": {value("tokens.claimsToHeaders", []any{map[string]any{"header": "Authorization", "claim": "sub"}}),
			`mcp-mesh:tokens.claimsToHeaders is "Authorization": use another header`},
		"no roles claim": {value("tokens.rolesClaim", []any{}),
			`mcp-mesh:tokens.rolesClaim is []: name the claim`},

		// Exceptions.
		"exception of an unknown service": {value("access.mtlsExceptions", []any{map[string]any{"service": "scan", "port": 9000, "from": []any{"10.20.0.0/16"}, "reason": "r", "until": tomorrow()}}),
			`mcp-mesh:access.mtlsExceptions[0].service is "scan": an unknown service`},
		"exception without reason": {exception(9000, " ", tomorrow()),
			`mcp-mesh:access.mtlsExceptions[0].reason is not set: say why`},
		"exception without end": {exception(9000, "r", ""),
			`mcp-mesh:access.mtlsExceptions[0].until is not set: set the last day`},
		"exception that has ended": {exception(9000, "r", "2026-01-31"),
			`mcp-mesh:access.mtlsExceptions[0].until is "2026-01-31": it has passed`},
		"exception for ever": {exception(9000, "r", "2999-01-31"),
			`mcp-mesh:access.mtlsExceptions[0].until is "2999-01-31": use a day within a year`},
		"exception for nobody": {from(),
			`mcp-mesh:access.mtlsExceptions[0].from is not set: name the addresses of the callers`},
		"exception for everybody": {from("0.0.0.0/0"),
			`mcp-mesh:access.mtlsExceptions[0].from is "0.0.0.0/0": name the callers`},
		"exception for no network": {from("legacy.company.com"),
			`mcp-mesh:access.mtlsExceptions[0].from is "legacy.company.com": use the CIDR notation`},
		"exception on the mesh's port": {exception(8080, "r", tomorrow()),
			`mcp-mesh:access.mtlsExceptions[0].port is 8080: it is the port that the mesh calls`},
		"dry run without reason": {dryRun(guard, "", tomorrow()),
			`mcp-mesh:access.dryRun[0].reason is not set: say why`},
		"dry run without end": {dryRun(guard, "r", ""),
			`mcp-mesh:access.dryRun[0].until is not set: set the last day`},
		"dry run that has ended": {dryRun(guard, "r", "2026-01-31"),
			`mcp-mesh:access.dryRun[0].until is "2026-01-31": it has passed`},
		"dry run of a policy that allows": {dryRun("mcp-security.scans", "r", tomorrow()),
			`mcp-mesh:access.dryRun[0].policy is "mcp-security.scans": use a policy that denies, of istio-ingress.public-ingress-api-gateway-guard,`},
		"addresses of the API server": {value("kubernetes.apiServerRanges", []any{"10.0.0.1"}),
			`mcp-mesh:kubernetes.apiServerRanges is "10.0.0.1": use CIDR notation`},
		"ports of the API server": {value("kubernetes.apiServerPorts", []any{0}),
			`mcp-mesh:kubernetes.apiServerPorts is 0: use a port from 1 to 65535`},
	} {
		t.Run(name, func(t *testing.T) {
			config := stackConfig(t, "local")
			tc.edit(t, config)
			r, err := deploy(t, config)
			require.Error(t, err)
			assert.Contains(t, err.Error(), tc.want)
			assert.NotContains(t, err.Error(), "c2VjcmV0", "no key is shown")
			assert.Empty(t, r.resources, "nothing may be created")
		})
	}
}

// The counterparts of refused cases: what looks like them and is right.
func TestGoodAccessIsAccepted(t *testing.T) {
	for name, edit := range map[string]func(s *catalogue.Service){
		"as it is":       func(*catalogue.Service) {},
		"without routes": func(s *catalogue.Service) { s.Routes = nil },
		"TCP":            func(s *catalogue.Service) { s.Routes, s.Port.Protocol = nil, catalogue.TCP },
		"public outside of the API": func(s *catalogue.Service) {
			s.Routes[0].Path, s.Routes[0].Audience = catalogue.Prefix("/status"), catalogue.Public()
		},
		"exact path inside": func(s *catalogue.Service) { s.Routes[1].Path = catalogue.Exact("/api/v1/notifications") },
		"methods apart": func(s *catalogue.Service) {
			s.Routes[1].Path, s.Routes[0].Methods, s.Routes[1].Methods = s.Routes[0].Path, catalogue.ReadMethods(), catalogue.WriteMethods()
		},
		"part of what is offered":    func(s *catalogue.Service) { s.Calls[0].Paths = []catalogue.Path{catalogue.Exact("/api/v1/scans/7")} },
		"machines inside":            func(s *catalogue.Service) { s.Routes[1].Audience = catalogue.Machines() },
		"declared cycle":             func(s *catalogue.Service) { s.Calls = []catalogue.Call{{Service: "scans", ClosesCycle: true}} },
		"identity provider":          func(s *catalogue.Service) { s.CallsIdentityProviders = true },
		"service account of its own": func(s *catalogue.Service) { s.ServiceAccount = "notifier" },
		"other port and protocol":    func(s *catalogue.Service) { s.Port = catalogue.Port{Number: 9090, Protocol: catalogue.GRPC} },
		"longer name than another": func(s *catalogue.Service) {
			s.Routes[0].Path = catalogue.Prefix("/api/v1/scansX")
			s.Routes = s.Routes[:1]
		},
		"same path on the other host": func(s *catalogue.Service) { s.Routes[0].Host = catalogue.SecurityHost },
	} {
		t.Run(name, func(t *testing.T) {
			s := notifications()
			edit(&s)
			_, err := deploy(t, withServices(t, stackConfig(t, "local"), s))
			assert.NoError(t, err)
		})
	}
}
