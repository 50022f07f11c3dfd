//! The servers that are measured: each on the core for servers, and stopped by a signal while another one is asked.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use portcullis_tests::process::Process;
use portcullis_tests::{Answer, Gateway, Launch, eventually, footprint};

use super::echo;
use super::payload::Kind;

/// Where servers run. Everything else of the benchmark has [`OTHERS`].
const SERVERS: &str = "0";

/// Where the load generator runs, and databases.
const OTHERS: &str = "1";

/// Keeps this program, and what it starts from now on, away from the core for servers.
pub(crate) fn leave_the_core_for_servers() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert!(
        cores > 1,
        "a load generator and a server want a core each, and there is one"
    );
    let moved = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", OTHERS])
        .arg(std::process::id().to_string())
        .output()
        .expect("taskset runs");
    assert!(
        moved.status.success(),
        "{}",
        String::from_utf8_lossy(&moved.stderr)
    );
}

/// A program and arguments that have what follows them run on the core for servers, with so many descriptors at the most.
pub(crate) fn on_its_core(descriptors: u32) -> Vec<String> {
    [
        "prlimit",
        &format!("--nofile={descriptors}"),
        "taskset",
        "--cpu-list",
        SERVERS,
    ]
    .map(str::to_owned)
    .into()
}

enum Running {
    Gateway(Box<Gateway>),
    Other(Process),
}

/// A server that runs, or is stopped for now.
pub(crate) struct Server {
    name: String,
    url: String,
    running: Running,
    agent: ureq::Agent,
}

/// What a process has had of the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Resident now, in bytes.
    pub(crate) resident: u64,
    /// The most that was resident at once, in bytes.
    pub(crate) peak: u64,
    /// Time of the processor, in seconds.
    pub(crate) busy: f64,
}

impl Server {
    /// The floor.
    pub(crate) fn echo(name: &str, descriptors: u32) -> Self {
        let this = std::env::current_exe().expect("a program knows its own file");
        let process = start(descriptors, &this, &["http", "echo"]);
        let address = eventually("the echo to listen", || {
            let lines = process.lines();
            let address = lines.iter().find_map(|line| line.strip_prefix(echo::LISTENING));
            address.map(str::to_owned)
        });
        Self::new(name, format!("http://{address}"), Running::Other(process))
    }

    /// A gateway, once these policies decide.
    pub(crate) fn gateway(name: &str, launch: Launch, policies: &[String]) -> Self {
        let gateway = Gateway::launch(launch);
        gateway.wait_until_ready();
        for policy in policies {
            gateway.wait_for(policy, 1);
        }
        let url = gateway.address().to_owned();
        Self::new(name, url, Running::Gateway(Box::new(gateway)))
    }

    /// Another server, once it listens on this port.
    pub(crate) fn other(name: &str, descriptors: u32, program: &Path, arguments: &[&str], port: u16) -> Self {
        let mut process = start(descriptors, program, arguments);
        eventually(name, || {
            assert!(
                process.ended().is_none(),
                "{name} ended:\n{}",
                process.lines().join("\n")
            );
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self::new(name, format!("http://127.0.0.1:{port}"), Running::Other(process))
    }

    fn new(name: &str, url: String, running: Running) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .new_agent();
        Self {
            name: name.to_owned(),
            url,
            running,
            agent,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Sends one body, as the load generator does.
    pub(crate) fn post(&self, kind: Kind, body: &str) -> Answer {
        let url = format!("{}{}", self.url, kind.path());
        let request = self.agent.post(url).header("content-type", "application/json");
        let mut response = request.send(body).expect("the server answers");
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().expect("a text");
        Answer {
            status,
            content_type: "application/json".to_owned(),
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    /// Has it rest, so that what it does in the background costs another nothing.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        match &self.running {
            Running::Gateway(gateway) => gateway.signal(name),
            Running::Other(process) => process.signal(name),
        }
    }

    fn id(&self) -> u32 {
        match &self.running {
            Running::Gateway(gateway) => gateway.id(),
            Running::Other(process) => process.id(),
        }
    }

    /// What it has had of the machine so far.
    pub(crate) fn usage(&self) -> Usage {
        let path = format!("/proc/{}/stat", self.id());
        let stat =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} ended: {path}: {error}", self.name));
        Usage {
            resident: footprint::resident(self.id()),
            peak: footprint::peak(self.id()),
            busy: busy(&stat),
        }
    }
}

/// Time of the processor in `/proc/PID/stat`: in user mode and in the kernel, in hundredths of a second.
fn busy(stat: &str) -> f64 {
    /// Their places behind the name of the program, which may have blanks in it.
    const USER_AND_KERNEL: std::ops::Range<usize> = 11..13;
    let (_, fields) = stat.rsplit_once(") ").expect("a name in brackets");
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let times = fields.get(USER_AND_KERNEL).expect("times");
    times
        .iter()
        .filter_map(|time| time.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

/// Starts a program on the core for servers.
fn start(descriptors: u32, program: &Path, arguments: &[&str]) -> Process {
    let through = on_its_core(descriptors);
    let (first, rest) = through.split_first().expect("a program");
    let mut command = Command::new(first);
    command.args(rest).arg(program).args(arguments);
    Process::start(command)
}
