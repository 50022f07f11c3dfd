//! Between the types of version 0.1 and those of the gateway.

use super::{RiskPolicy, RiskPolicyPre, host, types};
use crate::contract::conversion::conversion;
use crate::contract::request::Money;

conversion!();

/// An amount of this version does not say its exponent.
const fn money(amount: Money<'_>) -> types::Money<'_> {
    types::Money {
        minor_units: amount.minor_units,
        currency: amount.currency,
    }
}
