//! `jit checkpoint`: made with the log's key, kept on a branch that holds nothing else, demanded by the policy; and what
//! happens when the ledger, or the branch, is not what was signed.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::thread;

use common::log::{CHECKPOINTS, Logged};
use common::{BRANCH, Desk, JIT, Said, absent, files};

#[path = "common/harness.rs"]
mod common;

const TWO_WITNESSES: &str = "quorum = 2\nfreshest = \"1h\"\n\n[[log.witness]]\nname = \"w1.example\"\nkey = \"{w1}\"\n\n\
                             [[log.witness]]\nname = \"w2.example\"\nkey = \"{w2}\"\n";

/// Demands exit 5, both notes, and the evidence in the clone.
#[track_caller]
fn two_histories(said: Said, desk: &Desk<'_>) -> String {
    let said = said.refused(5).mentions(&["two histories", "Two histories of the log", "Consistency:", "L03"]);
    assert!(said.err.matches("— jit/").count() >= 1, "no note\n{}", said.told());
    let git = desk.ledger.join(".git");
    let git = if git.exists() { git } else { desk.ledger.clone() };
    let kept = files(&git.join("jit/forks"));
    assert!(!kept.is_empty(), "no evidence\n{}", said.told());
    let text = fs::read_to_string(&kept[0]).unwrap();
    assert!(text.contains("Consistency:") && text.contains("— jit/"), "{text}");
    assert!(said.err.contains(&kept[0].display().to_string()), "{}", said.told());
    text
}

#[test]
fn a_checkpoint_lies_on_a_branch_of_its_own_and_comes_once() {
    if absent("a_checkpoint_lies_on_a_branch_of_its_own_and_comes_once", &["git", "ssh-keygen"]) {
        return;
    }
    let logged = Logged::new("");
    let ci = logged.clone_of("minter");
    // Nothing to sign with, or the wrong key: nothing is made.
    ci.jit(&["checkpoint"]).refused(1).mentions(&["log key"]);
    let wrong = logged.place.key("alice");
    ci.jit(&["checkpoint", "--log-key", wrong.to_str().unwrap()]).refused(1).mentions(&["policy's log key"]);
    assert_eq!(logged.place.git_says(&logged.remote, &["rev-parse", "--verify", "-q", CHECKPOINTS]).code, 1);

    let said = logged.checkpoint(&ci, &[]).ok();
    let made = said.json();
    assert_eq!((made["size"].as_u64(), made["new"].as_bool()), (Some(1), Some(true)), "{}", said.told());
    let first = logged.commits();
    assert_eq!(made["commit"], first[0].as_str());
    // One parentless commit, one plain file, the note itself.
    assert_eq!(logged.place.git(&logged.remote, &["rev-list", "--max-parents=0", CHECKPOINTS]), first[0]);
    let tree = logged.place.git(&logged.remote, &["ls-tree", "-r", CHECKPOINTS]);
    assert!(tree.starts_with("100644 blob ") && tree.ends_with("\tcheckpoint") && tree.lines().count() == 1, "{tree}");
    assert_eq!(made["note"], logged.note().as_str());
    let verified = ci.jit(&["verify", "--json"]).ok();
    assert_eq!(made["root"], verified.json()["root"]);
    // The origin is of the ledger's id: base32 of its first ten bytes, by another tool's arithmetic.
    let hex = logged.id.strip_prefix("sha256:").unwrap();
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
    let short = data_encoding::BASE32_NOPAD.encode(&bytes[..10]).to_lowercase();
    assert_eq!(made["origin"], format!("jit/{short}"));

    // Nothing new: nothing is signed, and no key is needed.
    let said = ci.jit(&["checkpoint", "--json"]).ok();
    assert_eq!(
        (said.json()["new"].as_bool(), &said.json()["commit"]),
        (Some(false), &made["commit"]),
        "{}",
        said.told()
    );
    assert_eq!(logged.commits(), first);

    // A secret of CI: the key's text in a variable, without its last line end.
    logged.clone_of("alice").opens("30m");
    let text = fs::read_to_string(logged.place.key("log")).unwrap();
    let mut command = ci.command();
    command.arg("--ledger").arg(&ci.ledger).args(["checkpoint", "--json"]);
    let variables = [("JIT_LOG_KEY", OsStr::new(text.trim()))];
    let said = logged.place.run_with(command, &ci.home, &variables, b"").ok();
    assert_eq!((said.json()["size"].as_u64(), said.json()["new"].as_bool()), (Some(2), Some(true)), "{}", said.told());
    let commits = logged.commits();
    assert_eq!((commits.len(), &commits[0]), (2, &first[0]));
    assert!(logged.note_at(&commits[0]).contains("\n1\n") && logged.note().contains("\n2\n"));
    logged.place.is_sound(&logged.remote);
    // Without a remote it works as well: in the bare repository itself.
    let there = logged.place.desk("rita", &logged.remote);
    there.jit(&["checkpoint", "--json"]).ok();
    logged.place.desk("alice", &logged.remote).opens("20m");
    assert_eq!(logged.checkpoint(&there, &[]).ok().json()["size"], 3);
    assert_eq!(logged.commits().len(), 3);
    ci.jit(&["verify"]).ok();
}

