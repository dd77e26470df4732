//! The verification as a file: what was checked, what came of it and what was not looked at, in plain text for somebody who
//! was not there. Written only where everything could be checked: what could not be is an error, and no report.

use std::collections::BTreeMap;

use super::super::audit::carry;
use super::super::checkpoint::branch::Checkpoints;
use super::super::error::CliError;
use super::super::output::count;
use super::super::session::Session;
use crate::audit::report::TOOL;
use crate::domain::finding::Finding;
use crate::domain::text::visible;
use crate::domain::time::Timestamp;
use crate::ledger::checkpoints;

/// What a verification looked at.
pub struct Verification<'a> {
    /// The ledger, replayed to its head.
    pub session: &'a Session,
    /// What is known of its checkpoints; `None` where the policy names no log key.
    pub checkpoints: Option<&'a Checkpoints>,
    /// What is to be looked at, F04 with it.
    pub findings: &'a [Finding],
    /// The time at which deadlines were judged, UTC.
    pub at: Timestamp,
    /// When it was done, by this machine's clock, UTC.
    pub now: Timestamp,
}

/// What a replay looks at, and what it cannot.
const SCOPE: &str = "\
What was checked
  Of every commit from the first one to the head: that it adds one event and changes nothing else but what that event
  may; the event's form; its signature, with the key that the policy in force then has for its author; the rules of
  docs/rules.md, such as who may approve, quorums, times and certificates; the Merkle root over all of them; that it
  continues what this clone had verified before, and the newest checkpoint, where there is one.

