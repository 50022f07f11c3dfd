//! What is measured, and what is said about it.

use std::path::Path;

use testkit::benchmark::{Bar, Report, Table, number};

use crate::arguments::{Arguments, Part};
use crate::contender::{Row, measure};
use crate::engines::Engines;
use crate::native::Native;
use crate::ours::{Ours, guest};
use crate::pinning::Pinned;
use crate::sample;
use crate::sandbox::{Fresh, Reused, Ticker};
use crate::threads::Scaling;
use crate::{peers, versions};

const OURS: &str = "ours: fresh instance, all limits";
const NATIVE: &str = "native code: no isolation, no limits";
const FLOOR: &str = "floor: the loop of wasmtime's calls alone, our settings";
const REUSED: &str = "the same with one instance for all (no isolation), guest with `std`";
const DEFAULT_POOL: &str = "wasmtime's default pool and settings";
const ON_DEMAND: &str = "wasmtime's defaults: on demand";
const PAGEMAP: &str = "floor with `PAGEMAP_SCAN`";

/// Policies that are hot at the same time.
const HOT: [usize; 5] = [1, 3, 10, 30, 100];

/// Measures everything.
pub(crate) fn run(arguments: &Arguments) {
    let mut report = Report::new("10-evaluation", "Evaluation");
    report.say(introduction(arguments));
    let policy = guest(&arguments.guests, "policy");
    if arguments.asks_for(Part::Compare) || arguments.asks_for(Part::Threads) {
        let ours = Ours::start(&policy, 1);
        let engines = Engines::new();
        let _ticker = Ticker::start(engines.all());
        if arguments.asks_for(Part::Compare) {
            compare(arguments, &ours, &engines, &mut report);
        }
        if arguments.asks_for(Part::Threads) {
            two_threads(arguments, &ours, &engines, &policy, &mut report);
        }
    }
    if arguments.asks_for(Part::Hot) {
        hot_policies(arguments, &policy, &mut report);
    }
    report.finish();
}

fn introduction(arguments: &Arguments) -> String {
    let json = sample::challenged().json(&sample::parameters()).len();
    let (rounds, calls, core) = (arguments.rounds, arguments.calls, arguments.core);
    format!(
        "One rule of some twenty conditions on a full payment ({json} bytes where it is JSON, with six velocities and seven \
         parameters), which answers with an outcome, a score and its reasons: a library of Rust, a policy of the SDK, a plugin \
         of Extism, and the same rule in the languages of the peers. Each is timed from the payment as the gateway has it to an \
         answer that Rust can read, conversions included, and is held to the rule's own answers first. {rounds} rounds of \
         {calls} calls a row, in turns, on core {core}; a time is the middle of the rounds'. `benchmarks/README.md` says more."
    )
}

fn compare(arguments: &Arguments, ours: &Ours, engines: &Engines, report: &mut Report) {
    let guests = &arguments.guests;
    let policy = guest(guests, "policy");
    let _entered = ours.enter();
    let mut rows = vec![
        Row::new(OURS, ours.decider()),
        Row::new(NATIVE, Native::new()),
        Row::new(FLOOR, Fresh::new(&engines.ours, &policy)),
        Row::new(REUSED, Reused::new(&engines.ours, &guest(guests, "policy-std"))),
        Row::new(DEFAULT_POOL, Fresh::new(&engines.default_pool, &policy)),
        Row::new(ON_DEMAND, Fresh::new(&engines.on_demand, &policy)),
        Row::new(PAGEMAP, Fresh::new(&engines.pagemap, &policy)),
    ];
    let settings = rows.len();
    rows.extend(templates(guests, engines));
    let peers = rows.len();
    rows.extend(peers::rows(guests));
    {
        let _pinned = Pinned::to(arguments.core);
        measure(&mut rows, arguments.rounds, arguments.calls);
    }
    let (rows, peers) = rows.split_at(peers);
    let (rows, templates) = rows.split_at(settings);
    let ours = find(rows, OURS);
    let table = |rows: &[Row]| {
        let head = Table::new(["", "µs p50", "p99", "/ ours"]);
        rows.iter().fold(head, |table, row| {
            let cells = [row.median_us(), row.p99_us(), row.ratio_to(ours)].map(number);
            table.row(std::iter::once(row.name.to_owned()).chain(cells))
        })
    };
    report.say("Ours, the floor under it, and the settings of wasmtime:");
    report.table(&table(rows));
    report.say("What each setting of the SDK's template is worth, in the loop of the floor; the first row is the template's own:");
    report.table(&templates_table(find(rows, FLOOR), templates));
    report.say(format!("Other engines: {}.", versions::peers()));
    report.table(&table(peers));
    let floor = find(rows, FLOOR);
    report.bar(
        Bar::at_most(
            "our evaluation / wasmtime with the same settings and limits",
            ours.ratio_to(floor),
            1.15,
        )
        .stretch(1.05),
    );
    let at_least = [
        (find(rows, DEFAULT_POOL), "wasmtime's default pool / ours", 2.0),
        (find(rows, ON_DEMAND), "wasmtime on demand / ours", 3.5),
    ];
    let at_least = at_least.into_iter().chain(
        peers::BARS
            .into_iter()
            .map(|(name, what, bound)| (find(peers, name), what, bound)),
    );
    for (row, what, bound) in at_least {
        report.bar(Bar::at_least(what, row.ratio_to(ours), bound));
    }
}

