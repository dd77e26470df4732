//! `jit status`.

use serde_json::{Value, json};

use super::session::{Fresh, Person, Session};
use super::turn::Turn;
use super::view::{case_json, emergency, window};
use super::{Context, Exit, Outcome};
use crate::domain::id::{CaseId, Name};
use crate::domain::state::State;
use crate::domain::state::case::{Case, CaseState};
use crate::domain::time::Timestamp;

/// What waits for you, what is live and for how long.
///
/// Emergencies come first, for everybody, until they are reviewed. Exits with 4 while the review of one is overdue.
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
    let (session, me, mine) = match Person::of(context, &policy) {
        Ok(person) => {
            let me = person.name.clone();
            let turn = Turn { session, person };
            let mine = super::approve::waiting_for_me(context, &turn);
            (turn.session, Some(me), mine)
        }
        Err(error) => {
            context.output.detail(error.message());
            (session, None, Vec::new())
        }
    };
    let (state, now) = (session.state(), context.now());
    let in_state = |wanted: &[CaseState]| -> Vec<&Case> {
        state.awake(now).filter(|case| case.position() > 0 && wanted.contains(&state.case_state(case, now))).collect()
    };
    let for_me: Vec<&Case> = mine.iter().filter_map(|id: &CaseId| state.case(id)).collect();
    let emergencies = emergency::open(state, now);
    let overdue = emergencies.iter().filter(|case| emergency::is_overdue(state, case, now)).count();
    let exit = if overdue > 0 { Exit::FINDINGS } else { Exit::DONE };
    let to_review = to_review(state, me.as_ref(), now);
    let groups = [
        ("Emergencies", "emergencies", emergencies),
        ("To be reviewed by you", "to_review", to_review.clone()),
        ("Waiting for you", "waiting_for_me", for_me),
        ("Live", "live", in_state(&[CaseState::Live])),
        ("Pending", "pending", in_state(&[CaseState::Pending, CaseState::Approved])),
        ("Review due", "review_due", in_state(&[CaseState::ReviewDue])),
        ("Locked", "locked", in_state(&[CaseState::Locked])),
    ];
    let voids = state.voids().iter().filter(|void| !void.acknowledged).count();
    if context.output.is_json() {
        let mut object = json!({ "ledger": state.ledger().map(|id| id.to_string()), "name": state.name(), "size": state.size(),
            "open_voids": voids, "overdue_emergencies": overdue, "outbox": waiting });
        if let Some(fields) = object.as_object_mut() {
            for (_, field, cases) in &groups {
                let cases: Vec<Value> = cases.iter().map(|case| case_json(state, case, now)).collect();
                fields.insert((*field).to_owned(), Value::from(cases));
            }
        }
        context.output.print(&object.to_string())?;
        return Ok(exit);
    }
    // First of all: whoever sees nothing else sees that something is stopped, or was opened before anybody agreed.
    if let Some(banner) = super::view::locks::banner(&context.output, state, now) {
        context.output.print(&banner)?;
    }
    context.output.print(&emergency::banner(&context.output, state, me.as_ref(), now))?;
    context.output.print(&format!(
        "{}: {}, verified",
        context.output.bold(state.name()),
        super::output::count(state.size(), "event")
    ))?;
    // What a banner has said already is not listed once more.
    let below = |field: &str, cases: &[&Case]| !cases.is_empty() && !["locked", "emergencies"].contains(&field);
    for (title, _, cases) in groups.iter().filter(|(_, field, cases)| below(field, cases)) {
        context.output.print(&format!("\n{}", context.output.bold(title)))?;
        context.output.print(&super::list::table(context, state, cases, now))?;
    }
    if groups.iter().all(|(_, _, cases)| cases.is_empty()) {
        context.output.print("Nothing is open.")?;
        context.output.hint("jit request asks for access");
    }
    if voids > 0 {
        let voids = super::output::count(voids, "void commit");
        context.output.warning(format!("not acknowledged by the root members: {voids} (jit verify)"));
    }
    if waiting > 0 {
        context.output.warning(format!("{waiting} signed events wait in the outbox: jit sync"));
    }
    if let Some(me) = &me {
        for case in state.awake(now) {
            window::warn(&context.output, state, case, me, now);
        }
    }
    if let Some(first) = to_review.first() {
        context.output.hint(format!("jit review {}", first.id().short()));
    }
    if let Some(first) = mine.first() {
        context.output.hint(format!("jit approve {}", first.short()));
    }
    Ok(exit)
}

/// The cases that have ended and that `me` can still review: emergencies first, then the one that is due first.
fn to_review<'s>(state: &'s State, me: Option<&Name>, now: Timestamp) -> Vec<&'s Case> {
    let Some((me, policy)) = me.zip(state.policy()) else { return Vec::new() };
    let mut found: Vec<(bool, Option<Timestamp>, &Case)> = Vec::new();
    for case in state.awake(now).filter(|case| state.case_state(case, now) == CaseState::ReviewDue) {
        let Some(access) = case.access() else { continue };
        if let Some(owed) = emergency::owed(policy, access, now).filter(|owed| owed.is_for(me)) {
            found.push((!access.request.emergency, owed.due, case));
        }
    }
    found.sort_by_key(|(ordinary, due, _)| (*ordinary, *due));
    found.into_iter().map(|(_, _, case)| case).collect()
}
