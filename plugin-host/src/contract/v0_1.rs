//! Version 0.1 of the contract: the bindings, and the conversion from and to the domain's types.

mod convert;

pub(crate) use convert::{DescribedPolicy, PaymentView, describe_policy, feature_value, mask, verdict};
pub(crate) use generated::portcullis::policy::{host, types};
pub(crate) use generated::{RiskPolicy, RiskPolicyPre};

/// The package and version that a component must have been built for.
pub(crate) const PACKAGE: &str = "portcullis:policy@0.1.0";

mod generated {
    //! Generated from `wit/risk-policy.wit`. Payments are borrowed: nothing of them is cloned to be passed in.

    wasmtime::component::bindgen!({
        path: "../wit/risk-policy.wit",
        world: "risk-policy",
        ownership: Borrowing { duplicate_if_necessary: true },
        imports: { default: trappable },
    });
}
