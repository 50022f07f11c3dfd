//! Two callers who want the same money at the same time, through the use cases: whatever happens, no more is captured than was
//! authorized, no more is given back than was captured, and the acquirer is asked for no more than that.

use std::sync::Arc;

use application::idempotency::KeyedRequest;
use application::operation_runner::OperationRunner;
use application::payment_times::PaymentTimes;
use application::ports::PaymentRepository;
use application::use_cases::{
    CapturePayment, CapturePaymentCommand, FollowUpError, PaymentOf, RefundPayment, RefundPaymentCommand,
    VoidPayment,
};
use domain::payment::{AcquirerReference, OperationKind, OperationResult, OperationStatus};
use domain::{Payment, PaymentId};
use testkit::builders::{NOW, cny, operation_id, payment, payment_details};
use testkit::fakes::{
    CountingIdGenerator, InMemoryFeatureStore, NoTelemetry, RecordingTimer, ScriptedAcquirer, SettableClock,
};
use testkit::postgres::shared;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// How many pairs race where time is short, and where it is not.
const SOME_PAIRS: usize = 300;
const ALL_PAIRS: usize = 10_000;

/// How many pairs race at the same time, each about a payment of its own.
const AT_ONCE: usize = 8;

/// What each payment is about, and what the two callers want of it.
const WHOLE: i64 = 100;

#[derive(Clone, Copy, Debug)]
enum Wish {
    Capture(i64),
    Refund(i64),
    Void,
}

/// What is wanted at the same time. The parts are too much together, or just enough, or all of it twice.
const RACES: [[Wish; 2]; 9] = [
    [Wish::Refund(60), Wish::Refund(60)],
    [Wish::Refund(60), Wish::Refund(40)],
    [Wish::Refund(WHOLE), Wish::Refund(WHOLE)],
    [Wish::Capture(60), Wish::Capture(60)],
    [Wish::Capture(60), Wish::Capture(40)],
    [Wish::Capture(WHOLE), Wish::Capture(WHOLE)],
    [Wish::Capture(WHOLE), Wish::Void],
    [Wish::Capture(60), Wish::Void],
    [Wish::Void, Wish::Void],
];

/// Two gateways, or one twice.
type Gateways = [Arc<dyn PaymentRepository>; 2];

fn succeeded() -> OperationResult {
    OperationResult::Succeeded(AcquirerReference::parse("ref_1").unwrap())
}

/// Authorized; captured too, where that is what is to be given back.
async fn prepared(gateways: &Gateways, number: usize, race: [Wish; 2]) -> PaymentId {
    let details = payment_details().complete().amount(cny(WHOLE)).build();
    let name = format!("pay_{number}");
    let authorize = format!("setup_{number}_authorize");
    let mut payment = payment()
        .id(&name)
        .details(details)
        .answered(&authorize, succeeded());
    if matches!(race, [Wish::Refund(_), _]) {
        let capture = operation_id(&format!("setup_{number}_capture"));
        payment.begin_capture(capture.clone(), None, NOW).unwrap();
        payment.finish_operation(&capture, succeeded(), NOW).unwrap();
    }
    gateways[0].save(&mut payment).await.unwrap();
    payment.id().clone()
}

async fn fulfil(
    wish: Wish,
    runner: OperationRunner,
    ids: Arc<CountingIdGenerator>,
    id: PaymentId,
) -> Result<Payment, FollowUpError> {
    let payment = PaymentOf { id, merchant: None };
    let request = KeyedRequest::without_key();
    let amount = |part| Some(cny(part));
    match wish {
        Wish::Capture(part) => {
            let amount = amount(part);
            let command = CapturePaymentCommand { payment, amount };
            let ended = CapturePayment { runner, ids }.execute(command, request).await;
            ended.map(|(payment, _)| payment)
        }
        Wish::Refund(part) => {
            let amount = amount(part);
            let command = RefundPaymentCommand { payment, amount };
            let ended = RefundPayment { runner, ids }.execute(command, request).await;
            ended.map(|(payment, _)| payment)
        }
        Wish::Void => {
            let ended = VoidPayment { runner, ids }.execute(payment, request).await;
            ended.map(|(payment, _)| payment)
        }
    }
}

