//! The inbox: what a letter and an answer are, and how they are read with care (docs/format.md, section 8). None of it is
//! part of the ledger: an event counts once its own commit is on the branch, and is judged there like any other.
//! [`post`](self) is the writer's side, `intake` the side that takes letters in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::codec::{EVENT_LIMIT, PROPOSAL_LIMIT, SIGNATURE_LIMIT};
use crate::domain::event::Kind;
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CommitId, Digest, ObjectId};
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::ports::{ObjectKind, Objects, Store, StoreError};

use super::append::AppendError;
use super::commit::{COMMIT_LIMIT, Person, RawCommit, links};
use super::read::GOVERNED_LIMIT;
use super::signed::Signed;
use super::tree::changes::TREE_LIMIT;
use super::tree::{self, MODE_FILE, Tree, TreeReader};

mod intake;
mod post;

pub use intake::{Landed, Taken};
pub use post::Posted;

/// The most events of one letter.
pub const LETTER_EVENTS: usize = 64;
/// How long an answer stands, in seconds.
const ANSWER_STANDS: i64 = 24 * 3600;
/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: u64 = 64 * 1024;

const EVENT: &str = "event.toml";
const SIGNATURE: &str = "event.toml.sig";
const FILES: &str = "files/";
const ANSWER: &str = "answer.toml";

/// Signed events that somebody wants to have on the branch, oldest first.
#[derive(Debug, Clone)]
pub struct Letter {
    events: Vec<Signed>,
}

/// What is said of an event that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The event; where what lay in the inbox was none, the name under which it lay there.
    pub event: Digest,
    /// The rule that it breaks.
    pub fault: Fault,
    /// When it was looked at.
    pub time: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerFile {
    event: String,
    code: String,
    message: String,
    time: String,
}

impl Letter {
    /// Writes the commits of a letter. The same events give the same commits: what is posted twice is one letter.
    pub(super) fn write(store: &dyn Store, events: &[Signed]) -> Result<(Digest, CommitId), AppendError> {
        let mut last = None;
        for signed in events {
            let mut puts = vec![
                (EVENT.to_owned(), store.write(ObjectKind::Blob, signed.bytes())?),
                (SIGNATURE.to_owned(), store.write(ObjectKind::Blob, signed.armored().as_bytes())?),
            ];
            for (path, bytes) in signed.files() {
                puts.push((format!("{FILES}{path}"), store.write(ObjectKind::Blob, bytes)?));
            }
            let puts: Vec<(&str, ObjectId)> = puts.iter().map(|(path, id)| (path.as_str(), *id)).collect();
            let tree = tree::build(store, None, &puts, &[])?;
            let (event, digest) = (signed.event(), signed.digest());
            let who = person(event.actor.as_str(), event.time);
            let message = format!("letter {}: {} of {}\n", digest.short(), event.kind(), event.actor);
            let parents = last.into_iter().map(|(_, parent)| parent).collect();
            last = Some((digest, written(store, tree, parents, who, message)?));
        }
        last.ok_or_else(|| AppendError::Other("a letter holds at least one event".to_owned()))
    }

    /// Reads what lies in an inbox under `name`: sizes before bodies, never more than a letter may hold. Each signature is
    /// verified; whether the events may stand in the ledger is not asked.
    ///
    /// # Errors
    /// Where an object cannot be read. What is no letter is a fault with the code of the rule that comes nearest.
    pub fn read(objects: &dyn Objects, name: &str, id: ObjectId) -> Result<Result<Self, Fault>, StoreError> {
        let fault = |code: Code, why: &str| Ok(Err(Fault::new(code, why)));
        let (mut events, mut at) = (Vec::new(), Some(id));
        while let Some(id) = at {
            if events.len() == LETTER_EVENTS {
                return fault(Code::C06, "a letter holds at most 64 events");
            }
            let raw = match objects.read(id, ObjectKind::Commit, COMMIT_LIMIT) {
                Ok(raw) => raw,
                Err(StoreError::OtherKind(..) | StoreError::TooLarge { .. }) => {
                    return fault(Code::C03, "it is no letter: not a commit of one event");
                }
                Err(error) => return Err(error),
            };
            let Ok(links) = links(&raw) else { return fault(Code::C03, "it is no letter: the commit cannot be read") };
            if links.parents.len() > 1 {
                return fault(Code::C01, "a commit of a letter has two parents");
            }
            match read_event(objects, links.tree)? {
                Ok(signed) => events.push(signed),
                Err(fault) => return Ok(Err(fault)),
            }
            at = links.parents.first().copied();
        }
        if events.first().is_none_or(|last| last.digest().hex() != name) {
            return fault(Code::C04, "a letter is named after the digest of its last event");
        }
        events.reverse();
        Ok(Ok(Self { events }))
    }

