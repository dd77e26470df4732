//! `jit ledger upgrade-template`: the template's files (workflows, README, scenarios) by the same quorum as a policy. What
//! was edited in the ledger is never written over unless that is said, file by file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::error::CliError;
use super::super::init::TEMPLATE;
use super::super::policy::propose;
use super::super::session::{Fresh, Session};
use super::super::turn::Turn;
use super::super::view::lines;
use super::super::{Context, Exit, Outcome};
use crate::domain::event::Subject;
use crate::domain::id::Digest;
use crate::domain::state::State;
use crate::domain::state::case::{CaseState, Matter};
use crate::domain::time::Timestamp;
use crate::ledger::governed;

/// Propose this version's workflows, README and scenarios in place of the ledger's.
///
/// A file that still is as a template brought it is replaced. One that was edited in the ledger stays as it is: the
/// difference is shown, and --force PATH takes the template's. One that was taken away stays away. The policy is never
/// touched but for its version. Root members approve the proposal as they do a policy.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Take the template's text of this file, though it was edited or taken away here; may be given several times.
    #[arg(long, value_name = "PATH")]
    pub force: Vec<String>,
    /// Why [default: names the version of the template].
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Sign nothing; say what would be proposed.
    #[arg(long)]
    pub dry_run: bool,
    /// Enact it at once, where the root quorum stands with you alone.
    #[arg(long)]
    pub enact: bool,
}

/// The digests of every text that a template ever brought: `PATH SHA256`, a line each.
const KNOWN: &str = include_str!("../../../ledger-template/digests.txt");

/// How a file of the ledger stands to the template's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is the template's.
    Same,
    /// The ledger never had it.
    New,
    /// It is as an older template brought it.
    Older,
    /// It was edited from this very template, and root members agreed to that: there is nothing new for it.
    Adapted,
    /// Somebody edited it, and root members agreed to that; the template has changed since.
    Edited,
    /// Root members took it away.
    TakenAway,
}

impl Standing {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::New => "new",
            Self::Older => "older",
            Self::Adapted => "adapted",
            Self::Edited => "edited",
            Self::TakenAway => "taken away",
        }
    }
}

/// A file of the template.
struct Compared {
    path: &'static str,
    standing: Standing,
    /// What is in force.
    here: Option<Vec<u8>>,
    template: &'static str,
    /// Whether it is to be proposed.
    taken: bool,
}

/// Runs the command.
///
/// # Errors
/// Usage where --force names no file of the template; refused where only edited files differ; else as `policy propose`.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let session = Session::open(context, Fresh::Try)?;
    let files = compare(&session, &args.force, context.now())?;
    drop(session);
    tell(context, &files);
    let taken: Vec<&Compared> = files.iter().filter(|file| file.taken).collect();
    let kept = files.iter().any(|file| file.standing == Standing::Edited && !file.taken);
    let version = env!("CARGO_PKG_VERSION");
    if args.dry_run || (taken.is_empty() && !kept) {
        context.output.result(
            || json!({ "template": version, "files": files.iter().map(object).collect::<Vec<_>>() }),
            || match (taken.len(), kept) {
                (0, false) => {
                    format!("Nothing to do: no file of the template of jit {version} is newer than the ledger's.")
                }
                (0, true) => "Nothing would be proposed.".to_owned(),
                _ => "Nothing was signed (dry run).".to_owned(),
            },
        )?;
        return Ok(Exit::DONE);
    }
    if taken.is_empty() {
        return Err(CliError::refused("nothing is proposed: what differs from the template was edited here")
            .because("an edit that root members agreed to is not written over by the way")
            .hint("--force PATH takes the template's text; or mend yours: jit policy propose PATH --reason \"why\""));
    }
    let given = taken.iter().map(|file| (file.path.to_owned(), file.template.as_bytes().to_vec())).collect();
    let reason = args.reason.unwrap_or_else(|| format!("The template of jit {version}."));
    let wish = propose::Wish { reason: Some(reason), enact: args.enact };
    let mut turn = Turn::open(context)?;
    let present = propose::in_force(&turn)?;
    let change = propose::Change { given, removed: Vec::new(), bump: false, lead: String::new(), wish };
    let finished = propose::put(context, &mut turn, &present, change)?;
    turn.show(context, finished.done, finished.case)
}

