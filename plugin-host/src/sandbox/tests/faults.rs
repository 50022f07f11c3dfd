//! What a fault tells the policy's author: the bound that was met, the fuel until then, and where.

use super::*;

/// A guest that ends in a fault within `$check_velocity`, which has this body.
fn faulting(body: &str) -> Guest {
    faulting_with(Guest::new(), body)
}

fn faulting_with(guest: Guest, body: &str) -> Guest {
    guest
        .with(&format!("(func $check_velocity (param $depth i32) {body})"))
        .then_evaluating("(call $check_velocity (i32.const 1)) (call $score (i32.const 0))")
}

fn logging(call: &str) -> Guest {
    let guest = Guest::new().importing(HOST, "log", "$log (param i32 i32 i32)");
    faulting_with(guest, &format!("(loop $again {call} (br $again))"))
}

/// Every kind that the engine reports of a guest that runs: what it does, within which limits, and what its bound is called.
fn kinds() -> Vec<(FaultKind, Guest, Limits, &'static str)> {
    let hurried = Limits::new(MAX_FUEL, 1, MAX_MEMORY_BYTES).unwrap();
    let growing =
        "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)";
    // Not a tail call, and nothing that a compiler could turn into one.
    let deeper = "(call $check_velocity (i32.add (local.get $depth) (i32.const 1))) (drop (memory.grow (i32.const 0)))";
    vec![
        (
            FaultKind::Trap,
            faulting("(unreachable)"),
            patient(),
            "unreachable",
        ),
        (
            FaultKind::OutOfFuel,
            faulting("(loop $again (br $again))"),
            fuel(100_000),
            "used all of its 100000 units of fuel",
        ),
        (
            FaultKind::Deadline,
            faulting("(loop $again (br $again))"),
            hurried,
            "did not end within 1 ms",
        ),
        (
            FaultKind::OutOfMemory,
            faulting(growing),
            patient(),
            "more than its 16777216 bytes of memory or 100000 entries of tables",
        ),
        (
            FaultKind::StackOverflow,
            faulting(deeper),
            patient(),
            "beyond 524288 bytes of the host's stack",
        ),
        (
            FaultKind::HostCallLimit,
            logging("(call $log (i32.const 0) (i32.const 0) (i32.const 0))"),
            patient(),
            "more than 1000 calls to the host",
        ),
        (
            FaultKind::HostCallLimit,
            logging("(call $log (i32.const 0) (i32.const 0) (i32.const 262145))").memory("8"),
            patient(),
            "too much data",
        ),
    ]
}

fn fault_within(guest: &Guest, limits: &Limits) -> Fault {
    evaluate(&guest.policy(), limits).result.unwrap_err()
}

#[test]
fn every_fault_that_the_engine_reports_tells_its_bound_its_fuel_and_where() {
    for (kind, guest, limits, bound) in kinds() {
        let of_fuel = format!("of its {} units of fuel", limits.fuel());
        let told = fault_within(&guest, &limits);
        assert_fault(&told, kind, &[bound, &of_fuel, "check_velocity (0x"]);

        // Where the names were stripped, functions have numbers, and all else is the same.
        let told = fault_within(&guest.stripped(), &limits);
        assert_fault(&told, kind, &[bound, &of_fuel, "; at function ", " (0x"]);
        assert!(!told.detail.contains("check_velocity"), "{}", told.detail);
    }
}

#[test]
fn an_answer_that_is_not_valid_tells_the_fuel_that_it_took() {
    for (answer, why) in [
        // The contract does not allow it; and nobody can read it.
        (
            Answer::of(Outcome::Decline, 1001),
            "decision.score: expected 0 to 1000",
        ),
        (
            Answer {
                outcome: 4,
                ..Answer::of(Outcome::Decline, 1)
            },
            "discriminant",
        ),
    ] {
        let called = evaluate(&Guest::answering(&answer).policy(), &patient());
        let fuel = format!("after {} of its 10000000 units of fuel; ", called.fuel_used);
        assert!(called.fuel_used > 0);
        assert_fault(
            &called.result.unwrap_err(),
            FaultKind::InvalidOutput,
            &[&fuel, why],
        );
    }
}
