//! Judges what a push leaves in the inbox: its form, its size, and whether it is somebody's of the policy. Whether its
//! events may stand in the ledger is asked when they are taken in. Imports ledger and git.

use super::super::error::CliError;
use super::check::Update;
use super::refusal::Refusal;
use crate::domain::finding::{Code, Fault};
use crate::domain::policy::Append;
use crate::git::{GitStore, LocalInbox};
use crate::ledger::inbox::{Letter, policy_at};
use crate::ports::{INBOX, Store as _};

/// How many letters one push may bring.
const PUSHED: usize = 64;
/// How many letters may wait at once.
const WAITING: usize = 1024;

/// Why the letters are refused; `None` where they are good.
///
/// # Errors
/// Where it could not be checked, which is no verdict.
pub fn judge(store: &GitStore, letters: &[&Update]) -> Result<Option<Refusal>, CliError> {
    let Some(first) = letters.first() else { return Ok(None) };
    let Some(head) = store.head()? else {
        return Ok(Some(Refusal::inbox(first, "there is no ledger here yet")));
    };
    let Some(policy) = policy_at(store, head)? else {
        return Err(CliError::failed("the policy at the head of main cannot be read"));
    };
    if policy.append != Append::Inbox {
        return Ok(Some(Refusal::inbox(first, "the policy does not say append = \"inbox\": events go to main")));
    }
    if letters.len() > PUSHED {
        return Ok(Some(Refusal::inbox(first, &format!("a push brings at most {PUSHED} letters"))));
    }
    if LocalInbox(store).count()? + letters.len() > WAITING {
        return Ok(Some(Refusal::inbox(first, &format!("the inbox is full: {WAITING} letters wait in it"))));
    }
    for update in letters {
        let name = update.reference.strip_prefix(INBOX).unwrap_or_default();
        let Some(id) = update.new else {
            return Ok(Some(Refusal::inbox(update, "a letter would be taken out of the inbox")));
        };
        if update.old.is_some() {
            return Ok(Some(Refusal::inbox(update, "another letter lies there under this name")));
        }
        if format!("sha256:{name}").parse::<crate::domain::id::Digest>().is_err() {
            let fault = Fault::new(Code::C04, "a letter is named after the digest of its last event");
            return Ok(Some(Refusal::letter(update, fault)));
        }
        if let Err(fault) = Letter::read(store, name, id)?.and_then(|letter| letter.is_of(&policy)) {
            return Ok(Some(Refusal::letter(update, fault)));
        }
    }
    Ok(None)
}
