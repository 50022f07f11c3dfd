//! Where merchants want to be told what happens.

use async_trait::async_trait;
use domain::payment::PaymentEventKind;
use domain::{MerchantId, Timestamp, WebhookEndpointId};
use thiserror::Error;

use super::{WebhookSecret, WebhookUrl};

/// The store did not say that it did it, and can be asked again.
#[derive(Debug, Error)]
#[error("the webhook store is unavailable: {reason}")]
pub struct WebhookStoreUnavailable {
    /// For the operator.
    pub reason: String,
}

/// Which events are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventFilter {
    /// Every one, also of kinds that are to come.
    All,
    /// Those of these kinds.
    Only(Vec<PaymentEventKind>),
}

impl EventFilter {
    /// Whether an event of this kind is wanted.
    #[must_use]
    pub fn wants(&self, kind: PaymentEventKind) -> bool {
        match self {
            Self::All => true,
            Self::Only(kinds) => kinds.contains(&kind),
        }
    }
}

/// Why nothing is sent to an endpoint any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DisabledReason {
    /// Its merchant says so.
    ByMerchant,
    /// It answered 410: it is gone.
    Gone,
    /// Nothing reached it for days.
    Failing,
}

impl DisabledReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::ByMerchant, Self::Gone, Self::Failing];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByMerchant => "by_merchant",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// The reason of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// Whether an endpoint is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointStatus {
    /// It is.
    Enabled,
    /// It is not.
    Disabled(DisabledReason),
}

/// A secret that was replaced, and still signs beside the new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: WebhookSecret,
    /// Until when it signs.
    pub until: Timestamp,
}

/// An endpoint that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEndpoint {
    /// Its name.
    pub id: WebhookEndpointId,
    /// Whose events are sent.
    pub merchant_id: MerchantId,
    /// Where to.
    pub url: WebhookUrl,
    /// Which of them.
    pub events: EventFilter,
    /// What they are signed with.
    pub secret: WebhookSecret,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its name.
    pub id: WebhookEndpointId,
    /// Whose events are sent.
    pub merchant_id: MerchantId,
    /// Where to.
    pub url: WebhookUrl,
    /// Which of them.
    pub events: EventFilter,
    /// Whether they are.
    pub status: EndpointStatus,
    /// What they are signed with.
    pub secret: WebhookSecret,
    /// What they are signed with beside that, while the secret is being replaced.
    pub previous_secret: Option<PreviousSecret>,
    /// The last event that was there before the endpoint; it gets those behind it.
    pub starts_after: u64,
    /// Since when nothing has reached it; none where the last attempt did.
    pub failing_since: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl WebhookEndpoint {
    /// The secrets that sign at a time, the current one first.
    pub fn signing_secrets(&self, now: Timestamp) -> impl Iterator<Item = &WebhookSecret> {
        let previous = self
            .previous_secret
            .iter()
            .filter(move |previous| now < previous.until);
        std::iter::once(&self.secret).chain(previous.map(|previous| &previous.secret))
    }
}

/// What is to be different about an endpoint; the rest stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// Where to send to.
    pub url: Option<WebhookUrl>,
    /// Which events.
    pub events: Option<EventFilter>,
    /// Whether to send. One that is enabled again starts with a clean sheet.
    pub enabled: Option<bool>,
    /// What to sign with, and until when the secret that was current signs beside it.
    pub secret: Option<(WebhookSecret, Timestamp)>,
}

/// Keeps endpoints.
#[async_trait]
pub trait WebhookEndpointStore: Send + Sync {
    /// Keeps a new one, unless its merchant has so many already; tells whether it is kept. It gets every event that is stored
    /// after this has returned.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it is not told; it may be there all the same.
    async fn create(
        &self,
        endpoint: &NewEndpoint,
        max_of_merchant: usize,
    ) -> Result<bool, WebhookStoreUnavailable>;

    /// One of them.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it cannot be told.
    async fn find(&self, id: &WebhookEndpointId) -> Result<Option<WebhookEndpoint>, WebhookStoreUnavailable>;

    /// Those of a merchant, or all, in the order of their names, behind one; at most so many.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it cannot be told.
    async fn list(
        &self,
        merchant: Option<&MerchantId>,
        after: Option<&WebhookEndpointId>,
        limit: usize,
    ) -> Result<super::Page<WebhookEndpoint>, WebhookStoreUnavailable>;

    /// Changes what is said, in one step, and nothing else. Tells the endpoint as it is then, or none where there is none.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it is not told; it may have been changed all the same.
    async fn change(
        &self,
        id: &WebhookEndpointId,
        change: &EndpointChange,
    ) -> Result<Option<WebhookEndpoint>, WebhookStoreUnavailable>;

    /// Takes one away, with its secrets. Nothing is sent to it from then on but what is being sent. Tells whether it was there.
    ///
    /// # Errors
    /// MUST return `WebhookStoreUnavailable` when it is not told; it may be gone all the same.
    async fn delete(&self, id: &WebhookEndpointId, now: Timestamp) -> Result<bool, WebhookStoreUnavailable>;
}
