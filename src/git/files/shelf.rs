//! The state directory as a [`Shelf`]: what a user believes only because they wrote it themselves. Imports `ports` only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::super::GitError;
use super::super::reference::identity_of;
use super::{READ_LIMIT, State, plain};
use crate::ports::{ReadAt, Shelf};

/// What a file is called until it is whole.
const UNFINISHED: &str = ".new";

/// Who has the turn to write to the shelf holds the lock on this file.
const TURN: &str = "snapshot-turn";

impl ReadAt for File {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(into, at)
    }

    fn length(&self) -> io::Result<u64> {
        self.metadata().map(|meta| meta.len())
    }
}

impl Shelf for State {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.own(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(READ_LIMIT).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn open(&self, name: &str) -> io::Result<Option<Box<dyn ReadAt>>> {
        Ok(self.own(name)?.map(|file| -> Box<dyn ReadAt> { Box::new(file) }))
    }

    fn write(&self, name: &str, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let path = self.place(name).map_err(other)?;
        let directory = self.directory_of(&path).map_err(other)?;
        let unfinished = self.place(&format!("{name}{UNFINISHED}")).map_err(other)?;
        // What somebody was killed in; whoever writes has the turn.
        gone(fs::remove_file(&unfinished))?;
        // Made anew, never through a link that lies there.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        let mut written = || -> io::Result<()> {
            let mut out = BufWriter::with_capacity(1 << 16, &file);
            fill(&mut out)?;
            out.flush()?;
            self.sync(&file)?;
            fs::rename(&unfinished, &path)
        };
        let written = written();
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written?;
        self.sync_directory(&directory)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        gone(fs::remove_file(self.place(name).map_err(other)?))
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        Self::list(self, directory).map_err(other)
    }

    fn exclusively(&self, act: &mut dyn FnMut() -> io::Result<()>) -> io::Result<bool> {
        match self.turn(TURN).map_err(other)? {
            Some(_turn) => act().map(|()| true),
            None => Ok(false),
        }
    }
}

impl State {
    /// A file that is the user's own and that nobody else can read or write, in directories that nobody else can write;
    /// `None` where there is no such file.
    fn own(&self, name: &str) -> io::Result<Option<File>> {
        let path = self.place(name).map_err(other)?;
        let below = path.strip_prefix(&self.root).ok().and_then(Path::parent).unwrap_or(Path::new(""));
        let mut level = self.root.clone();
        for part in std::iter::once(None).chain(below.components().map(Some)) {
            level.extend(part);
            let Some(meta) = plain(&level, fs::Metadata::is_dir).map_err(other)? else { return Ok(None) };
            if meta.mode() & 0o022 != 0 {
                return Ok(None);
            }
        }
        let Some(meta) = plain(&path, fs::Metadata::is_file).map_err(other)? else { return Ok(None) };
        let file = match File::open(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let opened = file.metadata()?;
        // What was looked at is what was opened: nobody put a link there in between.
        if identity_of(&opened) != identity_of(&meta) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} changed meanwhile", path.display())));
        }
        let is_own = opened.uid() == rustix::process::geteuid().as_raw() && opened.mode() & 0o077 == 0;
        Ok(is_own.then_some(file))
    }
}

/// What is not there is gone already.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

fn other(error: GitError) -> io::Error {
    io::Error::other(error.to_string())
}
