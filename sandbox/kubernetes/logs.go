package main

import (
	"flag"
	"io"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// configureLogs lets the components' errors through to w and drops the rest:
// four components in one process write a flood, and most of their warnings
// are about what this cluster leaves out on purpose.
func configureLogs(w io.Writer) {
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{
		"logtostderr":     "false",
		"one_output":      "true",
		"stderrthreshold": "FATAL",
	} {
		// The names and values are klog's own; Set cannot fail on them.
		_ = flags.Set(name, value)
	}
	for severity, output := range map[string]io.Writer{
		"INFO": io.Discard, "WARNING": io.Discard, "ERROR": w, "FATAL": w,
	} {
		klog.SetOutputBySeverity(severity, output)
	}
	// The controllers watch deprecated APIs on purpose, and would warn of each.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
}