#[test]
fn two_at_once_leave_one_line_of_commits() {
    if absent("two_at_once_leave_one_line_of_commits", &["git", "ssh-keygen"]) {
        return;
    }
    let logged = Logged::new(TWO_WITNESSES);
    let desks = ["minter", "dave", "erin"].map(|name| logged.clone_of(name));
    logged.checkpoint(&desks[0], &[]).ok();
    thread::scope(|scope| {
        scope.spawn(|| logged.witness(&desks[1], "w1", &[]).ok());
        scope.spawn(|| logged.witness(&desks[2], "w2", &[]).ok());
    });
    assert_eq!(logged.commits().len(), 3);
    let note = logged.note();
    assert!(note.contains("— w1.example ") && note.contains("— w2.example "), "{note}");
    logged.place.is_sound(&logged.remote);
}

#[test]
fn a_policy_that_wants_witnesses_mints_only_with_them() {
    if absent("a_policy_that_wants_witnesses_mints_only_with_them", &["git", "ssh-keygen"]) {
        return;
    }
    let logged = Logged::new(TWO_WITNESSES);
    let minter = logged.clone_of("minter");
    let case = logged.clone_of("alice").opens("30m");
    for approver in ["bob", "dave"] {
        logged.clone_of(approver).approves(&case).ok();
    }
    let refused = |words: &[&str]| {
        let said = minter.mints().refused(3).mentions(&["F04", "jit checkpoint"]).mentions(words);
        assert_eq!(said.json()["rule"], "F04", "{}", said.told());
        let said = minter.jit(&["verify", "--json"]).ok();
        assert_eq!(said.json()["findings"][0]["code"], "F04", "{}", said.told());
        minter.jit(&["verify", "--strict"]).exits(4);
    };
    refused(&["no checkpoint"]);
    let said = logged.checkpoint(&minter, &[]).ok();
    assert!(said.json()["lacking"].as_str().unwrap().contains("0 of 2"), "{}", said.told());
    refused(&["0 of 2 witnesses", "2 are needed"]);
    logged.witness(&minter, "w1", &[]).ok();
    refused(&["1 of 2 witnesses"]);
    // A witness that the policy does not name counts for nothing.
    logged.place.make_key("stranger");
    logged.witness(&minter, "stranger", &["--name", "w2.example"]).ok();
    refused(&["1 of 2 witnesses"]);
    logged.witness(&minter, "w2", &[]).ok();
    let said = minter.jit(&["verify", "--strict", "--json"]).ok();
    assert_eq!(said.json()["findings"], serde_json::json!([]), "{}", said.told());
    // Two hours on the same is too old.
    let later = chrono::DateTime::from_timestamp((common::now() + 7200).try_into().unwrap(), 0).unwrap();
    let said = minter.jit(&["verify", "--json", "--at", &later.format("%Y-%m-%dT%H:%M:%SZ").to_string()]).ok();
    let told = said.json()["findings"].to_string();
    assert!(told.contains("F04") && told.contains("longer ago than 1h"), "{}", said.told());
    let said = minter.mints().ok();
    assert_eq!(said.json()["issued"][0]["id"], *case, "{}", said.told());
}

#[test]
fn cosignatures_grow_old() {
    if absent("cosignatures_grow_old", &["git", "ssh-keygen"]) {
        return;
    }
    let logged =
        Logged::new("quorum = 1\nfreshest = \"3s\"\n\n[[log.witness]]\nname = \"w1.example\"\nkey = \"{w1}\"\n");
    let minter = logged.clone_of("minter");
    let case = logged.clone_of("alice").opens("30m");
    for approver in ["bob", "dave"] {
        logged.clone_of(approver).approves(&case).ok();
    }
    logged.checkpoint(&minter, &[]).ok();
    logged.witness(&minter, "w1", &[]).ok();
    common::wait_past(common::now() + 4);
    minter.mints().refused(3).mentions(&["F04", "longer ago than 3s"]);
    // Nothing is new in the ledger, and the witness says so again: one line by it, a later one.
    let before = logged.note();
    logged.witness(&minter, "w1", &[]).ok();
    assert_ne!(logged.note(), before);
    assert_eq!(logged.note().matches("— w1.example ").count(), 1);
    minter.mints().ok();
}

