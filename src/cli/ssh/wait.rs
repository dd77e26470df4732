//! Waiting for a credential that is on its way: the remote is asked again and again, and each change is told.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::cli::Context;
use crate::cli::context::Ledger;
use crate::cli::error::{CliError, ErrorKind};
use crate::cli::output::clock;
use crate::cli::view::{locks, waiting_on, waiting_text};
use crate::domain::id::CaseId;
use crate::domain::state::State;
use crate::domain::state::case::{Case, CaseState};
use crate::domain::time::{Timestamp, Ttl};

/// How often the remote is asked: people who sit beside each other do not wait, and a forge is not pestered for hours.
const SOON: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(2);
const SOON_FOR: Duration = Duration::from_secs(60);

/// Waits until the case is live; when it was seen to be. Whoever leaves (Ctrl-C) has signed nothing more: the case stays
/// as it is, which is said at once, because nothing can be said then.
///
/// # Errors
/// Pending where `limit` is over (exit 8); refused where the case has come to another end; or as the ledger's refresh has
/// them, but for a remote that does not answer for a while.
pub(super) fn until_live(
    context: &mut Context,
    ledger: &mut Ledger,
    id: CaseId,
    limit: Option<Ttl>,
    host: &str,
) -> Result<Instant, CliError> {
    let short = id.short();
    let began = Instant::now();
    context.output.note(format!("Waiting for {short}. Ctrl-C leaves it open: jit ssh {host} goes on with it."));
    let (mut told, mut unreachable) = (String::new(), false);
    loop {
        let now = context.now();
        let case = ledger.state().case(&id).ok_or_else(|| CliError::failed(format!("case {short} is unknown")))?;
        match ledger.state().case_state(case, now) {
            CaseState::Live => return Ok(Instant::now()),
            CaseState::Pending | CaseState::Approved => {}
            over => {
                return Err(CliError::refused(format!("case {short} is {over}")).hint(format!("jit show {short}")));
            }
        }
        let waits = waits_for(ledger.state(), case, now);
        if waits != told {
            context.output.note(format!("  {waits}"));
            told = waits;
        }
        if limit.is_some_and(|limit| began.elapsed() >= Duration::from_secs(limit.seconds())) {
            return Err(CliError::pending(format!("case {short} is not live yet: {told}"))
                .hint(format!("jit ssh --wait {host} goes on waiting; jit show {short}")));
        }
        sleep(if began.elapsed() < SOON_FOR { SOON } else { LATER });
        let environment = &mut context.environment;
        match ledger.refresh(&mut *environment.rng, &*environment.clock, &context.output) {
            Ok(_) => unreachable = false,
            Err(error) if error.kind() == ErrorKind::Unreachable => {
                if !unreachable {
                    context.output.warning("the remote does not answer: still trying");
                }
                unreachable = true;
            }
            Err(error) => return Err(error),
        }
    }
}

/// On whom or what the case waits, in a line.
fn waits_for(state: &State, case: &Case, now: Timestamp) -> String {
    let access = case.access();
    let emergency = access.is_some_and(|access| access.request.emergency);
    let missing = waiting_on(state, case, now);
    if !missing.is_empty() && !emergency {
        return format!("pending: waits for {}", waiting_text(&missing));
    }
    if let Some((lock, locked)) = access.and_then(|access| locks::on(state, case, access, now)) {
        return format!("approved: held back, {}", locks::line(state, lock, locked, now));
    }
    match access.and_then(|access| access.request.not_before).filter(|start| now < *start) {
        Some(start) => format!("approved: booked from {}", clock(start, now)),
        None if emergency => "emergency: waits for the minter".to_owned(),
        None => "approved: waits for the minter".to_owned(),
    }
}
