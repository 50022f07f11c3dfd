//! Rounds: every server is asked by turns, so that what else the machine does falls on all of them.

use testkit::benchmark::{Table, median, number};

use super::server::Server;
use super::wrk::{Load, Outcome, Wrk};

/// Seconds of load before the first round counts, and after a rest.
const WARM_UP_SECONDS: u64 = 1;

/// What came of a server in a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    outcome: Outcome,
    /// Which part of the core it had.
    busy: f64,
    /// Bytes.
    resident: u64,
    peak: u64,
}

impl Round {
    /// What a request took of the core, in microseconds.
    fn core_us(&self) -> f64 {
        self.busy * 1e6 / self.outcome.per_second
    }
}

/// The rounds of a server, in order.
pub(crate) struct Row {
    name: String,
    rounds: Vec<Round>,
}

/// Asks each server so many times for so much, by turns. They rest before, between and after.
pub(crate) fn by_turns(wrk: &Wrk, servers: &[&Server], load: &Load, rounds: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = servers
        .iter()
        .map(|server| Row {
            name: server.name().to_owned(),
            rounds: Vec::new(),
        })
        .collect();
    for _ in 0..rounds {
        for (row, server) in rows.iter_mut().zip(servers) {
            row.rounds.push(round(wrk, server, load));
        }
    }
    rows
}

fn round(wrk: &Wrk, server: &Server, load: &Load) -> Round {
    server.resume();
    let warm_up = Load {
        seconds: WARM_UP_SECONDS,
        ..*load
    };
    wrk.run(server.url(), &warm_up);
    let before = server.usage();
    let outcome = wrk.run(server.url(), load);
    let after = server.usage();
    server.pause();
    Round {
        outcome,
        busy: (after.busy - before.busy) / outcome.seconds,
        resident: after.resident,
        peak: after.peak,
    }
}

impl Row {
    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        median(&self.rounds.iter().map(of).collect::<Vec<_>>())
    }

    /// Requests per second over those of the floor: the median of the rounds, each held against its own.
    pub(crate) fn over(&self, floor: &Self) -> f64 {
        let pairs = self.rounds.iter().zip(&floor.rounds);
        let ratios = pairs.map(|(ours, floor)| ours.outcome.per_second / floor.outcome.per_second);
        median(&ratios.collect::<Vec<_>>())
    }

    /// What did not succeed, where anything did not.
    pub(crate) fn failures(&self) -> Option<String> {
        let sum = |of: fn(&Outcome) -> f64| self.rounds.iter().map(|round| of(&round.outcome)).sum::<f64>();
        let (refused, broken) = (sum(|outcome| outcome.refused), sum(|outcome| outcome.broken));
        (refused + broken > 0.0).then(|| {
            format!(
                "{}: of {:.0} requests {refused:.0} were answered with an error, and {broken:.0} connections broke or were not answered in time.",
                self.name,
                sum(|outcome| outcome.requests)
            )
        })
    }
}

/// The rows as a table. The first is the floor.
///
/// # Panics
/// When there is none.
pub(crate) fn table(rows: &[Row]) -> Table {
    const MIB: f64 = 1024.0 * 1024.0;
    let head = [
        "",
        "requests/s",
        "/ echo",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "core busy",
        "core µs each",
        "memory MiB",
        "peak MiB",
    ];
    let floor = rows.first().expect("the floor");
    rows.iter().fold(Table::new(head), |table, row| {
        let time = |of: fn(&Outcome) -> f64| number(row.median(|round| of(&round.outcome)));
        let mib = |of: fn(&Round) -> u64| number(row.median(|round| as_f64(of(round))) / MIB);
        table.row([
            row.name.clone(),
            number(row.median(|round| round.outcome.per_second)),
            number(row.over(floor)),
            time(|outcome| outcome.p50_ms),
            time(|outcome| outcome.p99_ms),
            time(|outcome| outcome.p999_ms),
            format!("{:.0} %", row.median(|round| round.busy) * 100.0),
            number(row.median(Round::core_us)),
            mib(|round| round.resident),
            mib(|round| round.peak),
        ])
    })
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory that a machine has")]
const fn as_f64(bytes: u64) -> f64 {
    bytes as f64
}
