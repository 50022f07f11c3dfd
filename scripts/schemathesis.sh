#!/usr/bin/env bash
# Asks a gateway everything that its own OpenAPI document allows, and much that it does not, and holds each answer against the document:
# no server error, no status, media type or body that is not in it, nothing taken that it forbids.
#
#   scripts/schemathesis.sh http://127.0.0.1:8080      a gateway that runs
#
# `make schemathesis` starts one on each database and calls this for it.
#
# EXAMPLES (per operation and phase, default 50), SECONDS_AT_MOST (default 600) and SEED (default 1) bound and fix what is asked.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

TARGET="$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")"
readonly TARGET
readonly TOOLS="$TARGET/schemathesis/python"
readonly EXAMPLES="${EXAMPLES:-50}" SECONDS_AT_MOST="${SECONDS_AT_MOST:-600}" SEED="${SEED:-1}"

die() {
    printf 'schemathesis: %s\n' "$*" >&2
    exit 1
}

[[ $# -eq 1 && "$1" == http* ]] || die "expected the address of a gateway, such as http://127.0.0.1:8080"
readonly URL="$1"
[[ -x "$TOOLS/schemathesis" ]] || die "there is no $TOOLS/schemathesis; call scripts/setup.sh schemathesis"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
# A path that is too long is refused as such, whatever is wrong with it.
cat >"$folder/schemathesis.toml" <<'TOML'
[checks]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "413", "414", "415", "422"]
TOML

"$TOOLS/python" - "$URL/openapi.json" <<'PYTHON'
import json, sys, urllib.request
from openapi_spec_validator import OpenAPIV31SpecValidator
document = json.load(urllib.request.urlopen(sys.argv[1], timeout=30))
OpenAPIV31SpecValidator(document).validate()
print("the document is OpenAPI 3.1 with", sum(len(path) for path in document["paths"].values()), "operations")
PYTHON

# Not asked: whether all that the schemas allow is taken. They cannot say what a check digit, a calendar or a payment's status is.
# `timeout` is for a run that does not heed its own bound.
# What it remembers of a run goes with the folder.
cd "$folder"
timeout $((SECONDS_AT_MOST + 120)) "$TOOLS/schemathesis" --config-file schemathesis.toml run "$URL/openapi.json" \
    --checks all --exclude-checks positive_data_acceptance --max-time "$SECONDS_AT_MOST" --max-examples "$EXAMPLES" \
    --seed "$SEED" --generation-database none --request-timeout 30 --workers 1 --continue-on-failure
