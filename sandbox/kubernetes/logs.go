package main

import (
	"bytes"
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
	errors := errorLog{w}
	for severity, output := range map[string]io.Writer{
		"INFO": io.Discard, "WARNING": io.Discard, "ERROR": errors, "FATAL": errors,
	} {
		klog.SetOutputBySeverity(severity, output)
	}
	// The controllers watch deprecated APIs on purpose, and would warn of each.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
}

// errorLog drops the lines that are written as errors and are none here.
type errorLog struct {
	io.Writer
}

// Write writes one line, or keeps silent about it.
func (l errorLog) Write(line []byte) (int, error) {
	for _, harmless := range []string{
		// Each autoscaler says so at each look: there is no metrics API.
		"from resource metrics API",
		// The controllers retry as soon as their cache has caught up.
		"is not as new as written version",
		// Another deletion came first, as it does when an owner goes.
		` not found","pod":`,
		"The manifest file is empty, ignoring",
	} {
		if bytes.Contains(line, []byte(harmless)) {
			return len(line), nil
		}
	}
	return l.Writer.Write(line)
}
