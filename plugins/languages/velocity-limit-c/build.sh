#!/usr/bin/env bash
# Compiles the policy to a core module: build.sh OUT.wasm
#
# Debian: apt install clang lld wasi-libc libclang-rt-dev-wasm32. Another C compiler for wasm32-wasi is named in CC.
set -euo pipefail
out="$(realpath --canonicalize-missing "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")"

# A stack of 64 KiB: the gateway clears what a guest may have touched, for each payment.
read -ra compiler <<<"${CC:-clang}"
"${compiler[@]}" --target=wasm32-wasi -std=c11 -Os -s -Wall -Wextra -Werror -mexec-model=reactor \
    -Wl,-z,stack-size=65536 policy.c generated/risk_policy.c -o "$out"
