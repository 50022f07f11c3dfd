//! The gateway from outside: the real binary, a real etcd, policies from their real toolchain.

mod api;
mod command_line;
mod directory_store;
mod hostile_policies;
mod hot_reload;
mod refusals;
mod shutdown;
mod store_outage;
