//! Which addresses are sent to: public ones, and those of networks that the operator allows. A merchant chooses the URL, and the
//! gateway must not become his way into the network that it stands in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

macro_rules! v4 {
    ($a:literal, $b:literal, $c:literal, $d:literal / $length:literal) => {
        Ipv4Net::new_assert(Ipv4Addr::new($a, $b, $c, $d), $length)
    };
}

/// What IANA's registry of special-purpose addresses says is not reached over the internet, and multicast.
const SPECIAL_V4: [Ipv4Net; 16] = [
    v4!(0, 0, 0, 0 / 8),       // this network
    v4!(10, 0, 0, 0 / 8),      // private
    v4!(100, 64, 0, 0 / 10),   // shared by carriers
    v4!(127, 0, 0, 0 / 8),     // loopback
    v4!(169, 254, 0, 0 / 16),  // link-local; clouds serve credentials here
    v4!(172, 16, 0, 0 / 12),   // private
    v4!(192, 0, 0, 0 / 24),    // protocol assignments
    v4!(192, 0, 2, 0 / 24),    // documentation
    v4!(192, 31, 196, 0 / 24), // AS112
    v4!(192, 88, 99, 0 / 24),  // relays of 6to4
    v4!(192, 168, 0, 0 / 16),  // private
    v4!(198, 18, 0, 0 / 15),   // benchmarks
    v4!(198, 51, 100, 0 / 24), // documentation
    v4!(203, 0, 113, 0 / 24),  // documentation
    v4!(224, 0, 0, 0 / 4),     // multicast
    v4!(240, 0, 0, 0 / 4),     // reserved, broadcast
];

/// All that is routed over the internet lies in here, which leaves out loopback, link-local, unique-local, multicast, and both
/// prefixes of NAT64.
const GLOBAL_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Parts of it that are not.
const SPECIAL_V6: [Ipv6Net; 4] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    Ipv6Net::new_assert(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: another address is inside
    Ipv6Net::new_assert(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Says of an address whether it is sent to.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressRules {
    allowed: Vec<IpNet>,
}

impl AddressRules {
    pub(crate) fn new(allowed: &[IpNet]) -> Self {
        Self {
            allowed: allowed.to_vec(),
        }
    }

    pub(crate) fn allow(&self, address: IpAddr) -> bool {
        // An IPv4 address in the clothes of IPv6 is what it is.
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address)) || is_public(address)
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|special| special.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|special| special.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rules: &AddressRules, address: &str) -> bool {
        rules.allow(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_sent_to() {
        let rules = AddressRules::default();
        for public in [
            "8.8.8.8",
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            assert!(allows(&rules, public), "{public}");
        }
    }

    #[test]
    fn what_is_not_public_is_not_sent_to() {
        let rules = AddressRules::default();
        for other in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!allows(&rules, other), "{other}");
        }
    }

    #[test]
    fn an_allowed_network_is_sent_to_and_nothing_beside_it() {
        let rules = AddressRules::new(&["10.20.0.0/16".parse().unwrap(), "fd00:1::/32".parse().unwrap()]);
        for allowed in ["10.20.3.4", "::ffff:10.20.3.4", "fd00:1::9", "8.8.8.8"] {
            assert!(allows(&rules, allowed), "{allowed}");
        }
        for other in ["10.21.0.1", "127.0.0.1", "fd00:2::1"] {
            assert!(!allows(&rules, other), "{other}");
        }
    }
}
