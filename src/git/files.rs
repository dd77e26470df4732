//! Small files beside the ledger, in `<git directory>/jit/`: the pin, the outbox, snapshots. Written beside, synced and
//! renamed, so that a reader finds the old or the new content and a power cut loses neither; never through a symbolic
//! link; readable by their owner only. Also the lock that makes writers of one clone take turns. Imports `ports` only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use super::GitError;
use super::reference::identity_of;

mod shelf;

/// The largest state file that is read, in bytes.
const READ_LIMIT: u64 = 1 << 30;

/// The directory of the state files. It is made when something is first written.
#[derive(Debug, Clone)]
pub struct State {
    root: PathBuf,
    /// Whether what is written is synced.
    durable: bool,
}

/// The right to write, held until dropped; the system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct WriterLock {
    file: File,
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // Said, not left to the closing: a child that is being started holds a copy of the descriptor until its exec.
        let _ = self.file.unlock();
    }
}

impl State {
    /// The state beside the repository whose common git directory this is.
    pub fn beside(common_directory: &Path) -> Self {
        Self { root: common_directory.join("jit"), durable: true }
    }

    /// The same, and nothing is synced where `durable` is false: a power cut may then lose what was acknowledged.
    #[must_use]
    pub fn with_durability(self, durable: bool) -> Self {
        Self { durable, ..self }
    }

    /// Whether what is written is synced.
    pub const fn is_durable(&self) -> bool {
        self.durable
    }

    /// Syncs a file, unless the repository's owner wants none of it.
    pub(super) fn sync(&self, file: &File) -> io::Result<()> {
        if self.durable { file.sync_all() } else { Ok(()) }
    }

    /// Syncs a directory, so that the names in it survive a power cut; unless the repository's owner wants none of it.
    pub(super) fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        if self.durable { File::open(directory)?.sync_all() } else { Ok(()) }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The content of a file; `None` where there is none. Names are like `pin` or `outbox/17`.
    ///
    /// # Errors
    /// Where the name is none, the file is no plain file, or it cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, GitError> {
        let path = self.place(name)?;
        let Some(meta) = plain(&path, fs::Metadata::is_file)? else { return Ok(None) };
        let read = || -> io::Result<Vec<u8>> {
            let file = File::open(&path)?;
            // What was looked at is what was opened: nobody put a link there in between.
            if identity_of(&file.metadata()?) != identity_of(&meta) || meta.len() > READ_LIMIT {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it changed meanwhile or is too large"));
            }
            let mut bytes = Vec::new();
            file.take(READ_LIMIT).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map(Some).map_err(|cause| GitError::file(path, cause))
    }

    /// Replaces the content of a file, or makes it. When this returns, a power cut loses nothing.
    ///
    /// # Errors
    /// As [`State::read`]; the old content stands then.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), GitError> {
        let path = self.place(name)?;
        let directory = self.directory_of(&path)?;
        plain(&path, fs::Metadata::is_file)?;
        let write = || -> io::Result<()> {
            let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&directory)?;
            file.write_all(bytes)?;
            self.sync(file.as_file())?;
            file.persist(&path).map_err(|error| error.error)?;
            self.sync_directory(&directory)
        };
        write().map_err(|cause| GitError::file(&path, cause))
    }

    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), GitError> {
        let path = self.place(name)?;
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(cause) => Err(GitError::file(path, cause)),
            Ok(()) => {
                let directory = path.parent().unwrap_or(&self.root);
                self.sync_directory(directory).map_err(|cause| GitError::file(directory, cause))
            }
        }
    }

    /// The names of the files in a directory of the state (`""` for the state itself), sorted; none where there is no
    /// such directory. What was left half-written is not among them.
    ///
    /// # Errors
    /// Where it cannot be read or is no directory.
    pub fn list(&self, directory: &str) -> Result<Vec<String>, GitError> {
        let path = if directory.is_empty() { self.root.clone() } else { self.place(directory)? };
        if plain(&path, fs::Metadata::is_dir)?.is_none() {
            return Ok(Vec::new());
        }
        let failed = |cause| GitError::file(&path, cause);
        let mut names = Vec::new();
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type().map_err(failed)?.is_file() && is_name(&name) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Waits until no other process writes to this clone, and keeps others from it while the lock lives.
    ///
    /// # Errors
    /// [`GitError::Busy`] after `patience`, with the process that holds it.
    pub fn lock(&self, patience: Duration) -> Result<WriterLock, GitError> {
        let pause = Duration::from_millis(20);
        let attempts = u32::try_from(patience.as_millis() / 20).unwrap_or(u32::MAX).saturating_add(1);
        self.wait_for_turn("lock", attempts, pause)
    }

    pub(super) fn wait_for_turn(&self, name: &str, attempts: u32, pause: Duration) -> Result<WriterLock, GitError> {
        let (path, file) = self.turnstile(name)?;
        for attempt in 0..attempts {
            if taken(&path, &file)? {
                return Ok(WriterLock { file });
            }
            if attempt + 1 < attempts {
                sleep(pause);
            }
        }
        let holder = super::stale::user_of(&path).map(|(pid, name)| format!(": process {pid}, {name}"));
        Err(GitError::Busy(path, holder.unwrap_or_default()))
    }

    /// The turn, if nobody has it at this moment. Who has it is not asked: that looks at every process there is, which is
    /// for messages, and too much for whoever comes again and again.
    pub(super) fn turn(&self, name: &str) -> Result<Option<WriterLock>, GitError> {
        let (path, file) = self.turnstile(name)?;
        Ok(taken(&path, &file)?.then_some(WriterLock { file }))
    }

    fn turnstile(&self, name: &str) -> Result<(PathBuf, File), GitError> {
        let path = self.place(name)?;
        self.directory_of(&path)?;
        plain(&path, fs::Metadata::is_file)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|cause| GitError::file(&path, cause))?;
        Ok((path, file))
    }

    fn place(&self, name: &str) -> Result<PathBuf, GitError> {
        if !name.split('/').all(is_name) {
            return Err(GitError::StateName(name.to_owned()));
        }
        Ok(self.root.join(name))
    }

    /// The directory of a state file, made where it is missing; each level a real directory of the owner's.
    fn directory_of(&self, path: &Path) -> Result<PathBuf, GitError> {
        let directory = path.parent().unwrap_or(&self.root);
        let below = directory.strip_prefix(&self.root).unwrap_or(Path::new(""));
        let mut level = self.root.clone();
        self.make(&level)?;
        for part in below.components() {
            level.push(part);
            self.make(&level)?;
        }
        Ok(level)
    }

    fn make(&self, directory: &Path) -> Result<(), GitError> {
        if plain(directory, fs::Metadata::is_dir)?.is_some() {
            return Ok(());
        }
        let mut builder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(directory) {
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => Err(GitError::file(directory, cause)),
            _ => match directory.parent() {
                Some(parent) => self.sync_directory(parent).map_err(|cause| GitError::file(parent, cause)),
                None => Ok(()),
            },
        }
    }
}

