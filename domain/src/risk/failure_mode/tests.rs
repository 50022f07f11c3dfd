//! What stands in for which fault, at which amount.

use super::*;
use crate::money::MAX_MINOR_UNITS;

fn money(minor_units: i64, currency: &str) -> Money {
    Money::new(minor_units, Currency::parse(currency).unwrap()).unwrap()
}

fn up_to(amounts: &[Money], above: Outcome) -> ApproveUpTo {
    ApproveUpTo::new(amounts.iter().copied(), above).unwrap()
}

#[test]
fn a_kind_without_an_outcome_of_its_own_takes_the_default() {
    let mode = FailureMode::new(Outcome::Review).with(FaultKind::Deadline, Outcome::Approve);
    for kind in FaultKind::ALL {
        let expected = if kind == FaultKind::Deadline {
            Outcome::Approve
        } else {
            Outcome::Review
        };
        assert_eq!(mode.outcome(kind, money(1, "CNY")), expected, "{kind}");
    }
    let chosen: Vec<_> = mode.chosen().collect();
    assert_eq!(
        chosen,
        [(FaultKind::Deadline, &StandIn::Always(Outcome::Approve))]
    );
}

#[test]
fn every_kind_has_a_slot_of_its_own() {
    for (index, kind) in FaultKind::ALL.into_iter().enumerate() {
        assert_eq!(kind as usize, index);
        assert_eq!(FaultKind::parse(kind.as_str()), Some(kind));
    }
}

/// Every kind of fault, as the default and by itself; every outcome above; limits from the least to the most; every
/// currency that can be paid in.
#[test]
fn approve_stands_up_to_the_amount_and_nowhere_else() {
    let payable = || Currency::all().filter(|currency| currency.exponent().is_some());
    let strict = [Outcome::Challenge, Outcome::Review, Outcome::Decline];
    for (step, kind) in FaultKind::ALL.into_iter().enumerate() {
        for above in strict {
            for limit in [1, 2, 10_000 + i64::try_from(step).unwrap(), MAX_MINOR_UNITS - 1] {
                // Given out of order: what is looked up is sorted all the same.
                let named = [money(limit, "EUR"), money(limit + 1, "CNY")];
                let stand_in = up_to(&named, above);
                let as_default = FailureMode::new(stand_in.clone());
                let by_kind = FailureMode::new(Outcome::Decline).with(kind, stand_in);
                for mode in [&as_default, &by_kind] {
                    for named in named {
                        let (most, currency) = (named.minor_units(), named.currency());
                        let outcome =
                            |minor_units| mode.outcome(kind, Money::new(minor_units, currency).unwrap());
                        assert_eq!(outcome(1), Outcome::Approve);
                        assert_eq!(outcome((most - 1).max(1)), Outcome::Approve);
                        assert_eq!(outcome(most), Outcome::Approve);
                        if most < MAX_MINOR_UNITS {
                            assert_eq!(outcome(most + 1), above);
                        }
                    }
                    let others = payable().filter(|currency| !["CNY", "EUR"].contains(&currency.code()));
                    for currency in others {
                        assert_eq!(mode.outcome(kind, Money::new(1, currency).unwrap()), above);
                    }
                }
                for other in FaultKind::ALL.into_iter().filter(|other| *other != kind) {
                    assert_eq!(by_kind.outcome(other, named[0]), Outcome::Decline, "{other}");
                    assert_eq!(as_default.outcome(other, named[0]), Outcome::Approve, "{other}");
                }
            }
        }
    }
}

#[test]
fn amounts_that_say_nothing_or_contradict_are_refused() {
    let cny = money(1, "CNY");
    assert_eq!(
        ApproveUpTo::new([], Outcome::Review),
        Err(ApproveUpToError::NoAmount)
    );
    assert_eq!(
        ApproveUpTo::new([cny, money(1, "EUR"), money(2, "CNY")], Outcome::Review),
        Err(ApproveUpToError::CurrencyTwice(cny.currency()))
    );
    assert_eq!(
        ApproveUpTo::new([cny], Outcome::Approve),
        Err(ApproveUpToError::ApproveAbove)
    );
}