/// The policy as it would be without one of the template's settings.
fn templates(guests: &Path, engines: &Engines) -> Vec<Row> {
    let stack = guest(guests, "policy-stack-1m");
    vec![
        Row::new("`opt-level = 3`", fresh(guests, engines, "policy-speed")),
        Row::new("the linker's stack of 1 MiB", Fresh::new(&engines.ours, &stack)),
        Row::new(
            "the same with `PAGEMAP_SCAN`",
            Fresh::new(&engines.pagemap, &stack),
        ),
        Row::new(
            "the standard library, with the SDK's allocator",
            fresh(guests, engines, "policy-std-bump"),
        ),
        Row::new(
            "the standard library, with its own allocator",
            fresh(guests, engines, "policy-std"),
        ),
    ]
}

fn fresh(guests: &Path, engines: &Engines, name: &str) -> Fresh {
    Fresh::new(&engines.ours, &guest(guests, name))
}

fn templates_table(floor: &Row, templates: &[Row]) -> Table {
    let head = Table::new(["", "µs p50", "p99", "/ template"]);
    let row = |table: Table, name: &str, row: &Row| {
        let cells = [row.median_us(), row.p99_us(), row.ratio_to(floor)].map(number);
        table.row(std::iter::once(name.to_owned()).chain(cells))
    };
    let head = row(
        head,
        "stack of 32 KiB, no standard library, the SDK's allocator, `opt-level = \"s\"`",
        floor,
    );
    templates
        .iter()
        .fold(head, |table, template| row(table, template.name, template))
}

fn two_threads(arguments: &Arguments, ours: &Ours, engines: &Engines, policy: &[u8], report: &mut Report) {
    let cores = [arguments.core, arguments.other_core];
    let floor = Fresh::new(&engines.ours, policy);
    let default_pool = Fresh::new(&engines.default_pool, policy);
    let mut scaling: [Scaling; 4] = Default::default();
    for _ in 0..arguments.rounds {
        let [of_native, of_ours, of_floor, of_default_pool] = &mut scaling;
        of_native.round(ours, cores, Native::new);
        of_ours.round(ours, cores, || ours.decider());
        of_floor.round(ours, cores, || floor.clone());
        of_default_pool.round(ours, cores, || default_pool.clone());
    }
    report.say("Two threads, each on a core of its own, against one; thousands of evaluations a second:");
    let names = [
        "native code",
        "ours",
        "floor",
        "wasmtime's default pool and settings",
    ];
    let head = Table::new(["", "one thread", "two threads", "two / one"]);
    let table = names.iter().zip(&scaling).fold(head, |table, (name, scaling)| {
        let cells = [scaling.of_one() / 1e3, scaling.of_two() / 1e3, scaling.factor()].map(number);
        table.row(std::iter::once((*name).to_owned()).chain(cells))
    });
    report.table(&table);
    let [of_native, of_ours, ..] = &scaling;
    report.bar(Bar::at_least(
        "two threads / one, ours against native code",
        of_ours.factor() / of_native.factor(),
        0.85,
    ));
}

fn hot_policies(arguments: &Arguments, policy: &[u8], report: &mut Report) {
    let hot: Vec<usize> = HOT
        .into_iter()
        .filter(|policies| *policies <= arguments.most_hot)
        .collect();
    let nodes: Vec<Ours> = hot
        .iter()
        .map(|policies| {
            eprintln!("compiling {policies} policies");
            Ours::start(policy, *policies)
        })
        .collect();
    let _entered = nodes.first().expect("a node for each").enter();
    let mut rows: Vec<Row> = nodes
        .iter()
        .map(|node| Row::new("hot policies", node.decider()))
        .collect();
    {
        let _pinned = Pinned::to(arguments.core);
        let case = sample::challenged();
        for _ in 0..arguments.rounds {
            for (row, policies) in rows.iter_mut().zip(&hot) {
                row.take_turn(&case, (arguments.calls / policies).max(LEAST_CALLS));
            }
        }
    }
    let first = rows.first().expect("a row for each");
    let times = |row: &Row, policies: usize| row.ratio_to(first) / as_f64(policies);
    report.say(
        "Policies that are hot at the same time, each an artifact of its own, and each payment in the scope of all of them; per \
         evaluation of a policy:",
    );
    let head = Table::new(["", "µs p50", "/ 1 policy"]);
    let table = rows.iter().zip(&hot).fold(head, |table, (row, policies)| {
        let cells = [row.median_us() / as_f64(*policies), times(row, *policies)].map(number);
        table.row(std::iter::once(format!("{policies}")).chain(cells))
    });
    report.table(&table);
    let (last, most) = rows.iter().zip(&hot).next_back().expect("a row for each");
    report.bar(Bar::at_most(
        format!("an evaluation with {most} hot policies / with 1"),
        times(last, *most),
        2.5,
    ));
}

/// Calls of a turn, however many policies each of them runs.
const LEAST_CALLS: usize = 50;

fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

fn find<'a>(rows: &'a [Row], name: &str) -> &'a Row {
    rows.iter()
        .find(|row| row.name == name)
        .expect("a row of this name")
}
