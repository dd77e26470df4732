//! `jit member rotate-key`.

use std::path::{Path, PathBuf};

use super::super::error::CliError;
use super::super::policy::propose::Wish;
use super::super::turn::Turn;
use super::super::{Context, Outcome};
use super::Draft;
use super::keys::{self, New};
use crate::domain::finding::Code;
use crate::domain::id::Name;
use crate::domain::key::PublicKey;
use crate::domain::policy::{Actor, edit};

/// Propose a new key for somebody, in place of an old one or beside it.
///
/// NAME is a member, a service or a host. The holder proves that the new key is theirs: for your own key, and for a
/// service's or host's whose private key lies here, --new does it in one go; else `jit member prove` at their desk makes
/// the file for --proof. What the old key signed stays good; from the enactment on it signs nothing more.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose.
    #[arg(value_name = "NAME")]
    pub name: Name,
    /// The new key.
    #[arg(long = "new", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub keys: Vec<PathBuf>,
    /// What `jit member prove` made, with the new key inside.
    #[arg(long = "proof", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub proofs: Vec<PathBuf>,
    /// The old key: its fingerprint, its file, or `all` [default: the one there is].
    #[arg(long, value_name = "FINGERPRINT|FILE|all", conflicts_with = "keep_old")]
    pub old: Vec<String>,
    /// Take no key away.
    #[arg(long)]
    pub keep_old: bool,
    /// Why, and whether at once.
    #[command(flatten)]
    pub wish: Wish,
}

/// Runs the command.
///
/// # Errors
/// Refused where the name or an old key is unknown, or a new key is unproven or somebody else's; cancelled.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let Args { name, keys, proofs, old, keep_old, wish } = args;
    let Some(actor) = turn.session.policy().actor(&name).cloned() else {
        return Err(CliError::refused(format!("the policy knows nobody named {name}"))
            .hint("jit member list --all")
            .rule(Code::A10));
    };
    if keys.is_empty() && proofs.is_empty() {
        let command = keys::command(&name, keys::ledger_of(&turn)?);
        return Err(CliError::usage("--new or --proof is needed: which key is the new one?").hint(format!(
            "your own: jit member rotate-key {name} --new FILE; somebody else's: {name} runs {command}"
        )));
    }
    let old = if keep_old { Vec::new() } else { outgoing(context, &name, &actor, &old)? };
    // Nobody makes a proof for another person, whatever lies on their disk.
    let here = name == turn.person.name || !turn.session.policy().is_member(&name);
    let proofs = keys::proven(context, &turn, &New { name: &name, keys: &keys, proofs: &proofs, here })?;
    let new: Vec<PublicKey> = proofs.iter().map(|proof| proof.said().key.clone()).collect();
    let draft = Draft::of(&turn)?;
    let text = edit::change_keys(&draft.text, &actor.class, &name, &old, &new);
    let edited = draft.edited(&turn, text, |policy| {
        if let Some(actor) = policy.actors.get_mut(&name) {
            actor.keys.retain(|key| !old.contains(key));
            actor.keys.extend(new.iter().cloned());
        }
    })?;
    let mut lead = format!("{name} gets {}.\n", if new.len() == 1 { "a new key" } else { "new keys" });
    for key in &old {
        lead.push_str(&format!("  taken away: {}\n", key.fingerprint()));
    }
    let own = name == turn.person.name && old.contains(turn.person.signer.public_key());
    let finished = draft.propose(context, &mut turn, edited, &proofs, (lead, wish))?;
    if own {
        let when = if finished.enacted { "From now on" } else { "Once this is enacted" };
        context.output.note(format!("{when} you sign with the new key: --key FILE, or `key` in jit's configuration."));
    }
    turn.show(context, finished.done, finished.case)
}

/// The keys that are taken away.
fn outgoing(context: &Context, name: &Name, actor: &Actor, named: &[String]) -> Result<Vec<PublicKey>, CliError> {
    let prints = || actor.keys.iter().map(PublicKey::fingerprint).collect::<Vec<_>>().join(", ");
    let mut old: Vec<PublicKey> = Vec::new();
    match (named, actor.keys.as_slice()) {
        ([], [only]) => return Ok(vec![only.clone()]),
        ([], _) => {
            return Err(CliError::usage(format!("--old is needed: {name} has several keys"))
                .hint(format!("--old all, --keep-old, or one of {}", prints())));
        }
        ([all], keys) if all == "all" => return Ok(keys.to_vec()),
        _ => {}
    }
    for text in named {
        let found = if text.starts_with("SHA256:") {
            actor.keys.iter().find(|key| key.fingerprint() == *text).cloned()
        } else {
            let key = keys::public_half(&context.resolve(Path::new(text)))?;
            actor.keys.iter().find(|known| **known == key).cloned()
        };
        let Some(key) = found else {
            return Err(CliError::refused(format!("{text} is no key of {name}"))
                .hint(format!("{name} has {}", prints()))
                .rule(Code::A10));
        };
        if !old.contains(&key) {
            old.push(key);
        }
    }
    Ok(old)
}
