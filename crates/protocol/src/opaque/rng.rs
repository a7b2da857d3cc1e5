//! Lends a generator of today's `rand_core` to a crate of the older generation.

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
