//! Packs as git makes them, of every kind, and what becomes of them: replaced, cut, changed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

/// An object as git gives it.
type Object = (ObjectId, ObjectKind, Vec<u8>);

fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}

/// A repository of git's own making.
struct Made {
    directory: tempfile::TempDir,
}

impl Made {
    /// One with commits, trees and blobs that are much alike, and one blob that is large and even.
    fn new() -> Self {
        let made = Self { directory: tempfile::tempdir().unwrap() };
        made.git(&["init", "-q", "--initial-branch=main"]);
        for number in 0..40_u32 {
            let directory = made.path().join(format!("{}/{}", number % 3, number % 7));
            fs::create_dir_all(&directory).unwrap();
            let line = |line: u32| format!("line {line} of {}\n", if line == number { number } else { 0 });
            let text: String = (0..60 + number).map(line).collect();
            fs::write(directory.join(format!("file-{number}")), &text).unwrap();
            fs::write(made.path().join("growing"), text).unwrap();
            if number == 20 {
                fs::write(made.path().join("zeros"), vec![0; 3_000_000]).unwrap();
                fs::write(made.path().join("empty"), b"").unwrap();
            }
            made.git(&["add", "."]);
            made.git(&["commit", "-q", "-m", &format!("number {number}")]);
        }
        made
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn objects(&self) -> PathBuf {
        self.path().join(".git/objects")
    }

    fn git(&self, arguments: &[&str]) -> Vec<u8> {
        self.git_with(arguments, b"")
    }

    fn git_with(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        use std::io::Write as _;
        let mut git = Command::new("git")
            .args(["-c", "user.name=alice", "-c", "user.email=alice@acme.example", "-c", "gc.auto=0"])
            .args(arguments)
            .current_dir(self.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        git.stdin.take().unwrap().write_all(input).unwrap();
        let output = git.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        output.stdout
    }

    /// All objects, as git itself gives them.
    fn all(&self) -> Vec<Object> {
        let ids = self.git(&["cat-file", "--batch-check=%(objectname) %(objecttype)", "--batch-all-objects"]);
        let list = String::from_utf8(ids).unwrap();
        let mut all = Vec::new();
        for line in list.lines() {
            let (id, kind) = line.split_once(' ').unwrap();
            let kind = match kind {
                "commit" => ObjectKind::Commit,
                "tree" => ObjectKind::Tree,
                "blob" => ObjectKind::Blob,
                _ => continue,
            };
            all.push((id.parse().unwrap(), kind, Vec::new()));
        }
        let names: String = all.iter().map(|(id, ..)| format!("{id}\n")).collect();
        let mut rest = &self.git_with(&["cat-file", "--batch", "--buffer"], names.as_bytes())[..];
        for (_, _, bytes) in &mut all {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
            let head = std::str::from_utf8(&rest[..end]).unwrap();
            let size: usize = head.rsplit(' ').next().unwrap().parse().unwrap();
            *bytes = rest[end + 1..end + 1 + size].to_vec();
            rest = &rest[end + 2 + size..];
        }
        assert!(all.len() > 150, "{}", all.len());
        all
    }

    fn packs(&self) -> Packs {
        Packs::new(&[self.objects()])
    }

    /// The files of its only pack.
    fn only(&self) -> (PathBuf, PathBuf) {
        let [(pack, _)] = &packs(&self.objects().join("pack"))[..] else { panic!("not one pack") };
        (pack.with_extension("idx"), pack.clone())
    }
}

/// Each object is found as git gives it, whatever is asked first, and none else.
fn reads_as_git(made: &Made) {
    let all = made.all();
    let packs = made.packs();
    let there = |turn: &[Object], packs: &Packs| {
        for (id, kind, bytes) in turn {
            let size = long(bytes.len());
            assert_eq!(packs.header(*id).unwrap(), Some((*kind, size)), "{id}");
            assert_eq!(packs.read(*id, size).unwrap(), Some(Found::Whole(*kind, bytes.clone())), "{id}");
            if size > 0 {
                assert_eq!(packs.read(*id, size - 1).unwrap(), Some(Found::TooLarge(*kind, size)), "{id}");
            }
        }
    };
    there(&all, &packs);
    let backwards: Vec<_> = all.iter().rev().cloned().collect();
    // Again from what is kept, and afresh the other way round.
    there(&backwards, &packs);
    there(&backwards, &made.packs());
    for byte in [0, 1, 127, 255] {
        assert_eq!(packs.read(ObjectId::from_bytes([byte; 20]), 100).unwrap(), None);
        assert_eq!(packs.header(ObjectId::from_bytes([byte; 20])).unwrap(), None);
    }
}

/// How many entries of the only pack are differences, and the longest chain of them.
fn differences(made: &Made) -> (usize, usize) {
    let (index, _) = made.only();
    let said = String::from_utf8(made.git(&["verify-pack", "-v", index.to_str().unwrap()])).unwrap();
    let depths: Vec<usize> = said
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.len() == 7 && words[0].len() == 40)
        .map(|words| words[5].parse().unwrap())
        .collect();
    (depths.len(), depths.into_iter().max().unwrap_or_default())
}

#[test]
fn what_git_repacks_is_read() {
    let made = Made::new();
    made.git(&["repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50"]);
    let (count, _) = differences(&made);
    assert!(count > 50, "{count} differences");
    reads_as_git(&made);
    // No differences at all.
    made.git(&["repack", "-q", "-a", "-d", "-f", "--depth=0", "--window=0"]);
    assert_eq!(differences(&made).0, 0);
    reads_as_git(&made);
    // Stored, not deflated.
    made.git(&["-c", "pack.compression=0", "repack", "-q", "-a", "-d", "-F"]);
    reads_as_git(&made);
}

#[test]
fn differences_by_name_and_large_offsets_are_read() {
    let made = Made::new();
    let names: String = made.all().iter().map(|(id, ..)| format!("{id}\n")).collect();
    for arguments in [
        &["pack-objects", "-q", "--stdout", "--window=50", "--depth=30"][..],
        &["pack-objects", "-q", "--stdout", "--window=50", "--depth=30", "--delta-base-offset"],
    ] {
        let pack = made.git_with(arguments, names.as_bytes());
        // Nothing but this pack.
        let other = Made { directory: tempfile::tempdir().unwrap() };
        other.git(&["init", "-q", "--initial-branch=main"]);
        // Every offset stands in the table of large ones.
        other.git_with(&["index-pack", "--stdin", "--index-version=2,0x10"], &pack);
        assert!(differences(&other).0 > 50);
        reads_as_git(&other);
    }
}

#[test]
fn several_packs_loose_objects_and_a_multi_pack_index() {
    let made = Made::new();
    let head = String::from_utf8(made.git(&["rev-parse", "main~20"])).unwrap();
    let early = made.git_with(&["pack-objects", "-q", "--revs", ".git/objects/pack/pack"], head.as_bytes());
    assert_eq!(early.len(), 41);
    let packs = made.packs();
    let all = made.all();
    let held = all.iter().filter(|(id, ..)| packs.header(*id).unwrap().is_some()).count();
    assert!(held > 50 && held < all.len() - 50, "{held} of {}", all.len());
    // A second one beside it, of the rest.
    made.git(&["repack", "-q", "-d"]);
    assert_eq!(super::packs(&made.objects().join("pack")).len(), 2);
    reads_as_git(&made);
    // A reader that was there before sees them, too.
    assert!(all.iter().all(|(id, ..)| packs.header(*id).unwrap().is_some()));
    made.git(&["multi-pack-index", "write"]);
    reads_as_git(&made);
    // Borrowed, from an empty repository.
    let borrower = tempfile::tempdir().unwrap();
    let packs = Packs::new(&[borrower.path().to_owned(), made.objects()]);
    assert!(all.iter().all(|(id, ..)| packs.header(*id).unwrap().is_some()));
}

#[test]
fn a_pack_may_vanish_between_two_reads() {
    let made = Made::new();
    let all = made.all();
    // Nothing is packed yet: that is looked for again once it is.
    let early = made.packs();
    assert_eq!(early.header(all[0].0).unwrap(), None);
    made.git(&["repack", "-q", "-a", "-d"]);
    let packs = [made.packs(), made.packs()];
    // One has it open, one knows only its name.
    assert!(packs[0].header(all[0].0).unwrap().is_some());
    packs[1].state.borrow_mut().look_again();
    let (_, before) = made.only();
    made.git(&["repack", "-q", "-a", "-d", "-f", "--depth=3"]);
    assert_ne!(made.only().1, before);
    assert!(!before.exists());
    for packs in [&early, &packs[0], &packs[1]] {
        for (id, kind, bytes) in &all {
            assert_eq!(packs.read(*id, 4_000_000).unwrap(), Some(Found::Whole(*kind, bytes.clone())));
        }
    }
    // What is gone is not kept open for ever.
    assert_eq!(packs[0].header(ObjectId::from_bytes([3; 20])).unwrap(), None);
    assert_eq!(packs[0].state.borrow().known.len(), 1);
}

#[test]
fn what_is_odd_is_left_to_others() {
    let made = Made::new();
    made.git(&["tag", "-a", "-m", "a tag", "one"]);
    let tag: ObjectId = String::from_utf8(made.git(&["rev-parse", "one"])).unwrap().trim().parse().unwrap();
    let all = made.all();
    made.git(&["-c", "pack.indexVersion=2", "repack", "-q", "-a", "-d"]);
    assert!(matches!(made.packs().read(tag, 1000), Err((_, PackError::Beyond))));
    assert!(matches!(made.packs().header(tag), Err((_, PackError::Beyond))));
    made.git(&["-c", "pack.indexVersion=1", "repack", "-q", "-a", "-d", "-f"]);
    assert!(all.iter().all(|(id, ..)| made.packs().read(*id, 4_000_000).unwrap().is_none()));
    // A pipe where an index should be keeps nobody.
    let (index, _) = made.only();
    fs::remove_file(&index).unwrap();
    assert!(Command::new("mkfifo").arg(&index).status().unwrap().success());
    assert_eq!(made.packs().read(all[0].0, 100).unwrap(), None);
}

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
        if let Ok(Some(Found::Whole(actual, read))) = pack.read(&mut scratch, *id, 4_000_000) {
            assert!(actual == *kind && read == *bytes, "{id} is another object");
            whole += 1;
        }
    }
    whole
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
    assert_eq!(read.unwrap(), Some(Found::TooLarge(ObjectKind::Blob, 1 << 60)));
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
    let (_, read) = ask(&[small, (id, from(&delta))], u64::MAX);
    assert!(matches!(read, Err(PackError::Damaged(_) | PackError::Beyond)));
    // A small one that is made from something huge: libgit2's.
    let huge = (base, [head(3, 1 << 40), deflated(b"small")].concat());
    let delta = [sized(1 << 40), sized(5), vec![0x90, 5]].concat();
    let (header, read) = ask(&[huge, (id, from(&delta))], 1000);
    assert_eq!(header.unwrap(), Some((ObjectKind::Blob, 5)));
    assert!(matches!(read, Err(PackError::Beyond)));
    // Two differences to each other.
    let to = |other: ObjectId| [head(7, 4), other.as_bytes().to_vec(), deflated(&[5, 5, 0x90, 5])].concat();
    let (header, read) = ask(&[(id, to(base)), (base, to(id))], 1000);
    assert!(header.is_err());
    assert!(matches!(read, Err(PackError::Beyond)));
    // One to something that is not there, and one to before the pack.
    let (_, read) = ask(&[(id, to(base))], 1000);
    assert!(matches!(read, Err(PackError::Damaged(_))));
    let (_, read) = ask(&[(id, [head(6, 4), vec![0x7f], deflated(&[5, 5, 0x90, 5])].concat())], 1000);
    assert!(matches!(read, Err(PackError::Damaged(_))));
    // Whole, but another object than its name says.
    let (_, read) = ask(&[(id, [head(3, 5), deflated(b"small")].concat())], 1000);
    assert!(matches!(read, Err(PackError::Damaged(_))));
}

#[test]
fn long_chains_are_read_from_either_end() {
    // Each is the one before and a byte more.
    let id = |length: usize| {
        let id = git2::Oid::hash_object(git2::ObjectType::Blob, &vec![b'x'; length]).unwrap();
        ObjectId::from_bytes(id.as_bytes().try_into().unwrap())
    };
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
