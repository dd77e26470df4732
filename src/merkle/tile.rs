//! Tiles: a log as files that any web server can serve (C2SP tlog-tiles; format.md, section 4). This part knows which tiles
//! a log of some size has, what they are called and what is in them. PURE; imports only `domain::id` and the tree beside
//! it.

use super::tree::Tree;

/// How many hashes a full tile holds; how many entries a full bundle.
pub const WIDTH: u64 = 256;
/// How many levels of the tree one tile stands for.
const HEIGHT: u32 = 8;

/// Why a tile or a bundle cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// The log has no such tile, or not yet.
    #[error("a log of {size} leaves has no tile {path}")]
    NotThere {
        /// The tile's path.
        path: String,
        /// The size of the log.
        size: u64,
    },
    /// An entry is longer than its length can be written: 65,535 bytes.
    #[error("an entry of {0} bytes is too long for a bundle")]
    Entry(usize),
}

/// A tile of hashes, or a bundle of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// The level, from 0; `None` for a bundle of entries.
    pub level: Option<u32>,
    /// The index within the level, from 0.
    pub index: u64,
    /// How many hashes or entries it holds: 1 to 256.
    pub width: u64,
}

impl Tile {
    /// Whether it is full: it never changes again.
    pub const fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// The index of its first hash within its level, or of its first entry.
    pub const fn start(&self) -> u64 {
        self.index.saturating_mul(WIDTH)
    }

    /// Its path beneath the log's prefix: `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`.
    pub fn path(&self) -> String {
        let level = self.level.map_or_else(|| "entries".to_owned(), |level| level.to_string());
        let partial = if self.is_full() { String::new() } else { format!(".p/{}", self.width) };
        format!("tile/{level}/{}{partial}", index_path(self.index))
    }
}

/// "zero-padded 3-digit path elements. All but the last path element MUST begin with an x."
fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// The tiles and bundles that a log of `new` leaves has and one of `old` did not have, those of the leaves first: bundles,
/// then tiles from level 0 upwards. From `old` = 0 these are all that a log of `new` leaves needs.
pub fn tiles_between(old: u64, new: u64) -> Vec<Tile> {
    let mut tiles = Vec::new();
    add_level(&mut tiles, None, old, new);
    let mut level = 0;
    loop {
        // "The partial tile at level l for a tree of size s has floor(s / 256**l) mod 256 entries."
        let count = |size: u64| size.checked_shr(HEIGHT.saturating_mul(level)).unwrap_or(0);
        if count(new) == 0 {
            return tiles;
        }
        add_level(&mut tiles, Some(level), count(old), count(new));
        level = level.saturating_add(1);
    }
}

fn add_level(tiles: &mut Vec<Tile>, level: Option<u32>, old: u64, new: u64) {
    if old >= new {
        return;
    }
    for index in old / WIDTH..=(new - 1) / WIDTH {
        let width = (new - index.saturating_mul(WIDTH)).min(WIDTH);
        tiles.push(Tile { level, index, width });
    }
}

/// The hashes of a tile, one after the other: 32 bytes each.
///
/// # Errors
/// [`TileError::NotThere`] where the tree has no such tile, or it is a bundle.
pub fn hashes(tree: &Tree, tile: &Tile) -> Result<Vec<u8>, TileError> {
    let missing = || TileError::NotThere { path: tile.path(), size: tree.size() };
    let level = tile.level.ok_or_else(missing)?.saturating_mul(HEIGHT);
    let mut bytes = Vec::new();
    for place in 0..tile.width {
        let place = tile.start().checked_add(place).ok_or_else(missing)?;
        bytes.extend_from_slice(tree.subtree(level, place).ok_or_else(missing)?.as_bytes());
    }
    Ok(bytes)
}

/// The bytes of a bundle: each entry (the leaf data) after its length, two bytes, the higher first.
///
/// # Errors
/// [`TileError::Entry`] where one is too long.
pub fn bundle<E: AsRef<[u8]>>(entries: impl IntoIterator<Item = E>) -> Result<Vec<u8>, TileError> {
    let mut bytes = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len()).map_err(|_| TileError::Entry(entry.len()))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}
