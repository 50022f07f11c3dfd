//! A store in a file, a clock that is set, and deliverers over them.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::ports::{
    DeliveryQuery, DeliveryState, EventFilter, EventRenderer, NewEndpoint, PaymentRepository, StoredDelivery,
    StoredEvent, WebhookDeliveryStore, WebhookEndpoint, WebhookEndpointStore, WebhookSecret, WebhookUrl,
};
use application::use_cases::FanOutEvents;
use async_trait::async_trait;
use domain::risk::Outcome;
use domain::{MerchantId, Timestamp, WebhookEndpointId};
use portcullis_webhooks::{Config, Deliverer, Resolver};
use prometheus_client::registry::Registry;
use storage::SqlitePaymentRepository;
use tempfile::TempDir;
use testkit::builders::{NOW, payment};
use testkit::fakes::{CountingIdGenerator, SettableClock};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::receiver::PATIENCE;

/// Says what the test says, and so does not change between two answers unless it says so.
#[derive(Default)]
pub(crate) struct Names(pub(crate) Mutex<HashMap<String, Vec<IpAddr>>>);

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let names = self.0.lock().unwrap();
        names
            .get(name)
            .cloned()
            .ok_or_else(|| io::Error::other("no such name"))
    }
}

/// The event's name and what happened, which is all that these tests look at.
struct Plain;

impl EventRenderer for Plain {
    fn render(&self, event: &StoredEvent) -> Vec<u8> {
        format!(
            "{{\"id\":\"{}\",\"type\":\"{}\"}}",
            event.id,
            event.event.kind.as_str()
        )
        .into_bytes()
    }
}

/// Everything but a deliverer.
pub(crate) struct Scene {
    folder: TempDir,
    pub(crate) store: Arc<SqlitePaymentRepository>,
    pub(crate) clock: Arc<SettableClock>,
    pub(crate) names: Arc<Names>,
    ids: Arc<CountingIdGenerator>,
    pub(crate) config: Config,
}

/// A deliverer that runs.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .expect("it does not stop")
            .unwrap();
    }
}

fn open(folder: &Path) -> Arc<SqlitePaymentRepository> {
    let config = storage::SqliteConfig {
        path: folder.join("payments.db"),
        save_timeout_ms: 60_000,
        read_timeout_ms: 60_000,
        ..storage::SqliteConfig::default()
    };
    Arc::new(SqlitePaymentRepository::open(&config).unwrap())
}

impl Scene {
    /// The loopback is allowed, timeouts are those of production, and what is due is looked for often.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: open(folder.path()),
            folder,
            clock: Arc::default(),
            names: Arc::default(),
            ids: Arc::default(),
            config: Config {
                allow_http: true,
                allowed_networks: vec!["127.0.0.0/8".parse().unwrap()],
                poll_interval_ms: 5,
                ..Config::default()
            },
        }
    }

    /// As after a restart of the machine: the same file, opened again.
    pub(crate) async fn reopen(&mut self) {
        self.store.close().await.unwrap();
        self.store = open(self.folder.path());
    }

    pub(crate) fn start(&self) -> Running {
        let fan_out = FanOutEvents {
            log: Arc::clone(&self.store) as _,
            endpoints: Arc::clone(&self.store) as _,
            deliveries: Arc::clone(&self.store) as _,
            renderer: Arc::new(Plain),
            ids: Arc::clone(&self.ids) as _,
            clock: Arc::clone(&self.clock) as _,
        };
        let names = Arc::clone(&self.names) as _;
        let deliverer = Deliverer::new(&self.config, fan_out, names, &mut Registry::default()).unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(deliverer.run(stop.clone()));
        Running { stop, task }
    }

    pub(crate) async fn endpoint(&self, name: &str, url: &str) -> WebhookEndpointId {
        let id = WebhookEndpointId::parse(name).unwrap();
        let endpoint = NewEndpoint {
            id: id.clone(),
            merchant_id: self.merchant(),
            url: WebhookUrl::allowed(url),
            events: EventFilter::All,
            secret: WebhookSecret::new([7; 32]),
            created_at: NOW,
        };
        assert!(self.store.create(&endpoint, 16).await.unwrap());
        id
    }

    /// Of the payments that the builders make.
    fn merchant(&self) -> MerchantId {
        payment().build().record().details.merchant_id.clone()
    }

    /// Stores a payment with one event: it was declined.
    pub(crate) async fn declined(&self, name: &str) {
        let mut declined = payment().id(name).decided(Outcome::Decline).build();
        assert_eq!(declined.events().len(), 1);
        self.store.save(&mut declined).await.unwrap();
    }

    pub(crate) fn hours_pass(&self, hours: u64) {
        self.clock.advance_ms(hours * 3_600_000);
    }

    pub(crate) async fn deliveries(&self, endpoint: &WebhookEndpointId) -> Vec<StoredDelivery> {
        let query = DeliveryQuery {
            endpoint_id: endpoint.clone(),
            state: None,
        };
        WebhookDeliveryStore::list(&*self.store, &query, None, 1_000)
            .await
            .unwrap()
            .items
    }

    pub(crate) async fn found(&self, endpoint: &WebhookEndpointId) -> WebhookEndpoint {
        WebhookEndpointStore::find(&*self.store, endpoint)
            .await
            .unwrap()
            .unwrap()
    }

    /// Waits until the deliveries to an endpoint are as they are to be, and tells them.
    pub(crate) async fn until(
        &self,
        endpoint: &WebhookEndpointId,
        wanted: impl Fn(&[StoredDelivery]) -> bool,
    ) -> Vec<StoredDelivery> {
        let waiting = async {
            loop {
                let deliveries = self.deliveries(endpoint).await;
                if wanted(&deliveries) {
                    return deliveries;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("the deliveries never became as wanted")
    }

    /// Waits until an endpoint has this many deliveries, all in one state.
    pub(crate) async fn all(
        &self,
        endpoint: &WebhookEndpointId,
        count: usize,
        state: DeliveryState,
    ) -> Vec<StoredDelivery> {
        self.until(endpoint, |deliveries| {
            deliveries.len() == count && deliveries.iter().all(|delivery| delivery.state == state)
        })
        .await
    }

    /// Waits until the only delivery to an endpoint was tried this many times and is not being tried.
    pub(crate) async fn tried(&self, endpoint: &WebhookEndpointId, times: u64) -> StoredDelivery {
        let mut found = self
            .until(
                endpoint,
                |deliveries| matches!(deliveries, [one] if one.attempts_made == times),
            )
            .await;
        found.remove(0)
    }
}

/// The time of a number of milliseconds behind another.
pub(crate) fn later(at: Timestamp, millis: u64) -> Timestamp {
    Timestamp::from_unix_millis(at.unix_millis() + millis)
}
