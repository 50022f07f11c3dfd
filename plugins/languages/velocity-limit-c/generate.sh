#!/usr/bin/env bash
# Makes generated/ from the contract, with wit-bindgen 0.63.0 on PATH. `--check` compares and changes nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

# In C the record `list-feature` and a list of the record `feature` would get the same name. What types are called is no
# part of a component, so the record is renamed for the bindings; `portcullis policy build` writes the true contract in.
sed 's/\blist-feature\b/listed-feature/' ../risk-policy.wit >"$folder/risk-policy.wit"
wit-bindgen c "$folder/risk-policy.wit" --world risk-policy --no-object-file --out-dir "$folder/generated" >&2
if [[ "${1:-}" == --check ]]; then
    diff -r "$folder/generated" generated
else
    cp "$folder"/generated/* generated/
fi
