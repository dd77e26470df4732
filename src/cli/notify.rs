//! `jit notify`. Tells people what waits for them, by the ways that the configuration names: once, or as it comes.
//!
//! What is here: the arguments and the round. `listen` follows the ledger, `post` carries, `memory` remembers, `sink` chooses
//! who hears what, `way` knows the ways out. Who is concerned at all is `monitor::notify`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;

use super::context::Config;
use super::error::CliError;
use super::export::stop::Stop;
use super::{Context, Exit, Outcome};
use crate::domain::id::{Digest, Name};
use crate::domain::time::{Timestamp, Ttl};
use crate::monitor::notify::Notice;
use listen::{LOOK, Listener};
use memory::Memory;
use post::Post;
use settings::{DIGEST_ABOVE, Settings, SinkSettings};
use sink::Sink;

mod listen;
mod memory;
mod post;
pub mod settings;
mod sink;
mod way;

/// How long a run that is told to end waits for what is on its way.
const LAST: Duration = Duration::from_secs(5);

/// Tell people what waits for them: by chat, e-mail, webhook, a command or here.
///
/// Approvers hear of what they can approve, requesters of decisions and of the end coming, reviewers of reviews, security of
/// emergencies, locks, void commits, residue and overdue reviews. Who is told by which way is [notify] in the configuration
/// (docs/notify.md). The first run tells what is open now, and no history; each later one goes on where it was.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Tell what there is, then end [default].
    #[arg(long, conflicts_with = "follow")]
    pub once: bool,
    /// Go on: tell each thing as it comes, until the process is told to end.
    #[arg(long)]
    pub follow: bool,
    /// How often to fetch the remote with --follow.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = super::args::ttl)]
    pub every: Ttl,
    /// A configuration with [notify] [default: the user's config.toml].
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Tell me, in this terminal: the bell, a line and the command to run. With or without other ways.
    #[arg(long)]
    pub terminal: bool,
    /// Say who would be told what, by which way; send nothing and remember nothing.
    #[arg(long, conflicts_with = "follow")]
    pub dry_run: bool,
    /// Where it is remembered what was told [default: a file in the user's state directory].
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub state: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Where nothing is configured, the ledger cannot be verified, or with --once a sink took not all.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let store = context.store()?;
    let program = context.git();
    let mut listener = Listener::open(context, &store, &program)?;
    let now = context.now();
    let settings = settings(context, &args)?;
    let path = state_file(context, &args, listener.ledger(), &settings)?;
    let mut memory = Memory::open(path, listener.ledger(), !args.dry_run)?;
    let first = listener.catch_up(context, memory.cursor.as_ref(), memory.looked, now)?;
    let settings = with_terminal(context, &args, settings, &listener)?;
    let mut sinks = Vec::new();
    for entry in &settings.sinks {
        if sinks.iter().any(|sink: &Sink| sink.name == entry.name) {
            return Err(
                CliError::failed(format!("two sinks are named {:?}", entry.name)).hint("give each its own name")
            );
        }
        sinks.push(Sink::of(context, entry)?);
    }
    warn_of_strangers(context, &sinks, &listener);
    let mut post = Post::new(sinks, settings.digest_above.unwrap_or(DIGEST_ABOVE), listener.ledger());
    if args.dry_run {
        return dry(context, &post.sorted(&first, listener.state(), now), &listener);
    }
    let stop = Stop::watch()?;
    if args.follow {
        context.output.note(format!("Following {}; Ctrl-C ends it.", listener.state().name()));
    }
    take(context, &mut post, &mut memory, &listener, &first, now)?;
    let every = Duration::from_secs(args.every.seconds());
    let ended = rounds(context, &mut post, &mut memory, &mut listener, &stop, args.follow.then_some(every));
    // Whatever is on its way is waited for, a little, so that it is not given twice.
    let began = Instant::now();
    while post.is_busy() && began.elapsed() < LAST {
        post.collect(&mut memory, context, LAST.saturating_sub(began.elapsed()))?;
    }
    memory.write(listener.ledger(), listener.state().name())?;
    ended?;
    finish(context, &args, &post, &memory)
}

/// Deliver, listen, and again; once where `every` is `None`.
fn rounds(
    context: &mut Context,
    post: &mut Post,
    memory: &mut Memory,
    listener: &mut Listener<'_>,
    stop: &Stop,
    every: Option<Duration>,
) -> Result<(), CliError> {
    let mut looked = Instant::now();
    loop {
        let now = context.now();
        post.dispatch(memory, listener.state(), now);
        if stop.came() || every.is_none() && !post.is_busy() && !post.has_work(memory) {
            return Ok(());
        }
        let pause = if every.is_some() { LOOK.saturating_sub(looked.elapsed()) } else { LOOK };
        if post.is_busy() {
            if post.collect(memory, context, pause)? {
                memory.write(listener.ledger(), listener.state().name())?;
            }
        } else {
            stop.wait(pause);
        }
        let Some(every) = every else { continue };
        if looked.elapsed() < LOOK {
            continue;
        }
        looked = Instant::now();
        let more = listener.look(context, every)?;
        let (now, last) = (context.now(), memory.looked.unwrap_or(now));
        if more || now != last {
            let notices = listener.more(context, last, now)?;
            if more || !notices.is_empty() {
                take(context, post, memory, listener, &notices, now)?;
            } else {
                // Written with the next thing that happens: what time brought since is found again.
                memory.looked = Some(now);
            }
        }
    }
}

