//! `jit doctor`: what is set up, what is missing, and the command that mends it. It only looks.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::checkpoint::branch::Checkpoints;
use super::context::{Freshness, Ledger};
use super::error::CliError;
use super::output::count;
use super::{Context, Exit, Outcome, Output};
use crate::git::LocalInbox;
use crate::host::config::DEFAULT;

mod host;
mod keys;

/// Say what is set up, what is missing, and the command that mends it.
///
/// On a host that was set up, of the host; elsewhere, or with --ledger, of the person.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The host's configuration.
    #[arg(long, value_name = "FILE", default_value = DEFAULT, value_hint = clap::ValueHint::FilePath)]
    pub config: PathBuf,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grade {
    Good,
    /// It works, but something should be known.
    Warning,
    Bad,
}

impl Grade {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Bad => "failed",
        }
    }
}

struct Check {
    name: &'static str,
    grade: Grade,
    found: String,
    hint: Option<String>,
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, grade: Grade::Good, found: found.into(), hint: None }
    }

    fn warning(name: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, grade: Grade::Warning, found: found.into(), hint: Some(hint.into()) }
    }

    fn failed(name: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { grade: Grade::Bad, ..Self::warning(name, found, hint) }
    }

    fn bad(name: &'static str, error: &CliError) -> Self {
        let hint = error.hint_text().map(str::to_owned);
        Self { name, grade: Grade::Bad, found: error.message().to_owned(), hint }
    }
}

/// Looks at everything and tells it; what is missing is no error of this command unless nothing can work without it.
///
/// # Errors
/// Where the report cannot be written.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut checks = vec![program("git", "--version"), program("ssh", "-V")];
    let mut rows = Vec::new();
    if context.global.ledger.is_none() && (args.config.exists() || args.config.as_os_str() != DEFAULT) {
        checks.extend(host::checks(context, &args.config));
    } else {
        checks.extend(person_checks(context, &mut rows));
    }
    let is_bad = checks.iter().any(|check| check.grade == Grade::Bad);
    let object = || {
        let all: Vec<Value> = checks
            .iter()
            .map(|check| {
                json!({ "check": check.name, "result": check.grade.as_str(), "found": check.found, "hint": check.hint })
            })
            .collect();
        json!({ "ok": !is_bad, "checks": all, "keys": keys::objects(&rows) })
    };
    context
        .output
        .result(object, || render(&checks, &context.output) + &keys::table(context, &rows, &context.output))?;
    Ok(if is_bad { Exit(1) } else { Exit::DONE })
}

fn person_checks(context: &mut Context, rows: &mut Vec<keys::Row>) -> Vec<Check> {
    let mut checks = vec![configuration(context), key(context)];
    checks.extend(agent(context));
    match context.ledger(Freshness::Local) {
        Ok(ledger) => {
            checks.extend(ledger_checks(context, &ledger));
            *rows = keys::rows(context, ledger.policy());
            if let Ok(who) = context.who(ledger.policy()) {
                checks.extend(keys::checks(context, rows, ledger.policy(), &who));
            }
        }
        Err(error) => checks.push(Check::bad("ledger", &error)),
    }
    checks
}

fn render(checks: &[Check], output: &Output) -> String {
    let mut text = String::new();
    for check in checks {
        let sign = match check.grade {
            Grade::Good => output.green("ok     "),
            Grade::Warning => output.yellow("warning"),
            Grade::Bad => output.red("failed "),
        };
        text.push_str(&format!("{sign}  {:<8}  {}\n", check.name, crate::domain::text::visible(&check.found)));
        if let Some(hint) = &check.hint {
            text.push_str(&format!("                   {} {hint}\n", output.cyan("Hint:")));
        }
    }
    text
}

fn program(name: &'static str, argument: &str) -> Check {
    let run = Command::new(name).arg(argument).stdin(Stdio::null()).output();
    match run {
        Ok(done) if done.status.success() => {
            // `ssh -V` speaks on stderr.
            let said = if done.stdout.is_empty() { done.stderr } else { done.stdout };
            let said = String::from_utf8_lossy(&said);
            Check::good(name, said.lines().next().unwrap_or_default())
        }
        Ok(_) => Check::warning(name, format!("{name} {argument} fails"), format!("reinstall {name}")),
        Err(cause) => Check::warning(name, format!("{name} cannot be run: {cause}"), format!("install {name}")),
    }
}

fn configuration(context: &Context) -> Check {
    let Some(file) = context.config_file() else {
        return Check::warning("config", "there is no HOME and no XDG_CONFIG_HOME", "set HOME");
    };
    match context.config() {
        Err(error) => Check::bad("config", &error),
        Ok(_) if !file.exists() => Check::good("config", format!("none ({})", file.display())),
        Ok(config) => {
            let default = config.default_ledger.as_deref().unwrap_or("no default ledger");
            Check::good("config", format!("{}: {}, {default}", file.display(), count(config.ledgers.len(), "ledger")))
        }
    }
}

