//! Pages: a file in pieces of 4,096 bytes, each with a checksum over its bytes, its number and the name of the part that it
//! belongs to, so that one page can be read and believed without the others. Imports `domain::id` and `ports`.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::domain::id::Digest;
use crate::ports::ReadAt;

/// Bytes a page in the file.
const PAGE: usize = 4096;
/// Bytes of its checksum, at its end: half a SHA-256 is enough against accidents.
const SUM: usize = 16;
/// Bytes of content a page.
const CONTENT: usize = PAGE - SUM;
/// How many pages of a file stay in memory: 2 MiB.
const KEPT: usize = 512;

/// A page is not what was written, or cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damage;

/// The pages of a file, each checked when it is first used.
#[derive(Debug)]
pub(super) struct Pages {
    file: Box<dyn ReadAt>,
    of: Digest,
    kept: Mutex<HashMap<u64, Arc<[u8]>>>,
}

impl Pages {
    /// Those of a file that holds `length` bytes of content; `None` where it is another length.
    pub(super) fn of(file: Box<dyn ReadAt>, of: Digest, length: u64) -> io::Result<Option<Self>> {
        let is_whole = file.length()? == pages(length).saturating_mul(wide(PAGE));
        Ok(is_whole.then(|| Self { file, of, kept: Mutex::default() }))
    }

    /// `length` bytes from `at` on.
    pub(super) fn read(&self, at: u64, length: usize) -> Result<Vec<u8>, Damage> {
        let mut bytes = Vec::with_capacity(length.min(1 << 20));
        let mut number = at / wide(CONTENT);
        let mut from = usize::try_from(at % wide(CONTENT)).map_err(|_| Damage)?;
        while bytes.len() < length {
            let page = self.page(number)?;
            let rest = page.get(from..).ok_or(Damage)?;
            bytes.extend_from_slice(rest.get(..length - bytes.len()).unwrap_or(rest));
            (number, from) = (number.saturating_add(1), 0);
        }
        Ok(bytes)
    }

    /// As many bytes as are asked for, from `at` on.
    pub(super) fn array<const N: usize>(&self, at: u64) -> Result<[u8; N], Damage> {
        self.read(at, N)?.try_into().map_err(|_| Damage)
    }

    /// The number that stands at `at`.
    pub(super) fn number(&self, at: u64) -> Result<u64, Damage> {
        self.array(at).map(u64::from_be_bytes)
    }

    fn page(&self, number: u64) -> Result<Arc<[u8]>, Damage> {
        // Not held while reading: two threads may read the same page, and keep either.
        if let Some(page) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&number) {
            return Ok(Arc::clone(page));
        }
        let mut page = vec![0; PAGE];
        let at = number.checked_mul(wide(PAGE)).ok_or(Damage)?;
        self.file.read_at(at, &mut page).map_err(|_| Damage)?;
        let (content, told) = page.split_at_checked(CONTENT).ok_or(Damage)?;
        if sum(&self.of, number, content) != told {
            return Err(Damage);
        }
        let page: Arc<[u8]> = content.into();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(number, Arc::clone(&page));
        Ok(page)
    }
}

/// Content, written in pages.
pub(super) struct Paged<'a> {
    out: &'a mut dyn Write,
    of: Digest,
    page: Vec<u8>,
    number: u64,
}

impl<'a> Paged<'a> {
    pub(super) fn new(out: &'a mut dyn Write, of: Digest) -> Self {
        Self { out, of, page: Vec::with_capacity(PAGE), number: 0 }
    }

    /// How many bytes of content were written.
    pub(super) fn length(&self) -> u64 {
        self.number.saturating_mul(wide(CONTENT)).saturating_add(wide(self.page.len()))
    }

    pub(super) fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CONTENT - self.page.len()));
            self.page.extend_from_slice(now);
            if self.page.len() == CONTENT {
                self.turn()?;
            }
            bytes = later;
        }
        Ok(())
    }

    /// Fills the last page up.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if !self.page.is_empty() {
            self.page.resize(CONTENT, 0);
            self.turn()?;
        }
        Ok(())
    }

    fn turn(&mut self) -> io::Result<()> {
        let sum = sum(&self.of, self.number, &self.page);
        self.page.extend_from_slice(&sum);
        self.out.write_all(&self.page)?;
        self.page.clear();
        self.number = self.number.saturating_add(1);
        Ok(())
    }
}

fn sum(of: &Digest, number: u64, content: &[u8]) -> Vec<u8> {
    let mut sum = Sha256::new();
    sum.update(of.as_bytes());
    sum.update(number.to_be_bytes());
    sum.update(content);
    sum.finalize().iter().take(SUM).copied().collect()
}

fn pages(length: u64) -> u64 {
    length.div_ceil(wide(CONTENT))
}

/// A length in memory, as one in a file.
pub(super) fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
