//! What a command works with: the environment as `main` read it, the clock, randomness, the user's configuration, the
//! ledger, the keys. The only place that names concrete adapters.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::Global;
use super::args::CaFile;
use super::error::CliError;
use super::keys;
use super::output::Output;
use super::prompt::Prompt;
use crate::domain::finding::Code;
use crate::domain::id::{Name, Nonce};
use crate::domain::key::PublicKey;
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::git::{GitError, GitStore, Program, Warning};
use crate::ports::{Clock, Rng, Signer};
use crate::sign::{self, Agent, KeyFile, KeyFileError, KeySpec, Keygen, NoPassphrase, OpenError};

mod announced;
mod ca;
mod config;
mod ledger;
mod place;

pub use announced::Announced;
pub use config::{Config, LedgerEntry};
pub use ledger::{Freshness, History, Ledger};
pub(in crate::cli) use ledger::{is_the_remotes, made_here, read_pin, replay_at, write_pin};

/// How often a passphrase is asked for.
const PASSPHRASE_TRIES: usize = 3;

/// What the process was started with. `main` reads it once; tests write it down.
pub struct Environment {
    /// The environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// The directory that the process stands in.
    pub directory: PathBuf,
    /// The clock.
    pub clock: Box<dyn Clock>,
    /// Randomness.
    pub rng: Box<dyn Rng>,
    /// Whether somebody types.
    pub stdin_is_terminal: bool,
    /// Whether somebody sees the result.
    pub stdout_is_terminal: bool,
    /// Whether somebody sees the notes.
    pub stderr_is_terminal: bool,
    /// The terminal's width in columns, where there is one.
    pub terminal_width: Option<usize>,
}

impl Environment {
    /// A variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// A variable that names an absolute path; others are ignored, as XDG has it.
    fn directory_variable(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// The user's home.
    pub fn home(&self) -> Option<PathBuf> {
        self.directory_variable("HOME")
    }

    /// Where jit keeps its configuration and the keys that `init` made: `$XDG_CONFIG_HOME/jit`, else `~/.config/jit`.
    pub fn config_directory(&self) -> Option<PathBuf> {
        let base = self.directory_variable("XDG_CONFIG_HOME").or_else(|| Some(self.home()?.join(".config")))?;
        Some(base.join("jit"))
    }

    /// Where jit keeps what must outlive a clone: `$XDG_STATE_HOME/jit`, else `~/.local/state/jit`.
    pub fn state_directory(&self) -> Option<PathBuf> {
        let base = self.directory_variable("XDG_STATE_HOME").or_else(|| Some(self.home()?.join(".local/state")))?;
        Some(base.join("jit"))
    }

    /// The agent's socket.
    pub fn agent(&self) -> Option<PathBuf> {
        self.variable("SSH_AUTH_SOCK").map(PathBuf::from)
    }

    /// Whether questions can be asked: somebody types, sees them, and it is not CI.
    pub fn is_interactive(&self) -> bool {
        self.stdin_is_terminal
            && self.stderr_is_terminal
            && self.variable("CI").is_none()
            && self.variable("TERM").is_none_or(|term| term != "dumb")
    }

    /// Whether colours may be used where there is a terminal.
    pub fn allows_colour(&self) -> bool {
        self.variable("NO_COLOR").is_none() && self.variable("TERM").is_none_or(|term| term != "dumb")
    }

    /// How many columns a line may have: `COLUMNS`, the terminal's, or no limit where there is none.
    pub fn width(&self) -> usize {
        let said = self.variable("COLUMNS").and_then(|text| text.to_str()?.parse().ok()).filter(|&width| width > 0);
        said.or(self.terminal_width).unwrap_or(usize::MAX)
    }
}

/// What a command works with.
pub struct Context {
    /// What the process was started with.
    pub environment: Environment,
    /// The flags of every command.
    pub global: Global,
    /// Where results and notes go.
    pub output: Output,
    config: OnceCell<Config>,
}

impl Context {
    /// From what `main` read and the command line said.
    pub fn new(environment: Environment, global: Global, output: Output) -> Self {
        Self { environment, global, output, config: OnceCell::new() }
    }

