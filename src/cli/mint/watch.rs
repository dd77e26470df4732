//! `jit mint --watch`: follows the remote and issues what becomes due, for as long as it runs. Nothing that happens outside
//! ends it: a remote, an agent or a right that goes away is told once, asked for again with a growing pause, and told
//! when it is back. What it does is one line an event, or with `--json` one object.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::context::Ledger;
use super::super::error::{CliError, ErrorKind};
use super::super::view::{case_json, void};
use super::super::{Context, Exit, Outcome};
use super::round::{Made, Minter, Round};
use super::stop::Stop;
use super::{Args, failure_line, made_line, may_not};
use crate::domain::id::{CaseId, CommitId, Name};
use crate::domain::state::case::{Case, CaseState};
use crate::domain::time::Timestamp;
use crate::ports::Rng;

/// How often the remote is asked where nothing else is said.
const EVERY: Duration = Duration::from_secs(5);
/// The longest pause after a failure.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest pause before a person at the agent is asked again, or a hardware token tried.
const LONGEST_FOR_KEYS: Duration = Duration::from_secs(300);

/// What was told already, so that each thing is told once.
struct Watch {
    every: Duration,
    /// What is wrong with the ledger or its remote at present.
    trouble: Option<String>,
    /// How often in a row that was so.
    failures: u32,
    /// When the remote last answered.
    fresh: Timestamp,
    is_stale: bool,
    /// Where it mints, as it was last seen; `None` before the first look.
    mints: Option<Vec<Name>>,
    voids: BTreeSet<CommitId>,
    held: BTreeSet<CaseId>,
    /// What failed, and when it is tried again.
    rests: BTreeMap<Rests, Rest>,
}

/// What is left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Rests {
    /// The CA key of an environment.
    Key(Name),
    /// One case.
    Case(CaseId, Name),
}

struct Rest {
    tries: u32,
    until: Instant,
    told: String,
}

pub(super) fn run(context: &mut Context, args: Args) -> Outcome {
    let mut stop = Stop::listen()?;
    let every = args.interval.map_or(EVERY, |interval| Duration::from_secs(interval.seconds().max(1)));
    let mut minter = Minter::open(context, args.ca)?;
    let mut ledger = minter.ledger(context)?;
    let mut watch = Watch::new(every, context.now());
    watch.event(context, "started", json!({ "head": ledger.replay().head().map(|head| head.to_string()) }), || {
        context.output.note(format!(
            "Minting from {}, looking every {} s",
            ledger.store().path().display(),
            every.as_secs()
        ));
    })?;
    loop {
        let looked = watch.look(context, &mut minter, &mut ledger, &stop);
        let pause = match looked {
            Ok(again) => watch.is_well(context, again)?,
            // A minter that never was one is a mistake in the unit's file, not weather.
            Err(error) if watch.mints.is_none() && error.kind() == ErrorKind::Refused => return Err(error),
            Err(error) => watch.is_in_trouble(context, &ledger, &error)?,
        };
        if stop.wait(pause) {
            break;
        }
    }
    watch.event(context, "stopped", json!({}), || context.output.note("Stopped: what was begun is finished."))?;
    Ok(Exit::DONE)
}

impl Watch {
    const fn new(every: Duration, now: Timestamp) -> Self {
        Self {
            every,
            trouble: None,
            failures: 0,
            fresh: now,
            is_stale: false,
            mints: None,
            voids: BTreeSet::new(),
            held: BTreeSet::new(),
            rests: BTreeMap::new(),
        }
    }

    /// One look; whether something was issued, so that the next one follows at once.
    fn look(
        &mut self,
        context: &mut Context,
        minter: &mut Minter,
        ledger: &mut Ledger,
        stop: &Stop,
    ) -> Result<bool, CliError> {
        let asked = context.now();
        let landed = minter.follow(context, ledger)?;
        self.fresh = asked;
        for made in &landed {
            self.issued(context, ledger, made)?;
        }
        self.tell_voids(context, ledger)?;
        let mints = minter.mints(context, ledger)?;
        if mints.is_empty() && self.mints.is_none() {
            return Err(may_not(minter));
        }
        self.tell_right(context, minter, &mints)?;
        // What rests is not asked: nobody is to be shown the same question every few seconds.
        let now = Instant::now();
        let state = ledger.state();
        // Live, too: of a case in two environments, one may be issued.
        let is_open = |case: &Case| {
            matches!(state.case_state(case, asked), CaseState::Approved | CaseState::Pending | CaseState::Live)
        };
        self.rests.retain(|rests, _| match rests {
            Rests::Key(environment) => mints.contains(environment),
            Rests::Case(case, _) => state.case(case).is_some_and(is_open),
        });
        let resting = |case: CaseId, environment: &Name| {
            let rests = [Rests::Key(environment.clone()), Rests::Case(case, environment.clone())];
            rests.iter().any(|rests| self.rests.get(rests).is_some_and(|rest| now < rest.until))
        };
        let round = minter.round(context, ledger, &mints, &resting, &|| stop.is_asked())?;
        for made in &round.issued {
            self.issued(context, ledger, made)?;
        }
        let any = !round.issued.is_empty();
        self.tell_failures(context, &round)?;
        self.tell_held(context, &round)?;
        Ok(any)
    }

