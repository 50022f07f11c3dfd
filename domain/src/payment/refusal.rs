//! Why a payment does not take a command.

use std::fmt;

use super::IllegalTransition;
use crate::currency::Currency;
use crate::identifier::OperationId;

/// Why an operation was not begun. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationRefused {
    /// The payment's status does not allow it.
    Illegal(IllegalTransition),
    /// Another one is under way, and how that ends may decide about this one.
    InFlight {
        /// The other one.
        operation: OperationId,
    },
    /// More than what is left to capture or to refund.
    ExceedsRemainder {
        /// What is left, in minor units of the payment's currency.
        remainder_minor_units: i64,
    },
    /// An amount in another currency than the payment's.
    OtherCurrency {
        /// The payment's currency.
        expected: Currency,
    },
}

impl From<IllegalTransition> for OperationRefused {
    fn from(illegal: IllegalTransition) -> Self {
        Self::Illegal(illegal)
    }
}

impl fmt::Display for OperationRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Illegal(illegal) => illegal.fmt(f),
            Self::InFlight { operation } => write!(f, "operation `{operation}` has not ended yet"),
            Self::ExceedsRemainder {
                remainder_minor_units,
            } => write!(f, "no more than {remainder_minor_units} minor units are left"),
            Self::OtherCurrency { expected } => write!(f, "the payment is in {expected}"),
        }
    }
}

impl std::error::Error for OperationRefused {}
