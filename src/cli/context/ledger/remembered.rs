//! What a clone remembers of what it verified: the pin, and the snapshot beside it. Neither holds more than the remote was
//! seen to have: a commit made by hand here is not yet the ledger's.

use super::super::super::error::CliError;
use super::super::super::output::{Output, count};
use crate::domain::id::CommitId;
use crate::git::{GitRemote, GitStore};
use crate::ledger::replay::Observer;
use crate::ledger::snapshot::{self, SnapshotError};
use crate::ledger::{Pin, Replay, ReplayError};
use crate::ports::{Shelf, Store as _};

/// The state file of the last verified state.
const PIN: &str = "pin";

/// Whether a remote was seen to have a commit. Only that is remembered as verified: a commit made by hand in this clone
/// may be taken away again, and that is no rewritten ledger.
pub(in crate::cli) fn is_the_remotes(store: &GitStore, remote: &GitRemote<'_>, commit: CommitId) -> bool {
    match remote.last_seen() {
        Ok(Some(seen)) => seen == commit || store.apart(commit, seen).is_ok_and(|(here, _)| here == 0),
        // Nothing was ever fetched: what lies here is all there is.
        _ => true,
    }
}

/// What to say where the remote's head `found` continues all that this clone ever verified, and only commits that
/// somebody made here by hand are not in it. `None` where the remote itself is another one.
///
/// # Errors
/// Where it cannot be told.
pub(in crate::cli) fn made_here(
    store: &GitStore,
    head: Option<CommitId>,
    found: CommitId,
) -> Result<Option<CliError>, CliError> {
    let Some(head) = head else { return Ok(None) };
    let (here, there) = store.apart(head, found)?;
    let goes_on = match read_pin(store)? {
        Some(pin) => store.apart(pin.head, found)?.0 == 0,
        // A clone by git in which jit never ran: of two histories nobody knows which was first.
        None => there == 0,
    };
    if !goes_on {
        return Ok(None);
    }
    let are = if here == 1 { "is" } else { "are" };
    let reset = "git log origin/main..main shows them; \
                 git branch mine && git reset --keep origin/main keeps them as mine and takes them out of main";
    Ok(Some(
        CliError::failed(format!("{} on main here {are} not in the remote's", count(here, "commit")))
            .because("they were made by hand: what jit commits, the remote has, or it waits in the outbox")
            .hint(reset),
    ))
}

/// What this clone has verified before.
///
/// # Errors
/// Where the pin cannot be read, or is none.
pub(in crate::cli) fn read_pin(store: &GitStore) -> Result<Option<Pin>, CliError> {
    Ok(store.state().read(PIN)?.map(|bytes| Pin::parse(&bytes)).transpose()?)
}

/// What this user's last command knew. Whatever is wrong with it, it only costs time.
pub(super) fn read_snapshot(store: &GitStore) -> Result<Option<Replay>, SnapshotError> {
    let (shelf, path) = (store.state().clone(), store.path().to_owned());
    let anew = move |head: CommitId| {
        // Nobody shall meet the same damage again.
        let _ = Shelf::remove(&shelf, snapshot::HEAD);
        let store = GitStore::open(&path).map_err(|error| error.to_string())?;
        Replay::of(&store, head).map_err(|error| error.to_string())
    };
    snapshot::read(store.state(), Box::new(anew))
}

/// The replay up to `head`, on from a snapshot where that is on the way, else from the first commit; and how many events the
/// snapshot spared.
///
/// # Errors
/// Where it cannot be replayed.
pub(super) fn from_snapshot(
    store: &GitStore,
    snapshot: Option<Replay>,
    head: CommitId,
    observer: Observer<'_>,
) -> Result<(Replay, u64), ReplayError> {
    let known = snapshot.as_ref().map_or(0, |replay| replay.state().size());
    match snapshot.map(|replay| replay.onwards(store, head, observer)) {
        // A snapshot of another history says nothing about this one; the pin does.
        None | Some(Err(ReplayError::Forked { .. })) => Ok((Replay::observed(store, head, observer)?, 0)),
        Some(replay) => Ok((replay?, known)),
    }
}

/// The replay up to `head`, for a hook: on from the snapshot of the last one, where that is on the way, else from the first
/// commit. What main holds is left for the next one.
///
/// # Errors
/// Where it cannot be replayed.
pub(in crate::cli) fn replay_at(store: &GitStore, head: CommitId) -> Result<Replay, ReplayError> {
    let (replay, known) = from_snapshot(store, read_snapshot(store).ok().flatten(), head, &mut |_, _| {})?;
    if store.head().is_ok_and(|main| main == Some(head)) && snapshot::is_due(&replay, known) {
        // Disposable: where it cannot be written, the next one takes longer.
        let _ = snapshot::write(&replay, store.state());
    }
    Ok(replay)
}

/// Remembers what was replayed. Says whether it is remembered; where it cannot be written, that is told.
pub(in crate::cli) fn write_pin(store: &GitStore, replay: &Replay, output: &Output) -> bool {
    let Some(pin) = Pin::of(replay) else { return false };
    let bytes = pin.write();
    let known = store.state().read(PIN).ok().flatten();
    if known.as_deref() == Some(&*bytes) {
        return true;
    }
    match store.state().write(PIN, &bytes) {
        Ok(()) => true,
        Err(error) => {
            output.warning(format!("what was verified cannot be remembered: {error}"));
            false
        }
    }
}

/// Leaves a snapshot for the next command, where the one that is there, of `known` events, has fallen behind. Says how many
/// events it holds then. It is disposable: nothing fails, and nobody needs to know, where it cannot be written. Only of
/// what was pinned: what was made here by hand may be taken away again.
pub(super) fn keep_snapshot(store: &GitStore, replay: &Replay, known: u64, output: &Output) -> u64 {
    if !snapshot::is_due(replay, known) {
        return known;
    }
    match snapshot::write(replay, store.state()) {
        Ok(true) => replay.state().size(),
        Ok(false) => known,
        Err(error) => {
            output.detail(format!("no snapshot was kept: {error}"));
            known
        }
    }
}
