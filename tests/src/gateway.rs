//! The gateway under test: the real binary, on a free port, with its data in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::launch::{Launch, STATE};
use crate::process::Process;
use crate::wait::eventually;

/// After so long a gateway is not going to be ready.
const LONGEST_START: Duration = Duration::from_secs(120);

/// How often it is asked whether it is ready, where it is measured how soon it is.
const GLANCE: Duration = Duration::from_millis(1);

/// A running gateway.
pub struct Gateway {
    process: Process,
    address: String,
    agent: ureq::Agent,
    folder: TempDir,
    launch: Launch,
}

/// What it answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `content-type`.
    pub content_type: String,
    /// The body, where it is JSON.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

/// A payment to ask for.
#[derive(Clone, Debug)]
pub struct Payment(pub Value);

impl Payment {
    /// CNY 129.00 with the card that is approved.
    #[must_use]
    pub fn ordinary() -> Self {
        Self(json!({
            "merchant_id": "m_demo",
            "amount": {"minor_units": 12_900, "currency": "CNY"},
            "card": {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2030},
        }))
    }

    /// Of another amount.
    #[must_use]
    pub fn of(minor_units: i64, currency: &str) -> Self {
        let mut payment = Self::ordinary();
        payment.0["amount"] = json!({"minor_units": minor_units, "currency": currency});
        payment
    }

    /// The same for a bare decision, which knows no expiry.
    #[must_use]
    pub fn for_decision(mut self) -> Value {
        self.0["card"] = json!({"number": self.0["card"]["number"]});
        self.0
    }

    /// With another card.
    #[must_use]
    pub fn with_card(mut self, number: &str) -> Self {
        self.0["card"]["number"] = json!(number);
        self
    }
}

impl Gateway {
    /// Starts a gateway that follows this store, and waits until it is ready.
    #[must_use]
    pub fn start(store: &str) -> Self {
        let gateway = Self::start_with(store, &[]);
        gateway.wait_until_ready();
        gateway
    }

