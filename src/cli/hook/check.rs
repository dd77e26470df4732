//! Judges what a push brings, on top of what the repository holds. Imports ledger, git and merkle.
//!
//! Each update is judged on top of the value that it says it replaces. Whether that is still the present one is git's to
//! say: it compares and swaps under its own lock after this hook, so of two pushes at once one is told that it lost.
//! What is kept between two runs, the snapshot, saves time and decides nothing.

use super::super::context::{read_pin, replay_at};
use super::super::error::CliError;
use super::super::view::void::attempt;
use super::letter;
use super::refusal::Refusal;
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CommitId, Digest};
use crate::domain::time::{Timestamp, Ttl};
use crate::git::{BRANCH, CHECKPOINTS, GitStore};
use crate::ledger::checkpoints::{self, Held, Standing};
use crate::ledger::commit::{COMMIT_LIMIT, links};
use crate::ledger::{Replay, ReplayError};
use crate::ports::{INBOX, ObjectKind, Objects as _, Store as _};

/// One reference that a push moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// What it replaces; `None` where the reference is new.
    pub old: Option<CommitId>,
    /// What it becomes; `None` where it goes.
    pub new: Option<CommitId>,
    /// Its whole name.
    pub reference: String,
}

impl Update {
    /// From a line of git's; `None` where it is none.
    pub fn parse(line: &str) -> Option<Self> {
        let mut fields = line.splitn(3, ' ');
        let mut id = || -> Option<Option<CommitId>> {
            let text = fields.next()?;
            if text.len() == 40 && text.bytes().all(|byte| byte == b'0') {
                return Some(None);
            }
            text.parse().ok().map(Some)
        };
        let (old, new) = (id()?, id()?);
        let reference = fields.next().filter(|name| name.starts_with("refs/"))?.to_owned();
        Some(Self { old, new, reference })
    }
}

/// What `jit hook install` writes into the hook, and git gives it back with each push.
#[derive(Debug, clap::Args)]
pub struct Terms {
    /// Take pushes to this reference unchecked, such as refs/tags/v1 or refs/heads/draft/*; may be given several times.
    #[arg(long, value_name = "REF", value_parser = allowed)]
    pub allow: Vec<String>,
    /// The id of the ledger that the repository is for, where it is still empty.
    #[arg(long, value_name = "ID")]
    pub ledger_id: Option<Digest>,
    /// Refuse what cannot be checked within this time.
    #[arg(long, value_name = "DURATION", default_value = "100s", value_parser = super::super::args::ttl)]
    pub timeout: Ttl,
}

/// By what a push is judged.
pub struct Rules {
    /// The references that are taken unchecked; a `*` at the end stands for any rest.
    pub allow: Vec<String>,
    /// The ledger that it must be, where that was said.
    pub ledger: Option<Digest>,
    /// The present second, UTC.
    pub now: Timestamp,
}

/// A reference that may be allowed: none that this hook judges, and none by which git shows other objects.
///
/// # Errors
/// What was expected.
pub fn allowed(text: &str) -> Result<String, String> {
    let stem = text.strip_suffix('*').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'+' | b'@');
    if !stem.starts_with("refs/") || stem.len() < 7 || !stem.bytes().all(plain) {
        return Err("expected a reference such as refs/tags/v1 or refs/heads/draft/*".to_owned());
    }
    let covers = |name: &str| if stem == text { text == name } else { name.starts_with(stem) };
    match [BRANCH, CHECKPOINTS].into_iter().find(|name| covers(name)) {
        None if "refs/jit/".starts_with(stem) || stem.starts_with("refs/jit/") => {
            Err("references under refs/jit/ are jit's own".to_owned())
        }
        Some(judged) => Err(format!("{judged} is always judged")),
        None if "refs/replace/".starts_with(stem) || stem.starts_with("refs/replace/") => {
            Err("references under refs/replace/ show other objects in place of the ledger's".to_owned())
        }
        None => Ok(text.to_owned()),
    }
}

impl Rules {
    fn allows(&self, reference: &str) -> bool {
        self.allow.iter().any(|allowed| match allowed.strip_suffix('*') {
            Some(stem) => reference.starts_with(stem),
            None => reference == allowed,
        })
    }
}

