//! `jit member`. One file a subcommand. Those that change something write a policy proposal from the policy in force, as
//! text, so that what people wrote in it stays; `policy::propose` shows, signs and enacts it.

use std::collections::BTreeMap;

use super::error::CliError;
use super::policy::check::unsound;
use super::policy::enact::Finished;
use super::policy::propose::{self, Change, POLICY, Wish};
use super::turn::Turn;
use super::{Context, Outcome};
use crate::domain::finding::Code;
use crate::domain::policy::Policy;
use crate::domain::policy::edit::{self, EditError};

mod add;
mod keys;
mod list;
mod prove;
mod remove;
mod rotate_key;

/// Who is in the policy: people come and go, keys are exchanged. Each change is a proposal to the root members.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do with them.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do with members.
#[derive(Debug, clap::Subcommand)]
#[command(subcommand_help_heading = "Commands", disable_help_subcommand = true)]
pub enum Command {
    List(list::Args),
    Prove(prove::Args),
    Add(add::Args),
    Remove(remove::Args),
    RotateKey(rotate_key::Args),
}

/// Runs the command.
///
/// # Errors
/// As each subcommand has them.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    match args.command {
        Command::List(args) => list::run(context, &args),
        Command::Prove(args) => prove::run(context, &args),
        Command::Add(args) => add::run(context, args),
        Command::Remove(args) => remove::run(context, args),
        Command::RotateKey(args) => rotate_key::run(context, args),
    }
}

/// A policy proposal as the subcommands make it.
struct Draft {
    present: BTreeMap<String, Vec<u8>>,
    /// The text of the policy in force.
    text: String,
}

impl Draft {
    /// From the policy in force.
    fn of(turn: &Turn) -> Result<Self, CliError> {
        let present = propose::in_force(turn)?;
        let Some(bytes) = present.get(POLICY) else {
            return Err(CliError::failed("the ledger has no policy.toml").hint("jit verify"));
        };
        let text = String::from_utf8_lossy(bytes).into_owned();
        Ok(Self { present, text })
    }

    /// The policy that `text` is, of the next version; it must be the one in force with `change`, and nothing else.
    fn edited(
        &self,
        turn: &Turn,
        text: Result<String, EditError>,
        change: impl FnOnce(&mut Policy),
    ) -> Result<(String, Policy), CliError> {
        let by_hand = "edit policy.toml yourself, then: jit policy propose policy.toml --reason \"…\"";
        let old = turn.session.policy();
        let text = text
            .and_then(|text| edit::with_version(&text, old.version.saturating_add(1)))
            .map_err(|error| CliError::failed(error.to_string()).hint(by_hand))?;
        let new = Policy::parse(text.as_bytes())
            .map_err(|problems| unsound(std::path::Path::new(POLICY), &problems).rule(Code::A10))?;
        if edit::is_exactly(old, &new, change) {
            return Ok((text, new));
        }
        Err(CliError::failed("policy.toml is written in a way that this command cannot edit without changing more")
            .hint(by_hand))
    }

    /// Proposes the text, with the proofs of its keys: those that there are and `new` ones.
    fn propose(
        self,
        context: &mut Context,
        turn: &mut Turn,
        (text, policy): (String, Policy),
        new: &[crate::sshsig::enrolment::Proof],
        (lead, wish): (String, Wish),
    ) -> Result<Finished, CliError> {
        let mut given = keys::files(&policy, &self.present, new)?;
        given.insert(POLICY.to_owned(), text.into_bytes());
        let change = Change { given, removed: Vec::new(), bump: false, lead, wish };
        propose::put(context, turn, &self.present, change)
    }
}