/// Whether the lock is ours now.
fn taken(path: &Path, file: &File) -> Result<bool, GitError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Err(fs::TryLockError::Error(cause)) => Err(GitError::file(path, cause)),
    }
}

fn is_name(part: &str) -> bool {
    !part.starts_with('.')
        && !part.is_empty()
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// The metadata of what is at `path`, a symbolic link not followed; `None` where nothing is.
fn plain(path: &Path, is_right: fn(&fs::Metadata) -> bool) -> Result<Option<fs::Metadata>, GitError> {
    match fs::symlink_metadata(path) {
        Ok(meta) if is_right(&meta) => Ok(Some(meta)),
        Ok(_) => Err(GitError::NotPlain(path.to_owned())),
        Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(cause) => Err(GitError::file(path, cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn files_are_replaced_whole_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::beside(directory.path());
        assert_eq!(state.read("pin").unwrap(), None);
        assert!(state.list("outbox").unwrap().is_empty());
        state.write("pin", b"one").unwrap();
        state.write("pin", b"two").unwrap();
        state.write("outbox/2", b"b").unwrap();
        state.write("outbox/1", b"a").unwrap();
        assert_eq!(state.read("pin").unwrap().unwrap(), b"two");
        assert_eq!(state.list("outbox").unwrap(), ["1", "2"]);
        assert_eq!(state.list("").unwrap(), ["pin"], "nothing is left beside");
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(state.path().join("pin")), 0o600);
        assert_eq!(mode(state.path().join("outbox")), 0o700);
        state.remove("outbox/1").unwrap();
        state.remove("outbox/1").unwrap();
        assert_eq!(state.list("outbox").unwrap(), ["2"]);
    }

    #[test]
    fn links_and_foreign_names_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::beside(directory.path());
        state.write("pin", b"one").unwrap();
        let outside = directory.path().join("outside");
        fs::write(&outside, b"secret").unwrap();
        symlink(&outside, state.path().join("link")).unwrap();
        assert!(matches!(state.read("link"), Err(GitError::NotPlain(_))));
        assert!(matches!(state.write("link", b"x"), Err(GitError::NotPlain(_))));
        symlink(directory.path(), state.path().join("sub")).unwrap();
        assert!(matches!(state.write("sub/x", b"x"), Err(GitError::NotPlain(_))));
        assert_eq!(fs::read(&outside).unwrap(), b"secret");
        for name in ["", "/etc/x", "../x", "a/../b", ".hidden", "a//b", "a b", "a/"] {
            assert!(matches!(state.write(name, b"x"), Err(GitError::StateName(_))), "{name:?}");
        }
    }

    #[test]
    fn writers_take_turns() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::beside(directory.path());
        let held = state.lock(Duration::ZERO).unwrap();
        assert!(matches!(state.lock(Duration::from_millis(30)), Err(GitError::Busy(..))));
        drop(held);
        state.lock(Duration::ZERO).unwrap();
    }

    #[test]
    fn a_turn_that_another_has_is_nobodys_error() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::beside(directory.path());
        let held = state.turn("turn").unwrap();
        assert!(held.is_some());
        assert!(state.turn("turn").unwrap().is_none());
        assert!(state.turn("other").unwrap().is_some(), "each name is a turn of its own");
        drop(held);
        assert!(state.turn("turn").unwrap().is_some());
        // Where it cannot be asked for, that is told: it is not somebody else's.
        fs::create_dir(state.path().join("folder")).unwrap();
        assert!(state.turn("folder").is_err());
    }
}
