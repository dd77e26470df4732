//! Raw tree objects: their entries as written, and everything about them that rule C08 calls malformed. PURE; imports
//! `domain::id` (its parts also `ports`). `tree/changes.rs` compares two trees, `tree/build.rs` writes new ones.
//!
//! libgit2 normalises odd modes and reads malformed trees without complaint, so the bytes are read here.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use unicode_normalization::UnicodeNormalization as _;

use crate::domain::id::ObjectId;

pub mod build;
pub mod changes;

pub use build::build;
pub use changes::{Change, Changes, Listed, Listing, TreeFault, TreeReader};

/// The mode of a directory.
pub const MODE_TREE: u32 = 0o040_000;
/// The mode of a plain file: the only one that is allowed under `ledger/`.
pub const MODE_FILE: u32 = 0o100_644;
/// The mode of an executable file.
pub const MODE_EXECUTABLE: u32 = 0o100_755;
/// The mode of a symbolic link.
pub const MODE_SYMLINK: u32 = 0o120_000;
/// The mode of a submodule.
pub const MODE_SUBMODULE: u32 = 0o160_000;

/// One entry of a tree, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The mode: what the octal digits say.
    pub mode: u32,
    /// Whether the mode is written with a leading zero, which git never does.
    pub padded: bool,
    /// The name: any bytes but NUL.
    pub name: &'a [u8],
    /// The object.
    pub id: ObjectId,
}

impl Entry<'_> {
    /// Whether git takes it for a directory.
    pub const fn is_tree(&self) -> bool {
        self.mode & 0o170_000 == MODE_TREE
    }
}

/// What is wrong with a tree or one of its entries (C08).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// The bytes end within an entry or are none; what follows is not read.
    #[error("the tree cannot be read to its end")]
    Cut,
    /// The object is larger than a tree may be.
    #[error("the tree is too large")]
    TooLarge,
    /// A directory entry names an object that is no tree.
    #[error("a directory that is no tree")]
    NoTree,
    /// Deeper, or with a longer path, than the rules allow.
    #[error("the path is too deep")]
    TooDeep,
    /// Not in git's order.
    #[error("names are not sorted")]
    Unsorted,
    /// The same name twice.
    #[error("the same name twice")]
    Duplicate,
    /// Differs from another name only by case or Unicode normalisation.
    #[error("a name that collides with another on some file systems")]
    Collides,
    /// `.git` in any spelling that some file system takes for it.
    #[error("a name that is `.git` on some file systems")]
    DotGit,
    /// `.` or `..`.
    #[error("a name that is `.` or `..`")]
    Dots,
    /// No name at all.
    #[error("an empty name")]
    Empty,
    /// A slash within a name.
    #[error("a slash in a name")]
    Slash,
    /// Not UTF-8.
    #[error("a name that is not UTF-8")]
    NotUtf8,
    /// A mode that git does not write.
    #[error("a mode that git does not write")]
    Mode,
    /// A mode with a leading zero.
    #[error("a mode with a leading zero")]
    PaddedMode,
}

/// A parsed tree. Parsing never fails: what is wrong stands in [`Tree::faults`], and what can be read is there.
#[derive(Debug, Clone)]
pub struct Tree {
    raw: Vec<u8>,
    /// Where the entries lie; shared by trees in which they lie alike.
    spans: Rc<[Span]>,
    faults: Vec<(Malformed, String)>,
}

#[derive(Debug, Clone)]
struct Span {
    mode: u32,
    padded: bool,
    name: Range<usize>,
}

/// The bytes of an entry's object id.
const ID_BYTES: usize = 20;

impl Span {
    /// Where the id lies: behind the NUL that ends the name.
    const fn id(&self) -> Range<usize> {
        self.name.end + 1..self.end()
    }

    /// Where the next entry begins.
    const fn end(&self) -> usize {
        self.name.end + 1 + ID_BYTES
    }
}

impl Tree {
    /// Reads the body of a tree object.
    pub fn parse(raw: Vec<u8>) -> Self {
        let mut spans = Vec::with_capacity(raw.len() / 48);
        let mut at = 0;
        let mut whole = true;
        while at < raw.len() {
            let Some((span, next)) = span_at(&raw, at) else {
                whole = false;
                break;
            };
            spans.push(span);
            at = next;
        }
        let mut tree = Self { raw, spans: spans.into(), faults: Vec::new() };
        tree.faults = tree.find_faults(whole);
        tree
    }

    /// The same as [`Tree::parse`], for a tree that may differ from another by one id: what a commit does to every
    /// directory above the one in which it adds. Then names, modes and order are the other's, and need no second look.
    pub fn parse_like(raw: Vec<u8>, other: &Self) -> Self {
        if other.faults.is_empty() && raw.len() == other.raw.len() {
            let first = common_prefix(&raw, &other.raw);
            let last = raw.len() - common_suffix(&raw, &other.raw);
            let at = other.spans.partition_point(|span| span.end() <= first);
            if other.spans.get(at).is_some_and(|span| span.id().start <= first && last <= span.end()) {
                return Self { raw, spans: Rc::clone(&other.spans), faults: Vec::new() };
            }
        }
        Self::parse(raw)
    }

