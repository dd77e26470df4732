//! `jit audit controls`.

use clap::ValueEnum;

use super::super::error::CliError;
use super::super::{Context, Exit, Outcome};
use super::read::Reading;
use super::report::{Form, Format, Window, deliver, query, tell};
use crate::audit::controls::map::Map;
use crate::audit::controls::measure::Counts;
use crate::audit::controls::{self, markdown, oscal};

/// Controls and the evidence for each: how many records there are, what is checked, and the exceptions.
///
/// It says which records give evidence for a control, never that one is met. Exits with 4 where a check found exceptions.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only controls of this framework; may be given several times [default: all].
    #[arg(long, value_name = "NAME")]
    pub framework: Vec<String>,
    /// Which period.
    #[command(flatten)]
    pub window: Window,
    /// Print it so [default: by the name of --out, else text; json with --json].
    #[arg(long, value_name = "FORM")]
    pub format: Option<ControlsFormat>,
    /// Write it to this file instead, and its manifest to FILE.manifest.json.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<std::path::PathBuf>,
}

/// The forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ControlsFormat {
    /// For people.
    Text,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
    /// For documents.
    Markdown,
    /// OSCAL 1.2 assessment results, JSON: observations, no findings.
    Oscal,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked, or the report not written.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let period = args.window.period()?;
    let map = Map::of(&args.framework).map_err(|unknown| {
        let known: Vec<String> = Map::whole().frameworks.into_iter().map(|framework| framework.key).collect();
        CliError::usage(format!("{unknown:?} is no framework of the map")).hint(format!("one of {}", known.join(", ")))
    })?;
    let reading = Reading::open(context, args.window.at)?;
    let ledger = reading.ledger();
    let revocations = reading.revocations()?;
    let founded = reading.founded();
    let counts = Counts { revocations: &revocations, founded };
    let assessed = controls::assess(&ledger, period, &counts, &map);
    let report = controls::report(period, &map, &assessed);
    let mut flags: Vec<String> = args.framework.iter().map(|name| format!("--framework {name}")).collect();
    flags.extend(args.window.flags());
    let query = query("controls", &flags);
    let form = |format: Option<Format>| Form { format, out: args.out.clone() };
    let extension = args.out.as_deref().and_then(|out| out.extension()).and_then(|extension| extension.to_str());
    let special = match args.format {
        Some(ControlsFormat::Markdown) => Some(markdown::report(&ledger, &report, &map, &assessed)),
        None if extension == Some("md") => Some(markdown::report(&ledger, &report, &map, &assessed)),
        Some(ControlsFormat::Oscal) => {
            let document = oscal::document(&ledger, period, founded, &map, &assessed);
            Some(format!("{document:#}\n"))
        }
        _ => None,
    };
    match (special, &args.out) {
        (Some(text), None) => context.output.print(&text)?,
        (Some(text), Some(out)) => {
            let path = context.resolve(out);
            deliver(context, &reading, &report, &query, &path, text.as_bytes())?;
        }
        (None, _) => {
            let format = args.format.and_then(|format| match format {
                ControlsFormat::Text => Some(Format::Text),
                ControlsFormat::Csv => Some(Format::Csv),
                ControlsFormat::Json => Some(Format::Json),
                ControlsFormat::Markdown | ControlsFormat::Oscal => None,
            });
            tell(context, &reading, &report, &form(format), &query)?;
        }
    }
    let exceptions = assessed.iter().any(|it| it.counted.exceptions > 0);
    Ok(if exceptions { Exit::FINDINGS } else { Exit::DONE })
}
