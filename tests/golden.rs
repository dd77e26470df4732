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

/// "At least one golden ledger for every code that can be produced": each code of the library has a test named for it.
/// F04 is not among them: it tells of checkpoints, which lie beside a ledger; `tests/checkpoints.rs` has it.
#[test]
fn every_code_has_a_golden_ledger() {
    let sources = [
        include_str!("golden/authority.rs"),
        include_str!("golden/commits.rs"),
        include_str!("golden/encoding.rs"),
        include_str!("golden/findings.rs"),
        include_str!("golden/log.rs"),
        include_str!("golden/proposals.rs"),
        include_str!("golden/signatures.rs"),
        include_str!("golden/turns.rs"),
    ]
    .concat();
    let missing: Vec<&str> = jit::domain::finding::Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| {
            let name = code.to_lowercase();
            // A test of its own, or a row of the table of edits.
            !sources.contains(&format!("fn {name}_")) && !sources.contains(&format!("    {name}_"))
        })
        .collect();
    assert_eq!(missing, ["F04"]);
}
