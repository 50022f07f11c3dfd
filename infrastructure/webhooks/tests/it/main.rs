//! Webhooks to real endpoints on the loopback, out of a real store in a file.
//!
//! Each module is marked as a test, so that its functions may stop at what they do not expect (see clippy.toml).

#[cfg(test)]
mod delivering;
#[cfg(test)]
mod failing;
#[cfg(test)]
mod forbidden;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod tls;
