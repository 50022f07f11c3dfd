//! Policies: stores, verification, sandbox, policy set, reconciler. The only crate that knows wasmtime and etcd.