    /// The events' digests, oldest first.
    pub fn digests(&self) -> impl Iterator<Item = Digest> + '_ {
        self.events.iter().map(Signed::digest)
    }

    /// Whether each event is signed with a key that `policy` gives to its actor: only who is somebody here may leave a
    /// letter. (K04; the key may be another one by the time that the letter is taken in.)
    ///
    /// # Errors
    /// K04, of the first that is not.
    pub fn is_of(&self, policy: &Policy) -> Result<(), Fault> {
        for signed in &self.events {
            let (event, key) = (signed.event(), &signed.signature().key);
            if !policy.actor(&event.actor).is_some_and(|actor| actor.keys.contains(key)) {
                let why = format!("{} is not a key of {}", key.fingerprint(), event.actor);
                return Err(Fault::new(Code::K04, why));
            }
        }
        Ok(())
    }
}

/// The one event of a letter's commit.
fn read_event(objects: &dyn Objects, tree: ObjectId) -> Result<Result<Signed, Fault>, StoreError> {
    let fault = |code: Code, why: &str| Ok(Err(Fault::new(code, why)));
    let known = |path: &str| matches!(path, EVENT | SIGNATURE) || path.starts_with(FILES);
    let listing = TreeReader::new(objects).list(tree, &|path| !path.ends_with('/') || path.starts_with(FILES))?;
    if listing.truncated || !listing.faults.is_empty() {
        return fault(Code::C08, "the tree of the letter is malformed");
    }
    if listing.files.iter().any(|file| !known(&file.path) || file.mode != MODE_FILE) {
        return fault(Code::C03, "it holds something else than event.toml, event.toml.sig and files/");
    }
    let (mut event, mut signature, mut files) = (None, None, BTreeMap::new());
    let mut left = PROPOSAL_LIMIT;
    for file in &listing.files {
        let limit = match file.path.as_str() {
            EVENT => EVENT_LIMIT,
            SIGNATURE => SIGNATURE_LIMIT,
            _ => left,
        };
        let bytes = match objects.read(file.id, ObjectKind::Blob, limit) {
            Ok(bytes) => bytes,
            Err(StoreError::TooLarge { size, .. }) => {
                return fault(Code::C06, &format!("{} has {size} bytes, more than {limit}", file.path));
            }
            Err(StoreError::OtherKind(..)) => return fault(Code::C03, "a file of the letter is none"),
            Err(error) => return Err(error),
        };
        match file.path.as_str() {
            EVENT => event = Some(bytes),
            SIGNATURE => signature = Some(bytes),
            path => {
                left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                files.insert(path.strip_prefix(FILES).unwrap_or(path).to_owned(), bytes);
            }
        }
    }
    let (Some(event), Some(signature)) = (event, signature) else {
        return fault(Code::C03, "it holds no event with its signature");
    };
    let Ok(armored) = String::from_utf8(signature) else { return fault(Code::K01, "the signature is not UTF-8") };
    let signed = Signed::of(event, armored, files);
    if let Ok(signed) = &signed {
        match signed.event().kind() {
            Kind::Genesis => return fault(Code::C03, "a ledger begins once"),
            Kind::Proposal => {}
            _ if signed.files().is_empty() => {}
            _ => return fault(Code::C03, "it brings files, and is no proposal"),
        }
    }
    Ok(signed)
}

