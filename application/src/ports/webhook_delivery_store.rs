//! Events on their way to endpoints: what is to be sent, what is being sent, how it went.

use async_trait::async_trait;
use domain::payment::PaymentEventKind;
use domain::{Timestamp, WebhookDeliveryId, WebhookEndpointId};

use super::{DisabledReason, Page, WebhookEndpoint, WebhookStoreUnavailable};

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// It is being sent, or will be.
    Pending,
    /// The endpoint has taken it.
    Succeeded,
    /// Every attempt failed.
    Failed,
    /// Its endpoint was disabled or taken away before it was sent.
    Cancelled,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A delivery that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its name.
    pub id: WebhookDeliveryId,
    /// Where to.
    pub endpoint_id: WebhookEndpointId,
    /// The name of the event, which is also the message's in every attempt.
    pub event_id: String,
    /// What happened.
    pub event_kind: PaymentEventKind,
    /// What is sent, the same bytes in every attempt.
    pub body: Vec<u8>,
    /// When it was put there; it is due at once.
    pub created_at: Timestamp,
}

/// One attempt to send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// When it began.
    pub at: Timestamp,
    /// How many milliseconds it took.
    pub duration_ms: u64,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// What went wrong, where something did: a short text for the merchant's developer.
    pub error: Option<String>,
}

/// A delivery as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDelivery {
    /// Its name.
    pub id: WebhookDeliveryId,
    /// Its place in the order in which deliveries were made.
    pub position: u64,
    /// Where to.
    pub endpoint_id: WebhookEndpointId,
    /// The name of the event.
    pub event_id: String,
    /// What happened.
    pub event_kind: PaymentEventKind,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it is tried next; none where it is not.
    pub next_attempt_at: Option<Timestamp>,
    /// How many attempts there were.
    pub attempts_made: u64,
    /// The last of them, in their order; at most [`StoredDelivery::MAX_ATTEMPTS_KEPT`].
    pub attempts: Vec<DeliveryAttempt>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl StoredDelivery {
    /// How many attempts are kept of one delivery: those of the schedule and then two more such rounds by hand.
    pub const MAX_ATTEMPTS_KEPT: usize = 30;
}

/// Behind which delivery a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryCursor(pub u64);

/// Which deliveries of an endpoint are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// To which endpoint.
    pub endpoint_id: WebhookEndpointId,
    /// In which state; any where it is not said.
    pub state: Option<DeliveryState>,
}

/// What came of handing events out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// The deliveries are there, and the position is the new one.
    Yes,
    /// Somebody else has moved on from the position; nothing was done.
    PositionMoved,
}

/// A delivery that is this caller's alone for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedDelivery {
    /// Its name.
    pub id: WebhookDeliveryId,
    /// The name of the event.
    pub event_id: String,
    /// What is sent.
    pub body: Vec<u8>,
    /// How often it was tried since it was made or last replayed.
    pub tries: u32,
    /// Tells this claim from every other of the same delivery.
    pub claim: u64,
}

/// Deliveries that are one caller's alone for a time, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedDeliveries {
    /// The endpoint, as it is now.
    pub endpoint: WebhookEndpoint,
    /// What is to be sent to it.
    pub deliveries: Vec<ClaimedDelivery>,
}

/// What comes of a delivery after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptNext {
    /// It is over: the endpoint has taken it.
    Succeeded,
    /// It is tried again.
    RetryAt(Timestamp),
    /// It is over: that was the last attempt.
    Failed,
}

/// An attempt that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptEnd {
    /// Of which delivery.
    pub delivery_id: WebhookDeliveryId,
    /// Under which claim.
    pub claim: u64,
    /// How it went.
    pub attempt: DeliveryAttempt,
    /// What comes of it.
    pub next: AttemptNext,
    /// The endpoint says that it is gone.
    pub gone: bool,
    /// After a failure: the endpoint is disabled if nothing has reached it since this time or longer.
    pub disable_if_failing_since: Timestamp,
}

/// What came of a wish to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// It is due now, with a whole schedule before it.
    Yes,
    /// It is being sent in this very moment.
    InFlight,
    /// Its endpoint is disabled or gone.
    EndpointDisabled,
    /// There is no such delivery.
    NotFound,
}

/// Keeps deliveries. Several gateways share one store.
#[async_trait]
pub trait WebhookDeliveryStore: Send + Sync {
    /// Up to which position of the event log events were handed out.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it cannot be told.
    async fn position(&self) -> Result<u64, WebhookStoreUnavailable>;

    /// Moves the position on, and makes the deliveries that the events between are wanted for, in one step. A delivery of the
    /// same event to the same endpoint is made once, whatever comes.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it is not told; MUST then have done all of it or nothing.
    async fn enqueue(
        &self,
        from: u64,
        to: u64,
        deliveries: Vec<NewDelivery>,
    ) -> Result<Enqueued, WebhookStoreUnavailable>;

    /// Enabled endpoints with a delivery that is due, in the order of their names, behind one; at most so many.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it cannot be told.
    async fn endpoints_due(
        &self,
        now: Timestamp,
        after: Option<&WebhookEndpointId>,
        limit: usize,
    ) -> Result<Vec<WebhookEndpointId>, WebhookStoreUnavailable>;

    /// Claims deliveries of an enabled endpoint that are due, the longest due first. Until `until` nobody else gets them; then
    /// they are due again, unless [`WebhookDeliveryStore::finish`] came first.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it is not told; what may have been claimed is due again after `until`.
    async fn claim(
        &self,
        endpoint: &WebhookEndpointId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Option<ClaimedDeliveries>, WebhookStoreUnavailable>;

    /// Writes down how an attempt ended, and what that means for the endpoint. A success counts under any claim of a pending
    /// delivery, everything else under the last one only. Tells why the endpoint was disabled by it, if it was.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it is not told; it may be written all the same.
    async fn finish(&self, end: &AttemptEnd) -> Result<Option<DisabledReason>, WebhookStoreUnavailable>;

    /// Makes a delivery due now, whatever its state, with a whole schedule before it.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it is not told; it may be due all the same.
    async fn replay(
        &self,
        id: &WebhookDeliveryId,
        now: Timestamp,
    ) -> Result<Replayed, WebhookStoreUnavailable>;

    /// One of them.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it cannot be told.
    async fn find(&self, id: &WebhookDeliveryId) -> Result<Option<StoredDelivery>, WebhookStoreUnavailable>;

    /// Deliveries to an endpoint, the newest first.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it cannot be told.
    async fn list(
        &self,
        query: &DeliveryQuery,
        after: Option<DeliveryCursor>,
        limit: usize,
    ) -> Result<Page<StoredDelivery>, WebhookStoreUnavailable>;

    /// Cancels pending deliveries whose endpoint is not enabled, at most so many. Tells how many.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it is not told.
    async fn cancel_unwanted(&self, now: Timestamp, limit: usize) -> Result<usize, WebhookStoreUnavailable>;

    /// Forgets deliveries that ended before a time, at most so many, and endpoints that are gone and have none left. Tells how
    /// many deliveries.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it is not told.
    async fn forget(&self, ended_before: Timestamp, limit: usize) -> Result<usize, WebhookStoreUnavailable>;

    /// How many deliveries are pending; `at_most` where there are more.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it cannot be told.
    async fn count_pending(&self, at_most: usize) -> Result<usize, WebhookStoreUnavailable>;
}
