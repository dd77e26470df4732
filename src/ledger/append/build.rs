//! The commit of a signed event: its files and signature, and of an enactment the governed files, on top of the tree that is
//! there. Source: docs/format.md, "Commits".

use super::super::commit::{Person, RawCommit};
use super::super::governed::{self, GovernedError};
use super::super::replay::Replay;
use super::super::signed::Signed;
use super::super::tree;
use super::{AppendError, as_objects};
use crate::domain::event::{Body, Event, Subject};
use crate::domain::id::CommitId;
use crate::domain::state::State;
use crate::domain::state::case::Matter;
use crate::domain::state::commit::message;
use crate::domain::time::Timestamp;
use crate::ports::{ObjectKind, Store};

/// Writes the commit of a signed event on top of the replay's head.
pub fn build(store: &dyn Store, replay: &Replay, signed: &Signed, now: Timestamp) -> Result<CommitId, AppendError> {
    let state = replay.state();
    let event = signed.event();
    let digest = signed.digest();
    let folder = match event.case.and_then(|case| state.case(&case)) {
        Some(case) => case.folder(),
        None => format!("ledger/{}/{}", event.time.hour_path(), digest.short()),
    };
    let path = format!("{folder}/{}-{}.toml", event.kind(), digest.short());
    let mut puts = vec![
        (format!("{path}.sig"), store.write(ObjectKind::Blob, signed.armored().as_bytes())?),
        (path, store.write(ObjectKind::Blob, signed.bytes())?),
    ];
    let is_genesis = matches!(event.body, Body::Genesis(_));
    for (name, bytes) in signed.files() {
        let path = if is_genesis { name.clone() } else { format!("{folder}/files/{name}") };
        puts.push((path, store.write(ObjectKind::Blob, bytes)?));
    }
    let mut base = replay.tree();
    if matches!(event.body, Body::Enactment) {
        // C05: exactly the governed files of the manifest; what a void commit put beside them goes.
        base = governed::bare_ledger(store, base)?;
        puts.extend(enacted_files(store, replay, event)?);
    }
    let puts: Vec<(&str, _)> = puts.iter().map(|(path, id)| (path.as_str(), *id)).collect();
    let tree = tree::build(store, base, &puts, &[])?;
    let email = author_email(state, signed);
    let person = |time: Timestamp| Person {
        name: event.actor.to_string(),
        email: email.clone(),
        time: time.unix(),
        zone: "+0000".to_owned(),
    };
    let commit = RawCommit {
        tree,
        parents: replay.head().into_iter().collect(),
        author: person(event.time),
        committer: person(now),
        message: message(event, &digest),
    };
    let raw = commit.write().map_err(|fault| AppendError::Other(fault.to_string()))?;
    Ok(store.write(ObjectKind::Commit, &raw)?)
}

fn author_email(state: &State, signed: &Signed) -> String {
    let of =
        |policy: &crate::domain::policy::Policy| policy.actor(&signed.event().actor).map(|actor| actor.email.clone());
    let email = match state.policy() {
        Some(policy) => of(policy),
        None => signed
            .files()
            .get("policy.toml")
            .and_then(|bytes| crate::domain::policy::Policy::parse(bytes).ok())
            .as_ref()
            .and_then(of),
    };
    email.unwrap_or_default()
}

type Puts = Vec<(String, crate::domain::id::ObjectId)>;

/// All governed files as they are after an enactment.
fn enacted_files(store: &dyn Store, replay: &Replay, event: &Event) -> Result<Puts, AppendError> {
    let state = replay.state();
    let other = |why: &str| AppendError::Other(why.to_owned());
    let told = |error: GovernedError| match error {
        GovernedError::Store(error) => AppendError::Store(error),
        error => AppendError::Other(error.to_string()),
    };
    let case = event.case.and_then(|case| state.case(&case)).ok_or_else(|| other("the proposal is unknown"))?;
    let Matter::Proposal(proposed) = case.matter() else { return Err(other("the case is no proposal")) };
    let present = governed::in_force(as_objects(store), replay).map_err(told)?;
    let Subject::Policy { files, .. } = &proposed.subject else {
        return Ok(present.into_iter().map(|(path, content)| (path, content.blob)).collect());
    };
    let brought = governed::brought(as_objects(store), case).map_err(told)?;
    let mut puts = Vec::new();
    for file in files {
        let unchanged = state.manifest().get(&file.path) == Some(&file.sha256);
        let from = if unchanged { &present } else { &brought };
        let content = from.get(&file.path).ok_or_else(|| other("a proposed file is missing"))?;
        puts.push((file.path.clone(), content.blob));
    }
    Ok(puts)
}
