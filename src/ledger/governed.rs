//! The contents of governed files: of those in force, whatever lies in the tree at the head, and of those that a proposal
//! brings. The manifest says digests only; the bytes lie in the folders of enacted proposals and in the genesis. Imports
//! `ports` and `domain`. Source: format.md, section 6.

use std::collections::BTreeMap;

use crate::domain::event::Subject;
use crate::domain::id::{Digest, ObjectId};
use crate::domain::state::case::{Case, Matter};
use crate::ports::{ObjectKind, Objects, StoreError};

use super::commit;
use super::read::GOVERNED_LIMIT;
use super::replay::Replay;
use super::tree::{Listed, TreeReader};

/// Why contents cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum GovernedError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger has no commit.
    #[error("the ledger is empty")]
    Empty,
    /// What the manifest names is nowhere in the ledger.
    #[error("the contents of {0} are not in the ledger")]
    Lost(String),
    /// There is more in a tree than anybody reads.
    #[error("a tree of the ledger holds too many files")]
    TooMany,
}

/// A file's blob and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The blob.
    pub blob: ObjectId,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The governed files in force by path: what the manifest says, also where a void commit has spoilt the tree.
///
/// # Errors
/// [`GovernedError::Lost`] where bytes of the manifest are nowhere to be found.
pub fn in_force(objects: &dyn Objects, replay: &Replay) -> Result<BTreeMap<String, Content>, GovernedError> {
    let state = replay.state();
    let head = replay.tree().ok_or(GovernedError::Empty)?;
    let mut trees = TreeReader::new(objects);
    // Only the files that are asked for are listed: a void commit may have added any number of others.
    let manifest = state.manifest();
    let named = |path: &str| manifest.contains_key(path) || is_above(path, manifest.keys().map(String::as_str));
    let mut places: Vec<(String, Vec<Listed>)> = vec![(String::new(), list(&mut trees, head, &named)?)];
    let enacted = state.cases().rev().filter(|case| {
        matches!(case.matter(), Matter::Proposal(proposed)
            if proposed.enacted.is_some() && matches!(proposed.subject, Subject::Policy { .. }))
    });
    let mut older: Vec<&Case> = enacted.collect();
    let mut found = BTreeMap::new();
    let mut genesis = false;
    loop {
        let Some((prefix, listed)) = places.pop() else {
            if let Some(case) = (!older.is_empty()).then(|| older.remove(0)) {
                let prefix = format!("{}/files/", case.folder());
                let wanted = |path: &str| path.starts_with(&prefix) || prefix.starts_with(path);
                places.push((prefix.clone(), list(&mut trees, tree_of(objects, case)?, &wanted)?));
            } else if !genesis {
                genesis = true;
                places.push((String::new(), list(&mut trees, first_tree(objects, replay)?, &named)?));
            } else {
                break;
            }
            continue;
        };
        for (path, digest) in manifest {
            if found.contains_key(path) {
                continue;
            }
            let Some(file) = listed.iter().find(|file| file.path.strip_prefix(&prefix) == Some(path)) else { continue };
            match objects.read(file.id, ObjectKind::Blob, GOVERNED_LIMIT) {
                Ok(bytes) if Digest::of(&bytes) == *digest => {
                    found.insert(path.clone(), Content { blob: file.id, bytes });
                }
                // Spoilt: another one is looked for.
                Ok(_) | Err(StoreError::TooLarge { .. } | StoreError::OtherKind(..)) => {}
                // A submodule's commit is not in this store.
                Err(StoreError::Missing(_)) if file.mode == super::tree::MODE_SUBMODULE => {}
                Err(error) => return Err(error.into()),
            }
        }
        if found.len() == manifest.len() {
            return Ok(found);
        }
    }
    let lost = manifest.keys().find(|path| !found.contains_key(*path)).cloned().unwrap_or_default();
    Err(GovernedError::Lost(lost))
}

