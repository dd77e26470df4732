//! Reads the sources as text and holds them to the house's rules (architecture.md, and the table at the top of
//! `src/lib.rs`): who may import whom, how a file opens, how long it may be. Such rules drift when nothing checks them.
//!
//! Names of ours are looked for as `crate::ROOM` (and `jit::ROOM` in the binary), in `use` lines and in the midst of
//! code alike; nested groups (`use crate::{domain::id, ports}`) are taken apart. `super::` never leaves a room, unless it
//! climbs higher than the file is deep: that is resolved too.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers stand outside of test functions

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest file that is let through; 350 lines ask for a look, this for a split.
const MOST_LINES: usize = 600;

/// What a room may import: other rooms, or parts of them. Its own parts are always free.
struct Rule {
    room: &'static str,
    may: &'static [&'static str],
}

/// The import table. A path is allowed when it lies at or under one of the listed ones.
const TABLE: &[Rule] = &[
    Rule { room: "domain", may: &[] },
    Rule { room: "sshsig", may: &["domain::id", "domain::key", "domain::time", "domain::event"] },
    Rule { room: "merkle", may: &["domain::id", "domain::key", "domain::time", "domain::event"] },
    Rule { room: "ports", may: &["domain", "sshsig", "merkle"] },
    Rule { room: "ledger", may: &["ports", "domain", "sshsig", "merkle"] },
    Rule { room: "git", may: &["ports", "domain", "sshsig", "merkle"] },
    Rule { room: "sign", may: &["ports", "domain", "sshsig", "merkle"] },
    Rule { room: "issue", may: &["ports", "domain", "sshsig", "merkle"] },
    Rule { room: "recording", may: &["ports", "domain"] },
    Rule { room: "host", may: &["ports", "domain", "sshsig", "merkle", "recording"] },
    Rule { room: "audit", may: &["ports", "domain", "sshsig", "merkle"] },
    Rule { room: "monitor", may: &["ports", "domain", "sshsig", "merkle"] },
    Rule {
        room: "cli",
        may: &[
            "audit",
            "ports",
            "domain",
            "sshsig",
            "merkle",
            "monitor",
            "recording",
            "ledger",
            "git",
            "sign",
            "issue",
            "host",
        ],
    },
    Rule { room: "main", may: &["cli", "ports", "domain"] },
    // `lib.rs` names its modules and nothing else.
    Rule { room: "lib", may: &[] },
];

#[test]
fn every_file_keeps_to_the_import_table() {
    let faults: Vec<String> = sources().iter().flat_map(|(path, text)| import_faults(path, text)).collect();
    assert!(faults.is_empty(), "imports against the table:\n{}", faults.join("\n"));
}

