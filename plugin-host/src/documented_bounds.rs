//! The tables of `docs/sandbox.md`, held against the bounds that they are about.

use std::time::Duration;

use domain::feature::MAX_WINDOW_SECONDS;
use domain::risk::MAX_SCORE;

use crate::artifact::{CHUNK_BYTES, MAX_ARTIFACT_BYTES};
use crate::document::limits::{
    DEFAULT_DEADLINE_MS, DEFAULT_FUEL, DEFAULT_MEMORY_BYTES, MAX_DEADLINE_MS, MAX_FUEL, MAX_MEMORY_BYTES,
};
use crate::epoch_ticker::{MAX_MADE_UP, TICK};
use crate::golden::{MAX_GOLDEN_CASES, MAX_GOLDEN_CASES_BYTES};
use crate::{
    Config, compiler, contract::answer, engine, lane, pace, policy, reconciler, sandbox, structure,
    virtual_wasi,
};

const PAGE: &str = include_str!("../../docs/sandbox.md");

/// A number with a comma every three digits, as the documents write them.
fn grouped(number: impl TryInto<u64>) -> String {
    let digits = whole(number).to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn whole(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or_else(|_| panic!("it is whole"))
}

/// A size in the largest unit that it is a multiple of.
fn size(bytes: impl TryInto<u64>) -> String {
    let bytes = whole(bytes);
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let (unit, unit_bytes) = units
        .into_iter()
        .find(|(_, unit_bytes)| bytes.is_multiple_of(*unit_bytes))
        .unwrap();
    format!("{} {unit}", grouped(bytes / unit_bytes))
}

fn ms(duration: Duration) -> String {
    format!("{} ms", grouped(duration.as_millis()))
}

/// How long a tick of the clock of deadlines is.
fn tick() -> String {
    format!("{} ms", TICK.as_secs_f64() * 1_000.0)
}

fn bytes(count: usize) -> String {
    format!("{} bytes", grouped(count))
}

/// What each row of the tables must say, by how it begins.
type Rows = Vec<(&'static str, Vec<String>)>;

fn of_one_evaluation(config: &Config) -> Rows {
    let mut rows = vec![
        ("fuel", vec![grouped(DEFAULT_FUEL), grouped(MAX_FUEL)]),
        (
            "time (`deadline_ms`)",
            vec![
                format!("{DEFAULT_DEADLINE_MS} ms"),
                format!("{} ms", grouped(MAX_DEADLINE_MS)),
                tick(),
            ],
        ),
        (
            "one run on a payment's own thread",
            vec![format!(
                "{} ms and {} units",
                pace::SLICE_MS,
                grouped(pace::SLICE_FUEL)
            )],
        ),
        (
            "linear memory",
            vec![size(DEFAULT_MEMORY_BYTES), size(MAX_MEMORY_BYTES)],
        ),
        (
            "entries of all tables",
            vec![
                grouped(sandbox::MAX_TABLE_ENTRIES),
                format!("{} in one", grouped(engine::MAX_TABLE_ELEMENTS)),
            ],
        ),
        ("stack of the host", vec![size(engine::MAX_GUEST_STACK_BYTES)]),
        // What a toolchain links.
        ("stack of the guest", vec![]),
        (
            "evaluations at the same time",
            vec![grouped(config.max_concurrent_evaluations)],
        ),
        (
            "evaluations that wait for the lane",
            vec![
                grouped(lane::MAX_WAITING),
                ms(lane::MAX_WAIT),
                format!("gets done in {}", ms(lane::MAX_WAIT / 2)),
                format!("1 to {}", lane::MAX_PLACES),
            ],
        ),
    ];
    rows.extend(of_what_is_said());
    rows
}

/// What a guest may say, to the host and in its answer.
fn of_what_is_said() -> Rows {
    vec![
        ("calls to the host", vec![grouped(sandbox::MAX_HOST_CALLS)]),
        (
            "bytes passed to the host",
            vec![size(sandbox::MAX_HOST_CALL_BYTES)],
        ),
        (
            "signals",
            vec![
                grouped(sandbox::MAX_SIGNALS),
                format!("code {}", bytes(sandbox::MAX_SIGNAL_CODE_BYTES)),
                format!("detail {}", sandbox::MAX_SIGNAL_DETAIL_BYTES),
            ],
        ),
        ("random bytes", vec![grouped(virtual_wasi::MAX_RANDOM_BYTES)]),
        (
            "log",
            vec![
                size(sandbox::MAX_LOG_BYTES),
                format!("{} lines", sandbox::MAX_LOG_LINES),
            ],
        ),
        (
            "reasons",
            vec![
                grouped(answer::MAX_REASONS),
                format!("code 1 to {}", answer::MAX_CODE_BYTES),
                format!("message {}", bytes(answer::MAX_MESSAGE_BYTES)),
            ],
        ),
        ("score", vec![format!("0 to {}", MAX_SCORE)]),
        ("text of an error", vec![bytes(answer::MAX_REFUSAL_BYTES)]),
        (
            "detail of a fault",
            vec![
                size(sandbox::MAX_DETAIL_BYTES),
                format!("{} frames", engine::MAX_BACKTRACE_FRAMES),
            ],
        ),
    ]
}

fn at_load(config: &Config) -> Rows {
    let mut rows = vec![
        ("artifact |", vec![size(MAX_ARTIFACT_BYTES), size(CHUNK_BYTES)]),
        (
            "artifacts that are fetched",
            vec![format!("{};", grouped(reconciler::MAX_LOADS))],
        ),
        (
            "golden cases |",
            vec![grouped(MAX_GOLDEN_CASES), size(MAX_GOLDEN_CASES_BYTES)],
        ),
        ("compilations at once", vec![grouped(config.compile_threads)]),
        (
            "one compilation",
            vec![format!("{} s", config.compile_cpu_seconds)],
        ),
        ("its memory", vec![size(config.compile_memory_bytes)]),
        ("machine code", vec![size(compiler::MAX_MACHINE_CODE_BYTES)]),
        (
            "core instances, tables, memories",
            vec![format!(
                "{}, {}, {}",
                engine::MAX_CORE_INSTANCES_PER_COMPONENT,
                engine::MAX_TABLES_PER_COMPONENT,
                engine::MAX_MEMORIES_PER_COMPONENT
            )],
        ),
        // Those of an evaluation.
        ("`describe`", vec![]),
        ("summary", vec![bytes(answer::MAX_SUMMARY_BYTES)]),
        (
            "features",
            vec![
                grouped(answer::MAX_FEATURES),
                format!("name 1 to {}", bytes(answer::MAX_NAME_BYTES)),
                format!("{} days", MAX_WINDOW_SECONDS / (24 * 3600)),
            ],
        ),
        (
            "parameters",
            vec![
                grouped(answer::MAX_PARAMETERS),
                format!("name 1 to {}", bytes(answer::MAX_NAME_BYTES)),
            ],
        ),
        // Those of an evaluation.
        ("a golden case", vec![]),
        (
            "all golden cases",
            vec![format!("{} s", policy::GOLDEN_CASES_TIME.as_secs())],
        ),
        (
            "golden cases that are tried",
            vec![format!("the first {}", policy::MAX_CASES_UNDER_PARAMETERS)],
        ),
        ("all of it", vec![format!("{} s", config.load_timeout_ms / 1_000)]),
    ];
    rows.extend(counted());
    rows
}

fn counted() -> Rows {
    vec![
        (
            "components within one another",
            vec![grouped(structure::MAX_NESTED_COMPONENTS)],
        ),
        (
            "core modules; nested components",
            vec![format!(
                "{}; {}",
                grouped(structure::MAX_MODULES),
                grouped(structure::MAX_COMPONENTS)
            )],
        ),
        (
            "types; their fields",
            vec![format!(
                "{}; {}",
                grouped(structure::MAX_TYPES),
                grouped(structure::MAX_TYPE_MEMBERS)
            )],
        ),
        (
            "types within one another",
            vec![grouped(structure::MAX_NESTED_TYPES)],
        ),
        (
            "functions; canonical functions",
            vec![format!(
                "{}; {}",
                grouped(structure::MAX_FUNCTIONS),
                grouped(structure::MAX_CANONICAL_FUNCTIONS)
            )],
        ),
        (
            "instances; their exports",
            vec![format!(
                "{}; {}",
                grouped(structure::MAX_INSTANCES),
                grouped(structure::MAX_INSTANCE_EXPORTS)
            )],
        ),
        (
            "entries of element segments",
            vec![grouped(structure::MAX_ELEMENT_ENTRIES)],
        ),
        (
            "bytes of one function",
            vec![grouped(structure::MAX_FUNCTION_BYTES)],
        ),
        (
            "blocks within one another",
            vec![grouped(structure::MAX_BLOCK_DEPTH)],
        ),
        (
            "imports and exports",
            vec![grouped(structure::MAX_IMPORTS_AND_EXPORTS)],
        ),
        ("globals", vec![grouped(structure::MAX_GLOBALS)]),
        (
            "data and element segments",
            vec![grouped(structure::MAX_SEGMENTS)],
        ),
    ]
}

/// Whether a text says this, and not as a part of a longer number.
fn says(text: &str, what: &str) -> bool {
    let of_a_number = |c: char| c.is_ascii_digit() || c == ',' || c == '.';
    text.match_indices(what).any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + what.len()..]);
        let mut next = behind.chars();
        let goes_on = match next.next() {
            Some(',') => next.next().is_some_and(|c| c.is_ascii_digit()),
            first => first.is_some_and(|c| c.is_ascii_digit()),
        };
        !before.ends_with(of_a_number) && !goes_on
    })
}

