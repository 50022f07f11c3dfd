//! Guests that run into each of their bounds, and what is left of them for the next one: nothing.

mod isolation;

use domain::risk::{Fault, FaultKind, Outcome};

use crate::document::Limits;
use crate::document::limits::{MAX_DEADLINE_MS, MAX_FUEL, MAX_MEMORY_BYTES};
use crate::load_error::LoadError;
use crate::testing::{
    Answer, Guest, PAID_AT, captured, evaluate, evaluate_payment, fault, fuel, patient, refused, verdict,
};

const HOST: &str = "portcullis:policy/host@0.1.0";

/// Loops for ever.
const LOOP: &str = "(loop $again (br $again)) (unreachable)";

fn kind(guest: &Guest) -> FaultKind {
    fault(guest).kind
}

#[track_caller]
fn assert_fault(found: &Fault, kind: FaultKind, words: &[&str]) {
    assert_eq!(found.kind, kind, "{}", found.detail);
    for word in words {
        assert!(
            found.detail.contains(word),
            "`{word}` is not in `{}`",
            found.detail
        );
    }
}

/// A guest whose `start` function runs these instructions when it evaluates, and not when it describes itself: its clock then
/// stands at 1970.
fn starting(body: &str) -> Guest {
    let import = ("wasi:clocks/monotonic-clock@0.2.0", "now");
    Guest::new()
        .importing(import.0, import.1, "$now (result i64)")
        .with(&format!(
            "(func $begin (if (i64.ne (call $now) (i64.const 1)) (then {body}))) (start $begin)"
        ))
}

#[test]
fn a_guest_that_loops_runs_out_of_fuel() {
    let called = evaluate(&Guest::evaluating(LOOP).policy(), &fuel(100_000));
    assert_fault(
        &called.result.unwrap_err(),
        FaultKind::OutOfFuel,
        &["100000 units of fuel"],
    );
    assert_eq!(called.fuel_used, 100_000);
}

#[test]
fn a_guest_with_more_fuel_than_time_runs_into_its_deadline() {
    let limits = Limits::new(MAX_FUEL, 1, MAX_MEMORY_BYTES).unwrap();
    let called = evaluate(&Guest::evaluating(LOOP).policy(), &limits);
    assert_fault(
        &called.result.unwrap_err(),
        FaultKind::Deadline,
        &["did not end within 1 ms"],
    );
}

#[test]
fn a_guest_that_grows_its_memory_until_it_fails_is_out_of_memory() {
    let hoarding =
        "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)";
    let fault = fault(&Guest::evaluating(hoarding));
    assert_fault(
        &fault,
        FaultKind::OutOfMemory,
        &["more than its 16777216 bytes of memory"],
    );
}

#[test]
fn a_guest_that_takes_no_for_an_answer_still_answers() {
    let asking = "(call $score (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)))";
    assert_eq!(verdict(&Guest::evaluating(asking)).score.value(), 1);
}

#[test]
fn a_guest_that_begins_with_more_memory_than_it_may_have_is_out_of_memory() {
    let called = evaluate(&Guest::new().memory("300").policy(), &Limits::default());
    assert_fault(
        &called.result.unwrap_err(),
        FaultKind::OutOfMemory,
        &["300 pages"],
    );
}

#[test]
fn an_allocator_that_grows_without_end_is_out_of_memory() {
    let growing = "(drop (memory.grow (i32.const 10000))) (unreachable)";
    assert_eq!(kind(&Guest::new().reallocating(growing)), FaultKind::OutOfMemory);
}

#[test]
fn a_guest_that_grows_its_table_until_it_fails_is_out_of_memory() {
    for step in [100, 19_000, 30_000, 1_000_000] {
        let growing = format!(
            "(loop $more (br_if $more
                (i32.ne (table.grow $rules (ref.null func) (i32.const {step})) (i32.const -1))))
            (unreachable)"
        );
        let guest = Guest::evaluating(&growing).with("(table $rules 1 funcref)");
        assert_eq!(kind(&guest), FaultKind::OutOfMemory, "{step} entries a step");
    }
}

