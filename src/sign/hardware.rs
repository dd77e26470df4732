//! The key file of a hardware key, used through `ssh-keygen -Y sign`, which talks to the device and asks for PIN and
//! passphrase (OpenSSH PROTOCOL.u2f, PROTOCOL.sshsig). Imports ports, domain and sshsig. What the program leaves is parsed
//! strictly and verified before anybody sees it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::file::KeyFile;
use crate::domain::key::{Presence, PublicKey, RawSignature};
use crate::ports::{SignError, Signer};
use crate::sshsig::{MAX_BYTES, SshSig, VerifyError};

/// How long a signature may take: a person types a PIN and touches the key.
const LIMIT: Duration = Duration::from_secs(120);
/// How often is looked whether the program has ended.
const EVERY: Duration = Duration::from_millis(20);
/// How long it may take to leave the terminal as it was.
const GRACE: Duration = Duration::from_secs(2);
/// How much of what the program said is repeated, bytes.
const SAID: u64 = 2000;

/// How `ssh-keygen` is run.
#[derive(Debug, Clone)]
pub struct Keygen {
    /// Its environment: `PATH`, `SSH_SK_PROVIDER`, `SSH_ASKPASS`, …
    pub variables: BTreeMap<OsString, OsString>,
    /// Whether it may ask at the terminal.
    pub is_interactive: bool,
    /// How long it may take.
    pub limit: Duration,
}

impl Keygen {
    /// With this environment, and a terminal to ask at or none.
    pub const fn new(variables: BTreeMap<OsString, OsString>, is_interactive: bool) -> Self {
        Self { variables, is_interactive, limit: LIMIT }
    }

    /// Whether somebody can be asked for a PIN: at the terminal, or by the program that `SSH_ASKPASS` names, under the
    /// conditions of ssh(1).
    pub fn can_ask(&self) -> bool {
        let set = |name: &str| self.variables.get(OsStr::new(name)).filter(|value| !value.is_empty());
        let required = set("SSH_ASKPASS_REQUIRE").and_then(|value| value.to_str());
        let forced = matches!(required, Some("force" | "prefer"));
        let refused = required == Some("never");
        self.is_interactive || (!refused && set("SSH_ASKPASS").is_some() && (forced || set("DISPLAY").is_some()))
    }
}

/// A hardware key whose file is here, as a [`Signer`].
#[derive(Debug, Clone)]
pub struct HardwareFileSigner {
    path: PathBuf,
    key: PublicKey,
    /// What the file says of touch and PIN; unknown where it is encrypted.
    known: Option<Presence>,
    is_encrypted: bool,
    keygen: Keygen,
}

impl HardwareFileSigner {
    /// The signer of a file that [`KeyFile::is_hardware`].
    pub fn new(file: &KeyFile, keygen: Keygen) -> Self {
        Self {
            path: file.path().to_owned(),
            key: file.public_key().clone(),
            known: file.presence(),
            is_encrypted: file.is_encrypted(),
            keygen,
        }
    }

    fn name(&self) -> String {
        format!("the hardware key {}", self.path.display())
    }

