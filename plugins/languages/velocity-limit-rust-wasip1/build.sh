#!/usr/bin/env bash
# Compiles the policy to a core module: build.sh OUT.wasm
#
# rustup target add wasm32-wasip1. The linker flags are those of plugins/.cargo/config.toml.
set -euo pipefail
out="$(realpath --canonicalize-missing "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")"

target="${CARGO_TARGET_DIR:-target}"
cargo build --quiet --locked --release --target wasm32-wasip1 --target-dir "$target"
cp "$target/wasm32-wasip1/release/velocity_limit_rust_wasip1.wasm" "$out"
