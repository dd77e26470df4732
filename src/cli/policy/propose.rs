//! `jit policy propose`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::super::error::CliError;
use super::super::turn::{Turn, reason};
use super::super::view::proofs;
use super::super::view::proposal::{self, FileChange, plan_text};
use super::super::{Context, Outcome};
use super::check::unsound;
use super::enact::{self, Finished};
use crate::domain::codec::PROPOSAL_LIMIT;
use crate::domain::event::{Body, FileDigest, Proposal, Subject};
use crate::domain::finding::Code;
use crate::domain::id::Digest;
use crate::domain::policy::Policy;
use crate::domain::policy::edit::with_version;
use crate::domain::state::case::{CaseState, Matter};
use crate::ledger::governed;

/// The policy's path in a ledger.
pub(in crate::cli) const POLICY: &str = "policy.toml";
/// The file that follows from it.
const SIGNERS: &str = "allowed_signers";

/// Propose a new policy and other governed files.
///
/// A proposal names every governed file as it shall be; allowed_signers follows from the policy. The policy's version
/// must be the next one: --bump writes it. Where only other files change, the policy in force goes with them under its
/// next version.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// New contents: a file named as in the ledger (policy.toml), or PATH=FILE for any path of the ledger [default: the
    /// governed files of the work tree that were edited].
    #[arg(value_name = "FILE|PATH=FILE", value_hint = clap::ValueHint::FilePath)]
    pub files: Vec<String>,
    /// Take a governed file away; may be given several times.
    #[arg(long, value_name = "PATH")]
    pub remove: Vec<String>,
    /// Write the next version into the proposed policy.
    #[arg(long)]
    pub bump: bool,
    /// Why, and whether at once.
    #[command(flatten)]
    pub wish: Wish,
}

/// What every proposal of governed files is asked.
#[derive(Debug, Clone, clap::Args)]
pub struct Wish {
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Enact it at once, where the root quorum stands with you alone.
    #[arg(long)]
    pub enact: bool,
}

/// A change of governed files on its way to be proposed.
pub(in crate::cli) struct Change {
    /// New contents by path.
    pub given: BTreeMap<String, Vec<u8>>,
    /// Paths that are taken away.
    pub removed: Vec<String>,
    /// Whether the next version is written into the proposed policy.
    pub bump: bool,
    /// What is shown before the plan.
    pub lead: String,
    /// Why (asked for where it is missing), and whether at once.
    pub wish: Wish,
}

/// Runs the command.
///
/// # Errors
/// Refused where the policy is unsound or its version is not the next one; failed where nothing changes; cancelled.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let present = in_force(&turn)?;
    let given = given(context, &turn, &args, &present)?;
    let Args { remove, bump, wish, .. } = args;
    let change = Change { given, removed: remove, bump, lead: String::new(), wish };
    let id = put(context, &mut turn, &present, change)?;
    turn.show(context, id.done, id.case)
}

/// The governed files in force, by path.
///
/// # Errors
/// Where their contents cannot be read.
pub(in crate::cli) fn in_force(turn: &Turn) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
    let files = governed::in_force(turn.session.store(), turn.session.replay())?;
    Ok(files.into_iter().map(|(path, content)| (path, content.bytes)).collect())
}

