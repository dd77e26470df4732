//! `jit hook post-receive`: what git runs once it has taken a push. Takes in what waits in the inbox, so that whoever pushed
//! it finds it in the ledger, or its refusal, when the push returns. Imports git and ledger.
//!
//! Each push has its own hook, and waits until its own letters are settled: by itself, or by another's hook whose turn it
//! was. So whatever one dies of, the next takes over; what nobody takes in is taken in with the next push, or by `jit fold`.

use std::io::{self, Read as _, Write as _};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::super::context::{read_pin, replay_at};
use super::super::error::CliError;
use super::super::{Context, Exit, Outcome};
use super::check::Update;
use crate::domain::policy::Append;
use crate::domain::text::visible;
use crate::git::{GitStore, LocalInbox};
use crate::ledger::append::{Outbox, Writer};
use crate::ledger::inbox::policy_at;
use crate::ports::{INBOX, Store as _};

/// The most that git may say on stdin, in bytes.
const INPUT_LIMIT: u64 = 1 << 20;
/// For how long one's turn is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// The first pause before it is looked again whether it has come. Each next one is twice as long: of many who wait, all
/// but one wait for somebody else's round.
const PAUSE: Duration = Duration::from_millis(10);
/// The longest pause.
const LONGEST: Duration = Duration::from_millis(320);

/// Take in what a push has left in the inbox. Git runs this, as `hooks/post-receive` of a shared repository.
///
/// Reads `OLD NEW REF` lines on stdin. Does nothing where the policy does not say append = "inbox".
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// None: the push was taken whatever happens here. What went wrong is told; the letters wait for the next who takes them.
pub fn run(context: &mut Context, _args: Args) -> Outcome {
    if let Err(error) = take_in(context) {
        let _ = writeln!(
            io::stderr(),
            "jit: what was pushed waits in the inbox: it could not be taken in now.\n  Cause    {}\n  Do       \
             nothing: it is looked at again with the next push; jit fold does it by hand",
            visible(&error.line())
        );
    }
    Ok(Exit::DONE)
}

fn take_in(context: &mut Context) -> Result<(), CliError> {
    let mut text = String::new();
    let failed = |why: String| CliError::failed("git did not say what was pushed").because(why);
    io::stdin().take(INPUT_LIMIT).read_to_string(&mut text).map_err(|cause| failed(cause.to_string()))?;
    let updates = text.lines().filter_map(Update::parse).filter(|update| update.new.is_some());
    let mine: Vec<String> =
        updates.map(|update| update.reference).filter(|reference| reference.starts_with(INBOX)).collect();

    let store = GitStore::open_receiving(&context.environment.directory.clone(), None)?;
    let inbox = LocalInbox(&store);
    let (began, mut pause) = (Instant::now(), PAUSE);
    while inbox.holds(&mine)? {
        let Some(turn) = inbox.turn()? else {
            // Whoever pushed no letter does not wait for those of others.
            if mine.is_empty() || began.elapsed() > PATIENCE {
                break;
            }
            sleep(pause);
            pause = LONGEST.min(pause * 2);
            continue;
        };
        // What lies there still cannot be read, or there is more than a round takes.
        let more = inbox.holds(&mine)? && round(context, &store, &inbox)?;
        drop(turn);
        if !more || mine.is_empty() || began.elapsed() > PATIENCE {
            break;
        }
    }
    Ok(())
}

/// One round, on the ledger as it stands. Says whether there is more.
fn round(context: &mut Context, store: &GitStore, inbox: &LocalInbox<'_>) -> Result<bool, CliError> {
    let Some(head) = store.head()? else { return Ok(false) };
    if policy_at(store, head)?.is_none_or(|policy| policy.append != Append::Inbox) {
        // Changed meanwhile: whoever waits goes on directly.
        return Ok(false);
    }
    let mut replay = replay_at(store, head)?;
    if let Some(pin) = read_pin(store)? {
        // Somebody with access to the disk may have put an older history here.
        pin.check(&replay)?;
    }
    let environment = &mut context.environment;
    let writer =
        Writer { store, remote: None, post: None, outbox: &NoOutbox, clock: &*environment.clock, wait: &sleep };
    let taken = writer.take_in(&mut replay, inbox, &mut *environment.rng)?;
    for (name, why) in &taken.unread {
        context.output.warning(format!("{name} in the inbox cannot be read and stays there: {why}"));
    }
    Ok(taken.more)
}

/// Nothing is signed here, so nothing can wait.
struct NoOutbox;

impl Outbox for NoOutbox {
    fn keep(&self, _name: &str, _bytes: &[u8]) -> Result<(), String> {
        Err("nothing is signed here".to_owned())
    }

    fn forget(&self, _name: &str) -> Result<(), String> {
        Ok(())
    }

    fn kept(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        Ok(Vec::new())
    }
}