/// The rows of the table under a heading.
fn table(heading: &str) -> Vec<&'static str> {
    let (_, section) = PAGE.split_once(heading).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|'));
    // The heading of the columns, and the line below it.
    rows.skip(2).collect()
}

#[track_caller]
fn assert_table(heading: &str, expected: &Rows) {
    let table = table(heading);
    for (begins, says_so) in expected {
        let row = table
            .iter()
            .find(|row| row.starts_with(&format!("| {begins}")))
            .unwrap_or_else(|| panic!("there is no row `{begins}`"));
        for what in says_so {
            assert!(says(row, what), "`{what}` is not in: {row}");
        }
    }
    for row in table {
        let is_held = |(begins, _): &(&str, _)| row.starts_with(&format!("| {begins}"));
        assert!(
            expected.iter().any(is_held),
            "nothing holds this row against its bound: {row}"
        );
    }
}

#[test]
fn every_bound_of_an_evaluation_is_in_its_table() {
    assert_table(
        "## Bounds of one evaluation",
        &of_one_evaluation(&Config::default()),
    );
}

#[test]
fn every_bound_at_load_is_in_its_table() {
    assert_table("## Bounds at load", &at_load(&Config::default()));
}

#[test]
fn what_is_said_of_deadlines_and_of_the_lane_is_so() {
    let late = format!(
        "more than {} late",
        ms(TICK * u32::try_from(MAX_MADE_UP).unwrap())
    );
    assert!(says(PAGE, &format!("every {}", tick())) && says(PAGE, &late));

    let (_, lane) = PAGE.split_once("### The lane").unwrap();
    let lane = lane.split("\n## ").next().unwrap().replace('\n', " ");
    for what in [
        format!(
            "{} ms and {} units of fuel",
            pace::SLICE_MS,
            grouped(pace::SLICE_FUEL)
        ),
        format!(
            "`policies.lane_threads` ({}) threads",
            Config::default().lane_threads
        ),
        format!("{} times in a row within {}", pace::QUICK_RUNS, ms(pace::QUICK)),
    ] {
        assert!(says(&lane, &what), "`{what}` is not in: {lane}");
    }
}

#[test]
fn a_number_is_found_as_a_whole() {
    assert!(says("| log | 8 KiB | |", "8 KiB"));
    assert!(says("1,024, of one release 64; for", "1,024"));
    assert!(!says("| log | 18 KiB | |", "8 KiB"));
    assert!(!says("| fuel | 10,000,000 |", "10,000"));
    assert!(!says("| fuel | 10,000,000 |", "000"));
}
