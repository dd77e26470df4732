//! `jit clone`: a ledger from elsewhere, verified from its first event before anything of it is believed.

use std::path::PathBuf;

use serde_json::json;

use super::checkpoint::branch::Checkpoints;
use super::context::Ledger;
use super::error::CliError;
use super::progress::Progress;
use super::{Context, Exit, Outcome};
use crate::domain::finding::Code;
use crate::domain::id::Digest;
use crate::git::{self, GitStore};
use crate::ledger::Replay;
use crate::ports::Store as _;

/// Clone a ledger, verify it from its first event, and remember what was seen.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where it is.
    #[arg(value_name = "URL")]
    pub url: String,
    /// Where to put it [default: the last part of URL].
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    /// The ledger that it must be: sha256:…, told to you by somebody you trust.
    #[arg(long, value_name = "sha256:…")]
    pub ledger_id: Option<Digest>,
    /// Without a work tree.
    #[arg(long)]
    pub bare: bool,
}

/// Clones. A directory that was made for it is gone again where the ledger is not taken.
///
/// # Errors
/// Where it cannot be fetched, is no ledger, or is another one than `--ledger-id` (exit 5).
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let directory = match &args.directory {
        Some(directory) => context.resolve(directory),
        None => context.resolve(&last_part(&args.url)?),
    };
    let was_there = directory.exists();
    context.output.note(format!("Cloning into {} …", directory.display()));
    let (store, head) = git::clone(&args.url, &directory, args.bare, &context.git())?;
    let taken = take(context, store, head, args.ledger_id).and_then(|mut ledger| {
        // Whoever clones believes nobody yet: what the log's key has signed must be this ledger (exit 5).
        Checkpoints::fetched(context, &mut ledger)?;
        Ok(ledger)
    });
    if taken.is_err() {
        git::forget_clone(&directory, args.bare, was_there);
    }
    let ledger = taken?;
    ledger.tell_left_alone(&context.output);
    let (state, replay) = (ledger.state(), ledger.replay());
    super::init::register(context, state.name(), &directory);
    let id = state.ledger().map(|id| id.to_string()).unwrap_or_default();
    let object = || {
        json!({
            "ledger": id,
            "head": replay.head().map(|head| head.to_string()),
            "size": state.size(),
            "root": replay.root().to_string(),
        })
    };
    let text = || {
        format!(
            "{}: verified every commit from the first one ({})\n  ledger  {id}\n  root    {}\n",
            state.name(),
            state.size(),
            replay.root()
        )
    };
    context.output.result(object, text)?;
    if args.ledger_id.is_none() {
        context.output.warning("nobody vouched for this ledger: compare its id with what somebody you trust says");
    }
    if state.has_open_voids() {
        context.output.warning("it holds void commits that nobody acknowledged: jit verify shows them");
    }
    Ok(Exit::DONE)
}

/// Verifies a clone from its first commit on, and moves its branch to what was verified.
///
/// # Errors
/// Where it holds no ledger, or another one than is wanted (exit 5).
pub(super) fn take(
    context: &Context,
    store: GitStore,
    head: Option<crate::domain::id::CommitId>,
    wanted: Option<Digest>,
) -> Result<Ledger, CliError> {
    let Some(head) = head else {
        return Err(CliError::failed("the remote has no branch main: there is no ledger to clone")
            .hint("jit init DIR makes one; then: git remote add origin URL; jit sync"));
    };
    let replay = {
        let mut progress = Progress::new(&context.output, "Checking", "commits");
        Replay::observed(&store, head, &mut |done, total| progress.tell(done, total))?
    };
    let id = replay.state().ledger();
    // L01: another ledger's id.
    if let Some(wanted) = wanted
        && id != Some(wanted)
    {
        let found = id.map_or_else(|| "none".to_owned(), |id| id.to_string());
        return Err(CliError::stale(format!("this is another ledger: {found}, not {wanted}"))
            .hint("ask who gave you the URL; nothing was kept")
            .rule(Code::L01));
    }
    store.advance(None, head, "jit: cloned")?;
    Ok(Ledger::from_parts(store, context.git(), replay, &context.output))
}

/// The directory that git would take: `https://host/acme/ledger.git` is put into `ledger`.
fn last_part(url: &str) -> Result<PathBuf, CliError> {
    let trimmed = url.trim_end_matches('/').trim_end_matches(".git").trim_end_matches('/');
    let last = trimmed.rsplit(['/', ':']).next().unwrap_or_default();
    if last.is_empty() || last == "." || last == ".." {
        return Err(CliError::usage("a directory is needed: the URL has no last part").hint("jit clone URL DIR"));
    }
    Ok(PathBuf::from(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_the_last_part() {
        for (url, directory) in [
            ("https://host/acme/ledger.git", "ledger"),
            ("git@host:ledger", "ledger"),
            ("/srv/ledger.git/", "ledger"),
            ("../ledger/.git", "ledger"),
        ] {
            assert_eq!(last_part(url).unwrap(), PathBuf::from(directory), "{url}");
        }
        assert!(last_part("..").is_err());
        assert!(last_part("/").is_err());
    }
}
