//! Money, with the real binary: the life of a payment, requests that come twice, and crashes.

mod lifecycle;

use portcullis_tests::Gateway;
use tempfile::TempDir;

/// A gateway without any policy, which approves everything.
fn approving(settings: &[&str]) -> (TempDir, Gateway) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = format!("dir:{}", folder.path().display());
    let gateway = Gateway::start_with(&store, settings);
    gateway.wait_until_ready();
    (folder, gateway)
}
