package requestauthentication

import (
	"net/url"
	"strconv"
)

// Egress is a way out of the mesh that a remote key set needs: name resolution, a
// network policy, and an alert for when it fails.
type Egress struct {
	// By is who needs it.
	By Fetcher
	// Host and Port are where it leads.
	Host string
	Port int
}

// EgressNeeds returns the ways out that the issuers' key sets need, each once.
func EgressNeeds(issuers []Issuer) []Egress {
	var needs []Egress
	seen := map[Egress]bool{}
	for _, issuer := range issuers {
		address, err := url.Parse(issuer.JWKS.Remote.URI)
		if err != nil || address.Host == "" {
			continue // an inline key set; a bad address is refused before
		}
		need := Egress{By: issuer.JWKS.Remote.Fetcher(), Host: address.Hostname(), Port: 443}
		if port, err := strconv.Atoi(address.Port()); err == nil {
			need.Port = port
		}
		if !seen[need] {
			seen[need] = true
			needs = append(needs, need)
		}
	}
	return needs
}
