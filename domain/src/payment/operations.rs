//! How operations begin and end. Each is durable before the acquirer is called, and open until its end is known.

use crate::identifier::OperationId;
use crate::money::Money;
use crate::timestamp::Timestamp;

use super::{
    DeclineCode, IllegalTransition, Operation, OperationKind, OperationRefused, OperationResult, Payment,
    PaymentEventKind, PaymentStatus, Transition,
};

impl Payment {
    /// Opens the authorization that is about to be sent. Store the payment before the acquirer is called: what is not
    /// known to have been sent can neither be asked for again nor be undone.
    ///
    /// # Errors
    /// When the payment is not `authorizing`, or an operation is open already.
    pub fn begin_authorization(
        &mut self,
        id: OperationId,
        now: Timestamp,
    ) -> Result<&Operation, OperationRefused> {
        let trigger = "begin_authorization";
        self.allow(trigger, &[PaymentStatus::Authorizing])?;
        let amount = self.record.details.amount;
        self.begin(OperationKind::Authorize, id, amount, now, trigger)
    }

    /// Opens a capture: of so much, or of all that is left. Store the payment before the acquirer is called.
    ///
    /// # Errors
    /// When nothing is reserved, another operation is open, or the amount is more than what is left or in another currency.
    pub fn begin_capture(
        &mut self,
        id: OperationId,
        amount: Option<Money>,
        now: Timestamp,
    ) -> Result<&Operation, OperationRefused> {
        let trigger = "begin_capture";
        self.allow(trigger, &[PaymentStatus::Authorized, PaymentStatus::Captured])?;
        let amount = self.within(amount, self.amounts().capturable())?;
        self.begin(OperationKind::Capture, id, amount, now, trigger)
    }

    /// Opens a void of what is reserved and not captured. Store the payment before the acquirer is called.
    ///
    /// # Errors
    /// When nothing is reserved any more, or another operation is open.
    pub fn begin_void(&mut self, id: OperationId, now: Timestamp) -> Result<&Operation, OperationRefused> {
        let trigger = "begin_void";
        self.allow(trigger, &[PaymentStatus::Authorized, PaymentStatus::Captured])?;
        let amount = self.within(None, self.amounts().capturable())?;
        self.begin(OperationKind::Void, id, amount, now, trigger)
    }

    /// Opens a refund: of so much, or of all that is left. Store the payment before the acquirer is called.
    ///
    /// # Errors
    /// When nothing is captured, another operation is open, or the amount is more than what is left or in another currency.
    pub fn begin_refund(
        &mut self,
        id: OperationId,
        amount: Option<Money>,
        now: Timestamp,
    ) -> Result<&Operation, OperationRefused> {
        let trigger = "begin_refund";
        self.allow(trigger, &[PaymentStatus::Captured])?;
        let amount = self.within(amount, self.amounts().refundable())?;
        self.begin(OperationKind::Refund, id, amount, now, trigger)
    }

    /// Takes in what the acquirer answered, or that it did not answer.
    ///
    /// # Errors
    /// When there is no such open operation, the payment's status does not allow the answer, or the answer's decline
    /// code is not the acquirer's to say.
    pub fn finish_operation(
        &mut self,
        id: &OperationId,
        result: OperationResult,
        now: Timestamp,
    ) -> Result<(), IllegalTransition> {
        let refused = self.illegal("finish_operation");
        if matches!(&result, OperationResult::Declined(code) if !code.is_acquirers()) {
            return Err(refused);
        }
        let operation = self
            .record
            .operations
            .iter()
            .find(|operation| operation.id == *id);
        let operation = operation.filter(|operation| operation.is_open()).ok_or(refused)?;
        let end = self.end_of(operation, &result);
        let from = self.record.status;
        let to = end
            .transition
            .map_or(Ok(from), |transition| from.after(transition))?;
        if let Some(operation) = self.open_operation_mut(id) {
            operation.finish(result, now);
        }
        self.move_to(to, now);
        if to == PaymentStatus::Declined {
            self.record.decline_code = end.decline_code;
        }
        if let Some(kind) = end.event {
            self.tell(kind, Some(id.clone()), now);
        }
        Ok(())
    }

    /// When the acquirer is to be asked what became of an operation, should its answer not come. Says nothing of one that has
    /// ended.
    pub fn inquire_at(&mut self, id: &OperationId, at: Timestamp) {
        if let Some(operation) = self.open_operation_mut(id) {
            operation.inquire_at = Some(at);
        }
    }

