//! `jit audit tiles`: static files that a reader written from the specification alone (`vectors/c2sp/reader.py`) can make
//! roots and proofs from; written incrementally, full tiles once.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use common::log::{Logged, python};
use common::{BRANCH, Desk, Said, absent, files};

#[path = "common/harness.rs"]
mod common;

fn tiles(desk: &Desk<'_>, directory: &Path) -> Said {
    desk.jit(&["audit", "tiles", directory.to_str().unwrap(), "--json"])
}

/// When each file was last written, by its path below the directory.
fn written(directory: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let below = |file: PathBuf| {
        (file.strip_prefix(directory).unwrap().to_owned(), fs::metadata(&file).unwrap().modified().unwrap())
    };
    files(directory).into_iter().map(below).collect()
}

#[test]
fn a_reader_of_tiles_alone_comes_to_the_same_root_and_proof() {
    if absent("a_reader_of_tiles_alone_comes_to_the_same_root_and_proof", &["git", "ssh-keygen", "python3"]) {
        return;
    }
    let logged = Logged::new("");
    let ci = logged.clone_of("minter");
    let directory = logged.place.path("served/log");
    tiles(&ci, &directory).refused(1).mentions(&["there is no checkpoint"]);
    assert!(!directory.exists());
    logged.clone_of("alice").opens("30m");
    logged.checkpoint(&ci, &[]).ok();
    let said = tiles(&ci, &directory).ok();
    assert_eq!((&said.json()["size"], &said.json()["written"]), (&2.into(), &2.into()), "{}", said.told());
    let read = |index: &str| python(&logged.place, "reader.py", &[directory.as_os_str(), OsStr::new(index)]);
    assert_eq!(read("1")["root"], true);

    // 2 events, 255 commits that say nothing, then 343 more: 600 entries, in three steps.
    logged.add_voids(255);
    logged.checkpoint(&ci, &[]).ok();
    assert_eq!(tiles(&ci, &directory).ok().json()["size"], 257);
    let before = written(&directory);
    assert!(before.contains_key(Path::new("tile/0/000")) && before.contains_key(Path::new("tile/0/001.p/1")));
    assert!(before.contains_key(Path::new("tile/entries/000")) && before.contains_key(Path::new("tile/1/000.p/1")));
    logged.add_voids(343);
    // Not before there is a checkpoint of it.
    let said = tiles(&ci, &directory).ok();
    assert_eq!((&said.json()["size"], &said.json()["written"]), (&257.into(), &0.into()), "{}", said.told());
    assert_eq!(written(&directory), before, "nothing new, nothing written");
    logged.checkpoint(&ci, &[]).ok();
    tiles(&ci, &directory).ok();
    let after = written(&directory);
    for (path, time) in before.iter().filter(|(path, _)| **path != *Path::new("checkpoint")) {
        assert_eq!(after.get(path), Some(time), "{} was written again", path.display());
    }
    for path in ["tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/88"] {
        assert!(after.contains_key(Path::new(path)), "{path} is missing");
    }

    assert_eq!(fs::read_to_string(directory.join("checkpoint")).unwrap(), logged.note());
    for index in [0_u64, 1, 255, 256, 511, 512, 599] {
        let told = read(&index.to_string());
        assert_eq!((&told["size"], &told["entries"]), (&600.into(), &600.into()));
        assert_eq!((&told["root"], &told["included"]), (&true.into(), &true.into()), "{index}: {told}");
        assert_eq!(told["levels"], serde_json::json!(["0", "1", "entries"]));
        // 0x01 and two digests for an event, 0x02 and one for a void commit.
        assert_eq!(told["lengths"], serde_json::json!([33, 65]));
        let said = ci.jit(&["audit", "prove", "--position", &index.to_string(), "--json"]).ok();
        let text = said.text("proof");
        let hashes: Vec<&str> = text.lines().skip(3).take_while(|line| !line.is_empty()).collect();
        assert_eq!(told["proof"], serde_json::json!(hashes), "{index}");
    }
    // From nothing in one step: the same files, less the partial ones of the steps between.
    let whole = logged.place.path("whole");
    tiles(&ci, &whole).ok();
    for file in files(&whole) {
        let below = file.strip_prefix(&whole).unwrap();
        assert_eq!(fs::read(&file).unwrap(), fs::read(directory.join(below)).unwrap(), "{}", below.display());
    }
}

#[test]
fn what_lies_there_must_be_of_this_log() {
    if absent("what_lies_there_must_be_of_this_log", &["git", "ssh-keygen"]) {
        return;
    }
    let logged = Logged::new("");
    let ci = logged.clone_of("minter");
    logged.clone_of("alice").opens("30m");
    logged.checkpoint(&ci, &[]).ok();
    // Somebody's folder.
    let foreign = logged.place.path("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("index.html"), "hello").unwrap();
    tiles(&ci, &foreign).refused(1).mentions(&["something else", "index.html"]);
    assert_eq!(files(&foreign).len(), 1);
    // Another log's.
    let other = Logged::new("");
    let there = other.clone_of("minter");
    other.checkpoint(&there, &[]).ok();
    tiles(&there, &logged.place.path("other")).ok();
    tiles(&ci, &logged.place.path("other")).refused(1).mentions(&["is of the log"]);
    // A first run that was cut short is finished; a tile that says something else is not written over.
    let directory = logged.place.path("log");
    tiles(&ci, &directory).ok();
    fs::remove_file(directory.join("checkpoint")).unwrap();
    assert_eq!(tiles(&ci, &directory).ok().json()["written"], 0);
    fs::remove_file(directory.join("checkpoint")).unwrap();
    let tile = directory.join("tile/0/000.p/2");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[5] ^= 1;
    fs::write(&tile, &bytes).unwrap();
    tiles(&ci, &directory).refused(1).mentions(&["was changed", "not written over"]);
    assert_eq!(fs::read(&tile).unwrap(), bytes);
    assert!(!directory.join("checkpoint").exists());

    // Of another history of this very log: exit 5, both notes.
    let history = logged.fork();
    let rita = logged.place.desk("rita", &history);
    let forked = logged.place.path("forked");
    tiles(&rita, &forked).ok();
    logged.place.desk("alice", &logged.remote).opens("45m");
    logged.checkpoint(&ci, &[]).ok();
    let said = tiles(&ci, &forked).refused(5).mentions(&["two histories"]);
    assert_eq!(said.err.matches("— jit/").count(), 2, "{}", said.told());
    // Newer than the ledger here: an old clone has nothing to put there.
    let ahead = logged.place.path("ahead");
    tiles(&ci, &ahead).ok();
    let old = logged.place.path("old.git");
    let source = logged.remote.to_str().unwrap();
    logged.place.git(&logged.place.path("home"), &["clone", "-q", "--mirror", source, old.to_str().unwrap()]);
    logged.place.git(&old, &["remote", "remove", "origin"]);
    logged.place.git(&old, &["update-ref", BRANCH, &format!("{BRANCH}~1")]);
    logged.place.git(&old, &["update-ref", "refs/heads/checkpoints", "refs/heads/checkpoints~1"]);
    tiles(&logged.place.desk("rita", &old), &ahead).refused(5).mentions(&["went back"]);
}
