//! A case as people and scripts see it: the case object of product.md, and its text.

use serde_json::{Value, json};

use super::output::{Output, clock, count, duration, moment};
use crate::domain::event::{Kind, Subject};
use crate::domain::policy::{Missing, Policy};
use crate::domain::state::State;
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, CaseState, Matter};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;

pub mod aftermath;
pub mod emergency;
pub mod leaving;
pub mod lines;
pub mod locks;
pub mod proofs;
pub mod proposal;
pub mod void;
pub mod window;

/// The case object.
pub fn case_json(state: &State, case: &Case, now: Timestamp) -> Value {
    let events: Vec<Value> = case
        .events()
        .iter()
        .map(|event| {
            json!({
                "kind": event.kind.as_str(), "id": event.digest.short(), "actor": event.actor.as_str(),
                "time": event.time.to_string(), "position": event.position, "commit": event.commit.to_string(), "words": event.words,
            })
        })
        .collect();
    let mut object = json!({
        "case": case.id().0.hex(), "id": case.id().short(), "kind": case.kind().as_str(),
        "state": state.case_state(case, now).as_str(), "actor": case.actor().as_str(), "targets": [],
        "opened": case.opened().to_string(), "duration": null, "decided": null, "starts": null, "ends": null,
        "approvals": [], "waiting_on": waiting_json(&waiting_on(state, case, now)), "serials": [], "sessions": [], "residue": [],
        "events": events,
    });
    let Some(fields) = object.as_object_mut() else { return object };
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    match case.matter() {
        Matter::Access(access) => {
            let time = |time: Option<Timestamp>| time.map_or(Value::Null, |time| json!(time.to_string()));
            put("targets", access.request.targets.iter().map(|role| json!(role.to_string())).collect());
            put("duration", json!(access.request.duration.to_string()));
            put("decided", time(access.decided));
            put("starts", time(access.starts()));
            put("ends", time(access.ends()));
            put("emergency", json!(access.request.emergency));
            put("incident", json!(access.request.incident));
            put("not_before", time(access.request.not_before));
            put("extends", json!(access.request.extends.map(|case| case.0.hex())));
            put("extended_by", json!(window::extended_by(state, case, now).map(|case| case.id().0.hex())));
            if let Some(policy) = state.policy() {
                for (name, value) in emergency::fields(policy, access, now) {
                    put(name, value);
                }
            }
            put(
                "ended",
                match access.ended(now) {
                    Some((at, by)) => json!({ "time": at.to_string(), "by": by.as_str() }),
                    None => Value::Null,
                },
            );
            put(
                "approvals",
                access
                    .approvals
                    .iter()
                    .map(|approval| json!({ "actor": approval.actor.as_str(), "time": approval.time.to_string(), "key": approval.key.to_string() }))
                    .collect(),
            );
            put("serials", access.issued.iter().map(|issued| json!(issued.serial)).collect());
            put("sessions", aftermath::sessions_json(access));
            put("residue", aftermath::residue_json(access));
            put("locked", locks::on_json(state, case, access, now));
        }
        Matter::Proposal(proposed) => {
            let approvals = proposed.approvals.iter();
            put(
                "approvals",
                approvals
                    .map(|(actor, time)| json!({ "actor": actor.as_str(), "time": time.to_string(), "key": null }))
                    .collect(),
            );
            put("subject", json!(proposed.subject.as_str()));
            for (name, value) in proposal::fields(state, case, proposed, now) {
                put(name, value);
            }
        }
        Matter::Lock(lock) => {
            put("scope", json!(lock.scope.to_string()));
            put("reason", json!(lock.reason));
            put("incident", json!(lock.incident));
            put("lifted", json!(lock.lifted.map(|time| time.to_string())));
        }
        Matter::Genesis => {}
    }
    object
}

/// The `waiting_on` of the case object: how many of which group, and who they could be.
pub fn waiting_json(missing: &[Missing]) -> Value {
    missing
        .iter()
        .map(|lack| {
            let members: Vec<&str> = lack.candidates.iter().map(|name| name.as_str()).collect();
            json!({ "group": lack.group.as_str(), "count": lack.count, "members": members })
        })
        .collect()
}

