//! `bench edge`: a small machine (one core, 128 MB) with `config/portcullis.edge.toml`, beside the default configuration.
//!
//! Both gateways run the five sample policies. The small one is bound to the first core by `taskset`, and to 128 MB by a control group
//! where this process may make one; where not, the report says so, and its peak is what shows. It compiles its policies within that
//! bound too, before anything is measured.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark ends where something is missing"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use portcullis_tests::build::{portcullis, repository};
use portcullis_tests::policies::publish;
use portcullis_tests::{Footprint, Gateway, Launch, Payment, Policy, eventually_within, footprint};
use testkit::benchmark::{Bar, Report, Samples, Table, median, number};

/// The sample policies.
const POLICIES: [&str; 5] = [
    "amount-ceiling",
    "fraud-score",
    "geo-mismatch",
    "list-guard",
    "velocity-limit",
];

/// The memory of the small machine, in bytes.
const MEMORY: u64 = 128 << 20;

/// Starts that are measured of each, and those before the first that counts.
const STARTS: usize = 15;
const WARM_UP: usize = 2;

/// How long after a start nothing happens any more.
const IDLE: Duration = Duration::from_millis(500);

/// Rounds of load, in which the two take turns, and how long each is.
const ROUNDS: usize = 5;
const LOADED: Duration = Duration::from_secs(1);

/// Callers at once.
const CALLERS: usize = 8;

/// How long the policies may take to compile on one core.
const LONGEST_COMPILE: Duration = Duration::from_secs(300);

/// What was measured of a gateway.
struct Measured {
    name: &'static str,
    starts: Samples,
    idle: Footprint,
    decisions_per_second: f64,
    /// After the load.
    peak: u64,
}

pub(crate) fn run() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = format!("dir:{}", folder.path().join("store").display());
    let policies = POLICIES.map(Policy::built);
    publish(&store, &policies.each_ref());
    let group = ControlGroup::new();
    let (mut edge, mut default) = (
        Gateway::launch(small(&store, group.as_ref())),
        Gateway::start_with(&store, &[]),
    );
    let gateways = [("edge", &mut edge), ("default", &mut default)];
    let started = gateways.map(|(name, gateway)| {
        until_kept(gateway);
        let (starts, idle) = starts(gateway);
        (name, gateway, starts, idle)
    });
    let rates = load(&started.each_ref().map(|(_, gateway, ..)| &**gateway));
    let measured = started
        .into_iter()
        .zip(rates)
        .map(|((name, gateway, starts, idle), rate)| Measured {
            name,
            starts,
            idle,
            decisions_per_second: rate,
            peak: footprint::peak(gateway.id()),
        });
    report(&measured.collect::<Vec<_>>(), group.as_ref(), folder.path());
}

/// The gateway of a small machine.
fn small(store: &str, group: Option<&ControlGroup>) -> Launch {
    let config = repository().join("config/portcullis.edge.toml");
    let checked = Command::new(portcullis())
        .arg("check-config")
        .arg("--config")
        .arg(&config)
        .output();
    let checked = checked.expect("the command runs");
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    // The shell joins the group and becomes the gateway.
    let join = group.map_or_else(String::new, |group| {
        format!("echo $$ > '{}' && ", group.members().display())
    });
    let through = ["sh", "-c", &format!("{join}exec taskset -c 0 \"$@\""), "sh"];
    Launch {
        store: store.to_owned(),
        environment: vec![("PORTCULLIS_CONFIG".to_owned(), config.display().to_string())],
        through: through.map(str::to_owned).into(),
        ..Launch::default()
    }
}

/// Waits until all policies are in force, and what the next start takes is on the disk.
fn until_kept(gateway: &Gateway) {
    eventually_within(LONGEST_COMPILE, "every policy to be compiled and kept", || {
        let kept = gateway.metric("portcullis_policy_compile_cache_total{result=\"written\"}")?;
        let saved = gateway.metric("portcullis_policy_state_saved_revision")?;
        (kept == POLICIES.len() as u64 && saved > 0).then_some(())
    });
}

/// Starts a gateway again and again, and leaves the last one running; what they took when nothing happened any more.
fn starts(gateway: &mut Gateway) -> (Samples, Footprint) {
    let mut times = Vec::new();
    let mut idle = Vec::new();
    for start in 0..WARM_UP + STARTS {
        assert!(gateway.terminate().success());
        let elapsed = gateway.time_to_ready_on(None);
        let in_force = gateway.metric("portcullis_policies_in_force");
        assert_eq!(
            in_force,
            Some(POLICIES.len() as u64),
            "it is ready with every policy"
        );
        if start >= WARM_UP {
            times.push(elapsed);
            thread::sleep(IDLE);
            idle.push(Footprint::of(gateway.id()));
        }
    }
    (Samples::new(times), Footprint::median(&idle))
}

/// Decisions a second of each gateway: the median of the rounds, in which they take turns.
fn load(gateways: &[&Gateway; 2]) -> [f64; 2] {
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (gateway, rates) in gateways.iter().zip(&mut rates) {
            rates.push(decisions_per_second(gateway));
        }
    }
    rates.map(|rates| median(&rates))
}

