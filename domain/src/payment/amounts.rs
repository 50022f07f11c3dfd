//! How much of a payment was reserved, taken and given back, counted from its operations.

use super::{Operation, OperationKind, PaymentRecord};

/// Amounts in minor units of the payment's currency. None is ever more than the payment's own, so none overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaymentAmounts {
    /// What the acquirer reserved.
    pub authorized: i64,
    /// What it took of that.
    pub captured: i64,
    /// What it let go of, so that it can no longer be captured.
    pub released: i64,
    /// What it gave back of what it took.
    pub refunded: i64,
    /// What it may be giving back just now: refunds whose end is not known.
    pub refunding: i64,
}

impl PaymentAmounts {
    pub(super) fn of(record: &PaymentRecord) -> Self {
        let sum = |of: fn(&Operation) -> bool| -> i64 {
            let of_them = record.operations.iter().filter(|operation| of(operation));
            of_them.fold(0, |sum, operation| {
                sum.saturating_add(operation.amount.minor_units())
            })
        };
        Self {
            authorized: sum(|o| o.kind == OperationKind::Authorize && o.has_succeeded()),
            captured: sum(|o| o.kind == OperationKind::Capture && o.has_succeeded()),
            released: sum(|o| o.kind == OperationKind::Void && o.has_succeeded()),
            refunded: sum(|o| o.kind == OperationKind::Refund && o.has_succeeded()),
            refunding: sum(|o| o.kind == OperationKind::Refund && o.is_open()),
        }
    }

    /// What is reserved and neither captured nor let go of.
    #[must_use]
    pub const fn capturable(self) -> i64 {
        self.authorized
            .saturating_sub(self.captured)
            .saturating_sub(self.released)
    }

    /// What was captured and neither given back nor on its way back.
    #[must_use]
    pub const fn refundable(self) -> i64 {
        self.captured
            .saturating_sub(self.refunded)
            .saturating_sub(self.refunding)
    }
}
