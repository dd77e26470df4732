//! `jit member add`.

use std::path::PathBuf;

use super::super::error::CliError;
use super::super::policy::propose::Wish;
use super::super::turn::Turn;
use super::super::{Context, Outcome};
use super::Draft;
use super::keys::{self, New};
use crate::domain::finding::Code;
use crate::domain::id::Name;
use crate::domain::key::PublicKey;
use crate::domain::policy::{Actor, Class, edit};

/// Propose a new member.
///
/// The new member proves first that the key is theirs: `jit member prove NAME` at their desk makes a file that they send
/// you. policy.toml is edited as text, its comments and order stay; allowed_signers and key_proofs follow.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name: for this person for ever.
    #[arg(value_name = "NAME")]
    pub name: Name,
    /// Their e-mail.
    #[arg(long, value_name = "EMAIL")]
    pub email: Option<String>,
    /// A group; may be given several times.
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<Name>,
    /// What `jit member prove` made, with the key inside; one for each key.
    #[arg(long = "proof", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub proofs: Vec<PathBuf>,
    /// The public key as you know it by another way: the proofs must be for these.
    #[arg(long = "new", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub keys: Vec<PathBuf>,
    /// Why, and whether at once.
    #[command(flatten)]
    pub wish: Wish,
}

/// Runs the command.
///
/// # Errors
/// Refused where the name is taken, a key is unproven or somebody else's, or the policy would be unsound; cancelled.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let Args { name, email, mut groups, proofs, keys, wish } = args;
    let policy = turn.session.policy();
    if let Some(actor) = policy.actor(&name) {
        return Err(CliError::refused(format!("the policy has a {} named {name} already", actor.class.word()))
            .hint(format!("another name; or for a new key: jit member rotate-key {name}"))
            .rule(Code::A10));
    }
    if keys.is_empty() && proofs.is_empty() {
        let command = keys::command(&name, keys::ledger_of(&turn)?);
        return Err(CliError::usage(format!("--proof is needed: {name} has to show that the key is theirs"))
            .hint(format!("{name} runs: {command}   and sends you the file")));
    }
    let proofs = keys::proven(context, &turn, &New { name: &name, keys: &keys, proofs: &proofs, here: false })?;
    let email = match email {
        Some(email) => email,
        None => context.prompt().input("--email", &format!("{name}'s e-mail?"), None, |_| Ok(()))?,
    };
    groups.sort();
    groups.dedup();
    for group in groups.iter().filter(|group| policy.members_of(group).next().is_none()) {
        context.output.warning(format!("the group {group} is new: nobody is in it, and no rule names it yet"));
    }
    let knows = |case: &crate::domain::state::case::Case| case.events().iter().any(|event| event.actor == name);
    if turn.session.state().cases().any(knows) {
        context.output.warning(format!(
            "{name} was in this ledger before: if this is another person, choose another name, or the history takes them for one"
        ));
    }
    let draft = Draft::of(&turn)?;
    let new: Vec<PublicKey> = proofs.iter().map(|proof| proof.said().key.clone()).collect();
    let text = edit::add_member(&draft.text, &name, &email, &groups, &new);
    let actor = Actor { email, keys: new, class: Class::Member { groups } };
    let edited = draft.edited(&turn, text, |policy| {
        policy.actors.insert(name.clone(), actor);
    })?;
    let lead = format!("{} joins {}.\n", name, turn.session.policy().name);
    let finished = draft.propose(context, &mut turn, edited, &proofs, (lead, wish))?;
    turn.show(context, finished.done, finished.case)
}
