module github.com/mcp-security-platform/mesh/sandbox/tools/istio-charts

go 1.26

require (
	github.com/stretchr/testify v1.11.1
	istio.io/istio v0.0.0-20260306174214-6991a379e1fc
)

require (
	github.com/davecgh/go-spew v1.1.2-0.20180830191138-d8f796af33cc // indirect
	github.com/pmezard/go-difflib v1.0.1-0.20181226105442-5d4384ee4fb2 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
