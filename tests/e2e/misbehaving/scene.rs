//! A gateway that takes one misbehaving guest after the other beside a good policy, and what must hold throughout.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use portcullis_tests::policies::publish;
use portcullis_tests::raw::{document, envelope};
use portcullis_tests::{Answer, Etcd, Gateway, Payment, Policy, eventually, guests};
use serde_json::{Value, json};

use super::row::{Expected, Row};
use super::vitals::{self, Vitals};

/// Payments that each guest is asked about, at the least.
const PAYMENTS: usize = 3;

/// Payments that it is asked about at the most, to see others served beside it. An idle machine takes the first of them; a busy
/// one, on which each of the others takes as long as the guest may, some more.
const MAX_PAYMENTS: usize = 200;

/// Other payments that are to be decided about while one of a guest that takes its whole deadline is under way. A gateway that lets
/// it hold its workers decides about one or two.
const SEVERAL: usize = 4;

/// How long a payment that no guest is asked about may take meanwhile. An idle machine takes some 5 ms; a busy one that also
/// compiles may take a hundred times that, and a gateway that a guest holds up would take for ever.
const IN_TIME: Duration = Duration::from_secs(5);

/// What the gateway may hold more than before the first guest. The pool keeps some warm slots (256 KiB each), the allocator what
/// loading touched: some 20 MiB after all of them. A guest's 256 MiB that stayed, or the fifty megabytes of an artifact, would
/// show.
const RESIDENT_TOLERANCE_BYTES: u64 = 40 << 20;

/// Threads that the runtime may start for blocking calls, and ends when they are idle.
const THREADS_TOLERANCE: usize = 8;

/// The good policy.
const GOOD: &str = "amount-ceiling";

/// With time for a machine that is busy with other things: what is seen is what the guests do to it.
const PATIENT: &str = "deadline_ms = 1000";

/// A running gateway with the good policy in force.
pub(super) struct Scene {
    etcd: Etcd,
    gateway: RefCell<Gateway>,
    worker_threads: u8,
    before: Vitals,
}

impl Scene {
    /// Starts it with so many worker threads.
    pub(super) fn start(worker_threads: u8, settings: &[&str]) -> Self {
        let etcd = Etcd::start();
        publish(
            &etcd.location(),
            &[&Policy::built(GOOD).with("deadline_ms = 5", PATIENT)],
        );
        let workers = worker_threads.to_string();
        // Some guests are asked about more payments than a quarantine would let them be.
        let settings = [&["policies.quarantine.enabled=false"], settings].concat();
        let gateway = Gateway::start_in(&etcd.location(), &settings, &[("TOKIO_WORKER_THREADS", &workers)]);
        gateway.wait_until_ready();
        gateway.wait_for(GOOD, 1);
        for _ in 0..20 {
            assert_eq!(gateway.pay(&Payment::ordinary()).status, 201);
        }
        assert_eq!(
            vitals::worker_threads(&gateway.log()),
            Some(u64::from(worker_threads))
        );
        let before = Vitals::of(gateway.id());
        Self {
            etcd,
            gateway: RefCell::new(gateway),
            worker_threads,
            before,
        }
    }

