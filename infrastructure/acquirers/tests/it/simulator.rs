//! The simulator as a server: its ledger, its cards, and what it says to those who do not speak its protocol.

use application::ports::{AcquirerAnswer, AcquirerError, CardKept, CardSource, InquiryAnswer};
use application::ports::{AuthorizationRequest, FollowUpRequest, KeepCardRequest};
use domain::payment::OperationKind;
use domain::{CardExpiry, CardNumber};
use portcullis_acquirers::simulator::{FaultShares, SimulatorConfig, SimulatorServer};
use portcullis_acquirers::test_cards;
use serde_json::{Value, json};
use testkit::builders::{cny, merchant_id, operation_id, payment_id};

use crate::desk::{Desk, acquirer, authorize, exchange, get, ledger_path, post};

const CARD: &str = test_cards::APPROVED;

fn authorization() -> Value {
    json!({
        "kind": "authorize", "merchant_id": "m_1", "amount": { "minor_units": 100, "currency": "CNY" },
        "card": { "number": CARD, "expiry_month": 12, "expiry_year": 2030 },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_card_fails_in_its_own_way_and_the_ledger_says_what_was_charged() {
    for (card, not_sent, charged) in [
        (test_cards::NO_ANSWER, false, true),
        (test_cards::NOT_REACHED, false, false),
        (test_cards::CLOSED_AFTER, false, true),
        (test_cards::ERROR_AFTER, false, true),
        (test_cards::ERROR_BEFORE, false, false),
        (test_cards::CONFLICT, false, false),
        (test_cards::BUSY, true, false),
        (test_cards::UNDER_WAY, false, true),
    ] {
        let desk = Desk::with(|config| config.lost_ms = 100).await;
        let acquirer = desk.acquirer();
        let id = operation_id("op_1");
        let answer = authorize(&acquirer, &id, card, cny(100)).await;
        match answer {
            Err(AcquirerError::NotSent { .. }) => assert!(not_sent, "{card}"),
            Err(AcquirerError::OutcomeUnknown { .. }) => assert!(!not_sent, "{card}"),
            Ok(answer) => panic!("{card}: {answer:?}"),
        }
        assert_eq!(desk.approved().await, usize::from(charged), "{card}");
        // Whoever inquires is told the truth, and from then on nothing changes it.
        let told = acquirer.inquire(&id, &merchant_id("m_1")).await.unwrap();
        assert_eq!(
            matches!(told, InquiryAnswer::Answered(AcquirerAnswer::Approved { .. })),
            charged,
            "{card}: {told:?}"
        );
        assert_eq!(matches!(told, InquiryAnswer::NeverReceived), !charged, "{card}");
        let _again = authorize(&acquirer, &id, card, cny(100)).await;
        assert_eq!(desk.approved().await, usize::from(charged), "{card}");
        assert_eq!(desk.ledger().await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn declines_and_slow_answers_come_over_the_wire() {
    let desk = Desk::with(|config| config.slow_ms = 20).await;
    let acquirer = desk.acquirer();
    for (id, card, outcome, code) in [
        (
            "op_1",
            test_cards::CARD_DECLINED,
            "declined",
            json!("card_declined"),
        ),
        (
            "op_2",
            test_cards::INSUFFICIENT_FUNDS,
            "declined",
            json!("insufficient_funds"),
        ),
        ("op_3", test_cards::SLOW, "approved", Value::Null),
    ] {
        authorize(&acquirer, &operation_id(id), card, cny(100))
            .await
            .unwrap();
        let entry = desk.ledger().await.pop().unwrap();
        assert_eq!((&entry["outcome"], &entry["code"]), (&json!(outcome), &code));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_tells_what_was_asked_and_how_often() {
    let desk = Desk::open().await;
    let acquirer = desk.acquirer();
    let id = operation_id("op_1");
    for _ in 0..3 {
        authorize(&acquirer, &id, CARD, cny(100)).await.unwrap();
    }
    acquirer.inquire(&id, &merchant_id("m_1")).await.unwrap();
    acquirer
        .inquire(&operation_id("op_2"), &merchant_id("m_1"))
        .await
        .unwrap();
    assert_eq!(
        get(desk.address, "/ledger").await,
        json!({
            "total": 2, "next": null,
            "operations": [
                {
                    "operation_id": "op_1", "merchant_id": "m_1", "kind": "authorize",
                    "amount": { "minor_units": 100, "currency": "CNY" }, "authorization": null, "card_last4": "4242",
                    "outcome": "approved", "code": null, "asked": 3, "inquired": 1,
                },
                {
                    "operation_id": "op_2", "merchant_id": "m_1", "kind": null, "amount": null, "authorization": null,
                    "card_last4": null, "outcome": "closed", "code": null, "asked": 0, "inquired": 1,
                },
            ],
        })
    );
    let rest = get(desk.address, "/ledger?from=1").await;
    assert_eq!(rest["operations"].as_array().unwrap().len(), 1);
    assert_eq!(rest["total"], 2);
    let (status, _) = exchange(
        desk.address,
        "GET /ledger?page=2 HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n",
    )
    .await;
    assert_eq!(status, 400);
}

/// What a killed process leaves behind is what lies on the disk at that moment: a copy of it stands for the kill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_answered_is_on_the_disk() {
    let desk = Desk::open().await;
    let acquirer = desk.acquirer();
    let merchant = merchant_id("m_1");
    let number = CardNumber::parse(test_cards::INSUFFICIENT_FUNDS).unwrap();
    let keep = KeepCardRequest {
        payment_id: &payment_id("pay_1"),
        merchant_id: &merchant,
        number: &number,
        expiry: CardExpiry::new(12, 2030).unwrap(),
    };
    let Ok(CardKept::As(token)) = acquirer.keep_card(keep).await else {
        panic!("the card was not kept");
    };
    let approved = authorize(&acquirer, &operation_id("op_1"), CARD, cny(100)).await;
    let Ok(AcquirerAnswer::Approved { reference }) = &approved else {
        panic!("{approved:?}");
    };
    let capture = |id, amount| FollowUpRequest {
        operation_id: id,
        kind: OperationKind::Capture,
        merchant_id: &merchant,
        authorization: reference,
        amount: cny(amount),
    };
    let (first, second) = (operation_id("op_2"), operation_id("op_3"));
    let captured = acquirer.follow_up(capture(&first, 60)).await;
    acquirer.inquire(&operation_id("op_4"), &merchant).await.unwrap();

    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(ledger_path(desk.folder.path()), ledger_path(copy.path())).unwrap();
    let again = Desk::in_folder(copy, |_| {}).await;
    assert_eq!(again.ledger().await, desk.ledger().await);
    let acquirer = again.acquirer();
    assert_eq!(
        authorize(&acquirer, &operation_id("op_1"), CARD, cny(100)).await,
        approved
    );
    assert_eq!(acquirer.follow_up(capture(&first, 60)).await, captured);
    let over = acquirer.follow_up(capture(&second, 41)).await;
    assert!(matches!(over, Ok(AcquirerAnswer::Declined { .. })), "{over:?}");
    let closed = authorize(&acquirer, &operation_id("op_4"), CARD, cny(100)).await;
    assert!(
        matches!(closed, Ok(AcquirerAnswer::Declined { .. })),
        "{closed:?}"
    );
    let kept = acquirer
        .authorize(AuthorizationRequest {
            operation_id: &operation_id("op_5"),
            merchant_id: &merchant,
            amount: cny(1),
            card: CardSource::Kept(&token),
            authentication: None,
        })
        .await;
    assert!(matches!(kept, Ok(AcquirerAnswer::Declined { .. })), "{kept:?}");

    // Once more from what the second wrote behind the first, in order this time.
    let told = again.ledger().await;
    let third = Desk::in_folder(again.stop().await, |_| {}).await;
    assert_eq!(third.ledger().await, told);
    let text = std::fs::read_to_string(ledger_path(third.folder.path())).unwrap();
    for number in [CARD, test_cards::INSUFFICIENT_FUNDS] {
        assert!(!text.contains(number), "no card number is written down");
    }
}

#[tokio::test]
async fn a_line_that_was_being_written_is_cut_off() {
    let desk = Desk::open().await;
    authorize(&desk.acquirer(), &operation_id("op_1"), CARD, cny(100))
        .await
        .unwrap();
    let folder = desk.stop().await;
    let path = ledger_path(folder.path());
    let whole = std::fs::read(&path).unwrap();
    for cut in [1, whole.len() / 2, whole.len() - 1] {
        let mut torn = whole.clone();
        torn.extend_from_slice(&String::from_utf8_lossy(&whole).replace("op_1", "op_2").as_bytes()[..cut]);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(ledger_path(folder.path()), torn).unwrap();
        let again = Desk::in_folder(folder, |_| {}).await;
        assert_eq!(again.ledger().await.len(), 1);
        // What comes now begins on a line of its own.
        authorize(&again.acquirer(), &operation_id("op_3"), CARD, cny(100))
            .await
            .unwrap();
        let third = Desk::in_folder(again.stop().await, |_| {}).await;
        assert_eq!(third.ledger().await.len(), 2);
    }
}

async fn refused(config: SimulatorConfig) -> String {
    match SimulatorServer::bind(config).await {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_ledger_that_is_none_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = ledger_path(folder.path());
    let operation = "{\"event\":\"operation\",\"operation_id\":\"op_1\",\"kind\":\"authorize\",\"merchant_id\":\"m\",\"minor_units\":1,\
                     \"currency\":\"CNY\",\"outcome\":\"approved\"}\n";
    let long = format!("{}\n", "x".repeat(5_000));
    for (text, problem) in [
        (format!("{operation}nonsense\n"), "line 2: expected an event"),
        (
            format!("{operation}{operation}"),
            "line 2: the operation `op_1` is there already",
        ),
        (
            operation.replace("\"authorize\"", "\"steal\""),
            "line 1: `steal` is no kind",
        ),
        (
            operation.replace("\"authorize\"", "\"capture\""),
            "line 1: outcome `approved`, but",
        ),
        (operation.replace("CNY", "XXX"), "line 1: minor_units"),
        (
            "{\"event\":\"asked\",\"operation_id\":\"op_9\"}\n".to_owned(),
            "line 1: there is no operation `op_9`",
        ),
        (long, "line 1: it has more than 4096 bytes"),
    ] {
        std::fs::write(&path, text).unwrap();
        let told = refused(SimulatorConfig::new(([127, 0, 0, 1], 0).into(), path.clone())).await;
        assert!(told.contains(problem), "{told}");
    }
}

#[tokio::test]
async fn what_cannot_be_had_is_told_at_the_start() {
    let desk = Desk::open().await;
    let config = SimulatorConfig::new(([127, 0, 0, 1], 0).into(), ledger_path(desk.folder.path()));
    let told = refused(config.clone()).await;
    assert!(told.contains("in use by another process"), "{told}");
    let elsewhere = |name: &str| SimulatorConfig {
        ledger_path: desk.folder.path().join(name),
        ..config.clone()
    };
    let told = refused(elsewhere("no/such/folder")).await;
    assert!(told.contains("cannot be opened"), "{told}");
    let told = refused(SimulatorConfig {
        listen: desk.address,
        ..elsewhere("other")
    })
    .await;
    assert!(told.contains("cannot be listened on"), "{told}");
    let faults = FaultShares {
        busy: 2.0,
        ..FaultShares::default()
    };
    let told = refused(SimulatorConfig {
        faults,
        ..elsewhere("other")
    })
    .await;
    assert!(told.contains("busy is 2, expected 0 to 1"), "{told}");
}

#[tokio::test]
async fn what_it_does_not_understand_it_refuses_and_does_not_do() {
    let desk = Desk::open().await;
    let with = |pointer: &str, value: Value| {
        let mut body = authorization();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[field] = value;
        body.to_string()
    };
    for (body, problem) in [
        ("{".to_owned(), "EOF"),
        (with("/kind", json!("steal")), "kind: expected"),
        (with("/merchant_id", json!("")), "merchant_id must have"),
        (
            with("/amount/minor_units", json!(0)),
            "amount.minor_units must be greater",
        ),
        (with("/amount/currency", json!("cny")), "amount.currency must be"),
        (
            with("/card/number", json!("4242424242424241")),
            "card.number has a wrong check digit",
        ),
        (with("/card/expiry_month", json!(13)), "card.expiry_month"),
        (with("/card_token", json!("tok")), "either a card or a card_token"),
        (with("/kind", json!("capture")), "no card"),
    ] {
        let (status, answer) = post(desk.address, "/v1/operations", "op_1", &body).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(
            (status, &answer["status"], &answer["id"]),
            (422, &json!("refused"), &json!("op_1"))
        );
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(problem), "{message}");
        assert!(!message.contains("424242424242"), "{message}");
    }
    let body = authorization().to_string();
    for key in ["", "a b", "ä"] {
        let (status, _) = post(desk.address, "/v1/operations", key, &body).await;
        assert_eq!(status, 422, "{key}");
    }
    let (status, _) = post(desk.address, "/v1/operations", "op_1", &" ".repeat(5_000)).await;
    assert_eq!(status, 413);
    for path in ["/", "/v1", "/v1/operations/op_1", "/v2/operations"] {
        let (status, _) = post(desk.address, path, "op_1", &body).await;
        assert_eq!(status, 404, "{path}");
    }
    assert!(desk.ledger().await.is_empty());

    // What a name stands for comes first.
    assert_eq!(post(desk.address, "/v1/operations", "op_1", &body).await.0, 200);
    for other in ["{".to_owned(), with("/amount/minor_units", json!(101))] {
        let (status, answer) = post(desk.address, "/v1/operations", "op_1", &other).await;
        assert_eq!(status, 409, "{answer}");
    }
    assert_eq!(desk.approved().await, 1);
}

#[tokio::test]
async fn a_full_ledger_takes_nothing_more_and_forgets_nothing() {
    let desk = Desk::with(|config| config.max_operations = 2).await;
    let acquirer = desk.acquirer();
    for id in ["op_1", "op_2"] {
        authorize(&acquirer, &operation_id(id), CARD, cny(100))
            .await
            .unwrap();
    }
    let over = authorize(&acquirer, &operation_id("op_3"), CARD, cny(100)).await;
    assert!(matches!(over, Err(AcquirerError::NotSent { .. })), "{over:?}");
    let inquired = acquirer.inquire(&operation_id("op_4"), &merchant_id("m_1")).await;
    assert!(
        inquired.is_err(),
        "what cannot be closed is not said to be: {inquired:?}"
    );
    authorize(&acquirer, &operation_id("op_1"), CARD, cny(100))
        .await
        .unwrap();
    assert_eq!(desk.ledger().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_waits_for_nobody_whose_answer_is_lost() {
    let desk = Desk::open().await;
    let asked = {
        let acquirer = acquirer(&format!("http://{}", desk.address), |_| {});
        tokio::spawn(async move {
            authorize(&acquirer, &operation_id("op_1"), test_cards::NO_ANSWER, cny(100)).await
        })
    };
    while desk.ledger().await.is_empty() {
        tokio::task::yield_now().await;
    }
    desk.stop().await;
    let answer = asked.await.unwrap();
    assert!(
        matches!(answer, Err(AcquirerError::OutcomeUnknown { .. })),
        "{answer:?}"
    );
}
