//! One round of the minter: the ledger as it is now, what is due by it, and each issuance. The order of things is what
//! makes it safe to kill, and to run several times at once:
//!
//! - Nothing is issued but on a ledger that was fetched a moment ago, and everything is decided anew when a push loses a
//!   race: another minter's issuance of the same case, a revocation, another policy, another CA.
//! - A certificate whose push failed is never delivered later: its time would have begun while nobody could use it. It
//!   is in the ledger or it is thrown away, and one with the same serial is made in its stead. The push moves the branch
//!   from one known commit, so at most one of them ever gets in.

use std::collections::BTreeMap;

use super::super::Context;
use super::super::args::CaFile;
use super::super::checkpoint::branch;
use super::super::context::{Environment, Freshness, Ledger};
use super::super::error::CliError;
use super::super::view::locks;
use crate::domain::codec;
use crate::domain::decide::Intent;
use crate::domain::event::{Body, Event, Issuance, Kind};
use crate::domain::finding::Code;
use crate::domain::id::{CaseId, Digest, Name};
use crate::domain::key::PublicKey;
use crate::domain::policy::Class;
use crate::domain::state::State;
use crate::domain::state::access::{Access, Issued};
use crate::domain::state::case::{Case, CaseState};
use crate::domain::state::grant::environments;
use crate::domain::time::Timestamp;
use crate::issue::ssh_cert::{self, IssueError};
use crate::ledger::Replay;
use crate::ledger::append::AppendError;
use crate::ports::{RemoteError, Signer};

/// How often one issuance is begun because the CA changed under it, or because the remote is that busy.
const TRIES: usize = 3;

/// Whoever mints: the service's key, and the CA keys as they are found.
pub struct Minter {
    name: Option<Name>,
    signer: Box<dyn Signer>,
    files: Vec<CaFile>,
    /// CA keys that were opened: a passphrase is asked for once.
    opened: BTreeMap<PublicKey, Box<dyn Signer>>,
}

/// A credential that was issued.
#[derive(Debug, Clone)]
pub struct Made {
    /// The case.
    pub case: CaseId,
    /// In which environment.
    pub environment: Name,
    /// Its serial.
    pub serial: u64,
    /// The fingerprint of the CA's key.
    pub ca: String,
}

/// A credential that is due and could not be issued.
#[derive(Debug)]
pub struct Failure {
    /// The case.
    pub case: CaseId,
    /// In which environment.
    pub environment: Name,
    /// Whether the key is at fault, so that nothing else of the environment can be issued either.
    pub is_key: bool,
    /// Why.
    pub error: CliError,
}

/// What became of a round.
#[derive(Debug, Default)]
pub struct Round {
    /// What was issued, in order.
    pub issued: Vec<Made>,
    /// What is due and could not be.
    pub failed: Vec<Failure>,
    /// A04: what only a lock holds back, and the lock in a line.
    pub held: Vec<(CaseId, String)>,
    /// A07: emergencies that wait for the review of another one of the same person, in a line each.
    pub unreviewed: Vec<(CaseId, String)>,
}

/// What came of one issuance.
enum Step {
    Made(Made),
    /// Nothing is to do any more: another minter was faster, or the case is over.
    Gone,
    /// The policy names another CA than when it was begun, or others pushed all the time: it is begun again.
    Again(CliError),
}

impl Minter {
    /// With the key of whoever acts.
    ///
    /// # Errors
    /// Where there is no key, or it does not open.
    pub fn open(context: &Context, files: Vec<CaFile>) -> Result<Self, CliError> {
        Ok(Self { name: None, signer: context.signing_key()?, files, opened: BTreeMap::new() })
    }

    /// Opens the ledger as it lies here; [`Minter::follow`] comes before anything is issued.
    ///
    /// # Errors
    /// As [`Context::ledger`] has them.
    pub fn ledger(&self, context: &mut Context) -> Result<Ledger, CliError> {
        context.ledger(Freshness::Local)
    }

    /// Whoever mints, for messages.
    pub fn name(&self) -> String {
        self.name.as_ref().map_or_else(|| self.signer.public_key().fingerprint(), Name::to_string)
    }

