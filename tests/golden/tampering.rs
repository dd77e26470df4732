//! The tampering that issue 2 lists, on copies of the sample ledger, which another producer made: in a clone that sees it for
//! the first time, and in one whose pin knows better.

use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Repository};
use tempfile::TempDir;

use crate::keys::Key;
use crate::verdict::{Verdict, verify};

/// A copy of the sample with its commits, oldest first.
struct Sample {
    directory: TempDir,
    repository: Repository,
    commits: Vec<Oid>,
}

impl Sample {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sample/ledger.bundle");
        let path = directory.path().join("ledger");
        let repository = Repository::init_bare(&path).unwrap();
        repository.set_head("refs/heads/main").unwrap();
        let fetched = std::process::Command::new("git")
            .args(["fetch", "--quiet"])
            .arg(bundle)
            .arg("refs/heads/main:refs/heads/main")
            .current_dir(&path)
            .output()
            .unwrap();
        assert!(fetched.status.success(), "{fetched:?}");
        let mut commits = vec![repository.refname_to_id("refs/heads/main").unwrap()];
        while let Ok(parent) = repository.find_commit(commits[commits.len() - 1]).unwrap().parent_id(0) {
            commits.push(parent);
        }
        commits.reverse();
        Self { directory, repository, commits }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("ledger")
    }

    /// The commits from `at` on are made again upon `parent`, each with the tree that `tree` gives for the old one.
    fn replay(&mut self, parent: Oid, old: &[Oid], tree: impl Fn(&Repository, Oid) -> Oid) -> Vec<Oid> {
        let mut parent = parent;
        let mut new = Vec::new();
        for commit in old {
            let raw = self.repository.odb().unwrap().read(*commit).unwrap().data().to_vec();
            let text = String::from_utf8(raw).unwrap();
            let rest = text.split_once("\nauthor ").unwrap().1;
            let tree = tree(&self.repository, *commit);
            let raw = format!("tree {tree}\nparent {parent}\nauthor {rest}");
            parent = self.repository.odb().unwrap().write(ObjectType::Commit, raw.as_bytes()).unwrap();
            new.push(parent);
        }
        self.repository.reference("refs/heads/main", parent, true, "tampered").unwrap();
        new
    }

    /// What `verify` says at the time of the sample's expected figures.
    fn judged(&self) -> Verdict {
        verify(&self.path(), "2026-11-23T14:42:10Z".parse().unwrap(), &[])
    }
}

/// Asserts that `sample`, verified before at `known` and changed since, is refused for what the pin says, both heads named.
fn refused_by_the_pin(sample: &Sample, known: Oid) {
    let found = sample.repository.refname_to_id("refs/heads/main").unwrap();
    let verdict = sample.judged();
    let said = format!("{} {}", verdict.json, verdict.stderr);
    assert_eq!(verdict.exit, 5, "{said}");
    assert!(said.contains(&known.to_string()) && said.contains(&found.to_string()), "both heads: {said}");
    // It is not forgotten by being told once.
    assert_eq!(sample.judged().exit, 5);
}

/// The void commits that are not acknowledged: commit and code.
fn open(verdict: &Verdict) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let voids = verdict.json["voids"].as_array().unwrap_or_else(|| panic!("{} {}", verdict.exit, verdict.stderr));
    voids
        .iter()
        .filter(|void| void["acknowledged"] == false)
        .map(|it| (text(&it["commit"]), text(&it["code"])))
        .collect()
}

/// The tree of `commit` with the file at `path` replaced.
fn with(repository: &Repository, tree: Oid, path: &str, bytes: Option<&[u8]>) -> Oid {
    let mut update = git2::build::TreeUpdateBuilder::new();
    match bytes {
        Some(bytes) => update.upsert(path, repository.blob(bytes).unwrap(), git2::FileMode::Blob),
        None => update.remove(path),
    };
    update.create_updated(repository, &repository.find_tree(tree).unwrap()).unwrap()
}

fn tree_of(repository: &Repository, commit: Oid) -> Oid {
    repository.find_commit(commit).unwrap().tree_id()
}

