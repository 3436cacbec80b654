# `make` alone lists the targets. Everything but Go is compiled on demand into .sandbox, which Git ignores.

.DEFAULT_GOAL := help
.PHONY: help up preview status env down clean toolchain test test-short lint fmt docs access-matrix

STACK ?= prod
DIFF  ?=
SVG   ?= .sandbox/access-matrix.svg

# What `make test` covers: the program, the sandbox and what it is made of, and the whole-stack proofs.
MODULES := . sandbox sandbox/kubernetes sandbox/tools/istio-charts sandbox/tools/pulumi-resource-tls $(patsubst %/go.mod,%,$(wildcard tests/*/go.mod))
# go vet and staticcheck take minutes for sandbox/kubernetes and the Kubernetes provider, which see only gofmt here.
CHECKED := . sandbox sandbox/tools/istio-charts sandbox/tools/pulumi-resource-tls $(patsubst %/go.mod,%,$(wildcard tests/*/go.mod))
SOURCES := $(shell find . -name '*.go' -not -path './.sandbox/*')

# `go tool -n` compiles the command and prints its path; exec hands it make's signals and exit code as they are.
SANDBOX := sandbox="$$(go -C sandbox tool -n sandbox)" && exec "$$sandbox"

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## install the mesh into an embedded Kubernetes (first time: compiles the toolchain)
	@$(SANDBOX) up

preview: ## show what a stack would deploy: STACK=prod|staging|local, DIFF=1 for the properties
	@$(SANDBOX) preview --stack $(STACK) $(if $(DIFF),--diff)

status: ## say what is up
	@$(SANDBOX) status

env: ## print variables for a shell of yours: eval "$(make -s env)", then use kubectl and pulumi
	@$(SANDBOX) env

down: ## stop the embedded Kubernetes and delete its data; the toolchain stays
	@$(SANDBOX) down

clean: ## down, and delete the toolchain, too
	@$(SANDBOX) clean

toolchain: ## compile what is missing of the toolchain, and nothing else
	@$(SANDBOX) toolchain

test: ## run all tests, end to end ones included
	@set -e; for m in $(MODULES); do echo "== $$m"; go -C $$m test -timeout 50m ./...; done

test-short: ## run the tests that need no sandbox
	@set -e; for m in . sandbox; do echo "== $$m"; go -C $$m test -short ./...; done

lint: ## check formatting, go vet and staticcheck
	@out="$$(gofmt -l $(SOURCES))" && { [ -z "$$out" ] || { echo "not formatted, run make fmt:"; echo "$$out"; exit 1; }; }
	@($(SANDBOX) toolchain staticcheck)
	@set -e; for m in $(CHECKED); do echo "== $$m"; (cd $$m && go vet ./... && "$(CURDIR)/.sandbox/bin/staticcheck" ./...); done

fmt: ## format all Go code
	@gofmt -w $(SOURCES)

docs: ## write docs/config.md, docs/access-matrix.* and Pulumi.yaml from the code
	@go test ./tests -run 'IsUpToDate$$' -update

access-matrix: ## print who may call whom and which path needs what, and draw it: STACK=prod, SVG=access-matrix.svg
	@go run ./stacks/cmd/access-matrix -svg $(SVG) Pulumi.$(STACK).yaml
