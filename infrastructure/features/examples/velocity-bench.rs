//! What velocity in memory takes: time for a payment, and memory for a key, with one million keys and with ten.
//!
//! `cargo run --release -p portcullis-features --example velocity-bench -- [MILLIONS…]`; 1 and 10 where none is named. A payment names
//! six subjects: each of them is a key, and is counted and read in the one call that is measured. Of the payments that fill the store
//! all but the merchant are strangers. Then three kinds take turns on the full store:
//!
//! - *stranger*: four new keys and an e-mail address that is new too, one of a thousand merchants; the stalest keys give way;
//! - *known*: any payer of those who are there, so that nothing of him is in a cache of the processor;
//! - *same*: one payer again and again.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark ends where something is missing"
)]

use std::fs;
use std::time::{Duration, Instant};

use application::ports::{FeatureStore, SettledAs};
use domain::feature::{FeatureSpec, FeatureValue, PaymentFilter, Subject, VelocityMeasure};
use portcullis_features::{Config, MemoryFeatureStore};
use testkit::benchmark::{Report, Samples, Table, number};
use testkit::builders::{OwnedRiskRequest, after, payment_details, risk_request};
use tikv_jemallocator::Jemalloc;
use tokio::runtime::{Builder, Runtime};
use zeroizing_alloc::ZeroAlloc;

/// As the gateway has it.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<Jemalloc> = ZeroAlloc(Jemalloc);

/// Keys that a payment of a stranger brings; its merchant is there already.
const KEYS_PER_PAYMENT: usize = 5;

/// Merchants.
const MERCHANTS: usize = 1_000;

/// Payments a second, by their own date.
const PER_SECOND: usize = 1_000;

/// Payments of one batch: made before it is measured, so that making them is not.
const BATCH: usize = 2_000;

/// Batches of each kind, which take turns.
const ROUNDS: usize = 15;

/// How far apart the known payers are that come one after the other: a prime, so that all come.
const STRIDE: usize = 104_729;

/// Where payments of the full store begin to be numbered again.
const LATER: usize = 1 << 40;

fn main() {
    let named: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let millions = if named.is_empty() { vec![1, 10] } else { named };
    let mut report = Report::new("36-velocity", "Velocity in memory");
    report.say(format!(
        "A payment names six subjects, which are counted, and {} features are read, in one call, on one thread. Medians of {ROUNDS} \
         batches of {BATCH} payments; the three kinds take turns.",
        features().len()
    ));
    let mut table = Table::new([
        "keys",
        "filling, µs/payment",
        "stranger, µs",
        "known, µs",
        "same, µs",
        "settled, µs",
        "bytes/key, resident",
        "bytes/key, as it counts",
    ]);
    for millions in millions {
        table = table.row(measure(millions * 1_000_000));
    }
    report.table(&table);
    report.finish();
}

/// A row of the table.
fn measure(keys: usize) -> Vec<String> {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let features = features();
    let before = resident();
    let store = MemoryFeatureStore::new(&Config {
        max_subjects: keys,
        max_memory_bytes: usize::MAX,
        ..Config::default()
    });
    let store = store.expect("a store");
    let payers = keys / KEYS_PER_PAYMENT;
    let mut filling = Duration::ZERO;
    for first in (0..payers).step_by(BATCH) {
        let batch = (first..(first + BATCH).min(payers)).map(|number| request(number, number));
        filling += observe(&runtime, &store, &features, &batch.collect::<Vec<_>>(), None);
    }
    // A shard that has more than its share lets some go.
    let remembered = store.subject_count();
    assert!(
        remembered > keys / 10 * 9,
        "{remembered} of {keys} keys are there"
    );
    let each = |bytes: usize| number(bytes as f64 / remembered as f64);
    let memory = [
        each(resident().saturating_sub(before)),
        each(store.memory_bytes()),
    ];

    let [mut strangers, mut known, mut same, mut settled] = <[Vec<Duration>; 4]>::default();
    for round in 0..ROUNDS {
        let numbers = |kind: usize| {
            let first = LATER + (round * 3 + kind) * BATCH;
            first..first + BATCH
        };
        let batch: Vec<_> = numbers(0).map(|number| request(number, number)).collect();
        strangers.push(observe(&runtime, &store, &features, &batch, Some(1)));
        // The latest half: those before them have given way.
        let payer = |number: usize| payers / 2 + number.wrapping_mul(STRIDE) % (payers / 2);
        let batch: Vec<_> = numbers(1).map(|number| request(number, payer(number))).collect();
        known.push(observe(&runtime, &store, &features, &batch, None));
        let batch: Vec<_> = numbers(2).map(|number| request(number, payers - 1)).collect();
        same.push(observe(&runtime, &store, &features, &batch, None));
        settled.push(settle(&runtime, &store, &batch));
    }
    let filled = u32::try_from(payers).expect("millions");
    let batches = [strangers, known, same, settled].map(|batches| {
        let batches = batches
            .into_iter()
            .map(|batch| batch / u32::try_from(BATCH).expect("thousands"));
        number(batches.collect::<Samples>().quantile_us(0.5))
    });
    let filling = number((filling / filled).as_secs_f64() * 1e6);
    [vec![keys.to_string(), filling], batches.into(), memory.into()].concat()
}

