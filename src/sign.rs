//! Where keys live: private key files, ssh-agent, and hardware keys behind `ssh-keygen`. Implements the [`Signer`] port;
//! imports ports, domain and sshsig. [`open`] finds the one that a `--key` means.

use std::path::{Path, PathBuf};

pub mod agent;
pub mod file;
pub mod hardware;

pub use agent::{Agent, AgentError, AgentSigner, Identity};
pub use file::{AskPassphrase, FileSigner, KeyFile, KeyFileError, NoPassphrase, Opener};
pub use hardware::{HardwareFileSigner, Keygen};

use crate::domain::key::{Presence, PublicKey};
use crate::ports::Signer;

/// Which key is meant, and where to look for it.
#[derive(Debug, Clone)]
pub struct KeySpec {
    /// A private key file, or a public key file whose private half the agent holds or that lies beside it.
    pub path: PathBuf,
    /// The agent's socket (what `SSH_AUTH_SOCK` names), if there is one.
    pub agent: Option<PathBuf>,
    /// How `ssh-keygen` is run, for a hardware key's file.
    pub keygen: Keygen,
}

/// Why no signer was found.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The key file is of no use.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The agent that should hold the key cannot be asked, and there is no private key file either.
    #[error("the private half of {} is in no file, and {cause}", key.fingerprint())]
    Agent {
        /// The key.
        key: Box<PublicKey>,
        /// What the agent said.
        #[source]
        cause: AgentError,
    },
    /// There is no agent (`SSH_AUTH_SOCK` is not set), and no private key file.
    #[error("the private half of {} is in no file, and no ssh-agent runs", .0.fingerprint())]
    NoAgent(Box<PublicKey>),
    /// The agent does not hold the key, and there is no private key file.
    #[error("the private half of {} is in no file, and ssh-agent does not hold it", .0.fingerprint())]
    NotHeld(Box<PublicKey>),
    /// The private key file beside a public one is another key's.
    #[error("{} is not the private half of {}", private.display(), public.display())]
    OtherPair {
        /// The public key file.
        public: PathBuf,
        /// The private key file.
        private: PathBuf,
    },
}

/// Finds the signer that `spec` means. Nothing is signed, and `passphrase` is asked at most once, and only where nothing
/// else will do:
///
/// - a **public** key file (named `….pub`, or one that holds a public key): the key in the agent; else the private file
///   beside it, without `.pub`;
/// - a **private** key file: the file; but the agent where the file is encrypted and the agent holds its key already;
/// - the file of a **hardware key**: the agent where it holds the key, else `ssh-keygen` with the file; but `ssh-keygen`
///   first where a PIN is to be typed and there is a terminal, for the agent often has nobody to ask;
/// - no such file, but one of that name with `.pub`: as if that were named.
///
/// # Errors
/// [`OpenError`]; the cause in each case.
pub fn open(spec: &KeySpec, passphrase: &mut AskPassphrase<'_>) -> Result<Box<dyn Signer>, OpenError> {
    let agent = spec.agent.as_ref().map(Agent::new);
    if spec.path.extension().is_some_and(|extension| extension == "pub") {
        return open_public(&spec.path, agent.as_ref(), &spec.keygen, passphrase);
    }
    match KeyFile::read(&spec.path) {
        Ok(file) => open_private(file, agent.as_ref(), &spec.keygen, passphrase),
        Err(KeyFileError::Public(path)) => open_public(&path, agent.as_ref(), &spec.keygen, passphrase),
        Err(KeyFileError::NotFound(path)) => {
            let public = file::public_path(&path);
            if public.is_file() {
                return open_public(&public, agent.as_ref(), &spec.keygen, passphrase);
            }
            Err(KeyFileError::NotFound(path).into())
        }
        Err(other) => Err(other.into()),
    }
}

fn open_private(
    file: KeyFile,
    agent: Option<&Agent>,
    keygen: &Keygen,
    passphrase: &mut AskPassphrase<'_>,
) -> Result<Box<dyn Signer>, OpenError> {
    if file.is_hardware() {
        let asks = file.is_encrypted() || file.presence().is_some_and(|known| known.pin);
        if !(asks && keygen.is_interactive)
            && let Asked::Held(signer) = ask_agent(file.public_key(), agent)
        {
            return Ok(Box::new(signer.knowing(file.presence())));
        }
        return Ok(Box::new(HardwareFileSigner::new(&file, keygen.clone())));
    }
    // A key that was unlocked once this session is not unlocked again.
    if file.is_encrypted()
        && let Asked::Held(signer) = ask_agent(file.public_key(), agent)
    {
        return Ok(Box::new(signer));
    }
    Ok(Box::new(file.unlock(passphrase)?))
}

fn open_public(
    path: &Path,
    agent: Option<&Agent>,
    keygen: &Keygen,
    passphrase: &mut AskPassphrase<'_>,
) -> Result<Box<dyn Signer>, OpenError> {
    let key = file::read_public(path)?;
    let beside = path.with_extension("");
    let not_held = match ask_agent(&key, agent) {
        Asked::Held(signer) => return Ok(Box::new(signer.knowing(known(&beside, &key)))),
        not_held => not_held,
    };
    if beside == path {
        return Err(not_held.into_error(key));
    }
    match KeyFile::read(&beside) {
        Ok(file) if *file.public_key() != key => Err(OpenError::OtherPair { public: path.to_owned(), private: beside }),
        Ok(file) if file.is_hardware() => Ok(Box::new(HardwareFileSigner::new(&file, keygen.clone()))),
        Ok(file) => Ok(Box::new(file.unlock(passphrase)?)),
        Err(KeyFileError::NotFound(_)) => Err(not_held.into_error(key)),
        Err(other) => Err(other.into()),
    }
}

/// What the file of a hardware key says of touch and PIN, where `private` is that key's file.
fn known(private: &Path, key: &PublicKey) -> Option<Presence> {
    let file = if key.is_hardware() { KeyFile::read(private).ok()? } else { return None };
    if file.public_key() == key { file.presence() } else { None }
}

/// What came of asking the agent for a key.
enum Asked {
    Held(AgentSigner),
    NotHeld,
    NoAgent,
    Failed(AgentError),
}

fn ask_agent(key: &PublicKey, agent: Option<&Agent>) -> Asked {
    let Some(agent) = agent else { return Asked::NoAgent };
    match agent.signer(key) {
        Ok(Some(signer)) => Asked::Held(signer),
        Ok(None) => Asked::NotHeld,
        Err(cause) => Asked::Failed(cause),
    }
}

impl Asked {
    /// Why there is no signer, where the agent was the last hope.
    fn into_error(self, key: PublicKey) -> OpenError {
        let key = Box::new(key);
        match self {
            Self::Held(_) | Self::NotHeld => OpenError::NotHeld(key),
            Self::NoAgent => OpenError::NoAgent(key),
            Self::Failed(cause) => OpenError::Agent { key, cause },
        }
    }
}
