//! Adapters of the feature port: velocity and lists.
