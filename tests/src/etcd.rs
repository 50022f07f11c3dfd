//! A real etcd on loopback, with a folder of its own, as the end-to-end tests know it: by the `--store` of gateways.

use std::path::Path;
use std::process::Command;

use testkit::etcd::{self, Setup};

/// One etcd server. It can be stopped and started again on what it kept.
pub struct Etcd(etcd::Etcd);

impl Etcd {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// When there is no `etcd` on the path: the end-to-end tests prove nothing without one.
    #[must_use]
    pub fn start() -> Self {
        Self(etcd::Etcd::start(&Setup::default()))
    }

    /// Starts it on what it kept, and waits until it answers.
    pub fn restart(&mut self) {
        self.0.start_again();
    }

    /// Kills it.
    pub fn stop(&mut self) {
        self.0.kill();
    }

    /// The `--store` of it.
    #[must_use]
    pub fn location(&self) -> String {
        format!("etcd://{}", self.0.endpoint())
    }

    /// A call of `etcdctl` to it.
    #[must_use]
    pub fn etcdctl(&self) -> Command {
        self.0.etcdctl()
    }

    /// Puts the bytes of a file under a key, as an operator would by hand.
    ///
    /// # Panics
    /// When etcd does not take it.
    pub fn put_file(&self, key: &str, file: &Path) {
        let bytes = std::fs::read(file).expect("the file can be read");
        self.0.put(key, &bytes);
    }
}
