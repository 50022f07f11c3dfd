//! A real etcd: on free ports of the loopback, with a folder of its own, killed when it is dropped.
//!
//! Works with etcd 3.4 and later. Heartbeats and elections are quick, so that one that is killed is back within half a second.

mod certificates;
mod cluster;
mod control;

pub use certificates::{Authority, Issued};
pub use cluster::Cluster;

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a state of etcd is waited for: far longer than it takes to come, so that only a defect runs into it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a state is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// How often a start is tried: a free port may be taken by somebody else before etcd has it.
const STARTS: u32 = 5;

/// Whether `etcd` and `etcdctl` are on the path.
#[must_use]
pub fn is_here() -> bool {
    let runs = |tool: &str, argument: &str| {
        let mut command = Command::new(tool);
        command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    runs("etcd", "--version") && runs("etcdctl", "version")
}

/// How a server is started.
#[derive(Clone, Default)]
pub struct Setup {
    /// Further flags.
    pub flags: Vec<String>,
    /// Whose certificates it has and asks for; without, it speaks in the clear and asks for none.
    pub authority: Option<Arc<Authority>>,
}

impl Setup {
    /// With these flags, in the clear.
    #[must_use]
    pub fn with_flags(flags: &[&str]) -> Self {
        Self {
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            authority: None,
        }
    }

    /// With certificates of this authority, asking clients for theirs.
    #[must_use]
    pub fn with_certificates(authority: &Arc<Authority>) -> Self {
        Self {
            flags: vec!["--client-cert-auth".to_owned()],
            authority: Some(Arc::clone(authority)),
        }
    }
}

/// One server. It can be stopped and started again on what it kept.
pub struct Etcd {
    setup: Setup,
    name: String,
    folder: TempDir,
    client_port: u16,
    peer_port: u16,
    /// `name=url` of every member.
    members: String,
    /// Whom `etcdctl` says that it is, once users are switched on.
    root: Mutex<Option<String>>,
    child: Mutex<Option<Child>>,
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

impl Etcd {
    /// Starts one alone and waits until it answers.
    ///
    /// # Panics
    /// When there is no etcd, or it does not come up.
    #[must_use]
    pub fn start(setup: &Setup) -> Self {
        for _ in 0..STARTS {
            let mut etcd = Self::prepared(setup, "s0");
            etcd.members = etcd.member();
            etcd.spawn();
            if etcd.answers() {
                return etcd;
            }
        }
        panic!("etcd did not come up on any of {STARTS} pairs of free ports");
    }

    /// One that is not yet told its members, nor started.
    fn prepared(setup: &Setup, name: &str) -> Self {
        Self {
            setup: setup.clone(),
            name: name.to_owned(),
            folder: tempfile::tempdir().unwrap(),
            client_port: free_port(),
            peer_port: free_port(),
            members: String::new(),
            root: Mutex::new(None),
            child: Mutex::new(None),
        }
    }

    /// `host:port` for clients.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.client_port)
    }

    /// `name=url`, as members know each other.
    fn member(&self) -> String {
        format!("{}={}", self.name, self.peer_url())
    }

    fn client_url(&self) -> String {
        let scheme = if self.setup.authority.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.endpoint())
    }

    fn peer_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.peer_port)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the process and waits for nothing.
    fn spawn(&self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let (client, peer) = (self.client_url(), self.peer_url());
        let mut command = Command::new("etcd");
        command
            .args(["--name", &self.name])
            .args(["--heartbeat-interval", "50", "--election-timeout", "250"])
            .arg("--data-dir")
            .arg(self.data())
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
            .args(["--initial-cluster", &self.members])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if let Some(authority) = &self.setup.authority {
            let server = authority.issue("etcd");
            command.arg("--cert-file").arg(&server.certificate);
            command.arg("--key-file").arg(&server.key);
            command.arg("--trusted-ca-file").arg(authority.certificate());
        }
        // Last: of a flag that is there twice, etcd takes the second.
        command.args(&self.setup.flags);
        *self.lock() = Some(command.spawn().expect("etcd is on the path"));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it answers; false when it ended instead.
    fn answers(&self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.try_ctl(&["endpoint", "health"]).status.success() {
                return true;
            }
            let ended = self
                .lock()
                .as_mut()
                .is_none_or(|child| child.try_wait().unwrap().is_some());
            if ended {
                return false;
            }
            std::thread::sleep(GLANCE);
        }
        false
    }

    /// SIGKILL: no chance to put anything in order.
    pub fn kill(&self) {
        if let Some(mut child) = self.lock().take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Starts it again on the same ports and the same data, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn start_again(&self) {
        self.spawn();
        assert!(self.answers(), "etcd did not come up again: {}", self.log());
    }

    /// Takes all of its data away; it is not running then.
    pub fn wipe(&self) {
        self.kill();
        fs::remove_dir_all(self.data()).unwrap();
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Sends a signal by its name, such as `CONT`.
    ///
    /// # Panics
    /// When it is not running.
    pub fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status();
        assert!(sent.unwrap().success(), "SIG{signal} was not sent");
    }

    /// Stops it without closing anything, and waits until all of its threads have stopped: the signal alone lets them finish what
    /// they are at.
    pub fn freeze(&self) {
        self.signal("STOP");
        let id = self.id();
        let has_stopped = |stat: String| {
            stat.rsplit(')')
                .next()
                .is_some_and(|rest| rest.trim_start().starts_with('T'))
        };
        let threads = || fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten();
        while !threads().all(|thread| fs::read_to_string(thread.path().join("stat")).is_ok_and(has_stopped)) {
            std::thread::yield_now();
        }
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn id(&self) -> u32 {
        self.lock().as_ref().expect("etcd is running").id()
    }
}
