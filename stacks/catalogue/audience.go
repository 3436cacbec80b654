package catalogue

import (
	"slices"
	"strings"
)

// AudienceKind is a kind of callers.
type AudienceKind string

// The kinds of [AudienceKind].
const (
	// KindPublic is anyone, with a token or without.
	KindPublic AudienceKind = "public"
	// KindUsers is whoever holds a token of an issuer of users.
	KindUsers AudienceKind = "users"
	// KindRoles is a user who has one of some roles.
	KindRoles AudienceKind = "roles"
	// KindMachines is whoever holds a token of an issuer of machines.
	KindMachines AudienceKind = "machines"
)

// Audience says who may use a route. Its zero value is nobody, so that a route
// without a declared audience is a mistake and not an opening.
type Audience struct {
	// Kind of callers: `public`, `users`, `roles` or `machines`.
	Kind AudienceKind `json:"kind"`
	// Roles of which a user must have one; with kind `roles` only.
	Roles []string `json:"roles"`
}

// Public is anyone.
func Public() Audience { return Audience{Kind: KindPublic} }

// Users is every user.
func Users() Audience { return Audience{Kind: KindUsers} }

// Roles is every user who has at least one of the roles.
func Roles(role string, more ...string) Audience {
	return Audience{Kind: KindRoles, Roles: append([]string{role}, more...)}
}

// Machines is every machine client.
func Machines() Audience { return Audience{Kind: KindMachines} }

// String returns the audience in the words of the access matrix.
func (a Audience) String() string {
	switch a.Kind {
	case KindPublic:
		return "anyone"
	case KindRoles:
		return "role " + strings.Join(a.Roles, " or ")
	case "":
		return "nobody"
	default:
		return string(a.Kind)
	}
}

// Admitted is a set of callers. Its zero value is nobody.
type Admitted struct {
	// Anyone, Users and Machines are whole kinds of callers.
	Anyone, Users, Machines bool
	// Roles are the roles of the users that are in the set.
	Roles []string
}

// String returns the set in the words of the access matrix.
func (a Admitted) String() string {
	var parts []string
	if a.Users {
		parts = append(parts, "users")
	}
	if len(a.Roles) > 0 {
		parts = append(parts, Audience{Kind: KindRoles, Roles: a.Roles}.String())
	}
	if a.Machines {
		parts = append(parts, "machines")
	}
	switch {
	case a.Anyone:
		return "anyone"
	case len(parts) == 0:
		return "nobody"
	}
	return strings.Join(parts, " and ")
}

// Admitted returns the callers of the audience.
func (a Audience) Admitted() Admitted {
	return Admitted{
		Anyone:   a.Kind == KindPublic,
		Users:    a.Kind == KindUsers,
		Machines: a.Kind == KindMachines,
		Roles:    a.Roles,
	}
}

// union returns the callers of both sets.
func (a Admitted) union(b Admitted) Admitted {
	roles := slices.Concat(a.Roles, b.Roles)
	slices.Sort(roles)
	return Admitted{a.Anyone || b.Anyone, a.Users || b.Users, a.Machines || b.Machines, slices.Compact(roles)}
}

// in says whether b holds all callers of a.
func (a Admitted) in(b Admitted) bool {
	if b.Anyone {
		return true
	}
	for _, role := range a.Roles {
		if !b.Users && !slices.Contains(b.Roles, role) {
			return false
		}
	}
	return !a.Anyone && (!a.Users || b.Users) && (!a.Machines || b.Machines)
}

// meets says whether somebody may be in both sets: no token is a user's and a
// machine's at once, but a user may have any roles together.
func (a Admitted) meets(b Admitted) bool {
	users := func(s Admitted) bool { return s.Anyone || s.Users || len(s.Roles) > 0 }
	machines := func(s Admitted) bool { return s.Anyone || s.Machines }
	return users(a) && users(b) || machines(a) && machines(b)
}

// parts returns the set as sets of one kind each.
func (a Admitted) parts() []Admitted {
	all := []Admitted{{Anyone: a.Anyone}, {Users: a.Users}, {Machines: a.Machines}}
	for _, role := range a.Roles {
		all = append(all, Admitted{Roles: []string{role}})
	}
	return all
}