#[test]
fn a_guest_that_recurses_too_deep_overflows_its_stack() {
    let guest = Guest::evaluating("(call $score (call $deeper (i32.const 1)))").with(
        "(func $deeper (param $depth i32) (result i32)
            (i32.add (call $deeper (i32.add (local.get $depth) (i32.const 1))) (local.get $depth)))",
    );
    assert_eq!(kind(&guest), FaultKind::StackOverflow);
}

#[test]
fn a_trap_tells_where_by_the_names_of_functions() {
    let guest = Guest::evaluating("(call $check_velocity) (unreachable)")
        .with("(func $check_velocity (call $divide_by_window)) (func $divide_by_window (unreachable))");
    assert_fault(
        &fault(&guest),
        FaultKind::Trap,
        &["unreachable", "check_velocity", "divide_by_window"],
    );
}

#[test]
fn every_trap_of_a_guest_s_own_is_a_trap() {
    for body in [
        "(i32.div_u (i32.const 1) (i32.const 0))",
        "(i32.load (i32.const -4))",
        "(i32.trunc_f64_s (f64.const nan))",
        "(call_indirect $nothing (result i32) (i32.const 0))",
        "(call_indirect $nothing (result i32) (i32.const 9))",
    ] {
        let guest = Guest::evaluating(body).with("(table $nothing 1 funcref)");
        assert_eq!(kind(&guest), FaultKind::Trap, "{body}");
    }
}

#[test]
fn a_guest_says_why_it_gave_up() {
    let mut guest = Guest::new();
    let text = guest.data(b"the window is empty");
    let guest = guest
        .importing(HOST, "log", "$log (param i32 i32 i32)")
        .then_evaluating(&format!(
            "(call $log (i32.const 3) (i32.const {text}) (i32.const 19)) (unreachable)"
        ));
    assert_fault(
        &fault(&guest),
        FaultKind::Trap,
        &["the window is empty; ", "unreachable"],
    );
}

#[test]
fn the_hint_behind_a_panic_s_message_is_no_last_word() {
    let mut guest = Guest::new();
    let said =
        b"panicked at src/lib.rs:7:9:\nno mind to decide\nnote: run with `RUST_BACKTRACE=1` to see more\n";
    let text = guest.data(said);
    let guest = guest
        .importing(HOST, "log", "$log (param i32 i32 i32)")
        .then_evaluating(&format!(
            "(call $log (i32.const 3) (i32.const {text}) (i32.const {})) (unreachable)",
            said.len()
        ));
    let fault = fault(&guest);
    assert_fault(
        &fault,
        FaultKind::Trap,
        &["panicked at src/lib.rs:7:9:; no mind to decide; after "],
    );
    assert!(!fault.detail.contains("note: run"), "{}", fault.detail);
}

#[test]
fn long_last_words_leave_room_for_the_trap() {
    let guest = Guest::new()
        .importing(HOST, "log", "$log (param i32 i32 i32)")
        .then_evaluating(
            "(memory.fill (i32.const 65536) (i32.const 120) (i32.const 8000))
            (call $log (i32.const 3) (i32.const 65536) (i32.const 8000)) (unreachable)",
        );
    let fault = fault(&guest);
    assert_fault(&fault, FaultKind::Trap, &["xxx", "unreachable"]);
    assert!(fault.detail.len() <= 2048, "{}", fault.detail.len());
}

#[test]
fn an_answer_beyond_the_contract_is_invalid_output() {
    let reason = |count: usize| {
        (0..count).fold(Answer::of(Outcome::Review, 1), |answer, _| {
            answer.because("code", "message")
        })
    };
    for (answer, words) in [
        (
            Answer::of(Outcome::Decline, 1001),
            "decision.score: expected 0 to 1000, found 1001",
        ),
        (Answer::of(Outcome::Decline, u16::MAX), "found 65535"),
        (
            Answer {
                outcome: 4,
                ..reason(0)
            },
            "discriminant",
        ),
        (
            reason(33),
            "decision.reasons: expected at most 32 reasons, found 33",
        ),
        (reason(1).because("Not A Code", ""), "decision.reasons[1].code"),
        (
            reason(0).because("code", [b'x'; 513]),
            "decision.reasons[0].message",
        ),
        (reason(0).because("code", [b'o', 0xff]), "utf-8"),
        (reason(0).because([0xc3, 0x28], ""), "utf-8"),
    ] {
        let fault = fault(&Guest::answering(&answer));
        assert_eq!(fault.kind, FaultKind::InvalidOutput, "{}", fault.detail);
        assert!(
            fault.detail.to_lowercase().contains(words),
            "`{words}` is not in `{}`",
            fault.detail
        );
    }
    assert_eq!(verdict(&Guest::answering(&reason(32))).reasons.len(), 32);
}

