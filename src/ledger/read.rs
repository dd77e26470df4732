//! From a commit's bytes to an [`Arrival`]: its shape, event and signature, without any state. Sizes are asked before
//! bodies. What cannot be read is an error; what reads badly is a fault.

use std::collections::BTreeMap;

use crate::domain::certificate::Certificate;
use crate::domain::codec::{self, EVENT_LIMIT, PROPOSAL_LIMIT, SIGNATURE_LIMIT};
use crate::domain::event::{Body, Event, Kind};
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CommitId, Digest, ObjectId};
use crate::domain::state::arrival::{Arrival, Layout, Metadata, Signature};
use crate::merkle;
use crate::ports::{ObjectKind, Objects, StoreError};
use crate::sshsig::{KeyCache, SshSig, SshSigError, VerifyError, verify_raw};

use super::commit;
use super::tree::{Change, Changes, TreeReader};

/// The only mode of a file in a ledger.
const PLAIN: u32 = 0o100_644;
/// The most bytes of a governed file.
pub(super) const GOVERNED_LIMIT: u64 = 8 * 1024 * 1024;

/// Reads commits in order, keeping the trees and keys that the next one needs.
pub struct Reader<'a> {
    objects: &'a dyn Objects,
    trees: TreeReader<'a>,
    keys: KeyCache,
    parent_tree: Option<ObjectId>,
}

/// A commit, read, and the leaf it has if it breaks no rule.
pub struct Read {
    /// What the fold judges.
    pub arrival: Arrival,
    /// The leaf of the event.
    pub leaf: Digest,
}

impl<'a> Reader<'a> {
    /// Reads on behind a commit with this tree; `None` before the first.
    pub fn new(objects: &'a dyn Objects, parent_tree: Option<ObjectId>) -> Self {
        Self { objects, trees: TreeReader::new(objects), keys: KeyCache::new(), parent_tree }
    }

    /// Reads the next commit of the chain.
    ///
    /// # Errors
    /// Where an object is missing or cannot be read.
    pub fn commit(
        &mut self,
        id: CommitId,
        raw: &[u8],
        links: &commit::Links,
        log: &merkle::Tree,
    ) -> Result<Read, StoreError> {
        let is_first = log.size() == 0;
        let changes = self.trees.changes(self.parent_tree, links.tree)?;
        self.parent_tree = Some(links.tree);
        let files = classify(&changes);
        let layout = self.layout(&files, changes.truncated)?;
        let (event_bytes, signature_bytes) = match &layout {
            Ok(layout) if layout.sizes.is_ok() => self.bodies(&files)?,
            _ => (None, None),
        };
        let event = match &event_bytes {
            Some(bytes) => codec::parse(bytes),
            None => Err(Fault::new(Code::E02, "there is no event to read")),
        };
        let digest = event_bytes.as_deref().map_or_else(|| Digest::of(b""), Digest::of);
        let signature = match (&event_bytes, &signature_bytes) {
            (Some(message), Some(armored)) => self.signature(message, armored, event.as_ref().ok()),
            _ => Err(Fault::new(Code::K01, "there is no signature to read")),
        };
        let (governed, brought) = self.governed(event.as_ref().ok(), links.tree, &files, &layout)?;
        let seen = event.as_ref().ok().and_then(|event| event.seen);
        let leaf = merkle::event_leaf(&digest, &signature_bytes.as_deref().map_or_else(|| Digest::of(b""), Digest::of));
        let arrival = Arrival {
            commit: id,
            parents: parents(is_first, links.parents.len()),
            untouched: untouched(&changes),
            governed_change: files.governed.first().map(|change| change.path.clone()),
            governed,
            layout,
            metadata: metadata(raw),
            tree: changes.faults.iter().find(|fault| !fault.inherited).map_or(Ok(()), |fault| {
                Err(Fault::new(Code::C08, format!("the tree is malformed at {:?}: {}", fault.path, fault.what)))
            }),
            event,
            digest,
            signature,
            root_at_seen: seen.and_then(|seen| log.root_at(seen.size)),
            files: brought,
            now: None,
        };
        Ok(Read { arrival, leaf })
    }

