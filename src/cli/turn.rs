//! What the turns of a case have in common: choosing the case, asking for missing words, asking the rules, showing what
//! will be signed, signing, and saying what comes next.

use super::context::Context;
use super::error::CliError;
use super::keys;
use super::session::{Fresh, Person, Session};
use super::view::{case_json, case_text, next_step, proposal, standing, subject};
use super::{Exit, Outcome};
use crate::domain::decide::Intent;
use crate::domain::event::Body;
use crate::domain::finding::Code;
use crate::domain::id::CaseId;
use crate::domain::key::Presence;
use crate::domain::policy::Mfa;
use crate::domain::state::case::Case;
use crate::domain::text::check_reason;

/// The ledger, fetched, and who acts.
pub struct Turn {
    /// The ledger.
    pub session: Session,
    /// Who acts.
    pub person: Person,
}

impl Turn {
    /// Opens the ledger and finds out who acts.
    ///
    /// # Errors
    /// As [`Session::open`] and [`Person::of`].
    pub fn open(context: &mut Context) -> Result<Self, CliError> {
        Self::over(Session::open(context, Fresh::Try)?, context)
    }

    /// As [`Turn::open`], but only on a ledger that was fetched just now: what is minted rests on it.
    ///
    /// # Errors
    /// As [`Turn::open`], and where the remote does not answer.
    pub fn open_fresh(context: &mut Context) -> Result<Self, CliError> {
        Self::over(Session::open(context, Fresh::Must)?, context)
    }

    fn over(session: Session, context: &Context) -> Result<Self, CliError> {
        let person = Person::of(context, session.policy())?;
        Ok(Self { session, person })
    }

    /// The case that was named, or one chosen from those that `fits`.
    ///
    /// # Errors
    /// Usage where none was named and there is no terminal; failed where none fits.
    pub fn choose(
        &self,
        context: &Context,
        named: Option<&str>,
        question: &str,
        fits: impl Fn(&Case) -> bool,
    ) -> Result<CaseId, CliError> {
        if let Some(named) = named {
            return Ok(self.session.case(named)?.id());
        }
        if !context.prompt().is_available() {
            return Err(CliError::usage("CASE is needed: there is no terminal to ask").hint("jit list shows the cases"));
        }
        let state = self.session.state();
        let cases: Vec<&Case> = state.cases().filter(|case| fits(case)).collect();
        if cases.is_empty() {
            return Err(CliError::failed("there is no case to choose: nothing waits for you here")
                .hint("jit list shows all cases"));
        }
        let now = context.now();
        let lines: Vec<String> = cases
            .iter()
            .map(|case| {
                format!("{}  {}  {}  ({})", case.id().short(), case.actor(), subject(case), standing(state, case, now))
            })
            .collect();
        let at = context.prompt().select("CASE", question, &lines)?;
        cases.get(at).map(|case| case.id()).ok_or_else(CliError::cancelled)
    }

    /// Whether the rules would take `body` in `case` from whoever acts: for lists of what waits for me.
    pub fn would_take(&self, context: &mut Context, case: CaseId, body: Body) -> bool {
        let intent = self.intent(Some(case), body);
        match self.session.ask(context, &intent, &*self.person.signer) {
            Err(error) if error.broken_rule() == Some(Code::K05) => {
                match self.other_key(context, self.demands(&intent)) {
                    Ok(other) => {
                        let presence = other.known.unwrap_or(Presence::at_best(&other.key));
                        self.session.ask_with(context, &intent, &other.key, presence).is_ok()
                    }
                    Err(_) => false,
                }
            }
            asked => asked.is_ok(),
        }
    }

    /// How much presence the roles demand of what is meant.
    pub fn demands(&self, intent: &Intent) -> Mfa {
        self.session.state().demanded_presence(self.session.policy(), intent.case, &intent.body)
    }

