#!/usr/bin/env bash
# Stands before rustc and leaves the instrumentation for coverage to what the fuzzer is to explore: our crates, and the
# parsers that they hand a stranger's bytes to. The compiler of WebAssembly, the runtime and the network stack are built
# plain: their branches would drown ours in the corpus, and make every run and every build some times slower.
set -euo pipefail

rustc="$1"
shift
name=""
previous=""
for argument in "$@"; do
    [[ "$previous" == --crate-name ]] && name="$argument"
    previous="$argument"
done

case "$name" in
# The targets themselves and the gateway's crates.
portcullis_* | policy_* | chunk_assembly | component_loading | contract_check | golden_cases | http_bodies) exec "$rustc" "$@" ;;
# The parsers.
base64 | http | jiff | matchit | serde_core | serde_json | serde_path_to_error | toml | toml_* | wasmparser | winnow | wit_component) exec "$rustc" "$@" ;;
esac

kept=()
for argument in "$@"; do
    case "$argument" in
    -Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage-*) ;;
    *) kept+=("$argument") ;;
    esac
done
exec "$rustc" "${kept[@]}"
