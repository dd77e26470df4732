//! The Git adapter against real git: trees, appends, races, hooks, odd repositories, disks that are full or read-only.
//! Tests that need what a machine may not give say `skipped: …` by name; git itself must be there.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use jit::domain::id::{CommitId, ObjectId};
use jit::git::{BRANCH, GitError, GitRemote, GitStore, Program, Warning, clone};
use jit::ledger::commit::{Person, RawCommit, links, parse};
use jit::ledger::tree::{Change, MODE_EXECUTABLE, MODE_SUBMODULE, MODE_SYMLINK, TreeReader, build};
use jit::ports::{ObjectKind, Objects as _, Remote as _, RemoteError, Store as _, StoreError};
use tempfile::TempDir;

#[path = "common/executable.rs"]
mod executable;

#[path = "git_adapter/remotes.rs"]
mod remotes;

/// The environment of every git here: nothing of the person's own configuration.
fn environment(home: &Path) -> Vec<(OsString, OsString)> {
    let path = std::env::vars_os().find(|(name, _)| name == "PATH").map(|(_, value)| value).unwrap_or_default();
    let mut variables: Vec<(OsString, OsString)> = vec![
        ("PATH".into(), path),
        ("HOME".into(), home.into()),
        ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
        ("GIT_CONFIG_GLOBAL".into(), "/dev/null".into()),
        ("LC_ALL".into(), "C".into()),
    ];
    for who in ["AUTHOR", "COMMITTER"] {
        variables.push((format!("GIT_{who}_NAME").into(), "rita".into()));
        variables.push((format!("GIT_{who}_EMAIL").into(), "rita@acme.example".into()));
        variables.push((format!("GIT_{who}_DATE").into(), "1795442709 +0000".into()));
    }
    variables
}

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        assert!(
            Command::new("git").arg("version").output().is_ok_and(|it| it.status.success()),
            "git must be installed"
        );
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn program(&self) -> Program {
        Program::new(environment(self.directory.path()), false)
    }

    /// Runs git with further variables and input; its output, or everything it said.
    fn run(&self, at: &Path, variables: &[(&str, &Path)], arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new("git");
        command.env_clear().envs(environment(self.directory.path())).envs(variables.iter().copied());
        command.current_dir(at).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let _ = writer.join().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(text) } else { Err(format!("git {arguments:?}: {text}{errors}")) }
    }

    fn git(&self, at: &Path, arguments: &[&str]) -> String {
        self.run(at, &[], arguments, "").unwrap()
    }

    fn git_with(&self, at: &Path, arguments: &[&str], input: &str) -> String {
        self.run(at, &[], arguments, input).unwrap()
    }

    fn bare_remote(&self) -> PathBuf {
        let path = self.path("remote.git");
        self.git(self.directory.path(), &["init", "-q", "--bare", "-b", "main", path.to_str().unwrap()]);
        path
    }

    fn cloned(&self, name: &str, remote: &Path) -> GitStore {
        let (store, head) = clone(remote.to_str().unwrap(), &self.path(name), false, &self.program()).unwrap();
        if let Some(head) = head {
            store.advance(None, head, "clone").unwrap();
        }
        store
    }
}

/// One commit that puts a few files, as an append does; the branch does not move yet.
fn commit(store: &GitStore, parent: Option<CommitId>, files: &[(&str, &str)], removes: &[&str]) -> CommitId {
    let blob = |text: &str| store.write(ObjectKind::Blob, text.as_bytes()).unwrap();
    let blobs: Vec<(&str, ObjectId)> = files.iter().map(|(path, text)| (*path, blob(text))).collect();
    let base = parent.map(|parent| links(&store.read(parent, ObjectKind::Commit, 65536).unwrap()).unwrap().tree);
    commit_of(store, parent, build(store, base, &blobs, removes).unwrap())
}

fn commit_of(store: &GitStore, parent: Option<CommitId>, tree: ObjectId) -> CommitId {
    let rita = Person {
        name: "rita".to_owned(),
        email: "rita@acme.example".to_owned(),
        time: 1_795_442_709,
        zone: "+0000".to_owned(),
    };
    let parents = parent.into_iter().collect();
    let commit = RawCommit { tree, parents, author: rita.clone(), committer: rita, message: "story\n".to_owned() };
    store.write(ObjectKind::Commit, &commit.write().unwrap()).unwrap()
}

