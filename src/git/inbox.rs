//! The inbox of a ledger's repository: references under `refs/jit/`, on the other side of a remote or in the repository
//! itself. Never by force: what is taken away still stands where it was seen. Imports `ports` and `domain::id`.

use std::thread::sleep;
use std::time::Duration;

use super::remote::{Verdict, judge, remote_lines, summary};
use super::repository::GitStore;
use super::{GitError, GitRemote, WriterLock, reference};
use crate::domain::id::{CommitId, Digest};
use crate::ports::{INBOX, Inbox, News, Post, REFUSED, RemoteError, Slip, StoreError, Waiting};

/// Under what a clone keeps whatever of an inbox it has fetched.
pub(super) const FETCHED: &str = "refs/jit/fetched/";
/// Where a clone keeps the letters that it has fetched.
const LETTERS: &str = "refs/jit/fetched/inbox/";
/// Where a clone keeps the answers that it has fetched.
const ANSWERS: &str = "refs/jit/fetched/refused/";
/// Where a writer keeps the answers to its own events while it reads them.
const MINE: &str = "refs/jit/fetched/answers/";

impl Post for GitRemote<'_> {
    fn post(&self, name: &Digest, letter: CommitId) -> Result<(), RemoteError> {
        self.store.persist().map_err(|error| RemoteError::Git(error.to_string()))?;
        let reference = format!("{INBOX}{}", name.hex());
        let finished = self.push_refs(&[], &[format!("{letter}:{reference}")])?;
        judge(&finished, &reference).map_err(|verdict| match verdict {
            // Nobody else writes this reference: it is there already, or will be.
            Verdict::LostRace | Verdict::Locked(_) => RemoteError::LostRace,
            Verdict::Failed(error) => error,
        })
    }

    fn news(&self, events: &[Digest]) -> Result<News, RemoteError> {
        // A pattern, since a reference that is named and is not there is an error to git.
        let what = |event: &Digest| format!("+{REFUSED}{0}*:{MINE}{0}*", event.hex());
        let more: Vec<String> = events.iter().map(what).collect();
        let head = self.fetch_with(&[], &more)?;
        let mut answers = Vec::new();
        for event in events {
            let name = format!("{MINE}{}", event.hex());
            if let Some(id) = self.store.reference(&name).map_err(|error| RemoteError::Git(error.to_string()))? {
                answers.push((*event, id));
                take_away(self.store, &Slip { reference: name, id });
            }
        }
        Ok(News { head, answers })
    }

    fn withdraw(&self, name: &Digest, letter: CommitId) -> Result<(), RemoteError> {
        let slip = Slip { reference: format!("{INBOX}{}", name.hex()), id: letter };
        self.settle(&[], &[slip])
    }
}

impl Inbox for GitRemote<'_> {
    fn waiting(&self) -> Result<Waiting, RemoteError> {
        let more = [format!("+{INBOX}*:{LETTERS}*"), format!("+{REFUSED}*:{ANSWERS}*")];
        let head = self.fetch_with(&["--prune"], &more)?;
        let read = |under: &str, real: &str| {
            let slips = listed(self.store, under).map_err(|error| RemoteError::Git(error.to_string()))?;
            let renamed = |slip: Slip| {
                let reference = format!("{real}{}", slip.reference.strip_prefix(under).unwrap_or_default());
                Slip { reference, id: slip.id }
            };
            Ok(slips.into_iter().map(renamed).collect())
        };
        Ok(Waiting { head, letters: read(LETTERS, INBOX)?, answers: read(ANSWERS, REFUSED)? })
    }

    fn settle(&self, answers: &[(Digest, CommitId)], gone: &[Slip]) -> Result<(), RemoteError> {
        self.store.persist().map_err(|error| RemoteError::Git(error.to_string()))?;
        let mut what: Vec<String> =
            answers.iter().map(|(event, id)| format!("{id}:{REFUSED}{}", event.hex())).collect();
        let leases: Vec<String> =
            gone.iter().map(|slip| format!("--force-with-lease={}:{}", slip.reference, slip.id)).collect();
        what.extend(gone.iter().map(|slip| format!(":{}", slip.reference)));
        let mut attempt = 0;
        loop {
            let finished = self.push_refs(&leases, &what)?;
            if finished.success {
                return Ok(());
            }
            let mut refused = finished.stdout.lines().filter(|line| line.starts_with("!\t")).peekable();
            if refused.peek().is_none() {
                return Err(RemoteError::Unreachable(summary(&finished.stderr)));
            }
            let Some(line) = refused.find(|line| !is_settled(line, &finished.stderr)) else { return Ok(()) };
            // Another one that empties it holds a lock for a moment.
            if attempt < 5 && finished.stderr.contains(".lock': File exists") {
                sleep(Duration::from_millis(100 << attempt));
                attempt += 1;
                continue;
            }
            let said = line.rsplit('\t').next().unwrap_or_default().to_owned();
            return Err(RemoteError::Refused(remote_lines(&finished.stderr).unwrap_or(said)));
        }
    }
}

