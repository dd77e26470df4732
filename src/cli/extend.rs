//! `jit extend`.

use super::error::CliError;
use super::output::moment;
use super::turn::{Turn, reason};
use super::view::window;
use super::{Context, Outcome};
use crate::domain::event::Request;
use crate::domain::id::CaseId;
use crate::domain::state::case::CaseState;

use crate::domain::time::Ttl;

/// Ask for more time: a new case that continues this one, with approvals of its own.
///
/// The new credential is good from the moment it is made, while the old one still is: there is no gap. A session that
/// runs ends with the case under which it began, so log in again under the new one; `jit ssh` takes the newer by itself.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// For how long, such as 30m; counted from the new credential.
    #[arg(long = "for", value_name = "DURATION", value_parser = super::args::ttl)]
    pub duration: Option<Ttl>,
    /// Why it takes longer [default: as before].
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Wait until the credential is there, at most for DURATION; exits with 8 if it is still pending then.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, value_parser = super::args::ttl)]
    pub wait: Option<Option<Ttl>>,
}

/// Runs the command.
///
/// # Errors
/// Refused where the policy would refuse, or nothing was issued yet; cancelled where the answer is no.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let turn = Turn::open(context)?;
    let (me, now) = (turn.person.name.clone(), context.now());
    let id = turn.choose(context, args.case.as_deref(), "Which case?", |case| {
        *case.actor() == me && case.access().is_some() && turn.session.state().case_state(case, now) == CaseState::Live
    })?;
    let before = continued(context, &turn, id)?;
    let was_emergency = before.emergency;
    let mut request = Request { not_before: None, extends: Some(id), emergency: false, ..before };
    request.duration = match args.duration {
        Some(duration) => duration,
        None => {
            let text = context
                .prompt()
                .input("--for", "For how much longer", Some("30m"), |text| super::args::ttl(text).map(|_| ()))?;
            super::args::ttl(&text).map_err(CliError::usage)?
        }
    };
    // The need is asked again at a terminal; a script may leave the first one standing.
    request.business_need = match args.reason {
        None if !context.prompt().is_available() => request.business_need,
        given => reason(context, "--reason", "Why is more time needed?", given)?,
    };
    if was_emergency {
        context.output.note(format!(
            "{} was an emergency; what continues it is an ordinary request and waits for approvals.",
            id.short()
        ));
    }
    let end = turn.session.known(id)?.access().and_then(|access| access.ends());
    let exit = super::request::submit(context, turn, request, args.wait, false)?;
    let now = context.now();
    if let Some(end) = end.filter(|end| now < *end) {
        context.output.note(format!(
            "A session that began under {} ends with it {}. Once the new case is live, log in again: jit ssh takes it.",
            id.short(),
            moment(end, now)
        ));
    }
    Ok(exit)
}

/// The request of the case that is to be continued.
fn continued(context: &Context, turn: &Turn, id: CaseId) -> Result<Request, CliError> {
    let (case, state, now) = (turn.session.known(id)?, turn.session.state(), context.now());
    let short = id.short();
    let Some(access) = case.access() else {
        return Err(CliError::refused(format!("case {short} is no access to extend")).hint("jit list --state live"));
    };
    if access.issued.is_empty() {
        let stands = state.case_state(case, now);
        return Err(CliError::refused(format!("case {short} is {stands}: there is nothing to extend"))
            .hint(format!("jit show {short}; jit request asks anew")));
    }
    if let Some((at, by)) = access.ended(now) {
        context.output.warning(format!("{short} is over ({by} {}): there is a gap between the two", moment(at, now)));
    }
    if let Some(later) = window::extended_by(state, case, now) {
        context.output.warning(format!(
            "{short} is extended already, by {}: {}",
            later.id().short(),
            super::view::standing(state, later, now)
        ));
    }
    Ok(access.request.clone())
}