    /// The entries, in the order written.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.spans.iter().map(|span| self.entry(span))
    }

    /// What is malformed, each with the name it is about (empty for the whole tree; not UTF-8 is replaced). At most one
    /// fault of a kind a name.
    pub fn faults(&self) -> &[(Malformed, String)] {
        &self.faults
    }

    /// Size of the object in bytes.
    pub fn size(&self) -> usize {
        self.raw.len()
    }

    /// The entry of exactly this name, the first where there are several.
    pub fn find(&self, name: &[u8]) -> Option<Entry<'_>> {
        self.entries().find(|entry| entry.name == name)
    }

    /// Whether the entries stand strictly in git's order, so that two trees can be merged.
    fn is_ordered(&self) -> bool {
        !self.faults.iter().any(|(fault, _)| matches!(fault, Malformed::Unsorted | Malformed::Duplicate))
    }

    fn entry(&self, span: &Span) -> Entry<'_> {
        let name = self.raw.get(span.name.clone()).unwrap_or_default();
        let id = self.raw.get(span.id()).and_then(|id| id.try_into().ok()).unwrap_or_default();
        Entry { mode: span.mode, padded: span.padded, name, id: ObjectId::from_bytes(id) }
    }

    /// The entries of two trees but for those, at both ends, that are the same in both. Bytes that are the same from a
    /// place on where an entry begins are the same entries.
    fn apart<'t>(&'t self, other: &'t Self) -> (impl Iterator<Item = Entry<'t>>, impl Iterator<Item = Entry<'t>>) {
        let same = common_prefix(&self.raw, &other.raw);
        let first = self.spans.partition_point(|span| span.end() <= same);
        let tail = common_suffix(&self.raw, &other.raw);
        // How many bytes stand behind an entry, in each.
        let behind = |tree: &Self, at: usize| tree.raw.len() - tree.spans.get(at).map_or(0, Span::end);
        let mut ends = (self.spans.len(), other.spans.len());
        let last = self.spans.partition_point(|span| self.raw.len() - span.end() > tail).max(first);
        if last < self.spans.len() {
            let left = behind(self, last);
            let there = other.spans.partition_point(|span| other.raw.len() - span.end() > left);
            if there >= first && there < other.spans.len() && behind(other, there) == left {
                // Both trees go on alike behind these two entries.
                ends = (last + 1, there + 1);
            }
        }
        let part = |tree: &'t Self, end: usize| {
            tree.spans.get(first..end).unwrap_or(&tree.spans).iter().map(move |span| tree.entry(span))
        };
        (part(self, ends.0), part(other, ends.1))
    }

    fn find_faults(&self, whole: bool) -> Vec<(Malformed, String)> {
        let mut faults = Vec::new();
        let mut before: Option<Entry<'_>> = None;
        let mut ordered = true;
        // Most trees hold only lower-case ASCII, which no file system folds: then sorted means distinct, but for a file
        // and a directory of one name.
        let mut folds = false;
        for entry in self.entries() {
            let mut fault = |kind| faults.push((kind, String::from_utf8_lossy(entry.name).into_owned()));
            if let Some(kind) = name_fault(entry.name) {
                fault(kind);
            }
            if entry.padded {
                fault(Malformed::PaddedMode);
            }
            if !matches!(entry.mode, MODE_TREE | MODE_FILE | MODE_EXECUTABLE | MODE_SYMLINK | MODE_SUBMODULE) {
                fault(Malformed::Mode);
            }
            match before.map(|before| order(&before, &entry)) {
                None | Some(Ordering::Less) => {}
                Some(Ordering::Equal) => fault(Malformed::Duplicate),
                Some(Ordering::Greater) => {
                    ordered = false;
                    fault(Malformed::Unsorted);
                }
            }
            folds |= entry.name.iter().any(|byte| !byte.is_ascii() || byte.is_ascii_uppercase());
            before = Some(entry);
        }
        if folds || !ordered {
            self.find_collisions(&mut faults);
        } else {
            self.find_doubled_directories(&mut faults);
        }
        if !whole {
            faults.push((Malformed::Cut, String::new()));
        }
        faults
    }

    /// `x` and `x/` in one sorted tree: git's order parts them, so they need not be neighbours.
    fn find_doubled_directories(&self, faults: &mut Vec<(Malformed, String)>) {
        let mut before: &[u8] = &[];
        for span in &*self.spans {
            let entry = self.entry(span);
            // Between `x` and `x/` stand only names that begin with `x`.
            let may_be = std::mem::replace(&mut before, entry.name).starts_with(entry.name);
            let as_file = Entry { mode: MODE_FILE, ..entry };
            if may_be
                && entry.is_tree()
                && self.spans.binary_search_by(|other| order(&self.entry(other), &as_file)).is_ok()
            {
                faults.push((Malformed::Duplicate, String::from_utf8_lossy(entry.name).into_owned()));
            }
        }
    }

    fn find_collisions(&self, faults: &mut Vec<(Malformed, String)>) {
        let mut seen: HashMap<String, &[u8]> = HashMap::with_capacity(self.spans.len());
        // A tree of 8 MiB has room for a quarter of a million of them: looking each up in the list would take minutes.
        let mut told: HashSet<(Malformed, String)> = faults.iter().cloned().collect();
        for entry in self.entries() {
            let lossy = String::from_utf8_lossy(entry.name);
            let kind = match seen.insert(fold(&lossy), entry.name) {
                None => continue,
                Some(other) if other == entry.name => Malformed::Duplicate,
                Some(_) => Malformed::Collides,
            };
            let fault = (kind, lossy.into_owned());
            if told.insert(fault.clone()) {
                faults.push(fault);
            }
        }
    }
}

