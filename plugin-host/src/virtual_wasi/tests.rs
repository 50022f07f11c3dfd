//! What a guest finds where it looks for a world around it.

use domain::risk::FaultKind;

use super::*;
use crate::testing::{
    Guest, PAID_AT, captured, evaluate, evaluate_payment, fault, load, patient, payment, verdict,
};

/// What a guest observes, in hexadecimal.
fn observed(guest: &Guest) -> String {
    verdict(guest).reasons[0].message.to_string()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A guest that calls a function that answers at address 16, and observes so many bytes there. Address 16 holds ones before.
fn answering_in_memory(interface: &str, function: &str, length: u32) -> Guest {
    Guest::new()
        .importing(interface, function, "$call (param i32)")
        .then_evaluating(&format!(
            "(memory.fill (i32.const 16) (i32.const 255) (i32.const 64))
            (call $call (i32.const 16)) (call $observe (i32.const 16) (i32.const {length}))"
        ))
}

/// A guest that calls a function that gives a number, and observes it.
fn answering_a_number(interface: &str, function: &str) -> Guest {
    Guest::new()
        .importing(interface, function, "$call (result i64)")
        .then_evaluating(
            "(i64.store (i32.const 16) (call $call)) (call $observe (i32.const 16) (i32.const 8))",
        )
}

#[test]
fn only_the_served_part_of_wasi_0_2_is_let_in() {
    assert!(serves("wasi:cli/stdout@0.2.0"));
    assert!(serves("wasi:random/random@0.2.12"));
    for refused in [
        "wasi:sockets/tcp@0.2.6",
        "wasi:http/outgoing-handler@0.2.6",
        "wasi:cli/stdout@0.3.0",
        "wasi:cli/stdout",
        "wasi:cli/stdout@0.20.0",
        "evil:cli/stdout@0.2.0",
    ] {
        assert!(!serves(refused), "{refused}");
    }
}

#[test]
fn both_clocks_stand_at_the_payment_s_time() {
    let seconds = (PAID_AT / 1000).to_le_bytes();
    let wall = answering_in_memory("wasi:clocks/wall-clock@0.2.0", "now", 12);
    assert_eq!(
        observed(&wall),
        hexadecimal(&seconds) + &hexadecimal(&123_000_000_u32.to_le_bytes())
    );
    let monotonic = answering_a_number("wasi:clocks/monotonic-clock@0.2.0", "now");
    assert_eq!(
        observed(&monotonic),
        hexadecimal(&(PAID_AT * 1_000_000).to_le_bytes())
    );
}

#[test]
fn clocks_stand_still_while_a_guest_computes() {
    let guest = Guest::new()
        .importing("wasi:clocks/monotonic-clock@0.2.0", "now", "$now (result i64)")
        .then_evaluating(
            "(local $left i32) (local $before i64)
            (local.set $left (i32.const 100000))
            (local.set $before (call $now))
            (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
            (call $score (i64.ne (local.get $before) (call $now)))",
        );
    assert_eq!(verdict(&guest).score.value(), 0);
}

#[test]
fn clocks_tell_milliseconds_apart() {
    let monotonic = answering_a_number("wasi:clocks/monotonic-clock@0.2.0", "resolution");
    assert_eq!(observed(&monotonic), hexadecimal(&1_000_000_u64.to_le_bytes()));
    let wall = answering_in_memory("wasi:clocks/wall-clock@0.2.0", "resolution", 12);
    assert_eq!(
        observed(&wall),
        hexadecimal(&[0; 8]) + &hexadecimal(&1_000_000_u32.to_le_bytes())
    );
}

#[test]
fn there_is_no_environment_no_argument_no_folder_and_no_terminal() {
    for (interface, function) in [
        ("wasi:cli/environment@0.2.0", "get-environment"),
        ("wasi:cli/environment@0.2.0", "get-arguments"),
        ("wasi:filesystem/preopens@0.2.0", "get-directories"),
    ] {
        let list = observed(&answering_in_memory(interface, function, 8));
        assert_eq!(&list[8..], "00000000", "{function} has an element");
    }
    for (interface, function) in [
        ("wasi:cli/environment@0.2.0", "initial-cwd"),
        ("wasi:cli/terminal-stdout@0.2.0", "get-terminal-stdout"),
    ] {
        let option = observed(&answering_in_memory(interface, function, 1));
        assert_eq!(option, "00", "{function} is there");
    }
}

/// Every way to random bytes, each with so many of them.
fn drawing() -> [Guest; 5] {
    let bytes = |interface: &str, function: &str| {
        Guest::new()
            .importing(interface, function, "$draw (param i64 i32)")
            .then_evaluating(
                "(call $draw (i64.const 16) (i32.const 16)) (call $observe (i32.load (i32.const 16)) (i32.load (i32.const 20)))",
            )
    };
    [
        bytes("wasi:random/random@0.2.0", "get-random-bytes"),
        bytes("wasi:random/insecure@0.2.0", "get-insecure-random-bytes"),
        answering_a_number("wasi:random/random@0.2.0", "get-random-u64"),
        answering_a_number("wasi:random/insecure@0.2.0", "get-insecure-random-u64"),
        answering_in_memory("wasi:random/insecure-seed@0.2.0", "insecure-seed", 16),
    ]
}

#[test]
fn random_bytes_repeat_for_a_payment_and_differ_by_payment_and_by_artifact() {
    for guest in drawing() {
        let policy = guest.policy();
        let draw = |id| {
            let verdict = evaluate_payment(&policy, &patient(), id).result.unwrap();
            verdict.reasons[0].message.to_string()
        };
        let drawn = draw("pay_1");
        assert!(drawn.len() >= 16, "{drawn}");
        for _ in 0..10 {
            assert_eq!(draw("pay_1"), drawn);
        }
        assert_ne!(draw("pay_2"), drawn);
        // The same code compiled elsewhere: what counts are the bytes of the artifact.
        let again = evaluate(&load(&guest.component()), &patient()).result.unwrap();
        assert_eq!(*again.reasons[0].message, drawn);
        assert_ne!(observed(&guest.with("(func $other_bytes)")), drawn);
    }
}

#[test]
fn one_evaluation_never_draws_the_same_twice() {
    let guest = Guest::new()
        .importing("wasi:random/random@0.2.0", "get-random-u64", "$draw (result i64)")
        .then_evaluating("(call $score (i64.eq (call $draw) (call $draw)))");
    assert_eq!(verdict(&guest).score.value(), 0);
}

#[test]
fn more_random_bytes_than_a_seed_takes_are_beyond_the_limit() {
    for count in [4097_i64, -1] {
        let guest = Guest::new()
            .importing(
                "wasi:random/random@0.2.0",
                "get-random-bytes",
                "$draw (param i64 i32)",
            )
            .then_evaluating(&format!(
                "(call $draw (i64.const {count}) (i32.const 16)) (call $score (i32.const 0))"
            ));
        let fault = fault(&guest);
        assert_eq!(fault.kind, FaultKind::HostCallLimit);
        assert!(
            fault.detail.contains("random bytes, of at most 4096"),
            "{}",
            fault.detail
        );
    }
}

/// A guest that writes so many bytes at a time, so many times, of its text.
fn writing(stream: &str, text: &[u8], times: u32) -> Guest {
    let mut guest = Guest::new();
    let (at, length) = (guest.data(text), text.len());
    guest
        .importing(
            &format!("wasi:cli/{stream}@0.2.0"),
            &format!("get-{stream}"),
            "$get (result i32)",
        )
        .importing(
            "wasi:io/streams@0.2.0",
            "[method]output-stream.check-write",
            "$check (param i32 i32)",
        )
        .importing(
            "wasi:io/streams@0.2.0",
            "[method]output-stream.blocking-write-and-flush",
            "$write (param i32 i32 i32 i32)",
        )
        .importing(
            "wasi:io/streams@0.2.0",
            "[resource-drop]output-stream",
            "$drop (param i32)",
        )
        .then_evaluating(&format!(
            "(local $stream i32) (local $left i32)
            (local.set $stream (call $get)) (local.set $left (i32.const {times}))
            (call $check (local.get $stream) (i32.const 16))
            (if (i64.lt_u (i64.load (i32.const 24)) (i64.const {length})) (then (unreachable)))
            (loop $again
                (call $write (local.get $stream) (i32.const {at}) (i32.const {length}) (i32.const 16))
                (if (i32.load8_u (i32.const 16)) (then (unreachable)))
                (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
            (call $drop (local.get $stream))
            (call $score (i32.const 1))"
        ))
}

#[test]
fn what_is_written_becomes_lines_of_the_log() {
    for (stream, level) in [
        ("stdout", tracing::Level::INFO),
        ("stderr", tracing::Level::ERROR),
    ] {
        let policy = writing(stream, b"thread 'main' panicked\n", 2).policy();
        let (called, lines) = captured(|| {
            let called = evaluate(&policy, &patient());
            called.said.finish();
            called.result
        });
        assert_eq!(called.unwrap().score.value(), 1);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].level, level);
        assert_eq!(lines[0].message, "guest: thread 'main' panicked");
    }
}

#[test]
fn what_is_written_beyond_the_bound_is_dropped_and_the_guest_goes_on() {
    let policy = writing("stdout", &[b'x'; 4096], 5).policy();
    let (called, lines) = captured(|| {
        let called = evaluate(&policy, &patient());
        called.said.finish();
        called.result
    });
    assert_eq!(called.unwrap().score.value(), 1);
    let bytes: usize = lines
        .iter()
        .map(|line| line.message.len() - "guest: ".len())
        .sum();
    assert_eq!(bytes, 8 * 1024);
}

#[test]
fn bytes_that_are_no_text_are_written_as_marks() {
    let policy = writing("stdout", b"\xff\xfeok", 1).policy();
    let (_, lines) = captured(|| evaluate(&policy, &patient()).said.finish());
    assert_eq!(lines[0].message, "guest: \u{fffd}\u{fffd}ok");
}

#[test]
fn standard_input_is_at_its_end() {
    let guest = Guest::new()
        .importing("wasi:cli/stdin@0.2.0", "get-stdin", "$get (result i32)")
        .importing(
            "wasi:io/streams@0.2.0",
            "[method]input-stream.blocking-read",
            "$read (param i32 i64 i32)",
        )
        .then_evaluating(
            "(call $read (call $get) (i64.const 100) (i32.const 16)) (call $observe (i32.const 16) (i32.const 5))",
        );
    // An error, and that is `closed`.
    let read = observed(&guest);
    assert_eq!((&read[..2], &read[8..]), ("01", "01"));
}

#[test]
fn whatever_is_waited_for_is_there() {
    let guest = Guest::new()
        .importing(
            "wasi:clocks/monotonic-clock@0.2.0",
            "subscribe-duration",
            "$after (param i64) (result i32)",
        )
        .importing(
            "wasi:clocks/monotonic-clock@0.2.0",
            "subscribe-instant",
            "$at (param i64) (result i32)",
        )
        .importing(
            "wasi:io/poll@0.2.0",
            "[method]pollable.ready",
            "$ready (param i32) (result i32)",
        )
        .importing(
            "wasi:io/poll@0.2.0",
            "[method]pollable.block",
            "$block (param i32)",
        )
        .importing("wasi:io/poll@0.2.0", "poll", "$poll (param i32 i32 i32)")
        .importing(
            "wasi:io/poll@0.2.0",
            "[resource-drop]pollable",
            "$drop (param i32)",
        )
        .then_evaluating(
            "(i32.store (i32.const 16) (call $after (i64.const 9000000000000000000)))
            (i32.store (i32.const 20) (call $at (i64.const -1)))
            (call $block (i32.load (i32.const 16)))
            (if (i32.eqz (call $ready (i32.load (i32.const 20)))) (then (unreachable)))
            (call $poll (i32.const 16) (i32.const 2) (i32.const 32))
            (call $drop (i32.load (i32.const 16))) (call $drop (i32.load (i32.const 20)))
            (call $observe (i32.load (i32.const 32)) (i32.mul (i32.load (i32.const 36)) (i32.const 4)))",
        );
    assert_eq!(observed(&guest), "0000000001000000");
}

#[test]
fn a_loop_around_a_call_that_costs_no_fuel_ends() {
    for (interface, function, signature, call) in [
        (
            "wasi:clocks/monotonic-clock@0.2.0",
            "now",
            "(result i64)",
            "(drop (call $call))",
        ),
        (
            "wasi:cli/stdout@0.2.0",
            "get-stdout",
            "(result i32)",
            "(drop (call $call))",
        ),
        (
            "wasi:clocks/monotonic-clock@0.2.0",
            "subscribe-duration",
            "(param i64) (result i32)",
            "(drop (call $call (i64.const 0)))",
        ),
        (
            "wasi:cli/environment@0.2.0",
            "get-environment",
            "(param i32)",
            "(call $call (i32.const 16))",
        ),
    ] {
        let guest = Guest::new()
            .importing(interface, function, &format!("$call {signature}"))
            .then_evaluating(&format!("(loop $again {call} (br $again)) (unreachable)"));
        assert_eq!(fault(&guest).kind, FaultKind::HostCallLimit, "{function}");
    }
}

#[test]
fn exit_is_a_trap() {
    for (function, status, words) in [
        ("exit", 0, "the guest called exit (ok)"),
        ("exit", 1, "the guest called exit (error)"),
        ("exit-with-code", 7, "the guest called exit (code 7)"),
    ] {
        let guest = Guest::new()
            .importing("wasi:cli/exit@0.2.0", function, "$exit (param i32)")
            .then_evaluating(&format!("(call $exit (i32.const {status})) (unreachable)"));
        let fault = fault(&guest);
        assert_eq!(fault.kind, FaultKind::Trap);
        assert!(fault.detail.contains(words), "{}", fault.detail);
    }
}

#[test]
fn a_call_on_files_is_a_trap_that_names_the_function() {
    let guest = Guest::new()
        .importing("wasi:filesystem/types@0.2.0", "remove-everything", "$remove")
        .then_evaluating("(call $remove) (unreachable)");
    let fault = fault(&guest);
    assert_eq!(fault.kind, FaultKind::Trap);
    assert!(
        fault
            .detail
            .contains("`wasi:filesystem/types@0.2.0.remove-everything` is not available to a policy"),
        "{}",
        fault.detail
    );
}

#[test]
fn a_handle_that_nobody_gave_out_is_a_trap() {
    let guest = Guest::new()
        .importing(
            "wasi:filesystem/types@0.2.0",
            "[method]descriptor.sync",
            "$sync (param i32) (result i32)",
        )
        .then_evaluating("(drop (call $sync (i32.const 3))) (call $score (i32.const 0))");
    assert_eq!(fault(&guest).kind, FaultKind::Trap);
}

#[test]
fn a_policy_describes_itself_at_the_beginning_of_time() {
    let guest = Guest::new()
        .importing("wasi:clocks/monotonic-clock@0.2.0", "now", "$now (result i64)")
        .describing("(if (i64.ne (call $now) (i64.const 1)) (then (unreachable))) (i32.const 64)")
        .memory("4");
    assert_eq!(guest.policy().described().summary.len(), 0);
    assert_eq!(payment("pay_1").created_at, PAID_AT);
}
