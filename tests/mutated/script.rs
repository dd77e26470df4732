//! A ledger as the list of its commits, each with what it changes, and how that becomes objects again.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid, Repository};
use jit::domain::id::{CommitId, ObjectId};
use jit::ports::ObjectKind;

use crate::memory::Memory;

/// Mode and blob by path.
type Files = BTreeMap<Vec<u8>, (u32, ObjectId)>;

/// Which parents a commit names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parents {
    /// The one before it.
    Previous,
    /// None.
    None,
    /// The one before it and the one at this position.
    And(usize),
    /// Only the one at this position, with its files.
    Only(usize),
}

/// Where one byte of an object is made another.
#[derive(Clone, Copy, Debug)]
pub struct Flip {
    /// Which of a commit's trees, from the root on; taken modulo their number.
    pub tree: usize,
    /// Which byte, modulo their number.
    pub at: usize,
    /// What it is XORed with.
    pub with: u8,
}

/// One commit.
#[derive(Clone)]
pub struct Step {
    /// What it writes: mode and bytes by path.
    pub add: BTreeMap<Vec<u8>, (u32, Vec<u8>)>,
    pub remove: Vec<Vec<u8>>,
    pub parents: Parents,
    /// The raw commit from `author ` on.
    pub rest: Vec<u8>,
    /// One byte of one of its raw trees is another.
    pub tree: Option<Flip>,
    /// One byte of the raw commit is another.
    pub raw: Option<Flip>,
}

impl Step {
    /// The path of the event that it adds, if it adds one.
    pub fn event_path(&self) -> Option<Vec<u8>> {
        self.add
            .keys()
            .find(|path| path.starts_with(b"ledger/") && self.add.contains_key(&[path, b".sig".as_slice()].concat()))
            .cloned()
    }
}

/// All commits, oldest first.
#[derive(Clone, Default)]
pub struct Script {
    pub steps: Vec<Step>,
}

impl Script {
    /// Reads what leads to the branch `main` of a repository.
    pub fn read(repository: &Repository) -> Self {
        let mut at = Some(repository.refname_to_id("refs/heads/main").unwrap());
        let mut chain = Vec::new();
        while let Some(id) = at {
            chain.push(id);
            at = repository.find_commit(id).unwrap().parent_id(0).ok();
        }
        let mut steps = Vec::new();
        let mut before: BTreeMap<Vec<u8>, (u32, Oid)> = BTreeMap::new();
        for id in chain.into_iter().rev() {
            let odb = repository.odb().unwrap();
            let raw = odb.read(id).unwrap().data().to_vec();
            let start = raw.windows(8).position(|it| it == b"\nauthor ").unwrap() + 1;
            let parents = raw[..start].windows(8).filter(|it| it == b"\nparent ").count();
            assert!(parents <= 1, "these ledgers have no merges");
            let mut after = BTreeMap::new();
            files(repository, repository.find_commit(id).unwrap().tree_id(), &mut Vec::new(), &mut after);
            let add = after.iter().filter(|(path, file)| before.get(*path) != Some(*file));
            let add = add.map(|(path, (mode, id))| (path.clone(), (*mode, odb.read(*id).unwrap().data().to_vec())));
            let add = add.collect();
            let remove = before.keys().filter(|path| !after.contains_key(*path)).cloned().collect();
            let parents = if steps.is_empty() { Parents::None } else { Parents::Previous };
            steps.push(Step { add, remove, parents, rest: raw[start..].to_vec(), tree: None, raw: None });
            before = after;
        }
        Self { steps }
    }

