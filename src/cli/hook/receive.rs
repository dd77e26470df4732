//! `jit hook pre-receive`: what git runs before it takes a push. Everything that is not checked and good is refused: a
//! crash, a time that is up, an object that cannot be read. Imports git; the judging is in [`super::check`].

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::super::error::CliError;
use super::super::{Context, Exit, Outcome};
use super::check::{Rules, Update, judge};
use super::refusal::Refusal;
use crate::domain::id::Digest;
use crate::domain::text::visible;
use crate::domain::time::{Timestamp, Ttl};
use crate::git::GitStore;

/// The most that git may say on stdin, in bytes: some thousand references.
const INPUT_LIMIT: u64 = 1 << 20;

/// Judge a push before git takes it. Git runs this, as `hooks/pre-receive` of a shared repository.
///
/// Reads `OLD NEW REF` lines on stdin. On main, every commit that is new must break no rule; the branch checkpoints takes
/// checkpoints of this ledger only; both only grow. Everything else is refused unless --allow names it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Take pushes to this reference unchecked, such as refs/tags/v1 or refs/heads/draft/*; may be given several times.
    #[arg(long, value_name = "REF", value_parser = super::check::allowed)]
    pub allow: Vec<String>,
    /// The id of the ledger that this repository may hold, where it is still empty.
    #[arg(long, value_name = "ID")]
    pub ledger_id: Option<Digest>,
    /// Refuse what cannot be checked within this time.
    #[arg(long, value_name = "DURATION", default_value = "100s", value_parser = super::super::args::ttl)]
    pub timeout: Ttl,
}

/// What a check came to, as it leaves its thread.
type Checked = Result<Option<Refusal>, CliError>;

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told to whoever pushes, and the push is refused.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let seconds = args.timeout.seconds();
    let checked = match read() {
        Ok(updates) => within(context, args, updates),
        Err(error) => Err(error),
    };
    let (text, exit) = match &checked {
        Ok(None) => (String::new(), Exit::DONE),
        Ok(Some(refusal)) => (refusal.text(), Exit(super::super::error::ErrorKind::Refused.exit_code())),
        Err(error) => (unchecked(error, seconds), Exit(super::super::error::ErrorKind::Failed.exit_code())),
    };
    // Git passes it on, each line behind `remote:`.
    let _ = io::stderr().write_all(text.as_bytes());
    if context.output.is_json() {
        let object = match &checked {
            Ok(None) => json!({ "ok": true }),
            Ok(Some(refusal)) => json!({ "ok": false, "refused": refusal.json() }),
            Err(error) => json!({ "ok": false, "unchecked": error.line() }),
        };
        let _ = writeln!(io::stdout(), "{object}");
    }
    Ok(exit)
}

/// Nothing is known to be wrong, and nothing is known to be right.
fn unchecked(error: &CliError, seconds: u64) -> String {
    let mut text = "jit: push refused: it could not be checked. Nothing was changed.\n".to_owned();
    text.push_str(&format!("  Cause    {}\n", visible(&error.line())));
    text.push_str(&format!(
        "  Do       push again; if it stays so, tell who runs this repository (limit: {seconds} s)\n"
    ));
    text
}

/// The lines that git says.
fn read() -> Result<Vec<Update>, CliError> {
    let mut text = String::new();
    let failed = |why: String| CliError::failed("git did not say what is pushed").because(why);
    io::stdin().take(INPUT_LIMIT + 1).read_to_string(&mut text).map_err(|cause| failed(cause.to_string()))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > INPUT_LIMIT {
        return Err(failed("more references than a push may name".to_owned()));
    }
    let updates: Option<Vec<Update>> = text.lines().map(Update::parse).collect();
    match updates {
        Some(updates) if !updates.is_empty() => Ok(updates),
        _ => Err(failed("expected lines of OLD NEW REF on stdin".to_owned())),
    }
}

/// Checks in a thread of its own, so that a time can be kept whatever it does.
fn within(context: &Context, args: Args, updates: Vec<Update>) -> Checked {
    // Where git stands when it runs this hook. Of the variables that it sets, only one counts, and it is held against the
    // repository: `GIT_DIR` and the others could come from whoever pushes over ssh. No `--ledger` either.
    let directory = context.environment.directory.clone();
    let quarantine = context.environment.variable("GIT_QUARANTINE_PATH").map(PathBuf::from);
    let now = context.now();
    let limit = Duration::from_secs(args.timeout.seconds());
    let (sender, receiver) = channel();
    let worker = thread::Builder::new().name("check".to_owned()).spawn(move || {
        // Whoever does not wait any more has refused already.
        let _ = sender.send(check(&directory, quarantine.as_deref(), args, &updates, now));
    });
    worker.map_err(|cause| CliError::failed("no thread can be started").because(cause.to_string()))?;
    match receiver.recv_timeout(limit) {
        Ok(checked) => checked,
        Err(RecvTimeoutError::Timeout) => Err(CliError::failed("the time for checking is up")),
        Err(RecvTimeoutError::Disconnected) => Err(CliError::failed("the check ended without a verdict")),
    }
}

fn check(directory: &Path, quarantine: Option<&Path>, args: Args, updates: &[Update], now: Timestamp) -> Checked {
    let store = GitStore::open_receiving(directory, quarantine)?;
    judge(&store, &Rules { allow: args.allow, ledger: args.ledger_id, now }, updates)
}
