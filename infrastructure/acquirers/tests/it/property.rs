//! Random operations over a simulator that fails at random: nothing is charged twice, and no error says less than what happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use application::ports::{Acquirer, AcquirerAnswer, AcquirerError, FollowUpRequest, InquiryAnswer};
use domain::OperationId;
use domain::payment::{AcquirerReference, OperationKind};
use portcullis_acquirers::simulator::FaultShares;
use portcullis_acquirers::test_cards;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;
use testkit::builders::{cny, merchant_id, operation_id};

use crate::desk::{Desk, acquirer, authorize, ledger_path};

/// How often a name is inquired about at most, where the answers get lost.
const MAX_INQUIRIES: usize = 200;

#[derive(Clone, Debug)]
enum Command {
    Authorize {
        card: &'static str,
        amount: i64,
    },
    FollowUp {
        kind: OperationKind,
        on: usize,
        amount: i64,
    },
    /// Another one again, under its own name.
    Again {
        which: usize,
    },
    Inquire {
        which: usize,
    },
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let card = prop::sample::select(vec![
        test_cards::APPROVED,
        test_cards::APPROVED,
        test_cards::CARD_DECLINED,
        test_cards::NO_ANSWER,
        test_cards::CLOSED_AFTER,
        test_cards::ERROR_AFTER,
        test_cards::NOT_REACHED,
        test_cards::UNDER_WAY,
    ]);
    let kind = prop::sample::select(vec![
        OperationKind::Capture,
        OperationKind::Void,
        OperationKind::Refund,
    ]);
    let command = prop_oneof![
        3 => (card, 1_i64..200).prop_map(|(card, amount)| Command::Authorize { card, amount }),
        4 => (kind, 0_usize..64, 1_i64..200)
            .prop_map(|(kind, on, amount)| Command::FollowUp { kind, on, amount }),
        2 => (0_usize..64).prop_map(|which| Command::Again { which }),
        1 => (0_usize..64).prop_map(|which| Command::Inquire { which }),
    ];
    prop::collection::vec(command, 1..24)
}

fn faults() -> impl Strategy<Value = FaultShares> {
    (any::<u64>(), prop::array::uniform7(0.0..0.12_f64)).prop_map(
        |(
            seed,
            [
                lose_answers,
                close_before,
                close_after,
                error_before,
                error_after,
                conflict,
                busy,
            ],
        )| {
            FaultShares {
                seed,
                lose_answers,
                close_before,
                close_after,
                error_before,
                error_after,
                conflict,
                busy,
                slow: 0.0,
            }
        },
    )
}

/// What was asked under a name, and everything that was answered.
#[derive(Debug)]
struct Asked {
    command: Command,
    on: Option<AcquirerReference>,
    answers: Vec<Result<AcquirerAnswer, AcquirerError>>,
    inquiries: Vec<InquiryAnswer>,
}

struct Run {
    acquirer: Arc<dyn Acquirer>,
    asked: BTreeMap<OperationId, Asked>,
}

impl Run {
    async fn ask(&self, id: &OperationId) -> Result<AcquirerAnswer, AcquirerError> {
        let asked = &self.asked[id];
        match (&asked.command, &asked.on) {
            (Command::Authorize { card, amount }, _) => {
                authorize(&self.acquirer, id, card, cny(*amount)).await
            }
            (Command::FollowUp { kind, amount, .. }, Some(on)) => {
                self.acquirer
                    .follow_up(FollowUpRequest {
                        operation_id: id,
                        kind: *kind,
                        merchant_id: &merchant_id("m_1"),
                        authorization: on,
                        amount: cny(*amount),
                    })
                    .await
            }
            _ => unreachable!("what is kept is what was asked"),
        }
    }

    async fn inquire(&self, id: &OperationId) -> Option<InquiryAnswer> {
        self.acquirer.inquire(id, &merchant_id("m_1")).await.ok()
    }

    fn name(&self, which: usize) -> Option<OperationId> {
        self.asked.keys().nth(which % self.asked.len().max(1)).cloned()
    }

    fn reference(&self, which: usize) -> Option<AcquirerReference> {
        let references: Vec<_> = self
            .asked
            .values()
            .flat_map(|asked| &asked.answers)
            .filter_map(|answer| match answer {
                Ok(AcquirerAnswer::Approved { reference }) => Some(reference),
                _ => None,
            })
            .collect();
        references
            .get(which % references.len().max(1))
            .map(|reference| (*reference).clone())
    }

