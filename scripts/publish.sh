#!/usr/bin/env bash
# Builds policies and publishes them to the directory store of the embedded default.
#
#   scripts/publish.sh            all sample policies
#   scripts/publish.sh NAME…      these folders of plugins/
#
# What is already published and unchanged is skipped. A gateway that runs takes over the rest without a restart.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly SAMPLES=(velocity-limit amount-ceiling geo-mismatch list-guard fraud-score)
readonly STATE=.portcullis

target="${CARGO_TARGET_DIR:-$PWD/target}"
portcullis="$target/debug/portcullis"
[[ -x "$portcullis" ]] || {
    printf 'publish: %s is not there; build it with: make build-gateway\n' "$portcullis" >&2
    exit 1
}

if [[ $# -eq 0 ]]; then set -- "${SAMPLES[@]}"; fi
mkdir -p "$STATE/build" "$STATE/policies"
push=()
for name in "$@"; do
    artifact="$STATE/build/$name.wasm"
    CARGO_TARGET_DIR="$target/policies" "$portcullis" policy build "plugins/$name" --out "$artifact"
    push+=("$artifact" --manifest "plugins/$name/policy.toml")
done
# Together: all of them come into force at the same moment.
"$portcullis" policy push "${push[@]}" --store "dir:$STATE/policies"
