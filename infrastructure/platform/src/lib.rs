//! Adapters of the small ports: clock, identifiers, card fingerprints.
