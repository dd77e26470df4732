//! `jit incident export`.

use std::path::PathBuf;

use super::super::audit::bundle;
use super::super::audit::carry::Chosen;
use super::super::{Context, Outcome};

/// Write one archive with the evidence of an incident, to be checked without jit.
///
/// The same as `jit audit bundle --incident`: events, signatures, certificates, policies, proofs and HOW-TO-CHECK.txt.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The incident, as it was written, such as INC-4711.
    #[arg(value_name = "INCIDENT")]
    pub incident: String,
    /// The archive to write.
    #[arg(long, value_name = "FILE", default_value = "jit-incident.tar.gz", value_hint = clap::ValueHint::FilePath)]
    pub out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// As `jit audit bundle`.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let chosen = Chosen { incident: Some(args.incident), ..Chosen::default() };
    bundle::run(context, &bundle::Args { chosen, out: args.out })
}
