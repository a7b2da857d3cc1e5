//! The key stretching function: Argon2id, 64 MiB, three passes, one lane.
//!
//! Specification: `docs/protocol/accounts.md#opaque`.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use opaque_ke::errors::InternalError;
use opaque_ke::generic_array::{ArrayLength, GenericArray};
use opaque_ke::ksf::Ksf;
use zeroize::Zeroize;

/// Memory in KiB: 64 MiB.
pub const ARGON2_MEMORY_KIB: u32 = 64 * 1024;
/// Passes over the memory.
pub const ARGON2_PASSES: u32 = 3;
/// Lanes.
pub const ARGON2_LANES: u32 = 1;

/// Argon2id with the protocol's constants; there is no way to make another.
#[derive(Debug, Default)]
pub struct Argon2id(());

impl Ksf for Argon2id {
    fn hash<L: ArrayLength<u8>>(
        &self,
        input: GenericArray<u8, L>,
    ) -> Result<GenericArray<u8, L>, InternalError> {
        let mut output = GenericArray::default();
        let params = Params::new(
            ARGON2_MEMORY_KIB,
            ARGON2_PASSES,
            ARGON2_LANES,
            Some(output.len()),
        )
        .map_err(|_| InternalError::KsfError)?;
        let blocks = params.block_count();
        let mut memory: Vec<Block> = Vec::new();
        memory
            .try_reserve_exact(blocks)
            .map_err(|_| InternalError::KsfError)?;
        memory.resize(blocks, Block::default());
        // RFC 9807 salts with zeros: the OPRF output is already salted per account.
        let result = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(&input, &[0; 16], &mut output, &mut memory);
        memory.iter_mut().for_each(Zeroize::zeroize);
        let mut input = input;
        input.as_mut_slice().zeroize();
        result.map_err(|_| InternalError::KsfError)?;
        Ok(output)
    }
}
