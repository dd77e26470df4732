//! `jit policy diff`.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::super::error::CliError;
use super::super::session::{Fresh, Session};
use super::super::view::proposal::{changes_json, changes_text};
use super::super::{Context, Exit, Outcome};
use super::check::unsound;
use crate::domain::policy::Policy;
use crate::domain::policy::diff::diff;
use crate::domain::state::case::{CaseState, Matter};

/// Say what differs between two policies, in terms of people and access.
///
/// A and B are files, or @VERSION for a policy of the ledger. B alone is compared with the policy in force. What lets
/// somebody do more, or asks for less, comes first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The older one; with one name alone, that is the newer.
    #[arg(value_name = "A", value_hint = clap::ValueHint::FilePath)]
    pub first: String,
    /// The newer one.
    #[arg(value_name = "B", value_hint = clap::ValueHint::FilePath)]
    pub second: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Refused where a policy is unsound; failed where one is not there.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let (old, new) = match &args.second {
        Some(second) => (Some(args.first.as_str()), second.as_str()),
        None => (None, args.first.as_str()),
    };
    let needs_ledger = old.is_none_or(|old| old.starts_with('@')) || new.starts_with('@');
    let session = if needs_ledger { Some(Session::open(context, Fresh::Try)?) } else { None };
    let in_force = || session.as_ref().map(|session| session.policy().clone());
    let old = match old {
        Some(old) => policy(context, session.as_ref(), old)?,
        None => in_force().ok_or_else(|| CliError::usage("there is no ledger to compare with"))?,
    };
    let new = policy(context, session.as_ref(), new)?;
    let changes = diff(&old, &new);
    let out = &context.output;
    out.result(
        || {
            json!({ "old": { "version": old.version, "policy": old.digest.to_string() },
                "new": { "version": new.version, "policy": new.digest.to_string() }, "changes": changes_json(&changes) })
        },
        || {
            format!(
                "{} version {} → version {}\n{}",
                out.bold(&crate::domain::text::visible(&new.name)),
                old.version,
                new.version,
                changes_text(out, &changes)
            )
        },
    )?;
    Ok(Exit::DONE)
}

fn policy(context: &Context, session: Option<&Session>, named: &str) -> Result<Policy, CliError> {
    if let (Some(version), Some(session)) = (named.strip_prefix('@'), session) {
        let Ok(version) = version.parse::<u64>() else {
            return Err(CliError::usage(format!("{named} is no version")).hint("such as @3, or a file"));
        };
        return enacted(session, version, context);
    }
    let path = context.resolve(Path::new(named));
    let bytes = fs::read(&path).map_err(|cause| CliError::file("read", &path, &cause))?;
    Policy::parse(&bytes).map_err(|problems| unsound(Path::new(named), &problems))
}

/// A policy that is or was in force.
fn enacted(session: &Session, version: u64, context: &Context) -> Result<Policy, CliError> {
    let (state, now) = (session.state(), context.now());
    if session.policy().version == version {
        return Ok(session.policy().clone());
    }
    let found = state.cases().filter(|case| state.case_state(case, now) == CaseState::Enacted).find_map(|case| {
        let Matter::Proposal(proposed) = case.matter() else { return None };
        proposed.policy.as_deref().filter(|policy| policy.version == version)
    });
    if let Some(policy) = found {
        return Ok(policy.clone());
    }
    let first = crate::ledger::governed::first_policy(session.store(), session.replay())?;
    match Policy::parse(&first) {
        Ok(policy) if policy.version == version => Ok(policy),
        _ => Err(CliError::failed(format!("no policy of version {version} was ever in force here"))
            .hint(format!("the present one is @{}", session.policy().version))),
    }
}
