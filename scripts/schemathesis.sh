#!/usr/bin/env bash
# Asks a gateway everything that its own OpenAPI document allows, and much that it does not, and holds each answer against the document:
# no server error, no status, media type or body that is not in it, nothing taken that it forbids.
#
#   scripts/schemathesis.sh                      the built gateway on SQLite and an empty folder of policies, on a free port
#   scripts/schemathesis.sh --set KEY=VALUE …    the same with other settings, such as another storage
#   scripts/schemathesis.sh --url http://…       a gateway that runs already
#
# EXAMPLES (per operation and phase, default 50), SECONDS_AT_MOST (default 600) and SEED (default 1) bound and fix what is asked.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

TARGET="$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")"
readonly TARGET
readonly TOOLS="$TARGET/schemathesis/python"
readonly EXAMPLES="${EXAMPLES:-50}" SECONDS_AT_MOST="${SECONDS_AT_MOST:-600}" SEED="${SEED:-1}"
# How long a gateway may take to be up, on a machine that has other things to do.
readonly START_SECONDS=60

die() {
    printf 'schemathesis: %s\n' "$*" >&2
    exit 1
}

url="" settings=()
while [[ $# -gt 0 ]]; do
    case "$1" in
    --url) url="${2:?--url takes an address}" && shift 2 ;;
    --set) settings+=(--set "${2:?--set takes SECTION.KEY=VALUE}") && shift 2 ;;
    *) die "unknown argument $1; expected --url or --set" ;;
    esac
done

[[ -x "$TOOLS/schemathesis" ]] || die "there is no $TOOLS/schemathesis; call scripts/setup.sh schemathesis"

folder="$(mktemp -d)"
gateway=""
# Ends what was started here, and nothing else.
clean_up() {
    [[ -z "$gateway" ]] || kill "$gateway" 2>/dev/null || true
    [[ -z "$gateway" ]] || wait "$gateway" 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT

if [[ -z "$url" ]]; then
    mkdir "$folder/policies"
    "$TARGET/debug/portcullis" serve --listen 127.0.0.1:0 --store "dir:$folder/policies" --database "$folder/payments.db" \
        --set "platform.fingerprint_key_path=$folder/card.key" --set "policies.state_path=$folder/state" \
        ${settings[@]+"${settings[@]}"} >"$folder/log" 2>&1 &
    gateway=$!
    for ((waited = 0; waited < START_SECONDS * 10; waited++)); do
        kill -0 "$gateway" 2>/dev/null || { tail -n 20 "$folder/log" >&2 && die "the gateway did not start"; }
        address="$(sed -n 's/.*"http\.listen": *"\([^"]*\)".*/\1/p' "$folder/log" | head -n 1)"
        [[ -z "$address" ]] || break
        sleep 0.1
    done
    [[ -n "$address" ]] || die "the gateway was not up within $START_SECONDS s"
    url="http://$address"
fi

"$TOOLS/python" - "$url/openapi.json" <<'PYTHON'
import json, sys, urllib.request
from openapi_spec_validator import OpenAPIV31SpecValidator
document = json.load(urllib.request.urlopen(sys.argv[1], timeout=30))
OpenAPIV31SpecValidator(document).validate()
print("the document is OpenAPI 3.1 with", sum(len(path) for path in document["paths"].values()), "operations")
PYTHON

# Not asked: whether all that the schemas allow is taken. They cannot say what a check digit, a calendar or a payment's status is.
status=0
# `timeout` is for a run that does not heed its own bound.
# What it remembers of a run goes with the folder.
cd "$folder"
timeout $((SECONDS_AT_MOST + 120)) "$TOOLS/schemathesis" run "$url/openapi.json" \
    --checks all --exclude-checks positive_data_acceptance --max-time "$SECONDS_AT_MOST" --max-examples "$EXAMPLES" \
    --seed "$SEED" --generation-database none --request-timeout 30 --workers 1 --continue-on-failure || status=$?
if [[ "$status" -ne 0 && -n "$gateway" ]]; then
    grep -E '"level":"ERROR"' "$folder/log" | tail -n 20 >&2 || true
fi
exit "$status"
