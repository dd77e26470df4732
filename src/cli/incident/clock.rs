//! `jit incident clock`.

use serde_json::json;

use super::super::audit::read::Reading;
use super::super::output::span;
use super::super::{Context, Exit, Outcome};
use super::found;
use crate::audit::incident::{Clock, clocks};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;

/// By when others must be told: 36 hours (12 CFR 53.3) and 72 hours (23 NYCRR 500.17(a)(1)).
///
/// Both clocks begin when your organisation has determined that there was such an incident. That is a person's judgement;
/// the ledger does not hold it, and nothing here decides whether the rules apply to you. Without --determined-at the
/// clocks are shown from the first event that names the incident, the earliest that they can have begun.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The incident, as it was written, such as INC-4711.
    #[arg(value_name = "INCIDENT")]
    pub incident: String,
    /// When it was determined that there was an incident.
    #[arg(long, value_name = "TIME", value_parser = super::super::args::time)]
    pub determined_at: Option<Timestamp>,
    /// Show the clocks as they stand at this time [default: now].
    #[arg(long, value_name = "TIME", value_parser = super::super::args::time)]
    pub at: Option<Timestamp>,
}

/// Runs the command.
///
/// # Errors
/// Where nothing names the incident, or the ledger cannot be checked.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let reading = Reading::open(context, args.at)?;
    let now = reading.ledger().now;
    let gathered = found(&reading, &args.incident)?;
    let first = gathered.entries.iter().filter_map(|entry| Some(entry.event()?.event.time)).min().unwrap_or(now);
    let from = args.determined_at.unwrap_or(first);
    let clocks = clocks(from, now);
    let quoted = format!("'{}'", args.incident.replace('\'', "'\\''"));
    context.output.result(
        || {
            let clock = |clock: &Clock| {
                json!({ "name": clock.duty.name, "rule": clock.duty.rule, "whom": clock.duty.whom,
                    "hours": clock.duty.hours, "by": clock.by.to_string(), "seconds_left": clock.left })
            };
            json!({ "incident": args.incident, "first_event": first.to_string(),
                "determined_at": args.determined_at.map(|time| time.to_string()), "from": from.to_string(),
                "at": now.to_string(), "clocks": clocks.iter().map(clock).collect::<Vec<_>>() })
        },
        || {
            let begun = match args.determined_at {
                Some(_) => "when it was determined, as --determined-at says",
                None => "the first event that names it: the clocks cannot have begun before",
            };
            let mut text = format!("{}: clocks from {from}\n    ({begun})\n", visible(&args.incident));
            for Clock { duty, by, left } in &clocks {
                let left = match u64::try_from(*left) {
                    Ok(left) => format!("{} left", span(left)),
                    Err(_) => format!("over, by {}", span(left.unsigned_abs())),
                };
                text.push_str(&format!(
                    "  {} h  {:<22} by {by}  {left}\n        tell {}\n",
                    duty.hours, duty.rule, duty.whom
                ));
            }
            text
        },
    )?;
    if args.determined_at.is_none() {
        context.output.hint(format!("jit incident clock {quoted} --determined-at TIME"));
    }
    Ok(Exit::DONE)
}
