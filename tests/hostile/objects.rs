//! A ledger whose newest commits nobody should have to read: objects written as bytes, past everything that git checks.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use git2::{ObjectType, Oid};
use sha1::{Digest as _, Sha1};

use crate::common::{BRANCH, Place};

/// A ledger with one honest event, to which hostile commits are added.
pub struct Hostile<'p> {
    /// Where it lies.
    pub place: &'p Place,
    /// The ledger.
    pub ledger: PathBuf,
    /// Its id.
    pub id: String,
    /// A copy of it as it was.
    pub before: PathBuf,
    objects: PathBuf,
    inflated: u8,
}

/// One entry of a tree, as it stands there.
pub fn entry(mode: u32, name: &[u8], id: Oid) -> Vec<u8> {
    [format!("{mode:o} ").as_bytes(), name, b"\0", id.as_bytes()].concat()
}

impl<'p> Hostile<'p> {
    /// An honest ledger, without a work tree.
    pub fn new(place: &'p Place) -> Self {
        let (ledger, id) = place.ledger("hostile.git", true);
        let before = place.path("before.git");
        place.git(&ledger, &["clone", "-q", "--bare", ".", before.to_str().unwrap()]);
        let objects = ledger.join("objects");
        Self { place, ledger, id, before, objects, inflated: 0 }
    }

    fn write(&self, id: Oid, header: &str, pieces: &mut dyn Iterator<Item = &[u8]>) {
        let hex = id.to_string();
        let (head, tail) = hex.split_at(2);
        let file = self.objects.join(head).join(tail);
        if file.exists() {
            return;
        }
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let mut out = ZlibEncoder::new(fs::File::create(file).unwrap(), Compression::fast());
        out.write_all(header.as_bytes()).unwrap();
        pieces.for_each(|piece| out.write_all(piece).unwrap());
        out.finish().unwrap();
    }

    fn object(&self, kind: ObjectType, bytes: &[u8]) -> Oid {
        let id = Oid::hash_object(kind, bytes).unwrap();
        self.write(id, &format!("{} {}\0", kind.str(), bytes.len()), &mut [bytes].into_iter());
        id
    }

    /// A blob.
    pub fn blob(&self, bytes: &[u8]) -> Oid {
        self.object(ObjectType::Blob, bytes)
    }

    /// A tree of these bytes, whatever they are.
    pub fn tree(&self, raw: &[u8]) -> Oid {
        self.object(ObjectType::Tree, raw)
    }

    /// A blob of so many zeroes.
    pub fn zeros(&self, size: usize) -> Oid {
        self.blob(&vec![0; size])
    }

    /// Packs a small blob as a difference to one of so many zeroes; the small one and the huge one.
    pub fn made_from_zeros(&self, size: usize) -> (Oid, Oid) {
        let deflated = |bytes: &[u8]| {
            let mut out = ZlibEncoder::new(Vec::new(), Compression::fast());
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        };
        let head = |kind: u8, size: usize| {
            let mut bytes = vec![kind << 4 | u8::try_from(size & 15).unwrap()];
            let mut left = size >> 4;
            while left > 0 {
                *bytes.last_mut().unwrap() |= 0x80;
                bytes.push(u8::try_from(left & 0x7f).unwrap());
                left >>= 7;
            }
            bytes
        };
        let zeros = vec![0; size];
        let huge = Oid::hash_object(ObjectType::Blob, &zeros).unwrap();
        let small = [&[0; 100][..], b"x"].concat();
        // Five bytes of seven bits each say any size here; then a hundred zeroes from the middle, and an x.
        let sized = |size: usize| {
            (0..5).map(move |at| u8::try_from(size >> (7 * at) & 0x7f).unwrap() | if at < 4 { 0x80 } else { 0 })
        };
        let middle = u32::try_from(size / 2).unwrap().to_le_bytes();
        let mut delta: Vec<u8> = sized(size).chain(sized(small.len())).chain([0x9f]).chain(middle).collect();
        delta.extend([100, 1, b'x']);
        let mut pack = [&b"PACK\0\0\0\x02\0\0\0\x02"[..], &head(3, size), &deflated(&zeros)].concat();
        drop(zeros);
        pack.extend([head(7, delta.len()), huge.as_bytes().to_vec(), deflated(&delta)].concat());
        let trailer: [u8; 20] = Sha1::digest(&pack).into();
        pack.extend(trailer);
        let file = self.place.path("huge.pack");
        fs::write(&file, pack).unwrap();
        self.place.git(&self.ledger, &["index-pack", "-o", "objects/pack/pack-huge.idx", file.to_str().unwrap()]);
        fs::rename(file, self.objects.join("pack/pack-huge.pack")).unwrap();
        (Oid::hash_object(ObjectType::Blob, &small).unwrap(), huge)
    }

