//! What each network holds at once, so that one cannot take everything.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Returns the network that one customer usually holds: the address, or the first 64 bits.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let bits = u128::from(v6) & !(u128::from(u64::MAX));
            IpAddr::V6(Ipv6Addr::from(bits))
        }
        v4 => v4,
    }
}

/// Counts what networks hold: a number for each, up to a bound for each and one for all.
#[derive(Debug, Clone)]
pub struct Networks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: u64,
    most_of_all: u64,
    shrinks: bool,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: u64,
    each: HashMap<IpAddr, u64>,
}

/// A network's part, given back when dropped.
#[derive(Debug)]
pub struct Part {
    networks: Networks,
    network: Option<IpAddr>,
    size: u64,
}

impl Networks {
    /// Lets one network hold `most`, and all together `most_of_all`.
    pub fn new(most: u64, most_of_all: u64) -> Self {
        Self::of(most, most_of_all, false)
    }

    /// The same, and one network holds less the more all of them hold: of many that take what they
    /// may one after the other, the last still finds room.
    pub fn shrinking(most: u64, most_of_all: u64) -> Self {
        Self::of(most, most_of_all, true)
    }

    fn of(most: u64, most_of_all: u64, shrinks: bool) -> Self {
        Self(Arc::new(Inner {
            most,
            most_of_all,
            shrinks,
            held: Mutex::default(),
        }))
    }

    /// Returns what one network may hold while all hold `used`: where shares shrink, with the square
    /// of what is free, which leaves more to whoever comes late than a constant fraction.
    fn share(&self, used: u64) -> u64 {
        if !self.0.shrinks {
            return self.0.most;
        }
        let free = u128::from(self.0.most_of_all.saturating_sub(used));
        let share = free * free / (2 * u128::from(self.0.most_of_all.max(1)));
        self.0.most.min(u64::try_from(share).unwrap_or(u64::MAX))
    }

    /// Takes a part of this size for an address's network, if there is room for it. Where many are
    /// behind the address, it is `None`, and the bound of all is the only one.
    pub fn take(&self, address: Option<IpAddr>, size: u64) -> Option<Part> {
        let mut part = Part {
            networks: self.clone(),
            network: address.map(network_of),
            size: 0,
        };
        part.grow(size).then_some(part)
    }

    fn add(&self, network: Option<IpAddr>, size: u64) -> bool {
        let mut held = self.held();
        let all = match held.all.checked_add(size) {
            Some(all) if all <= self.0.most_of_all => all,
            _ => return false,
        };
        if let Some(network) = network {
            let before = held.each.get(&network).copied().unwrap_or(0);
            let of_network = before.saturating_add(size);
            if of_network > self.share(held.all) {
                return false;
            }
            held.each.insert(network, of_network);
        }
        held.all = all;
        true
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    /// Makes it larger, if there is room for that; else it stays as it is.
    pub fn grow(&mut self, more: u64) -> bool {
        let grown = self.networks.add(self.network, more);
        if grown {
            self.size = self.size.saturating_add(more);
        }
        grown
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut held = self.networks.held();
        held.all = held.all.saturating_sub(self.size);
        if let Some(network) = self.network
            && let Some(of_network) = held.each.get_mut(&network)
        {
            *of_network = of_network.saturating_sub(self.size);
            // What was held by a network that holds nothing is not remembered.
            if *of_network == 0 {
                held.each.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_network_that_holds_its_part_gets_no_more_until_it_gives_some_back() {
        let networks = Networks::new(2, 100);
        let first = networks.take(ip("192.0.2.1"), 1).unwrap();
        let _second = networks.take(ip("192.0.2.1"), 1).unwrap();
        assert!(networks.take(ip("192.0.2.1"), 1).is_none());
        assert!(networks.take(ip("192.0.2.2"), 2).is_some());
        drop(first);
        assert!(networks.take(ip("192.0.2.1"), 1).is_some());
    }

    #[test]
    fn an_ipv6_network_is_its_first_64_bits_and_a_mapped_address_is_the_ipv4_one() {
        let networks = Networks::new(1, 100);
        let _one = networks.take(ip("2001:db8::1"), 1).unwrap();
        assert!(networks.take(ip("2001:db8::2:3"), 1).is_none());
        assert!(networks.take(ip("2001:db8:0:1::1"), 1).is_some());
        let _four = networks.take(ip("::ffff:192.0.2.1"), 1).unwrap();
        assert!(networks.take(ip("192.0.2.1"), 1).is_none());
    }

    #[test]
    fn many_behind_one_address_are_bounded_together_with_all() {
        let networks = Networks::new(1, 3);
        let _shared = [
            networks.take(None, 2).unwrap(),
            networks.take(None, 1).unwrap(),
        ];
        assert!(networks.take(None, 1).is_none());
        assert!(networks.take(ip("192.0.2.1"), 1).is_none());
        assert!(networks.take(None, u64::MAX).is_none());
    }

    #[test]
    fn a_part_grows_as_long_as_there_is_room_and_gives_everything_back() {
        let networks = Networks::new(5, 8);
        let mut one = networks.take(ip("192.0.2.1"), 2).unwrap();
        assert!(one.grow(3) && !one.grow(1));
        let mut two = networks.take(ip("192.0.2.2"), 3).unwrap();
        assert!(!two.grow(1));
        drop(one);
        assert!(two.grow(2) && !two.grow(1));
        drop(two);
        assert_eq!(networks.held().all, 0);
        assert!(networks.held().each.is_empty());
    }

    #[test]
    fn where_shares_shrink_the_last_of_many_that_take_all_they_may_still_finds_room() {
        const ALL: u64 = 32 << 20;
        let networks = Networks::shrinking(8 << 20, ALL);
        let greedy = |network: u8| {
            let mut part = networks.take(ip(&format!("192.0.2.{network}")), 0)?;
            while part.grow(1 << 10) {}
            Some(part)
        };
        let parts: Vec<_> = (0..20).filter_map(greedy).collect();
        assert_eq!(parts[0].size, 8 << 20);
        assert!(parts.windows(2).all(|pair| pair[1].size <= pair[0].size));
        // Enough for a registration, after four of them and after ten.
        assert!(parts[4].size > 1 << 20 && parts[10].size > 300 << 10);
        assert!(networks.held().all < ALL);
        assert!(networks.take(ip("198.51.100.1"), 64 << 10).is_some());
    }

    #[test]
    fn a_network_that_holds_nothing_is_forgotten() {
        let networks = Networks::new(5, 100);
        drop(networks.take(ip("192.0.2.1"), 3));
        assert!(networks.held().each.is_empty());
        assert_eq!(networks.held().all, 0);
    }
}