#[test]
fn every_room_is_in_the_table() {
    let rooms: BTreeSet<&str> = TABLE.iter().map(|rule| rule.room).collect();
    for (path, _) in sources() {
        let room = module_path(&path).first().cloned().unwrap_or_default();
        assert!(rooms.contains(room.as_str()), "{} belongs to no room of the table", path.display());
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    let faults: Vec<String> = sources().iter().flat_map(|(path, text)| shape_faults(path, text)).collect();
    assert!(faults.is_empty(), "files that do not keep the habits:\n{}", faults.join("\n"));
}

/// The checks above would pass as well if they could see nothing. Here each is shown a line that it must refuse, and
/// beside it the nearest one that it must let through.
#[test]
fn the_checks_can_fail() {
    let refused: &[(&str, &str)] = &[
        ("domain/state.rs", "use crate::ports::Clock;"),
        ("domain.rs", "use crate::ledger;"),
        ("domain/policy/read.rs", "use super::super::super::ports::Clock;"),
        ("sshsig/verify.rs", "use crate::domain::policy::Policy;"),
        ("merkle.rs", "use crate::sshsig::Envelope;"),
        ("ports.rs", "use crate::git::Repository;"),
        ("ledger/replay.rs", "use crate::git::Repository;"),
        ("ledger/replay.rs", "let signer = crate::sign::open(&spec)?;"),
        ("git/remote.rs", "use crate::{domain::id::CommitId, ledger::tree};"),
        ("git/remote.rs", "use crate::{\n    domain::id::CommitId,\n    sign::{self, agent::Agent},\n};"),
        ("git/remote.rs", "use crate::*;"),
        ("sign.rs", "pub use crate::issue::ssh_cert;"),
        ("issue/ssh_cert.rs", "fn sign(key: &crate::sign::FileSigner) {}"),
        ("issue/ssh_cert.rs", "use crate :: cli :: context;"),
        ("ledger.rs", "use super::git;"),
        ("ledger.rs", "use super::{ports, git};"),
        ("monitor/cef.rs", "use crate::ledger::Walk;"),
        ("host/reap.rs", "use crate::ledger::Replay;"),
        ("host/grants.rs", "use crate::git::GitStore;"),
    ];
    for (path, text) in refused {
        assert!(!import_faults(Path::new(path), text).is_empty(), "{path} may import by {text:?}, and may not");
    }

    let allowed: &[(&str, &str)] = &[
        ("domain/state.rs", "use crate::domain::policy::Policy;"),
        ("domain/policy/read.rs", "use super::super::id::Name;"),
        ("domain/policy/quorum.rs", "mod tests {\n    use super::super::super::key::PublicKey;\n}"),
        ("sshsig/verify.rs", "use crate::domain::key::PublicKey;"),
        ("git/remote.rs", "use crate::{domain::id::CommitId, ports::{Remote, RemoteError}};"),
        (
            "git/remote.rs",
            "//! Not like `crate::ledger`.\n/// Nor [`crate::sign`].\nuse crate::ports::Remote; // not crate::cli",
        ),
        ("git/remote.rs", "let text = \"use crate::ledger;\";"),
        ("cli/verify.rs", "use crate::git::Repository;"),
        ("main.rs", "use jit::cli;"),
        ("git/worktree.rs", "use super::program::Git;"),
        ("sign/file/create.rs", "pub(in crate::sign) fn public_path() {}"),
    ];
    for (path, text) in allowed {
        let faults = import_faults(Path::new(path), text);
        assert!(faults.is_empty(), "{path}: {text:?} is refused: {faults:?}");
    }

    let long = format!("//! Long.\n{}", "\n".repeat(MOST_LINES));
    assert_eq!(shape_faults(Path::new("git.rs"), "use std::fs;\n").len(), 1, "no //! at the top");
    assert_eq!(shape_faults(Path::new("git/mod.rs"), "//! A room.\n").len(), 1, "mod.rs");
    assert_eq!(shape_faults(Path::new("git.rs"), &long).len(), 1, "too long");
    assert_eq!(shape_faults(Path::new("git.rs"), "//! A room.\n"), Vec::<String>::new());
}

/// Every Rust file under `src/`, by its path below `src/`, sorted.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 30, "the sources are not where they were looked for");
    found
}

fn shape_faults(path: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let name = path.display();
    if !text.starts_with("//!") {
        faults.push(format!("{name} does not open with `//!`"));
    }
    if path.file_name().is_some_and(|file| file == "mod.rs") {
        faults.push(format!("{name}: `foo.rs` beside `foo/`, no `mod.rs`"));
    }
    let lines = text.lines().count();
    if lines > MOST_LINES {
        faults.push(format!("{name} has {lines} lines, more than {MOST_LINES}: split it"));
    }
    faults
}

/// `src/domain/policy/read.rs` → `domain`, `policy`, `read`.
fn module_path(path: &Path) -> Vec<String> {
    path.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect()
}

fn import_faults(path: &Path, text: &str) -> Vec<String> {
    let here = module_path(path);
    let room = here.first().unwrap();
    let Some(rule) = TABLE.iter().find(|rule| rule.room == room) else {
        return vec![format!("{} belongs to no room of the table", path.display())];
    };
    let mut faults = Vec::new();
    for used in paths_used(&here, text) {
        let own = used == *room || used.starts_with(&format!("{room}::"));
        let allowed = rule.may.iter().any(|may| used == *may || used.starts_with(&format!("{may}::")));
        if !own && !allowed {
            faults.push(format!("{}: {room} may not import `{used}`", path.display()));
        }
    }
    faults
}