/// How long the store takes for all of them. The card of each was seen so often in the last hour, where that is known.
fn observe(
    runtime: &Runtime,
    store: &MemoryFeatureStore,
    features: &[FeatureSpec],
    requests: &[OwnedRiskRequest],
    seen: Option<u64>,
) -> Duration {
    let began = Instant::now();
    runtime.block_on(async {
        for request in requests {
            let values = store
                .observe(&request.borrow(), features)
                .await
                .expect("memory answers");
            let count = match values.first() {
                Some(FeatureValue::Count(count)) => *count,
                other => panic!("{other:?} is no count"),
            };
            assert!(seen.map_or(count >= 1, |seen| count == seen), "{count}");
        }
    });
    began.elapsed()
}

/// How long the store takes to learn that all of them were approved.
fn settle(runtime: &Runtime, store: &MemoryFeatureStore, requests: &[OwnedRiskRequest]) -> Duration {
    let began = Instant::now();
    runtime.block_on(async {
        for request in requests {
            let settled = store.settle(&request.borrow(), SettledAs::Approved).await;
            settled.expect("memory answers");
        }
    });
    began.elapsed()
}

/// A payment of a payer, by its place among all.
fn request(number: usize, payer: usize) -> OwnedRiskRequest {
    let details = payment_details()
        .merchant(&format!("m_{}", payer % MERCHANTS))
        .card(&format!("fp_{payer:032x}"))
        .customer(&format!("c_{payer}"))
        .email(&format!("payer.{payer}@example.com"))
        .device(&format!("d_{payer:016x}"))
        .ip(&format!(
            "2001:db8:{:x}:{:x}::1",
            (payer >> 16) & 0xffff,
            payer & 0xffff
        ));
    let second = (number % LATER) / PER_SECOND;
    // The full store goes on where filling it ended, at the latest.
    let second = if number >= LATER { second + 100_000 } else { second };
    risk_request(&format!("pay_{number}"))
        .details(details.build())
        .at(after(u64::try_from(second).expect("some days")))
        .build()
}

/// What the sample policies ask for, and how many devices a card was seen with.
fn features() -> Vec<FeatureSpec> {
    let hour = 3_600;
    let velocity = |subject, measure, window_seconds| FeatureSpec::Velocity {
        subject,
        measure,
        filter: PaymentFilter::Attempted,
        window_seconds,
    };
    vec![
        velocity(Subject::Card, VelocityMeasure::Count, hour),
        velocity(Subject::Card, VelocityMeasure::Amount, 24 * hour),
        velocity(
            Subject::Card,
            VelocityMeasure::Distinct(Subject::Device),
            24 * hour,
        ),
        velocity(Subject::Device, VelocityMeasure::Count, hour),
        velocity(Subject::Device, VelocityMeasure::Amount, 24 * hour),
    ]
}

/// The pages of this process that are in memory, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("what the kernel tells of this process");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("a line");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1_024
}
