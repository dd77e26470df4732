//! `jit watch`: what waits, what is open, who is in, as it happens. On a screen, in plain lines, or as JSON; acting from the view
//! runs the usual commands. What is to be seen is the room `monitor`'s, this one says and draws it.

use std::time::Duration;

use super::{Context, Outcome};
use crate::domain::time::Ttl;
use feed::Feed;
use stop::Stop;

mod act;
mod draw;
mod feed;
mod front;
mod keys;
mod lines;
mod screen;
mod stop;
mod view;
mod words;

/// Watch what is pending, live, locked and due, as it happens.
///
/// A full screen at a terminal, with keys to open, approve, deny, revoke, review and lock, and to follow a session; each runs the
/// usual command, which shows what it signs and asks. Without a terminal, or with --json, one JSON line an event.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How often to fetch the remote. One on this machine is fetched as soon as it moves.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = super::args::ttl)]
    pub every: Ttl,
    /// For a screen reader: the whole view as text, then one line a change; the cursor stays where it is.
    #[arg(long, conflicts_with = "json")]
    pub plain: bool,
    /// With JSON, begin with the event at this position [default: the next one that comes].
    #[arg(long, value_name = "POSITION", conflicts_with = "plain")]
    pub since: Option<u64>,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be verified, or was rewritten (exit 5).
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let store = context.store()?;
    let program = context.git();
    let environment = &context.environment;
    let terminal = environment.stdin_is_terminal && environment.stdout_is_terminal;
    let dumb = environment.variable("TERM").is_some_and(|term| term == "dumb");
    let json = context.output.is_json() || args.since.is_some() || (!terminal && !args.plain);
    let every = Duration::from_secs(args.every.seconds());
    let (mut feed, latest) = Feed::open(context, &store, &program, every, args.since)?;
    // From here on a signal is noted: the terminal is put right before the process ends.
    let stop = Stop::watch(!json && !args.plain && !dumb)?;
    if json {
        let first = if args.since.is_some() { latest } else { Vec::new() };
        return lines::json(context, &mut feed, first, &stop);
    }
    let me = feed.state().policy().and_then(|policy| context.who(policy).ok());
    if args.plain || dumb {
        return lines::plain(context, &mut feed, me.as_ref(), &stop);
    }
    front::run(context, &mut feed, &latest, me, &stop)
}
