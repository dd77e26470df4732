//! Trees made by hand, one thing wrong with each. Comparisons with git itself are in `tests/git_adapter.rs`.

use std::cell::RefCell;
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::domain::id::CommitId;
use crate::ports::{ObjectKind, Objects, Store, StoreError};

#[derive(Default)]
struct Memory {
    objects: RefCell<HashMap<ObjectId, (ObjectKind, Vec<u8>)>>,
    reads: RefCell<usize>,
}

impl Objects for Memory {
    fn header(&self, id: ObjectId) -> Result<(ObjectKind, u64), StoreError> {
        let objects = self.objects.borrow();
        let (kind, bytes) = objects.get(&id).ok_or(StoreError::Missing(id))?;
        Ok((*kind, u64::try_from(bytes.len()).unwrap()))
    }

    fn read(&self, id: ObjectId, kind: ObjectKind, limit: u64) -> Result<Vec<u8>, StoreError> {
        let (actual, size) = self.header(id)?;
        if actual != kind {
            return Err(StoreError::OtherKind(id, kind));
        }
        if size > limit {
            return Err(StoreError::TooLarge { id, size, limit });
        }
        *self.reads.borrow_mut() += 1;
        Ok(self.objects.borrow()[&id].1.clone())
    }
}

impl Store for Memory {
    fn head(&self) -> Result<Option<CommitId>, StoreError> {
        Ok(None)
    }

    fn write(&self, kind: ObjectKind, bytes: &[u8]) -> Result<ObjectId, StoreError> {
        let git_kind = match kind {
            ObjectKind::Commit => git2::ObjectType::Commit,
            ObjectKind::Tree => git2::ObjectType::Tree,
            ObjectKind::Blob => git2::ObjectType::Blob,
        };
        let oid = git2::Oid::hash_object(git_kind, bytes).unwrap();
        let id = ObjectId::from_bytes(oid.as_bytes().try_into().unwrap());
        self.objects.borrow_mut().insert(id, (kind, bytes.to_vec()));
        Ok(id)
    }

