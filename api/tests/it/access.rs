//! Who may do what: keys, roles, scopes, whose payments, how many requests.

mod decisions;
mod lists;
mod webhooks;

use std::collections::BTreeSet;

use application::use_cases::{CreateApiKey, CreateApiKeyCommand, RevokeApiKey, RotateApiKey};
use axum::body::Body;
use axum::http::{Request, header};
use domain::access::{ApiKeyName, Grant, Role, Scope};
use domain::risk::Outcome;
use domain::{ApiKeyId, MerchantId};
use portcullis_api::{ACCESS_RULES, Api, Authentication, Config, MetricsAccess, Required};
use serde_json::{Value, json};

use crate::caller::{Answer, get, send, small_decision, small_payment, with};
use crate::fakes::{FixedClock, World, verdict};

const PAYMENTS: &str = "/v1/payments";

fn keyed() -> Config {
    Config {
        authentication: Authentication::Keys,
        metrics_access: MetricsAccess::Operator,
        ..Config::for_tests()
    }
}

impl World {
    async fn key(
        &self,
        name: &str,
        role: Role,
        merchant: Option<&str>,
        scopes: &[Scope],
    ) -> (ApiKeyId, String) {
        let create = CreateApiKey {
            store: self.key_store.clone(),
            secrets: self.key_secrets.clone(),
            clock: std::sync::Arc::new(FixedClock),
            ring: self.ring.clone(),
        };
        let merchant = merchant.map(|merchant| MerchantId::parse(merchant).unwrap());
        let command = CreateApiKeyCommand {
            name: ApiKeyName::parse(name).unwrap(),
            grant: Grant::new(role, merchant, scopes.iter().copied().collect()).unwrap(),
            expires_at: None,
        };
        let issued = create.execute(command).await.unwrap();
        (issued.key.id, issued.token)
    }

    async fn shop(&self, merchant: &str) -> String {
        self.key("till", Role::Merchant, Some(merchant), &[]).await.1
    }

    async fn role(&self, role: Role) -> String {
        self.key("somebody", role, None, &[]).await.1
    }
}

async fn ask(api: &Api, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    send(api, request.body(body).unwrap()).await
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.problem().0.as_str()),
        (status, code),
        "{answer:?}"
    );
}

#[test]
fn every_route_is_in_the_table_and_the_table_has_no_other() {
    let served: BTreeSet<_> = World::new().api().routes().into_iter().collect();
    let ruled: BTreeSet<_> = ACCESS_RULES
        .iter()
        .map(|rule| (rule.method, rule.route))
        .collect();
    assert_eq!(served, ruled);
    assert_eq!(ruled.len(), ACCESS_RULES.len(), "no route has two rules");
}

