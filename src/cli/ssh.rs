//! `jit ssh`: OpenSSH's own client with the live credential, from the request to the closing where that is wanted.
//! Everything else about the connection stays the person's. `destination` reads ssh's arguments, `wait` waits for the
//! credential, `connect` runs ssh.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::context::{Freshness, Ledger};
use super::credential::{Files, Lent, check_live, issued, lend};
use super::error::{CliError, ErrorKind};
use super::output::{moment, relative};
use super::turn::Turn;
use super::view::{locks, window};
use super::{Context, Exit, Outcome, close, request};
use crate::domain::id::{CaseId, Name, RoleRef};
use crate::domain::policy::{Class, Policy};
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, CaseState};
use crate::domain::state::grant::environments;
use crate::domain::text::check_reason;
use crate::domain::time::{Timestamp, Ttl};

mod connect;
mod destination;
mod wait;

use destination::Destination;

/// Connect to HOST with your live credential; ask for one, wait for it and close the case afterwards where wanted.
///
/// Everything from the first word that is no option of jit is ssh's: `jit ssh -p 2222 db1 uptime`. Options that jit has
/// too (-v, -q) go to ssh after `--`. Without a login in HOST, the role's first one is taken.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case whose credential is used [default: your live one].
    #[arg(long, value_name = "CASE")]
    pub case: Option<String>,
    /// Which role of the case [default: the first on a target that HOST serves].
    #[arg(long, value_name = "TARGET/ROLE", value_parser = super::args::role)]
    pub role: Option<RoleRef>,
    /// Wait for a credential that is on its way, at most for DURATION; exits with 8 if it is not there then. At a
    /// terminal this is the default, without an end.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, value_parser = super::args::ttl)]
    pub wait: Option<Option<Ttl>>,
    /// Close the case after logout; TEXT says what was done, and is asked for where it is missing.
    #[arg(long, value_name = "TEXT", num_args = 0..=1, require_equals = true)]
    pub close: Option<Option<String>>,
    /// Do not ask after logout whether to close the case.
    #[arg(long, conflicts_with = "close")]
    pub no_close: bool,
    /// ssh's own options, the host and a command.
    #[arg(value_name = "HOST", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// A host may need a moment to learn of a credential. For so long after it was issued a refusal is no verdict.
const FRESH: Duration = Duration::from_secs(10);

/// Connects; ssh's exit code is ours.
///
/// # Errors
/// Where there is no live credential for the host, or several and nobody to choose; where the case should be closed and
/// is not.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let destination = Destination::find(&args.arguments)
        .ok_or_else(|| CliError::usage("a host is needed").hint("jit ssh [ssh's options] HOST [command]"))?;
    can_close(context, &args)?;
    let ready = obtain(context, &args, &destination)?;
    let lent = &ready.chosen.lent;
    let (id, ends) = (lent.case, lent.issued.valid_before);
    let files = lend(context, lent)?;
    context.output.note(format!("{}: {} ends {}", id.short(), ready.chosen.role, moment(ends, context.now())));
    let (state, now) = (ready.ledger.state(), context.now());
    if let Some(case) = state.case(&id) {
        window::warn(&context.output, state, case, &ready.chosen.lent.access.actor, now);
    }
    let command = |log: Option<&Path>| ssh(context, &args, &destination, &ready, &files, log);
    let Exit(code) = match ready.fresh_until(context.now()) {
        Some(until) => connect::patiently(context, &destination.host, until, command)?,
        None => super::credential::pass_on(command(None))?,
    };
    drop(files);
    after(context, args, &destination, id, code)
}

/// ssh with the credential. `log`: where it tells its own messages, instead of stderr.
fn ssh(
    context: &Context,
    args: &Args,
    destination: &Destination,
    ready: &Ready,
    files: &Files,
    log: Option<&Path>,
) -> Command {
    let mut command = Command::new("ssh");
    let option = |name: &str, value: &OsStr| {
        let mut text = OsString::from(format!("{name}="));
        text.push(value);
        text
    };
    command.arg("-i").arg(&files.identity);
    command.arg("-o").arg(option("CertificateFile", files.certificate().as_os_str()));
    // This connection shows this credential: no other key of the agent, and no master that another one opened.
    command.args(["-o", "IdentitiesOnly=yes", "-o", "ControlMaster=no", "-o", "ControlPath=none"]);
    if let Some(log) = log {
        command.arg("-E").arg(log);
    }
    if !destination.has_login
        && let Some(login) = ready.ledger.policy().role(&ready.chosen.role).and_then(|role| role.logins.first())
    {
        command.args(["-l", login]);
    }
    command.args(&args.arguments).current_dir(&context.environment.directory);
    command
}

