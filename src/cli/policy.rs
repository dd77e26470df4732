//! `jit policy`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::error::CliError;
use super::output::Table;
use super::session::{Fresh, Session};
use super::view::{waiting_json, waiting_text};
use super::{Context, Exit, Outcome};
use crate::domain::policy::{Class, Mfa, Policy, ProbeWhat, Role, Target, quorum};

use std::path::PathBuf;

use crate::domain::id::{Name, RoleRef};
use crate::domain::time::Ttl;

/// Look at the policy: who may do what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do with it.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do with the policy.
#[derive(Debug, clap::Subcommand)]
#[command(subcommand_help_heading = "Commands", disable_help_subcommand = true)]
pub enum Command {
    /// Check a policy file: every problem with its line, column and what was expected.
    Check {
        /// The file.
        #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Show the policy in force.
    Show,
    /// Say what would happen if MEMBER asked for TARGET/ROLE, and who would have to approve.
    Explain {
        /// Who would ask.
        #[arg(value_name = "MEMBER")]
        member: Name,
        /// What for.
        #[arg(value_name = "TARGET/ROLE", value_parser = super::args::role)]
        role: RoleRef,
        /// For how long, such as 30m.
        #[arg(long = "for", value_name = "DURATION", value_parser = super::args::ttl)]
        duration: Option<Ttl>,
        /// As break-glass.
        #[arg(long)]
        emergency: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// As each subcommand has them.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    match args.command {
        Command::Check { file } => check(context, &file),
        Command::Show => show(context),
        Command::Explain { member, role, duration, emergency } => explain(context, &member, &role, duration, emergency),
    }
}

fn check(context: &Context, file: &std::path::Path) -> Outcome {
    let path = context.resolve(file);
    let bytes = std::fs::read(&path).map_err(|cause| CliError::file("read", &path, &cause))?;
    match Policy::parse(&bytes) {
        Ok(policy) => {
            context.output.result(
                || json!({ "ok": true, "policy": policy.digest.to_string(), "version": policy.version, "problems": [] }),
                || format!("{}: sound (version {}, {})", file.display(), policy.version, policy.digest),
            )?;
            Ok(Exit::DONE)
        }
        Err(problems) => {
            let object = |problem: &crate::domain::policy::PolicyProblem| -> Value {
                json!({ "line": problem.line, "column": problem.column, "message": problem.message, "expected": problem.expected })
            };
            if context.output.is_json() {
                let problems: Vec<Value> = problems.0.iter().map(object).collect();
                context.output.print(&json!({ "ok": false, "problems": problems }).to_string())?;
                return Ok(Exit(3));
            }
            let lines: Vec<String> = problems
                .0
                .iter()
                .map(|problem| {
                    let expected =
                        problem.expected.as_ref().map_or_else(String::new, |expected| format!("; expected {expected}"));
                    format!("{}:{}:{}: {}{expected}", file.display(), problem.line, problem.column, problem.message)
                })
                .collect();
            let problems = if lines.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", lines.len()) };
            let mut error = CliError::refused(format!("the policy is unsound: {problems}"));
            for line in lines {
                error = error.because(line);
            }
            Err(error.hint("mend the file, then run the command again"))
        }
    }
}

fn show(context: &mut Context) -> Outcome {
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
    out.print(&format!("root: {} of {}\n", policy.root.threshold, names(&policy.root.members)))?;
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

fn names(names: &[Name]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}

fn approval(role: &Role) -> String {
    let parts: Vec<String> = role.approve.iter().map(|slot| format!("{} of {}", slot.count, slot.group)).collect();
    parts.join(" and ")
}

/// What would happen if `member` asked.
fn explain(context: &mut Context, member: &Name, target: &RoleRef, duration: Option<Ttl>, emergency: bool) -> Outcome {
    let session = Session::open(context, Fresh::Try)?;
    let policy = session.policy();
    let Some(role) = policy.role(target) else {
        return Err(CliError::refused(format!("the policy has no {target}")).hint("jit policy show"));
    };
    if !policy.is_member(member) {
        return Err(CliError::refused(format!("the policy knows no member {member}")).hint("jit policy show"));
    }
    let mut refusals = Vec::new();
    let (groups, longest) = match (&role.emergency, emergency) {
        (Some(rule), true) => (vec![rule.group.clone()], rule.max_duration),
        (None, true) => {
            refusals.push(format!("{target} has no emergency access"));
            (Vec::new(), role.max_duration)
        }
        (_, false) => (role.requesters.clone(), role.max_duration),
    };
    if refusals.is_empty() && !policy.in_any_group(member, &groups) {
        refusals.push(format!("{member} is in no group that may ask ({})", names(&groups)));
    }
    if let Some(duration) = duration.filter(|duration| *duration > longest) {
        refusals.push(format!("{duration} is longer than the {longest} that {target} allows"));
    }
    let missing = if emergency { Vec::new() } else { quorum(policy, &role.approve, member, &BTreeSet::new()).missing };
    let allowed = refusals.is_empty();
    let mut lines = Vec::new();
    if allowed {
        lines.push(format!("{member} may ask for {target} for up to {longest}."));
        if emergency {
            lines
                .push("The credential is issued before any approval; reviewers must look at it afterwards.".to_owned());
        } else {
            lines.push(format!("Approval: {}", waiting_text(&missing)));
        }
        demands(role, &mut lines);
        lines.extend(policy.targets.get(&target.target).map(afterwards));
    } else {
        lines.extend(refusals.iter().map(|why| format!("Refused: {why}.")));
    }
    context.output.result(
        || {
            json!({ "allowed": allowed, "member": member.as_str(), "role": target.to_string(), "max_duration": longest.to_string(),
                "emergency": emergency, "refusals": refusals, "waiting_on": waiting_json(&missing) })
        },
        || lines.join("\n"),
    )?;
    Ok(if allowed { Exit::DONE } else { Exit(3) })
}

/// What the target's hosts look at after each session.
fn afterwards(target: &Target) -> String {
    let probes: Vec<String> = target.all_probes().into_iter().map(|probe| probe.name).collect();
    format!("After each session the host looks at: {}", probes.join(", "))
}

/// What the request would have to say, and what follows.
fn demands(role: &Role, lines: &mut Vec<String>) {
    if let Some(pattern) = &role.ticket {
        lines.push(format!("Ticket: like {}", pattern.as_str()));
    }
    if role.least_privilege {
        lines.push("Must say why a smaller role does not do (--least-privilege).".to_owned());
    }
    if role.mfa != Mfa::None {
        lines.push(format!("Signatures: hardware key, {}", role.mfa));
    }
    if !role.source_address.is_empty() {
        let nets: Vec<String> = role.source_address.iter().map(ToString::to_string).collect();
        lines.push(format!("Login from: {}", nets.join(", ")));
    }
    if let Some(review) = &role.review {
        lines.push(format!("Review: {} of {} within {} of the end", review.count, review.group, review.within));
    }
}
