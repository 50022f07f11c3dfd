//! Guests that no gateway takes: each is refused by name, and nothing of it ever runs on a payment.

use portcullis_tests::guests::generated;

use super::row::{Expected, Row};

/// All of them.
pub(super) fn rows() -> Vec<Row> {
    let refused = Expected::Refused;
    vec![
        Row::rust("other-world", refused("contract_mismatch", "noon-temperature")),
        Row::rust(
            "traps-in-describe",
            refused("describe_failed", "`describe` failed (trap)"),
        ),
        Row::rust(
            "spins-in-describe",
            refused("describe_failed", "`describe` failed (out_of_fuel)"),
        ),
        Row::text(
            "spins-at-its-start",
            refused("describe_failed", "`describe` failed (out_of_fuel)"),
        ),
        Row::rust(
            "wants-every-feature",
            refused("invalid_descriptor", "expected at most 64 features, found 1000"),
        ),
        Row::rust("connects", refused("forbidden_import", "wasi:sockets/")),
        Row::text(
            "speaks-http",
            refused("forbidden_import", "wasi:http/outgoing-handler@0.2.6"),
        ),
        Row::text("has-a-wide-memory", refused("not_compilable", "memory")),
        Row::text("shares-its-memory", refused("not_compilable", "threads")),
        Row::generated(
            "is-many",
            || generated::instances(100),
            refused("not_compilable", "core module instances"),
        ),
        Row::generated(
            "has-five-memories",
            || generated::memories(5),
            refused("not_compilable", "5 Wasm linear memories"),
        ),
        Row::generated(
            "has-25-tables",
            || generated::tables(25),
            refused("not_compilable", "25 tables"),
        ),
        Row::generated(
            "has-120000-entries-of-tables",
            || generated::table_entries(6, 20_000),
            refused("describe_failed", "`describe` failed (out_of_memory)"),
        ),
    ]
}
