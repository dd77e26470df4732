//! Writes the golden ledgers down for `tests/fold.rs`, with what each must come to: the objects as they lie in the
//! repository, and the verdict as the tables here have it. Only where `GOLDEN_DUMP` names a folder to write to, as
//! `tests/vectors/fold/make.py` does.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use git2::{ObjectType, Repository};
use jit::domain::time::Timestamp;
use serde_json::{Value, json};

#[allow(clippy::disallowed_methods)]
fn folder() -> Option<PathBuf> {
    std::env::var_os("GOLDEN_DUMP").map(PathBuf::from)
}

/// Writes down a ledger and what is expected of it at `at`.
pub fn dump(repository: &Path, at: Timestamp, expected: &Value) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let Some(folder) = folder() else { return };
    let repository = Repository::open(repository).unwrap();
    let odb = repository.odb().unwrap();
    let mut objects = Vec::new();
    odb.foreach(|id| {
        let object = odb.read(*id).unwrap();
        let kind = match object.kind() {
            ObjectType::Commit => "commit",
            ObjectType::Tree => "tree",
            _ => "blob",
        };
        objects.push(json!([id.to_string(), kind, STANDARD.encode(object.data())]));
        true
    })
    .unwrap();
    let head = repository.refname_to_id("refs/heads/main").unwrap().to_string();
    let thread = std::thread::current();
    let name = thread.name().unwrap();
    let row = json!({"name": name, "head": head, "at": at.to_string(), "expected": expected, "objects": objects});
    let file = format!("{}-{}.json", name.replace("::", "."), COUNT.fetch_add(1, Ordering::Relaxed));
    std::fs::write(folder.join(file), row.to_string()).unwrap();
}
