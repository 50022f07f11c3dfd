//! Adapters of the payment repository.
