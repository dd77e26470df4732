//! `jit credential`, and how `jit ssh` and `jit exec` find a credential and lend it to a program.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use serde_json::json;

use super::context::{Freshness, Ledger};
use super::error::CliError;
use super::files;
use super::output::moment;
use super::view::locks;
use super::{Context, Exit, Outcome};
use crate::domain::id::{CaseId, Name};
use crate::domain::state::access::{Access, Issued};
use crate::domain::state::case::{Case, CaseState};

/// Print the certificate of a live case, one OpenSSH line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it.
    #[arg(value_name = "CASE")]
    pub case: String,
    /// Write it to FILE instead.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// The environment, where the case has a credential in several.
    #[arg(long, value_name = "ENV")]
    pub environment: Option<Name>,
}

/// Prints or writes the certificate.
///
/// # Errors
/// Where the case has none yet (exit 8) or its end has come.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let lent = find(context, &args.case, args.environment.as_ref())?;
    let issued = &lent.issued;
    if let Some(out) = &args.out {
        let path = context.resolve(out);
        files::write(&path, format!("{}\n", issued.certificate).as_bytes(), files::SHARED)
            .map_err(|cause| CliError::file("write", &path, &cause))?;
        context.output.note(format!("{} ends {}", path.display(), moment(issued.valid_before, context.now())));
    }
    let object = || {
        json!({
            "case": lent.case.0.hex(),
            "id": lent.case.short(),
            "environment": issued.environment.as_str(),
            "serial": issued.serial,
            "starts": issued.valid_after.to_string(),
            "ends": issued.valid_before.to_string(),
            "certificate": issued.certificate,
        })
    };
    let text = || if args.out.is_some() { String::new() } else { issued.certificate.clone() };
    context.output.result(object, text)?;
    Ok(Exit::DONE)
}

/// A live credential and the case that it belongs to.
pub(super) struct Lent {
    pub(super) case: CaseId,
    pub(super) access: Access,
    pub(super) issued: Issued,
}

/// The live credential of the case that `named` means. Where this clone does not have it yet, the remote is asked.
pub(super) fn find(context: &mut Context, named: &str, environment: Option<&Name>) -> Result<Lent, CliError> {
    let ledger = context.ledger(Freshness::Local)?;
    match look(context, &ledger, named, environment) {
        Err(_) if ledger.remote()?.is_some() => {
            let fresh = context.ledger(Freshness::Fetched)?;
            look(context, &fresh, named, environment)
        }
        found => found,
    }
}

fn look(context: &Context, ledger: &Ledger, named: &str, environment: Option<&Name>) -> Result<Lent, CliError> {
    let (case, access) = ledger.access(named)?;
    check_live(context, ledger, case, access)?;
    let issued = issued(access, environment)?;
    Ok(Lent { case: case.id(), access: access.clone(), issued })
}

/// The newest credential of the case in `environment`, which may be left out where there is but one.
pub(super) fn issued(access: &Access, environment: Option<&Name>) -> Result<Issued, CliError> {
    let mut names: Vec<&Name> = access.issued.iter().map(|issued| &issued.environment).collect();
    names.sort();
    names.dedup();
    let wanted = match (environment, &*names) {
        (Some(wanted), _) => wanted,
        (None, [only]) => *only,
        (None, _) => {
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            return Err(CliError::usage(format!(
                "the case has credentials in {}: --environment is needed",
                names.join(", ")
            ))
            .hint("--environment ENV"));
        }
    };
    let newest = access.issued.iter().rfind(|issued| issued.environment == *wanted);
    newest.cloned().ok_or_else(|| {
        CliError::failed(format!("the case has no credential in {wanted} yet: each environment has its own"))
            .hint("jit mint issues what is due; jit show CASE says what was issued")
    })
}

/// Says why there is no live credential.
pub(super) fn check_live(context: &Context, ledger: &Ledger, case: &Case, access: &Access) -> Result<(), CliError> {
    let now = context.now();
    let id = case.id().short();
    let state = ledger.state().case_state(case, now);
    let ends = access.ends().map_or_else(String::new, |end| format!(" ({})", moment(end, now)));
    match state {
        CaseState::Live => match locks::on(ledger.state(), case, access, now) {
            Some((lock, locked)) => Err(locks::refusal(ledger.state(), lock, locked, now)
                .context(format!("{id} is live, but its credential opens nothing while a lock stands on it"))),
            None => Ok(()),
        },
        CaseState::Pending => {
            Err(CliError::pending(format!("{id} is pending: nothing was issued yet")).hint(format!("jit show {id}")))
        }
        CaseState::Approved => Err(CliError::pending(format!("{id} is approved, and waits for the minter"))
            .hint(format!("jit mint issues it; jit show {id}"))),
        CaseState::Ended | CaseState::ReviewDue | CaseState::Reviewed => {
            Err(CliError::failed(format!("{id} has ended{ends}: its credential opens nothing any more"))
                .hint(format!("jit request {} asks anew", roles(access))))
        }
        CaseState::Denied | CaseState::Withdrawn | CaseState::Lapsed => {
            Err(CliError::failed(format!("{id} was never issued: it is {state}"))
                .hint(format!("jit request {} asks anew", roles(access))))
        }
        CaseState::Enacted | CaseState::Overtaken | CaseState::Locked | CaseState::Lifted | CaseState::Founded => {
            Err(CliError::failed(format!("{id} is no access")).hint("jit list"))
        }
    }
}

fn roles(access: &Access) -> String {
    let roles: Vec<String> = access.request.targets.iter().map(ToString::to_string).collect();
    roles.join(" ")
}

/// Files that a program uses while it runs: the certificate, and which key goes with it. Gone when dropped.
pub(super) struct Files {
    directory: tempfile::TempDir,
    /// The private key's file, or the public one where the agent holds the private half.
    pub(super) identity: PathBuf,
}

impl Files {
    pub(super) fn certificate(&self) -> PathBuf {
        self.directory.path().join("credential-cert.pub")
    }
}

/// Writes what a program needs to use `lent`. The certificate is no secret, and the key never moves.
pub(super) fn lend(context: &Context, lent: &Lent) -> Result<Files, CliError> {
    let made = |cause: std::io::Error| CliError::failed("cannot make a temporary directory").because(cause.to_string());
    let directory = tempfile::Builder::new().prefix("jit-").tempdir().map_err(made)?;
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, format!("{text}\n")).map_err(|cause| CliError::file("write", &path, &cause)).map(|()| path)
    };
    write("credential-cert.pub", &lent.issued.certificate)?;
    let key = &lent.access.request.credential_key;
    let own = super::keys::all(context).into_iter().find(|own| own.key == *key).and_then(|own| own.file);
    let identity = match own {
        Some(file) => file,
        // Whichever key it is, ssh finds its private half in the agent by this file.
        None => write("credential.pub", &key.to_string())?,
    };
    Ok(Files { directory, identity })
}

/// Runs `command` to its end and passes its exit code on; one that a signal ended has 128 and the signal's number.
pub(super) fn pass_on(mut command: Command) -> Outcome {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|cause| {
        let hint = "check that it is installed and in PATH";
        CliError::failed(format!("cannot run {name}")).because(cause.to_string()).hint(hint)
    })?;
    Ok(Exit(code(status)))
}

/// The exit code of a program; of one that a signal ended 128 and the signal's number.
pub(super) fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| signal.saturating_add(128)));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
