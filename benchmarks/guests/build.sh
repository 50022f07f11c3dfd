#!/usr/bin/env bash
# Builds the guests of the evaluation benchmark into the folder `benchmark-guests` of the target folder: the policy as the
# template of the SDK has it, the same with each of the template's settings as it would be without it, and the plugin.
#
#   benchmarks/guests/build.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

target_dir="$(realpath -m "${CARGO_TARGET_DIR:-../../target}")"
readonly OUT="$target_dir/benchmark-guests"
mkdir -p "$OUT"

# build NAME PACKAGE TARGET PROFILE [ARGUMENT…]: one guest, under its name.
build() {
    local name="$1" package="$2" target="$3" profile="$4"
    shift 4
    cargo build --quiet --locked --target-dir "$target_dir/benchmark-guests/build" --target "$target" --profile "$profile" \
        --package "$package" "$@"
    cp "$target_dir/benchmark-guests/build/$target/$profile/${package//-/_}.wasm" "$OUT/$name.wasm"
}

build policy benchmark-policy wasm32-wasip2 release
build policy-speed benchmark-policy wasm32-wasip2 speed
build policy-std benchmark-policy wasm32-wasip2 release --features std
build policy-std-bump benchmark-policy wasm32-wasip2 release --features bump
build extism benchmark-extism-plugin wasm32-wasip1 release
# The linker's own default, said aloud: what stands in .cargo/config.toml gives way to the variable.
RUSTFLAGS="-C link-arg=-zstack-size=1048576" build policy-stack-1m benchmark-policy wasm32-wasip2 release
