//! What one tree changes against another, and what a tree holds. Descends only into subtrees whose ids differ, so that
//! the cost of a commit does not grow with the ledger, and keeps lately read trees, because the next commit's parent is
//! this one. Everything has a limit: a tree bomb ends quickly and is reported as cut off. PURE over `ports::Objects`.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use super::{Entry, Malformed, Tree, order};
use crate::domain::id::ObjectId;
use crate::ports::{ObjectKind, Objects, StoreError};

/// The largest tree object that is read, in bytes.
pub const TREE_LIMIT: u64 = 8 * 1024 * 1024;
/// The most changed paths of one comparison (and paths of one listing).
pub const PATH_LIMIT: usize = 10_000;
/// The most trees of one comparison.
pub const VISIT_LIMIT: usize = 20_000;
/// The most bytes of trees of one comparison.
pub const BYTES_LIMIT: usize = 64 * 1024 * 1024;
/// The most directories in a path.
pub const DEPTH_LIMIT: usize = 32;
/// The longest path, in bytes.
pub const PATH_BYTES_LIMIT: usize = 4096;
/// What the kept trees may take, in bytes.
const KEPT_BYTES: usize = 32 * 1024 * 1024;

/// One path that differs. Directories are not listed, only what lies in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path, with `/`; bytes that are not UTF-8 are replaced (and a fault says so).
    pub path: String,
    /// Mode and object before; `None` where it was added.
    pub old: Option<(u32, ObjectId)>,
    /// Mode and object after; `None` where it was removed.
    pub new: Option<(u32, ObjectId)>,
}

/// Something malformed in a tree that is new or changed (C08).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFault {
    /// Where: the path of the entry, or of the directory where the fault is of the whole tree.
    pub path: String,
    /// What.
    pub what: Malformed,
    /// Whether the tree before had the same fault at the same path: then this commit carries it on and did not bring it.
    pub inherited: bool,
}

/// The difference of two trees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The paths that differ, in git's order.
    pub changes: Vec<Change>,
    /// What is malformed in the new or changed trees. Unchanged ones were looked at when they were new.
    pub faults: Vec<TreeFault>,
    /// Whether a limit cut the comparison off: there is more than this.
    pub truncated: bool,
}

/// One file of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The path, with `/`.
    pub path: String,
    /// The mode.
    pub mode: u32,
    /// The object.
    pub id: ObjectId,
}

/// What a tree holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files, in git's order.
    pub files: Vec<Listed>,
    /// What is malformed in the trees that were read.
    pub faults: Vec<TreeFault>,
    /// Whether a limit cut the listing off.
    pub truncated: bool,
}

/// Reads trees through a store and keeps those it read lately.
pub struct TreeReader<'a> {
    objects: &'a dyn Objects,
    young: HashMap<ObjectId, Rc<Tree>>,
    old: HashMap<ObjectId, Rc<Tree>>,
    young_bytes: usize,
}

impl<'a> TreeReader<'a> {
    /// A reader that keeps nothing yet.
    pub fn new(objects: &'a dyn Objects) -> Self {
        Self { objects, young: HashMap::new(), old: HashMap::new(), young_bytes: 0 }
    }

    /// What `new` changes against `old` (against nothing, for the first commit).
    ///
    /// # Errors
    /// Where an object is missing or the store fails. Trees that are too large, cut or no trees are faults, not errors.
    pub fn changes(&mut self, old: Option<ObjectId>, new: ObjectId) -> Result<Changes, StoreError> {
        let mut walk = Walk::new(self, &|_| true);
        walk.pair(old, Some(new), "", 0)?;
        Ok(walk.found)
    }

    /// The files of a tree. `wanted` is asked with each path, that of a directory ending with `/`; where it says no to a
    /// directory, nothing below is read.
    ///
    /// # Errors
    /// As [`TreeReader::changes`].
    pub fn list(&mut self, tree: ObjectId, wanted: &dyn Fn(&str) -> bool) -> Result<Listing, StoreError> {
        let mut walk = Walk::new(self, wanted);
        walk.pair(None, Some(tree), "", 0)?;
        let Changes { changes, faults, truncated } = walk.found;
        let file = |change: Change| change.new.map(|(mode, id)| Listed { path: change.path, mode, id });
        Ok(Listing { files: changes.into_iter().filter_map(file).collect(), faults, truncated })
    }

