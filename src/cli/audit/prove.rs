//! `jit audit prove`: that an event is in the log, as a file that a stranger can check with nothing but the log's key (C2SP
//! tlog-proof). The event and its signature lie in it as its extra data.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::super::checkpoint::branch::Checkpoints;
use super::super::context::Context;
use super::super::error::CliError;
use super::super::output::count;
use super::super::{Exit, Outcome};
use super::read::Reading;
use super::report::write;
use crate::audit::{Entry, Said};
use crate::merkle::tlog_proof::EXTENSION;
use crate::merkle::{SignedCheckpoint, TlogProof, Tree};

/// Prove that an event is in the log: a file that anybody can check offline, years later.
///
/// CASE proves each of its events. A proof holds the event with its signature, the path to the root, and the newest
/// checkpoint with its cosignatures; `jit audit check` reads it, and any other tool for C2SP tlog-proof can.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A case, or the event that a file is named after.
    #[arg(value_name = "EVENT|CASE", required_unless_present = "position", conflicts_with = "position")]
    pub name: Option<String>,
    /// The entry at this position instead, counted from 0: the way to a void commit.
    #[arg(long, value_name = "N")]
    pub position: Option<u64>,
    /// The first event of the case alone.
    #[arg(long, conflicts_with = "position")]
    pub first: bool,
    /// Where to put it: a file, or a folder for several [default: print it].
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Where nothing is meant by the name, there is no checkpoint yet that covers it, or a file cannot be written.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let reading = Reading::open(context, None)?;
    let entries = wanted(&reading, args)?;
    let seen = Checkpoints::tried(context, reading.session().ledger())?;
    let checkpoint = seen.filter(|seen| !seen.is_ahead).and_then(|seen| seen.newest);
    let checkpoint = checkpoint.ok_or_else(|| {
        CliError::failed("there is no checkpoint that could vouch for it").hint("with the log's key: jit checkpoint")
    })?;
    let log = reading.session().replay().log();
    let proofs: Vec<(String, TlogProof)> = entries
        .iter()
        .map(|entry| Ok((file_name(entry), proof(log, entry, &checkpoint)?)))
        .collect::<Result<_, CliError>>()?;
    let Some(out) = &args.out else { return print(context, &proofs) };
    let out = context.resolve(out);
    let several = args.position.is_none() && !args.first && proofs.len() > 1 || out.is_dir();
    let mut files = Vec::new();
    if several {
        fs::create_dir_all(&out).map_err(|cause| CliError::file("make", &out, &cause))?;
    }
    for (name, proof) in &proofs {
        let file = if several { out.join(name) } else { out.clone() };
        write(&file, proof.to_string().as_bytes())?;
        files.push(file);
    }
    let paths: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    context.output.result(|| json!({ "files": paths, "size": checkpoint.checkpoint().size }), || paths.join("\n"))?;
    context.output.hint("jit audit check FILE --log-key VKEY needs no ledger");
    Ok(Exit::DONE)
}

fn print(context: &Context, proofs: &[(String, TlogProof)]) -> Outcome {
    if let [(name, proof)] = proofs {
        let text = proof.to_string();
        context.output.result(|| json!({ "name": name, "index": proof.index, "proof": text }), || text.clone())?;
        return Ok(Exit::DONE);
    }
    if !context.output.is_json() {
        let several = count(proofs.len(), "event");
        return Err(CliError::usage(format!("this case has {several}, and a proof is of one"))
            .hint("name a folder for them: --out DIR; or take the first alone: --first"));
    }
    let proofs: Vec<_> = proofs
        .iter()
        .map(|(name, proof)| json!({ "name": name, "index": proof.index, "proof": proof.to_string() }))
        .collect();
    context.output.result(|| json!({ "proofs": proofs }), String::new)?;
    Ok(Exit::DONE)
}

/// The entries that are meant, in the log's order.
fn wanted(reading: &Reading, args: &Args) -> Result<Vec<Entry>, CliError> {
    let state = reading.session().state();
    let Some(name) = &args.name else {
        let position = args.position.unwrap_or(0);
        let missing = || {
            let size = state.size();
            CliError::failed(format!("there is no entry {position}: the log has {size}, counted from 0"))
                .hint("jit log")
        };
        let mut entries = reading.entries().skip(usize::try_from(position).map_err(|_| missing())?);
        return entries.next().ok_or_else(missing)?.map(|entry| vec![entry]);
    };
    let wanted = name.trim().to_ascii_lowercase();
    let hex = wanted.strip_prefix("sha256:").unwrap_or(&wanted);
    // An event that opened a case has the case's name: then the case is meant.
    let mut found = Vec::new();
    for case in state.cases() {
        for event in case.events().iter().filter(|event| event.position != case.position()) {
            let means =
                event.digest.short().starts_with(&wanted) || (hex.len() >= 8 && event.digest.hex().starts_with(hex));
            if means && !wanted.is_empty() {
                found.push((case, event));
            }
        }
    }
    match (reading.session().case(name), found.as_slice()) {
        (Ok(case), []) => {
            let events = case.events().iter().take(if args.first { 1 } else { usize::MAX });
            events.map(|event| reading.event(case, event)).collect()
        }
        (Err(_), [(case, event)]) => Ok(vec![reading.event(case, event)?]),
        (Err(error), []) if error.message().starts_with("there is no case") => {
            Err(CliError::failed(format!("there is no case or event {name}")).hint("jit list; jit show CASE; jit log"))
        }
        (Err(error), []) => Err(error),
        (_, several) => {
            let several: Vec<String> = several.iter().take(3).map(|(_, event)| event.digest.short()).collect();
            Err(CliError::usage(format!("{name} means several: {}, at least", several.join(", ")))
                .hint("give more of its id"))
        }
    }
}

/// The proof file of an entry, with its files in it.
///
/// # Errors
/// Where the checkpoint does not cover it.
pub(super) fn proof(log: &Tree, entry: &Entry, checkpoint: &SignedCheckpoint) -> Result<TlogProof, CliError> {
    let size = checkpoint.checkpoint().size;
    if entry.position >= size {
        return Err(CliError::failed(format!(
            "the newest checkpoint has {size} entries and does not cover this one, at position {}",
            entry.position
        ))
        .hint("with the log's key: jit checkpoint"));
    }
    let hashes = log
        .inclusion_proof(entry.position, size)
        .map_err(|why| CliError::failed("no inclusion proof").because(why.to_string()))?;
    let extra = match &entry.said {
        // What the leaf is made of: the event file, then its signature file, which always begins with its armor.
        Said::Event(signed) => [signed.bytes.as_slice(), &signed.signature].concat(),
        Said::Void(void) => void.raw.clone(),
    };
    Ok(TlogProof { extra: Some(extra), index: entry.position, hashes, checkpoint: checkpoint.clone() })
}

fn file_name(entry: &Entry) -> String {
    let what = match &entry.said {
        Said::Event(signed) => format!("{}-{}", signed.event.kind(), signed.digest.short()),
        Said::Void(_) => format!("void-{}", entry.commit.short()),
    };
    format!("{:06}-{what}.{EXTENSION}", entry.position)
}
