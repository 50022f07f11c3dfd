//! Ranges of IP addresses, searched by halves.

use std::net::IpAddr;

use crate::normalize::parse_ip;

/// From the first to the last address, as numbers; IPv4 lies where IPv6 maps it to (`::ffff:0:0/96`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IpRange {
    first: u128,
    last: u128,
}

impl IpRange {
    /// An address, or a range such as `2001:db8::/32`. A range with bits behind its length is none: whoever wrote it
    /// meant something else.
    pub(super) fn parse(entry: &str) -> Option<Self> {
        let Some((address, length)) = entry.split_once('/') else {
            let address = number(parse_ip(entry)?);
            return Some(Self {
                first: address,
                last: address,
            });
        };
        if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let length: u32 = length.parse().ok()?;
        let (address, width) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(ip) => (number(IpAddr::V4(ip)), 32),
            IpAddr::V6(ip) => (ip.to_bits(), 128),
        };
        let behind = width - Some(length).filter(|length| *length <= width)?;
        // A shift by all 128 bits gives none; then every bit lies behind.
        let mask = 1_u128.checked_shl(behind).map_or(u128::MAX, |bit| bit - 1);
        (address & mask == 0).then_some(Self {
            first: address,
            last: address | mask,
        })
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// Ranges that do not overlap, in order.
#[derive(Debug, Default)]
pub(super) struct IpRanges(Vec<IpRange>);

impl IpRanges {
    pub(super) fn new(mut ranges: Vec<IpRange>) -> Self {
        ranges.sort_unstable();
        let mut apart: Vec<IpRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match apart.last_mut() {
                Some(before) if range.first <= before.last => before.last = before.last.max(range.last),
                _ => apart.push(range),
            }
        }
        Self(apart)
    }

    pub(super) fn contain(&self, ip: IpAddr) -> bool {
        let address = number(ip);
        let after = self.0.partition_point(|range| range.first <= address);
        after
            .checked_sub(1)
            .and_then(|index| self.0.get(index))
            .is_some_and(|range| address <= range.last)
    }
}
