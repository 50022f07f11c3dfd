//! Webhooks, where several gateways hand events out and send them side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::ports::{
    AttemptEnd, AttemptNext, ClaimedDelivery, DeliveryAttempt, DeliveryQuery, DeliveryState, EventFilter,
    EventLog, EventRenderer, NewEndpoint, PaymentRepository, StoredEvent, WebhookDeliveryStore,
    WebhookEndpointStore, WebhookSecret, WebhookUrl,
};
use application::use_cases::FanOutEvents;
use domain::risk::Outcome;
use domain::{Timestamp, WebhookEndpointId};
use portcullis_storage::PostgresPaymentRepository;
use testkit::builders::{NOW, after, merchant_id, payment};
use testkit::fakes::{CountingIdGenerator, SettableClock};
use testkit::postgres::shared;
use tokio::task::JoinSet;

use super::{back_door, config, open, somebody_waits_for_a_lock};

/// How many payments there are, each with an event.
const PAYMENTS: usize = 120;

/// How many tasks of each gateway send.
const SENDERS: usize = 6;

type Gateway = Arc<PostgresPaymentRepository>;

/// Writes the name of the event.
struct Name;

impl EventRenderer for Name {
    fn render(&self, event: &StoredEvent) -> Vec<u8> {
        event.id.clone().into_bytes()
    }
}

fn id(name: &str) -> WebhookEndpointId {
    WebhookEndpointId::parse(name).unwrap()
}

async fn make_endpoint(gateway: &Gateway, name: &str) {
    let endpoint = NewEndpoint {
        id: id(name),
        merchant_id: merchant_id("m_1"),
        url: WebhookUrl::allowed("https://shop.example/in"),
        events: EventFilter::All,
        secret: WebhookSecret::new([7; 32]),
        created_at: NOW,
    };
    assert!(gateway.create(&endpoint, 16).await.unwrap());
}

async fn save(gateway: &Gateway, payment_name: &str) {
    let mut held = payment().id(payment_name).decided(Outcome::Review).build();
    PaymentRepository::save(&**gateway, &mut held).await.unwrap();
}

fn fan_out(gateway: &Gateway, ids: &Arc<CountingIdGenerator>) -> FanOutEvents {
    FanOutEvents {
        log: Arc::clone(gateway) as _,
        endpoints: Arc::clone(gateway) as _,
        deliveries: Arc::clone(gateway) as _,
        renderer: Arc::new(Name),
        ids: Arc::clone(ids) as _,
        clock: Arc::new(SettableClock::default()),
    }
}

/// Hands out until there is nothing left.
async fn hand_out(fan_out: &FanOutEvents) {
    while fan_out.execute().await.unwrap().has_more {}
}

async fn claim(gateway: &Gateway, endpoint: &str, limit: usize) -> Vec<ClaimedDelivery> {
    let claimed = gateway.claim(&id(endpoint), after(1), after(3_600), limit).await;
    claimed
        .unwrap()
        .map_or_else(Vec::new, |claimed| claimed.deliveries)
}

fn ended(delivery: &ClaimedDelivery, next: AttemptNext) -> AttemptEnd {
    AttemptEnd {
        delivery_id: delivery.id.clone(),
        claim: delivery.claim,
        attempt: DeliveryAttempt {
            at: after(1),
            duration_ms: 1,
            status: Some(204),
            error: None,
        },
        next,
        gone: false,
        disable_if_failing_since: Timestamp::from_unix_millis(0),
    }
}

