//! The policy contract: one module per version that this gateway serves, what the versions have in common, and the check of
//! a component against them.
//!
//! A version is its bindings (`v0_1`) and its conversion (`v0_1/convert`). Whatever the version, a payment comes from
//! `request`, an answer is checked by `answer`, and `linked` holds the policy that was linked for it.

pub(crate) mod answer;
pub(crate) mod check;
mod conversion;
pub(crate) mod linked;
pub(crate) mod mismatch;
pub(crate) mod request;
mod v0_1;
mod v0_2;
pub(crate) mod version;
