//! `jit audit tiles`: the log as files that any web server or object store can serve (C2SP tlog-tiles), written where they
//! are new. The checkpoint comes last, so that whoever reads meanwhile finds everything that it speaks of.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::checkpoint::branch::{self, Checkpoints};
use super::super::context::Context;
use super::super::error::CliError;
use super::super::output::count;
use super::super::{Exit, Outcome};
use super::read::Reading;
use super::report::write;
use crate::audit::Said;
use crate::domain::id::Digest;
use crate::ledger::checkpoints::{self, FILE, Standing};
use crate::merkle::tile::{self, Tile, tiles_between};
use crate::merkle::{SignedCheckpoint, Tree, event_entry, void_entry};

/// Write the log as static files (C2SP tlog-tiles), which existing tools read from any web server or object store.
///
/// Run again, it writes only what is new; full tiles are never written twice. What lies there must be of this log and not
/// newer than it. An entry is the leaf data of the format: digests of an event and its signature, and nothing they say.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to write; made where it is missing.
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub directory: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// Where there is no checkpoint, the directory holds something else, or a file cannot be written; stale (exit 5) where it
/// holds a log that this one does not continue.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let reading = Reading::open(context, None)?;
    let ledger = reading.session().ledger();
    let seen = Checkpoints::tried(context, ledger)?.filter(|seen| !seen.is_ahead);
    let newest = seen.as_ref().and_then(|seen| seen.newest.clone());
    let (Some(seen), Some(newest)) = (seen, newest) else {
        return Err(CliError::failed("there is no checkpoint: tiles without one say nothing")
            .hint("with the log's key: jit checkpoint"));
    };
    let directory = context.resolve(&args.directory);
    let before = before(&directory, &seen)?;
    let log = reading.session().replay().log();
    if let Some(before) = &before {
        match checkpoints::standing(log, before) {
            Standing::Continued => {}
            Standing::Forked => return Err(branch::forked(context, ledger, before, Some(&newest))),
            Standing::Ahead => return Err(went_back(&directory, before, log.size())),
        }
    }
    let old = before.as_ref().map_or(0, |before| before.checkpoint().size);
    let new = newest.checkpoint().size;
    if old > new {
        return Err(before.as_ref().map_or_else(CliError::cancelled, |before| went_back(&directory, before, new)));
    }
    // A partial bundle is made anew with what came before in it.
    let first = old / tile::WIDTH * tile::WIDTH;
    let leaves = reading.entries().from(first)?.map(|entry| Ok(leaf_data(&entry?.said)));
    let written = put(log, &directory, old, new, leaves)?;
    let text = newest.to_string();
    let is_new = before.as_ref() != Some(&newest);
    if is_new {
        write(&directory.join(FILE), text.as_bytes())?;
    }
    let path = directory.display().to_string();
    context.output.result(
        || json!({ "directory": path, "origin": newest.checkpoint().origin, "before": old, "size": new, "written": written }),
        || {
            let files = count(written, "file");
            format!("{path}: {} of {}, {files} written", count(new, "entry"), newest.checkpoint().origin)
        },
    )?;
    Ok(Exit::DONE)
}

/// The checkpoint that the directory holds; `None` where it is empty or was never finished.
fn before(directory: &Path, seen: &Checkpoints) -> Result<Option<SignedCheckpoint>, CliError> {
    let failed = |cause: &io::Error| CliError::file("read", directory, cause);
    let foreign = |why: &str| {
        CliError::failed(format!("{} holds something else: {why}", directory.display()))
            .hint("name an empty directory: jit audit tiles DIR")
    };
    let listing = match fs::read_dir(directory) {
        Ok(listing) => listing,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(directory).map_err(|cause| CliError::file("make", directory, &cause))?;
            return Ok(None);
        }
        Err(cause) => return Err(failed(&cause)),
    };
    let path = directory.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => {
            let checkpoint = SignedCheckpoint::parse(&bytes).map_err(|why| foreign(&why.to_string()))?;
            checkpoint.verify(&seen.key).map_err(|why| foreign(&why.to_string()))?;
            Ok(Some(checkpoint))
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            for file in listing {
                let name = file.map_err(|cause| failed(&cause))?.file_name();
                // Tiles without a checkpoint: the first run was cut short. Each is compared below.
                if name != "tile" && !name.to_string_lossy().starts_with(".new-") {
                    return Err(foreign(&format!("it has no checkpoint, but {}", name.display())));
                }
            }
            Ok(None)
        }
        Err(cause) => Err(CliError::file("read", &path, &cause)),
    }
}

fn went_back(directory: &Path, before: &SignedCheckpoint, here: u64) -> CliError {
    let there = count(before.checkpoint().size, "entry");
    CliError::stale(format!("{} holds {there}, and the ledger here only {here}: it went back", directory.display()))
        .hint("jit sync, then run the command again; compare with another clone")
}

/// Writes the tiles and bundles between two sizes; how many files that were. `leaves` begins with the first leaf of the
/// bundle that the old size ends in.
///
/// # Errors
/// Where a leaf cannot be read, or a file not written.
pub fn put(
    log: &Tree,
    directory: &Path,
    old: u64,
    new: u64,
    mut leaves: impl Iterator<Item = Result<Vec<u8>, CliError>>,
) -> Result<u64, CliError> {
    let failed = |why: tile::TileError| CliError::failed("a tile cannot be made").because(why.to_string());
    let mut written: u64 = 0;
    for tile in tiles_between(old, new) {
        let bytes = if tile.level.is_some() {
            tile::hashes(log, &tile).map_err(failed)?
        } else {
            let count = usize::try_from(tile.width).unwrap_or(usize::MAX);
            let read: Vec<Vec<u8>> = leaves.by_ref().take(count).collect::<Result<_, CliError>>()?;
            tile::bundle(read).map_err(failed)?
        };
        written = written.saturating_add(u64::from(put_tile(directory, &tile, &bytes)?));
    }
    Ok(written)
}

/// What a leaf is the hash of (format.md, section 4).
pub fn leaf_data(said: &Said) -> Vec<u8> {
    match said {
        Said::Event(signed) => event_entry(&signed.digest, &Digest::of(&signed.signature)),
        Said::Void(void) => void_entry(&void.raw),
    }
}

/// Writes a tile where it is not there yet. One that is there and says something else is not touched.
fn put_tile(directory: &Path, tile: &Tile, bytes: &[u8]) -> Result<bool, CliError> {
    let path = directory.join(tile.path());
    match fs::read(&path) {
        Ok(there) if there == bytes => return Ok(false),
        Ok(_) => {
            return Err(CliError::failed(format!("{} is of another log, or was changed", path.display()))
                .because("a tile never changes: it was not written over")
                .hint("find out who wrote it; name an empty directory: jit audit tiles DIR"));
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(CliError::file("read", &path, &cause)),
    }
    let folder = path.parent().unwrap_or(directory);
    fs::create_dir_all(folder).map_err(|cause| CliError::file("make", folder, &cause))?;
    write(&path, bytes)?;
    Ok(true)
}
