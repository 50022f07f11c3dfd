//! Guests that try what they should not, get nothing of it, and answer: their answer says what they found.

use portcullis_tests::Answer;
use portcullis_tests::guests::generated;
use serde_json::Value;

use super::row::{Expected, Row};
use super::scene::{Scene, evaluation};

/// All of them.
pub(super) fn rows() -> Vec<Row> {
    let approves = |code| Expected::Answer("approve", Some(code));
    vec![
        Row::rust("opens-files", approves("files.none")),
        Row::rust("looks-around", approves("around.none")),
        Row::rust("starts-a-thread", approves("threads.none")),
        // No clock moves, and every wait is over at once.
        Row::rust("sleeps", approves("slept")).also(at_once),
        Row::rust("counts-calls", approves("calls.first")),
        // Approves as long as it finds no trace of itself.
        Row::text("scribbles-over-memory", Expected::Answer("approve", None)).fuel(100_000_000),
        Row::rust("throws-dice", approves("dice.map"))
            .twice()
            .also(repeats_itself),
        // Fifty megabytes to fetch, hash, compile and begin with, where they are allowed; and given back when it is retired.
        Row::generated(
            "begins-with-fifty-megabytes-of-its-own",
            || generated::data(50),
            Expected::Answer("approve", None),
        )
        .memory_mib(128),
    ]
}

/// Nobody waited for an hour, or at all.
fn at_once(_: &Scene, answers: &[Answer]) {
    /// A thousandth of a thousandth of what it asked for.
    const MAX_ELAPSED_US: u64 = 3_600;
    for answer in answers {
        let elapsed = evaluation(answer, "sleeps")["elapsed_us"]
            .as_u64()
            .expect("a time");
        // One of the runs may have been put off the processor by others.
        if elapsed <= MAX_ELAPSED_US {
            return;
        }
    }
    panic!("every sleep took its time");
}

/// Two evaluations of the same payment say the same to the last digit, and two payments do not.
fn repeats_itself(_: &Scene, answers: &[Answer]) {
    let mut seen = Vec::new();
    for answer in answers {
        let said = |name: &str| {
            let reasons = answer.body["risk"]["reasons"].as_array().expect("reasons");
            let of_it = reasons.iter().filter(|reason| reason["policy"] == name);
            let said: Vec<Value> = of_it
                .map(|reason| serde_json::json!([reason["code"], reason["message"]]))
                .collect();
            let evaluation = evaluation(answer, name);
            (
                said,
                evaluation["outcome"].clone(),
                evaluation["score"].clone(),
                evaluation["fuel_used"].clone(),
            )
        };
        let first = said("throws-dice");
        assert_eq!(first.0.len(), 5, "{}", answer.text);
        assert_eq!(first, said("throws-dice-again"));
        assert!(!seen.contains(&first.0), "random bytes follow from the payment");
        seen.push(first.0);
    }
}
