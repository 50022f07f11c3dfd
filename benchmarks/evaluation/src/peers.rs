//! Other engines for rules.
