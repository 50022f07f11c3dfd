//! Any payments in any order: the same answers as the fake, which looks through a plain list.

use application::ports::{FeatureStore, SettledAs};
use domain::feature::{FeatureSpec, PaymentFilter, Subject, VelocityMeasure};
use portcullis_features::Config;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use testkit::builders::{OwnedRiskRequest, after, money, payment_details, risk_request};
use testkit::fakes::InMemoryFeatureStore;

use crate::store;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Observe(usize),
    Settle(usize, SettledAs),
}

/// Few values, so that payments share subjects, and times within two minutes, where the store is exact.
pub(crate) fn requests() -> impl Strategy<Value = Vec<OwnedRiskRequest>> {
    let request = (0..4_u8, 0..3_u8, 0..3_u8, 1..1_000_i64, any::<bool>(), 0..120_u64);
    vec(request, 1..12).prop_map(|requests| {
        let build = |(number, (card, device, email, amount, foreign, second))| {
            let mut details = payment_details()
                .amount(money(amount, if foreign { "EUR" } else { "CNY" }))
                .device(&format!("d_{device}"));
            if card > 0 {
                details = details.card(&format!("fp_{card}"));
            }
            if email > 0 {
                details = details.email(&format!("{email}@example.com"));
            }
            risk_request(&format!("pay_{number}"))
                .details(details.build())
                .at(after(second))
                .build()
        };
        requests.into_iter().enumerate().map(build).collect()
    })
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let settled = select(vec![SettledAs::Approved, SettledAs::Declined]);
    vec(
        prop_oneof![
            2 => any::<prop::sample::Index>().prop_map(|index| Step::Observe(index.index(usize::MAX))),
            1 => (any::<prop::sample::Index>(), settled)
                .prop_map(|(index, settled)| Step::Settle(index.index(usize::MAX), settled)),
        ],
        1..40,
    )
}

pub(crate) fn specs() -> Vec<FeatureSpec> {
    let mut specs = Vec::new();
    for subject in [Subject::Card, Subject::Device, Subject::Email, Subject::Merchant] {
        for filter in [
            PaymentFilter::Attempted,
            PaymentFilter::Approved,
            PaymentFilter::Declined,
        ] {
            for measure in [
                VelocityMeasure::Count,
                VelocityMeasure::Amount,
                VelocityMeasure::Distinct(Subject::Device),
                VelocityMeasure::Distinct(Subject::Card),
            ] {
                for window_seconds in [1, 30, 120] {
                    specs.push(FeatureSpec::Velocity {
                        subject,
                        measure,
                        filter,
                        window_seconds,
                    });
                }
            }
        }
    }
    specs
}

proptest! {
    #[test]
    fn the_answers_are_those_of_a_plain_list(requests in requests(), steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (store, fake, specs) = (store(&Config::default()), InMemoryFeatureStore::default(), specs());
            for step in steps {
                match step {
                    Step::Observe(index) => {
                        let request = requests[index % requests.len()].borrow();
                        let values = store.observe(&request, &specs).await.unwrap();
                        let expected = fake.observe(&request, &specs).await.unwrap();
                        for ((spec, value), expected) in specs.iter().zip(values).zip(expected) {
                            prop_assert_eq!(value, expected, "{:?}", spec);
                        }
                    }
                    Step::Settle(index, settled) => {
                        let request = requests[index % requests.len()].borrow();
                        store.settle(&request, settled).await.unwrap();
                        fake.settle(&request, settled).await.unwrap();
                    }
                }
            }
            Ok(())
        })?;
    }
}
