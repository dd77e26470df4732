//! `jit witness`: somebody else's word that the ledger only grew. A witness verifies all of it, remembers what it signed
//! for, and cosigns the newest checkpoint.

use std::path::PathBuf;

use serde_json::json;

use super::checkpoint::branch::{self, Checkpoints};
use super::checkpoint::{self, cosign};
use super::context::{Context, Freshness, Ledger};
use super::error::CliError;
use super::output::count;
use super::{Exit, Outcome};
use crate::ledger::checkpoints::{self, Standing};
use crate::merkle::{KeyName, SignatureType, SignedCheckpoint, Submission, VerifierKey};

mod http;
mod serve;
mod state;

pub use http::{Head, head};
use state::Witness;

/// How often a lost race is tried again.
const TRIES: usize = 8;

/// Cosign the newest checkpoint: say that the ledger, verified from its first event, only grew since you said so last.
///
/// What was signed for is remembered before anything is signed, and outlives the clone. The cosignature goes to the branch
/// `checkpoints`. The key is a witness's own (ssh-ed25519), from --witness-key, the variable JIT_WITNESS_KEY, or --key.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What else a witness does.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Who cosigns.
    #[command(flatten)]
    pub who: Who,
    /// Print the cosignature and push nothing.
    #[arg(long)]
    pub print: bool,
}

/// What else a witness does.
#[derive(Debug, clap::Subcommand)]
#[command(subcommand_help_heading = "Commands", disable_help_subcommand = true)]
pub enum Command {
    /// Print the witness's verifier key, and the lines for policy.toml.
    Key(Who),
    /// Answer `POST /add-checkpoint` (C2SP tlog-witness): cosign what logs submit.
    Serve(serve::Args),
}

/// Who cosigns.
#[derive(Debug, Clone, clap::Args)]
pub struct Who {
    /// The witness's private key, or the .pub of one that ssh-agent holds.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub witness_key: Option<PathBuf>,
    /// The witness's name [default: as the policy names this key].
    #[arg(long, value_name = "NAME")]
    pub name: Option<KeyName>,
    /// Where it is remembered what was cosigned [default: ~/.local/state/jit/witness].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub state: Option<PathBuf>,
}

impl Who {
    /// The witness. `ledger`: where the name is looked up if none was given.
    fn open(&self, context: &Context, ledger: Option<&Ledger>) -> Result<Witness, CliError> {
        let signer = context.witness_signer(self.witness_key.as_deref())?;
        let public = signer.public_key().clone();
        let named = || {
            let log = ledger?.policy().log.as_ref()?;
            log.witnesses.iter().find(|witness| witness.key == public)?.name.parse::<KeyName>().ok()
        };
        let name = self.name.clone().or_else(named).ok_or_else(|| {
            CliError::usage("this witness has no name: the policy does not know its key")
                .hint("--name witness.example/w1")
        })?;
        let key = VerifierKey::new(name, SignatureType::CosignatureV1, public)
            .map_err(|why| CliError::failed(why.to_string()))?;
        let directory = match &self.state {
            Some(directory) => context.resolve(directory),
            None => {
                let below = context.environment.state_directory().map(|state| state.join("witness"));
                below.ok_or_else(|| {
                    CliError::failed("there is no place to remember what was cosigned: HOME is not set")
                        .hint("--state DIR")
                })?
            }
        };
        Ok(Witness::open(key, signer, &directory)?)
    }
}

/// Runs the command.
///
/// # Errors
/// Stale (exit 5) where the ledger does not continue what was cosigned; failed where there is no checkpoint, or it cannot
/// be signed or pushed.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    match args.command {
        Some(Command::Key(who)) => key(context, &who),
        Some(Command::Serve(args)) => serve::run(context, args),
        None => cosign_newest(context, &args),
    }
}

fn key(context: &mut Context, who: &Who) -> Outcome {
    let ledger = if who.name.is_none() { Some(context.ledger(Freshness::Local)?) } else { None };
    let witness = who.open(context, ledger.as_ref())?;
    let key = witness.key();
    let policy = format!("[[log.witness]]\nname = \"{}\"\nkey = \"{}\"", key.name(), key.key());
    context.output.result(
        || json!({ "name": key.name().as_str(), "verifier_key": key.to_string(), "key": key.key().to_string() }),
        || key.to_string(),
    )?;
    context.output.note(format!("For policy.toml, below [log]:\n{policy}"));
    Ok(Exit::DONE)
}

fn cosign_newest(context: &mut Context, args: &Args) -> Outcome {
    let mut ledger = context.ledger(Freshness::Fetched)?;
    let witness = args.who.open(context, Some(&ledger))?;
    for _ in 0..TRIES {
        let Some(seen) = Checkpoints::fetched(context, &mut ledger)? else {
            return Err(
                CliError::refused("the policy names no log key: there is nothing to cosign").hint("jit policy show")
            );
        };
        let Some(newest) = &seen.newest else {
            return Err(CliError::failed("there is no checkpoint to cosign").hint("with the log's key: jit checkpoint"));
        };
        let mut checkpoint = newest.clone();
        let submission = submission(context, &ledger, &witness, newest)?;
        let line = witness.cosign(&seen.key, &submission, context.now())?;
        cosign(&mut checkpoint, line.clone());
        let commit = if args.print {
            None
        } else {
            let message = format!("cosigned {}: {}", checkpoint.checkpoint().size, witness.key().name());
            let Some(commit) = seen.put(context, &ledger, &checkpoint, &message)? else { continue };
            Some(commit)
        };
        let object = || {
            let mut object = checkpoint::json(&checkpoint, &seen);
            if let Some(map) = object.as_object_mut() {
                map.insert("cosignature".into(), line.to_string().trim_end().into());
                map.insert("verifier_key".into(), witness.key().to_string().into());
                map.insert("commit".into(), json!(commit.map(|commit| commit.to_string())));
            }
            object
        };
        context.output.result(object, || line.to_string())?;
        let size = count(checkpoint.checkpoint().size, "entry");
        context.output.note(match commit {
            Some(_) => {
                format!("Cosigned a checkpoint of {size} as {}; the branch checkpoints holds it.", witness.key().name())
            }
            None => format!("Cosigned a checkpoint of {size} as {}. Nothing was pushed.", witness.key().name()),
        });
        return Ok(Exit::DONE);
    }
    Err(CliError::failed("others keep writing to the branch checkpoints").hint("run the command again"))
}

/// What the ledger proves to this witness: that the newest checkpoint continues what it cosigned last.
fn submission(
    context: &Context,
    ledger: &Ledger,
    witness: &Witness,
    newest: &SignedCheckpoint,
) -> Result<Submission, CliError> {
    let (log, told) = (ledger.replay().log(), newest.checkpoint());
    let last = witness.last(&told.origin)?;
    if let Some(last) = &last {
        if checkpoints::standing(log, last) == Standing::Forked {
            return Err(branch::forked(context, ledger, last, Some(newest)));
        }
        let size = last.checkpoint().size;
        if size > told.size {
            return Err(CliError::stale(format!(
                "you have cosigned {size} entries, and the newest checkpoint has only {}: it went back",
                told.size
            ))
            .hint("jit checkpoint makes a new one of a ledger that is whole; compare with another clone first"));
        }
    }
    let old = last.map_or(0, |last| last.checkpoint().size);
    let hashes = log
        .consistency_proof(old, told.size)
        .map_err(|why| CliError::failed("no consistency proof").because(why.to_string()))?;
    Ok(Submission { old, hashes, checkpoint: newest.clone() })
}
