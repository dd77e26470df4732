//! `jit hook install` and `jit hook uninstall`. Writes the hook beside and renames it, sets what of git's own settings
//! helps, and remembers what was there before. Imports git.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::error::CliError;
use super::super::{Context, Exit, Outcome};
use crate::domain::id::Digest;
use crate::domain::time::Ttl;
use crate::git::GitStore;

/// The line by which a hook of ours is known.
const MARK: &str = "# jit-hook: pre-receive";
/// A hook that was there before, which ours runs once it has agreed.
const BEFORE: &str = "pre-receive.before-jit";
/// The state file that says what git's settings were.
const STATE: &str = "hook";
/// Git's own refusals, of what the hook refuses too, and for what it does not look at; and who moved what, for people.
const SETTINGS: [(&str, &str); 4] = [
    ("receive.denyNonFastForwards", "true"),
    ("receive.denyDeletes", "true"),
    ("receive.fsckObjects", "true"),
    ("core.logAllRefUpdates", "true"),
];

/// Write the pre-receive hook of a bare repository that people push to.
///
/// From then on a push that breaks a rule is refused, with words for whoever pushed. What `jit hook uninstall` undoes: the
/// hook, and git's settings receive.denyNonFastForwards, receive.denyDeletes, receive.fsckObjects and
/// core.logAllRefUpdates.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bare repository [default: the ledger].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub bare: Option<PathBuf>,
    /// Take pushes to this reference unchecked, such as refs/tags/v1 or refs/heads/draft/*; may be given several times.
    #[arg(long, value_name = "REF", value_parser = super::check::allowed)]
    pub allow: Vec<String>,
    /// The id of the ledger that the repository is for, where it is still empty.
    #[arg(long, value_name = "ID")]
    pub ledger_id: Option<Digest>,
    /// Refuse what cannot be checked within this time.
    #[arg(long, value_name = "DURATION", default_value = "100s", value_parser = super::super::args::ttl)]
    pub timeout: Ttl,
    /// Keep a hook that is there, and run it once jit has agreed.
    #[arg(long)]
    pub chain: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Take the hook away again, and set git's settings back.
#[derive(Debug, clap::Args)]
pub struct Undo {
    /// The bare repository [default: the ledger].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub bare: Option<PathBuf>,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs `jit hook install`.
///
/// # Errors
/// Where the repository is not bare, another hook is there, or something cannot be written.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let store = opened(context, args.bare.as_deref())?;
    if let Some(elsewhere) = store.config("core.hooksPath") {
        return Err(CliError::failed(format!(
            "git looks for hooks in {elsewhere} (core.hooksPath), not in the repository"
        ))
        .hint("have that directory's pre-receive run: jit hook pre-receive"));
    }
    let program = std::env::current_exe()
        .map_err(|cause| CliError::failed("jit cannot find itself").because(cause.to_string()))?;
    let hooks = store.path().join("hooks");
    let (hook, before) = (hooks.join("pre-receive"), hooks.join(BEFORE));
    let there = read(&hook)?;
    let is_foreign = there.as_deref().is_some_and(|text| !is_ours(text));
    if is_foreign && !args.chain {
        return Err(CliError::failed(format!("{} is there already, and is not jit's", hook.display()))
            .hint("keep it, to be run once jit has agreed: --chain; or move it away"));
    }
    let chained = read(&before)?.is_some();
    if is_foreign && chained {
        return Err(CliError::failed(format!("{} is there already", before.display())).hint("move one of the two away"));
    }
    let script = script(&program, args, is_foreign || chained)?;
    let mut done = Vec::new();
    if is_foreign {
        done.push(format!("moves the hook that is there to {}: it runs once jit has agreed", before.display()));
    }
    let is_same = there.as_deref() == Some(script.as_bytes()) && mode(&hook)? == Some(0o755);
    if !is_same {
        done.push(format!("writes {}", hook.display()));
    }
    let settings: Vec<_> = SETTINGS.into_iter().filter(|(key, value)| is_other(&store, key, value)).collect();
    for (key, value) in &settings {
        done.push(format!("sets {key} = {value}"));
    }
    if !args.dry_run {
        remember(&store, &settings)?;
        if is_foreign {
            fs::rename(&hook, &before).map_err(|cause| CliError::file("move", &hook, &cause))?;
        }
        if !is_same {
            write(&hooks, &hook, &script)?;
        }
        for (key, value) in &settings {
            store.configure(key, Some(value))?;
        }
    }
    tell(context, &store, "installed", &done, args.dry_run)?;
    if !args.dry_run && !done.is_empty() {
        context.output.hint("undo it: jit hook uninstall");
    }
    Ok(Exit::DONE)
}