#[test]
fn a_fork_is_seen_by_whoever_meets_it() {
    if absent("a_fork_is_seen_by_whoever_meets_it", &["git", "ssh-keygen"]) {
        return;
    }
    let logged = Logged::new(TWO_WITNESSES);
    logged.clone_of("alice").opens("30m");
    let other = logged.fork();
    // Here the ledger went on in another way.
    logged.place.desk("alice", &logged.remote).opens("45m");
    let [minter, dave, erin] = ["minter", "dave", "erin"].map(|name| logged.clone_of(name));
    logged.checkpoint(&minter, &[]).ok();
    logged.witness(&dave, "w1", &[]).ok();
    logged.overwrite(&other, CHECKPOINTS);
    let text = two_histories(logged.checkpoint(&minter, &[]), &minter);
    assert_eq!(text.matches("— jit/").count(), 2, "both notes are signed, and both are kept\n{text}");
    two_histories(logged.witness(&dave, "w1", &[]), &dave);
    two_histories(erin.jit(&["verify"]), &erin);
    minter.mints().exits(0); // nothing is due
    // Who clones now is told, and keeps nothing.
    let rita = logged.place.desk("rita", &logged.place.path("home/rita/ledger"));
    logged.clones(&rita).refused(5).mentions(&["two histories"]);
    assert!(!rita.ledger.exists());

    // The other way round: the ledger itself is exchanged, and the witness that saw the first one remembers, whatever
    // clone it is shown.
    logged.overwrite(&other, BRANCH);
    // Whoever fetches it is told what both say, and keeps it.
    let before = files(&erin.ledger.join(".git/jit/forks")).len();
    let said = erin.jit(&["sync"]).refused(5);
    let said = said.mentions(&["Two histories of the log", "Consistency: the first 2 entries are the same", "fails"]);
    assert_eq!(files(&erin.ledger.join(".git/jit/forks")).len(), before + 1, "{}", said.told());
    let fresh = logged.place.desk("bob", &logged.place.path("home/bob/ledger"));
    logged.clones(&fresh).ok();
    let mut command = dave.command();
    command.arg("--ledger").arg(&fresh.ledger).args(["witness", "--witness-key"]).arg(logged.place.key("w1"));
    two_histories(dave.run(command), &fresh);
}

#[test]
fn a_ledger_that_went_back_is_seen() {
    if absent("a_ledger_that_went_back_is_seen", &["git", "ssh-keygen"]) {
        return;
    }
    let logged = Logged::new("");
    let [minter, dave] = ["minter", "dave"].map(|name| logged.clone_of(name));
    logged.clone_of("alice").opens("30m");
    logged.checkpoint(&minter, &[]).ok();
    logged.witness(&dave, "w1", &["--name", "w1.example"]).ok();
    logged.place.git(&logged.remote, &["update-ref", BRANCH, &format!("{BRANCH}~1")]);
    let erin = logged.place.desk("erin", &logged.place.path("home/erin/ledger"));
    logged.clones(&erin).refused(5).mentions(&["has signed 2 entries", "shows only 1"]);
    assert!(!erin.ledger.exists());
    logged.checkpoint(&minter, &[]).refused(5);
    // Both went back: the witness has cosigned more than there is now, and says so from a clone made today.
    logged.place.git(&logged.remote, &["update-ref", "-d", CHECKPOINTS]);
    logged.clones(&erin).ok();
    logged.checkpoint(&erin, &[]).ok();
    let mut command = dave.command();
    command.arg("--ledger").arg(&erin.ledger).args(["witness", "--name", "w1.example", "--witness-key"]);
    command.arg(logged.place.key("w1"));
    dave.run(command).refused(5).mentions(&["you have cosigned 2 entries", "only 1"]);
}

#[test]
fn rubbish_on_the_branch_is_passed_over_and_told() {
    if absent("rubbish_on_the_branch_is_passed_over_and_told", &["git", "ssh-keygen"]) {
        return;
    }
    let logged = Logged::new("");
    let minter = logged.clone_of("minter");
    logged.checkpoint(&minter, &[]).ok();
    let good = logged.note();
    // Signed by nobody, of another size, with another root; beside another file; and no note at all.
    let unsigned = good.replacen("\n1\n", "\n7\n", 1);
    for rubbish in [
        vec![("checkpoint", unsigned.as_str())],
        vec![("checkpoint", good.as_str()), ("other", "x")],
        vec![("checkpoint", "hello\n")],
        vec![("readme", "hello\n")],
    ] {
        logged.push_files(CHECKPOINTS, &rubbish);
    }
    let said = minter.jit(&["verify"]).ok();
    assert!(said.err.contains("4 commits on the branch checkpoints are no checkpoints"), "{}", said.told());
    let said = logged.checkpoint(&minter, &[]).ok();
    assert_eq!(said.json()["new"], false, "{}", said.told());
    assert_eq!(logged.note(), good, "it is on top again");
    // The branch goes back to an older checkpoint: whoever has seen the newer one knows.
    logged.clone_of("alice").opens("30m");
    logged.checkpoint(&minter, &[]).ok();
    logged.push_files(CHECKPOINTS, &[("checkpoint", &good)]);
    let said = logged.checkpoint(&minter, &[]).ok();
    assert!(said.err.contains("went back") && said.json()["size"] == 2, "{}", said.told());
    assert!(logged.note().contains("\n2\n"));
}