impl Answer {
    /// Writes it as a commit of its own.
    pub(super) fn write(&self, store: &dyn Store) -> Result<CommitId, AppendError> {
        let file = AnswerFile {
            event: self.event.to_string(),
            code: self.fault.code.to_string(),
            message: self.fault.message.clone(),
            time: self.time.to_string(),
        };
        let text = toml::to_string(&file).map_err(|error| AppendError::Other(error.to_string()))?;
        let blob = store.write(ObjectKind::Blob, text.as_bytes())?;
        let tree = tree::build(store, None, &[(ANSWER, blob)], &[])?;
        let message = format!("refused {}: {}\n", self.event.short(), self.fault.code);
        written(store, tree, Vec::new(), person("jit fold", self.time), message)
    }

    /// Reads one; `None` where it is none.
    ///
    /// # Errors
    /// Where an object cannot be read.
    pub fn read(objects: &dyn Objects, id: CommitId) -> Result<Option<Self>, StoreError> {
        let part = |id: ObjectId, kind: ObjectKind, limit: u64| match objects.read(id, kind, limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::OtherKind(..) | StoreError::TooLarge { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        let Some(raw) = part(id, ObjectKind::Commit, COMMIT_LIMIT)? else { return Ok(None) };
        let Ok(links) = links(&raw) else { return Ok(None) };
        let Some(raw) = part(links.tree, ObjectKind::Tree, TREE_LIMIT)? else { return Ok(None) };
        let tree = Tree::parse(raw);
        let Some(blob) = tree.find(ANSWER.as_bytes()).map(|entry| entry.id) else { return Ok(None) };
        let Some(bytes) = part(blob, ObjectKind::Blob, ANSWER_LIMIT)? else { return Ok(None) };
        let file = std::str::from_utf8(&bytes).ok().and_then(|text| toml::from_str::<AnswerFile>(text).ok());
        Ok(file.and_then(|file| {
            Some(Self {
                event: file.event.parse().ok()?,
                fault: Fault::new(file.code.parse().ok()?, file.message),
                time: file.time.parse().ok()?,
            })
        }))
    }

    /// Whether it has stood for long enough.
    fn is_old(&self, now: Timestamp) -> bool {
        now.unix().saturating_sub(self.time.unix()) >= ANSWER_STANDS
    }
}

/// The policy that lies at a head: what was let in there was judged, so this is the one in force unless a void commit has
/// spoilt it. For saying who may leave a letter, and for nothing that counts.
///
/// # Errors
/// Where an object cannot be read.
pub fn policy_at(objects: &dyn Objects, head: CommitId) -> Result<Option<Policy>, StoreError> {
    let raw = objects.read(head, ObjectKind::Commit, COMMIT_LIMIT)?;
    let Ok(links) = links(&raw) else { return Ok(None) };
    let root = Tree::parse(objects.read(links.tree, ObjectKind::Tree, TREE_LIMIT)?);
    let Some(file) = root.find(b"policy.toml").filter(|entry| entry.mode == MODE_FILE) else { return Ok(None) };
    Ok(Policy::parse(&objects.read(file.id, ObjectKind::Blob, GOVERNED_LIMIT)?).ok())
}

fn person(name: &str, time: Timestamp) -> Person {
    Person { name: name.to_owned(), email: String::new(), time: time.unix(), zone: "+0000".to_owned() }
}

fn written(
    store: &dyn Store,
    tree: ObjectId,
    parents: Vec<CommitId>,
    who: Person,
    message: String,
) -> Result<CommitId, AppendError> {
    let commit = RawCommit { tree, parents, author: who.clone(), committer: who, message };
    let raw = commit.write().map_err(|fault| AppendError::Other(fault.to_string()))?;
    Ok(store.write(ObjectKind::Commit, &raw)?)
}
