//! A small client of ssh-agent (draft-ietf-sshm-ssh-agent, OpenSSH PROTOCOL.agent): lists keys and has them sign, over a
//! Unix socket. Imports ports and domain. Nothing that comes back is trusted: lengths are bounded, blobs are parsed to
//! the end, and whether a signature verifies is for the caller to say.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::key::{HardwareSignature, Presence, PublicKey, RawSignature, Wire, put_string};
use crate::ports::{SignError, Signer};

/// OpenSSH's own limit of an agent message (`AGENT_MAX_LEN`), bytes.
const LARGEST_MESSAGE: usize = 256 * 1024;
/// How long a list may take: nobody is asked anything.
const LIST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a signature may take: a person confirms, touches a key, types a PIN.
const SIGN_TIMEOUT: Duration = Duration::from_secs(120);

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// Why the agent was of no use.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Nothing listens at the socket.
    #[error("no ssh-agent answers at {path}: {1}", path = .0.display())]
    Connect(PathBuf, #[source] io::Error),
    /// It did not answer in time (seconds).
    #[error("ssh-agent did not answer within {0} s")]
    Timeout(u64),
    /// The connection broke.
    #[error("the connection to ssh-agent broke: {0}")]
    Io(#[source] io::Error),
    /// It said no (`SSH_AGENT_FAILURE`): locked, not confirmed, not touched, or it does not hold the key.
    #[error("ssh-agent refused")]
    Refused,
    /// Its answer, or what it was to be sent, is larger than 256 KiB.
    #[error("a message of {0} bytes is too large for ssh-agent")]
    TooLarge(usize),
    /// Its answer is not what the protocol says; where.
    #[error("ssh-agent's answer is malformed: {0}")]
    Malformed(&'static str),
}

/// A key that the agent holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its public half.
    pub key: PublicKey,
    /// Its comment, as the agent has it: text from outside.
    pub comment: String,
}

/// The agent behind a socket. Each call connects anew.
#[derive(Debug, Clone)]
pub struct Agent {
    socket: PathBuf,
}

impl Agent {
    /// The agent that listens at `socket` (what `SSH_AUTH_SOCK` names). Does not connect yet.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The keys it holds of the two kinds that a ledger knows, in its order. Others (RSA, certificates, weak keys) are
    /// left out.
    ///
    /// # Errors
    /// The cause, as [`AgentError`] has them.
    pub fn identities(&self) -> Result<Vec<Identity>, AgentError> {
        let answer = self.ask(&[REQUEST_IDENTITIES], LIST_TIMEOUT)?;
        parse_identities(&answer)
    }

    /// A signer for `key`, if the agent holds it.
    ///
    /// # Errors
    /// The cause, as [`AgentError`] has them.
    pub fn signer(&self, key: &PublicKey) -> Result<Option<AgentSigner>, AgentError> {
        let held = self.identities()?.iter().any(|identity| identity.key == *key);
        Ok(held.then(|| AgentSigner { agent: self.clone(), key: key.clone(), known: None }))
    }

    /// Has `key` sign `data`. A hardware key waits for a touch meanwhile; telling the person is the caller's matter.
    ///
    /// # Errors
    /// The cause, as [`AgentError`] has them.
    pub fn sign(&self, key: &PublicKey, data: &[u8]) -> Result<RawSignature, AgentError> {
        let mut request = vec![SIGN_REQUEST];
        put_string(&mut request, &key.blob());
        put_string(&mut request, data);
        request.extend_from_slice(&0_u32.to_be_bytes()); // no flags: they choose hashes for RSA
        let answer = self.ask(&request, SIGN_TIMEOUT)?;
        parse_signature(&answer, key)
    }

    /// Sends one message and returns the other side's one answer, its type byte included.
    fn ask(&self, message: &[u8], timeout: Duration) -> Result<Vec<u8>, AgentError> {
        if message.len() > LARGEST_MESSAGE {
            return Err(AgentError::TooLarge(message.len()));
        }
        let mut stream = UnixStream::connect(&self.socket).map_err(|e| AgentError::Connect(self.socket.clone(), e))?;
        exchange(&mut stream, message, timeout).map_err(|e| match e {
            // Unix reports a socket's timeout as WouldBlock.
            AgentError::Io(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                AgentError::Timeout(timeout.as_secs())
            }
            other => other,
        })
    }
}

fn exchange(stream: &mut UnixStream, message: &[u8], timeout: Duration) -> Result<Vec<u8>, AgentError> {
    stream.set_read_timeout(Some(timeout)).map_err(AgentError::Io)?;
    stream.set_write_timeout(Some(timeout)).map_err(AgentError::Io)?;
    let mut framed = Vec::with_capacity(message.len().saturating_add(4));
    put_string(&mut framed, message);
    stream.write_all(&framed).map_err(AgentError::Io)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(AgentError::Io)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LARGEST_MESSAGE {
        return Err(AgentError::TooLarge(length));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).map_err(AgentError::Io)?;
    Ok(answer)
}

/// `byte 12, uint32 count, count × (string blob, string comment)`
/// The answer to a request for the keys (`SSH_AGENT_IDENTITIES_ANSWER`): those of a kind that a ledger uses.
///
/// # Errors
/// [`AgentError::Refused`], or [`AgentError::Malformed`] where it is no such answer to its end.
pub fn parse_identities(answer: &[u8]) -> Result<Vec<Identity>, AgentError> {
    let mut wire = Wire::new(answer);
    expect_type(&mut wire, IDENTITIES_ANSWER)?;
    let count = wire.u32().ok_or(AgentError::Malformed("the number of keys is missing"))?;
    let mut identities = Vec::new();
    // At most as many turns as the answer has bytes: each takes at least eight of them.
    for _ in 0..count {
        let (Some(blob), Some(comment)) = (wire.string(), wire.string()) else {
            return Err(AgentError::Malformed("the list of keys is cut off"));
        };
        if let Ok(key) = PublicKey::from_blob(blob) {
            identities.push(Identity { key, comment: String::from_utf8_lossy(comment).into_owned() });
        }
    }
    if wire.is_empty() { Ok(identities) } else { Err(AgentError::Malformed("bytes follow the list of keys")) }
}

/// `byte 14, string signature`, in it `string label, string R ‖ S [, byte flags, uint32 counter]` (PROTOCOL.u2f).
/// The answer to a request for a signature by `key` (`SSH_AGENT_SIGN_RESPONSE`).
///
/// # Errors
/// [`AgentError::Refused`], or [`AgentError::Malformed`] where it is no such answer to its end.
pub fn parse_signature(answer: &[u8], key: &PublicKey) -> Result<RawSignature, AgentError> {
    let mut wire = Wire::new(answer);
    expect_type(&mut wire, SIGN_RESPONSE)?;
    let signature = wire.string().ok_or(AgentError::Malformed("the signature is cut off"))?;
    if !wire.is_empty() {
        return Err(AgentError::Malformed("bytes follow the signature"));
    }
    let mut wire = Wire::new(signature);
    if wire.string() != Some(key.label().as_bytes()) {
        return Err(AgentError::Malformed("the signature is of another type than the key"));
    }
    let bytes = wire
        .string()
        .and_then(|bytes| <[u8; 64]>::try_from(bytes).ok())
        .ok_or(AgentError::Malformed("the signature has not 64 bytes"))?;
    let hardware = if key.is_hardware() {
        let (Some(flags), Some(counter)) = (wire.u8(), wire.u32()) else {
            return Err(AgentError::Malformed("the signature lacks flags and counter"));
        };
        Some(HardwareSignature { flags, counter })
    } else {
        None
    };
    if !wire.is_empty() {
        return Err(AgentError::Malformed("bytes follow within the signature"));
    }
    Ok(RawSignature { bytes, hardware })
}

fn expect_type(wire: &mut Wire<'_>, expected: u8) -> Result<(), AgentError> {
    match wire.u8() {
        Some(found) if found == expected => Ok(()),
        Some(FAILURE) => Err(AgentError::Refused),
        Some(_) => Err(AgentError::Malformed("it is of another type")),
        None => Err(AgentError::Malformed("it is empty")),
    }
}

/// A key that the agent holds, as a [`Signer`].
#[derive(Debug, Clone)]
pub struct AgentSigner {
    agent: Agent,
    key: PublicKey,
    known: Option<Presence>,
}

impl AgentSigner {
    /// The same, knowing what the key's file says of touch and PIN. The agent does not tell.
    #[must_use]
    pub fn knowing(self, known: Option<Presence>) -> Self {
        Self { known, ..self }
    }
}

impl Signer for AgentSigner {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn sign(&self, data: &[u8]) -> Result<RawSignature, SignError> {
        let name = || format!("ssh-agent (key {})", self.key.fingerprint());
        self.agent.sign(&self.key, data).map_err(|e| match e {
            AgentError::Refused => SignError::Refused(name()),
            AgentError::Malformed(_) => SignError::Malformed(name()),
            AgentError::Timeout(seconds) => SignError::Timeout(name(), seconds),
            AgentError::Connect(..) | AgentError::Io(_) | AgentError::TooLarge(_) => {
                SignError::Unreachable(name(), e.to_string())
            }
        })
    }

    fn presence(&self) -> Presence {
        self.known.unwrap_or(Presence::at_best(&self.key))
    }
}

#[cfg(test)]
mod tests;
