# Everything that a person or a machine does with this repository. `make` alone lists it.
#
# Each goal installs what it needs and lacks (scripts/setup.sh) before it starts. Artifacts go to CARGO_TARGET_DIR when
# that is set, else to target/; what is compiled from plugins/ goes to the folder policies/ in it, because the two
# workspaces have lock files and features of their own and would evict each other's artifacts.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# rustup puts cargo here, and a shell that was open before does not know yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

# Absolute, because some commands run in plugins/.
override CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
export CARGO_TARGET_DIR

POLICIES := --target-dir $(CARGO_TARGET_DIR)/policies
TOOLS := $(CARGO_TARGET_DIR)/tools
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := $(TOOLS)/bin/cargo-deny
CARGO_FUZZ_VERSION := 0.13.2
CARGO_FUZZ := $(TOOLS)/bin/cargo-fuzz

# What each fuzz target is given, in seconds; and to `make fuzz` the targets, all of them where none is named.
FUZZ_SECONDS := 60
TARGETS :=
WIT_BINDGEN_VERSION := 0.63.0
WIT_BINDGEN := $(TOOLS)/bin/wit-bindgen

# Handed to the gateway by `make run`, to the test programs by `make test`, to the benchmark by `make bench`.
ARGS :=

##@ Use
.PHONY: run publish
run: setup-build build-gateway ## Start the gateway on the embedded default, with the sample policies
	exec scripts/run.sh $(ARGS)

publish: setup-build build-gateway ## Build the sample policies and publish what changed (a running gateway takes it over)
	scripts/publish.sh $(ARGS)

.PHONY: ship
ship: setup-build ## Build what is shipped: the binary without symbols, and these in a file of their own
	cargo build --workspace --bins --release --locked
	scripts/ship.sh $(CARGO_TARGET_DIR)/release/portcullis $(CARGO_TARGET_DIR)/ship
	ls -l $(CARGO_TARGET_DIR)/ship

##@ Work
.PHONY: test swap determinism crashes money-crashes money-races languages languages-quick languages-bindings bench bench-fleet bench-evaluation build-bench check fmt deny
# These count what is served within a guest's deadline, which says nothing where other tests have the machine.
COUNTING := no_misbehaving_guest_harms_anybody
# All targets at once: the end-to-end tests start the binary, and built on its own it would have fewer features switched
# on in its dependencies, so that many of them were compiled twice.
test: setup-test ## Run the whole test suite, etcd, PostgreSQL and Redis included
	cargo build --workspace --all-targets --locked
	E2E_BUILT=1 REQUIRE_BACKENDS=1 cargo test --workspace --locked -- --skip $(COUNTING) $(ARGS)
	E2E_BUILT=1 REQUIRE_BACKENDS=1 cargo test --workspace --locked --test e2e -- --test-threads 1 $(COUNTING)
	cd plugins && cargo test --workspace --locked $(POLICIES) -- $(ARGS)

determinism: setup-test ## Run every sample policy's golden cases in 1,000 processes and compare (takes minutes)
	cargo build --workspace --all-targets --locked
	E2E_BUILT=1 cargo test --workspace --locked --test e2e -- --ignored determinism $(ARGS)

crashes: setup-test ## Kill a gateway a hundred times while documents come, and see what it starts from (takes minutes)
	cargo build --workspace --all-targets --locked
	E2E_BUILT=1 cargo test --workspace --locked --test e2e -- --ignored a_hundred_times $(ARGS)

swap: setup-test ## See that nothing that was swapped out reaches the next guest (switches swap on for a moment: root's)
	cargo test -p portcullis-plugin-host --lib --locked -- --ignored --nocapture swapped_out $(ARGS)

money-races: setup-test ## Let 10,000 pairs of captures, voids and refunds race for the same money, in each database (takes minutes)
	cargo test -p portcullis-storage --locked --test it -- --ignored ten_thousand_pairs $(ARGS)

