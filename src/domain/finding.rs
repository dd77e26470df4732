//! What verification can say: the codes of rules.md, a fault of a commit, and findings at a given time.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::words;
use super::id::{CaseId, CommitId};
use std::str::FromStr;

words! {
    /// A rule. Its code never changes meaning. The order is the order in which a commit is asked, except that C05 is
    /// asked before C03.
    Code {
        /// Parents, or not on the first chain.
        C01 = "C01",
        /// Changes under `ledger/`.
        C02 = "C02",
        /// Other than one event.
        C03 = "C03",
        /// Path.
        C04 = "C04",
        /// Governed files.
        C05 = "C05",
        /// Sizes.
        C06 = "C06",
        /// Commit metadata.
        C07 = "C07",
        /// Malformed tree.
        C08 = "C08",
        /// Not canonical.
        E01 = "E01",
        /// Not an event.
        E02 = "E02",
        /// Text.
        E03 = "E03",
        /// Version or kind.
        E04 = "E04",
        /// SSHSIG.
        K01 = "K01",
        /// Signature.
        K02 = "K02",
        /// Namespace.
        K03 = "K03",
        /// Whose key.
        K04 = "K04",
        /// Touch and PIN.
        K05 = "K05",
        /// Ledger and policy.
        L01 = "L01",
        /// Seen more than there is.
        L02 = "L02",
        /// Fork or rollback.
        L03 = "L03",
        /// Time.
        L04 = "L04",
        /// Replay.
        L05 = "L05",
        /// Case unknown or unseen.
        L06 = "L06",
        /// Who may ask for what.
        A01 = "A01",
        /// What a request must say.
        A02 = "A02",
        /// Who may decide.
        A03 = "A03",
        /// Issuance.
        A04 = "A04",
        /// Certificate.
        A05 = "A05",
        /// Serial.
        A06 = "A06",
        /// Emergency.
        A07 = "A07",
        /// Sessions.
        A08 = "A08",
        /// The other turns of a case.
        A09 = "A09",
        /// Proposals and sound policies.
        A10 = "A10",
        /// Enactment.
        A11 = "A11",
        /// Locks.
        A12 = "A12",
        /// Minting while voids are open.
        A13 = "A13",
        /// Review overdue.
        F01 = "F01",
        /// Live past its end without a session-end.
        F02 = "F02",
        /// A governed file differs from its manifest, or `allowed_signers` from the policy.
        F03 = "F03",
        /// No fresh checkpoint.
        F04 = "F04",
        /// Residue not followed up.
        F05 = "F05",
        /// Recording missing.
        F06 = "F06",
        /// Session after the credential's end.
        F07 = "F07",
    }
}

/// Why a commit is void: the first rule that it breaks, and in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Fault {
    /// The rule.
    pub code: Code,
    /// What is wrong, with the values.
    pub message: String,
}

impl Fault {
    /// A fault.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A void commit in a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// The commit.
    pub commit: CommitId,
    /// Its position in the log.
    pub position: u64,
    /// Why.
    pub fault: Fault,
    /// Whether the root quorum has acknowledged it.
    pub acknowledged: bool,
}

/// Something to look at that is no fault of a commit, at a given time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule, `F01` to `F07`.
    pub code: Code,
    /// The case it concerns.
    pub case: Option<CaseId>,
    /// What is to be looked at.
    pub message: String,
}
