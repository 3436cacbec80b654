// Package shim reaches the internal package of the Terraform TLS provider.
//
// Go lets a package import ".../internal/..." only from below the same path,
// so this one is a module of its own whose path continues the provider's.
package shim

import (
	"github.com/hashicorp/terraform-plugin-framework/provider"
	tls "github.com/hashicorp/terraform-provider-tls/internal/provider"
)

// NewProvider returns the Terraform TLS provider.
func NewProvider() provider.Provider { return tls.New() }
