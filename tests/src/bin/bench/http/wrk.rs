//! The load generator: `wrk` on a core of its own, with a script that sends the pool of requests one after the other.

use std::collections::HashMap;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use super::payload::{Kind, NUMBER, bodies};

/// Requests are made of what is in memory before the first is sent; only their number is put in as they go.
const SCRIPT: &str = r#"
local pool, number = {}, @FIRST@

function init()
  local headers = { ["Content-Type"] = "application/json", ["Idempotency-Key"] = @KEY@ }
  for body in io.lines("@BODIES@") do
    local request, parts, from = wrk.format("POST", "@PATH@", headers, body), {}, 1
    local at, last = request:find("@NUMBER@", from, true)
    while at do
      parts[#parts + 1] = request:sub(from, at - 1)
      from = last + 1
      at, last = request:find("@NUMBER@", from, true)
    end
    parts[#parts + 1] = request:sub(from)
    pool[#pool + 1] = parts
  end
end

function request()
  number = number + 1
  return table.concat(pool[number % #pool + 1], string.format("%012d", number))
end

function done(summary, latency)
  local errors = summary.errors
  local told = {
    requests = summary.requests, microseconds = summary.duration,
    connect = errors.connect, read = errors.read, write = errors.write, timeout = errors.timeout, status = errors.status,
    p50 = latency:percentile(50), p99 = latency:percentile(99), p999 = latency:percentile(99.9),
  }
  for name, value in pairs(told) do
    print(string.format("TOLD %s %.3f", name, value))
  end
end
"#;

/// Begins the lines of the script among those of `wrk`.
const TOLD: &str = "TOLD ";

/// More than one run sends: the numbers of two runs never meet.
const NUMBERS_OF_A_RUN: u64 = 100_000_000;

/// What a client waits for an answer, in seconds: at 10,000 connections one has its turn after seconds.
const PATIENCE_SECONDS: u64 = 20;

/// How much is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) kind: Kind,
    /// Connections that are open all the time, each with one request under way.
    pub(crate) connections: u32,
    pub(crate) seconds: u64,
    /// How long each rests before its next request, in milliseconds; 0: not at all.
    pub(crate) pause_ms: u32,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// How long it took.
    pub(crate) seconds: f64,
    /// Answered requests per second.
    pub(crate) per_second: f64,
    /// Quantiles of the time until an answer was there, in milliseconds.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    /// Answered requests.
    pub(crate) requests: f64,
    /// Answers that were no success.
    pub(crate) refused: f64,
    /// Connections that could not be made or broke, and requests that were not answered in time.
    pub(crate) broken: f64,
}

/// The generator, with the pool of requests on the disk.
pub(crate) struct Wrk {
    folder: TempDir,
    next: AtomicU64,
}

impl Wrk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for kind in Kind::ALL {
            let lines: String = bodies(kind)
                .iter()
                .map(|body| serde_json::to_string(body).expect("a body is JSON") + "\n")
                .collect();
            fs::write(folder.path().join(file(kind)), lines).expect("the bodies can be written");
        }
        Self {
            folder,
            next: AtomicU64::new(0),
        }
    }

    /// The first body of a kind, with a number.
    pub(crate) fn sample(&self, kind: Kind) -> String {
        let bodies = fs::read_to_string(self.folder.path().join(file(kind))).expect("the bodies");
        let first = bodies.lines().next().expect("a body");
        first.replace(NUMBER, &format!("{:012}", self.take_numbers()))
    }

    /// The mean length of a body of a kind, in bytes.
    pub(crate) fn bytes_of_a_body(&self, kind: Kind) -> usize {
        let bodies = fs::read_to_string(self.folder.path().join(file(kind))).expect("the bodies");
        bodies.len() / bodies.lines().count().max(1) - 1
    }

    fn take_numbers(&self) -> u64 {
        self.next.fetch_add(NUMBERS_OF_A_RUN, Ordering::Relaxed)
    }

    /// Asks a server for so much.
    pub(crate) fn run(&self, url: &str, load: &Load) -> Outcome {
        let within = |name: &str| self.folder.path().join(name).display().to_string();
        let script = SCRIPT
            .replace("@FIRST@", &self.take_numbers().to_string())
            .replace("@BODIES@", &within(file(load.kind)))
            .replace("@PATH@", load.kind.path())
            .replace("@KEY@", key(load.kind))
            .replace("@NUMBER@", NUMBER);
        let script = script + &pause(load.pause_ms);
        fs::write(within("script.lua"), script).expect("the script can be written");
        // `wrk` has a descriptor for each connection.
        let descriptors = format!("--nofile={}", load.connections + 256);
        let output = Command::new("prlimit")
            .args([&descriptors, "wrk", "--threads", "1"])
            .args(["--connections", &load.connections.to_string()])
            .args(["--duration", &format!("{}s", load.seconds)])
            .args(["--timeout", &format!("{PATIENCE_SECONDS}s")])
            .args(["--script", &within("script.lua"), url])
            .output()
            .expect("prlimit runs");
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "wrk (`make setup-bench` brings it) failed: {told}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        outcome(&told)
    }
}

const fn file(kind: Kind) -> &'static str {
    match kind {
        Kind::Decision => "decisions.jsonl",
        Kind::Payment => "payments.jsonl",
    }
}

/// What has connections rest, in Lua.
fn pause(milliseconds: u32) -> String {
    match milliseconds {
        0 => String::new(),
        _ => format!("function delay() return {milliseconds} end\n"),
    }
}

/// The idempotency key of a request, in Lua: a payment has one of its own.
const fn key(kind: Kind) -> &'static str {
    match kind {
        Kind::Decision => "nil",
        Kind::Payment => "\"key-@NUMBER@\"",
    }
}

fn outcome(told: &str) -> Outcome {
    let told: HashMap<&str, f64> = told
        .lines()
        .filter_map(|line| line.strip_prefix(TOLD)?.split_once(' '))
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect();
    let of = |name: &str| {
        *told
            .get(name)
            .unwrap_or_else(|| panic!("wrk did not tell {name}"))
    };
    let ms = |name| of(name) / 1e3;
    let seconds = of("microseconds") / 1e6;
    Outcome {
        seconds,
        per_second: of("requests") / seconds,
        p50_ms: ms("p50"),
        p99_ms: ms("p99"),
        p999_ms: ms("p999"),
        requests: of("requests"),
        refused: of("status"),
        broken: ["connect", "read", "write", "timeout"].map(of).iter().sum(),
    }
}
