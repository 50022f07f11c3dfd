//! Guests that aim at the compiler: too much of something, which is counted before anything is compiled, or little that takes
//! long, which is stopped.

use portcullis_tests::guests::generated;

use super::row::{Expected, Row};

/// A node that is short of patience and of memory, so that the tests need not be long.
pub(super) const SETTINGS: &[&str] = &[
    "policies.compile_cpu_seconds=2",
    "policies.compile_memory_bytes=1073741824",
];

/// All of them.
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
