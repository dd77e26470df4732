//! `jit member prove`.

use serde_json::json;

use super::super::context::Freshness;
use super::super::error::CliError;
use super::super::{Context, Exit, Outcome};
use super::keys;
use crate::domain::id::{Digest, Name};

/// Prove that you hold a key which is to become yours in the ledger.
///
/// The proof goes to standard output: send it to whoever proposes you, who gives it to `jit member add --proof` or
/// `jit member rotate-key --proof`. It holds no secret. The new key is the one that --key names.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Your name in the policy, as it is or shall be.
    #[arg(value_name = "NAME")]
    pub name: Name,
    /// The ledger's id, where you have no clone of it; whoever invites you tells it.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub ledger_id: Option<Digest>,
}

fn id(text: &str) -> Result<Digest, String> {
    text.parse().map_err(|_| "expected sha256: and 64 hexadecimal digits".to_owned())
}

/// Runs the command.
///
/// # Errors
/// Where there is no ledger to ask for its id, or the key does not sign; cancelled.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let ledger = match args.ledger_id {
        Some(id) => id,
        None => {
            let opened = context.ledger(Freshness::Local);
            let ledger = opened.map_err(|error| error.hint("name the ledger: --ledger-id sha256:…"))?;
            ledger.state().ledger().ok_or_else(|| CliError::failed("the ledger has no genesis").hint("jit verify"))?
        }
    };
    let signer = context.signing_key()?;
    let proof = keys::sign(context, &*signer, ledger, &args.name)?;
    let said = proof.said();
    context.output.result(
        || {
            json!({ "ledger": said.ledger.to_string(), "name": said.name.as_str(), "key": said.key.to_string(),
                "fingerprint": said.key.fingerprint(), "proof": proof.to_text() })
        },
        || proof.to_text(),
    )?;
    let print = said.key.fingerprint();
    context.output.note(format!("Send this to whoever proposes you, and tell them {print} by another way."));
    Ok(Exit::DONE)
}
