//! What differences were made to lately, or may be next. Bounded in bytes. Imports `ports`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ports::ObjectKind;

/// What is kept at most, in bytes.
const KEPT_BYTES: usize = 24 * 1024 * 1024;
/// What keeping one costs beside its bytes.
const BESIDE: usize = 160;

/// Where an entry lies: the pack and the place in it.
pub type Place = (u64, u64);

/// An object that was made lately.
#[derive(Debug, Clone)]
pub struct Base {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its body.
    pub bytes: Arc<[u8]>,
}

/// The objects that were made lately, by where their entries lie.
#[derive(Default)]
pub struct Bases {
    young: HashMap<Place, Base>,
    old: HashMap<Place, Base>,
    young_bytes: usize,
}

impl Bases {
    /// One that is kept.
    pub fn find(&mut self, place: Place) -> Option<Base> {
        if let Some(base) = self.young.get(&place) {
            return Some(base.clone());
        }
        let base = self.old.remove(&place)?;
        self.keep(place, base.clone());
        Some(base)
    }

    /// Keeps one, unless it would push out all others.
    pub fn keep(&mut self, place: Place, base: Base) {
        let bytes = base.bytes.len() + BESIDE;
        if bytes > KEPT_BYTES / 4 {
            return;
        }
        // Two generations instead of a list by age: what was not asked for during a whole generation goes.
        if self.young_bytes + bytes > KEPT_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        self.young.insert(place, base);
    }
}
