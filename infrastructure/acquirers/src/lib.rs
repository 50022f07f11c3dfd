//! Adapters of the acquirer port.