/// Runs `jit hook uninstall`.
///
/// # Errors
/// Where something cannot be read or written.
pub fn undo(context: &mut Context, args: &Undo) -> Outcome {
    let store = opened(context, args.bare.as_deref())?;
    let hooks = store.path().join("hooks");
    let (hook, before) = (hooks.join("pre-receive"), hooks.join(BEFORE));
    let ours = read(&hook)?.is_some_and(|text| is_ours(&text));
    let mut done = Vec::new();
    if ours {
        done.push(format!("removes {}", hook.display()));
        if read(&before)?.is_some() {
            done.push(format!("moves {} back", before.display()));
        }
    }
    // What somebody has set to something else meanwhile stays.
    let mut known = remembered(&store)?;
    known.retain(|key, _| SETTINGS.iter().any(|(ours, value)| key == ours && !is_other(&store, ours, value)));
    for (key, value) in &known {
        done.push(match value {
            Some(value) => format!("sets {key} = {value}"),
            None => format!("unsets {key}"),
        });
    }
    if !args.dry_run {
        if ours {
            match fs::rename(&before, &hook) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                    fs::remove_file(&hook).map_err(|cause| CliError::file("remove", &hook, &cause))?;
                }
                other => other.map_err(|cause| CliError::file("move", &before, &cause))?,
            }
        }
        for (key, value) in &known {
            store.configure(key, value.as_deref())?;
        }
        store.state().remove(STATE)?;
    }
    tell(context, &store, "uninstalled", &done, args.dry_run)?;
    Ok(Exit::DONE)
}

fn opened(context: &Context, bare: Option<&Path>) -> Result<GitStore, CliError> {
    let directory = bare.map_or_else(|| context.ledger_dir(), |bare| Ok(context.resolve(bare)))?;
    let store = GitStore::open(&directory)?;
    if !store.is_bare() {
        return Err(CliError::failed(format!(
            "{} has a work tree: people push to a bare repository",
            directory.display()
        ))
        .hint("name the shared one: --bare DIR; make one: git clone --bare"));
    }
    Ok(store)
}

fn tell(context: &Context, store: &GitStore, what: &str, done: &[String], dry: bool) -> Result<(), CliError> {
    let path = store.path().display().to_string();
    context.output.result(
        || json!({ "repository": path, "done": done, "dry_run": dry, "changed": !dry && !done.is_empty() }),
        || {
            let head = match (dry, done.is_empty()) {
                (_, true) => format!("{path}: nothing to do, it is {what} already\n"),
                (true, false) => format!("{path}: nothing was done yet; it\n"),
                (false, false) => format!("{path}: {what}; it\n"),
            };
            done.iter().fold(head, |text, line| format!("{text}  {line}\n"))
        },
    )
}

