//! What every feature store owes, and lists, which come from the configuration.

use std::sync::Arc;

use application::ports::FeatureStore;
use domain::feature::{FeatureSpec, FeatureValue, Subject};
use portcullis_features::Config;
use testkit::builders::{payment_details, risk_request};

use crate::{lists_of, store, value};

async fn open() -> (Arc<dyn FeatureStore>, ()) {
    (Arc::new(store(&Config::default())), ())
}

testkit::feature_store_contract!(open);

#[tokio::test]
async fn a_listed_subject_is_found_on_its_list() {
    let entries = [
        ("ip", "198.51.100.0/24"),
        ("email", "Ada@Example.com"),
        ("card", "fp_4be04be04be04be04be04be04be04be0"),
    ];
    let config = Config {
        lists: lists_of(&entries),
        ..Config::default()
    };
    let store = store(&config);
    let details = payment_details()
        .ip("198.51.100.9")
        .email("ada@example.com")
        .card("fp_2");
    let request = risk_request("pay_1").details(details.build()).build();
    for (subject, expected) in [
        (Subject::Ip, FeatureValue::Listed(true)),
        (Subject::Email, FeatureValue::Listed(true)),
        (Subject::Card, FeatureValue::Listed(false)),
        (Subject::Merchant, FeatureValue::Listed(false)),
        (Subject::Device, FeatureValue::Unavailable),
    ] {
        let listed = FeatureSpec::Listed {
            list: "blocked".into(),
            subject,
        };
        assert_eq!(value(&store, &request, listed).await, expected, "{subject:?}");
    }
}
