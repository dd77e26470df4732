//! What the host has to say: session-start, session-end, residue. Signed with the host's key, delivered once, many in one
//! push; what cannot be delivered waits in the mirror's outbox.

use super::super::super::context::{Context, Environment, Ledger};
use super::super::super::error::CliError;
use super::socket::Asked;
use crate::domain::decide::Intent;
use crate::domain::event::{Body, ProbeResult, Recording, Residue, ResidueItem, SessionEnd, SessionStart};
use crate::domain::id::{CaseId, Digest, Nonce};
use crate::domain::state::State;
use crate::host::wire::{Answer, Ask, Item};
use crate::host::{Config, Grants, syslog};
use crate::ledger::append::AppendError;
use crate::ledger::{Delivered, Queue};
use crate::ports::{RemoteError, Signer};

/// The host's voice.
pub struct Events {
    queue: Queue,
    signer: Box<dyn Signer>,
}

/// What became of a question before the push.
enum Step {
    /// The ledger holds it already.
    Known,
    /// It waits in the queue; whether nobody may get in before it has landed.
    Queued(Digest, bool),
    /// It is answered.
    Answered(Answer),
}

impl Events {
    /// With what waits in the outbox.
    ///
    /// # Errors
    /// Where the key or the outbox cannot be read.
    pub fn open(context: &Context, config: &Config, ledger: &Ledger) -> Result<Self, CliError> {
        let signer = context.open_key(&config.key)?;
        let (queue, unreadable) = Queue::restore(ledger.kept()?);
        for (name, why) in unreadable {
            context.output.warning(format!("{name} in the outbox cannot be read and stays there: {why}"));
        }
        Ok(Self { queue, signer })
    }

    /// Delivers what waits.
    ///
    /// # Errors
    /// Where the remote does not take it; it waits on.
    pub fn deliver(&mut self, context: &mut Context, _config: &Config, ledger: &mut Ledger) -> Result<(), CliError> {
        if self.queue.is_empty() {
            return Ok(());
        }
        Ok(self.push(context, ledger).map(|_| ())?)
    }

    /// Signs and delivers what was asked, in one push, and answers each. `away`: the remote did not answer the last time.
    pub fn answer(
        &mut self,
        context: &mut Context,
        config: &Config,
        ledger: &mut Ledger,
        grants: Option<&Grants>,
        asked: Vec<Asked>,
        away: bool,
    ) {
        let mut steps = Vec::with_capacity(asked.len());
        for asked in asked {
            let step = self.step(context, config, ledger, grants, &asked.ask);
            steps.push((asked, step));
        }
        let all_may_wait = steps.iter().all(|(_, step)| !matches!(step, Step::Queued(_, true)));
        let pushed = if self.queue.is_empty() {
            Ok(Vec::new())
        } else if away && all_may_wait {
            // The remote did not answer a moment ago; nobody waits for it a second time. The next round tries again.
            Err(AppendError::Remote(RemoteError::Unreachable("it did not answer the last time".to_owned())))
        } else {
            self.push(context, ledger)
        };
        for (asked, step) in steps {
            let answer = match (step, &pushed) {
                (Step::Known, _) => Answer::Landed,
                (Step::Answered(answer), _) => answer,
                (Step::Queued(digest, _), Ok(refused)) => match refused.iter().find(|(other, _)| *other == digest) {
                    Some((_, fault)) => Answer::Refused { why: fault.to_string() },
                    None => Answer::Landed,
                },
                // Nobody gets in unless the ledger was told. Should the remote have taken it all the same, the reaper
                // finds a session that nobody knows, and says that it is lost.
                (Step::Queued(digest, true), Err(error)) => match self.take_back(context, ledger, &digest) {
                    Ok(()) => Answer::Failed { why: cause(error) },
                    Err(other) => Answer::Failed { why: format!("{}; {}", cause(error), other.message()) },
                },
                (Step::Queued(..), Err(error)) => Answer::Kept { why: cause(error) },
            };
            tell(&asked.ask, &answer);
            asked.reply(answer);
        }
        ledger.pin(&context.output);
    }

    fn step(
        &mut self,
        context: &mut Context,
        config: &Config,
        ledger: &mut Ledger,
        grants: Option<&Grants>,
        ask: &Ask,
    ) -> Step {
        let (case, body) = match ask {
            Ask::SessionStart { case, session, serial, login, source, recorded } => (
                *case,
                Body::SessionStart(SessionStart {
                    session: session.clone(),
                    serial: *serial,
                    login: login.clone(),
                    source: source.clone(),
                    command: None,
                    recording: if *recorded { Recording::On } else { Recording::Off },
                }),
            ),
            Ask::SessionEnd { case, session, cause, exit_code, recording, bytes } => (
                *case,
                Body::SessionEnd(SessionEnd {
                    session: session.clone(),
                    cause: *cause,
                    exit_code: *exit_code,
                    recording: *recording,
                    bytes: *bytes,
                }),
            ),
            Ask::Residue { case, items, .. } => (*case, residue(items)),
        };
        let case = CaseId(case);
        if is_known(self.queue.state(ledger.replay()), config, case, ask) {
            let waits = self.queue.events().any(|event| event.case == Some(case) && event.body == body);
            let why = "it waits in the outbox".to_owned();
            return if waits { Step::Answered(Answer::Kept { why }) } else { Step::Known };
        }
        let must_land = matches!(ask, Ask::SessionStart { .. }) && !may_spool(grants, case, ask);
        let intent = Intent { actor: config.host.clone(), case: Some(case), body, files: Default::default() };
        let Environment { rng, clock, .. } = &mut context.environment;
        let queued = ledger.write(&**clock, |writer, replay| {
            writer.enqueue(replay, &mut self.queue, &intent, &*self.signer, &mut **rng)
        });
        match queued {
            Ok(Ok(digest)) => Step::Queued(digest, must_land),
            Ok(Err(AppendError::Refused(fault))) => Step::Answered(Answer::Refused { why: fault.to_string() }),
            Ok(Err(error)) => Step::Answered(Answer::Failed { why: error.to_string() }),
            Err(error) => Step::Answered(Answer::Failed { why: error.message().to_owned() }),
        }
    }

