//! A proposal as whoever agrees to it must see it: what it does to people and access, and every changed line. Imports
//! domain and ledger.

use serde_json::{Value, json};

use super::super::error::CliError;
use super::super::output::Output;
use super::super::session::Session;
use super::{leaving, lines, proofs, void};
use crate::domain::event::Subject;
use crate::domain::policy::Policy;
use crate::domain::policy::diff::{Change, Weight, diff};
use crate::domain::state::State;
use crate::domain::state::case::{Case, CaseState, Matter, Proposed};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;
use crate::ledger::governed;

/// A governed file before and after.
#[derive(Debug, Clone, Copy)]
pub struct FileChange<'a> {
    /// The path from the root of the ledger.
    pub path: &'a str,
    /// What is in force; `None` for a new file.
    pub old: Option<&'a [u8]>,
    /// What is proposed; `None` where it is taken away.
    pub new: Option<&'a [u8]>,
}

/// What a new policy and its files change, whole; `people` as [`people_text`] has it.
pub fn plan_text(output: &Output, old: &Policy, new: &Policy, people: &str, files: &[FileChange<'_>]) -> String {
    let mut text = format!("Policy version {} → {}\n", old.version, new.version);
    text.push_str(&changes_text(output, &diff(old, new)));
    text.push_str(people);
    for file in files {
        let what = match (file.old, file.new) {
            (None, _) => "is new",
            (_, None) => "is taken away",
            _ => "changes",
        };
        text.push_str(&format!("\n{} {what}\n", output.bold(&visible(file.path))));
        let said = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        if [file.old, file.new].into_iter().flatten().any(|bytes| std::str::from_utf8(bytes).is_err()) {
            text.push_str("    (not UTF-8: what cannot be read is shown as \u{fffd})\n");
        }
        for line in lines::diff(&said(file.old), &said(file.new)).lines() {
            let painted = match line.chars().nth(lines::MARK) {
                Some('-') => output.red(line),
                Some('+') => output.green(line),
                _ => line.to_owned(),
            };
            text.push_str(&format!("{painted}\n"));
        }
    }
    text.push('\n');
    text
}

/// What a new policy means for people beyond what it says: whether new keys are proven, and what ends with who leaves.
/// `proofs` is the `key_proofs` that would be in force with it.
pub fn people_text(output: &Output, state: &State, new: &Policy, proofs: Option<&[u8]>, now: Timestamp) -> String {
    proofs::text(output, state, new, proofs) + &leaving::text(output, state, new, now)
}

/// Changes for people, weaker first, a line each.
pub fn changes_text(output: &Output, changes: &[Change]) -> String {
    if changes.is_empty() {
        return "  Nobody gains or loses anything.\n".to_owned();
    }
    let mut text = String::new();
    for change in changes {
        let word = format!("{:<8}", change.weight.as_str());
        let word = match change.weight {
            Weight::Weaker => output.red(&word),
            Weight::Stronger => output.green(&word),
            Weight::Other => output.dim(&word),
        };
        let says = visible(&change.says).replace('\n', "\\u{a}");
        text.push_str(&format!("  {word}  {}: {says}\n", visible(&change.of)));
    }
    text
}

/// Changes for scripts, weaker first.
pub fn changes_json(changes: &[Change]) -> Value {
    changes
        .iter()
        .map(|change| {
            json!({ "weight": change.weight.as_str(), "area": change.area.as_str(), "of": change.of, "says": change.says })
        })
        .collect()
}

/// What the case object says of a proposal beyond its subject.
pub(super) fn fields(state: &State, case: &Case, proposed: &Proposed, now: Timestamp) -> Vec<(&'static str, Value)> {
    let mut fields = vec![
        ("reason", json!(proposed.reason)),
        ("denied_by", json!(proposed.denied.as_ref().map(|name| name.as_str()))),
    ];
    match &proposed.subject {
        Subject::Policy { version, files } => {
            let changed = files.iter().filter(|file| state.manifest().get(&file.path) != Some(&file.sha256));
            fields.push(("version", json!(version)));
            if let (Some(old), Some(new)) = (base(state, case, proposed, now), proposed.policy.as_deref()) {
                fields.push(("changes", changes_json(&diff(old, new))));
                fields.push(("files", changed.map(|file| json!(file.path)).collect()));
                fields.push(("leaving", leaving::json(state, new, now)));
            }
        }
        Subject::Acknowledge { commits } => {
            fields.push(("commits", commits.iter().map(|commit| json!(commit.to_string())).collect()));
        }
        Subject::Unlock { lock } => fields.push(("lock", json!(lock.0.hex()))),
    }
    fields
}

/// What a policy proposal would replace; `None` once it cannot be enacted any more.
fn base<'s>(state: &'s State, case: &Case, proposed: &Proposed, now: Timestamp) -> Option<&'s Policy> {
    let open = matches!(state.case_state(case, now), CaseState::Pending | CaseState::Approved);
    state.policy().map(|policy| &**policy).filter(|_| open && proposed.enacted.is_none())
}

/// Everything that agreeing to a proposal puts in force; empty for other cases.
///
/// # Errors
/// Where the contents cannot be read.
pub fn text(output: &Output, session: &Session, case: &Case, now: Timestamp) -> Result<String, CliError> {
    let Matter::Proposal(proposed) = case.matter() else { return Ok(String::new()) };
    let state = session.state();
    match &proposed.subject {
        Subject::Policy { files, .. } => {
            let (Some(old), Some(new)) = (base(state, case, proposed, now), proposed.policy.as_deref()) else {
                return Ok(String::new());
            };
            let present = governed::in_force(session.store(), session.replay())?;
            let brought = governed::brought(session.store(), case)?;
            let mut changes: Vec<FileChange<'_>> = files
                .iter()
                .filter(|file| state.manifest().get(&file.path) != Some(&file.sha256))
                .map(|file| FileChange {
                    path: &file.path,
                    old: present.get(&file.path).map(|content| content.bytes.as_slice()),
                    new: brought.get(&file.path).map(|content| content.bytes.as_slice()),
                })
                .collect();
            changes.extend(
                present
                    .iter()
                    .filter(|(path, _)| !files.iter().any(|file| file.path == **path))
                    .map(|(path, content)| FileChange { path, old: Some(content.bytes.as_slice()), new: None }),
            );
            let proofs = files.iter().find(|file| file.path == proofs::FILE).and_then(|file| {
                let unchanged = state.manifest().get(&file.path) == Some(&file.sha256);
                let from = if unchanged { &present } else { &brought };
                from.get(&file.path).map(|content| content.bytes.as_slice())
            });
            let people = people_text(output, state, new, proofs, now);
            Ok(plan_text(output, old, new, &people, &changes))
        }
        Subject::Acknowledge { commits } => {
            let mut text = String::new();
            for void in state.voids().iter().filter(|void| commits.contains(&void.commit)) {
                text.push_str(&void::text(output, session, void)?);
            }
            Ok(text)
        }
        Subject::Unlock { lock } => Ok(super::locks::lifts_text(state, lock, now)),
    }
}
