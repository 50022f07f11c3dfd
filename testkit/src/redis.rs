//! A real Redis: on a free port of the loopback, with nothing on disk, killed when it is dropped.
//!
//! Works with Redis 7.0 and later.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a state is waited for: far longer than it takes to come, so that only a defect runs into it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a state is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// How often a start is tried: a free port may be taken by somebody else before Redis has it.
const STARTS: u32 = 5;

/// Whether `redis-server` is on the path.
#[must_use]
pub fn is_here() -> bool {
    let mut command = Command::new("redis-server");
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// One server. It can be stopped and started again, and then knows nothing any more.
pub struct Redis {
    folder: TempDir,
    port: u16,
    flags: Vec<String>,
    child: Mutex<Option<Child>>,
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Redis {
    /// Starts one and waits until it answers.
    ///
    /// # Panics
    /// When there is no Redis, or it does not come up.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with further flags, such as `--requirepass`.
    ///
    /// # Panics
    /// When there is no Redis, or it does not come up.
    #[must_use]
    pub fn start_with(flags: &[&str]) -> Self {
        for _ in 0..STARTS {
            let redis = Self {
                folder: tempfile::tempdir().unwrap(),
                port: free_port(),
                flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
                child: Mutex::default(),
            };
            redis.spawn();
            if redis.answers() {
                return redis;
            }
        }
        panic!("redis-server did not come up on any of {STARTS} free ports");
    }

    /// Where it is, such as `redis://127.0.0.1:12345/0`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Starts the process and waits for nothing.
    fn spawn(&self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.flags)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        *self.lock() = Some(command.spawn().expect("redis-server is on the path"));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it answers; false when it ended instead.
    fn answers(&self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            // Where it asks for a password first, that is an answer too.
            if self.ask("PING\r\n").is_some_and(|answer| !answer.is_empty()) {
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

    /// The beginning of what it says to an inline command.
    fn ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.write_all(command.as_bytes()).ok()?;
        let mut answer = [0; 64];
        let read = stream.read(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer[..read]).into_owned())
    }

    /// Forgets every script, as a server does that was started anew or has failed over.
    ///
    /// # Panics
    /// When it does not.
    pub fn forget_scripts(&self) {
        assert_eq!(self.ask("SCRIPT FLUSH\r\n").as_deref(), Some("+OK\r\n"));
    }

    /// SIGKILL: no chance to put anything in order.
    pub fn kill(&self) {
        if let Some(mut child) = self.lock().take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Starts it again on the same port, without anything that it knew, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn start_again(&self) {
        self.spawn();
        assert!(
            self.answers(),
            "redis-server did not come up again: {}",
            self.log()
        );
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Sends a signal by its name, such as `CONT`.
    fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status();
        assert!(sent.unwrap().success(), "SIG{signal} was not sent");
    }

    /// Stops it without closing anything, and waits until all of its threads have stopped: the signal alone lets them finish what
    /// they are at.
    ///
    /// # Panics
    /// When it is not running.
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
    ///
    /// # Panics
    /// When it is not running.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn id(&self) -> u32 {
        self.lock().as_ref().expect("redis-server is running").id()
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
