//! Packs that git would not make: claims, circles, and what is made from something huge.

use super::*;

/// A pack of hand-made entries, each with its id, and the index of it. The checksums are not looked at.
fn hand_made(entries: &[(ObjectId, Vec<u8>)]) -> (Vec<u8>, Vec<u8>) {
    let count = u32::try_from(entries.len()).unwrap();
    let mut pack = [&b"PACK\0\0\0\x02"[..], &count.to_be_bytes()].concat();
    let mut places: Vec<([u8; 20], u32)> = Vec::new();
    for (id, bytes) in entries {
        places.push((*id.as_bytes(), u32::try_from(pack.len()).unwrap()));
        pack.extend(bytes);
    }
    pack.extend([5; 20]);
    places.sort_unstable();
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    for byte in 0..=255_u8 {
        let below = places.iter().filter(|(id, _)| id[0] <= byte).count();
        index.extend(u32::try_from(below).unwrap().to_be_bytes());
    }
    index.extend(places.iter().flat_map(|(id, _)| *id));
    index.extend(places.iter().flat_map(|_| [0; 4]));
    index.extend(places.iter().flat_map(|(_, at)| at.to_be_bytes()));
    index.extend([5; 20]);
    index.extend([6; 20]);
    (index, pack)
}

/// The head of an entry.
fn head(kind: u8, size: u64) -> Vec<u8> {
    let low = u8::try_from(size & 15).unwrap();
    let mut bytes = vec![(kind << 4) | low];
    let mut left = size >> 4;
    while left > 0 {
        *bytes.last_mut().unwrap() |= 0x80;
        bytes.push(u8::try_from(left & 0x7f).unwrap());
        left >>= 7;
    }
    bytes
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn sized(mut size: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        bytes.push(u8::try_from(size & 0x7f).unwrap() | if size > 0x7f { 0x80 } else { 0 });
        size >>= 7;
        if size == 0 {
            return bytes;
        }
    }
}

#[test]
fn a_claimed_size_costs_nothing() {
    let id = ObjectId::from_bytes([9; 20]);
    let ask = |entries: &[(ObjectId, Vec<u8>)], limit| {
        let (index, pack) = hand_made(entries);
        let pack = Pack::open(1, index, pack).unwrap();
        let mut scratch = Scratch::default();
        (pack.header(&mut scratch, id).map_err(|error| error.to_string()), pack.read(&mut scratch, id, limit))
    };
    // A blob that says it has a billion gigabytes.
    let claims = [head(3, 1 << 60), deflated(b"small")].concat();
    let (header, read) = ask(&[(id, claims.clone())], 1000);
    assert_eq!(header.unwrap(), Some((ObjectKind::Blob, 1 << 60)));
    assert!(matches!(read, Err(PackError::Damaged(_))));
    let (_, read) = ask(&[(id, claims)], u64::MAX);
    assert!(matches!(read, Err(PackError::Damaged(_) | PackError::Beyond)));
    // One that says less than there is, and one that says more.
    for said in [4, 6] {
        let (_, read) = ask(&[(id, [head(3, said), deflated(b"small")].concat())], 1000);
        assert!(matches!(read, Err(PackError::Damaged(_))), "{said}");
    }
    // A difference that says it makes a billion gigabytes.
    let delta = [sized(5), sized(1 << 60), vec![0x90, 5]].concat();
    let base = ObjectId::from_bytes([8; 20]);
    let from = |delta: &[u8]| [head(7, long(delta.len())), base.as_bytes().to_vec(), deflated(delta)].concat();
    let small = (base, [head(3, 5), deflated(b"small")].concat());
    let (header, read) = ask(&[small.clone(), (id, from(&delta))], 1000);
    assert_eq!(header.unwrap(), Some((ObjectKind::Blob, 1 << 60)));
    assert_eq!(read.unwrap(), Some(Found::TooLarge(ObjectKind::Blob, 1 << 60)));
    let (_, read) = ask(&[small.clone(), (id, from(&delta))], u64::MAX);
    assert!(matches!(read, Err(PackError::Damaged(_) | PackError::Beyond)));
    // The same with a difference that is none, or cut.
    for delta in [[sized(5), sized(1 << 60)].concat(), [sized(5), sized(1 << 60), vec![0; 3000]].concat()] {
        let mut bytes = from(&delta);
        bytes.truncate(bytes.len() - 3);
        let (_, read) = ask(&[small.clone(), (id, bytes)], 1000);
        assert!(matches!(read, Err(PackError::Damaged(_))));
    }
    // A small one that is made from something that says it is huge.
    let huge = (base, [head(3, 1 << 40), deflated(b"small")].concat());
    let delta = [sized(1 << 40), sized(5), vec![0x90, 5]].concat();
    let (header, read) = ask(&[huge, (id, from(&delta))], 1000);
    assert_eq!(header.unwrap(), Some((ObjectKind::Blob, 5)));
    assert!(matches!(read, Err(PackError::Damaged(_))));
    // Two differences to each other.
    let to = |other: ObjectId| [head(7, 4), other.as_bytes().to_vec(), deflated(&[5, 5, 0x90, 5])].concat();
    let (header, read) = ask(&[(id, to(base)), (base, to(id))], 1000);
    assert!(header.is_err());
    assert!(matches!(read, Err(PackError::Damaged(_))));
    // One to itself.
    let (header, read) = ask(&[(id, to(id))], 1000);
    assert!(header.is_err());
    assert!(matches!(read, Err(PackError::Damaged(_))));
    // One to something that is not there, and one to before the pack.
    let (_, read) = ask(&[(id, to(base))], 1000);
    assert!(matches!(read, Err(PackError::Damaged(_))));
    let (_, read) = ask(&[(id, [head(6, 4), vec![0x7f], deflated(&[5, 5, 0x90, 5])].concat())], 1000);
    assert!(matches!(read, Err(PackError::Damaged(_))));
    // Whole, but another object than its name says.
    let (_, read) = ask(&[(id, [head(3, 5), deflated(b"small")].concat())], 1000);
    assert!(matches!(read, Err(PackError::Damaged(_))));
}

