//! The checkpoints as a command works with them: fetched where it wants them fresh, the newest one verified and held against
//! the ledger, remembered beside the pin, put back by compare-and-swap. What contradicts the ledger is kept as evidence.

use super::super::context::{Context, Ledger};
use super::super::error::{CliError, ErrorKind};
use super::super::output::Output;
use crate::domain::finding::Code;
use crate::domain::id::{CommitId, Digest};
use crate::domain::policy::Log;
use crate::domain::text::visible;
use crate::domain::time::Timestamp;
use crate::git::CHECKPOINTS;
use crate::ledger::Replay;
use crate::ledger::checkpoints::{self, Newest, Standing};
use crate::merkle::checkpoint::{self, encode_hash};
use crate::merkle::{Checkpoint, SignedCheckpoint, Tree, VerifierKey, verify_consistency};
use crate::ports::{Remote as _, RemoteError, StoreError};

/// The state file of the newest checkpoint that this clone has seen and verified. Like the pin it never goes back.
const KEPT: &str = "checkpoint";
/// The folder of state files that hold evidence of two histories.
const FORKS: &str = "forks";

/// What a clone knows of the checkpoints of its ledger.
pub struct Checkpoints {
    /// What the policy says about the log.
    pub log: Log,
    /// The log's key, as notes name it.
    pub key: VerifierKey,
    /// Where the branch stands.
    pub head: Option<CommitId>,
    /// The newest checkpoint that the log's key has signed; the ledger continues it, unless [`Checkpoints::is_ahead`].
    pub newest: Option<SignedCheckpoint>,
    /// Whether the branch itself holds it on top.
    pub is_on_top: bool,
    /// Whether it is of a larger log than is here.
    pub is_ahead: bool,
}

impl Checkpoints {
    /// What lies here, without asking the remote. `None` where the policy names no log key.
    ///
    /// # Errors
    /// Stale (exit 5), with both notes and the evidence kept, where a checkpoint contradicts the ledger; where the branch
    /// cannot be read.
    pub fn here(context: &Context, ledger: &Ledger) -> Result<Option<Self>, CliError> {
        let remote = ledger.remote_branch(CHECKPOINTS)?;
        let tracked = remote.map(|remote| remote.last_seen()).transpose()?.flatten();
        let head = match tracked {
            Some(head) => Some(head),
            None => ledger.store().reference(CHECKPOINTS)?,
        };
        Self::at(context, ledger, head)
    }

    /// What the remote holds now. `None` where the policy names no log key.
    ///
    /// # Errors
    /// As [`Checkpoints::here`]; where the remote cannot be asked; stale where the log's key has signed more than the
    /// remote shows, which is asked twice.
    pub fn fetched(context: &mut Context, ledger: &mut Ledger) -> Result<Option<Self>, CliError> {
        let found = Self::fetch_once(context, ledger)?;
        if !found.as_ref().is_some_and(|found| found.is_ahead) {
            return Ok(found);
        }
        // Between the two fetches somebody appended and a checkpoint was made of it: no rollback yet.
        let environment = &mut context.environment;
        ledger.refresh(&mut *environment.rng, &*environment.clock, &context.output)?;
        let found = Self::fetch_once(context, ledger)?;
        match found.as_ref().and_then(|found| found.newest.as_ref().filter(|_| found.is_ahead)) {
            Some(newest) => Err(ahead(ledger, newest)),
            None => Ok(found),
        }
    }

    /// What the remote holds now, [`Checkpoints::is_ahead`] and all.
    ///
    /// # Errors
    /// As [`Checkpoints::fetched`].
    pub fn fetch_once(context: &Context, ledger: &Ledger) -> Result<Option<Self>, CliError> {
        if ledger.policy().log.is_none() {
            return Ok(None);
        }
        let fetched = match ledger.remote_branch(CHECKPOINTS)? {
            Some(remote) => remote.fetch()?,
            None => None,
        };
        let head = match fetched {
            Some(head) => Some(head),
            None => ledger.store().reference(CHECKPOINTS)?,
        };
        Self::at(context, ledger, head)
    }

