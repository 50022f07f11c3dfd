//! Guests that aim at the compiler: too much of something, which is counted before anything is compiled, or little that takes
//! long, which is stopped.

use portcullis_tests::guests::generated;

use super::row::{Expected, Row};

/// A node that is short of patience and of memory, so that the tests need not be long.
pub(super) const SETTINGS: &[&str] = &[
    "policies.compile_cpu_seconds=2",
    "policies.compile_memory_bytes=1073741824",
];

/// A node whose compilers have time and little memory: three times what a policy in Rust takes, half of what the first of the
/// guests below wants. One whose bytes alone fill it does not come so far as to be compiled.
pub(super) const SHORT_OF_MEMORY: &[&str] = &["policies.compile_memory_bytes=67108864"];

/// Those that want more memory than such a node gives, and then one that it compiles all the same.
pub(super) fn greedy_rows() -> Vec<Row> {
    let refused = || Expected::Refused("compile_memory", "more than 67108864 bytes of memory");
    vec![
        Row::generated(
            "compiles-in-much-memory",
            || generated::hard_to_compile(1, 2_000),
            refused(),
        ),
        Row::generated("is-as-large-as-the-memory", || generated::data(50), refused()),
        Row::rust("counts-calls", Expected::Answer("approve", Some("calls.first"))),
    ]
}

/// All that take too long or are too much.
pub(super) fn rows() -> Vec<Row> {
    let refused = Expected::Refused;
    vec![
        Row::generated(
            "has-100000-types",
            || generated::types(100_000),
            refused("too_complex", "types"),
        ),
        Row::generated(
            "has-150000-functions",
            || generated::functions(150_000),
            refused("too_complex", "functions"),
        ),
        Row::generated(
            "nests-components",
            || generated::nested_components(40),
            refused("too_complex", "components"),
        ),
        Row::generated(
            "nests-blocks",
            || generated::nested_blocks(20_000),
            refused("too_complex", "blocks"),
        ),
        Row::generated(
            "nests-types",
            || generated::nested_types(100_000),
            refused("too_complex", "types within one another"),
        ),
        Row::generated(
            "is-made-of-instances",
            || generated::instances_of_exports(200, 1_000),
            refused("too_complex", "exports of instances"),
        ),
        Row::generated(
            "has-150000-table-elements",
            || generated::elements(150_000),
            refused("too_complex", "entries of element segments"),
        ),
        Row::generated(
            "validates-for-ever",
            || generated::aliases_of_a_large_type(15_000),
            refused("compile_timeout", "more than 2 s of the processor"),
        ),
        Row::generated(
            "compiles-for-ever",
            || generated::hard_to_compile(20, 2_000),
            refused("compile_timeout", "more than 2 s of the processor"),
        ),
    ]
}
