//! `jit extend`.

use super::error::CliError;
use super::turn::{Turn, reason};
use super::{Context, Outcome};
use crate::domain::state::case::CaseState;

use crate::domain::time::Ttl;

/// Ask for more time: a new case that continues this one, with approvals of its own.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// For how long, such as 30m.
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
/// Refused where the policy would refuse; cancelled where the answer is no.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let turn = Turn::open(context)?;
    let (me, now) = (turn.person.name.clone(), context.now());
    let id = turn.choose(context, args.case.as_deref(), "Which case?", |case| {
        *case.actor() == me && case.access().is_some() && turn.session.state().case_state(case, now) == CaseState::Live
    })?;
    let Some(access) = turn.session.known(id)?.access() else {
        return Err(
            CliError::refused(format!("case {} is no access to extend", id.short())).hint("jit list --state live")
        );
    };
    let mut request = access.request.clone();
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
    request.not_before = None;
    request.extends = Some(id);
    super::request::submit(context, turn, request, args.wait, false)
}