/// Whether a reference that was not written or taken away is settled all the same: somebody else took it away, or answered,
/// a moment ago. `line` is git's about it, `stderr` what was said besides.
fn is_settled(line: &str, stderr: &str) -> bool {
    let says = |text: &str, any: &[&str]| any.iter().any(|part| text.contains(part));
    if says(line, &["stale info", "does not exist", "fetch first", "already exists", "non-fast-forward"]) {
        return true;
    }
    // While the other side was taking our push.
    let reference = line.split('\t').nth(1).and_then(|names| names.rsplit(':').next()).unwrap_or_default();
    let named = format!("'{reference}'");
    !reference.is_empty()
        && stderr.lines().any(|line| {
            line.contains(&named)
                && says(line, &["unable to resolve reference", "but expected", "reference already exists"])
        })
}

/// The inbox of this repository: of the one that people push to.
pub struct LocalInbox<'a>(pub &'a GitStore);

impl Inbox for LocalInbox<'_> {
    fn waiting(&self) -> Result<Waiting, RemoteError> {
        let read = |under| listed(self.0, under).map_err(|error| RemoteError::Git(error.to_string()));
        Ok(Waiting { head: None, letters: read(INBOX)?, answers: read(REFUSED)? })
    }

    fn settle(&self, answers: &[(Digest, CommitId)], gone: &[Slip]) -> Result<(), RemoteError> {
        for (event, id) in answers {
            match self.0.advance_branch(&format!("{REFUSED}{}", event.hex()), None, *id) {
                // Answered a moment ago.
                Ok(()) | Err(StoreError::Moved { .. }) => {}
                Err(error) => return Err(RemoteError::Git(error.to_string())),
            }
        }
        for slip in gone {
            take_away(self.0, slip);
        }
        Ok(())
    }
}

impl LocalInbox<'_> {
    /// The turn to empty it, if nobody else has it; the kernel ends it with the process. Two at once would do no harm: the
    /// second only would do everything in vain.
    ///
    /// # Errors
    /// Where the lock cannot be made.
    pub fn turn(&self) -> Result<Option<WriterLock>, GitError> {
        self.0.state().turn("intake.turn")
    }

    /// Whether a letter waits here, of these or of any.
    ///
    /// # Errors
    /// Where the references cannot be read.
    pub fn holds(&self, names: &[String]) -> Result<bool, StoreError> {
        if names.is_empty() {
            return Ok(!listed(self.0, INBOX)?.is_empty());
        }
        for name in names {
            if reference::current(self.0.git(), name)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many letters wait here.
    ///
    /// # Errors
    /// Where the references cannot be read.
    pub fn count(&self) -> Result<usize, StoreError> {
        Ok(listed(self.0, INBOX)?.len())
    }
}

/// All references under a prefix, by name.
fn listed(store: &GitStore, prefix: &str) -> Result<Vec<Slip>, StoreError> {
    let failed = |error: git2::Error| StoreError::Read(format!("{prefix}: {}", error.message()));
    let mut slips = Vec::new();
    for reference in store.git().references_glob(&format!("{prefix}*")).map_err(failed)? {
        // One that went away while it was listed is not there; one that points to another was not pushed.
        let Ok(reference) = reference else { continue };
        let (Ok(name), Some(target)) = (reference.name(), reference.target()) else { continue };
        let Ok(bytes) = target.as_bytes().try_into() else { continue };
        slips.push(Slip { reference: name.to_owned(), id: CommitId::from_bytes(bytes) });
    }
    slips.sort();
    Ok(slips)
}

/// Takes a reference away where it still stands there. What cannot be taken away now is found, and taken away, the next
/// time.
fn take_away(store: &GitStore, slip: &Slip) {
    if let Ok(mut reference) = store.git().find_reference(&slip.reference)
        && reference.target().is_some_and(|target| target.as_bytes() == slip.id.as_bytes())
    {
        // libgit2 takes the lock and compares once more.
        let _ = reference.delete();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As git 2.39 says it where another one took the reference away while our push was being taken.
    #[test]
    fn what_another_one_settled_is_settled() {
        let line = "!\t:refs/jit/inbox/1bb3\t[remote rejected] (failed to update ref)";
        let gone = "remote: error: cannot lock ref 'refs/jit/inbox/1bb3': unable to resolve reference \
                    'refs/jit/inbox/1bb3'        ";
        assert!(is_settled(line, gone));
        let other = gone.replace("1bb3", "48b3");
        assert!(!is_settled(line, &other), "said of another one");
        let locked = "remote: error: cannot lock ref 'refs/jit/inbox/1bb3': Unable to create \
                      '/srv/acme.git/./refs/jit/inbox/1bb3.lock': File exists.";
        assert!(!is_settled(line, locked));
        assert!(is_settled("!\t:refs/jit/inbox/1bb3\t[rejected] (stale info)", ""));
        assert!(!is_settled("!\t:refs/jit/inbox/1bb3\t[remote rejected] (pre-receive hook declined)", ""));
    }
}
