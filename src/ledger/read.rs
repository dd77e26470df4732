//! From a commit's objects to what [`super::check`] checks: what it changes, and the bytes that this is about. Needs the
//! object store and no state. Sizes are asked before bodies. What cannot be read is an error; what reads badly is a fault.

use std::collections::BTreeMap;

use crate::domain::codec::{self, EVENT_LIMIT, PROPOSAL_LIMIT, SIGNATURE_LIMIT};
use crate::domain::event::Kind;
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CommitId, Digest, ObjectId};
use crate::domain::state::arrival::Layout;
use crate::ports::{ObjectKind, Objects, StoreError};

use super::commit::Links;
use super::tree::{Change, Changes, TreeReader};

/// The only mode of a file in a ledger.
const PLAIN: u32 = 0o100_644;
/// The most bytes of a governed file.
pub(super) const GOVERNED_LIMIT: u64 = 8 * 1024 * 1024;

/// Reads commits, keeping the trees that the next one needs.
pub struct Reader<'a> {
    objects: &'a dyn Objects,
    trees: TreeReader<'a>,
}

/// A commit and what it brings, as bytes.
pub struct Fetched {
    /// The commit.
    pub commit: CommitId,
    /// Its object.
    pub raw: Vec<u8>,
    /// Its tree.
    pub tree: ObjectId,
    /// How many parents it names.
    pub parents: usize,
    /// C02: nothing under `ledger/` is changed or odd.
    pub untouched: Result<(), Fault>,
    /// C05: the first path outside `ledger/` that it changes.
    pub governed_change: Option<String>,
    /// C05: the governed files after a genesis or enactment; `None` for a file that is not a plain one.
    pub governed: Option<BTreeMap<String, Option<Digest>>>,
    /// C03 and C06: one event with its signature.
    pub layout: Result<Layout, Fault>,
    /// C08: its trees.
    pub faults: Result<(), Fault>,
    /// The event file, where there is one that may be read.
    pub event: Option<Vec<u8>>,
    /// The signature file, where there is one that may be read.
    pub signature: Option<Vec<u8>>,
    /// What a genesis or proposal brings, by path.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Fetched {
    /// About how many bytes it holds.
    pub fn bytes(&self) -> usize {
        let file = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let brought: usize = self.files.values().map(Vec::len).sum();
        self.raw.len() + file(&self.event) + file(&self.signature) + brought
    }
}

impl<'a> Reader<'a> {
    /// A reader that keeps nothing yet.
    pub fn new(objects: &'a dyn Objects) -> Self {
        Self { objects, trees: TreeReader::new(objects) }
    }

    /// Reads what a commit brings against the tree of its parent; `None` for the first one.
    ///
    /// # Errors
    /// Where an object is missing or cannot be read.
    pub fn fetch(
        &mut self,
        commit: CommitId,
        raw: Vec<u8>,
        links: &Links,
        before: Option<ObjectId>,
    ) -> Result<Fetched, StoreError> {
        let changes = self.trees.changes(before, links.tree)?;
        let files = classify(&changes);
        let (layout, event, signature) = self.layout(&files, changes.truncated)?;
        let (governed, brought) = self.governed(event.as_deref(), links.tree, &files, &layout)?;
        Ok(Fetched {
            commit,
            raw,
            tree: links.tree,
            parents: links.parents.len(),
            untouched: untouched(&changes),
            governed_change: files.governed.first().map(|change| change.path.clone()),
            governed,
            layout,
            faults: changes.faults.iter().find(|fault| !fault.inherited).map_or(Ok(()), |fault| {
                Err(Fault::new(Code::C08, format!("the tree is malformed at {:?}: {}", fault.path, fault.what)))
            }),
            event,
            signature,
            files: brought,
        })
    }