#[test]
fn an_answer_that_lies_outside_of_memory_is_invalid_output() {
    for body in [
        // The answer, not aligned, beyond the end, and across it.
        "(i32.const 1025)",
        "(i32.const -16)",
        "(i32.const 262140)",
        // Its first case, its list, its list's length: bytes of an answer at 16.
        "(i32.store8 (i32.const 16) (i32.const 2)) (i32.const 16)",
        "(i32.store (i32.const 24) (i32.const -16)) (i32.store (i32.const 28) (i32.const 2)) (i32.const 16)",
        "(i32.store (i32.const 28) (i32.const -1)) (i32.const 16)",
    ] {
        assert_eq!(kind(&Guest::evaluating(body)), FaultKind::InvalidOutput, "{body}");
    }
}

#[test]
fn an_answer_of_too_many_bytes_is_not_copied() {
    let text = 300 * 1024;
    let body = format!("(call $say (i32.const 65536) (i32.const {text}))");
    assert_eq!(
        kind(&Guest::evaluating(&body).memory("8")),
        FaultKind::InvalidOutput
    );
    // Many reasons that share one text, so that the guest itself holds little.
    let many = "(i32.store (i32.const 24) (i32.const 1024)) (i32.store (i32.const 28) (i32.const 10000)) (i32.const 16)";
    assert_eq!(
        kind(&Guest::evaluating(many).memory("8")),
        FaultKind::InvalidOutput
    );
}

#[test]
fn a_policy_s_own_error_is_its_refusal() {
    let fault = fault(&Guest::refusing("no rates for XAU"));
    assert_eq!(
        (fault.kind, &*fault.detail),
        (FaultKind::Refused, "no rates for XAU")
    );
}

#[test]
fn a_refusal_is_cut_between_two_characters() {
    let fault = fault(&Guest::refusing("漢".repeat(2_000)));
    assert_eq!(fault.kind, FaultKind::Refused);
    assert_eq!(&*fault.detail, "漢".repeat(1024 / 3));
}

#[test]
fn a_loop_around_a_call_to_the_host_ends() {
    for (function, signature, call) in [
        (
            "log",
            "$host (param i32 i32 i32)",
            "(call $host (i32.const 0) (i32.const 0) (i32.const 0))",
        ),
        (
            "emit-signal",
            "$host (param i32 i32 i32 i32)",
            "(call $host (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
        ),
    ] {
        let guest = Guest::new()
            .importing(HOST, function, signature)
            .then_evaluating(&format!("(loop $again {call} (br $again)) (unreachable)"));
        assert_fault(&fault(&guest), FaultKind::HostCallLimit, &["more than"]);
    }
}

/// A guest that emits a signal of so many bytes for each pair, and then ends as told.
fn signalling(lengths: &[(u32, u32)], end: &str) -> Guest {
    let calls: String = lengths
        .iter()
        .map(|(code, detail)| {
            format!(
                "(call $signal (i32.const 1024) (i32.const {code}) (i32.const 2048) (i32.const {detail}))"
            )
        })
        .collect();
    let mut guest = Guest::new();
    guest.data(&[b'a'; 4096]);
    guest
        .importing(HOST, "emit-signal", "$signal (param i32 i32 i32 i32)")
        .then_evaluating(&format!(
            "(memory.fill (i32.const 1024) (i32.const 97) (i32.const 3000)) {calls} {end}"
        ))
}

#[test]
fn signals_are_kept_with_a_verdict_and_with_a_fault() {
    for end in ["(call $score (i32.const 7))", "(unreachable)", LOOP] {
        let called = evaluate(&signalling(&[(3, 5), (64, 512)], end).policy(), &patient());
        let signals = called.said.finish();
        assert_eq!(signals.len(), 2, "{end}");
        assert_eq!((&*signals[0].code, &*signals[0].detail), ("aaa", "aaaaa"));
        assert_eq!((signals[1].code.len(), signals[1].detail.len()), (64, 512));
    }
}

