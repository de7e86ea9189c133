# Weir. `make` alone lists what there is.
#
# Whatever is compiled goes to WEIR_CACHE_DIR, outside the clone, so that a fresh
# clone builds on what an earlier one has built.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

WEIR_CACHE_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/weir
export WEIR_CACHE_DIR
export CARGO_TARGET_DIR ?= $(WEIR_CACHE_DIR)/target
export PATH := $(WEIR_CACHE_DIR)/tools/bin:$(PATH)

DEMO_ADDR ?= 127.0.0.1:3210
DEMO_DATA ?= .host
# What the demo's functions are written in: rust, go, assemblyscript or typescript.
GUEST ?= rust

# What is simulated: see `simulate --help`.
SIMULATE ?= --hours 1
CHURN_SECONDS ?= 1200
# How long each target is fuzzed, and which ones: `weir-fuzz --list` tells them. For the JavaScript engine: how long, and
# from which seed on, programs are made.
FUZZ_SECONDS ?= 600
ATTACK_SECONDS ?= 600
FUZZ_TARGETS ?=
FUZZ_FROM ?= $(shell date +%s)
# How other databases are measured: see `weir-bench --help`.
PEERS ?=

# Tests of functions in Rust, compiled for this machine.
EXAMPLES_TARGET_DIR := $(WEIR_CACHE_DIR)/examples
export EXAMPLES_TARGET_DIR
COUNT := cargo build --locked --workspace --bin weir-counts --config tests/counts/optimised.toml && "$$CARGO_TARGET_DIR/debug/weir-counts"
# What a test helper of an SDK starts.
TEST_HOST = env -u CARGO_TARGET_DIR WEIR_HOST="$$CARGO_TARGET_DIR/debug/host"
TYPESCRIPT_PROJECTS := examples/board/typescript examples/chat/typescript examples/snippets/typescript examples/wiki/typescript examples/mixed \
  examples/components/box-office examples/components/poll \
  tests/guests/better-auth tests/guests/components tests/guests/parts tests/guests/hostile-typescript tests/guests/node tests/guests/typescript \
  tests/conformance/typescript tests/typescript/tutorial tests/typescript/tasks tests/typescript/helpers \
  tests/typescript/blog
NPM_EXAMPLES := @weir/testing @weir/typescript weir-board-typescript weir-box-office weir-chat-assemblyscript weir-chat-typescript \
  weir-snippets-assemblyscript weir-snippets-typescript weir-tests-typescript weir-wiki-typescript

# The host, without the target folder of its own build: guests have another.
RUN_HOST := env -u CARGO_TARGET_DIR

.PHONY: help setup demo test test-rust test-go test-examples test-client test-npm test-clients test-browser test-counts counts-keep simulate engine engine-suite attack fuzz fuzz-engine lint format churn bench bench-large bench-peers docs page pages host host-release dist static

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is missing for everything below, saying so
	@scripts/setup all

demo: ## Build everything and serve the chat at http://127.0.0.1:3210 (GUEST=go, assemblyscript, typescript: in that)
	@scripts/setup demo $(GUEST)
	$(MAKE) --no-print-directory host-release page
	@printf '\n  The chat: open http://%s in two windows, side by side, and type. Ctrl-C stops it.\n\n' '$(DEMO_ADDR)'
	@exec $(RUN_HOST) "$$CARGO_TARGET_DIR/release/host" dev examples/chat/$(GUEST) --listen $(DEMO_ADDR) --data $(DEMO_DATA)

test: ## Everything: rooms, guests, clients of npm, Rust and Python, two browsers, SIGKILL, instruction counts
	@scripts/setup test
	$(MAKE) --no-print-directory test-rust test-counts test-go test-examples test-client test-npm test-clients test-browser

test-rust: host ## The rooms, and end to end from Rust
	cargo test --workspace --locked --no-fail-fast

