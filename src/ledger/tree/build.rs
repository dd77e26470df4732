//! New root trees: a base with files put and removed, writing only the directories that change, in git's order and with
//! git's modes. PURE over `ports::Store`. Format: section 1 ("Mode 100644 each").

use std::collections::BTreeMap;

use super::changes::{DEPTH_LIMIT, TREE_LIMIT};
use super::{Entry, MODE_FILE, MODE_TREE, Tree, name_fault, order};
use crate::domain::id::ObjectId;
use crate::ports::{ObjectKind, Store, StoreError};

/// What happens to one name of a directory.
enum Edit<'a> {
    Put(ObjectId),
    Remove,
    Inside(Edits<'a>),
}

type Edits<'a> = BTreeMap<&'a str, Edit<'a>>;

/// Writes the trees of `base` with `puts` (path and blob, mode 100644; a file in the way of a directory or the other way
/// round is replaced) and without `removes`, and returns the root. Directories that become empty go; paths to remove that
/// are not there are no error. A path both put and removed is put.
///
/// # Errors
/// [`StoreError::Write`] where a path is not one that a tree may hold or one path lies within another; whatever the
/// store says.
pub fn build(
    store: &dyn Store,
    base: Option<ObjectId>,
    puts: &[(&str, ObjectId)],
    removes: &[&str],
) -> Result<ObjectId, StoreError> {
    let mut edits = Edits::new();
    for path in removes {
        plan(&mut edits, path, Edit::Remove)?;
    }
    for (path, id) in puts {
        plan(&mut edits, path, Edit::Put(*id))?;
    }
    match write(store, base, &edits)? {
        Some(root) => Ok(root),
        None => store.write(ObjectKind::Tree, b""),
    }
}

fn plan<'a>(edits: &mut Edits<'a>, path: &'a str, edit: Edit<'a>) -> Result<(), StoreError> {
    let refused = |why: &str| StoreError::Write(format!("`{path}` {why}"));
    let mut edits = edits;
    let mut parts: Vec<&str> = path.split('/').collect();
    if parts.len() > DEPTH_LIMIT
        || parts.iter().any(|part| name_fault(part.as_bytes()).is_some() || part.contains('\0'))
    {
        return Err(refused("is not a path that a ledger may hold"));
    }
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        // A removed file makes room for a directory of its name.
        let inside = edits.entry(part).or_insert_with(|| Edit::Inside(Edits::new()));
        if matches!(inside, Edit::Remove) {
            *inside = Edit::Inside(Edits::new());
        }
        let Edit::Inside(below) = inside else {
            return Err(refused("lies within a path that is written as a file"));
        };
        edits = below;
    }
    match (edits.get(last), &edit) {
        // The directory's files are removed one by one and a file takes its name.
        (Some(Edit::Inside(below)), Edit::Put(_)) if below.values().all(is_removal) => {}
        (Some(Edit::Inside(_)), _) => return Err(refused("is a directory of another path that is written")),
        _ => {}
    }
    edits.insert(last, edit);
    Ok(())
}

fn is_removal(edit: &Edit<'_>) -> bool {
    match edit {
        Edit::Put(_) => false,
        Edit::Remove => true,
        Edit::Inside(below) => below.values().all(is_removal),
    }
}

/// Writes one directory; `None` where nothing is left in it.
fn write(store: &dyn Store, base: Option<ObjectId>, edits: &Edits<'_>) -> Result<Option<ObjectId>, StoreError> {
    let raw = match base {
        Some(id) => store.read(id, ObjectKind::Tree, TREE_LIMIT)?,
        None => Vec::new(),
    };
    let before = Tree::parse(raw);
    let mut after: Vec<Entry<'_>> = before.entries().filter(|entry| !names(edits, entry)).collect();
    for (name, edit) in edits {
        let name = name.as_bytes();
        let (mode, id) = match edit {
            Edit::Remove => continue,
            Edit::Put(id) => (MODE_FILE, *id),
            Edit::Inside(below) => {
                let there = before.find(name);
                let inside = there.filter(Entry::is_tree).map(|entry| entry.id);
                match write(store, inside, below)? {
                    Some(id) => (MODE_TREE, id),
                    None => match there.filter(|entry| !entry.is_tree() && below.values().all(is_removal)) {
                        // Removing what is not below a file does not remove the file.
                        Some(file) => (file.mode, file.id),
                        None => continue,
                    },
                }
            }
        };
        after.push(Entry { mode, padded: false, name, id });
    }
    if after.is_empty() {
        return Ok(None);
    }
    after.sort_by(order);
    let mut raw = Vec::with_capacity(after.len() * 48);
    for entry in after {
        raw.extend_from_slice(format!("{:o} ", entry.mode).as_bytes());
        raw.extend_from_slice(entry.name);
        raw.push(0);
        raw.extend_from_slice(entry.id.as_bytes());
    }
    store.write(ObjectKind::Tree, &raw).map(Some)
}

fn names(edits: &Edits<'_>, entry: &Entry<'_>) -> bool {
    std::str::from_utf8(entry.name).is_ok_and(|name| edits.contains_key(name))
}
