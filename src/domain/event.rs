//! The kinds of event and what each says (format.md, sections 2, 5 and 6). Plain data: `codec` makes it from bytes and
//! back, `state` judges it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::{CaseId, CommitId, Digest, Name, Nonce, RoleRef};
use super::key::PublicKey;
use super::time::{Timestamp, Ttl};

/// One event: who says what, when, and after having seen which log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The ledger: the digest of its genesis. Absent in the genesis itself.
    pub ledger: Option<Digest>,
    /// The case; absent where this event opens one.
    pub case: Option<CaseId>,
    /// The policy in force where the author looked; absent in the genesis.
    pub policy: Option<Digest>,
    /// The member, service or host that says it.
    pub actor: Name,
    /// When, by the author's clock.
    pub time: Timestamp,
    /// Random; only in events that open a case.
    pub nonce: Option<Nonce>,
    /// The log as the author saw it; absent in the genesis.
    pub seen: Option<Seen>,
    /// What is said.
    pub body: Body,
}

impl Event {
    /// The kind of the event.
    pub const fn kind(&self) -> Kind {
        self.body.kind()
    }
}

/// The size and Merkle root of the log that an author had seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How many leaves.
    pub size: u64,
    /// The root at that size.
    pub root: Digest,
}

/// The kinds of event, in the order of format.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// The first event: names the ledger and its governed files.
    Genesis,
    /// Opens an access case.
    Request,
    /// Agrees to a request or proposal.
    Approval,
    /// Refuses one.
    Denial,
    /// Takes one's own request back.
    Withdrawal,
    /// A credential was made.
    Issuance,
    /// Somebody got in.
    SessionStart,
    /// Somebody left, or was made to.
    SessionEnd,
    /// Ends a case at once.
    Revocation,
    /// The requester says that the work is done.
    Closure,
    /// What a host found left behind.
    Residue,
    /// An independent look afterwards.
    Review,
    /// Stops a member, target, environment or the whole ledger.
    Lock,
    /// Asks for a change of policy, an acknowledgement or an unlock.
    Proposal,
    /// Puts an approved proposal in force.
    Enactment,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 15] = [
        Self::Genesis,
        Self::Request,
        Self::Approval,
        Self::Denial,
        Self::Withdrawal,
        Self::Issuance,
        Self::SessionStart,
        Self::SessionEnd,
        Self::Revocation,
        Self::Closure,
        Self::Residue,
        Self::Review,
        Self::Lock,
        Self::Proposal,
        Self::Enactment,
    ];

    /// The word in files, paths and namespaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Request => "request",
            Self::Approval => "approval",
            Self::Denial => "denial",
            Self::Withdrawal => "withdrawal",
            Self::Issuance => "issuance",
            Self::SessionStart => "session-start",
            Self::SessionEnd => "session-end",
            Self::Revocation => "revocation",
            Self::Closure => "closure",
            Self::Residue => "residue",
            Self::Review => "review",
            Self::Lock => "lock",
            Self::Proposal => "proposal",
            Self::Enactment => "enactment",
        }
    }

    /// Whether an event of this kind opens a case.
    pub const fn opens_case(self) -> bool {
        matches!(self, Self::Genesis | Self::Request | Self::Lock | Self::Proposal)
    }

    /// The SSHSIG namespace: `jit-1/<kind>`.
    pub fn namespace(self) -> String {
        format!("jit-1/{}", self.as_str())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

/// What an event says: one variant a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the kind of the same name")]
pub enum Body {
    Genesis(Genesis),
    Request(Box<Request>),
    Approval { comment: Option<String> },
    Denial { comment: String },
    Withdrawal { comment: Option<String> },
    Issuance(Issuance),
    SessionStart(SessionStart),
    SessionEnd(SessionEnd),
    Revocation { reason: String, incident: Option<String> },
    Closure { summary: String, changes: Vec<String> },
    Residue(Residue),
    Review(Review),
    Lock(Lock),
    Proposal(Proposal),
    Enactment,
}

impl Body {
    /// The kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Genesis(_) => Kind::Genesis,
            Self::Request(_) => Kind::Request,
            Self::Approval { .. } => Kind::Approval,
            Self::Denial { .. } => Kind::Denial,
            Self::Withdrawal { .. } => Kind::Withdrawal,
            Self::Issuance(_) => Kind::Issuance,
            Self::SessionStart(_) => Kind::SessionStart,
            Self::SessionEnd(_) => Kind::SessionEnd,
            Self::Revocation { .. } => Kind::Revocation,
            Self::Closure { .. } => Kind::Closure,
            Self::Residue(_) => Kind::Residue,
            Self::Review(_) => Kind::Review,
            Self::Lock(_) => Kind::Lock,
            Self::Proposal(_) => Kind::Proposal,
            Self::Enactment => Kind::Enactment,
        }
    }
}

