//! `jit hook install` and `jit hook uninstall`. Writes the hooks beside and renames them, sets what of git's own settings
//! helps, and remembers what was there before. Imports git.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::error::CliError;
use super::super::{Context, Exit, Outcome};
use super::check::Terms;
use crate::git::GitStore;

/// The hooks. The first judges a push, the second takes in what it has left in the inbox.
const HOOKS: [&str; 2] = ["pre-receive", "post-receive"];
/// The state file that says what git's settings were.
const STATE: &str = "hook";
/// Git's own refusals, of what the hook refuses too, and for what it does not look at; and who moved what, for people.
const SETTINGS: [(&str, &str); 4] = [
    ("receive.denyNonFastForwards", "true"),
    ("receive.denyDeletes", "true"),
    ("receive.fsckObjects", "true"),
    ("core.logAllRefUpdates", "true"),
];

/// Write the hooks of a bare repository that people push to.
///
/// From then on a push that breaks a rule is refused, with words for whoever pushed (pre-receive), and where the policy says
/// append = "inbox", what lies in the inbox is taken onto main (post-receive). What `jit hook uninstall` undoes: the
/// hooks, and git's settings receive.denyNonFastForwards, receive.denyDeletes, receive.fsckObjects and
/// core.logAllRefUpdates.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bare repository [default: the ledger].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub bare: Option<PathBuf>,
    /// What it is given whenever git runs it.
    #[command(flatten)]
    pub terms: Terms,
    /// Keep a hook that is there, and run it after jit's.
    #[arg(long)]
    pub chain: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Take the hooks away again, and set git's settings back.
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
    let mut places = Vec::new();
    let mut done = Vec::new();
    for name in HOOKS {
        let place = Place::look(&hooks, name)?;
        let there = place.file.display();
        if place.is_foreign && !args.chain {
            return Err(CliError::failed(format!("{there} is there already, and is not jit's"))
                .hint("keep it, to be run after jit's: --chain; or move it away"));
        }
        if place.is_foreign && place.chained {
            return Err(CliError::failed(format!("{} is there already", place.before.display()))
                .hint("move one of the two away"));
        }
        let script = script(name, &program, args, place.is_foreign || place.chained)?;
        if place.is_foreign {
            let kept = place.before.display();
            done.push(match name {
                "pre-receive" => format!("moves the hook that is there to {kept}: it runs once jit has agreed"),
                _ => format!("moves the hook that is there to {kept}: it runs after jit's"),
            });
        }
        let is_same = place.text.as_deref() == Some(script.as_bytes()) && mode(&place.file)? == Some(0o755);
        if !is_same {
            done.push(format!("writes {there}"));
        }
        places.push((place, script, is_same));
    }
    let settings: Vec<_> = SETTINGS.into_iter().filter(|(key, value)| is_other(&store, key, value)).collect();
    for (key, value) in &settings {
        done.push(format!("sets {key} = {value}"));
    }
    if !args.dry_run {
        remember(&store, &settings)?;
        for (place, script, is_same) in &places {
            if place.is_foreign {
                fs::rename(&place.file, &place.before).map_err(|cause| CliError::file("move", &place.file, &cause))?;
            }
            if !is_same {
                write(&hooks, &place.file, script)?;
            }
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
    let mut places = Vec::new();
    let mut done = Vec::new();
    for name in HOOKS {
        let place = Place::look(&hooks, name)?;
        if place.text.is_some() && !place.is_foreign {
            done.push(format!("removes {}", place.file.display()));
            if place.chained {
                done.push(format!("moves {} back", place.before.display()));
            }
            places.push(place);
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
        for Place { file, before, .. } in &places {
            match fs::rename(before, file) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                    fs::remove_file(file).map_err(|cause| CliError::file("remove", file, &cause))?;
                }
                other => other.map_err(|cause| CliError::file("move", before, &cause))?,
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

/// Where a hook is, and what is there.
struct Place {
    file: PathBuf,
    text: Option<Vec<u8>>,
    is_foreign: bool,
    /// Where a hook that was there before is kept, which ours runs.
    before: PathBuf,
    chained: bool,
}

impl Place {
    fn look(hooks: &Path, name: &str) -> Result<Self, CliError> {
        let (file, before) = (hooks.join(name), hooks.join(format!("{name}.before-jit")));
        let text = read(&file)?;
        let is_foreign = text.as_deref().is_some_and(|text| !is_ours(name, text));
        let chained = read(&before)?.is_some();
        Ok(Self { file, text, is_foreign, before, chained })
    }
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

/// The hook. Whatever does not end with 0, a program that is gone or was killed among it, refuses the push; what comes
/// after the push changes nothing about it.
fn script(name: &str, program: &Path, args: &Args, chained: bool) -> Result<String, CliError> {
    let program = program.to_str().filter(|path| !path.contains(['\'', '\n'])).ok_or_else(|| {
        CliError::failed(format!("{} cannot be written into a script", program.display())).hint("move the program")
    })?;
    let head = format!(
        "#!/bin/sh\n{}\n# Written by `jit hook install`, which also changes it; `jit hook uninstall` takes it away.\n",
        mark(name)
    );
    // What git says on stdin is for one reader; only where another hook follows it has to be kept.
    let (keep, told, next) = match chained {
        true => (
            "pushed=$(cat) || exit 1\n",
            "printf '%s\\n' \"$pushed\" | ",
            format!("printf '%s\\n' \"$pushed\" | \"$GIT_DIR/hooks/{name}.before-jit\"\n"),
        ),
        false => ("", "", "exit 0\n".to_owned()),
    };
    if name == "post-receive" {
        return Ok(format!("{head}{keep}{told}'{program}' hook post-receive\n{next}"));
    }
    let mut arguments = String::new();
    for allowed in &args.terms.allow {
        arguments.push_str(&format!(" --allow '{allowed}'"));
    }
    if let Some(id) = args.terms.ledger_id {
        arguments.push_str(&format!(" --ledger-id '{id}'"));
    }
    arguments.push_str(&format!(" --timeout {}s", args.terms.timeout.seconds()));
    Ok(format!(
        "{head}# Anything but a clean yes refuses the push.\n{keep}{told}'{program}' hook pre-receive{arguments}\n\
         case $? in\n0) ;;\n1 | 3) exit 1 ;;\n\
         *) echo \"jit: push refused: it could not be checked. Nothing was changed. Tell who runs this repository.\" >&2; exit 1 ;;\n\
         esac\n{next}"
    ))
}

/// The line by which a hook of ours is known.
fn mark(name: &str) -> String {
    format!("# jit-hook: {name}")
}

fn is_ours(name: &str, text: &[u8]) -> bool {
    String::from_utf8_lossy(text).lines().nth(1) == Some(&mark(name))
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
