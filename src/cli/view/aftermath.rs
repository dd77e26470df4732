//! What hosts said of an access: its sessions, and the residue that they found afterwards, for `jit show` and for whoever
//! reviews. What was found, and what could not be looked at, is marked so that nobody reads past it. Other people's text
//! is made visible, and continued lines are set in.

use serde_json::{Value, json};

use super::Lines;
use crate::cli::output::{Output, clock};
use crate::domain::event::{ProbeResult, Recording, ResidueItem};
use crate::domain::id::Name;
use crate::domain::state::access::{Access, Found, Session};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;

/// The `sessions` of the case object.
pub fn sessions_json(access: &Access) -> Value {
    let one = |session: &Session| {
        json!({
            "session": session.session.as_str(), "host": session.host.as_str(), "serial": session.serial,
            "login": session.login, "source": session.source, "started": session.started.to_string(),
            "ended": session.ended.map(|(at, _)| at.to_string()),
            "cause": session.ended.map(|(_, cause)| cause.as_str()),
            "recording": session.recording.as_str(), "recorded": session.recorded.map(|digest| digest.to_string()),
        })
    };
    access.sessions.iter().map(one).collect()
}

/// The `residue` of the case object: every report of a host, oldest first.
pub fn residue_json(access: &Access) -> Value {
    let item =
        |item: &ResidueItem| json!({ "probe": item.probe, "result": item.result.as_str(), "detail": item.detail });
    let one = |found: &Found| {
        let items: Vec<Value> = found.items.iter().map(item).collect();
        json!({ "host": found.host.as_str(), "time": found.time.to_string(), "clean": found.clean, "items": items })
    };
    access.residues.iter().map(one).collect()
}

/// Sessions and residue as lines of a case's text.
pub fn text(output: &Output, access: &Access, now: Timestamp) -> String {
    let mut lines = Lines(String::new());
    for session in &access.sessions {
        lines.put("Session", &session_text(session, now));
    }
    let mut text = lines.0;
    for found in &access.residues {
        let verdict = if is_clear(found) { output.green("clean") } else { output.red("NOT CLEAN") };
        let host = visible(found.host.as_str());
        text.push_str(&format!("{:>12}: {host}, {}: {verdict}\n", "Residue", clock(found.time, now)));
        for item in &found.items {
            text.push_str(&format!("{:>12}  {}  {}\n", "", marked(output, item.result), said(item)));
        }
    }
    text
}

/// What hosts found where they looked at what `check` asks: the probes of that name, one line each, oldest first.
pub fn beside(output: &Output, access: &Access, check: &str, now: Timestamp) -> Vec<String> {
    let of_check = access.residues.iter().flat_map(|found| {
        found.items.iter().filter(|item| item.probe == check).map(move |item| (found.host.as_str(), found.time, item))
    });
    of_check
        .map(|(host, time, item)| {
            format!("  {}  {}, {}: {}", marked(output, item.result), visible(host), clock(time, now), detail(item))
        })
        .collect()
}

/// The hosts whose last word is that something was found, or could not be looked at.
pub fn not_clear(access: &Access) -> Vec<&Name> {
    let mut last: Vec<&Found> = Vec::new();
    for found in &access.residues {
        last.retain(|earlier| earlier.host != found.host);
        last.push(found);
    }
    last.into_iter().filter(|found| !is_clear(found)).map(|found| &found.host).collect()
}

/// A host that says `clean` beside something that it found is not believed.
fn is_clear(found: &Found) -> bool {
    found.clean && found.items.iter().all(|item| item.result == ProbeResult::Clear)
}

fn session_text(session: &Session, now: Timestamp) -> String {
    let ended = match session.ended {
        Some((at, cause)) => format!("to {} ({cause})", clock(at, now)),
        None => "and has not ended".to_owned(),
    };
    let recorded = match (session.recorded, session.recording) {
        (Some(digest), _) => format!("recorded ({digest})"),
        (None, Recording::On) if session.ended.is_none() => "being recorded".to_owned(),
        (None, Recording::On) => "its recording is missing".to_owned(),
        (None, Recording::Off) => "not recorded".to_owned(),
    };
    format!(
        "{} on {} from {}, {} {ended}, serial {}, {recorded}",
        session.login,
        session.host,
        session.source,
        clock(session.started, now),
        session.serial
    )
}

fn marked(output: &Output, result: ProbeResult) -> String {
    match result {
        ProbeResult::Clear => output.green("clear "),
        ProbeResult::Found => output.red("FOUND "),
        ProbeResult::Failed => output.red("FAILED"),
    }
}

fn said(item: &ResidueItem) -> String {
    format!("{}: {}", visible(&item.probe), detail(item))
}

fn detail(item: &ResidueItem) -> String {
    visible(&item.detail).replace('\n', &format!("\n{:>21}| ", ""))
}
