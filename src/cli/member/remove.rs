//! `jit member remove`.

use super::super::error::CliError;
use super::super::policy::propose::Wish;
use super::super::turn::Turn;
use super::super::view::leaving::{leavers, may_revoke};
use super::super::{Context, Outcome};
use super::Draft;
use crate::domain::finding::Code;
use crate::domain::id::{CaseId, Name};
use crate::domain::policy::edit;

/// Propose to take somebody out of the policy.
///
/// The plan shows what ends with them. Once it is enacted, servers end their sessions and admit them no longer, and the
/// same command signs the revocations of what they have live. A quorum takes time: `jit lock member:NAME` and `jit
/// revoke CASE` work at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Who.
    #[arg(value_name = "NAME")]
    pub name: Name,
    /// Why, and whether at once.
    #[command(flatten)]
    pub wish: Wish,
}

/// Runs the command.
///
/// # Errors
/// Refused where there is no such member, or the policy would be unsound without them; cancelled.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let Args { name, wish } = args;
    let policy = turn.session.policy();
    match policy.actor(&name) {
        None => {
            return Err(CliError::refused(format!("the policy has no member {name}"))
                .hint("jit member list")
                .rule(Code::A10));
        }
        Some(actor) if !policy.is_member(&name) => {
            return Err(CliError::refused(format!("{name} is a {}, not a person", actor.class.word()))
                .hint("take it out of policy.toml, then: jit policy propose policy.toml --bump --reason \"…\"")
                .rule(Code::A10));
        }
        Some(_) => {}
    }
    let draft = Draft::of(&turn)?;
    let text = edit::remove_member(&draft.text, &name);
    let edited = draft
        .edited(&turn, text, |policy| {
            policy.actors.remove(&name);
            policy.root.members.retain(|member| *member != name);
        })
        .map_err(|error| match error.broken_rule() {
            Some(Code::A10) => error.context(format!("{name} cannot leave: without {name} the policy does not hold")).hint(format!(
                "put somebody in {name}'s place first (jit member add), or change the rules above with the removal: edit \
                 policy.toml, then jit policy propose. To stop {name} now: jit lock member:{name} --reason \"why\""
            )),
            _ => error,
        })?;
    let (state, now) = (turn.session.state(), context.now());
    let live: Vec<CaseId> =
        leavers(state, &edited.1, now).iter().flat_map(|leaver| &leaver.live).map(|case| case.id()).collect();
    let lead = format!("{name} leaves {}.\n", policy.name);
    let may = may_revoke(policy, &turn.person.name, turn.person.signer.public_key());
    let finished = draft.propose(context, &mut turn, edited, &[], (lead, wish))?;
    if !finished.enacted {
        context
            .output
            .note(format!("{name} stays in until this is enacted. To stop them now, without waiting for the quorum:"));
        context.output.hint(format!("jit lock member:{name} --reason \"why\""));
        for case in live.iter().filter(|_| may) {
            context.output.hint(format!("jit revoke {} --reason \"why\"", case.short()));
        }
    }
    turn.show(context, finished.done, finished.case)
}
