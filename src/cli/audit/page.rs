//! `jit audit page`.

use std::path::PathBuf;

use serde_json::json;

use super::super::error::CliError;
use super::super::output::count;
use super::super::{Context, Exit, Outcome};
use super::carry::{self, Chosen};
use super::read::Reading;
use crate::audit::page;
use crate::domain::id::Digest;
use crate::domain::time::Timestamp;

/// Write one HTML file to read, search and print, which checks its evidence again in the reader's browser.
///
/// It needs no network and no server. Signatures, keys, leaves and the root are checked where it is read; the rules were
/// judged by jit, and the page says so.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which cases.
    #[command(flatten)]
    pub chosen: Chosen,
    /// Judge deadlines at this time [default: now].
    #[arg(long, value_name = "TIME", value_parser = super::super::args::time)]
    pub at: Option<Timestamp>,
    /// The page to write.
    #[arg(long, value_name = "FILE", default_value = "jit-audit.html", value_hint = clap::ValueHint::FilePath)]
    pub out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked, a case is unknown, or the file cannot be written.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let reading = Reading::open(context, args.at)?;
    let evidence = carry::evidence(context, &reading, args.chosen.query(&reading)?)?;
    let html = page::html(&evidence, evidence.ledger.findings, env!("CARGO_PKG_VERSION"));
    let digest = Digest::of(html.as_bytes());
    let bytes = carry::write(context, &args.out, |out| {
        out.write_all(html.as_bytes())
            .map_err(|cause| CliError::failed("cannot write the page").because(cause.to_string()))
    })?;
    let (asked, along) = (evidence.selection.asked.len(), evidence.selection.along.len());
    let out = context.resolve(&args.out);
    context.output.result(
        || {
            json!({
                "file": out.to_string_lossy(), "sha256": digest.to_string(), "bytes": bytes, "cases": asked,
                "carried_along": along, "entries": evidence.entries.len(), "ledger": evidence.ledger.id.to_string(),
                "size": evidence.ledger.size(), "root": evidence.ledger.root().to_string(),
            })
        },
        || {
            let cases = count(asked, "case");
            format!("{}\n    {}: {cases}, {bytes} bytes\n    {digest}\n", out.display(), evidence.query.words())
        },
    )?;
    context.output.hint("open it in a browser; it says itself what it has checked");
    Ok(Exit::DONE)
}
