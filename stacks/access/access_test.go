package access

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mcp-security-platform/mesh/components/authorization"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

func mesh(services ...catalogue.Service) Mesh {
	issuer := func(name string) []requestauthentication.Issuer {
		return []requestauthentication.Issuer{{Issuer: name}}
	}
	return Mesh{
		Catalogue: catalogue.Catalogue{
			Hosts:    catalogue.Hosts{Security: "security.company.com", API: "api.company.com"},
			Roles:    map[string][]string{"admin": {"admin", "root"}},
			Services: services,
		},
		TrustDomain: "mcp.company.com",
		Namespaces:  Namespaces{"istio-system", "istio-ingress", "istio-egress", "mcp-security", "observability"},
		Gateways:    Gateways{"public", "internal", "egress"},
		Tokens:      Tokens{Users: issuer("users"), Machines: issuer("machines"), RolesClaim: []string{"roles"}},
		Collector:   Collector{"observability", 4317},
	}
}

// refuse is the exact negation of admission, as alternatives of which one suffices.
func TestRefuseNegatesAdmission(t *testing.T) {
	not := func(claim, value string, more ...string) authorization.Condition {
		return authorization.NoClaim([]string{claim}, value, more...)
	}
	for name, tc := range map[string]struct {
		admitted catalogue.Admitted
		want     [][]authorization.Condition
	}{
		"nobody":             {catalogue.Admitted{}, [][]authorization.Condition{nil}},
		"users":              {catalogue.Admitted{Users: true}, [][]authorization.Condition{{not("iss", "users")}}},
		"machines":           {catalogue.Admitted{Machines: true}, [][]authorization.Condition{{not("iss", "machines")}}},
		"users and machines": {catalogue.Admitted{Users: true, Machines: true}, [][]authorization.Condition{{not("iss", "users", "machines")}}},
		"users and a role":   {catalogue.Admitted{Users: true, Roles: []string{"admin"}}, [][]authorization.Condition{{not("iss", "users")}}},
		"a role": {catalogue.Admitted{Roles: []string{"admin"}}, [][]authorization.Condition{
			{not("iss", "users")}, {not("roles", "admin", "root")},
		}},
		"a role and machines": {catalogue.Admitted{Machines: true, Roles: []string{"admin"}}, [][]authorization.Condition{
			{not("iss", "machines", "users")}, {not("iss", "machines"), not("roles", "admin", "root")},
		}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, mesh().refuse(tc.admitted)) })
	}
}

// A role counts in a user's token only.
func TestRoleIsBoundToAnIssuerOfUsers(t *testing.T) {
	assert.Equal(t, []authorization.Condition{
		authorization.Claim([]string{"iss"}, "users"),
		authorization.Claim([]string{"roles"}, "admin", "root"),
	}, mesh().admit(catalogue.Roles("admin")))
	assert.Empty(t, mesh().admit(catalogue.Public()))
}

func TestServicesWithoutRoutesAreCalledByTheirPort(t *testing.T) {
	store := catalogue.Service{Name: "store", Port: catalogue.Port{Number: 5432, Protocol: catalogue.TCP}}
	app := catalogue.Service{Name: "app", Port: catalogue.Port{Number: 8080, Protocol: catalogue.HTTP}, Calls: []catalogue.Call{{Service: "store"}}}
	m := mesh(store, app)
	policies := m.atService(store)
	require.Len(t, policies, 1)
	rules := policies[0].Object().Spec.Rules
	require.Len(t, rules, 1)
	assert.Equal(t, []string{"mcp.company.com/ns/mcp-security/sa/app"}, rules[0].From[0].Source.Principals)
	assert.Equal(t, []string{"5432"}, rules[0].To[0].Operation.Ports)
	assert.Empty(t, rules[0].To[0].Operation.Paths)
	assert.Empty(t, m.atService(app), "nobody calls it")
	assert.Empty(t, m.atGateway(app), "it has no routes")
	assert.Empty(t, m.serviceNetwork(store).Egress)
}

func TestCollectorOfAnotherTeamGetsNoPolicy(t *testing.T) {
	m := mesh()
	assert.Len(t, m.atCollector(), 1)
	m.Collector.Namespace = "monitoring"
	assert.Empty(t, m.atCollector())
	assert.Empty(t, m.observabilityNetwork().Ingress)
}

func TestDeclaredCycleIsDrawn(t *testing.T) {
	a := catalogue.Service{Name: "a", Calls: []catalogue.Call{{Service: "b"}}}
	b := catalogue.Service{Name: "b", Calls: []catalogue.Call{{Service: "a", ClosesCycle: true}}}
	var names []string
	for _, service := range downwards(catalogue.Catalogue{Services: []catalogue.Service{b, a}}) {
		names = append(names, service.Name)
	}
	assert.Equal(t, []string{"a", "b"}, names)
	assert.Contains(t, mesh(a, b).Graph(), "</svg>")
}
