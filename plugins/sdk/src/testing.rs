//! Trying a policy on the author's own machine, with the requests that a gateway would make.
//!
//! ```
//! use portcullis_policy::testing::{card, payment, request};
//! use portcullis_policy::{Card, Descriptor, PaymentParts, Subject, count};
//!
//! let descriptor = Descriptor::new("a rule")
//!     .reads(PaymentParts::CARD)
//!     .feature("card_count_1h", count(Subject::Card).within_hours(1));
//! let abroad = Card { issuer_country: Some("SG".into()), ..card() };
//! let request = request(&descriptor, payment().amount(12_900, "CNY").card(abroad).build())
//!     .count("card_count_1h", 3)
//!     .build();
//! assert_eq!(request.count("card_count_1h"), Ok(Some(3)));
//! ```

mod difference;
mod exponents;
mod format;
mod golden;
mod payment;
mod recorded;
mod request;

pub use golden::{GoldenCaseError, assert_golden_cases, check_golden_cases};
pub use payment::{PaymentBuilder, card, customer, device, payment};
pub use recorded::{logs, signals};
pub(crate) use recorded::{record_log, record_signal};
pub use request::{RequestBuilder, RequestError, request};
