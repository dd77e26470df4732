//! Pieces of files, read where they are asked for and kept for a while: no file is mapped, so that the memory is ours to
//! bound and a file that is cut under us is an error and no signal. Imports nothing of ours.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::PackError;

/// How many bytes are read at a time.
const BLOCK: usize = 16 * 1024;
/// How many blocks are kept: 16 MiB.
const SLOTS: usize = 1024;

/// Something with bytes at places: a file, or, for tests, the bytes themselves.
pub trait Source {
    /// Fills `buffer` with the bytes at `at`.
    ///
    /// # Errors
    /// Where there are not as many.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()>;

    /// How many bytes there are.
    ///
    /// # Errors
    /// Where that cannot be asked.
    fn length(&self) -> io::Result<u64>;
}

impl Source for File {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        self.read_exact_at(buffer, at)
    }

    fn length(&self) -> io::Result<u64> {
        self.metadata().map(|meta| meta.len())
    }
}

impl Source for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        let bytes = usize::try_from(at).ok().and_then(|at| self.get(at..at.checked_add(buffer.len())?));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        u64::try_from(self.len()).map_err(io::Error::other)
    }
}

/// The blocks that were read lately, of all packs.
#[derive(Default)]
pub struct Blocks {
    slots: Vec<Slot>,
    /// What lies in more than one block.
    joined: Vec<u8>,
}

#[derive(Default, Clone)]
struct Slot {
    /// Which pack, and which block of it.
    of: Option<(u64, u64)>,
    bytes: Vec<u8>,
}

impl Blocks {
    /// Up to `wish` bytes at `at` of the source that is known as `serial`, of which `end` bytes may be read: fewer only at
    /// that end.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn view(
        &mut self,
        source: &impl Source,
        serial: u64,
        end: u64,
        at: u64,
        wish: usize,
    ) -> Result<&[u8], PackError> {
        let left = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
        let wish = wish.min(left);
        let block = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        let (number, within) = (at / block, usize::try_from(at % block).unwrap_or_default());
        if within + wish <= BLOCK {
            let bytes = self.block(source, serial, end, number)?;
            return Ok(bytes.get(within..within + wish).unwrap_or_default());
        }
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        if wish > 2 * BLOCK {
            // So much that it would push out everything else.
            joined.resize(wish, 0);
            source.read_at(&mut joined, at)?;
        } else {
            for number in number..=(at + u64::try_from(wish).unwrap_or_default()) / block {
                if number * block < end {
                    joined.extend_from_slice(self.block(source, serial, end, number)?);
                }
            }
            joined.drain(..within.min(joined.len()));
            joined.truncate(wish);
        }
        self.joined = joined;
        Ok(&self.joined)
    }

    fn block(&mut self, source: &impl Source, serial: u64, end: u64, number: u64) -> Result<&[u8], PackError> {
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, Slot::default());
        }
        let slots = u64::try_from(SLOTS).unwrap_or(1);
        // Packs are set apart, so that two of them do not push each other's first blocks out.
        let place = usize::try_from((number.wrapping_add(serial.wrapping_mul(389))) % slots).unwrap_or_default();
        let slot = self.slots.get_mut(place).ok_or(PackError::Beyond)?;
        if slot.of != Some((serial, number)) {
            slot.of = None;
            let at = number.saturating_mul(u64::try_from(BLOCK).unwrap_or(u64::MAX));
            let length = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX).min(BLOCK);
            slot.bytes.resize(length, 0);
            source.read_at(&mut slot.bytes, at)?;
            slot.of = Some((serial, number));
        }
        Ok(&slot.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(length: usize) -> u64 {
        u64::try_from(length).unwrap()
    }

    #[test]
    fn any_piece_is_the_bytes() {
        let bytes: Vec<u8> = (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let mut blocks = Blocks::default();
        let end = bytes.len() - 20;
        let wishes = [0, 1, 20, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1, 100_000];
        for at in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK - 7, end - 10, end - 1, end, end + 5] {
            for wish in wishes {
                for serial in [1, 2] {
                    let view = blocks.view(&bytes, serial, long(end), long(at), wish).unwrap();
                    let to = (at + wish).min(end).max(at);
                    assert!(view == bytes.get(at..to).unwrap_or_default(), "{wish} at {at}");
                }
            }
        }
    }

    #[test]
    fn what_was_cut_is_an_error() {
        let bytes = vec![1; 1000];
        assert!(matches!(Blocks::default().view(&bytes, 1, 2000, 900, 200), Err(PackError::Io(_))));
        assert!(matches!(Blocks::default().view(&bytes, 1, 90_000, 10, 80_000), Err(PackError::Io(_))));
    }
}
