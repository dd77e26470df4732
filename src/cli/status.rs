//! `jit status`.

use serde_json::{Value, json};

use super::session::{Fresh, Person, Session};
use super::turn::Turn;
use super::view::case_json;
use super::{Context, Exit, Outcome};
use crate::domain::id::CaseId;
use crate::domain::state::case::{Case, CaseState};

/// What waits for you, what is live and for how long.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked.
pub fn run(context: &mut Context, _: Args) -> Outcome {
    let session = Session::open(context, Fresh::Try)?;
    let waiting = session.waiting()?.len();
    let policy = session.policy().clone();
    // Without a key that the policy knows, there is still something to see.
    let (session, mine) = match Person::of(context, &policy) {
        Ok(person) => {
            let turn = Turn { session, person };
            let mine = super::approve::waiting_for_me(context, &turn);
            (turn.session, mine)
        }
        Err(error) => {
            context.output.detail(error.message());
            (session, Vec::new())
        }
    };
    let (state, now) = (session.state(), context.now());
    let in_state = |wanted: &[CaseState]| -> Vec<&Case> {
        state.cases().filter(|case| case.position() > 0 && wanted.contains(&state.case_state(case, now))).collect()
    };
    let for_me: Vec<&Case> = mine.iter().filter_map(|id: &CaseId| state.case(id)).collect();
    let groups = [
        ("Waiting for you", "waiting_for_me", for_me),
        ("Live", "live", in_state(&[CaseState::Live])),
        ("Pending", "pending", in_state(&[CaseState::Pending, CaseState::Approved])),
        ("Review due", "review_due", in_state(&[CaseState::ReviewDue])),
        ("Locked", "locked", in_state(&[CaseState::Locked])),
    ];
    let voids = state.voids().iter().filter(|void| !void.acknowledged).count();
    if context.output.is_json() {
        let mut object = json!({ "ledger": state.ledger().map(|id| id.to_string()), "name": state.name(), "size": state.size(),
            "open_voids": voids, "outbox": waiting });
        if let Some(fields) = object.as_object_mut() {
            for (_, field, cases) in &groups {
                let cases: Vec<Value> = cases.iter().map(|case| case_json(state, case, now)).collect();
                fields.insert((*field).to_owned(), Value::from(cases));
            }
        }
        context.output.print(&object.to_string())?;
        return Ok(Exit::DONE);
    }
    // First of all: whoever sees nothing else sees that something is stopped.
    if let Some(banner) = super::view::locks::banner(&context.output, state, now) {
        context.output.print(&banner)?;
    }
    context.output.print(&format!(
        "{}: {}, verified",
        context.output.bold(state.name()),
        super::output::count(state.size(), "event")
    ))?;
    let below = |field: &str, cases: &[&Case]| !cases.is_empty() && field != "locked";
    for (title, _, cases) in groups.iter().filter(|(_, field, cases)| below(field, cases)) {
        context.output.print(&format!("\n{}", context.output.bold(title)))?;
        context.output.print(&super::list::table(context, state, cases, now))?;
    }
    if groups.iter().all(|(_, _, cases)| cases.is_empty()) {
        context.output.print("Nothing is open.")?;
        context.output.hint("jit request asks for access");
    }
    if voids > 0 {
        let voids = super::output::count(u64::try_from(voids).unwrap_or(u64::MAX), "void commit");
        context.output.warning(format!("not acknowledged by the root members: {voids} (jit verify)"));
    }
    if waiting > 0 {
        context.output.warning(format!("{waiting} signed events wait in the outbox: jit sync"));
    }
    if let Some(first) = mine.first() {
        context.output.hint(format!("jit approve {}", first.short()));
    }
    Ok(Exit::DONE)
}