/// On whom the case waits: approvers while it is pending, reviewers when a review is due, root members for a proposal.
pub fn waiting_on(state: &State, case: &Case, now: Timestamp) -> Vec<Missing> {
    if case.kind() == Kind::Proposal {
        return state.missing_roots(case);
    }
    let (Some(policy), Some(access)) = (state.policy(), case.access()) else { return Vec::new() };
    match state.case_state(case, now) {
        // Nobody has to agree to an emergency before it is issued.
        CaseState::Pending if access.request.emergency => Vec::new(),
        CaseState::Pending => access.missing(policy).unwrap_or_default(),
        CaseState::ReviewDue => access.missing_reviews(policy),
        _ => Vec::new(),
    }
}

/// `1 of sre (bob, carol) and 1 of security (dave)`.
pub fn waiting_text(missing: &[Missing]) -> String {
    let parts: Vec<String> = missing
        .iter()
        .map(|lack| {
            let names: Vec<&str> = lack.candidates.iter().map(|name| name.as_str()).collect();
            format!("{} of {} ({})", lack.count, lack.group, names.join(", "))
        })
        .collect();
    parts.join(" and ")
}

/// One line about where the case stands.
pub fn standing(state: &State, case: &Case, now: Timestamp) -> String {
    let stands = state.case_state(case, now);
    let Some(access) = case.access() else { return stands.to_string() };
    match locks::on(state, case, access, now) {
        // First, so that a narrow terminal does not cut it off.
        Some((lock, _)) => format!("LOCKED ({}); {}", lock.id().short(), unlocked(state, access, stands, now)),
        None => unlocked(state, access, stands, now),
    }
}

/// Where an access stands, locks left aside.
fn unlocked(state: &State, access: &Access, stands: CaseState, now: Timestamp) -> String {
    let policy = state.policy();
    let opens = window::opens(access, now).map(|start| moment(start, now));
    match stands {
        CaseState::Pending if access.request.emergency => match state.open_emergency(&access.actor) {
            Some(first) => format!("not issued: {} has to be reviewed first", first.id().short()),
            None => "not issued yet: it waits for the minter".into(),
        },
        CaseState::Pending => {
            let opens = opens.map_or_else(String::new, |opens| format!("; opens {opens}"));
            match policy.map(|policy| access.decide_by(policy)) {
                Some(by) => format!("pending, lapses {}{opens}", moment(by, now)),
                None => format!("pending{opens}"),
            }
        }
        CaseState::Live => {
            access.ends().map_or_else(|| "live".into(), |end| format!("live, ends {}", moment(end, now)))
        }
        CaseState::Approved => match (opens, policy.and_then(|policy| access.activate_by(policy))) {
            (Some(opens), _) => format!("approved, opens {opens}"),
            (None, Some(by)) => format!("approved, to be minted by {}", clock(by, now)),
            (None, None) => "approved".into(),
        },
        CaseState::ReviewDue => {
            let by = access.ended(now).map_or_else(String::new, |(at, by)| format!(" ({by} {})", clock(at, now)));
            match policy.and_then(|policy| emergency::due(policy, access, now)) {
                Some(due) if now > due => format!("review OVERDUE since {}{by}", moment(due, now)),
                Some(due) => format!("review due until {}{by}", moment(due, now)),
                None => format!("{stands}{by}"),
            }
        }
        CaseState::Ended | CaseState::Reviewed => match access.ended(now) {
            Some((at, by)) => format!("{stands} ({by} {})", clock(at, now)),
            None => stands.to_string(),
        },
        _ => stands.to_string(),
    }
}

/// A colour for a state.
pub fn coloured(output: &Output, stands: CaseState, text: &str) -> String {
    match stands {
        CaseState::Live => output.green(text),
        CaseState::Pending | CaseState::Approved | CaseState::ReviewDue => output.yellow(text),
        CaseState::Denied | CaseState::Locked => output.red(text),
        _ => output.dim(text),
    }
}

