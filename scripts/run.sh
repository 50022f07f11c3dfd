#!/usr/bin/env bash
# Publishes the sample policies and starts the gateway on the embedded default: SQLite and a directory as the policy
# store, all under .portcullis/, no other service. Arguments go to `portcullis serve`. `make run` builds first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly CONFIG=config/embedded.toml
# As in that file.
readonly ADDRESS=http://127.0.0.1:8080

target="${CARGO_TARGET_DIR:-$PWD/target}"

scripts/publish.sh

cat <<TEXT

Portcullis is starting on $ADDRESS, with its data under .portcullis/. Ctrl-C stops it.

Try a payment, from another terminal:

  curl -sS $ADDRESS/v1/payments -H 'Content-Type: application/json' -d '{
    "merchant_id": "m_demo",
    "amount": {"minor_units": 12900, "currency": "CNY"},
    "card": {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2030},
    "customer": {"email": "li@example.com"}
  }'

Change a policy under plugins/ or its policy.toml, and put it in force while the gateway runs:

  make publish

TEXT

# In this process's place, so that Ctrl-C and signals reach the gateway itself and nothing is left behind.
exec "$target/debug/portcullis" serve --config "$CONFIG" "$@"
