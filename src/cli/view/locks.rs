//! Locks as people see them: which one stands on an access, what it stops, who may lift it. Imports domain.

use serde_json::{Value, json};

use super::{Lines, standing, subject};
use crate::cli::error::CliError;
use crate::cli::output::{Output, clock, count, moment, relative};
use crate::domain::event::LockScope;
use crate::domain::finding::Code;
use crate::domain::id::{CaseId, Name};
use crate::domain::policy::{Missing, Policy};
use crate::domain::state::State;
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, CaseState, Locked, Matter};
use crate::domain::time::Timestamp;

/// How many cases are named one by one.
const NAMED: usize = 8;

/// The lock that stands on an access which could still open something: the first of them.
pub fn on<'s>(state: &'s State, case: &Case, access: &Access, now: Timestamp) -> Option<(&'s Case, &'s Locked)> {
    let open = matches!(state.case_state(case, now), CaseState::Live | CaseState::Approved | CaseState::Pending);
    covering(state, access).filter(|_| open)
}

/// The first lock that stands on an access, whatever its state.
pub fn covering<'s>(state: &'s State, access: &Access) -> Option<(&'s Case, &'s Locked)> {
    let (lock, _) = state.lock_on(access)?;
    match lock.matter() {
        Matter::Lock(locked) => Some((lock, locked)),
        _ => None,
    }
}

/// The `locked` of the case object.
pub fn on_json(state: &State, case: &Case, access: &Access, now: Timestamp) -> Value {
    match on(state, case, access, now) {
        Some((lock, locked)) => json!({ "case": lock.id().0.hex(), "id": lock.id().short(),
            "scope": locked.scope.to_string(), "reason": locked.reason }),
        None => Value::Null,
    }
}

/// Root members who are missing for a quorum of the present policy, `people` having agreed; `None` where it is met.
pub fn missing_roots<'n>(policy: &Policy, people: impl Iterator<Item = &'n Name>) -> Option<Missing> {
    let people: std::collections::BTreeSet<&Name> = people.collect();
    let agreed = policy.root.members.iter().filter(|name| people.contains(name)).count();
    let count = policy.root.threshold.checked_sub(agreed).filter(|count| *count > 0)?;
    let mut candidates: Vec<Name> = policy.root.members.iter().filter(|name| !people.contains(name)).cloned().collect();
    candidates.sort();
    Some(Missing { group: "root".parse().ok()?, count, candidates })
}

/// `2 of root (raj, rita)`.
pub fn who_lifts(policy: &Policy) -> String {
    let mut names: Vec<&str> = policy.root.members.iter().map(Name::as_str).collect();
    names.sort_unstable();
    format!("{} of root ({})", policy.root.threshold, names.join(", "))
}

/// One line: what is locked, since when, by whom, why, in which case, and who may lift it.
pub fn line(state: &State, lock: &Case, locked: &Locked, now: Timestamp) -> String {
    let lifts = state.policy().map_or_else(String::new, |policy| format!("; lifted by {}", who_lifts(policy)));
    let incident = locked.incident.as_ref().map_or_else(String::new, |incident| format!(" [{incident}]"));
    format!(
        "{} is locked since {} ({}) by {}: {}{incident} (case {}{lifts})",
        locked.scope,
        clock(lock.opened(), now),
        relative(lock.opened(), now),
        lock.actor(),
        locked.reason.replace('\n', " "),
        lock.id().short(),
    )
}

/// Why something is refused while a lock stands, and how that ends (A04).
pub fn refusal(state: &State, lock: &Case, locked: &Locked, now: Timestamp) -> CliError {
    CliError::refused(line(state, lock, locked, now))
        .rule(Code::A04)
        .hint(format!("jit unlock {} --reason \"why\"", lock.id().short()))
}

/// The standing locks, for the top of a screen; `None` where there are none.
pub fn banner(output: &Output, state: &State, now: Timestamp) -> Option<String> {
    let mut text = String::new();
    for (case, _) in state.locks() {
        let Matter::Lock(locked) = case.matter() else { continue };
        let mut lines = Lines(String::new());
        lines.put("Since", &format!("{}, by {}", moment(case.opened(), now), case.actor()));
        lines.put("Why", &locked.reason);
        lines.optional("Incident", locked.incident.as_deref());
        let stopped = Stopped::by(state, &locked.scope, now);
        lines.put("Stops", &stopped.to_string());
        lines.put("Lift it", &format!("jit unlock {} --reason \"why\"", case.id().short()));
        if let Some(policy) = state.policy() {
            lines.put("By", &who_lifts(policy));
        }
        let what = match &locked.scope {
            LockScope::Ledger => "LOCKED: the whole ledger".to_owned(),
            other => format!("LOCKED: {other}"),
        };
        text.push_str(&format!("{}\n{}\n", output.red(&what), lines.0));
    }
    (!text.is_empty()).then_some(text)
}

/// What a lock says.
pub fn lock_text(scope: &LockScope, reason: &str, incident: Option<&str>) -> String {
    let mut lines = Lines(String::new());
    lines.put("Locks", &scope.to_string());
    lines.put("Why", reason);
    lines.optional("Incident", incident);
    lines.0
}

