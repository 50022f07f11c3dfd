//! Ranges of IP addresses.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::spelling::parse_ip;

/// How many bits of an IPv6 address say that it holds an IPv4 one (`::ffff:0:0/96`).
const MAPPED_BITS: u8 = 96;

/// All addresses that begin with the same bits; one address alone where it is all of them. IPv4 lies where IPv6 maps it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpRange {
    network: u128,
    length: u8,
}

impl IpRange {
    /// An address, or a range such as `2001:db8::/32`; none where it is neither. A range with bits behind its length is
    /// none: whoever wrote it meant something else.
    #[must_use]
    pub fn parse(entry: &str) -> Option<Self> {
        let Some((address, length)) = entry.split_once('/') else {
            return Some(Self::of(parse_ip(entry)?));
        };
        if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let length: u8 = length.parse().ok()?;
        let (network, length) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(ip) if length <= 32 => (ip.to_ipv6_mapped().to_bits(), MAPPED_BITS + length),
            IpAddr::V6(ip) if length <= 128 => (ip.to_bits(), length),
            _ => return None,
        };
        (network & !mask(length) == 0).then_some(Self { network, length })
    }

    /// One address alone.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let address = match address.to_canonical() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        Self {
            network: address.to_bits(),
            length: 128,
        }
    }

    /// How many first bits its addresses share, IPv4 counted as mapped into IPv6: 0 to 128.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.length
    }

    /// The wider range of this many shared bits around it. A longer one changes nothing.
    #[must_use]
    pub fn widened_to(self, length: u8) -> Self {
        let length = length.min(self.length);
        Self {
            network: self.network & mask(length),
            length,
        }
    }
}

/// The first bits.
fn mask(length: u8) -> u128 {
    // A shift by all 128 bits gives none; then every bit is set.
    u128::MAX
        .checked_shr(u32::from(length))
        .map_or(u128::MAX, |behind| !behind)
}

impl fmt::Display for IpRange {
    /// In its one spelling: `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from_bits(self.network);
        match address.to_ipv4_mapped() {
            Some(address) if self.length == 128 => write!(f, "{address}"),
            Some(address) if self.length >= MAPPED_BITS => {
                write!(f, "{address}/{}", self.length - MAPPED_BITS)
            }
            _ if self.length == 128 => write!(f, "{address}"),
            _ => write!(f, "{address}/{}", self.length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(entry: &str) -> IpRange {
        IpRange::parse(entry).unwrap()
    }

    #[test]
    fn a_range_is_shown_in_its_one_spelling() {
        for (entry, spelled) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1/32", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8:0::/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("2001:db8::1/128", "2001:db8::1"),
        ] {
            assert_eq!(parsed(entry).to_string(), spelled);
            assert_eq!(parsed(spelled), parsed(entry), "it is read again as the same one");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_no_range() {
        for entry in [
            "",
            "here",
            "192.0.2",
            "192.0.2.1/24",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2.0/+8",
            "192.0.2.0/256",
            "2001:db8::/129",
            "2001:db8::1/64",
        ] {
            assert_eq!(IpRange::parse(entry), None, "{entry}");
        }
    }

    #[test]
    fn a_range_is_widened_to_the_one_around_it() {
        let address = parsed("192.0.2.77");
        assert_eq!(address.widened_to(96 + 24), parsed("192.0.2.0/24"));
        assert_eq!(address.widened_to(96), parsed("0.0.0.0/0"));
        assert_eq!(address.widened_to(0), parsed("::/0"));
        assert_eq!(address.widened_to(128), address);
        assert_eq!(parsed("192.0.2.0/24").widened_to(128), parsed("192.0.2.0/24"));
    }
}
