//! A process that is killed in the middle of its work: every payment that it was told is stored is there afterwards.
//!
//! The kernel keeps what a killed process has written, so this shows that nobody is told too early and that the log is
//! taken up again; that a commit also waits for the disk is `synchronous = FULL`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use application::ports::PaymentRepository;
use domain::payment::{AcquirerReference, OperationResult, PaymentStatus};
use testkit::builders::{after, operation_id, payment, payment_id};

use crate::{config, open};

/// The child works only where this file lies, so that it does nothing when somebody runs the ignored tests.
const MARKER: &str = "durability-child";

/// After so many acknowledged payments the child is killed.
const ENOUGH: usize = 300;

/// More than the child gets round to.
const PAYMENTS_PER_TASK: usize = 100_000;

#[test]
fn every_acknowledged_payment_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(MARKER), "").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "durability::child_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged: Vec<String> = Vec::new();
    while acknowledged.len() < ENOUGH {
        let line = lines.next().unwrap().unwrap();
        acknowledged.extend(name(&line));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had said before it died.
    acknowledged.extend(lines.map_while(Result::ok).filter_map(|line| name(&line)));

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let repository = open(&config(folder.path()));
        for id in &acknowledged {
            let found = repository.find(&payment_id(id)).await.unwrap().unwrap();
            assert_eq!(found.status(), PaymentStatus::Authorized, "{id}");
            assert_eq!(found.record().version, 2, "{id}");
        }
        repository.check().await.unwrap();
        repository.close().await.unwrap();
    });
}

/// The name in a whole line of the child.
fn name(line: &str) -> Option<String> {
    let name = line.split_once("stored <")?.1.split_once('>')?.0;
    Some(name.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs in a process of its own, which the test above kills"]
async fn child_that_is_killed() {
    if !Path::new(MARKER).exists() {
        return;
    }
    let repository = Arc::new(open(&config(Path::new("."))));
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let repository = Arc::clone(&repository);
            tokio::spawn(async move {
                for number in 0..PAYMENTS_PER_TASK {
                    let operation = format!("op_{task}_{number}");
                    let mut payment = payment().id(&format!("pay_{task}_{number}")).sent(&operation);
                    repository.save(&mut payment).await.unwrap();
                    let reference = AcquirerReference::parse("ref_1").unwrap();
                    payment
                        .finish_operation(
                            &operation_id(&operation),
                            OperationResult::Succeeded(reference),
                            after(1),
                        )
                        .unwrap();
                    repository.save(&mut payment).await.unwrap();
                    println!("stored <{}>", payment.id());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
