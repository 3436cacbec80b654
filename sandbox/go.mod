module github.com/mcp-security-platform/mesh/sandbox

go 1.26

require gopkg.in/yaml.v3 v3.0.1

tool github.com/mcp-security-platform/mesh/sandbox/cmd/sandbox
