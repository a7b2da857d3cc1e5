//! Which node something lies at.

use sha3::{Digest, Sha3_256};

/// Returns the node with the greatest weight for a key: rendezvous hashing. Without one of the nodes only
/// its own keys move.
pub(super) fn place<'a>(nodes: impl Iterator<Item = &'a str>, key: &[u8]) -> usize {
    let weight = |name: &str| {
        let mut hasher = Sha3_256::new();
        hasher.update((name.len() as u64).to_be_bytes());
        hasher.update(name);
        hasher.update(key);
        let hash: [u8; 32] = hasher.finalize().into();
        hash
    };
    let weighed = nodes.enumerate().map(|(index, name)| (weight(name), index));
    weighed.max().map_or(0, |(_, index)| index)
}

/// Names a node in two bytes, for tokens.
pub(super) fn tag(name: &str) -> [u8; 2] {
    let hash: [u8; 32] = Sha3_256::digest(name).into();
    [hash[0], hash[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(nodes: &[&str]) -> Vec<usize> {
        let keys = (0..1000_u32).map(u32::to_be_bytes);
        keys.map(|key| place(nodes.iter().copied(), &key)).collect()
    }

    #[test]
    fn keys_are_spread_and_only_those_of_a_node_that_is_gone_move() {
        let all = places(&["a:1", "b:1", "c:1"]);
        for node in 0..3 {
            let count = all.iter().filter(|at| **at == node).count();
            assert!((250..420).contains(&count), "{count}");
        }
        let fewer = places(&["a:1", "b:1"]);
        for (before, after) in all.iter().zip(&fewer) {
            assert!(*before == 2 || before == after);
        }
        assert_eq!(places(&["a:1"]), vec![0; 1000]);
    }

    #[test]
    fn the_order_of_the_list_does_not_matter() {
        let names = ["a:1", "b:1", "c:1"];
        let turned = ["c:1", "a:1", "b:1"];
        let by_name = |nodes: [&'static str; 3]| -> Vec<_> {
            places(&nodes).into_iter().map(|at| nodes[at]).collect()
        };
        assert_eq!(by_name(names), by_name(turned));
        assert_ne!(tag("a:1"), tag("b:1"));
    }
}
