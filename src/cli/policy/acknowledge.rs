//! `jit policy acknowledge`.

use super::super::error::CliError;
use super::super::turn::{Turn, reason};
use super::super::view::void;
use super::super::{Context, Outcome};
use super::enact;
use crate::domain::event::{Body, Proposal, Subject};
use crate::domain::finding::Void;
use crate::domain::id::CommitId;

/// Propose to acknowledge void commits.
///
/// While a void commit is not acknowledged, nothing but emergencies is minted. An acknowledgement says that root members
/// have looked into it; the commit stays in the history as what it was. It is in force once it is enacted, which also
/// puts back the governed files that a void commit has changed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The commits: their ids or the beginnings of them [default: all that are not acknowledged].
    #[arg(value_name = "COMMIT")]
    pub commits: Vec<String>,
    /// What was found out.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Enact it at once, where the root quorum stands with you alone.
    #[arg(long)]
    pub enact: bool,
}

/// Runs the command.
///
/// # Errors
/// Failed where there is nothing to acknowledge; refused by a rule; cancelled.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let open: Vec<&Void> = turn.session.state().voids().iter().filter(|void| !void.acknowledged).collect();
    if open.is_empty() {
        return Err(CliError::failed("there is nothing to acknowledge: no void commit is open")
            .hint("jit verify shows the void commits"));
    }
    let mut commits: Vec<CommitId> = match args.commits.as_slice() {
        [] => open.iter().map(|void| void.commit).collect(),
        named => named.iter().map(|text| one(&open, text)).collect::<Result<_, _>>()?,
    };
    commits.sort();
    commits.dedup();
    let mut summary = String::new();
    for void in open.iter().filter(|void| commits.contains(&void.commit)) {
        summary.push_str(&void::text(&context.output, &turn.session, void)?);
    }
    let why = reason(context, "--reason", "What was found out about them?", args.reason)?;
    let body = Body::Proposal(Proposal { reason: why.clone(), subject: Subject::Acknowledge { commits } });
    let intent = turn.intent(None, body);
    summary.push_str(&super::super::view::field("Reason", &why));
    let id = turn.say(context, &intent, &summary)?;
    enact::finish(context, &mut turn, id, args.enact)
}

/// The open void commit that `text` names.
fn one(open: &[&Void], text: &str) -> Result<CommitId, CliError> {
    let wanted = text.to_ascii_lowercase();
    let found: Vec<CommitId> =
        open.iter().map(|void| void.commit).filter(|commit| commit.to_string().starts_with(&wanted)).collect();
    match found.as_slice() {
        [commit] if wanted.len() >= 4 => Ok(*commit),
        [] => Err(CliError::failed(format!("{text:?} is no void commit that is open")).hint("jit verify shows them")),
        _ => Err(CliError::failed(format!("{text:?} names no one commit")).hint("write more of its id")),
    }
}