    /// Follows the remote, and clears the outbox: issuances of an earlier run are in the ledger, or thrown away. Gives
    /// those that are in it and of which nobody has been told.
    ///
    /// # Errors
    /// Where the remote cannot be asked, or rewrote history (exit 5).
    pub fn follow(&self, context: &mut Context, ledger: &mut Ledger) -> Result<Vec<Made>, CliError> {
        let environment = &mut context.environment;
        ledger.follow(&*environment.clock, &context.output)?;
        let mut landed = Vec::new();
        for (name, bytes) in ledger.kept()? {
            let Some((event, issuance)) = kept_issuance(&bytes) else { continue };
            let digest = Digest::of(&codec::write(&event));
            if ledger.state().holds(&event, &digest) {
                let case = event.case.and_then(|case| ledger.state().case(&case));
                let issued = case.and_then(|case| case.access()).and_then(|access| issued_in(access, &issuance));
                landed.extend(case.zip(issued).map(|(case, issued)| made(case.id(), issued)));
            } else {
                context.output.detail(format!("{name} was never delivered and is decided anew"));
            }
            ledger.forget(&name)?;
        }
        if !ledger.waiting()?.is_empty() {
            ledger.deliver(&mut *environment.rng, &*environment.clock, &context.output)?;
        }
        Ok(landed)
    }

    /// The environments in which whoever acts may mint under the policy in force; none where it is no such service.
    ///
    /// # Errors
    /// K04: the key is nobody's, or not that of whoever was named.
    pub fn mints(&mut self, context: &Context, ledger: &Ledger) -> Result<Vec<Name>, CliError> {
        let policy = ledger.policy();
        let name = context.actor(policy, self.signer.public_key())?;
        let mints = match policy.actor(&name).map(|actor| &actor.class) {
            Some(Class::Service { mints }) => mints.clone(),
            _ => Vec::new(),
        };
        self.name = Some(name);
        Ok(mints)
    }

