//! `jit audit bundle`.

use std::path::PathBuf;

use serde_json::json;

use super::super::error::CliError;
use super::super::output::count;
use super::super::{Context, Exit, Outcome};
use super::carry::{self, Chosen};
use super::read::Reading;
use crate::audit::bundle::{files, write_archive};
use crate::domain::id::Digest;

/// Write one archive with the evidence of chosen cases, to be checked without jit.
///
/// It holds events, signatures, certificates, the policies in force, proofs and HOW-TO-CHECK.txt, which says how to check
/// all of it with ssh-keygen and sha256sum. The same ledger and choice give the same bytes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which cases.
    #[command(flatten)]
    pub chosen: Chosen,
    /// The archive to write.
    #[arg(long, value_name = "FILE", default_value = "jit-bundle.tar.gz", value_hint = clap::ValueHint::FilePath)]
    pub out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked, a case is unknown, or the file cannot be written.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let reading = Reading::open(context, None)?;
    let evidence = carry::evidence(context, &reading, args.chosen.query(&reading)?)?;
    let files = files(&evidence, env!("CARGO_PKG_VERSION"));
    let time = reading.ledger().state.newest().unwrap_or(reading.ledger().now);
    let mut archive = Vec::new();
    write_archive(&files, time, &mut archive)
        .map_err(|cause| CliError::failed("cannot pack the bundle").because(cause.to_string()))?;
    let digest = Digest::of(&archive);
    let bytes = carry::write(context, &args.out, |out| {
        out.write_all(&archive).map_err(|cause| CliError::failed("cannot write the bundle").because(cause.to_string()))
    })?;
    let (asked, along) = (evidence.selection.asked.len(), evidence.selection.along.len());
    let out = context.resolve(&args.out);
    context.output.result(
        || {
            json!({
                "file": out.to_string_lossy(), "sha256": digest.to_string(), "bytes": bytes, "files": files.len(),
                "cases": asked, "carried_along": along, "entries": evidence.entries.len(),
                "ledger": reading.ledger().id.to_string(), "size": reading.ledger().size(),
                "root": reading.ledger().root().to_string(),
            })
        },
        || {
            let cases = count(asked, "case");
            format!("{}\n    {}: {cases}, {bytes} bytes\n    {digest}\n", out.display(), evidence.query.words())
        },
    )?;
    context.output.hint(format!("tar xf {}; jit-bundle/HOW-TO-CHECK.txt says how it is checked", args.out.display()));
    Ok(Exit::DONE)
}
