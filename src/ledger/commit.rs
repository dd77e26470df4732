//! Raw commit objects: which tree and parents one has (tolerant, so that the chain can be walked over anything), what a
//! plain one says (strict, the headers of rule C07), and the bytes of a new one. PURE; imports `domain::id`.
//! Format: section 1, "A commit has exactly the headers `tree`, `parent`, `author`, `committer`".
//!
//! Commits are read from their bytes: libgit2's and git's own view of parents bends to grafts and shallow files.

use crate::domain::id::{CommitId, ObjectId};

/// What a commit object is allowed to be large, in bytes: far beyond what any canonical one needs.
pub const COMMIT_LIMIT: u64 = 64 * 1024;

/// Why a commit object is not a plain one (C07), or cannot be followed at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitFault {
    /// The first line is not `tree` and an object id, or a `parent` line has no id: nothing leads on from here.
    #[error("the commit does not begin with a tree and its parents")]
    Unlinked,
    /// An object id in upper case: git takes it, and writes it otherwise.
    #[error("the commit spells an object id with capital letters")]
    Spelling,
    /// A NUL byte: git shows only what is before it.
    #[error("the commit contains a NUL byte")]
    Nul,
    /// Not UTF-8.
    #[error("the commit is not UTF-8")]
    Encoding,
    /// The headers end without the empty line before the message.
    #[error("the commit has no message")]
    NoMessage,
    /// A header that should be there is not, or not at its place.
    #[error("the commit's `{0}` header is missing or not at its place")]
    HeaderMissing(&'static str),
    /// A header too many: a second author, `gpgsig`, `encoding`, a `parent` after the author, …
    #[error("the commit has a stray header `{0}`")]
    StrayHeader(String),
    /// The author or committer line is not `name <email> seconds zone`.
    #[error("the commit's `{0}` is not `name <email> seconds zone`")]
    Person(&'static str),
    /// A name, e-mail or message that cannot be written so that it reads back the same.
    #[error("the commit would not read back as it was written")]
    Unwritable,
}

/// Where a commit leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// Its root tree.
    pub tree: ObjectId,
    /// All its parents, doubled ones twice.
    pub parents: Vec<CommitId>,
}

/// Who and when, as a commit says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The e-mail address, without the angle brackets.
    pub email: String,
    /// Seconds since 1970, UTC.
    pub time: i64,
    /// The zone as written: a sign and four digits. `+0000` in everything we write.
    pub zone: String,
}

/// A plain commit: `tree`, any `parent`s, `author`, `committer`, message; nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCommit {
    /// The root tree.
    pub tree: ObjectId,
    /// The parents.
    pub parents: Vec<CommitId>,
    /// The author.
    pub author: Person,
    /// The committer.
    pub committer: Person,
    /// Everything after the empty line, unchanged.
    pub message: String,
}

/// The tree and parents of any commit that git can follow, however odd the rest is.
///
/// # Errors
/// [`CommitFault::Unlinked`] where even that cannot be read.
pub fn links(raw: &[u8]) -> Result<Links, CommitFault> {
    let mut lines = raw.split(|&byte| byte == b'\n');
    let tree = lines.next().and_then(|line| id_after(line, b"tree ")).ok_or(CommitFault::Unlinked)?;
    let mut parents = Vec::new();
    for line in lines {
        // Like git: parents are the `parent` lines that directly follow the tree. A later one is a stray header.
        if !line.starts_with(b"parent ") {
            break;
        }
        parents.push(id_after(line, b"parent ").ok_or(CommitFault::Unlinked)?);
    }
    Ok(Links { tree, parents })
}

/// Parses a plain commit. Strict: anything that another reader could show differently is named as a fault.
///
/// # Errors
/// The first [`CommitFault`], in the order of the bytes; NUL and encoding before all.
pub fn parse(raw: &[u8]) -> Result<RawCommit, CommitFault> {
    let Links { tree, parents } = links(raw)?;
    // C07: one spelling of an id.
    let linking = raw.split(|&byte| byte == b'\n').take(1 + parents.len());
    if linking.flatten().any(u8::is_ascii_uppercase) {
        return Err(CommitFault::Spelling);
    }
    // C07: NUL. git log ends a message there.
    if raw.contains(&0) {
        return Err(CommitFault::Nul);
    }
    let text = std::str::from_utf8(raw).map_err(|_| CommitFault::Encoding)?;
    let (headers, message) = text.split_once("\n\n").ok_or(CommitFault::NoMessage)?;
    // C07: the headers are exactly tree, parent…, author, committer, in this order.
    let mut lines = headers.split('\n').skip(1 + parents.len());
    let author = person(lines.next(), "author")?;
    let committer = person(lines.next(), "committer")?;
    // C07: a second author, gpgsig, encoding, mergetag and whatever else.
    if let Some(stray) = lines.next() {
        return Err(CommitFault::StrayHeader(header_name(stray)));
    }
    Ok(RawCommit { tree, parents, author, committer, message: message.to_owned() })
}