/// Git's order of two entries: by bytes, a directory as if its name ended with `/`.
pub fn order(left: &Entry<'_>, right: &Entry<'_>) -> Ordering {
    let common = left.name.len().min(right.name.len());
    let (head, rest) = left.name.split_at(common);
    let (other_head, other_rest) = right.name.split_at(common);
    let next = |rest: &[u8], is_tree: bool| rest.first().copied().unwrap_or(if is_tree { b'/' } else { 0 });
    head.cmp(other_head).then_with(|| next(rest, left.is_tree()).cmp(&next(other_rest, right.is_tree())))
}

/// What makes a single name unfit for a tree, if anything does.
pub fn name_fault(name: &[u8]) -> Option<Malformed> {
    if name.is_empty() {
        return Some(Malformed::Empty);
    }
    if name == b"." || name == b".." {
        return Some(Malformed::Dots);
    }
    if name.contains(&b'/') {
        return Some(Malformed::Slash);
    }
    let Ok(text) = std::str::from_utf8(name) else {
        return Some(Malformed::NotUtf8);
    };
    // Cheap first: only names that begin like `.git`, `git~1` or with an ignorable code point can be meant.
    let suspicious = name.first().is_some_and(|byte| matches!(byte, b'.' | b'g' | b'G') || !byte.is_ascii());
    (suspicious && is_dot_git(text)).then_some(Malformed::DotGit)
}

/// Whether NTFS or HFS+ takes the name for `.git`, as git's own fsck asks (CVE-2014-9390): ignored code points left out,
/// any case, the short name `git~1`, trailing dots and spaces, and a stream (`:`) or path (`\`) after it.
fn is_dot_git(name: &str) -> bool {
    let ignorable =
        |c: char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let seen: String = name.chars().filter(|&c| !ignorable(c)).collect();
    let seen = seen.split([':', '\\']).next().unwrap_or_default().trim_end_matches([' ', '.']);
    seen.eq_ignore_ascii_case(".git") || seen.eq_ignore_ascii_case("git~1")
}

/// What case-folding, normalising file systems make of a name: two names with one fold cannot both be checked out.
fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// The entry at `at`, and where the next begins.
fn span_at(raw: &[u8], at: usize) -> Option<(Span, usize)> {
    let rest = raw.get(at..)?;
    // At most seven octal digits: a longer mode is no mode.
    let digits = rest.iter().take(8).position(|&byte| byte == b' ')?;
    let (mode_text, rest) = rest.split_at_checked(digits)?;
    let mode = octal(mode_text)?;
    let (_, rest) = rest.split_first()?;
    let length = rest.iter().position(|&byte| byte == 0)?;
    rest.get(length + 1..length + 1 + ID_BYTES)?;
    let start = at + digits + 1;
    let span = Span { mode, padded: mode_text.first() == Some(&b'0'), name: start..start + length };
    let end = span.end();
    Some((span, end))
}

/// In steps of how many bytes two trees are compared: most of them is the same, and a step of a known length needs no call.
const STEP: usize = 64;

/// How many bytes are the same at the beginning.
fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    let (left_steps, right_steps) = (left.as_chunks::<STEP>().0, right.as_chunks::<STEP>().0);
    let at = STEP * left_steps.iter().zip(right_steps).take_while(|(left, right)| left == right).count();
    let left = left.get(at..).unwrap_or_default();
    let right = right.get(at..).unwrap_or_default();
    at + left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

/// How many bytes are the same at the end.
fn common_suffix(left: &[u8], right: &[u8]) -> usize {
    let (left_steps, right_steps) = (left.as_rchunks::<STEP>().1, right.as_rchunks::<STEP>().1);
    let steps = left_steps.iter().rev().zip(right_steps.iter().rev());
    let same = STEP * steps.take_while(|(left, right)| left == right).count();
    let left = left.get(..left.len() - same).unwrap_or_default();
    let right = right.get(..right.len() - same).unwrap_or_default();
    same + left.iter().rev().zip(right.iter().rev()).take_while(|(left, right)| left == right).count()
}

fn octal(text: &[u8]) -> Option<u32> {
    if text.is_empty() || !text.iter().all(|byte| (b'0'..=b'7').contains(byte)) {
        return None;
    }
    Some(text.iter().fold(0, |mode, digit| mode * 8 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests;
