//! `jit host sync`: the daemon of the user `jit`. It follows the ledger, publishes what the host admits, and signs what the
//! host has to say: it alone holds the host's key. The root parts ask it over a socket.

use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use super::super::checkpoint::branch;
use super::super::context::{History, Ledger};
use super::super::error::CliError;
use super::super::{Context, Exit, Outcome, clone};
use crate::domain::time::Timestamp;
use crate::git::{self, GitStore, Program};
use crate::host::users::User;
use crate::host::{Config, HostError, files};
use std::fs::File;
use std::path::Path;

mod events;
mod publish;
mod socket;

use events::Events;
use publish::Publisher;
use socket::Socket;

/// The longest that one run of git may take, in seconds.
const LONGEST_WAIT: u64 = 120;

/// Follow the ledger and publish what this host admits: the daemon of the user jit.
///
/// Run as root it becomes that user first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Follow once, publish, deliver what waits, and end.
    #[arg(long)]
    pub once: bool,
}

/// Runs until it is killed, which is safe at any moment.
///
/// # Errors
/// Where the mirror cannot be made or is another ledger's, or another daemon runs. Once it runs nothing ends it: what goes
/// wrong is told, the published grants grow stale, and nobody gets in.
pub fn run(context: &mut Context, config: &Config, file: &Path, args: Args) -> Outcome {
    if rustix::process::geteuid().is_root() && config.user != "root" {
        return Err(become_user(config, file, &args));
    }
    let _only = only_one(config)?;
    let mut ledger = mirror(context, config)?;
    let mut events = Events::open(context, config, &ledger)?;
    let mut publisher = Publisher::new();
    if args.once {
        follow(context, config, &mut ledger, &mut events, &mut publisher)?;
        return Ok(Exit::DONE);
    }
    let socket = Socket::listen(config)?;
    context.output.note(format!("Following {} for {}", config.remote, config.host));
    let mut trouble = String::new();
    let mut patience = first_patience(config);
    let mut next = Instant::now();
    loop {
        let asked = socket.wait(next);
        if !asked.is_empty() {
            events.answer(context, config, &mut ledger, publisher.grants(), asked, !trouble.is_empty());
        }
        if Instant::now() < next {
            continue;
        }
        let told = match follow(context, config, &mut ledger, &mut events, &mut publisher) {
            Ok(()) => {
                patience = first_patience(config);
                String::new()
            }
            Err(error) => {
                patience = (patience * 2).min(LONGEST_WAIT);
                error.line()
            }
        };
        ledger = ledger.with_program(program(context, patience));
        if told != trouble {
            let line = if told.is_empty() { "the ledger answers again".to_owned() } else { format!("sync: {told}") };
            crate::host::syslog::warn(&line);
            context.output.note(line);
            trouble = told;
        }
        next = Instant::now() + config.interval();
    }
}

/// One round: fetch, verify, publish, deliver.
fn follow(
    context: &mut Context,
    config: &Config,
    ledger: &mut Ledger,
    events: &mut Events,
    publisher: &mut Publisher,
) -> Result<(), CliError> {
    // Before the remote is asked: what it answers is at least this fresh.
    let asked = context.now();
    ledger.catch_up(context.clock(), &context.output)?;
    // F04: a mirror that no witness vouches for counts as not heard from: it goes stale, and nobody gets in. What was
    // revoked or ended is published all the same.
    let lacking = branch::lacking(context, ledger);
    let before = publisher.grants().map(|grants| grants.checked).or(Timestamp::from_unix(0));
    let checked = if matches!(lacking, Ok(None)) { asked } else { before.unwrap_or(asked) };
    publisher.publish(config, ledger, checked, context.now())?;
    events.deliver(context, config, ledger)?;
    match lacking? {
        None => Ok(()),
        Some(why) => Err(branch::refusal("nobody new is let in once the mirror is stale", &why)),
    }
}

/// A remote that hangs must not hold up a login for longer than a login waits. One that has much to send gets more time
/// with each try.
fn first_patience(config: &Config) -> u64 {
    config.login_wait.seconds().saturating_sub(2).max(3)
}

fn program(context: &Context, seconds: u64) -> Program {
    context.git().with_timeout(Duration::from_secs(seconds))
}

/// The mirror: opened, or cloned and verified from the first commit on.
fn mirror(context: &Context, config: &Config) -> Result<Ledger, CliError> {
    let program = program(context, LONGEST_WAIT);
    // One that was killed while it was cloned is begun anew.
    git::clear_unfinished(&config.mirror, true)?;
    let ledger = if config.mirror.join("HEAD").exists() {
        Ledger::read(GitStore::open(&config.mirror)?, program, &context.output, History::Since)?
    } else {
        let was_there = config.mirror.exists();
        let (store, head) = git::clone(&config.remote, &config.mirror, true, &program)?;
        let taken = clone::take(context, store, head, Some(config.ledger));
        if taken.is_err() {
            git::forget_clone(&config.mirror, true, was_there);
        }
        taken?.with_program(program)
    };
    if ledger.state().ledger() != Some(config.ledger) {
        return Err(CliError::stale(format!("{} is the mirror of another ledger", config.mirror.display()))
            .hint("name the right one in host.toml, or remove the mirror"));
    }
    let remote = ledger.store().config("remote.origin.url");
    if remote.as_deref() != Some(&*config.remote) {
        return Err(CliError::failed("the mirror follows another remote than host.toml names").hint(format!(
            "git -C {} remote set-url origin {}",
            config.mirror.display(),
            config.remote
        )));
    }
    Ok(ledger)
}

/// The right to be the one daemon; the system takes it back when the process ends.
fn only_one(config: &Config) -> Result<File, CliError> {
    let path = config.published.join("sync.lock");
    let file = files::lock(&path)?;
    file.ok_or_else(|| {
        CliError::failed(format!("another jit host sync runs: it holds {}", path.display()))
            .hint("systemctl status jit-host-sync")
    })
}

/// Becomes the unprivileged user, for good. Returns only where that failed.
fn become_user(config: &Config, file: &Path, args: &Args) -> CliError {
    let user = match User::named(&config.user) {
        Ok(Some(user)) => user,
        Ok(None) => {
            return CliError::failed(format!("there is no user {}", config.user)).hint("jit host setup makes it");
        }
        Err(error) => return error.into(),
    };
    let mut command = Command::new("/proc/self/exe");
    command.arg0("jit").args(["host", "sync", "--config"]).arg(file);
    if args.once {
        command.arg("--once");
    }
    // Leaving root this way also leaves its groups.
    command.uid(user.uid).gid(user.gid).env("HOME", &user.home).env("USER", &user.name).current_dir("/");
    HostError::system("becoming another user", command.exec()).into()
}