/// Sends what is due until nothing is pending; tells the names of all it had.
async fn send(gateway: Gateway, endpoint: &'static str) -> Vec<String> {
    let mut had = Vec::new();
    loop {
        let claimed = claim(&gateway, endpoint, 3).await;
        for delivery in &claimed {
            had.push(delivery.event_id.clone());
            let end = ended(delivery, AttemptNext::Succeeded);
            assert_eq!(gateway.finish(&end).await.unwrap(), None);
        }
        let is_sent = claimed.is_empty() && gateway.count_pending(1).await.unwrap() == 0;
        if is_sent && gateway.position().await.unwrap() == PAYMENTS as u64 {
            return had;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_that_hand_out_and_send_side_by_side_send_each_event_once() {
    let server = shared();
    let config = config(server, &server.fresh_database());
    let gateways = [Arc::new(open(&config).await), Arc::new(open(&config).await)];
    let ids = Arc::new(CountingIdGenerator::default());
    for endpoint in ["we_1", "we_2"] {
        make_endpoint(&gateways[0], endpoint).await;
    }
    let mut others = JoinSet::new();
    for (number, gateway) in gateways.iter().enumerate() {
        let gateway = Arc::clone(gateway);
        others.spawn(async move {
            for at in (number..PAYMENTS).step_by(2) {
                save(&gateway, &format!("pay_{at}")).await;
            }
        });
    }
    for gateway in &gateways {
        let (gateway, fan_out) = (Arc::clone(gateway), fan_out(gateway, &ids));
        others.spawn(async move {
            while gateway.position().await.unwrap() < PAYMENTS as u64 {
                hand_out(&fan_out).await;
            }
        });
    }
    let mut sending = JoinSet::new();
    for gateway in &gateways {
        for sender in 0..SENDERS {
            let endpoint = if sender % 2 == 0 { "we_1" } else { "we_2" };
            let sent = send(Arc::clone(gateway), endpoint);
            sending.spawn(async move { (endpoint, sent.await) });
        }
    }
    let mut had: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    while let Some(sent) = sending.join_next().await {
        let (endpoint, sent) = sent.unwrap();
        had.entry(endpoint).or_default().extend(sent);
    }
    others.join_all().await;
    let stored = gateways[0].events_after(0, None, 2 * PAYMENTS).await.unwrap();
    let stored: BTreeSet<String> = stored.items.into_iter().map(|event| event.id).collect();
    assert_eq!(stored.len(), PAYMENTS);
    for (endpoint, had) in had {
        assert_eq!(had.len(), PAYMENTS, "{endpoint} got each once");
        assert_eq!(had.into_iter().collect::<BTreeSet<_>>(), stored, "{endpoint}");
        let query = DeliveryQuery {
            endpoint_id: id(endpoint),
            state: Some(DeliveryState::Succeeded),
        };
        let shown = WebhookDeliveryStore::list(&*gateways[1], &query, None, 2 * PAYMENTS)
            .await
            .unwrap();
        assert_eq!(shown.items.len(), PAYMENTS);
        assert!(shown.items.iter().all(|one| one.attempts.len() == 1));
    }
}

/// Its number is lower than that of the event behind it, and its position is not.
#[tokio::test]
async fn an_event_that_was_written_first_and_committed_last_is_handed_out() {
    let server = shared();
    let database = server.fresh_database();
    let gateway = Arc::new(open(&config(server, &database)).await);
    let fan_out = fan_out(&gateway, &Arc::default());
    make_endpoint(&gateway, "we_1").await;
    save(&gateway, "pay_1").await;
    hand_out(&fan_out).await;
    let late = back_door(server, &database).await;
    late.batch_execute(super::events::LATE).await.unwrap();
    save(&gateway, "pay_2").await;
    hand_out(&fan_out).await;
    late.batch_execute("COMMIT").await.unwrap();
    hand_out(&fan_out).await;
    let names: Vec<String> = claim(&gateway, "we_1", 10)
        .await
        .into_iter()
        .map(|delivery| delivery.event_id)
        .collect();
    assert_eq!(names, ["evt_pay_1_1_0", "evt_pay_2_1_0", "evt_late"]);
}

/// Nobody has read them yet, so they have no position; the endpoint begins behind them all the same.
#[tokio::test]
async fn an_endpoint_gets_no_event_that_was_there_before_it() {
    let server = shared();
    let gateway = Arc::new(open(&config(server, &server.fresh_database())).await);
    for number in 0..5 {
        save(&gateway, &format!("pay_{number}")).await;
    }
    make_endpoint(&gateway, "we_1").await;
    let made = WebhookEndpointStore::find(&*gateway, &id("we_1")).await.unwrap();
    assert_eq!(made.unwrap().starts_after, 5);
    save(&gateway, "pay_5").await;
    hand_out(&fan_out(&gateway, &Arc::default())).await;
    let claimed = claim(&gateway, "we_1", 10).await;
    let names: Vec<&str> = claimed
        .iter()
        .map(|delivery| delivery.event_id.as_str())
        .collect();
    assert_eq!(names, ["evt_pay_5_1_0"]);
}

#[tokio::test]
async fn a_delivery_that_another_gateway_is_about_to_claim_is_passed_over_and_not_waited_for() {
    let server = shared();
    let database = server.fresh_database();
    let gateway = Arc::new(open(&config(server, &database)).await);
    make_endpoint(&gateway, "we_1").await;
    for number in 1..=3 {
        save(&gateway, &format!("pay_{number}")).await;
    }
    hand_out(&fan_out(&gateway, &Arc::default())).await;
    let other = back_door(server, &database).await;
    let hold = "BEGIN; SELECT 1 FROM webhook_deliveries ORDER BY position LIMIT 1 FOR UPDATE";
    other.batch_execute(hold).await.unwrap();
    let claimed = claim(&gateway, "we_1", 10).await;
    assert_eq!(claimed.len(), 2, "the one that is held is left to who holds it");
    other.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(claim(&gateway, "we_1", 10).await.len(), 1);
}

/// Two gateways that failed to reach it at once: one of them has disabled it, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_failures_at_once_one_disables_the_endpoint() {
    let server = shared();
    let database = server.fresh_database();
    let config = config(server, &database);
    let gateways = [Arc::new(open(&config).await), Arc::new(open(&config).await)];
    make_endpoint(&gateways[0], "we_1").await;
    for number in 1..=2 {
        save(&gateways[0], &format!("pay_{number}")).await;
    }
    hand_out(&fan_out(&gateways[0], &Arc::default())).await;
    let holder = back_door(server, &database).await;
    let hold = "BEGIN; SELECT 1 FROM webhook_endpoints FOR UPDATE";
    let claimed = claim(&gateways[0], "we_1", 10).await;
    assert_eq!(claimed.len(), 2);
    holder.batch_execute(hold).await.unwrap();
    let mut finishing = JoinSet::new();
    for (gateway, delivery) in gateways.iter().zip(&claimed) {
        let end = AttemptEnd {
            gone: true,
            ..ended(delivery, AttemptNext::Failed)
        };
        let gateway = Arc::clone(gateway);
        finishing.spawn(async move { gateway.finish(&end).await.unwrap() });
    }
    somebody_waits_for_a_lock(&holder).await;
    holder.batch_execute("COMMIT").await.unwrap();
    let told = finishing.join_all().await;
    assert_eq!(told.iter().flatten().count(), 1, "{told:?}");
    assert_eq!(
        server.sql(&database, "SELECT disabled_reason FROM webhook_endpoints"),
        "gone"
    );
}

#[tokio::test]
async fn an_endpoint_that_no_gateway_wrote_is_told_as_damage_without_its_secret() {
    let server = shared();
    let database = server.fresh_database();
    let gateway = Arc::new(open(&config(server, &database)).await);
    make_endpoint(&gateway, "we_1").await;
    let damage = "UPDATE webhook_endpoints
        SET previous_secret = 'sesame'::BYTEA, previous_until_ms = 0 WHERE id = 'we_1'";
    server.sql(&database, damage);
    let error = WebhookEndpointStore::find(&*gateway, &id("we_1"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("webhook_endpoints.previous_secret"), "{error}");
    assert!(!error.contains("sesame"), "{error}");
    let held = server.sql(&database, "SELECT length(secret) FROM webhook_endpoints");
    assert_eq!(held, "32");
    assert!(gateway.delete(&id("we_1"), after(1)).await.unwrap());
    let held = "SELECT length(secret), previous_secret IS NULL FROM webhook_endpoints";
    assert_eq!(server.sql(&database, held), "0|t");
}