# The rooms that are counted are compiled for this once more, optimised; wasmtime is that of `make host`.
test-counts: host ## Instructions of a call, a commit, a push and a diff, beside the figures that are kept
	$(COUNT)

counts-keep: host ## Keep those figures as they are now
	@scripts/setup test
	$(COUNT) --keep

test-go: host ## The Go SDK, and the tests of the examples in Go
	cd guest-sdk/go && go vet ./... && GOOS=wasip1 GOARCH=wasm go vet ./... && go test ./...
	cd examples/chat/go && $(TEST_HOST) go test ./...
	"$$CARGO_TARGET_DIR/debug/host" codegen examples/components/poll >/dev/null
	cd examples/components/poll && $(TEST_HOST) go test ./...
	cd examples/snippets/go && $(TEST_HOST) go test ./...

test-examples: host ## The examples' own tests, in the other languages
	cd examples/board/rust && CARGO_TARGET_DIR="$(EXAMPLES_TARGET_DIR)" cargo test --locked
	cd examples/chat/rust && CARGO_TARGET_DIR="$(EXAMPLES_TARGET_DIR)" cargo test --locked
	cd examples/components/ledger && CARGO_TARGET_DIR="$(EXAMPLES_TARGET_DIR)" cargo test --locked
	cd examples/snippets/rust && CARGO_TARGET_DIR="$(EXAMPLES_TARGET_DIR)" cargo test --locked
	cd examples/wiki/rust && CARGO_TARGET_DIR="$(EXAMPLES_TARGET_DIR)" cargo test --locked
	$(TEST_HOST) npm test $(addprefix --workspace ,$(NPM_EXAMPLES))
	for project in $(TYPESCRIPT_PROJECTS); do "$$CARGO_TARGET_DIR/debug/host" codegen $$project >/dev/null; done
	npx tsc -p tests/typescript
	npx tsc -p tests/guests/node

test-client: ## The diff transport against a server in the tests' hands
	npm test --workspace @weir/diffs

test-npm: host ## The official npm clients against the real host
	HOST_BIN="$$CARGO_TARGET_DIR/debug/host" npm test --workspace weir-tests-npm

test-clients: host ## The official clients for Rust and Python against the real host
	cd tests/clients/rust && CARGO_TARGET_DIR="$(EXAMPLES_TARGET_DIR)" cargo build --locked
	HOST_BIN="$$CARGO_TARGET_DIR/debug/host" RUST_CLIENT="$(EXAMPLES_TARGET_DIR)/debug/weir-client" \
	  PYTHON_CLIENT="$(WEIR_CACHE_DIR)/python/bin/python" npm test --workspace weir-tests-clients

test-browser: host pages ## Two Chromium windows, a reload, a restart, SIGKILL; signed-in users in four frameworks
	HOST_BIN="$$CARGO_TARGET_DIR/debug/host" npm test --workspace weir-tests-browser

engine: ## Compile the JavaScript engine of TypeScript functions, which travels inside the host
	@scripts/setup engine
	cargo build --locked -p weir-js-engine

engine-suite: ## QuickJS's own tests, test262's programs and those of a grammar in the JavaScript engine, under sanitizers
	@scripts/setup fuzz-engine
	nice node guest-sdk/typescript/engine/suite/suite.js "$(WEIR_CACHE_DIR)/engine-native"

attack: ## Ten minutes of everything that strangers can do to a host, all at once, with an ordinary client beside it (ATTACK_SECONDS=60)
	cargo build --release --locked -p weir-cli -p weir-attack
	"$$CARGO_TARGET_DIR/release/weir-attack" $(ATTACK_SECONDS)

