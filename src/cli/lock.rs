//! `jit lock`.

use super::error::CliError;
use super::turn::{Turn, reason};
use super::view::{case_json, locks, next_step};
use super::{Context, Exit, Outcome};
use crate::domain::event::{Body, Lock, LockScope};
use crate::domain::finding::Code;
use crate::domain::id::{CaseId, Name};
use crate::domain::policy::{Class, Policy};
use crate::domain::state::State;

/// Stop a member, a target, an environment or the whole ledger at once.
///
/// Hosts end the sessions under it within seconds of the push, its credentials open nothing any more, and nothing is
/// minted until root members lift it with `jit unlock`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to stop: member:NAME, target:NAME, environment:NAME or ledger. Without one, a list to choose from.
    #[arg(value_name = "SCOPE", value_parser = super::args::scope)]
    pub scope: Option<LockScope>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The incident, where there is one.
    #[arg(long, value_name = "INCIDENT")]
    pub incident: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Refused where the policy does not let whoever acts lock (A12), or nothing has that name; cancelled where the answer
/// is no.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    may_lock(context, &turn)?;
    let scope = match args.scope {
        Some(scope) => scope,
        None => choose(context, &turn)?,
    };
    let id = set(context, &mut turn, scope.clone(), args.reason, args.incident)?;
    let case = turn.session.known(id)?;
    let (state, now) = (turn.session.state(), context.now());
    context.output.result(
        || case_json(state, case, now),
        || format!("Locked {scope} (case {}): {}", id.short(), locks::Stopped::by(state, &scope, now)),
    )?;
    next_step(&context.output, state, case, now);
    Ok(Exit::DONE)
}

/// A12: asked before anybody is asked for anything.
///
/// # Errors
/// Refused, with who may.
pub(super) fn may_lock(context: &mut Context, turn: &Turn) -> Result<(), CliError> {
    let probe = Lock { scope: LockScope::Ledger, reason: "asked".to_owned(), incident: None };
    let intent = turn.intent(None, Body::Lock(probe));
    turn.session.ask(context, &intent, &*turn.person.signer).map_err(|error| {
        if error.broken_rule() != Some(Code::A12) {
            return error;
        }
        let policy = turn.session.policy();
        CliError::refused(format!("{} may not lock", turn.person.name))
            .rule(Code::A12)
            .hint(format!("ask one of those who may: {}", who_may(policy)))
    })
}

/// Shows what a lock would stop, asks, signs and appends it.
///
/// # Errors
/// As [`run`].
pub(super) fn set(
    context: &mut Context,
    turn: &mut Turn,
    scope: LockScope,
    why: Option<String>,
    incident: Option<String>,
) -> Result<CaseId, CliError> {
    is_known(turn.session.state(), turn.session.policy(), &scope)?;
    let now = context.now();
    for (lock, _) in turn.session.state().locks().filter(|(_, standing)| **standing == scope) {
        let warning = format!(
            "{scope} is locked already, by {} (case {}): each lock is lifted by itself",
            lock.actor(),
            lock.id().short()
        );
        context.output.warning(warning);
    }
    let why = reason(context, "--reason", "Why?", why)?;
    let summary = format!(
        "{}{}",
        locks::lock_text(&scope, &why, incident.as_deref()),
        locks::stops_text(turn.session.state(), &scope, now)
    );
    let intent = turn.intent(None, Body::Lock(Lock { scope: scope.clone(), reason: why, incident }));
    let waiting = turn.session.waiting()?.len();
    turn.say(context, &intent, &summary).map_err(|error| {
        // Signed, but the remote did not take it: nobody must think that it holds already.
        let kept = turn.session.waiting().is_ok_and(|now| now.len() > waiting);
        if kept { error.context(format!("{scope} is NOT locked yet: no server has heard of it")) } else { error }
    })
}

/// The groups that may lock with who is in them, and the services.
fn who_may(policy: &Policy) -> String {
    let groups = policy.lock.iter().map(|group| {
        let names: Vec<&str> = policy.members_of(group).map(Name::as_str).collect();
        format!("{group} ({})", names.join(", "))
    });
    let services = policy.actors.iter().filter(|(_, actor)| matches!(actor.class, Class::Service { .. }));
    groups.chain(services.map(|(name, _)| format!("service {name}"))).collect::<Vec<_>>().join(", ")
}

/// One of everything that can be locked.
fn choose(context: &Context, turn: &Turn) -> Result<LockScope, CliError> {
    if !context.prompt().is_available() {
        return Err(CliError::usage("SCOPE is needed: there is no terminal to ask")
            .hint("jit lock member:NAME|target:NAME|environment:NAME|ledger --reason \"why\""));
    }
    let policy = turn.session.policy();
    let members = policy.actors.keys().filter(|name| policy.is_member(name)).cloned().map(LockScope::Member);
    let scopes: Vec<LockScope> = std::iter::once(LockScope::Ledger)
        .chain(policy.environments.keys().cloned().map(LockScope::Environment))
        .chain(policy.targets.keys().cloned().map(LockScope::Target))
        .chain(members)
        .collect();
    let (state, now) = (turn.session.state(), context.now());
    let lines: Vec<String> =
        scopes.iter().map(|scope| format!("{scope}  ({})", locks::Stopped::by(state, scope, now))).collect();
    let at = context.prompt().select("SCOPE", "Stop what?", &lines)?;
    scopes.get(at).cloned().ok_or_else(CliError::cancelled)
}

/// A lock of a name that nothing has stops nothing: whoever mistypes must not believe otherwise. What the policy has no
/// more, but a case still names, can be locked.
fn is_known(state: &State, policy: &Policy, scope: &LockScope) -> Result<(), CliError> {
    let mut accesses = state.cases().filter_map(|case| case.access());
    let (known, what, names): (bool, &str, Vec<&Name>) = match scope {
        LockScope::Ledger => return Ok(()),
        LockScope::Member(name) => (
            policy.is_member(name) || accesses.any(|access| access.actor == *name),
            "member",
            policy.actors.keys().filter(|name| policy.is_member(name)).collect(),
        ),
        LockScope::Target(name) => (
            policy.targets.contains_key(name)
                || accesses.any(|access| access.request.targets.iter().any(|role| role.target == *name)),
            "target",
            policy.targets.keys().collect(),
        ),
        LockScope::Environment(name) => (
            policy.environments.contains_key(name)
                || accesses.any(|access| access.issued.iter().any(|issued| issued.environment == *name)),
            "environment",
            policy.environments.keys().collect(),
        ),
    };
    if known {
        return Ok(());
    }
    let names: Vec<&str> = names.into_iter().map(Name::as_str).collect();
    Err(CliError::refused(format!("{scope} is unknown: nothing would be locked"))
        .hint(format!("the policy has {what} {}", names.join(", "))))
}
