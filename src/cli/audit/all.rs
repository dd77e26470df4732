//! `jit audit all`: everything that an examiner takes away, from one replay, in one new folder that is there whole or not at
//! all: made beside under another name, synced, and renamed.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::error::CliError;
use super::super::output::count;
use super::super::{Context, Exit, Outcome};
use super::read::Reading;
use super::report::Window;
use super::sample;
use crate::audit::exceptions;
use crate::domain::id::Digest;

mod contents;
mod folder;
mod readme;

use contents::Contents;
use folder::{Folder, SUMS};

/// How many cases are drawn where nobody says.
const SAMPLE: usize = 25;

/// Write everything for an examiner into one new folder: reports, controls, a sample, the bundle, the page, the log.
///
/// README.txt in it says what each file is and in which order to check. The folder is there whole or not at all. Exits with
/// 4 where an exception of the period is open, as `jit audit exceptions` does.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to write: a new one, or an empty one.
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub directory: PathBuf,
    /// Which period.
    #[command(flatten)]
    pub window: Window,
    /// How many cases the sample has.
    #[arg(long, value_name = "COUNT", default_value_t = SAMPLE)]
    pub size: usize,
    /// What the draw depends on, best named by who examines [default: the root of the log].
    #[arg(long, value_name = "TEXT", value_parser = sample::seed)]
    pub seed: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked, the folder is there and not empty, or something cannot be written.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let period = args.window.period()?;
    let path = vacant(context, &args.directory)?;
    let parent = path.parent().unwrap_or(Path::new("/")).to_owned();
    let reading = Reading::open(context, args.window.at)?;
    let failed = |cause: &io::Error| CliError::file("write", &path, cause);
    // Made beside, for its owner alone until it is handed on. Gone when anything fails.
    let made =
        tempfile::Builder::new().prefix(".jit-audit-").permissions(Permissions::from_mode(0o700)).tempdir_in(&parent);
    let made = made.map_err(|cause| failed(&cause))?;
    let mut folder = Folder::new(made.path().to_owned());
    let ledger = reading.ledger();
    let contents = Contents {
        context,
        reading: &reading,
        period,
        // Who asks again later, asks for the same.
        window: Window { at: Some(ledger.now), ..args.window.clone() },
        size: args.size,
        seed: args.seed.clone().unwrap_or_else(|| ledger.root().to_string()),
    };
    let told = contents.write(&mut folder)?;
    folder.put("README.txt", readme::text(&contents, &told).as_bytes())?;
    let (files, bytes, sums) = folder.seal()?;
    // One sync for all files: thousands of them, each on its own, take minutes.
    File::open(made.path())
        .and_then(|made| rustix::fs::syncfs(made).map_err(io::Error::from))
        .map_err(|cause| failed(&cause))?;
    // An empty directory is replaced; one that was filled meanwhile refuses.
    fs::rename(made.path(), &path).map_err(|cause| match cause.kind() {
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => taken(&path),
        _ => failed(&cause),
    })?;
    let _ = made.keep();
    File::open(&parent).and_then(|parent| parent.sync_all()).map_err(|cause| failed(&cause))?;
    let has_open = exceptions::has_open(&told.exceptions);
    context.output.result(
        || {
            json!({
                "directory": path.to_string_lossy(), "files": files, "bytes": bytes, "sums": sums.to_string(),
                "ledger": ledger.id.to_string(), "head": ledger.head.to_string(), "size": ledger.size(),
                "root": ledger.root().to_string(), "from": period.from().map(|time| time.to_string()),
                "to": period.to().map(|time| time.to_string()), "at": ledger.now.to_string(),
                "rows": told.rows, "incidents": told.incidents, "seed": contents.seed, "sampled": told.sampled,
                "checkpoint": told.checkpoint, "open_exceptions": has_open,
            })
        },
        || text(&path, files, bytes, &sums, has_open),
    )?;
    context.output.hint(format!("less {}", path.join("README.txt").display()));
    Ok(if has_open { Exit::FINDINGS } else { Exit::DONE })
}

fn text(path: &Path, files: u64, bytes: u64, sums: &Digest, has_open: bool) -> String {
    let open = if has_open { "\n    exceptions are open: reports/exceptions.txt" } else { "" };
    format!("{}\n    {}, {bytes} bytes\n    {SUMS} is {sums}{open}\n", path.display(), count(files, "file"))
}

/// Where the folder goes: nothing is there, or an empty directory that nobody stands in.
fn vacant(context: &Context, directory: &Path) -> Result<PathBuf, CliError> {
    let path = context.resolve(directory);
    if path.file_name().is_none() {
        return Err(
            CliError::usage(format!("{} is no name for a new folder", directory.display())).hint("jit audit all DIR")
        );
    }
    match fs::symlink_metadata(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(path),
        Err(cause) => return Err(CliError::file("read", &path, &cause)),
        Ok(there) if !there.is_dir() => return Err(taken(&path)),
        Ok(_) => {}
    }
    let mut listing = fs::read_dir(&path).map_err(|cause| CliError::file("read", &path, &cause))?;
    // It is replaced: a shell that stands in it would be left in a folder that is gone.
    let stands_in = fs::canonicalize(&path).is_ok_and(|real| real == context.environment.directory);
    if listing.next().is_some() || stands_in {
        return Err(taken(&path));
    }
    Ok(path)
}

fn taken(path: &Path) -> CliError {
    CliError::failed(format!("{} is there already, and is no empty folder that can be replaced", path.display()))
        .hint("name a new folder: jit audit all DIR")
}
