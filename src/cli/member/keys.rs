//! New keys and the proofs that their holders hold them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::super::Context;
use super::super::error::CliError;
use super::super::turn::Turn;
use super::super::view::proofs::FILE;
use crate::domain::finding::Code;
use crate::domain::id::{Digest, Name};
use crate::domain::key::PublicKey;
use crate::domain::policy::Policy;
use crate::ports::Signer;
use crate::sign::file::read_public;
use crate::sshsig::enrolment::{Enrolment, MAX_BYTES, NAMESPACE, Proof, parse_all};

/// New keys for `name`, each with its proof.
pub(super) struct New<'a> {
    /// Whose they shall be.
    pub name: &'a Name,
    /// `--new`: key files.
    pub keys: &'a [PathBuf],
    /// `--proof`: proofs.
    pub proofs: &'a [PathBuf],
    /// Whether a key without a proof may be proven here, by the private half.
    pub here: bool,
}

/// Reads and checks proofs, and makes those that can be made here.
///
/// # Errors
/// Refused where a key has no proof, or a proof does not hold.
pub(super) fn proven(context: &Context, turn: &Turn, new: &New<'_>) -> Result<Vec<Proof>, CliError> {
    let ledger = ledger_of(turn)?;
    let mut proofs: Vec<Proof> = Vec::new();
    for file in new.proofs {
        let proof = read(context, file, ledger, new.name)?;
        if proofs.iter().any(|known| known.said().key == proof.said().key) {
            return Err(twice(&proof.said().key));
        }
        proofs.push(proof);
    }
    let mut seen: Vec<PublicKey> = Vec::new();
    for file in new.keys {
        let path = context.resolve(file);
        let key = public_half(&path)?;
        if seen.contains(&key) {
            return Err(twice(&key));
        }
        if !proofs.iter().any(|proof| proof.said().key == key) {
            if !new.here {
                return Err(unproven(new.name, &key, ledger));
            }
            proofs.push(made(context, &path, &key, ledger, new.name)?);
        }
        seen.push(key);
    }
    // Whoever names the keys too means exactly these.
    if !new.keys.is_empty()
        && let Some(other) = proofs.iter().find(|proof| !seen.contains(&proof.said().key))
    {
        let key = other.said().key.fingerprint();
        return Err(CliError::refused(format!("a proof is for the key {key}, which --new does not name"))
            .hint("leave --new out to take the keys of the proofs"));
    }
    for proof in &proofs {
        is_free(turn, new.name, &proof.said().key)?;
    }
    Ok(proofs)
}

/// The key at `path`: a public key file, or a private one's public half.
pub(super) fn public_half(path: &Path) -> Result<PublicKey, CliError> {
    let file = match crate::sign::KeyFile::read(path) {
        Ok(file) => return Ok(file.public_key().clone()),
        Err(crate::sign::KeyFileError::Public(path)) => path,
        Err(error) if path.extension().is_none_or(|extension| extension != "pub") => return Err(error.into()),
        Err(_) => path.to_owned(),
    };
    Ok(read_public(&file)?)
}

/// A proof by `signer` that it holds its key; verified before anybody sees it.
pub(super) fn sign(context: &Context, signer: &dyn Signer, ledger: Digest, name: &Name) -> Result<Proof, CliError> {
    let said = Enrolment { ledger, name: name.clone(), key: signer.public_key().clone() };
    context.confirm(&format!("Sign that {} is {name}'s key in the ledger {ledger}?", said.key.fingerprint()))?;
    let signature = signer.sign_message(NAMESPACE, said.text().as_bytes()).map_err(CliError::from)?;
    let proof = said.proven_by(signature);
    proof.check(ledger, name).map_err(|error| {
        CliError::failed("what the key signed is no proof").because(error.to_string()).hint("try another key")
    })?;
    Ok(proof)
}

/// The ledger's id.
pub(super) fn ledger_of(turn: &Turn) -> Result<Digest, CliError> {
    turn.session.state().ledger().ok_or_else(|| CliError::failed("the ledger has no genesis").hint("jit verify"))
}

