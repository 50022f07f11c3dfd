//! Three servers that are one etcd.

use std::path::Path;
use std::time::Instant;

use super::{Etcd, GLANCE, PATIENCE, STARTS, Setup};

/// Members: the fewest of which one may be missing.
const MEMBERS: usize = 3;

/// A cluster on the loopback.
pub struct Cluster {
    members: Vec<Etcd>,
}

impl Cluster {
    /// Starts one and waits until all of its members answer.
    ///
    /// # Panics
    /// When there is no etcd, or it does not come up.
    #[must_use]
    pub fn start(setup: &Setup) -> Self {
        for _ in 0..STARTS {
            let mut members: Vec<Etcd> = (0..MEMBERS)
                .map(|index| Etcd::prepared(setup, &format!("s{index}")))
                .collect();
            let names: Vec<String> = members.iter().map(Etcd::member).collect();
            for member in &mut members {
                member.members = names.join(",");
            }
            let cluster = Self { members };
            cluster.spawn();
            if cluster.members.iter().all(Etcd::answers) {
                return cluster;
            }
        }
        panic!("no cluster came up on any of {STARTS} sets of free ports");
    }

    fn spawn(&self) {
        self.members.iter().for_each(Etcd::spawn);
    }

    /// The members, in no order that means anything.
    #[must_use]
    pub fn members(&self) -> &[Etcd] {
        &self.members
    }

    /// `host:port` of each member.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        self.members.iter().map(Etcd::endpoint).collect()
    }

    /// The `--store` of it.
    #[must_use]
    pub fn location(&self) -> String {
        format!("etcd://{}", self.endpoints().join(","))
    }

    /// The member that leads, once one does.
    ///
    /// # Panics
    /// When none comes to lead.
    #[must_use]
    pub fn leader(&self) -> &Etcd {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(leader) = self.members.iter().find(|member| member.is_leader()) {
                return leader;
            }
            std::thread::sleep(GLANCE);
        }
        panic!("no member of the cluster leads it");
    }

    /// Kills every member.
    pub fn kill(&self) {
        self.members.iter().for_each(Etcd::kill);
    }

    /// Starts every member on what it kept, and waits until all of them answer.
    ///
    /// # Panics
    /// When one does not.
    pub fn start_again(&self) {
        self.spawn();
        for member in &self.members {
            assert!(
                member.answers(),
                "a member did not come up again: {}",
                member.log()
            );
        }
    }

    /// Takes the data of every member away; none is running then.
    pub fn wipe(&self) {
        self.members.iter().for_each(Etcd::wipe);
    }

    /// Puts what was saved in the place of every member's data; none is running then.
    pub fn restore(&self, snapshot: &Path) {
        // All at once: one that is still running would be asked by others that know nothing of what it has.
        self.kill();
        for member in &self.members {
            member.restore(snapshot);
        }
    }
}
