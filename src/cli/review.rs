//! `jit review`.

use super::error::CliError;
use super::turn::{Turn, reason};
use super::view::aftermath;
use super::{Context, Outcome};
use crate::domain::event::{Answer, Body, Review, ReviewItem};
use crate::domain::state::access::Access;
use crate::domain::state::case::CaseState;
use crate::domain::text::visible;

use super::args::CheckAnswer;
use crate::domain::event::Verdict;

/// Look at a case that has ended, and answer each check of the policy.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// An answer to a check; once for each check.
    #[arg(long = "answer", value_name = "CHECK=yes|no|n/a[:NOTE]", value_parser = super::args::answer)]
    pub answers: Vec<CheckAnswer>,
    /// The outcome.
    #[arg(long, value_name = "VERDICT", value_parser = super::args::verdict())]
    pub verdict: Option<Verdict>,
    /// The ticket that follows it up.
    #[arg(long, value_name = "TICKET")]
    pub follow_up: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Refused where a rule forbids it; usage where an answer is missing and nobody can be asked.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let (me, now) = (turn.person.name.clone(), context.now());
    let id = turn.choose(context, args.case.as_deref(), "Which case?", |case| {
        *case.actor() != me
            && case.access().is_some()
            && turn.session.state().case_state(case, now) == CaseState::ReviewDue
    })?;
    let whole = turn.whole(context, id)?;
    let Some(access) = turn.session.known(id)?.access() else {
        return Err(CliError::refused(format!("case {} is no access to review", id.short()))
            .hint("jit list --state 'review due'"));
    };
    let access = access.clone();
    let checks = access.checks(turn.session.policy());
    if let Some(unknown) = args.answers.iter().find(|answer| !checks.contains(&answer.check)) {
        let known: Vec<String> = checks.iter().map(|check| format!("{check:?}")).collect();
        return Err(CliError::usage(format!("{:?} is no check of this case", unknown.check))
            .hint(format!("the checks: {}", known.join(", "))));
    }
    if context.prompt().is_available() && !context.global.yes {
        context.output.summary(&whole);
    }
    let mut items = Vec::new();
    let mut lines = Vec::new();
    for check in checks {
        let found = aftermath::beside(&context.output, &access, &check, now);
        let item = match args.answers.iter().find(|answer| answer.check == check) {
            Some(answer) => ReviewItem { check, answer: answer.answer, note: answer.note.clone() },
            None => {
                context.output.summary(&found.join("\n"));
                ask(context, check)?
            }
        };
        let note = item.note.as_deref().unwrap_or("");
        lines.push(format!("{:>4}  {}  {}", item.answer, visible(&item.check), visible(note)));
        lines.extend(found.iter().map(|line| format!("      {}", line.trim_start())));
        items.push(item);
    }
    let verdict = match args.verdict {
        Some(verdict) => verdict,
        None => {
            let words: Vec<String> = Verdict::ALL.iter().map(ToString::to_string).collect();
            let at = context.prompt().select("--verdict", "The verdict?", &words)?;
            Verdict::ALL.get(at).copied().ok_or_else(CliError::cancelled)?
        }
    };
    let follow_up = match (verdict, args.follow_up) {
        (Verdict::FollowUp, given) => Some(reason(context, "--follow-up", "The ticket that follows it up?", given)?),
        (Verdict::Clean, None) => None,
        (Verdict::Clean, Some(_)) => return Err(CliError::usage("--follow-up goes with --verdict follow-up")),
    };
    if verdict == Verdict::Clean {
        over_residue(context, &access)?;
    }
    let summary = format!("{}\nVerdict: {verdict}", lines.join("\n"));
    let intent = turn.intent(Some(id), Body::Review(Review { verdict, follow_up, items }));
    turn.say(context, &intent, &summary)?;
    turn.show(context, "Reviewed", id)
}

/// A clean verdict over what a host found is somebody's to give, but not by oversight. The finding F05 stays: only a
/// follow-up, or the host's own next look, ends it.
fn over_residue(context: &Context, access: &Access) -> Result<(), CliError> {
    let hosts: Vec<&str> = aftermath::not_clear(access).into_iter().map(|host| host.as_str()).collect();
    if hosts.is_empty() {
        return Ok(());
    }
    context.output.warning(format!(
        "{} found something left behind, or could not look: a clean verdict does not end the finding F05",
        hosts.join(" and ")
    ));
    if context.global.yes || !context.prompt().is_available() {
        return Ok(());
    }
    if context.prompt().confirm("--yes", "Call it clean all the same?")? { Ok(()) } else { Err(CliError::cancelled()) }
}

fn ask(context: &Context, check: String) -> Result<ReviewItem, CliError> {
    let words: Vec<String> = Answer::ALL.iter().map(ToString::to_string).collect();
    let at = context.prompt().select(&format!("--answer {check:?}=yes|no|n/a"), &check, &words)?;
    let answer = Answer::ALL.get(at).copied().ok_or_else(CliError::cancelled)?;
    let note = context.prompt().input("--answer", "Note (optional)", None, |_| Ok(()))?;
    Ok(ReviewItem { check, answer, note: Some(note).filter(|note| !note.is_empty()) })
}
