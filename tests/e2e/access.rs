//! Keys to the HTTP interface, and what analysts do with theirs, on each database.

use std::path::Path;
use std::process::Command;

use portcullis_tests::build::portcullis;
use portcullis_tests::policies::publish;
use portcullis_tests::{Database, Gateway, Payment, Policy, eventually};
use serde_json::{Value, json};

const ITEMS: &str = "/v1/lists/blocked/items";

/// Calls as the holder of a key, or as nobody.
struct Caller<'a> {
    gateway: &'a Gateway,
    key: String,
}

impl Caller<'_> {
    /// The status, and the body where it is JSON.
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.gateway.address()))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json");
        let body = body.map_or_else(String::new, Value::to_string);
        let mut answer = agent
            .run(request.body(body).expect("a request"))
            .expect("an answer");
        let text = answer.body_mut().read_to_string().expect("a text");
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, None)
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.call("POST", path, Some(body))
    }

    fn pays_with_email(&self, email: &str) -> Value {
        let mut payment = Payment::ordinary();
        payment.0["customer"] = json!({"email": email});
        let (status, answer) = self.post("/v1/payments", &payment.0);
        assert_eq!(status, 201, "{answer}");
        answer["status"].clone()
    }
}

/// `portcullis key …` on the gateway's database, beside the gateway.
fn key(database: &[String], gateway: &Gateway, arguments: &[&str]) -> Value {
    let file = gateway.folder().join("keys.toml");
    write_settings(&file, database);
    let mut command = Command::new(portcullis());
    command
        .arg("key")
        .args(arguments)
        .args(["--output", "json", "--config"])
        .arg(&file);
    if database.is_empty() {
        command
            .arg("--database")
            .arg(gateway.folder().join("portcullis.db"));
    }
    let output = command.output().expect("the command runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The settings as a configuration file.
fn write_settings(file: &Path, settings: &[String]) {
    let lines: Vec<String> = settings
        .iter()
        .map(|setting| {
            let (path, value) = setting.split_once('=').expect("a setting");
            format!("{path} = {value:?}")
        })
        .collect();
    std::fs::write(file, lines.join("\n")).expect("a file");
}

fn keys_and_lists_on(database: Database) {
    let store = tempfile::tempdir().expect("a folder");
    let location = format!("dir:{}", store.path().display());
    publish(&location, &[&Policy::built("list-guard")]);
    let of_database = database.settings();
    let settings: Vec<&str> = of_database
        .iter()
        .map(String::as_str)
        .chain(["http.authentication=keys", "policies.required=[\"list-guard\"]"])
        .collect();
    let gateway = Gateway::start_with(&location, &settings);
    gateway.wait_until_ready();
    let made = |arguments: &[&str]| key(&of_database, &gateway, &[&["create"], arguments].concat());
    let holder = |key: &Value| Caller {
        gateway: &gateway,
        key: key["key"].as_str().expect("a key").to_owned(),
    };
    let till = made(&["--name", "till", "--role", "merchant", "--merchant", "m_demo"]);
    let merchant = holder(&till);
    let analyst = holder(&made(&["--name", "ana", "--role", "analyst"]));
    let nobody = Caller {
        gateway: &gateway,
        key: "pck_none".to_owned(),
    };

    assert_eq!(nobody.post("/v1/payments", &Payment::ordinary().0).0, 401);
    // A gateway takes keys over within a second or so.
    eventually("the keys to be taken over", || {
        (analyst.get("/v1/payments").0 == 200 && merchant.get("/v1/payments").0 == 200).then_some(())
    });
    assert_eq!(merchant.pays_with_email("mallory@example.com"), "authorized");

    let item = json!({"subject": "email", "value": "Mallory@Example.com", "note": "chargebacks"});
    assert_eq!(merchant.post(ITEMS, &item).0, 403);
    let (status, added) = analyst.post(ITEMS, &item);
    assert_eq!((status, &added["added_by"]), (200, &json!("ana")), "{added}");
    assert_eq!(
        merchant.pays_with_email("mallory@example.com"),
        "declined",
        "{database:?}"
    );
    assert_eq!(analyst.get(ITEMS).1["data"][0]["value"], "mallory@example.com");
    let removal = format!("{ITEMS}?subject=email&value=mallory@example.com");
    assert_eq!(analyst.call("DELETE", &removal, None).0, 204);
    assert_eq!(merchant.pays_with_email("mallory@example.com"), "authorized");

    let (status, decided) = merchant.post("/v1/risk/decisions", &Payment::ordinary().for_decision());
    assert_eq!(status, 200, "{decided}");
    let id = decided["risk"]["decision_id"].as_str().expect("an id");
    let (status, recorded) = analyst.get(&format!("/v1/risk/decisions/{id}"));
    assert_eq!(
        (status, &recorded["risk"]),
        (200, &decided["risk"]),
        "{database:?}: {recorded}"
    );

    key(
        &of_database,
        &gateway,
        &["revoke", till["id"].as_str().expect("a name")],
    );
    eventually("the key to be good for nothing", || {
        (merchant.get("/v1/payments").0 == 401).then_some(())
    });
    assert_eq!(analyst.get("/v1/payments").0, 200);
}

#[test]
fn keys_and_lists_do_what_they_are_for_on_each_database() {
    for database in Database::ALL {
        keys_and_lists_on(database);
    }
}
