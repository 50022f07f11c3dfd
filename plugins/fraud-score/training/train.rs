//! Trains the model of this policy on payments that it makes up, and writes `model.txt`.
//!
//! Run it in this folder: `cargo run --release --example train`. It has no input and no chance in it: the payments come
//! from a generator with a fixed seed, and the arithmetic is addition, multiplication and division of 64-bit floats in a
//! fixed order, which every machine does alike. A test holds the committed model against a fresh one.

#![expect(
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    reason = "the trainer runs on the author's machine and never in a policy"
)]

#[path = "train/boosting.rs"]
mod boosting;
#[path = "train/measures.rs"]
mod measures;
#[path = "train/payments.rs"]
mod payments;
#[path = "train/text.rs"]
mod text;

use std::fs;
use std::io;
use std::path::Path;

use boosting::Model;
use payments::Row;

/// Enough for the pattern to come out and few enough to train again in each run of the tests.
const TRAINING_ROWS: usize = 12_000;
const HELD_OUT_ROWS: usize = 6_000;

/// The beginning of each sequence of made-up payments. Any two numbers that differ would do.
const TRAINING_SEED: u64 = 20_260_101;
const HELD_OUT_SEED: u64 = 20_260_102;

fn train() -> (Model, Vec<Row>) {
    let rows = payments::rows(TRAINING_SEED, TRAINING_ROWS);
    (boosting::train(&rows), rows)
}

fn main() -> io::Result<()> {
    let (model, rows) = train();
    let held_out = payments::rows(HELD_OUT_SEED, HELD_OUT_ROWS);
    println!("{}", measures::report("training", &model, &rows));
    println!("{}", measures::report("held out", &model, &held_out));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("model.txt");
    fs::write(&path, text::write(&model))?;
    println!("wrote {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_model_is_what_the_trainer_makes() {
        let (model, _) = train();
        assert_eq!(
            text::write(&model),
            include_str!("../model.txt"),
            "run `cargo run --release --example train`"
        );
    }

    #[test]
    fn the_model_tells_fraud_from_honest_payments_that_it_has_not_seen() {
        let (model, _) = train();
        let held_out = payments::rows(HELD_OUT_SEED, HELD_OUT_ROWS);
        let measured = measures::measure(&model, &held_out);
        assert!(measured.area_under_curve > 0.9, "{measured:?}");
    }
}
