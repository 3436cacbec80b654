package workload

import corev1 "k8s.io/api/core/v1"

// RuntimeDefaultSeccomp is the seccomp profile that the Pod Security Standard
// "restricted" asks for.
func RuntimeDefaultSeccomp() *corev1.SeccompProfile {
	return &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}
}

// RestrictedPod is the pod half of the Pod Security Standard "restricted".
func RestrictedPod() *corev1.PodSecurityContext {
	nonRoot := true
	return &corev1.PodSecurityContext{RunAsNonRoot: &nonRoot, SeccompProfile: RuntimeDefaultSeccomp()}
}

// RestrictedContainer is the container half of the Pod Security Standard
// "restricted", with a read-only root file system on top. The user is uid and
// gid; Istio's proxies run as 1337, which traffic redirection relies on.
func RestrictedContainer(uid int64) *corev1.SecurityContext {
	yes, no := true, false
	return &corev1.SecurityContext{
		RunAsUser:                &uid,
		RunAsGroup:               &uid,
		RunAsNonRoot:             &yes,
		ReadOnlyRootFilesystem:   &yes,
		Privileged:               &no,
		AllowPrivilegeEscalation: &no,
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile:           RuntimeDefaultSeccomp(),
	}
}
