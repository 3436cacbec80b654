package catalogue

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func route(path Path, audience Audience, methods ...string) Route {
	return Route{Host: APIHost, Path: path, Audience: audience, Methods: methods}
}

func TestGuardsCloseInnerRoutesToOthers(t *testing.T) {
	inner := func(audience Audience, methods ...string) []Route {
		return []Route{route(Prefix("/api"), Users()), route(Prefix("/api/x"), audience, methods...)}
	}
	for name, tc := range map[string]struct {
		routes []Route
		want   []Guard
	}{
		"side by side":        {[]Route{route(Prefix("/a"), Users()), route(Prefix("/ab"), Roles(Admin))}, nil},
		"as wide as around":   {inner(Users()), nil},
		"wider than around":   {[]Route{route(Prefix("/api"), Roles(Admin)), route(Prefix("/api/x"), Users())}, nil},
		"on another host":     {[]Route{{Host: SecurityHost, Path: Prefix("/"), Audience: Public()}, route(Prefix("/x"), Users())}, nil},
		"narrower":            {inner(Roles(Admin)), []Guard{{APIHost, Prefix("/api/x"), AllMethods(), Admitted{Roles: []string{Admin}}}}},
		"other callers":       {inner(Machines()), []Guard{{APIHost, Prefix("/api/x"), AllMethods(), Admitted{Machines: true}}}},
		"undeclared methods":  {inner(Users(), ReadMethods()...), []Guard{{APIHost, Prefix("/api/x"), WriteMethods(), Admitted{}}}},
		"inside an exact one": {[]Route{route(Exact("/api"), Users()), route(Prefix("/api/x"), Roles(Admin))}, nil},
		"some methods": {
			append(inner(Users(), ReadMethods()...), route(Prefix("/api/x"), Roles(Admin), WriteMethods()...)),
			[]Guard{{APIHost, Prefix("/api/x"), WriteMethods(), Admitted{Roles: []string{Admin}}}},
		},
		"an inner route passes its outer guard": {
			append(inner(Roles(Admin)), route(Prefix("/api/x/hooks"), Machines())),
			[]Guard{
				{APIHost, Prefix("/api/x"), AllMethods(), Admitted{Machines: true, Roles: []string{Admin}}},
				{APIHost, Prefix("/api/x/hooks"), AllMethods(), Admitted{Machines: true}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, Guards(tc.routes)) })
	}
}

func TestPathsEndAtSegments(t *testing.T) {
	scans := Prefix("/api/v1/scans/")
	assert.Equal(t, []string{"/api/v1/scans", "/api/v1/scans/*"}, scans.Patterns())
	assert.Equal(t, []string{"/api/v1/scans", "/api/v1/scans/*", "/api/v1/scans%*", "/api/v1/scans;*"}, scans.DenyPatterns())
	assert.Equal(t, []string{"/*"}, Prefix("/").Patterns())
	assert.Equal(t, []string{"/*"}, Prefix("/").DenyPatterns())
	assert.Equal(t, []string{"/healthz"}, Exact("/healthz").DenyPatterns())

	assert.True(t, Prefix("/api/v1/scans/7").within(scans))
	assert.True(t, Exact("/api/v1/scans").within(scans))
	assert.True(t, scans.within(Prefix("/")))
	assert.False(t, Prefix("/api/v1/scansX").within(scans))
	assert.False(t, scans.within(scans))
	assert.False(t, scans.within(Exact("/api/v1/scans")))
}

func TestAudiences(t *testing.T) {
	sets := []Admitted{Public().Admitted(), Users().Admitted(), Roles(Admin).Admitted(), Roles(Admin, Analyst).Admitted(), Machines().Admitted(), {}}
	for i, row := range [][]bool{ // is the row's set in the column's?
		{true, false, false, false, false, false},
		{true, true, false, false, false, false},
		{true, true, true, true, false, false},
		{true, true, false, true, false, false},
		{true, false, false, false, true, false},
		{true, true, true, true, true, true},
	} {
		for j, want := range row {
			assert.Equal(t, want, sets[i].in(sets[j]), "%v in %v", sets[i], sets[j])
		}
	}
	assert.True(t, sets[2].meets(sets[1]))
	assert.True(t, sets[4].meets(sets[0]))
	assert.False(t, sets[4].meets(sets[3]), "no token is a user's and a machine's")
	assert.False(t, sets[5].meets(sets[0]))
}

func TestDefaultIsSound(t *testing.T) {
	c := Default(Hosts{Security: "security.company.com", API: "api.company.com"})
	assert.Empty(t, c.Problems())
	assert.Len(t, c.Services, 7)
	assert.Len(t, c.Edges(), 12)
}

func TestCallUsesPartOfARoute(t *testing.T) {
	scans := route(Prefix("/scans"), Users(), ReadMethods()...)
	for name, tc := range map[string]struct {
		call    Call
		paths   []Path
		methods []string
	}{
		"all":          {Call{}, []Path{Prefix("/scans")}, ReadMethods()},
		"one path":     {Call{Paths: []Path{Exact("/scans/7"), Exact("/other")}}, []Path{Exact("/scans/7")}, ReadMethods()},
		"more than it": {Call{Paths: []Path{Prefix("/")}}, []Path{Prefix("/scans")}, ReadMethods()},
		"one method":   {Call{Methods: []string{"GET", "POST"}}, []Path{Prefix("/scans")}, []string{"GET"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.paths, tc.call.PathsIn(scans))
			assert.Equal(t, tc.methods, tc.call.MethodsIn(scans))
		})
	}
}

func TestAroundAreThoseWhomAGuardKeepsOut(t *testing.T) {
	inner := Route{Host: APIHost, Path: Prefix("/a/b"), Audience: Roles("admin")}
	for name, tc := range map[string]struct {
		outer Audience
		want  string
	}{
		"users":    {Users(), "users"},
		"a role":   {Roles("analyst"), "role analyst"},
		"machines": {Machines(), "machines"},
		"anyone":   {Public(), "anyone"},
	} {
		t.Run(name, func(t *testing.T) {
			routes := []Route{{Host: APIHost, Path: Prefix("/a"), Audience: tc.outer}, inner}
			guards := Guards(routes)
			require.Len(t, guards, 1)
			assert.Equal(t, tc.want, Around(routes, guards[0]).String())
			assert.Equal(t, "role admin", guards[0].Except.String())
		})
	}
	assert.Equal(t, "nobody", Around([]Route{inner}, Guard{Host: APIHost, Path: inner.Path, Methods: ReadMethods()}).String())
	assert.Equal(t, "users and machines", Admitted{Users: true, Machines: true}.String())
}