fn blob_id(bytes: &[u8]) -> ObjectId {
    let id = git2::Oid::hash_object(git2::ObjectType::Blob, bytes).unwrap();
    ObjectId::from_bytes(id.as_bytes().try_into().unwrap())
}

#[test]
fn what_is_made_from_something_huge_is_gathered() {
    let huge: Vec<u8> = (0..10_000_000_u32).flat_map(|n| (n / 1000).to_le_bytes()).collect();
    // As large: a byte of its own in the middle. Small: from both of its ends, over that byte, and twice the same.
    let copied = |from: usize, length: usize| {
        let (from, length) = (from.to_le_bytes(), length.to_le_bytes());
        [&[0xff], &from[..4], &length[..3]].concat()
    };
    let (middle, last) = (20_000_000, huge.len() - 20_000_001);
    let mut like = huge.clone();
    like[middle] = b'!';
    let mut steps = Vec::new();
    for (from, length) in [(0, middle), (middle + 1, last)] {
        let (mut at, end) = (from, from + length);
        while at < end {
            let length = (end - at).min(0xff_ffff);
            steps.extend(copied(at, length));
            at += length;
        }
        if from == 0 {
            steps.extend([1, b'!']);
        }
    }
    let like_delta = [sized(long(huge.len())), sized(long(like.len())), steps].concat();
    let pieces = [(like.len() - 4000, 4000), (middle - 50, 100), (0, 10), (middle - 20, 30), (9_999_999, 300)];
    let small: Vec<u8> = pieces.iter().flat_map(|(from, length)| like[*from..from + length].to_vec()).collect();
    let steps = pieces.iter().flat_map(|(from, length)| copied(*from, *length)).collect();
    let small_delta = [sized(long(like.len())), sized(long(small.len())), steps].concat();
    let ids = [blob_id(&huge), blob_id(&like), blob_id(&small)];
    let from =
        |id: ObjectId, delta: &[u8]| [head(7, long(delta.len())), id.as_bytes().to_vec(), deflated(delta)].concat();
    let entries = [
        (ids[0], [head(3, long(huge.len())), deflated(&huge)].concat()),
        (ids[1], from(ids[0], &like_delta)),
        (ids[2], from(ids[1], &small_delta)),
    ];
    let (index, pack) = hand_made(&entries);
    let size = long(huge.len());
    let pack = Pack::open(1, index, pack).unwrap();
    for limit in [long(small.len()), 1_000_000] {
        let mut scratch = Scratch::default();
        assert_eq!(
            pack.read(&mut scratch, ids[2], limit).unwrap(),
            Some(Found::Whole(ObjectKind::Blob, small.clone()))
        );
        for id in [ids[0], ids[1]] {
            assert_eq!(pack.read(&mut scratch, id, limit).unwrap(), Some(Found::TooLarge(ObjectKind::Blob, size)));
        }
    }
    // The huge one ends early, or is another one.
    for (bytes, said) in [(&huge[..huge.len() - 1], size), (&like[..], size), (&huge[..], size - 1)] {
        let mut entries = entries.clone();
        entries[0].1 = [head(3, said), deflated(bytes)].concat();
        let (index, pack) = hand_made(&entries);
        let pack = Pack::open(1, index, pack).unwrap();
        for id in [ids[0], ids[2]] {
            let read = pack.read(&mut Scratch::default(), id, 1_000_000);
            let is_small_and_whole = id == ids[2] && bytes == like;
            assert!(is_small_and_whole || matches!(read, Err(PackError::Damaged(_))), "{id}: {read:?}");
        }
    }
}

