//! Packs that were cut, bent, or given another's index: an error, and never another object or another size.

use super::*;

/// The bytes of the only pack, its index, and everything in it.
fn in_memory() -> (Vec<u8>, Vec<u8>, Vec<Object>) {
    let made = Made::new();
    made.git(&["repack", "-q", "-a", "-d", "-f", "--depth=20"]);
    let (index, pack) = made.only();
    (fs::read(index).unwrap(), fs::read(pack).unwrap(), made.all())
}

/// Reads everything there is; how many objects were read whole. What is read is the object.
fn survives(index: &[u8], pack: &[u8], all: &[Object]) -> usize {
    let Ok(pack) = Pack::open(1, index.to_vec(), pack.to_vec()) else { return 0 };
    let mut scratch = Scratch::default();
    let mut whole = 0;
    for (id, kind, bytes) in all {
        let _ = pack.header(&mut scratch, *id);
        match pack.read(&mut scratch, *id, 4_000_000) {
            Ok(Some(Found::Whole(actual, read))) => {
                assert!(actual == *kind && read == *bytes, "{id} is another object");
                whole += 1;
            }
            // None of them is: that would be a verdict.
            Ok(Some(Found::TooLarge(..))) => panic!("{id} is not too large"),
            Ok(None) | Err(_) => {}
        }
        if let Ok(Some(Found::TooLarge(actual, size))) = pack.read(&mut scratch, *id, 100) {
            assert!(actual == *kind && size == long(bytes.len()), "{id} has not {size} bytes");
        }
    }
    whole
}

/// Where entries begin, and where the index says so.
fn starts(index: &[u8]) -> Vec<(usize, usize)> {
    let count = usize::try_from(u32::from_be_bytes(index[8 + 255 * 4..8 + 256 * 4].try_into().unwrap())).unwrap();
    let table = 8 + 256 * 4 + count * 24;
    let offset = |at: usize| usize::try_from(u32::from_be_bytes(index[at..at + 4].try_into().unwrap())).unwrap();
    (0..count).map(|number| (offset(table + number * 4), table + number * 4)).collect()
}

#[test]
fn an_index_that_points_elsewhere_is_an_error() {
    let (index, pack, all) = in_memory();
    let starts = starts(&index);
    let place = |number: usize| starts[number].1;
    // Outside, before the first entry, into another entry, into the trailer; and into the table of large ones, which is empty.
    for offset in [0, 11, starts[3].0 + 1, pack.len() - 20, pack.len() + 5, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] {
        let mut bent = index.clone();
        bent[place(7)..place(7) + 4].copy_from_slice(&u32::try_from(offset).unwrap().to_be_bytes());
        assert!(survives(&bent, &pack, &all) < all.len(), "{offset}");
    }
    // Two that are swapped.
    let mut bent = index.clone();
    bent[place(7)..place(7) + 4].copy_from_slice(&index[place(8)..place(8) + 4]);
    bent[place(8)..place(8) + 4].copy_from_slice(&index[place(7)..place(7) + 4]);
    assert!(survives(&bent, &pack, &all) <= all.len() - 2);
    // One that is large, and far outside.
    for far in [1_u64 << 31, 1 << 40, u64::MAX - 3, u64::MAX] {
        let mut bent = index.clone();
        bent[place(7)..place(7) + 4].copy_from_slice(&0x8000_0000_u32.to_be_bytes());
        let end = bent.len() - 40;
        bent.splice(end..end, far.to_be_bytes());
        assert!(survives(&bent, &pack, &all) < all.len(), "{far}");
    }
    // Another pack's checksum, and another count.
    let mut bent = index.clone();
    let at = bent.len() - 40;
    bent[at] ^= 1;
    assert!(matches!(Pack::open(1, bent, pack.clone()), Err(PackError::Damaged(_))));
    let mut bent = pack.clone();
    bent[11] ^= 1;
    assert!(matches!(Pack::open(1, index, bent), Err(PackError::Damaged(_))));
}

#[test]
fn a_changed_byte_is_never_another_object() {
    let (index, pack, all) = in_memory();
    assert_eq!(survives(&index, &pack, &all), all.len());
    let (mut tried, mut missed) = (0, 0);
    for at in (12..pack.len() - 20).step_by((pack.len() / 150) | 1) {
        let mut bent = pack.clone();
        bent[at] ^= 0x41;
        tried += 1;
        missed += usize::from(survives(&index, &bent, &all) == all.len());
    }
    // Each byte of a pack belongs to an object, and a few of them may be said otherwise.
    assert!(missed * 10 < tried, "{missed} of {tried}");
    // The heads of entries, which no checksum of their own guards: each bit of them.
    for (at, _) in starts(&index).into_iter().step_by(17) {
        for bit in 0..16 {
            let mut bent = pack.clone();
            bent[at + bit / 8] ^= 1 << (bit % 8);
            survives(&index, &bent, &all);
        }
    }
    for at in (8..index.len()).step_by((index.len() / 150) | 1) {
        let mut bent = index.clone();
        bent[at] ^= 0x41;
        survives(&bent, &pack, &all);
    }
}

