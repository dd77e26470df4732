//! `jit mint`: the minter, once (for a CI job) or as a daemon (`watch`). What is due and how it is issued is in `round`;
//! several minters may run at once, because the ledger takes one issuance at a time and each decides anew.

use serde_json::{Value, json};

use super::context::Ledger;
use super::error::{CliError, ErrorKind};
use super::view::{case_json, standing, subject, void};
use super::{Context, Exit, Outcome};
use crate::domain::finding::Code;
use crate::domain::state::State;
use crate::domain::time::{Timestamp, Ttl};

use super::args::CaFile;

mod round;
mod stop;
mod watch;

use round::{Failure, Made, Minter, Round};

/// Issue every credential that is due. For the minter, a service of the policy.
///
/// Verifies the whole ledger first, and stops at anything that is not in order. A CA key comes from --ca, from the
/// variable JIT_CA_<ENV> (a file, or the key itself), or from ssh-agent: a .pub whose private half the agent holds, or
/// without --ca whichever key of the agent the policy names. While a CA is being replaced, give the old and the new key:
/// the policy in force says which of them signs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The CA key of an environment; may be given several times, also for one environment.
    #[arg(long = "ca", value_name = "ENV=FILE", value_parser = super::args::ca)]
    pub ca: Vec<CaFile>,
    /// Go on, and issue what becomes due, until SIGTERM or Ctrl-C. With --json: one object an event.
    #[arg(long)]
    pub watch: bool,
    /// How often --watch looks at the remote [default: 5s].
    #[arg(long, value_name = "DURATION", value_parser = super::args::ttl, requires = "watch")]
    pub interval: Option<Ttl>,
}

/// Runs the command.
///
/// # Errors
/// Refused where whoever acts may not mint; failed where something due could not be issued. With `--watch`: only what
/// stands in the way from the beginning.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    if args.watch { watch::run(context, args) } else { once(context, args) }
}

fn once(context: &mut Context, args: Args) -> Outcome {
    let mut minter = Minter::open(context, args.ca)?;
    let mut ledger = minter.ledger(context)?;
    let landed = minter.follow(context, &mut ledger)?;
    let mints = minter.mints(context, &ledger)?;
    if mints.is_empty() {
        return Err(may_not(&minter));
    }
    tell_voids(context, ledger.state());
    let mut round = minter.round(context, &mut ledger, &mints, &|_, _| false, &|| false)?;
    round.issued.splice(0..0, landed);
    report(context, &ledger, &mut round)
}

/// Whoever acts holds nothing that the policy lets mint.
fn may_not(minter: &Minter) -> CliError {
    CliError::refused(format!("{} is no service that mints", minter.name()))
        .hint("name the minter's key: jit mint --as minter --key FILE")
}

fn tell_voids(context: &Context, state: &State) {
    if state.has_open_voids() {
        context.output.warning("a void commit is not acknowledged: only emergencies are minted (jit verify shows it)");
        if let Some(remedy) = void::remedy(state, context.now()) {
            context.output.hint(remedy);
        }
    }
}

fn report(context: &Context, ledger: &Ledger, round: &mut Round) -> Outcome {
    let (state, now) = (ledger.state(), context.now());
    for (code, (id, line)) in
        round.held.iter().map(|held| (Code::A04, held)).chain(round.unreviewed.iter().map(|held| (Code::A07, held)))
    {
        context.output.warning(format!("{} is not minted ({code}): {line}", id.short()));
    }
    let first = if round.failed.is_empty() { None } else { Some(round.failed.remove(0)) };
    if round.issued.is_empty() {
        round.failed.iter().for_each(|failure| tell(context, failure));
        if let Some(first) = first {
            return Err(first.error);
        }
    } else {
        round.failed.splice(0..0, first);
        round.failed.iter().for_each(|failure| tell(context, failure));
    }
    let mut cases: Vec<_> = round.issued.iter().map(|made| made.case).collect();
    cases.dedup();
    let cases: Vec<_> = cases.iter().filter_map(|id| state.case(id)).collect();
    context.output.result(
        || {
            let mut object =
                json!({ "issued": cases.iter().map(|case| case_json(state, case, now)).collect::<Vec<_>>() });
            if let Some(fields) = object.as_object_mut().filter(|_| !round.failed.is_empty()) {
                fields.insert("failed".to_owned(), round.failed.iter().map(failure_json).collect());
            }
            object
        },
        || {
            let lines: Vec<String> = cases
                .iter()
                .map(|case| {
                    format!(
                        "Issued {}: {} for {}, {}",
                        case.id().short(),
                        subject(case),
                        case.actor(),
                        standing(state, case, now)
                    )
                })
                .collect();
            lines.join("\n")
        },
    )?;
    let held = !round.held.is_empty();
    if cases.is_empty() && !held {
        context.output.note("Nothing is due.");
    }
    // A13: CI must not read "nothing was minted" as "nothing was due". The same of what a lock holds back (A04).
    Ok(match (round.failed.is_empty(), state.has_open_voids(), held) {
        (false, ..) => Exit(ErrorKind::Failed.exit_code()),
        (true, true, _) => Exit::FINDINGS,
        (true, false, true) => Exit(ErrorKind::Refused.exit_code()),
        (true, false, false) => Exit::DONE,
    })
}

/// What could not be issued, and what to do about it.
fn tell(context: &Context, failure: &Failure) {
    context.output.warning(failure_line(failure));
    if let Some(hint) = failure.error.hint_text() {
        context.output.hint(hint);
    }
}

fn failure_line(failure: &Failure) -> String {
    format!("{} is not minted in {}: {}", failure.case.short(), failure.environment, failure.error.line())
}

fn failure_json(failure: &Failure) -> Value {
    json!({ "case": failure.case.0.hex(), "id": failure.case.short(), "environment": failure.environment.as_str(),
        "error": failure.error.line(), "hint": failure.error.hint_text() })
}

/// One issuance, for a log: who got what, until when, with which serial of which CA.
fn made_line(state: &State, made: &Made, now: Timestamp) -> String {
    let case = state.case(&made.case);
    let what = case.map_or_else(String::new, |case| {
        format!(": {} for {}, {}", subject(case), case.actor(), standing(state, case, now))
    });
    format!("Issued {}{what} (serial {} of {}, CA {})", made.case.short(), made.serial, made.environment, made.ca)
}
