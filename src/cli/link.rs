//! `jit link`, and what such a link means: `jit:case/<ledger>/<case>` names a case and gives no right. Whoever follows it
//! approves with their own key, after everything was shown, as always.

use std::path::Path;

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde_json::json;

use super::error::CliError;
use super::session::{Fresh, Session};
use super::{Context, Exit, Outcome};
use crate::domain::state::State;
use crate::monitor::notify::link;

/// What a link begins with.
const SCHEME: &str = "jit:case/";
/// The most bytes of a file that holds a link.
const LIMIT: u64 = 1024;

/// Print a link to a case, or its QR code: for a ticket, a chat, another machine.
///
/// It holds the short ids of the ledger and the case and nothing else: no secret, no right. `jit approve` takes it in the
/// place of a case, or a file that holds it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it.
    #[arg(value_name = "CASE")]
    pub case: String,
    /// Show it as a QR code.
    #[arg(long)]
    pub qr: bool,
}

/// Runs the command.
///
/// # Errors
/// Where no such case is there.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let session = Session::open(context, Fresh::Try)?;
    let id = session.case(&args.case)?.id();
    let link = link(session.state(), id).ok_or_else(|| CliError::failed("there is no ledger").hint("jit init DIR"))?;
    let qr = if args.qr { Some(qr(&link)?) } else { None };
    let json = || json!({ "case": id.0.hex(), "id": id.short(), "link": link });
    let text = || qr.map_or_else(|| link.clone(), |qr| format!("{qr}\n{link}"));
    context.output.result(json, text)?;
    Ok(Exit::DONE)
}

/// A QR code of half blocks, with the quiet zone that readers need, for a terminal that is light on dark.
///
/// # Errors
/// Where the text is too long for one.
pub fn qr(text: &str) -> Result<String, CliError> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M)
        .map_err(|cause| CliError::failed("no QR code can be made of it").because(cause.to_string()))?;
    // What the library calls dark is what it draws, and a block that is drawn is light: the light modules are drawn.
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).quiet_zone(true).build())
}

/// The case that a link names, where `text` is one.
///
/// # Errors
/// Where it is a link to another ledger, or a damaged one.
pub fn case_of<'a>(text: &'a str, state: &State) -> Result<Option<&'a str>, CliError> {
    let Some(rest) = text.trim().strip_prefix(SCHEME) else { return Ok(None) };
    let short = |part: &str| part.len() == 16 && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    let Some((ledger, case)) = rest.split_once('/').filter(|(ledger, case)| short(ledger) && short(case)) else {
        return Err(
            CliError::usage("the link is damaged").hint("it looks like jit:case/LEDGER/CASE, 16 characters each")
        );
    };
    let own = state.ledger().map(|id| id.short());
    if own.as_deref() != Some(ledger) {
        return Err(CliError::usage(format!("the link is to a case of another ledger: {ledger}"))
            .because(format!("this one is {}", own.unwrap_or_default()))
            .hint("name that ledger: --ledger DIR"));
    }
    Ok(Some(case))
}

/// What `named` holds, where it names a file with a link: something with a `/` that is no link itself, or ending in `.jit`.
///
/// # Errors
/// Where it cannot be read, or holds something else.
pub fn in_file(context: &Context, named: &str) -> Result<Option<String>, CliError> {
    use std::io::Read as _;
    let is_path = !named.starts_with(SCHEME) && (named.contains('/') || named.ends_with(".jit"));
    if !is_path {
        return Ok(None);
    }
    let path = context.resolve(Path::new(named));
    let mut text = String::new();
    let read = std::fs::File::open(&path).and_then(|file| file.take(LIMIT).read_to_string(&mut text));
    read.map_err(|cause| CliError::file("read", &path, &cause))?;
    let link = text.trim();
    if !link.starts_with(SCHEME) || link.contains(char::is_whitespace) {
        return Err(CliError::usage(format!("{} holds no link to a case", path.display()))
            .hint("a file made so: jit link CASE > FILE"));
    }
    Ok(Some(link.to_owned()))
}
