//! `jit policy show`.

use serde_json::{Value, json};

use super::super::output::Table;
use super::super::session::{Fresh, Session};
use super::super::{Context, Exit, Outcome};
use super::names;
use crate::domain::id::Name;
use crate::domain::policy::{Class, Policy, ProbeWhat, Role, Target};
use crate::domain::text::visible;

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked.
pub fn run(context: &mut Context) -> Outcome {
    let session = Session::open(context, Fresh::Try)?;
    let policy = session.policy();
    if context.output.is_json() {
        context.output.print(&policy_json(policy).to_string())?;
        return Ok(Exit::DONE);
    }
    let out = &context.output;
    out.print(&format!("{} version {}  {}", out.bold(&policy.name), policy.version, policy.digest))?;
    out.print(&format!(
        "decide within {}, activate within {}, staleness {}, clock skew {}",
        policy.decide_within, policy.activate_within, policy.staleness, policy.clock_skew
    ))?;
    out.print(&format!("root: {} of {}", policy.root.threshold, names(&policy.root.members)))?;
    out.print(&format!("{}\n", log_line(policy)))?;
    let mut people = Table::new(&["who", "class", "in", "keys"]);
    for (name, actor) in &policy.actors {
        let (class, of) = match &actor.class {
            Class::Member { groups } => ("member", names(groups)),
            Class::Service { mints } => ("service", format!("mints {}", names(mints))),
            Class::Host { targets } => ("host", format!("serves {}", names(targets))),
        };
        let keys: Vec<String> = actor.keys.iter().map(|key| key.fingerprint()).collect();
        people.row([name.to_string(), class.to_owned(), of, keys.join(", ")]);
    }
    out.print(&people.render(out.width()))?;
    let mut roles = Table::new(&["target/role", "environment", "who may ask", "at most", "mfa", "approval"]);
    for (target_name, target) in &policy.targets {
        for (role_name, role) in &target.roles {
            roles.row([
                format!("{target_name}/{role_name}"),
                target.environment.to_string(),
                names(&role.requesters),
                role.max_duration.to_string(),
                role.mfa.to_string(),
                approval(role),
            ]);
        }
    }
    if !roles.is_empty() {
        out.print(&format!("\n{}", roles.render(out.width())))?;
    }
    let mut probes = Table::new(&["target", "offline", "after a session", "at most", "looks at"]);
    for (name, target) in &policy.targets {
        for probe in target.all_probes() {
            let row = [
                name.to_string(),
                target.offline.to_string(),
                probe.name,
                probe.timeout.to_string(),
                probe.what.to_string(),
            ];
            probes.row(row);
        }
    }
    if !probes.is_empty() {
        out.print(&format!("\n{}", probes.render(out.width())))?;
    }
    Ok(Exit::DONE)
}

/// Who signs checkpoints, and what is demanded of them.
fn log_line(policy: &Policy) -> String {
    let Some(log) = &policy.log else { return "log: no key, so no checkpoints".to_owned() };
    let mut line = format!("log: {}", log.key.fingerprint());
    if !log.witnesses.is_empty() {
        let names: Vec<String> = log.witnesses.iter().map(|witness| visible(&witness.name)).collect();
        line.push_str(&format!("; {} of {} must have cosigned", log.quorum, names.join(", ")));
    }
    if let Some(freshest) = log.freshest {
        line.push_str(&format!(", within {freshest}"));
    }
    line
}

fn log_json(policy: &Policy) -> Value {
    let Some(log) = &policy.log else { return Value::Null };
    let witnesses: Vec<Value> =
        log.witnesses.iter().map(|witness| json!({ "name": witness.name, "key": witness.key.to_string() })).collect();
    json!({ "key": log.key.to_string(), "witnesses": witnesses, "quorum": log.quorum,
        "freshest": log.freshest.map(|freshest| freshest.to_string()) })
}

fn policy_json(policy: &Policy) -> Value {
    let roles: Vec<Value> = policy
        .targets
        .iter()
        .flat_map(|(target_name, target)| target.roles.iter().map(move |(role_name, role)| (target_name, target, role_name, role)))
        .map(|(target_name, target, role_name, role)| {
            json!({ "role": format!("{target_name}/{role_name}"), "environment": target.environment.as_str(),
                "requesters": role.requesters.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
                "max_duration": role.max_duration.to_string(), "mfa": role.mfa.as_str(),
                "approve": role.approve.iter().map(|slot| json!({ "group": slot.group.as_str(), "count": slot.count })).collect::<Vec<_>>() })
        })
        .collect();
    let targets: Vec<Value> = policy.targets.iter().map(|(name, target)| target_json(name, target)).collect();
    json!({ "policy": policy.digest.to_string(), "version": policy.version, "name": policy.name, "targets": targets,
        "log": log_json(policy),
        "root": { "threshold": policy.root.threshold, "members": policy.root.members.iter().map(|name| name.as_str()).collect::<Vec<_>>() },
        "actors": policy.actors.keys().map(|name| name.as_str()).collect::<Vec<_>>(), "roles": roles })
}

/// What hosts do for a target.
fn target_json(name: &Name, target: &Target) -> Value {
    let probes: Vec<Value> = target
        .all_probes()
        .into_iter()
        .map(|probe| {
            let what = match probe.what {
                ProbeWhat::Builtin(builtin) => json!({ "builtin": builtin.as_str() }),
                ProbeWhat::Files(paths) => json!({ "builtin": "files", "paths": paths }),
                ProbeWhat::Command { argv, clear, run_as } => {
                    json!({ "command": argv, "clear": clear.as_str(), "run_as": run_as })
                }
            };
            json!({ "name": probe.name, "what": what, "timeout": probe.timeout.to_string() })
        })
        .collect();
    json!({ "target": name.as_str(), "environment": target.environment.as_str(), "description": target.description,
        "data": target.data, "offline": target.offline.as_str(), "probes": probes })
}

fn approval(role: &Role) -> String {
    let parts: Vec<String> = role.approve.iter().map(|slot| format!("{} of {}", slot.count, slot.group)).collect();
    parts.join(" and ")
}
