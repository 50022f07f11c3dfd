//! What runs beside the requests for as long as the gateway does.

use std::sync::Arc;

use application::api_keys::ApiKeyRing;
use features::FollowedLists;
use platform::TokioTimer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhooks::Deliverer;

use crate::past_payments::PastPayments;
use crate::upkeep::Upkeep;

/// All of it.
pub(crate) struct Background {
    pub(crate) upkeep: Upkeep,
    pub(crate) lists: Arc<FollowedLists>,
    pub(crate) past: Option<PastPayments>,
    pub(crate) api_keys: Option<Arc<ApiKeyRing>>,
    pub(crate) webhooks: Option<Deliverer>,
}

impl Background {
    /// Starts it. It ends when it is told to stop, and what it has begun by then comes to its end.
    pub(crate) fn start(self, stop: CancellationToken) -> JoinHandle<()> {
        let Self {
            upkeep,
            lists,
            past,
            api_keys,
            webhooks,
        } = self;
        tokio::spawn(async move {
            let follow = lists.follow_until(stop.cancelled());
            let tell = async {
                if let Some(past) = past {
                    past.tell(&stop).await;
                }
            };
            let follow_keys = async {
                if let Some(api_keys) = api_keys {
                    // It only reads, and never ends by itself.
                    tokio::select! {
                        () = stop.cancelled() => {}
                        _ = api_keys.follow(&TokioTimer) => {}
                    }
                }
            };
            let deliver = async {
                if let Some(webhooks) = webhooks {
                    webhooks.run(stop.clone()).await;
                }
            };
            tokio::join!(upkeep.run(&stop), follow, tell, follow_keys, deliver);
        })
    }
}
