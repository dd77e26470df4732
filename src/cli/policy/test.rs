//! `jit policy test`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::error::CliError;
use super::super::session::{Fresh, Session};
use super::super::view::waiting_text;
use super::super::{Context, Exit, Outcome};
use super::check::unsound;
use crate::domain::event::{Request, Risk, RiskLevel};
use crate::domain::id::{Name, RoleRef};
use crate::domain::policy::Policy;
use crate::domain::state::case::{CaseState, Matter};
use crate::domain::state::trial::{Trial, trial};
use crate::domain::text::visible;
use crate::domain::time::{Timestamp, Ttl};
use crate::ledger::governed;

/// Try scenarios against a policy: who asks for what, who agrees, and what comes of it.
///
/// The rules are those of the ledger. Keys are not asked: nobody signs. Exits with 1 where a scenario ends otherwise
/// than it says. Without FILE the ledger's own scenarios.toml is taken.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The scenarios, in TOML; docs/administrator.md has the form.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// The policy to try [default: the one in force].
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub policy: Option<PathBuf>,
    /// Try every policy that is proposed, too, each with the scenarios that its proposal brings along.
    #[arg(long, conflicts_with_all = ["policy", "file"])]
    pub proposals: bool,
}

/// The scenarios of a ledger: a governed file.
const SCENARIOS: &str = "scenarios.toml";

/// Scenarios and the policy that they are tried against.
struct Attempt {
    /// What policy it is, where there are several.
    title: Option<String>,
    scenarios: Vec<Scenario>,
    policy: Policy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scenario: Vec<Scenario>,
}

/// One scenario as people write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    who: String,
    asks: Asks,
    #[serde(rename = "for")]
    duration: String,
    #[serde(default)]
    emergency: bool,
    ticket: Option<String>,
    least_privilege: Option<String>,
    incident: Option<String>,
    #[serde(default)]
    data: Vec<String>,
    #[serde(default)]
    from: Vec<String>,
    #[serde(default)]
    approved_by: Vec<String>,
    expect: Expect,
    waits_on: Option<BTreeSet<String>>,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Asks {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Pending,
    Approved,
    Emergency,
    Refused,
}

/// What came of a scenario.
struct Came {
    name: String,
    ok: bool,
    said: String,
}

/// Runs the command.
///
/// # Errors
/// Failed where the scenarios cannot be read; refused where the policy is unsound.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let attempts = attempts(context, args)?;
    let now = context.now();
    let (mut text, mut objects, mut failed) = (String::new(), Vec::new(), 0_usize);
    for attempt in &attempts {
        let mut came = Vec::new();
        for scenario in &attempt.scenarios {
            came.push(one(&attempt.policy, scenario, now).map_err(|why| {
                CliError::failed(format!("scenario {:?} cannot be tried", scenario.name))
                    .because(why)
                    .hint("docs/administrator.md has an example")
            })?);
        }
        let bad = came.iter().filter(|came| !came.ok).count();
        failed = failed.saturating_add(bad);
        let rows: Vec<Value> =
            came.iter().map(|came| json!({ "name": came.name, "ok": came.ok, "said": came.said })).collect();
        objects.push(json!({ "ok": bad == 0, "policy": attempt.policy.digest.to_string(),
            "version": attempt.policy.version, "of": attempt.title, "scenarios": rows }));
        let output = &context.output;
        if let Some(title) = &attempt.title {
            text.push_str(&format!("{}\n", output.bold(title)));
        }
        for came in &came {
            let mark = if came.ok { output.green("ok    ") } else { output.red("FAILED") };
            text.push_str(&format!("{mark}  {}: {}\n", visible(&came.name), visible(&came.said)));
        }
        text.push_str(&format!("{} of {} as expected\n", came.len().saturating_sub(bad), came.len()));
    }
    context.output.result(
        || match (args.proposals, objects.pop()) {
            (false, Some(only)) => only,
            (_, last) => {
                objects.extend(last);
                json!({ "ok": failed == 0, "policies": objects })
            }
        },
        || text,
    )?;
    Ok(if failed == 0 { Exit::DONE } else { Exit(1) })
}

/// What is to be tried.
fn attempts(context: &mut Context, args: &Args) -> Result<Vec<Attempt>, CliError> {
    let scenarios = match &args.file {
        Some(file) => {
            let path = context.resolve(file);
            let text = fs::read_to_string(&path).map_err(|cause| CliError::file("read", &path, &cause))?;
            Some(parse(&text, &file.display().to_string())?)
        }
        None => None,
    };
    let policy = match &args.policy {
        Some(named) => {
            let path = context.resolve(named);
            let bytes = fs::read(&path).map_err(|cause| CliError::file("read", &path, &cause))?;
            Some(Policy::parse(&bytes).map_err(|problems| unsound(Path::new(named), &problems))?)
        }
        None => None,
    };
    // With both of them no ledger is needed.
    let (scenarios, policy) = match (scenarios, policy) {
        (Some(scenarios), Some(policy)) => return Ok(vec![Attempt { title: None, scenarios, policy }]),
        other => other,
    };
    let session = Session::open(context, Fresh::Try)?;
    let scenarios = match scenarios {
        Some(scenarios) => scenarios,
        None => in_force(&session)?,
    };
    if !args.proposals {
        let policy = policy.unwrap_or_else(|| session.policy().clone());
        return Ok(vec![Attempt { title: None, scenarios, policy }]);
    }
    let title = format!("Policy version {}, in force", session.policy().version);
    let mut attempts = vec![Attempt { title: Some(title), scenarios, policy: session.policy().clone() }];
    let (state, now) = (session.state(), context.now());
    for case in state.cases() {
        let Matter::Proposal(proposed) = case.matter() else { continue };
        let is_open = matches!(state.case_state(case, now), CaseState::Pending | CaseState::Approved);
        let (true, Some(policy)) = (is_open, proposed.policy.as_deref()) else { continue };
        let brought = governed::brought(session.store(), case)?;
        let title = format!("Policy version {}, proposed by {} in {}", policy.version, case.actor(), case.id().short());
        let scenarios = match brought.get(SCENARIOS) {
            Some(content) => parse(&String::from_utf8_lossy(&content.bytes), &title)?,
            None => in_force(&session)?,
        };
        attempts.push(Attempt { title: Some(title), scenarios, policy: policy.clone() });
    }
    Ok(attempts)
}

