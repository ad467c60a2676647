# cognito-credhelper. `make` lists the targets.
#
#   make install PREFIX=/usr/local [DESTDIR=/tmp/root]

PREFIX  ?= /usr/local
DESTDIR ?=
# Where programs are built.
BIN ?= bin

# The version of this build: a file VERSION (in a source archive), else the newest tag v*, else a development version.
VERSION ?= $(or $(shell cat VERSION 2>/dev/null),$(patsubst v%,%,$(shell git describe --tags --match 'v*' --dirty 2>/dev/null)),0.0.0-dev)

# Names beside cognito-credhelper under which the program answers; install links each to it.
HELPER_NAMES ?= git-credential-cognito docker-credential-cognito terraform-credentials-cognito cargo-credential-cognito bazel-credential-cognito pnpm-token-cognito

MODULE := github.com/cognito-credhelper/cognito-credhelper
GOEXE  := $(shell go env GOEXE)
# Symbols stay on Windows: virus scanners distrust programs without.
STRIP  := $(if $(filter windows,$(shell go env GOOS)),,-s -w)

# No cgo: one static file that runs on any libc. Not position independent: it starts faster. No VCS stamp: an archive
# and a clone build the same bytes; VERSION says what it is.
GOBUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -buildmode=exe -tags=grpcnotrace \
	-ldflags '$(strip $(STRIP) -X $(MODULE)/internal/version.number=$(VERSION))'

.DEFAULT_GOAL := help
.PHONY: help demo test test-torture mutants test-interop test-clients install bench bench-plugin generate build clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1 \2/p' $(MAKEFILE_LIST) | while read -r name what; do printf '%-14s %s\n' "$$name" "$$what"; done

demo: build ## show it: sign in to a sandbox and use the session, in well under 90 seconds
	./scripts/demo '$(BIN)'

test: ## everything that must pass; needs Go, make, git
	go run ./test/check

test-torture: ## kill, starve, and cut the power at every point; some of it needs Linux, root, FUSE
	go run ./test/check -only torture

mutants: ## take each guard away; a named test must turn red
	go run ./test/check -only mutants

test-interop: ## independent clients from npm against the sandbox; needs node and npm
	go run ./test/interop

test-clients: ## real client programs against loopback servers; obtains what Debian, Go, and npm offer
	go -C test/clients run ./run $(CLIENTSFLAGS)

build: ## build into BIN (bin/)
	$(GOBUILD) -o $(BIN)/cognito-credhelper$(GOEXE) ./cmd/cognito-credhelper-front
	$(GOBUILD) -o $(BIN)/cognito-credhelper-core$(GOEXE) ./cmd/cognito-credhelper
	$(GOBUILD) -o $(BIN)/cognito-credhelper-worker$(GOEXE) ./cmd/cognito-credhelper-worker
	$(GOBUILD) -o $(BIN)/cognito-sandbox$(GOEXE) ./cmd/cognito-sandbox

# The front goes last: a front that finds no core only says so, a core without a front works.
install: build ## install under PREFIX (and DESTDIR, for packages)
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/libexec/cognito-credhelper'
	install -m 755 $(BIN)/cognito-credhelper-core$(GOEXE) '$(DESTDIR)$(PREFIX)/libexec/cognito-credhelper/cognito-credhelper-core$(GOEXE)'
	install -m 755 $(BIN)/cognito-credhelper-worker$(GOEXE) '$(DESTDIR)$(PREFIX)/libexec/cognito-credhelper/cognito-credhelper-worker$(GOEXE)'
	install -m 755 $(BIN)/cognito-sandbox$(GOEXE) '$(DESTDIR)$(PREFIX)/bin/cognito-sandbox$(GOEXE)'
	install -m 755 $(BIN)/cognito-credhelper$(GOEXE) '$(DESTDIR)$(PREFIX)/bin/cognito-credhelper$(GOEXE)'
	for name in $(HELPER_NAMES); do ln -sf cognito-credhelper$(GOEXE) '$(DESTDIR)$(PREFIX)/bin/'"$$name$(GOEXE)" || exit 1; done

bench: ## how long a warm answer takes, beside a bare process
	go run ./bench/compare $(BENCHFLAGS)

bench-plugin: ## how long a host waits for the plugin, beside the least go-plugin program
	go run ./bench/plugin $(BENCHFLAGS)

generate: ## write generated files anew
	go generate ./...

clean: ## remove what was built
	rm -rf $(BIN) dist .cache test/interop/node_modules examples/host-node/node_modules