impl Body {
    /// What its author says in words: the comment, reason or summary; the changes of a closure and the notes of a review
    /// stand below it, a line each.
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Approval { comment } | Self::Withdrawal { comment } => comment.clone(),
            Self::Denial { comment } => Some(comment.clone()),
            Self::Revocation { reason, .. } => Some(reason.clone()),
            Self::Closure { summary, changes } => Some(format!("{summary}\nchanges: {}", changes.join("; "))),
            Self::Residue(residue) => {
                let clear = residue.items.iter().filter(|item| item.result == ProbeResult::Clear).count();
                let found = residue.items.iter().filter(|item| item.result != ProbeResult::Clear);
                let lines = found.map(|item| format!("\n{}: {} {}", item.probe, item.result, item.detail));
                Some(format!("{clear} of {} probes clear{}", residue.items.len(), lines.collect::<String>()))
            }
            Self::Review(review) => {
                let items = review.items.iter().map(|item| {
                    let note = item.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
                    format!("\n{}: {}{note}", item.check, item.answer)
                });
                let follow_up = review.follow_up.as_ref().map_or_else(String::new, |ticket| format!(", {ticket}"));
                Some(format!("{}{follow_up}{}", review.verdict, items.collect::<String>()))
            }
            Self::Genesis(_)
            | Self::Request(_)
            | Self::Issuance(_)
            | Self::SessionStart(_)
            | Self::SessionEnd(_)
            | Self::Lock(_)
            | Self::Proposal(_)
            | Self::Enactment => None,
        }
    }
}

/// A governed file and the digest of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// The path from the root of the ledger, with `/`.
    pub path: String,
    /// The digest of the file's bytes.
    pub sha256: Digest,
}

/// The first event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// The ledger's name, such as `acme/production`.
    pub name: String,
    /// All governed files, sorted by path.
    pub files: Vec<FileDigest>,
}

/// A request for access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked for; sorted, at least one.
    pub targets: Vec<RoleRef>,
    /// For how long, from the first issuance.
    pub duration: Ttl,
    /// A booked window: no credential before this.
    pub not_before: Option<Timestamp>,
    /// Why.
    pub business_need: String,
    /// Why a smaller role does not do.
    pub least_privilege: Option<String>,
    /// The ticket.
    pub ticket: Option<String>,
    /// The incident; an emergency has one.
    pub incident: Option<String>,
    /// The case that this one continues.
    pub extends: Option<CaseId>,
    /// Break-glass.
    pub emergency: bool,
    /// Where the login may come from: CIDRs; narrows the role's list.
    pub source_address: Vec<ipnet::IpNet>,
    /// The key to be certified.
    pub credential_key: PublicKey,
    /// What can go wrong, and how it is undone.
    pub risk: Risk,
}

/// The risk that the requester sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// How high.
    pub level: RiskLevel,
    /// What can go wrong.
    pub impact: String,
    /// How it is undone.
    pub rollback: String,
    /// Classes of data that may be seen; sorted.
    pub data: Vec<String>,
}

/// Defines an enum whose variants are words in a file.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in files.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or(())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How high a risk is.
    RiskLevel {
        /// Little can go wrong.
        Low = "low",
        /// Something can, and is easily undone.
        Medium = "medium",
        /// Customers or money.
        High = "high",
    }
}

/// A credential that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuance {
    /// The environment whose CA signed.
    pub environment: Name,
    /// The CA's number for it.
    pub serial: u64,
    /// Valid from.
    pub valid_after: Timestamp,
    /// Valid until.
    pub valid_before: Timestamp,
    /// The OpenSSH certificate, one line without a comment.
    pub certificate: String,
}