impl RawCommit {
    /// The bytes of the commit object, without git's `commit <size>` prefix.
    ///
    /// # Errors
    /// [`CommitFault::Unwritable`] where the result would not parse to the same commit again (a name with `<` or a line
    /// feed, an odd zone).
    pub fn write(&self) -> Result<Vec<u8>, CommitFault> {
        let mut text = format!("tree {}\n", self.tree);
        for parent in &self.parents {
            text.push_str(&format!("parent {parent}\n"));
        }
        for (header, who) in [("author", &self.author), ("committer", &self.committer)] {
            text.push_str(&format!("{header} {} <{}> {} {}\n", who.name, who.email, who.time, who.zone));
        }
        text.push('\n');
        text.push_str(&self.message);
        let bytes = text.into_bytes();
        // What we write must say to every reader what we meant: no name can smuggle in a second header.
        match parse(&bytes) {
            Ok(read) if read == *self => Ok(bytes),
            _ => Err(CommitFault::Unwritable),
        }
    }
}

fn id_after(line: &[u8], prefix: &[u8]) -> Option<ObjectId> {
    // ObjectId's own parser takes lower-case hex only. Git follows either case, so whoever may push could otherwise bring
    // a commit that nobody here could pass.
    std::str::from_utf8(line.strip_prefix(prefix)?).ok()?.to_ascii_lowercase().parse().ok()
}

/// The key of a header line, shortened: it goes into messages.
fn header_name(line: &str) -> String {
    line.split(' ').next().unwrap_or_default().chars().take(40).collect()
}

fn person(line: Option<&str>, header: &'static str) -> Result<Person, CommitFault> {
    let line = line.ok_or(CommitFault::HeaderMissing(header))?;
    let Some((key, rest)) = line.split_once(' ') else {
        return Err(CommitFault::HeaderMissing(header));
    };
    if key != header {
        // An author in the committer's place is a stray line, a missing one has something foreign in its place.
        return Err(match key {
            "author" | "parent" | "tree" => CommitFault::StrayHeader(header_name(line)),
            _ => CommitFault::HeaderMissing(header),
        });
    }
    person_of(rest).ok_or(CommitFault::Person(header))
}