fn append(store: &GitStore, files: &[(&str, &str)]) -> CommitId {
    let parent = store.head().unwrap();
    let new = commit(store, parent, files, &[]);
    store.advance(parent, new, "append").unwrap();
    new
}

fn id(text: &str) -> ObjectId {
    text.trim().parse().unwrap()
}

fn script(path: &Path, body: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    executable::executable(path, format!("#!/bin/sh\n{body}\n"));
}

/// A small generator, so that every run tries the same histories (xorshift64, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }
}

// ---- trees and commits -------------------------------------------------------------------------------------------

#[test]
fn changes_and_build_agree_with_git_on_random_histories() {
    let place = Place::new();
    let path = place.path("ledger.git");
    let store = GitStore::init(&path, true).unwrap();
    let mut compared = 0;
    for seed in 1..=4u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let index = place.path(&format!("index-{seed}"));
        let variables = [("GIT_INDEX_FILE", index.as_path())];
        let mut reader = TreeReader::new(&store);
        let mut root: Option<ObjectId> = None;
        let mut files: Vec<String> = Vec::new();
        for _ in 0..12 {
            // Names on both sides of git's `name/` order. The leaf never has a directory's name.
            let parts = ["a", "a.b", "a-", "a0", "B", "ledger", "x", "zz"];
            let mut puts: Vec<(String, ObjectId)> = Vec::new();
            for _ in 0..=dice.below(5) {
                let name: Vec<&str> = (0..=dice.below(4)).map(|_| parts[dice.below(8)]).collect();
                let name = format!("{}.f", name.join("/"));
                let content = dice.below(1000).to_string();
                let blob = store.write(ObjectKind::Blob, content.as_bytes()).unwrap();
                puts.retain(|(path, _)| *path != name);
                puts.push((name, blob));
            }
            let gone = (!files.is_empty()).then(|| files[dice.below(files.len())].clone());
            let removes: Vec<&str> = gone.iter().map(String::as_str).collect();
            puts.retain(|(path, _)| Some(path) != gone.as_ref());
            let borrowed: Vec<(&str, ObjectId)> = puts.iter().map(|(path, id)| (path.as_str(), *id)).collect();
            let new = build(&store, root, &borrowed, &removes).unwrap();
            store.persist().unwrap();

            // git's side of it: an index that is edited the same way.
            let zero = "0".repeat(40);
            let removed = removes.iter().map(|path| format!("0 {zero}\t{path}\n"));
            let put = puts.iter().map(|(path, id)| format!("100644 {id}\t{path}\n"));
            let lines: String = removed.chain(put).collect();
            place.run(&path, &variables, &["update-index", "--add", "--index-info"], &lines).unwrap();
            assert_eq!(new, id(&place.run(&path, &variables, &["write-tree"], "").unwrap()), "seed {seed}");

            let old = root.map_or_else(|| "4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned(), |id| id.to_string());
            let raw = ["diff-tree", "-r", "--raw", "--no-renames", "--no-abbrev", &old, &new.to_string()];
            let raw = place.git(&path, &raw);
            let found = reader.changes(root, new).unwrap();
            assert!(found.faults.is_empty() && !found.truncated);
            assert_eq!(found.changes, raw.lines().map(change).collect::<Vec<_>>(), "seed {seed}");
            compared += found.changes.len();

            files = reader.list(new, &|_| true).unwrap().files.into_iter().map(|file| file.path).collect();
            let names = place.git(&path, &["ls-tree", "-r", "--name-only", &new.to_string()]);
            assert_eq!(files, names.lines().collect::<Vec<_>>());
            root = Some(new);
        }
    }
    assert!(compared > 100, "the histories changed something");
}

/// A line of `git diff-tree --raw`: `:oldmode newmode oldid newid status<TAB>path`.
fn change(line: &str) -> Change {
    let (fields, path) = line.strip_prefix(':').unwrap().split_once('\t').unwrap();
    let fields: Vec<&str> = fields.split(' ').collect();
    let side = |mode: &str, id: &str| {
        let mode = u32::from_str_radix(mode, 8).unwrap();
        (mode != 0).then(|| (mode, id.parse().unwrap()))
    };
    Change { path: path.to_owned(), old: side(fields[0], fields[2]), new: side(fields[1], fields[3]) }
}

