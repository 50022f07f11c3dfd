#!/usr/bin/env bash
# Makes a component of the policy: build.sh OUT.wasm
#
# npm install @bytecodealliance/componentize-js@0.23.0. It brings the interpreter, StarlingMonkey (SpiderMonkey for
# WebAssembly).
set -euo pipefail
out="$(realpath --canonicalize-missing "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")"

# Without these features the component imports no WASI; with http it would import what no policy may.
componentize-js policy.js --wit ../risk-policy.wit --world-name risk-policy \
    --disable stdio random clocks http fetch-event --out "$out"
