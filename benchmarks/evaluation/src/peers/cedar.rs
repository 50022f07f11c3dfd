//! Cedar: policies that permit and forbid. The payment is the context of a request, and what the operator set the resource.

use std::collections::{HashMap, HashSet};

use benchmark_rule::{Answer, Outcome, Reason};
use cedar_policy::{
    Authorizer, Context, Entities, Entity, EntityUid, PolicyId, PolicySet, Request, RestrictedExpression,
};

use crate::contender::Contender;
use crate::sample::{Case, parameters};

const POLICIES: &str = include_str!("../../rules/rule.cedar");

/// The policies, and the entities that a request names.
pub(crate) struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    codes: HashMap<PolicyId, String>,
    entities: Entities,
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
}

impl Cedar {
    pub(crate) fn new() -> Self {
        let policies: PolicySet = POLICIES.parse().expect("the policies are some");
        let codes = policies
            .policies()
            .filter_map(|policy| Some((policy.id().clone(), policy.annotation("code")?.to_owned())))
            .collect();
        let uid = |text: &str| text.parse::<EntityUid>().expect("the name of an entity");
        let resource = uid("Rule::\"benchmark\"");
        let set = Entity::new(resource.clone(), attributes(), HashSet::new()).expect("an entity");
        Self {
            authorizer: Authorizer::new(),
            policies,
            codes,
            entities: Entities::from_entities([set], None).expect("entities"),
            principal: uid("Merchant::\"any\""),
            action: uid("Action::\"pay\""),
            resource,
        }
    }
}

impl Contender for Cedar {
    type Verdict = Vec<Reason>;

    fn evaluate(&mut self, case: &Case) -> Vec<Reason> {
        let request = Request::new(
            self.principal.clone(),
            self.action.clone(),
            self.resource.clone(),
            context(case),
            None,
        );
        let request = request.expect("a request");
        let response = self
            .authorizer
            .is_authorized(&request, &self.policies, &self.entities);
        let diagnostics = response.diagnostics();
        assert!(diagnostics.errors().next().is_none(), "the policies are sound");
        diagnostics
            .reason()
            .filter_map(|policy| self.codes.get(policy))
            .map(|code| Reason {
                code: code.clone().into(),
                message: "".into(),
            })
            .collect()
    }

    fn answer(&self, reasons: Vec<Reason>) -> Answer {
        Answer {
            outcome: Outcome::Approve,
            score: 0,
            reasons,
        }
    }
}

/// What the operator set.
fn attributes() -> HashMap<String, RestrictedExpression> {
    let parameters = parameters();
    let countries = parameters.risky_countries.iter().map(|country| text(country));
    [
        ("large_amount", long(parameters.large_amount)),
        ("max_card_count_1h", long(parameters.max_card_count_1h)),
        ("max_card_amount_24h", long(parameters.max_card_amount_24h)),
        ("risky_countries", RestrictedExpression::new_set(countries)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The payment and its features. Built from expressions, which is cheaper than from JSON.
fn context(case: &Case) -> Context {
    let payment = case.payment();
    let card = payment.card.map(|card| {
        record([
            ("bin", Some(text(card.bin))),
            ("last4", Some(text(card.last4))),
            ("fingerprint", Some(text(card.fingerprint))),
            ("issuer_country", card.issuer_country.map(text)),
        ])
    });
    let customer = payment.customer.map(|customer| {
        record([
            ("id", customer.id.map(text)),
            ("email", customer.email.map(text)),
            ("billing_country", customer.billing_country.map(text)),
            ("shipping_country", customer.shipping_country.map(text)),
        ])
    });
    let device = payment.device.map(|device| {
        record([
            ("id", device.id.map(text)),
            ("ip", device.ip.map(text)),
            ("ip_country", device.ip_country.map(text)),
            ("user_agent", device.user_agent.map(text)),
        ])
    });
    let amount = record([
        ("minor_units", Some(long(payment.amount.minor_units))),
        ("currency", Some(text(payment.amount.currency))),
        ("exponent", Some(long(payment.amount.exponent.into()))),
    ]);
    let metadata = payment
        .metadata
        .iter()
        .map(|(key, value)| (*key, Some(text(value))));
    let metadata = record(metadata);
    let payment = record([
        ("id", Some(text(payment.id))),
        ("merchant_id", Some(text(payment.merchant_id))),
        ("merchant_category", payment.merchant_category.map(text)),
        ("amount", Some(amount)),
        ("created_at", Some(count(payment.created_at))),
        ("card", card),
        ("customer", customer),
        ("device", device),
        ("metadata", Some(metadata)),
    ]);
    let features = case.features();
    let features = record([
        ("card_count_1h", features.card_count_1h.map(count)),
        ("card_count_24h", features.card_count_24h.map(count)),
        ("card_amount_24h", features.card_amount_24h.map(long)),
        ("device_cards_24h", features.device_cards_24h.map(count)),
        ("email_cards_24h", features.email_cards_24h.map(count)),
        ("ip_count_1h", features.ip_count_1h.map(count)),
    ]);
    let parts = [("payment", payment), ("features", features)];
    Context::from_pairs(parts.map(|(name, value)| (name.to_owned(), value))).expect("a context")
}

fn record<'a>(
    fields: impl IntoIterator<Item = (&'a str, Option<RestrictedExpression>)>,
) -> RestrictedExpression {
    let fields = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    RestrictedExpression::new_record(fields).expect("no field is there twice")
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn long(number: i64) -> RestrictedExpression {
    RestrictedExpression::new_long(number)
}

fn count(number: u64) -> RestrictedExpression {
    long(i64::try_from(number).expect("a count is no larger"))
}
