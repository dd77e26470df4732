//! The keys of the person who types: where they lie, what their signatures can show, and which one signs. In order:
//!
//! 1. `--key` (or `JIT_KEY`): that one and no other.
//! 2. The configuration's key, `~/.ssh/id_ed25519`, `~/.ssh/id_ed25519_sk`: the first that is there.
//! 3. Where the policy does not know that one, or there is none: the one key of the person's in `~/.ssh` or ssh-agent.
//!
//! Where a role demands touch or PIN and the key of 2 or 3 cannot show it, the one key of the person's that can. Two that
//! could are told, and nothing is guessed.

use std::fs;
use std::path::PathBuf;

use super::Context;
use super::context::Announced;
use super::error::CliError;
use crate::domain::finding::Code;
use crate::domain::id::Name;
use crate::domain::key::{Presence, PublicKey};
use crate::domain::policy::{Mfa, Policy};
use crate::ports::Signer;
use crate::sign::file::read_public;
use crate::sign::{KeyFile, KeyFileError};

/// A key that this person could sign with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnKey {
    /// Its public half.
    pub key: PublicKey,
    /// What `--key` would name: the private file, or the public one where the agent holds the private half.
    pub file: Option<PathBuf>,
    /// Whether the agent holds it.
    pub in_agent: bool,
    /// Whether the private file, or a hardware key's handle, is there.
    pub in_file: bool,
    /// What its signatures will show, where its file says so.
    pub known: Option<Presence>,
}

/// Whether a key can sign what a role demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It can.
    Yes,
    /// Its kind can; what it was made with is not known here.
    Perhaps,
    /// It cannot; what is missing.
    No(&'static str),
}

impl OwnKey {
    /// Whether it can sign what demands `mfa`. Every hardware key must show touch (K05).
    pub fn fits(&self, mfa: Mfa) -> Fit {
        if !self.key.is_hardware() {
            return match mfa {
                Mfa::None => Fit::Yes,
                Mfa::Touch => Fit::No("wants touch"),
                Mfa::TouchPin => Fit::No("wants touch and PIN"),
            };
        }
        match (self.known, mfa) {
            (Some(known), _) if !known.touch => Fit::No("made with no-touch-required"),
            (Some(known), Mfa::TouchPin) if !known.pin => Fit::No("wants a PIN, made without verify-required"),
            (Some(_), _) => Fit::Yes,
            (None, _) => Fit::Perhaps,
        }
    }

    /// The signer of it.
    ///
    /// # Errors
    /// Where it does not open.
    pub fn open(&self, context: &Context) -> Result<Box<dyn Signer>, CliError> {
        if let Some(file) = &self.file {
            return context.open_key(file);
        }
        let signer = match context.agent() {
            Some(agent) => agent.signer(&self.key)?,
            None => None,
        };
        let Some(signer) = signer else {
            return Err(CliError::failed(format!("ssh-agent no longer holds {}", self.key.fingerprint()))
                .hint("ssh-add -l shows what it holds"));
        };
        Ok(Announced::wrap(Box::new(signer), None, &context.output))
    }

    /// What people call it.
    pub fn name(&self) -> String {
        match &self.file {
            Some(file) => format!("{} ({})", file.display(), self.key.fingerprint()),
            None => format!("{} in ssh-agent", self.key.fingerprint()),
        }
    }

    /// What to type so that it signs.
    fn flag(&self) -> String {
        match &self.file {
            Some(file) => format!("--key {}", file.display()),
            None => {
                format!("ssh-add -L shows {}; write its line to FILE.pub, then: --key FILE.pub", self.key.fingerprint())
            }
        }
    }

    /// Whether its private half is here.
    pub const fn is_usable(&self) -> bool {
        self.in_agent || self.in_file
    }
}

/// All keys that are found: the one that would sign, those of `~/.ssh`, those in the agent. Each once.
pub fn all(context: &Context) -> Vec<OwnKey> {
    let held = context.agent().and_then(|agent| agent.identities().ok()).unwrap_or_default();
    let held: Vec<PublicKey> = held.into_iter().map(|identity| identity.key).collect();
    let mut files: Vec<PathBuf> = context.key_path().into_iter().collect();
    files.extend(folder(context));
    let mut found: Vec<OwnKey> = Vec::new();
    for file in files {
        if let Some(key) = look(file, &held)
            && !found.iter().any(|known| known.key == key.key)
        {
            found.push(key);
        }
    }
    for key in held {
        if !found.iter().any(|known| known.key == key) {
            found.push(OwnKey { key, file: None, in_agent: true, in_file: false, known: None });
        }
    }
    found
}

/// What lies in `~/.ssh`: each private key file that has its public half beside it.
fn folder(context: &Context) -> Vec<PathBuf> {
    let Some(folder) = context.environment.home().map(|home| home.join(".ssh")) else { return Vec::new() };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "pub"))
        .filter(|path| !path.to_string_lossy().ends_with("-cert.pub"))
        .map(|path| path.with_extension(""))
        .collect();
    files.sort();
    files
}

