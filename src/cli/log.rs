//! `jit log`.

use serde_json::json;

use super::session::{Fresh, Session};
use super::{Context, Exit, Outcome};
use crate::domain::text::visible;

/// The history, one event a line, the newest first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the events of this case.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// At most so many events.
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub limit: Option<usize>,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let session = Session::open(context, Fresh::Try)?;
    let state = session.state();
    let only = args.case.as_deref().map(|named| session.case(named).map(|case| case.id())).transpose()?;
    let mut rows = Vec::new();
    for case in state.cases().filter(|case| only.is_none_or(|only| case.id() == only)) {
        let emergency = case.access().is_some_and(|access| access.request.emergency);
        let mark = if emergency { "  EMERGENCY" } else { "" };
        for event in case.events() {
            let line = format!(
                "{}  {}  {:<13} {:<10} {}{mark}",
                event.commit.short(),
                event.time,
                event.kind,
                event.actor,
                case.id().short()
            );
            let object = json!({ "kind": event.kind.as_str(), "id": event.digest.short(), "actor": event.actor.as_str(),
                "time": event.time.to_string(), "position": event.position, "commit": event.commit.to_string(),
                "case": case.id().0.hex(), "emergency": emergency });
            rows.push((event.position, line, object));
        }
    }
    for void in state.voids().iter().filter(|_| only.is_none()) {
        let line =
            format!("{}  {:<20}  void {}: {}", void.commit.short(), "", void.fault.code, visible(&void.fault.message));
        let object = json!({ "kind": "void", "commit": void.commit.to_string(), "position": void.position,
            "code": void.fault.code.as_str(), "message": void.fault.message, "acknowledged": void.acknowledged });
        rows.push((void.position, line, object));
    }
    rows.sort_by_key(|(position, ..)| std::cmp::Reverse(*position));
    for (_, line, object) in rows.iter().take(args.limit.unwrap_or(usize::MAX)) {
        context.output.result(|| object.clone(), || line.clone())?;
    }
    Ok(Exit::DONE)
}
