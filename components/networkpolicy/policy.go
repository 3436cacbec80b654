// Package networkpolicy declares who may open a connection to whom, as Kubernetes
// NetworkPolicies: the layer below the mesh, which holds even where a proxy is
// bypassed.
package networkpolicy

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Policy says which connections some pods of a namespace accept and open; what no
// policy of theirs names is refused, both ways.
type Policy struct {
	// Name is the name of the policy.
	Name string
	// Namespace is that of the pods.
	Namespace string
	// Pods are labels of the pods; empty for the whole namespace.
	Pods map[string]string
	// Ingress are the connections that the pods accept.
	Ingress []Rule
	// Egress are the connections that the pods open.
	Egress []Rule
}

// Rule is one kind of connections: with any of the peers, to any of the ports.
type Rule struct {
	// Peers are the other ends. At least one.
	Peers []Peer
	// Ports are the ports at the end that accepts. At least one.
	Ports []Port
}

// DefaultDeny returns the policy that refuses every connection of a namespace that
// no other policy names.
func DefaultDeny(namespace string) Policy {
	return Policy{Name: "default-deny", Namespace: namespace}
}

// Peer is the other end of a connection.
type Peer struct {
	api networkingv1.NetworkPolicyPeer
}

// Pods returns the pods of a namespace that have the labels.
func Pods(namespace string, labels map[string]string) Peer {
	peer := Namespace(namespace)
	peer.api.PodSelector = &metav1.LabelSelector{MatchLabels: labels}
	return peer
}

// Namespace returns every pod of a namespace.
func Namespace(name string) Peer {
	return Peer{networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: name}},
	}}
}

// Range returns the addresses of a network in CIDR notation.
func Range(cidr string) Peer {
	return Peer{networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: cidr}}}
}

// Anywhere returns every address, inside the cluster and out.
func Anywhere() []Peer { return []Peer{Range("0.0.0.0/0"), Range("::/0")} }

// Outside returns every address but those where clouds hand out credentials to
// whoever asks: the link-local ones, and AWS's for IPv6.
func Outside() []Peer {
	v4, v6 := Range("0.0.0.0/0"), Range("::/0")
	v4.api.IPBlock.Except = []string{"169.254.0.0/16"}
	v6.api.IPBlock.Except = []string{"fe80::/10", "fd00:ec2::254/128"}
	return []Peer{v4, v6}
}

// Port is a port and its protocol.
type Port struct {
	number   int
	protocol corev1.Protocol
}

// TCP returns TCP ports.
func TCP(numbers ...int) []Port { return ports(corev1.ProtocolTCP, numbers) }

// UDP returns UDP ports.
func UDP(numbers ...int) []Port { return ports(corev1.ProtocolUDP, numbers) }

func ports(protocol corev1.Protocol, numbers []int) []Port {
	var all []Port
	for _, number := range numbers {
		all = append(all, Port{number, protocol})
	}
	return all
}

// Object returns the policy as a Kubernetes object. It always speaks of both
// directions, so that a policy without rules refuses everything.
func (p Policy) Object() *networkingv1.NetworkPolicy {
	object := &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: networkingv1.SchemeGroupVersion.String(), Kind: "NetworkPolicy"},
		ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: p.Pods},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		},
	}
	for _, rule := range p.Ingress {
		object.Spec.Ingress = append(object.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{From: rule.peers(), Ports: rule.ports()})
	}
	for _, rule := range p.Egress {
		object.Spec.Egress = append(object.Spec.Egress, networkingv1.NetworkPolicyEgressRule{To: rule.peers(), Ports: rule.ports()})
	}
	return object
}

func (r Rule) peers() []networkingv1.NetworkPolicyPeer {
	var all []networkingv1.NetworkPolicyPeer
	for _, peer := range r.Peers {
		all = append(all, peer.api)
	}
	return all
}

func (r Rule) ports() []networkingv1.NetworkPolicyPort {
	var all []networkingv1.NetworkPolicyPort
	for _, port := range r.Ports {
		number, protocol := intstr.FromInt(port.number), port.protocol
		all = append(all, networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: &number})
	}
	return all
}
