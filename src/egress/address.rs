//! Which IP addresses are the public Internet's (IANA special-purpose registries, RFC 6890 and successors).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// True for an address that belongs to the public Internet: not loopback, private, link-local (where cloud metadata
/// services live), shared, reserved, documentation, multicast, nor an IPv6 form that hides such an IPv4 address.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// True for loopback, in any of its spellings.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback()),
    }
}

/// IPv4 networks that are not the public Internet's: address and prefix length.
const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),           // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, cloud metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24), // AS112
    (Ipv4Addr::new(192, 52, 193, 0), 24), // AMT
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(192, 175, 48, 0), 24), // AS112
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 3),     // multicast, reserved, broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |net: &Ipv4Addr, len: u32| address.to_bits() >> (32 - len) == net.to_bits() >> (32 - len);
    !SPECIAL_V4.iter().any(|(net, len)| within(net, *len))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = address.to_bits();
    let below = |net: &str, len: u32| {
        let net = net.parse::<Ipv6Addr>().map_or(0, Ipv6Addr::to_bits);
        bits >> (128 - len) == net >> (128 - len)
    };
    let embedded = |shift: u32| {
        let v4 = u32::try_from((bits >> shift) & u128::from(u32::MAX)).unwrap_or(0);
        is_public_v4(Ipv4Addr::from_bits(v4))
    };
    if below("::ffff:0:0", 96) || below("64:ff9b::", 96) {
        // IPv4-mapped and NAT64: as public as the IPv4 address inside.
        return embedded(0);
    }
    if below("2002::", 16) {
        // 6to4: likewise.
        return embedded(80);
    }
    // Only 2000::/3 has been given out as global unicast; in it, Teredo and other protocol assignments (2001::/23) and
    // documentation are special.
    below("2000::", 3) && !below("2001::", 23) && !below("2001:db8::", 32) && !below("3fff::", 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_house_and_of_the_cloud_are_not_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:0a00:0001::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.1.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:0808:0808::1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_loopback_is_public(raw: u128) {
            let v6 = IpAddr::V6(Ipv6Addr::from(raw));
            let v4 = IpAddr::V4(Ipv4Addr::from(u32::try_from(raw & 0xffff_ffff).unwrap()));
            for address in [v4, v6] {
                proptest::prop_assert!(!(is_loopback(address) && is_public(address)));
            }
        }

        #[test]
        fn an_ipv4_address_is_as_public_in_an_ipv6_coat(raw: u32) {
            let v4 = Ipv4Addr::from(raw);
            let mapped = v4.to_ipv6_mapped();
            proptest::prop_assert_eq!(is_public(IpAddr::V4(v4)), is_public(IpAddr::V6(mapped)));
        }
    }
}
