//! Adapts a generator of `rand_core` to the older version that `opaque-ke` uses.

use opaque_ke::rand::{self, CryptoRng, RngCore};

pub(super) struct Lent<'a, R: ?Sized>(pub &'a mut R);

impl<R: rand_core::CryptoRng + ?Sized> RngCore for Lent<'_, R> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand::Error> {
        self.0.fill_bytes(dest);
        Ok(())
    }
}

impl<R: rand_core::CryptoRng + ?Sized> CryptoRng for Lent<'_, R> {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand_core::Rng as _;

    use super::*;
    use crate::vectors::SeededRng;

    #[test]
    fn what_is_drawn_is_what_the_lent_generator_gives() {
        let (lent, own) = (&mut SeededRng::new(1), &mut SeededRng::new(1));
        let mut lent = Lent(lent);
        assert_eq!(lent.next_u32(), own.next_u32());
        assert_eq!(lent.next_u64(), own.next_u64());
        let (mut drawn, mut expected) = ([0; 9], [0; 9]);
        lent.fill_bytes(&mut drawn);
        own.fill_bytes(&mut expected);
        assert_eq!(drawn, expected);
        lent.try_fill_bytes(&mut drawn).unwrap();
        own.fill_bytes(&mut expected);
        assert_eq!(drawn, expected);
    }
}
