//! `jit checkpoint`: the log's key says how large the ledger is and what its root is, and witnesses are asked to say so too.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::context::{Context, Freshness, Ledger};
use super::error::CliError;
use super::output::count;
use super::{Exit, Outcome};
use crate::domain::id::CommitId;
use crate::domain::time::Ttl;
use crate::ledger::checkpoints;
use crate::merkle::{Checkpoint, NoteSignature, SignedCheckpoint, VerifierKey};

pub mod branch;
mod submit;

use branch::Checkpoints;
use submit::Answer;

/// How often a lost race is tried again.
const TRIES: usize = 8;

/// Sign how large the ledger is and what its root is, for everybody to compare. For CI, with the log's key.
///
/// Verifies the ledger first, and stops (exit 5) where it does not continue the newest checkpoint. The checkpoint goes to
/// the branch `checkpoints` and is printed. Where nothing is new, nothing is signed. The key comes from --log-key, from
/// the variable JIT_LOG_KEY (a file, or the key itself), from --key, or from ssh-agent.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's private key, or the .pub of one that ssh-agent holds.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub log_key: Option<PathBuf>,
    /// Ask a witness to cosign (C2SP tlog-witness); may be given several times.
    #[arg(long = "witness", value_name = "URL", value_parser = submit::url)]
    pub witnesses: Vec<String>,
    /// A witness that the policy does not name, by its verifier key; may be given several times.
    #[arg(long = "witness-key", value_name = "VKEY")]
    pub witness_keys: Vec<VerifierKey>,
}

/// Runs the command.
///
/// # Errors
/// Refused where the policy names no log key; stale where the ledger does not continue the newest checkpoint; failed
/// where it cannot be signed or pushed, or a witness that was asked did not cosign (the checkpoint stands then).
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut ledger = context.ledger(Freshness::Fetched)?;
    for _ in 0..TRIES {
        let Some(seen) = Checkpoints::fetched(context, &mut ledger)? else {
            return Err(CliError::refused("the policy names no log key: nobody could verify a checkpoint")
                .hint("put `[log]` with a key into policy.toml: jit policy propose"));
        };
        let mut made = make(context, &ledger, &seen, &args)?;
        let asked = ask(context, &ledger, &seen, &args, &mut made.checkpoint)?;
        let unchanged = seen.is_on_top && seen.newest.as_ref() == Some(&made.checkpoint);
        let commit = if unchanged {
            seen.head
        } else {
            let what = if made.is_new || args.witnesses.is_empty() { "checkpoint" } else { "cosigned" };
            let message = format!("{what} {}", ledger.state().size());
            let Some(commit) = seen.put(context, &ledger, &made.checkpoint, &message)? else { continue };
            Some(commit)
        };
        let after = Checkpoints { newest: Some(made.checkpoint.clone()), ..seen };
        report(context, &ledger, &after, made.is_new, commit)?;
        return match asked.failed.first() {
            None => Ok(Exit::DONE),
            Some((url, why)) => {
                let others = asked.failed.len();
                Err(CliError::failed(format!("{} did not cosign; the checkpoint stands", count(others, "witness")))
                    .because(format!("{url}: {why}"))
                    .hint("look at the witness, then: jit checkpoint --witness URL"))
            }
        };
    }
    Err(CliError::failed("others keep writing to the branch checkpoints").hint("run the command again"))
}

/// A checkpoint of the ledger as it is.
struct Made {
    checkpoint: SignedCheckpoint,
    is_new: bool,
}

fn make(context: &Context, ledger: &Ledger, seen: &Checkpoints, args: &Args) -> Result<Made, CliError> {
    let size = ledger.state().size();
    if let Some(newest) = seen.newest.as_ref().filter(|newest| newest.checkpoint().size == size) {
        return Ok(Made { checkpoint: newest.clone(), is_new: false });
    }
    let signer = context.log_signer(&seen.log.key, args.log_key.as_deref())?;
    let text = Checkpoint::new(seen.key.name().as_str().to_owned(), size, ledger.replay().root());
    let signature = signer.sign(text.to_string().as_bytes())?;
    let checkpoint = SignedCheckpoint::new(&text, &seen.key, signature.bytes)
        .map_err(|why| CliError::failed("the log's key gave no good signature").because(why.to_string()))?;
    Ok(Made { checkpoint, is_new: true })
}

/// What came of asking witnesses.
#[derive(Default)]
struct Asked {
    failed: Vec<(String, String)>,
}

