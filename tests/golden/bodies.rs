//! What people and hosts say in these ledgers, as it should be.

use jit::domain::event::{
    Answer, Body, EndCause, Lock, LockScope, ProbeResult, Recording, Residue, ResidueItem, Review, ReviewItem,
    SessionEnd, SessionStart, Verdict,
};
use jit::domain::id::{Digest, Nonce};

pub fn approval() -> Body {
    Body::Approval { comment: None }
}

pub fn denial() -> Body {
    Body::Denial { comment: "Not during the freeze.".into() }
}

pub fn withdrawal() -> Body {
    Body::Withdrawal { comment: None }
}

pub fn revocation() -> Body {
    Body::Revocation { reason: "No longer needed.".into(), incident: None }
}

pub fn closure() -> Body {
    Body::Closure { summary: "Queue looked at.".into(), changes: vec!["none".into()] }
}

/// A session with the serial of the case, recorded.
pub fn session_start(session: &Nonce, serial: u64) -> SessionStart {
    SessionStart {
        session: session.clone(),
        serial,
        login: "readonly".into(),
        source: "127.0.0.1".into(),
        command: None,
        recording: Recording::On,
    }
}

pub fn session_end(session: &Nonce) -> SessionEnd {
    SessionEnd {
        session: session.clone(),
        cause: EndCause::Exit,
        exit_code: Some(0),
        recording: Some(Digest::of(b"what was seen")),
        bytes: 9,
    }
}

/// An answer to each check of payments-db/read-only.
pub fn review() -> Body {
    let item = |check: &str| ReviewItem { check: check.into(), answer: Answer::Yes, note: Some("looked".into()) };
    let items = vec![item("no lingering changes"), item("no open data streams")];
    Body::Review(Review { verdict: Verdict::Clean, follow_up: None, items })
}

pub fn residue(result: ProbeResult) -> Body {
    let item = ResidueItem { probe: "processes".into(), result, detail: "of readonly".into() };
    Body::Residue(Residue { clean: result == ProbeResult::Clear, items: vec![item] })
}

pub fn lock(scope: LockScope) -> Body {
    Body::Lock(Lock { scope, reason: "Laptop stolen.".into(), incident: Some("INC-4712".into()) })
}