fn person_of(text: &str) -> Option<Person> {
    let (name, rest) = text.split_once(" <")?;
    let (email, rest) = rest.split_once("> ")?;
    let (seconds, zone) = rest.split_once(' ')?;
    let plain = |part: &str| !part.contains(['<', '>', '\r', '\n']);
    if name.is_empty() || name.trim() != name || !plain(name) || !plain(email) || email.contains(' ') {
        return None;
    }
    let time: i64 = seconds.parse().ok()?;
    // One spelling of a number: no `+5`, no `007`, nothing before 1970.
    if time < 0 || time.to_string() != seconds {
        return None;
    }
    let digits = zone.strip_prefix(['+', '-'])?;
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Person { name: name.to_owned(), email: email.to_owned(), time, zone: zone.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    const PARENT: &str = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3";
    const AUTHOR: &str = "author alice <alice@acme.example> 1795442709 +0000\n";
    const COMMITTER: &str = "committer jit <jit@acme.example> 1795442710 +0200\n";

    fn commit(headers: &[&str]) -> Vec<u8> {
        format!("{}\nrequest x: alice\n", headers.concat()).into_bytes()
    }

    fn tree() -> String {
        format!("tree {TREE}\n")
    }

    fn parent() -> String {
        format!("parent {PARENT}\n")
    }

    #[test]
    fn a_plain_commit_reads_and_writes_the_same_bytes() {
        let raw = commit(&[&tree(), &parent(), AUTHOR, COMMITTER]);
        let read = parse(&raw).unwrap();
        assert_eq!(read.tree.to_string(), TREE);
        assert_eq!(read.parents, [PARENT.parse().unwrap()]);
        assert_eq!((read.author.name.as_str(), read.author.email.as_str()), ("alice", "alice@acme.example"));
        assert_eq!((read.committer.time, read.committer.zone.as_str()), (1_795_442_710, "+0200"));
        assert_eq!(read.message, "request x: alice\n");
        assert_eq!(read.write().unwrap(), raw);
    }

    #[test]
    fn each_oddity_is_named() {
        let (tree, parent) = (tree(), parent());
        let stray = |name: &str| Err(CommitFault::StrayHeader(name.to_owned()));
        let cases: Vec<(Vec<u8>, Result<RawCommit, CommitFault>)> = vec![
            (commit(&[&tree, &parent, AUTHOR, AUTHOR, COMMITTER]), stray("author")),
            (commit(&[&tree, AUTHOR, COMMITTER, "gpgsig -----BEGIN\n  x\n"]), stray("gpgsig")),
            (commit(&[&tree, AUTHOR, COMMITTER, "encoding latin1\n"]), stray("encoding")),
            (commit(&[&tree, AUTHOR, COMMITTER, &parent]), stray("parent")),
            (commit(&[&tree, AUTHOR, &parent, COMMITTER]), stray("parent")),
            (commit(&[&tree, &parent, COMMITTER]), Err(CommitFault::HeaderMissing("author"))),
            (commit(&[&tree, &parent, AUTHOR]), Err(CommitFault::HeaderMissing("committer"))),
            (commit(&[&tree, "author alice <a@b> x +0000\n", COMMITTER]), Err(CommitFault::Person("author"))),
            (commit(&[&tree, "author alice <a@b> 007 +0000\n", COMMITTER]), Err(CommitFault::Person("author"))),
            (commit(&[&tree, "author alice <a@b> 7 +00\n", COMMITTER]), Err(CommitFault::Person("author"))),
            (commit(&[&tree, "author al<ice <a@b> 7 +0000\n", COMMITTER]), Err(CommitFault::Person("author"))),
            (commit(&[&format!("tree {}\n", TREE.to_uppercase()), AUTHOR, COMMITTER]), Err(CommitFault::Spelling)),
            (commit(&[&tree, &parent.replace("a94a", "A94A"), AUTHOR, COMMITTER]), Err(CommitFault::Spelling)),
            (commit(&[&parent, AUTHOR, COMMITTER]), Err(CommitFault::Unlinked)),
            (commit(&[&tree, "parent 12\n", AUTHOR, COMMITTER]), Err(CommitFault::Unlinked)),
            (format!("{tree}{AUTHOR}{COMMITTER}").into_bytes(), Err(CommitFault::NoMessage)),
            ([&*commit(&[&tree, AUTHOR, COMMITTER]), b"\0hidden"].concat(), Err(CommitFault::Nul)),
            ([&*commit(&[&tree, AUTHOR, COMMITTER]), b"\xff"].concat(), Err(CommitFault::Encoding)),
        ];
        for (raw, expected) in cases {
            assert_eq!(parse(&raw), expected, "{}", String::from_utf8_lossy(&raw));
        }
    }

    #[test]
    fn odd_commits_can_still_be_followed() {
        let shouted = format!("tree {}\n", TREE.to_uppercase());
        assert_eq!(links(&commit(&[&shouted, AUTHOR])).unwrap().tree.to_string(), TREE);
        let raw = commit(&[&tree(), &parent(), &parent(), AUTHOR, AUTHOR, &parent()]);
        let found = links(&raw).unwrap();
        assert_eq!(found.tree.to_string(), TREE);
        assert_eq!(found.parents.len(), 2, "a doubled parent counts twice, a late one not at all");
    }

    #[test]
    fn no_name_smuggles_in_a_header() {
        let raw = commit(&[&tree(), AUTHOR, COMMITTER]);
        let good = parse(&raw).unwrap();
        for name in ["", " alice", "alice <x", "alice\nauthor mallet", "al\0ice", "alice\r"] {
            let mut bad = good.clone();
            bad.author.name = name.to_owned();
            assert_eq!(bad.write(), Err(CommitFault::Unwritable), "{name:?}");
        }
        let mut bad = good.clone();
        bad.author.zone = "+0000\nencoding x".to_owned();
        assert_eq!(bad.write(), Err(CommitFault::Unwritable));
    }

    proptest! {
        #[test]
        fn parse_never_panics_and_what_parses_is_canonical(raw in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(read) = parse(&raw) {
                prop_assert_eq!(read.write().unwrap(), raw);
            }
        }

        #[test]
        fn cut_and_flipped_commits_never_panic(at in 0usize..260, with in any::<u8>()) {
            let mut raw = commit(&[&tree(), &parent(), AUTHOR, COMMITTER]);
            let at = at.min(raw.len() - 1);
            raw[at] = with;
            if let Ok(read) = parse(&raw) {
                prop_assert_eq!(read.write().unwrap(), raw.clone());
            }
            let _ = parse(&raw[..at]);
        }
    }
}
