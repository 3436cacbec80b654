package catalogue

// Default returns the platform's services. To add one, add its literal here.
func Default(hosts Hosts) Catalogue {
	http := Port{Number: 8080, Protocol: HTTP}
	return Catalogue{
		Hosts: hosts,
		Roles: DefaultRoles(),
		Services: []Service{
			{
				Name:   "web-ui",
				Port:   http,
				Routes: []Route{{Host: SecurityHost, Path: Prefix("/"), Audience: Public()}},
				Calls:  []Call{{Service: "api-gateway"}},
			},
			{
				Name: "api-gateway",
				Port: http,
				Routes: []Route{
					{Host: APIHost, Path: Prefix("/api/v1/"), Audience: Users()},
					{Host: APIHost, Path: Prefix("/api/v1/admin/"), Audience: Roles(Admin)},
					{Host: APIHost, Path: Prefix("/auth/"), Audience: Public()},
					// The issuer of the platform's tokens has its address on this host.
					{Host: SecurityHost, Path: Prefix("/auth/"), Audience: Public()},
					{Host: APIHost, Path: Exact("/healthz"), Methods: ReadMethods(), Audience: Public()},
				},
				Calls: []Call{
					{Service: "scans"}, {Service: "vulnerabilities"}, {Service: "reports"},
					{Service: "integrations"}, {Service: "dashboard"},
				},
			},
			{
				Name: "scans",
				Port: http,
				Routes: []Route{
					{Host: APIHost, Path: Prefix("/api/v1/scans"), Methods: ReadMethods(), Audience: Users()},
					{Host: APIHost, Path: Prefix("/api/v1/scans"), Methods: WriteMethods(), Audience: Roles(Analyst, Admin)},
				},
				Calls: []Call{{Service: "vulnerabilities"}},
			},
			{
				Name:   "vulnerabilities",
				Port:   http,
				Routes: []Route{{Host: APIHost, Path: Prefix("/api/v1/vulnerabilities"), Audience: Users()}},
			},
			{
				Name:   "reports",
				Port:   http,
				Routes: []Route{{Host: APIHost, Path: Prefix("/api/v1/reports"), Audience: Users()}},
				Calls:  []Call{{Service: "scans"}, {Service: "vulnerabilities"}},
			},
			{
				Name: "integrations",
				Port: http,
				Routes: []Route{
					{Host: APIHost, Path: Prefix("/api/v1/integrations"), Methods: ReadMethods(), Audience: Users()},
					{Host: APIHost, Path: Prefix("/api/v1/integrations"), Methods: WriteMethods(), Audience: Roles(Admin)},
					{Host: APIHost, Path: Prefix("/api/v1/integrations/webhooks/"), Audience: Machines()},
				},
				External: []External{
					{Host: "api.github.com"}, {Host: "gitlab.com"}, // source forges
					{Host: "slack.com"}, {Host: "hooks.slack.com"}, // chat
					{Host: "api.atlassian.com"}, // ticketing
				},
				CallsIdentityProviders: true,
			},
			{
				Name:   "dashboard",
				Port:   http,
				Routes: []Route{{Host: APIHost, Path: Prefix("/api/v1/dashboard"), Audience: Users()}},
				Calls:  []Call{{Service: "scans"}, {Service: "vulnerabilities"}, {Service: "reports"}},
			},
		},
	}
}

// The roles that the platform's own services ask for.
const (
	// Admin administers the platform.
	Admin = "admin"
	// Analyst starts and changes scans.
	Analyst = "analyst"
)

// DefaultRoles returns the value of the roles claim for each role: its own name.
func DefaultRoles() map[string][]string {
	return map[string][]string{Admin: {Admin}, Analyst: {Analyst}}
}
