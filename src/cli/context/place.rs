//! Whether the repository around a directory is a ledger: `policy.toml` and `ledger/` on its branch. Nothing is believed
//! for that; verification comes later.

use std::path::{Path, PathBuf};

use crate::git::GitStore;
use crate::ledger::{commit, tree};
use crate::ports::{ObjectKind, Objects as _, Store as _};

/// The ledger that `directory` lies in. One that cannot be opened (shallow, grafted) is found by its work tree, so that
/// the person hears why, instead of working on another ledger unawares.
pub(super) fn ledger_around(directory: &Path) -> Option<PathBuf> {
    match GitStore::open(directory) {
        Ok(store) => holds_ledger(&store).then(|| store.work_tree().unwrap_or(store.path()).to_owned()),
        Err(_) => {
            let mut above = directory.ancestors();
            let looks = |path: &&Path| path.join(".git").exists();
            let around = above.find(looks)?;
            (around.join("policy.toml").is_file() && around.join("ledger").is_dir()).then(|| around.to_owned())
        }
    }
}

fn holds_ledger(store: &GitStore) -> bool {
    let find = || -> Option<bool> {
        let head = store.head().ok()??;
        let raw = store.read(head, ObjectKind::Commit, 1 << 20).ok()?;
        let root = commit::links(&raw).ok()?.tree;
        let root = tree::Tree::parse(store.read(root, ObjectKind::Tree, 1 << 22).ok()?);
        Some(root.find(b"policy.toml").is_some() && root.find(b"ledger").is_some())
    };
    find().unwrap_or(false)
}