/// One pair, from the same line.
async fn race(gateways: Gateways, ids: Arc<CountingIdGenerator>, number: usize) {
    let wishes = *RACES.get(number % RACES.len()).unwrap();
    let id = prepared(&gateways, number, wishes).await;
    let acquirer = Arc::new(ScriptedAcquirer::default());
    let line = Arc::new(Barrier::new(wishes.len()));
    let mut racers = JoinSet::new();
    for (wish, payments) in wishes.into_iter().zip(gateways.iter().cloned()) {
        let runner = OperationRunner {
            payments,
            acquirer: Arc::clone(&acquirer) as _,
            features: Arc::new(InMemoryFeatureStore::default()),
            clock: Arc::new(SettableClock::default()),
            timer: Arc::new(RecordingTimer::default()),
            telemetry: Arc::new(NoTelemetry),
            times: Arc::new(PaymentTimes::default()),
        };
        let (ids, id, line) = (Arc::clone(&ids), id.clone(), Arc::clone(&line));
        racers.spawn(async move {
            line.wait().await;
            fulfil(wish, runner, ids, id).await
        });
    }
    let ended = racers.join_all().await;
    let won = ended.iter().filter(|ended| ended.is_ok()).count();
    for ended in ended {
        // In flight, more than what is left, or not any more: told before anything was sent.
        assert!(
            matches!(ended, Ok(_) | Err(FollowUpError::Refused(_))),
            "{wishes:?}: {ended:?}"
        );
    }
    let stored = gateways[1].find(&id).await.unwrap().unwrap();
    assert!(won > 0, "{wishes:?}: somebody gets it");
    is_right(&stored, &acquirer, won, wishes);
}

fn is_right(stored: &Payment, acquirer: &ScriptedAcquirer, won: usize, wishes: [Wish; 2]) {
    let asked = acquirer.asked();
    let asked_for = |kind| -> i64 {
        let of_kind = asked.iter().filter(|asked| asked.kind == kind);
        of_kind.map(|asked| asked.amount.minor_units()).sum()
    };
    let (captured, voided, refunded) = (
        asked_for(OperationKind::Capture),
        asked_for(OperationKind::Void),
        asked_for(OperationKind::Refund),
    );
    let told = format!("{wishes:?}: {asked:?} {:?}", stored.record().operations);
    assert!(captured + voided <= WHOLE, "{told}");
    assert!(refunded <= WHOLE, "{told}");
    let amounts = stored.amounts();
    assert!(
        amounts.captured <= WHOLE && amounts.refunded <= amounts.captured,
        "{told}"
    );
    // What the acquirer was asked for is stored, all of it, and nothing else is.
    assert_eq!(asked.len(), won, "{told}");
    let mut of_race: Vec<_> = stored.record().operations.iter().collect();
    of_race.retain(|operation| !operation.id.as_str().starts_with("setup_"));
    assert_eq!(of_race.len(), asked.len(), "{told}");
    for operation in of_race {
        assert_eq!(operation.status, OperationStatus::Succeeded, "{told}");
        assert!(
            asked.iter().any(|asked| asked.operation_id == operation.id),
            "{told}"
        );
    }
}

async fn pairs(gateways: Gateways, pairs: usize) {
    let ids = Arc::new(CountingIdGenerator::default());
    let mut under_way = JoinSet::new();
    for number in 0..pairs {
        if under_way.len() == AT_ONCE {
            under_way.join_next().await.unwrap().unwrap();
        }
        under_way.spawn(race(gateways.clone(), Arc::clone(&ids), number));
    }
    while let Some(ended) = under_way.join_next().await {
        ended.unwrap();
    }
}

async fn in_sqlite(count: usize) {
    let (_folder, _, repository) = crate::fresh();
    let repository: Arc<dyn PaymentRepository> = Arc::new(repository);
    pairs([Arc::clone(&repository), repository], count).await;
}

/// Each of the two by a gateway of its own.
async fn in_postgres(count: usize) {
    let config = crate::postgres::config(shared(), &shared().fresh_database());
    let one = crate::postgres::open(&config).await;
    let other = crate::postgres::open(&config).await;
    pairs([Arc::new(one), Arc::new(other)], count).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_pairs_race_for_money_in_sqlite() {
    in_sqlite(SOME_PAIRS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_pairs_race_for_money_in_postgres() {
    in_postgres(SOME_PAIRS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "ten thousand pairs take a while: make money-races"]
async fn ten_thousand_pairs_race_for_money_in_sqlite() {
    in_sqlite(ALL_PAIRS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "ten thousand pairs take a while: make money-races"]
async fn ten_thousand_pairs_race_for_money_in_postgres() {
    in_postgres(ALL_PAIRS).await;
}
