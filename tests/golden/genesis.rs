//! The first commit. Without a good one there is no ledger at all.

use crate::keys::Key;
use crate::ledger::Ledger;

#[test]
fn c05_a_genesis_without_one_of_its_files() {
    let mut ledger = Ledger::empty();
    let event = ledger.genesis("rita");
    let mut commit = ledger.lay_genesis(event);
    commit.add.remove("README.md").unwrap();
    ledger.check_void_genesis("C05", &commit);
}

#[test]
fn k04_a_genesis_by_no_root_member() {
    let mut ledger = Ledger::empty();
    let event = ledger.genesis("bob");
    let commit = ledger.lay_genesis(event);
    ledger.check_void_genesis("K04", &commit);
}

#[test]
fn a10_a_genesis_with_an_unsound_policy() {
    let mut ledger = Ledger::empty();
    let text = String::from_utf8(ledger.governed["policy.toml"].clone()).unwrap();
    let unsound = text.replace("threshold = 2", "threshold = 3");
    ledger.governed.insert("policy.toml".into(), unsound.into_bytes());
    let event = ledger.genesis("rita");
    let commit = ledger.lay_genesis(event);
    ledger.check_void_genesis("A10", &commit);
}

#[test]
fn a10_a_genesis_with_another_name_than_its_policy() {
    let mut ledger = Ledger::empty();
    let mut event = ledger.genesis("rita");
    let jit::domain::event::Body::Genesis(genesis) = &mut event.body else { unreachable!() };
    genesis.name = "acme/staging".into();
    let commit = ledger.lay_genesis(event);
    ledger.check_void_genesis("A10", &commit);
}

#[test]
fn k03_a_genesis_signed_as_something_else() {
    let mut ledger = Ledger::empty();
    let event = ledger.genesis("rita");
    let mut commit = ledger.lay_genesis(event);
    let signature = Key::of("rita").sshsig("jit-1/proposal", &commit.event);
    commit.add.insert(format!("{}.sig", commit.path), (0o100_644, signature));
    ledger.check_void_genesis("K03", &commit);
}

#[test]
fn c05_a_genesis_that_cannot_be_read() {
    // It is no event, so no genesis, and what is none touches no governed file: C05 is asked before E03.
    let mut ledger = Ledger::empty();
    let event = ledger.genesis("rita");
    let signed = ledger.sign_edited(event, "acme/production", "acme/\u{202e}production");
    let mut commit = ledger.lay(&signed);
    for (path, bytes) in &ledger.governed {
        commit.add.insert(path.clone(), (0o100_644, bytes.clone()));
    }
    ledger.check_void_genesis("C05", &commit);
}

#[test]
fn k02_a_genesis_that_nobody_signed() {
    let mut ledger = Ledger::empty();
    let event = ledger.genesis("rita");
    let mut commit = ledger.lay_genesis(event);
    let signature = Key::of("rita").sshsig("jit-1/genesis", b"something else");
    commit.add.insert(format!("{}.sig", commit.path), (0o100_644, signature));
    ledger.check_void_genesis("K02", &commit);
}