/// The paths that a commit adds.
fn added(repository: &Repository, commit: Oid) -> Vec<String> {
    let new = repository.find_commit(commit).unwrap();
    let old = new.parent(0).unwrap().tree().unwrap();
    let diff = repository.diff_tree_to_tree(Some(&old), Some(&new.tree().unwrap()), None).unwrap();
    diff.deltas().map(|delta| delta.new_file().path().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn the_sample_as_it_is() {
    let sample = Sample::new();
    let verdict = sample.judged();
    assert_eq!(verdict.exit, 0, "{}", verdict.stderr);
    assert_eq!(open(&verdict), []);
}

#[test]
fn one_byte_of_an_old_event_changed() {
    // History written anew: bob's first approval says another thing from the start, under its old name.
    let mut sample = Sample::new();
    let at = 2;
    let path = added(&sample.repository, sample.commits[at]).into_iter().find(|path| path.ends_with(".toml")).unwrap();
    let commits = sample.commits.clone();
    let new = sample.replay(commits[at - 1], &commits[at..], |repository, commit| {
        let tree = tree_of(repository, commit);
        let blob = repository.find_tree(tree).unwrap().get_path(Path::new(&path)).unwrap().id();
        let text = String::from_utf8(repository.find_blob(blob).unwrap().content().to_vec()).unwrap();
        with(repository, tree, &path, Some(text.replacen("14:01:30Z", "14:01:31Z", 1).as_bytes()))
    });
    let verdict = sample.judged();
    assert_eq!(verdict.exit, 4, "{}", verdict.stderr);
    // Its name is not its digest any more; everybody who signed later had seen another history.
    let voids = open(&verdict);
    assert_eq!(voids[0], (new[0].to_string(), "C04".to_owned()));
    assert_eq!(voids[1], (new[1].to_string(), "L03".to_owned()));
    assert_eq!(voids.len(), new.len(), "{voids:?}");
}

#[test]
fn one_byte_of_an_old_event_changed_by_a_new_commit() {
    let mut sample = Sample::new();
    let commits = sample.commits.clone();
    let path = added(&sample.repository, commits[2]).into_iter().find(|path| path.ends_with(".toml")).unwrap();
    // The newest commit also changes the old file.
    let last = commits.len() - 1;
    let new = sample.replay(commits[last - 1], &commits[last..], |repository, commit| {
        let tree = tree_of(repository, commit);
        let blob = repository.find_tree(tree).unwrap().get_path(Path::new(&path)).unwrap().id();
        let text = String::from_utf8(repository.find_blob(blob).unwrap().content().to_vec()).unwrap();
        with(repository, tree, &path, Some(text.replacen("14:01:30Z", "14:01:31Z", 1).as_bytes()))
    });
    let verdict = sample.judged();
    assert_eq!(verdict.exit, 4, "{}", verdict.stderr);
    assert!(open(&verdict).contains(&(new[0].to_string(), "C02".to_owned())), "{:?}", open(&verdict));
}

#[test]
fn a_commit_dropped() {
    // Without dave's approval, as if it never was.
    let mut sample = Sample::new();
    let at = 3;
    let commits = sample.commits.clone();
    let dropped = added(&sample.repository, commits[at]);
    let new = sample.replay(commits[at - 1], &commits[at + 1..], |repository, commit| {
        dropped.iter().fold(tree_of(repository, commit), |tree, path| with(repository, tree, path, None))
    });
    let verdict = sample.judged();
    assert_eq!(verdict.exit, 4, "{}", verdict.stderr);
    // The next author had seen four leaves, and there are three.
    assert_eq!(open(&verdict)[0], (new[0].to_string(), "L02".to_owned()));
}

#[test]
fn two_commits_swapped() {
    // dave's approval before bob's.
    let mut sample = Sample::new();
    let commits = sample.commits.clone();
    let bobs = added(&sample.repository, commits[2]);
    let order: Vec<Oid> = [&[commits[3], commits[2]], &commits[4..]].concat();
    let new = sample.replay(commits[1], &order, |repository, commit| {
        // The tree after dave's alone is the one after both without bob's; the tree after both is dave's own.
        if commit == commits[3] {
            bobs.iter().fold(tree_of(repository, commits[3]), |tree, path| with(repository, tree, path, None))
        } else if commit == commits[2] {
            tree_of(repository, commits[3])
        } else {
            tree_of(repository, commit)
        }
    });
    let verdict = sample.judged();
    assert_eq!(verdict.exit, 4, "{}", verdict.stderr);
    // dave had seen three leaves, bob's among them, and stands at position 2.
    assert_eq!(open(&verdict)[0], (new[0].to_string(), "L02".to_owned()));
}

#[test]
fn a_foreign_signature() {
    let mut sample = Sample::new();
    let commits = sample.commits.clone();
    let last = commits.len() - 1;
    let paths = added(&sample.repository, commits[last]);
    let event = paths.iter().find(|path| path.ends_with(".toml")).unwrap();
    let signature = format!("{event}.sig");
    let new = sample.replay(commits[last - 1], &commits[last..], |repository, commit| {
        let tree = tree_of(repository, commit);
        let blob = repository.find_tree(tree).unwrap().get_path(Path::new(event)).unwrap().id();
        let bytes = repository.find_blob(blob).unwrap().content().to_vec();
        with(repository, tree, &signature, Some(&Key::of("a stranger").sshsig("jit-1/enactment", &bytes)))
    });
    let verdict = sample.judged();
    assert_eq!(verdict.exit, 4, "{}", verdict.stderr);
    assert!(open(&verdict).contains(&(new[0].to_string(), "K04".to_owned())), "{:?}", open(&verdict));
}

#[test]
fn a_second_parent() {
    let sample = Sample::new();
    let last = sample.commits[sample.commits.len() - 1];
    let raw = sample.repository.odb().unwrap().read(last).unwrap().data().to_vec();
    let text = String::from_utf8(raw).unwrap();
    let raw = text.replacen("\nauthor ", &format!("\nparent {}\nauthor ", sample.commits[0]), 1);
    let merge = sample.repository.odb().unwrap().write(ObjectType::Commit, raw.as_bytes()).unwrap();
    sample.repository.reference("refs/heads/main", merge, true, "tampered").unwrap();
    let verdict = sample.judged();
    assert_eq!(verdict.exit, 4, "{}", verdict.stderr);
    assert!(open(&verdict).contains(&(merge.to_string(), "C01".to_owned())), "{:?}", open(&verdict));
}

#[test]
fn an_older_head_than_the_pinned() {
    let sample = Sample::new();
    assert_eq!(sample.judged().exit, 0);
    let [.., older, _, newest] = sample.commits.as_slice() else { unreachable!() };
    sample.repository.reference("refs/heads/main", *older, true, "rewound").unwrap();
    refused_by_the_pin(&sample, *newest);
}

#[test]
fn another_history_than_the_pinned() {
    let mut sample = Sample::new();
    assert_eq!(sample.judged().exit, 0);
    let commits = sample.commits.clone();
    let newest = commits[commits.len() - 1];
    let path = added(&sample.repository, newest).into_iter().find(|path| path.ends_with(".sig")).unwrap();
    sample.replay(commits[commits.len() - 2], &[newest], |repository, commit| {
        with(repository, tree_of(repository, commit), &path, Some(b"\n"))
    });
    refused_by_the_pin(&sample, newest);
}

#[test]
fn a_second_parent_beside_the_pinned_head() {
    // The chain still leads to the pinned head: it is the merge that is void.
    let sample = Sample::new();
    assert_eq!(sample.judged().exit, 0);
    let newest = sample.commits[sample.commits.len() - 1];
    let raw = sample.repository.odb().unwrap().read(newest).unwrap().data().to_vec();
    let text = String::from_utf8(raw).unwrap();
    let (head, rest) = text.split_once("\nparent ").unwrap();
    let author = rest.split_once("\nauthor ").unwrap().1;
    let raw = format!("{head}\nparent {newest}\nparent {}\nauthor {author}", sample.commits[3]);
    let merge = sample.repository.odb().unwrap().write(ObjectType::Commit, raw.as_bytes()).unwrap();
    sample.repository.reference("refs/heads/main", merge, true, "merged").unwrap();
    let verdict = sample.judged();
    assert_eq!(verdict.exit, 4, "{}", verdict.stderr);
    assert_eq!(open(&verdict), [(merge.to_string(), "C01".to_owned())]);
}

#[test]
fn a_replaced_commit() {
    // `git replace` shows another history to git; the ledger's own objects are what is judged.
    let sample = Sample::new();
    let newest = sample.commits[sample.commits.len() - 1];
    let name = format!("refs/replace/{newest}");
    sample.repository.reference(&name, sample.commits[2], true, "replaced").unwrap();
    let verdict = sample.judged();
    assert_eq!(verdict.exit, 0, "{}", verdict.stderr);
    assert_eq!(verdict.json["size"], sample.commits.len());
}

/// Writes a file into the repository that bends what git takes for a commit's parents.
fn bent(file: &str, text: impl FnOnce(&[Oid]) -> String) {
    let sample = Sample::new();
    let path = sample.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text(&sample.commits)).unwrap();
    let verdict = sample.judged();
    // It could not be checked: neither good nor bad.
    assert_eq!(verdict.exit, 1, "{} {}", verdict.json, verdict.stderr);
    assert_ne!(verdict.json["ok"], true);
}

#[test]
fn a_graft() {
    bent("info/grafts", |commits| format!("{} {}\n", commits[5], commits[2]));
}

#[test]
fn a_shallow_clone() {
    bent("shallow", |commits| format!("{}\n", commits[5]));
}
