//! The score holds together, and the model is the one that its file describes.

use portcullis_policy::testing::{payment, request};
use portcullis_policy::{Policy, Request};

use super::*;
use crate::FraudScore;

fn ordinary() -> Request {
    request(&FraudScore::describe(), payment().build())
        .count("card_count_1h", 1)
        .count("card_count_24h", 1)
        .amount("card_amount_24h", 12_900)
        .count("card_declined_24h", 0)
        .build()
}

#[test]
fn contributions_and_averages_add_up_to_the_log_odds() {
    let nothing = model::score(&[0; INPUTS]);
    let average = nothing.log_odds - nothing.contributions.iter().sum::<i32>();
    for seed in 0..500 {
        let row = core::array::from_fn(|input| (seed * 7 + i32::try_from(input).unwrap() * 13) % 40 - 1);
        let scored = model::score(&row);
        assert_eq!(
            scored.log_odds - scored.contributions.iter().sum::<i32>(),
            average
        );
    }
}

#[test]
fn extreme_inputs_stay_on_the_scale() {
    let thresholds = Thresholds::new(500, 750, 950).unwrap();
    for value in [i32::MIN, -1, 0, 1, i32::MAX] {
        assert!(decide(&[value; INPUTS], thresholds).score <= HIGHEST_SCORE);
    }
}

#[test]
fn an_ordinary_payment_is_approved_and_the_same_twice() {
    let decision = FraudScore::evaluate(&ordinary()).unwrap();
    assert_eq!(decision.outcome, Outcome::Approve);
    assert_eq!(FraudScore::evaluate(&ordinary()).unwrap(), decision);
}

#[test]
fn reasons_are_few_and_the_strongest_comes_first() {
    let thresholds = Thresholds::new(500, 750, 950).unwrap();
    let decision = decide(&[300, 20, 40, 300, 9, 9, 9, 40, 3, 3, 1, 3], thresholds);
    assert!(decision.reasons.len() <= MOST_REASONS);
    assert!(!decision.reasons.is_empty());
    assert!(
        decision
            .reasons
            .iter()
            .all(|reason| reason.code.starts_with("fraud.score."))
    );
}

#[test]
fn a_threshold_belongs_to_the_stricter_side() {
    let thresholds = Thresholds::new(500, 750, 950).unwrap();
    let outcomes = [499, 500, 749, 750, 949, 950, 1000].map(|score| thresholds.outcome(score));
    use Outcome::{Approve, Challenge, Decline, Review};
    assert_eq!(
        outcomes,
        [Approve, Challenge, Challenge, Review, Review, Decline, Decline]
    );
}

#[test]
fn thresholds_that_make_no_sense_are_refused_by_name() {
    assert_eq!(
        Thresholds::new(0, 1, 2).unwrap_err(),
        "parameter challenge_from is 0, expected 1 or more"
    );
    assert!(Thresholds::new(5, 4, 6).unwrap_err().contains("are 5, 4 and 6"));
    assert!(Thresholds::new(1, 2, 1).is_err());
    assert!(Thresholds::new(1, 1, 1001).is_ok());
}

#[test]
fn the_model_file_names_the_inputs_in_the_order_of_the_code() {
    let text = include_str!("../../model.txt");
    for (position, name) in INPUT_NAMES.iter().enumerate() {
        assert!(
            text.lines().any(|line| line == format!("#   {position} {name}")),
            "{name}"
        );
    }
}
