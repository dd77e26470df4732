//! From TOML to an [`Event`]: the fields as serde sees them, and each one's type. Other spellings of the same value pass
//! here and are caught when the result is written again.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate};
use serde::Deserialize;
use toml::value::Datetime;

use crate::domain::event::{
    Body, Event, FileDigest, Genesis, Issuance, Kind, Lock, Proposal, Request, Residue, ResidueItem, Review,
    ReviewItem, Risk, Seen, SessionEnd, SessionStart, Subject, Verdict,
};
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CaseId, Digest};
use crate::domain::key::PublicKey;
use crate::domain::text::{TextFault, check_free, check_line, check_reason};
use crate::domain::time::{Timestamp, Ttl};

/// Parses and types an event; E02 or E04 where it is none.
pub fn parse(text: &str) -> Result<Event, Fault> {
    let raw: RawEvent = toml::from_str(text).map_err(|error| not_an_event(text, &error))?;
    // E04: unknown `jit` version or kind.
    if raw.jit != 1 {
        return Err(unknown(&format!("jit = {}", raw.jit)));
    }
    let kind = Kind::from_str(&raw.kind).map_err(|()| unknown(&format!("kind {:?}", raw.kind)))?;
    event(kind, raw)
}

/// What does not fit our schema may be of another version: then only E04 is known of it.
fn not_an_event(text: &str, error: &toml::de::Error) -> Fault {
    if let Ok(table) = toml::from_str::<toml::Table>(text) {
        match table.get("jit") {
            Some(toml::Value::Integer(1)) => {}
            Some(toml::Value::Integer(other)) => return unknown(&format!("jit = {other}")),
            _ => return Fault::new(Code::E02, error.message()),
        }
        if let Some(toml::Value::String(kind)) = table.get("kind")
            && Kind::from_str(kind).is_err()
        {
            return unknown(&format!("kind {kind:?}"));
        }
    }
    Fault::new(Code::E02, error.message())
}

fn unknown(what: &str) -> Fault {
    Fault::new(Code::E04, format!("{what} is not known to this version"))
}

fn event(kind: Kind, mut raw: RawEvent) -> Result<Event, Fault> {
    let is_genesis = kind == Kind::Genesis;
    demand("ledger", raw.ledger.is_some(), !is_genesis)?;
    demand("policy", raw.policy.is_some(), !is_genesis)?;
    demand("seen", raw.seen.is_some(), !is_genesis)?;
    demand("case", raw.case.is_some(), !kind.opens_case())?;
    demand("nonce", raw.nonce.is_some(), kind.opens_case())?;
    let body = body(kind, &mut raw)?;
    if raw.has_table() {
        return Err(wrong(kind.as_str(), "the table of another kind stands beside it"));
    }
    let seen = match raw.seen {
        Some(seen) => Some(Seen { size: seen.size, root: digest("seen.root", &seen.root)? }),
        None => None,
    };
    Ok(Event {
        ledger: optional(raw.ledger, |text| digest("ledger", &text))?,
        case: optional(raw.case, |text| digest("case", &text))?.map(CaseId),
        policy: optional(raw.policy, |text| digest("policy", &text))?,
        actor: parsed("actor", &raw.actor)?,
        time: timestamp("time", &raw.time)?,
        nonce: optional(raw.nonce, |text| parsed("nonce", &text))?,
        seen,
        body,
    })
}

