//! What each network holds at once, so that one cannot take everything.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::http::ClientIp;

/// Counts what networks hold: a number for each, up to a bound for each and one for all.
#[derive(Debug, Clone)]
pub struct Networks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: u64,
    most_of_all: u64,
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
        Self(Arc::new(Inner {
            most,
            most_of_all,
            held: Mutex::default(),
        }))
    }

    /// Takes a part of this size for an address's network, if there is room for it. Where many are
    /// behind the address, it is `None`, and the bound of all is the only one.
    pub fn take(&self, address: Option<IpAddr>, size: u64) -> Option<Part> {
        let network = address.map(|ip| ClientIp(ip).network());
        let mut held = self.held();
        let all = held.all.checked_add(size)?;
        if all > self.0.most_of_all {
            return None;
        }
        if let Some(network) = network {
            let of_network = held.each.get(&network).copied().unwrap_or(0) + size;
            if of_network > self.0.most {
                return None;
            }
            held.each.insert(network, of_network);
        }
        held.all = all;
        drop(held);
        Some(Part {
            networks: self.clone(),
            network,
            size,
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn a_network_that_holds_nothing_is_forgotten() {
        let networks = Networks::new(5, 100);
        drop(networks.take(ip("192.0.2.1"), 3));
        assert!(networks.held().each.is_empty());
        assert_eq!(networks.held().all, 0);
    }
}
