//! What an operator does to an etcd: `etcdctl`, and its shorthands.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::PoisonError;

use super::{Etcd, Issued};

/// The user that is allowed everything, and its password.
const ROOT: &str = "root:pw";

impl Etcd {
    /// `etcdctl` for this server, as somebody who is allowed everything.
    #[must_use]
    pub fn etcdctl(&self) -> Command {
        let mut command = Command::new("etcdctl");
        command
            .env("ETCDCTL_API", "3")
            .args(["--endpoints", &self.client_url(), "--command-timeout", "2s"])
            .stdin(Stdio::null());
        if let Some(authority) = &self.setup.authority {
            let root = authority.issue("root");
            // Whether it shows a good certificate is for those under test to find.
            command.arg("--insecure-skip-tls-verify");
            command.arg("--cert").arg(&root.certificate);
            command.arg("--key").arg(&root.key);
        }
        if let Some(root) = &*self.root.lock().unwrap_or_else(PoisonError::into_inner) {
            command.args(["--user", root]);
        }
        command
    }

    /// Runs etcdctl, whatever comes of it.
    #[must_use]
    pub fn try_ctl(&self, arguments: &[&str]) -> Output {
        self.etcdctl().args(arguments).output().unwrap()
    }

    /// Runs etcdctl and gives its output.
    ///
    /// # Panics
    /// When it fails.
    pub fn ctl(&self, arguments: &[&str]) -> String {
        let output = self.try_ctl(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "etcdctl {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// `etcdctl put key < value`.
    ///
    /// # Panics
    /// When it fails.
    pub fn put(&self, key: &str, value: &[u8]) {
        if value.is_empty() {
            // From an empty input etcdctl takes no value at all.
            self.ctl(&["put", key, ""]);
            return;
        }
        let mut child = self
            .etcdctl()
            .args(["put", key])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(value).unwrap();
        assert!(child.wait().unwrap().success(), "etcdctl put {key}");
    }

    /// Makes the user that is allowed everything, and switches users on: `etcdctl` is that one from now on.
    pub fn enable_users(&self) {
        for command in [
            "user add root:pw",
            "role add root",
            "user grant-role root root",
            "auth enable",
        ] {
            self.ctl_line(command);
        }
        self.is_used_as_root();
    }

    /// Users were switched on by somebody else, who gave the one that is allowed everything the password `pw`.
    pub fn is_used_as_root(&self) {
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = Some(ROOT.to_owned());
    }

    /// The same as [`Etcd::ctl`] for a line of words without spaces in them.
    pub fn ctl_line(&self, line: &str) -> String {
        self.ctl(&line.split(' ').collect::<Vec<_>>())
    }

    /// How `etcdctl` finds this server and shows a certificate, as variables for a script.
    #[must_use]
    pub fn variables(&self, shown: Option<&Issued>) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("ETCDCTL_API", "3".to_owned()),
            ("ETCDCTL_ENDPOINTS", self.client_url()),
        ];
        let text = |file: &Path| file.display().to_string();
        if let (Some(authority), Some(shown)) = (&self.setup.authority, shown) {
            variables.push(("ETCDCTL_CACERT", text(&authority.certificate())));
            variables.push(("ETCDCTL_CERT", text(&shown.certificate)));
            variables.push(("ETCDCTL_KEY", text(&shown.key)));
        }
        variables
    }

    /// The revision that it is at.
    #[must_use]
    pub fn revision(&self) -> u64 {
        let revision = &self.status()["header"]["revision"];
        revision.as_u64().expect("a revision")
    }

    /// Forgets every revision before the present one.
    pub fn compact(&self) {
        self.ctl(&["compact", &self.revision().to_string()]);
    }

    /// Whether it leads its cluster.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        let status = self.status();
        status["leader"] == status["header"]["member_id"]
    }

    /// What it says of itself.
    fn status(&self) -> serde_json::Value {
        let status = self.ctl(&["endpoint", "status", "--write-out", "json"]);
        let mut status: serde_json::Value = serde_json::from_str(&status).unwrap();
        status[0]["Status"].take()
    }

    /// Saves all that it holds.
    pub fn save(&self, snapshot: &Path) {
        self.ctl(&["snapshot", "save", snapshot.to_str().unwrap()]);
    }

    /// Puts what was saved in the place of its data; it is not running then.
    ///
    /// # Panics
    /// When the snapshot is none.
    pub fn restore(&self, snapshot: &Path) {
        self.wipe();
        let restored = Command::new("etcdctl")
            .env("ETCDCTL_API", "3")
            .args(["snapshot", "restore"])
            .arg(snapshot)
            .args(["--name", &self.name, "--initial-cluster", &self.members])
            .args(["--initial-advertise-peer-urls", &self.peer_url()])
            .arg("--data-dir")
            .arg(self.data())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&restored.stderr);
        assert!(restored.status.success(), "etcdctl snapshot restore: {errors}");
    }
}