fn body(kind: Kind, raw: &mut RawEvent) -> Result<Body, Fault> {
    let tables = raw;
    let missing = || wrong(kind.as_str(), "its table is missing");
    Ok(match kind {
        Kind::Genesis => {
            let table = tables.genesis.take().ok_or_else(missing)?;
            Body::Genesis(Genesis { name: table.name, files: files(table.file)? })
        }
        Kind::Request => Body::Request(Box::new(request(tables.request.take().ok_or_else(missing)?)?)),
        Kind::Approval => Body::Approval { comment: tables.approval.take().ok_or_else(missing)?.comment },
        Kind::Denial => Body::Denial { comment: tables.denial.take().ok_or_else(missing)?.comment },
        Kind::Withdrawal => Body::Withdrawal { comment: tables.withdrawal.take().ok_or_else(missing)?.comment },
        Kind::Issuance => Body::Issuance(issuance(tables.issuance.take().ok_or_else(missing)?)?),
        Kind::SessionStart => Body::SessionStart(session_start(tables.session_start.take().ok_or_else(missing)?)?),
        Kind::SessionEnd => Body::SessionEnd(session_end(tables.session_end.take().ok_or_else(missing)?)?),
        Kind::Revocation => {
            let table = tables.revocation.take().ok_or_else(missing)?;
            Body::Revocation { reason: table.reason, incident: table.incident }
        }
        Kind::Closure => {
            let table = tables.closure.take().ok_or_else(missing)?;
            Body::Closure { summary: table.summary, changes: table.changes }
        }
        Kind::Residue => Body::Residue(residue(tables.residue.take().ok_or_else(missing)?)?),
        Kind::Review => Body::Review(review(tables.review.take().ok_or_else(missing)?)?),
        Kind::Lock => {
            let table = tables.lock.take().ok_or_else(missing)?;
            let scope = table
                .scope
                .parse()
                .map_err(|()| wrong("lock.scope", "expected member:NAME, target:NAME, environment:NAME or ledger"))?;
            Body::Lock(Lock { scope, reason: table.reason, incident: table.incident })
        }
        Kind::Proposal => Body::Proposal(proposal(tables.proposal.take().ok_or_else(missing)?)?),
        Kind::Enactment => {
            tables.enactment.take().ok_or_else(missing)?;
            Body::Enactment
        }
    })
}