    /// The gateway.
    pub(super) fn gateway(&self) -> std::cell::Ref<'_, Gateway> {
        self.gateway.borrow()
    }

    /// The store.
    pub(super) fn etcd(&self) -> &Etcd {
        &self.etcd
    }

    /// Publishes a guest, lets it have its payments or its refusal, retires it, and sees that all is as before.
    pub(super) fn play(&self, row: &Row) {
        let began = Instant::now();
        let bytes = row.bytes();
        let names = self.publish(row, &bytes);
        match row.expected {
            Expected::Refused(code, saying) => {
                let refused = eventually(&format!("{} to be refused", row.name), || {
                    let refused = self.gateway().policy(row.name)?["refused"].clone();
                    refused.is_object().then_some(refused)
                });
                assert_eq!(refused["code"], code, "{}: {refused}", row.name);
                let message = refused["message"].as_str().expect("a message");
                assert!(
                    message.contains(saying),
                    "{} was to say `{saying}`: {message}",
                    row.name
                );
                self.serves_others(row);
            }
            Expected::Fault(..) | Expected::Answer(..) => {
                for name in &names {
                    self.wait_in_force(name);
                }
                let answers = self.pay(row);
                for answer in &answers {
                    self.check(row, answer);
                }
                if let Some(also) = row.also {
                    also(self, &answers);
                }
            }
        }
        for name in &names {
            self.etcd.retire(name, 2);
            eventually(&format!("{name} to be retired"), || {
                (self.gateway().policy(name)?["state"] == "retired").then_some(())
            });
        }
        self.is_well(row.name);
        println!("{:<44} {:>6} ms", row.name, began.elapsed().as_millis());
    }

    /// Waits until a guest decides, or says why it never will.
    fn wait_in_force(&self, name: &str) {
        eventually(&format!("{name} to be in force"), || {
            let policy = self.gateway().policy(name)?;
            assert!(!policy["refused"].is_object(), "{name}: {}", policy["refused"]);
            (policy["in_force"]["sequence"] == 1).then_some(())
        });
    }

    /// Puts its artifact and document by hand, past every check of `portcullis policy push`. Says the names it is known by.
    fn publish(&self, row: &Row, bytes: &[u8]) -> Vec<String> {
        let policy = Policy::of(bytes, "");
        let mut document = document(row.name, 1, &policy);
        let digest = document["artifact"]["digest"]
            .as_str()
            .expect("a digest")
            .to_owned();
        self.etcd.put_chunks(&digest, bytes);
        document["contract"] = json!(guests::contract_of(bytes));
        document["limits"] = row.limits();
        document["scope"] = json!({"merchants": [row.merchant()]});
        document["grants"] = json!(["card", "customer", "device", "metadata"]);
        let mut names = vec![row.name.to_owned()];
        if row.twice {
            names.push(format!("{}-again", row.name));
        }
        for name in &names {
            document["name"] = json!(name);
            let key = format!("/portcullis/v1/policies/{name}");
            self.etcd.put(&key, envelope(&document).to_string().as_bytes());
        }
        names
    }

    /// Pays within the guest's scope, and meanwhile outside of it: of a guest that would hold every worker, until several are
    /// decided about beside it. On a busy machine that takes more than one attempt; where a worker is held, no attempt does it.
    /// These are bare decisions, since each payment waits twice for the disk: a busy one takes longer than the guest may.
    fn pay(&self, row: &Row) -> Vec<Answer> {
        let gateway = &*self.gateway();
        let hostile = self.payment(row);
        let wanted = if row.takes_its_deadline { SEVERAL } else { 0 };
        let at_once = if row.takes_its_deadline && !row.has_one_place {
            usize::from(self.worker_threads)
        } else {
            1
        };
        let mut answers = Vec::new();
        let mut most = 0;
        let mut asked = 0;
        let mut last = Value::Null;
        while answers.len() < PAYMENTS || most < wanted || self.is_unsaid(row) {
            assert!(
                asked < MAX_PAYMENTS,
                "beside {} no more than {most} others were decided about; {} ended as they should, of {asked}, the last as {last}: {}",
                row.name,
                answers.len(),
                self.log_of(row.name)
            );
            let beside = gateway.pay_beside(&hostile, at_once, || {
                if row.takes_its_deadline {
                    decided(gateway, row.name);
                } else {
                    served(gateway, row.name);
                }
            });
            most = most.max(beside.served);
            asked += at_once;
            if let Some(answer) = beside.slow.last() {
                last = evaluation(answer, row.name).clone();
            }
            let in_time = beside
                .slow
                .into_iter()
                .filter(|answer| !row.takes_its_deadline || !was_short_of_machine(answer, row.name));
            answers.extend(in_time);
        }
        answers
    }

    /// Whether the log has yet to say how a guest met its deadline: it is told of one fault a second.
    fn is_unsaid(&self, row: &Row) -> bool {
        match row.expected {
            Expected::Fault(_, saying) if row.takes_its_deadline => !self.log_of(row.name).contains(saying),
            _ => false,
        }
    }

    /// A payment in the scope of the guest, with everything that a guest could tell on.
    fn payment(&self, row: &Row) -> Payment {
        let mut payment = Payment::ordinary();
        payment.0["merchant_id"] = json!(row.merchant());
        payment.0["customer"] = json!({"id": CUSTOMER, "email": EMAIL});
        payment.0["device"] = json!({"id": DEVICE, "ip": ADDRESS});
        payment.0["metadata"] = json!({"note": NOTE});
        payment
    }

    /// What came of one payment.
    fn check(&self, row: &Row, answer: &Answer) {
        let name = row.name;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text);
        let evaluation = evaluation(answer, name);
        assert_eq!(
            evaluation_of_good(answer),
            "approve",
            "{name}: the other policy is not touched"
        );
        let reasons = answer.body["risk"]["reasons"].as_array().expect("reasons");
        let mut codes = reasons
            .iter()
            .filter(|reason| reason["policy"] == name)
            .map(|reason| &reason["code"]);
        match row.expected {
            Expected::Fault(kind, saying) => {
                assert_eq!(evaluation["fault"]["kind"], kind, "{name}: {}", self.log_of(name));
                assert!(
                    codes.any(|code| *code == format!("fault.{kind}")),
                    "{}",
                    answer.text
                );
                assert_eq!(
                    answer.body["status"], "in_review",
                    "{name}: the failure mode decides"
                );
                let log = eventually(&format!("the fault of {name} to be logged"), || {
                    let log = self.log_of(name);
                    log.contains("its failure mode decides").then_some(log)
                });
                assert!(log.contains(saying), "{name} was to say `{saying}`:\n{log}");
            }
            Expected::Answer(outcome, code) => {
                assert_eq!(evaluation["outcome"], outcome, "{name}: {}", answer.text);
                assert_eq!(evaluation["fault"], Value::Null, "{name}: {}", self.log_of(name));
                assert!(
                    code.is_none_or(|code| codes.any(|found| found == code)),
                    "{name}: {}",
                    answer.text
                );
            }
            Expected::Refused(..) => panic!("{name}: a guest that is refused has no payments"),
        }
    }

    /// The lines of the log that name a policy.
    pub(super) fn log_of(&self, name: &str) -> String {
        let lines = self.gateway().log();
        let of_it = lines
            .into_iter()
            .filter(|line| serde_json::from_str::<Value>(line).is_ok_and(|line| line["policy.name"] == name));
        of_it.collect::<Vec<_>>().join("\n")
    }

    fn serves_others(&self, row: &Row) {
        served(&self.gateway(), row.name);
    }

    /// The process lives, serves, and holds no more than it did.
    fn is_well(&self, name: &str) {
        let ended = self.gateway.borrow_mut().ended();
        assert!(ended.is_none(), "{name}: the gateway ended: {ended:?}");
        let gateway = self.gateway();
        assert_eq!(gateway.get("/healthz").status, 200, "{name}");
        served(&gateway, name);
        let mut last = self.before;
        eventually(&format!("{name} to leave nothing behind"), || {
            last = Vitals::of(gateway.id());
            let well = last.resident_bytes <= self.before.resident_bytes + RESIDENT_TOLERANCE_BYTES
                && last.threads <= self.before.threads + THREADS_TOLERANCE
                && last.children <= self.before.children;
            well.then_some(())
        });
    }

    /// Sees that all of it was one process, and that it ends as it should.
    pub(super) fn end(self) {
        let mut gateway = self.gateway.into_inner();
        let after = Vitals::of(gateway.id());
        println!("before: {:?}\nafter:  {after:?}", self.before);
        assert!(gateway.terminate().success(), "{}", gateway.log().join("\n"));
    }
}