money-crashes: setup-test ## Kill a gateway a thousand times while money moves, and hold its books against the acquirer's (takes minutes)
	cargo build --workspace --all-targets --locked
	E2E_BUILT=1 cargo test --workspace --locked --test e2e -- --ignored --nocapture killed_a_thousand_times --test-threads 1 $(ARGS)

# Not a part of `make test`: its toolchains are some 700 MB, and it compiles interpreters.
languages: setup-languages ## Build one rule in six languages, push all to one gateway, and compare what they decide
	cargo build --workspace --all-targets --locked
	E2E_BUILT=1 cargo test --workspace --test languages --locked -- --ignored --nocapture --test-threads 1 $(ARGS)

languages-quick: setup-languages-c ## The same for C and plain Rust alone, whose toolchains are small
	cargo build --workspace --all-targets --locked
	E2E_BUILT=1 LANGUAGES="rust-wasip1 c" \
		cargo test --workspace --test languages --locked -- --ignored --nocapture --test-threads 1 $(ARGS)

# The bindings of the policy in C are committed, because wit-bindgen is minutes of compiling.
languages-bindings: setup-build $(WIT_BINDGEN) ## See that the committed C bindings are those of the contract (installs wit-bindgen first)
	PATH="$(TOOLS)/bin:$$PATH" plugins/languages/velocity-limit-c/generate.sh --check

# Release builds: what is measured is what is shipped. Each benchmark leaves a section, and the sections become a document.
BENCH_OUT := $(CARGO_TARGET_DIR)/bench
BENCH := E2E_BUILT=1 BENCH_OUT=$(BENCH_OUT) $(CARGO_TARGET_DIR)/release/bench
EXAMPLE := BENCH_OUT=$(BENCH_OUT) $(CARGO_TARGET_DIR)/release/examples
# Which of them `make bench` runs, in this order; velocity takes 5 GB of memory with its 10 million subjects.
BENCHES := evaluation http hot-reload commit velocity restart scale edge isolation rollout
MILLIONS := 1 10
bench: build-bench ## Measure what is promised of speed and size beside floors and peers, and write docs/benchmarks.md
	for each in $(BENCHES); do \
		case $$each in \
		evaluation) $(MAKE) bench-evaluation ;; \
		commit) $(EXAMPLE)/commit-bench $(BENCH_OUT) ;; \
		velocity) $(EXAMPLE)/velocity-bench $(MILLIONS) ;; \
		*) $(BENCH) $$each ;; \
		esac; \
	done
	scripts/benchmarks.sh $(BENCH_OUT)

.PHONY: instructions instructions-keep
instructions: setup-instructions ## Count the instructions of an evaluation, which repeat, and hold them against those that were kept
	scripts/instructions.sh check

instructions-keep: setup-instructions ## Keep that count, where it changed for a reason
	scripts/instructions.sh keep

bench-fleet: build-bench ## Publish 1,000 releases under load to three gateways, and measure how soon each is enforced everywhere (takes minutes)
	$(BENCH) fleet $(ARGS)

# By a workspace of its own, whose lock file has the peers in it: the product never depends on them.
bench-evaluation: setup-build ## Measure one evaluation beside bare wasmtime, native code and other rule engines (minutes of building)
	benchmarks/guests/build.sh
	cd benchmarks && cargo build --release --locked --target-dir $(CARGO_TARGET_DIR)/benchmarks
	BENCH_OUT=$(BENCH_OUT) $(CARGO_TARGET_DIR)/benchmarks/release/evaluation-bench \
		--guests $(CARGO_TARGET_DIR)/benchmark-guests $(ARGS)

build-bench: setup-bench
	cargo build --workspace --bins --release --locked
	cargo build -p portcullis-storage -p portcullis-features --examples --release --locked

# `-- -D warnings` reaches our crates only; in RUSTFLAGS it would compile every dependency once more.
check: setup-check ## Formatting, lints and documentation, every warning an error
	cargo fmt --all --check
	cd plugins && cargo fmt --all --check
	cd fuzz && cargo fmt --check
	for each in benchmarks benchmarks/guests benchmarks/envoy-filter; do (cd $$each && cargo fmt --all --check); done
	cargo clippy --workspace --all-targets --features portcullis-plugin-host/fuzzing,portcullis-plugin-host/benchmarking --locked -- -D warnings
	cd plugins && cargo clippy --workspace --all-targets --locked $(POLICIES) -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	cd plugins && RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked $(POLICIES)