What was not checked
  Recordings (jit play CASE --recordings DIR --json); whether a clock was right; whether anything happened outside of
  the ledger (compare the servers' logs with it); whether this is the ledger that is meant: compare its id, and size
  and root, with what you have from another source.
";

/// The report.
///
/// # Errors
/// Where the policies or the checkpoint's signatures cannot be read.
pub fn text(seen: &Verification<'_>) -> Result<String, CliError> {
    let (state, replay) = (seen.session.state(), seen.session.replay());
    let open = state.voids().iter().filter(|void| !void.acknowledged).count();
    let open = u64::try_from(open).unwrap_or(u64::MAX);
    let mut text = "Verification of a ledger\n\n".to_owned();
    let mut fact = |name: &str, value: &str| text.push_str(&format!("{:<9}{value}\n", format!("{name}:")));
    fact("Ledger", &state.ledger().map_or_else(String::new, |id| id.to_string()));
    fact("Name", &visible(state.name()));
    fact("Head", &replay.head().map_or_else(String::new, |head| head.to_string()));
    let voids = u64::try_from(state.voids().len()).unwrap_or(u64::MAX);
    let signed = state.size().saturating_sub(voids);
    fact(
        "Size",
        &format!("{}: {}, {}", count(state.size(), "entry"), count(signed, "event"), count(voids, "void commit")),
    );
    fact("Root", &replay.root().to_string());
    fact("Remote", &remote(seen)?);
    fact("Judged", &format!("at {}", seen.at));
    fact("Made", &format!("at {} by {TOOL}, by this machine's clock", seen.now));
    text.push_str(&match open {
        0 => "\nResult: ok. Every commit was checked, and none is void without the root members' acknowledgement.\n"
            .to_owned(),
        _ => format!(
            "\nResult: NOT OK. Every commit was checked; {} that nobody acknowledged.\n",
            count(open, "void commit")
        ),
    });
    text.push_str(&format!("        {}, below.\n\n{SCOPE}", count(seen.findings.len(), "finding")));

    let mut cases: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut events: BTreeMap<&str, u64> = BTreeMap::new();
    for case in state.cases() {
        if case.position() > 0 {
            add(&mut cases, (case.kind().as_str(), state.case_state(case, seen.at).as_str()));
        }
        for event in case.events() {
            add(&mut events, event.kind.as_str());
        }
    }
    let cases = cases.iter().map(|((kind, state), count)| format!("{kind:<10}{state:<14}{count:>8}"));
    section(&mut text, "Cases, by kind and state", cases);
    section(&mut text, "Events, by kind", events.iter().map(|(kind, count)| format!("{kind:<24}{count:>8}")));
    let policies = carry::policies(seen.session)?;
    let policies = policies.iter().map(|policy| {
        let (version, digest) = (policy.policy.version, policy.policy.digest);
        format!(
            "version {version}, in force from entry {} on, brought by entry {}: {digest}",
            policy.from, policy.brought
        )
    });
    section(&mut text, "Policies", policies);
    let voids = state.voids().iter().map(|void| {
        let how = if void.acknowledged { "acknowledged" } else { "NOT ACKNOWLEDGED" };
        let (position, fault) = (void.position, &void.fault);
        format!("entry {position}, commit {}, {how}: {} {}", void.commit, fault.code, visible(&fault.message))
    });
    section(&mut text, "Void commits: they broke a rule and changed nothing", voids);
    let findings = seen.findings.iter().map(|finding| {
        let case = finding.case.map_or_else(String::new, |case| format!(" case {}:", case.short()));
        format!("{}{case} {}", finding.code, visible(&finding.message))
    });
    section(&mut text, "Findings: what is to be looked at (docs/rules.md)", findings);
    section(&mut text, "Checkpoint and witnesses", log(seen)?.into_iter());
    text.push_str(&format!("\nTo ask again: jit verify --at {}\n", seen.at));
    Ok(text)
}

fn remote(seen: &Verification<'_>) -> Result<String, CliError> {
    Ok(match (seen.session.ledger().remote()?, seen.session.is_fresh()) {
        (None, _) => "none: what lies here was checked".to_owned(),
        (Some(name), true) => format!("{}, fetched before the check", visible(&name)),
        (Some(name), false) => format!("{} did not answer: what lies here was checked", visible(&name)),
    })
}

/// What the log's key and the witnesses have signed.
fn log(seen: &Verification<'_>) -> Result<Vec<String>, CliError> {
    let Some(known) = seen.checkpoints else {
        return Ok(vec!["The policy names no log key: there is none.".to_owned()]);
    };
    let mut lines = Vec::new();
    match &known.newest {
        None => lines.push("No checkpoint was made yet.".to_owned()),
        Some(newest) => {
            let size = newest.checkpoint().size;
            lines.push(format!("The newest is of {}, signed by the log's key:", count(size, "entry")));
            lines.extend(newest.to_string().lines().map(|line| format!("    {}", visible(line))));
            lines.push(match known.is_ahead {
                // It could not be checked, which is no verdict.
                true => {
                    "It is of more entries than lie here: whether this ledger leads to it was not checked.".to_owned()
                }
                false => "This ledger continues it.".to_owned(),
            });
            let keys = checkpoints::witness_keys(&known.log)?;
            let signed = newest.cosignatures(&keys).map_err(|why| {
                CliError::failed("the cosignatures of the checkpoint cannot be read").because(why.to_string())
            })?;
            for key in &keys {
                let name = visible(key.name().as_str());
                lines.push(match signed.iter().find(|cosignature| cosignature.witness == *key) {
                    Some(cosignature) => format!("Witness {name}: cosigned it at {}", cosignature.time),
                    None => format!("Witness {name}: has not cosigned it"),
                });
            }
        }
    }
    lines.push(match (known.log.witnesses.len(), known.log.quorum) {
        (0, _) => "The policy names no witness.".to_owned(),
        (1, quorum) => format!("The policy names 1 witness, and wants cosignatures of {quorum}."),
        (witnesses, quorum) => format!("The policy names {witnesses} witnesses, and wants cosignatures of {quorum}."),
    });
    Ok(lines)
}

/// A heading and its lines; `None.` where there are none.
fn section(text: &mut String, heading: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    text.push_str(&format!("\n{heading}\n"));
    if lines.peek().is_none() {
        text.push_str("  None.\n");
    }
    for line in lines {
        text.push_str(&format!("  {line}\n"));
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}
