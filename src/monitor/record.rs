//! One event as other systems are told of it: what it says, where it stands in the log, and how its case stands right
//! behind it. Made of what the replay has verified, and of nothing else.

use crate::domain::event::{Body, Event, Kind, LockScope, Subject};
use crate::domain::finding::Fault;
use crate::domain::id::{CaseId, CommitId, Digest, Name, RoleRef};
use crate::domain::state::State;
use crate::domain::state::case::{Case, CaseState, Matter};
use crate::domain::time::{Timestamp, Ttl};
use crate::merkle;

use super::sentence;
use super::severity::Severity;

/// An event or a void commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// An event of this kind, which broke no rule.
    Event(Kind),
    /// A commit that broke a rule.
    Void,
}

impl What {
    /// The kind's word, or `void`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event(kind) => kind.as_str(),
            Self::Void => "void",
        }
    }
}

/// Where a commit stands, and what the replay made of it.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The state right behind it.
    pub state: &'a State,
    /// The log right behind it.
    pub log: &'a merkle::Tree,
    /// Its position.
    pub position: u64,
    /// The commit.
    pub commit: CommitId,
    /// The digest of the event, or of the raw commit where it is void.
    pub id: Digest,
    /// The event, or the rule that it breaks.
    pub said: &'a Result<Event, Fault>,
}

/// An event as other systems are told of it. Text of other people is here as it was written: each format escapes it.
#[derive(Debug, Clone)]
pub struct Record {
    /// The event's digest: what receivers know duplicates by.
    pub id: Digest,
    /// What it is.
    pub what: What,
    /// The ledger.
    pub ledger: Digest,
    /// The ledger's name.
    pub ledger_name: String,
    /// The position in the log.
    pub position: u64,
    /// The commit.
    pub commit: CommitId,
    /// The root of the log up to and with this leaf.
    pub root: Digest,
    /// When, by the author's clock; of a void commit, the newest time in the log before it: its own proves nothing.
    pub time: Timestamp,
    /// Who said it; unknown of a void commit.
    pub actor: Option<Name>,
    /// The case.
    pub case: Option<CaseId>,
    /// What opened the case.
    pub opened_by: Option<Kind>,
    /// How the case stands behind the event, at the event's time.
    pub state: Option<CaseState>,
    /// Who opened the case: for an access, the person it is for.
    pub requester: Option<Name>,
    /// What an access is to.
    pub targets: Vec<RoleRef>,
    /// Whether the case is a break-glass one.
    pub emergency: bool,
    /// The incident of the event, or else of its case.
    pub incident: Option<String>,
    /// The ticket of the case.
    pub ticket: Option<String>,
    /// What its author wrote; of a void commit, what is wrong with it.
    pub reason: Option<String>,
    /// What only this kind has.
    pub detail: Detail,
    /// How much it wants to be looked at.
    pub severity: Severity,
    /// What happened, for people, in one sentence.
    pub sentence: String,
}

