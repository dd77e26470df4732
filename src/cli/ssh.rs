//! `jit ssh`: OpenSSH's own client with the live credential. Everything else about the connection stays the person's.

use std::ffi::{OsStr, OsString};
use std::process::Command;

use super::context::{Freshness, Ledger};
use super::credential::{Lent, check_live, issued, lend, pass_on};
use super::error::{CliError, ErrorKind};
use super::output::{moment, relative};
use super::{Context, Exit, Outcome, request};
use crate::domain::id::{Name, RoleRef};
use crate::domain::policy::{Class, Policy};
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, CaseState};

/// Connect to HOST with your live credential.
///
/// Everything from the first word that is no option of jit is ssh's: `jit ssh -p 2222 db1 uptime`. Options that jit has
/// too (-v, -q) go to ssh after `--`. Without a login in HOST, the role's first one is taken.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case whose credential is used [default: your live one].
    #[arg(long, value_name = "CASE")]
    pub case: Option<String>,
    /// ssh's own options, the host and a command.
    #[arg(value_name = "HOST", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// ssh's options that take a value (ssh(1), OpenSSH 9 and 10).
const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// Connects; ssh's exit code is ours.
///
/// # Errors
/// Where there is no live credential for the host, or several and nobody to choose.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let destination = Destination::find(&args.arguments)
        .ok_or_else(|| CliError::usage("a host is needed").hint("jit ssh [ssh's options] HOST [command]"))?;
    let local = context.ledger(Freshness::Local)?;
    let (ledger, chosen) = match choose(context, &local, args.case.as_deref(), &destination.host) {
        Err(_) if local.remote()?.is_some() => {
            let fresh = context.ledger(Freshness::Fetched)?;
            let chosen = choose(context, &fresh, args.case.as_deref(), &destination.host);
            (fresh, chosen)
        }
        chosen => (local, chosen),
    };
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(error) => return offer(context, args.case.is_some(), &destination.host, error),
    };
    let files = lend(context, &chosen.lent)?;
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
    if !destination.has_login
        && let Some(login) = ledger.policy().role(&chosen.role).and_then(|role| role.logins.first())
    {
        command.args(["-l", login]);
    }
    command.args(&args.arguments).current_dir(&context.environment.directory);
    let (id, ends) = (chosen.lent.case.short(), chosen.lent.issued.valid_before);
    context.output.note(format!("{id}: {} ends {}", chosen.role, moment(ends, context.now())));
    pass_on(command)
}

/// Without a credential, and where nothing is on its way, a person is asked whether to request one.
fn offer(context: &mut Context, named: bool, host: &str, error: CliError) -> Outcome {
    let nothing_on_its_way = error.kind() == ErrorKind::Failed && !named;
    if !nothing_on_its_way || !context.prompt().is_available() {
        return Err(error);
    }
    context.output.note(error.message());
    if !context.prompt().confirm("--yes", "Request access now?")? {
        return Err(error);
    }
    request::run(context, request::Args::default())?;
    context.output.hint(format!("jit ssh {host}   once it is live"));
    Ok(Exit::PENDING)
}

/// What to connect with.
struct Chosen {
    lent: Lent,
    role: RoleRef,
}

fn choose(context: &Context, ledger: &Ledger, named: Option<&str>, host: &str) -> Result<Chosen, CliError> {
    let policy = ledger.policy();
    let served = served_by(policy, host);
    if let Some(named) = named {
        let (case, access) = ledger.access(named)?;
        check_live(context, ledger, case, access)?;
        return of(policy, case, access, &served);
    }
    let me = context.who(policy)?;
    let reaches =
        |access: &Access| served.is_empty() || access.request.targets.iter().any(|role| served.contains(&role.target));
    let now = context.now();
    let live: Vec<(&Case, &Access)> = ledger.live_of(&me, now).filter(|(_, access)| reaches(access)).collect();
    match &*live {
        [] => Err(nothing_live(context, ledger, &me, &served, host)),
        [(case, access)] => of(policy, case, access, &served),
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
            of(policy, case, access, &served)
        }
    }
}