    /// All governed files of a root tree: everything outside `ledger/`.
    ///
    /// # Errors
    /// As [`TreeReader::changes`].
    pub fn governed(&mut self, tree: ObjectId) -> Result<Listing, StoreError> {
        self.list(tree, &|path| !path.starts_with("ledger/"))
    }

    /// The tree if it was read lately.
    fn known(&self, id: ObjectId) -> Option<Rc<Tree>> {
        self.young.get(&id).or_else(|| self.old.get(&id)).cloned()
    }

    /// A tree, perhaps much like another one.
    fn tree(&mut self, id: ObjectId, like: Option<&Tree>) -> Result<Result<Rc<Tree>, Malformed>, StoreError> {
        if let Some(tree) = self.young.get(&id) {
            return Ok(Ok(Rc::clone(tree)));
        }
        let tree = match self.old.remove(&id) {
            Some(tree) => tree,
            None => match self.objects.read(id, ObjectKind::Tree, TREE_LIMIT) {
                Ok(raw) => Rc::new(match like {
                    Some(like) => Tree::parse_like(raw, like),
                    None => Tree::parse(raw),
                }),
                Err(StoreError::TooLarge { .. }) => return Ok(Err(Malformed::TooLarge)),
                Err(StoreError::OtherKind(..)) => return Ok(Err(Malformed::NoTree)),
                Err(error) => return Err(error),
            },
        };
        // Two generations instead of a list by age: what was not asked for during a whole generation goes.
        if self.young_bytes > KEPT_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += tree.size() + 256;
        self.young.insert(id, Rc::clone(&tree));
        Ok(Ok(tree))
    }
}

/// One comparison under way.
struct Walk<'r, 'a> {
    reader: &'r mut TreeReader<'a>,
    wanted: &'r dyn Fn(&str) -> bool,
    found: Changes,
    visited: usize,
    bytes: usize,
}

impl<'r, 'a> Walk<'r, 'a> {
    fn new(reader: &'r mut TreeReader<'a>, wanted: &'r dyn Fn(&str) -> bool) -> Self {
        Self { reader, wanted, found: Changes::default(), visited: 0, bytes: 0 }
    }

    /// Compares two directories at `prefix`, which is empty or ends with `/`.
    fn pair(
        &mut self,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        prefix: &str,
        depth: usize,
    ) -> Result<(), StoreError> {
        if old == new || self.found.truncated {
            return Ok(());
        }
        if depth > DEPTH_LIMIT || prefix.len() > PATH_BYTES_LIMIT {
            // What lies below a path that is too deep is not looked at; where it is only removed, there is more to say.
            match new {
                Some(_) => self.fault(prefix, Malformed::TooDeep, false),
                None => self.found.truncated = true,
            }
            return Ok(());
        }
        // Whichever was read lately, the other is read against it: history may be walked either way.
        let known = new.and_then(|new| self.reader.known(new));
        let before = self.read(old, known.as_deref())?;
        let after = self.read(new, before.as_ref().and_then(|before| before.as_deref().ok()))?;
        if self.visited > VISIT_LIMIT || self.bytes > BYTES_LIMIT {
            self.found.truncated = true;
            return Ok(());
        }
        match &after {
            Some(Err(what)) => self.fault(prefix, *what, false),
            Some(Ok(tree)) => {
                let before = before.as_ref().and_then(|before| before.as_ref().ok());
                let known: HashSet<_> = before.iter().flat_map(|before| before.faults()).collect();
                for fault in tree.faults() {
                    let inherited = known.contains(fault);
                    let (what, name) = fault;
                    self.fault(&format!("{prefix}{name}"), *what, inherited);
                }
            }
            None => {}
        }
        let before = before.and_then(Result::ok);
        let after = after.and_then(Result::ok);
        for (old, new) in matched(before.as_deref(), after.as_deref()) {
            self.entry(old, new, prefix, depth)?;
            if self.found.truncated {
                break;
            }
        }
        Ok(())
    }