#[test]
fn odd_modes_made_by_git_are_visible() {
    let place = Place::new();
    let path = place.path("ledger.git");
    let store = GitStore::init(&path, true).unwrap();
    let blob = place.git_with(&path, &["hash-object", "-w", "--stdin"], "x");
    let blob = blob.trim();
    let lines = format!("100755 blob {blob}\ta\n120000 blob {blob}\tb\n160000 commit {}\tc\n", "7".repeat(40));
    let tree = id(&place.git_with(&path, &["mktree", "--missing"], &lines));
    let found = TreeReader::new(&store).changes(None, tree).unwrap();
    let modes: Vec<u32> = found.changes.iter().map(|change| change.new.unwrap().0).collect();
    assert_eq!(modes, [MODE_EXECUTABLE, MODE_SYMLINK, MODE_SUBMODULE]);
    assert!(found.faults.is_empty());
}

#[test]
fn commits_of_git_are_read_and_ours_pass_its_fsck() {
    let place = Place::new();
    let path = place.path("ledger");
    let store = GitStore::init(&path, false).unwrap();
    let first = append(&store, &[("policy.toml", "version = 1\n")]);
    place.git(&path, &["commit", "-q", "--allow-empty", "-m", "by git"]);
    let head = store.head().unwrap().unwrap();
    let read = parse(&store.read(head, ObjectKind::Commit, 65536).unwrap()).unwrap();
    assert_eq!((read.parents, read.message.as_str()), (vec![first], "by git\n"));
    assert_eq!((read.author.name.as_str(), read.author.time), ("rita", 1_795_442_709));
    place.git(&path, &["fsck", "--strict", "--full"]);
    // A stray header, put there by git itself.
    let raw = place.git(&path, &["cat-file", "commit", &head.to_string()]).replacen("\n\n", "\nencoding latin1\n\n", 1);
    let odd = id(&place.git_with(&path, &["hash-object", "-t", "commit", "-w", "--stdin"], &raw));
    let odd = store.read(odd, ObjectKind::Commit, 65536).unwrap();
    assert!(parse(&odd).unwrap_err().to_string().contains("encoding"));
    assert_eq!(links(&odd).unwrap().parents, [first]);
}

// ---- the store ---------------------------------------------------------------------------------------------------

#[test]
fn the_branch_moves_only_from_where_it_was_expected() {
    let place = Place::new();
    let path = place.path("ledger.git");
    let store = GitStore::init(&path, true).unwrap();
    assert_eq!(store.head().unwrap(), None);
    let first = commit(&store, None, &[("a", "1")], &[]);
    let second = commit(&store, Some(first), &[("a", "2")], &[]);
    assert!(matches!(store.advance(Some(first), second, "x"), Err(StoreError::Moved { actual: None })));
    assert_eq!(store.head().unwrap(), None);
    store.advance(None, first, "first").unwrap();
    let at_first = |outcome| matches!(outcome, Err(StoreError::Moved { actual: Some(at) }) if at == first);
    assert!(at_first(store.advance(None, second, "x")));
    assert!(at_first(store.advance(Some(second), second, "x")));
    // Packed references are seen too.
    place.git(&path, &["pack-refs", "--all"]);
    assert_eq!(store.head().unwrap(), Some(first));
    assert!(at_first(store.advance(None, second, "x")));
    store.advance(Some(first), second, "second").unwrap();
    assert_eq!(id(&place.git(&path, &["rev-parse", BRANCH])), second);
    // An id that is no commit never becomes the head.
    let blob = store.write(ObjectKind::Blob, b"x").unwrap();
    assert!(matches!(store.advance(Some(second), blob, "x"), Err(StoreError::OtherKind(..))));
}

#[test]
fn what_is_given_up_leaves_nothing_behind() {
    let place = Place::new();
    let path = place.path("ledger.git");
    let store = GitStore::init(&path, true).unwrap();
    let first = commit(&store, None, &[("a", "1")], &[]);
    assert!(store.read(first, ObjectKind::Commit, 65536).is_ok(), "readable before it is on disk");
    store.discard();
    assert!(matches!(store.read(first, ObjectKind::Commit, 65536), Err(StoreError::Missing(id)) if id == first));
    assert_eq!(place.git(&path, &["count-objects"]).trim(), "0 objects, 0 kilobytes");
}

