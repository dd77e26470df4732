//! `jit fold`: takes what waits in the inbox onto main, once or as a daemon. On the bare repository that people push to it
//! works on that; in a clone, on the remote. What is judged and in which order is in `ledger::inbox`.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::context::{Environment, Freshness, Ledger};
use super::error::{CliError, ErrorKind};
use super::mint::stop::Stop;
use super::output::count;
use super::{Context, Exit, Outcome};
use crate::domain::policy::Append;
use crate::domain::text::visible;
use crate::domain::time::Ttl;
use crate::git::LocalInbox;
use crate::ledger::inbox::Taken;

/// How often --watch looks, where nothing else is said: once a second.
const INTERVAL: Duration = Duration::from_secs(1);
/// For how long another one that folds is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Take what waits in the inbox onto main, where the policy says append = "inbox".
///
/// With many writers at once, each leaves its signed events in the inbox (refs/jit/inbox/ of the remote), where nobody is
/// in anybody's way; this verifies them and appends them in order, and answers what a rule refuses. A bare repository with
/// `jit hook install` does it at each push. Elsewhere CI or a service runs this, in a clone that may push to main.
/// It may be killed at any moment, and run twice at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Go on until SIGTERM or Ctrl-C. With --json: one object a round that did something.
    #[arg(long)]
    pub watch: bool,
    /// How often --watch looks [default: 1s].
    #[arg(long, value_name = "DURATION", value_parser = super::args::ttl, requires = "watch")]
    pub interval: Option<Ttl>,
}

/// Runs the command.
///
/// # Errors
/// Where the inbox or the ledger cannot be read or written. With `--watch`: only a history that was rewritten (exit 5), and
/// what stands in the way from the beginning.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut ledger = context.ledger(Freshness::Local)?;
    if !args.watch {
        let taken = whole(context, &mut ledger)?;
        tell(context, &ledger, &taken, true)?;
        return Ok(Exit::DONE);
    }
    let mut stop = Stop::listen()?;
    let interval = args.interval.map_or(INTERVAL, |interval| Duration::from_secs(interval.seconds()));
    let mut failing = false;
    loop {
        match whole(context, &mut ledger) {
            Ok(taken) => {
                failing = false;
                if !taken.is_nothing() {
                    tell(context, &ledger, &taken, false)?;
                }
            }
            Err(error) if error.kind() == ErrorKind::Stale => return Err(error),
            Err(error) => {
                if !failing {
                    context.output.warning(error.line());
                }
                failing = true;
            }
        }
        if stop.wait(interval) {
            return Ok(Exit::DONE);
        }
    }
}

/// Rounds until nothing is left.
fn whole(context: &mut Context, ledger: &mut Ledger) -> Result<Taken, CliError> {
    let is_own = ledger.remote()?.is_none();
    let mut all = Taken::default();
    loop {
        let taken = {
            let _turn = if is_own { Some(turn(ledger)?) } else { None };
            let Environment { rng, clock, .. } = &mut context.environment;
            ledger.take_in(&mut **rng, &**clock)?
        };
        ledger.pin(&context.output);
        ledger.tell_left_alone(&context.output);
        ledger.tell_behind(taken.behind.as_deref(), &context.output);
        let goes_on = taken.more && !(taken.landed.is_empty() && taken.refused.is_empty() && taken.known == 0);
        all.landed.extend(taken.landed);
        all.refused.extend(taken.refused);
        all.unread.extend(taken.unread);
        all.known += taken.known;
        all.swept += taken.swept;
        if !goes_on {
            return Ok(all);
        }
    }
}

/// The hooks of pushes take turns with this.
fn turn(ledger: &Ledger) -> Result<crate::git::WriterLock, CliError> {
    let began = Instant::now();
    loop {
        match LocalInbox(ledger.store()).turn()? {
            Some(turn) => return Ok(turn),
            None if began.elapsed() < PATIENCE => sleep(Duration::from_millis(15)),
            None => {
                return Err(CliError::failed("another process has been emptying this inbox for a minute")
                    .hint("wait for it, or end it: nothing is lost; then: jit fold"));
            }
        }
    }
}

fn tell(context: &Context, ledger: &Ledger, taken: &Taken, always: bool) -> Result<(), CliError> {
    for (name, why) in &taken.unread {
        context.output.warning(format!("{name} in the inbox cannot be taken in and stays there: {}", visible(why)));
    }
    let head = ledger.replay().head().map(|head| head.to_string());
    context.output.result(
        || {
            json!({
                "landed": taken.landed.iter().map(|landed| json!({
                    "event": landed.event.to_string(), "case": landed.case.0.hex(), "id": landed.case.short(),
                    "kind": landed.kind.to_string(), "actor": landed.actor.as_str(), "commit": landed.commit.to_string(),
                })).collect::<Vec<Value>>(),
                "refused": taken.refused.iter().map(|(name, fault)| json!({
                    "name": name, "rule": fault.code.as_str(), "message": fault.message,
                })).collect::<Vec<Value>>(),
                "known": taken.known, "unread": taken.unread.len(), "swept": taken.swept, "head": head,
            })
        },
        || {
            let landed = taken.landed.iter().map(|landed| {
                format!("Took in {} {} of {}", landed.kind, landed.event.short(), landed.actor)
            });
            let refused = taken.refused.iter().map(|(name, fault)| {
                let name: String = visible(name).chars().take(64).collect();
                format!("Refused {name}: {} ({})", visible(&fault.message), fault.code)
            });
            let mut lines: Vec<String> = landed.chain(refused).collect();
            if taken.known > 0 {
                lines.push(format!("{} settled already", count(taken.known, "event")));
            }
            if taken.swept > 0 {
                lines.push(format!("{} older than a day taken away", count(taken.swept, "answer")));
            }
            if lines.is_empty() && always {
                lines.push(match ledger.policy().append {
                    Append::Inbox => "Nothing waits in the inbox.".to_owned(),
                    Append::Direct => {
                        "Nothing waits in the inbox: the policy does not say append = \"inbox\".".to_owned()
                    }
                });
            }
            lines.join("\n")
        },
    )
}
