//! Packs as git makes them, of every kind, and what becomes of them: replaced, borrowed, gone.

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

mod damaged;
mod made_up;
