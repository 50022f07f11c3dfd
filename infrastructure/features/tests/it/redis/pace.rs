//! What one payment takes, measured beside a PING. Run by hand:
//! `cargo test -p portcullis-features --test it --release -- --ignored --nocapture redis::pace`

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use application::ports::FeatureStore;
use domain::Timestamp;
use domain::feature::{FeatureSpec, PaymentFilter, Subject, VelocityMeasure};
use testkit::builders::{payment_details, risk_request};

use super::{config, connection, own, store};

fn twelve() -> Vec<FeatureSpec> {
    let windows = [60, 3_600, 86_400, 30 * 86_400];
    let measures = [
        (Subject::Card, VelocityMeasure::Count),
        (Subject::Device, VelocityMeasure::Distinct(Subject::Card)),
        (Subject::Merchant, VelocityMeasure::Amount),
    ];
    let spec = |(subject, measure), window_seconds| FeatureSpec::Velocity {
        subject,
        measure,
        filter: PaymentFilter::Attempted,
        window_seconds,
    };
    let all = measures
        .into_iter()
        .flat_map(|measure| windows.map(|window| spec(measure, window)));
    all.collect()
}

fn quantiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "Redis goes by the time of day, and so must this"
)]
#[ignore = "a measurement, and no test: it takes long and fails nothing"]
async fn observe_with_twelve_features_beside_a_ping() {
    const PAYMENTS: usize = 20_000;
    let Some(redis) = own(&[]).await else { return };
    let store = store(&config(&redis));
    let mut connection = connection(&redis).await;
    let specs = twelve();
    // A payment a minute, the last one now.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let begun_at = now - 60 * PAYMENTS as u64;
    let (mut observed, mut pinged) = (Vec::new(), Vec::new());
    for number in 0..PAYMENTS {
        let details = payment_details()
            .card(&format!("fp_{}", number % 500))
            .customer(&format!("c_{}", number % 500))
            .email(&format!("{}@example.com", number % 500))
            .device(&format!("d_{}", number % 200))
            .ip(&format!("198.51.100.{}", number % 200));
        let payment = risk_request(&format!("pay_{number}"))
            .details(details.build())
            .at(Timestamp::from_unix_millis(
                1_000 * (begun_at + 60 * number as u64),
            ))
            .build();
        let begun = Instant::now();
        store.observe(&payment.borrow(), &specs).await.unwrap();
        observed.push(begun.elapsed());
        let begun = Instant::now();
        let _pong: String = ::redis::cmd("PING").query_async(&mut connection).await.unwrap();
        pinged.push(begun.elapsed());
    }
    let info: String = ::redis::cmd("INFO")
        .arg("cpu")
        .query_async(&mut connection)
        .await
        .unwrap();
    let cpu = info
        .lines()
        .filter(|line| line.starts_with("used_cpu_user:") || line.starts_with("used_cpu_sys:"));
    let cpu: Vec<&str> = cpu.collect();
    let memory: String = ::redis::cmd("INFO")
        .arg("memory")
        .query_async(&mut connection)
        .await
        .unwrap();
    let memory = memory.lines().find(|line| line.starts_with("used_memory_human"));
    let (observed, pinged) = (quantiles(observed), quantiles(pinged));
    println!(
        "observe p50 {:?}, p99 {:?}; PING p50 {:?}, p99 {:?}; ratio {:.1} and {:.1}; {cpu:?} {memory:?}",
        observed.0,
        observed.1,
        pinged.0,
        pinged.1,
        observed.0.as_secs_f64() / pinged.0.as_secs_f64(),
        observed.1.as_secs_f64() / pinged.1.as_secs_f64(),
    );
}
