//! `jit export`. Every event for other systems: verified, put into their format, and delivered until they have it.
//!
//! What is here: the arguments, and what they mean together. `carry` walks the ledger and delivers, `receiver` knows the ways
//! out, `cursor` remembers what has been acknowledged. The formats are the room `monitor`.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::error::CliError;
use super::output::count;
use super::{Context, Exit, Outcome};
use crate::domain::time::Ttl;
use carry::{Carried, Carrier, Patience};
use cursor::{CursorFile, Start};
pub use destination::Destination;
use format::{Format, Shape};
use receiver::Means;

mod carry;
pub(super) mod cursor;
mod destination;
mod format;
pub(super) mod receiver;
pub(in crate::cli) mod stop;
pub(in crate::cli) mod upstream;

/// Give every event to other systems: a file, a log collector, an HTTP endpoint.
///
/// Each event is verified before it is given away, has its digest as its id, and is given at least once: the cursor moves
/// only after the receiver has acknowledged. Run it again, or with --follow, and it goes on where it was.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The form of each event.
    #[arg(long, value_enum, default_value = "jsonl")]
    pub format: Format,
    /// Where to: a file, -, syslog+udp://HOST[:PORT], syslog+tcp://HOST:PORT, syslog+tls://HOST[:PORT], https://… .
    #[arg(long, value_name = "WHERE", default_value = "-")]
    pub to: Destination,
    /// Go on: give each event as it comes, until the process is told to end.
    #[arg(long)]
    pub follow: bool,
    /// How often to fetch the remote with --follow; one on this machine is fetched as soon as it moves.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = super::args::ttl)]
    pub every: Ttl,
    /// Begin behind this: a commit, an event's id, how many events to pass over, `start` or `now` [default: the cursor].
    #[arg(long, value_name = "CURSOR")]
    pub since: Option<String>,
    /// Where the cursor is kept [default: a file in the user's state directory; none for -].
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub state: Option<PathBuf>,
    /// The bearer token of an HTTP receiver. Only its owner may be able to read the file.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// Certificates (PEM) of the authorities that are trusted [default: the system's].
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub ca_file: Option<PathBuf>,
    /// Our own certificates (PEM), for a receiver that asks for them.
    #[arg(long, value_name = "FILE", requires = "client_key", value_hint = clap::ValueHint::FilePath)]
    pub client_cert: Option<PathBuf>,
    /// The private key (PEM) of --client-cert. Only its owner may be able to read the file.
    #[arg(long, value_name = "FILE", requires = "client_cert", value_hint = clap::ValueHint::FilePath)]
    pub client_key: Option<PathBuf>,
    /// How long a receiver may take to connect, to read and to answer.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = super::args::ttl)]
    pub timeout: Ttl,
    /// For how long to try again when a receiver does not take events [default: 30s; with --follow for ever].
    #[arg(long, value_name = "DURATION", value_parser = super::args::ttl)]
    pub retry_for: Option<Ttl>,
    /// How many events to give at once, at most.
    #[arg(long, value_name = "COUNT", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub batch: u16,
    /// The private enterprise number in the id of syslog's structured data [default: 32473, the one for examples].
    #[arg(long, value_name = "NUMBER", default_value_t = 32473, hide_default_value = true)]
    pub enterprise_number: u32,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be verified, the cursor is not of its history (exit 5), or the receiver does not take events.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    check(context, &args)?;
    let seconds = |ttl: Ttl| Duration::from_secs(ttl.seconds());
    let path = |path: &Option<PathBuf>| path.as_deref().map(|path| context.resolve(path));
    let means = Means {
        timeout: seconds(args.timeout),
        token: path(&args.token_file),
        authorities: path(&args.ca_file),
        client: path(&args.client_cert).zip(path(&args.client_key)),
    };
    let to = args.to.resolved(|path| context.resolve(path));
    let shape = Shape::new(args.format, &to, args.enterprise_number);
    let mut receiver = to.open(&means, args.format)?;
    let store = context.store()?;
    let program = context.git();
    let named = path(&args.state);
    let mut carrier = Carrier::open(context, &store, &program)?;
    let file = CursorFile::open(context, named, carrier.ledger(), &to, args.format)?;
    let known = file.as_ref().and_then(CursorFile::known);
    let start = Start::of(args.since.as_deref(), known)?;
    if let (Start::Now, Some(known)) = (&start, known) {
        // A service that has this among its flags would pass over what came while it was down.
        return Err(CliError::usage(format!("there is a cursor already, behind {}", count(known.size, "event")))
            .hint("leave --since out, and the export goes on there; or begin another one: --state FILE"));
    }
    let patience = Patience {
        follow: args.follow,
        every: seconds(args.every),
        retry_for: args.retry_for.map(seconds).or((!args.follow).then_some(Duration::from_secs(30))),
        batch: usize::from(args.batch),
    };
    let carried = carrier.carry(context, start, file, &shape, &mut *receiver, &patience)?;
    tell(context, &args, &to, &carried)?;
    Ok(Exit::DONE)
}

/// What flags mean together, before anything is opened.
fn check(context: &Context, args: &Args) -> Result<(), CliError> {
    if args.format.is_unbounded() && matches!(args.to, Destination::SyslogUdp { .. }) {
        return Err(CliError::usage(format!("{} may not fit a datagram, and what does not fit is lost", args.format))
            .hint("--to syslog+tls://HOST or syslog+tcp://HOST:PORT; or --format syslog or cef"));
    }
    let web = matches!(args.to, Destination::Http { .. });
    if args.token_file.is_some() && !web {
        return Err(CliError::usage("--token-file is for an HTTP receiver").hint("--to https://…"));
    }
    if let Destination::Http { secure: false, local: false, .. } = &args.to {
        if args.token_file.is_some() {
            return Err(CliError::usage("a token is not sent without encryption").hint("--to https://…"));
        }
        context.output.warning("http: whoever is on the way can read and change the events; use https");
    }
    if (args.ca_file.is_some() || args.client_cert.is_some()) && !args.to.is_encrypted() {
        return Err(CliError::usage("--ca-file and --client-cert are for an encrypted receiver")
            .hint("--to https://… or syslog+tls://…"));
    }
    Ok(())
}

/// What was done, as the result; beside the events where these are the result.
fn tell(context: &Context, args: &Args, to: &Destination, carried: &Carried) -> Result<(), CliError> {
    let cursor = &carried.cursor;
    let text = || {
        // Of a cursor that nothing remembers there is nothing to say.
        let kept = cursor.as_ref().filter(|_| carried.file.is_some());
        let head = kept.map_or_else(String::new, |cursor| {
            format!("; the cursor stands behind {}, {}", count(cursor.size, "event"), cursor.head.short())
        });
        format!("Exported {} to {to}{head}", count(carried.events, "event"))
    };
    if matches!(to, Destination::Stdout) {
        context.output.note(text());
        return Ok(());
    }
    let json = || {
        json!({ "exported": carried.events, "first": carried.first, "format": args.format.to_string(),
            "to": to.to_string(), "size": carried.size, "state": carried.file.as_ref().map(|path| path.display().to_string()),
            "cursor": cursor.as_ref().map(|cursor| json!({ "ledger": cursor.ledger.to_string(),
                "head": cursor.head.to_string(), "size": cursor.size, "root": cursor.root.to_string() })) })
    };
    context.output.result(json, text)
}
