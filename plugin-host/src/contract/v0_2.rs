//! Version 0.2 of the contract: the bindings.

mod convert;

pub(crate) use convert::Linked;
pub(super) use convert::{describe, evaluate, link};
use generated::portcullis::policy::{host, types};
use generated::{RiskPolicy, RiskPolicyPre};

mod generated {
    //! Generated from `wit/v0.2/risk-policy.wit`. Payments are borrowed: nothing of them is cloned to be passed in.

    wasmtime::component::bindgen!({
        path: "../wit/v0.2/risk-policy.wit",
        world: "risk-policy",
        ownership: Borrowing { duplicate_if_necessary: true },
        imports: { default: trappable },
    });
}
