//! A void commit as people see it: which rule it broke, what it tried, and who seems to have made it. Imports ledger.

use serde_json::{Value, json};

use super::super::error::CliError;
use super::super::output::{Output, count};
use super::super::session::Session;
use crate::domain::event::Subject;
use crate::domain::finding::Void;
use crate::domain::id::CommitId;
use crate::domain::state::State;
use crate::domain::state::case::{CaseState, Matter};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;
use crate::ledger::commit::COMMIT_LIMIT;
use crate::ledger::tree::TreeReader;
use crate::ports::{ObjectKind, Objects, StoreError};

/// How many paths are named.
const PATHS: usize = 8;

/// What a commit says of itself and changes. Nothing of it is proven.
pub(in crate::cli) struct Tried {
    /// Git's author line, with the time for people.
    pub author: String,
    /// Git's committer line, likewise.
    pub committer: String,
    /// The whole message.
    pub message: String,
    /// The paths that it adds, changes or removes.
    pub paths: Vec<String>,
    /// Whether there are more than are listed.
    pub more: bool,
}

/// A few lines about a void commit.
///
/// # Errors
/// Where it cannot be read.
pub fn text(output: &Output, session: &Session, void: &Void) -> Result<String, CliError> {
    let how = if void.acknowledged { output.dim("acknowledged") } else { output.red("VOID") };
    let mut text = format!("{how}  {} at position {}\n", void.commit, void.position);
    text.push_str(&super::field("Breaks", &format!("{}: {}", void.fault.code, void.fault.message)));
    let tried = tried(session, void)?;
    let mut paths = tried.paths.iter().take(PATHS).map(|path| visible(path)).collect::<Vec<_>>().join(", ");
    let left = u64::try_from(tried.paths.len().saturating_sub(PATHS)).unwrap_or(u64::MAX);
    if left > 0 {
        paths.push_str(&format!(" and {}", count(left, "more path")));
    }
    if tried.more {
        paths.push_str(" and more than can be counted");
    }
    text.push_str(&super::field("Changes", if paths.is_empty() { "no file" } else { &paths }));
    text.push_str(&super::field("Says", tried.message.lines().next().unwrap_or_default()));
    text.push_str(&super::field(
        "Made by",
        &format!("{}  (Git's committer line: anybody can write it)", tried.committer),
    ));
    if tried.author != tried.committer {
        text.push_str(&super::field("Author", &format!("{}  (not verified either)", tried.author)));
    }
    Ok(text)
}

/// The same for scripts.
///
/// # Errors
/// Where it cannot be read.
pub fn json(session: &Session, void: &Void) -> Result<Value, CliError> {
    let tried = tried(session, void)?;
    Ok(json!({ "commit": void.commit.to_string(), "position": void.position, "code": void.fault.code.as_str(),
        "message": void.fault.message, "acknowledged": void.acknowledged,
        "unverified": { "author": tried.author, "committer": tried.committer, "message": tried.message },
        "paths": tried.paths, "more_paths": tried.more }))
}

/// The command that ends the refusal to mint; `None` where no void commit is open.
pub fn remedy(state: &State, now: Timestamp) -> Option<String> {
    let open: Vec<&Void> = state.voids().iter().filter(|void| !void.acknowledged).collect();
    let first = open.first()?;
    let proposal = state.awake(now).rev().find_map(|case| {
        let Matter::Proposal(proposed) = case.matter() else { return None };
        let Subject::Acknowledge { commits } = &proposed.subject else { return None };
        match state.case_state(case, now) {
            _ if !open.iter().all(|void| commits.contains(&void.commit)) => None,
            CaseState::Approved => Some(format!("jit policy enact {}", case.id().short())),
            CaseState::Pending => Some(format!(
                "jit approve {}   (root members)   then   jit policy enact {}",
                case.id().short(),
                case.id().short()
            )),
            _ => None,
        }
    });
    Some(proposal.unwrap_or_else(|| {
        let which = if open.len() == 1 { format!(" {}", first.commit.short()) } else { String::new() };
        format!("look into it, then: jit policy acknowledge{which} --reason \"what was found out\"")
    }))
}

fn tried(session: &Session, void: &Void) -> Result<Tried, CliError> {
    let parent = void.position.checked_sub(1).and_then(|position| session.replay().commit_at(position));
    attempt(session.store(), parent, void.commit)
}

/// What a commit on top of `parent` tried to do.
///
/// # Errors
/// Where it cannot be read.
pub(in crate::cli) fn attempt(
    objects: &dyn Objects,
    parent: Option<CommitId>,
    commit: CommitId,
) -> Result<Tried, CliError> {
    let raw = match objects.read(commit, ObjectKind::Commit, COMMIT_LIMIT) {
        Ok(raw) => raw,
        Err(StoreError::TooLarge { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let raw = String::from_utf8_lossy(&raw);
    let (headers, message) = raw.split_once("\n\n").unwrap_or((&raw, ""));
    let header = |name: &str| -> Option<&str> {
        headers.lines().find_map(|line| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')))
    };
    let tree = |raw: &str| raw.lines().find_map(|line| line.strip_prefix("tree ")).and_then(|id| id.parse().ok());
    let before = match parent {
        Some(parent) => {
            let raw = objects.read(parent, ObjectKind::Commit, COMMIT_LIMIT)?;
            tree(&String::from_utf8_lossy(&raw))
        }
        None => None,
    };
    let (mut paths, mut more) = (Vec::new(), false);
    if let Some(after) = tree(headers) {
        let changes = TreeReader::new(objects).changes(before, after)?;
        more = changes.truncated;
        paths = changes.changes.into_iter().map(|change| change.path).collect();
    }
    Ok(Tried {
        author: person(header("author")),
        committer: person(header("committer")),
        message: message.to_owned(),
        paths,
        more,
    })
}

/// `Name <e-mail> 1700000000 +0100` with the time for people.
fn person(line: Option<&str>) -> String {
    let Some(line) = line else { return "nobody".to_owned() };
    let mut parts = line.rsplitn(3, ' ');
    let (_zone, seconds, who) = (parts.next(), parts.next(), parts.next());
    match (who, seconds.and_then(|text| text.parse::<i64>().ok()).and_then(Timestamp::from_unix)) {
        (Some(who), Some(time)) => format!("{who} at {time}"),
        _ => line.to_owned(),
    }
}
