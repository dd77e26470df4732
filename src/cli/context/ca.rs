//! Where a key that works unattended is found: a CA's, the log's, a witness's. The key's text in a variable is used from
//! memory and written nowhere.
//!
//! Several CA keys may be named for one environment, and the agent may hold several: the policy in force says which of
//! them is the CA. So a minter that was given the old and the new key goes on through a change of the CA.

use std::ffi::OsStr;
use std::path::Path;

use ssh_key::private::KeypairData;
use zeroize::Zeroizing;

use super::super::args::CaFile;
use super::super::error::CliError;
use super::Context;
use crate::domain::id::Name;
use crate::domain::key::PublicKey;
use crate::ports::Signer;
use crate::sign::FileSigner;

/// A place where a key was looked for, and what was there instead.
struct Other {
    place: String,
    key: PublicKey,
}

pub(super) fn signer(
    context: &Context,
    environment: &Name,
    expected: &PublicKey,
    files: &[CaFile],
) -> Result<Box<dyn Signer>, CliError> {
    let mut others = Vec::new();
    for named in files.iter().filter(|named| named.environment == *environment) {
        let path = context.resolve(&named.file);
        // Asked of the public half: nobody types the passphrase of a key that is not wanted.
        let key = context.public_key_of(&path)?;
        if key == *expected {
            return checked(context.open_key(&path)?, environment, expected);
        }
        others.push(Other { place: path.display().to_string(), key });
    }
    let variable = variable(environment);
    if let Some(value) = context.environment.variable(&variable).filter(|_| others.is_empty()) {
        return checked(from_variable(context, &variable, value)?, environment, expected);
    }
    // An agent that does not answer is only of interest where no other place was named.
    let held = context.agent().map(|agent| agent.signer(expected)).transpose();
    match held {
        Ok(Some(Some(signer))) => return Ok(Box::new(signer)),
        Err(error) if others.is_empty() => {
            return Err(CliError::from(error).context(format!("the CA key of {environment} cannot be found")));
        }
        Ok(Some(None) | None) | Err(_) => {}
    }
    let named = expected.fingerprint();
    if let Some(other) = others.last() {
        let mut error = CliError::failed(format!(
            "the CA key of {environment} is {}, but the policy names {named}",
            other.key.fingerprint()
        ));
        for other in &others {
            error = error.because(format!("{} is {}", other.place, other.key.fingerprint()));
        }
        return Err(error.hint(format!("--ca {environment}=FILE with the policy's key, or: ssh-add FILE")));
    }
    Err(CliError::failed(format!("there is no CA key for {environment} ({named})"))
        .hint(format!("--ca {environment}=FILE, or {variable}=FILE, or: ssh-add FILE")))
}

/// `JIT_CA_<ENV>`: upper case, and `_` for what a variable's name cannot have.
pub(super) fn variable(environment: &Name) -> String {
    let name = environment.as_str().to_ascii_uppercase().replace(['-', '.'], "_");
    format!("JIT_CA_{name}")
}

fn from_variable(context: &Context, variable: &str, value: &OsStr) -> Result<Box<dyn Signer>, CliError> {
    let Some(text) = value.to_str().filter(|text| text.trim_start().starts_with("-----BEGIN OPENSSH")) else {
        return context.open_key(&context.resolve(Path::new(value)));
    };
    // Secrets of CI systems lose their last line end, which the format demands.
    let text = Zeroizing::new(format!("{}\n", text.trim()));
    let bad = |why: String| CliError::failed(format!("{variable} holds no usable key")).because(why);
    let key = ssh_key::PrivateKey::from_openssh(text.as_bytes()).map_err(|e| bad(e.to_string()))?;
    if key.is_encrypted() {
        return Err(bad("it is encrypted".to_owned()).hint("give a key without passphrase, or use ssh-agent"));
    }
    let KeypairData::Ed25519(pair) = key.key_data() else {
        return Err(bad("it is no ssh-ed25519 key".to_owned()).hint("ssh-keygen -t ed25519"));
    };
    let seed: &[u8; 32] = pair.private.as_ref();
    Ok(Box::new(FileSigner::from_seed(*seed).map_err(|e| bad(e.to_string()))?))
}

/// The key named by `file`, else by `variable` (a file, or the key's text), else by `--key` or `JIT_KEY`.
///
/// # Errors
/// Where none is named, or it does not open.
pub(super) fn named(
    context: &Context,
    file: Option<&Path>,
    variable: &str,
) -> Result<Option<Box<dyn Signer>>, CliError> {
    if let Some(file) = file {
        return context.open_key(&context.resolve(file)).map(Some);
    }
    if let Some(value) = context.environment.variable(variable) {
        return from_variable(context, variable, value).map(Some);
    }
    context.global.key.as_ref().map(|file| context.open_key(&context.resolve(file))).transpose()
}

fn checked(signer: Box<dyn Signer>, environment: &Name, expected: &PublicKey) -> Result<Box<dyn Signer>, CliError> {
    if signer.public_key() == expected {
        return Ok(signer);
    }
    let (given, named) = (signer.public_key().fingerprint(), expected.fingerprint());
    Err(CliError::failed(format!("the CA key of {environment} is {given}, but the policy names {named}"))
        .hint(format!("--ca {environment}=FILE with the policy's key")))
}
