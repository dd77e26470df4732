//! Raw commits: a plain one has one spelling, and its links are what everybody else reads.
#![no_main]

use jit::ledger::commit::{links, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(commit) = parse(bytes) else { return };
    assert_eq!(commit.write().as_deref(), Ok(bytes), "one commit, two spellings");
    let links = links(bytes).expect("a plain commit can be followed");
    assert_eq!((links.tree, links.parents), (commit.tree, commit.parents));
    // Nothing that git shows differs from what is judged.
    assert!(!bytes.contains(&0));
    let headers = commit.author.name + &commit.author.email + &commit.committer.name + &commit.committer.email;
    assert!(!headers.contains(['\n', '<', '>']));
});