#[test]
fn sizes_and_kinds_are_asked_before_the_body() {
    let place = Place::new();
    let store = GitStore::init(&place.path("ledger.git"), true).unwrap();
    append(&store, &[("a", "12345")]);
    let blob = store.write(ObjectKind::Blob, b"12345").unwrap();
    store.discard();
    assert_eq!(store.header(blob).unwrap(), (ObjectKind::Blob, 5));
    assert!(matches!(store.read(blob, ObjectKind::Blob, 4), Err(StoreError::TooLarge { size: 5, limit: 4, .. })));
    assert!(matches!(store.read(blob, ObjectKind::Tree, 9), Err(StoreError::OtherKind(..))));
    assert_eq!(store.read(blob, ObjectKind::Blob, 5).unwrap(), b"12345");
}

#[test]
fn a_tampered_loose_object_is_an_error() {
    let place = Place::new();
    let path = place.path("ledger.git");
    let store = GitStore::init(&path, true).unwrap();
    append(&store, &[("a", "approved"), ("b", "denied!!")]);
    let file_of = |text: &str| {
        let id = id(&place.git_with(&path, &["hash-object", "--stdin"], text));
        let hex = id.to_string();
        (id, path.join("objects").join(&hex[..2]).join(&hex[2..]))
    };
    // Attack 25: one object's file in the place of another, well-formed in itself.
    let (victim, victim_file) = file_of("approved");
    let (_, other_file) = file_of("denied!!");
    fs::remove_file(&victim_file).unwrap();
    fs::copy(&other_file, &victim_file).unwrap();
    let store = GitStore::open(&path).unwrap();
    assert!(matches!(store.read(victim, ObjectKind::Blob, 100), Err(StoreError::Damaged { id, .. }) if id == victim));
    // And an empty one, as a power cut leaves it with other tools.
    fs::remove_file(&victim_file).unwrap();
    fs::write(&victim_file, b"").unwrap();
    let store = GitStore::open(&path).unwrap();
    assert!(matches!(store.read(victim, ObjectKind::Blob, 100), Err(StoreError::Damaged { id, .. }) if id == victim));
}

#[test]
fn a_lock_of_the_living_is_named_and_one_of_the_dead_is_taken_away() {
    let place = Place::new();
    let path = place.path("ledger.git");
    let store = GitStore::init(&path, true).unwrap();
    let first = append(&store, &[("a", "1")]);
    let lock = path.join("refs/heads/main.lock");
    // A git that holds it for as long as a hook of its runs.
    let hook = "test \"$1\" = prepared || exit 0\ntouch holds\nwhile test -e holds; do sleep 0.02; done";
    script(&path.join("hooks/reference-transaction"), hook);
    let second = commit(&store, Some(first), &[("a", "2")], &[]);
    store.persist().unwrap();
    let mut git = Command::new("git");
    git.env_clear().envs(environment(place.directory.path())).current_dir(&path);
    let mut git = git.args(["update-ref", BRANCH, &second.to_string(), &first.to_string()]).spawn().unwrap();
    while !path.join("holds").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let error = store.advance(Some(first), second, "x").unwrap_err();
    let holder = git.id();
    assert!(matches!(&error, StoreError::Locked { pid: Some(pid), .. } if *pid == holder), "{error}");
    assert!(error.to_string().contains("refs/heads/main.lock"), "{error}");
    assert_eq!(store.head().unwrap(), Some(first));
    assert!(lock.exists(), "it is not ours");
    // It is killed, and leaves its lock.
    git.kill().unwrap();
    git.wait().unwrap();
    fs::remove_file(path.join("holds")).unwrap();
    fs::remove_file(path.join("hooks/reference-transaction")).unwrap();
    assert!(lock.exists(), "git left it");
    let third = commit(&store, Some(first), &[("a", "3")], &[]);
    store.advance(Some(first), third, "x").unwrap();
    assert_eq!(store.head().unwrap(), Some(third));
    assert!(!lock.exists());
    let first = third;
    // What a jit that was killed under the lock leaves: the lock, linked to `jit/advancing`.
    fs::write(path.join("jit/advancing"), format!("{second}\n")).unwrap();
    fs::hard_link(path.join("jit/advancing"), &lock).unwrap();
    store.advance(Some(first), second, "x").unwrap();
    assert_eq!(store.head().unwrap(), Some(second));
    assert!(!lock.exists() && !path.join("jit/advancing").exists());
}

