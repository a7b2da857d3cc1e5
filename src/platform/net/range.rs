//! Addresses that belong together, as a setting names them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One address, or all that begin with the same bits: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    /// The first address.
    first: IpAddr,
    /// Bits that all of them begin with.
    bits: u8,
}

/// The text names no addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address and no range; write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32")]
pub struct NoRange(String);

/// The number of an address, with as many bits as its family has.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u32::from(v4).into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl AddressRange {
    /// Returns whether an address is one of these; one that is mapped into IPv6 is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let rest = u32::from(width(self.first) - self.bits);
        let begin = |address| number(address).checked_shr(rest).unwrap_or(0);
        address.is_ipv4() == self.first.is_ipv4() && begin(address) == begin(self.first)
    }
}

impl FromStr for AddressRange {
    type Err = NoRange;

    fn from_str(text: &str) -> Result<Self, NoRange> {
        let wrong = || NoRange(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| wrong())?;
        let first = written.to_canonical();
        // The bits of an address that is mapped into IPv6 count from the beginning of that.
        let mapped = width(written) - width(first);
        let bits: u8 = bits.unwrap_or_else(|| width(written));
        let bits = bits.checked_sub(mapped).ok_or_else(wrong)?;
        let rest = width(first).checked_sub(bits).ok_or_else(wrong)?;
        let of_rest = 1_u128.checked_shl(rest.into()).unwrap_or(0).wrapping_sub(1);
        // A range that does not begin at its first address was meant to be another.
        if number(first) & of_rest != 0 {
            return Err(wrong());
        }
        Ok(Self { first, bits })
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, bits } = self;
        if *bits == width(*first) {
            write!(f, "{first}")
        } else {
            write!(f, "{first}/{bits}")
        }
    }
}

impl Serialize for AddressRange {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AddressRange {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> AddressRange {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_range_has_the_addresses_that_begin_alike_and_no_others() {
        for (text, inside, outside) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.244.128.0/17", "10.244.128.1", "10.244.127.255"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
            ("::1", "::1", "::2"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.6"),
        ] {
            let range = range(text);
            assert!(range.contains(inside.parse().unwrap()), "{text}: {inside}");
            assert!(
                !range.contains(outside.parse().unwrap()),
                "{text}: {outside}"
            );
        }
    }

    #[test]
    fn a_range_is_written_as_it_was_read_and_one_address_as_itself() {
        for text in ["192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"] {
            assert_eq!(range(text).to_string(), text);
            let read: AddressRange = serde_json::from_value(text.into()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), text);
        }
        assert_eq!(range("192.0.2.7/32").to_string(), "192.0.2.7");
    }

    #[test]
    fn what_is_no_range_is_refused_with_how_one_is_written() {
        for text in [
            "",
            "proxy",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "10.0.0.1/8",
            "2001:db8::1/32",
            "::ffff:10.0.0.0/8",
            "10.0.0.0-10.0.0.9",
        ] {
            let refused = text.parse::<AddressRange>().unwrap_err().to_string();
            assert!(refused.contains("10.0.0.0/8 or"), "{text}: {refused}");
        }
    }
}
