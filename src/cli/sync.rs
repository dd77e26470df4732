//! `jit sync`: the clone and its remote in step.

use serde_json::json;

use super::context::Freshness;
use super::error::CliError;
use super::{Context, Exit, Outcome};

/// Fetch from the remote, verify what came, and deliver what still waits here.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Fetches, verifies, delivers.
///
/// # Errors
/// Where the remote cannot be asked or rewrote history (exit 5), or something still waits.
pub fn run(context: &mut Context, _args: Args) -> Outcome {
    let mut ledger = context.ledger(Freshness::Local)?;
    let before = ledger.state().size();
    let remote = ledger.remote()?;
    let environment = &mut context.environment;
    let mut delivered = 0;
    let mut published = false;
    if remote.is_some() {
        published = ledger.publish()?;
        delivered = ledger.refresh(&mut *environment.rng, &*environment.clock, &context.output)?;
    }
    ledger.tell_left_alone(&context.output);
    let waiting = ledger.waiting()?;
    let replay = ledger.replay();
    let head = replay.head().map(|head| head.to_string());
    let size = ledger.state().size();
    let fetched = size.saturating_sub(before);
    let events = if size == 1 { "event" } else { "events" };
    let object = || {
        json!({
            "ledger": ledger.state().ledger().map(|id| id.to_string()),
            "head": head,
            "size": size,
            "root": replay.root().to_string(),
            "fetched": fetched,
            "delivered": delivered,
            "waiting": waiting,
        })
    };
    let text = || match &remote {
        None => "This ledger has no remote: there is nothing to fetch.".to_owned(),
        Some(name) if published => format!("{name} was empty: the whole ledger was pushed ({size} {events})"),
        Some(name) => format!("In step with {name}: {size} {events}, {fetched} new, {delivered} delivered"),
    };
    if waiting.is_empty() {
        context.output.result(object, text)?;
        return Ok(Exit::DONE);
    }
    let count = waiting.len();
    Err(CliError::failed(format!("{count} signed events still wait in the outbox: {}", waiting.join(", ")))
        .hint("mend what is named above, then: jit sync"))
}