fmt: setup-check ## Format all sources
	cargo fmt --all
	cd plugins && cargo fmt --all
	cd fuzz && cargo fmt
	for each in benchmarks benchmarks/guests benchmarks/envoy-filter; do (cd $$each && cargo fmt --all); done

# Peers of the benchmarks are measured and never shipped: of them only where they come from counts.
deny: setup-build $(CARGO_DENY) ## Licences, sources and owners of the dependencies (installs cargo-deny first)
	for manifest in Cargo.toml plugins/Cargo.toml fuzz/Cargo.toml; do \
		$(CARGO_DENY) --manifest-path $$manifest --config deny.toml --locked \
			check --hide-inclusion-graph --allow unused-wrapper bans licenses sources; \
	done
	for manifest in benchmarks/Cargo.toml benchmarks/guests/Cargo.toml benchmarks/envoy-filter/Cargo.toml; do \
		$(CARGO_DENY) --manifest-path $$manifest --config deny.toml --locked check --hide-inclusion-graph sources; \
	done

# Tools are built unoptimised: they run for a second, and take minutes to build as they are.
$(CARGO_DENY):
	cargo install cargo-deny --version $(CARGO_DENY_VERSION) --locked --profile dev \
		--root $(TOOLS) --target-dir $(TOOLS)/build
	rm -rf $(TOOLS)/build

$(WIT_BINDGEN):
	cargo install wit-bindgen-cli --version $(WIT_BINDGEN_VERSION) --no-default-features --features c --locked --profile dev \
		--root $(TOOLS) --target-dir $(TOOLS)/build
	rm -rf $(TOOLS)/build

##@ Fuzz
.PHONY: schemathesis
schemathesis: setup-schemathesis setup-test ## Ask a gateway on each database all that its OpenAPI document allows and forbids (EXAMPLES=50, SECONDS_AT_MOST=600)
	cargo build --workspace --all-targets --locked
	E2E_BUILT=1 cargo test --workspace --locked --test e2e -- --ignored --nocapture answer_outside_the_document $(ARGS)

.PHONY: fuzz fuzz-quick fuzz-keep
fuzz: setup-fuzz $(CARGO_FUZZ) ## Fuzz every parser of foreign bytes (FUZZ_SECONDS=60 each, TARGETS="…", FUZZ_SANITIZER=address)
	FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz.sh run $(TARGETS)

fuzz-quick: FUZZ_SECONDS := 15
fuzz-quick: export FUZZ_SEED := 1
fuzz-quick: fuzz ## The same with 15 s for each target, from what is kept alone and with the same choices each time

fuzz-keep: setup-fuzz $(CARGO_FUZZ) ## Minimise what fuzzing found, and keep it in fuzz/corpus/
	scripts/fuzz.sh keep $(TARGETS)

$(CARGO_FUZZ):
	cargo install cargo-fuzz --version $(CARGO_FUZZ_VERSION) --locked --profile dev \
		--root $(TOOLS) --target-dir $(TOOLS)/build
	rm -rf $(TOOLS)/build

##@ House
.PHONY: setup setup-build setup-check setup-test setup-fuzz setup-languages setup-languages-c setup-schemathesis setup-bench setup-instructions build-gateway help
setup: setup-check setup-test ## Install everything that the other goals need

setup-build setup-check setup-test setup-fuzz setup-languages setup-languages-c setup-schemathesis setup-bench setup-instructions: setup-%:
	@scripts/setup.sh $*

# --workspace: with the dependencies' features of the whole workspace, for the reason given at `test`.
build-gateway:
	cargo build --workspace --locked --bin portcullis

help: ## List the goals
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile
	@printf '\nOptions of the started program: make run ARGS="…". Target folder: %s\n' "$(CARGO_TARGET_DIR)"
