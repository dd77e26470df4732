//! The branch of checkpoints: a chain of commits of its own, in which each commit's tree holds one file, `checkpoint`, the
//! signed note (format.md, section 4). Reads it, newest first; writes the next commit; holds a checkpoint against a
//! ledger that was replayed. Whoever can push can put anything there: nothing of it counts before its signature was
//! verified. Imports `ports`, `domain` and `merkle`.

use crate::domain::id::{CommitId, Digest};
use crate::domain::policy::{Log, Witness};
use crate::domain::time::{Timestamp, Ttl};
use crate::merkle::checkpoint::{self, CheckpointError};
use crate::merkle::note::{self, NameError, NoteKeyError};
use crate::merkle::{NoteSignature, SignatureType, SignedCheckpoint, Tree, VerifierKey};
use crate::ports::{ObjectKind, Objects, Store, StoreError};

use super::commit::{self, COMMIT_LIMIT, CommitFault, Person, RawCommit};
use super::tree;

/// The one file.
pub const FILE: &str = "checkpoint";
/// How far back a signed checkpoint is looked for: what is pushed on top of it cannot make looking endless.
const FAR: usize = 10_000;
/// The largest tree of a commit on the branch, in bytes: one file.
const TREE_LIMIT: u64 = 4096;
/// Who writes the commits. Nothing is decided from it: the note is what is signed.
const AUTHOR: (&str, &str) = ("jit", "checkpoints@jit.invalid");

/// Why the branch could not be read. None of these is a verdict.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// An object cannot be read or written.
    #[error("the checkpoints cannot be read")]
    Store(#[from] StoreError),
    /// A commit from which not even its parents can be told.
    #[error("commit {0} on the branch of checkpoints cannot be read: {1}")]
    Commit(CommitId, CommitFault),
    /// The commit cannot be written down.
    #[error("the checkpoint's commit cannot be written: {0}")]
    Unwritable(CommitFault),
    /// A key of the policy cannot verify notes.
    #[error("the key {0} of the policy cannot verify checkpoints: {1}")]
    Key(String, NoteKeyError),
}

/// What a commit on the branch holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// A checkpoint; its signatures are not verified.
    Note(SignedCheckpoint),
    /// Something else, and why it is none.
    Rubbish(String),
}

/// A commit on the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The commit.
    pub commit: CommitId,
    /// What it holds.
    pub held: Held,
}

/// The commits of the branch from `head` back to the first, as long as the first parents lead.
pub struct Walk<'o> {
    objects: &'o dyn Objects,
    next: Option<CommitId>,
}

/// Walks the branch, newest first.
pub fn walk(objects: &dyn Objects, head: Option<CommitId>) -> Walk<'_> {
    Walk { objects, next: head }
}

impl Iterator for Walk<'_> {
    type Item = Result<Entry, BranchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let commit = self.next.take()?;
        Some(self.entry(commit))
    }
}

impl Walk<'_> {
    fn entry(&mut self, id: CommitId) -> Result<Entry, BranchError> {
        let raw = self.objects.read(id, ObjectKind::Commit, COMMIT_LIMIT)?;
        let links = commit::links(&raw).map_err(|fault| BranchError::Commit(id, fault))?;
        self.next = links.parents.first().copied();
        Ok(Entry { commit: id, held: self.held(links.tree)? })
    }

    fn held(&self, tree: crate::domain::id::ObjectId) -> Result<Held, BranchError> {
        let rubbish = |why: &str| Ok(Held::Rubbish(why.to_owned()));
        let raw = match self.objects.read(tree, ObjectKind::Tree, TREE_LIMIT) {
            Ok(raw) => raw,
            Err(StoreError::TooLarge { .. }) => return rubbish("it holds more than a checkpoint"),
            Err(error) => return Err(error.into()),
        };
        let tree = tree::Tree::parse(raw);
        let Some(file) = tree.find(FILE.as_bytes()) else { return rubbish("it holds no file `checkpoint`") };
        if tree.entries().count() != 1 || file.mode != tree::MODE_FILE {
            return rubbish("it holds other than one plain file `checkpoint`");
        }
        let limit = u64::try_from(note::MAX_BYTES).unwrap_or(u64::MAX);
        match self.objects.read(file.id, ObjectKind::Blob, limit) {
            Ok(bytes) => Ok(match SignedCheckpoint::parse(&bytes) {
                Ok(checkpoint) => Held::Note(checkpoint),
                Err(why) => Held::Rubbish(why.to_string()),
            }),
            Err(StoreError::TooLarge { .. }) => rubbish("its file is too large"),
            Err(StoreError::OtherKind(..)) => rubbish("its file is none"),
            Err(error) => Err(error.into()),
        }
    }
}

/// The newest checkpoint that `key` has signed, and what lies above it that it has not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Newest {
    /// The checkpoint, and its commit.
    pub signed: Option<(CommitId, SignedCheckpoint)>,
    /// What was pushed on top of it and is no checkpoint of this log, newest first, each with the reason.
    pub above: Vec<(CommitId, String)>,
}

/// Looks for the newest checkpoint that `key` has signed. One under which somebody put a line that claims to be of one
/// of these witnesses and does not verify is none: "clients SHOULD reject the whole note".
///
/// # Errors
/// Where the branch cannot be read.
pub fn newest(
    objects: &dyn Objects,
    head: Option<CommitId>,
    key: &VerifierKey,
    witnesses: &[VerifierKey],
) -> Result<Newest, BranchError> {
    let mut found = Newest::default();
    for entry in walk(objects, head).take(FAR) {
        let Entry { commit, held } = entry?;
        let why = match held {
            Held::Rubbish(why) => why,
            Held::Note(checkpoint) => match checkpoint.verify(key).and_then(|()| checkpoint.cosignatures(witnesses)) {
                Ok(_) => {
                    found.signed = Some((commit, checkpoint));
                    break;
                }
                Err(why) => why.to_string(),
            },
        };
        found.above.push((commit, why));
    }
    Ok(found)
}

