//! Questions at the terminal, on stderr. Each has a flag that answers it; without a terminal the missing flag is a usage
//! error that names it, so that nothing ever waits in CI.

use console::Term;
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, FuzzySelect, Input, MultiSelect, Password};
use zeroize::Zeroizing;

use super::context::Environment;
use super::error::CliError;

/// Asks, where there is somebody to ask.
pub struct Prompt {
    available: bool,
    theme: Box<dyn Theme>,
}

impl Prompt {
    /// Questions for the terminal of `environment`, if it has one.
    pub fn new(environment: &Environment) -> Self {
        let theme: Box<dyn Theme> =
            if environment.allows_colour() { Box::new(ColorfulTheme::default()) } else { Box::new(SimpleTheme) };
        Self { available: environment.is_interactive(), theme }
    }

    /// Whether there is a terminal to ask at.
    pub const fn is_available(&self) -> bool {
        self.available
    }

    /// One of `items`, found by typing parts of it: its index.
    ///
    /// # Errors
    /// Usage, where there is no terminal; cancelled, where the person left.
    pub fn select(&self, flag: &str, question: &str, items: &[String]) -> Result<usize, CliError> {
        self.need(flag)?;
        let asked = FuzzySelect::with_theme(&*self.theme).with_prompt(question).items(items).default(0);
        done(asked.interact_on_opt(&Term::stderr()))
    }

    /// Any of `items`, at least `least`: their indexes.
    ///
    /// # Errors
    /// As [`Prompt::select`].
    pub fn multi_select(
        &self,
        flag: &str,
        question: &str,
        items: &[String],
        least: usize,
    ) -> Result<Vec<usize>, CliError> {
        self.need(flag)?;
        let question = format!("{question} (space marks, enter ends)");
        loop {
            let asked = MultiSelect::with_theme(&*self.theme).with_prompt(&question).items(items);
            let chosen = done(asked.interact_on_opt(&Term::stderr()))?;
            if chosen.len() >= least {
                return Ok(chosen);
            }
        }
    }

    /// A line of text that `check` accepts; it may be edited from `initial`.
    ///
    /// # Errors
    /// As [`Prompt::select`].
    pub fn input(
        &self,
        flag: &str,
        question: &str,
        initial: Option<&str>,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String, CliError> {
        self.need(flag)?;
        let mut asked = Input::<String>::with_theme(&*self.theme)
            .with_prompt(question)
            .allow_empty(true)
            .validate_with(|text: &String| check(text.trim()));
        if let Some(initial) = initial {
            asked = asked.with_initial_text(initial);
        }
        let text = done(asked.interact_text_on(&Term::stderr()).map(Some))?;
        Ok(text.trim().to_owned())
    }

    /// Yes or no; nothing is the default, and leaving is cancelling.
    ///
    /// # Errors
    /// As [`Prompt::select`].
    pub fn confirm(&self, flag: &str, question: &str) -> Result<bool, CliError> {
        self.need(flag)?;
        let asked = Confirm::with_theme(&*self.theme).with_prompt(question).default(false);
        done(asked.interact_on_opt(&Term::stderr()))
    }

    /// A secret that is not shown.
    ///
    /// # Errors
    /// As [`Prompt::select`].
    pub fn password(&self, flag: &str, question: &str) -> Result<Zeroizing<String>, CliError> {
        self.need(flag)?;
        let asked = Password::with_theme(&*self.theme).with_prompt(question).report(false);
        done(asked.allow_empty_password(true).interact_on(&Term::stderr()).map(|text| Some(Zeroizing::new(text))))
    }

    fn need(&self, flag: &str) -> Result<(), CliError> {
        if self.available {
            return Ok(());
        }
        Err(CliError::usage(format!("{flag} is needed: there is no terminal to ask"))
            .hint("give it on the command line; --help lists what else there is"))
    }
}

/// What the person said. Leaving (Escape, or `q` in a list), and a terminal that goes away, sign nothing.
fn done<T>(answer: dialoguer::Result<Option<T>>) -> Result<T, CliError> {
    match answer {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(leave()),
        Err(dialoguer::Error::IO(cause)) if cause.kind() == std::io::ErrorKind::Interrupted => Err(leave()),
        Err(dialoguer::Error::IO(cause)) => Err(leave().because(cause.to_string())),
    }
}

fn leave() -> CliError {
    // A list hides the cursor while it is shown.
    let _ = Term::stderr().show_cursor();
    CliError::cancelled()
}
