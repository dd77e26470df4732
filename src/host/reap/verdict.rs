//! Whether a session has to end, and why: one pure function over its file, what was published, and what was seen of its
//! processes. A mirror that is missing, unreadable or old ends nobody: then only deadlines do.

use std::time::Duration;

use super::super::grants::{Ended, Grant, Grants, How};
use super::super::session_file::{SessionFile, Standing};
use crate::domain::event::EndCause;
use crate::domain::time::Timestamp;

/// How much longer than a login waits a session may stand without its session-start, and how long a connection may take
/// to tell why it was refused.
pub const GRACE: Duration = Duration::from_secs(5);

/// What was seen of a session at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Signs {
    /// The wall clock.
    pub now: Timestamp,
    /// How long it has been watched, by a clock that nobody can set.
    pub watched: Duration,
    /// How long it has been seen to be refused, by the same clock.
    pub leaving: Duration,
    /// Whether its end has come by that clock, as far as it was known when the session was first seen.
    pub overdue: bool,
    /// Whether the sshd monitor runs.
    pub monitor: bool,
    /// Whether the recorder runs.
    pub recorder: bool,
    /// What the recorder left, if it has.
    pub left: Option<Left>,
    /// How many commits the mirror held when the session was first seen.
    pub size: u64,
    /// How long a login waits for its session-start.
    pub login_wait: Duration,
}

/// What a recorder left when it ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// When.
    pub when: Timestamp,
    /// Whether the recording is whole.
    pub whole: bool,
}

/// What has to happen to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It ends, and the ledger is told.
    End(EndCause, String),
    /// What is left of it ends; the ledger has not heard of it and does not.
    Drop(String),
}

/// Whether a session has to end. `None`: it goes on.
pub fn verdict(session: &SessionFile, grants: Option<&Grants>, signs: &Signs) -> Option<Verdict> {
    match session.standing {
        Standing::Leaving if signs.monitor && signs.leaving < GRACE => return None,
        Standing::Refused | Standing::Leaving => {
            return Some(Verdict::Drop("its session-start was refused".to_owned()));
        }
        Standing::Starting => return starting(session, signs),
        Standing::Open => {}
    }
    let end = |cause, why: String| Some(Verdict::End(cause, why));
    let grant = grants.and_then(|grants| grants.of_certificate(&session.certificate));
    // What the ledger says of the grant comes first, and counts however old the mirror is: it does not become untrue.
    if let Some(ended) = grant.and_then(|grant| grant.ended.as_ref()) {
        return end(cause(ended), ended.why.clone());
    }
    let wants_recording = session.recording.is_some();
    // The person left in time, and nobody was there to see it.
    if !signs.monitor && signs.left.is_some_and(|left| left.when < session.ends && (left.whole || !wants_recording)) {
        return end(EndCause::Exit, "the connection ended".to_owned());
    }
    if signs.now >= session.ends || signs.overdue {
        return end(EndCause::Expired, format!("its end was {}", session.ends));
    }
    if let Some(why) = grants.and_then(|grants| withdrawn(session, grants, grant, signs)) {
        return end(EndCause::Revoked, why);
    }
    // A recorder ends after the connection. One that ended before it, however well, records nothing of what comes now.
    let is_whole = !signs.monitor && signs.left.is_some_and(|left| left.whole);
    if wants_recording && !signs.recorder && !is_whole && has_had_a_recorder(session, signs) {
        return end(EndCause::Lost, "its recorder is gone".to_owned());
    }
    if !signs.monitor {
        return end(EndCause::Exit, "the connection ended".to_owned());
    }
    None
}

/// Nobody has a shell before the session-start is in the ledger, so it may take its time, but not for ever.
fn starting(session: &SessionFile, signs: &Signs) -> Option<Verdict> {
    is_late(session, signs).then(|| Verdict::Drop("its session-start did not land in time".to_owned()))
}

/// Whether the time for a login to begin is over, by either clock.
fn is_late(session: &SessionFile, signs: &Signs) -> bool {
    let longest = signs.login_wait + GRACE;
    let stood = u64::try_from(signs.now.since(session.started)).unwrap_or(0);
    Duration::from_secs(stood) > longest || signs.watched > longest
}

/// A recorder that was not named yet is one that is being started, unless that takes too long.
fn has_had_a_recorder(session: &SessionFile, signs: &Signs) -> bool {
    session.recorder.is_some() || is_late(session, signs)
}

const fn cause(ended: &Ended) -> EndCause {
    match ended.how {
        How::Revoked | How::Locked => EndCause::Revoked,
        How::Closed => EndCause::Closed,
    }
}

/// Why the ledger as published does not open this session any more, though the grant has not ended: it is not there, or
/// does not name the login now. Only a mirror that was held against its remote since the session began, and that did not
/// shrink, may say so.
fn withdrawn(session: &SessionFile, grants: &Grants, grant: Option<&Grant>, signs: &Signs) -> Option<String> {
    if grants.is_stale(signs.now) || grants.checked < session.started || grants.size < signs.size {
        return None;
    }
    let Some(grant) = grant else {
        return Some(format!("the ledger holds certificate {} no more", session.serial));
    };
    let opens = grant.opens.iter().any(|open| open.logins.contains(&session.login));
    (!opens).then(|| format!("case {} opens the login {} no more", session.case().short(), session.login))
}

#[cfg(test)]
mod tests;
