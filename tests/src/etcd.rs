//! A real etcd on loopback, with a folder of its own.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::process::Process;
use crate::wait::eventually;

/// One etcd server. It can be stopped and started again on what it kept.
pub struct Etcd {
    folder: TempDir,
    client_port: u16,
    peer_port: u16,
    process: Option<Process>,
}

impl Etcd {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// When there is no `etcd` on the path: the end-to-end tests prove nothing without one.
    #[must_use]
    pub fn start() -> Self {
        /// A free port may be taken before etcd has it; that often in a row it is not.
        const ATTEMPTS: u32 = 5;
        for _ in 0..ATTEMPTS {
            let mut etcd = Self {
                folder: tempfile::tempdir().expect("a temporary folder"),
                client_port: free_port(),
                peer_port: free_port(),
                process: None,
            };
            if etcd.comes_up() {
                return etcd;
            }
        }
        panic!("etcd did not come up on any of {ATTEMPTS} pairs of free ports");
    }

    /// Starts it on what it kept, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn restart(&mut self) {
        assert!(self.comes_up(), "etcd ended instead of coming up");
    }

    /// Starts it, and says whether it answers; not when it ended instead.
    fn comes_up(&mut self) -> bool {
        let client = format!("http://127.0.0.1:{}", self.client_port);
        let peer = format!("http://127.0.0.1:{}", self.peer_port);
        let mut command = Command::new("etcd");
        command.args([
            "--name",
            "e2e",
            "--heartbeat-interval",
            "50",
            "--election-timeout",
            "250",
        ]);
        command.arg("--data-dir").arg(self.folder.path());
        command.args([
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
        ]);
        command.args([
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
        ]);
        command.args(["--initial-cluster", &format!("e2e={peer}")]);
        let mut process = Process::start(command);
        let up = eventually("etcd to be healthy", || {
            if process.ended().is_some() {
                return Some(false);
            }
            let health = self
                .etcdctl()
                .args(["endpoint", "health"])
                .output()
                .expect("etcdctl runs");
            health.status.success().then_some(true)
        });
        self.process = Some(process);
        up
    }

    /// Kills it.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// The `--store` of it.
    #[must_use]
    pub fn location(&self) -> String {
        format!("etcd://127.0.0.1:{}", self.client_port)
    }

    /// A call of `etcdctl` to it.
    #[must_use]
    pub fn etcdctl(&self) -> Command {
        let mut command = Command::new("etcdctl");
        command
            .env("ETCDCTL_API", "3")
            .args(["--endpoints", &format!("http://127.0.0.1:{}", self.client_port)]);
        command
    }

    /// Puts the bytes of a file under a key, as an operator would by hand.
    ///
    /// # Panics
    /// When etcd does not take it.
    pub fn put_file(&self, key: &str, file: &Path) {
        let bytes = std::fs::File::open(file).expect("the file can be read");
        let put = self
            .etcdctl()
            .args(["put", key])
            .stdin(bytes)
            .output()
            .expect("etcdctl runs");
        assert!(
            put.status.success(),
            "etcdctl put {key}: {}",
            String::from_utf8_lossy(&put.stderr)
        );
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its number").port()
}
