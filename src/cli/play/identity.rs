//! The recorder's key: a private key file. ssh-agent signs and does nothing else, so it is of no help here.

use std::path::{Path, PathBuf};

use super::super::Context;
use super::super::error::CliError;
use crate::sign::{KeyFile, KeyFileError, NoPassphrase, Opener};

/// How often a passphrase is asked for.
const PASSPHRASE_TRIES: usize = 3;

/// Opens the key that `--identity` names, else the one that would sign.
///
/// # Errors
/// Where it is no private key file, or does not open.
pub fn open(context: &Context, named: Option<&Path>) -> Result<Opener, CliError> {
    let path = match named {
        Some(named) => context.resolve(named),
        None => private_half(context.key_path()?),
    };
    let only_files = "ssh-agent can sign but not open: name the recorder's private key file with --identity FILE";
    let mut left = PASSPHRASE_TRIES;
    loop {
        let file = match KeyFile::read(&path) {
            Ok(file) if file.is_hardware() => {
                return Err(CliError::failed(format!(
                    "{} belongs to a hardware key, which cannot open recordings",
                    path.display()
                ))
                .hint(only_files));
            }
            Ok(file) => file,
            Err(error @ (KeyFileError::Public(_) | KeyFileError::NotFound(_))) => {
                return Err(CliError::from(error).hint(only_files));
            }
            Err(error) => return Err(error.into()),
        };
        left -= 1;
        let mut cancelled = None;
        let prompt = context.prompt();
        let unlocked = file.unlock(&mut |file| {
            if !prompt.is_available() {
                return Err(NoPassphrase("there is no terminal to ask for it".to_owned()));
            }
            prompt.password("--identity", &format!("Passphrase of {}", file.display())).map_err(|error| {
                let told = NoPassphrase(error.message().to_owned());
                cancelled = Some(error);
                told
            })
        });
        match (unlocked, cancelled) {
            (Ok(signer), _) => return Ok(signer.into_opener()),
            (Err(_), Some(cancelled)) => return Err(cancelled),
            (Err(KeyFileError::WrongPassphrase(_)), None) if left > 0 => {
                context.output.note("Wrong passphrase, try again.");
            }
            (Err(error @ KeyFileError::NoPassphrase(..)), None) => {
                return Err(CliError::from(error).hint("run it at a terminal; ssh-agent can sign but not open"));
            }
            (Err(error), None) => return Err(error.into()),
        }
    }
}

/// Of a signing key that is named by its public half: the private one beside it.
fn private_half(path: PathBuf) -> PathBuf {
    if path.extension().is_some_and(|extension| extension == "pub") { path.with_extension("") } else { path }
}