#[test]
fn of_many_threads_one_moves_the_branch() {
    let place = Place::new();
    let path = place.path("ledger.git");
    let first = append(&GitStore::init(&path, true).unwrap(), &[("a", "1")]);
    let race = |racer: usize| {
        let store = GitStore::open(&path).unwrap();
        let new = commit(&store, Some(first), &[("a", &format!("racer {racer}"))], &[]);
        match store.advance(Some(first), new, "race") {
            Ok(()) => 1,
            Err(StoreError::Moved { actual: Some(_) }) => 0,
            Err(other) => panic!("{other}"),
        }
    };
    let race = &race;
    let won: usize = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8).map(|racer| scope.spawn(move || race(racer))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(won, 1);
    place.git(&path, &["fsck", "--strict"]);
}

// ---- repositories ------------------------------------------------------------------------------------------------

#[test]
fn odd_repositories_are_refused_by_name() {
    let place = Place::new();
    assert!(matches!(GitStore::open(place.directory.path()), Err(GitError::NotARepository(_))));
    let path = place.path("ledger");
    let store = GitStore::init(&path, false).unwrap();
    let first = append(&store, &[("dir/a", "1")]);
    append(&store, &[("dir/a", "2")]);
    assert!(matches!(GitStore::init(&path, false), Err(GitError::NotEmpty(_))));
    // From below, as git does.
    assert_eq!(GitStore::open(&path.join("dir")).unwrap().path(), store.path());

    fs::create_dir_all(path.join(".git/info")).unwrap();
    fs::write(path.join(".git/info/grafts"), format!("{first}\n")).unwrap();
    assert!(matches!(GitStore::open(&path), Err(GitError::Grafts(_))));
    fs::remove_file(path.join(".git/info/grafts")).unwrap();

    let url = format!("file://{}", path.display());
    place.git(place.directory.path(), &["clone", "-q", "--depth=1", &url, "shallow"]);
    assert!(matches!(GitStore::open(&place.path("shallow")), Err(GitError::Shallow(_))));
    // What is fetched from a shallow one is not whole either.
    let of_shallow = clone(place.path("shallow").to_str().unwrap(), &place.path("second"), true, &place.program());
    assert!(of_shallow.is_err());

    place.git(place.directory.path(), &["init", "-q", "--object-format=sha256", "sha256"]);
    let refused = GitStore::open(&place.path("sha256")).err();
    assert!(matches!(refused, Some(GitError::ObjectFormat(_))), "{refused:?}");

    place.git(&path, &["symbolic-ref", "refs/heads/main", "refs/heads/other"]);
    assert!(matches!(GitStore::open(&path), Err(GitError::SymbolicBranch(..))));
}

#[test]
fn replace_references_are_ignored_and_told() {
    let place = Place::new();
    let path = place.path("ledger");
    let store = GitStore::init(&path, false).unwrap();
    let first = append(&store, &[("a", "1")]);
    let second = append(&store, &[("a", "2")]);
    assert_eq!(store.warnings().unwrap(), []);
    place.git(&path, &["replace", &second.to_string(), &first.to_string()]);
    let shown = place.git(&path, &["cat-file", "commit", &second.to_string()]);
    assert!(!shown.contains("\nparent "), "git follows it");
    let store = GitStore::open(&path).unwrap();
    assert_eq!(store.warnings().unwrap(), [Warning::Replaced(1)]);
    let raw = store.read(second, ObjectKind::Commit, 65536).unwrap();
    assert_eq!(links(&raw).unwrap().parents, [first]);
}

// ---- the work tree -----------------------------------------------------------------------------------------------

fn status(place: &Place, path: &Path) -> String {
    place.git(path, &["status", "--porcelain"])
}

