//! The rule of the evaluation benchmark as a plugin of Extism: JSON in, JSON out, as its own documentation has it. Texts are
//! borrowed from the JSON, which is the cheapest that there is.

use benchmark_rule::{Features, Input, Parameters, Payment, decide};
use extism_pdk::{FnResult, plugin_fn};

/// Decides one payment.
#[plugin_fn]
pub fn evaluate(input: Vec<u8>) -> FnResult<Vec<u8>> {
    let input: Input<Payment<'_>, Features, Parameters<'_>> = serde_json::from_slice(&input)?;
    let answer = decide(&input.payment, &input.features, &input.parameters);
    Ok(serde_json::to_vec(&answer)?)
}