/// The files that lie beside a proposal, by the path that they shall have.
///
/// # Errors
/// Where the store fails.
pub fn brought(objects: &dyn Objects, case: &Case) -> Result<BTreeMap<String, Content>, GovernedError> {
    let prefix = format!("{}/files/", case.folder());
    let wanted = |path: &str| path.starts_with(&prefix) || prefix.starts_with(path);
    let mut found = BTreeMap::new();
    for file in list(&mut TreeReader::new(objects), tree_of(objects, case)?, &wanted)? {
        let Some(path) = file.path.strip_prefix(&prefix) else { continue };
        let bytes = objects.read(file.id, ObjectKind::Blob, GOVERNED_LIMIT)?;
        found.insert(path.to_owned(), Content { blob: file.id, bytes });
    }
    Ok(found)
}

/// The tree at the head with nothing in it but `ledger/`: what an enactment builds on, whatever a void commit has put
/// beside.
///
/// # Errors
/// Where the store fails.
pub(super) fn bare_ledger(
    store: &dyn crate::ports::Store,
    head: Option<ObjectId>,
) -> Result<Option<ObjectId>, StoreError> {
    let Some(head) = head else { return Ok(None) };
    let raw = store.read(head, ObjectKind::Tree, super::tree::changes::TREE_LIMIT)?;
    let tree = super::tree::Tree::parse(raw);
    let Some(entry) = tree.entries().find(|entry| entry.name == b"ledger" && entry.is_tree()) else { return Ok(None) };
    let mut only = b"40000 ledger\0".to_vec();
    only.extend_from_slice(entry.id.as_bytes());
    store.write(ObjectKind::Tree, &only).map(Some)
}

fn list(
    trees: &mut TreeReader<'_>,
    tree: ObjectId,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Listed>, GovernedError> {
    let listing = trees.list(tree, wanted)?;
    if listing.truncated { Err(GovernedError::TooMany) } else { Ok(listing.files) }
}

/// Whether `directory`, which ends with `/`, lies above one of `paths`.
fn is_above<'a>(directory: &str, mut paths: impl Iterator<Item = &'a str>) -> bool {
    directory.ends_with('/') && paths.any(|path| path.starts_with(directory))
}

/// The tree of the commit that opened a case: no later commit can take its files away.
fn tree_of(objects: &dyn Objects, case: &Case) -> Result<ObjectId, GovernedError> {
    let first = case.events().first().ok_or(GovernedError::Empty)?;
    let raw = objects.read(first.commit, ObjectKind::Commit, commit::COMMIT_LIMIT)?;
    let lost = |_| GovernedError::Lost(format!("the commit of case {}", case.id().short()));
    commit::links(&raw).map(|links| links.tree).map_err(lost)
}

fn first_tree(objects: &dyn Objects, replay: &Replay) -> Result<ObjectId, GovernedError> {
    let first = replay.commit_at(0).ok_or(GovernedError::Empty)?;
    let raw = objects.read(first, ObjectKind::Commit, commit::COMMIT_LIMIT)?;
    commit::links(&raw).map(|links| links.tree).map_err(|_| GovernedError::Lost("the first commit".to_owned()))
}

/// The governed files as the first commit brought them.
///
/// # Errors
/// Where the store fails.
pub fn first(objects: &dyn Objects, replay: &Replay) -> Result<BTreeMap<String, Content>, GovernedError> {
    let tree = first_tree(objects, replay)?;
    let mut found = BTreeMap::new();
    for file in list(&mut TreeReader::new(objects), tree, &|path| !path.starts_with("ledger/"))? {
        let bytes = objects.read(file.id, ObjectKind::Blob, GOVERNED_LIMIT)?;
        found.insert(file.path, Content { blob: file.id, bytes });
    }
    Ok(found)
}

/// The bytes of the first policy.
///
/// # Errors
/// Where the store fails, or the first commit has none.
pub fn first_policy(objects: &dyn Objects, replay: &Replay) -> Result<Vec<u8>, GovernedError> {
    let tree = first_tree(objects, replay)?;
    let listed = list(&mut TreeReader::new(objects), tree, &|path| path == "policy.toml")?;
    let file = listed.first().ok_or_else(|| GovernedError::Lost("policy.toml".to_owned()))?;
    Ok(objects.read(file.id, ObjectKind::Blob, GOVERNED_LIMIT)?)
}
