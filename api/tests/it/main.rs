//! The HTTP interface from outside, over fakes. Files lie as the paths do.
//!
//! Each is marked as a test, so that its functions may stop at what they do not expect (see clippy.toml).

#[cfg(test)]
mod access;
#[cfg(test)]
mod caller;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod fakes;
#[cfg(test)]
mod fuzz_corpus;
#[cfg(test)]
mod healthz;
#[cfg(test)]
mod hostile_bodies;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod readyz;
#[cfg(test)]
mod server;
#[cfg(test)]
mod unmatched;
#[cfg(test)]
mod v1;
