//! What a witness remembers: of each log the checkpoint that it cosigned last, in a file of its own. It is written, synced
//! and renamed before anything is signed: a witness that crashed may have promised less than it remembers, never more.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::super::error::CliError;
use super::super::files;
use crate::domain::id::Digest;
use crate::domain::time::Timestamp;
use crate::merkle::note::MAX_BYTES;
use crate::merkle::witness::{WitnessRefusal, judge};
use crate::merkle::{NoteSignature, SignedCheckpoint, Submission, VerifierKey, cosignature};
use crate::ports::{SignError, Signer};

/// Why nothing was cosigned.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// The checkpoint may not be cosigned.
    #[error(transparent)]
    Refused(#[from] WitnessRefusal),
    /// What was cosigned last cannot be read or written: nothing was signed.
    #[error("what was cosigned last cannot be kept in {}: {cause}", .path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file holds something else.
    #[error("{} does not hold a checkpoint of {origin}: {why}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The log.
        origin: String,
        /// What is wrong with it.
        why: String,
    },
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// What came back is no signature of the key.
    #[error("the key gave no good signature: {0}")]
    Signature(cosignature::CosignatureError),
}

impl From<CosignError> for CliError {
    fn from(error: CosignError) -> Self {
        let told = error.to_string();
        match error {
            CosignError::Refused(why) => Self::stale(why.to_string()).hint("compare with other clones and witnesses"),
            CosignError::State { .. } => {
                Self::failed(told).hint("check free space and permissions; nothing was signed")
            }
            CosignError::Damaged { .. } => {
                Self::failed(told).hint("take it from your backup: a witness that forgets is none")
            }
            CosignError::Sign(cause) => Self::from(cause).context("nothing was cosigned"),
            CosignError::Signature(_) => Self::failed(told).hint("use the key's file: --witness-key FILE"),
        }
    }
}

/// A witness: its key and what it remembers.
pub struct Witness {
    key: VerifierKey,
    signer: Box<dyn Signer>,
    directory: PathBuf,
}

impl Witness {
    /// A witness that remembers in `directory`, in a folder for its key.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub fn open(key: VerifierKey, signer: Box<dyn Signer>, directory: &Path) -> Result<Self, CosignError> {
        let directory = directory.join(Digest::of(key.to_string().as_bytes()).short());
        let failed = |cause| CosignError::State { path: directory.clone(), cause };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(failed)?;
        Ok(Self { key, signer, directory })
    }

    /// Its key, as cosignatures name it.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The checkpoint of a log that it cosigned last, or was about to.
    ///
    /// # Errors
    /// Where it cannot be read, or is of something else.
    pub fn last(&self, origin: &str) -> Result<Option<SignedCheckpoint>, CosignError> {
        let path = self.file(origin);
        let damaged = |why: String| CosignError::Damaged { path: path.clone(), origin: origin.to_owned(), why };
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(CosignError::State { path, cause }),
        };
        let checkpoint = SignedCheckpoint::parse(&bytes).map_err(|why| damaged(why.to_string()))?;
        if checkpoint.checkpoint().origin != origin {
            return Err(damaged(format!("it is of {}", checkpoint.checkpoint().origin)));
        }
        Ok(Some(checkpoint))
    }

    /// Cosigns a submission at `now`, if it continues what was cosigned last. One at a time for each log, whatever
    /// processes there are.
    ///
    /// # Errors
    /// Why not; nothing was signed then.
    pub fn cosign(
        &self,
        log: &VerifierKey,
        submission: &Submission,
        now: Timestamp,
    ) -> Result<NoteSignature, CosignError> {
        let origin = log.name().as_str();
        let file = self.file(origin);
        let failed = |cause| CosignError::State { path: file.clone(), cause };
        // "checking the old size against the latest checkpoint and persisting the new checkpoint must be performed
        // atomically"
        let lock = lock(&file.with_extension("lock")).map_err(failed)?;
        let last = self.last(origin)?;
        let known = last.as_ref().map(|last| (last.checkpoint().size, last.checkpoint().root));
        judge(known, submission, log)?;
        // Only the log's signature: what strangers put under the note is not kept.
        let mut checkpoint = submission.checkpoint.clone();
        checkpoint.retain(|line| line.id == log.id() && line.name == *log.name());
        // Killed from here on, the witness has promised nothing that it does not remember.
        files::write(&file, checkpoint.to_string().as_bytes(), files::OWN).map_err(failed)?;
        let text = checkpoint.note().text().to_owned();
        let signature = self.signer.sign(&cosignature::message(now, &text))?;
        let line = cosignature::line(&self.key, now, &text, signature.bytes).map_err(CosignError::Signature)?;
        // For monitors. Lost in a crash it comes back with the next cosignature.
        checkpoint.add(line.clone());
        files::write(&file, checkpoint.to_string().as_bytes(), files::OWN).map_err(failed)?;
        drop(lock);
        Ok(line)
    }

    fn file(&self, origin: &str) -> PathBuf {
        self.directory.join(format!("{}.checkpoint", Digest::of(origin.as_bytes()).hex()))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no plain file"));
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Waits for the lock; the system takes it back when the process ends.
fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.lock()?;
    Ok(file)
}