    /// C03 and C06: one event with its signature, and what a proposal brings.
    fn layout(&self, files: &Files<'_>, truncated: bool) -> Result<Result<Layout, Fault>, StoreError> {
        let fault = |why: &str| Ok(Err(Fault::new(Code::C03, why)));
        if truncated {
            return fault("it changes more paths than any commit of a ledger");
        }
        let [event, signature] = files.events.as_slice() else {
            return fault(&format!(
                "it adds {} files under ledger/ where an event and its signature are two",
                files.events.len()
            ));
        };
        if signature.path.strip_suffix(".sig") != Some(event.path.as_str()) || !event.path.ends_with(".toml") {
            return fault("what it adds under ledger/ is not an event and its signature");
        }
        let is_proposal = event.path.rsplit('/').next().is_some_and(|name| name.starts_with("proposal-"));
        if !files.brought.is_empty() && !is_proposal {
            return fault("it adds files beside an event that is no proposal");
        }
        let mut sizes = self.within(event, EVENT_LIMIT)?.and(self.within(signature, SIGNATURE_LIMIT)?);
        let mut left = PROPOSAL_LIMIT;
        for file in &files.brought {
            let size = self.size(file)?;
            sizes = sizes.and(match left.checked_sub(size) {
                Some(rest) => {
                    left = rest;
                    Ok(())
                }
                None => Err(Fault::new(
                    Code::C06,
                    format!("the proposal's files have more than {PROPOSAL_LIMIT} bytes together"),
                )),
            });
        }
        Ok(Ok(Layout {
            event_path: event.path.clone(),
            file_paths: files.brought.iter().map(|file| file.path.clone()).collect(),
            sizes,
        }))
    }

    fn within(&self, change: &Change, limit: u64) -> Result<Result<(), Fault>, StoreError> {
        let size = self.size(change)?;
        if size <= limit {
            return Ok(Ok(()));
        }
        Ok(Err(Fault::new(Code::C06, format!("{} has {size} bytes, more than {limit}", change.path))))
    }

    /// The size of what was added. A mode that says file over an object that is none is C02's matter, and read as empty.
    fn size(&self, change: &Change) -> Result<u64, StoreError> {
        let Some((mode, id)) = change.new else { return Ok(0) };
        if mode != PLAIN {
            return Ok(0);
        }
        let (_, size) = self.objects.header(id)?;
        Ok(size)
    }

    #[expect(clippy::type_complexity, reason = "two bodies, each of which may not be there")]
    fn bodies(&self, files: &Files<'_>) -> Result<(Option<Vec<u8>>, Option<Vec<u8>>), StoreError> {
        let [event, signature] = files.events.as_slice() else { return Ok((None, None)) };
        Ok((self.blob(event, EVENT_LIMIT)?, self.blob(signature, SIGNATURE_LIMIT)?))
    }

