//! The end: payments in flight come to theirs, the listener closes, exit code 0 within a bound.

use std::thread;
use std::time::{Duration, Instant};

use portcullis_tests::{Gateway, Payment, eventually};

/// The test card that the simulator answers late.
const SLOW_CARD: &str = "4000000000000200";

#[test]
fn a_payment_in_flight_ends_before_the_gateway_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = format!("dir:{}", folder.path().display());
    let mut gateway = Gateway::start_with(&store, &["acquirer.simulated.slow_ms=1500"]);
    gateway.wait_until_ready();
    let address = gateway.address().to_owned();
    let payment = Payment::ordinary().with_card(SLOW_CARD).0.to_string();
    let payer = thread::spawn(move || {
        let mut response = ureq::post(format!("{address}/v1/payments"))
            .header("content-type", "application/json")
            .send(payment)
            .expect("the payment is answered");
        (
            response.status().as_u16(),
            response.body_mut().read_to_string().expect("a body"),
        )
    });
    eventually("the payment to be in flight", || {
        gateway
            .get("/metrics")
            .text
            .contains("portcullis_http_requests_in_flight 2")
            .then_some(())
    });
    let asked = Instant::now();
    let ended = gateway.terminate();
    let (status, body) = payer.join().expect("the payer ends");
    assert_eq!(status, 201, "{body}");
    assert!(body.contains("\"authorized\""), "{body}");
    assert_eq!(ended.code(), Some(0), "{}", gateway.log().join("\n"));
    assert!(
        asked.elapsed() < Duration::from_secs(25),
        "within the drain timeout"
    );
}

#[test]
fn an_idle_gateway_ends_at_once_and_closes_its_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut gateway = Gateway::start(&format!("dir:{}", folder.path().display()));
    let paid = gateway.pay(&Payment::ordinary());
    assert_eq!(paid.status, 201, "{}", paid.text);
    gateway.signal("INT");
    let ended = eventually("the gateway to end", || gateway.ended());
    assert_eq!(ended.code(), Some(0));
    let log = gateway.folder().join("portcullis.db-wal");
    assert!(
        std::fs::metadata(&log).map_or(0, |file| file.len()) == 0,
        "the write-ahead log is in the database"
    );
}