    async fn step(&mut self, number: usize, command: Command) {
        let (id, on) = match command {
            Command::Authorize { .. } => (operation_id(&format!("op_{number:02}")), None),
            Command::FollowUp { on, .. } => match self.reference(on) {
                Some(on) => (operation_id(&format!("op_{number:02}")), Some(on)),
                None => return,
            },
            Command::Again { which } => {
                let Some(id) = self.name(which) else { return };
                let answer = self.ask(&id).await;
                self.asked.get_mut(&id).unwrap().answers.push(answer);
                return;
            }
            Command::Inquire { which } => {
                let Some(id) = self.name(which) else { return };
                let told = self.inquire(&id).await;
                self.asked.get_mut(&id).unwrap().inquiries.extend(told);
                return;
            }
        };
        let asked = Asked {
            command,
            on,
            answers: Vec::new(),
            inquiries: Vec::new(),
        };
        self.asked.insert(id.clone(), asked);
        let answer = self.ask(&id).await;
        self.asked.get_mut(&id).unwrap().answers.push(answer);
    }
}

/// What the ledger says of a name: nothing, or its outcome.
fn outcome<'a>(ledger: &'a [Value], id: &OperationId) -> Option<&'a str> {
    let entry = ledger.iter().find(|entry| entry["operation_id"] == id.as_str())?;
    entry["outcome"].as_str()
}

async fn run(faults: FaultShares, commands: Vec<Command>) {
    let desk = Desk::with(|config| {
        config.faults = faults;
        config.lost_ms = 20;
    })
    .await;
    let acquirer = acquirer(&format!("http://{}", desk.address), |config| {
        config.connect_timeout_ms = 500;
        config.answer_timeout_ms = 5_000;
    });
    let mut run = Run {
        acquirer,
        asked: BTreeMap::new(),
    };
    for (number, command) in commands.into_iter().enumerate() {
        run.step(number, command).await;
        let ledger = desk.ledger().await;
        for (id, asked) in &run.asked {
            // Of the first call alone: a later one says nothing about those before it.
            if let [Err(AcquirerError::NotSent { .. })] = asked.answers[..] {
                let arrived = outcome(&ledger, id).filter(|outcome| *outcome != "closed");
                assert_eq!(arrived, None, "{id}: {asked:?}");
            }
        }
    }
    // In the end everybody who does not know inquires, and is told what is in the ledger.
    let mut told = BTreeMap::new();
    for id in run.asked.keys() {
        for _ in 0..MAX_INQUIRIES {
            if let Some(answer) = run.inquire(id).await {
                told.insert(id.clone(), answer);
                break;
            }
        }
    }
    let ledger = desk.ledger().await;
    for (id, asked) in &run.asked {
        let outcome = outcome(&ledger, id);
        let last = &told[id];
        match last {
            InquiryAnswer::Answered(AcquirerAnswer::Approved { .. }) => assert_eq!(outcome, Some("approved")),
            InquiryAnswer::Answered(AcquirerAnswer::Declined { .. }) => assert_eq!(outcome, Some("declined")),
            InquiryAnswer::NeverReceived => assert_eq!(outcome, Some("closed")),
            InquiryAnswer::UnderWay => unreachable!("the simulator decides at once"),
        }
        for answer in asked.answers.iter().flatten() {
            match last {
                InquiryAnswer::Answered(last) => assert_eq!(answer, last, "{id}"),
                _ => assert!(
                    matches!(answer, AcquirerAnswer::Declined { .. }),
                    "{id}: {asked:?}"
                ),
            }
        }
        for earlier in &asked.inquiries {
            assert_eq!(earlier, last, "{id}");
        }
    }
    assert_conserved(&ledger);
    // As the disk has it: no name is charged by two lines.
    let journal = std::fs::read_to_string(ledger_path(desk.folder.path())).unwrap();
    for id in run.asked.keys() {
        let line = format!("{{\"event\":\"operation\",\"operation_id\":\"{id}\",");
        assert!(journal.matches(&line).count() <= 1, "{id}");
    }
}

/// No more was captured and let go of than was authorized, and no more was given back than was captured.
fn assert_conserved(ledger: &[Value]) {
    let sum = |on: &str, kind: &str| -> i64 {
        ledger
            .iter()
            .filter(|entry| {
                entry["authorization"] == on && entry["kind"] == kind && entry["outcome"] == "approved"
            })
            .map(|entry| entry["amount"]["minor_units"].as_i64().unwrap())
            .sum()
    };
    for entry in ledger.iter().filter(|entry| entry["kind"] == "authorize") {
        let id = entry["operation_id"].as_str().unwrap();
        let captured = sum(id, "capture");
        assert!(captured <= entry["amount"]["minor_units"].as_i64().unwrap());
        assert!(sum(id, "refund") <= captured);
    }
}

#[test]
fn faults_and_retries_charge_nothing_twice_and_no_error_says_less_than_what_happened() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    proptest!(Config::with_cases(24), |(faults in faults(), commands in commands())| {
        runtime.block_on(run(faults, commands));
    });
}
