//! What the use cases need from outside, as small traits: the clock, randomness, signatures and an object store.
//! Adapters (`git`, `sign`, …) implement them; tests put plain values behind them.

use std::fmt;
use std::io::{self, Write};

use crate::domain::id::{CommitId, Digest, ObjectId};
use crate::domain::key::{Presence, PublicKey, RawSignature};
use crate::domain::time::Timestamp;
use crate::sshsig::signed_data;

/// The time. Only `main` names the real one.
pub trait Clock {
    /// The present second, UTC.
    fn now(&self) -> Timestamp;
}

/// Randomness. Only `main` names the real one.
pub trait Rng {
    /// Sixteen random bytes.
    ///
    /// # Errors
    /// Where the system has none to give.
    fn bytes16(&mut self) -> Result<[u8; 16], RngError>;
    /// Thirty-two random bytes.
    ///
    /// # Errors
    /// Where the system has none to give.
    fn bytes32(&mut self) -> Result<[u8; 32], RngError>;
}

/// The system gives no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no randomness: {0}")]
pub struct RngError(pub String);

/// Something that holds a private key. The key never leaves it.
pub trait Signer {
    /// The public half.
    fn public_key(&self) -> &PublicKey;
    /// Signs `data` as it is: Ed25519 over the bytes; for hardware keys over what PROTOCOL.u2f makes of them.
    ///
    /// # Errors
    /// Where the key is locked, gone, or its holder refuses.
    fn sign(&self, data: &[u8]) -> Result<RawSignature, SignError>;

    /// Signs `message` as SSHSIG has it: what is signed is [`signed_data`]. Only a signer that cannot be given that
    /// itself (`ssh-keygen -Y sign` hashes the message on its own) has to do something else here.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    fn sign_message(&self, namespace: &str, message: &[u8]) -> Result<RawSignature, SignError> {
        self.sign(&signed_data(namespace, message))
    }

    /// What stands in the way of a message's signature, as far as it is known before anybody is asked for a touch.
    ///
    /// # Errors
    /// The cause, as [`Signer::sign_message`] would give it.
    fn ready(&self) -> Result<(), SignError> {
        Ok(())
    }

    /// What its signatures can show of touch and PIN, as far as it is known before one is made. What is not known is
    /// taken to be possible: the signature itself says what happened (K05).
    fn presence(&self) -> Presence {
        Presence::at_best(self.public_key())
    }
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The agent or hardware refused.
    #[error("{0} refused to sign")]
    Refused(String),
    /// The agent could not be asked.
    #[error("cannot ask {0}: {1}")]
    Unreachable(String, String),
    /// What came back is no signature of this key.
    #[error("{0} returned something that is no signature")]
    Malformed(String),
    /// Nobody touched it or typed its PIN in time (seconds).
    #[error("{0} did not sign within {1} s")]
    Timeout(String, u64),
    /// It has to ask for a PIN or a passphrase, and nobody can be asked.
    #[error("{0} asks for {1}, and there is no terminal to ask at")]
    NobodyToAsk(String, &'static str),
    /// The program that was to sign said no; why.
    #[error("{0} did not sign: {1}")]
    Failed(String, String),
    /// It signs messages, and this is something else: a certificate.
    #[error("{0} signs events, not certificates")]
    OnlyMessages(String),
}

/// The kinds of object in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// A commit.
    Commit,
    /// A tree.
    Tree,
    /// A blob.
    Blob,
}

/// Raw objects, as stored: no replacement, no grafts, no normalisation.
pub trait Objects {
    /// The kind and size in bytes, without reading the body.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is none; others where it cannot be read.
    fn header(&self, id: ObjectId) -> Result<(ObjectKind, u64), StoreError>;

    /// The body, at most `limit` bytes.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] beyond the limit, [`StoreError::OtherKind`] where it is not of `kind`.
    fn read(&self, id: ObjectId, kind: ObjectKind, limit: u64) -> Result<Vec<u8>, StoreError>;
}

