//! Packs and their indexes, cut, bent and made up: whatever they say, reading ends, and nothing is read as an object whose
//! hash is not its name.
#![no_main]

use jit::domain::id::ObjectId;
use jit::git::pack::entry::{HEAD_BYTES, delta, entry};
use jit::git::pack::file::{Pack, Scratch};
use jit::git::pack::index::Index;
use jit::git::pack::{Found, PackError};
use jit_fuzz::Input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    match input.byte() % 3 {
        0 => single(&mut input),
        1 => index(input.0),
        _ => pack(&mut input),
    }
});

/// An entry's head, and a difference to something.
fn single(input: &mut Input<'_>) {
    if let Some(entry) = entry(input.0) {
        assert!(entry.head <= input.0.len());
    }
    let length = input.short();
    let base = input.take(length);
    if let Some(delta) = delta(input.0)
        && let Some(result) = delta.apply(base)
    {
        assert_eq!(u64::try_from(result.len()), Ok(delta.result));
        assert_eq!(u64::try_from(base.len()), Ok(delta.base));
    }
}

/// An index: what is found in the file is found in memory, too.
fn index(bytes: &[u8]) {
    let Ok(index) = Index::open(bytes.to_vec()) else { return };
    let ids: Vec<ObjectId> = bytes.get(1032..).unwrap_or_default().chunks_exact(20).take(8).map(id).collect();
    let in_file: Vec<_> = ids.iter().map(|id| index.find(*id)).collect();
    for _ in 0..600 {
        let _ = index.find(ObjectId::from_bytes([0; 20]));
    }
    let is_sorted = bytes.get(1032..).unwrap_or_default().chunks_exact(20).take(index_objects(&index)).is_sorted();
    for (id, in_file) in ids.iter().zip(in_file) {
        let (Ok(Some(hit)), true) = (in_file, is_sorted) else { continue };
        assert!(hit.is_certain && index.is_at(hit, *id).expect("it was read before"));
        let Ok(Some(again)) = index.find(*id) else { continue };
        assert!(!again.is_certain || index.is_at(again, *id).expect("it was read before"));
    }
}

fn index_objects(index: &Index<Vec<u8>>) -> usize {
    usize::try_from(index.objects()).unwrap_or(usize::MAX)
}

fn id(bytes: &[u8]) -> ObjectId {
    ObjectId::from_bytes(bytes.try_into().expect("twenty bytes"))
}

/// Entries at any offsets, under made-up names that differences may go to.
fn pack(input: &mut Input<'_>) {
    let count = input.byte() % 16 + 1;
    let offsets: Vec<u32> = (0..count).map(|_| u32::try_from(input.short()).expect("two bytes")).collect();
    let mut pack = [&b"PACK\0\0\0\x02"[..], &u32::from(count).to_be_bytes()].concat();
    pack.extend_from_slice(input.0);
    pack.extend([0; 20]);
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    for byte in 0..=255_u8 {
        index.extend(u32::from(byte.saturating_add(1).min(count)).to_be_bytes());
    }
    index.extend((0..count).flat_map(|byte| [byte; 20]));
    index.extend((0..count).flat_map(|_| [0; 4]));
    index.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
    index.extend([0; 40]);
    let Ok(pack) = Pack::open(1, index, pack) else { return };
    let mut scratch = Scratch::default();
    for byte in 0..count {
        let id = ObjectId::from_bytes([byte; 20]);
        let header = pack.header(&mut scratch, id);
        match pack.read(&mut scratch, id, 4096) {
            Ok(Some(Found::Whole(..))) => panic!("no object has this name"),
            Ok(Some(Found::TooLarge(kind, size))) => {
                assert!(size > 4096);
                assert_eq!(header.expect("its size is known").expect("it is there"), (kind, size));
            }
            Ok(None) => panic!("the index has it"),
            Err(PackError::Damaged(_) | PackError::Beyond | PackError::Io(_)) => {}
        }
    }
}

const _: () = assert!(HEAD_BYTES >= 10 + 20);