#[test]
fn too_many_signals_or_too_long_ones_end_the_evaluation_and_those_before_are_kept() {
    let end = "(call $score (i32.const 7))";
    for (lengths, kept, words) in [
        (vec![(1, 1); 33], 32, "more than 32 signals"),
        (
            vec![(1, 1), (65, 1)],
            1,
            "a signal's code of 65 bytes, of at most 64",
        ),
        (
            vec![(1, 1), (1, 1), (1, 513)],
            2,
            "a signal's detail of 513 bytes, of at most 512",
        ),
    ] {
        let called = evaluate(&signalling(&lengths, end).policy(), &patient());
        assert_fault(&called.result.unwrap_err(), FaultKind::HostCallLimit, &[words]);
        assert_eq!(called.said.finish().len(), kept);
    }
    let called = evaluate(&signalling(&[(1, 1); 32], end).policy(), &patient());
    assert_eq!((called.result.is_ok(), called.said.finish().len()), (true, 32));
}

#[test]
fn more_text_than_the_host_takes_in_one_call_is_not_copied() {
    let guest = Guest::new()
        .memory("8")
        .importing(HOST, "log", "$log (param i32 i32 i32)")
        .then_evaluating(
            "(call $log (i32.const 1) (i32.const 65536) (i32.const 300000)) (call $score (i32.const 0))",
        );
    assert_fault(&fault(&guest), FaultKind::HostCallLimit, &["too much data"]);
}

#[test]
fn a_text_for_the_host_that_is_none_is_a_trap() {
    for call in [
        // Not UTF-8; outside of memory; a level that there is not.
        "(call $log (i32.const 1) (i32.const 65536) (i32.const 8))",
        "(call $log (i32.const 1) (i32.const -8) (i32.const 9))",
        "(call $log (i32.const 4) (i32.const 0) (i32.const 0))",
    ] {
        let guest = Guest::new()
            .importing(HOST, "log", "$log (param i32 i32 i32)")
            .then_evaluating(&format!(
                "(i32.store (i32.const 65536) (i32.const -1)) {call} (call $score (i32.const 0))"
            ));
        assert_fault(&fault(&guest), FaultKind::Trap, &["evaluate"]);
    }
}