/// What a case is about, in a line.
pub fn subject(case: &Case) -> String {
    match case.matter() {
        Matter::Access(access) => {
            let targets: Vec<String> = access.request.targets.iter().map(ToString::to_string).collect();
            // First, so that a narrow table does not cut it off.
            let emergency = if access.request.emergency { "EMERGENCY " } else { "" };
            format!("{emergency}{} for {}", targets.join(", "), duration(access.request.duration))
        }
        Matter::Proposal(proposed) => match &proposed.subject {
            Subject::Policy { version, .. } => format!("proposal: policy version {version}"),
            Subject::Acknowledge { commits } => {
                let number = u64::try_from(commits.len()).unwrap_or(u64::MAX);
                format!("proposal: acknowledge {}", count(number, "void commit"))
            }
            Subject::Unlock { lock } => format!("proposal: unlock {}", lock.short()),
        },
        Matter::Lock(lock) => format!("lock of {}", lock.scope),
        Matter::Genesis => "the ledger".into(),
    }
}

/// Everything that a request says, as an approver must see it before signing: other people's text made visible, and
/// continued lines set in, so that no text can look like a field of ours.
pub fn request_text(policy: &Policy, access: &Access) -> String {
    let request = &access.request;
    let mut lines = Lines(String::new());
    lines.put("Who", access.actor.as_str());
    let targets: Vec<String> = request.targets.iter().map(ToString::to_string).collect();
    lines.put("Asks for", &targets.join(", "));
    for target in &request.targets {
        if let (Some(role), Some(environment)) = (policy.role(target), policy.environment_of(target)) {
            lines.put("Opens", &format!("{target} in {environment}, login {}", role.logins.join(", ")));
        }
    }
    lines.put("For", &format!("{} from the first credential", duration(request.duration)));
    lines.optional("Not before", window::text(policy, access).as_deref());
    lines.put("Why", &request.business_need);
    lines.optional("Why not less", request.least_privilege.as_deref());
    lines.optional("Ticket", request.ticket.as_deref());
    lines.optional("Incident", request.incident.as_deref());
    if request.emergency {
        lines.put("EMERGENCY", "the credential is issued before any approval");
    }
    if let Some(extends) = request.extends {
        lines.put("Extends", &extends.short());
    }
    lines.put("Risk", request.risk.level.as_str());
    lines.put("Impact", &request.risk.impact);
    lines.put("Rollback", &request.risk.rollback);
    if !request.risk.data.is_empty() {
        lines.put("Data", &request.risk.data.join(", "));
    }
    if !request.source_address.is_empty() {
        let nets: Vec<String> = request.source_address.iter().map(ToString::to_string).collect();
        lines.put("From", &nets.join(", "));
    }
    let owner = policy.actor_of_key(&request.credential_key);
    let whose = match owner {
        Some(owner) if *owner == access.actor => String::new(),
        Some(owner) => format!("  ATTENTION: this is {owner}'s key"),
        None => "  (not in the policy: a key made for this access)".to_owned(),
    };
    lines.put("Key", &format!("{}{whose}", request.credential_key.fingerprint()));
    lines.0
}

