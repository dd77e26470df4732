//! `jit verify`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::checkpoint::branch::Checkpoints;
use super::context::History;
use super::error::CliError;
use super::session::{Fresh, Session};
use super::view::void;
use super::{Context, Exit, Outcome};
use crate::domain::finding::{Code, Finding, Void};
use crate::domain::id::CommitId;
use crate::domain::text::visible;
use crate::domain::time::Timestamp;

mod annotations;
pub(super) mod report;

/// Check the ledger: every commit, signature and rule since the first one.
///
/// What an earlier command of yours checked in this clone is not checked again, unless `--full` or `--report` is given.
///
/// Exits with 4 where a commit broke a rule and nobody has acknowledged it, and with 5 where the history is not the one
/// that this clone has verified before.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Check everything again, from the first commit on, and not only what came since the last command.
    #[arg(long)]
    pub full: bool,
    /// Report only on what came after this commit. What was not checked before is checked all the same.
    #[arg(long, value_name = "COMMIT")]
    pub since: Option<String>,
    /// Judge deadlines at this time [default: now].
    #[arg(long, value_name = "TIME", value_parser = super::args::time)]
    pub at: Option<Timestamp>,
    /// Findings about deadlines and files count, too.
    #[arg(long)]
    pub strict: bool,
    /// Print annotations for GitHub Actions too, and append to the job's summary (GITHUB_STEP_SUMMARY).
    #[arg(long, conflicts_with_all = ["gitlab", "sarif"])]
    pub github: bool,
    /// Write a report of it to this file, in plain text: always of the whole history.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub report: Option<std::path::PathBuf>,
    /// Print a code quality report for GitLab on stdout, and the rest on stderr.
    #[arg(long, conflicts_with = "sarif")]
    pub gitlab: bool,
    /// Print SARIF 2.1.0 on stdout, and the rest on stderr.
    #[arg(long)]
    pub sarif: bool,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger could not be checked, which is no verdict; stale where it does not continue the pin.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let history = if args.full || args.report.is_some() { History::Whole } else { History::Since };
    let mut session = Session::open_with(context, Fresh::Try, history)?;
    // A checkpoint that contradicts the ledger ends this with exit 5, whatever the policy demands.
    let checkpoints = Checkpoints::looked(context, session.ledger_mut())?;
    let (state, replay) = (session.state(), session.replay());
    let at = args.at.unwrap_or_else(|| context.now());
    let since = args.since.as_deref().map(|text| position_of(&session, text)).transpose()?;
    let voids: Vec<&Void> =
        state.voids().iter().filter(|void| since.is_none_or(|since| void.position > since)).collect();
    let mut findings = replay.findings(session.store(), at)?;
    if let Some(lacking) = checkpoints.as_ref().map(|known| known.lacking(session.ledger(), at)).transpose()?.flatten()
    {
        findings.push(Finding { code: Code::F04, case: None, message: lacking });
    }
    if let Some(file) = &args.report {
        let checkpoints = checkpoints.as_ref();
        let seen = report::Verification { session: &session, checkpoints, findings: &findings, at, now: context.now() };
        let path = context.resolve(file);
        super::audit::report::write(&path, report::text(&seen)?.as_bytes())?;
        context.output.note(format!("Wrote {}", path.display()));
    }
    let open = voids.iter().filter(|void| !void.acknowledged).count();
    let ok = open == 0 && (findings.is_empty() || !args.strict);
    let cases: BTreeMap<&str, u64> =
        state.count_by_state(at).into_iter().map(|(state, count)| (state.as_str(), count)).collect();
    let known = session.ledger().known();
    let checked = state.size().saturating_sub(known);
    let head = replay.head().map(|head| head.to_string());
    let (mut told, mut objects) = (Vec::new(), Vec::new());
    for void in &voids {
        match context.output.is_json() {
            true => objects.push(void::json(&session, void)?),
            false => told.push(void::text(&context.output, &session, void)?),
        }
    }
    let found = match args.github || args.gitlab || args.sarif {
        true => annotations::objections(&session, &voids, &findings)?,
        false => Vec::new(),
    };
    let token = context.nonce()?;
    let as_json = || {
        json!({
            "ok": ok, "ledger": state.ledger().map(|id| id.to_string()), "head": head, "size": state.size(),
            "root": replay.root().to_string(), "cases": cases, "checked": checked,
            "voids": objects,
            "findings": findings.iter().map(finding_json).collect::<Vec<_>>(),
        })
    };
    let as_text = || {
        let mut text = String::new();
        for told in &told {
            text.push_str(told);
        }
        for finding in &findings {
            let case = finding.case.map_or_else(String::new, |case| format!(" case {}:", case.short()));
            text.push_str(&format!("finding  {}{case} {}\n", finding.code, visible(&finding.message)));
        }
        let counted: Vec<String> = cases.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let verdict = if ok { context.output.green("ok") } else { context.output.red("NOT OK") };
        text.push_str(&format!(
            "{verdict}  {}: {}, every signature and rule checked\n",
            state.name(),
            super::output::count(state.size(), "event")
        ));
        text.push_str(&format!("    ledger {}\n", state.ledger().map_or_else(String::new, |id| id.to_string())));
        text.push_str(&format!("    head   {}\n    root   {}\n", head.clone().unwrap_or_default(), replay.root()));
        if known > 0 {
            text.push_str(&format!("    checked {checked} now, {known} before (jit verify --full: all again)\n"));
        }
        if !counted.is_empty() {
            text.push_str(&format!("    cases  {}\n", counted.join(", ")));
        }
        text
    };
    if args.gitlab || args.sarif {
        let report = if args.sarif { annotations::sarif(&found) } else { annotations::gitlab(&found) };
        context.output.summary(&as_text());
        context.output.print(&report.to_string())?;
    } else if args.github {
        // What others wrote is printed as well: until the token, which they cannot know, the runner takes no commands.
        let (stop, go) = annotations::fence(token.as_str());
        context.output.bytes(stop.as_bytes())?;
        context.output.result(as_json, as_text)?;
        context.output.bytes(go.as_bytes())?;
        context.output.bytes(annotations::github(&found).as_bytes())?;
        if let Some(path) = context.environment.variable("GITHUB_STEP_SUMMARY") {
            let (head, root) = (head.clone().unwrap_or_default(), replay.root().to_string());
            let text = annotations::summary(state.name(), state.size(), &head, &root, ok, &found);
            annotations::append(std::path::Path::new(path), &text)?;
        }
    } else {
        context.output.result(as_json, as_text)?;
    }
    if let Some(remedy) = void::remedy(state, context.now()).filter(|_| open > 0) {
        context.output.note("Nothing but emergencies is minted until root members have acknowledged what is void.");
        context.output.hint(remedy);
    }
    Ok(if ok { Exit::DONE } else { Exit::FINDINGS })
}

fn finding_json(finding: &Finding) -> Value {
    json!({ "code": finding.code.as_str(), "case": finding.case.map(|case| case.0.hex()), "message": finding.message })
}

/// The position of a commit that `--since` names by its id or a beginning of it.
fn position_of(session: &Session, text: &str) -> Result<u64, CliError> {
    let wanted = text.to_ascii_lowercase();
    let found = CommitId::begin(&wanted).map(|ids| session.replay().positions_among(ids)).unwrap_or_default();
    match found.as_slice() {
        [position] if wanted.len() >= 4 => Ok(*position),
        _ => Err(CliError::failed(format!("{text:?} names no one commit of the ledger")).hint("git log --oneline")),
    }
}
