//! Randomness that is none, so that a failure can be looked at again.

use jit::domain::id::Digest;
use jit::ports::{Rng, RngError};

/// Each of its numbers is the digest of the next count.
pub struct Counting(pub u64);

impl Rng for Counting {
    fn bytes16(&mut self) -> Result<[u8; 16], RngError> {
        Ok(self.bytes32()?[..16].try_into().unwrap())
    }

    fn bytes32(&mut self) -> Result<[u8; 32], RngError> {
        self.0 += 1;
        Ok(*Digest::of(&self.0.to_be_bytes()).as_bytes())
    }
}