    /// The ledger and its remote are as they should be; the pause until the next look.
    fn is_well(&mut self, context: &mut Context, again: bool) -> Result<Duration, CliError> {
        if self.trouble.take().is_some() {
            self.event(context, "back", json!({}), || context.output.note("The ledger answers again."))?;
        }
        (self.failures, self.is_stale) = (0, false);
        // At once after an issuance: others may wait behind it. Each is a step forward, so this ends.
        if again { Ok(Duration::ZERO) } else { around(self.every, context.rng()) }
    }

    fn is_in_trouble(
        &mut self,
        context: &mut Context,
        ledger: &Ledger,
        error: &CliError,
    ) -> Result<Duration, CliError> {
        let line = error.line();
        if self.trouble.as_deref() != Some(&*line) {
            let fields = json!({ "error": line, "hint": error.hint_text(), "code": error.kind().exit_code() });
            self.event(context, "trouble", fields, || {
                context.output.warning(format!("nothing is minted: {line}"));
                if let Some(hint) = error.hint_text() {
                    context.output.hint(hint);
                }
            })?;
            self.trouble = Some(line);
        }
        let (staleness, now) = (ledger.policy().staleness, context.now());
        if !self.is_stale && now > self.fresh.plus(staleness) {
            self.is_stale = true;
            let fields = json!({ "since": self.fresh.to_string(), "staleness": staleness.to_string() });
            self.event(context, "stale", fields, || {
                context.output.warning(format!(
                    "the ledger was last seen {}, longer ago than its staleness of {staleness}: hosts that see no more than this one admit nobody",
                    self.fresh
                ));
            })?;
        }
        self.failures = self.failures.saturating_add(1);
        around(growing(self.every, self.failures, LONGEST), context.rng())
    }

    fn issued(&self, context: &Context, ledger: &Ledger, made: &Made) -> Result<(), CliError> {
        let (state, now) = (ledger.state(), context.now());
        if !context.output.is_json() {
            return context.output.print(&made_line(state, made, now));
        }
        let case = state.case(&made.case).map(|case| case_json(state, case, now));
        let fields = json!({ "issued": [case], "environment": made.environment.as_str(), "serial": made.serial,
            "ca": made.ca });
        self.event(context, "issued", fields, || {})
    }

    fn tell_voids(&mut self, context: &Context, ledger: &Ledger) -> Result<(), CliError> {
        let open: Vec<_> = ledger.state().voids().iter().filter(|void| !void.acknowledged).collect();
        let remedy = void::remedy(ledger.state(), context.now());
        for void in &open {
            if self.voids.insert(void.commit) {
                let fields = json!({ "commit": void.commit.to_string(), "position": void.position,
                    "code": void.fault.code.as_str(), "message": void.fault.message, "hint": remedy });
                self.event(context, "void", fields, || {
                    context.output.warning(format!(
                        "commit {} is void ({}: {}): only emergencies are minted until it is acknowledged",
                        void.commit, void.fault.code, void.fault.message
                    ));
                    if let Some(remedy) = &remedy {
                        context.output.hint(remedy);
                    }
                })?;
            }
        }
        let before = self.voids.len();
        self.voids.retain(|commit| open.iter().any(|void| void.commit == *commit));
        if before > 0 && self.voids.is_empty() {
            self.event(context, "acknowledged", json!({}), || {
                context.output.note("Every void commit is acknowledged: minting goes on.");
            })?;
        }
        Ok(())
    }