/// What only some kinds have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of format.md, section 5")]
pub enum Detail {
    /// Nothing.
    None,
    /// A request.
    Request { duration: Ttl, risk: &'static str },
    /// An issuance.
    Credential { environment: Name, serial: u64, valid_after: Timestamp, valid_before: Timestamp },
    /// A session, at its start or end.
    Session(Box<SessionDetail>),
    /// What a host found.
    Residue { clean: bool },
    /// A review.
    Review { verdict: &'static str, follow_up: Option<String> },
    /// A lock.
    Lock { scope: LockScope },
    /// A proposal, what is said of it, or its enactment; `lifts`: what the lock stops that it would lift.
    Proposal { subject: Subject, lifts: Option<LockScope> },
    /// A void commit: the rule that it breaks.
    Void { code: &'static str },
}

/// A session as its host tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDetail {
    /// Its name.
    pub session: String,
    /// The host.
    pub host: Name,
    /// The certificate's serial, where the start is known.
    pub serial: Option<u64>,
    /// The login.
    pub login: Option<String>,
    /// Where from.
    pub source: Option<String>,
    /// The command, where it was not a shell.
    pub command: Option<String>,
    /// Whether it is recorded.
    pub recorded: Option<bool>,
    /// Why it ended.
    pub cause: Option<&'static str>,
    /// When the access ends by itself.
    pub ends: Option<Timestamp>,
}

impl Record {
    /// The record of a commit that was just taken. `None` before there is a ledger.
    pub fn of(taken: Taken<'_>) -> Option<Self> {
        let ledger = taken.state.ledger()?;
        Some(match taken.said {
            Ok(event) => Self::of_event(taken, ledger, event),
            Err(fault) => Self::of_void(taken, ledger, fault),
        })
    }

    fn of_event(taken: Taken<'_>, ledger: Digest, event: &Event) -> Self {
        let state = taken.state;
        let id = event.case.unwrap_or(CaseId(taken.id));
        let case = state.case(&id);
        let access = case.and_then(Case::access);
        let emergency = access.is_some_and(|access| access.request.emergency);
        let mut record = Self {
            id: taken.id,
            what: What::Event(event.kind()),
            ledger,
            ledger_name: state.name().to_owned(),
            position: taken.position,
            commit: taken.commit,
            root: taken.log.root(),
            time: event.time,
            actor: Some(event.actor.clone()),
            case: Some(id),
            opened_by: case.map(Case::kind),
            state: case.map(|case| state.case_state(case, event.time)),
            requester: case.map(|case| case.actor().clone()),
            targets: access.map_or_else(Vec::new, |access| access.request.targets.clone()),
            emergency,
            incident: incident(event).or_else(|| access?.request.incident.clone()).or_else(|| lock_incident(case?)),
            ticket: access.and_then(|access| access.request.ticket.clone()),
            reason: reason(event),
            detail: detail(state, event, case),
            severity: Severity::of(event, emergency),
            sentence: String::new(),
        };
        record.sentence = sentence::of(&record, event);
        record
    }

    fn of_void(taken: Taken<'_>, ledger: Digest, fault: &Fault) -> Self {
        let commit = taken.commit;
        let code = fault.code.as_str();
        Self {
            id: taken.id,
            what: What::Void,
            ledger,
            ledger_name: taken.state.name().to_owned(),
            position: taken.position,
            commit,
            root: taken.log.root(),
            time: taken.state.newest().expect("a ledger has a genesis, and that a time"),
            actor: None,
            case: None,
            opened_by: None,
            state: None,
            requester: None,
            targets: Vec::new(),
            emergency: false,
            incident: None,
            ticket: None,
            reason: Some(fault.message.clone()),
            detail: Detail::Void { code },
            severity: Severity::Critical,
            sentence: format!("commit {} at position {} is void: it breaks {code}", commit.short(), taken.position),
        }
    }

    /// The rule that a void commit breaks.
    pub const fn code(&self) -> Option<&'static str> {
        match &self.detail {
            Detail::Void { code } => Some(*code),
            _ => None,
        }
    }

    /// The session that it is about.
    pub const fn session(&self) -> Option<&SessionDetail> {
        match &self.detail {
            Detail::Session(session) => Some(session),
            _ => None,
        }
    }

    /// The targets as `TARGET/ROLE`, joined with `, `.
    pub fn targets_text(&self) -> String {
        self.targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

fn incident(event: &Event) -> Option<String> {
    match &event.body {
        Body::Revocation { incident, .. } => incident.clone(),
        Body::Lock(lock) => lock.incident.clone(),
        _ => None,
    }
}

fn lock_incident(case: &Case) -> Option<String> {
    match case.matter() {
        Matter::Lock(lock) => lock.incident.clone(),
        _ => None,
    }
}

fn scope(case: &Case) -> Option<LockScope> {
    match case.matter() {
        Matter::Lock(lock) => Some(lock.scope.clone()),
        _ => None,
    }
}

fn reason(event: &Event) -> Option<String> {
    match &event.body {
        Body::Request(request) => Some(request.business_need.clone()),
        Body::Lock(lock) => Some(lock.reason.clone()),
        Body::Proposal(proposal) => Some(proposal.reason.clone()),
        body => body.words(),
    }
}

fn detail(state: &State, event: &Event, case: Option<&Case>) -> Detail {
    match &event.body {
        Body::Request(request) => Detail::Request { duration: request.duration, risk: request.risk.level.as_str() },
        Body::Issuance(issuance) => Detail::Credential {
            environment: issuance.environment.clone(),
            serial: issuance.serial,
            valid_after: issuance.valid_after,
            valid_before: issuance.valid_before,
        },
        Body::SessionStart(start) => session(event, case, start.session.as_str(), |detail| {
            detail.command.clone_from(&start.command);
        }),
        Body::SessionEnd(end) => session(event, case, end.session.as_str(), |detail| {
            detail.cause = Some(end.cause.as_str());
        }),
        Body::Residue(residue) => Detail::Residue { clean: residue.clean },
        Body::Review(review) => {
            Detail::Review { verdict: review.verdict.as_str(), follow_up: review.follow_up.clone() }
        }
        Body::Lock(lock) => Detail::Lock { scope: lock.scope.clone() },
        Body::Proposal(_) | Body::Enactment | Body::Approval { .. } | Body::Denial { .. } => {
            match case.map(Case::matter) {
                Some(Matter::Proposal(proposed)) => {
                    let subject = proposed.subject.clone();
                    let lifts = match &subject {
                        Subject::Unlock { lock } => state.case(lock).and_then(scope),
                        _ => None,
                    };
                    Detail::Proposal { subject, lifts }
                }
                _ => Detail::None,
            }
        }
        Body::Genesis(_) | Body::Withdrawal { .. } | Body::Revocation { .. } | Body::Closure { .. } => Detail::None,
    }
}

/// What the case knows of a session by now, and what `further` adds.
fn session(event: &Event, case: Option<&Case>, name: &str, further: impl FnOnce(&mut SessionDetail)) -> Detail {
    let access = case.and_then(Case::access);
    let known = access.and_then(|access| access.sessions.iter().find(|session| session.session.as_str() == name));
    let mut detail = SessionDetail {
        session: name.to_owned(),
        host: event.actor.clone(),
        serial: known.map(|session| session.serial),
        login: known.map(|session| session.login.clone()),
        source: known.map(|session| session.source.clone()),
        command: None,
        recorded: known.map(|session| session.recording.as_str() == "on"),
        cause: None,
        ends: access.and_then(|access| access.ends()),
    };
    further(&mut detail);
    Detail::Session(Box::new(detail))
}
