//! `--export`: one channel as an asciicast v2 file, which any player of asciinema's format shows.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::super::Context;
use super::super::error::CliError;
use crate::recording::cast::{self, Channel, Entry};

/// Where an export goes.
pub struct Export(Box<dyn Write>);

impl Export {
    /// A new file that only its owner reads, or stdout for `-`. What is typed is in it as well, so nothing is overwritten
    /// and nobody else may look.
    ///
    /// # Errors
    /// Where it cannot be made, or is there already.
    pub fn create(context: &Context, file: &Path) -> Result<Self, CliError> {
        if file == Path::new("-") {
            return Ok(Self(Box::new(io::stdout().lock())));
        }
        let path = context.resolve(file);
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match made {
            Ok(file) => Ok(Self(Box::new(io::BufWriter::new(file)))),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                Err(CliError::failed(format!("{} is there already", path.display())).hint("name another file"))
            }
            Err(cause) => Err(CliError::file("write", &path, &cause)),
        }
    }

    /// The header: asciicast's own fields and nothing else.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn header(&mut self, channel: &Channel, title: &str) -> Result<(), CliError> {
        self.write(&channel.plain_line(title))
    }

    /// What was said on the channel.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn entry(&mut self, entry: &Entry) -> Result<(), CliError> {
        match entry {
            Entry::Event { millis, kind, text, .. } => self.write(&cast::event(*millis, *kind, text)),
            Entry::Opened(_) | Entry::Closed { .. } => Ok(()),
        }
    }

    /// All of it is written.
    ///
    /// # Errors
    /// Where it is not.
    pub fn finish(mut self) -> Result<(), CliError> {
        self.0.flush().map_err(failed)
    }

    fn write(&mut self, text: &str) -> Result<(), CliError> {
        self.0.write_all(text.as_bytes()).map_err(failed)
    }
}

fn failed(cause: io::Error) -> CliError {
    CliError::failed("cannot write the export").because(cause.to_string())
}
