//! The sample policies that decide in front of the measured gateways.

use portcullis_tests::Policy;
use portcullis_tests::policies::publish;
use tempfile::TempDir;

/// The sample policies in the order in which rows take them up: one has the first alone, three the first three, ten all of them
/// twice, under two names.
const SAMPLES: [&str; 5] = [
    "amount-ceiling",
    "velocity-limit",
    "geo-mismatch",
    "list-guard",
    "fraud-score",
];

/// Parameters that would stop payments sooner or later, and what stands in their place: every payment is to be approved, so that
/// each of them goes all the way.
const LENIENT: [(&str, &str, &str); 2] = [
    (
        "velocity-limit",
        "max_count = 5, max_amount = 5_000_000",
        "max_count = 1_000_000_000, max_amount = 1_000_000_000_000_000",
    ),
    (
        "fraud-score",
        "challenge_from = 500, review_from = 750, decline_from = 950",
        "challenge_from = 998, review_from = 999, decline_from = 1000",
    ),
];

/// Builds what is not built yet.
pub(crate) fn build() {
    for index in 0..SAMPLES.len() {
        drop(sample(index));
    }
}

/// A store with policies.
pub(crate) struct Policies {
    folder: TempDir,
    names: Vec<String>,
}

impl Policies {
    /// Publishes the first so many of the samples.
    pub(crate) fn published(count: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (names, policies): (Vec<_>, Vec<_>) = (0..count).map(sample).unzip();
        if count > 0 {
            publish(&location(&folder), &policies.iter().collect::<Vec<_>>());
        }
        Self { folder, names }
    }

    /// Where they are.
    pub(crate) fn store(&self) -> String {
        location(&self.folder)
    }

    /// What they are called.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

fn location(folder: &TempDir) -> String {
    format!("dir:{}", folder.path().display())
}

fn sample(index: usize) -> (String, Policy) {
    let sample = SAMPLES.get(index % SAMPLES.len()).expect("a sample");
    let name = match index / SAMPLES.len() {
        0 => (*sample).to_owned(),
        again => format!("{sample}-{}", again + 1),
    };
    let called = |name: &str| format!("name = \"{name}\"");
    let policy = Policy::built(sample).with(&called(sample), &called(&name));
    let lenient = LENIENT.iter().filter(|(of, _, _)| of == sample);
    let policy = lenient.fold(policy, |policy, (_, old, new)| policy.with(old, new));
    (name, policy)
}