/// Puts notices in line, and remembers that with how far we are.
fn take(
    context: &Context,
    post: &mut Post,
    memory: &mut Memory,
    listener: &Listener<'_>,
    notices: &[Notice],
    now: Timestamp,
) -> Result<(), CliError> {
    let sorted = post.sorted(notices, listener.state(), now);
    post.enqueue(memory, sorted, context);
    memory.cursor = listener.cursor();
    memory.looked = Some(now);
    memory.write(listener.ledger(), listener.state().name())
}

fn finish(context: &Context, args: &Args, post: &Post, memory: &Memory) -> Outcome {
    let left = post.left(memory);
    match post.done.delivered {
        0 if left.is_empty() => context.output.note("There is nothing new to tell."),
        delivered => context.output.note(format!("Delivered {}.", super::output::count(delivered, "message"))),
    }
    if left.is_empty() || args.follow {
        return Ok(Exit::DONE);
    }
    let sinks: Vec<String> = left.iter().map(|(sink, count)| format!("{sink} ({count})")).collect();
    Err(CliError::failed(format!("not everything was delivered: {}", sinks.join(", ")))
        .because("these sinks did not take it")
        .hint("nothing is lost: run it again, and it goes on there; --follow tries again by itself"))
}

fn dry(context: &Context, sorted: &[(String, Notice)], listener: &Listener<'_>) -> Outcome {
    for (sink, notice) in sorted {
        let json = || {
            json!({ "sink": sink, "delivered": false,
                "notice": notice.json(listener.ledger(), listener.state().name()) })
        };
        let names: Vec<&str> = notice.to.iter().map(Name::as_str).collect();
        let text = || format!("{sink}: {} to {}\n{}", notice.kind, names.join(", "), indented(&notice.text()));
        context.output.result(json, text)?;
    }
    if sorted.is_empty() {
        context.output.note("There is nothing to tell.");
    }
    Ok(Exit::DONE)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

/// `[notify]` of `--config`, else of the user's configuration.
fn settings(context: &Context, args: &Args) -> Result<Settings, CliError> {
    let read = match &args.config {
        Some(path) => {
            let path = context.resolve(path);
            if !path.is_file() {
                return Err(CliError::failed(format!("there is no file {}", path.display())).hint("check --config"));
            }
            Config::read(&path)?.notify
        }
        None => context.config()?.notify.clone(),
    };
    let found = read.unwrap_or_default();
    if found.sinks.is_empty() && !args.terminal {
        let file = context.config_file().map_or_else(|| "config.toml".to_owned(), |path| path.display().to_string());
        return Err(CliError::usage("nobody is to be told anything: the configuration has no [[notify.sink]]")
            .hint(format!("jit notify --terminal tells you here; other ways go into {file} (docs/notify.md)")));
    }
    Ok(found)
}

/// With the terminal, for whoever runs this.
fn with_terminal(
    context: &Context,
    args: &Args,
    mut settings: Settings,
    listener: &Listener<'_>,
) -> Result<Settings, CliError> {
    if !args.terminal {
        return Ok(settings);
    }
    let named = context.global.actor.clone().or(context.config()?.member.clone());
    let me = match (named, listener.state().policy()) {
        (Some(name), _) => name,
        // The public half says who it is: nobody is asked for a passphrase to be told something.
        (None, Some(policy)) => context.actor(policy, &context.public_key()?)?,
        (None, None) => return Err(CliError::usage("who are you?").hint("--as NAME")),
    };
    settings.sinks.push(SinkSettings::terminal(me.as_str()));
    Ok(settings)
}

/// A member that a sink names and the policy does not know would never be told anything.
fn warn_of_strangers(context: &Context, sinks: &[Sink], listener: &Listener<'_>) {
    let Some(policy) = listener.state().policy() else { return };
    for sink in sinks {
        for name in sink.filter.members.iter().filter(|name| !policy.is_member(name)) {
            context.output.warning(format!("{}: the policy knows no member {name}", sink.name));
        }
    }
}

/// One file for each ledger and configuration.
fn state_file(context: &Context, args: &Args, ledger: Digest, settings: &Settings) -> Result<PathBuf, CliError> {
    if let Some(path) = &args.state {
        return Ok(context.resolve(path));
    }
    let directory = context
        .environment
        .state_directory()
        .ok_or_else(|| CliError::failed("there is no place for what was told: HOME is not set").hint("--state FILE"))?;
    let config = match &args.config {
        Some(path) => Some(context.resolve(path)),
        None => context.config_file(),
    };
    let config = config.map_or_else(String::new, |path| path.display().to_string());
    // The terminal alone is somebody's own: what it has told the service has not.
    let alone = if settings.sinks.is_empty() { "terminal" } else { "" };
    let which = Digest::of(format!("{config}\n{alone}").as_bytes()).short();
    Ok(directory.join("notify").join(format!("{}-{which}.json", ledger.short())))
}