/// The ledger's own scenarios.
fn in_force(session: &Session) -> Result<Vec<Scenario>, CliError> {
    let files = governed::in_force(session.store(), session.replay())?;
    let Some(content) = files.get(SCENARIOS) else {
        return Err(CliError::failed(format!("this ledger has no {SCENARIOS}"))
            .hint("name a file: jit policy test FILE; or bring the template's: jit ledger upgrade-template"));
    };
    parse(&String::from_utf8_lossy(&content.bytes), SCENARIOS)
}

fn parse(text: &str, of: &str) -> Result<Vec<Scenario>, CliError> {
    let file: File = toml::from_str(text).map_err(|error| {
        CliError::failed(format!("{of} is no file of scenarios"))
            .because(error.to_string().trim_end().to_owned())
            .hint("docs/administrator.md has an example")
    })?;
    Ok(file.scenario)
}

fn one(policy: &Policy, scenario: &Scenario, now: Timestamp) -> Result<Came, String> {
    let who = name(&scenario.who)?;
    let approvers = scenario.approved_by.iter().map(|text| name(text)).collect::<Result<Vec<_>, _>>()?;
    let request = request(policy, &who, scenario)?;
    let (expect, code, groups, said) = match trial(policy, &who, &request, &approvers, now) {
        Trial::Refused { by, fault } => {
            let said = format!("refused ({}), at {by}: {}", fault.code, fault.message);
            (Expect::Refused, Some(fault.code.as_str().to_owned()), None, said)
        }
        Trial::Pending(missing) => {
            let groups: BTreeSet<String> = missing.iter().map(|lack| lack.group.to_string()).collect();
            (Expect::Pending, None, Some(groups), format!("pending, waits on {}", waiting_text(&missing)))
        }
        Trial::Approved => (Expect::Approved, None, None, "approved".to_owned()),
        Trial::Emergency => (Expect::Emergency, None, None, "emergency: issued before any approval".to_owned()),
    };
    let ok = expect == scenario.expect
        && scenario.code.as_ref().is_none_or(|wanted| code.as_ref() == Some(wanted))
        && scenario.waits_on.as_ref().is_none_or(|wanted| groups.as_ref() == Some(wanted));
    let said = if ok { said } else { format!("{said}; expected {}", wanted(scenario)) };
    Ok(Came { name: scenario.name.clone(), ok, said })
}

fn wanted(scenario: &Scenario) -> String {
    let mut text = format!("{:?}", scenario.expect).to_lowercase();
    if let Some(code) = &scenario.code {
        text.push_str(&format!(" ({code})"));
    }
    if let Some(groups) = &scenario.waits_on {
        text.push_str(&format!(", waiting on {}", groups.iter().cloned().collect::<Vec<_>>().join(" and ")));
    }
    text
}

fn name(text: &str) -> Result<Name, String> {
    text.parse().map_err(|_| format!("{text:?} is no name"))
}

/// The request that the scenario means; what it leaves out says something that no rule minds.
fn request(policy: &Policy, who: &Name, scenario: &Scenario) -> Result<Request, String> {
    let named = match &scenario.asks {
        Asks::One(one) => std::slice::from_ref(one),
        Asks::Several(several) => several,
    };
    let role = |text: &String| text.parse::<RoleRef>().map_err(|_| format!("{text:?} is no TARGET/ROLE"));
    let mut targets = named.iter().map(role).collect::<Result<Vec<_>, _>>()?;
    targets.sort();
    targets.dedup();
    let mut data = scenario.data.clone();
    data.sort();
    data.dedup();
    let from = scenario.from.iter().map(|net| net.parse().map_err(|_| format!("{net:?} is no network")));
    // Somebody unknown has no key; the rules refuse them before they look at it. Who has a hardware key asks with it.
    let actor = policy.actor(who).or_else(|| policy.actors.values().next());
    let key = actor.and_then(|actor| actor.keys.iter().find(|key| key.is_hardware()).or_else(|| actor.keys.first()));
    Ok(Request {
        targets,
        duration: Ttl::from_human(&scenario.duration).map_err(|error| format!("for: {error}"))?,
        not_before: None,
        business_need: "A scenario.".to_owned(),
        least_privilege: scenario.least_privilege.clone(),
        ticket: scenario.ticket.clone(),
        incident: scenario.incident.clone(),
        extends: None,
        emergency: scenario.emergency,
        source_address: from.collect::<Result<_, _>>()?,
        credential_key: key.cloned().ok_or("the policy has nobody in it")?,
        risk: Risk { level: RiskLevel::Low, impact: "None.".to_owned(), rollback: "None.".to_owned(), data },
    })
}
