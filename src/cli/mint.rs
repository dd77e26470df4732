//! `jit mint`.

use std::time::Duration;

use serde_json::json;

use super::error::{CliError, ErrorKind};
use super::session::Session;
use super::turn::Turn;
use super::view::{case_json, locks, standing, subject, void};
use super::{Context, Exit, Outcome};
use crate::domain::decide::Intent;
use crate::domain::event::{Body, Issuance};
use crate::domain::finding::Code;
use crate::domain::id::{CaseId, Name};
use crate::domain::policy::Class;
use crate::domain::state::case::CaseState;
use crate::domain::state::grant::environments;
use crate::domain::time::Timestamp;
use crate::issue::ssh_cert;
use crate::ledger::append::AppendError;

use super::args::CaFile;

/// Issue every credential that is due. For the minter, a service of the policy.
///
/// Verifies the whole ledger first, and stops at anything that is not in order. A CA key comes from --ca, from the
/// variable JIT_CA_<ENV> (a file, or the key itself), or from ssh-agent.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The CA key of an environment; may be given several times.
    #[arg(long = "ca", value_name = "ENV=FILE", value_parser = super::args::ca)]
    pub ca: Vec<CaFile>,
    /// Go on, and issue what becomes due.
    #[arg(long)]
    pub watch: bool,
}

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_secs(5);

/// Runs the command.
///
/// # Errors
/// Refused where whoever acts may not mint; failed where something due could not be issued.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    loop {
        let mut turn = Turn::open_fresh(context)?;
        let may_mint = match turn.session.policy().actor(&turn.person.name).map(|actor| &actor.class) {
            Some(Class::Service { mints }) => mints.clone(),
            _ => {
                return Err(CliError::refused(format!("{} is no service that mints", turn.person.name))
                    .hint("name the minter's key: jit mint --as minter --key FILE"));
            }
        };
        let issued = issue_due(context, &mut turn, &may_mint, &args.ca)?;
        let held = tell_held(context, &turn, &may_mint);
        report(context, &turn.session, &issued, held)?;
        if !args.watch {
            // A13: CI must not read "nothing was minted" as "nothing was due".
            // The same of what a lock holds back (A04).
            let open = turn.session.state().has_open_voids();
            return Ok(match (open, held) {
                (true, _) => Exit::FINDINGS,
                (false, true) => Exit(ErrorKind::Refused.exit_code()),
                (false, false) => Exit::DONE,
            });
        }
        drop(turn);
        std::thread::sleep(EVERY);
    }
}

fn issue_due(
    context: &mut Context,
    turn: &mut Turn,
    may_mint: &[Name],
    files: &[CaFile],
) -> Result<Vec<CaseId>, CliError> {
    let mut issued = Vec::new();
    let due = due(context, turn, may_mint);
    if turn.session.state().has_open_voids() {
        context.output.warning("a void commit is not acknowledged: only emergencies are minted (jit verify shows it)");
        if let Some(remedy) = void::remedy(turn.session.state(), context.now()) {
            context.output.hint(remedy);
        }
    }
    for (id, environment) in due {
        let policy = turn.session.policy();
        let Some(ca) = policy.environments.get(&environment).map(|known| known.ca.clone()) else { continue };
        let signer = context.ca_signer(&environment, &ca, files)?;
        let minter = turn.person.name.clone();
        // A07: what was due may wait for a review now, since another emergency of the same person was issued above.
        let state = turn.session.state();
        let waits = state.case(&id).and_then(|case| state.grant(case, &environment, &minter, context.now()).err());
        if waits.is_some_and(|fault| fault.code == Code::A07) {
            continue;
        }
        let nonce = context.rng().bytes32()?;
        let mut make = |replay: &crate::ledger::Replay, now: Timestamp| -> Result<Intent, AppendError> {
            let state = replay.state();
            let case = state.case(&id).ok_or_else(|| AppendError::Other("the case is gone".to_owned()))?;
            let grant = state.grant(case, &environment, &minter, now).map_err(AppendError::Refused)?;
            let certificate = ssh_cert::issue(grant.certificate(), &*signer, nonce)
                .map_err(|error| AppendError::Other(error.to_string()))?;
            let issuance = Issuance {
                environment: grant.environment().clone(),
                serial: grant.certificate().serial,
                valid_after: grant.valid_after(),
                valid_before: grant.valid_before(),
                certificate,
            };
            Ok(Intent {
                actor: minter.clone(),
                case: Some(id),
                body: Body::Issuance(issuance),
                files: std::collections::BTreeMap::new(),
            })
        };
        turn.session.append_with(context, &mut make, &*turn.person.signer)?;
        if !issued.contains(&id) {
            issued.push(id);
        }
    }
    Ok(issued)
}

/// The cases and environments for which a credential is due, oldest case first.
fn due(context: &Context, turn: &Turn, may_mint: &[Name]) -> Vec<(CaseId, Name)> {
    let (state, now) = (turn.session.state(), context.now());
    let mut due = Vec::new();
    let Some(policy) = state.policy() else { return due };
    for case in state.cases() {
        let Some(access) = case.access() else { continue };
        if state.has_open_voids() && !access.request.emergency {
            continue;
        }
        for environment in environments(policy, &access.request) {
            let has = access.issued.iter().any(|issued| issued.environment == environment);
            if !has
                && may_mint.contains(&environment)
                && state.grant(case, &environment, &turn.person.name, now).is_ok()
            {
                due.push((case.id(), environment));
            }
        }
    }
    due
}

/// A04: tells what only a lock holds back, and whether there is any.
fn tell_held(context: &Context, turn: &Turn, may_mint: &[Name]) -> bool {
    let (state, now) = (turn.session.state(), context.now());
    let mut held = false;
    for case in state.cases() {
        let Some((access, policy)) = case.access().zip(state.policy()) else { continue };
        let waits = match state.case_state(case, now) {
            CaseState::Approved => true,
            CaseState::Pending => access.request.emergency,
            _ => false,
        };
        let mine = environments(policy, &access.request).iter().any(|environment| may_mint.contains(environment));
        // A07: the minter's owner learns why; whoever asked was told, too.
        if let Some(open) = state.open_emergency(&access.actor).filter(|_| waits && mine && access.request.emergency) {
            let (id, who, open) = (case.id().short(), &access.actor, open.id().short());
            context.output.warning(format!("{id} is not minted (A07): {who}'s emergency {open} waits for its review"));
        }
        let booked = access.request.not_before.is_some_and(|start| now < start);
        if let Some((lock, locked)) = locks::on(state, case, access, now).filter(|_| waits && mine && !booked) {
            let line = locks::line(state, lock, locked, now);
            context.output.warning(format!("{} is not minted (A04): {line}", case.id().short()));
            held = true;
        }
    }
    held
}

fn report(context: &Context, session: &Session, issued: &[CaseId], held: bool) -> Result<(), CliError> {
    let (state, now) = (session.state(), context.now());
    let cases: Vec<_> = issued.iter().filter_map(|id| state.case(id)).collect();
    context.output.result(
        || json!({ "issued": cases.iter().map(|case| case_json(state, case, now)).collect::<Vec<_>>() }),
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
    if cases.is_empty() && !held {
        context.output.note("Nothing is due.");
    }
    Ok(())
}