fn of(policy: &Policy, case: &Case, access: &Access, served: &[Name]) -> Result<Chosen, CliError> {
    let targets = &access.request.targets;
    let role = targets.iter().find(|role| served.contains(&role.target)).or(targets.first());
    let role = role.cloned().ok_or_else(|| CliError::failed("the case names no target"))?;
    let issued = issued(access, policy.environment_of(&role))?;
    Ok(Chosen { lent: Lent { case: case.id(), access: access.clone(), issued }, role })
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

fn role_names(access: &Access) -> String {
    let roles: Vec<String> = access.request.targets.iter().map(ToString::to_string).collect();
    roles.join(", ")
}

/// Says what is on its way, or how to ask.
fn nothing_live(context: &Context, ledger: &Ledger, me: &Name, served: &[Name], host: &str) -> CliError {
    let now = context.now();
    let on_its_way = ledger.state().cases().rev().find_map(|case| {
        let access = case.access().filter(|access| access.actor == *me)?;
        let state = ledger.state().case_state(case, now);
        let reaches = served.is_empty() || access.request.targets.iter().any(|role| served.contains(&role.target));
        (reaches && matches!(state, CaseState::Pending | CaseState::Approved)).then_some((case.id().short(), state))
    });
    if let Some((id, state)) = on_its_way {
        return CliError::pending(format!("you have no live credential for {host}: {id} is {state}"))
            .hint(format!("jit show {id} says what it waits for"));
    }
    let policy = ledger.policy();
    let targets = policy.targets.iter().filter(|(name, _)| served.is_empty() || served.contains(name));
    let mine = targets
        .flat_map(|(target, rules)| rules.roles.iter().map(move |(role, rules)| (target, role, rules)))
        .find(|(_, _, rules)| policy.in_any_group(me, &rules.requesters));
    let what = mine.map_or_else(|| "TARGET/ROLE".to_owned(), |(target, role, _)| format!("{target}/{role}"));
    CliError::failed(format!("you ({me}) have no live credential for {host}"))
        .hint(format!("jit request {what} --for 30m --reason \"why\""))
}

/// Where ssh's own arguments lead.
#[derive(Debug, PartialEq, Eq)]
struct Destination {
    host: String,
    has_login: bool,
}

impl Destination {
    /// Reads ssh's arguments as ssh does: options, which may be written together, up to the first word that is none.
    fn find(arguments: &[OsString]) -> Option<Self> {
        let mut has_login = false;
        let mut words = arguments.iter().map(|word| word.to_string_lossy());
        while let Some(word) = words.next() {
            if word == "--" {
                return Some(Self::of(&words.next()?, has_login));
            }
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                return Some(Self::of(&word, has_login));
            };
            // `-vp2222`: the first letter that takes a value ends the letters.
            if let Some((at, letter)) = letters.char_indices().find(|(_, letter)| WITH_VALUE.contains(*letter)) {
                let rest = letters.get(at.saturating_add(letter.len_utf8())..).unwrap_or_default();
                let value = if rest.is_empty() { words.next()?.into_owned() } else { rest.to_owned() };
                has_login |=
                    letter == 'l' || (letter == 'o' && value.trim_start().to_ascii_lowercase().starts_with("user"));
            }
        }
        None
    }

    fn of(word: &str, has_login: bool) -> Self {
        let is_uri = word.starts_with("ssh://");
        let place = word.strip_prefix("ssh://").unwrap_or(word);
        let place = if is_uri { place.split('/').next().unwrap_or(place) } else { place };
        let (login, host) = place.rsplit_once('@').map_or((None, place), |(login, host)| (Some(login), host));
        let host = if is_uri { host.split(':').next().unwrap_or(host) } else { host };
        Self { host: host.to_owned(), has_login: has_login || login.is_some() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_behind_sshs_options() {
        let find = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            Destination::find(&words).map(|found| (found.host, found.has_login))
        };
        let host = |host: &str, login| Some((host.to_owned(), login));
        assert_eq!(find("db1"), host("db1", false));
        assert_eq!(find("-p 2222 db1 ls -l"), host("db1", false));
        assert_eq!(find("-4vp2222 root@db1"), host("db1", true));
        assert_eq!(find("-l root db1"), host("db1", true));
        assert_eq!(find("-o User=root -oPort=2 db1"), host("db1", true));
        assert_eq!(find("-L 80:db2:80 -N -- db1"), host("db1", false));
        assert_eq!(find("ssh://root@db1:2222/x"), host("db1", true));
        assert_eq!(find("-p"), None);
        assert_eq!(find("-v"), None);
    }
}