/// A credential, and the ledger that has it.
struct Ready {
    ledger: Ledger,
    chosen: Box<Chosen>,
    /// When it was seen to become live.
    became_live: Option<Instant>,
}

impl Ready {
    /// Until when a refusal may come of the host not knowing the credential yet; `None` where it is older than that.
    fn fresh_until(&self, now: Timestamp) -> Option<Instant> {
        if let Some(at) = self.became_live {
            return at.checked_add(FRESH);
        }
        // The minter's clock may be ahead of this one: what seems to come is new.
        let age = u64::try_from(now.since(self.chosen.lent.issued.time)).unwrap_or(0);
        let left = FRESH.checked_sub(Duration::from_secs(age)).filter(|left| !left.is_zero())?;
        Instant::now().checked_add(left)
    }
}

/// The live credential, requested and waited for where that is possible and wanted.
fn obtain(context: &mut Context, args: &Args, destination: &Destination) -> Result<Ready, CliError> {
    let (named, host, role) = (args.case.as_deref(), destination.host.as_str(), args.role.as_ref());
    let mut ledger = context.ledger(Freshness::Local)?;
    let mut choice = choose(context, &ledger, named, host, role)?;
    if matches!(choice, Choice::Lacking(_)) && ledger.remote()?.is_some() {
        ledger = context.ledger(Freshness::Fetched)?;
        choice = choose(context, &ledger, named, host, role)?;
    }
    let error = match choice {
        Choice::Live(chosen) => return Ok(Ready { ledger, chosen, became_live: None }),
        Choice::Lacking(error) => error,
    };
    let mut awaited = on_its_way(context, &ledger, named, host)?;
    if awaited.is_none() && offer(context, &ledger, named.is_some(), host, &error)? {
        ledger = context.ledger(Freshness::Local)?;
        awaited = on_its_way(context, &ledger, named, host)?;
    }
    let may_wait = args.wait.is_some() || context.prompt().is_available();
    let Some(id) = awaited.filter(|_| may_wait) else { return Err(error) };
    let became_live = wait::until_live(context, &mut ledger, id, args.wait.flatten(), host)?;
    match choose(context, &ledger, Some(&id.short()), host, role)? {
        Choice::Live(chosen) => Ok(Ready { ledger, chosen, became_live: Some(became_live) }),
        Choice::Lacking(error) => Err(error),
    }
}

/// Without a credential, and where nothing is on its way, a person is asked whether to request one. Says whether they
/// did.
fn offer(context: &mut Context, ledger: &Ledger, named: bool, host: &str, error: &CliError) -> Result<bool, CliError> {
    if error.kind() != ErrorKind::Failed || named || !context.prompt().is_available() {
        return Ok(false);
    }
    context.output.note(error.message());
    if !context.prompt().confirm("--yes", "Request access now?")? {
        return Ok(false);
    }
    let policy = ledger.policy();
    let me = context.who(policy)?;
    // Where the host leaves no choice of role, none is asked for.
    let targets = match &*askable(policy, &me, &served_by(policy, host)) {
        [only] => vec![only.clone()],
        _ => Vec::new(),
    };
    request::run(context, request::Args { targets, ..request::Args::default() })?;
    Ok(true)
}

/// What to connect with.
struct Chosen {
    lent: Lent,
    role: RoleRef,
}

/// What a look for a credential came to.
enum Choice {
    Live(Box<Chosen>),
    /// There is none; why, and what to do.
    Lacking(CliError),
}

