//! A real etcd for the tests: on free ports of the loopback, with a folder of its own, killed when it is dropped.

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::fixtures::PATIENCE;

/// How often a start is tried: a free port may be taken by somebody else before etcd has it.
const STARTS: u32 = 3;

/// A running etcd.
pub(crate) struct Etcd {
    child: Mutex<Child>,
    folder: TempDir,
    client_port: u16,
    peer_port: u16,
    extra: Vec<String>,
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether the tests may use etcd here. Says so when they are skipped, past the capture of the test runner.
#[expect(
    clippy::disallowed_methods,
    reason = "the switch of the test suite, see `make test`"
)]
pub(crate) fn is_here() -> bool {
    let version = |tool: &str, argument: &str| {
        let command = Command::new(tool)
            .arg(argument)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        command.is_ok_and(|status| status.success())
    };
    if version("etcd", "--version") && version("etcdctl", "version") {
        return true;
    }
    let required = std::env::var_os("REQUIRE_BACKENDS").is_some_and(|value| value == "1");
    assert!(
        !required,
        "etcd and etcdctl are not on PATH, and REQUIRE_BACKENDS=1"
    );
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let message = format!("SKIPPED {test}: etcd and etcdctl are not on PATH\n");
    std::io::stderr().write_all(message.as_bytes()).unwrap();
    false
}

/// The etcd that tests share which leave it as it is. It runs as long as one of them does.
pub(crate) fn shared() -> Arc<Etcd> {
    static SHARED: Mutex<Weak<Etcd>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let etcd = Arc::new(Etcd::start(&[]));
        *shared = Arc::downgrade(&etcd);
        etcd
    })
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl Etcd {
    /// Starts one and waits until it answers.
    pub(crate) fn start(extra: &[&str]) -> Self {
        let extra: Vec<String> = extra.iter().map(|&argument| argument.to_owned()).collect();
        for _ in 0..STARTS {
            let folder = TempDir::new().unwrap();
            let (client_port, peer_port) = (free_port(), free_port());
            let child = spawn(&folder, client_port, peer_port, &extra);
            let etcd = Self {
                child: Mutex::new(child),
                folder,
                client_port,
                peer_port,
                extra: extra.clone(),
            };
            if etcd.answers() {
                return etcd;
            }
        }
        panic!("etcd did not start");
    }

    /// `host:port`.
    pub(crate) fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.client_port)
    }

    /// Waits until it answers; false when it ended instead.
    fn answers(&self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.try_ctl(&["endpoint", "health"]).status.success() {
                return true;
            }
            if self.child.lock().unwrap().try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// SIGKILL: no chance to put anything in order.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        drop(child.kill());
        drop(child.wait());
    }

    /// Starts it again on the same ports and the same data.
    pub(crate) fn start_again(&self) {
        let child = spawn(&self.folder, self.client_port, self.peer_port, &self.extra);
        *self.child.lock().unwrap() = child;
        assert!(self.answers(), "etcd did not start again");
    }

    /// Stops it without closing anything, or lets it go on.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.lock().unwrap().id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Stops it without closing anything, and waits until all of its threads have stopped: the signal alone lets them finish what
    /// they are at.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
        let id = self.child.lock().unwrap().id();
        let has_stopped = |stat: String| {
            stat.rsplit(')')
                .next()
                .is_some_and(|rest| rest.trim_start().starts_with('T'))
        };
        let threads = || std::fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten();
        while !threads()
            .all(|thread| std::fs::read_to_string(thread.path().join("stat")).is_ok_and(has_stopped))
        {
            std::thread::yield_now();
        }
    }

    /// Runs etcdctl, whatever comes of it.
    pub(crate) fn try_ctl(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("etcdctl");
        command
            .env("ETCDCTL_API", "3")
            .args(["--endpoints", &self.endpoint(), "--command-timeout", "2s"])
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs etcdctl and gives its output.
    pub(crate) fn ctl(&self, arguments: &[&str]) -> String {
        let output = self.try_ctl(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "etcdctl {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// `etcdctl put key < value`.
    pub(crate) fn put(&self, key: &str, value: &[u8]) {
        if value.is_empty() {
            // From an empty input etcdctl takes no value at all.
            self.ctl(&["put", key, ""]);
            return;
        }
        let mut child = self
            .command(&["put", key])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(value).unwrap();
        assert!(child.wait().unwrap().success(), "etcdctl put {key}");
    }

    /// Forgets every revision before the present one.
    pub(crate) fn compact(&self) {
        let status = self.ctl(&["endpoint", "status", "--write-out", "json"]);
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        let revision = &status[0]["Status"]["header"]["revision"];
        self.ctl(&["compact", &revision.to_string()]);
    }
}

fn spawn(folder: &TempDir, client_port: u16, peer_port: u16, extra: &[String]) -> Child {
    let client = format!("http://127.0.0.1:{client_port}");
    let peer = format!("http://127.0.0.1:{peer_port}");
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.path().join("log"))
        .unwrap();
    Command::new("etcd")
        .args([
            "--name",
            "s1",
            "--heartbeat-interval",
            "50",
            "--election-timeout",
            "500",
        ])
        .arg("--data-dir")
        .arg(folder.path().join("data"))
        .args([
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
        ])
        .args([
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
        ])
        .args(["--initial-cluster", &format!("s1={peer}")])
        .args(extra)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}