/// A store of objects with one branch.
pub trait Store: Objects {
    /// Where the ledger's branch stands; `None` where it is unborn.
    ///
    /// # Errors
    /// Where the reference cannot be read.
    fn head(&self) -> Result<Option<CommitId>, StoreError>;

    /// Writes an object and returns its id. Synced to disk before [`Store::advance`] returns.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn write(&self, kind: ObjectKind, bytes: &[u8]) -> Result<ObjectId, StoreError>;

    /// Moves the branch from `expected` to `new`, if it still stands there; a checked-out work tree follows.
    ///
    /// # Errors
    /// [`StoreError::Moved`] where somebody else was first; nothing has changed then.
    fn advance(&self, expected: Option<CommitId>, new: CommitId, note: &str) -> Result<(), StoreError>;
}

/// The other side of a ledger: where it is fetched from and pushed to.
pub trait Remote {
    /// Fetches the branch and returns where the other side has it; `None` where it has none.
    ///
    /// # Errors
    /// Where the other side cannot be reached.
    fn fetch(&self) -> Result<Option<CommitId>, RemoteError>;

    /// Pushes `commit` as the new head of the branch, never by force.
    ///
    /// # Errors
    /// [`RemoteError::LostRace`] where somebody else was first.
    fn push(&self, commit: CommitId) -> Result<(), RemoteError>;
}

/// Where the letters of an inbox lie, each a reference named after the digest of its last event.
pub const INBOX: &str = "refs/jit/inbox/";
/// Where it is said that an event was not taken: a reference named after the event's digest.
pub const REFUSED: &str = "refs/jit/refused/";

/// The inbox of a ledger's remote, as whoever writes sees it. A letter is signed events, oldest first, in commits of their
/// own (docs/format.md, section 8).
pub trait Post {
    /// Puts a letter into the inbox. The same letter again is no error.
    ///
    /// # Errors
    /// [`RemoteError::LostRace`] where something lies there under this name, [`RemoteError::Refused`] where the remote takes
    /// no letters.
    fn post(&self, name: &Digest, letter: CommitId) -> Result<(), RemoteError>;

    /// Fetches the branch, and what was answered to these events.
    ///
    /// # Errors
    /// Where the other side cannot be reached.
    fn news(&self, events: &[Digest]) -> Result<News, RemoteError>;

    /// Takes a letter out again, where it still lies there.
    ///
    /// # Errors
    /// Where the other side does not let it.
    fn withdraw(&self, name: &Digest, letter: CommitId) -> Result<(), RemoteError>;
}

/// What the other side of an inbox says.
#[derive(Debug, Clone, Default)]
pub struct News {
    /// Where the branch stands; `None` where there is none.
    pub head: Option<CommitId>,
    /// The answers, by event.
    pub answers: Vec<(Digest, CommitId)>,
}

/// An inbox as whoever empties it sees it.
pub trait Inbox {
    /// What waits there now, and the answers that still stand.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn waiting(&self) -> Result<Waiting, RemoteError>;

    /// Puts the answers there and takes out what is settled. What is gone already is no error; what changed meanwhile stays.
    ///
    /// # Errors
    /// Where the other side does not let it: the letters are found again the next time.
    fn settle(&self, answers: &[(Digest, CommitId)], gone: &[Slip]) -> Result<(), RemoteError>;
}

/// What waits in an inbox.
#[derive(Debug, Clone, Default)]
pub struct Waiting {
    /// Where the branch stands, where the inbox is on another side that was just asked.
    pub head: Option<CommitId>,
    /// The letters, or whatever else lies among them.
    pub letters: Vec<Slip>,
    /// The answers.
    pub answers: Vec<Slip>,
}

/// A reference of an inbox and what it stands at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slip {
    /// Its whole name: [`INBOX`] or [`REFUSED`], and what follows.
    pub reference: String,
    /// The object.
    pub id: ObjectId,
}

