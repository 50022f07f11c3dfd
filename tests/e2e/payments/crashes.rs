//! A gateway is killed while money moves, again and again: what it acknowledged is there, nothing is charged twice, and every
//! operation learns its end.

mod books;

use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::{acquirer, approving_on};
use books::Books;
use portcullis_tests::{Answer, Database, Gateway, Payment, eventually};
use serde_json::{Value, json};

/// Who pays at the same time.
const PAYERS: usize = 4;

/// A request that was not answered, and has to be sent again.
#[derive(Clone, Debug)]
struct Unanswered {
    path: String,
    body: Value,
    key: String,
}

/// What payers were told, and what they still have to hear.
#[derive(Default)]
struct Told {
    answers: Mutex<Vec<(String, Value)>>,
    unanswered: Mutex<Vec<Unanswered>>,
    acknowledged: AtomicUsize,
}

impl Told {
    /// Sends a request once; says the payment where it was answered.
    fn send(&self, gateway: &Gateway, request: Unanswered) -> Option<Value> {
        let answer = gateway.try_post_once(&request.path, &request.body, &request.key);
        match answer {
            Ok(answer) if is_final(&answer) => {
                self.acknowledged.fetch_add(1, Ordering::SeqCst);
                let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
                answers.push((request.key, answer.body.clone()));
                (answer.status < 300).then_some(answer.body)
            }
            _ => {
                self.unanswered().push(request);
                None
            }
        }
    }

    /// A payment, a capture of a part of it, and a refund of a part of that.
    fn pay(&self, gateway: &Gateway, name: &str) -> Option<()> {
        let request = |path: String, body: Value, step: &str| Unanswered {
            path,
            body,
            key: format!("{name}-{step}"),
        };
        let paid = self.send(
            gateway,
            request("/v1/payments".to_owned(), Payment::ordinary().0, "pay"),
        )?;
        let path = format!("/v1/payments/{}", paid["id"].as_str()?);
        let part = |minor_units: i64| json!({"amount": {"minor_units": minor_units, "currency": "CNY"}});
        self.send(
            gateway,
            request(format!("{path}/capture"), part(10_000), "capture"),
        )?;
        self.send(gateway, request(format!("{path}/refunds"), part(6_000), "refund"))?;
        Some(())
    }

    /// Pays until the gateway is gone: then nothing is answered any more.
    fn pay_until_gone(&self, gateway: &Gateway, name: &str) {
        for number in 0.. {
            let before = self.unanswered().len();
            self.pay(gateway, &format!("{name}-{number}"));
            let address = gateway.address().trim_start_matches("http://");
            let refused = TcpStream::connect(address).is_err();
            if refused && self.unanswered().len() > before {
                return;
            }
        }
    }

    fn unanswered(&self) -> MutexGuard<'_, Vec<Unanswered>> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends again what was not answered, to the end.
    fn drive_on(&self, gateway: &Gateway) {
        eventually("every request to be answered", || {
            let waiting = std::mem::take(&mut *self.unanswered());
            for request in waiting {
                self.send(gateway, request);
            }
            self.unanswered().is_empty().then_some(())
        });
    }
}

/// Whether the request has come to its end: not while it or another is under way, or its outcome is not known.
fn is_final(answer: &Answer) -> bool {
    match answer.status {
        200 | 201 | 422 => true,
        409 => answer.body["code"] == "payment_state_conflict",
        _ => false,
    }
}

/// A generator of small numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides).unwrap_or(0)
    }
}

fn kill_and_count(database: Database, kills: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = [
        ["--seed", "7"],
        ["--lose-answers", "0.02"],
        ["--close-after", "0.03"],
        ["--error-after", "0.02"],
        ["--close-before", "0.02"],
    ];
    let (_acquirer, address) = acquirer(&folder, &faults.concat());
    let url = format!("acquirer.http.url={address}");
    let settings = [
        "acquirer.kind=http",
        &url,
        "acquirer.http.connect_timeout_ms=100",
        "acquirer.http.answer_timeout_ms=300",
        "payments.answer_ms=1000",
        "payments.inquiry_seconds=[0,1,1,1,1,1,1,1,1,1]",
        "payments.upkeep_interval_ms=50",
    ];
    let (_store, mut gateway) = approving_on(database, &settings);
    let told = Told::default();
    let mut dice = Dice(1);
    for kill in 0..kills {
        if kill.is_multiple_of(100) && kill > 0 {
            println!("{database:?}: killed {kill} times");
        }
        let enough = told.acknowledged.load(Ordering::SeqCst) + dice.throw(40);
        thread::scope(|scope| {
            for payer in 0..PAYERS {
                let (told, gateway) = (&told, &gateway);
                scope.spawn(move || told.pay_until_gone(gateway, &format!("{kill}-{payer}")));
            }
            while told.acknowledged.load(Ordering::SeqCst) < enough {
                thread::yield_now();
            }
            gateway.signal("KILL");
        });
        gateway.kill();
        gateway.start_again();
        gateway.wait_until_ready();
    }
    told.drive_on(&gateway);
    let books = Books::read(&gateway, &address);
    let answers = told.answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{database:?}: {kills} kills, {} answers, {} payments, {} operations at the acquirer",
        answers.len(),
        books.payments.len(),
        books.ledger.len()
    );
    books.check_that_they_agree();
    books.check_what_was_told(&answers);
}

#[test]
fn a_gateway_that_is_killed_ten_times_while_money_moves_loses_nothing_and_charges_nothing_twice() {
    kill_and_count(Database::Sqlite, 10);
}

#[test]
fn the_same_is_true_with_payments_in_postgres() {
    kill_and_count(Database::Postgres, 10);
}

#[test]
#[ignore = "takes some twenty minutes; run by `make money-crashes`"]
fn a_gateway_that_is_killed_a_thousand_times_while_money_moves_loses_nothing_and_charges_nothing_twice() {
    kill_and_count(Database::Sqlite, 1_000);
}

#[test]
#[ignore = "takes some twenty minutes; run by `make money-crashes`"]
fn a_gateway_on_postgres_that_is_killed_a_thousand_times_loses_nothing_and_charges_nothing_twice() {
    kill_and_count(Database::Postgres, 1_000);
}