#[test]
fn long_chains_are_read_from_either_end() {
    // Each is the one before and a byte more.
    let id = |length: usize| blob_id(&vec![b'x'; length]);
    let mut entries = vec![(id(10), [head(3, 10), deflated(&[b'x'; 10])].concat())];
    for length in 11..600_usize {
        let before = entries.last().unwrap();
        let [low, high] = u16::try_from(length - 1).unwrap().to_le_bytes();
        let delta = [sized(long(length) - 1), sized(long(length)), vec![0xb0, low, high, 1, b'x']].concat();
        let back = before.1.len();
        let back = vec![u8::try_from(back).ok().filter(|back| *back < 128).unwrap()];
        entries.push((id(length), [head(6, long(delta.len())), back, deflated(&delta)].concat()));
    }
    let (index, pack) = hand_made(&entries);
    let pack = Pack::open(1, index, pack).unwrap();
    for order in [(10..600).collect::<Vec<_>>(), (10..600).rev().collect()] {
        let mut scratch = Scratch::default();
        for length in order {
            let found = pack.read(&mut scratch, id(length), 600).unwrap();
            assert_eq!(found, Some(Found::Whole(ObjectKind::Blob, vec![b'x'; length])));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_end(
        entries in proptest::collection::vec((any::<[u8; 20]>(), proptest::collection::vec(any::<u8>(), 0..80)), 1..12),
        from in any::<prop::sample::Index>(),
        distance in 1..120_u8,
    ) {
        let mut entries: Vec<_> = entries.into_iter().map(|(id, bytes)| (ObjectId::from_bytes(id), bytes)).collect();
        // Some of them go on to something that is there.
        let base = entries[from.index(entries.len())].0;
        for (at, (_, bytes)) in entries.iter_mut().enumerate() {
            let length = long(bytes.len());
            *bytes = match at % 4 {
                0 => [head(7, length), base.as_bytes().to_vec(), deflated(bytes)].concat(),
                1 => [head(6, length), vec![distance], deflated(bytes)].concat(),
                2 => [head(3, length), deflated(bytes)].concat(),
                _ => bytes.clone(),
            };
        }
        let (index, pack) = hand_made(&entries);
        let pack = Pack::open(1, index, pack).unwrap();
        let mut scratch = Scratch::default();
        for (id, _) in &entries {
            let _ = pack.header(&mut scratch, *id);
            // No made-up name is the hash of what is there.
            prop_assert!(!matches!(pack.read(&mut scratch, *id, 1000), Ok(Some(Found::Whole(..)))));
        }
    }
}