    /// The present second, UTC.
    pub fn now(&self) -> Timestamp {
        self.environment.clock.now()
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.environment.clock
    }

    /// The randomness.
    pub fn rng(&mut self) -> &mut dyn Rng {
        &mut *self.environment.rng
    }

    /// A fresh nonce.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn nonce(&mut self) -> Result<Nonce, CliError> {
        Ok(Nonce::from_random(self.environment.rng.bytes16()?))
    }

    /// Questions at the terminal.
    pub fn prompt(&self) -> Prompt {
        Prompt::new(&self.environment)
    }

    /// The user's configuration; an empty one where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read or is not a configuration; with its line.
    pub fn config(&self) -> Result<&Config, CliError> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let read = match self.config_file() {
            Some(file) => Config::read(&file)?,
            None => Config::default(),
        };
        Ok(self.config.get_or_init(|| read))
    }

    /// The configuration file; `None` where neither `XDG_CONFIG_HOME` nor `HOME` is set.
    pub fn config_file(&self) -> Option<PathBuf> {
        Some(self.environment.config_directory()?.join("config.toml"))
    }

    /// A path from the command line or the configuration: absolute, `~/` being the user's home.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.environment.home()) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => self.environment.directory.join(path),
        }
    }

    /// The ledger's directory: `--ledger` or `JIT_LEDGER`, else the repository around this directory if it is a ledger,
    /// else the user's default.
    ///
    /// # Errors
    /// Where there is none of them.
    pub fn ledger_dir(&self) -> Result<PathBuf, CliError> {
        if let Some(named) = &self.global.ledger {
            return Ok(self.resolve(named));
        }
        if let Some(around) = place::ledger_around(&self.environment.directory) {
            return Ok(around);
        }
        if let Some(default) = self.config()?.default_path() {
            return Ok(self.resolve(default));
        }
        Err(CliError::from(GitError::NotARepository(self.environment.directory.clone())).context("no ledger was found"))
    }

    /// The ledger's repository, opened; what should be known about it is told.
    ///
    /// # Errors
    /// Where there is none, or its history cannot be trusted to be whole.
    pub fn store(&self) -> Result<GitStore, CliError> {
        let directory = self.ledger_dir()?;
        let store = GitStore::open(&directory)?;
        self.output.detail(format!("ledger: {}", store.path().display()));
        for warning in store.warnings()? {
            // Attack 22: whoever also looks with git sees something else than jit.
            match warning {
                Warning::Replaced(_) => self.output.warning(warning.to_string()),
                Warning::Alternates | Warning::Loose(_) => self.output.detail(warning.to_string()),
            }
        }
        Ok(store)
    }

    /// The `git` program with the environment of this process.
    pub fn git(&self) -> Program {
        Program::new(self.environment.variables.clone(), self.environment.is_interactive())
    }

    /// Which key file signs: `--key` or `JIT_KEY`, the configuration's, else `~/.ssh/id_ed25519` or `id_ed25519_sk`.
    ///
    /// # Errors
    /// Where none is named and none of the usual ones exists.
    pub fn key_path(&self) -> Result<PathBuf, CliError> {
        if let Some(named) = &self.global.key {
            return Ok(self.resolve(named));
        }
        if let Some(configured) = &self.config()?.key {
            return Ok(self.resolve(configured));
        }
        let home = self.environment.home();
        let usual = ["id_ed25519", "id_ed25519_sk"];
        let exists = |path: &PathBuf| path.is_file() || path.with_extension("pub").is_file();
        let found = home.and_then(|home| usual.map(|name| home.join(".ssh").join(name)).into_iter().find(exists));
        found.ok_or_else(|| {
            CliError::failed("there is no key to sign with: neither --key, nor ~/.ssh/id_ed25519 or id_ed25519_sk")
                .hint("make one (ssh-keygen -t ed25519), or name yours: --key FILE")
        })
    }

    /// The key that signs where there is no policy yet: the file's, else the only one that ssh-agent and `~/.ssh` hold.
    /// Its passphrase is asked for at the terminal, up to three times.
    ///
    /// # Errors
    /// Where there is no key, or it does not open.
    pub fn signing_key(&self) -> Result<Box<dyn Signer>, CliError> {
        match (self.key_path(), &*keys::all(self)) {
            (Ok(path), _) => self.open_key(&path),
            (Err(_), [only]) if only.is_usable() => only.open(self),
            (Err(error), _) => Err(error),
        }
    }

    /// The public half of the key that would sign, without unlocking it.
    ///
    /// # Errors
    /// Where there is no key, or it cannot be read.
    pub fn public_key(&self) -> Result<PublicKey, CliError> {
        self.public_key_of(&self.key_path()?)
    }

    /// The public half of the key at `path`, without unlocking it.
    ///
    /// # Errors
    /// Where there is none, or it cannot be read.
    pub fn public_key_of(&self, path: &Path) -> Result<PublicKey, CliError> {
        if path.extension().is_some_and(|extension| extension == "pub") {
            return Ok(sign::file::read_public(path)?);
        }
        let mut public = path.to_owned().into_os_string();
        public.push(".pub");
        let public = PathBuf::from(public);
        match KeyFile::read(path) {
            Ok(file) => Ok(file.public_key().clone()),
            Err(KeyFileError::Public(path)) => Ok(sign::file::read_public(&path)?),
            Err(KeyFileError::NotFound(_)) if public.is_file() => Ok(sign::file::read_public(&public)?),
            Err(error) => Err(error.into()),
        }
    }

    /// The key at `path`: a private key file, or a `.pub` whose private half is in the agent or beside it.
    ///
    /// # Errors
    /// Where it does not open.
    pub fn open_key(&self, path: &Path) -> Result<Box<dyn Signer>, CliError> {
        let keygen = Keygen::new(self.environment.variables.clone(), self.environment.is_interactive());
        let spec = KeySpec { path: path.to_owned(), agent: self.environment.agent(), keygen };
        let prompt = self.prompt();
        let mut left = PASSPHRASE_TRIES;
        loop {
            let mut cancelled = None;
            let opened = sign::open(&spec, &mut |file| {
                if !prompt.is_available() {
                    return Err(NoPassphrase("there is no terminal to ask for it".to_owned()));
                }
                prompt.password("--key", &format!("Passphrase of {}", file.display())).map_err(|error| {
                    let told = NoPassphrase(error.message().to_owned());
                    cancelled = Some(error);
                    told
                })
            });
            left -= 1;
            match (opened, cancelled) {
                (Ok(signer), _) => return Ok(Announced::wrap(signer, Some(path), &self.output)),
                (Err(_), Some(cancelled)) => return Err(cancelled),
                (Err(OpenError::File(KeyFileError::WrongPassphrase(_))), None) if left > 0 => {
                    self.output.note("Wrong passphrase, try again.");
                }
                (Err(error), None) => return Err(error.into()),
            }
        }
    }

    /// Who acts with `key` under `policy`: `--as`, the configuration's member where `--key` names no other key, else
    /// whose key it is.
    ///
    /// # Errors
    /// K04: the key belongs to nobody, or to somebody else than was named.
    pub fn actor(&self, policy: &Policy, key: &PublicKey) -> Result<Name, CliError> {
        let configured = if self.global.key.is_none() { self.config()?.member.as_ref() } else { None };
        let named = self.global.actor.as_ref().or(configured);
        let print = key.fingerprint();
        // K04: the key is not the actor's in the policy in force.
        match (named, policy.actor_of_key(key)) {
            (None, Some(owner)) => Ok(owner.clone()),
            (Some(named), Some(owner)) if named == owner => Ok(owner.clone()),
            (Some(named), _) if policy.actor(named).is_none() => {
                Err(CliError::refused(format!("the policy knows nobody named {named}"))
                    .hint("jit policy show")
                    .rule(Code::K04))
            }
            (Some(named), Some(owner)) => {
                Err(CliError::refused(format!("the key {print} belongs to {owner}, not to {named}"))
                    .hint(format!("--as {owner}, or name {named}'s key: --key FILE"))
                    .rule(Code::K04))
            }
            (Some(named), None) => {
                Err(CliError::refused(format!("the key {print} is not one of {named}'s in the policy"))
                    .hint(format!("name {named}'s key: --key FILE; jit policy show lists them"))
                    .rule(Code::K04))
            }
            (None, None) => Err(CliError::refused(format!("the policy does not know the key {print}"))
                .hint("name your key: --key FILE; or have this one put into the policy")
                .rule(Code::K04)),
        }
    }

    /// The CA key of `environment`, which must be `expected`: the one of `files` (`--ca ENV=FILE`) that is it, else
    /// `JIT_CA_<ENV>` (a file, or the key's text) where no file was named, else the agent.
    ///
    /// # Errors
    /// Where there is none, or only other keys than the policy's.
    pub fn ca_signer(
        &self,
        environment: &Name,
        expected: &PublicKey,
        files: &[CaFile],
    ) -> Result<Box<dyn Signer>, CliError> {
        ca::signer(self, environment, expected, files)
    }

    /// The log's key, which must be `expected`: from `file`, else `JIT_LOG_KEY` (a file, or the key's text), else
    /// `--key`, else the agent.
    ///
    /// # Errors
    /// Where there is none, or it is another key than the policy's.
    pub fn log_signer(&self, expected: &PublicKey, file: Option<&Path>) -> Result<Box<dyn Signer>, CliError> {
        let print = expected.fingerprint();
        if let Some(signer) = ca::named(self, file, "JIT_LOG_KEY")? {
            if signer.public_key() == expected {
                return Ok(signer);
            }
            let given = signer.public_key().fingerprint();
            return Err(CliError::failed(format!("the key is {given}, but the policy's log key is {print}"))
                .hint("--log-key FILE with the policy's key"));
        }
        if let Some(agent) = self.agent()
            && let Some(signer) = agent.signer(expected)?
        {
            return Ok(Box::new(signer));
        }
        Err(CliError::failed(format!("there is no log key ({print})"))
            .hint("--log-key FILE, or JIT_LOG_KEY=FILE, or: ssh-add FILE"))
    }

    /// The key of a witness: from `file`, else `JIT_WITNESS_KEY` (a file, or the key's text), else `--key`.
    ///
    /// # Errors
    /// Where none is named: a person's usual key is not taken for it. Where it is a hardware key.
    pub fn witness_signer(&self, file: Option<&Path>) -> Result<Box<dyn Signer>, CliError> {
        let Some(signer) = ca::named(self, file, "JIT_WITNESS_KEY")? else {
            return Err(CliError::usage("a witness has a key of its own, and none is named")
                .hint("ssh-keygen -t ed25519 -f witness-key; then: --witness-key witness-key"));
        };
        if signer.public_key().is_hardware() {
            return Err(CliError::failed("a hardware key cannot cosign: what it signs is not what a note says")
                .hint("ssh-keygen -t ed25519 -f witness-key; then: --witness-key witness-key"));
        }
        Ok(signer)
    }

    /// The agent, where one is set.
    pub fn agent(&self) -> Option<Agent> {
        self.environment.agent().map(Agent::new)
    }

    /// Asks before something is signed; `--yes` answers.
    ///
    /// # Errors
    /// Cancelled where the answer is no; usage where there is no terminal and no `--yes`.
    pub fn confirm(&self, question: &str) -> Result<(), CliError> {
        if self.global.yes || self.prompt().confirm("--yes", question)? {
            return Ok(());
        }
        Err(CliError::cancelled())
    }
}
