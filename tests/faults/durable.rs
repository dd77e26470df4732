//! What was acknowledged survives a power cut: the order in which files are written, synced and renamed, as strace saw it.
//! Nothing of ours is asked: every file that gets its name in the repository was synced before, and every directory that got
//! a name was synced after, before the program says that it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::common::{Desk, Place, absent, request};

/// What strace saw of files, in order.
#[derive(Debug)]
enum Step {
    Synced(String),
    Named(String, String),
    Said,
}

fn steps(desk: &Desk<'_>) -> Vec<Step> {
    let log = desk.place().path("strace.log");
    let jit = desk.command();
    let mut command = Command::new("strace");
    let calls = "trace=fsync,fdatasync,/^rename,/^link,write";
    command.args(["-f", "-q", "-y", "-s", "300", "-e", calls, "-o"]).arg(&log);
    command.arg(jit.get_program()).args(jit.get_args()).arg("--ledger").arg(&desk.ledger);
    command.args(request("payments-db/read-only", "10m", "Payments are stuck.")).current_dir(&desk.home);
    desk.run(command).ok();
    let text = fs::read_to_string(&log).unwrap();
    let between = |line: &str, from: char, to: char| -> Option<String> {
        let start = line.find(from)? + 1;
        Some(line[start..].split(to).next()?.to_owned())
    };
    let mut steps = Vec::new();
    let mut open: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines() {
        let (pid, call) = line.split_once(' ').unwrap();
        // A call that another thread's came between is told in two halves; it is over at the second.
        let call = match call.trim_start().strip_prefix("<... ") {
            Some(rest) => match open.remove(pid) {
                Some(begun) => format!("{begun}{rest}"),
                None => continue,
            },
            None if call.contains("<unfinished") => {
                open.insert(pid.to_owned(), call.trim_start().to_owned());
                continue;
            }
            None => call.trim_start().to_owned(),
        };
        if call.contains("= -1") {
            continue;
        }
        if call.starts_with("fsync") || call.starts_with("fdatasync") {
            steps.push(Step::Synced(between(&call, '<', '>').unwrap()));
        } else if call.starts_with("rename") || call.starts_with("link") {
            let quoted: Vec<&str> = call.split('"').skip(1).step_by(2).collect();
            steps.push(Step::Named(quoted[0].to_owned(), quoted[1].to_owned()));
        } else if call.starts_with("write(1<") {
            steps.push(Step::Said);
        }
    }
    assert!(matches!(steps.last(), Some(Step::Said)), "the result is the last thing: {steps:#?}");
    steps
}

/// Demands that whatever has a name in `directory` at the end would have it, whole, after a power cut.
fn survives(steps: &[Step], directory: &Path, exempt: &[&str]) -> usize {
    let mut synced: BTreeSet<String> = BTreeSet::new();
    let mut owed: BTreeSet<PathBuf> = BTreeSet::new();
    let mut names = 0;
    for step in steps {
        match step {
            Step::Synced(path) => {
                owed.remove(Path::new(path));
                synced.insert(path.clone());
            }
            Step::Named(from, to) => {
                let to = PathBuf::from(to);
                let is_exempt = exempt.iter().any(|name| to.to_string_lossy().contains(name));
                if !to.starts_with(directory) || is_exempt || to.extension().is_some_and(|it| it == "lock") {
                    continue;
                }
                // A lock that becomes the branch is a link to what was synced under another name.
                let source = if from.ends_with("main.lock") { "jit/advancing" } else { from };
                assert!(
                    synced.iter().any(|path| path.ends_with(source)),
                    "{from} was not synced before it became {to:?}"
                );
                owed.insert(to.parent().unwrap().to_owned());
                names += 1;
            }
            Step::Said => assert!(owed.is_empty(), "done was said before these were synced: {owed:?}"),
        }
    }
    names
}

#[test]
fn what_is_acknowledged_was_synced_before() {
    const TEST: &str = "what_is_acknowledged_was_synced_before";
    if absent(TEST, &["strace", "git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let alice = place.desk("alice", &ledger);
    let seen = steps(&alice);
    let names = survives(&seen, &ledger, &[]);
    // At least: two blobs, the trees above them, the commit, the branch, the pin.
    assert!(names >= 10, "{names}: {seen:#?}");
}

/// What a remote has acknowledged survives, too: `init --bare` sets it up so. (Other remotes: docs/administrator.md.)
#[test]
fn a_remote_that_init_made_syncs_what_is_pushed() {
    const TEST: &str = "a_remote_that_init_made_syncs_what_is_pushed";
    if absent(TEST, &["strace", "git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (remote, _) = place.ledger("remote.git", true);
    let clone = place.path("clone");
    let alice = place.desk("alice", &clone);
    alice.clones(&remote);
    let synced_there = |seen: &[Step]| -> (usize, usize) {
        let there = |part: &str| {
            let prefix = remote.join(part).display().to_string();
            seen.iter().filter(|step| matches!(step, Step::Synced(path) if path.starts_with(&prefix))).count()
        };
        (there("objects"), there("refs"))
    };
    let seen = steps(&alice);
    let (objects, references) = synced_there(&seen);
    // In batches: what was written is flushed at once, behind the last of the objects; and the branch by itself.
    assert!(objects >= 1 && references >= 1, "{objects} and {references}: {seen:#?}");
    survives(&seen, &clone.join(".git/refs/heads"), &[]);
    // As git does it where nobody says otherwise: this is why it is set.
    place.git(&remote, &["config", "--unset", "core.fsync"]);
    let (objects, references) = synced_there(&steps(&alice));
    assert_eq!((objects, references), (0, 0), "git does it by itself now: the setting can go");
}

/// A clone of which nothing was promised need not wait for its disk. The remote is asked to keep its own promise.
#[test]
fn a_clone_that_can_be_thrown_away_need_not_wait_for_its_disk() {
    const TEST: &str = "a_clone_that_can_be_thrown_away_need_not_wait_for_its_disk";
    if absent(TEST, &["strace", "git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    place.git(&ledger, &["config", "jit.fsync", "false"]);
    let alice = place.desk("alice", &ledger);
    let seen = steps(&alice);
    let syncs = seen.iter().filter(|step| matches!(step, Step::Synced(_))).count();
    assert_eq!(syncs, 0, "{seen:#?}");
    place.is_sound(&ledger);
    alice.jit(&["verify", "--strict"]).ok();
}
