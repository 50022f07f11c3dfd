//! A bare decision: nothing is charged, no payment is kept, the payment counts once, and somebody can see why.

use std::sync::Arc;

use domain::CardNumber;
use domain::feature::{FeatureSpec, FeatureValue, PaymentFilter, Subject, VelocityMeasure};
use domain::risk::Outcome;
use portcullis_application::ports::DecisionQuery;
use portcullis_application::use_cases::{
    DecideRisk, DecideRiskCommand, DecidedCard, GetDecision, GetDecisionError, ListDecisions,
};
use testkit::builders::{NOW, cny, decision_id, evaluation, merchant_id, payment_details, payment_id};
use testkit::fakes::{PlainCardFingerprinter, ScriptedRiskEngine};

use crate::World;

fn use_case(world: &World) -> DecideRisk {
    DecideRisk {
        risk: world.risk(),
        fingerprinter: Arc::new(PlainCardFingerprinter),
        log: world.decisions.clone(),
    }
}

fn command(id: Option<&str>) -> DecideRiskCommand {
    DecideRiskCommand {
        payment_id: id.map(payment_id),
        details: payment_details().build(),
        card: Some(DecidedCard {
            number: CardNumber::parse("4242424242424242").unwrap(),
            issuer_country: None,
        }),
    }
}

#[tokio::test]
async fn a_decision_is_made_and_nothing_is_stored_or_sent() {
    let world = World::deciding(Outcome::Review);
    let made = use_case(&world).execute(command(None)).await.unwrap();
    assert_eq!(made.decision.outcome, Outcome::Review);
    assert_eq!(made.payment_id, payment_id("pay_1"));
    assert_eq!(made.decision.policy_revision, 7);
    assert_eq!(world.payments.saves(), 0);
    assert!(world.acquirer.asked().is_empty());
}

#[tokio::test]
async fn a_decision_is_written_down_with_what_it_was_about_and_without_the_card_number() {
    let world = World::deciding(Outcome::Decline);
    let made = use_case(&world).execute(command(Some("order-1"))).await.unwrap();
    let get = GetDecision {
        log: world.decisions.clone(),
    };
    let read = get.execute(&made.decision.id).await.unwrap();
    assert_eq!(read, *made);
    assert_eq!(read.merchant_id, merchant_id("m_1"));
    assert_eq!(read.amount, cny(12_900));
    assert_eq!(&*read.card.as_ref().unwrap().last4, "4242");
    assert_eq!(read.created_at, NOW);
    assert!(!format!("{read:?}").contains("4242424242424242"));
    let other = get.execute(&decision_id("dec_none")).await;
    assert!(matches!(other, Err(GetDecisionError::NotFound { .. })));
}

#[tokio::test]
async fn decisions_are_listed_as_they_were_asked_for() {
    let world = World::deciding(Outcome::Review);
    use_case(&world).execute(command(Some("order-1"))).await.unwrap();
    world.clock.advance_ms(1);
    use_case(&world).execute(command(Some("order-2"))).await.unwrap();
    let list = ListDecisions {
        log: world.decisions.clone(),
    };
    let page = list.execute(&DecisionQuery::default(), None, 10).await.unwrap();
    let payments: Vec<_> = page.items.iter().map(|item| item.payment_id.as_str()).collect();
    assert_eq!(payments, ["order-2", "order-1"]);
    let declined = DecisionQuery {
        outcome: Some(Outcome::Decline),
        ..DecisionQuery::default()
    };
    assert!(list.execute(&declined, None, 10).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_payment_with_a_name_of_its_own_counts_once_when_asked_about_twice() {
    let spec = FeatureSpec::Velocity {
        subject: Subject::Card,
        measure: VelocityMeasure::Count,
        filter: PaymentFilter::Attempted,
        window_seconds: 60,
    };
    let engine = ScriptedRiskEngine::answering(vec![spec], vec![evaluation("scripted", Outcome::Approve)]);
    let world = World::new(engine);
    for _ in 0..2 {
        let made = use_case(&world).execute(command(Some("order-1"))).await.unwrap();
        assert_eq!(made.payment_id, payment_id("order-1"));
    }
    let given = world.engine.set().unwrap().given();
    assert_eq!(given, [[FeatureValue::Count(1)]; 2].map(Vec::from));
}

#[tokio::test]
async fn without_a_policy_set_there_is_no_decision() {
    let world = World::new(ScriptedRiskEngine::without_policy_set());
    assert!(use_case(&world).execute(command(None)).await.is_err());
}