/// Every path of ours that the code names, from the crate's root: `domain::id::Name`. `*` stays as it stands, so a glob
/// of the root is nothing that a table allows.
fn paths_used(here: &[String], text: &str) -> Vec<String> {
    let words = words(text);
    let mut out = Vec::new();
    let mut at = 0;
    while at < words.len() {
        // A path begins here, unless it goes on from an earlier word.
        let begins = at == 0 || words[at - 1] != "::";
        let goes_on = words.get(at + 1).is_some_and(|next| next == "::");
        if begins && goes_on && matches!(words[at].as_str(), "crate" | "jit") {
            expand(&words, &mut (at + 2), "", &mut out);
        } else if begins && goes_on && words[at] == "super" {
            let climbs = words[at..].chunks_exact(2).take_while(|pair| pair[0] == "super" && pair[1] == "::").count();
            let depth = depth(here, &words[..at]);
            if climbs > depth {
                out.push("super:: beyond the crate's root".to_owned());
            } else if climbs == depth {
                expand(&words, &mut (at + 2 * climbs), "", &mut out);
            }
        }
        at += 1;
    }
    out
}

/// How many `super::` lead from here to the crate's root: one for each module, the inline ones (`mod tests { … }`)
/// included.
fn depth(here: &[String], before: &[String]) -> usize {
    let mut braces: Vec<bool> = Vec::new();
    for (index, word) in before.iter().enumerate() {
        match word.as_str() {
            "{" => braces.push(index >= 2 && before[index - 2] == "mod"),
            "}" => drop(braces.pop()),
            _ => {}
        }
    }
    let files = if matches!(here[0].as_str(), "lib" | "main") { 0 } else { here.len() };
    files + braces.into_iter().filter(|module| *module).count()
}

/// Reads one path or group from `at` on and puts each path in it into `out`, with `prefix` before it.
fn expand(words: &[String], at: &mut usize, prefix: &str, out: &mut Vec<String>) {
    let mut path = prefix.to_owned();
    while let Some(word) = words.get(*at) {
        *at += 1;
        if word == "{" {
            while words.get(*at).is_some_and(|word| word != "}") {
                if words[*at] == "," {
                    *at += 1;
                } else {
                    expand(words, at, &path, out);
                }
            }
            *at += 1;
            return;
        }
        if word != "self" {
            path = if path.is_empty() { word.clone() } else { format!("{path}::{word}") };
        }
        if words.get(*at).is_none_or(|next| next != "::") {
            break;
        }
        *at += 1;
    }
    // `use a::b as c`: the new name is no path.
    if words.get(*at).is_some_and(|word| word == "as") {
        *at += 2;
    }
    out.push(path);
}

/// The code as words and signs; comments and the insides of literals are left out.
fn words(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_string(rest) {
            length
        } else if first == '"' {
            quoted(rest)
        } else if let Some(length) = character(rest) {
            length
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            out.push(rest[..end].to_owned());
            end
        } else if rest.starts_with("::") {
            out.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                out.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    out
}

/// The length of `r"…"`, `r#"…"#` and their `b` forms, where one stands here.
fn raw_string(text: &str) -> Option<usize> {
    let body = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    body[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let open = text.len() - body.len() + hashes + 1;
    Some(text[open..].find(&close).map_or(text.len(), |end| open + end + close.len()))
}

/// The length of `"…"`.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (offset, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return offset + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal, where one stands here; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    if let Some(escape) = body.strip_prefix('\\') {
        // The quote after the escaped character: `'\''`, `'\u{1b}'`.
        let first = escape.chars().next()?.len_utf8();
        return escape[first..].find('\'').map(|end| 2 + first + end + 1);
    }
    let c = body.chars().next()?;
    body[c.len_utf8()..].starts_with('\'').then_some(c.len_utf8() + 2)
}
