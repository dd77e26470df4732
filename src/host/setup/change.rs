//! One change of a plan: what it does, as it is shown. Imports nothing of ours but the diff beside it.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::diff;

/// Whose a file or directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// `root:root`.
    Root,
    /// The user, and its own group.
    User(String),
    /// `root`, with the user's group.
    RootWithGroup(String),
}

impl Owner {
    /// As `chown` takes it.
    pub fn words(&self) -> String {
        match self {
            Self::Root => "root:root".to_owned(),
            Self::User(name) => format!("{name}:{name}"),
            Self::RootWithGroup(name) => format!("root:{name}"),
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A system user without a login shell.
    User {
        /// Its name.
        name: String,
        /// Its home.
        home: PathBuf,
    },
    /// A directory is made, or gets its owner and mode.
    Directory {
        /// Where.
        path: PathBuf,
        /// Whose.
        owner: Owner,
        /// Its permissions.
        mode: u32,
        /// Whether it is there already.
        exists: bool,
    },
    /// A file gets this content.
    File {
        /// Where.
        path: PathBuf,
        /// What it says now; `None` where there is none.
        old: Option<String>,
        /// What it is to say.
        new: String,
        /// Its permissions; `None`: as they are, and 0644 for a new file.
        mode: Option<u32>,
        /// Whether others have lines in it, too.
        shared: bool,
        /// Whether sshd and PAM read it: it stays only if sshd takes all of them.
        guarded: bool,
    },
    /// The program is copied to where only root writes and everybody may run it.
    Program {
        /// The one that runs now.
        from: PathBuf,
        /// Where it goes.
        to: PathBuf,
    },
    /// The host's signing key is made; the public half lies beside it.
    Key {
        /// Where.
        path: PathBuf,
        /// Whose.
        owner: Owner,
    },
    /// A file that is there gets its owner and mode.
    Own {
        /// Where.
        path: PathBuf,
        /// Whose.
        owner: Owner,
        /// Its permissions.
        mode: u32,
    },
    /// A symbolic link.
    Link {
        /// Where.
        path: PathBuf,
        /// What it points to.
        to: PathBuf,
    },
    /// A file or link goes.
    Remove {
        /// Where.
        path: PathBuf,
        /// Whether sshd and PAM read it.
        guarded: bool,
    },
    /// A directory goes: only if it is empty, unless with all that it holds.
    RemoveDirectory {
        /// Where.
        path: PathBuf,
        /// With all that it holds.
        whole: bool,
    },
    /// A command of the system is run.
    Run {
        /// What for.
        what: String,
        /// Program and arguments.
        argv: Vec<String>,
    },
}

impl Change {
    /// Whether it is undone when sshd does not take it.
    pub const fn is_guarded(&self) -> bool {
        matches!(self, Self::File { guarded: true, .. } | Self::Remove { guarded: true, .. })
    }

    /// For people: a line, and a diff where a file changes.
    pub fn words(&self) -> String {
        match self {
            Self::User { name, home } => format!("make the system user {name} (home {}, no login)\n", home.display()),
            Self::Directory { path, owner, mode, exists } => {
                let verb = if *exists { "give" } else { "make" };
                let what = if *exists { "its owner and mode" } else { "as a directory" };
                format!("{verb} {} {what}: {} {mode:04o}\n", path.display(), owner.words())
            }
            Self::File { path, old, new, .. } => {
                let verb = if old.is_some() { "change" } else { "write" };
                let path = path.display().to_string();
                format!("{verb} {path}\n{}", diff::unified(&path, old.as_deref(), new))
            }
            Self::Program { from, to } => format!("copy {} to {} (root:root 0755)\n", from.display(), to.display()),
            Self::Key { path, owner } => {
                format!("make the host's signing key {} ({} 0600)\n", path.display(), owner.words())
            }
            Self::Own { path, owner, mode } => {
                format!("give {} its owner and mode: {} {mode:04o}\n", path.display(), owner.words())
            }
            Self::Link { path, to } => format!("link {} to {}\n", path.display(), to.display()),
            Self::Remove { path, .. } => format!("remove {}\n", path.display()),
            Self::RemoveDirectory { path, whole: false } => format!("remove {} if it is empty\n", path.display()),
            Self::RemoveDirectory { path, whole: true } => format!("remove {} and ALL IT HOLDS\n", path.display()),
            Self::Run { what, argv } => format!("run {}  ({what})\n", argv.join(" ")),
        }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        match self {
            Self::User { name, home } => json!({ "change": "user", "name": name, "home": home }),
            Self::Directory { path, owner, mode, exists } => json!({ "change": "directory", "path": path,
                "owner": owner.words(), "mode": format!("{mode:04o}"), "exists": exists }),
            Self::File { path, old, new, .. } => json!({ "change": "file", "path": path, "old": old, "new": new,
                "diff": diff::unified(&path.display().to_string(), old.as_deref(), new) }),
            Self::Program { from, to } => json!({ "change": "program", "from": from, "path": to }),
            Self::Key { path, owner } => json!({ "change": "key", "path": path, "owner": owner.words() }),
            Self::Own { path, owner, mode } => json!({ "change": "own", "path": path, "owner": owner.words(),
                "mode": format!("{mode:04o}") }),
            Self::Link { path, to } => json!({ "change": "link", "path": path, "to": to }),
            Self::Remove { path, .. } => json!({ "change": "remove", "path": path }),
            Self::RemoveDirectory { path, whole } => {
                json!({ "change": "remove-directory", "path": path, "whole": whole })
            }
            Self::Run { what, argv } => json!({ "change": "run", "argv": argv, "what": what }),
        }
    }
}