#[test]
fn lines_that_strangers_put_under_a_note_stop_nobody() {
    if absent("lines_that_strangers_put_under_a_note_stop_nobody", &["git", "ssh-keygen"]) {
        return;
    }
    let logged = Logged::new(TWO_WITNESSES);
    let minter = logged.clone_of("minter");
    logged.checkpoint(&minter, &[]).ok();
    logged.witness(&minter, "w1", &[]).ok();
    let good = logged.note();
    // A line that says that it is w1's, and is not: the note counts no more, the one before it does.
    let line = good.lines().find(|line| line.starts_with("— w1.example ")).unwrap();
    let middle = line.len() - 30;
    let bent = if line[middle..].starts_with('A') { "B" } else { "A" };
    let forged = format!("{}{bent}{}", &line[..middle], &line[middle + 1..]);
    logged.push_files(CHECKPOINTS, &[("checkpoint", &good.replace(line, &forged))]);
    let said = minter.jit(&["verify", "--json"]).ok();
    assert!(said.err.contains("signature of w1.example does not verify"), "{}", said.told());
    assert!(said.json()["findings"][0]["message"].as_str().unwrap().contains("1 of 2"), "{}", said.told());
    let said = logged.witness(&minter, "w2", &[]).ok();
    assert_eq!(said.json()["cosigned"].as_array().unwrap().len(), 2, "{}", said.told());
    // As many lines as a note may have: the next one still finds room, and those of the policy stay.
    let strangers: String = (0..97).map(|n| format!("— stranger{n} AAAAAAA=\n")).collect();
    logged.push_files(CHECKPOINTS, &[("checkpoint", &(logged.note() + &strangers))]);
    logged.witness(&minter, "w1", &[]).ok();
    let note = logged.note();
    assert_eq!((note.matches("— stranger").count(), note.matches("— w").count()), (16, 2), "{note}");
    let said = minter.jit(&["verify", "--strict", "--json"]).ok();
    assert_eq!(said.json()["findings"], serde_json::json!([]), "{}", said.told());
}

#[test]
fn a_mirror_that_no_witness_vouches_for_admits_nobody() {
    if absent("a_mirror_that_no_witness_vouches_for_admits_nobody", &["git", "ssh-keygen"]) {
        return;
    }
    let logged = Logged::new(TWO_WITNESSES);
    let place = &logged.place;
    let state = place.path("host");
    for directory in ["published", "run/sessions"] {
        fs::create_dir_all(state.join(directory)).unwrap();
    }
    let file = state.join("host.toml");
    let text = format!(
        "host = \"db1\"\nledger = \"{id}\"\nremote = \"{remote}\"\nuser = \"root\"\nkey = \"{key}\"\n\
         mirror = \"{state}/mirror\"\npublished = \"{state}/published\"\nrun = \"{state}/run\"\nlogin_wait = \"5s\"\n",
        id = logged.id,
        remote = logged.remote.display(),
        key = place.key("db1").display(),
        state = state.display(),
    );
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let config = jit::host::Config::read(&file).unwrap();
    let sync = || {
        let mut command = Command::new(JIT);
        command.args(["host", "--config"]).arg(&file).args(["sync", "--once"]);
        place.run(command)
    };
    let checked = || jit::host::Grants::read(&config).unwrap().unwrap().checked.unix_u64();
    sync().refused(3).mentions(&["F04", "no checkpoint", "jit witness"]);
    assert_eq!(checked(), 0, "it was never held against its remote");
    let minter = logged.clone_of("minter");
    logged.checkpoint(&minter, &[]).ok();
    logged.witness(&minter, "w1", &[]).ok();
    logged.witness(&minter, "w2", &[]).ok();
    sync().ok();
    assert!(checked().abs_diff(common::now()) < 60);
    // The checkpoints are gone from the remote: the host remembers the newest, until it is too old.
    place.git(&logged.remote, &["update-ref", "-d", CHECKPOINTS]);
    sync().ok();
}