    fn push(
        &mut self,
        context: &mut Context,
        ledger: &mut Ledger,
    ) -> Result<Vec<(Digest, crate::domain::finding::Fault)>, AppendError> {
        let Environment { rng, clock, .. } = &mut context.environment;
        let pushed = ledger
            .write(&**clock, |writer, replay| writer.deliver_queue(replay, &mut self.queue, &mut **rng))
            .map_err(|error| AppendError::Other(error.message().to_owned()))?;
        for (digest, fault) in pushed.iter().flat_map(|delivered| &delivered.refused) {
            syslog::warn(&format!("event {} stays in the outbox: {fault}", digest.short()));
        }
        if let Ok(Delivered { behind: Some(why), .. }) = &pushed {
            syslog::warn(&format!("the remote has what was said, and this clone is behind: {why}"));
        }
        pushed.map(|delivered| delivered.refused)
    }

    fn take_back(&mut self, context: &Context, ledger: &mut Ledger, digest: &Digest) -> Result<(), CliError> {
        Ok(ledger.write(context.clock(), |writer, _| writer.take_back(&mut self.queue, digest))??)
    }
}

fn residue(items: &[Item]) -> Body {
    let items: Vec<ResidueItem> = items
        .iter()
        .map(|item| ResidueItem { probe: item.probe.clone(), result: item.result, detail: item.detail.clone() })
        .collect();
    Body::Residue(Residue { clean: items.iter().all(|item| item.result == ProbeResult::Clear), items })
}

/// Whether the ledger, or what waits for it, says so already: what is asked twice is said once.
fn is_known(state: &State, config: &Config, case: CaseId, ask: &Ask) -> bool {
    let Some(access) = state.case(&case).and_then(|case| case.access()) else { return false };
    let session =
        |name: &Nonce| access.sessions.iter().find(|known| known.session == *name && known.host == config.host);
    match ask {
        Ask::SessionStart { session: name, .. } => session(name).is_some(),
        Ask::SessionEnd { session: name, .. } => session(name).is_some_and(|known| known.ended.is_some()),
        Ask::Residue { session: name, items, .. } => {
            let Some((ended, _)) = session(name).and_then(|known| known.ended) else { return false };
            let Body::Residue(said) = residue(items) else { return false };
            access
                .residues
                .iter()
                .any(|found| found.host == config.host && found.time >= ended && found.items == said.items)
        }
    }
}

/// Whether the policy lets somebody in while the ledger cannot be told.
fn may_spool(grants: Option<&Grants>, case: CaseId, ask: &Ask) -> bool {
    let Ask::SessionStart { serial, login, .. } = ask else { return false };
    let Some(grants) = grants else { return false };
    let grant = grants.grants.iter().find(|grant| grant.case() == case && grant.serial == *serial);
    let mut opens = grant.iter().flat_map(|grant| &grant.opens).filter(|open| open.logins.contains(login)).peekable();
    opens.peek().is_some() && opens.all(|open| open.spool)
}

/// Why it was not delivered, in one line. (That nothing was signed, as others who append would be told, is not so here.)
fn cause(error: &AppendError) -> String {
    match error {
        AppendError::Remote(cause) => cause.to_string(),
        other => {
            let mut line = other.to_string();
            let mut source = std::error::Error::source(other);
            while let Some(cause) = source {
                line += &format!(": {cause}");
                source = cause.source();
            }
            line
        }
    }
}

fn tell(ask: &Ask, answer: &Answer) {
    let (what, case, session) = match ask {
        Ask::SessionStart { case, session, .. } => ("session-start", case, session),
        Ask::SessionEnd { case, session, .. } => ("session-end", case, session),
        Ask::Residue { case, session, .. } => ("residue", case, session),
    };
    let line = format!("{what} case={} session={session}", case.short());
    match answer {
        Answer::Landed => syslog::info(&format!("{line} is in the ledger")),
        Answer::Kept { why } => syslog::warn(&format!("{line} waits in the outbox: {why}")),
        Answer::Refused { why } => syslog::warn(&format!("{line} is refused: {why}")),
        Answer::Failed { why } => syslog::warn(&format!("{line} failed: {why}")),
    }
}