/// What `file` is: a private key file, or the name of one whose public half lies beside it. `None` where it is neither.
fn look(file: PathBuf, held: &[PublicKey]) -> Option<OwnKey> {
    let in_agent = |key: &PublicKey| held.contains(key);
    let is_public = file.extension().is_some_and(|extension| extension == "pub");
    let (private, public) = if is_public {
        (file.with_extension(""), file.clone())
    } else {
        let mut public = file.clone().into_os_string();
        public.push(".pub");
        (file.clone(), PathBuf::from(public))
    };
    match KeyFile::read(&private) {
        Ok(read) if !is_public || read_public(&public).is_ok_and(|key| key == *read.public_key()) => {
            let (key, known) = (read.public_key().clone(), read.presence());
            Some(OwnKey { in_agent: in_agent(&key), key, file: Some(file), in_file: true, known })
        }
        Err(KeyFileError::Public(path)) => {
            let key = read_public(&path).ok()?;
            Some(OwnKey { in_agent: in_agent(&key), key, file: Some(file), in_file: false, known: None })
        }
        _ => {
            let key = read_public(&public).ok()?;
            Some(OwnKey { in_agent: in_agent(&key), key, file: Some(public), in_file: false, known: None })
        }
    }
}

/// The key that signs where nothing is known of what is signed; says so where it is not the one that would be expected.
///
/// # Errors
/// Where there is none.
pub fn default(context: &Context, policy: &Policy) -> Result<OwnKey, CliError> {
    let found = context.key_path().and_then(|path| {
        let key = context.public_key()?;
        let looked = look(path.clone(), &[]);
        let (in_file, known) = looked.map_or((false, None), |looked| (looked.in_file, looked.known));
        Ok(OwnKey { key, file: Some(path), in_agent: false, in_file, known })
    });
    let is_known = found.as_ref().is_ok_and(|own| policy.actor_of_key(&own.key).is_some());
    if context.global.key.is_some() || is_known {
        return found;
    }
    let named = match &context.global.actor {
        Some(named) => Some(named),
        None => context.config()?.member.as_ref(),
    };
    let is_mine = |own: &OwnKey| {
        let owner = policy.actor_of_key(&own.key);
        owner.is_some_and(|owner| policy.is_member(owner) && named.is_none_or(|named| named == owner))
    };
    let mine: Vec<OwnKey> = all(context).into_iter().filter(|own| own.is_usable() && is_mine(own)).collect();
    match (&*mine, found) {
        ([only], _) => {
            context.output.detail(format!("signing with {}", only.name()));
            Ok(only.clone())
        }
        ([], found) => found,
        (several, _) => Err(choose(several, "several keys here are in the policy", None)),
    }
}

/// The key of `member`'s that can show what `mfa` demands, where `present` cannot.
///
/// # Errors
/// K05 where none can, where several could, or where `--key` names the present one; with what to type.
pub fn fitting(
    context: &Context,
    policy: &Policy,
    member: &Name,
    present: &PublicKey,
    mfa: Mfa,
) -> Result<OwnKey, CliError> {
    let others: Vec<OwnKey> = all(context)
        .into_iter()
        .filter(|own| own.is_usable() && own.key != *present && policy.actor_of_key(&own.key) == Some(member))
        .collect();
    let with = |wanted: Fit| -> Vec<OwnKey> { others.iter().filter(|own| own.fits(mfa) == wanted).cloned().collect() };
    // A key that is known to do comes before one of which only the kind is known.
    let mut able = with(Fit::Yes);
    if able.is_empty() {
        able = with(Fit::Perhaps);
    }
    let why = if mfa == Mfa::None {
        format!(
            "the key {} was made with no-touch-required, and every hardware key's signature must show a touch",
            present.fingerprint()
        )
    } else {
        format!("mfa = {mfa} is demanded, and the key {} cannot show that", present.fingerprint())
    };
    match &*able {
        [] => Err(CliError::refused(why).hint(make(context, member, mfa)).rule(Code::K05)),
        [only] if context.global.key.is_none() => Ok(only.clone()),
        several => Err(choose(several, &why, Some(Code::K05))),
    }
}

fn choose(keys: &[OwnKey], why: &str, rule: Option<Code>) -> CliError {
    let flags: Vec<String> = keys.iter().map(OwnKey::flag).collect();
    let error = CliError::refused(why).hint(flags.join("; or "));
    match rule {
        Some(rule) => error.rule(rule),
        None => error.rule(Code::K04),
    }
}

/// How to make a key that shows what is demanded, in a file that is not there yet.
pub fn make(context: &Context, member: &Name, mfa: Mfa) -> String {
    let (option, name) = match mfa {
        Mfa::TouchPin => (" -O verify-required", "id_ed25519_sk_pin"),
        Mfa::None | Mfa::Touch => ("", "id_ed25519_sk"),
    };
    let home = context.environment.home();
    let is_taken = |name: &str| home.as_ref().is_some_and(|home| home.join(".ssh").join(name).exists());
    let free = (2..10).map(|count| format!("{name}_{count}")).find(|name| !is_taken(name));
    let name = if is_taken(name) { free.unwrap_or_default() } else { name.to_owned() };
    format!(
        "plug a security key in, then: ssh-keygen -t ed25519-sk{option} -f ~/.ssh/{name}; \
         then: jit member rotate-key {member} --new ~/.ssh/{name} --keep-old"
    )
}
