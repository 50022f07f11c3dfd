//! Ending a server, in order or not, and starting it again.

use std::fs;
use std::process::Command;
use std::time::Instant;

use super::{GLANCE, PATIENCE, Postgres};

impl Postgres {
    /// SIGKILL to the server and to all of its processes at once: no chance to put anything in order.
    ///
    /// # Panics
    /// When it is not running.
    pub fn kill(&self) {
        let server = self.server_id().expect("PostgreSQL is running");
        let mut processes = vec![server];
        processes.extend(children(server));
        let ids: Vec<String> = processes.iter().map(u32::to_string).collect();
        // One that has ended by itself meanwhile is no failure.
        drop(Command::new("kill").arg("-KILL").args(&ids).output());
        self.stop();
        let until = Instant::now() + PATIENCE;
        while processes.iter().any(|id| is_running(*id)) && Instant::now() < until {
            std::thread::sleep(GLANCE);
        }
    }

    /// Starts it again on the same port and the same data, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn start_again(&self) {
        self.stop();
        self.spawn();
        assert!(self.answers(), "PostgreSQL did not come up again: {}", self.log());
    }

    /// Ends it at once, if it runs, and its keeper.
    pub fn stop(&self) {
        if let Some(mut keeper) = self.lock().take() {
            // The keeper waits for the end of what it reads.
            drop(keeper.stdin.take());
            drop(keeper.wait());
        }
    }

    /// The first process of the server, where one runs.
    pub(super) fn server_id(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let id = file.lines().next()?.trim().parse().ok()?;
        is_running(id).then_some(id)
    }
}

fn is_running(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // A zombie has ended.
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

fn children(id: u32) -> Vec<u32> {
    let listed = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    listed
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect()
}