#[test]
fn a_cut_pack_is_an_error() {
    let (index, pack, all) = in_memory();
    for length in [0, 11, 12, 31, 32, 1000, pack.len() / 2, pack.len() - 21, pack.len() - 1] {
        assert!(Pack::open(1, index.clone(), pack[..length].to_vec()).is_err(), "{length}");
        // With a trailer as if it were whole: only what lies before the cut is there.
        let length = length.clamp(12, pack.len() - 21);
        let cut = [&pack[..length], &pack[pack.len() - 20..]].concat();
        assert!(survives(&index, &cut, &all) < all.len(), "{length}");
    }
    for length in [0, 7, 1031, 1032, 5000, index.len() - 1] {
        assert!(Pack::open(1, index[..length].to_vec(), pack.clone()).is_err(), "{length}");
    }
}

#[test]
fn a_damaged_pack_is_an_error_and_a_loose_copy_mends_it() {
    use crate::git::GitStore;
    use crate::ports::{Objects as _, StoreError};
    let made = Made::new();
    made.git(&["repack", "-q", "-a", "-d"]);
    let all = made.all();
    let (_, pack) = made.only();
    let mut bytes = fs::read(&pack).unwrap();
    let end = bytes.len() - 20;
    bytes[12..end].fill(0);
    fs::remove_file(&pack).unwrap();
    fs::write(&pack, bytes).unwrap();
    let store = GitStore::open(made.path()).unwrap();
    for (id, kind, _) in &all {
        assert!(matches!(store.read(*id, *kind, 4_000_000), Err(StoreError::Read(_))), "{id}");
        assert!(matches!(store.header(*id), Err(StoreError::Read(_))), "{id}");
    }
    // Where it is not packed, git writes it.
    let other = Made { directory: tempfile::tempdir().unwrap() };
    other.git(&["init", "-q", "--initial-branch=main"]);
    let (id, kind, bytes) = all.iter().find(|(_, kind, bytes)| *kind == ObjectKind::Blob && bytes.len() > 500).unwrap();
    other.git_with(&["hash-object", "-w", "--stdin"], bytes);
    let name = id.to_string();
    let (head, tail) = name.split_at(2);
    fs::create_dir_all(made.objects().join(head)).unwrap();
    fs::copy(other.objects().join(head).join(tail), made.objects().join(head).join(tail)).unwrap();
    assert_eq!(store.read(*id, *kind, 4_000_000).unwrap(), *bytes);
    // Damaged both ways, it is an error again.
    fs::remove_file(made.objects().join(head).join(tail)).unwrap();
    fs::write(made.objects().join(head).join(tail), b"x").unwrap();
    assert!(matches!(store.read(*id, *kind, 4_000_000), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_pack_that_is_damaged_as_a_whole_is_an_error_and_not_libgit2s() {
    use crate::git::GitStore;
    use crate::ports::{Objects as _, StoreError};
    let made = Made::new();
    made.git(&["repack", "-q", "-a", "-d"]);
    let all = made.all();
    let (index, pack) = made.only();
    let (index_bytes, pack_bytes) = (fs::read(&index).unwrap(), fs::read(&pack).unwrap());
    let replace = |path: &Path, bytes: &[u8]| {
        fs::remove_file(path).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let is_refused = |what: &str| {
        let store = GitStore::open(made.path()).unwrap();
        for (id, kind, _) in &all {
            let read = store.read(*id, *kind, 4_000_000);
            assert!(matches!(read, Err(StoreError::Read(_))), "{what}: {id}: {read:?}");
            let read = store.read(*id, *kind, 10);
            assert!(matches!(read, Err(StoreError::Read(_))), "{what}: {id}: {read:?}");
            assert!(matches!(store.header(*id), Err(StoreError::Read(_))), "{what}: {id}");
        }
    };
    for length in [0, 500, 1032, 3000, index_bytes.len() - 1] {
        replace(&index, &index_bytes[..length]);
        is_refused(&format!("an index of {length} bytes"));
    }
    let mut other = index_bytes.clone();
    let at = other.len() - 30;
    other[at] ^= 1;
    replace(&index, &other);
    is_refused("another pack's index");
    replace(&index, &index_bytes);
    for length in [0, 11, 31, 5000, pack_bytes.len() - 1] {
        replace(&pack, &pack_bytes[..length]);
        is_refused(&format!("a pack of {length} bytes"));
    }
    // Cut while it is open: what is not in memory is gone, and nobody is killed by a signal.
    replace(&pack, &pack_bytes);
    let store = GitStore::open(made.path()).unwrap();
    let (id, kind, bytes) = &all[0];
    assert_eq!(store.read(*id, *kind, 4_000_000).unwrap(), *bytes);
    fs::OpenOptions::new().write(true).open(&pack).unwrap().set_len(100).unwrap();
    for (id, kind, bytes) in &all {
        match store.read(*id, *kind, 4_000_000) {
            Ok(read) => assert!(read == *bytes, "{id}"),
            Err(error) => assert!(matches!(error, StoreError::Read(_)), "{id}: {error:?}"),
        }
    }
    let fresh = GitStore::open(made.path()).unwrap();
    assert!(all.iter().all(|(id, kind, _)| matches!(fresh.read(*id, *kind, 4_000_000), Err(StoreError::Read(_)))));
}