fn request(raw: RawRequest) -> Result<Request, Fault> {
    if raw.targets.is_empty() {
        return Err(wrong("request.targets", "expected at least one TARGET/ROLE"));
    }
    let mut targets = raw.targets.iter().map(|text| parsed("request.targets", text)).collect::<Result<Vec<_>, _>>()?;
    targets.sort();
    targets.dedup();
    let mut data = raw.risk.data;
    data.sort();
    data.dedup();
    let networks = raw.source_address.iter().map(|text| network(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(Request {
        targets,
        duration: ttl("request.duration", &raw.duration)?,
        not_before: optional(raw.not_before, |time| timestamp("request.not_before", &time))?,
        business_need: raw.business_need,
        least_privilege: raw.least_privilege,
        ticket: raw.ticket,
        incident: raw.incident,
        extends: optional(raw.extends, |text| digest("request.extends", &text))?.map(CaseId),
        emergency: raw.emergency,
        source_address: networks,
        credential_key: PublicKey::from_pub_line(&raw.credential_key)
            .map_err(|error| wrong("request.credential_key", error))?,
        risk: Risk {
            level: word("request.risk.level", &raw.risk.level)?,
            impact: raw.risk.impact,
            rollback: raw.risk.rollback,
            data,
        },
    })
}

fn issuance(raw: RawIssuance) -> Result<Issuance, Fault> {
    if raw.r#type != "ssh-certificate" {
        return Err(wrong("issuance.type", "expected ssh-certificate"));
    }
    Ok(Issuance {
        environment: parsed("issuance.environment", &raw.environment)?,
        serial: raw.serial,
        valid_after: timestamp("issuance.valid_after", &raw.valid_after)?,
        valid_before: timestamp("issuance.valid_before", &raw.valid_before)?,
        certificate: raw.certificate,
    })
}

fn session_start(raw: RawSessionStart) -> Result<SessionStart, Fault> {
    Ok(SessionStart {
        session: parsed("session-start.session", &raw.session)?,
        serial: raw.serial,
        login: raw.login,
        source: raw.source,
        command: raw.command,
        recording: word("session-start.recording", &raw.recording)?,
    })
}

fn session_end(raw: RawSessionEnd) -> Result<SessionEnd, Fault> {
    Ok(SessionEnd {
        session: parsed("session-end.session", &raw.session)?,
        cause: word("session-end.cause", &raw.cause)?,
        exit_code: raw.exit_code,
        recording: optional(raw.recording, |text| digest("session-end.recording", &text))?,
        bytes: raw.bytes,
    })
}

fn residue(raw: RawResidue) -> Result<Residue, Fault> {
    let item = |item: RawResidueItem| {
        Ok(ResidueItem { probe: item.probe, result: word("residue.item.result", &item.result)?, detail: item.detail })
    };
    Ok(Residue { clean: raw.clean, items: raw.item.into_iter().map(item).collect::<Result<_, Fault>>()? })
}

fn review(raw: RawReview) -> Result<Review, Fault> {
    let verdict: Verdict = word("review.verdict", &raw.verdict)?;
    // The ticket is there exactly when the verdict says that something follows.
    demand("review.follow_up", raw.follow_up.is_some(), verdict == Verdict::FollowUp)?;
    let item = |item: RawReviewItem| {
        Ok(ReviewItem { check: item.check, answer: word("review.item.answer", &item.answer)?, note: item.note })
    };
    Ok(Review {
        verdict,
        follow_up: raw.follow_up,
        items: raw.item.into_iter().map(item).collect::<Result<_, Fault>>()?,
    })
}

fn proposal(raw: RawProposal) -> Result<Proposal, Fault> {
    let subject = raw.subject.as_str();
    demand("proposal.version", raw.version.is_some(), subject == "policy")?;
    demand("proposal.file", !raw.file.is_empty(), subject == "policy")?;
    demand("proposal.commits", !raw.commits.is_empty(), subject == "acknowledge")?;
    demand("proposal.lock", raw.lock.is_some(), subject == "unlock")?;
    let subject = match (subject, raw.version, raw.lock) {
        ("policy", Some(version), _) => Subject::Policy { version, files: files(raw.file)? },
        ("acknowledge", ..) => {
            let commits = raw.commits.iter().map(|text| parsed("proposal.commits", text)).collect::<Result<_, _>>()?;
            Subject::Acknowledge { commits }
        }
        ("unlock", _, Some(lock)) => Subject::Unlock { lock: CaseId(digest("proposal.lock", &lock)?) },
        _ => return Err(wrong("proposal.subject", "expected policy, acknowledge or unlock")),
    };
    Ok(Proposal { reason: raw.reason, subject })
}

fn files(raw: Vec<RawFile>) -> Result<Vec<FileDigest>, Fault> {
    raw.into_iter()
        .map(|file| Ok(FileDigest { sha256: digest("file.sha256", &file.sha256)?, path: file.path }))
        .collect()
}

fn demand(field: &str, present: bool, wanted: bool) -> Result<(), Fault> {
    match (present, wanted) {
        (false, true) => Err(wrong(field, "the field is missing")),
        (true, false) => Err(wrong(field, "the field does not belong here")),
        _ => Ok(()),
    }
}

fn wrong(field: &str, why: impl std::fmt::Display) -> Fault {
    Fault::new(Code::E02, format!("{field}: {why}"))
}

fn optional<T, U>(value: Option<T>, parse: impl FnOnce(T) -> Result<U, Fault>) -> Result<Option<U>, Fault> {
    value.map(parse).transpose()
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<T, Fault> {
    text.parse().map_err(|error| wrong(field, error))
}

fn word<T: FromStr<Err = ()>>(field: &str, text: &str) -> Result<T, Fault> {
    text.parse().map_err(|()| wrong(field, format!("{text:?} is not one of its values")))
}

fn digest(field: &str, text: &str) -> Result<Digest, Fault> {
    // Upper-case digits are another spelling of the same value: E01, not E02.
    text.to_ascii_lowercase().parse().map_err(|error| wrong(field, error))
}

fn ttl(field: &str, text: &str) -> Result<Ttl, Fault> {
    Ttl::from_human(text).map_err(|error| wrong(field, error))
}

fn network(text: &str) -> Result<ipnet::IpNet, Fault> {
    let net: ipnet::IpNet = text
        .parse()
        .map_err(|_| wrong("request.source_address", format!("{text:?} is not a CIDR such as 10.1.2.0/24")))?;
    if net.trunc() == net {
        Ok(net)
    } else {
        Err(wrong("request.source_address", format!("{text:?} has host bits set")))
    }
}

fn timestamp(field: &str, value: &Datetime) -> Result<Timestamp, Fault> {
    instant(value)
        .ok_or_else(|| wrong(field, "expected a time in UTC with whole seconds, such as 2026-11-23T14:05:09Z"))
}

fn instant(value: &Datetime) -> Option<Timestamp> {
    let (date, time, offset) = (value.date?, value.time?, value.offset?);
    if time.nanosecond.unwrap_or(0) != 0 {
        return None;
    }
    let minutes = match offset {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    let day = NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))?;
    let local = day.and_hms_opt(u32::from(time.hour), u32::from(time.minute), u32::from(time.second.unwrap_or(0)))?;
    let utc: DateTime<chrono::Utc> = local.and_utc();
    Timestamp::from_unix(utc.timestamp().checked_sub(minutes.checked_mul(60)?)?)
}

/// E03: what the texts of an event may hold. Fields marked ¶ in format.md may have LF; reasons must say something.
pub fn check_texts(event: &Event) -> Result<(), Fault> {
    let line = |field: &'static str, text: &str| check_line(text).map_err(|why| bad_text(field, why));
    let free = |field: &'static str, text: &str| check_free(text).map_err(|why| bad_text(field, why));
    let reason = |field: &'static str, text: &str| check_reason(text).map_err(|why| bad_text(field, why));
    match &event.body {
        Body::Genesis(genesis) => {
            line("genesis.name", &genesis.name)?;
            genesis.files.iter().try_for_each(|file| line("genesis.file.path", &file.path))
        }
        Body::Request(request) => {
            reason("request.business_need", &request.business_need)?;
            reason("request.risk.impact", &request.risk.impact)?;
            reason("request.risk.rollback", &request.risk.rollback)?;
            request.least_privilege.as_deref().map_or(Ok(()), |text| reason("request.least_privilege", text))?;
            let lines = request.ticket.iter().chain(&request.incident).chain(&request.risk.data);
            lines.into_iter().try_for_each(|text| line("request", text))
        }
        Body::Approval { comment } | Body::Withdrawal { comment } => {
            comment.as_deref().map_or(Ok(()), |text| free("comment", text))
        }
        Body::Denial { comment } => reason("denial.comment", comment),
        Body::Issuance(issuance) => line("issuance.certificate", &issuance.certificate),
        Body::SessionStart(start) => {
            let lines = [Some(&start.login), Some(&start.source), start.command.as_ref()];
            lines.into_iter().flatten().try_for_each(|text| line("session-start", text))
        }
        Body::Revocation { reason: why, incident } => {
            reason("revocation.reason", why)?;
            incident.as_deref().map_or(Ok(()), |text| line("revocation.incident", text))
        }
        Body::Closure { summary, changes } => {
            reason("closure.summary", summary)?;
            changes.iter().try_for_each(|text| reason("closure.changes", text))
        }
        Body::Residue(residue) => residue.items.iter().try_for_each(|item| {
            line("residue.item.probe", &item.probe)?;
            free("residue.item.detail", &item.detail)
        }),
        Body::Review(review) => {
            review.follow_up.as_deref().map_or(Ok(()), |text| line("review.follow_up", text))?;
            review.items.iter().try_for_each(|item| {
                line("review.item.check", &item.check)?;
                item.note.as_deref().map_or(Ok(()), |text| free("review.item.note", text))
            })
        }
        Body::Lock(lock) => {
            reason("lock.reason", &lock.reason)?;
            lock.incident.as_deref().map_or(Ok(()), |text| line("lock.incident", text))
        }
        Body::Proposal(proposal) => {
            reason("proposal.reason", &proposal.reason)?;
            match &proposal.subject {
                Subject::Policy { files, .. } => {
                    files.iter().try_for_each(|file| line("proposal.file.path", &file.path))
                }
                Subject::Acknowledge { .. } | Subject::Unlock { .. } => Ok(()),
            }
        }
        Body::SessionEnd(_) | Body::Enactment => Ok(()),
    }
}

fn bad_text(field: &str, why: TextFault) -> Fault {
    Fault::new(Code::E03, format!("{field} {why}"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    jit: i64,
    kind: String,
    ledger: Option<String>,
    case: Option<String>,
    policy: Option<String>,
    actor: String,
    time: Datetime,
    nonce: Option<String>,
    seen: Option<RawSeen>,
    genesis: Option<RawGenesis>,
    request: Option<RawRequest>,
    approval: Option<RawComment>,
    denial: Option<RawDenial>,
    withdrawal: Option<RawComment>,
    issuance: Option<RawIssuance>,
    #[serde(rename = "session-start")]
    session_start: Option<RawSessionStart>,
    #[serde(rename = "session-end")]
    session_end: Option<RawSessionEnd>,
    revocation: Option<RawRevocation>,
    closure: Option<RawClosure>,
    residue: Option<RawResidue>,
    review: Option<RawReview>,
    lock: Option<RawLock>,
    proposal: Option<RawProposal>,
    enactment: Option<RawEmpty>,
}

impl RawEvent {
    /// Whether the table of any kind is left.
    const fn has_table(&self) -> bool {
        self.genesis.is_some()
            || self.request.is_some()
            || self.approval.is_some()
            || self.denial.is_some()
            || self.withdrawal.is_some()
            || self.issuance.is_some()
            || self.session_start.is_some()
            || self.session_end.is_some()
            || self.revocation.is_some()
            || self.closure.is_some()
            || self.residue.is_some()
            || self.review.is_some()
            || self.lock.is_some()
            || self.proposal.is_some()
            || self.enactment.is_some()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSeen {
    size: u64,
    root: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGenesis {
    name: String,
    file: Vec<RawFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    path: String,
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequest {
    targets: Vec<String>,
    duration: String,
    not_before: Option<Datetime>,
    business_need: String,
    least_privilege: Option<String>,
    ticket: Option<String>,
    incident: Option<String>,
    extends: Option<String>,
    #[serde(default)]
    emergency: bool,
    #[serde(default)]
    source_address: Vec<String>,
    credential_key: String,
    risk: RawRisk,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRisk {
    level: String,
    impact: String,
    rollback: String,
    #[serde(default)]
    data: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawComment {
    comment: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDenial {
    comment: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIssuance {
    r#type: String,
    environment: String,
    serial: u64,
    valid_after: Datetime,
    valid_before: Datetime,
    certificate: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSessionStart {
    session: String,
    serial: u64,
    login: String,
    source: String,
    command: Option<String>,
    recording: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSessionEnd {
    session: String,
    cause: String,
    exit_code: Option<i64>,
    recording: Option<String>,
    bytes: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRevocation {
    reason: String,
    incident: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClosure {
    summary: String,
    changes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawResidue {
    clean: bool,
    #[serde(default)]
    item: Vec<RawResidueItem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawResidueItem {
    probe: String,
    result: String,
    detail: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReview {
    verdict: String,
    follow_up: Option<String>,
    #[serde(default)]
    item: Vec<RawReviewItem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReviewItem {
    check: String,
    answer: String,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    scope: String,
    reason: String,
    incident: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProposal {
    subject: String,
    version: Option<u64>,
    reason: String,
    #[serde(default)]
    file: Vec<RawFile>,
    #[serde(default)]
    commits: Vec<String>,
    lock: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEmpty {}