    /// C03 and C06: one event with its signature, and what a proposal brings. The bodies are there where all is within
    /// its limits.
    #[expect(clippy::type_complexity, reason = "the layout, and two bodies, each of which may not be there")]
    fn layout(
        &self,
        files: &Files<'_>,
        truncated: bool,
    ) -> Result<(Result<Layout, Fault>, Option<Vec<u8>>, Option<Vec<u8>>), StoreError> {
        let fault = |why: &str| Ok((Err(Fault::new(Code::C03, why)), None, None));
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
        let event_body = self.body(event, EVENT_LIMIT)?;
        let signature_body = self.body(signature, SIGNATURE_LIMIT)?;
        let mut sizes = Ok(());
        for body in [&event_body, &signature_body] {
            sizes = sizes.and(body.as_ref().map(|_| ()).map_err(Clone::clone));
        }
        let mut left = PROPOSAL_LIMIT;
        for file in &files.brought {
            let size = self.size(file, left)?;
            let Some(rest) = left.checked_sub(size) else {
                sizes = sizes.and(Err(Fault::new(
                    Code::C06,
                    format!("the proposal's files have more than {PROPOSAL_LIMIT} bytes together"),
                )));
                break;
            };
            left = rest;
        }
        let is_within = sizes.is_ok();
        let layout = Layout {
            event_path: event.path.clone(),
            file_paths: files.brought.iter().map(|file| file.path.clone()).collect(),
            sizes,
        };
        let kept = |body: Result<Option<Vec<u8>>, Fault>| body.ok().flatten().filter(|_| is_within);
        Ok((Ok(layout), kept(event_body), kept(signature_body)))
    }

    /// The bytes of what was added; a fault where they are too many. What is no plain file is C02's matter, and has none.
    fn body(&self, change: &Change, limit: u64) -> Result<Result<Option<Vec<u8>>, Fault>, StoreError> {
        let Some((PLAIN, id)) = change.new else { return Ok(Ok(None)) };
        match self.objects.read(id, ObjectKind::Blob, limit) {
            Ok(bytes) => Ok(Ok(Some(bytes))),
            Err(StoreError::OtherKind(..)) => Ok(Ok(None)),
            Err(StoreError::TooLarge { size, .. }) => {
                Ok(Err(Fault::new(Code::C06, format!("{} has {size} bytes, more than {limit}", change.path))))
            }
            Err(error) => Err(error),
        }
    }

    /// The size of what was added, of which `limit` bytes are read at most: what a header says is no verdict. A mode that
    /// says file over an object that is none is C02's matter, and read as empty.
    fn size(&self, change: &Change, limit: u64) -> Result<u64, StoreError> {
        let Some((mode, id)) = change.new else { return Ok(0) };
        if mode != PLAIN {
            return Ok(0);
        }
        match self.objects.read(id, ObjectKind::Blob, limit) {
            Ok(bytes) => Ok(u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            Err(StoreError::TooLarge { size, .. }) => Ok(size),
            Err(StoreError::OtherKind(..)) => Ok(self.objects.header(id)?.1),
            Err(error) => Err(error),
        }
    }

    /// The governed files after a genesis or enactment, and the contents that a genesis or proposal brings.
    #[expect(clippy::type_complexity, reason = "the governed files, and what was brought")]
    fn governed(
        &mut self,
        event: Option<&[u8]>,
        tree: ObjectId,
        files: &Files<'_>,
        layout: &Result<Layout, Fault>,
    ) -> Result<(Option<BTreeMap<String, Option<Digest>>>, BTreeMap<String, Vec<u8>>), StoreError> {
        let mut brought = BTreeMap::new();
        let kind = event.and_then(governing_kind);
        if kind == Some(Kind::Proposal) && layout.as_ref().is_ok_and(|layout| layout.sizes.is_ok()) {
            for file in &files.brought {
                let path = file.path.splitn(8, '/').nth(7).unwrap_or_default();
                if let Some(bytes) = self.body(file, PROPOSAL_LIMIT)?.ok().flatten() {
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

/// The kind of an event that is about governed files. Those are few, and only they are parsed here: a canonical event
/// says its kind in exactly these words.
fn governing_kind(bytes: &[u8]) -> Option<Kind> {
    let text = std::str::from_utf8(bytes).ok()?;
    let says = |kind: Kind| text.contains(&format!("kind = \"{kind}\""));
    if ![Kind::Genesis, Kind::Proposal, Kind::Enactment].into_iter().any(says) {
        return None;
    }
    codec::parse(bytes).ok().map(|event| event.kind())
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
