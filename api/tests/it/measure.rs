//! temp
use crate::caller::*; use crate::fakes::World;
#[tokio::test]
async fn measure() {
    let api = World::new().api();
    let body = with(full_payment(), "card", serde_json::json!({"number": CARD_NUMBER})).to_string();
    use tower::ServiceExt;
    let router = api.router();
    for round in 0..3 {
        let started = std::time::Instant::now();
        for _ in 0..50_000 {
            let request = axum::http::Request::post("/v1/risk/decisions").header("content-type","application/json").body(axum::body::Body::from(body.clone())).unwrap();
            let r = router.clone().oneshot(request).await.unwrap();
            assert_eq!(r.status(), 200);
        }
        println!("round {round}: {} ns", started.elapsed().as_nanos() / 50_000);
        let started = std::time::Instant::now();
        for _ in 0..50_000 {
            let request = axum::http::Request::get("/healthz").body(axum::body::Body::empty()).unwrap();
            drop(router.clone().oneshot(request).await.unwrap());
        }
        println!("healthz {round}: {} ns", started.elapsed().as_nanos() / 50_000);
    }
}
