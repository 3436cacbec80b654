package requestauthentication

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/mcp-security-platform/mesh/components/problem"
)

// Problems returns what is wrong with the issuer, with fields relative to it.
func (i Issuer) Problems() problem.List {
	var list problem.List
	if i.Issuer == "" {
		list.Add("issuer", nil, "set the value of the claim iss")
	} else if strings.ContainsAny(i.Issuer, "* ") {
		list.Add("issuer", i.Issuer, "use the literal value of the claim iss")
	}
	if len(i.Audiences) == 0 {
		list.Add("audiences", nil, "name at least one: without it a token for another application would do")
	}
	if slices.Contains(i.Audiences, "") {
		list.Add("audiences", "", "use the values of the claim aud")
	}
	list.Within("jwks", i.JWKS.problems())
	i.checkLocations(&list)
	return list
}

var headerName = regexp.MustCompile(`^[-_A-Za-z0-9]+$`)

func (i Issuer) checkLocations(list *problem.List) {
	var names []string
	for _, header := range i.FromHeaders {
		names = append(names, strings.ToLower(header.Name))
	}
	for _, kind := range []struct {
		field string
		names []string
	}{{"fromHeaders", names}, {"fromParams", i.FromParams}, {"fromCookies", i.FromCookies}} {
		for j, name := range kind.names {
			if !headerName.MatchString(name) {
				list.Add(kind.field, name, "use letters, digits, dashes and underscores")
			}
			if slices.Contains(kind.names[:j], name) {
				list.Add(kind.field, name, "name a location once")
			}
		}
	}
}

// CheckCopies adds what is wrong with claims that are copied to headers.
func CheckCopies(list *problem.List, copies []ClaimToHeader, issuers []Issuer) {
	var carriers []string
	for _, issuer := range issuers {
		for _, header := range issuer.headers() {
			carriers = append(carriers, strings.ToLower(header.Name))
		}
	}
	var seen []string
	for _, copied := range copies {
		header := strings.ToLower(copied.Header)
		switch {
		case !headerName.MatchString(header):
			list.Add("claimsToHeaders", copied.Header, "use a header name of letters, digits, dashes and underscores")
		case copied.Claim == "":
			list.Add("claimsToHeaders", copied.Header, "name the claim to copy")
		case slices.Contains(seen, header):
			list.Add("claimsToHeaders", copied.Header, "copy one claim to a header")
		case slices.Contains(carriers, header):
			list.Add("claimsToHeaders", copied.Header, "use another header: this one carries tokens")
		}
		seen = append(seen, header)
	}
}

func (j JWKS) problems() problem.List {
	var list problem.List
	switch {
	case j.Inline == "" && j.Remote.URI == "":
		list.Add("inline", nil, "give the key set, or remote.uri to fetch it from")
	case j.Inline != "" && j.Remote != (Remote{}):
		list.Add("inline", shorten(j.Inline), "give the key set or remote, not both")
	case j.Inline != "":
		checkKeys(&list, j.Inline)
	default:
		list.Within("remote", j.Remote.problems())
	}
	return list
}

func (r Remote) problems() problem.List {
	var list problem.List
	if address, err := url.Parse(r.URI); err != nil || address.Scheme != "https" || address.Host == "" || address.User != nil {
		list.Add("uri", r.URI, "use an https address: whoever can change the keys can make tokens")
	}
	if by := r.Fetcher(); by != ByIstiod && by != ByProxy {
		list.Add("fetchedBy", string(by), "choose %s or %s", ByIstiod, ByProxy)
	}
	return list
}

// checkKeys adds what is wrong with a key set; a private key is never shown.
func checkKeys(list *problem.List, text string) {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal([]byte(text), &set); err != nil || len(set.Keys) == 0 {
		list.Add("inline", problem.Hidden, `use a JSON Web Key Set, {"keys": [...]}, with at least one key`)
		return
	}
	for i, key := range set.Keys {
		kind, _ := key["kty"].(string)
		_, private := key["d"]
		switch {
		case private || kind == "oct":
			list.Add("inline", problem.Hidden, "keys[%d] is private: whoever reads it can make tokens; replace the key pair and give the public key", i)
		case kind != "RSA" && kind != "EC" && kind != "OKP":
			list.Add("inline", problem.Hidden, "keys[%d] has kty %q; use RSA, EC or OKP", i, kind)
		}
	}
}

func shorten(text string) string {
	if len(text) > 40 {
		return text[:40] + "…"
	}
	return text
}

// CheckTogether adds what is wrong with issuers side by side; fields names each.
func CheckTogether(list *problem.List, issuers []Issuer, fields []string) {
	for j, later := range issuers {
		for k, earlier := range issuers[:j] {
			if later.Issuer != "" && later.Issuer == earlier.Issuer {
				list.Add(fields[j]+".issuer", later.Issuer, "%s has it already; name an issuer once", fields[k])
			}
			for _, header := range later.headers() {
				clash := func(h Header) bool { return strings.EqualFold(h.Name, header.Name) && h.Prefix != header.Prefix }
				if slices.ContainsFunc(earlier.headers(), clash) {
					list.Add(fields[j]+".fromHeaders", header.Name, "%s reads it with another prefix; use a header of its own or the same prefix", fields[k])
				}
			}
			if a, b := later.JWKS.Remote, earlier.JWKS.Remote; a.URI != "" && b.URI != "" && a.Fetcher() != b.Fetcher() {
				list.Add(fields[j]+".jwks.remote.fetchedBy", string(a.Fetcher()), "%s has %s; istiod knows one way for the whole mesh", fields[k], b.Fetcher())
			}
		}
	}
}

// headers returns the headers that carry the token, with their default.
func (i Issuer) headers() []Header {
	if len(i.FromHeaders)+len(i.FromParams)+len(i.FromCookies) == 0 {
		return []Header{{Name: "Authorization", Prefix: "Bearer "}}
	}
	return i.FromHeaders
}

func (a Args) problems() problem.List {
	var list problem.List
	if len(a.Issuers) == 0 {
		list.Add("issuers", nil, "name at least one")
	}
	var fields []string
	for i, issuer := range a.Issuers {
		fields = append(fields, fmt.Sprintf("issuers[%d]", i))
		list.Within(fields[i], issuer.Problems())
	}
	CheckTogether(&list, a.Issuers, fields)
	CheckCopies(&list, a.ClaimsToHeaders, a.Issuers)
	if len(a.Required.Operations) == 0 {
		list.Add("required.operations", nil, "say where a token is required; without it requests without a token pass")
	}
	if len(list) == 0 {
		list.Within("required", a.Policy("required").Problems())
	}
	return list
}
