//! `jit deny`.

use super::turn::{Turn, reason};
use super::{Context, Outcome};
use crate::domain::event::Body;

/// Refuse a request. One denial by somebody who might approve ends the case.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Refused where a rule forbids it; cancelled where the answer is no.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let mine = if args.case.is_some() { Vec::new() } else { super::approve::waiting_for_me(context, &turn) };
    let id = turn.choose(context, args.case.as_deref(), "Which case?", |case| mine.contains(&case.id()))?;
    turn.suit(context, turn.demands(&turn.intent(Some(id), Body::Denial { comment: String::new() })))?;
    let comment = reason(context, "--comment", "Why not?", args.comment)?;
    let intent = turn.intent(Some(id), Body::Denial { comment });
    let summary = turn.whole(context, id)?;
    turn.say(context, &intent, &summary)?;
    turn.show(context, "Denied", id)
}