    /// The objects, and the commits, oldest first.
    pub fn written(&self) -> (Memory, Vec<CommitId>) {
        let memory = Memory::default();
        let mut ids: Vec<CommitId> = Vec::new();
        let mut all: Vec<Files> = Vec::new();
        for step in &self.steps {
            let mut now = match &step.parents {
                Parents::Only(at) => all[*at].clone(),
                _ => all.last().cloned().unwrap_or_default(),
            };
            for path in &step.remove {
                now.remove(path);
            }
            for (path, (mode, bytes)) in &step.add {
                now.insert(path.clone(), (*mode, memory.write(ObjectKind::Blob, bytes.clone())));
            }
            let tree = written_tree(&memory, &now, step.tree);
            let parents = match &step.parents {
                Parents::None => Vec::new(),
                Parents::Previous => ids.last().copied().into_iter().collect(),
                Parents::And(at) => vec![*ids.last().unwrap(), ids[*at]],
                Parents::Only(at) => vec![ids[*at]],
            };
            let mut raw = format!("tree {tree}\n").into_bytes();
            for parent in parents {
                raw.extend_from_slice(format!("parent {parent}\n").as_bytes());
            }
            raw.extend_from_slice(&step.rest);
            flip(&mut raw, step.raw);
            ids.push(memory.write(ObjectKind::Commit, raw));
            all.push(now);
        }
        (memory, ids)
    }
}

fn flip(bytes: &mut [u8], flip: Option<Flip>) {
    let Some(flip) = flip else { return };
    let at = flip.at % bytes.len();
    bytes[at] ^= flip.with;
}

fn files(repository: &Repository, tree: Oid, prefix: &mut Vec<u8>, out: &mut BTreeMap<Vec<u8>, (u32, Oid)>) {
    for entry in &repository.find_tree(tree).unwrap() {
        let length = prefix.len();
        prefix.extend_from_slice(entry.name_bytes());
        if entry.kind() == Some(ObjectType::Tree) {
            prefix.push(b'/');
            files(repository, entry.id(), prefix, out);
        } else {
            let mode = u32::try_from(entry.filemode_raw()).unwrap();
            out.insert(prefix.clone(), (mode, entry.id()));
        }
        prefix.truncate(length);
    }
}

/// Writes the trees. Whole paths sort as Git sorts entries, for a folder's name is followed by a slash.
fn written_tree(memory: &Memory, files: &Files, change: Option<Flip>) -> ObjectId {
    let all: Vec<(&[u8], u32, ObjectId)> =
        files.iter().map(|(path, (mode, id))| (path.as_slice(), *mode, *id)).collect();
    let change = change.map(|it| Flip { tree: it.tree % folders(&all), ..it });
    let mut number = 0;
    tree(memory, &all, change, &mut number)
}

/// How many trees these files make: every folder that a file lies in, and the root.
fn folders(all: &[(&[u8], u32, ObjectId)]) -> usize {
    let mut folders = std::collections::BTreeSet::from([&b""[..]]);
    for (path, _, _) in all {
        folders.extend((0..path.len()).filter(|at| path[*at] == b'/').map(|at| &path[..at]));
    }
    folders.len()
}

fn tree(memory: &Memory, entries: &[(&[u8], u32, ObjectId)], change: Option<Flip>, number: &mut usize) -> ObjectId {
    let own = *number;
    *number += 1;
    let mut raw = Vec::new();
    let mut rest = entries;
    while let Some((path, mode, id)) = rest.first().copied() {
        let (name, mode, id) = if let Some(slash) = path.iter().position(|byte| *byte == b'/') {
            let inside = rest.iter().take_while(|(it, _, _)| it.starts_with(&path[..=slash])).count();
            let below: Vec<_> = rest[..inside].iter().map(|(it, mode, id)| (&it[slash + 1..], *mode, *id)).collect();
            rest = &rest[inside..];
            (&path[..slash], 0o40_000, tree(memory, &below, change, number))
        } else {
            rest = &rest[1..];
            (path, mode, id)
        };
        raw.extend_from_slice(format!("{mode:o} ").as_bytes());
        raw.extend_from_slice(name);
        raw.push(0);
        raw.extend_from_slice(id.as_bytes());
    }
    flip(&mut raw, change.filter(|it| it.tree == own));
    memory.write(ObjectKind::Tree, raw)
}
