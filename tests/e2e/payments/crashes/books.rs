//! What the gateway has of every payment, held against what the acquirer did.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_tests::{Gateway, eventually};
use serde_json::Value;

/// Both sides, when every operation has its end.
pub(super) struct Books {
    /// By id.
    pub(super) payments: BTreeMap<String, Value>,
    /// By the operation's id.
    pub(super) ledger: BTreeMap<String, Value>,
}

impl Books {
    pub(super) fn read(gateway: &Gateway, acquirer: &str) -> Self {
        let payments = eventually("every operation to have its end", || {
            let payments = payments(gateway);
            let open = |payment: &Value| {
                operations(payment)
                    .any(|operation| operation["status"] == "sent" || operation["status"] == "unknown")
            };
            (!payments.values().any(open)).then_some(payments)
        });
        Self {
            payments,
            ledger: ledger(acquirer),
        }
    }

    /// Every operation ended as the acquirer did it, and everything that the acquirer did is an operation of one payment.
    pub(super) fn check_that_they_agree(&self) {
        let mut seen = BTreeSet::new();
        for payment in self.payments.values() {
            for operation in operations(payment) {
                let id = operation["id"].as_str().expect("an id");
                assert!(seen.insert(id.to_owned()), "{id} is an operation of two payments");
                let charged = self.ledger.get(id);
                let outcome =
                    charged.map_or("none", |charged| charged["outcome"].as_str().expect("an outcome"));
                let expected: &[&str] = match operation["status"].as_str().expect("a status") {
                    "succeeded" => &["approved"],
                    "declined" => &["declined"],
                    "not_sent" => &["none", "closed"],
                    other => panic!("{id} is {other}"),
                };
                assert!(
                    expected.contains(&outcome),
                    "{operation} at the acquirer: {charged:?}"
                );
                if outcome == "approved" {
                    let charged = charged.expect("it is there");
                    assert_eq!(charged["kind"], operation["kind"]);
                    assert_eq!(
                        charged["amount"]["minor_units"],
                        operation["amount"]["minor_units"]
                    );
                }
            }
            let amounts = &payment["amounts"];
            let amount = |name: &str| amounts[name].as_i64().expect("an amount");
            assert!(amount("captured") <= amount("authorized"), "{payment}");
            assert!(amount("refunded") <= amount("captured"), "{payment}");
        }
        for (id, charged) in &self.ledger {
            assert!(
                charged["outcome"] == "closed" || seen.contains(id),
                "the acquirer did what no payment knows of: {charged}"
            );
        }
    }

    /// What was acknowledged is there, and one key is one payment.
    pub(super) fn check_what_was_told(&self, answers: &[(String, Value)]) {
        let mut paid = BTreeMap::new();
        for (key, told) in answers {
            let Some(id) = told["id"].as_str() else {
                continue; // A problem: it says that nothing was done.
            };
            let payment = self
                .payments
                .get(id)
                .unwrap_or_else(|| panic!("{id} was acknowledged and is lost"));
            for operation in operations(told) {
                let now = operations(payment).find(|now| now["id"] == operation["id"]);
                let now = now.unwrap_or_else(|| panic!("{operation} was acknowledged and is lost"));
                let was_final = operation["status"] != "sent" && operation["status"] != "unknown";
                assert!(
                    !was_final || now["status"] == operation["status"],
                    "{operation} became {now}"
                );
            }
            if key.ends_with("-pay") {
                assert!(
                    paid.insert(key, id).is_none_or(|before| before == id),
                    "{key} paid twice"
                );
            }
        }
        let ids: BTreeSet<_> = paid.values().collect();
        assert_eq!(ids.len(), paid.len(), "two keys, one payment");
        // Every key was answered, so there is no payment but those.
        assert_eq!(self.payments.len(), paid.len());
    }
}

fn operations(payment: &Value) -> impl Iterator<Item = &Value> {
    payment["operations"].as_array().into_iter().flatten()
}

fn payments(gateway: &Gateway) -> BTreeMap<String, Value> {
    let mut payments = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = gateway.get(&format!("/v1/payments?limit=100{cursor}")).body;
        for payment in page["data"].as_array().expect("a page") {
            payments.insert(payment["id"].as_str().expect("an id").to_owned(), payment.clone());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return payments,
        }
    }
}

fn ledger(acquirer: &str) -> BTreeMap<String, Value> {
    let mut operations = BTreeMap::new();
    let mut from = 0;
    loop {
        let mut answer = ureq::get(format!("{acquirer}/ledger?from={from}"))
            .call()
            .expect("a ledger");
        let page: Value = answer
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_json()
            .expect("JSON");
        for operation in page["operations"].as_array().expect("operations") {
            let id = operation["operation_id"].as_str().expect("an id").to_owned();
            operations.insert(id, operation.clone());
        }
        match page["next"].as_u64() {
            Some(next) => from = next,
            None => return operations,
        }
    }
}