/// The file of proofs as it shall be, where it changes: one for each key of `policy` that has one, in the order of
/// `allowed_signers`. What was proven of keys that are gone goes too; the history keeps it.
pub(super) fn files(
    policy: &Policy,
    present: &BTreeMap<String, Vec<u8>>,
    new: &[Proof],
) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
    let known = present.get(FILE).map(Vec::as_slice).unwrap_or_default();
    let known = parse_all(known).map_err(|error| {
        CliError::failed(format!("{FILE} cannot be read")).because(error.to_string()).hint(format!(
            "propose it anew with the proofs one behind the other: jit policy propose {FILE}=FILE --bump --reason \"…\""
        ))
    })?;
    let mut text = String::new();
    for (name, actor) in &policy.actors {
        for key in &actor.keys {
            let proves = |proof: &&Proof| proof.said().key == *key && proof.said().name == *name;
            if let Some(proof) = new.iter().find(proves).or_else(|| known.iter().find(proves)) {
                text.push_str(&proof.to_text());
            }
        }
    }
    let unchanged = present.get(FILE).map(Vec::as_slice).unwrap_or_default() == text.as_bytes();
    Ok(if unchanged { BTreeMap::new() } else { BTreeMap::from([(FILE.to_owned(), text.into_bytes())]) })
}

fn made(context: &Context, path: &Path, key: &PublicKey, ledger: Digest, name: &Name) -> Result<Proof, CliError> {
    let signer = context.open_key(path).map_err(|error| {
        let command = command(name, ledger);
        error
            .context("the new key cannot prove itself here: its private half does not open")
            .hint(format!("where the private half is: {command}; then give the file: --proof {name}.proof"))
    })?;
    if signer.public_key() != key {
        return Err(CliError::failed(format!("{} opens another key than it names", path.display()))
            .hint("name the private key file of the new key"));
    }
    sign(context, &*signer, ledger, name)
}

fn read(context: &Context, file: &Path, ledger: Digest, name: &Name) -> Result<Proof, CliError> {
    let path = context.resolve(file);
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    File::open(&path)
        .and_then(|open| open.take(limit).read_to_end(&mut bytes))
        .map_err(|cause| CliError::file("read", &path, &cause))?;
    let checked = Proof::parse(&bytes).and_then(|proof| proof.check(ledger, name).map(|_| ()).map(|()| proof));
    checked.map_err(|error| {
        CliError::refused(format!("{} is no proof that {name} holds a key", file.display()))
            .because(error.to_string())
            .hint(format!("{name} makes a new one: {}", command(name, ledger)))
    })
}

/// A10, asked before anybody reads a plan: one key belongs to one actor for ever.
fn is_free(turn: &Turn, name: &Name, key: &PublicKey) -> Result<(), CliError> {
    let print = key.fingerprint();
    let policy = turn.session.policy();
    if policy.actor(name).is_some_and(|actor| actor.keys.contains(key)) {
        return Err(CliError::refused(format!("{print} is a key of {name} already"))
            .because("two keys of one person are one vote, and one key twice is one key")
            .hint("jit member list shows the keys")
            .rule(Code::A10));
    }
    match turn.session.state().key_owner(key) {
        Some(owner) if owner != name => {
            let is = if policy.actor(owner).is_some_and(|actor| actor.keys.contains(key)) { "is" } else { "was" };
            Err(CliError::refused(format!("the key {print} {is} {owner}'s: it can never be {name}'s"))
                .because("a key belongs to one person for ever, so that an old signature never becomes somebody else's")
                .hint("make another key: ssh-keygen -t ed25519")
                .rule(Code::A10))
        }
        _ => Ok(()),
    }
}

fn twice(key: &PublicKey) -> CliError {
    CliError::refused(format!("the key {} is given twice", key.fingerprint()))
        .hint("give each key once")
        .rule(Code::A10)
}

fn unproven(name: &Name, key: &PublicKey, ledger: Digest) -> CliError {
    CliError::refused(format!("the key {} has no proof of possession", key.fingerprint()))
        .because(format!("nobody has shown that {name} holds it"))
        .hint(format!("{name} runs: {}   and you give the file: --proof {name}.proof", command(name, ledger)))
}

/// What the holder of a new key types.
pub(super) fn command(name: &Name, ledger: Digest) -> String {
    format!("jit member prove {name} --ledger-id {ledger} --key KEYFILE > {name}.proof")
}
