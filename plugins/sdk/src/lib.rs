//! Write a risk policy of Portcullis in Rust.
//!
//! A policy is two functions: [`Policy::describe`] says what the rule needs, [`Policy::evaluate`] decides one payment.
//! [`export_policy!`] makes a component of it. The types are those of the contract, `wit/v0.2/risk-policy.wit`, under the
//! same names, and this crate adds the words to build and read them with.
//!
//! ```
#![doc = include_str!("../examples/minimal.rs")]
//! # fn main() {}
//! ```
//!
//! A policy that spares itself the standard library is about half as large and imports nothing of WASI: start it with
//! `#![no_std]`, take what you need from [`prelude`], and export it as `export_policy!(MyPolicy, no_std)`.
//!
//! To try a policy on the author's own machine there is [`testing`], and [`golden_cases!`] which turns a file of
//! requests and expected decisions into a test.

#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

#[doc(hidden)]
pub mod bindings;
mod bump;
mod decision;
mod descriptor;
mod export;
mod host;
mod message;
mod request;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use bindings::portcullis::policy::host::Level;
pub use bindings::portcullis::policy::types::{
    Card, Customer, Decision, Descriptor, Device, Feature, FeatureSpec, FeatureValue, ListFeature, Money,
    NamedFeatureSpec, Outcome, Parameter, ParameterValue, Payment, PaymentFilter, PaymentParts, Reason,
    Request, Subject, UnixMillis, VelocityFeature, VelocityMeasure,
};
pub use bump::BumpAllocator;
pub use decision::HIGHEST_SCORE;
pub use descriptor::{Velocity, amount, count, distinct, listed};
pub use host::{log, signal};
pub use message::Part;

use alloc::string::String;

/// A risk rule. The implementing type has no values: a policy keeps nothing between two payments.
pub trait Policy {
    /// What the rule is for, which parts of a payment, which features and which parameters it needs. Called once, when
    /// a gateway loads the policy.
    fn describe() -> Descriptor;

    /// Decides one payment.
    ///
    /// # Errors
    ///
    /// A text for the log of the gateway, when the rule cannot decide: a parameter that makes no sense, for example.
    /// The outcome then is the failure mode of the policy. A payment that the rule does not like is a [`Decision`].
    fn evaluate(request: &Request) -> Result<Decision, String>;
}

/// What the standard library has in scope by itself and a `#![no_std]` policy has not.
pub mod prelude {
    pub use alloc::borrow::ToOwned;
    pub use alloc::boxed::Box;
    pub use alloc::string::{String, ToString};
    pub use alloc::vec::Vec;
    pub use alloc::{format, vec};
}