    fn read(
        &mut self,
        id: Option<ObjectId>,
        like: Option<&Tree>,
    ) -> Result<Option<Result<Rc<Tree>, Malformed>>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let tree = self.reader.tree(id, like)?;
        self.visited += 1;
        self.bytes += tree.as_ref().map_or(0, |tree| tree.size());
        Ok(Some(tree))
    }

    /// Two entries of one name and kind (directory or not), or one alone.
    fn entry(
        &mut self,
        old: Option<Entry<'_>>,
        new: Option<Entry<'_>>,
        prefix: &str,
        depth: usize,
    ) -> Result<(), StoreError> {
        let value = |entry: Entry<'_>| (entry.mode, entry.id);
        if old.map(value) == new.map(value) {
            return Ok(());
        }
        let Some(either) = new.or(old) else { return Ok(()) };
        let is_tree = either.is_tree();
        let mut path = format!("{prefix}{}", String::from_utf8_lossy(either.name));
        if is_tree {
            path.push('/');
        }
        if !(self.wanted)(&path) {
            return Ok(());
        }
        if is_tree {
            return self.pair(old.map(|entry| entry.id), new.map(|entry| entry.id), &path, depth + 1);
        }
        if self.found.changes.len() >= PATH_LIMIT {
            self.found.truncated = true;
            return Ok(());
        }
        if path.len() > PATH_BYTES_LIMIT {
            self.fault(prefix, Malformed::TooDeep, false);
            return Ok(());
        }
        self.found.changes.push(Change { path, old: old.map(value), new: new.map(value) });
        Ok(())
    }

    fn fault(&mut self, path: &str, what: Malformed, inherited: bool) {
        // Millions of bad names are one bad commit: the first thousand say enough.
        if self.found.faults.len() < 1000 {
            let path = path.chars().take(PATH_BYTES_LIMIT).collect();
            self.found.faults.push(TreeFault { path, what, inherited });
        }
    }
}

pub(super) type Pair<'t> = (Option<Entry<'t>>, Option<Entry<'t>>);

/// The entries of two trees side by side, in git's order.
pub(super) fn matched<'t>(old: Option<&'t Tree>, new: Option<&'t Tree>) -> Vec<Pair<'t>> {
    if old.is_none_or(Tree::is_ordered) && new.is_none_or(Tree::is_ordered) {
        return merged(old, new);
    }
    // Not sorted or with doubled names, so it cannot be merged: by name, the first of a name counting, as git finds it.
    let mut pairs: BTreeMap<(&[u8], bool), Pair<'t>> = BTreeMap::new();
    for entry in old.into_iter().flat_map(Tree::entries) {
        pairs.entry((entry.name, entry.is_tree())).or_default().0.get_or_insert(entry);
    }
    for entry in new.into_iter().flat_map(Tree::entries) {
        pairs.entry((entry.name, entry.is_tree())).or_default().1.get_or_insert(entry);
    }
    pairs.into_values().collect()
}

fn merged<'t>(old: Option<&'t Tree>, new: Option<&'t Tree>) -> Vec<Pair<'t>> {
    match (old, new) {
        (Some(old), Some(new)) => {
            let (olds, news) = old.apart(new);
            merge(olds, news)
        }
        _ => merge(old.into_iter().flat_map(Tree::entries), new.into_iter().flat_map(Tree::entries)),
    }
}

fn merge<'t>(olds: impl Iterator<Item = Entry<'t>>, news: impl Iterator<Item = Entry<'t>>) -> Vec<Pair<'t>> {
    let mut pairs = Vec::new();
    let (mut olds, mut news) = (olds.peekable(), news.peekable());
    loop {
        let side = match (olds.peek(), news.peek()) {
            (None, None) => return pairs,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => order(old, new),
        };
        let old = if side.is_le() { olds.next() } else { None };
        let new = if side.is_ge() { news.next() } else { None };
        // Most entries of a large directory are the same on both sides: they are not even kept.
        if old != new {
            pairs.push((old, new));
        }
    }
}
