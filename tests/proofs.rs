//! `jit audit prove`, `consistency` and `check`: files that a stranger checks with nothing but the log's key; and that
//! whoever changes one byte of them is found out. The proof is followed in Python as well, and the event in it verified
//! with `ssh-keygen`.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::path::Path;
use std::process::Command;

use common::log::{CHECKPOINTS, Logged};
use common::{Desk, JIT, Said, absent};
use serde_json::json;

#[path = "common/harness.rs"]
mod common;

/// Follows a proof file as c2sp.org/tlog-proof and our format.md say; takes it apart for `ssh-keygen`.
const FOLLOW: &str = r#"
import base64, hashlib, sys
h = lambda data: hashlib.sha256(data).digest()
lines = open(sys.argv[1], encoding="utf-8").read().split("\n")
assert lines[0] == "c2sp.org/tlog-proof@v1"
extra = base64.b64decode(lines[1].removeprefix("extra "), validate=True)
index = int(lines[2].removeprefix("index "))
gap = lines.index("")
path = [base64.b64decode(line, validate=True) for line in lines[3:gap]]
size, root = int(lines[gap + 2]), base64.b64decode(lines[gap + 3])
at = extra.index(b"-----BEGIN SSH SIGNATURE-----")
event, signature = extra[:at], extra[at:]
open("event.toml", "wb").write(event)
open("event.toml.sig", "wb").write(signature)
value = h(b"\0" + b"\1" + h(event) + h(signature))
fn, sn = index, size - 1
for sibling in path:
    if fn & 1 or fn == sn:
        value = h(b"\1" + sibling + value)
        while not fn & 1 and fn: fn, sn = fn >> 1, sn >> 1
    else:
        value = h(b"\1" + value + sibling)
    fn, sn = fn >> 1, sn >> 1
print("root" if sn == 0 and value == root else "WRONG")
"#;

/// Somebody with a case to prove, a checkpoint that covers it, and the log's key.
fn proven() -> (Logged, String, String) {
    let logged = Logged::new("");
    let case = logged.clone_of("alice").opens("30m");
    for approver in ["bob", "dave"] {
        logged.clone_of(approver).approves(&case).ok();
    }
    let minter = logged.clone_of("minter");
    minter.mints().ok();
    let key = logged.checkpoint(&minter, &[]).ok().text("log_key");
    (logged, case, key)
}

/// A stranger: an empty HOME, no ledger, no key.
fn stranger(logged: &Logged, arguments: &[&str]) -> Said {
    let home = logged.place.path("home/stranger");
    fs::create_dir_all(&home).unwrap();
    let mut command = Command::new(JIT);
    command.current_dir(&home).args(["audit", "check", "--json"]).args(arguments);
    logged.place.run_with(command, &home, &[], b"")
}

fn proves(desk: &Desk<'_>, name: &str, out: &Path) -> Said {
    desk.jit(&["audit", "prove", name, "--out", out.to_str().unwrap(), "--json"])
}

