//! `jit audit consistency`: that a newer checkpoint continues an older one, as a file in the form that witnesses take (C2SP
//! tlog-witness, `add-checkpoint`).

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::super::checkpoint::branch::{self, Checkpoints};
use super::super::context::Context;
use super::super::error::CliError;
use super::super::output::count;
use super::super::{Exit, Outcome};
use super::read::Reading;
use crate::ledger::checkpoints::{self, Held, Standing};
use crate::merkle::checkpoint::encode_hash;
use crate::merkle::{SignedCheckpoint, Submission};

/// Prove that one checkpoint continues another: between them nothing was changed or taken out.
///
/// OLD and NEW are sizes, or files with a checkpoint. What is printed is what a witness takes as `add-checkpoint`;
/// `jit audit check FILE --old OLD` checks it without a ledger. Ends with exit 5, both notes and the failed proof where
/// one of the two is not of this ledger.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The older one.
    #[arg(value_name = "OLD")]
    pub old: String,
    /// The newer one, which the log's key has signed.
    #[arg(value_name = "NEW")]
    pub new: String,
    /// Where to put it [default: print it].
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}

/// A size of the log, and the checkpoint of it where there is one.
struct Point {
    size: u64,
    note: Option<SignedCheckpoint>,
}

/// Runs the command.
///
/// # Errors
/// Stale (exit 5) where a checkpoint is not of this ledger; failed where there is none of that size.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let reading = Reading::open(context, None)?;
    let ledger = reading.session().ledger();
    let seen = Checkpoints::tried(context, ledger)?.ok_or_else(|| {
        CliError::refused("the policy names no log key: there are no checkpoints").hint("jit policy show")
    })?;
    let old = point(context, &reading, &seen, &args.old)?;
    let new = point(context, &reading, &seen, &args.new)?;
    let log = reading.session().replay().log();
    for (point, other) in [(&old, &new), (&new, &old)] {
        let Some(note) = &point.note else { continue };
        match checkpoints::standing(log, note) {
            Standing::Continued => {}
            Standing::Forked => return Err(branch::forked(context, ledger, note, other.note.as_ref())),
            Standing::Ahead => {
                return Err(CliError::stale(format!(
                    "the checkpoint has {}, and the ledger here only {}",
                    count(point.size, "entry"),
                    log.size()
                ))
                .hint("jit sync, then run the command again"));
            }
        }
    }
    if old.size > new.size {
        return Err(CliError::usage(format!("OLD has {} and NEW only {}", count(old.size, "entry"), new.size))
            .hint("jit audit consistency OLD NEW"));
    }
    let Some(checkpoint) = new.note else {
        return Err(CliError::failed(format!("there is no checkpoint of {}", count(new.size, "entry")))
            .hint("git log checkpoints, in the ledger, lists them; with the log's key: jit checkpoint"));
    };
    let failed = |why: crate::merkle::ProofError| CliError::failed("no consistency proof").because(why.to_string());
    let hashes = log.consistency_proof(old.size, new.size).map_err(failed)?;
    let text = Submission { old: old.size, hashes, checkpoint }.to_string();
    let root = log.root_at(old.size).map(|root| encode_hash(&root)).unwrap_or_default();
    let note = old.note.map(|note| note.to_string());
    let object = |file: Option<&str>| json!({ "old": old.size, "old_root": root, "old_note": note, "new": new.size, "proof": text, "file": file });
    match &args.out {
        None => context.output.result(|| object(None), || text.clone())?,
        Some(out) => {
            let out = context.resolve(out);
            super::report::write(&out, text.as_bytes())?;
            let file = out.display().to_string();
            context.output.result(|| object(Some(&file)), || file.clone())?;
        }
    }
    context.output.note(format!("The root of the first {} is {root}", count(old.size, "entry")));
    context.output.hint("jit audit check FILE --log-key VKEY --old CHECKPOINT (or --old-root ROOT) needs no ledger");
    Ok(Exit::DONE)
}

/// What OLD or NEW means: a size, or a file with a checkpoint of this log.
fn point(context: &Context, reading: &Reading, seen: &Checkpoints, named: &str) -> Result<Point, CliError> {
    if let Some(size) = crate::merkle::checkpoint::parse_number(named) {
        if size > reading.session().state().size() {
            let here = count(reading.session().state().size(), "entry");
            return Err(CliError::failed(format!("the log has {here}, not {size}")).hint("jit log"));
        }
        return Ok(Point { size, note: of_size(reading, seen, size)? });
    }
    let path = context.resolve(named.as_ref());
    let bytes = fs::read(&path).map_err(|cause| CliError::file("read", &path, &cause))?;
    let bad = |why: String| {
        CliError::new(
            super::super::error::ErrorKind::Findings,
            format!("{} is no checkpoint of this log", path.display()),
        )
        .because(why)
        .hint("jit checkpoint prints the newest one")
    };
    let note = SignedCheckpoint::parse(&bytes).map_err(|why| bad(why.to_string()))?;
    note.verify(&seen.key).map_err(|why| bad(why.to_string()))?;
    Ok(Point { size: note.checkpoint().size, note: Some(note) })
}

/// The newest checkpoint of this size that the log's key has signed.
fn of_size(reading: &Reading, seen: &Checkpoints, size: u64) -> Result<Option<SignedCheckpoint>, CliError> {
    if let Some(newest) = seen.newest.as_ref().filter(|newest| newest.checkpoint().size == size) {
        return Ok(Some(newest.clone()));
    }
    for entry in checkpoints::walk(reading.session().store(), seen.head) {
        let Held::Note(note) = entry?.held else { continue };
        if note.checkpoint().size == size && note.verify(&seen.key).is_ok() {
            return Ok(Some(note));
        }
    }
    Ok(None)
}
