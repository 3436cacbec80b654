package main

import "fmt"

// Addresses of the sandbox. ClusterIPs and load balancers are on loopback: a
// local process can stand in for the pods behind a Service by listening there,
// and the API server's webhook calls reach it, without routes or privileges.
// Pods cannot be on loopback, since Kubernetes refuses such endpoints; theirs
// are of RFC 2544, which no network routes.
const (
	serviceRange = "127.96.0.0/16"
	apiServiceIP = "127.96.0.1"
	advertisedIP = "192.0.2.1"
)

// nodeIP is the address of the node with that index.
func nodeIP(index int) string {
	return fmt.Sprintf("198.18.0.%d", index+1)
}

// podRange is the range of the pods on the node with that index; a /24 holds the 250 it takes.
func podRange(index int) string {
	return fmt.Sprintf("198.18.%d.0/24", index+1)
}
