//! Reads a whole ledger for the audit: replayed and held against the pin, then each commit with its bytes, one after the
//! other, so that a long ledger is never in memory twice. The only place of `cli/audit` that touches the store.
//!
//! The replay has judged every commit; here its bytes are read once more and held against the leaf that was judged.

use super::super::Context;
use super::super::context::History;
use std::collections::BTreeMap;

use super::super::checkpoint::branch::Checkpoints;
use super::super::error::CliError;
use super::super::output::Output;
use super::super::progress::Progress;
use super::super::session::{Fresh, Session};
use crate::audit::{Entry, Ledger, Said, Signed, Voided};
use crate::domain::codec::{self, EVENT_LIMIT, SIGNATURE_LIMIT};
use crate::domain::event::{Body, Kind};
use crate::domain::finding::{Code, Finding, Void};
use crate::domain::id::{CommitId, Digest, ObjectId};
use crate::domain::policy::Policy;
use crate::domain::state::case::{Case, EventRef, Matter};
use crate::domain::time::Timestamp;
use crate::ledger::commit;
use crate::ledger::governed;
use crate::ledger::tree::TreeReader;
use crate::merkle;
use crate::ports::{ObjectKind, Objects};

/// The most bytes of a commit object: what the replay reads.
const COMMIT_BYTES: u64 = 1024 * 1024;

/// A ledger that was replayed, and the time at which it is looked at.
pub struct Reading {
    session: Session,
    checkpoints: Option<Checkpoints>,
    id: Digest,
    head: CommitId,
    findings: Vec<Finding>,
    now: Timestamp,
    output: Output,
}

impl Reading {
    /// Opens the ledger, fetched if the remote answers, replays it and holds it against the pin. Deadlines are judged
    /// at `at`, else now.
    ///
    /// # Errors
    /// Where there is none, it cannot be checked, or it does not continue what was verified before (exit 5).
    pub fn open(context: &mut Context, at: Option<Timestamp>) -> Result<Self, CliError> {
        let mut session = Session::open_with(context, Fresh::Try, History::Whole)?;
        let checkpoints = Checkpoints::looked(context, session.ledger_mut())?;
        let now = at.unwrap_or_else(|| context.now());
        let id = session.state().ledger().expect("a replayed ledger has a genesis");
        let head = session.replay().head().expect("a replayed ledger has a head");
        let mut findings = session.replay().findings(session.store(), now)?;
        let lacking = checkpoints.as_ref().map(|known| known.lacking(session.ledger(), now)).transpose()?.flatten();
        findings.extend(lacking.map(|message| Finding { code: Code::F04, case: None, message }));
        Ok(Self { session, checkpoints, id, head, findings, now, output: context.output.clone() })
    }

    /// What is known of the ledger's checkpoints; `None` where the policy names no log key.
    pub const fn checkpoints(&self) -> Option<&Checkpoints> {
        self.checkpoints.as_ref()
    }