fn decisions_per_second(gateway: &Gateway) -> f64 {
    let payment = Payment::ordinary().for_decision();
    let decided = AtomicU64::new(0);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                while began.elapsed() < LOADED {
                    let answer = gateway.post("/v1/risk/decisions", &payment);
                    let policies = answer.body["risk"]["policies"].as_array().map(Vec::len);
                    assert_eq!(
                        (answer.status, policies),
                        (200, Some(POLICIES.len())),
                        "{}",
                        answer.text
                    );
                    decided.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    decided.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

fn report(measured: &[Measured], group: Option<&ControlGroup>, folder: &Path) {
    let megabytes = |bytes: u64| number(bytes as f64 / 1e6);
    let mut report = Report::new("46-edge", "A small machine");
    let bound = group.map_or_else(
        || "No control group could be made here, so that its memory has no bound; the peak is what it took.".to_owned(),
        |group| {
            format!(
                "Its control group has {} MiB; of these it took {} MB at most, the compilers of its policies and the kernel's copies of its files \
                 included, and ran into the bound {} times.",
                MEMORY >> 20,
                megabytes(group.peak()),
                group.failures()
            )
        },
    );
    report.say(format!(
        "`config/portcullis.edge.toml` on one core, beside the defaults on all of them; five sample policies, all in the compile cache, \
         {STARTS} starts of each. {bound} Memory is in MB (10⁶ bytes), {} ms after it was ready; decisions are of {CALLERS} callers, who run \
         on the same machine.",
        IDLE.as_millis()
    ));
    let mut table = Table::new([
        "",
        "ready p50 ms",
        "max ms",
        "idle RSS",
        "PSS",
        "anonymous",
        "peak RSS under load",
        "decisions/s",
    ]);
    for one in measured {
        table = table.row([
            one.name.to_owned(),
            number(one.starts.median_ms()),
            number(one.starts.quantile_ms(1.0)),
            megabytes(one.idle.resident),
            megabytes(one.idle.proportional),
            megabytes(one.idle.anonymous),
            megabytes(one.peak),
            format!("{:.0}", one.decisions_per_second),
        ]);
    }
    report.table(&table);
    let [built, shipped] = sizes(folder);
    report.say(format!(
        "The binary has {} MB as it is built, and {} MB as `make ship` splits it off its symbols and lines.",
        megabytes(built),
        megabytes(shipped)
    ));
    for one in measured {
        let name = one.name;
        let idle = one.idle.resident as f64 / 1e6;
        report.bar(Bar::at_most(
            format!("idle memory with 5 policies, {name}, MB resident"),
            idle,
            40.0,
        ));
        let ready = one.starts.median_ms();
        report.bar(Bar::at_most(
            format!("start to ready with 5 cached policies, {name}, ms"),
            ready,
            100.0,
        ));
    }
    report.finish();
}

/// The size of the binary as it is built and as it is shipped, in bytes.
fn sizes(folder: &Path) -> [u64; 2] {
    let shipped = folder.join("ship");
    let split = Command::new(repository().join("scripts/ship.sh"))
        .arg(portcullis())
        .arg(&shipped)
        .status();
    assert!(split.expect("the script runs").success(), "the binary is split");
    let shipped = shipped.join("portcullis");
    let runs = Command::new(&shipped)
        .arg("--version")
        .output()
        .expect("what is shipped runs");
    assert!(runs.status.success(), "what is shipped runs");
    [portcullis(), &shipped].map(|file| std::fs::metadata(file).map_or(0, |file| file.len()))
}

/// A control group with a bound on memory, of either version; gone when this is.
struct ControlGroup {
    folder: PathBuf,
    /// The names of its files: how much there is at most, how much there was at most, how often that was too little.
    files: [&'static str; 3],
}

impl ControlGroup {
    /// Makes one, where this process may.
    fn new() -> Option<Self> {
        let versions = [
            (
                "/sys/fs/cgroup",
                "cgroup.controllers",
                ["memory.max", "memory.peak", "memory.events"],
            ),
            (
                "/sys/fs/cgroup/memory",
                "memory.limit_in_bytes",
                [
                    "memory.limit_in_bytes",
                    "memory.max_usage_in_bytes",
                    "memory.failcnt",
                ],
            ),
        ];
        versions.into_iter().find_map(|(root, mark, files)| {
            let root = Path::new(root);
            if !root.join(mark).exists() {
                return None;
            }
            let folder = root.join(format!("portcullis-edge-{}", std::process::id()));
            std::fs::create_dir(&folder).ok()?;
            let group = Self { folder, files };
            std::fs::write(group.folder.join(group.files[0]), MEMORY.to_string()).ok()?;
            Some(group)
        })
    }

    /// The file that its processes are written to.
    fn members(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }

    fn peak(&self) -> u64 {
        let text = std::fs::read_to_string(self.folder.join(self.files[1]));
        text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    /// How often an allocation ran into the bound: what the kernel dropped of its copies of files then is counted too.
    fn failures(&self) -> u64 {
        let text = std::fs::read_to_string(self.folder.join(self.files[2])).unwrap_or_default();
        let count = text
            .lines()
            .find_map(|line| line.strip_prefix("max "))
            .unwrap_or(&text);
        count.trim().parse().unwrap_or(0)
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // It has members until the gateway is gone, which is so before: whoever holds both lets go of the gateway first.
        drop(std::fs::remove_dir(&self.folder));
    }
}