    /// Issues what is due and does not rest. What fails is told at its place; the rest goes on. `stop` is asked before
    /// each.
    ///
    /// # Errors
    /// Where the ledger or its remote is at fault: then nothing else would be issued either.
    pub fn round(
        &mut self,
        context: &mut Context,
        ledger: &mut Ledger,
        mints: &[Name],
        rests: &dyn Fn(CaseId, &Name) -> bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Round, CliError> {
        let mut round = Round::default();
        let Some(name) = self.name.clone() else { return Ok(round) };
        let due = due(ledger.state(), &name, mints, context.now());
        // F04: the policy wants to know from its witnesses that this is the history that everybody sees.
        if !due.is_empty()
            && let Some(why) = branch::lacking(context, ledger)?
        {
            return Err(branch::refusal("nothing is minted", &why));
        }
        for (case, environment) in due {
            if stop() {
                break;
            }
            let no_key = round.failed.iter().any(|failure| failure.is_key && failure.environment == environment);
            if no_key || rests(case, &environment) {
                continue;
            }
            match self.issue(context, ledger, &name, case, &environment) {
                Ok(Some(made)) => round.issued.push(made),
                Ok(None) => {}
                Err((error, Blame::Ledger)) => {
                    // What was issued before stands in the ledger: it is told before the error.
                    if round.issued.is_empty() {
                        return Err(error);
                    }
                    round.failed.push(Failure { case, environment, is_key: false, error });
                    break;
                }
                Err((error, blame)) => {
                    round.failed.push(Failure { case, environment, is_key: blame == Blame::Key, error });
                }
            }
        }
        round.held = held(ledger.state(), mints, context.now());
        round.unreviewed = unreviewed(ledger.state(), mints, context.now());
        Ok(round)
    }

    /// Issues one credential; `None` where it is not due any more.
    fn issue(
        &mut self,
        context: &mut Context,
        ledger: &mut Ledger,
        name: &Name,
        case: CaseId,
        environment: &Name,
    ) -> Result<Option<Made>, (CliError, Blame)> {
        let mut why = None;
        for _ in 0..TRIES {
            let Some(ca) = ledger.policy().environments.get(environment).map(|known| known.ca.clone()) else {
                return Ok(None);
            };
            let signer = match self.opened.remove(&ca) {
                Some(signer) => signer,
                None => context.ca_signer(environment, &ca, &self.files).map_err(|error| (error, Blame::Key))?,
            };
            // Not put back where it failed: a key that was taken from the agent is looked for anew.
            match self.try_once(context, ledger, name, case, environment, &*signer)? {
                Step::Again(error) => why = Some(error),
                step => {
                    self.opened.insert(ca, signer);
                    return Ok(match step {
                        Step::Made(made) => Some(made),
                        Step::Gone | Step::Again(_) => None,
                    });
                }
            }
        }
        let error = why.unwrap_or_else(|| CliError::failed("it was not issued").hint("run the command again"));
        Err((error, Blame::Case))
    }

    fn try_once(
        &self,
        context: &mut Context,
        ledger: &mut Ledger,
        name: &Name,
        id: CaseId,
        environment: &Name,
        ca: &dyn Signer,
    ) -> Result<Step, (CliError, Blame)> {
        let mut seed = context.rng().bytes32().map_err(|error| (error.into(), Blame::Ledger))?;
        let mut turn = None;
        let mut blame = Blame::Ledger;
        let mut make = |replay: &Replay, now: Timestamp| -> Result<Intent, AppendError> {
            let state = replay.state();
            let case = state.case(&id).ok_or_else(|| AppendError::Other("the case is gone".to_owned()))?;
            // A lost race brought another minter's: a second credential of the case would be valid, and one too many.
            if case.access().is_some_and(|access| is_issued(access, environment)) {
                turn = Some(Step::Gone);
                return Err(AppendError::Cancelled);
            }
            blame = Blame::Case;
            let grant = state.grant(case, environment, name, now).map_err(AppendError::Refused)?;
            if grant.certificate().ca != *ca.public_key() {
                let changed = CliError::failed("the policy changed again and again").hint("run the command again");
                turn = Some(Step::Again(changed));
                return Err(AppendError::Cancelled);
            }
            blame = Blame::Key;
            // Each certificate has a nonce of its own, also where a lost race makes one more.
            seed = *Digest::of(&seed).as_bytes(); // unknown to all until it is signed
            let certificate = ssh_cert::issue(grant.certificate(), ca, seed).map_err(|error| match error {
                IssueError::Sign(cause) => AppendError::Sign(cause),
                other => AppendError::Other(other.to_string()),
            })?;
            let issuance = Issuance {
                environment: environment.clone(),
                serial: grant.certificate().serial,
                valid_after: grant.valid_after(),
                valid_before: grant.valid_before(),
                certificate,
            };
            blame = Blame::Ledger;
            Ok(Intent { actor: name.clone(), case: Some(id), body: Body::Issuance(issuance), files: BTreeMap::new() })
        };
        let Environment { rng, clock, .. } = &mut context.environment;
        let appended = ledger
            .write(&**clock, |writer, replay| writer.append(replay, &mut make, &*self.signer, &mut **rng))
            .map_err(|error| (error, Blame::Ledger))?;
        if appended.is_err() {
            ledger.store().discard();
        }
        ledger.pin(&context.output);
        ledger.tell_left_alone(&context.output);
        if let Err(AppendError::Busy { name, .. }) = &appended
            && let Some(name) = name.clone()
        {
            ledger.forget(&name).map_err(|error| (error, Blame::Ledger))?;
        }
        if let Err(busy @ AppendError::Busy { .. }) = appended {
            return Ok(Step::Again(busy.into()));
        }
        if let Ok(appended) = &appended {
            ledger.tell_behind(appended.behind.as_deref(), &context.output);
        }
        match (appended.map_err(told), turn) {
            (Ok(_), _) => {
                let access = ledger.state().case(&id).and_then(|case| case.access());
                let issued = access
                    .and_then(|access| access.issued.iter().rev().find(|issued| issued.environment == *environment));
                Ok(issued.map_or(Step::Gone, |issued| Step::Made(made(id, issued))))
            }
            (Err(_), Some(step)) => Ok(step),
            (Err(error), None) => {
                // A lost race may have brought what ends the case: then nothing is due any more, and nothing failed.
                let is_due = due(ledger.state(), name, std::slice::from_ref(environment), context.now())
                    .iter()
                    .any(|(due, _)| *due == id);
                match error.broken_rule() {
                    Some(_) if !is_due => Ok(Step::Gone),
                    // Of the event as a whole: the next round decides it anew.
                    Some(Code::A05 | Code::A06 | Code::L01 | Code::L04) => Err((error, Blame::Case)),
                    _ => Err((error, blame)),
                }
            }
        }
    }
}

/// An undelivered credential is thrown away, and not kept for later as other events are.
fn told(error: AppendError) -> CliError {
    let AppendError::Queued { cause, .. } = error else { return error.into() };
    let hint = match &cause {
        RemoteError::Locked { lock, is_remote: false, .. } => {
            format!("if no git is at work there: rm {lock}; then: jit mint")
        }
        RemoteError::Locked { lock, .. } => {
            format!("if no git is at work there, whoever runs the remote types: rm {lock}; then, here: jit mint")
        }
        _ => "check the remote and the minter's access to it, then: jit mint".to_owned(),
    };
    CliError::from(cause)
        .context("a credential was signed, and the remote did not take it: it is decided anew")
        .hint(hint)
}

/// What is at fault where something could not be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    /// The ledger, its remote, or the machine.
    Ledger,
    /// The CA's key.
    Key,
    /// This case alone.
    Case,
}

