//! Money, with the real binary: the life of a payment, requests that come twice, crashes, and who is told.

mod card_data;
mod crashes;
mod lifecycle;
mod webhooks;

use std::process::Command;

use portcullis_tests::build::portcullis;
use portcullis_tests::process::Process;
use portcullis_tests::{Database, Gateway, eventually};
use tempfile::TempDir;

/// A gateway without any policy, which approves everything.
fn approving(settings: &[&str]) -> (TempDir, Gateway) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = format!("dir:{}", folder.path().display());
    let gateway = Gateway::start_with(&store, settings);
    gateway.wait_until_ready();
    (folder, gateway)
}

/// The same, with its payments in this database.
pub(crate) fn approving_on(database: Database, settings: &[&str]) -> (TempDir, Gateway) {
    let of_database = database.settings();
    let all: Vec<&str> = of_database
        .iter()
        .map(String::as_str)
        .chain(settings.iter().copied())
        .collect();
    approving(&all)
}

/// The simulator as a process of its own, with a ledger in this folder and with these faults; says its address.
fn acquirer(folder: &TempDir, faults: &[&str]) -> (Process, String) {
    let mut command = Command::new(portcullis());
    command
        .args(["acquirer-simulator", "--listen", "127.0.0.1:0"])
        .args(faults)
        .arg("--ledger")
        .arg(folder.path().join("ledger"));
    let process = Process::start(command);
    let address = eventually("the simulator to listen", || {
        let lines = process.lines();
        let mut addresses = lines.iter().filter_map(|line| line.strip_prefix("listening on "));
        addresses.next().map(str::to_owned)
    });
    (process, address)
}
