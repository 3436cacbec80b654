// Command istio-charts writes the Helm charts of an Istio release to a folder.
//
// The charts come out of the istio.io/istio module, so a machine that reaches
// only a Go module proxy can install them. They are stamped as Istio's
// release-builder stamps them: chart versions, image hub and image tag.
package main

import (
	"flag"
	"fmt"
	"os"

	"istio.io/istio/manifests"
)

// release is the Istio release that the commit pinned in go.mod became.
var release = stamp{version: "1.29.1", hub: "docker.io/istio"}

func main() {
	to := flag.String("to", "", "folder to write the charts to; it is replaced")
	flag.Parse()
	if *to == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := writeCharts(manifests.FS, release, *to); err != nil {
		fmt.Fprintf(os.Stderr, "istio-charts: %v\n", err)
		os.Exit(1)
	}
}