    fn blob(&self, change: &Change, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((PLAIN, id)) = change.new else { return Ok(None) };
        match self.objects.read(id, ObjectKind::Blob, limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::OtherKind(..) | StoreError::TooLarge { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// K01 and K02: strict, with the key inside; whose key it is comes later.
    fn signature(&mut self, message: &[u8], armored: &[u8], event: Option<&Event>) -> Result<Signature, Fault> {
        let parsed = SshSig::parse_with(&mut self.keys, armored).map_err(|error| {
            let code = if matches!(error, SshSigError::WeakKey) { Code::K02 } else { Code::K01 };
            Fault::new(code, error.to_string())
        })?;
        let foreign_application = match parsed.verify(message) {
            Ok(()) => None,
            Err(VerifyError::Application(application)) => Some(application),
            Err(error) => return Err(Fault::new(Code::K02, error.to_string())),
        };
        Ok(Signature {
            key: parsed.public_key().clone(),
            namespace: parsed.namespace().to_owned(),
            touched: parsed.touched(),
            pin: parsed.pin_verified(),
            foreign_application,
            ca_signature: event.is_some_and(ca_signature),
        })
    }

    /// The governed files after a genesis or enactment, and the contents that a genesis or proposal brings.
    #[expect(clippy::type_complexity, reason = "the governed files, and what was brought")]
    fn governed(
        &mut self,
        event: Option<&Event>,
        tree: ObjectId,
        files: &Files<'_>,
        layout: &Result<Layout, Fault>,
    ) -> Result<(Option<BTreeMap<String, Option<Digest>>>, BTreeMap<String, Vec<u8>>), StoreError> {
        let mut brought = BTreeMap::new();
        let kind = event.map(Event::kind);
        if kind == Some(Kind::Proposal) && layout.as_ref().is_ok_and(|layout| layout.sizes.is_ok()) {
            for file in &files.brought {
                let path = file.path.splitn(8, '/').nth(7).unwrap_or_default();
                if let Some(bytes) = self.blob(file, PROPOSAL_LIMIT)? {
                    brought.insert(path.to_owned(), bytes);
                }
            }
        }
        if !matches!(kind, Some(Kind::Genesis | Kind::Enactment)) {
            return Ok((None, brought));
        }
        let (governed, policy) = governed_files(self.objects, &mut self.trees, tree)?;
        if kind == Some(Kind::Genesis)
            && let Some(policy) = policy
        {
            brought.insert("policy.toml".to_owned(), policy);
        }
        Ok((Some(governed), brought))
    }
}

/// The digests of all files outside `ledger/`, and the bytes of `policy.toml`. A file that is not plain, or too large,
/// has no digest.
#[expect(clippy::type_complexity, reason = "the files, and one of them whole")]
pub fn governed_files(
    objects: &dyn Objects,
    trees: &mut TreeReader<'_>,
    tree: ObjectId,
) -> Result<(BTreeMap<String, Option<Digest>>, Option<Vec<u8>>), StoreError> {
    let mut governed = BTreeMap::new();
    let mut policy = None;
    for file in trees.governed(tree)?.files {
        let bytes = match objects.read(file.id, ObjectKind::Blob, GOVERNED_LIMIT) {
            Ok(bytes) if file.mode == PLAIN => Some(bytes),
            Ok(_) | Err(StoreError::OtherKind(..) | StoreError::TooLarge { .. }) => None,
            // A submodule's commit is not in this store.
            Err(StoreError::Missing(_)) if file.mode != PLAIN => None,
            Err(error) => return Err(error),
        };
        governed.insert(file.path.clone(), bytes.as_deref().map(Digest::of));
        if file.path == "policy.toml" {
            policy = bytes;
        }
    }
    Ok((governed, policy))
}

/// What a commit changes, by where it lies.
struct Files<'a> {
    /// Added under `ledger/`, but for the files of proposals: sorted, so that a signature follows its event.
    events: Vec<&'a Change>,
    /// `<case>/files/…`
    brought: Vec<&'a Change>,
    /// Everything else.
    governed: Vec<&'a Change>,
}

fn classify(changes: &Changes) -> Files<'_> {
    let mut files = Files { events: Vec::new(), brought: Vec::new(), governed: Vec::new() };
    for change in &changes.changes {
        let mut parts = change.path.split('/');
        if parts.next() != Some("ledger") {
            files.governed.push(change);
        } else if parts.nth(5) == Some("files") && parts.next().is_some() {
            files.brought.push(change);
        } else {
            files.events.push(change);
        }
    }
    files.events.sort_by(|left, right| left.path.cmp(&right.path));
    files
}

/// C01: one parent; the first commit none.
fn parents(is_first: bool, count: usize) -> Result<(), Fault> {
    let expected = usize::from(!is_first);
    if count == expected {
        return Ok(());
    }
    Err(Fault::new(Code::C01, format!("it has {count} parents, not {expected}")))
}

/// C02: under `ledger/` plain files are added, and nothing else ever happens.
fn untouched(changes: &Changes) -> Result<(), Fault> {
    for change in &changes.changes {
        if change.path != "ledger" && !change.path.starts_with("ledger/") {
            continue;
        }
        let why = match (change.old, change.new) {
            (Some(_), None) => "is removed",
            (Some(_), Some(_)) => "is changed",
            (None, Some((mode, _))) if mode != PLAIN => "is not a plain file of mode 100644",
            _ => continue,
        };
        return Err(Fault::new(Code::C02, format!("{} {why}", change.path)));
    }
    Ok(())
}

fn metadata(raw: &[u8]) -> Result<Metadata, Fault> {
    let commit = commit::parse(raw).map_err(|fault| Fault::new(Code::C07, fault.to_string()))?;
    let author = commit.author;
    Ok(Metadata {
        name: author.name,
        email: author.email,
        time: author.time,
        zone: author.zone,
        message: commit.message,
    })
}

fn ca_signature(event: &Event) -> bool {
    let Body::Issuance(issuance) = &event.body else { return false };
    Certificate::parse_line(&issuance.certificate).is_ok_and(|certificate| {
        verify_raw(certificate.ca(), certificate.signed_bytes(), certificate.signature()).is_ok()
    })
}
