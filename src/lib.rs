//! jit: temporary production access, approved in Git.
//!
//! ```text
//! bytes ─► parsed ─► signature checked ─► judged (fold) ─► state ─► view
//! intent ─► decided against the state ─► event ─► signed ─► appended by compare-and-swap
//! grant (only the fold makes one) ─► issuer ─► certificate
//!
//! cli ─► audit, monitor, ledger, git, sign, issue, host, recording     (the composition root)
//! host ─► recording ─► ports, domain                                   (a host writes recordings, cli reads them)
//! audit, monitor, ledger, git, sign, issue, host ─► ports ─► domain, sshsig, merkle
//! ```
//!
//! `domain` imports nothing of ours; `sshsig` and `merkle` import at most `domain::{id, key, time}`. Side modules do not
//! import each other. `tests/architecture.rs` holds the `use crate::` lines against this table.

pub mod audit;
pub mod cli;
pub mod domain;
pub mod git;
pub mod host;
pub mod issue;
pub mod ledger;
pub mod merkle;
pub mod monitor;
pub mod ports;
pub mod recording;
pub mod sign;
pub mod sshsig;
