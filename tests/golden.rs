//! Golden ledgers: for every code of rules.md ledgers that break that rule alone, and ledgers that break none. Each is built
//! in a real repository and judged by the real binary, so that reading, signatures, fold and exit code are tried together.
//! A test is named for the rule and the cause. The builder writes what format.md says a second time, on its own.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "golden/authority.rs"]
mod authority;
#[path = "golden/bodies.rs"]
mod bodies;
#[path = "golden/commit.rs"]
mod commit;
#[path = "golden/commits.rs"]
mod commits;
#[path = "golden/control.rs"]
mod control;
#[path = "golden/encoding.rs"]
mod encoding;
#[path = "golden/findings.rs"]
mod findings;
#[path = "golden/genesis.rs"]
mod genesis;
#[path = "golden/governed.rs"]
mod governed;
#[path = "golden/hardware.rs"]
mod hardware;
#[path = "golden/keys.rs"]
mod keys;
#[path = "golden/ledger.rs"]
mod ledger;
#[path = "golden/log.rs"]
mod log;
#[path = "golden/minting.rs"]
mod minting;
#[path = "golden/proposals.rs"]
mod proposals;
#[path = "golden/revoked.rs"]
mod revoked;
#[path = "golden/signatures.rs"]
mod signatures;
#[path = "golden/tampering.rs"]
mod tampering;
#[path = "golden/turns.rs"]
mod turns;
#[path = "golden/verdict.rs"]
mod verdict;

/// Rules whose ledgers lie elsewhere, and why: the test that breaks that rule alone.
const ELSEWHERE: [(&str, &str, &str); 1] =
    // It tells of checkpoints, which lie beside a ledger.
    [("F04", "tests/checkpoints.rs", "a_policy_that_wants_witnesses_mints_only_with_them")];

/// Every code that docs/rules.md lists is one of the library, and has a test named for it that breaks that rule alone:
/// [`ledger::Ledger::check`] demands exactly the void commits that were made, [`ledger::Ledger::check_finding`] exactly one
/// finding.
#[test]
fn every_code_of_the_rules_has_a_golden_ledger() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = std::fs::read_to_string(root.join("docs/rules.md")).unwrap();
    let listed: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next())
        .filter(|word| word.len() == 3 && word[1..].bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    let known: Vec<&str> = jit::domain::finding::Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(listed, known, "docs/rules.md lists what the library knows, in its order");
    let mut sources = String::new();
    for file in std::fs::read_dir(root.join("tests/golden")).unwrap() {
        sources.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap_or_default());
    }
    for code in listed {
        let name = code.to_lowercase();
        // A test of its own, or a row of the table of edits.
        let is_here = sources.contains(&format!("#[test]\nfn {name}_")) || sources.contains(&format!("    {name}_"));
        let elsewhere = ELSEWHERE.iter().find(|row| row.0 == code);
        let is_there = elsewhere.is_some_and(|(_, file, test)| {
            let source = std::fs::read_to_string(root.join(file)).unwrap();
            source.contains(&format!("#[test]\nfn {test}()"))
        });
        assert!(is_here || is_there, "{code}: no ledger in the tests breaks it");
        assert!(!(is_here && is_there), "{code}: listed as elsewhere, and here");
    }
}
