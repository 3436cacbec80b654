package authorization

import "strings"

// Condition matches a request by an attribute.
type Condition struct {
	key       string
	claim     []string
	values    []string
	notValues []string
}

// Claim matches a request whose valid token has one of the values in a claim, be it
// a text or a list; path has more than one name for a nested claim. Machine clients
// are told by the claim "iss" this way: to match any request principal would refuse
// tokens without a subject (istio/istio#59541).
func Claim(path []string, value string, more ...string) Condition {
	return Condition{key: claimKey(path), claim: path, values: append([]string{value}, more...)}
}

// NoClaim matches a request without a valid token, or with one that has none of
// the values in a claim. Only a policy that denies may have it.
func NoClaim(path []string, value string, more ...string) Condition {
	return Condition{key: claimKey(path), claim: path, notValues: append([]string{value}, more...)}
}

// ServerName matches a TLS connection by the name that its client asks for.
func ServerName(host string, more ...string) Condition {
	return Condition{key: "connection.sni", values: append([]string{host}, more...)}
}

func claimKey(path []string) string {
	return "request.auth.claims[" + strings.Join(path, "][") + "]"
}
