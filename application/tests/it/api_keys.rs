//! The ring of keys: what it knows, and for how long.

use std::sync::Arc;

use domain::access::{ApiKeyName, Grant, Role, ScopeSet};
use portcullis_application::api_keys::ApiKeyRing;
use portcullis_application::ports::{ApiKeyStore, ApiKeyStoreError, Clock};
use portcullis_application::use_cases::{
    Authenticate, AuthenticateError, CreateApiKey, CreateApiKeyCommand, CreateApiKeyError, IssuedApiKey,
    MAX_GRACE_SECONDS, RevokeApiKey, RotateApiKey, RotateApiKeyError,
};
use testkit::builders::{NOW, after};
use testkit::fakes::{CountingApiKeySecrets, InMemoryApiKeyStore, SettableClock};

struct Gateways {
    store: Arc<InMemoryApiKeyStore>,
    secrets: Arc<CountingApiKeySecrets>,
    clock: Arc<SettableClock>,
    one: Arc<ApiKeyRing>,
    other: Arc<ApiKeyRing>,
}

impl Gateways {
    fn new() -> Self {
        let store = Arc::new(InMemoryApiKeyStore::default());
        let secrets = Arc::new(CountingApiKeySecrets::default());
        let clock = Arc::new(SettableClock::default());
        let ring = || Arc::new(ApiKeyRing::new(store.clone(), secrets.clone(), clock.clone()));
        Self {
            one: ring(),
            other: ring(),
            store,
            secrets,
            clock,
        }
    }

    async fn create(&self, expires_after: Option<u64>) -> Result<IssuedApiKey, CreateApiKeyError> {
        let create = CreateApiKey {
            store: self.store.clone(),
            secrets: self.secrets.clone(),
            clock: self.clock.clone(),
            ring: self.one.clone(),
        };
        let command = CreateApiKeyCommand {
            name: ApiKeyName::parse("ops").unwrap(),
            grant: Grant::new(Role::Operator, None, ScopeSet::default()).unwrap(),
            expires_at: expires_after.map(after),
        };
        create.execute(command).await
    }

    fn rotate(&self) -> RotateApiKey {
        RotateApiKey {
            store: self.store.clone(),
            secrets: self.secrets.clone(),
            clock: self.clock.clone(),
            ring: self.one.clone(),
        }
    }
}

fn shown_to(ring: &Arc<ApiKeyRing>, token: &str) -> Result<String, AuthenticateError> {
    let authenticate = Authenticate {
        ring: Arc::clone(ring),
    };
    authenticate
        .execute(token)
        .map(|caller| caller.name.as_str().to_owned())
}

#[tokio::test]
async fn a_key_works_at_once_where_it_was_made_and_elsewhere_with_the_next_refresh() {
    let gateways = Gateways::new();
    gateways.other.refresh().await.unwrap();
    let token = gateways.create(None).await.unwrap().token;
    assert_eq!(shown_to(&gateways.one, &token), Ok("ops".to_owned()));
    assert_eq!(shown_to(&gateways.other, &token), Err(AuthenticateError::Unknown));
    gateways.other.refresh().await.unwrap();
    assert_eq!(shown_to(&gateways.other, &token), Ok("ops".to_owned()));
}

#[tokio::test]
async fn a_revoked_key_ends_at_once_where_it_was_revoked_and_elsewhere_with_the_next_refresh() {
    let gateways = Gateways::new();
    let issued = gateways.create(None).await.unwrap();
    gateways.other.refresh().await.unwrap();
    let revoke = RevokeApiKey {
        store: gateways.store.clone(),
        clock: gateways.clock.clone(),
        ring: gateways.one.clone(),
    };
    gateways.clock.set(after(1));
    assert_eq!(
        revoke.execute(&issued.key.id).await.unwrap().revoked_at,
        Some(after(1))
    );
    assert_eq!(
        shown_to(&gateways.one, &issued.token),
        Err(AuthenticateError::Unknown)
    );
    gateways.other.refresh().await.unwrap();
    assert_eq!(
        shown_to(&gateways.other, &issued.token),
        Err(AuthenticateError::Unknown)
    );
    gateways.clock.set(after(2));
    let again = revoke.execute(&issued.key.id).await.unwrap();
    assert_eq!(again.revoked_at, Some(after(1)), "the first time stands");
}

#[tokio::test]
async fn keys_are_read_again_only_when_one_has_changed() {
    let gateways = Gateways::new();
    gateways.create(None).await.unwrap();
    gateways.other.refresh().await.unwrap();
    let listings = gateways.store.listings();
    for _ in 0..10 {
        gateways.other.refresh().await.unwrap();
    }
    assert_eq!(gateways.store.listings(), listings);
}

#[tokio::test]
async fn the_old_secret_works_until_its_time_is_up() {
    let gateways = Gateways::new();
    let first = gateways.create(None).await.unwrap();
    let second = gateways.rotate().execute(&first.key.id, 60).await.unwrap();
    assert_ne!(first.token, second.token);
    gateways.clock.set(after(59));
    assert!(shown_to(&gateways.one, &first.token).is_ok());
    gateways.clock.set(after(60));
    assert_eq!(
        shown_to(&gateways.one, &first.token),
        Err(AuthenticateError::Unknown)
    );
    assert!(shown_to(&gateways.one, &second.token).is_ok());
    let too_long = gateways
        .rotate()
        .execute(&first.key.id, MAX_GRACE_SECONDS + 1)
        .await;
    assert!(matches!(too_long, Err(RotateApiKeyError::GraceTooLong)));
}

#[tokio::test]
async fn a_key_ends_when_it_expires() {
    let gateways = Gateways::new();
    let issued = gateways.create(Some(30)).await.unwrap();
    gateways.clock.set(after(29));
    assert!(shown_to(&gateways.one, &issued.token).is_ok());
    gateways.clock.set(after(30));
    assert_eq!(
        shown_to(&gateways.one, &issued.token),
        Err(AuthenticateError::Unknown)
    );
    let ended = gateways.rotate().execute(&issued.key.id, 0).await;
    assert!(matches!(ended, Err(RotateApiKeyError::Ended { .. })));
    let late = gateways.create(Some(30)).await;
    assert!(matches!(late, Err(CreateApiKeyError::ExpiresInThePast)));
}

#[tokio::test]
async fn while_the_store_is_away_known_keys_work_for_a_minute() {
    let gateways = Gateways::new();
    let token = gateways.create(None).await.unwrap().token;
    gateways.store.set_away(true);
    assert!(matches!(
        gateways.one.refresh().await,
        Err(ApiKeyStoreError::Unavailable { .. })
    ));
    assert_eq!(gateways.clock.now(), NOW);
    gateways.clock.set(after(60));
    assert!(shown_to(&gateways.one, &token).is_ok());
    gateways.clock.set(after(61));
    assert_eq!(shown_to(&gateways.one, &token), Err(AuthenticateError::OutOfDate));
    gateways.store.set_away(false);
    gateways.one.refresh().await.unwrap();
    assert!(shown_to(&gateways.one, &token).is_ok());
}

#[tokio::test]
async fn what_is_stored_of_a_key_is_not_enough_to_use_it() {
    let gateways = Gateways::new();
    let issued = gateways.create(None).await.unwrap();
    let stored = gateways.store.find(&issued.key.id).await.unwrap().unwrap();
    let shown = format!("{stored:?}");
    assert!(!shown.contains(&issued.token[37..101]), "{shown}");
    assert!(issued.token.ends_with(stored.last4.as_str()));
}
