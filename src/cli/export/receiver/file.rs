//! The end of a file: written, synced, and only then acknowledged. A line that an interrupted write left half is taken away
//! before the same line is written again; nothing else in the file is ever changed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use super::{Receiver, Refused};

/// How much of the end is looked at for half a line. An event's longest line is far below it.
const TAIL: u64 = 1024 * 1024;

/// A file that grows.
pub struct FileReceiver {
    path: PathBuf,
    /// Whether its end was looked at.
    whole: bool,
}

impl FileReceiver {
    /// The file at `path`, which is made where it is missing.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, whole: false }
    }

    /// Opened for each batch: whoever moves the file away (logrotate) finds the next batch in a new one.
    fn open(&self) -> io::Result<File> {
        let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .mode(0o600)
            .custom_flags(nofollow | nonblock)
            .open(&self.path)?;
        if file.metadata()?.is_file() {
            return Ok(file);
        }
        Err(io::Error::other("it is not a plain file"))
    }
}

/// Makes the file end with a whole line. What lies behind the last line end is cut away where it is the beginning of the line
/// that comes next, and so can only be ours; else it is ended.
fn mend(file: &mut File, next: &str) -> io::Result<()> {
    let size = file.metadata()?.len();
    let from = size.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let begins = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
    let half = tail.get(begins..).unwrap_or_default();
    if half.is_empty() {
        return Ok(());
    }
    if next.as_bytes().starts_with(half) && (begins > 0 || from == 0) {
        let half = u64::try_from(half.len()).unwrap_or(u64::MAX);
        return file.set_len(size.saturating_sub(half));
    }
    file.write_all(b"\n")
}

impl Receiver for FileReceiver {
    fn deliver(&mut self, lines: &[String]) -> Result<(), Refused> {
        let mut text = lines.join("\n");
        text.push('\n');
        let mut write = || -> io::Result<()> {
            let mut file = self.open()?;
            if !self.whole {
                mend(&mut file, &text)?;
                self.whole = true;
            }
            file.write_all(text.as_bytes()).inspect_err(|_| self.whole = false)?;
            file.sync_all()
        };
        write().map_err(|cause| {
            let what = format!("cannot write {}", self.path.display());
            match cause.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::Interrupted => Refused::passing(what, cause.to_string()),
                _ => Refused::lasting(what, cause.to_string(), "name a plain file in a folder that can be written"),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_of_ours_goes_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("events.jsonl");
        let after = |before: &str| {
            std::fs::write(&path, before).unwrap();
            let lines = ["{\"a\":1}".to_owned(), "{\"a\":2}".to_owned()];
            FileReceiver::new(path.clone()).deliver(&lines).unwrap();
            std::fs::read_to_string(&path).unwrap()
        };
        let both = "{\"a\":1}\n{\"a\":2}\n";
        assert_eq!(after(""), both);
        assert_eq!(after("x\n"), format!("x\n{both}"));
        assert_eq!(after("x\n{\"a\""), format!("x\n{both}"));
        assert_eq!(after("{\"a\":1}\n{\"a"), format!("{{\"a\":1}}\n{both}"));
        assert_eq!(after("x\nnot ours"), format!("x\nnot ours\n{both}"));
    }
}