fn compare(session: &Session, force: &[String], now: Timestamp) -> Result<Vec<Compared>, CliError> {
    let store = session.store();
    let mut here: BTreeMap<String, Vec<u8>> =
        governed::in_force(store, session.replay())?.into_iter().map(|(path, content)| (path, content.bytes)).collect();
    let first = governed::first(store, session.replay())?;
    if let Some(odd) = force.iter().find(|path| !TEMPLATE.iter().any(|(known, _)| known == path)) {
        let known: Vec<&str> = TEMPLATE.iter().map(|(path, _)| *path).collect();
        return Err(CliError::usage(format!("{odd} is no file of the template"))
            .hint(format!("the template has {}", known.join(", "))));
    }
    let mut were = were(session.state(), now);
    were.extend(first.iter().map(|(path, content)| (path.clone(), Digest::of(&content.bytes))));
    let had = |path: &'static str| were.iter().filter(move |(of, _)| of == path).map(|(_, digest)| *digest);
    let compared = TEMPLATE.iter().map(|&(path, template)| {
        let here = here.remove(path);
        let came = |bytes: &[u8]| is_known(path, bytes) || first.get(path).is_some_and(|it| it.bytes == bytes);
        let standing = match &here {
            Some(bytes) if bytes == template.as_bytes() => Standing::Same,
            Some(bytes) if came(bytes) => Standing::Older,
            Some(_) if had(path).any(|digest| digest == Digest::of(template.as_bytes())) => Standing::Adapted,
            Some(_) => Standing::Edited,
            None if had(path).next().is_some() => Standing::TakenAway,
            None => Standing::New,
        };
        let forced = force.iter().any(|wanted| wanted == path);
        let taken = match standing {
            Standing::Same => false,
            Standing::New | Standing::Older => true,
            Standing::Adapted | Standing::Edited | Standing::TakenAway => forced,
        };
        Compared { path, standing, here, template, taken }
    });
    Ok(compared.collect())
}

/// Every text of a governed file that an enactment ever put in force.
fn were(state: &State, now: Timestamp) -> BTreeSet<(String, Digest)> {
    let enacted = state.cases().filter(|case| state.case_state(case, now) == CaseState::Enacted);
    let files = enacted.filter_map(|case| match case.matter() {
        Matter::Proposal(proposed) => match &proposed.subject {
            Subject::Policy { files, .. } => Some(files),
            Subject::Acknowledge { .. } | Subject::Unlock { .. } => None,
        },
        _ => None,
    });
    files.flatten().map(|file| (file.path.clone(), file.sha256)).collect()
}

/// Whether some template brought exactly this.
fn is_known(path: &str, bytes: &[u8]) -> bool {
    let digest = Digest::of(bytes).hex();
    KNOWN.lines().filter_map(|line| line.split_once(' ')).any(|(of, known)| of == path && known == digest)
}

/// What is proposed is shown by the proposal itself; here stands what is not, and why.
fn tell(context: &Context, files: &[Compared]) {
    let output = &context.output;
    for file in files {
        let path = file.path;
        match (file.standing, file.taken) {
            (Standing::Same, _) => output.detail(format!("{path} is the template's")),
            (Standing::New, _) => output.note(format!("{path} is new.")),
            (Standing::Older, _) => output.note(format!("{path} is as an older template brought it: replaced.")),
            (Standing::Adapted, false) => {
                output.note(format!("{path} was edited here, from this template: there is nothing new for it."));
            }
            (Standing::Adapted | Standing::Edited, true) => {
                output.warning(format!("{path} was edited here: the edit goes, as --force says"));
            }
            (Standing::TakenAway, true) => output.note(format!("{path} was taken away here: it comes back.")),
            (Standing::TakenAway, false) => {
                output.note(format!("{path} was taken away here, and stays away. --force {path} brings it back."));
            }
            (Standing::Edited, false) => {
                output.warning(format!("{path} was edited here and stays as it is. The template would change:"));
                let mine = String::from_utf8_lossy(file.here.as_deref().unwrap_or_default()).into_owned();
                output.summary(&lines::diff(&mine, file.template));
                output.hint(format!("--force {path} takes the template's text in place of yours"));
            }
        }
    }
}

fn object(file: &Compared) -> Value {
    json!({ "path": file.path, "state": file.standing.as_str(), "taken": file.taken })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise a later version would take today's template for somebody's edit.
    #[test]
    fn todays_template_is_known() {
        for (path, text) in TEMPLATE {
            assert!(
                is_known(path, text.as_bytes()),
                "ledger-template/digests.txt lacks the line\n{path} {}",
                Digest::of(text.as_bytes()).hex()
            );
        }
    }

    #[test]
    fn digests_stand_in_one_form() {
        for line in KNOWN.lines() {
            let (path, digest) = line.split_once(' ').unwrap();
            assert!(TEMPLATE.iter().any(|(known, _)| *known == path), "{line}");
            assert!(digest.len() == 64 && digest.bytes().all(|c| c.is_ascii_hexdigit()), "{line}");
        }
    }
}
