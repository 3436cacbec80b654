package access

import (
	"fmt"
	"strings"

	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// Matrix returns the access matrix in Markdown: who may call whom, and which path
// needs what.
func (m Mesh) Matrix() string {
	var text strings.Builder
	m.writeCalls(&text)
	m.writeRoutes(&text)
	m.writeExternal(&text)
	m.writeIssuers(&text)
	m.writeTemporary(&text)
	return text.String()
}

// writeCalls writes a table with callers down and callees across.
func (m Mesh) writeCalls(text *strings.Builder) {
	services := m.Catalogue.Services
	text.WriteString("## Who may call whom\n\nThe caller stands at the left. What is empty is refused, by the mesh and by the network.\n\n")
	row(text, append([]string{"caller"}, names(services)...)...)
	row(text, repeat("---", len(services)+1)...)
	cells := []string{m.Gateways.Public + " (from outside)"}
	for _, callee := range services {
		cells = append(cells, mark(len(callee.Routes) > 0, "routes"))
	}
	row(text, cells...)
	for _, caller := range services {
		cells = []string{caller.Name}
		for _, callee := range services {
			cells = append(cells, callCell(caller, callee))
		}
		row(text, cells...)
	}
}

func callCell(caller, callee catalogue.Service) string {
	for _, call := range caller.Calls {
		if call.Service != callee.Name {
			continue
		}
		cell := strings.Join(append(call.Methods, pathNames(call.Paths)...), " ")
		return mark(true, strings.TrimSpace("yes "+cell))
	}
	return ""
}

// writeRoutes writes a row per route.
func (m Mesh) writeRoutes(text *strings.Builder) {
	text.WriteString("\n## Which path needs what\n\n" +
		"The longest matching path counts, and `…` is everything below it. What no row names is refused.\n" +
		"A service that may call another uses the same paths; where a role or a machine is asked\n" +
		"for it passes such a token on, and where users are its own identity will do.\n\n")
	row(text, "host", "path", "methods", "who", "service")
	row(text, repeat("---", 5)...)
	for _, service := range m.Catalogue.Services {
		for _, route := range service.Routes {
			who := route.Audience.String()
			if route.Audience.Kind == catalogue.KindRoles {
				who += " (" + strings.Join(m.Catalogue.RoleValues(route.Audience.Roles), ", ") + ")"
			}
			row(text, m.Catalogue.Host(route.Host), "`"+route.Path.String()+"`", methodNames(route), who, service.Name)
		}
	}
}

func (m Mesh) writeExternal(text *strings.Builder) {
	text.WriteString("\n## What leaves the mesh\n\nThrough the egress gateway only, with TLS.\n\n")
	row(text, "service", "host", "port")
	row(text, repeat("---", 3)...)
	for _, service := range m.Catalogue.Services {
		for _, external := range service.External {
			row(text, service.Name, external.Host, fmt.Sprint(external.Number()))
		}
	}
}

func (m Mesh) writeIssuers(text *strings.Builder) {
	text.WriteString("\n## Whose tokens count\n\n")
	row(text, "issuer", "audience", "for", "roles in claim")
	row(text, repeat("---", 4)...)
	for _, issuer := range m.Tokens.Users {
		row(text, issuer.Issuer, strings.Join(issuer.Audiences, ", "), "users", "`"+strings.Join(m.Tokens.RolesClaim, ".")+"`")
	}
	for _, issuer := range m.Tokens.Machines {
		row(text, issuer.Issuer, strings.Join(issuer.Audiences, ", "), "machines", "")
	}
}

func row(text *strings.Builder, cells ...string) {
	text.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func repeat(cell string, count int) []string {
	var cells []string
	for range count {
		cells = append(cells, cell)
	}
	return cells
}

func names(services []catalogue.Service) []string {
	var all []string
	for _, service := range services {
		all = append(all, service.Name)
	}
	return all
}

func pathNames(paths []catalogue.Path) []string {
	var all []string
	for _, path := range paths {
		all = append(all, "`"+path.String()+"`")
	}
	return all
}

// methodNames returns the methods of a route in as few words as possible.
func methodNames(route catalogue.Route) string {
	switch text := strings.Join(route.AllowedMethods(), " "); text {
	case strings.Join(catalogue.AllMethods(), " "):
		return "all"
	case strings.Join(catalogue.ReadMethods(), " "):
		return "read"
	case strings.Join(catalogue.WriteMethods(), " "):
		return "write"
	default:
		return text
	}
}

func mark(yes bool, text string) string {
	if yes {
		return text
	}
	return ""
}