    /// The acquirer was asked what became of an operation, and could not say. `next` is when it is asked again; none leaves the
    /// operation to humans.
    ///
    /// # Errors
    /// When there is no such open operation.
    pub fn asked_in_vain(
        &mut self,
        id: &OperationId,
        next: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), IllegalTransition> {
        let refused = self.illegal("asked_in_vain");
        let operation = self.open_operation_mut(id).ok_or(refused)?;
        operation.asked_in_vain(next, now);
        self.touch(now);
        Ok(())
    }

    fn open_operation_mut(&mut self, id: &OperationId) -> Option<&mut Operation> {
        let operations = self.record.operations.iter_mut();
        operations
            .into_iter()
            .find(|operation| operation.id == *id && operation.is_open())
    }

    /// What an answer to an operation does to the payment.
    fn end_of(&self, operation: &Operation, result: &OperationResult) -> End {
        use OperationKind::{Authorize, Capture, Refund, Void};
        use OperationResult::{Declined, NotSent, Succeeded, Unknown};
        // Decided by what is stored, so that it is the same whoever takes the answer in, and when.
        let for_expiry =
            self.record.status == PaymentStatus::Authorized && self.is_overdue(operation.created_at);
        let moves = |transition, event| End {
            transition: Some(transition),
            event: Some(event),
            decline_code: None,
        };
        let stays = |event| End {
            transition: None,
            event,
            decline_code: None,
        };
        match (operation.kind, result) {
            // The money may have moved: the payment stays where it is until the acquirer has said what happened.
            (_, Unknown) => stays(None),
            (Authorize, Succeeded(_)) => moves(Transition::Authorized, PaymentEventKind::Authorized),
            (Authorize, Declined(code)) => End {
                decline_code: Some(*code),
                ..moves(Transition::AuthorizationDeclined, PaymentEventKind::Declined)
            },
            (Authorize, NotSent) => End {
                decline_code: Some(DeclineCode::AcquirerUnavailable),
                ..moves(Transition::AcquirerNotReached, PaymentEventKind::Declined)
            },
            (Capture, Succeeded(_)) => moves(Transition::Captured, PaymentEventKind::Captured),
            (Capture, Declined(_) | NotSent) => stays(Some(PaymentEventKind::CaptureFailed)),
            // Where the acquirer refuses to void what is over, it has let go of it by itself.
            (Void, Succeeded(_) | Declined(_)) if for_expiry => {
                moves(Transition::Expired, PaymentEventKind::Expired)
            }
            (Void, Succeeded(_)) => moves(Transition::Released, PaymentEventKind::Voided),
            (Void, Declined(_) | NotSent) => stays(Some(PaymentEventKind::VoidFailed)),
            (Refund, Succeeded(_)) => moves(Transition::Refunded, PaymentEventKind::Refunded),
            (Refund, Declined(_) | NotSent) => stays(Some(PaymentEventKind::RefundFailed)),
        }
    }

    /// Whether the payment stands where the command may be given, and no operation is under way.
    fn allow(&self, trigger: &'static str, statuses: &[PaymentStatus]) -> Result<(), OperationRefused> {
        if let Some(open) = self.open_operation() {
            return Err(OperationRefused::InFlight {
                operation: open.id.clone(),
            });
        }
        if !statuses.contains(&self.record.status) {
            return Err(self.illegal(trigger).into());
        }
        Ok(())
    }

    /// The amount that is asked for, or all of what is left, and no more than that.
    fn within(&self, amount: Option<Money>, remainder_minor_units: i64) -> Result<Money, OperationRefused> {
        let exceeds = OperationRefused::ExceedsRemainder {
            remainder_minor_units,
        };
        let currency = self.record.details.amount.currency();
        let remainder = Money::new(remainder_minor_units, currency);
        match amount {
            Some(amount) if amount.currency() != currency => {
                Err(OperationRefused::OtherCurrency { expected: currency })
            }
            Some(amount) if amount.minor_units() > remainder_minor_units => Err(exceeds),
            Some(amount) => Ok(amount),
            None => remainder.map_err(|_nothing_left| exceeds),
        }
    }

    fn begin(
        &mut self,
        kind: OperationKind,
        id: OperationId,
        amount: Money,
        now: Timestamp,
        trigger: &'static str,
    ) -> Result<&Operation, OperationRefused> {
        let refused = self.illegal(trigger);
        // Its name is what the acquirer tells operations apart by.
        if self.record.operations.iter().any(|operation| operation.id == id) {
            return Err(refused.into());
        }
        self.record
            .operations
            .push(Operation::sent(id, kind, amount, now));
        self.touch(now);
        self.record.operations.last().ok_or_else(|| refused.into())
    }
}

/// What an answer does to a payment.
struct End {
    transition: Option<Transition>,
    event: Option<PaymentEventKind>,
    decline_code: Option<DeclineCode>,
}