    /// An object that says it has `said` bytes and inflates to so many: under an id that is not its digest.
    pub fn inflating(&mut self, said: usize, size: usize) -> Oid {
        self.inflated += 1;
        let id = Oid::from_bytes(&[0xb0 + self.inflated; 20]).unwrap();
        let piece = vec![0; 1 << 20];
        self.write(id, &format!("blob {said}\0"), &mut std::iter::repeat_n(piece.as_slice(), size >> 20));
        id
    }

    /// A tree that holds itself, in effect: so many of the next one below in each, so many levels.
    pub fn bomb(&self, width: usize, depth: usize, files: bool) -> Oid {
        let mut below = if files { (0o100_644, self.blob(b"x")) } else { (0o40000, self.tree(b"")) };
        for _ in 0..depth {
            let raw: Vec<u8> =
                (0..width).flat_map(|number| entry(below.0, format!("{number:03}").as_bytes(), below.1)).collect();
            below = (0o40000, self.tree(&raw));
        }
        below.1
    }

    /// So many directories, each in the one before, and a file in the last.
    pub fn deep(&self, levels: usize) -> Oid {
        let mut below = (0o100_644, self.blob(b"x"));
        for _ in 0..levels {
            below = (0o40000, self.tree(&entry(below.0, b"a", below.1)));
        }
        below.1
    }

    /// A commit that puts these at their paths.
    pub fn adds(&mut self, added: &[(&str, u32, Oid)]) {
        let tree = self.place.git(&self.ledger, &["rev-parse", &format!("{BRANCH}^{{tree}}")]);
        let mut tree = Oid::from_str(&tree).unwrap();
        for (path, mode, id) in added {
            tree = self.with(Some(tree), path, *mode, *id);
        }
        self.commit_of(tree);
    }

    /// A commit that puts these names into the root, which are no paths.
    pub fn roots(&mut self, added: Vec<(u32, Vec<u8>, Oid)>) {
        let tree = self.place.git(&self.ledger, &["rev-parse", &format!("{BRANCH}^{{tree}}")]);
        let mut entries = self.entries(Oid::from_str(&tree).unwrap());
        entries.extend(added);
        let tree = self.tree(&sorted(entries));
        self.commit_of(tree);
    }

    fn commit_of(&self, tree: Oid) {
        let head = self.place.head(&self.ledger);
        self.moves(&format!("tree {tree}\nparent {head}\n{}x\n", people()));
    }

    /// A commit with the tree of the head, this message and these parents; its id. `loud`: ids in capital letters.
    pub fn commits(&mut self, message: &str, parents: &[&str], loud: bool) -> String {
        let tree = self.place.git(&self.ledger, &["rev-parse", &format!("{BRANCH}^{{tree}}")]);
        let spelt = |id: &str| if loud { id.to_uppercase() } else { id.to_owned() };
        let parents: String = parents.iter().map(|parent| format!("parent {}\n", spelt(parent))).collect();
        self.moves(&format!("tree {}\n{parents}{}{message}", spelt(&tree), people()))
    }

    fn moves(&self, raw: &str) -> String {
        let id = self.object(ObjectType::Commit, raw.as_bytes()).to_string();
        fs::write(self.ledger.join(BRANCH), format!("{id}\n")).unwrap();
        id
    }

    fn with(&self, tree: Option<Oid>, path: &str, mode: u32, id: Oid) -> Oid {
        let mut entries = tree.map(|tree| self.entries(tree)).unwrap_or_default();
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let there = entries.iter().position(|(_, known, _)| known == name.as_bytes());
        let old = there.map(|at| entries.remove(at));
        let new = match rest {
            Some(rest) => (0o40000, self.with(old.map(|(_, _, id)| id), rest, mode, id)),
            None => (mode, id),
        };
        entries.push((new.0, name.as_bytes().to_vec(), new.1));
        self.tree(&sorted(entries))
    }

    fn entries(&self, tree: Oid) -> Vec<(u32, Vec<u8>, Oid)> {
        let listed = self.place.git(&self.ledger, &["ls-tree", &tree.to_string()]);
        let entry = |line: &str| {
            let (what, name) = line.split_once('\t').unwrap();
            let fields: Vec<&str> = what.split(' ').collect();
            let mode = u32::from_str_radix(fields[0], 8).unwrap();
            (mode, name.as_bytes().to_vec(), Oid::from_str(fields[2]).unwrap())
        };
        listed.lines().map(entry).collect()
    }
}

/// The entries in git's order.
fn sorted(mut entries: Vec<(u32, Vec<u8>, Oid)>) -> Vec<u8> {
    let key = |(mode, name, _): &(u32, Vec<u8>, Oid)| {
        let slash: &[u8] = if *mode == 0o40000 { b"/" } else { b"" };
        [name.as_slice(), slash].concat()
    };
    entries.sort_by_key(key);
    entries.iter().flat_map(|(mode, name, id)| entry(*mode, name, *id)).collect()
}

fn people() -> String {
    let who = "bob <bob@acme.example> 1795442709 +0000";
    format!("author {who}\ncommitter {who}\n\n")
}
