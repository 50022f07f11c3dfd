//! The policy contract: one module per version that this gateway serves, and the check of a component against it.

pub(crate) mod check;
pub(crate) mod v0_1;
