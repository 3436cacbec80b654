package controlplane

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	meshapi "istio.io/api/mesh/v1alpha1"
)

// The names of the extension providers, which Telemetry resources refer to.
const (
	// ProviderPrometheus exposes metrics for scraping.
	ProviderPrometheus = "prometheus"
	// ProviderJaeger sends spans by OpenTelemetry.
	ProviderJaeger = "jaeger"
	// ProviderAccessLog writes JSON access logs to standard output.
	ProviderAccessLog = "access-log"
)

const standardOutput = "/dev/stdout"

// MeshConfig returns Istio's mesh configuration for the settings.
func MeshConfig(mesh Mesh, tracing Tracing) *meshapi.MeshConfig {
	return &meshapi.MeshConfig{
		TrustDomain: mesh.TrustDomain,
		// Without it `//admin` slips past a policy for `/admin`. Decoding %2F as well
		// broke APIs that carry it in names (defenseunicorns/uds-core#288).
		PathNormalization: &meshapi.MeshConfig_ProxyPathNormalization{
			Normalization: meshapi.MeshConfig_ProxyPathNormalization_MERGE_SLASHES,
		},
		MeshMTLS:              &meshapi.MeshConfig_TLSConfig{MinProtocolVersion: tlsProtocol(mesh.MinTLSVersion)},
		TlsDefaults:           &meshapi.MeshConfig_TLSConfig{MinProtocolVersion: meshapi.MeshConfig_TLSConfig_TLSV1_2},
		OutboundTrafficPolicy: &meshapi.MeshConfig_OutboundTrafficPolicy{Mode: outboundMode(mesh.OutboundTrafficPolicy)},
		AccessLogFile:         standardOutput,
		AccessLogEncoding:     meshapi.MeshConfig_JSON,
		EnablePrometheusMerge: wrapperspb.Bool(true),
		DefaultConfig: &meshapi.ProxyConfig{
			// An application that starts before its proxy loses its first requests.
			HoldApplicationUntilProxyStarts: wrapperspb.Bool(true),
			ProxyMetadata:                   map[string]string{"SECRET_TTL": mesh.WorkloadCertificateLife().String()},
		},
		ExtensionProviders: extensionProviders(tracing),
	}
}

func extensionProviders(tracing Tracing) []*meshapi.MeshConfig_ExtensionProvider {
	return []*meshapi.MeshConfig_ExtensionProvider{
		{
			Name: ProviderPrometheus,
			Provider: &meshapi.MeshConfig_ExtensionProvider_Prometheus{
				Prometheus: &meshapi.MeshConfig_ExtensionProvider_PrometheusMetricsProvider{},
			},
		},
		{
			Name: ProviderJaeger,
			Provider: &meshapi.MeshConfig_ExtensionProvider_Opentelemetry{
				Opentelemetry: &meshapi.MeshConfig_ExtensionProvider_OpenTelemetryTracingProvider{
					Service: tracing.Service,
					Port:    uint32(tracing.Port),
				},
			},
		},
		{
			Name: ProviderAccessLog,
			Provider: &meshapi.MeshConfig_ExtensionProvider_EnvoyFileAccessLog{
				EnvoyFileAccessLog: &meshapi.MeshConfig_ExtensionProvider_EnvoyFileAccessLogProvider{
					Path: standardOutput,
					LogFormat: &meshapi.MeshConfig_ExtensionProvider_EnvoyFileAccessLogProvider_LogFormat{
						// Labels choose JSON; an empty set keeps Istio's own fields.
						LogFormat: &meshapi.MeshConfig_ExtensionProvider_EnvoyFileAccessLogProvider_LogFormat_Labels{
							Labels: &structpb.Struct{},
						},
					},
				},
			},
		},
	}
}

func tlsProtocol(version TLSVersion) meshapi.MeshConfig_TLSConfig_TLSProtocol {
	if version == TLS12 {
		return meshapi.MeshConfig_TLSConfig_TLSV1_2
	}
	return meshapi.MeshConfig_TLSConfig_TLSV1_3
}

func outboundMode(policy OutboundPolicy) meshapi.MeshConfig_OutboundTrafficPolicy_Mode {
	if policy == AllowAny {
		return meshapi.MeshConfig_OutboundTrafficPolicy_ALLOW_ANY
	}
	return meshapi.MeshConfig_OutboundTrafficPolicy_REGISTRY_ONLY
}

// meshConfigValue is a mesh configuration as a Helm value.
type meshConfigValue struct{ *meshapi.MeshConfig }

// MarshalJSON writes the outbound policy even where it is the zero value of its
// enumeration, REGISTRY_ONLY: protobuf leaves zero values out, and Istio reads a
// missing mode as its default, which is to allow everything.
func (v meshConfigValue) MarshalJSON() ([]byte, error) {
	text, err := protojson.Marshal(v.MeshConfig)
	if err != nil {
		return nil, fmt.Errorf("encode mesh config: %w", err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("decode mesh config: %w", err)
	}
	fields["outboundTrafficPolicy"] = map[string]string{"mode": v.OutboundTrafficPolicy.GetMode().String()}
	return json.Marshal(fields)
}
