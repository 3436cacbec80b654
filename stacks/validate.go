package stacks

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mcp-security-platform/mesh/components/ca"
	"github.com/mcp-security-platform/mesh/components/controlplane"
	"github.com/mcp-security-platform/mesh/components/problem"
)

// Validate returns everything that is wrong with the configuration, each with its
// key. It looks at nothing but the configuration, the chart folder that it names
// and the clock.
func (c *Config) Validate() problem.List {
	var list problem.List
	if c.Environment != Local && c.Environment != Staging && c.Environment != Prod {
		list.Add("environment", string(c.Environment), "choose %s, %s or %s", Local, Staging, Prod)
	}
	list.Within("mesh", c.Mesh.Problems())
	list.Within("hosts", c.Hosts.problems())
	list.Within("istio", c.Istio.problems())
	list.Within("ca", c.CA.problems(c.Mesh.WorkloadCertificateLife()))
	list.Within("istiod", c.Istiod.Problems())
	list.Within("gateways.public", c.Gateways.Public.Problems())
	list.Within("gateways.internal", c.Gateways.Internal.Problems())
	list.Within("gateways.egress", c.Gateways.Egress.Problems())
	list.Within("proxy.resources", c.Proxy.Resources.Problems())
	list.Within("tracing", c.Tracing.Problems())
	list.Within("kubernetes", c.Kubernetes.problems())
	list.Within("tokens", c.Tokens.problems(c.Hosts))
	list.Within("catalogue", c.Catalogue.Problems(c.NewCatalogue()))
	list.Within("access", c.Access.problems(c.NewCatalogue(), time.Now()))
	if c.Environment == Prod {
		c.checkProduction(&list)
	}
	if len(list) == 0 {
		// Deriving access from unsound sources would only add confusing followers.
		list = c.accessProblems()
	}
	for i := range list {
		list[i].Field = key(list[i].Field)
	}
	return list
}

// checkProduction holds production to what keeps it up and closed.
func (c *Config) checkProduction(list *problem.List) {
	const minimumReplicas, minimumZones = 3, 2
	names := []string{"istiod", "gateways.public", "gateways.internal", "gateways.egress"}
	for i, size := range c.sizes() {
		if size.Replicas.Min < minimumReplicas {
			list.Add(names[i]+".replicas.min", size.Replicas.Min, "prod runs at least %d replicas", minimumReplicas)
		}
		if size.Zones < minimumZones {
			list.Add(names[i]+".zones", size.Zones, "prod spreads over at least %d zones", minimumZones)
		}
	}
	if c.Mesh.OutboundTrafficPolicy == controlplane.AllowAny {
		list.Add("mesh.outboundTrafficPolicy", string(c.Mesh.OutboundTrafficPolicy), "prod lets no unknown host be called; use %s", controlplane.RegistryOnly)
	}
}

func (h Hosts) problems() problem.List {
	var list problem.List
	checkHost(&list, "security", h.Security)
	checkHost(&list, "api", h.API)
	if h.Security != "" && h.Security == h.API {
		list.Add("api", h.API, "use a host of its own: the user interface and the API have different policies")
	}
	return list
}

func checkHost(list *problem.List, field, host string) {
	switch {
	case host == "":
		list.Add(field, nil, "set a host name such as %s.company.com", field)
	case len(validation.IsDNS1123Subdomain(host)) > 0 || !strings.Contains(host, "."):
		list.Add(field, host, "use a full lower-case host name without scheme, port, path or wildcard")
	}
}

func (k Kubernetes) problems() problem.List {
	var list problem.List
	for _, cidr := range k.APIServerRanges {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			list.Add("apiServerRanges", cidr, "use CIDR notation such as 10.0.0.1/32")
		}
	}
	for _, port := range k.APIServerPorts {
		if len(validation.IsValidPortNum(port)) > 0 {
			list.Add("apiServerPorts", port, "use a port from 1 to 65535")
		}
	}
	return list
}

func (i Istio) problems() problem.List {
	var list problem.List
	controlplane.CheckVersion(&list, i.Version)
	controlplane.CheckRevision(&list, i.Revision, i.Tag)
	if i.CNI && len(validation.IsDNS1123Label(i.CNINamespace)) > 0 {
		list.Add("cniNamespace", i.CNINamespace, "name an existing namespace that allows privileged pods, such as kube-system")
	}
	if i.ChartFolder != "" {
		i.checkChartFolder(&list)
		return list
	}
	if address, err := url.Parse(i.ChartRepository); err != nil || address.Scheme != "https" || address.Host == "" {
		list.Add("chartRepository", i.ChartRepository, "use the https address of a Helm repository, or set chartFolder")
	}
	return list
}

// checkChartFolder checks that the folder holds every chart, in the version that
// is asked for: a local folder has no version of its own to choose from.
func (i Istio) checkChartFolder(list *problem.List) {
	charts := []string{"base", "istiod", "gateway"}
	if i.CNI {
		charts = append(charts, "cni")
	}
	for _, name := range charts {
		version, err := chartVersion(filepath.Join(i.ChartFolder, name))
		if err != nil {
			list.Add("chartFolder", i.ChartFolder, "it must hold the chart %q (%v)", name, err)
		} else if version != i.Version {
			list.Add("chartFolder", i.ChartFolder, "its chart %q has version %s but istio.version is %s; make them equal", name, version, i.Version)
		}
	}
}

func chartVersion(folder string) (string, error) {
	text, err := os.ReadFile(filepath.Join(folder, "Chart.yaml"))
	if err != nil {
		return "", err
	}
	var chart struct {
		Version string `yaml:"version"`
	}
	if err := yaml.Unmarshal(text, &chart); err != nil {
		return "", fmt.Errorf("read Chart.yaml: %w", err)
	}
	return chart.Version, nil
}

func (c CA) problems(workloadLife time.Duration) problem.List {
	var list problem.List
	switch c.Mode {
	case CAGenerated:
		if c.Provided != (ProvidedCA{}) {
			list.Add("provided", problem.Hidden, "it is not used in mode generated; remove it or set mode to provided")
		}
		list.Within("generated", c.Generated.Problems())
		life := time.Duration(c.Generated.IntermediateDays) * 24 * time.Hour
		if c.Generated.IntermediateDays > 0 && life <= workloadLife {
			list.Add("generated.intermediateDays", c.Generated.IntermediateDays,
				"an intermediate must outlive the workload certificates it signs, which live %s", workloadLife)
		}
	case CAProvided:
		list.Within("provided", c.provided().Problems())
	default:
		list.Add("mode", string(c.Mode), "choose %s or %s", CAGenerated, CAProvided)
	}
	if c.MinimumDays < 1 {
		list.Add("minimumDays", c.MinimumDays, "use 1 day or more")
	}
	return list
}

// source returns where the certificates come from.
func (c CA) source() ca.Source {
	if c.Mode == CAProvided {
		return c.provided()
	}
	return c.Generated
}

func (c CA) provided() ca.Provided {
	return ca.Provided{
		Chain:       c.Provided.Chain,
		PrivateKey:  c.Provided.PrivateKey,
		MinimumLife: time.Duration(c.MinimumDays) * 24 * time.Hour,
		Now:         time.Now(),
	}
}