/// The whole case, with its story.
pub fn case_text(output: &Output, state: &State, case: &Case, now: Timestamp) -> String {
    let stands = state.case_state(case, now);
    let mut text = format!(
        "Case {}  {}\n",
        output.bold(&case.id().short()),
        coloured(output, stands, &standing(state, case, now))
    );
    match (case.matter(), state.policy()) {
        (Matter::Access(access), Some(policy)) => {
            text.push_str(&request_text(policy, access));
            if let Some((lock, locked)) = locks::on(state, case, access, now) {
                let mut lines = Lines(String::new());
                lines.put("LOCKED", &locks::line(state, lock, locked, now));
                text.push_str(&lines.0);
            }
            text.push_str(&credentials(access, now));
            text.push_str(&aftermath::text(output, access, now));
            if let Some(later) = window::extended_by(state, case, now) {
                let stands = standing(state, later, now);
                text.push_str(&field("Extended by", &format!("{}: {stands}", later.id().short())));
            }
            if let Some(owed) = emergency::owed(policy, access, now).filter(|_| access.request.emergency) {
                text.push_str(&field("Review by", &owed.text(now)));
            }
        }
        (Matter::Proposal(proposed), _) => {
            let mut lines = Lines(String::new());
            lines.put("Who", case.actor().as_str());
            lines.put("Proposes", subject(case).trim_start_matches("proposal: "));
            lines.put("Why", &proposed.reason);
            text.push_str(&lines.0);
        }
        (Matter::Lock(lock), _) => {
            let mut lines = Lines(String::new());
            lines.put("Who", case.actor().as_str());
            text.push_str(&lines.0);
            text.push_str(&locks::lock_text(&lock.scope, &lock.reason, lock.incident.as_deref()));
            match lock.lifted {
                None => text.push_str(&locks::stops_text(state, &lock.scope, now)),
                Some(time) => text.push_str(&format!("{:>12}: {}\n", "Lifted", moment(time, now))),
            }
        }
        _ => {}
    }
    let missing = waiting_on(state, case, now);
    if !missing.is_empty() {
        text.push_str(&format!("{:>12}: {}\n", "Waiting on", waiting_text(&missing)));
    }
    text.push('\n');
    for event in case.events() {
        text.push_str(&format!("  {}  {:<13} {:<10} #{}\n", event.time, event.kind, event.actor, event.position));
        if let Some(words) = &event.words {
            // Every line is set in behind a bar: nobody's words can look like an event of ours.
            for line in visible(words).lines() {
                text.push_str(&format!("  {:20}  | {line}\n", ""));
            }
        }
    }
    text
}

/// What was issued: one credential an environment.
fn credentials(access: &Access, now: Timestamp) -> String {
    let mut lines = Lines(String::new());
    for issued in &access.issued {
        let (from, until) = (clock(issued.valid_after, now), clock(issued.valid_before, now));
        lines.put("Credential", &format!("{} serial {}, valid {from} to {until}", issued.environment, issued.serial));
    }
    lines.0
}

/// `Waiting on: …` and what to type next, on stderr.
pub fn next_step(output: &Output, state: &State, case: &Case, now: Timestamp) {
    let id = case.id().short();
    let missing = waiting_on(state, case, now);
    if !missing.is_empty() {
        output.note(format!("Waiting on: {}", waiting_text(&missing)));
    }
    if let Matter::Proposal(proposed) = case.matter()
        && let Subject::Unlock { lock } = &proposed.subject
        && state.case_state(case, now) == CaseState::Approved
    {
        output.hint(format!("jit unlock {} --enact", lock.short()));
        return;
    }
    match (state.case_state(case, now), case.kind()) {
        (CaseState::Pending, Kind::Request) if case.access().is_some_and(|access| access.request.emergency) => {
            output.hint("jit mint   (the minter, usually CI)   or wait for it: jit ssh --wait HOST");
        }
        (CaseState::Approved, Kind::Request) if case.access().is_some_and(|it| window::opens(it, now).is_some()) => {
            output.hint(format!("jit ssh --wait HOST   waits for the window; jit withdraw {id}   gives it up"));
        }
        (CaseState::Pending, _) => output.hint(format!("jit approve {id}")),
        (CaseState::Approved, Kind::Request) => output.hint("jit mint   (the minter, usually CI)"),
        (CaseState::Approved, Kind::Proposal) => output.hint(format!("jit policy enact {id}")),
        (CaseState::Live, _) => output.hint(format!("jit ssh HOST   then   jit close {id}")),
        (CaseState::ReviewDue, _) => output.hint(format!("jit review {id}")),
        (CaseState::Locked, _) => {
            if let Some(policy) = state.policy() {
                output.note(format!("Can be lifted by: {}", locks::who_lifts(policy)));
            }
            output.hint(format!("jit unlock {id} --reason \"why\""));
        }
        _ => {}
    }
}

/// A named field as the case's text has it: other people's text made visible, continued lines set in.
pub fn field(name: &str, value: &str) -> String {
    let mut lines = Lines(String::new());
    lines.put(name, value);
    lines.0
}

struct Lines(String);

impl Lines {
    fn put(&mut self, name: &str, value: &str) {
        let value = visible(value).replace('\n', &format!("\n{:>12}| ", ""));
        self.0.push_str(&format!("{name:>12}: {value}\n"));
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }
}