/// Asks the witnesses, and adds what they sign.
fn ask(
    context: &mut Context,
    ledger: &Ledger,
    seen: &Checkpoints,
    args: &Args,
    checkpoint: &mut SignedCheckpoint,
) -> Result<Asked, CliError> {
    let mut asked = Asked::default();
    if args.witnesses.is_empty() {
        return Ok(asked);
    }
    let mut keys = checkpoints::witness_keys(&seen.log)?;
    keys.extend(args.witness_keys.iter().cloned());
    if keys.is_empty() {
        return Err(CliError::usage("no witness is known: what one signs could not be verified")
            .hint("name its key: --witness-key VKEY; or put [[log.witness]] into policy.toml"));
    }
    // Cosignatures that are young enough are not asked for again: running this twice changes nothing.
    if is_fresh(context, seen, checkpoint, &keys) {
        return Ok(asked);
    }
    for url in &args.witnesses {
        match submit::submit(context, ledger.replay().log(), checkpoint, url) {
            Ok(Answer::Cosigned(lines)) => match take(checkpoint, lines, &keys) {
                0 => asked.failed.push((url.clone(), "no cosignature by a known witness came back".to_owned())),
                taken => context.output.note(format!("{url}: {}", count(taken, "cosignature"))),
            },
            // The witness has cosigned another history, or a longer one.
            Ok(Answer::Larger(size)) => {
                return Err(CliError::stale(format!(
                    "{url} has cosigned {size} entries, and this ledger has {}: it was rewound, or part of it is withheld",
                    ledger.state().size()
                ))
                .hint("compare with another clone before you sign anything"));
            }
            Ok(Answer::Inconsistent(theirs)) => {
                return Err(match theirs.filter(|theirs| theirs.verify(&seen.key).is_ok()) {
                    Some(theirs) => branch::forked(context, ledger, &theirs, Some(checkpoint)),
                    None => CliError::stale(format!("{url} says that this ledger does not continue what it cosigned"))
                        .hint("ask the witness for the checkpoint that it cosigned last, and compare"),
                });
            }
            Err(why) => {
                context.output.warning(format!("{url}: {}", why.line()));
                asked.failed.push((url.clone(), why.line()));
            }
        }
    }
    Ok(asked)
}

/// Whether every known witness has cosigned this checkpoint a short while ago: within a third of what the policy calls
/// fresh, or ever where it says nothing.
fn is_fresh(context: &Context, seen: &Checkpoints, checkpoint: &SignedCheckpoint, keys: &[VerifierKey]) -> bool {
    let cosigned = checkpoint.cosignatures(keys).unwrap_or_default();
    let third = seen.log.freshest.and_then(|freshest| Ttl::from_seconds(freshest.seconds() / 3));
    let now = context.now();
    let young = cosigned.iter().filter(|cosigned| third.is_none_or(|third| now <= cosigned.time.plus(third)));
    young.count() == keys.len()
}

/// Adds the cosignatures of known witnesses, each in the place of its older ones; how many those are.
fn take(checkpoint: &mut SignedCheckpoint, lines: Vec<NoteSignature>, keys: &[VerifierKey]) -> usize {
    let mut taken = 0;
    for line in lines {
        let Some(key) = keys.iter().find(|key| key.id() == line.id && *key.name() == line.name) else { continue };
        if crate::merkle::cosignature::verify(key, checkpoint.note().text(), &line).is_ok() {
            cosign(checkpoint, line);
            taken += 1;
        }
    }
    taken
}

/// Puts a verified cosignature into the place of older ones by the same key.
pub(super) fn cosign(checkpoint: &mut SignedCheckpoint, line: NoteSignature) {
    checkpoint.retain(|known| known.id != line.id || known.name != line.name);
    checkpoint.add(line);
}

fn report(
    context: &Context,
    ledger: &Ledger,
    seen: &Checkpoints,
    is_new: bool,
    commit: Option<CommitId>,
) -> Result<(), CliError> {
    let Some(checkpoint) = &seen.newest else { return Ok(()) };
    let lacking = seen.lacking(ledger, context.now())?;
    let object = || {
        let mut object = json(checkpoint, seen);
        if let Some(map) = object.as_object_mut() {
            map.insert("new".into(), is_new.into());
            map.insert("commit".into(), json!(commit.map(|commit| commit.to_string())));
            map.insert("lacking".into(), json!(lacking));
        }
        object
    };
    context.output.result(object, || checkpoint.to_string())?;
    let size = count(checkpoint.checkpoint().size, "entry");
    let place = ledger.remote()?.map_or_else(String::new, |remote| format!(" on {remote}"));
    context.output.note(if is_new {
        format!("Signed a checkpoint of {size}; the branch checkpoints{place} holds it.")
    } else {
        format!("Nothing new: the newest checkpoint has {size} already.")
    });
    if let Some(lacking) = lacking {
        context.output.warning(format!("nothing is minted yet (F04): {lacking}"));
        context.output.hint("each witness runs: jit witness; or ask it here: jit checkpoint --witness URL");
    }
    Ok(())
}

/// A checkpoint for programs. Its cosignatures are the known witnesses'.
pub(super) fn json(checkpoint: &SignedCheckpoint, seen: &Checkpoints) -> Value {
    let told = checkpoint.checkpoint();
    let keys = checkpoints::witness_keys(&seen.log).unwrap_or_default();
    let cosigned = checkpoint.cosignatures(&keys).unwrap_or_default();
    let cosigned: Vec<Value> = cosigned
        .iter()
        .map(|cosigned| json!({ "name": cosigned.witness.name().as_str(), "time": cosigned.time.to_string() }))
        .collect();
    json!({
        "origin": told.origin, "size": told.size, "root": told.root.to_string(), "note": checkpoint.to_string(),
        "log_key": seen.key.to_string(), "cosigned": cosigned,
    })
}