#[test]
fn a_stranger_checks_a_case_with_the_logs_key_alone() {
    if absent("a_stranger_checks_a_case_with_the_logs_key_alone", &["git", "ssh-keygen", "python3"]) {
        return;
    }
    let (logged, case, key) = proven();
    let erin = logged.clone_of("erin");
    let folder = logged.place.path("evidence");
    let said = proves(&erin, &case, &folder).ok();
    assert_eq!(said.json()["files"].as_array().unwrap().len(), 4, "{}", said.told());
    let said = stranger(&logged, &[folder.to_str().unwrap(), "--log-key", &key]).ok();
    let checked = said.json();
    assert_eq!(checked["ok"], true);
    let told: Vec<String> = checked["checked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            assert_eq!(
                one["entry"]["case"],
                erin.sees(&case)["case"].as_str().map(|hex| format!("sha256:{hex}")).unwrap()
            );
            format!(
                "{} {} {}",
                one["index"],
                one["entry"]["kind"].as_str().unwrap(),
                one["entry"]["actor"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(told, ["1 request alice", "2 approval bob", "3 approval dave", "4 issuance minter"]);

    // One event by its own name; the log's key as OpenSSH has it, from a file.
    let approval = erin.sees(&case)["events"][1]["id"].as_str().unwrap().to_owned();
    let file = logged.place.path("approval.tlog-proof");
    proves(&erin, &approval, &file).ok();
    let public = logged.place.path("keys").join("log.pub");
    let check = [file.to_str().unwrap(), "--log-key", public.to_str().unwrap()];
    assert_eq!(stranger(&logged, &check).ok().json()["checked"][0]["entry"]["actor"], "bob");
    // Followed in another language, and the signature in it verified by the program that it was written for.
    let home = logged.place.path("home");
    let mut command = Command::new("python3");
    command.current_dir(&home).args(["-c", FOLLOW]).arg(&file);
    assert_eq!(logged.place.run(command).ok().out.trim(), "root");
    let signers = logged.place.path("allowed_signers");
    fs::write(&signers, logged.place.git(&erin.ledger, &["show", "main:allowed_signers"]) + "\n").unwrap();
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "verify", "-I", "bob", "-n", "jit-1/approval", "-f"]).arg(&signers);
    command.args(["-s", "event.toml.sig"]).current_dir(&home);
    let event = fs::read(home.join("event.toml")).unwrap();
    logged.place.run_with(command, &home, &[], &event).ok();

    // Another log's key; a key that is none; no key; a file that is not there.
    let other = logged.place.public_key("alice");
    let path = file.to_str().unwrap();
    let said = stranger(&logged, &[path, "--log-key", &other]).exits(4);
    assert!(
        said.json()["checked"][0]["faults"][0].as_str().unwrap().contains("not signed by the log's key"),
        "{}",
        said.told()
    );
    stranger(&logged, &[path, "--log-key", "nonsense"]).refused(1);
    stranger(&logged, &[path]).exits(2);
    stranger(&logged, &["/nowhere", "--log-key", &key]).refused(1).mentions(&["could not be checked"]);
    // What has no proof yet, and what is no event at all.
    let late = logged.clone_of("carol");
    let newer = logged.place.desk("alice", &late.ledger).opens("20m");
    proves(&late, &newer, &file).refused(1).mentions(&["does not cover", "jit checkpoint"]);
    proves(&late, "zzzz", &file).refused(1).mentions(&["there is no case or event"]);
    late.jit(&["audit", "prove", &case]).refused(2).mentions(&["--out"]);
}

#[test]
fn a_changed_byte_is_found_out() {
    if absent("a_changed_byte_is_found_out", &["git", "ssh-keygen"]) {
        return;
    }
    let (logged, case, key) = proven();
    let erin = logged.clone_of("erin");
    let file = logged.place.path("one.tlog-proof");
    erin.jit(&["audit", "prove", &case, "--first", "--out", file.to_str().unwrap()]).ok();
    let good = fs::read(&file).unwrap();
    let bent = logged.place.path("bent.tlog-proof");
    let check = [bent.to_str().unwrap(), "--log-key", &key];
    fs::write(&bent, &good).unwrap();
    stranger(&logged, &check).ok();
    // Every line, and within it a few places: 7 is prime to the lines' lengths, so all parts are met.
    for at in (0..good.len()).step_by(good.len() / 120).chain([0, good.len() - 1]) {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 7);
        fs::write(&bent, &bytes).unwrap();
        let said = stranger(&logged, &check);
        assert_eq!(said.code, 4, "byte {at}\n{}", said.told());
        assert_eq!(said.json()["ok"], false);
    }
    for length in [0, 1, 30, good.len() / 2, good.len() - 1] {
        fs::write(&bent, &good[..length]).unwrap();
        stranger(&logged, &check).exits(4);
    }
}

