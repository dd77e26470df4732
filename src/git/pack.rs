//! Packed objects, read here and not by libgit2: from memory that is bounded, where libgit2 maps whole packs; with the
//! size known before a body is made. Imports `domain::id`, `ports`. Git: gitformat-pack.
//!
//! What is odd here is left to libgit2: packs and indexes of other versions, tags, differences in very many pieces to
//! something huge. What is damaged never is. Files stay open once they are used, so that a pack that `git repack` removes
//! can still be read; new ones are looked for when an object is in none. Nothing is believed but by its hash.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::domain::id::ObjectId;
use crate::ports::ObjectKind;

mod bases;
pub mod blocks;
pub mod entry;
pub mod file;
pub mod index;
mod sparse;

use file::{Pack, Scratch};

/// The most packs that are read here: each one in use takes two open files.
const PACKS: usize = 128;

/// What was found of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// All of it: its hash is its id.
    Whole(ObjectKind, Vec<u8>),
    /// Its size in bytes, which is more than was asked for, and true: its bytes went by and were hashed, or, of something
    /// larger than 16 MiB that is stored as a difference, this difference is whole.
    TooLarge(ObjectKind, u64),
}

/// Why an object cannot be read from a pack here.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The pack is not what it should be.
    #[error("the pack is damaged: {0}")]
    Damaged(&'static str),
    /// It may be whole, and is odd: libgit2 may read it.
    #[error("the pack holds something that is not read here")]
    Beyond,
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The packs of a repository and of those that it borrows from.
pub struct Packs {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    places: Vec<Place>,
    known: Vec<Known>,
    packs: u64,
    scratch: Scratch,
}

/// A directory of packs, and when it had changed when it was read.
struct Place {
    directory: PathBuf,
    changed: Option<SystemTime>,
}

struct Known {
    /// The pack; its index is beside it.
    path: PathBuf,
    /// Newer ones are asked first.
    changed: Option<SystemTime>,
    opened: Opened,
}

enum Opened {
    NotYet,
    Open(Box<Pack<File>>),
    /// Odd, or not to be opened: left to libgit2.
    Left,
    /// Damaged as a whole: nobody knows what is in it.
    Damaged(&'static str),
}

impl Packs {
    /// The packs in these directories of objects. None is opened yet.
    pub fn new(objects: &[PathBuf]) -> Self {
        let place = |objects: &PathBuf| Place { directory: objects.join("pack"), changed: None };
        let state = State { places: objects.iter().map(place).collect(), ..State::default() };
        Self { state: RefCell::new(state) }
    }

    /// An object's kind and size; `None` where no pack holds it. Its bytes are not looked at.
    ///
    /// # Errors
    /// With the pack and the cause. [`PackError::Beyond`] where somebody else may know.
    pub fn header(&self, id: ObjectId) -> Result<Option<(ObjectKind, u64)>, (PathBuf, PackError)> {
        self.state.borrow_mut().first(&|pack, scratch| pack.header(scratch, id))
    }

    /// An object of at most `limit` bytes, whose hash was compared with its id; `None` where no pack holds it.
    ///
    /// # Errors
    /// As [`Packs::header`].
    pub fn read(&self, id: ObjectId, limit: u64) -> Result<Option<Found>, (PathBuf, PackError)> {
        self.state.borrow_mut().first(&|pack, scratch| pack.read(scratch, id, limit))
    }
}

/// What is asked of each pack.
type Question<'a, T> = &'a dyn Fn(&Pack<File>, &mut Scratch) -> Result<Option<T>, PackError>;

impl State {
    /// The first pack's answer, with the directories read again where nobody has one. A pack that fails is passed over
    /// where another holds the object, too.
    fn first<T>(&mut self, question: Question<'_, T>) -> Result<Option<T>, (PathBuf, PackError)> {
        let mut failed = match self.ask(question) {
            Ok(Some(answer)) => return Ok(Some(answer)),
            Ok(None) => None,
            Err(failed) => Some(failed),
        };
        if self.look_again() {
            match self.ask(question) {
                Ok(Some(answer)) => return Ok(Some(answer)),
                Ok(None) => {}
                Err(again) => failed = Some(again),
            }
        }
        failed.map_or(Ok(None), Err)
    }

    fn ask<T>(&mut self, question: Question<'_, T>) -> Result<Option<T>, (PathBuf, PackError)> {
        let mut failed = None;
        for at in 0..self.known.len() {
            let Some(known) = self.known.get_mut(at) else { break };
            if matches!(known.opened, Opened::NotYet) {
                self.packs += 1;
                known.open(self.packs);
            }
            let pack = match &known.opened {
                Opened::Open(pack) => pack,
                Opened::Damaged(why) => {
                    failed = failed.or_else(|| Some((known.path.clone(), PackError::Damaged(why))));
                    continue;
                }
                Opened::NotYet | Opened::Left => continue,
            };
            match question(pack, &mut self.scratch) {
                Ok(Some(answer)) => {
                    // What is asked for next lies in the same one, most often.
                    if let Some(begin) = self.known.get_mut(..=at) {
                        begin.rotate_right(1);
                    }
                    return Ok(Some(answer));
                }
                Ok(None) => {}
                Err(error) => failed = failed.or_else(|| Some((known.path.clone(), error))),
            }
        }
        failed.map_or(Ok(None), Err)
    }

    /// Reads the directories that have changed; whether any had.
    fn look_again(&mut self) -> bool {
        let mut has_changed = false;
        for place in &mut self.places {
            // Where there is no directory, there are no packs.
            let changed = fs::metadata(&place.directory).and_then(|meta| meta.modified()).ok();
            has_changed |= changed != place.changed;
            place.changed = changed;
        }
        if has_changed {
            let mut known = std::mem::take(&mut self.known);
            for (path, changed) in self.places.iter().flat_map(|place| packs(&place.directory)) {
                // One that could not be read may have been caught between its two files' renames: it is opened again.
                let is_open = |known: &Known| matches!(known.opened, Opened::Open(_));
                let before =
                    known.iter().position(|known| known.path == path && known.changed == changed && is_open(known));
                let opened = before.map_or(Opened::NotYet, |before| known.swap_remove(before).opened);
                self.known.push(Known { path, changed, opened });
            }
            self.known.sort_by_key(|known| std::cmp::Reverse(known.changed));
            self.known.truncate(PACKS);
        }
        has_changed
    }
}

impl Known {
    fn open(&mut self, serial: u64) {
        let open = || Pack::open(serial, File::open(self.path.with_extension("idx"))?, File::open(&self.path)?);
        self.opened = match open() {
            Ok(pack) => Opened::Open(Box::new(pack)),
            Err(PackError::Damaged(why)) => Opened::Damaged(why),
            Err(PackError::Io(cause)) if cause.kind() == io::ErrorKind::UnexpectedEof => Opened::Damaged("it is cut"),
            // One that is gone, or that may not be read: libgit2 finds that, too, and says so.
            Err(PackError::Beyond | PackError::Io(_)) => Opened::Left,
        };
    }
}

/// The packs of a directory that have an index. Nothing but plain files: a pipe would keep us for ever.
fn packs(directory: &Path) -> Vec<(PathBuf, Option<SystemTime>)> {
    let is_file = |path: &Path| fs::metadata(path).ok().filter(fs::Metadata::is_file);
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "idx"));
    let packs = paths.filter_map(|index| {
        is_file(&index)?;
        let pack = index.with_extension("pack");
        let changed = is_file(&pack)?.modified().ok();
        Some((pack, changed))
    });
    packs.collect()
}

#[cfg(test)]
mod tests;
