//! Ports and use cases.
