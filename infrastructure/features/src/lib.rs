//! Adapters of the feature port: velocity and lists.
//!
//! [`open`] makes the one that the configuration asks for: [`MemoryFeatureStore`] counts in the memory of one gateway,
//! [`RedisFeatureStore`] in a Redis that several share. Lists are the same for both: [`SubjectLists`] holds them in memory,
//! [`FollowedLists`] keeps them current. What the first one promises:
//!
//! - A window is counted to the second at first; what is older than two minutes is counted in buckets of at most 1/64 of
//!   its age. So a value never misses a payment of its window, and may hold older ones of at most 1/64 of the window's
//!   length beyond its far edge.
//! - A payment counts from its own time, however late it comes. One that comes late sees those that came before it, also
//!   where their own time is a little later. What lies more than five minutes after an attempt was dated by a clock that
//!   was wrong, and is forgotten.
//! - A payment, told by its merchant and name, counts once with each of its subjects.
//! - `distinct` counts exactly up to [`Config::max_distinct`], and says that number when there are more; of attempted,
//!   approved and declined payments each by itself.
//! - A value is one in every spelling: white space round it, characters that are not seen, the case of an e-mail address
//!   and the dot behind its domain make no other one.
//! - Memory is bounded by [`Config`]; what is forgotten is what was idle for longest.
//! - Text from outside is only kept as a digest under a key that changes at every start, so that nobody can make values
//!   that meet in one place.

mod config;
mod lists;
mod memory;
mod open;
mod redis;

pub use config::{Config, ConfigError, RedisConfig, StoreKind};
pub use lists::{FollowedLists, ListError, SubjectLists};
pub use memory::MemoryFeatureStore;
pub use open::{OpenedFeatures, open};
pub use redis::{RedisConfigError, RedisFeatureStore, SubjectKey};