fn made(case: CaseId, issued: &Issued) -> Made {
    let certificate = crate::domain::certificate::Certificate::parse_line(&issued.certificate);
    Made {
        case,
        environment: issued.environment.clone(),
        serial: issued.serial,
        ca: certificate.map_or_else(|_| String::new(), |certificate| certificate.ca().fingerprint()),
    }
}

fn is_issued(access: &Access, environment: &Name) -> bool {
    access.issued.iter().any(|issued| issued.environment == *environment)
}

fn issued_in<'a>(access: &'a Access, issuance: &Issuance) -> Option<&'a Issued> {
    access.issued.iter().find(|issued| issued.certificate == issuance.certificate)
}

/// An issuance in the outbox, as the writer keeps it: JSON with the event's text. Anything else is not ours to judge.
fn kept_issuance(bytes: &[u8]) -> Option<(Event, Issuance)> {
    let kept: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let event = codec::parse(kept.get("event")?.as_str()?.as_bytes()).ok()?;
    match (event.kind(), event.body.clone()) {
        (Kind::Issuance, Body::Issuance(issuance)) => Some((event, issuance)),
        _ => None,
    }
}

/// The cases and environments for which a credential is due, oldest case first.
fn due(state: &State, minter: &Name, mints: &[Name], now: Timestamp) -> Vec<(CaseId, Name)> {
    let mut due = Vec::new();
    let Some(policy) = state.policy() else { return due };
    for case in state.awake(now) {
        let Some(access) = case.access() else { continue };
        if state.has_open_voids() && !access.request.emergency {
            continue;
        }
        for environment in environments(policy, &access.request) {
            if !is_issued(access, &environment)
                && mints.contains(&environment)
                && state.grant(case, &environment, minter, now).is_ok()
            {
                due.push((case.id(), environment));
            }
        }
    }
    due
}

/// A04: what only a lock holds back.
fn held(state: &State, mints: &[Name], now: Timestamp) -> Vec<(CaseId, String)> {
    let mut held = Vec::new();
    for (case, access) in waiting(state, mints, now) {
        let booked = access.request.not_before.is_some_and(|start| now < start);
        if let Some((lock, locked)) = locks::on(state, case, access, now).filter(|_| !booked) {
            held.push((case.id(), locks::line(state, lock, locked, now)));
        }
    }
    held
}

/// A07: emergencies that another one of the same person holds back. Whoever asked was told so; the minter's owner learns it.
fn unreviewed(state: &State, mints: &[Name], now: Timestamp) -> Vec<(CaseId, String)> {
    let emergencies = waiting(state, mints, now).filter(|(_, access)| access.request.emergency);
    let open = emergencies.filter_map(|(case, access)| Some((case, access, state.open_emergency(&access.actor)?)));
    let line = |access: &Access, open: &Case| {
        format!("{}'s emergency {} waits for its review", access.actor, open.id().short())
    };
    open.map(|(case, access, open)| (case.id(), line(access, open))).collect()
}

/// The cases that could be issued by now as far as their approvals go.
fn waiting<'a>(
    state: &'a State,
    mints: &'a [Name],
    now: Timestamp,
) -> impl Iterator<Item = (&'a Case, &'a Access)> + 'a {
    state.awake(now).filter_map(move |case| {
        let (access, policy) = case.access().zip(state.policy())?;
        let waits = match state.case_state(case, now) {
            CaseState::Approved => true,
            CaseState::Pending => access.request.emergency,
            _ => false,
        };
        let mine = environments(policy, &access.request).iter().any(|environment| mints.contains(environment));
        (waits && mine).then_some((case, access))
    })
}
