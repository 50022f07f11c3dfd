//! The fakes keep the contracts, and the domain keeps its rules whatever comes.

mod contracts;
mod money;
mod payment_walk;
mod risk_join;
