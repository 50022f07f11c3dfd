//! `/v1`.

mod payments;
mod policies;
mod risk;
