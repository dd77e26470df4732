//! `jit host status`: what stands on this host, to be read in a hurry. Exit code 1 where something that must run does
//! not.

use std::path::Path;

use console::measure_text_width;
use serde_json::{Value, json};

use super::super::error::CliError;
use super::super::output::{Table, clock, count, moment, relative};
use super::super::{Context, Exit, Outcome};
use crate::domain::text::{visible, wrapped};
use crate::domain::time::Timestamp;
use crate::host::health::Health;
use crate::host::setup::{Place, Record};
use crate::host::{Config, Grant, SessionFile};

/// How many refused logins are shown.
const REFUSED: usize = 5;

/// Show what stands on this host: mirror, grants, sessions, refusals.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Where it cannot be told what stands.
pub fn run(context: &mut Context, file: &Path, config: &Config, _args: Args) -> Outcome {
    let now = context.now();
    let failed = |error: crate::host::HostError| match &error {
        crate::host::HostError::File { cause, .. } if cause.kind() == std::io::ErrorKind::PermissionDenied => {
            CliError::from(error).hint("sessions are root's to see: sudo jit host status")
        }
        _ => CliError::from(error),
    };
    let health = Health::look(config, now).map_err(failed)?;
    let record = Record::read(&Place::new(None), file).map_err(failed)?;
    let uncovered = uncovered(&health, record.as_ref());
    let is_good = health.is_good() && uncovered.is_empty();
    context.output.result(
        || object(config, &health, &uncovered, is_good, now),
        || words(context, config, &health, &uncovered, now),
    )?;
    Ok(if is_good { Exit::DONE } else { Exit(1) })
}

/// Logins that the ledger names for this host and that sshd and PAM do not know of: certificates for them open nothing.
/// root is never served, and is no surprise.
pub(in crate::cli) fn uncovered(health: &Health, record: Option<&Record>) -> Vec<String> {
    let covered = record.map(|record| record.logins.as_slice()).unwrap_or_default();
    let named = health.grants.iter().flat_map(|grants| &grants.logins);
    named.filter(|login| *login != "root" && !covered.contains(login)).cloned().collect()
}

fn live(health: &Health, now: Timestamp) -> Vec<&Grant> {
    let grants = health.grants.iter().flat_map(|grants| &grants.grants);
    grants
        .filter(|grant| {
            !grant.opens.is_empty() && grant.ended.is_none() && grant.valid_after <= now && now < grant.valid_before
        })
        .collect()
}

fn logins(grant: &Grant) -> Vec<&str> {
    let mut logins: Vec<&str> = grant.opens.iter().flat_map(|open| open.logins.iter().map(String::as_str)).collect();
    logins.sort_unstable();
    logins.dedup();
    logins
}

fn object(config: &Config, health: &Health, uncovered: &[String], is_good: bool, now: Timestamp) -> Value {
    let grants: Vec<Value> = live(health, now)
        .into_iter()
        .map(|grant| {
            json!({ "case": grant.case().short(), "requester": grant.requester.as_str(), "serial": grant.serial,
                "logins": logins(grant), "ends": grant.valid_before.to_string() })
        })
        .collect();
    let sessions: Vec<Value> = health.sessions.iter().map(session_object).collect();
    json!({
        "ok": is_good,
        "host": config.host.as_str(),
        "ledger": config.ledger.to_string(),
        "mirror": health.grants.as_ref().map(|grants| json!({ "head": grants.head.to_string(), "size": grants.size,
            "checked": grants.checked.to_string(), "stale": health.is_stale })),
        "sync": health.sync,
        "reap": health.reap,
        "krl": health.krl,
        "authorities": health.authorities,
        "waiting": health.waiting,
        "recordings": health.recordings,
        "uncovered": uncovered,
        "unreadable": health.unreadable.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "grants": grants,
        "sessions": sessions,
        "refused": health.refused,
    })
}

fn session_object(session: &SessionFile) -> Value {
    json!({ "session": session.session.as_str(), "case": session.case().short(), "requester": session.requester.as_str(),
        "login": session.login, "source": session.source, "started": session.started.to_string(),
        "ends": session.ends.to_string(), "standing": session.standing, "recorded": session.recording.is_some() })
}

