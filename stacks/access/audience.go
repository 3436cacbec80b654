package access

import (
	"github.com/mcp-security-platform/mesh/components/authorization"
	"github.com/mcp-security-platform/mesh/components/requestauthentication"
	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// admit returns the conditions that a request of the audience meets. A role counts
// in a token of an issuer of users only, so that no machine can claim it.
func (m Mesh) admit(audience catalogue.Audience) []authorization.Condition {
	switch audience.Kind {
	case catalogue.KindUsers:
		return []authorization.Condition{issuedBy(m.Tokens.Users)}
	case catalogue.KindRoles:
		values := m.Catalogue.RoleValues(audience.Roles)
		return []authorization.Condition{
			issuedBy(m.Tokens.Users),
			authorization.Claim(m.Tokens.RolesClaim, values[0], values[1:]...),
		}
	case catalogue.KindMachines:
		return []authorization.Condition{issuedBy(m.Tokens.Machines)}
	default:
		return nil
	}
}

// refuse returns the conditions of which a request meets at least one unless it is
// among the admitted: the negation of "an issuer that suffices, or an issuer of
// users and a role".
func (m Mesh) refuse(admitted catalogue.Admitted) [][]authorization.Condition {
	var enough []requestauthentication.Issuer
	if admitted.Users {
		enough = append(enough, m.Tokens.Users...)
	}
	if admitted.Machines {
		enough = append(enough, m.Tokens.Machines...)
	}
	if len(admitted.Roles) == 0 || admitted.Users {
		return [][]authorization.Condition{notIssuedBy(enough)}
	}
	values := m.Catalogue.RoleValues(admitted.Roles)
	withoutRole := append(notIssuedBy(enough), authorization.NoClaim(m.Tokens.RolesClaim, values[0], values[1:]...))
	return [][]authorization.Condition{
		notIssuedBy(append(enough, m.Tokens.Users...)),
		withoutRole,
	}
}

var issuerClaim = []string{"iss"}

func issuedBy(issuers []requestauthentication.Issuer) authorization.Condition {
	names := issuerNames(issuers)
	return authorization.Claim(issuerClaim, names[0], names[1:]...)
}

// notIssuedBy returns no condition for no issuers: every request meets it.
func notIssuedBy(issuers []requestauthentication.Issuer) []authorization.Condition {
	names := issuerNames(issuers)
	if len(names) == 0 {
		return nil
	}
	return []authorization.Condition{authorization.NoClaim(issuerClaim, names[0], names[1:]...)}
}

func issuerNames(issuers []requestauthentication.Issuer) []string {
	var names []string
	for _, issuer := range issuers {
		names = append(names, issuer.Issuer)
	}
	return names
}