/// Shows what a change does, asks, signs and appends its proposal; and enacts it, where that is asked for and the quorum
/// stands. Gives the case and what became of it.
///
/// # Errors
/// Refused where the policy is unsound or its version is not the next one; failed where nothing changes; cancelled.
pub(in crate::cli) fn put(
    context: &mut Context,
    turn: &mut Turn,
    present: &BTreeMap<String, Vec<u8>>,
    change: Change,
) -> Result<Finished, CliError> {
    let Change { mut given, removed, bump, lead, wish: Wish { reason: why, enact } } = change;
    for path in &removed {
        if path == POLICY || path == SIGNERS || !present.contains_key(path) {
            return Err(CliError::usage(format!("{path} is no governed file that can be taken away"))
                .hint("git ls-files lists them; policy.toml and allowed_signers stay"));
        }
        given.remove(path);
    }
    given.retain(|path, bytes| present.get(path) != Some(bytes));
    if given.is_empty() && removed.is_empty() {
        return Err(CliError::failed("nothing would change: these files are in force already")
            .hint("edit policy.toml, then: jit policy propose policy.toml --reason \"…\""));
    }
    let proposed = next_policy(context, turn, &mut given, present, bump)?;
    tell_others(context, turn, proposed.version);
    let signers = proposed.allowed_signers().into_bytes();
    if present.get(SIGNERS) != Some(&signers) {
        given.insert(SIGNERS.to_owned(), signers);
    }
    fits(&given)?;
    let mut after: BTreeMap<&str, Digest> =
        turn.session.state().manifest().iter().map(|(path, digest)| (path.as_str(), *digest)).collect();
    for path in &removed {
        after.remove(path.as_str());
    }
    after.extend(given.iter().map(|(path, bytes)| (path.as_str(), Digest::of(bytes))));
    let files = after.into_iter().map(|(path, sha256)| FileDigest { path: path.to_owned(), sha256 }).collect();
    let mut changes: Vec<FileChange<'_>> = given
        .iter()
        .map(|(path, bytes)| FileChange { path, old: present.get(path).map(Vec::as_slice), new: Some(bytes) })
        .collect();
    changes.extend(removed.iter().map(|path| FileChange {
        path,
        old: present.get(path).map(Vec::as_slice),
        new: None,
    }));
    let proofs = match given.get(proofs::FILE) {
        None if removed.iter().any(|path| path == proofs::FILE) => None,
        None => present.get(proofs::FILE),
        given => given,
    };
    let (state, now) = (turn.session.state(), context.now());
    let people = proposal::people_text(&context.output, state, &proposed, proofs.map(Vec::as_slice), now);
    let mut summary = lead + &plan_text(&context.output, turn.session.policy(), &proposed, &people, &changes);
    let why = reason(context, "--reason", "Why this change?", why)?;
    summary.push_str(&super::super::view::field("Reason", &why));
    let subject = Subject::Policy { version: proposed.version, files };
    let mut intent = turn.intent(None, Body::Proposal(Proposal { reason: why, subject }));
    intent.files = given.clone();
    let id = turn.say(context, &intent, &summary)?;
    enact::finished(context, turn, id, enact)
}

/// Only one proposal of a version is ever enacted: whoever makes a second should know.
fn tell_others(context: &Context, turn: &Turn, next: u64) {
    let (state, now) = (turn.session.state(), context.now());
    for case in
        state.awake(now).filter(|case| matches!(state.case_state(case, now), CaseState::Pending | CaseState::Approved))
    {
        if let Matter::Proposal(proposed) = case.matter()
            && let Subject::Policy { version, .. } = proposed.subject
            && version == next
        {
            let (id, who) = (case.id().short(), case.actor());
            context.output.warning(format!(
                "{who} has proposed a version {next} already (case {id}): only one of the two can be enacted, the other has to be proposed again"
            ));
        }
    }
}

/// The contents that were named, by their paths in the ledger.
fn given(
    context: &Context,
    turn: &Turn,
    args: &Args,
    present: &BTreeMap<String, Vec<u8>>,
) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
    let mut given = BTreeMap::new();
    let work_tree = turn.session.store().work_tree();
    if args.files.is_empty() && args.remove.is_empty() {
        let Some(root) = work_tree else {
            return Err(
                CliError::usage("FILE is needed: this ledger has no work tree").hint("jit policy propose policy.toml")
            );
        };
        for (path, bytes) in present {
            let file = root.join(path);
            // What is missing or no plain file was not edited: --remove takes a file away.
            if path == SIGNERS || !fs::symlink_metadata(&file).is_ok_and(|meta| meta.is_file()) {
                continue;
            }
            let found = read(&file)?;
            if found != *bytes {
                given.insert(path.clone(), found);
            }
        }
        return Ok(given);
    }
    for named in &args.files {
        let (path, file) = match named.split_once('=') {
            Some((path, file)) => (path.to_owned(), context.resolve(Path::new(file))),
            None => {
                let file = context.resolve(Path::new(named));
                (path_of(work_tree, &file, present)?, file)
            }
        };
        may_be_governed(&path)?;
        if given.insert(path.clone(), read(&file)?).is_some() {
            return Err(CliError::usage(format!("{path} is given twice")).hint("name each file once"));
        }
    }
    Ok(given)
}