    fn advance(&self, _: Option<CommitId>, _: CommitId, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

const BLOB: ObjectId = ObjectId::from_bytes([7; 20]);

fn raw(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut raw = Vec::new();
    for (mode, name) in entries {
        raw.extend_from_slice(mode.as_bytes());
        raw.push(b' ');
        raw.extend_from_slice(name);
        raw.push(0);
        raw.extend_from_slice(BLOB.as_bytes());
    }
    raw
}

fn faults(entries: &[(&str, &[u8])]) -> Vec<Malformed> {
    Tree::parse(raw(entries)).faults().iter().map(|(fault, _)| *fault).collect()
}

#[test]
fn an_orderly_tree_has_no_faults() {
    // git's order: `a.b` before the directory `a`, which sorts as `a/`.
    let tree: [(&str, &[u8]); 9] = [
        ("100644", b".gitattributes"),
        ("40000", b".github"),
        ("100644", b"README.md"),
        ("100644", b"a.b"),
        ("40000", b"a"),
        ("100755", b"a0"),
        ("100644", b"git~10"),
        ("100644", b"policy.toml"),
        ("100644", "ä".as_bytes()),
    ];
    assert_eq!(faults(&tree), []);
    assert_eq!(faults(&[]), []);
}

#[test]
fn each_fault_is_found_alone() {
    let one = |mode: &'static str, name: &'static [u8]| faults(&[(mode, name)]);
    for name in
        [".git", ".GIT", ".Git ", ".git...", "git~1", "GIT~1", ".g\u{200c}it", "\u{feff}.git", ".git:x", ".git\\x"]
    {
        assert_eq!(faults(&[("100644", name.as_bytes())]), [Malformed::DotGit], "{name:?}");
    }
    assert_eq!(one("100644", b"."), [Malformed::Dots]);
    assert_eq!(one("40000", b".."), [Malformed::Dots]);
    assert_eq!(one("100644", b""), [Malformed::Empty]);
    assert_eq!(one("100644", b"a/b"), [Malformed::Slash]);
    assert_eq!(one("100644", b"\xff"), [Malformed::NotUtf8]);
    assert_eq!(one("100664", b"a"), [Malformed::Mode]);
    assert_eq!(one("040000", b"a"), [Malformed::PaddedMode]);
    assert_eq!(faults(&[("100644", b"b"), ("100644", b"a")]), [Malformed::Unsorted]);
    assert_eq!(faults(&[("40000", b"a"), ("100644", b"a.b")]), [Malformed::Unsorted]);
    assert_eq!(faults(&[("100644", b"a"), ("100644", b"a")]), [Malformed::Duplicate]);
    assert_eq!(faults(&[("100644", b"a"), ("100644", b"a.b"), ("40000", b"a")]), [Malformed::Duplicate]);
    assert_eq!(faults(&[("100644", b"Readme"), ("100644", b"readme")]), [Malformed::Collides]);
    // `é` in one code point, and as `e` with a combining accent.
    assert_eq!(faults(&[("100644", "e\u{301}".as_bytes()), ("100644", "\u{e9}".as_bytes())]), [Malformed::Collides]);
}

#[test]
fn what_is_cut_is_read_as_far_as_it_goes() {
    let mut bytes = raw(&[("100644", b"a"), ("100644", b"b")]);
    bytes.pop();
    let tree = Tree::parse(bytes);
    assert_eq!(tree.entries().count(), 1);
    assert_eq!(tree.faults(), [(Malformed::Cut, String::new())]);
    for bad in [&b"100644"[..], b"100648 a\0", b" a\0aaaaaaaaaaaaaaaaaaaa", b"1006440000 a\0aaaaaaaaaaaaaaaaaaaa"] {
        assert_eq!(Tree::parse(bad.to_vec()).faults(), [(Malformed::Cut, String::new())]);
    }
}

fn blob(store: &Memory, text: &str) -> ObjectId {
    store.write(ObjectKind::Blob, text.as_bytes()).unwrap()
}

#[test]
fn changes_reads_only_what_changed_and_keeps_the_parent() {
    let store = Memory::default();
    let mut puts: Vec<(String, ObjectId)> = Vec::new();
    for hour in 0..50 {
        for case in 0..20 {
            puts.push((
                format!("ledger/2026/11/23/{hour:02}/case{case}/request.toml"),
                blob(&store, &format!("{hour} {case}")),
            ));
        }
    }
    let puts: Vec<(&str, ObjectId)> = puts.iter().map(|(path, id)| (path.as_str(), *id)).collect();
    let first = build(&store, None, &puts, &[]).unwrap();
    let approval = blob(&store, "approval");
    let second = build(&store, Some(first), &[("ledger/2026/11/23/07/case3/approval.toml", approval)], &[]).unwrap();
    let third = build(&store, Some(second), &[("ledger/2026/11/23/07/case3/approval2.toml", approval)], &[]).unwrap();

    let mut reader = TreeReader::new(&store);
    *store.reads.borrow_mut() = 0;
    let found = reader.changes(Some(first), second).unwrap();
    assert_eq!(found.changes.len(), 1);
    assert_eq!(found.changes[0].path, "ledger/2026/11/23/07/case3/approval.toml");
    assert_eq!((found.changes[0].old, found.changes[0].new), (None, Some((MODE_FILE, approval))));
    assert_eq!(*store.reads.borrow(), 14, "seven trees on each side");
    reader.changes(Some(second), third).unwrap();
    assert_eq!(*store.reads.borrow(), 21, "the parent's are still there");
}

#[test]
fn faults_of_new_and_changed_trees_are_told_with_their_path() {
    let store = Memory::default();
    let inner = raw(&[("100644", b".git")]);
    let inner = store.write(ObjectKind::Tree, &inner).unwrap();
    let root = |extra: Option<ObjectId>| {
        let mut bytes = b"40000 ledger\0".to_vec();
        bytes.extend_from_slice(inner.as_bytes());
        if let Some(extra) = extra {
            bytes.extend_from_slice(b"100644 Ledger\0");
            bytes.extend_from_slice(extra.as_bytes());
        }
        store.write(ObjectKind::Tree, &bytes).unwrap()
    };
    let mut reader = TreeReader::new(&store);
    let first = root(None);
    let found = reader.changes(None, first).unwrap();
    let fault = |path: &str, what, inherited| TreeFault { path: path.to_owned(), what, inherited };
    assert_eq!(found.faults, [fault("ledger/.git", Malformed::DotGit, false)]);
    // The changed root is looked at again, the unchanged subtree is not.
    let second = root(Some(BLOB));
    let found = reader.changes(Some(first), second).unwrap();
    let what = [fault("Ledger", Malformed::Unsorted, false), fault("Ledger", Malformed::Collides, false)];
    assert_eq!(found.faults, what);
    // Whoever builds on it inherits what stays, and `build` puts the order right.
    let third = build(&store, Some(second), &[("x", BLOB)], &[]).unwrap();
    let found = reader.changes(Some(second), third).unwrap();
    assert_eq!(found.faults.len(), 1);
    assert_eq!((found.faults[0].what, found.changes.len()), (Malformed::Collides, 1));
}

#[test]
fn directories_that_are_none_or_too_large_are_faults_and_missing_ones_are_errors() {
    let store = Memory::default();
    let of = |id: ObjectId| {
        let bytes = [b"40000 d\0".as_slice(), id.as_bytes()].concat();
        store.write(ObjectKind::Tree, &bytes).unwrap()
    };
    let not_a_tree = of(blob(&store, "x"));
    let large = of(store.write(ObjectKind::Tree, &vec![0; 8 * 1024 * 1024 + 1]).unwrap());
    let missing = of(BLOB);
    let mut reader = TreeReader::new(&store);
    assert_eq!(reader.changes(None, not_a_tree).unwrap().faults[0].what, Malformed::NoTree);
    assert_eq!(reader.changes(None, large).unwrap().faults[0].what, Malformed::TooLarge);
    assert!(matches!(reader.changes(None, missing), Err(StoreError::Missing(id)) if id == BLOB));
}

#[test]
fn bombs_end_quickly() {
    let store = Memory::default();
    // Ten directories, all the same one, thirty levels: 10^30 paths in thirty objects.
    let mut below = store.write(ObjectKind::Tree, &raw(&[("100644", b"f")])).unwrap();
    for _ in 0..30 {
        let entry = |name: char| [format!("40000 {name}\0").as_bytes(), below.as_bytes()].concat();
        let bytes: Vec<u8> = ('a'..='j').flat_map(entry).collect();
        below = store.write(ObjectKind::Tree, &bytes).unwrap();
    }
    let mut reader = TreeReader::new(&store);
    let found = reader.changes(None, below).unwrap();
    assert!(found.truncated);
    assert!(found.changes.len() <= changes::PATH_LIMIT);
    // The same without any file: only directories.
    let mut below = store.write(ObjectKind::Tree, b"").unwrap();
    for _ in 0..30 {
        let entry = |name: char| [format!("40000 {name}\0").as_bytes(), below.as_bytes()].concat();
        let bytes: Vec<u8> = ('a'..='j').flat_map(entry).collect();
        below = store.write(ObjectKind::Tree, &bytes).unwrap();
    }
    assert!(TreeReader::new(&store).changes(None, below).unwrap().truncated);
    // Two hundred levels, one file.
    let mut below = store.write(ObjectKind::Tree, &raw(&[("100644", b"f")])).unwrap();
    for _ in 0..200 {
        below = store.write(ObjectKind::Tree, &[b"40000 d\0".as_slice(), below.as_bytes()].concat()).unwrap();
    }
    let found = TreeReader::new(&store).changes(None, below).unwrap();
    assert_eq!(found.faults[0].what, Malformed::TooDeep);
    assert!(found.changes.is_empty());
}

#[test]
fn many_paths_are_cut_off_at_the_limit() {
    let store = Memory::default();
    let names: Vec<String> = (0..=changes::PATH_LIMIT).map(|at| format!("f{at:06}")).collect();
    let puts: Vec<(&str, ObjectId)> = names.iter().map(|name| (name.as_str(), BLOB)).collect();
    let root = build(&store, None, &puts, &[]).unwrap();
    let found = TreeReader::new(&store).changes(None, root).unwrap();
    assert_eq!((found.changes.len(), found.truncated), (changes::PATH_LIMIT, true));
}

#[test]
fn governed_files_are_everything_outside_the_ledger() {
    let store = Memory::default();
    let puts = [(".github/w.yml", BLOB), ("ledger/2026/x.toml", BLOB), ("ledgers", BLOB), ("policy.toml", BLOB)];
    let root = build(&store, None, &puts, &[]).unwrap();
    let listing = TreeReader::new(&store).governed(root).unwrap();
    let paths: Vec<&str> = listing.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, [".github/w.yml", "ledgers", "policy.toml"]);
}

#[test]
fn build_replaces_removes_and_refuses() {
    let store = Memory::default();
    let root = build(&store, None, &[("a/b/c", BLOB), ("a/d", BLOB), ("e", BLOB)], &[]).unwrap();
    let paths = |root| -> Vec<String> {
        TreeReader::new(&store).list(root, &|_| true).unwrap().files.into_iter().map(|file| file.path).collect()
    };
    let removed = build(&store, Some(root), &[], &["a/b/c", "not/there", "e/f"]).unwrap();
    assert_eq!(paths(removed), ["a/d", "e"], "the empty directory went too, and a file is no directory");
    assert_eq!(paths(build(&store, Some(root), &[("e/f", BLOB)], &["e"]).unwrap()), ["a/b/c", "a/d", "e/f"]);
    assert_eq!(paths(build(&store, Some(root), &[("a", BLOB)], &["a/d", "a/b/c"]).unwrap()), ["a", "e"]);
    let empty = build(&store, Some(root), &[], &["a", "e"]).unwrap();
    // The empty tree's well-known id.
    assert_eq!(empty.to_string(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    for bad in ["", "/a", "a//b", "../a", "a/..", ".git/config", "a/.GIT/x", "a\0b", "a/"] {
        assert!(matches!(build(&store, None, &[(bad, BLOB)], &[]), Err(StoreError::Write(_))), "{bad:?}");
    }
    assert!(matches!(build(&store, None, &[("a", BLOB), ("a/b", BLOB)], &[]), Err(StoreError::Write(_))));
}

/// An orderly tree of short names, and ids of which many are the same.
fn orderly() -> impl Strategy<Value = Vec<(Vec<u8>, bool, u8)>> {
    let entry =
        ("[a-c.-]{1,3}", any::<bool>(), 0..3_u8).prop_map(|(name, is_tree, id)| (name.into_bytes(), is_tree, id));
    prop::collection::vec(entry, 0..12)
}

fn written(entries: &[(Vec<u8>, bool, u8)]) -> Vec<u8> {
    let mode = |is_tree: bool| if is_tree { MODE_TREE } else { MODE_FILE };
    let entry = |(name, is_tree, id): &'_ (Vec<u8>, bool, u8)| (name.clone(), mode(*is_tree), *id);
    let mut entries: Vec<_> = entries.iter().map(entry).collect();
    let as_entry = |(name, mode, id): &(Vec<u8>, u32, u8)| {
        format!("{mode:o} ")
            .into_bytes()
            .into_iter()
            .chain(name.clone())
            .chain([0])
            .chain([*id; 20])
            .collect::<Vec<u8>>()
    };
    entries.sort_by(|left, right| {
        let of = |(name, mode, _): &'_ (Vec<u8>, u32, u8)| (name.clone(), *mode);
        let (left, right) = (of(left), of(right));
        let entry = |(name, mode)| Entry { mode, padded: false, name, id: BLOB };
        order(&entry((&left.0, left.1)), &entry((&right.0, right.1)))
    });
    entries.dedup_by(|left, right| (&left.0, left.1) == (&right.0, right.1));
    entries.iter().flat_map(as_entry).collect()
}

proptest! {
    /// A tree that is read against another one is the same tree, and what is different is what a look at every name says.
    #[test]
    fn reading_against_another_tree_changes_nothing(
        old in orderly(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..5_u8, orderly()), 0..3),
    ) {
        let mut new = old.clone();
        for (at, what, more) in edits {
            match what {
                0 => new.extend(more),
                _ if new.is_empty() => {}
                1 => drop(new.remove(at.index(new.len()))),
                _ => { let at = at.index(new.len()); new[at].2 ^= 1; }
            }
        }
        let (old, raw) = (Tree::parse(written(&old)), written(&new));
        let (like, plain) = (Tree::parse_like(raw.clone(), &old), Tree::parse(raw));
        prop_assert_eq!(like.entries().collect::<Vec<_>>(), plain.entries().collect::<Vec<_>>());
        prop_assert_eq!(like.faults(), plain.faults());
        let key = |entry: &Entry<'_>| (entry.name.to_vec(), entry.is_tree());
        let mut expected = std::collections::BTreeSet::new();
        let all = |tree: &Tree| tree.entries().map(|entry| (key(&entry), entry.id)).collect::<HashMap<_, _>>();
        let (before, after) = (all(&old), all(&plain));
        for name in before.keys().chain(after.keys()) {
            if before.get(name) != after.get(name) {
                expected.insert((name.clone(), before.get(name).copied(), after.get(name).copied()));
            }
        }
        let found: Vec<_> = changes::matched(Some(&old), Some(&like));
        let found: std::collections::BTreeSet<_> = found
            .into_iter()
            .filter(|(old, new)| old != new)
            .filter_map(|(old, new)| Some((key(&new.or(old)?), old.map(|e| e.id), new.map(|e| e.id))))
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let tree = Tree::parse(bytes.clone());
        // What was read without a fault is the whole of it.
        let rest: usize = tree.entries().map(|entry| entry.name.len() + 22 + format!("{:o}", entry.mode).len()).sum();
        if tree.faults().is_empty() {
            prop_assert_eq!(rest, bytes.len());
        }
    }
}