#[test]
fn the_work_tree_keeps_in_step() {
    let place = Place::new();
    let path = place.path("ledger");
    let store = GitStore::init(&path, false).unwrap();
    append(&store, &[("policy.toml", "version = 1\n"), ("ledger/2026/x.toml", "x\n"), ("old/only", "o\n")]);
    assert_eq!(status(&place, &path), "");
    let head = store.head().unwrap();
    let new = commit(&store, head, &[("policy.toml", "version = 2\n"), ("ledger/2026/y.toml", "y\n")], &["old/only"]);
    store.advance(head, new, "second").unwrap();
    assert_eq!(status(&place, &path), "");
    assert_eq!(store.left_alone(), []);
    assert_eq!(fs::read(path.join("policy.toml")).unwrap(), b"version = 2\n");
    assert!(!path.join("old").exists(), "an empty directory goes");
    // A file in the place of a directory and the other way round.
    let head = store.head().unwrap();
    let removes = ["policy.toml", "ledger/2026/x.toml", "ledger/2026/y.toml"];
    let new = commit(&store, head, &[("policy.toml/x", "x\n"), ("ledger", "l\n")], &removes);
    store.advance(head, new, "third").unwrap();
    assert_eq!((status(&place, &path).as_str(), store.left_alone()), ("", vec![]));
    // The reflog reads as git writes it.
    assert!(place.git(&path, &["reflog"]).lines().next().unwrap().contains("third"));
}

#[test]
fn what_people_changed_stays_and_is_told() {
    let place = Place::new();
    let path = place.path("ledger");
    let store = GitStore::init(&path, false).unwrap();
    append(&store, &[("changed", "1\n"), ("removed", "1\n"), ("staged", "1\n"), ("other", "1\n")]);
    fs::write(path.join("changed"), "mine\n").unwrap();
    fs::remove_file(path.join("removed")).unwrap();
    fs::write(path.join("untracked"), "mine\n").unwrap();
    fs::write(path.join("staged"), "mine\n").unwrap();
    place.git(&path, &["add", "staged"]);
    let names = ["changed", "removed", "staged", "untracked", "other"];
    append(&store, &names.map(|name| (name, "2\n")));
    let mut left: Vec<String> = store.left_alone().into_iter().map(|left| left.path).collect();
    left.dedup();
    assert_eq!(left, ["changed", "removed", "staged", "untracked"]);
    for name in ["changed", "staged", "untracked"] {
        assert_eq!(fs::read(path.join(name)).unwrap(), b"mine\n", "{name}");
    }
    assert!(!path.join("removed").exists());
    assert_eq!(fs::read(path.join("other")).unwrap(), b"2\n");
    assert_eq!(status(&place, &path), " M changed\n D removed\nM  staged\n M untracked\n");
}

#[test]
fn after_a_kill_the_next_append_lets_the_work_tree_catch_up() {
    let place = Place::new();
    let path = place.path("ledger");
    let store = GitStore::init(&path, false).unwrap();
    let first = append(&store, &[("a", "1\n"), ("b", "1\n")]);
    let second = commit(&store, Some(first), &[("a", "2\n"), ("b", "2\n"), ("c", "2\n")], &[]);
    store.persist().unwrap();
    // As left by a process that was killed after the branch had moved and one file was written.
    store.state().write("following", first.to_string().as_bytes()).unwrap();
    place.git(&path, &["update-ref", BRANCH, &second.to_string()]);
    fs::write(path.join("a"), "2\n").unwrap();
    append(&store, &[("b", "3\n")]);
    assert_eq!((status(&place, &path).as_str(), store.left_alone()), ("", vec![]));
    assert_eq!(fs::read(path.join("c")).unwrap(), b"2\n");
    assert_eq!(store.state().read("following").unwrap(), None);
}