fn choose(
    context: &Context,
    ledger: &Ledger,
    named: Option<&str>,
    host: &str,
    role: Option<&RoleRef>,
) -> Result<Choice, CliError> {
    let policy = ledger.policy();
    let served = served_by(policy, host);
    if let Some(named) = named {
        let live = ledger.access(named).and_then(|(case, access)| {
            check_live(context, ledger, case, access)?;
            Ok((case, access))
        });
        return match live {
            Ok((case, access)) => of(context, policy, case, access, &served, role),
            Err(error) => Ok(Choice::Lacking(error)),
        };
    }
    let me = context.who(policy)?;
    let now = context.now();
    let opens =
        |access: &Access| reaches(access, &served) && role.is_none_or(|wanted| access.request.targets.contains(wanted));
    let live: Vec<(&Case, &Access)> = ledger.live_of(&me, now).filter(|(_, access)| opens(access)).collect();
    // A lock stands on all of them: nothing else is to be had here.
    let (stopped, live): (Vec<_>, Vec<_>) =
        live.into_iter().partition(|(case, access)| locks::on(ledger.state(), case, access, now).is_some());
    if let ([], Some((case, access))) = (&*live, stopped.first()) {
        return Ok(match check_live(context, ledger, case, access) {
            Err(error) => Choice::Lacking(error),
            Ok(()) => return of(context, policy, case, access, &served, role),
        });
    }
    let live = window::newest(live);
    match &*live {
        [] => Ok(Choice::Lacking(nothing_live(context, ledger, &me, &served, host))),
        [(case, access)] => of(context, policy, case, access, &served, role),
        several => {
            let lines: Vec<String> = several
                .iter()
                .map(|(case, access)| {
                    let ends = access.ends().map_or_else(String::new, |end| relative(end, now));
                    format!("{}  {}  ends {ends}", case.id().short(), role_names(access))
                })
                .collect();
            let chosen = context.prompt().select("--case", "With which credential?", &lines)?;
            let (case, access) = several.get(chosen).ok_or_else(CliError::cancelled)?;
            of(context, policy, case, access, &served, role)
        }
    }
}

fn of(
    context: &Context,
    policy: &Policy,
    case: &Case,
    access: &Access,
    served: &[Name],
    wanted: Option<&RoleRef>,
) -> Result<Choice, CliError> {
    let role = role_of(context, policy, case, access, served, wanted)?;
    let issued = issued(access, policy.environment_of(&role))?;
    let lent = Lent { case: case.id(), access: access.clone(), issued };
    Ok(Choice::Live(Box::new(Chosen { lent, role })))
}

/// The role of a case with which to go in: the one that is wanted, or the first on a target that the host serves. Where the
/// policy does not know the host and the case opens several environments, only the person knows.
fn role_of(
    context: &Context,
    policy: &Policy,
    case: &Case,
    access: &Access,
    served: &[Name],
    wanted: Option<&RoleRef>,
) -> Result<RoleRef, CliError> {
    let targets = &access.request.targets;
    if let Some(wanted) = wanted {
        return match targets.iter().find(|role| *role == wanted) {
            Some(role) => Ok(role.clone()),
            None => Err(CliError::failed(format!("case {} does not open {wanted}", case.id().short()))
                .hint(format!("it opens {}", role_names(access)))),
        };
    }
    if let Some(role) = targets.iter().find(|role| served.contains(&role.target)) {
        return Ok(role.clone());
    }
    if served.is_empty() && environments(policy, &access.request).len() > 1 {
        let lines: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let at = context.prompt().select("--role", "The policy does not know this host. As which role?", &lines)?;
        return targets.get(at).cloned().ok_or_else(CliError::cancelled);
    }
    targets.first().cloned().ok_or_else(|| CliError::failed("the case names no target"))
}

/// The targets behind a host's name: what the policy says that the host of this name (or of its first label) serves, or
/// the target itself. None where the policy does not know the name, such as an address.
fn served_by(policy: &Policy, host: &str) -> Vec<Name> {
    let label = host.split('.').next().unwrap_or(host);
    for name in [host, label] {
        let Ok(name) = name.parse::<Name>() else { continue };
        if let Some(Class::Host { targets }) = policy.actor(&name).map(|actor| &actor.class) {
            return targets.clone();
        }
        if policy.targets.contains_key(&name) {
            return vec![name];
        }
    }
    Vec::new()
}

/// Whether an access opens one of the targets; any does where they are not known.
fn reaches(access: &Access, served: &[Name]) -> bool {
    served.is_empty() || access.request.targets.iter().any(|role| served.contains(&role.target))
}

fn role_names(access: &Access) -> String {
    let roles: Vec<String> = access.request.targets.iter().map(ToString::to_string).collect();
    roles.join(", ")
}

/// The case that waits for approvers or the minter: the one that is named, or the newest of whoever asks.
fn on_its_way(context: &Context, ledger: &Ledger, named: Option<&str>, host: &str) -> Result<Option<CaseId>, CliError> {
    let waits = |case: &Case| {
        matches!(ledger.state().case_state(case, context.now()), CaseState::Pending | CaseState::Approved)
    };
    if let Some(named) = named {
        let case = ledger.access(named).ok().map(|(case, _)| case);
        return Ok(case.filter(|case| waits(case)).map(Case::id));
    }
    let me = context.who(ledger.policy())?;
    let served = served_by(ledger.policy(), host);
    Ok(newest_on_its_way(ledger, &me, &served, context.now(), waits).map(Case::id))
}