    /// What the remote holds now, or what lies here where it does not answer; what is here may be too old then, and is
    /// [`Checkpoints::is_ahead`].
    ///
    /// # Errors
    /// As [`Checkpoints::fetched`], but for a remote that does not answer.
    pub fn looked(context: &mut Context, ledger: &mut Ledger) -> Result<Option<Self>, CliError> {
        // A ledger without checkpoints does not pay for them: neither demanded nor ever seen.
        let found = Self::here(context, ledger)?;
        if !found.as_ref().is_some_and(|found| found.log.demands() || found.head.is_some() || found.newest.is_some()) {
            return Ok(found);
        }
        let found = Self::tried(context, ledger)?;
        if !found.as_ref().is_some_and(|found| found.is_ahead) {
            return Ok(found);
        }
        let environment = &mut context.environment;
        match ledger.refresh(&mut *environment.rng, &*environment.clock, &context.output) {
            Err(error) if matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Unkept) => {
                context.output.warning("the remote does not answer, and the log's key has signed more than lies here");
                return Ok(found);
            }
            other => other?,
        };
        let found = Self::tried(context, ledger)?;
        match found.as_ref().and_then(|found| found.newest.as_ref().filter(|_| found.is_ahead)) {
            Some(newest) => Err(ahead(ledger, newest)),
            None => Ok(found),
        }
    }

    /// What the remote holds now, or what lies here where it does not answer: for looking.
    ///
    /// # Errors
    /// As [`Checkpoints::here`]; where the remote cannot be asked for another reason.
    pub fn tried(context: &Context, ledger: &Ledger) -> Result<Option<Self>, CliError> {
        if let (Some(_), Some(remote)) = (&ledger.policy().log, ledger.remote_branch(CHECKPOINTS)?) {
            match remote.fetch() {
                Ok(Some(head)) => return Self::at(context, ledger, Some(head)),
                Ok(None) | Err(RemoteError::Unreachable(_) | RemoteError::Disk(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Self::here(context, ledger)
    }

    fn at(context: &Context, ledger: &Ledger, head: Option<CommitId>) -> Result<Option<Self>, CliError> {
        let (Some(log), Some(id)) = (&ledger.policy().log, ledger.state().ledger()) else { return Ok(None) };
        let key = checkpoints::log_key(&id, log)?;
        let Newest { signed, above } =
            checkpoints::newest(ledger.store(), head, &key, &checkpoints::witness_keys(log)?)?;
        if let Some((commit, why)) = above.first() {
            let count = above.len();
            context.output.warning(format!(
                "{count} commits on the branch checkpoints are no checkpoints of this log; the newest is {}: {why}",
                commit.short()
            ));
        }
        let branch = signed.map(|(_, checkpoint)| checkpoint);
        let kept = kept(ledger)?.filter(|kept| kept.verify(&key).is_ok());
        for checkpoint in branch.iter().chain(&kept) {
            if checkpoints::standing(ledger.replay().log(), checkpoint) == Standing::Forked {
                let other = branch.iter().chain(&kept).find(|other| *other != checkpoint);
                return Err(forked(context, ledger, checkpoint, other));
            }
        }
        let size = |checkpoint: &SignedCheckpoint| checkpoint.checkpoint().size;
        let is_on_top = match (&branch, &kept) {
            (Some(branch), Some(kept)) if size(branch) < size(kept) => {
                context.output.warning(format!(
                    "the branch checkpoints went back: this clone has seen one of {} entries, the newest there is of {}",
                    size(kept),
                    size(branch)
                ));
                false
            }
            (Some(branch), Some(kept)) if size(branch) == size(kept) && both_ahead_differ(branch, kept) => {
                return Err(forked(context, ledger, branch, Some(kept)));
            }
            (Some(_), _) => above.is_empty(),
            (None, _) => false,
        };
        let newest = match (branch, kept) {
            (Some(branch), Some(kept)) if size(&branch) < size(&kept) => Some(kept),
            (branch, kept) => branch.or(kept),
        };
        let is_ahead = newest
            .as_ref()
            .is_some_and(|newest| checkpoints::standing(ledger.replay().log(), newest) == Standing::Ahead);
        if let Some(newest) = &newest {
            keep(context, ledger, newest);
        }
        Ok(Some(Self { log: log.clone(), key, head, newest, is_on_top, is_ahead }))
    }

    /// F04: why the newest checkpoint is not what the policy demands at `now`; `None` where it is.
    ///
    /// # Errors
    /// Where a key of the policy cannot verify notes.
    pub fn lacking(&self, ledger: &Ledger, now: Timestamp) -> Result<Option<String>, CliError> {
        let skew = ledger.policy().clock_skew;
        Ok(checkpoints::lacking(&self.log, self.newest.as_ref(), now, skew)?)
    }

    /// Puts a checkpoint on top of the branch. `None` where somebody else was first: look again.
    ///
    /// # Errors
    /// Where it cannot be written, or the remote does not take it.
    pub fn put(
        &self,
        context: &Context,
        ledger: &Ledger,
        checkpoint: &SignedCheckpoint,
        message: &str,
    ) -> Result<Option<CommitId>, CliError> {
        let mut checkpoint = checkpoint.clone();
        checkpoints::trim(&mut checkpoint, &self.key, &checkpoints::witness_keys(&self.log)?);
        let commit = checkpoints::commit(ledger.store(), self.head, &checkpoint, message, context.now())?;
        let put = match ledger.remote_branch(CHECKPOINTS)? {
            Some(remote) => match remote.push(commit) {
                Err(RemoteError::LostRace) => Ok(None),
                other => other.map(|()| Some(commit)).map_err(CliError::from),
            },
            None => match ledger.store().advance_branch(CHECKPOINTS, self.head, commit) {
                Err(StoreError::Moved { .. }) => Ok(None),
                other => other.map(|()| Some(commit)).map_err(CliError::from),
            },
        };
        ledger.store().discard();
        if let Ok(Some(_)) = &put {
            keep(context, ledger, &checkpoint);
        }
        put
    }
}

/// Why nothing may be minted or admitted now: the policy demands a checkpoint that is not there (F04). Fetches; asks nothing
/// where the policy demands nothing.
///
/// # Errors
/// As [`Checkpoints::fetched`].
pub fn lacking(context: &mut Context, ledger: &mut Ledger) -> Result<Option<String>, CliError> {
    if !ledger.policy().log.as_ref().is_some_and(Log::demands) {
        return Ok(None);
    }
    match Checkpoints::fetched(context, ledger)? {
        Some(found) => found.lacking(ledger, context.now()),
        None => Ok(None),
    }
}

/// F04 as a refusal: `what` does not happen, and why.
pub fn refusal(what: &str, why: &str) -> CliError {
    CliError::refused(format!("{what}: {why}"))
        .hint("with the log's key: jit checkpoint; then each witness: jit witness")
        .rule(Code::F04)
}

/// Two signed notes of one size and two roots, both larger than the ledger here: nothing here can say which is right.
fn both_ahead_differ(left: &SignedCheckpoint, right: &SignedCheckpoint) -> bool {
    left.checkpoint().root != right.checkpoint().root
}

fn kept(ledger: &Ledger) -> Result<Option<SignedCheckpoint>, CliError> {
    let Some(bytes) = ledger.store().state().read(KEPT)? else { return Ok(None) };
    let damaged = |why: crate::merkle::CheckpointError| {
        CliError::failed("the newest checkpoint that this clone has seen cannot be read")
            .because(why.to_string())
            .hint("verify against another clone, then remove jit/checkpoint in the git directory")
    };
    SignedCheckpoint::parse(&bytes).map(Some).map_err(damaged)
}

/// Remembers a checkpoint. Reading goes on where that cannot be done (a read-only clone), but it is told.
fn keep(context: &Context, ledger: &Ledger, checkpoint: &SignedCheckpoint) {
    let bytes = checkpoint.to_string();
    let state = ledger.store().state();
    if state.read(KEPT).ok().flatten().as_deref() == Some(bytes.as_bytes()) {
        return;
    }
    if let Err(error) = state.write(KEPT, bytes.as_bytes()) {
        context.output.warning(format!("the checkpoint cannot be remembered: {error}"));
    }
}

/// The log's key has signed more than is here.
fn ahead(ledger: &Ledger, checkpoint: &SignedCheckpoint) -> CliError {
    let (signed, here) = (checkpoint.checkpoint().size, ledger.state().size());
    CliError::stale(format!(
        "the log's key has signed {signed} entries, and the ledger shows only {here}: it was rewound, or part of it is withheld"
    ))
    .because(format!("the checkpoint is kept in {}", ledger.store().state().path().join(KEPT).display()))
    .hint("compare with another clone before you sign anything, and find out who rewrote the remote")
}

/// Two histories: prints both notes and the failed consistency, and keeps them as evidence.
pub fn forked(
    context: &Context,
    ledger: &Ledger,
    theirs: &SignedCheckpoint,
    ours: Option<&SignedCheckpoint>,
) -> CliError {
    let log = ledger.replay().log();
    let (told, size) = (theirs.checkpoint(), log.size());
    let here = match ours {
        Some(ours) => ours.to_string(),
        None => format!(
            "{}(not signed: what this clone has verified)\n",
            Checkpoint::new(told.origin.clone(), size, log.root())
        ),
    };
    let mut text = format!("Two histories of the log {}.\n\n", visible(&told.origin));
    text.push_str(&format!("What this clone has verified or seen:\n\n{}\n", indented(&here)));
    text.push_str(&format!("What contradicts it, signed by the log's key:\n\n{}\n", indented(&theirs.to_string())));
    text.push_str(&format!("Consistency: {}\n", inconsistency(ledger, told)));
    context.output.summary(&text);
    let evidence = put_evidence(ledger, told.size, &text);
    CliError::stale(format!("the log has two histories: the checkpoint of {} entries is not of this ledger", told.size))
        .because(evidence)
        .hint("stop signing; compare with other clones and with the witnesses, and find out who holds the log's key")
        .rule(Code::L03)
}

fn evidence_name(size: u64, text: &str) -> String {
    format!("{FORKS}/{size}-{}.txt", Digest::of(text.as_bytes()).short())
}

/// Writes evidence beside the clone, and says where it lies.
fn put_evidence(ledger: &Ledger, size: u64, text: &str) -> String {
    let name = evidence_name(size, text);
    match ledger.store().state().write(&name, text.as_bytes()) {
        Ok(()) => format!("both are kept in {}", ledger.store().state().path().join(&name).display()),
        Err(error) => format!("the evidence could not be kept: {error}"),
    }
}

/// The remote shows a history that does not continue this clone's: prints what both say of the log, how they are
/// inconsistent, and keeps it. The error that tells of it is the caller's.
pub fn keep_evidence(output: &Output, ledger: &Ledger, found: CommitId) {
    let (Some(id), Some(here)) = (ledger.state().ledger(), ledger.replay().head()) else { return };
    let log = ledger.replay().log();
    let of = |log: &Tree| Checkpoint::new(checkpoint::origin(&id), log.size(), log.root()).to_string();
    // Another ledger altogether, or one that cannot be read: its head is all that can be told.
    let there = Replay::of(ledger.store(), found).ok();
    let told = there.as_ref().map_or_else(|| "(it could not be replayed)\n".to_owned(), |there| of(there.log()));
    let signed = kept(ledger).ok().flatten();
    let mut text = format!("Two histories of the log {}.\n\n", checkpoint::origin(&id));
    text.push_str(&format!("What this clone has verified, up to commit {here}:\n\n{}\n", indented(&of(log))));
    if let Some(signed) = &signed {
        text.push_str(&format!("The newest checkpoint it has seen:\n\n{}\n", indented(&signed.to_string())));
    }
    text.push_str(&format!("What the remote shows, up to commit {found}:\n\n{}\n", indented(&told)));
    if let Some(there) = &there {
        let (mine, theirs) = (log, there.log());
        let same = (0..mine.size().min(theirs.size())).take_while(|at| mine.leaf(*at) == theirs.leaf(*at)).count();
        let (old, new) = if mine.size() <= theirs.size() { (mine, theirs) } else { (theirs, mine) };
        let verdict = new
            .consistency_proof(old.size(), new.size())
            .and_then(|proof| verify_consistency(old.size(), new.size(), &old.root(), &new.root(), &proof));
        let verdict = verdict.map_or_else(|why| why.to_string(), |()| "holds".to_owned());
        text.push_str(&format!(
            "Consistency: the first {same} entries are the same; the proof from {} to {} fails: {verdict}\n",
            old.size(),
            new.size()
        ));
    }
    // Whoever looks again and again (jit mint --watch) tells it once.
    if ledger.store().state().read(&evidence_name(log.size(), &text)).ok().flatten().is_none() {
        output.summary(&text);
        output.warning(put_evidence(ledger, log.size(), &text));
    } else {
        output.detail(put_evidence(ledger, log.size(), &text));
    }
}

/// Why the ledger here does not continue a checkpoint: the proof that would have to hold, and what it says.
fn inconsistency(ledger: &Ledger, told: &Checkpoint) -> String {
    let (log, size) = (ledger.replay().log(), ledger.replay().log().size());
    let Ok(proof) = log.consistency_proof(told.size, size) else {
        return format!("{} entries were signed, and only {size} are here", told.size);
    };
    let root = log.root_at(told.size).map_or_else(String::new, |root| encode_hash(&root));
    let verdict = match verify_consistency(told.size, size, &told.root, &log.root(), &proof) {
        Ok(()) => "holds".to_owned(),
        Err(why) => why.to_string(),
    };
    let hashes: Vec<String> = proof.iter().map(|hash| format!("\n    {}", encode_hash(hash))).collect();
    format!(
        "the root of the first {} entries here is {root}; the proof from {} to {size} fails: {verdict}{}",
        told.size,
        told.size,
        hashes.concat()
    )
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {}\n", visible(line))).collect()
}
