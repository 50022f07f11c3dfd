//! What it gains that many payments share one commit: durable payments per second against one transaction per payment.
//!
//! `cargo run --release -p portcullis-storage --example commit-bench -- [FOLDER]`; the folder, the current one where none is named, says
//! which disk is measured. Three ways to the same rows, in turn, and at the end they are the same:
//!
//! - *group commit*: the product, with so many payments in flight;
//! - *one each*: the same queue, thread and statements, and a transaction for each payment;
//! - *plain loop*: the rows of the product, inserted by a loop without a queue or a thread, and a transaction for each payment.

#![expect(clippy::expect_used, reason = "a benchmark ends where something is missing")]

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::{IdempotencyKey, KeyEntry, KeyWrite, PaymentRepository, RequestDigest};
use domain::Payment;
use portcullis_storage::{SqliteConfig, SqlitePaymentRepository};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use testkit::benchmark::{Bar, Report, Samples, Table, median, number};
use testkit::builders::{NOW, payment};
use tikv_jemallocator::Jemalloc;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use zeroizing_alloc::ZeroAlloc;

/// As the gateway has it.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<Jemalloc> = ZeroAlloc(Jemalloc);

/// Rounds, in each of which every cell is measured once.
const ROUNDS: usize = 3;

/// How many payments are in flight, and how many are stored then.
const CELLS: [(usize, usize); 4] = [(1, 500), (8, 1_000), (64, 4_000), (256, 4_000)];

/// At which of them the bar is.
const BAR_AT: usize = 64;

/// The tables that a payment is written to before its acquirer is called, a row to each, and what puts their rows into an order that
/// does not depend on who came first.
const TABLES: [(&str, &str); 3] = [
    ("payments", "id"),
    ("operations", "payment_id"),
    ("idempotency_keys", "key"),
];

/// A payment and its idempotency key.
type Work = (Payment, KeyEntry);

/// What one way did with all payments.
struct Measured {
    per_second: f64,
    latencies: Samples,
}

/// What several rounds came to.
#[derive(Default)]
struct Rounds(Vec<Measured>);

impl Rounds {
    fn median(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        median(&self.0.iter().map(of).collect::<Vec<_>>())
    }

    fn per_second(&self) -> f64 {
        self.median(|measured| measured.per_second)
    }

    fn cells(&self) -> [String; 3] {
        let quantile = |part| number(self.median(|measured| measured.latencies.quantile_ms(part)));
        [format!("{:.0}", self.per_second()), quantile(0.5), quantile(0.99)]
    }
}

fn main() {
    let folder = std::env::args()
        .nth(1)
        .map_or_else(|| PathBuf::from("."), PathBuf::from);
    let runtime = Runtime::new().expect("a runtime");
    let mut report = Report::new("35-commits", "Commits: many payments in one transaction");
    report.say(format!(
        "SQLite, `synchronous=FULL`; a payment is written with its operation and its idempotency key, as before its acquirer is called. Medians of {ROUNDS} \
         interleaved rounds; milliseconds are from the call to the answer that it is on the disk. Of the disk alone: 4 KiB over what \
         was there and `fdatasync` take {} ms (p50).",
        number(disk(&folder).median_ms())
    ));
    let mut table = Table::new([
        "in flight",
        "group commit /s",
        "p50 ms",
        "p99 ms",
        "one each /s",
        "p50 ms",
        "p99 ms",
        "plain loop /s",
        "group / one each",
        "group / plain loop",
    ]);
    for (in_flight, count) in CELLS {
        let (mut group, mut single, mut plain) = <(Rounds, Rounds, Rounds)>::default();
        for _ in 0..ROUNDS {
            let scratch = tempfile::tempdir_in(&folder).expect("a folder on the disk that is measured");
            let config = |name: &str, batch_jobs| SqliteConfig {
                path: scratch.path().join(name),
                batch_jobs,
                save_timeout_ms: 60_000,
                ..SqliteConfig::default()
            };
            let grouped = config("group.db", SqliteConfig::default().batch_jobs);
            let one_each = config("single.db", 1);
            group
                .0
                .push(runtime.block_on(save_all(&grouped, in_flight, count)));
            single
                .0
                .push(runtime.block_on(save_all(&one_each, in_flight, count)));
            plain
                .0
                .push(runtime.block_on(replay(&grouped.path, &scratch.path().join("plain.db"))));
            let stored = rows_of(&grouped.path);
            assert_eq!(stored, rows_of(&one_each.path), "two ways, other rows");
            assert_eq!(
                stored,
                rows_of(&scratch.path().join("plain.db")),
                "two ways, other rows"
            );
        }
        let by_single = group.per_second() / single.per_second();
        let by_plain = group.per_second() / plain.per_second();
        let [plain_per_second, ..] = plain.cells();
        let cells = [
            vec![in_flight.to_string()],
            group.cells().into(),
            single.cells().into(),
        ];
        let ratios = [plain_per_second, number(by_single), number(by_plain)];
        table = table.row(cells.concat().into_iter().chain(ratios));
        if in_flight == BAR_AT {
            let what = format!("group commit / one transaction per payment, at {BAR_AT} in flight");
            report.bar(Bar::at_least(what, by_single.min(by_plain), 8.0));
        }
    }
    report.table(&table);
    report.finish();
}