    fn tell_right(&mut self, context: &Context, minter: &Minter, mints: &[Name]) -> Result<(), CliError> {
        if self.mints.as_deref() == Some(mints) {
            return Ok(());
        }
        let names = || mints.iter().map(Name::as_str).collect::<Vec<_>>();
        if self.mints.is_some() || context.output.is_json() {
            self.event(context, "mints", json!({ "environments": names() }), || {
                if mints.is_empty() {
                    let name = minter.name();
                    context.output.warning(format!("the policy lets {name} mint nowhere any more: it waits"));
                    context.output.hint("jit policy show; stop this daemon if that is meant");
                } else {
                    context.output.note(format!("The policy lets {} mint in {}.", minter.name(), names().join(", ")));
                }
            })?;
        }
        self.mints = Some(mints.to_vec());
        Ok(())
    }

    fn tell_failures(&mut self, context: &mut Context, round: &Round) -> Result<(), CliError> {
        for made in &round.issued {
            self.rests.remove(&Rests::Key(made.environment.clone()));
            self.rests.remove(&Rests::Case(made.case, made.environment.clone()));
        }
        for failure in &round.failed {
            let (rests, longest) = if failure.is_key {
                (Rests::Key(failure.environment.clone()), LONGEST_FOR_KEYS)
            } else {
                (Rests::Case(failure.case, failure.environment.clone()), LONGEST)
            };
            let before = self.rests.remove(&rests);
            let tries = before.as_ref().map_or(1, |rest| rest.tries.saturating_add(1));
            let pause = around(growing(self.every, tries, longest), context.rng())?;
            let line = failure.error.line();
            if before.is_none_or(|rest| rest.told != line) {
                let fields = json!({ "case": failure.case.0.hex(), "id": failure.case.short(),
                    "environment": failure.environment.as_str(), "error": line, "hint": failure.error.hint_text() });
                self.event(context, "failed", fields, || {
                    context.output.warning(failure_line(failure));
                    if let Some(hint) = failure.error.hint_text() {
                        context.output.hint(hint);
                    }
                })?;
            }
            self.rests.insert(rests, Rest { tries, until: Instant::now() + pause, told: line });
        }
        Ok(())
    }

    fn tell_held(&mut self, context: &Context, round: &Round) -> Result<(), CliError> {
        for (case, line) in &round.held {
            if self.held.insert(*case) {
                let fields = json!({ "case": case.0.hex(), "id": case.short(), "lock": line });
                self.event(context, "held", fields, || {
                    context.output.warning(format!("{} is not minted (A04): {line}", case.short()));
                })?;
            }
        }
        self.held.retain(|known| round.held.iter().any(|(case, _)| case == known));
        Ok(())
    }

    /// Tells an event: as an object with `--json`, else as `text` does.
    fn event(&self, context: &Context, event: &str, mut fields: Value, text: impl FnOnce()) -> Result<(), CliError> {
        if !context.output.is_json() {
            text();
            return Ok(());
        }
        if let Some(object) = fields.as_object_mut() {
            object.insert("time".to_owned(), json!(context.now().to_string()));
            object.insert("event".to_owned(), json!(event));
        }
        context.output.print(&fields.to_string())
    }
}

/// A pause that doubles with each failure, from `first` to `longest` (or to `first`, where that is longer).
fn growing(first: Duration, failures: u32, longest: Duration) -> Duration {
    let factor = 1_u32.checked_shl(failures.saturating_sub(1).min(16)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest.max(first))
}

/// Between three quarters and five quarters of a pause: minters that were started together do not stay together.
fn around(pause: Duration, rng: &mut dyn Rng) -> Result<Duration, CliError> {
    let [low, high, ..] = rng.bytes16()?;
    let share = f64::from(u16::from_be_bytes([low, high])) / f64::from(u16::MAX);
    Ok(pause.mul_f64(0.75 + share / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        let seconds = |failures| growing(EVERY, failures, LONGEST).as_secs();
        assert_eq!([1, 2, 3, 4, 5, 6, 40, u32::MAX].map(seconds), [5, 10, 20, 40, 60, 60, 60, 60]);
        // Whoever looks every ten minutes is not made to look more often by a failure.
        assert_eq!(growing(Duration::from_secs(600), 3, LONGEST).as_secs(), 600);
    }

    #[test]
    fn pauses_vary_around_their_length() {
        struct Fixed(u8);
        impl Rng for Fixed {
            fn bytes16(&mut self) -> Result<[u8; 16], crate::ports::RngError> {
                Ok([self.0; 16])
            }
            fn bytes32(&mut self) -> Result<[u8; 32], crate::ports::RngError> {
                Ok([self.0; 32])
            }
        }
        let pause = |byte| around(Duration::from_secs(8), &mut Fixed(byte)).unwrap().as_secs_f64();
        assert!((pause(0) - 6.0).abs() < 1e-6 && (pause(255) - 10.0).abs() < 1e-6);
    }
}