    /// Runs the program and returns what it wrote.
    fn run(&self, namespace: &str, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let broken = |cause: io::Error| SignError::Unreachable(self.name(), cause.to_string());
        // Made with mode 0700. The message is no secret, but nobody else shall exchange it.
        let folder = tempfile::Builder::new().prefix("jit-sign-").tempdir().map_err(broken)?;
        let (file, left) = (folder.path().join("event"), folder.path().join("event.sig"));
        std::fs::write(&file, message).map_err(broken)?;
        let said = folder.path().join("said");
        let mut command = Command::new("ssh-keygen");
        // ssh-keygen would ask the agent first, and only its own prompts reach the terminal.
        command.env_clear().envs(&self.keygen.variables).env_remove("SSH_AUTH_SOCK");
        command.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(&self.path).arg(&file).stdout(Stdio::null());
        if self.keygen.is_interactive {
            // Its prompts belong to the person: "Enter PIN", "Confirm user presence".
            command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
        } else {
            // In a group of its own that is not the terminal's, it cannot ask at a terminal that somebody else uses.
            command.stdin(Stdio::null()).stderr(std::fs::File::create(&said).map_err(broken)?).process_group(0);
        }
        let child = command
            .spawn()
            .map_err(|cause| SignError::Unreachable(self.name(), format!("ssh-keygen cannot be run: {cause}")))?;
        let status = self.wait(child)?;
        if !status.success() {
            return Err(SignError::Failed(self.name(), told(&said)));
        }
        let mut armored = Vec::new();
        // A byte more than a signature may have, so that one that is too large is seen to be.
        let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        std::fs::File::open(&left).and_then(|file| file.take(limit).read_to_end(&mut armored)).map_err(broken)?;
        Ok(armored)
    }

    fn wait(&self, mut child: Child) -> Result<ExitStatus, SignError> {
        let began = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if began.elapsed() < self.keygen.limit => std::thread::sleep(EVERY),
                Ok(None) => {
                    self.end(&mut child);
                    return Err(SignError::Timeout(self.name(), self.keygen.limit.as_secs()));
                }
                Err(cause) => {
                    self.end(&mut child);
                    return Err(SignError::Unreachable(self.name(), cause.to_string()));
                }
            }
        }
    }

    /// Ends it, and what it started: the helper that waits for the device.
    fn end(&self, child: &mut Child) {
        let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        match number {
            Some(group) if !self.keygen.is_interactive => {
                let _ = kill_process_group(group, Signal::KILL);
            }
            // Asked first: it may have turned the terminal's echo off, and turns it on again before it goes.
            Some(number) => {
                let _ = kill_process(number, Signal::TERM);
                let began = Instant::now();
                while began.elapsed() < GRACE && matches!(child.try_wait(), Ok(None)) {
                    std::thread::sleep(EVERY);
                }
            }
            None => {}
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Signer for HardwareFileSigner {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Never signs: `ssh-keygen -Y sign` hashes messages on its own and signs nothing else.
    fn sign(&self, _: &[u8]) -> Result<RawSignature, SignError> {
        Err(SignError::OnlyMessages(self.name()))
    }

    fn sign_message(&self, namespace: &str, message: &[u8]) -> Result<RawSignature, SignError> {
        self.ready()?;
        let armored = self.run(namespace, message)?;
        let signature = SshSig::parse(&armored).map_err(|_| SignError::Malformed(self.name()))?;
        let is_meant = *signature.public_key() == self.key && signature.namespace() == namespace;
        // A good signature of a key for another application is told as K05 by whoever judges the event.
        let is_good = !matches!(signature.verify(message), Err(VerifyError::Signature | VerifyError::Kind));
        if !is_meant || !is_good {
            return Err(SignError::Malformed(self.name()));
        }
        Ok(signature.raw().clone())
    }

    fn ready(&self) -> Result<(), SignError> {
        // Without anybody to ask, ssh-keygen takes an empty PIN, and a device counts wrong ones.
        if self.keygen.can_ask() {
            return Ok(());
        }
        if self.is_encrypted {
            return Err(SignError::NobodyToAsk(self.name(), "its passphrase"));
        }
        if self.known.is_some_and(|known| known.pin) {
            return Err(SignError::NobodyToAsk(self.name(), "its PIN"));
        }
        Ok(())
    }

    fn presence(&self) -> Presence {
        self.known.unwrap_or(Presence::at_best(&self.key))
    }
}

/// The last of what the program said, on one line.
fn told(said: &Path) -> String {
    let mut text = String::new();
    if let Ok(file) = std::fs::File::open(said) {
        let _ = file.take(SAID).read_to_string(&mut text);
    }
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.map_or_else(|| "ssh-keygen failed, and said why above".to_owned(), str::to_owned)
}