/// How many lines of keys that nobody knows stay under a note. Whoever can push can add some: the next writer's line must
/// have room.
const STRANGERS: usize = 16;

/// Takes out what strangers put under a note beyond a few lines.
pub fn trim(checkpoint: &mut SignedCheckpoint, key: &VerifierKey, witnesses: &[VerifierKey]) {
    let is_of = |key: &VerifierKey, line: &NoteSignature| key.id() == line.id && *key.name() == line.name;
    let mut strangers = checkpoint
        .note()
        .signatures()
        .iter()
        .filter(|line| !is_of(key, line) && !witnesses.iter().any(|witness| is_of(witness, line)))
        .count();
    // The oldest lines come first, and go first.
    checkpoint.retain(|line| {
        let is_known = is_of(key, line) || witnesses.iter().any(|witness| is_of(witness, line));
        if is_known {
            return true;
        }
        strangers = strangers.saturating_sub(1);
        strangers < STRANGERS
    });
}

/// Writes the commit that puts `checkpoint` on top of `parent`, and returns it. Nothing has moved yet.
///
/// # Errors
/// Where it cannot be written.
pub fn commit(
    store: &dyn Store,
    parent: Option<CommitId>,
    checkpoint: &SignedCheckpoint,
    message: &str,
    now: Timestamp,
) -> Result<CommitId, BranchError> {
    let blob = store.write(ObjectKind::Blob, checkpoint.to_string().as_bytes())?;
    let tree = tree::build(store, None, &[(FILE, blob)], &[])?;
    let (name, email) = AUTHOR;
    let person = Person { name: name.into(), email: email.into(), time: now.unix(), zone: "+0000".into() };
    let raw = RawCommit {
        tree,
        parents: parent.into_iter().collect(),
        author: person.clone(),
        committer: person,
        message: format!("{message}\n"),
    };
    Ok(store.write(ObjectKind::Commit, &raw.write().map_err(BranchError::Unwritable)?)?)
}

/// The key of a ledger's log, as notes name it.
///
/// # Errors
/// [`BranchError::Key`]: never for a policy that was read.
pub fn log_key(ledger: &Digest, log: &Log) -> Result<VerifierKey, BranchError> {
    checkpoint::log_key(ledger, log.key.clone()).map_err(|why| BranchError::Key(log.key.fingerprint(), why))
}

/// The keys of the witnesses, in the policy's order.
///
/// # Errors
/// [`BranchError::Key`]: never for a policy that was read.
pub fn witness_keys(log: &Log) -> Result<Vec<VerifierKey>, BranchError> {
    let key = |witness: &Witness| {
        let name = witness.name.parse().map_err(|NameError| NoteKeyError::Name);
        let key = name.and_then(|name| VerifierKey::new(name, SignatureType::CosignatureV1, witness.key.clone()));
        key.map_err(|why| BranchError::Key(witness.key.fingerprint(), why))
    };
    log.witnesses.iter().map(key).collect()
}

/// How a checkpoint that the log's key has signed stands to a ledger that was replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The ledger continues it.
    Continued,
    /// It is of a larger log: the ledger here is old, or was rewound.
    Ahead,
    /// It is of another log: the ledger here and the one that was signed have different leaves.
    Forked,
}

/// Holds a checkpoint against a log.
pub fn standing(log: &Tree, checkpoint: &SignedCheckpoint) -> Standing {
    let told = checkpoint.checkpoint();
    match log.root_at(told.size) {
        None => Standing::Ahead,
        Some(root) if root == told.root => Standing::Continued,
        Some(_) => Standing::Forked,
    }
}

/// F04: why a checkpoint (the newest one, which the log's key has signed) is not what the policy demands; `None` where it
/// is, or nothing is demanded.
///
/// # Errors
/// Where a key of the policy cannot verify notes.
pub fn lacking(
    log: &Log,
    checkpoint: Option<&SignedCheckpoint>,
    now: Timestamp,
    skew: Ttl,
) -> Result<Option<String>, BranchError> {
    if !log.demands() {
        return Ok(None);
    }
    let Some(signed) = checkpoint else {
        return Ok(Some("there is no checkpoint that the log's key has signed".into()));
    };
    let size = signed.checkpoint().size;
    let cosigned = match signed.cosignatures(&witness_keys(log)?) {
        Ok(cosigned) => cosigned,
        Err(why @ CheckpointError::BadSignature(_)) => return Ok(Some(format!("checkpoint {size}: {why}"))),
        Err(why) => return Ok(Some(why.to_string())),
    };
    let count = cosigned.len();
    let Some(witnessed) = log.witnessed(cosigned.iter().map(|cosigned| cosigned.time), now, skew) else {
        let of = log.witnesses.len();
        return Ok(Some(format!(
            "checkpoint {size} is cosigned by {count} of {of} witnesses; {} are needed",
            log.quorum
        )));
    };
    if log.is_stale(witnessed, now) {
        let most = log.freshest.map_or_else(String::new, |most| format!(", longer ago than {most}"));
        return Ok(Some(format!("enough witnesses last cosigned a checkpoint ({size}) at {witnessed}{most}")));
    }
    Ok(None)
}