fn key(context: &Context) -> Check {
    let found = context.key_path().and_then(|path| Ok((path, context.public_key()?)));
    match found {
        Ok((path, key)) => Check::good("key", format!("{} {}", path.display(), key.fingerprint())),
        Err(error) => match &*super::keys::all(context) {
            [] => Check::bad("key", &error),
            [only] => Check::good("key", only.name()),
            several => Check::good("key", format!("{} in ~/.ssh and ssh-agent", several.len())),
        },
    }
}

fn agent(context: &Context) -> Option<Check> {
    let agent = context.agent()?;
    Some(match agent.identities() {
        Ok(keys) => Check::good("agent", format!("{} usable keys", keys.len())),
        Err(error) => Check::warning("agent", error.to_string(), "eval $(ssh-agent); ssh-add FILE"),
    })
}

fn ledger_checks(context: &Context, ledger: &Ledger) -> Vec<Check> {
    let state = ledger.state();
    let size = state.size();
    let mut checks = vec![Check::good(
        "ledger",
        format!("{}: {} in {}", state.name(), count(size, "event"), ledger.store().path().display()),
    )];
    match context.who(ledger.policy()) {
        Ok(who) if ledger.policy().actor(&who).is_some() => checks.push(Check::good("you", who.to_string())),
        Ok(who) => checks.push(Check::warning("you", format!("the policy knows nobody named {who}"), "--as NAME")),
        Err(error) => checks.push(Check { grade: Grade::Warning, ..Check::bad("you", &error) }),
    }
    let open = state.voids().iter().filter(|void| !void.acknowledged).count();
    if open > 0 {
        let found = format!("{open} void commits that nobody acknowledged: nothing is minted but for emergencies");
        checks.push(Check::warning("voids", found, "jit verify"));
    }
    match ledger.replay().findings(ledger.store(), context.now()) {
        Ok(findings) if findings.is_empty() => {}
        Ok(findings) => checks.push(Check::warning("findings", format!("{} findings", findings.len()), "jit verify")),
        Err(error) => checks.push(Check::bad("findings", &error.into())),
    }
    checks.extend(checkpoints(context, ledger));
    checks.push(match ledger.remote() {
        Ok(Some(name)) => Check::good("remote", name),
        Ok(None) => Check::good("remote", "none: this ledger is local"),
        Err(error) => Check::bad("remote", &error),
    });
    match ledger.waiting() {
        Ok(waiting) if waiting.is_empty() => {}
        Ok(waiting) => {
            checks.push(Check::warning("outbox", format!("{} waiting here", count(waiting.len(), "event")), "jit sync"))
        }
        Err(error) => checks.push(Check::bad("outbox", &error)),
    }
    checks.extend(inbox(ledger));
    for warning in ledger.store().warnings().unwrap_or_default() {
        checks.push(Check { name: "store", grade: Grade::Warning, found: warning.to_string(), hint: None });
    }
    checks
}

/// What lies in the inbox of a repository that people push to. A hook, or CI, empties it within seconds.
fn inbox(ledger: &Ledger) -> Option<Check> {
    const NAME: &str = "inbox";
    match LocalInbox(ledger.store()).count() {
        Ok(0) => None,
        Ok(letters) => {
            let hint = "jit fold; where that helps only now: jit hook install, or jit fold in CI (docs/ci.md)";
            Some(Check::warning(NAME, format!("{} in the inbox here", count(letters, "event")), hint))
        }
        Err(error) => Some(Check::bad(NAME, &CliError::from(error))),
    }
}

/// What this clone knows of the checkpoints, and whether the policy lets anything be minted with it. The remote is not asked.
fn checkpoints(context: &Context, ledger: &Ledger) -> Option<Check> {
    const NAME: &str = "log";
    let known = match Checkpoints::here(context, ledger) {
        Ok(known) => known?,
        Err(error) => return Some(Check::bad(NAME, &error)),
    };
    let size = ledger.state().size();
    let found = match &known.newest {
        None => "no checkpoint yet".to_owned(),
        Some(newest) => {
            let signed = newest.checkpoint().size;
            let behind = match size.checked_sub(signed) {
                Some(0) => "all that is here".to_owned(),
                Some(behind) => format!("{} newer", count(behind, "entry")),
                None => "more than is here".to_owned(),
            };
            format!("newest checkpoint of {}, {behind}", count(signed, "entry"))
        }
    };
    // F04: what mint and hosts would say.
    Some(match known.lacking(ledger, context.now()) {
        Err(error) => Check::bad(NAME, &error),
        Ok(Some(lacking)) => {
            let hint = "jit sync; with the log's key: jit checkpoint; then each witness: jit witness";
            Check::warning(NAME, format!("{found}; nothing is minted: {lacking}"), hint)
        }
        Ok(None) if known.is_ahead => Check::warning(NAME, found, "jit sync"),
        Ok(None) => Check::good(NAME, if known.log.demands() { found } else { format!("{found}; none is demanded") }),
    })
}