#[test]
fn witnesses_are_counted_and_void_commits_proven() {
    if absent("witnesses_are_counted_and_void_commits_proven", &["git", "ssh-keygen"]) {
        return;
    }
    let (logged, _, key) = proven();
    logged.add_voids(1);
    let clone = logged.clone_of("erin");
    let dave = logged.place.desk("dave", &clone.ledger);
    logged.checkpoint(&dave, &[]).ok();
    let witness = logged.witness(&dave, "w1", &["--name", "w1.example"]).ok().text("verifier_key");
    let other = logged.place.key("w2");
    let said =
        dave.jit(&["witness", "key", "--json", "--name", "w2.example", "--witness-key", other.to_str().unwrap()]).ok();
    let absent_one = said.text("verifier_key");
    let file = logged.place.path("void.tlog-proof");
    let path = file.to_str().unwrap();
    dave.jit(&["audit", "prove", "--position", "5", "--out", path]).ok();
    let said = stranger(&logged, &[path, "--log-key", &key, "--witness", &witness]).ok();
    let checked = &said.json()["checked"][0];
    assert!(checked["entry"]["void"].as_str().unwrap().starts_with("sha256:"), "{}", said.told());
    assert_eq!(checked["cosigned"][0]["name"], "w1.example", "{}", said.told());
    let both = [path, "--log-key", &key, "--witness", &witness, "--witness", &absent_one];
    let said = stranger(&logged, &both).exits(4);
    assert!(said.json()["checked"][0]["faults"][0].as_str().unwrap().contains("cosigned by 1"), "{}", said.told());
    stranger(&logged, &[&both[..], &["--quorum", "1"]].concat()).ok();
    stranger(&logged, &[&both[..], &["--quorum", "3"]].concat()).refused(2);
    // A checkpoint by itself.
    let note = logged.place.path("checkpoint");
    fs::write(&note, logged.note()).unwrap();
    let said = stranger(&logged, &[note.to_str().unwrap(), "--log-key", &key, "--witness", &witness]).ok();
    assert_eq!(said.json()["checked"][0]["size"], 6);
    dave.jit(&["audit", "prove", "--position", "6"]).refused(1).mentions(&["there is no entry 6"]);
}

#[test]
fn a_newer_checkpoint_is_shown_to_continue_an_older_one() {
    if absent("a_newer_checkpoint_is_shown_to_continue_an_older_one", &["git", "ssh-keygen"]) {
        return;
    }
    let (logged, _, key) = proven();
    let old = logged.place.path("old");
    fs::write(&old, logged.note()).unwrap();
    let clone = logged.clone_of("erin");
    let alice = logged.place.desk("alice", &clone.ledger);
    for duration in ["20m", "25m"] {
        alice.opens(duration);
    }
    logged.checkpoint(&alice, &[]).ok();
    let file = logged.place.path("consistency");
    let (path, old_path) = (file.to_str().unwrap(), old.to_str().unwrap());
    for (from, to) in [("5", "7"), (old_path, "7")] {
        let said = alice.jit(&["audit", "consistency", from, to, "--out", path, "--json"]).ok();
        assert_eq!((&said.json()["old"], &said.json()["new"]), (&json!(5), &json!(7)), "{}", said.told());
        stranger(&logged, &[path, "--log-key", &key, "--old", old_path]).ok();
        let root = said.text("old_root");
        stranger(&logged, &[path, "--log-key", &key, "--old-root", &root]).ok();
    }
    // Without the older one it could not be checked; with another one it does not hold.
    stranger(&logged, &[path, "--log-key", &key]).refused(1).mentions(&["--old"]);
    let zero = format!("sha256:{}", "0".repeat(64));
    stranger(&logged, &[path, "--log-key", &key, "--old-root", &zero]).exits(4);
    let newest = logged.place.path("newest");
    fs::write(&newest, logged.note()).unwrap();
    stranger(&logged, &[path, "--log-key", &key, "--old", newest.to_str().unwrap()]).exits(4);
    // From a size of which there is no checkpoint, but not to one.
    alice.jit(&["audit", "consistency", "3", "7", "--out", path]).ok();
    alice.jit(&["audit", "consistency", "3", "6"]).refused(1).mentions(&["no checkpoint of 6 entries"]);
    alice.jit(&["audit", "consistency", "7", "5"]).refused(2);
    alice.jit(&["audit", "consistency", "5", "9"]).refused(1).mentions(&["the log has 7 entries"]);
    // A checkpoint of another history, signed by the log's key.
    let other = logged.fork();
    let foreign = logged.place.path("foreign");
    logged.place.desk("alice", &logged.remote).opens("28m");
    logged.checkpoint(&alice, &[]).ok();
    fs::write(&foreign, logged.place.git(&other, &["show", &format!("{CHECKPOINTS}:checkpoint")]) + "\n").unwrap();
    let said = alice.jit(&["audit", "consistency", foreign.to_str().unwrap(), "8"]).refused(5);
    assert_eq!(said.err.matches("— jit/").count(), 2, "both notes\n{}", said.told());
}