fuzz: ## Ten minutes for each target, up to a finding: frames, sessions, logs, ... (FUZZ_SECONDS=3600, FUZZ_TARGETS="tokens": those)
	@scripts/setup fuzz
	$(MAKE) --no-print-directory host
	nice scripts/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz-engine: ## Ten minutes of new programs for the JavaScript engine, under sanitizers (FUZZ_SECONDS=3600, FUZZ_FROM=7: that seed)
	@scripts/setup fuzz-engine
	nice node guest-sdk/typescript/engine/suite/fuzz.js "$(WEIR_CACHE_DIR)/engine-native" --seconds $(FUZZ_SECONDS) --from $(FUZZ_FROM)

simulate: ## An hour of new seeds for the simulation (SIMULATE="--hours 8", "--seeds 0..1000", "--seed 7": those)
	cargo run --release --locked --quiet -p weir-simulation --bin simulate -- $(SIMULATE)

lint: ## Formats, lints, types, licences of dependencies
	@scripts/setup lint
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --features weir-bench/peers --locked -- -D warnings
	@test -z "$$(gofmt -l guest-sdk/go examples tests host/build/templates/go | tee /dev/stderr)"
	npm run lint
	cargo deny --locked check bans licenses sources
	@cargo metadata --locked --format-version 1 --manifest-path tests/fuzz/cargo-fuzz/Cargo.toml >/dev/null

format: ## Format every file
	cargo fmt --all
	gofmt -w guest-sdk/go examples tests host/build/templates/go
	npm run format

churn: ## Documents of 40 KB replaced and deleted for 20 minutes (CHURN_SECONDS), on each base and disk
	cargo build --release --locked -p weir-faults -p weir-fault-shim
	folder=$$(mktemp -d); for base in redb sled; do for disk in undelayed delayed; do \
	  "$$CARGO_TARGET_DIR/release/weir-fault-churn" "$$folder/$$base-$$disk" $$base $$disk $(CHURN_SECONDS) || true; \
	done; done; rm -r "$$folder"

bench: ## The measured goals, in one table
	@scripts/setup bench
	cargo build --profile dist --locked -p weir-cli -p weir-bench
	"$$CARGO_TARGET_DIR/dist/weir-bench"

# The whole workspace at once: cargo unifies features over what is selected, and a selection of its own for the binary
# would compile wasmtime a second time.
host: ## The binary `host`, with debug assertions
	cargo build --locked --workspace --all-targets

host-release:
	cargo build --release --locked -p weir-cli

dist: ## The binary as it is shipped, optimised across crates: minutes more than `host-release`
	cargo build --profile dist --locked -p weir-cli
	@echo "dist: $$CARGO_TARGET_DIR/dist/host"

# As `deploy/Dockerfile` builds it.
static: ## The binary without libraries, and what it does where there is nothing else (as root, musl-tools installed)
	@scripts/setup engine
	@scripts/setup intl
	rustup target add "$$(uname -m)-unknown-linux-musl"
	CARGO_TARGET_DIR="$(WEIR_CACHE_DIR)/target-musl" cargo build --profile dist --locked -p weir-cli --bin host \
	  --target "$$(uname -m)-unknown-linux-musl"
	$(MAKE) --no-print-directory host
	WEIR_STATIC_HOST="$(WEIR_CACHE_DIR)/target-musl/$$(uname -m)-unknown-linux-musl/dist/host" \
	  cargo test --workspace --locked --test static_image

bench-large: ## The same for a table of ten million documents: some minutes, and gigabytes of the disk
	cargo build --profile dist --locked -p weir-bench
	"$$CARGO_TARGET_DIR/dist/weir-bench" --only large

bench-peers: ## The funds transfer on Postgres and SQLite beside Weir, where they are installed (PEERS="--seconds 10")
	@scripts/setup bench
	cargo build --profile dist --locked -p weir-cli -p weir-bench --features weir-bench/peers
	"$$CARGO_TARGET_DIR/dist/weir-bench" --only peers $(PEERS)

docs: ## Write the snippets into docs/languages.md and the SDKs' READMEs
	scripts/snippets

page: ## The chat's page
	npm run build --workspace weir-chat

pages: page ## The chat's page, and the board's
	npm run build --workspace weir-board
