//! What a tree changes against another: what is told, done to the old listing, gives the new one; and no tree makes it
//! work for long.
#![no_main]

use std::collections::BTreeMap;

use jit::domain::id::ObjectId;
use jit::ledger::tree::{MODE_EXECUTABLE, MODE_FILE, MODE_SUBMODULE, MODE_SYMLINK, MODE_TREE, TreeReader};
use jit::ports::{ObjectKind, Objects, StoreError};
use jit_fuzz::Input;

/// Trees that may hold only those made before them, as Git's must.
struct Forest(Vec<Vec<u8>>);

fn id_of(number: usize) -> ObjectId {
    let mut id = [0; 20];
    id[0] = u8::try_from(number).expect("few");
    ObjectId::from_bytes(id)
}

impl Objects for Forest {
    fn header(&self, id: ObjectId) -> Result<(ObjectKind, u64), StoreError> {
        match (id.as_bytes()[1], self.0.get(usize::from(id.as_bytes()[0]))) {
            (0, Some(tree)) => Ok((ObjectKind::Tree, u64::try_from(tree.len()).expect("small"))),
            (1, _) => Ok((ObjectKind::Blob, 1)),
            _ => Err(StoreError::Missing(id)),
        }
    }

    fn read(&self, id: ObjectId, kind: ObjectKind, _: u64) -> Result<Vec<u8>, StoreError> {
        match self.header(id)? {
            (found, _) if found != kind => Err(StoreError::OtherKind(id, kind)),
            _ => Ok(self.0.get(usize::from(id.as_bytes()[0])).cloned().unwrap_or_default()),
        }
    }
}

fn forest(input: &mut Input<'_>) -> Forest {
    let mut trees: Vec<Vec<u8>> = Vec::new();
    while !input.is_empty() && trees.len() < 40 {
        let shape = input.byte();
        let mut entries = Vec::new();
        for _ in 0..shape % 16 {
            let what = input.byte();
            let modes = [MODE_TREE, MODE_FILE, MODE_TREE, MODE_EXECUTABLE, MODE_SYMLINK, MODE_SUBMODULE, 0o100_664, 7];
            let mode = modes[usize::from(what % 8)];
            let length = 1 + usize::from(what >> 3) % 3;
            let name: Vec<u8> = input.take(length).iter().map(|byte| byte.clamp(&b'!', &b'~')).copied().collect();
            let target = usize::from(input.byte());
            let mut id = [0; 20];
            if mode == MODE_TREE && !trees.is_empty() {
                id[0] = u8::try_from(target % trees.len()).expect("few");
            } else {
                (id[0], id[1]) = (u8::try_from(target).expect("a byte"), 1);
            }
            entries.push((name, mode, id));
        }
        if shape & 0x10 == 0 {
            let key = |(name, mode, _): &(Vec<u8>, u32, [u8; 20])| {
                let slash: &[u8] = if *mode == MODE_TREE { b"/" } else { b"" };
                [name.as_slice(), slash].concat()
            };
            entries.sort_by_key(key);
            entries.dedup_by(|one, other| one.0 == other.0);
        }
        let mut raw = Vec::new();
        for (name, mode, id) in entries {
            raw.extend_from_slice(format!("{mode:o} ").as_bytes());
            raw.extend_from_slice(&name);
            raw.push(0);
            raw.extend_from_slice(&id);
        }
        trees.push(raw);
    }
    Forest(trees)
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let forest = forest(&mut input);
    let Some(last) = forest.0.len().checked_sub(1) else { return };
    let (new, old) = (id_of(last), id_of(last / 2));
    let mut reader = TreeReader::new(&forest);
    assert!(reader.changes(Some(new), new).expect("all there").changes.is_empty());
    let mut list = |tree| reader.list(tree, &|_| true).expect("all there");
    let (before, after) = (list(old), list(new));
    let whole = [&before, &after].iter().all(|list| !list.truncated && list.faults.is_empty());
    let found = reader.changes(Some(old), new).expect("all there");
    if !whole || found.truncated {
        assert!(!whole || found.faults.is_empty(), "a fault that neither has");
        return;
    }
    let as_map = |list: &jit::ledger::tree::Listing| -> BTreeMap<String, (u32, ObjectId)> {
        list.files.iter().map(|file| (file.path.clone(), (file.mode, file.id))).collect()
    };
    let (mut at, wanted) = (as_map(&before), as_map(&after));
    for change in &found.changes {
        assert_ne!(change.old, change.new);
        assert_eq!(at.get(&change.path).copied(), change.old, "{}", change.path);
        match change.new {
            Some(new) => at.insert(change.path.clone(), new),
            None => at.remove(&change.path),
        };
    }
    assert_eq!(at, wanted);
    let from_nothing = reader.changes(None, new).expect("all there");
    assert_eq!(from_nothing.changes.len(), wanted.len());
});
