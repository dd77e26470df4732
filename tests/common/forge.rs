//! What somebody does who leaves `jit` aside: events written by hand, signed by the real `ssh-keygen`, committed and
//! pushed by the real git. Where it makes a good event the ledger takes it, so a refusal is never for its form.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Desk, Place};

/// Files of a commit, by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// An event that lies nowhere yet.
#[derive(Debug, Clone)]
pub struct Forged {
    /// `approval`, `enactment`, …
    pub kind: String,
    /// Who it says that it is by.
    pub actor: String,
    /// Its bytes.
    pub event: Vec<u8>,
    /// Its signature.
    pub signature: Vec<u8>,
    /// The time it claims.
    pub time: String,
}

/// `sha256:…` of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(bytes)))
}

/// The 16 characters by which an event is called.
pub fn short(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(&Sha256::digest(bytes)[..10]).to_ascii_lowercase()
}

/// Writes an event as format.md, section 2, has it, and signs it with a key. `case`: the case object, `None` where it
/// opens one; `table`: what stands behind `[seen]`, with its header.
#[track_caller]
pub fn event(desk: &Desk<'_>, key: &Path, kind: &str, actor: &str, case: Option<&Value>, table: &str) -> Forged {
    let at = desk.jit(&["verify", "--json"]).json();
    let policy = desk.jit(&["policy", "show", "--json"]).ok().text("policy");
    let time = chrono::DateTime::from_timestamp(super::now().try_into().unwrap(), 0).unwrap();
    let time = time.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut event = format!("jit = 1\nkind = \"{kind}\"\nledger = \"{}\"\n", text(&at["ledger"]));
    if let Some(case) = case {
        event += &format!("case = \"sha256:{}\"\n", text(&case["case"]));
    }
    event += &format!("policy = \"{policy}\"\nactor = \"{actor}\"\ntime = {time}\n");
    if case.is_none() {
        event += &format!("nonce = \"{}\"\n", "a7".repeat(13));
    }
    event += &format!("\n[seen]\nsize = {}\nroot = \"{}\"\n\n{table}", at["size"], text(&at["root"]));
    let event = event.into_bytes();
    let signature = sign(desk.place(), key, kind, &event);
    Forged { kind: kind.to_owned(), actor: actor.to_owned(), event, signature, time }
}

/// `ssh-keygen -Y sign`.
#[track_caller]
pub fn sign(place: &Place, key: &Path, kind: &str, event: &[u8]) -> Vec<u8> {
    let file = place.path("to-sign");
    fs::write(&file, event).unwrap();
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", &format!("jit-1/{kind}"), "-f"]).arg(key).arg(&file);
    place.run(command).ok();
    let signature = fs::read(place.path("to-sign.sig")).unwrap();
    fs::remove_file(place.path("to-sign.sig")).unwrap();
    signature
}

/// Commits an event into the folder of `case` (its own where it opens one), beside other files, and pushes it; the
/// commit.
#[track_caller]
pub fn push(desk: &Desk<'_>, forged: &Forged, case: Option<&Value>, files: &Files) -> String {
    let (message, add) = tree(forged, case, files);
    let id = commit(desk, &forged.actor, &forged.time, &message, &add);
    desk.place().git(&desk.ledger, &["push", "-q", "origin", &format!("{id}:refs/heads/main")]);
    id
}

/// The message and the files of an event's commit.
pub fn tree(forged: &Forged, case: Option<&Value>, files: &Files) -> (String, Files) {
    let name = short(&forged.event);
    let (id, opened) = match case {
        Some(case) => (case["id"].as_str().unwrap().to_owned(), case["opened"].as_str().unwrap().to_owned()),
        None => (name.clone(), forged.time.clone()),
    };
    let hour = opened[..13].replace(['-', 'T'], "/");
    let folder = format!("ledger/{hour}/{id}");
    let path = format!("{folder}/{}-{name}.toml", forged.kind);
    let mut add = BTreeMap::new();
    for (file, bytes) in files {
        add.insert(file.replace("{folder}", &folder), bytes.clone());
    }
    add.insert(format!("{path}.sig"), forged.signature.clone());
    add.insert(path, forged.event.clone());
    let message = format!(
        "{} {id}: {}\n\nJit-Event: sha256:{}\n",
        forged.kind,
        forged.actor,
        HEXLOWER.encode(&Sha256::digest(&forged.event))
    );
    (message, add)
}

/// A commit by git's own tools on the remote's head.
#[track_caller]
pub fn commit(desk: &Desk<'_>, author: &str, time: &str, message: &str, add: &Files) -> String {
    let place = desk.place();
    let repository = &desk.ledger;
    place.git(repository, &["fetch", "-q", "origin", "main"]);
    let parent = place.git(repository, &["rev-parse", "FETCH_HEAD"]);
    let index = place.path("index");
    let _ = fs::remove_file(&index);
    let seconds = chrono::DateTime::parse_from_rfc3339(time).unwrap().timestamp();
    let (date, email) = (format!("{seconds} +0000"), format!("{author}@acme.example"));
    let git = |arguments: &[&str], input: &[u8]| -> String {
        let mut command = Command::new("git");
        command.arg("-C").arg(repository).args(arguments);
        let variables: [(&str, &OsStr); 7] = [
            ("GIT_INDEX_FILE", index.as_os_str()),
            ("GIT_AUTHOR_NAME", author.as_ref()),
            ("GIT_AUTHOR_EMAIL", email.as_ref()),
            ("GIT_AUTHOR_DATE", date.as_ref()),
            ("GIT_COMMITTER_NAME", author.as_ref()),
            ("GIT_COMMITTER_EMAIL", email.as_ref()),
            ("GIT_COMMITTER_DATE", date.as_ref()),
        ];
        place.run_with(command, &desk.home, &variables, input).ok().out.trim_end().to_owned()
    };
    git(&["read-tree", &parent], b"");
    for (path, bytes) in add {
        let blob = git(&["hash-object", "-w", "--no-filters", "--stdin"], bytes);
        git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")], b"");
    }
    let tree = git(&["write-tree"], b"");
    git(&["commit-tree", &tree, "-p", &parent, "-F", "-"], message.as_bytes())
}
