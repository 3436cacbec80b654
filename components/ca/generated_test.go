package ca

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func goodGenerated() Generated {
	return Generated{
		Algorithm: ECDSA, ECDSACurve: "P256", RSABits: 4096, RootDays: 3650, IntermediateDays: 365, Generation: 1,
		Subject: Subject{CommonName: "Mesh CA", Organization: "Company", Country: "CH"},
	}
}

func TestGenerated(t *testing.T) {
	for name, change := range map[string]func(*Generated){
		"ECDSA P-256": func(*Generated) {},
		"ECDSA P-384": func(g *Generated) { g.ECDSACurve = "P384" },
		"RSA":         func(g *Generated) { g.Algorithm, g.RSABits, g.ECDSACurve = RSA, 3072, "" },
		"no country":  func(g *Generated) { g.Subject.Country = "" },
		"rotated":     func(g *Generated) { g.Generation = 7 },
	} {
		t.Run("accepts "+name, func(t *testing.T) {
			g := goodGenerated()
			change(&g)
			assert.Empty(t, g.Problems())
		})
	}
	for name, tc := range map[string]struct {
		change func(*Generated)
		field  string
	}{
		"unknown algorithm":     {func(g *Generated) { g.Algorithm = "DSA" }, "algorithm"},
		"short RSA key":         {func(g *Generated) { g.Algorithm, g.RSABits = RSA, 1024 }, "rsaBits"},
		"curve":                 {func(g *Generated) { g.ECDSACurve = "P224" }, "ecdsaCurve"},
		"no intermediate life":  {func(g *Generated) { g.IntermediateDays = 0 }, "intermediateDays"},
		"root too short":        {func(g *Generated) { g.RootDays = 365 }, "rootDays"},
		"generation zero":       {func(g *Generated) { g.Generation = 0 }, "generation"},
		"no common name":        {func(g *Generated) { g.Subject.CommonName = "" }, "subject.commonName"},
		"no organization":       {func(g *Generated) { g.Subject.Organization = "  " }, "subject.organization"},
		"country name in words": {func(g *Generated) { g.Subject.Country = "Peru" }, "subject.country"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			g := goodGenerated()
			tc.change(&g)
			problems := g.Problems()
			require.Len(t, problems, 1)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}

func TestArgsNeedASourceAndANamespace(t *testing.T) {
	assert.Empty(t, Args{Namespace: "istio-system", Source: goodGenerated()}.problems())
	assert.Len(t, Args{}.problems(), 2)
	assert.Len(t, Args{Namespace: "istio-system", Source: Generated{}}.problems(), 6)
}