#[tokio::test]
async fn every_route_takes_just_the_roles_that_the_table_says() {
    let world = World::new();
    let api = world.api_with(&keyed());
    let shop = world.shop("shop-1").await;
    for rule in ACCESS_RULES {
        let path = rule
            .route
            .replace("{id}", "pay_none")
            .replace("{operation}", "op_none")
            .replace("{list}", "none")
            .replace("{decision}", "dec_none")
            .replace("{code}", "not_found");
        let nobody = Request::builder()
            .method(rule.method)
            .uri(&path)
            .body(Body::empty());
        let nobody = send(&api, nobody.unwrap()).await;
        if rule.required == Required::Nothing {
            assert_ne!(nobody.status, 401, "{rule:?}");
            continue;
        }
        refused(&nobody, 401, "unauthenticated");
        let allowed: Vec<Role> = rule.roles().collect();
        assert!(!allowed.is_empty(), "{rule:?}");
        for role in Role::ALL {
            let token = match role {
                Role::Merchant => shop.clone(),
                role => world.role(role).await,
            };
            let answer = ask(&api, &token, rule.method, &path, Some(&json!({}))).await;
            if allowed.contains(&role) {
                assert!(
                    !matches!(answer.status.as_u16(), 401 | 403),
                    "{rule:?} {role}: {answer:?}"
                );
            } else {
                refused(&answer, 403, "forbidden");
                let scope = rule.scope().unwrap();
                assert!(answer.text.contains(&format!("`{scope}`")), "{answer:?}");
                assert!(answer.text.contains(allowed[0].as_str()), "{answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn without_a_key_that_works_nobody_is_let_in_and_nothing_that_was_sent_is_repeated() {
    let world = World::new();
    let api = world.api_with(&keyed());
    let good = world.shop("shop-1").await;
    let strange = World::new();
    strange.shop("shop-1").await;
    strange.shop("shop-1").await;
    let unknown = strange.shop("shop-1").await;
    let mut typo = good.clone();
    let last = typo.pop().unwrap();
    typo.push(if last == '0' { '1' } else { '0' });
    for authorization in [
        String::new(),
        "Basic dXNlcjpwYXNz".to_owned(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {typo}"),
        format!("Bearer {unknown}"),
        format!("Bearer {good} {good}"),
        format!("Token {good}"),
    ] {
        let request = Request::get(PAYMENTS)
            .header(header::AUTHORIZATION, &authorization)
            .body(Body::empty());
        let answer = send(&api, request.unwrap()).await;
        refused(&answer, 401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"portcullis\"");
        for secret in [&good, &typo, &unknown] {
            assert!(!answer.text.contains(secret.as_str()), "{answer:?}");
        }
    }
    let twice = Request::get(PAYMENTS)
        .header(header::AUTHORIZATION, format!("Bearer {good}"))
        .header(header::AUTHORIZATION, format!("Bearer {good}"));
    refused(
        &send(&api, twice.body(Body::empty()).unwrap()).await,
        401,
        "unauthenticated",
    );
    assert_eq!(ask(&api, &good, "GET", PAYMENTS, None).await.status, 200);
    let operator = world.role(Role::Operator).await;
    let metrics = ask(&api, &operator, "GET", "/metrics", None).await.text;
    for line in [
        "http_access_refused_total{reason=\"missing\"} 5",
        "http_access_refused_total{reason=\"not_a_key\"} 3",
        "http_access_refused_total{reason=\"unknown\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_merchant_sees_and_touches_his_own_payments_alone() {
    let world = World::new();
    let api = world.api_with(&keyed());
    let (own, other) = (world.shop("shop-1").await, world.shop("shop-2").await);
    let made = ask(&api, &own, "POST", PAYMENTS, Some(&small_payment())).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    refused(
        &ask(&api, &other, "POST", PAYMENTS, Some(&small_payment())).await,
        403,
        "forbidden",
    );
    refused(
        &ask(
            &api,
            &other,
            "POST",
            "/v1/risk/decisions",
            Some(&small_decision()),
        )
        .await,
        403,
        "forbidden",
    );
    let payment = format!("{PAYMENTS}/{id}");
    refused(
        &ask(&api, &other, "GET", &payment, None).await,
        404,
        "payment_not_found",
    );
    for action in ["capture", "void", "refunds"] {
        let answer = ask(&api, &other, "POST", &format!("{payment}/{action}"), None).await;
        refused(&answer, 404, "payment_not_found");
    }
    for (listing, count) in [(PAYMENTS, 1), ("/v1/events", 1)] {
        let of = |answer: &Answer| answer.json()["data"].as_array().unwrap().len();
        let asked = format!("{listing}?merchant_id=shop-1");
        assert_eq!(
            of(&ask(&api, &own, "GET", listing, None).await),
            count,
            "{listing}"
        );
        assert_eq!(
            of(&ask(&api, &own, "GET", &asked, None).await),
            count,
            "{listing}"
        );
        assert_eq!(of(&ask(&api, &other, "GET", listing, None).await), 0, "{listing}");
        refused(&ask(&api, &other, "GET", &asked, None).await, 403, "forbidden");
        let operator = world.role(Role::Operator).await;
        assert_eq!(
            of(&ask(&api, &operator, "GET", listing, None).await),
            count,
            "{listing}"
        );
    }
    let captured = ask(&api, &own, "POST", &format!("{payment}/capture"), None).await;
    assert_eq!(captured.status, 200, "{captured:?}");
}

#[tokio::test]
async fn scopes_narrow_what_a_key_is_good_for() {
    let world = World::new();
    let api = world.api_with(&keyed());
    let (_, reader) = world
        .key("reader", Role::Merchant, Some("shop-1"), &[Scope::PaymentsRead])
        .await;
    assert_eq!(ask(&api, &reader, "GET", PAYMENTS, None).await.status, 200);
    let answer = ask(&api, &reader, "POST", PAYMENTS, Some(&small_payment())).await;
    refused(&answer, 403, "forbidden");
    assert!(answer.text.contains("`payments:write`"), "{answer:?}");
    assert!(world.repository.statuses().is_empty());
}

#[tokio::test]
async fn the_reviewer_is_whom_the_key_belongs_to() {
    let world = World::new();
    world.engine.put(vec![verdict("scripted", Outcome::Review, 0)]);
    let api = world.api_with(&keyed());
    let shop = world.shop("shop-1").await;
    let made = ask(&api, &shop, "POST", PAYMENTS, Some(&small_payment())).await;
    let approve = format!("/v1/reviews/{}/approve", made.json()["id"].as_str().unwrap());
    let (_, ana) = world.key("ana", Role::Analyst, None, &[]).await;
    let forged = ask(&api, &ana, "POST", &approve, Some(&json!({"reviewer": "bob"}))).await;
    refused(&forged, 400, "unknown_field");
    let approved = ask(&api, &ana, "POST", &approve, None).await;
    assert_eq!(approved.status, 200, "{approved:?}");
    assert_eq!(approved.json()["review"]["reviewer"], "ana");
}

#[tokio::test]
async fn a_rotated_key_has_two_secrets_for_a_while_and_a_revoked_one_none() {
    let world = World::new();
    let api = world.api_with(&keyed());
    let clock = std::sync::Arc::new(FixedClock);
    let (id, first) = world.key("till", Role::Merchant, Some("shop-1"), &[]).await;
    let rotate = RotateApiKey {
        store: world.key_store.clone(),
        secrets: world.key_secrets.clone(),
        clock: clock.clone(),
        ring: world.ring.clone(),
    };
    let second = rotate.execute(&id, 60).await.unwrap().token;
    for token in [&first, &second] {
        assert_eq!(ask(&api, token, "GET", PAYMENTS, None).await.status, 200);
    }
    let third = rotate.execute(&id, 0).await.unwrap().token;
    for token in [&first, &second] {
        refused(
            &ask(&api, token, "GET", PAYMENTS, None).await,
            401,
            "unauthenticated",
        );
    }
    assert_eq!(ask(&api, &third, "GET", PAYMENTS, None).await.status, 200);
    let revoke = RevokeApiKey {
        store: world.key_store.clone(),
        clock,
        ring: world.ring.clone(),
    };
    revoke.execute(&id).await.unwrap();
    refused(
        &ask(&api, &third, "GET", PAYMENTS, None).await,
        401,
        "unauthenticated",
    );
    rotate.execute(&id, 0).await.err().unwrap();
}

#[tokio::test]
async fn a_merchant_who_sends_too_much_is_told_when_to_come_back_and_others_go_on() {
    let world = World::new();
    let config = Config {
        merchant_requests_per_second: 1,
        merchant_burst: 3,
        ..keyed()
    };
    let api = world.api_with(&config);
    let (busy, calm) = (world.shop("shop-1").await, world.shop("shop-2").await);
    let operator = world.role(Role::Operator).await;
    let mut last = ask(&api, &busy, "GET", PAYMENTS, None).await;
    assert_eq!(last.status, 200);
    assert_eq!(last.header("ratelimit-policy"), "\"merchant\";q=3;w=3");
    assert_eq!(last.header("ratelimit"), "\"merchant\";r=2;t=1");
    // More than a machine under load could make up for with a request a second.
    for _ in 0..1_000 {
        last = ask(&api, &busy, "GET", PAYMENTS, None).await;
        if last.status == 429 {
            break;
        }
    }
    refused(&last, 429, "rate_limited");
    assert_eq!(last.header("retry-after"), "1");
    assert!(
        last.header("ratelimit").starts_with("\"merchant\";r=0;"),
        "{last:?}"
    );
    assert_eq!(ask(&api, &calm, "GET", PAYMENTS, None).await.status, 200);
    let unlimited = ask(&api, &operator, "GET", PAYMENTS, None).await;
    assert_eq!(
        (unlimited.status.as_u16(), unlimited.header("ratelimit")),
        (200, "")
    );
}

#[tokio::test]
async fn keys_that_were_never_compared_with_the_store_let_nobody_in() {
    let (known, other) = (World::new(), World::new());
    let token = known.shop("shop-1").await;
    let answer = ask(&other.api_with(&keyed()), &token, "GET", PAYMENTS, None).await;
    refused(&answer, 503, "storage_unavailable");
    assert_eq!(get(&other.api_with(&keyed()), "/healthz").await.status, 200);
}

#[tokio::test]
async fn without_authentication_everybody_may_do_everything_and_a_key_makes_no_difference() {
    let api = World::new().api();
    let two = with(small_payment(), "merchant_id", "shop-2".into());
    for body in [small_payment(), two] {
        assert_eq!(
            ask(&api, "nonsense", "POST", PAYMENTS, Some(&body)).await.status,
            201
        );
    }
    for path in [
        "/metrics",
        "/v1/reviews",
        "/v1/operations/unresolved",
        "/v1/policies",
    ] {
        assert_eq!(get(&api, path).await.status, 200, "{path}");
    }
}
