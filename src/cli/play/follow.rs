//! `--follow`: a running session, a frame as soon as the host has written it.

use std::fs::File;
use std::time::Duration;

use super::super::error::{CliError, ErrorKind};
use super::super::{Context, Exit, Outcome};
use super::stage::{Interrupt, Stage};
use super::{Args, Numbering, look, opened};
use crate::domain::state::access::Session;
use crate::recording::age::{Identity, OpenError};
use crate::recording::cast::Entry;
use crate::recording::reader::{Grown, Tail};
use crate::recording::scan::{Expected, scan};
use crate::recording::{Fault, Header};
use crate::sign::Opener;

/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_millis(150);

/// Shows what is there, then what comes, until the last frame or Ctrl-C.
///
/// # Errors
/// Where the file cannot be read, does not open, or does not go on as a recording does (exit 4).
pub fn run(
    context: &Context,
    args: &Args,
    mut file: File,
    session: &Session,
    header: Header,
    opener: &Opener,
) -> Outcome {
    let agree = |share: &[u8; 32]| opener.agree(share);
    let identity = Identity { public: opener.public_key(), agree: &agree };
    let terminal = context.environment.stdout_is_terminal;
    let interrupt = Interrupt::watch()?;
    let mut tail = Tail::new(header.clone());
    let mut numbering = Numbering::default();
    let mut shown = Shown { number: 0, stages: std::collections::BTreeMap::new() };
    let new_stage = || Stage::new(&context.output, look(args, terminal), terminal, None, interrupt.clone());
    let unreadable = |cause: std::io::Error| CliError::failed("cannot read the recording").because(cause.to_string());
    // What stops the tail is named by a look at the whole file.
    let faults = |file: &mut File| {
        let expected = Expected { header: Some(header.clone()), head: session.recorded };
        let found = scan(file, &expected).map_err(unreadable)?;
        Ok::<_, CliError>(found.faults.iter().map(ToString::to_string).collect::<Vec<String>>())
    };
    let outcome = loop {
        match tail.next(&mut file, &identity).map_err(unreadable)? {
            Grown::Frame(entries) => {
                for entry in &entries {
                    shown.take(context, numbering.of(entry), entry, &new_stage)?;
                }
            }
            // Nothing more will come: the ledger says that it has ended.
            Grown::NotYet if session.ended.is_some() => break Err(wrong(&faults(&mut file)?)),
            Grown::NotYet if interrupt.wait(INTERVAL) => break Ok(Exit::DONE),
            Grown::NotYet => {}
            Grown::Ended(head) => {
                let differs = session.recorded.filter(|recorded| *recorded != head);
                break match differs {
                    Some(recorded) => Err(wrong(&[format!("its head is {head}, and the ledger holds {recorded}")])),
                    None => {
                        shown.end()?;
                        let checked = if session.recorded.is_some() {
                            "verified against the ledger"
                        } else {
                            "the chain is sound"
                        };
                        context.output.note(format!("The recording has ended; {checked}: head {head}"));
                        Ok(Exit::DONE)
                    }
                };
            }
            Grown::Broken => break Err(wrong(&faults(&mut file)?)),
            Grown::Fault(Fault::Sealed { cause: OpenError::OtherKeys(_), .. }) => {
                let print = opener.public_key().fingerprint();
                break Err(CliError::failed(format!("the recording is not sealed to the key {print}"))
                    .hint("name a recorder's private key: --identity FILE"));
            }
            Grown::Fault(fault) => break Err(wrong(&[fault.to_string()])),
        }
        if interrupt.came() {
            break Ok(Exit::DONE);
        }
    };
    shown.end()?;
    outcome
}

fn wrong(faults: &[String]) -> CliError {
    let error = CliError::new(ErrorKind::Findings, "the recording does not go on as it was made");
    let error = faults.iter().take(super::MOST_FAULTS).fold(error, |error, fault| error.because(fault.clone()));
    error.hint("keep the file as it is; without --follow, --damaged plays what can be read of it")
}

/// The channels that are shown: each with a filter of its own, since a sequence of one may be cut by another's text.
struct Shown<'a> {
    number: usize,
    stages: std::collections::BTreeMap<usize, Stage<'a>>,
}

impl<'a> Shown<'a> {
    fn take(
        &mut self,
        context: &Context,
        number: usize,
        entry: &Entry,
        new_stage: &dyn Fn() -> Stage<'a>,
    ) -> Result<(), CliError> {
        let stage = match self.stages.entry(number) {
            std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let stage = new.insert(new_stage());
                stage.begin(number, &opened(entry))?;
                self.number = number;
                stage
            }
        };
        if self.number != number {
            self.number = number;
            context.output.note(format!("Channel {number}:"));
        }
        stage.show(entry).map(|_| ())
    }

    fn end(&mut self) -> Result<(), CliError> {
        std::mem::take(&mut self.stages).values_mut().try_for_each(Stage::end)
    }
}
