#!/usr/bin/env bash
# Makes a component of the policy: build.sh OUT.wasm
#
# pip install componentize-py==0.25.1. It brings the interpreter, CPython 3.14 for WebAssembly.
set -euo pipefail
out="$(realpath --canonicalize-missing "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")"

# Without --stub-wasi the component would import sockets, which no policy may.
componentize-py --wit-path ../risk-policy.wit --world risk-policy componentize --stub-wasi policy --output "$out"
