//! Card numbers that the simulator answers in a way of their own. `docs/test-cards.md` tells merchants about them.

/// Approved, as is every other number that is not here.
pub const APPROVED: &str = "4242424242424242";
/// Declined by the issuer without a reason.
pub const CARD_DECLINED: &str = "4000000000000002";
/// Declined, because the account does not hold the amount.
pub const INSUFFICIENT_FUNDS: &str = "4000000000009995";
/// Approved, but only after a while.
pub const SLOW: &str = "4000000000000200";
/// Charged, but the answer is lost: the outcome is unknown.
pub const NO_ANSWER: &str = "4000000000000507";
/// The acquirer is not reached, and nothing is charged.
pub const NOT_REACHED: &str = "4000000000000515";
/// Charged, and then the connection is closed instead of an answer.
pub const CLOSED_AFTER: &str = "4000000000000523";
/// Charged, and then an error of the server is the answer.
pub const ERROR_AFTER: &str = "4000000000000531";
/// Nothing is charged, and an error of the server is the answer.
pub const ERROR_BEFORE: &str = "4000000000000549";
/// Nothing is charged: another request with the same key is said to be under way.
pub const CONFLICT: &str = "4000000000000556";
/// Nothing is charged, and the acquirer says so: it is too busy.
pub const BUSY: &str = "4000000000000564";
/// Charged, but all that is answered is that the operation is under way; an inquiry has the answer.
pub const UNDER_WAY: &str = "4000000000000572";
