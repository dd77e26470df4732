//! A ledger as the turns of a case use it: fetched as far as the command wants it, asked before anything is signed.

use super::context::{Context, Freshness, History, Ledger};
use super::error::CliError;
use super::keys;
use crate::domain::decide::{Intent, draft, refusal};
use crate::domain::finding::Fault;
use crate::domain::id::{CaseId, Name};
use crate::domain::key::{Presence, PublicKey};
use crate::domain::policy::Policy;
use crate::domain::state::State;
use crate::domain::state::case::Case;
use crate::git::GitStore;
use crate::ledger::{Appended, Draft, Replay};
use crate::ports::Signer;

/// How fresh a command wants the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fresh {
    /// Fetched, if the remote answers; else as it lies here, with a warning: what is signed then waits in the outbox.
    Try,
    /// Fetched, or the command fails: what is minted rests on it.
    Must,
}

/// An opened ledger.
pub struct Session {
    ledger: Ledger,
    is_fresh: bool,
}

impl Session {
    /// Opens the ledger, replays it and holds it against the pin.
    ///
    /// # Errors
    /// Where there is none, it cannot be checked, or it does not continue what was verified before (exit 5).
    pub fn open(context: &mut Context, fresh: Fresh) -> Result<Self, CliError> {
        Self::open_with(context, fresh, History::Since)
    }

    /// The same, with so much of its history checked.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open_with(context: &mut Context, fresh: Fresh, history: History) -> Result<Self, CliError> {
        let freshness = if fresh == Fresh::Must { Freshness::Fetched } else { Freshness::Local };
        let mut ledger = context.ledger_with(freshness, history)?;
        let mut is_fresh = true;
        if fresh == Fresh::Try {
            let environment = &mut context.environment;
            match ledger.refresh(&mut *environment.rng, &*environment.clock, &context.output) {
                Err(error) if error.kind() == super::error::ErrorKind::Unreachable => {
                    context.output.warning("the remote does not answer: going on with what lies here");
                    is_fresh = false;
                }
                // Whoever prepares commits by hand wants to see what they would do; nobody signs on top of them.
                Err(_) if ledger.ahead() > 0 => {
                    let ahead = super::output::count(ledger.ahead(), "commit");
                    context
                        .output
                        .warning(format!("{ahead} on main here, made by hand, the remote does not have: counted in"));
                }
                Err(error) if error.kind() == super::error::ErrorKind::Unkept => {
                    context.output.warning(format!("{}: going on with what lies here", error.innermost()));
                    is_fresh = false;
                }
                other => {
                    other?;
                }
            }
        }
        Ok(Self { ledger, is_fresh })
    }

    /// The ledger.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether the remote answered, where there is one.
    pub const fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// The ledger, to be brought up to date.
    pub const fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// The repository.
    pub const fn store(&self) -> &GitStore {
        self.ledger.store()
    }

    /// The replay.
    pub const fn replay(&self) -> &Replay {
        self.ledger.replay()
    }

    /// The state.
    pub const fn state(&self) -> &State {
        self.ledger.state()
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        self.ledger.policy()
    }

    /// The names of what waits in the outbox.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn waiting(&self) -> Result<Vec<String>, CliError> {
        self.ledger.waiting()
    }

    /// The case that `text` names: any unambiguous beginning of its id, or a link (`jit link`).
    ///
    /// # Errors
    /// Where none or several begin so, or the link is to another ledger.
    pub fn case(&self, text: &str) -> Result<&Case, CliError> {
        self.ledger.case(super::link::case_of(text, self.state())?.unwrap_or(text))
    }

    /// The case with this id, which is known.
    ///
    /// # Errors
    /// Where it is not.
    pub fn known(&self, id: CaseId) -> Result<&Case, CliError> {
        self.state()
            .case(&id)
            .ok_or_else(|| CliError::failed(format!("case {} is unknown", id.short())).hint("jit list"))
    }

    /// Asks the rules before anything is signed.
    ///
    /// # Errors
    /// Refused, with the rule (exit 3).
    pub fn ask(&self, context: &mut Context, intent: &Intent, signer: &dyn Signer) -> Result<(), CliError> {
        self.ask_with(context, intent, signer.public_key(), signer.presence())
    }

    /// The same for a key that was not opened yet.
    ///
    /// # Errors
    /// As [`Session::ask`].
    pub fn ask_with(
        &self,
        context: &mut Context,
        intent: &Intent,
        key: &PublicKey,
        presence: Presence,
    ) -> Result<(), CliError> {
        let nonce = context.nonce()?;
        let root = self.replay().root();
        let now = context.now();
        let event = draft(self.state(), root, intent, now, nonce);
        Ok(refusal(self.state(), Some(root), &event, key, presence, &intent.files, now)?)
    }

    /// Signs and appends what is meant.
    ///
    /// # Errors
    /// Refused, not signed, or not delivered.
    pub fn append(
        &mut self,
        context: &mut Context,
        intent: &Intent,
        signer: &dyn Signer,
    ) -> Result<Appended, CliError> {
        self.append_with(context, &mut |_, _| Ok(intent.clone()), signer)
    }

    /// Signs and appends what `make` says, which is asked again where a lost race changed the state.
    ///
    /// # Errors
    /// Refused, not signed, or not delivered.
    pub fn append_with(
        &mut self,
        context: &mut Context,
        make: &mut Draft<'_>,
        signer: &dyn Signer,
    ) -> Result<Appended, CliError> {
        let appended = context.append(&mut self.ledger, make, signer)?;
        self.ledger.tell_left_alone(&context.output);
        Ok(appended)
    }
}

impl Session {
    /// Signs and appends what is meant, all in one push. Gives for each, in order, the rule that refused it, if one did.
    ///
    /// # Errors
    /// Where nothing could be signed or delivered; what was signed waits in the outbox then.
    pub fn append_all(
        &mut self,
        context: &mut Context,
        intents: &[Intent],
        signer: &dyn Signer,
    ) -> Result<Vec<Option<Fault>>, CliError> {
        let appended = context.append_all(&mut self.ledger, intents, signer)?;
        self.ledger.tell_left_alone(&context.output);
        Ok(appended)
    }
}

/// The person who acts: their name and key.
pub struct Person {
    /// The name in the policy.
    pub name: Name,
    /// The key.
    pub signer: Box<dyn Signer>,
}

impl Person {
    /// Whoever the flags, the configuration and the policy say.
    ///
    /// # Errors
    /// Where there is no key, or it is nobody's.
    pub fn of(context: &Context, policy: &Policy) -> Result<Self, CliError> {
        let signer = keys::default(context, policy)?.open(context)?;
        let name = context.actor(policy, signer.public_key())?;
        Ok(Self { name, signer })
    }
}