fn words(context: &Context, config: &Config, health: &Health, uncovered: &[String], now: Timestamp) -> String {
    let output = &context.output;
    let width = output.width();
    let mut text = format!("{}, {}\n", output.bold(config.host.as_str()), clock(now, now));
    let mut line = |what: &str, is_good: bool, said: String, hint: &str| {
        let said = if is_good { said } else { output.red(&said) };
        text.push_str(&format!("  {what:<11} {said}\n"));
        if !is_good && !hint.is_empty() {
            let hint = indented(hint, "                    ", width);
            text.push_str(&format!("              {} {}\n", output.cyan("Hint:"), hint.trim()));
        }
    };
    let systemd = Path::new("/run/systemd/system").is_dir();
    let start = |daemon: &str| match systemd {
        true => format!("systemctl start jit-host-{daemon}; journalctl -u jit-host-{daemon}"),
        false => format!("start it: jit host {daemon}"),
    };
    match &health.grants {
        None => line("mirror", false, "nothing is published: nobody gets in".to_owned(), "jit host sync --once"),
        Some(grants) => {
            let head = grants.head.to_string();
            let head = head.get(..12).unwrap_or(&head);
            let stale = if health.is_stale { "; STALE: nobody gets in" } else { "" };
            let said = format!(
                "{}, head {head}, checked {}{stale}",
                count(grants.size, "event"),
                relative(grants.checked, now)
            );
            line(
                "mirror",
                !health.is_stale,
                said,
                "jit host sync --once, or the daemon's log, says why the remote does not answer",
            );
        }
    }
    let runs = |runs: bool| if runs { "runs" } else { "DOES NOT RUN" }.to_owned();
    line("sync", health.sync, runs(health.sync), &start("sync"));
    line(
        "reap",
        health.reap,
        if health.reap { runs(true) } else { "DOES NOT RUN: no session is ended".to_owned() },
        &start("reap"),
    );
    match health.krl {
        Some(version) => {
            line("revoked", true, format!("list {version}; {} trusted", count(health.authorities, "CA")), "")
        }
        None => line("revoked", false, "there is no usable list: sshd admits nobody".to_owned(), &start("sync")),
    }
    if health.waiting > 0 {
        line("waiting", true, format!("{} not yet delivered to the ledger", count(health.waiting, "event")), "");
    }
    line("recordings", true, format!("{} in {}", bytes(health.recordings), config.recordings.display()), "");
    if !uncovered.is_empty() {
        line("setup", false, format!("does not cover {}", uncovered.join(", ")), "jit host setup");
    }
    for error in &health.unreadable {
        line(
            "session",
            false,
            visible(&error.to_string()),
            "look at the file: its session is not ended while it is so",
        );
    }
    text.push_str(&sessions(context, health, now, width));
    text.push_str(&grants(context, health, now, width));
    text.push_str(&refused(context, health, now, width));
    text
}

fn sessions(context: &Context, health: &Health, now: Timestamp, width: usize) -> String {
    if health.sessions.is_empty() {
        return "\nNo session.\n".to_owned();
    }
    let mut table = Table::new(&["case", "who", "login", "since", "ends", "recorded", "from"]);
    for session in &health.sessions {
        table.row([
            session.case().short(),
            session.requester.to_string(),
            session.login.clone(),
            clock(session.started, now).trim_end_matches(" UTC").to_owned(),
            relative(session.ends, now),
            if session.recording.is_some() { "yes" } else { "NO" }.to_owned(),
            visible(&session.source),
        ]);
    }
    format!("\n{}\n{}", context.output.bold("Sessions now"), table.render(width))
}

fn grants(context: &Context, health: &Health, now: Timestamp, width: usize) -> String {
    let live = live(health, now);
    if live.is_empty() {
        return "\nNobody may get in now.\n".to_owned();
    }
    let mut table = Table::new(&["case", "who", "ends", "login"]);
    for grant in live {
        table.row([
            grant.case().short(),
            grant.requester.to_string(),
            moment(grant.valid_before, now),
            logins(grant).join(", "),
        ]);
    }
    format!("\n{}\n{}", context.output.bold("May get in now"), table.render(width))
}

/// Who and why on one line, then in words.
fn refused(context: &Context, health: &Health, now: Timestamp, width: usize) -> String {
    if health.refused.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", context.output.bold("Refused last"));
    for refused in health.refused.iter().rev().take(REFUSED) {
        // What a certificate claims is its maker's text: it must not write lines of its own here.
        let plain = |text: &str| visible(text).replace('\n', "\\u{a}");
        let from = refused.source.as_ref().map_or_else(String::new, |source| format!(" from {}", plain(source)));
        let line = format!("{}  {}  {}{from}", clock(refused.time, now), plain(&refused.login), refused.reason);
        text.push_str(&indented(&visible(&line), "", width));
        text.push_str(&indented(&plain(&format!("{}: {}", refused.key_id, refused.message)), "    ", width));
    }
    text
}

/// Lines of at most `width` columns, each after `indent`.
fn indented(text: &str, indent: &str, width: usize) -> String {
    let lines = wrapped(text, width.saturating_sub(measure_text_width(indent)), measure_text_width);
    lines.iter().map(|line| format!("{indent}{line}\n")).collect()
}

/// A size for people.
fn bytes(size: u64) -> String {
    match size {
        0..10_000 => format!("{size} bytes"),
        10_000..10_000_000 => format!("{} kB", size / 1000),
        10_000_000..10_000_000_000 => format!("{} MB", size / 1_000_000),
        _ => format!("{} GB", size / 1_000_000_000),
    }
}
