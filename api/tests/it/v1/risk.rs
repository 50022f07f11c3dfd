//! `/v1/risk`.

mod decisions;
