//! A card number is nowhere but on its way to the acquirer: not in an answer, a log, a metric, a webhook, a database, nor in the memory of
//! the gateway once it was passed on.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use portcullis_tests::memory::{find, hits};
use portcullis_tests::{Database, Gateway, Launch, WebhookReceiver, eventually};
use serde_json::json;

use super::{acquirer, approving_on};

/// Declined by the issuer; charged without an answer. See `docs/test-cards.md`.
const BY_BEHAVIOUR: [&str; 2] = ["4000000000000002", "4000000000000507"];

/// Numbers that nobody else uses, with their check digits, behind so many others.
fn numbers<const N: usize>(behind: usize) -> [String; N] {
    std::array::from_fn(|index| {
        let without = format!("40123456{:07}", 1_234_567 + 7_919 * (behind + index));
        let sum: u32 = without
            .bytes()
            .rev()
            .enumerate()
            .map(|(place, digit)| {
                let digit = u32::from(digit - b'0');
                match (place % 2, digit * 2) {
                    (0, doubled @ 10..) => doubled - 9,
                    (0, doubled) => doubled,
                    _ => digit,
                }
            })
            .sum();
        format!("{without}{}", (10 - sum % 10) % 10)
    })
}

/// Sends these bytes on a connection of their own, and says what came back.
fn exchange(gateway: &Gateway, pieces: &[&str]) -> String {
    let address = gateway.address().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("a connection");
    for piece in pieces {
        // One that is refused before it has all been read may be cut off.
        if stream.write_all(piece.as_bytes()).is_err() {
            break;
        }
        stream.flush().expect("it is sent");
    }
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    drop(stream.shutdown(Shutdown::Both));
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(gateway: &Gateway, line: &str, headers: &str, body: &str) -> String {
    let head = format!(
        "{line} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    exchange(gateway, &[&head, body])
}

const JSON: &str = "content-type: application/json\r\n";

fn payment(number: &str) -> String {
    json!({
        "merchant_id": "m_demo",
        "amount": {"minor_units": 12_900, "currency": "CNY"},
        "card": {"number": number, "expiry_month": 12, "expiry_year": 2030},
    })
    .to_string()
}

fn post(gateway: &Gateway, path: &str, headers: &str, body: &str) -> String {
    request(
        gateway,
        &format!("POST {path}"),
        &format!("{JSON}{headers}"),
        body,
    )
}

fn get(gateway: &Gateway, path: &str, headers: &str) -> String {
    request(gateway, &format!("GET {path}"), headers, "")
}

/// Sends numbers where they belong; says what is to be answered and what was.
fn send_in_place(
    gateway: &Gateway,
    paid: &str,
    decided: &str,
    in_pieces: &str,
) -> Vec<(&'static str, String)> {
    let decision = json!({
        "merchant_id": "m_demo",
        "amount": {"minor_units": 1, "currency": "CNY"},
        "card": {"number": decided},
    });
    let whole = payment(in_pieces);
    let (first, second) = whole.split_at(whole.find(in_pieces).expect("it is there") + 7);
    let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());
    let head = "POST /v1/payments HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n";
    let head = format!("{head}{JSON}transfer-encoding: chunked\r\n\r\n");
    let pieces = [&head, &chunk(first), &chunk(second), "0\r\n\r\n"];
    let pay = |headers: &str, number: &str| post(gateway, "/v1/payments", headers, &payment(number));
    vec![
        ("201", pay("idempotency-key: one\r\n", paid)),
        ("201", pay("idempotency-key: one\r\n", paid)),
        ("201", pay("", BY_BEHAVIOUR[0])),
        ("202", pay("", BY_BEHAVIOUR[1])),
        (
            "200",
            post(gateway, "/v1/risk/decisions", "", &decision.to_string()),
        ),
        ("201", exchange(gateway, &pieces)),
    ]
}

/// Sends numbers in bodies that are refused.
fn send_in_refused_bodies(
    gateway: &Gateway,
    paid: &str,
    numbers: &[String; 8],
) -> Vec<(&'static str, String)> {
    let [
        in_customer,
        in_metadata,
        in_url,
        on_list,
        in_broken,
        in_large,
        as_text,
        mistyped,
    ] = numbers;
    let with = |name: &str, value: serde_json::Value| {
        let mut body: serde_json::Value = serde_json::from_str(&payment(paid)).expect("JSON");
        body[name] = value;
        body.to_string()
    };
    let pay = |body: &str| post(gateway, "/v1/payments", "", body);
    let endpoint = json!({"merchant_id": "m_demo", "url": format!("https://shop.example/{in_url}")});
    let item = json!({"subject": "card", "value": on_list});
    // Its last digit is not the check digit.
    let (digits, last) = mistyped.split_at(mistyped.len() - 1);
    let wrong = format!("{digits}{}", (last.parse::<u8>().expect("a digit") + 1) % 10);
    let text = "content-type: text/plain\r\n";
    vec![
        ("400", pay(&with("merchant_id", json!(paid)))),
        ("400", pay(&with("customer", json!({"id": in_customer})))),
        ("400", pay(&with("metadata", json!({"note": in_metadata})))),
        ("400", pay(&payment(in_broken).replace('}', ""))),
        ("413", pay(&payment(&format!("{in_large} ").repeat(8_000)))),
        (
            "415",
            request(gateway, "POST /v1/payments", text, &payment(as_text)),
        ),
        ("400", pay(&payment(&wrong))),
        (
            "400",
            post(gateway, "/v1/webhook-endpoints", "", &endpoint.to_string()),
        ),
        (
            "400",
            post(gateway, "/v1/lists/blocked/items", "", &item.to_string()),
        ),
    ]
}

/// Sends numbers in the line and the headers of a request.
fn send_in_heads(gateway: &Gateway, paid: &str, numbers: &[String; 5]) -> Vec<(&'static str, String)> {
    let [in_path, in_query, as_key, as_request_id, as_agent] = numbers;
    let header = |name: &str, value: &str| format!("{name}: {value}\r\n");
    let listing = format!("/v1/payments?merchant_id={in_query}&cursor={in_query}");
    let key = header("idempotency-key", as_key);
    vec![
        ("404", get(gateway, &format!("/v1/payments/{in_path}"), "")),
        ("404", get(gateway, &format!("/v1/{in_path}"), "")),
        ("400", get(gateway, &listing, "")),
        ("HTTP", post(gateway, "/v1/payments", &key, &payment(paid))),
        (
            "200",
            get(gateway, "/v1/payments", &header("x-request-id", as_request_id)),
        ),
        ("200", get(gateway, "/v1/events", &header("user-agent", as_agent))),
    ]
}

/// All that a gateway shows of itself.
fn shown(gateway: &Gateway) -> Vec<(String, Vec<u8>)> {
    let mut shown: Vec<(String, Vec<u8>)> = [
        "/metrics",
        "/v1/payments",
        "/v1/events",
        "/v1/policies",
        "/v1/risk/decisions",
    ]
    .into_iter()
    .map(|path| (path.to_owned(), gateway.get(path).text.into_bytes()))
    .collect();
    shown.push(("the log".to_owned(), gateway.log().join("\n").into_bytes()));
    shown
}

/// Every file below a folder.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(bytes) = fs::read(&path) {
            found.push((path.display().to_string(), bytes));
        }
    }
}