/// Somebody got in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionStart {
    /// The session's name.
    pub session: Nonce,
    /// The certificate's serial.
    pub serial: u64,
    /// The login on the host.
    pub login: String,
    /// Where from.
    pub source: String,
    /// The command, where it was not a shell.
    pub command: Option<String>,
    /// Whether the session is recorded.
    pub recording: Recording,
}

words! {
    /// Whether a session is recorded.
    Recording {
        /// It is.
        On = "on",
        /// It is not.
        Off = "off",
    }
}

/// Somebody left, or was made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEnd {
    /// The session's name.
    pub session: Nonce,
    /// Why it ended.
    pub cause: EndCause,
    /// The exit code, where there was one.
    pub exit_code: Option<i64>,
    /// The digest of the recording.
    pub recording: Option<Digest>,
    /// How many bytes were recorded.
    pub bytes: u64,
}

words! {
    /// Why a session ended.
    EndCause {
        /// The person left.
        Exit = "exit",
        /// The deadline came.
        Expired = "expired",
        /// The case was revoked or locked.
        Revoked = "revoked",
        /// The requester closed the case.
        Closed = "closed",
        /// The host lost track of it.
        Lost = "lost",
    }
}

/// What a host found left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Residue {
    /// Whether every probe was clear.
    pub clean: bool,
    /// The probes.
    pub items: Vec<ResidueItem>,
}

/// One probe and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResidueItem {
    /// The probe's name.
    pub probe: String,
    /// What it found.
    pub result: ProbeResult,
    /// In words.
    pub detail: String,
}

words! {
    /// What a probe found.
    ProbeResult {
        /// Nothing.
        Clear = "clear",
        /// Something.
        Found = "found",
        /// It could not look.
        Failed = "failed",
    }
}

/// An independent look afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The outcome.
    pub verdict: Verdict,
    /// The ticket that follows it up; present exactly when the verdict says so.
    pub follow_up: Option<String>,
    /// Each check of the policy's list.
    pub items: Vec<ReviewItem>,
}

words! {
    /// The outcome of a review.
    Verdict {
        /// All in order.
        Clean = "clean",
        /// Something is to be done.
        FollowUp = "follow-up",
    }
}

/// One check and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewItem {
    /// The check, as the policy words it.
    pub check: String,
    /// The answer.
    pub answer: Answer,
    /// In words.
    pub note: Option<String>,
}

words! {
    /// The answer to a check.
    Answer {
        /// Yes.
        Yes = "yes",
        /// No.
        No = "no",
        /// It does not apply.
        NotApplicable = "n/a",
    }
}

/// Stops something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// What is stopped.
    pub scope: LockScope,
    /// Why.
    pub reason: String,
    /// The incident.
    pub incident: Option<String>,
}

/// What a lock stops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LockScope {
    /// One member's cases.
    Member(Name),
    /// Cases on one target.
    Target(Name),
    /// Cases in one environment.
    Environment(Name),
    /// Everything.
    Ledger,
}

impl fmt::Display for LockScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name) => write!(f, "member:{name}"),
            Self::Target(name) => write!(f, "target:{name}"),
            Self::Environment(name) => write!(f, "environment:{name}"),
            Self::Ledger => f.write_str("ledger"),
        }
    }
}

impl FromStr for LockScope {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let Some((what, name)) = text.split_once(':') else {
            return if text == "ledger" { Ok(Self::Ledger) } else { Err(()) };
        };
        let name = name.parse().map_err(|_| ())?;
        match what {
            "member" => Ok(Self::Member(name)),
            "target" => Ok(Self::Target(name)),
            "environment" => Ok(Self::Environment(name)),
            _ => Err(()),
        }
    }
}

/// Asks the root members for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Why.
    pub reason: String,
    /// What for.
    pub subject: Subject,
}

/// What a proposal is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// A new policy and new governed files.
    Policy {
        /// Exactly the present version + 1.
        version: u64,
        /// Every governed file as it shall be, sorted by path.
        files: Vec<FileDigest>,
    },
    /// Void commits that were looked into.
    Acknowledge {
        /// Their ids, sorted.
        commits: Vec<CommitId>,
    },
    /// A lock to lift.
    Unlock {
        /// The lock's case.
        lock: CaseId,
    },
}

impl Subject {
    /// The word in files.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Policy { .. } => "policy",
            Self::Acknowledge { .. } => "acknowledge",
            Self::Unlock { .. } => "unlock",
        }
    }
}
