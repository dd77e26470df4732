//! Golden ledgers: for every code of rules.md ledgers that break that rule alone, and ledgers that break none. Each is built
//! in a real repository and judged by the real binary, so that reading, signatures, fold and exit code are tried together.
//! A test is named for the rule and the cause. The builder writes what format.md says a second time, on its own.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "golden/authority.rs"]
mod authority;
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
#[path = "golden/keys.rs"]
mod keys;
#[path = "golden/ledger.rs"]
mod ledger;
#[path = "golden/log.rs"]
mod log;
#[path = "golden/proposals.rs"]
mod proposals;
#[path = "golden/signatures.rs"]
mod signatures;
#[path = "golden/tampering.rs"]
mod tampering;
#[path = "golden/turns.rs"]
mod turns;
