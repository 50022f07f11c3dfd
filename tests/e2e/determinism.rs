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