/// Why the other side did not answer or take it.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// Somebody else pushed first: fetch, decide again, push again.
    #[error("somebody else pushed first")]
    LostRace,
    /// The other side looked at the push and refused it (a hook, a protected branch).
    #[error("the remote refused the push: {0}")]
    Refused(String),
    /// The other side could not be reached, or the transport failed.
    #[error("the remote cannot be reached: {0}")]
    Unreachable(String),
    /// A lock is in the way, here or at the other side.
    #[error("{lock} is there, {why}")]
    Locked {
        /// The file.
        lock: String,
        /// What is known about whoever made it.
        why: String,
        /// Whether it is at the other side.
        is_remote: bool,
    },
    /// What the other side has cannot be written here.
    #[error("what the remote has cannot be kept here: {0}")]
    Disk(String),
    /// The git program is not there or failed in another way.
    #[error("git failed: {0}")]
    Git(String),
}

/// Why the store did not do it. None of these is a verdict about the ledger.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such object.
    #[error("object {0} is missing")]
    Missing(ObjectId),
    /// It is of another kind.
    #[error("object {0} is not a {1:?}")]
    OtherKind(ObjectId, ObjectKind),
    /// It is larger than the rules allow. The one case that the replay turns into a fault.
    #[error("object {id} has {size} bytes, more than {limit}")]
    TooLarge {
        /// The object.
        id: ObjectId,
        /// Its size in bytes.
        size: u64,
        /// What was allowed.
        limit: u64,
    },
    /// The branch is not where it was expected: nothing was moved.
    #[error("the ledger's branch moved meanwhile")]
    Moved {
        /// Where it stands now.
        actual: Option<CommitId>,
    },
    /// No space, no permission, read-only: nothing was moved.
    #[error("cannot write to the ledger: {0}")]
    Write(String),
    /// A lock that is not ours is in the way: nothing was moved.
    #[error("cannot write to the ledger: {lock} is there, {why}")]
    Locked {
        /// The file.
        lock: String,
        /// What is known about whoever made it.
        why: String,
        /// The process that may hold it, where one was found.
        pid: Option<u32>,
    },
    /// It was moved, and the disk did not confirm it: it may be gone after a power cut.
    #[error("the ledger has it, and the disk did not confirm that it is written: {0}")]
    NotSynced(String),
    /// The file of an object is empty or damaged.
    #[error("object {id} cannot be read: {file} is {why}")]
    Damaged {
        /// The object.
        id: ObjectId,
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
        /// The git directory.
        repository: String,
        /// Whether there is a remote to fetch it from again.
        has_remote: bool,
    },
    /// It cannot be read.
    #[error("cannot read the ledger: {0}")]
    Read(String),
}

/// A file that is read here and there, and never changes.
pub trait ReadAt: fmt::Debug + Send + Sync {
    /// Fills `into` with what stands at `at`, in bytes from the beginning.
    ///
    /// # Errors
    /// Where there is less, or it cannot be read.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()>;
    /// How many bytes there are.
    ///
    /// # Errors
    /// Where that cannot be told.
    fn length(&self) -> io::Result<u64>;
}

/// Where a user keeps what they alone may write and believe: files beside the ledger, by names such as `pages/0-100`.
pub trait Shelf {
    /// The content of a small file; `None` where there is none, or not one that this user alone can have written.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
    /// A file, under the same conditions. It can be read for as long as it is open, also when it is removed meanwhile.
    ///
    /// # Errors
    /// As [`Shelf::read`].
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn ReadAt>>>;
    /// Writes a file: beside, synced, then moved to its name, so that there is the old one or the new one, whole.
    ///
    /// # Errors
    /// Where it cannot be written, or `fill` fails: the old one stands then.
    fn write(&self, name: &str, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()>;
    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// Where it cannot be removed.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// The names of the files in a directory; none where it is not there. What was left half-written is among them.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn list(&self, directory: &str) -> io::Result<Vec<String>>;
    /// Does something while no other process does the like here. Says whether it did: where another one does, nothing is
    /// done, and nobody waits.
    ///
    /// # Errors
    /// Where it cannot be told, or `act` fails.
    fn exclusively(&self, act: &mut dyn FnMut() -> io::Result<()>) -> io::Result<bool>;
}
