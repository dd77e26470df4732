//! What somebody who can force-push may do to a ledger: its history as a list of commits that can be changed, dropped,
//! swapped, and written again with `git fast-export` and `git fast-import`. Nothing of `jit` is used for it.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{BRANCH, Place};

/// One commit: what it says and what it changes.
#[derive(Debug, Clone)]
pub struct Step {
    mark: String,
    /// The lines `author …` and `committer …`.
    people: Vec<String>,
    message: Vec<u8>,
    /// Lines like `M 100644 :7 path`.
    changes: Vec<String>,
    /// A second parent: the mark of a commit before.
    merge: Option<String>,
}

/// A whole history, oldest first.
#[derive(Debug, Clone)]
pub struct History {
    blobs: Vec<(String, Vec<u8>)>,
    steps: Vec<Step>,
}

impl History {
    /// Reads the branch of a ledger.
    #[track_caller]
    pub fn read(place: &Place, repository: &Path) -> Self {
        let mut command = Command::new("git");
        command.arg("-C").arg(repository).args(["fast-export", "--signed-tags=abort", BRANCH]);
        // Events are UTF-8, and so are the paths; nothing is lost by reading it as text.
        let said = place.run(command).ok();
        let mut stream = Stream(said.out.as_bytes());
        let mut history = Self { blobs: Vec::new(), steps: Vec::new() };
        let mut line = stream.line();
        while let Some(start) = line {
            line = match start.as_str() {
                "blob" => {
                    let mark = stream.mark();
                    history.blobs.push((mark, stream.data()));
                    stream.line()
                }
                start if start.starts_with("commit ") => {
                    let (step, next) = stream.commit();
                    history.steps.push(step);
                    next
                }
                _ => stream.line(),
            };
        }
        history
    }

    /// Writes it as the branch of a repository, by force; the new head.
    #[track_caller]
    pub fn write(&self, place: &Place, repository: &Path) -> String {
        let mut stream: Vec<u8> = format!("reset {BRANCH}\n\n").into_bytes();
        for (mark, bytes) in &self.blobs {
            stream.extend_from_slice(format!("blob\nmark {mark}\ndata {}\n", bytes.len()).as_bytes());
            stream.extend_from_slice(bytes);
            stream.push(b'\n');
        }
        let mut previous: Option<&str> = None;
        for step in &self.steps {
            stream.extend_from_slice(format!("commit {BRANCH}\nmark {}\n", step.mark).as_bytes());
            for person in &step.people {
                stream.extend_from_slice(format!("{person}\n").as_bytes());
            }
            stream.extend_from_slice(format!("data {}\n", step.message.len()).as_bytes());
            stream.extend_from_slice(&step.message);
            stream.push(b'\n');
            for (word, parent) in [("from", previous), ("merge", step.merge.as_deref())] {
                if let Some(parent) = parent {
                    stream.extend_from_slice(format!("{word} {parent}\n").as_bytes());
                }
            }
            for change in &step.changes {
                stream.extend_from_slice(format!("{change}\n").as_bytes());
            }
            previous = Some(&step.mark);
        }
        stream.extend_from_slice(b"done\n");
        let mut command = Command::new("git");
        command.arg("-C").arg(repository).args(["fast-import", "--quiet", "--force", "--done"]);
        place.run_with(command, &place.path("home"), &[], &stream).ok();
        place.head(repository)
    }

    /// The first commit that adds an event of this kind.
    #[track_caller]
    pub fn position(&self, kind: &str) -> usize {
        let name = format!("/{kind}-");
        let adds = |step: &Step| step.changes.iter().any(|change| change.contains(&name));
        self.steps.iter().position(adds).unwrap_or_else(|| panic!("no {kind} in the ledger"))
    }

    /// The bytes of the file that a commit adds and whose path ends so.
    #[track_caller]
    pub fn file(&mut self, position: usize, ending: &str) -> &mut Vec<u8> {
        let change = self.steps[position].changes.iter().find(|change| change.ends_with(ending)).unwrap();
        let mark = change.split(' ').nth(2).unwrap().to_owned();
        &mut self.blobs.iter_mut().find(|(it, _)| *it == mark).unwrap().1
    }

    /// Changes one byte of the event that a commit adds: a letter of the text after `after`.
    #[track_caller]
    pub fn edit(&mut self, position: usize, after: &str) {
        let file = self.file(position, ".toml");
        let text = String::from_utf8(file.clone()).unwrap();
        let at = text.find(after).unwrap_or_else(|| panic!("{after:?} is not in\n{text}")) + after.len();
        file[at] = if file[at] == b'X' { b'Y' } else { b'X' };
    }

    /// Leaves a commit out.
    pub fn drop_step(&mut self, position: usize) {
        self.steps.remove(position);
    }

    /// Lets a commit and the next change places.
    pub fn swap(&mut self, position: usize) {
        self.steps.swap(position, position + 1);
    }

    /// Gives a commit its grandparent as second parent.
    pub fn double_parent(&mut self, position: usize) {
        self.steps[position].merge = Some(self.steps[position - 2].mark.clone());
    }

    /// Signs the event of a commit again with another key, as `ssh-keygen` does.
    #[track_caller]
    pub fn sign_again(&mut self, place: &Place, position: usize, kind: &str, key: &Path) {
        let event = self.file(position, ".toml").clone();
        let file = place.path("to-sign");
        fs::write(&file, event).unwrap();
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-Y", "sign", "-n", &format!("jit-1/{kind}"), "-f"]).arg(key).arg(&file);
        place.run(command).ok();
        let signature = place.path("to-sign.sig");
        *self.file(position, ".toml.sig") = fs::read(&signature).unwrap();
        fs::remove_file(signature).unwrap();
    }

    /// How many commits it has.
    pub fn len(&self) -> usize {
        self.steps.len()
    }
}

/// What `git fast-export` prints.
struct Stream<'s>(&'s [u8]);

impl Stream<'_> {
    fn line(&mut self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|byte| *byte == b'\n').unwrap_or(self.0.len() - 1);
        let line = String::from_utf8(self.0[..end].to_vec()).unwrap();
        self.0 = &self.0[end + 1..];
        Some(line)
    }

    fn mark(&mut self) -> String {
        self.line().unwrap().strip_prefix("mark ").unwrap().to_owned()
    }

    fn data(&mut self) -> Vec<u8> {
        let line = self.line().unwrap();
        self.data_of(&line)
    }

    fn data_of(&mut self, line: &str) -> Vec<u8> {
        let length: usize = line.strip_prefix("data ").unwrap().parse().unwrap();
        let (data, rest) = self.0.split_at(length);
        self.0 = rest;
        data.to_vec()
    }

    /// A commit after its first line, and the line that follows it.
    fn commit(&mut self) -> (Step, Option<String>) {
        let mark = self.mark();
        let mut people = Vec::new();
        let message = loop {
            let line = self.line().unwrap();
            if line.starts_with("data ") {
                break self.data_of(&line);
            }
            people.push(line);
        };
        let mut step = Step { mark, people, message, changes: Vec::new(), merge: None };
        loop {
            let line = self.line();
            match line.as_deref() {
                Some(text) if text.starts_with("from ") || text.is_empty() => {}
                Some(text) if text.starts_with("M ") || text.starts_with("D ") => step.changes.push(text.to_owned()),
                _ => return (step, line),
            }
        }
    }
}
