//! `jit panic`.

use serde_json::json;

use super::turn::Turn;
use super::view::{case_json, locks};
use super::{Context, Exit, Outcome};
use crate::cli::output::{count, moment};
use crate::domain::event::LockScope;
use crate::domain::id::CaseId;
use crate::domain::state::State;
use crate::domain::state::case::{Case, Matter};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;

/// Lock the whole ledger, and say on one screen what to do next.
///
/// Where the ledger is locked already, nothing is signed and the screen is shown.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Why. A few words are enough.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The incident, where there is one.
    #[arg(long, value_name = "INCIDENT")]
    pub incident: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// As `jit lock`.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let standing = turn.session.state().locks().find(|(_, scope)| **scope == LockScope::Ledger);
    let id = match standing.map(|(case, _)| case.id()) {
        Some(id) => {
            context.output.note("The ledger is locked already: nothing was signed.");
            id
        }
        None => {
            super::lock::may_lock(context, &turn)?;
            super::lock::set(context, &mut turn, LockScope::Ledger, args.reason, args.incident)?
        }
    };
    show(context, &turn, id)
}

fn show(context: &Context, turn: &Turn, id: CaseId) -> Outcome {
    let case = turn.session.known(id)?;
    let (state, now) = (turn.session.state(), context.now());
    let stopped = locks::Stopped::by(state, &LockScope::Ledger, now);
    let object = || {
        let mut object = case_json(state, case, now);
        if let Some(fields) = object.as_object_mut() {
            let ids = |cases: &[&Case]| cases.iter().map(|case| case.id().short()).collect::<Vec<_>>();
            let end = stopped.last_end.map(|time| time.to_string());
            let told = json!({ "live": ids(&stopped.live), "sessions": stopped.sessions, "waiting": ids(&stopped.waiting),
                "last_credential_ends": end });
            fields.insert("stopped".to_owned(), told);
        }
        object
    };
    context.output.result(object, || screen(context, state, case, &stopped, now))?;
    Ok(Exit::DONE)
}

/// What somebody needs who was woken up: 80 columns, 24 lines.
fn screen(context: &Context, state: &State, case: &Case, stopped: &locks::Stopped<'_>, now: Timestamp) -> String {
    let out = &context.output;
    let id = case.id().short();
    let mut text = format!(
        "{}  case {id}, by {}, {}\n",
        out.red("THE LEDGER IS LOCKED"),
        case.actor(),
        moment(case.opened(), now)
    );
    if let Matter::Lock(locked) = case.matter() {
        text.push_str(&format!("  {}\n", visible(&locked.reason).replace('\n', " ")));
    }
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let live = count(number(stopped.live.len()), "live case");
    let sessions = count(number(stopped.sessions), "open session");
    text.push_str(&format!("\n{}\n", out.bold("Stopped")));
    text.push_str(&format!(
        "  Nothing is minted, emergencies too; {} held.\n",
        count(number(stopped.waiting.len()), "request")
    ));
    text.push_str(&format!("  {live}, {sessions}: hosts end them within 2 s of hearing of it.\n"));
    if let Some(end) = stopped.last_end {
        text.push_str(&format!("  A host that hears nothing ends the last one at {}.\n", moment(end, now)));
    }
    text.push_str("  Not stopped: logins that jit does not serve.\n");
    let mut part = |title: &str, lines: &[(String, &str)]| {
        text.push_str(&format!("\n{}\n", out.bold(title)));
        for (command, does) in lines {
            text.push_str(&format!("  {}  {does}\n", out.cyan(&format!("{command:<46}"))));
        }
    };
    let example = stopped.live.first().map_or_else(|| "CASE".to_owned(), |case| case.id().short());
    part(
        "Look",
        &[
            ("jit list --state live".to_owned(), "what was open"),
            (format!("jit show {example}"), "who, from where, has it ended"),
            ("jit host status".to_owned(), "on a server: did it hear of it"),
        ],
    );
    part(
        "Keep the evidence",
        &[
            (format!("git bundle create {id}.bundle main"), "the whole ledger in one file"),
            ("jit verify".to_owned(), "is the history what it was"),
            (format!("jit play {example}"), "what was done in a session"),
        ],
    );
    let lifts = state.policy().map_or_else(String::new, |policy| locks::who_lifts(policy));
    part("When it is over", &[(format!("jit unlock {id} --reason \"why\""), &*lifts)]);
    text
}