fn look_everywhere(database: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let (acquirer, address) = acquirer(&folder, &[]);
    let url = format!("acquirer.http.url={address}");
    let receiver = WebhookReceiver::start();
    let (_store, gateway) = approving_on(
        database,
        &[
            "acquirer.kind=http",
            &url,
            "acquirer.http.connect_timeout_ms=200",
            "acquirer.http.answer_timeout_ms=500",
            "payments.answer_ms=2000",
            "telemetry.log_filter=trace",
            // So that its memory may be looked at.
            "platform.core_dumps=true",
            "webhooks.allow_http=true",
            r#"webhooks.allowed_networks=["127.0.0.0/8"]"#,
            "webhooks.poll_interval_ms=50",
        ],
    );
    let endpoint = json!({"merchant_id": "m_demo", "url": receiver.url()});
    assert_eq!(gateway.post("/v1/webhook-endpoints", &endpoint).status, 201);
    let [paid, decided, in_pieces] = numbers(0);
    let (in_bodies, in_heads) = (numbers(3), numbers(11));
    let own = [&paid, &decided, &in_pieces];
    let all = own.into_iter().chain(&in_bodies).chain(&in_heads);
    let texts: Vec<&str> = all.map(String::as_str).chain(BY_BEHAVIOUR).collect();
    let mut answers = send_in_place(&gateway, &paid, &decided, &in_pieces);
    answers.extend(send_in_refused_bodies(&gateway, &paid, &in_bodies));
    answers.extend(send_in_heads(&gateway, &paid, &in_heads));
    for (status, answer) in answers {
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(status), "{database:?}: expected {status}: {answer}");
        assert_eq!(hits(answer.as_bytes(), &texts).next(), None, "{answer}");
    }
    eventually("the merchant to be told", || {
        (receiver.received().len() >= 3).then_some(())
    });
    let mut seen = shown(&gateway);
    assert!(
        seen.iter()
            .any(|(_, text)| hits(text, &["TRACE"]).next().is_some())
    );
    for received in receiver.received() {
        seen.push(("a webhook".to_owned(), received.body));
    }
    files(gateway.folder(), &mut seen);
    files(folder.path(), &mut seen);
    if database == Database::Postgres {
        files(portcullis_tests::database::folder_of_postgres(), &mut seen);
    }
    for (what, bytes) in &seen {
        assert_eq!(hits(bytes, &texts).next(), None, "{database:?}: {what}");
    }
    // Where one would be found if it were there.
    assert!(
        seen.iter()
            .any(|(_, bytes)| hits(bytes, &["m_demo"]).next().is_some())
    );
    assert_ne!(find(gateway.id(), &["m_demo"]), Vec::<String>::new());
    eventually("nothing of the numbers to be in the gateway's memory", || {
        find(gateway.id(), &texts).is_empty().then_some(())
    });
    drop(acquirer);
}

#[test]
fn a_card_number_is_nowhere_after_it_was_passed_on() {
    for database in Database::ALL {
        look_everywhere(database);
    }
}

#[test]
fn a_gateway_that_crashes_leaves_no_dump_of_its_memory() {
    let policies = tempfile::tempdir().expect("a folder");
    let mut gateway = Gateway::launch(Launch {
        store: format!("dir:{}", policies.path().display()),
        settings: Vec::new(),
        environment: Vec::new(),
        // Whatever this test runs under, a dump would be written.
        through: ["sh", "-c", "ulimit -c unlimited && exec \"$@\"", "sh"]
            .map(str::to_owned)
            .into(),
    });
    gateway.wait_until_ready();
    gateway.signal("ABRT");
    let ended = eventually("it to be gone", || gateway.ended());
    assert!(!ended.core_dumped(), "{ended:?}");
    // Anything else that crashes there is dumped, unless this machine forbids that.
    let other = Command::new("sh")
        .args(["-c", "ulimit -c unlimited && kill -ABRT $$"])
        .current_dir(gateway.folder())
        .status()
        .expect("a shell");
    println!("another process that crashes is dumped: {}", other.core_dumped());
}