#[test]
fn a_guest_s_log_has_its_levels_and_a_bound() {
    let mut guest = Guest::new();
    let text = guest.data(b"line\n");
    let lines: String = (0..4)
        .map(|level| format!("(call $log (i32.const {level}) (i32.const {text}) (i32.const 5))"))
        .collect();
    let policy = guest
        .importing(HOST, "log", "$log (param i32 i32 i32)")
        .then_evaluating(&format!(
            "(local $left i32) {lines}
            (local.set $left (i32.const 100))
            (loop $again
                (call $log (i32.const 1) (i32.const 65536) (i32.const 1000))
                (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
            (call $score (i32.const 0))"
        ))
        .policy();
    let (signals, lines) = captured(|| evaluate(&policy, &patient()).said.finish());
    assert!(signals.is_empty());
    let levels: Vec<String> = lines.iter().take(4).map(|line| line.level.to_string()).collect();
    assert_eq!(levels, ["DEBUG", "INFO", "WARN", "ERROR"]);
    assert_eq!(lines[0].message, "guest: line");
    assert!(
        lines[0].fields.contains("policy.digest=\"sha256:"),
        "{:?}",
        lines[0]
    );
    let bytes: usize = lines
        .iter()
        .map(|line| line.message.len() - "guest: ".len())
        .sum();
    // The four line feeds were counted, and cut off when they were handed on.
    assert_eq!(bytes, 8 * 1024 - 4);
}

#[test]
fn fuel_repeats_exactly() {
    let computing = "(local $left i32) (local.set $left (i32.const 1000))
        (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $observe (local.get $request) (i32.const 64))";
    for guest in [Guest::evaluating(computing), Guest::evaluating("(unreachable)")] {
        let policy = guest.policy();
        let first = evaluate(&policy, &patient()).fuel_used;
        assert!(first > 0);
        for _ in 0..100 {
            assert_eq!(evaluate(&policy, &patient()).fuel_used, first);
        }
    }
}

#[test]
fn the_fuel_that_was_used_is_enough_and_half_of_it_is_not() {
    let policy = Guest::evaluating("(call $observe (local.get $request) (i32.const 64))").policy();
    let used = evaluate(&policy, &patient()).fuel_used;
    assert!(evaluate(&policy, &fuel(used)).result.is_ok());
    let short = evaluate(&policy, &fuel(used / 2)).result.unwrap_err();
    assert_eq!(short.kind, FaultKind::OutOfFuel);
}

#[test]
fn a_not_a_number_has_the_same_bits_everywhere() {
    let computing = "(local $nan f64)
        (local.set $nan (f64.sqrt (f64.neg (f64.load (i32.const 16)))))
        (f64.store (i32.const 8) (f64.add (f64.load (i32.const 24)) (local.get $nan)))
        (f64.store (i32.const 8) (f64.div (f64.const 0) (f64.load (i32.const 32))))
        (call $observe (i32.const 8) (i32.const 8))";
    let verdict = verdict(&Guest::evaluating(computing));
    assert_eq!(&*verdict.reasons[0].message, "000000000000f87f");
}

/// Counts what an instance finds of another one in its memory, a global and a table, and leaves as much as it can behind.
fn leaving_traces() -> Guest {
    let mut guest = Guest::new().memory("4 64");
    let own = guest.data(b"as it was");
    guest
        .with("(global $seen (mut i32) (i32.const 0)) (table $kept 8 64 funcref) (elem declare func $score)")
        .then_evaluating(&format!(
            "(local $at i32) (local $found i32)
            ;; Behind the request, which the host has just put onto the heap, everything must be zero.
            (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
            (drop (memory.grow (i32.const 28)))
            (loop $next
                (local.set $found (i32.add (local.get $found)
                    (i64.ne (i64.load (local.get $at)) (i64.const 0))))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if $next (i32.lt_u (local.get $at) (i32.shl (memory.size) (i32.const 16)))))
            (local.set $found (i32.add (local.get $found)
                (i64.ne (i64.load (i32.const {own})) (i64.const 0x6177207469207361))))
            (local.set $found (i32.add (local.get $found) (global.get $seen)))
            (local.set $found (i32.add (local.get $found) (i32.eqz (ref.is_null (table.get $kept (i32.const 3))))))
            (local.set $found (i32.add (local.get $found) (i32.ne (table.size $kept) (i32.const 8))))
            (global.set $seen (i32.const 1))
            (table.set $kept (i32.const 3) (ref.func $score))
            (drop (table.grow $kept (ref.func $score) (i32.const 8)))
            (memory.fill (i32.const 0) (i32.const 255) (i32.shl (memory.size) (i32.const 16)))
            (global.set $heap (i32.const 8))
            (memory.fill (i32.const 0) (i32.const 0) (i32.const 64))
            (call $score (local.get $found))"
        ))
}

#[test]
fn nothing_of_one_evaluation_is_there_in_the_next() {
    let traces = [
        leaving_traces().policy(),
        leaving_traces().with("(func $another_digest)").policy(),
    ];
    let others = [
        Guest::new().memory("32").policy(),
        Guest::evaluating("(memory.fill (i32.const 0) (i32.const 1) (i32.const 262144)) (unreachable)")
            .policy(),
    ];
    for round in 0..100 {
        for (policy, other) in traces.iter().zip(&others) {
            let verdict = evaluate(policy, &fuel(MAX_FUEL)).result.unwrap();
            assert_eq!(verdict.score.value(), 0, "in round {round}");
            let _whatever = evaluate(other, &fuel(MAX_FUEL));
        }
    }
}

#[test]
fn the_pool_does_not_run_dry() {
    let ends = [
        Guest::new(),
        Guest::evaluating("(unreachable)"),
        Guest::refusing("no"),
        Guest::new().memory("300"),
        Guest::new().reallocating("(unreachable)"),
    ]
    .map(|guest| guest.policy());
    for round in 0..10_000 {
        let called = evaluate(&ends[round % ends.len()], &patient());
        let unavailable = called
            .result
            .is_err_and(|fault| fault.kind == FaultKind::Unavailable);
        assert!(!unavailable, "in round {round}");
    }
}

#[test]
fn a_start_function_that_does_not_end_runs_out_of_fuel() {
    let policy = starting("(loop $again (br $again))").policy();
    let fault = evaluate(&policy, &fuel(100_000)).result.unwrap_err();
    assert_eq!(fault.kind, FaultKind::OutOfFuel);
}

#[test]
fn a_start_function_that_traps_is_a_trap() {
    let fault = fault(&starting("(unreachable)"));
    assert_fault(&fault, FaultKind::Trap, &["begin"]);
}

#[test]
fn a_policy_that_cannot_describe_itself_is_not_taken() {
    let bounds = [FaultKind::OutOfFuel, FaultKind::Deadline];
    for (guest, kinds) in [
        (Guest::new().describing("(unreachable)"), &[FaultKind::Trap][..]),
        (Guest::new().describing(LOOP), &bounds),
        (
            Guest::new().with("(func $never (loop $again (br $again))) (start $never)"),
            &bounds,
        ),
        (
            Guest::new().with("(func $not (unreachable)) (start $not)"),
            &[FaultKind::Trap],
        ),
        (
            Guest::new().describing("(i32.const -4)"),
            &[FaultKind::InvalidOutput],
        ),
    ] {
        let LoadError::DescribeFailed { fault } = refused(&guest.component()) else {
            panic!("it was refused for something else")
        };
        assert!(kinds.contains(&fault.kind), "{}: {}", fault.kind, fault.detail);
    }
}

#[test]
fn an_allocator_that_traps_is_a_trap() {
    assert_fault(
        &fault(&Guest::new().reallocating("(unreachable)")),
        FaultKind::Trap,
        &["realloc"],
    );
}

#[test]
fn an_allocator_that_gives_memory_that_is_not_there_is_invalid_output() {
    for address in ["(i32.const -8)", "(i32.const 3)", "(i32.const 262143)"] {
        assert_eq!(
            kind(&Guest::new().reallocating(address)),
            FaultKind::InvalidOutput,
            "{address}"
        );
    }
}

#[test]
fn an_allocator_that_calls_the_host_is_a_trap() {
    let guest = Guest::new()
        .importing(HOST, "log", "$log (param i32 i32 i32)")
        .reallocating("(call $log (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 65536)");
    assert_eq!(kind(&guest), FaultKind::Trap);
}

#[test]
fn what_runs_after_the_answer_is_bounded_too() {
    for (body, kind) in [
        ("(loop $again (br $again))", FaultKind::OutOfFuel),
        ("(unreachable)", FaultKind::Trap),
    ] {
        let guest = Guest::new().with(&format!(
            "(func $after (export \"cabi_post_evaluate\") (param i32) {body})"
        ));
        let fault = evaluate(&guest.policy(), &fuel(100_000)).result.unwrap_err();
        assert_eq!(fault.kind, kind, "{}", fault.detail);
    }
}

#[test]
fn a_guest_is_given_the_payment() {
    // The payment's id, and its time at byte 48 of the request.
    let policy = Guest::evaluating(
        "(call $say (i32.load (local.get $request)) (i32.load offset=4 (local.get $request)))",
    )
    .policy();
    let called = evaluate_payment(&policy, &patient(), "pay_42");
    assert_eq!(&*called.result.unwrap().reasons[0].message, "pay_42");
    let time = verdict(&Guest::evaluating(
        "(call $observe (i32.add (local.get $request) (i32.const 48)) (i32.const 8))",
    ));
    let hexadecimal: String = PAID_AT
        .to_le_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(*time.reasons[0].message, hexadecimal);
}

#[test]
fn the_longest_deadline_is_not_cut_short() {
    let limits = Limits::new(MAX_FUEL, MAX_DEADLINE_MS, MAX_MEMORY_BYTES).unwrap();
    let computing = "(local $left i32) (local.set $left (i32.const 1000000))
        (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $score (i32.const 5))";
    let called = evaluate(&Guest::evaluating(computing).policy(), &limits);
    assert_eq!(called.result.unwrap().score.value(), 5);
}
