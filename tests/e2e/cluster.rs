//! etcd as a cluster of three under real gateways, with payments under way all the time. Whatever becomes of the cluster, no
//! payment fails, each is decided by the last good set, and afterwards every node runs what the store says.

mod outages;
mod partitions;
mod restored;
mod scene;