/// Where a file lies in the ledger that was named without its path.
fn path_of(root: Option<&Path>, file: &Path, present: &BTreeMap<String, Vec<u8>>) -> Result<String, CliError> {
    let within = root.and_then(|root| file.strip_prefix(root).ok()).and_then(Path::to_str);
    if let Some(path) = within.filter(|path| !path.split('/').any(|part| part == "..")) {
        return Ok(path.to_owned());
    }
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if present.contains_key(name) {
        return Ok(name.to_owned());
    }
    Err(CliError::usage(format!("it is not clear which path of the ledger {} is for", file.display()))
        .hint(format!("say so: {POLICY}={}", file.display())))
}

fn may_be_governed(path: &str) -> Result<(), CliError> {
    if path == SIGNERS {
        return Err(CliError::usage("allowed_signers follows from the policy and is not given")
            .hint("change the keys in policy.toml"));
    }
    let odd = path.is_empty() || path.split('/').any(|part| matches!(part, "" | "." | ".." | ".git"));
    if odd || path == "ledger" || path.starts_with("ledger/") {
        return Err(CliError::usage(format!("{path:?} cannot be a governed file"))
            .hint("a path from the root of the ledger, outside ledger/, such as .github/workflows/jit.yml"));
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let bytes = fs::read(file).map_err(|cause| CliError::file("read", file, &cause))?;
    // Whoever approves reads it.
    if std::str::from_utf8(&bytes).is_err() {
        return Err(CliError::failed(format!(
            "{} is not text in UTF-8: nobody could read what they approve",
            file.display()
        ))
        .hint("governed files are text"));
    }
    Ok(bytes)
}

/// The proposed policy, sound and of the next version; puts its bytes among `given`.
fn next_policy(
    context: &Context,
    turn: &Turn,
    given: &mut BTreeMap<String, Vec<u8>>,
    present: &BTreeMap<String, Vec<u8>>,
    bump: bool,
) -> Result<Policy, CliError> {
    let next = turn.session.policy().version.saturating_add(1);
    let alone = !given.contains_key(POLICY);
    let mut bytes = match given.get(POLICY).or_else(|| present.get(POLICY)) {
        Some(bytes) => bytes.clone(),
        None => return Err(CliError::failed("the ledger has no policy.toml").hint("jit verify")),
    };
    let file = Path::new(POLICY);
    let mut policy = Policy::parse(&bytes).map_err(|problems| unsound(file, &problems).rule(Code::A10))?;
    if policy.version != next && (bump || alone) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let bumped = with_version(&text, next).map_err(|error| {
            CliError::failed(error.to_string()).hint(format!("write it yourself: version = {next}"))
        })?;
        context.output.note(format!("policy.toml gets version {next}."));
        bytes = bumped.into_bytes();
        policy = Policy::parse(&bytes).map_err(|problems| unsound(file, &problems).rule(Code::A10))?;
    }
    if policy.version != next {
        let (has, present) = (policy.version, turn.session.policy().version);
        return Err(CliError::refused(format!("policy.toml has version {has}; version {present} is in force, so the next one is {next}"))
            .because("an equal or older version would be a rollback, and one left out could never be proposed again")
            .hint(format!("write version = {next}, or let --bump do it; look first whether the file rests on the policy in force: jit policy diff {POLICY}"))
            .rule(Code::A10));
    }
    given.insert(POLICY.to_owned(), bytes);
    Ok(policy)
}

/// C06, asked before anybody signs.
fn fits(given: &BTreeMap<String, Vec<u8>>) -> Result<(), CliError> {
    let size: u64 = given.values().map(|bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)).sum();
    if size <= PROPOSAL_LIMIT {
        return Ok(());
    }
    Err(CliError::refused(format!("the changed files have {size} bytes together; a proposal takes {PROPOSAL_LIMIT}"))
        .hint("propose them one after the other")
        .rule(Code::C06))
}