/// How long the disk takes for 4 KiB that overwrite others.
fn disk(folder: &Path) -> Samples {
    const WRITES: usize = 200;
    let scratch = tempfile::tempdir_in(folder).expect("a folder on the disk that is measured");
    let path = scratch.path().join("disk");
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let file = file.expect("a file");
    file.write_all_at(&[1; 1 << 16], 0).expect("it can be written");
    file.sync_all().expect("it comes to the disk");
    let write = |_| {
        let began = Instant::now();
        file.write_all_at(&[2; 4_096], 0).expect("it can be written");
        file.sync_data().expect("it comes to the disk");
        began.elapsed()
    };
    (0..WRITES).map(write).collect()
}

/// Stores so many payments, of which so many are in flight at any time.
async fn save_all(config: &SqliteConfig, in_flight: usize, count: usize) -> Measured {
    let repository = Arc::new(SqlitePaymentRepository::open(config).expect("a database"));
    let work: Vec<Vec<Work>> = (0..in_flight)
        .map(|payer| (payer..count).step_by(in_flight).map(numbered).collect())
        .collect();
    let began = Instant::now();
    let mut payers = JoinSet::new();
    for work in work {
        let repository = Arc::clone(&repository);
        payers.spawn(async move {
            let mut latencies = Vec::with_capacity(work.len());
            for (mut payment, key) in work {
                let began = Instant::now();
                let saved = repository
                    .save_with_key(&mut payment, Some(KeyWrite::Claim(&key)))
                    .await;
                saved.expect("it is stored");
                latencies.push(began.elapsed());
            }
            latencies
        });
    }
    let latencies: Vec<Duration> = payers.join_all().await.concat();
    let measured = measured(began.elapsed(), latencies);
    repository
        .close()
        .await
        .expect("the log is copied into the database");
    measured
}

fn measured(elapsed: Duration, latencies: Vec<Duration>) -> Measured {
    let count = u32::try_from(latencies.len()).expect("a few thousand");
    Measured {
        per_second: f64::from(count) / elapsed.as_secs_f64(),
        latencies: Samples::new(latencies),
    }
}

fn numbered(number: usize) -> Work {
    let payment = payment()
        .id(&format!("pay_{number:06}"))
        .sent(&format!("op_{number:06}"));
    let key = KeyEntry {
        tenant: payment.record().details.merchant_id.clone(),
        key: IdempotencyKey::parse(&format!("key_{number:06}")).expect("a key"),
        digest: RequestDigest([7; 32]),
        payment_id: payment.id().clone(),
        operation_id: None,
        claimed_until: NOW,
        answer: None,
        created_at: NOW,
    };
    (payment, key)
}

/// Inserts the rows of a database into another one of the same schema, one payment after the other.
async fn replay(from: &Path, to: &Path) -> Measured {
    let config = SqliteConfig {
        path: to.to_owned(),
        ..SqliteConfig::default()
    };
    let schema = SqlitePaymentRepository::open(&config).expect("a database");
    schema.close().await.expect("the log is copied into the database");
    let tables: Vec<(String, Vec<Vec<Value>>)> = {
        let from = Connection::open(from).expect("the database of the product");
        let all = TABLES.iter().map(|(table, order)| {
            let columns = columns(&from, table);
            let places = vec!["?"; columns.len()].join(", ");
            let insert = format!("INSERT INTO {table} ({}) VALUES ({places})", columns.join(", "));
            (insert, rows(&from, table, order, &columns))
        });
        all.collect()
    };
    let connection = Connection::open(to).expect("the database");
    for (name, value) in [
        ("synchronous", "FULL"),
        ("foreign_keys", "1"),
        ("wal_autocheckpoint", "4000"),
        ("cache_size", "-16384"),
    ] {
        connection.pragma_update(None, name, value).expect("a setting");
    }
    let mut rows: Vec<_> = tables
        .into_iter()
        .map(|(insert, rows)| (insert, rows.into_iter()))
        .collect();
    let began = Instant::now();
    let mut latencies = Vec::new();
    while rows.iter().any(|(_, rows)| rows.len() > 0) {
        let began = Instant::now();
        connection
            .execute_batch("BEGIN IMMEDIATE")
            .expect("a transaction");
        for (insert, rows) in &mut rows {
            let row = rows.next().expect("a row of each table for every payment");
            let mut insert = connection.prepare_cached(insert).expect("a statement");
            insert.execute(params_from_iter(row)).expect("it is inserted");
        }
        connection.execute_batch("COMMIT").expect("a commit");
        latencies.push(began.elapsed());
    }
    measured(began.elapsed(), latencies)
}

/// All that was stored.
fn rows_of(path: &Path) -> Vec<Vec<Vec<Value>>> {
    let connection = Connection::open(path).expect("a database");
    let all = TABLES.iter().map(|(table, order)| {
        let columns = columns(&connection, table);
        let rows = rows(&connection, table, order, &columns);
        assert!(!rows.is_empty(), "{table} has rows");
        rows
    });
    all.collect()
}

/// Without the number of a key's row, which the database gives it in the order in which the keys came.
fn columns(connection: &Connection, table: &str) -> Vec<String> {
    let sql = format!("SELECT * FROM {table}");
    let statement = connection.prepare(&sql).expect("a statement");
    let names = statement.column_names();
    let given = names.filter(|name| (table, *name) != ("idempotency_keys", "id"));
    given.map(str::to_owned).collect()
}

fn rows(connection: &Connection, table: &str, order: &str, columns: &[String]) -> Vec<Vec<Value>> {
    let sql = format!("SELECT {} FROM {table} ORDER BY {order}", columns.join(", "));
    let mut statement = connection.prepare(&sql).expect("a statement");
    let rows = statement.query_map([], |row| {
        (0..columns.len()).map(|column| row.get(column)).collect()
    });
    rows.expect("rows")
        .collect::<rusqlite::Result<_>>()
        .expect("rows")
}