    fn other_key(&self, context: &Context, mfa: Mfa) -> Result<keys::OwnKey, CliError> {
        let present = self.person.signer.public_key();
        keys::fitting(context, self.session.policy(), &self.person.name, present, mfa)
    }

    /// Takes another of the person's keys, and says so, where the present one cannot show what `mfa` demands (K05).
    ///
    /// # Errors
    /// Refused where no key is known that can, or several could.
    pub fn suit(&mut self, context: &Context, mfa: Mfa) -> Result<(), CliError> {
        let (key, shown) = (self.person.signer.public_key(), self.person.signer.presence());
        let suits = match mfa {
            Mfa::None => !key.is_hardware() || shown.touch,
            Mfa::Touch => shown.touch,
            Mfa::TouchPin => shown.touch && shown.pin,
        };
        if suits {
            return Ok(());
        }
        let other = self.other_key(context, mfa)?;
        context.output.note(format!("Signing with {}: the role demands mfa = {mfa}", other.name()));
        self.person.signer = other.open(context)?;
        Ok(())
    }

    /// What whoever acts means to say.
    pub fn intent(&self, case: Option<CaseId>, body: Body) -> Intent {
        Intent { actor: self.person.name.clone(), case, body, files: std::collections::BTreeMap::new() }
    }

    /// Asks the rules, shows what will be signed, asks, signs and appends; then shows the case and what comes next.
    ///
    /// # Errors
    /// Refused by a rule; cancelled; or where it cannot be signed or appended.
    pub fn say(&mut self, context: &mut Context, intent: &Intent, summary: &str) -> Result<CaseId, CliError> {
        self.suit(context, self.demands(intent))?;
        self.session.ask(context, intent, &*self.person.signer)?;
        if !context.global.yes || context.prompt().is_available() {
            context.output.summary(summary);
        }
        let key = self.person.signer.public_key().fingerprint();
        context.confirm(&format!("Sign this {} as {} with {key}?", intent.body.kind(), self.person.name))?;
        let appended = self.session.append(context, intent, &*self.person.signer)?;
        Ok(appended.case)
    }

    /// Shows a case as the result of the command.
    ///
    /// # Errors
    /// Where stdout cannot be written.
    pub fn show(&self, context: &Context, done: &str, id: CaseId) -> Outcome {
        let case = self.session.known(id)?;
        let (state, now) = (self.session.state(), context.now());
        context.output.result(
            || case_json(state, case, now),
            || format!("{done} {}: {}, {}", id.short(), subject(case), standing(state, case, now)),
        )?;
        next_step(&context.output, state, case, now);
        Ok(Exit::DONE)
    }

    /// The whole case for people, before they sign something about it.
    ///
    /// # Errors
    /// Where it is unknown.
    pub fn whole(&self, context: &Context, id: CaseId) -> Result<String, CliError> {
        let (case, now) = (self.session.known(id)?, context.now());
        let text = case_text(&context.output, self.session.state(), case, now);
        let plan = proposal::text(&context.output, &self.session, case, now)?;
        Ok(if plan.is_empty() { text } else { format!("{text}\n{plan}") })
    }
}

/// Text that must say something: what was given, or asked for.
///
/// # Errors
/// Usage where it is missing and there is no terminal.
pub fn reason(context: &Context, flag: &str, question: &str, given: Option<String>) -> Result<String, CliError> {
    match given {
        Some(text) => Ok(text),
        None => {
            context.prompt().input(flag, question, None, |text| check_reason(text).map_err(|why| format!("it {why}")))
        }
    }
}

/// A comment that may be left out: asked for only at a terminal.
///
/// # Errors
/// Cancelled.
pub fn comment(context: &Context, question: &str, given: Option<String>) -> Result<Option<String>, CliError> {
    if given.is_some() || context.global.yes || !context.prompt().is_available() {
        return Ok(given.filter(|text| !text.trim().is_empty()));
    }
    let text = context.prompt().input("--comment", question, None, |_| Ok(()))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}
