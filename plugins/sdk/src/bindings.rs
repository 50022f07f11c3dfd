//! What `wit/v0.2/risk-policy.wit` becomes in Rust. Everything here is generated; the rest of the crate gives it methods.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "the contract itself documents these types"
)]
#![allow(
    unsafe_code,
    reason = "generated code that crosses the boundary of the sandbox"
)]
#![allow(
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    clippy::panic,
    clippy::unwrap_used,
    reason = "generated"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "generated"
)]
#![allow(
    clippy::cast_possible_wrap,
    clippy::allow_attributes_without_reason,
    unused_qualifications,
    reason = "generated"
)]

wit_bindgen::generate!({
    path: "../../wit/v0.2",
    world: "risk-policy",
    additional_derives: [PartialEq],
    generate_unused_types: true,
    pub_export_macro: true,
    export_macro_name: "export",
    default_bindings_module: "portcullis_policy::bindings",
});
