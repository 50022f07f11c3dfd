//! End-to-end tests that boot the gateway, and checks of the architecture.