/// The payer's address, in every payment that a guest sees.
pub(super) const EMAIL: &str = "payer-7f3a@secret.example";

/// What the merchant calls the payer, likewise.
pub(super) const CUSTOMER: &str = "cus_1";

/// Where the payer's device is, likewise.
pub(super) const ADDRESS: &str = "203.0.113.77";

/// The payer's device, likewise.
pub(super) const DEVICE: &str = "device-5b1c-secret";

/// A note of the merchant's, likewise.
pub(super) const NOTE: &str = "note-91d2-secret";

/// A payment that no guest is asked about is served, and soon.
fn served(gateway: &Gateway, meanwhile: &str) {
    let answer = in_time(meanwhile, || gateway.pay(&Payment::ordinary()));
    assert_eq!(
        (answer.status, &answer.body["status"]),
        (201, &"authorized".into()),
        "beside {meanwhile}: {}",
        answer.text
    );
}

/// The same, where nothing but the decision is asked for.
fn decided(gateway: &Gateway, meanwhile: &str) {
    let payment = Payment::ordinary().for_decision();
    let answer = in_time(meanwhile, || gateway.post("/v1/risk/decisions", &payment));
    assert_eq!(
        (answer.status, &answer.body["risk"]["outcome"]),
        (200, &"approve".into()),
        "beside {meanwhile}: {}",
        answer.text
    );
}

fn in_time(meanwhile: &str, ask: impl FnOnce() -> Answer) -> Answer {
    let asked = Instant::now();
    let answer = ask();
    let took = asked.elapsed();
    assert!(took < IN_TIME, "beside {meanwhile} an answer took {took:?}");
    answer
}

/// Whether a busy machine had something else come before the deadline: the fuel's end, where the clock of deadlines has less of
/// the processor than the guest, or no place on the lane, where others like it take longer than they should.
fn was_short_of_machine(answer: &Answer, name: &str) -> bool {
    let kind = &evaluation(answer, name)["fault"]["kind"];
    kind == "out_of_fuel" || kind == "unavailable"
}

/// What one policy said of a payment.
pub(super) fn evaluation<'a>(answer: &'a Answer, name: &str) -> &'a Value {
    let policies = answer.body["risk"]["policies"].as_array();
    policies
        .and_then(|policies| policies.iter().find(|policy| policy["name"] == name))
        .unwrap_or_else(|| panic!("{name} did not run: {}", answer.text))
}

fn evaluation_of_good(answer: &Answer) -> &str {
    evaluation(answer, GOOD)["outcome"].as_str().expect("an outcome")
}