    /// The opened ledger.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The facts that every report names.
    pub fn ledger(&self) -> Ledger<'_> {
        let replay = self.session.replay();
        Ledger {
            id: self.id,
            head: self.head,
            state: replay.state(),
            log: replay.log(),
            findings: &self.findings,
            now: self.now,
        }
    }

    /// When the ledger began, by the clock of who founded it.
    pub fn founded(&self) -> Timestamp {
        let first = self.session.state().cases().next().map(Case::opened);
        first.expect("a replayed ledger has a genesis")
    }

    /// The ledger's first policy.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn first_policy(&self) -> Result<Policy, CliError> {
        let bytes = governed::first_policy(self.session.store(), self.session.replay())?;
        Policy::parse(&bytes).map_err(|_| changed(0))
    }

    /// The `allowed_signers` of every policy that was in force, each with the position in the log from which on it was,
    /// rising.
    ///
    /// # Errors
    /// Where the first policy cannot be read.
    pub fn signers(&self) -> Result<Vec<(u64, String)>, CliError> {
        let mut signers = vec![(0, self.first_policy()?.allowed_signers())];
        for case in self.session.state().cases() {
            let Matter::Proposal(proposed) = case.matter() else { continue };
            let Some(policy) = proposed.policy.as_deref().filter(|_| proposed.enacted.is_some()) else { continue };
            let enactment = case.events().iter().find(|event| event.kind == Kind::Enactment);
            // The enactment itself is judged by the policy before.
            signers.extend(enactment.map(|event| (event.position.saturating_add(1), policy.allowed_signers())));
        }
        signers.sort_by_key(|(from, _)| *from);
        Ok(signers)
    }

    /// The incident of each revocation that names one, by the digest of its event. The state does not keep it.
    ///
    /// # Errors
    /// Where one cannot be read.
    pub fn revocations(&self) -> Result<BTreeMap<Digest, String>, CliError> {
        let mut found = BTreeMap::new();
        for case in self.session.state().cases() {
            for event in case.events().iter().filter(|event| event.kind == Kind::Revocation) {
                let entry = self.event(case, event)?;
                if let Some(Body::Revocation { incident: Some(incident), .. }) = entry.event().map(|it| &it.event.body)
                {
                    found.insert(event.digest, incident.clone());
                }
            }
        }
        Ok(found)
    }

    /// Every commit in order, each read when it is asked for.
    pub fn entries(&self) -> Entries<'_> {
        let state = self.session.state();
        let size = usize::try_from(state.size()).unwrap_or(usize::MAX);
        let mut judged: Vec<Judged<'_>> = vec![Judged::Lost; size];
        for case in state.cases() {
            for event in case.events() {
                if let Some(place) = usize::try_from(event.position).ok().and_then(|at| judged.get_mut(at)) {
                    *place = Judged::Event(case, event);
                }
            }
        }
        for void in state.voids() {
            if let Some(place) = usize::try_from(void.position).ok().and_then(|at| judged.get_mut(at)) {
                *place = Judged::Void(void);
            }
        }
        let trees = TreeReader::new(self.session.store());
        let progress = Progress::new(&self.output, "Reading", "entries");
        Entries { reading: self, judged, trees, next: 0, parent: None, progress }
    }

    /// One event of a case, with its bytes.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn event(&self, case: &Case, event: &EventRef) -> Result<Entry, CliError> {
        let mut trees = TreeReader::new(self.session.store());
        let parent = match event.position.checked_sub(1).and_then(|at| self.session.replay().commit_at(at)) {
            Some(parent) => Some(self.commit(parent)?.1),
            None => None,
        };
        self.entry(&mut trees, parent, event.position, Judged::Event(case, event)).map(|(entry, _)| entry)
    }

    /// The commit object, and its tree.
    fn commit(&self, id: CommitId) -> Result<(Vec<u8>, ObjectId), CliError> {
        let raw = self.session.store().read(id, ObjectKind::Commit, COMMIT_BYTES)?;
        match commit::links(&raw) {
            Ok(links) => Ok((raw, links.tree)),
            Err(fault) => Err(CliError::failed(format!("commit {id} cannot be read")).because(fault.to_string())),
        }
    }

    /// The commit at `position`, and its tree.
    fn entry(
        &self,
        trees: &mut TreeReader<'_>,
        parent: Option<ObjectId>,
        position: u64,
        judged: Judged<'_>,
    ) -> Result<(Entry, ObjectId), CliError> {
        let replay = self.session.replay();
        let changed = || changed(position);
        let id = replay.commit_at(position).ok_or_else(changed)?;
        let leaf = replay.log().leaf(position).ok_or_else(changed)?;
        let (raw, tree) = self.commit(id)?;
        let committed = commit::parse(&raw).ok().and_then(|commit| Timestamp::from_unix(commit.committer.time));
        let said = match judged {
            Judged::Lost => return Err(changed()),
            Judged::Void(void) => {
                if merkle::void_leaf(&raw) != leaf {
                    return Err(changed());
                }
                Said::Void(Voided { fault: void.fault.clone(), acknowledged: void.acknowledged, raw })
            }
            Judged::Event(case, event) => {
                let path = format!("{}/{}-{}.toml", case.folder(), event.kind, event.digest.short());
                let changes = trees.changes(parent, tree)?.changes;
                let blob = |path: &str, limit: u64| -> Result<Vec<u8>, CliError> {
                    let change = changes.iter().find(|change| change.path == path);
                    let (_, id) = change.and_then(|change| change.new).ok_or_else(changed)?;
                    Ok(self.session.store().read(id, ObjectKind::Blob, limit)?)
                };
                let bytes = blob(&path, EVENT_LIMIT)?;
                let signature = blob(&format!("{path}.sig"), SIGNATURE_LIMIT)?;
                let digest = Digest::of(&bytes);
                if merkle::event_leaf(&digest, &Digest::of(&signature)) != leaf {
                    return Err(changed());
                }
                let event = codec::parse(&bytes).map_err(|_| changed())?;
                Said::Event(Box::new(Signed { path, bytes, signature, digest, event }))
            }
        };
        Ok((Entry { position, commit: id, committed, leaf, said }, tree))
    }
}

/// What the replay made of a position.
#[derive(Debug, Clone, Copy)]
enum Judged<'a> {
    Event(&'a Case, &'a EventRef),
    Void(&'a Void),
    Lost,
}

/// The commits of a ledger, in order.
pub struct Entries<'a> {
    reading: &'a Reading,
    judged: Vec<Judged<'a>>,
    trees: TreeReader<'a>,
    next: usize,
    parent: Option<ObjectId>,
    progress: Progress,
}

impl Entries<'_> {
    /// The same from `position` on: what comes before is not read.
    ///
    /// # Errors
    /// Where the commit before cannot be read.
    pub fn from(mut self, position: u64) -> Result<Self, CliError> {
        self.next = usize::try_from(position).unwrap_or(usize::MAX);
        self.parent = match position.checked_sub(1).and_then(|at| self.reading.session.replay().commit_at(at)) {
            Some(parent) => Some(self.reading.commit(parent)?.1),
            None => None,
        };
        Ok(self)
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, CliError>;

    fn next(&mut self) -> Option<Self::Item> {
        let judged = *self.judged.get(self.next)?;
        let position = u64::try_from(self.next).ok()?;
        self.next = self.next.saturating_add(1);
        self.progress.tell(position, self.reading.session.state().size());
        match self.reading.entry(&mut self.trees, self.parent, position, judged) {
            Ok((entry, tree)) => {
                self.parent = Some(tree);
                Some(Ok(entry))
            }
            Err(error) => {
                // What comes after cannot be told from what was lost.
                self.next = self.judged.len();
                Some(Err(error))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.judged.len().saturating_sub(self.next)))
    }
}

/// The store gives other bytes than it gave to the replay a moment ago.
fn changed(position: u64) -> CliError {
    CliError::failed(format!("entry {position} is not what was verified a moment ago"))
        .because("the repository changed, or it cannot be read whole")
        .hint("git fsck --full, then run the command again")
}