#[test]
fn nothing_is_written_through_links_or_into_git() {
    let place = Place::new();
    let path = place.path("ledger");
    let store = GitStore::init(&path, false).unwrap();
    append(&store, &[("policy.toml", "1\n")]);
    let outside = place.path("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, path.join("docs")).unwrap();
    append(&store, &[("docs/README", "x\n")]);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert_eq!(store.left_alone()[0].path, "docs/README");

    // A void commit can hold anything: trees by hand, since `build` refuses.
    let hook = store.write(ObjectKind::Blob, b"#!/bin/sh\nexit 1\n").unwrap();
    let tree = |entry: &str, id: ObjectId| {
        store.write(ObjectKind::Tree, &[entry.as_bytes(), b"\0", id.as_bytes()].concat()).unwrap()
    };
    let hooks = tree("40000 hooks", tree("100755 pre-commit", hook));
    let names = [".git", ".GIT", "git~1", "..", ".git ", ".g\u{200c}it"];
    let mut roots: Vec<ObjectId> = names.iter().map(|name| tree(&format!("40000 {name}"), hooks)).collect();
    let target = store.write(ObjectKind::Blob, outside.to_str().unwrap().as_bytes()).unwrap();
    roots.push(tree("120000 link", target));
    for root in roots {
        let head = store.head().unwrap();
        store.advance(head, commit_of(&store, head, root), "void").unwrap();
    }
    assert!(store.left_alone().len() >= 7);
    assert!(!path.join(".git/hooks/pre-commit").exists());
    assert!(!place.path("hooks").exists());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert!(fs::symlink_metadata(path.join("link")).is_err(), "links are not written");
    for name in [".GIT", "git~1", ".git ", ".g\u{200c}it"] {
        assert!(!path.join(name).exists(), "{name}");
    }
}

#[test]
fn executables_follow_and_no_hook_runs() {
    let place = Place::new();
    let path = place.path("ledger");
    let store = GitStore::init(&path, false).unwrap();
    append(&store, &[("ci.sh", "#!/bin/sh\n")]);
    place.git(&path, &["update-index", "--chmod=+x", "ci.sh"]);
    let tree = id(&place.git(&path, &["write-tree"]));
    place.git(&path, &["reset", "-q", "--hard"]);
    let ran = place.path("ran");
    for hook in ["reference-transaction", "post-checkout", "post-index-change", "pre-commit"] {
        script(&path.join(".git/hooks").join(hook), &format!("touch {}", ran.display()));
    }
    let head = store.head().unwrap();
    store.advance(head, commit_of(&store, head, tree), "mode").unwrap();
    assert!(!ran.exists());
    assert_eq!(fs::metadata(path.join("ci.sh")).unwrap().permissions().mode() & 0o111, 0o111);
    assert_eq!(status(&place, &path), "");
}

// ---- disks -------------------------------------------------------------------------------------------------------

/// A small file system of its own, unmounted at the end; `None` where this machine does not allow it.
struct Mounted(PathBuf);

impl Mounted {
    fn new(at: PathBuf, options: &str) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&at).output();
        mounted.is_ok_and(|it| it.status.success()).then_some(Self(at))
    }

    fn remount(&self, options: &str) -> bool {
        let options = format!("remount,{options}");
        Command::new("mount").args(["-o", &options]).arg(&self.0).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_moves_nothing() {
    let place = Place::new();
    let Some(disk) = Mounted::new(place.path("disk"), "size=1m,mode=700") else {
        eprintln!("skipped: a_full_disk_moves_nothing: tmpfs cannot be mounted here");
        return;
    };
    let path = disk.0.join("ledger.git");
    let store = GitStore::init(&path, true).unwrap();
    let first = append(&store, &[("a", "1")]);
    let filler: Vec<u8> = vec![1; 2 << 20];
    assert!(fs::write(disk.0.join("filler"), filler).is_err(), "the disk is full");
    let second = commit(&store, Some(first), &[("a", "2")], &[]);
    let error = store.advance(Some(first), second, "x").unwrap_err();
    assert!(matches!(&error, StoreError::Write(why) if why.contains("No space left")), "{error}");
    assert_eq!(store.head().unwrap(), Some(first));
    let error = store.state().write("pin", &[1; 9000]).unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");
    assert_eq!(store.state().read("pin").unwrap(), None);
    fs::remove_file(disk.0.join("filler")).unwrap();
    place.git(&path, &["fsck", "--strict"]);
    // The same again goes through, nothing has to be built anew.
    store.advance(Some(first), second, "x").unwrap();
    assert_eq!(store.head().unwrap(), Some(second));
}

#[test]
fn a_read_only_disk_moves_nothing() {
    let place = Place::new();
    let Some(disk) = Mounted::new(place.path("disk"), "size=4m,mode=700") else {
        eprintln!("skipped: a_read_only_disk_moves_nothing: tmpfs cannot be mounted here");
        return;
    };
    let path = disk.0.join("ledger.git");
    let first = append(&GitStore::init(&path, true).unwrap(), &[("a", "1")]);
    if !disk.remount("ro") {
        eprintln!("skipped: a_read_only_disk_moves_nothing: it cannot be mounted again read-only");
        return;
    }
    let store = GitStore::open(&path).unwrap();
    let second = commit(&store, Some(first), &[("a", "2")], &[]);
    let error = store.advance(Some(first), second, "x").unwrap_err();
    assert!(matches!(&error, StoreError::Write(why) if why.contains("Read-only")), "{error}");
    assert_eq!(store.head().unwrap(), Some(first), "and it can still be read");
}
