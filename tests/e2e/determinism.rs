//! The same request gets the same answer and takes the same fuel, whatever the process, its neighbours and the order in which
//! policies came.

mod processes;
mod stores;

/// The policies of `plugins/` that are no test guests.
const SAMPLES: [&str; 5] = [
    "amount-ceiling",
    "fraud-score",
    "geo-mismatch",
    "list-guard",
    "velocity-limit",
];

#[test]
fn every_sample_policy_is_tried() {
    let folder = portcullis_tests::build::repository().join("plugins");
    let entries = std::fs::read_dir(folder).expect("the policies");
    let mut found: Vec<String> = entries
        .map(|entry| entry.expect("a folder").path())
        .filter(|path| path.join("policy.toml").is_file())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found, SAMPLES,
        "SAMPLES are those with a manifest in plugins/, by name"
    );
}