/// Why the push is refused; `None` where it is good.
///
/// # Errors
/// Where it could not be checked, which is no verdict.
pub fn judge(store: &GitStore, rules: &Rules, updates: &[Update]) -> Result<Option<Refusal>, CliError> {
    for update in updates {
        if update.reference.starts_with(INBOX) {
            continue;
        }
        let is_judged = [BRANCH, CHECKPOINTS].contains(&&*update.reference);
        if !is_judged && !rules.allows(&update.reference) {
            return Ok(Some(Refusal::foreign(update)));
        }
        if is_judged && update.new.is_none() {
            return Ok(Some(Refusal::deleted(update)));
        }
    }
    let letters: Vec<&Update> = updates.iter().filter(|update| update.reference.starts_with(INBOX)).collect();
    if let Some(refusal) = letter::judge(store, &letters)? {
        return Ok(Some(refusal));
    }
    let of = |name: &str| updates.iter().find(|update| update.reference == name);
    let replay = match of(BRANCH) {
        Some(update) => match main(store, rules, update)? {
            Ok(replay) => Some(replay),
            Err(refusal) => return Ok(Some(*refusal)),
        },
        None => None,
    };
    match of(CHECKPOINTS) {
        Some(update) => kept(store, replay, update),
        None => Ok(None),
    }
}