fn newest_on_its_way<'l>(
    ledger: &'l Ledger,
    me: &Name,
    served: &[Name],
    now: Timestamp,
    waits: impl Fn(&Case) -> bool,
) -> Option<&'l Case> {
    let mine = |case: &&Case| case.access().is_some_and(|access| access.actor == *me && reaches(access, served));
    ledger.state().awake(now).rev().find(|case| mine(case) && waits(case))
}

/// The roles of these targets (of any, where none is given) that `me` may ask for.
fn askable(policy: &Policy, me: &Name, served: &[Name]) -> Vec<RoleRef> {
    let targets = policy.targets.iter().filter(|(name, _)| served.is_empty() || served.contains(name));
    let roles = targets.flat_map(|(target, rules)| rules.roles.iter().map(move |(role, rules)| (target, role, rules)));
    roles
        .filter(|(_, _, rules)| policy.in_any_group(me, &rules.requesters))
        .map(|(target, role, _)| RoleRef { target: target.clone(), role: role.clone() })
        .collect()
}

/// Says what is on its way, or how to ask.
fn nothing_live(context: &Context, ledger: &Ledger, me: &Name, served: &[Name], host: &str) -> CliError {
    let state = |case: &Case| ledger.state().case_state(case, context.now());
    let waits = |case: &Case| matches!(state(case), CaseState::Pending | CaseState::Approved);
    if let Some(case) = newest_on_its_way(ledger, me, served, context.now(), waits) {
        let id = case.id().short();
        return CliError::pending(format!("you have no live credential for {host}: {id} is {}", state(case)))
            .hint(format!("jit ssh --wait {host} waits for it; jit show {id} says what it waits for"));
    }
    let mine = askable(ledger.policy(), me, served);
    let what = mine.first().map_or_else(|| "TARGET/ROLE".to_owned(), ToString::to_string);
    CliError::failed(format!("you ({me}) have no live credential for {host}"))
        .hint(format!("jit request {what} --for 30m --reason \"why\""))
}

/// What a closing would lack is said before anybody connects.
fn can_close(context: &Context, args: &Args) -> Result<(), CliError> {
    let Some(text) = &args.close else { return Ok(()) };
    if let Some(text) = text {
        check_reason(text).map_err(|why| CliError::usage(format!("--close: the text {why}")))?;
    }
    if context.prompt().is_available() {
        return Ok(());
    }
    let no_terminal = |what: &str| {
        CliError::usage(format!("{what} is needed: there is no terminal to ask"))
            .hint("jit ssh --yes --close=\"what was done\" HOST")
    };
    match text {
        None => Err(no_terminal("--close=TEXT")),
        Some(_) if !context.global.yes => Err(no_terminal("--yes")),
        Some(_) => Ok(()),
    }
}

/// What ssh exits with where it could not connect, or lost the connection.
const SSH_FAILED: u8 = 255;

/// After logout: closes the case where that was said, asks where a person was in a shell; ssh's code stays ours.
fn after(context: &mut Context, args: Args, destination: &Destination, id: CaseId, code: u8) -> Outcome {
    let short = id.short();
    let later = format!("jit close {short}   when the work is done");
    if args.no_close {
        return Ok(Exit(code));
    }
    if code == SSH_FAILED {
        if args.close.is_some() {
            context.output.warning(format!("ssh failed: {short} stays open"));
            context.output.hint(later);
        }
        return Ok(Exit(code));
    }
    let Some(text) = args.close else {
        if !context.prompt().is_available() {
            return Ok(Exit(code));
        }
        let question = format!("Done with {short}? Closing it ends the access at once");
        let closed = destination.is_login
            && context.prompt().confirm("--close", &question).unwrap_or(false)
            && close_it(context, id, None).map_err(|error| error.report(&context.output)).is_ok();
        if !closed {
            context.output.hint(later);
        }
        return Ok(Exit(code));
    };
    match close_it(context, id, text) {
        Ok(()) => Ok(Exit(code)),
        // What ran has its own failure, and that is what is passed on.
        Err(error) if code != 0 => {
            error.report(&context.output);
            Ok(Exit(code))
        }
        Err(error) => Err(error),
    }
}

/// As `jit close` does it, but told on stderr: stdout is what ran there.
fn close_it(context: &mut Context, id: CaseId, summary: Option<String>) -> Result<(), CliError> {
    let mut turn = Turn::open(context)?;
    if turn.session.known(id)?.access().is_some_and(|access| access.closed.is_some()) {
        context.output.note(format!("{} is closed already", id.short()));
        return Ok(());
    }
    close::say(context, &mut turn, id, summary, Vec::new())?;
    context.output.note(format!("Closed {}", id.short()));
    Ok(())
}