/// What a lock of `scope` stops now, case by case, and who may lift it.
pub fn stops_text(state: &State, scope: &LockScope, now: Timestamp) -> String {
    let mut lines = Lines(String::new());
    let stopped = Stopped::by(state, scope, now);
    lines.put("Stops", &stopped.to_string());
    stopped.list(state, &mut lines, now);
    if let Some(policy) = state.policy() {
        lines.put("Lifted by", &who_lifts(policy));
    }
    lines.0
}

/// What lifting a lock does, in a line: `member:alice (case 7kq2…): 1 live case with …`.
pub fn lifts(state: &State, lock: &CaseId, now: Timestamp) -> String {
    match state.case(lock).map(Case::matter) {
        Some(Matter::Lock(locked)) => {
            let opens = Stopped::only_by(state, lock, &locked.scope, now);
            format!("{} (case {}); opens again: {opens}", locked.scope, lock.short())
        }
        _ => format!("case {}", lock.short()),
    }
}

/// What an unlock lifts: for whoever approves it.
pub fn lifts_text(state: &State, lock: &CaseId, now: Timestamp) -> String {
    let Some((case, Matter::Lock(locked))) = state.case(lock).map(|case| (case, case.matter())) else {
        return String::new();
    };
    let mut lines = Lines(String::new());
    let since = format!("{}, by {}", moment(case.opened(), now), case.actor());
    lines.put("Lifts", &format!("the lock of {} (case {})", locked.scope, lock.short()));
    lines.put("Locked since", &since);
    lines.put("Locked why", &locked.reason);
    lines.optional("Incident", locked.incident.as_deref());
    match locked.lifted {
        Some(time) => lines.put("Lifted", &format!("{} already", relative(time, now))),
        None => {
            let stopped = Stopped::only_by(state, lock, &locked.scope, now);
            lines.put("Opens again", &stopped.to_string());
            stopped.list(state, &mut lines, now);
            for (other, scope) in state.locks().filter(|(other, _)| other.id() != *lock) {
                lines.put("Stays locked", &format!("{scope} (case {})", other.id().short()));
            }
        }
    }
    lines.0
}

/// What a lock stops.
pub struct Stopped<'s> {
    /// Cases with a credential.
    pub live: Vec<&'s Case>,
    /// Sessions in them that no host has said the end of.
    pub sessions: usize,
    /// Cases that wait for people or the minter.
    pub waiting: Vec<&'s Case>,
    /// When the last of the credentials ends by itself.
    pub last_end: Option<Timestamp>,
}

impl<'s> Stopped<'s> {
    /// What a lock of `scope` stops at `now`.
    pub fn by(state: &'s State, scope: &LockScope, now: Timestamp) -> Self {
        Self::those(state, now, |access| state.covers(scope, access))
    }

    /// What the lock `id` of `scope` stops and no other one does: what opens again when it is lifted.
    pub fn only_by(state: &'s State, id: &CaseId, scope: &LockScope, now: Timestamp) -> Self {
        let others: Vec<&LockScope> =
            state.locks().filter(|(case, _)| case.id() != *id).map(|(_, scope)| scope).collect();
        Self::those(state, now, |access| {
            state.covers(scope, access) && !others.iter().any(|other| state.covers(other, access))
        })
    }

    fn those(state: &'s State, now: Timestamp, are: impl Fn(&Access) -> bool) -> Self {
        let mut stopped = Self { live: Vec::new(), sessions: 0, waiting: Vec::new(), last_end: None };
        for case in state.awake(now) {
            let Some(access) = case.access().filter(|access| are(access)) else { continue };
            match state.case_state(case, now) {
                CaseState::Live => {
                    stopped.live.push(case);
                    let open = access.sessions.iter().filter(|session| session.ended.is_none()).count();
                    stopped.sessions = stopped.sessions.saturating_add(open);
                    stopped.last_end = stopped.last_end.max(access.ends());
                }
                CaseState::Pending | CaseState::Approved => stopped.waiting.push(case),
                _ => {}
            }
        }
        stopped
    }

    fn list(&self, state: &State, lines: &mut Lines, now: Timestamp) {
        let all = self.live.iter().chain(&self.waiting);
        for case in all.clone().take(NAMED) {
            // Not `standing`: that the case is locked is what this list says.
            let access = case.access();
            let stands = state.case_state(case, now);
            let stands =
                access.map_or_else(|| standing(state, case, now), |it| super::unlocked(state, it, stands, now));
            lines.put("", &format!("{}  {}  {}  ({stands})", case.id().short(), case.actor(), subject(case)));
        }
        let more = all.count().saturating_sub(NAMED);
        if more > 0 {
            lines.put("", &format!("and {more} more: jit list"));
        }
    }
}

impl std::fmt::Display for Stopped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        write!(
            f,
            "{} with {}; {} waiting",
            count(number(self.live.len()), "live case"),
            count(number(self.sessions), "open session"),
            count(number(self.waiting.len()), "case"),
        )
    }
}
