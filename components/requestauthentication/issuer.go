// Package requestauthentication says which tokens (JWT) are believed, and where one
// is required: Istio's RequestAuthentication checks a token that is there but asks
// for none (istio/istio#43982), so one constructor declares both.
package requestauthentication

import (
	securityapi "istio.io/api/security/v1beta1"
)

// Issuer is somebody whose tokens are believed. Its clock and that of a proxy may
// differ by 60 s, which is what Envoy assumes; Istio's RequestAuthentication has no
// field for it, so that a larger skew must be mended at the issuer, by an earlier
// "nbf" or a later "exp".
type Issuer struct {
	// Value of the claim `iss`, exactly as in the tokens.
	Issuer string `json:"issuer"`
	// Values of the claim `aud`, of which a token must have one.
	Audiences []string `json:"audiences"`
	// Keys that the tokens are signed with.
	JWKS JWKS `json:"jwks"`
	// Headers that carry the token; with no header, parameter or cookie it is `Authorization: Bearer`.
	FromHeaders []Header `json:"fromHeaders"`
	// Query parameters that carry the token; they end up in access logs, so prefer a header.
	FromParams []string `json:"fromParams"`
	// Cookies that carry the token.
	FromCookies []string `json:"fromCookies"`
}

// Header is a header that carries a token.
type Header struct {
	// Name of the header.
	Name string `json:"name"`
	// Text before the token, with its blank, such as `Bearer `.
	Prefix string `json:"prefix"`
}

// ClaimToHeader is a claim that is copied to a header.
type ClaimToHeader struct {
	// Header that receives the claim.
	Header string `json:"header"`
	// Claim that is copied; `a.b` for a nested one.
	Claim string `json:"claim"`
}

// JWKS are the keys of an issuer: exactly one of its fields is set.
type JWKS struct {
	// The key set itself, as JSON; public keys only.
	Inline string `json:"inline"`
	// Where the key set is fetched from.
	Remote Remote `json:"remote"`
}

// Remote is a key set that is fetched.
type Remote struct {
	// Address (https) of the key set, on a host outside the mesh.
	URI string `json:"uri"`
	// FetchedBy is who fetches it; empty for [ByIstiod]. The stack's istiod is set to
	// fetch, so it is no key of a stack.
	FetchedBy Fetcher `json:"-"`
}

// Fetcher says who fetches a key set, and thus who needs a way to it. It is a
// setting of istiod, PILOT_JWT_ENABLE_REMOTE_JWKS, and the same for the whole mesh.
type Fetcher string

// The kinds of [Fetcher].
const (
	// ByIstiod fetches once for all proxies. While it fails, istiod pushes a key that
	// fits no token, and every token is refused (istio/istio#53260).
	ByIstiod Fetcher = "istiod"
	// ByProxy lets each proxy fetch and cache for itself.
	ByProxy Fetcher = "proxy"
)

// Fetcher returns who fetches the key set, with its default.
func (r Remote) Fetcher() Fetcher {
	if r.FetchedBy == "" {
		return ByIstiod
	}
	return r.FetchedBy
}

// rule returns the issuer as a rule of a RequestAuthentication. It always says where
// the token is: left to itself, Istio also takes it from the query parameter
// "access_token", which ends up in logs.
func (i Issuer) rule(forward bool, copies []ClaimToHeader) *securityapi.JWTRule {
	rule := &securityapi.JWTRule{
		Issuer:               i.Issuer,
		Audiences:            i.Audiences,
		Jwks:                 i.JWKS.Inline,
		JwksUri:              i.JWKS.Remote.URI,
		FromParams:           i.FromParams,
		FromCookies:          i.FromCookies,
		ForwardOriginalToken: forward,
	}
	for _, header := range i.headers() {
		rule.FromHeaders = append(rule.FromHeaders, &securityapi.JWTHeader{Name: header.Name, Prefix: header.Prefix})
	}
	for _, copied := range copies {
		rule.OutputClaimToHeaders = append(rule.OutputClaimToHeaders, &securityapi.ClaimToHeader{Header: copied.Header, Claim: copied.Claim})
	}
	return rule
}
