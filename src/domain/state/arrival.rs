//! What the replay found out about a commit without knowing any state: its shape, its event, its signature. Each part
//! holds its value or the fault of reading it; [`super::State::judge`] asks them in the order of rules.md.

use std::collections::BTreeMap;

use crate::domain::event::Event;
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CommitId, Digest};
use crate::domain::key::PublicKey;
use crate::domain::policy::Mfa;
use crate::domain::time::Timestamp;

/// A commit, read.
#[derive(Debug)]
pub struct Arrival {
    /// The commit.
    pub commit: CommitId,
    /// C01: its parents.
    pub parents: Result<(), Fault>,
    /// C02: nothing under `ledger/` is changed or odd.
    pub untouched: Result<(), Fault>,
    /// C05: the first path outside `ledger/` that it changes.
    pub governed_change: Option<String>,
    /// C05: the governed files after it, where it says that it is a genesis or enactment; `None` for a file that is not
    /// a plain one.
    pub governed: Option<BTreeMap<String, Option<Digest>>>,
    /// C03 and C06: exactly one event with its signature, within the limits.
    pub layout: Result<Layout, Fault>,
    /// C07: author, message and headers.
    pub metadata: Result<Metadata, Fault>,
    /// C08: its trees.
    pub tree: Result<(), Fault>,
    /// E01 to E04: the event.
    pub event: Result<Event, Fault>,
    /// The digest of the event file's bytes.
    pub digest: Digest,
    /// K01 and K02: the signature, verified with the key inside it.
    pub signature: Result<Signature, Fault>,
    /// The log's root at the event's `seen.size`.
    pub root_at_seen: Option<Digest>,
    /// A proposal's changed files, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The time, where the commit arrives now and is not history yet.
    pub now: Option<Timestamp>,
}

/// Where the files of an event lie.
#[derive(Debug)]
pub struct Layout {
    /// The path of the event file.
    pub event_path: String,
    /// The paths of a proposal's files.
    pub file_paths: Vec<String>,
    /// C06: what is too large.
    pub sizes: Result<(), Fault>,
}

/// The metadata of a commit, as people see it.
#[derive(Debug)]
pub struct Metadata {
    /// The author's name.
    pub name: String,
    /// The author's e-mail.
    pub email: String,
    /// The author date, seconds since the epoch.
    pub time: i64,
    /// The author date's zone.
    pub zone: String,
    /// The message.
    pub message: String,
}

/// A signature that verifies.
#[derive(Debug, Clone)]
pub struct Signature {
    /// The key.
    pub key: PublicKey,
    /// What it was made for.
    pub namespace: String,
    /// Whether the hardware key was touched; false of a software key.
    pub touched: bool,
    /// Whether the hardware key was given its PIN; false of a software key.
    pub pin: bool,
    /// K05: whether a hardware key's application is another than `ssh:`.
    pub foreign_application: Option<String>,
    /// For an issuance: whether the CA's signature in the certificate verifies.
    pub ca_signature: bool,
}

impl Signature {
    /// K05: whether the signature shows the presence that `demanded` wants; every hardware key shows touch.
    ///
    /// # Errors
    /// K05 with what is missing.
    pub fn presence(&self, demanded: Mfa) -> Result<(), Fault> {
        let fault = |why: String| Err(Fault::new(Code::K05, why));
        if let Some(application) = &self.foreign_application {
            return fault(format!("the hardware key was made for {application:?}, not for ssh:"));
        }
        if self.key.is_hardware() && !self.touched {
            return fault("the hardware key was not touched".into());
        }
        match demanded {
            Mfa::None => Ok(()),
            Mfa::Touch | Mfa::TouchPin if !self.key.is_hardware() => {
                fault(format!("the policy demands mfa = {demanded}: a hardware key (sk-ssh-ed25519@openssh.com)"))
            }
            Mfa::TouchPin if !self.pin => fault("the hardware key was not given its PIN".into()),
            Mfa::Touch | Mfa::TouchPin => Ok(()),
        }
    }
}