/// Every new commit of main, oldest first, up to the first that breaks a rule: what comes behind it was judged by nobody.
fn main(store: &GitStore, rules: &Rules, update: &Update) -> Result<Result<Replay, Box<Refusal>>, CliError> {
    let Some(new) = update.new else { return Ok(Err(Box::new(Refusal::deleted(update)))) };
    let mut replay = match update.old {
        Some(old) => replay_at(store, old)?,
        None => Replay::default(),
    };
    if update.old.is_some()
        && update.old == store.head()?
        && let Some(pin) = read_pin(store)?
    {
        // Somebody with access to the disk may have put an older history here.
        pin.check(&replay)?;
    }
    let chain = match chain(store, &replay, new)? {
        Ok(chain) => chain,
        Err(Astray::Merge(merge)) => {
            let fault = Fault::new(Code::C01, "it has two parents: a merge");
            return Ok(Err(Box::new(refused(store, rules, update, replay.head(), merge, fault)?)));
        }
        Err(Astray::Elsewhere) => return Ok(Err(Box::new(Refusal::rewritten(update)))),
    };
    let mut parent = replay.head();
    for commit in chain {
        match replay.admit(store, commit, rules.now) {
            Ok(()) => parent = Some(commit),
            Err(ReplayError::WouldBeVoid(fault)) => {
                return Ok(Err(Box::new(refused(store, rules, update, parent, commit, fault)?)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    match (rules.ledger, replay.state().ledger()) {
        (Some(wanted), Some(found)) if wanted != found => {
            Ok(Err(Box::new(Refusal::other_ledger(update, &wanted, &found))))
        }
        _ => Ok(Ok(replay)),
    }
}

fn refused(
    store: &GitStore,
    rules: &Rules,
    update: &Update,
    parent: Option<CommitId>,
    commit: CommitId,
    fault: Fault,
) -> Result<Refusal, CliError> {
    let tried = attempt(store, parent, commit)?;
    Ok(Refusal::void(update, commit, &tried, fault, rules.now))
}

/// Why a commit is not on top of main.
enum Astray {
    /// The oldest merge on the way: `git pull` made it.
    Merge(CommitId),
    /// Main was rewound or rewritten, or it has gone on.
    Elsewhere,
}

/// The commits from the replayed head to `new`, oldest first.
fn chain(store: &GitStore, replay: &Replay, new: CommitId) -> Result<Result<Vec<CommitId>, Astray>, CliError> {
    let (mut chain, mut merge, mut at) = (Vec::new(), None, Some(new));
    while let Some(id) = at.filter(|id| !replay.contains(*id)) {
        let parents = parents(store, id)?;
        if parents.len() > 1 {
            merge = Some(id);
        }
        chain.push(id);
        at = parents.first().copied();
    }
    if at != replay.head() {
        let brought = merge.filter(|merge| !replay.contains(*merge));
        return Ok(Err(brought.map_or(Astray::Elsewhere, Astray::Merge)));
    }
    chain.reverse();
    Ok(Ok(chain))
}

fn parents(store: &GitStore, id: CommitId) -> Result<Vec<CommitId>, CliError> {
    let raw = store.read(id, ObjectKind::Commit, COMMIT_LIMIT)?;
    let links = links(&raw).map_err(|fault| CliError::failed(format!("commit {id} cannot be read: {fault}")))?;
    Ok(links.parents)
}

/// The branch of checkpoints: each new commit holds one that the log's key has signed, of the ledger that is here, and not
/// of fewer entries than the one before.
fn kept(store: &GitStore, replay: Option<Replay>, update: &Update) -> Result<Option<Refusal>, CliError> {
    let replay = match (replay, store.head()?) {
        (Some(replay), _) => replay,
        (None, Some(head)) => replay_at(store, head)?,
        (None, None) => return Ok(Some(Refusal::checkpoint(update, None, "there is no ledger here yet"))),
    };
    let state = replay.state();
    let (Some(id), Some(log)) = (state.ledger(), state.policy().and_then(|policy| policy.log.as_ref())) else {
        return Ok(Some(Refusal::checkpoint(update, None, "the policy names no log key")));
    };
    let (key, witnesses) = (checkpoints::log_key(&id, log)?, checkpoints::witness_keys(log)?);
    let before = checkpoints::newest(store, update.old, &key, &witnesses)?.signed;
    let mut chain = Vec::new();
    for entry in checkpoints::walk(store, update.new) {
        let entry = entry?;
        if Some(entry.commit) == update.old {
            chain.push(None);
            break;
        }
        chain.push(Some(entry));
    }
    // The walk ended at the old value, or the branch is new.
    if update.old.is_some() && !matches!(chain.pop(), Some(None)) {
        return Ok(Some(Refusal::rewritten(update)));
    }
    let mut size = before.map_or(0, |(_, signed)| signed.checkpoint().size);
    for entry in chain.into_iter().rev().flatten() {
        let refused = |why: &str| Ok(Some(Refusal::checkpoint(update, Some(entry.commit), why)));
        if parents(store, entry.commit)?.len() > 1 {
            return refused("it is a merge");
        }
        let signed = match entry.held {
            Held::Rubbish(why) => return refused(&why),
            Held::Note(signed) => signed,
        };
        if let Err(why) = signed.verify(&key).and_then(|()| signed.cosignatures(&witnesses).map(|_| ())) {
            return refused(&why.to_string());
        }
        match checkpoints::standing(replay.log(), &signed) {
            Standing::Continued => {}
            Standing::Ahead => return refused("it is of more entries than main has here: push main first"),
            Standing::Forked => return refused("the log's key has signed another history than main's here (L03)"),
        }
        if signed.checkpoint().size < size {
            return refused("it is of fewer entries than the one before it");
        }
        size = signed.checkpoint().size;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_git_are_read() {
        let (zero, id) = ("0".repeat(40), "a1".repeat(20));
        let update = Update::parse(&format!("{zero} {id} refs/heads/main")).unwrap();
        assert_eq!((update.old, update.new.map(|id| id.to_string())), (None, Some(id.clone())));
        for bad in [
            String::new(),
            id.clone(),
            format!("{zero} {id}"),
            format!("{zero} {id} main"),
            format!("{zero} x refs/heads/main"),
            format!("{} {} refs/heads/main", "a1".repeat(32), "a2".repeat(32)),
        ] {
            assert_eq!(Update::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_judged_cannot_be_allowed() {
        for good in ["refs/tags/v1", "refs/heads/draft/*", "refs/tags/*", "refs/heads/main2"] {
            assert!(allowed(good).is_ok(), "{good}");
        }
        for bad in [
            "main",
            "refs/heads/main",
            "refs/heads/*",
            "refs/heads/ma*",
            "refs/heads/checkpoints",
            "refs/replace/*",
            "refs/jit/inbox/*",
            "refs/jit/*",
            "refs/j*",
            "refs/rep*",
            "refs/*",
            "*",
            "refs/heads/a b",
            "refs/heads/$(id)",
            "refs/tags/'x",
        ] {
            assert!(allowed(bad).is_err(), "{bad}");
        }
    }
}
