//! Keys to the HTTP interface: how they are written, and which of them work right now.

mod ring;
mod token;

pub use ring::{ApiKeyRing, Caller, Recognized};
pub use token::{ApiKeyToken, TokenError};
