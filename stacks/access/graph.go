package access

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/mcp-security-platform/mesh/stacks/catalogue"
)

// The measures of the drawing, in pixels.
const (
	lineHeight  = 22
	rowGap      = 18
	boxLeft     = 490
	boxWidth    = 170
	headHeight  = 92
	portSpacing = 11
	smallLine   = 14
)

// palette holds a colour for each caller, told apart by colour-blind people, too.
var palette = [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#7a4fbf", "#555555"}

// drawing is the access matrix as a picture: services one below the other, so that
// every call leads downwards; their routes at the left, their calls at the right.
type drawing struct {
	strings.Builder
	mesh Mesh
	rows []drawn
}

// drawn is a service at its place.
type drawn struct {
	service      catalogue.Service
	top, height  int
	colour       string
	nextIn, next int // where its next arrow ends and starts
}

// Graph returns the access matrix as an SVG picture.
func (m Mesh) Graph() string {
	d := &drawing{mesh: m}
	height := d.place()
	// A cubic curve bulges out to three quarters of its control points.
	width := boxLeft + boxWidth + 3*reach(len(d.rows)-1)/4 + 40
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="Helvetica, Arial, sans-serif" font-size="13">`+"\n", width, height, width, height)
	d.line(`<title>Who may call whom, and which path needs what</title>`)
	d.line(`<rect width="100%" height="100%" fill="#ffffff"/>`)
	d.head()
	for i := range d.rows {
		d.service(i)
	}
	for i := range d.rows {
		d.calls(i)
	}
	d.line(`</svg>`)
	return d.String()
}

func (d *drawing) line(text string) { d.WriteString(text + "\n") }

// place orders the services and returns the height of the drawing.
func (d *drawing) place() int {
	top := headHeight
	for i, service := range downwards(d.mesh.Catalogue) {
		row := drawn{service: service, top: top, colour: palette[i%len(palette)]}
		callers := d.callers(service)
		arrows := portSpacing * (callers + len(service.Calls) + 1)
		row.height = max(lineHeight*len(service.Routes)+14, 36+smallLine*len(service.External), arrows, 52)
		// The farthest caller arrives last and lowest: its arrow is the outermost.
		row.nextIn = row.top + portSpacing*callers
		row.next = row.nextIn + portSpacing
		top += row.height + rowGap
		d.rows = append(d.rows, row)
	}
	return top
}

// callers counts the services that call another.
func (d *drawing) callers(callee catalogue.Service) int {
	count := 0
	for _, edge := range d.mesh.Catalogue.Edges() {
		if edge.Callee.Name == callee.Name {
			count++
		}
	}
	return count
}

// downwards returns the services in an order in which each stands above those that
// it calls; of a declared cycle, the call that closes it leads upwards.
func downwards(c catalogue.Catalogue) []catalogue.Service {
	var order []catalogue.Service
	seen := map[string]bool{}
	var visit func(catalogue.Service)
	visit = func(service catalogue.Service) {
		if seen[service.Name] {
			return
		}
		seen[service.Name] = true
		for _, call := range service.Calls {
			if callee, known := c.Service(call.Service); known && !call.ClosesCycle {
				visit(callee)
			}
		}
		order = append([]catalogue.Service{service}, order...)
	}
	for _, service := range slices.Backward(c.Services) {
		visit(service)
	}
	return order
}

func (d *drawing) head() {
	d.line(`<text x="24" y="32" font-size="18" font-weight="bold">Who may do what</text>`)
	fmt.Fprintf(d, `<text x="24" y="72" fill="#555">From outside, on %s if not said otherwise</text>`+"\n", d.mesh.Catalogue.Hosts.API)
	fmt.Fprintf(d, `<text x="%d" y="72" fill="#555">Service</text>`+"\n", boxLeft)
	fmt.Fprintf(d, `<text x="%d" y="72" fill="#555">Calls, in the caller's colour</text>`+"\n", boxLeft+boxWidth+24)
	x := 250
	for _, audience := range []catalogue.Audience{catalogue.Public(), catalogue.Users(), {Kind: catalogue.KindRoles}, catalogue.Machines()} {
		label := audience.String()
		if audience.Kind == catalogue.KindRoles {
			label = "users with a role"
		}
		fmt.Fprintf(d, `<rect x="%d" y="20" width="12" height="12" rx="3" fill="%s"/><text x="%d" y="31">%s</text>`+"\n", x, audienceColour(audience), x+18, label)
		x += 46 + 7*len(label)
	}
}

// audienceColour gets darker the fewer are let in.
func audienceColour(audience catalogue.Audience) string {
	switch audience.Kind {
	case catalogue.KindPublic:
		return "#8fd19e"
	case catalogue.KindUsers:
		return "#a9c9f5"
	case catalogue.KindRoles:
		return "#f2b8a0"
	default:
		return "#d9c2f0"
	}
}

func (d *drawing) service(i int) {
	row := d.rows[i]
	fmt.Fprintf(d, `<rect x="%d" y="%d" width="%d" height="%d" rx="8" fill="#fafafa" stroke="%s" stroke-width="2"/>`+"\n", boxLeft, row.top, boxWidth, row.height, row.colour)
	fmt.Fprintf(d, `<text x="%d" y="%d" font-weight="bold" font-size="15">%s</text>`+"\n", boxLeft+14, row.top+24, html.EscapeString(row.service.Name))
	for j, external := range row.service.External {
		fmt.Fprintf(d, `<text x="%d" y="%d" font-size="11" fill="#555">↗ %s</text>`+"\n", boxLeft+14, row.top+42+j*smallLine, html.EscapeString(external.Host))
	}
	first := row.top + (row.height-lineHeight*len(row.service.Routes))/2
	for j, route := range row.service.Routes {
		d.route(route, first+j*lineHeight)
	}
}

// route draws a route at the left of its service.
func (d *drawing) route(route catalogue.Route, top int) {
	label := route.Path.String()
	if route.Host == catalogue.SecurityHost {
		label += "  on " + d.mesh.Catalogue.Host(route.Host)
	}
	who := route.Audience.String()
	if methods := methodNames(route); methods != "all" {
		who = methods + ": " + who
	}
	width := 16 + 7*len(who)
	fmt.Fprintf(d, `<text x="24" y="%d" font-family="Menlo, Consolas, monospace" font-size="12">%s</text>`+"\n", top+15, html.EscapeString(label))
	fmt.Fprintf(d, `<rect x="%d" y="%d" width="%d" height="18" rx="9" fill="%s"/><text x="%d" y="%d" font-size="12" text-anchor="middle">%s</text>`+"\n",
		boxLeft-24-width, top+1, width, audienceColour(route.Audience), boxLeft-24-width/2, top+14, html.EscapeString(who))
	fmt.Fprintf(d, `<path d="M%d %d H%d" stroke="#999"/>`+"\n", boxLeft-24, top+10, boxLeft)
}

// calls draws an arrow to each service that row i calls, the farthest outermost.
func (d *drawing) calls(i int) {
	row := &d.rows[i]
	targets := make([]int, 0, len(row.service.Calls))
	for j, other := range d.rows {
		if slices.ContainsFunc(row.service.Calls, func(c catalogue.Call) bool { return c.Service == other.service.Name }) {
			targets = append(targets, j)
		}
	}
	// The farthest starts first, that is at the top, so that arrows of one service do
	// not cross.
	for _, j := range slices.Backward(targets) {
		target := &d.rows[j]
		from, to := row.next, target.nextIn
		row.next += portSpacing
		target.nextIn -= portSpacing
		right := boxLeft + boxWidth
		bend := right + reach(max(j-i, i-j))
		fmt.Fprintf(d, `<path d="M%d %d C%d %d %d %d %d %d" fill="none" stroke="%s" stroke-width="2"/>`+"\n", right, from, bend, from, bend, to, right+9, to, row.colour)
		fmt.Fprintf(d, `<path d="M%d %d l10 -4 v8 z" fill="%s"/>`+"\n", right+1, to, row.colour)
	}
}

// reach is how far to the right an arrow over some rows is pulled.
func reach(rows int) int { return 40 + 46*rows }
