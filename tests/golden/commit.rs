//! A commit before it is written, every part of it open to be made wrong, and how it becomes Git objects. The objects are
//! put together byte by byte, since Git's own tools would refuse some of what these ledgers need.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid, Repository};

/// One line of a tree.
#[derive(Clone)]
pub struct Entry {
    pub mode: String,
    pub name: String,
    pub id: Oid,
}

/// Changes the entries of one directory (its path, empty for the root) after they were sorted.
pub type Reshape = Box<dyn Fn(&str, &mut Vec<Entry>)>;

/// The files of a commit: mode and blob by path.
pub type Files = BTreeMap<String, (u32, Oid)>;

/// A commit to be written.
pub struct Commit {
    /// Event and signature file: what the leaf of a good commit is made of.
    pub event: Vec<u8>,
    pub signature: Vec<u8>,
    /// `<folder>/<kind>-<event>.toml`.
    pub path: String,
    /// The case's folder.
    pub folder: String,
    /// What is written, by path: mode and bytes. Holds event and signature from the start.
    pub add: BTreeMap<String, (u32, Vec<u8>)>,
    /// What is taken away, before anything is written.
    pub remove: Vec<String>,
    pub parents: Vec<Oid>,
    /// `name <email> seconds zone`.
    pub author: String,
    pub committer: String,
    /// Headers after the committer, each with its line feed.
    pub headers: String,
    pub message: Vec<u8>,
    pub reshape: Option<Reshape>,
}

impl Commit {
    /// Renames a file that it adds.
    pub fn rename(&mut self, from: &str, to: &str) {
        let file = self.add.remove(from).unwrap();
        self.add.insert(to.to_owned(), file);
    }

    /// Moves event and signature to another path.
    pub fn move_event(&mut self, to: &str) {
        let from = self.path.clone();
        self.rename(&from, to);
        self.rename(&format!("{from}.sig"), &format!("{to}.sig"));
        self.path = to.to_owned();
    }

    /// Replaces text in the message.
    pub fn reword(&mut self, from: &str, to: &str) {
        let message = String::from_utf8(self.message.clone()).unwrap();
        assert!(message.contains(from), "{message}");
        self.message = message.replacen(from, to, 1).into_bytes();
    }

    /// Writes blobs, trees and the commit; `files` becomes what the commit's tree holds. Returns the id and the raw commit.
    pub fn write(&self, repository: &Repository, files: &mut Files) -> (Oid, Vec<u8>) {
        let odb = repository.odb().unwrap();
        for path in &self.remove {
            assert!(files.remove(path).is_some(), "{path} is not there");
        }
        for (path, (mode, bytes)) in &self.add {
            files.insert(path.clone(), (*mode, odb.write(ObjectType::Blob, bytes).unwrap()));
        }
        let tree = self.tree(repository, "", files);
        let mut raw = format!("tree {tree}\n");
        for parent in &self.parents {
            raw.push_str(&format!("parent {parent}\n"));
        }
        raw.push_str(&format!("author {}\ncommitter {}\n{}\n", self.author, self.committer, self.headers));
        let mut raw = raw.into_bytes();
        raw.extend_from_slice(&self.message);
        (odb.write(ObjectType::Commit, &raw).unwrap(), raw)
    }

    fn tree(&self, repository: &Repository, directory: &str, files: &Files) -> Oid {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        for (path, (mode, id)) in files {
            let Some(rest) = path.strip_prefix(&prefix) else { continue };
            if let Some((name, _)) = rest.split_once('/') {
                // Git sorts a directory as if its name ended with a slash.
                let key = format!("{name}/");
                entries.entry(key).or_insert_with(|| {
                    let id = self.tree(repository, &format!("{prefix}{name}"), files);
                    Entry { mode: "40000".to_owned(), name: name.to_owned(), id }
                });
            } else {
                entries.insert(rest.to_owned(), Entry { mode: format!("{mode:o}"), name: rest.to_owned(), id: *id });
            }
        }
        let mut entries: Vec<Entry> = entries.into_values().collect();
        if let Some(reshape) = &self.reshape {
            reshape(directory, &mut entries);
        }
        let mut raw = Vec::new();
        for entry in &entries {
            raw.extend_from_slice(format!("{} {}\0", entry.mode, entry.name).as_bytes());
            raw.extend_from_slice(entry.id.as_bytes());
        }
        repository.odb().unwrap().write(ObjectType::Tree, &raw).unwrap()
    }
}