/// The hook. Whatever does not end with 0, a program that is gone or was killed among it, refuses the push.
fn script(program: &Path, args: &Args, chained: bool) -> Result<String, CliError> {
    let program = program.to_str().filter(|path| !path.contains(['\'', '\n'])).ok_or_else(|| {
        CliError::failed(format!("{} cannot be written into a script", program.display())).hint("move the program")
    })?;
    let mut arguments = String::new();
    for allowed in &args.allow {
        arguments.push_str(&format!(" --allow '{allowed}'"));
    }
    if let Some(id) = args.ledger_id {
        arguments.push_str(&format!(" --ledger-id '{id}'"));
    }
    arguments.push_str(&format!(" --timeout {}s", args.timeout.seconds()));
    let next = match chained {
        true => format!("printf '%s\\n' \"$pushed\" | \"$GIT_DIR/hooks/{BEFORE}\"\n"),
        false => "exit 0\n".to_owned(),
    };
    Ok(format!(
        "#!/bin/sh\n{MARK}\n# Written by `jit hook install`, which also changes it; `jit hook uninstall` takes it away.\n\
         # Anything but a clean yes refuses the push.\npushed=$(cat) || exit 1\n\
         printf '%s\\n' \"$pushed\" | '{program}' hook pre-receive{arguments}\n\
         case $? in\n0) ;;\n1 | 3) exit 1 ;;\n\
         *) echo \"jit: push refused: it could not be checked. Nothing was changed. Tell who runs this repository.\" >&2; exit 1 ;;\n\
         esac\n{next}"
    ))
}

fn is_ours(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).lines().nth(1) == Some(MARK)
}

/// What lies there; a symbolic link is no hook that could be replaced unseen.
fn read(path: &Path) -> Result<Option<Vec<u8>>, CliError> {
    match fs::symlink_metadata(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(CliError::file("read", path, &cause)),
        Ok(meta) if !meta.is_file() => Ok(Some(Vec::new())),
        Ok(_) => fs::read(path).map(Some).map_err(|cause| CliError::file("read", path, &cause)),
    }
}

fn mode(path: &Path) -> Result<Option<u32>, CliError> {
    match fs::symlink_metadata(path) {
        Ok(meta) => Ok(Some(meta.permissions().mode() & 0o7777)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(CliError::file("read", path, &cause)),
    }
}

/// Beside, synced, renamed: git finds the old hook or the new one.
fn write(hooks: &Path, hook: &Path, script: &str) -> Result<(), CliError> {
    let failed = |cause: &io::Error| CliError::file("write", hook, cause);
    fs::create_dir_all(hooks).map_err(|cause| failed(&cause))?;
    let mut beside = tempfile::Builder::new().prefix(".jit-").tempfile_in(hooks).map_err(|cause| failed(&cause))?;
    beside.write_all(script.as_bytes()).map_err(|cause| failed(&cause))?;
    beside.as_file().set_permissions(fs::Permissions::from_mode(0o755)).map_err(|cause| failed(&cause))?;
    beside.as_file().sync_all().map_err(|cause| failed(&cause))?;
    beside.persist(hook).map_err(|error| failed(&error.error))?;
    fs::File::open(hooks).and_then(|directory| directory.sync_all()).map_err(|cause| failed(&cause))
}

fn is_other(store: &GitStore, key: &str, value: &str) -> bool {
    store.own_config(key).as_deref() != Some(value)
}

/// What git's settings were before the first installation, by key.
fn remembered(store: &GitStore) -> Result<BTreeMap<String, Option<String>>, CliError> {
    let Some(bytes) = store.state().read(STATE)? else { return Ok(BTreeMap::new()) };
    serde_json::from_slice(&bytes).map_err(|cause| {
        CliError::failed("what git's settings were cannot be read").because(cause.to_string()).hint("remove jit/hook")
    })
}

fn remember(store: &GitStore, settings: &[(&str, &str)]) -> Result<(), CliError> {
    let mut known = remembered(store)?;
    for (key, _) in settings {
        known.entry((*key).to_owned()).or_insert_with(|| store.own_config(key));
    }
    let bytes = serde_json::to_vec(&known).unwrap_or_default();
    Ok(store.state().write(STATE, &bytes)?)
}