    /// Starts a gateway with further settings, and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn start_with(store: &str, settings: &[&str]) -> Self {
        Self::start_in(store, settings, &[])
    }

    /// Starts a gateway with further settings and variables of its environment, and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn start_in(store: &str, settings: &[&str], environment: &[(&str, &str)]) -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let environment = environment.iter();
        Self::launch(Launch {
            store: store.to_owned(),
            settings: texts(settings),
            environment: environment
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            through: Vec::new(),
        })
    }

    /// Starts a gateway in a folder of its own, and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn launch(launch: Launch) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut process = launch.start_in(folder.path());
        let address = address(&mut process);
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .new_agent();
        Self {
            process,
            address,
            agent,
            folder,
            launch,
        }
    }

    /// Starts it again in its folder, after it has ended, and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    pub fn start_again(&mut self) {
        self.process = self.launch.start_in(self.folder.path());
        self.address = address(&mut self.process);
    }

    /// The same with another store.
    pub fn start_again_on(&mut self, store: &str) {
        store.clone_into(&mut self.launch.store);
        self.start_again();
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after it has ended, on another store where one is named, and says how long it took from then to the first
    /// answer that it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn time_to_ready_on(&mut self, store: Option<&str>) -> Duration {
        if let Some(store) = store {
            store.clone_into(&mut self.launch.store);
        }
        let started = Instant::now();
        self.process = self.launch.start_in(self.folder.path());
        // A short pause between two looks: without any they would take a core from what is measured.
        while started.elapsed() < LONGEST_START {
            if let Some(address) = self.process.lines().iter().find_map(|line| listening(line)) {
                self.address = address;
                if self.get("/readyz").status == 200 {
                    return started.elapsed();
                }
            }
            std::thread::sleep(GLANCE);
        }
        panic!(
            "the gateway was not ready in time:\n{}",
            self.process.lines().join("\n")
        );
    }

    /// The folder of the state that it keeps.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.path().join(STATE)
    }

    /// The value of a metric without labels, or with these as they are written.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<u64> {
        let text = self.get("/metrics").text;
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Waits until it takes payments.
    pub fn wait_until_ready(&self) {
        eventually("the gateway to be ready", || {
            (self.get("/readyz").status == 200).then_some(())
        });
    }

    /// `http://127.0.0.1:port`
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its folder, with its database.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.process.lines()
    }

    /// Reads a path.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        answer(self.agent.get(format!("{}{path}", self.address)).call())
    }

    /// Sends a body of JSON.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, &body.to_string())
    }

    /// Sends a body as it is.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn post_text(&self, path: &str, body: &str) -> Answer {
        let request = self
            .agent
            .post(format!("{}{path}", self.address))
            .header("content-type", "application/json");
        answer(request.send(body))
    }

    /// Asks for a payment.
    #[must_use]
    pub fn pay(&self, payment: &Payment) -> Answer {
        self.post("/v1/payments", &payment.0)
    }

    /// Asks for a payment under an idempotency key.
    #[must_use]
    pub fn pay_once(&self, payment: &Payment, key: &str) -> Answer {
        self.post_once("/v1/payments", &payment.0, key)
    }

    /// Sends a body of JSON under an idempotency key.
    #[must_use]
    pub fn post_once(&self, path: &str, body: &Value, key: &str) -> Answer {
        self.try_post_once(path, body, key).expect("the gateway answers")
    }

    /// The same to a gateway that may end meanwhile.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn try_post_once(&self, path: &str, body: &Value, key: &str) -> Result<Answer, ureq::Error> {
        let request = self
            .agent
            .post(format!("{}{path}", self.address))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        try_answer(request.send(body.to_string()))
    }

    /// Waits until it follows its policy store, or until it has noticed that it cannot.
    pub fn wait_until_following(&self, follows: bool) {
        let line = format!("portcullis_policy_store_connected {}", u8::from(follows));
        eventually(&line, || self.get("/metrics").text.contains(&line).then_some(()));
    }

    /// How a policy stands.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<Value> {
        let listed = self.get("/v1/policies").body;
        listed["policies"]
            .as_array()?
            .iter()
            .find(|policy| policy["name"] == name)
            .cloned()
    }

    /// Waits until a policy decides under this sequence.
    pub fn wait_for(&self, name: &str, sequence: u64) {
        let what = format!("{name} to be in force at sequence {sequence}");
        let mut last = None;
        eventually(&what, || {
            let policy = self.policy(name)?;
            // Told where it never comes.
            if last.as_ref() != Some(&policy["refused"]) && !policy["refused"].is_null() {
                eprintln!("{name}: {}", policy["refused"]);
                last = Some(policy["refused"].clone());
            }
            (policy["in_force"]["sequence"] == sequence).then_some(())
        });
    }

    /// Waits until a policy's newest document was refused under this code; says the message.
    #[must_use]
    pub fn wait_for_refusal(&self, name: &str, code: &str) -> String {
        self.wait_for_refusal_saying(name, code, "")
    }

    /// The same, of a document whose refusal says this; tells two refusals under one code apart.
    #[must_use]
    pub fn wait_for_refusal_saying(&self, name: &str, code: &str, needle: &str) -> String {
        let what = format!("{name} to be refused as {code}, saying `{needle}`");
        eventually(&what, || {
            let policy = self.policy(name)?;
            let message = policy["refused"]["message"].as_str()?;
            (policy["refused"]["code"] == code && message.contains(needle)).then(|| message.to_owned())
        })
    }

    /// Asks it to end, and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        self.process.terminate()
    }

    /// Sends it a signal by name.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }
}

/// Waits until it says where it listens.
fn address(process: &mut Process) -> String {
    eventually("the gateway to listen", || {
        assert!(
            process.ended().is_none(),
            "the gateway ended:\n{}",
            process.lines().join("\n")
        );
        process.lines().iter().find_map(|line| listening(line))
    })
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    try_answer(result).expect("the gateway answers")
}

fn try_answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, ureq::Error> {
    let mut response = result?;
    let content_type = response
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string()?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer {
        status,
        content_type,
        body,
        text,
    })
}

/// The address in the line that says that the gateway is up.
fn listening(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["message"] == "portcullis is up")
        .then(|| format!("http://{}", line["http.listen"].as_str().unwrap_or("")))
}
