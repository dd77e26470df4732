//! `jit policy rotate-ca`: the usual policy change that replaces the CA of an environment. Writes the proposal as
//! `jit policy propose` does; the rest of the file stays as it was, comments and all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::error::CliError;
use super::super::output::{count, moment};
use super::super::turn::Turn;
use super::super::{Context, Outcome};
use super::propose::{self, Change, POLICY};
use crate::domain::id::Name;
use crate::domain::key::PublicKey;
use crate::domain::policy::{Policy, edit};
use crate::domain::state::State;
use crate::domain::state::case::CaseState;
use crate::domain::time::Timestamp;

/// Propose another CA for an environment.
///
/// Nobody is cut off: credentials by the CA before it open servers until they end. Give the minter the new key before
/// the proposal is enacted. Where the old key is in wrong hands, lock the environment and revoke first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The environment.
    #[arg(value_name = "ENV")]
    pub environment: Name,
    /// The new CA's public key, or its private key.
    #[arg(long, value_name = "FILE.pub", value_hint = clap::ValueHint::FilePath)]
    pub new: PathBuf,
    /// Why, and whether at once.
    #[command(flatten)]
    pub wish: propose::Wish,
}

/// Runs the command.
///
/// # Errors
/// Failed where the environment is unknown or the key is its CA already; refused where the key cannot be a CA; as
/// `jit policy propose` has them.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let Args { environment, new, wish } = args;
    let file = context.resolve(&new);
    let key = context.public_key_of(&file)?;
    let mut turn = Turn::open(context)?;
    let policy = turn.session.policy();
    let Some(present) = policy.environments.get(&environment).map(|known| known.ca.clone()) else {
        let known: Vec<&Name> = policy.environments.keys().collect();
        let known = known.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(CliError::failed(format!("there is no environment {environment}; the policy has {known}"))
            .hint("jit policy show"));
    };
    if key == present {
        return Err(CliError::failed(format!("{} is the CA of {environment} already", key.fingerprint()))
            .hint("make a new key: ssh-keygen -t ed25519 -f FILE"));
    }
    if key.is_hardware() {
        // Each credential would wait for a touch: of a person who sits beside the minter, at 3 a.m. too.
        return Err(CliError::refused(format!("{} is a hardware key, and a CA signs unattended", key.fingerprint()))
            .hint("ssh-keygen -t ed25519 -f FILE; ssh-agent may hold it, and ask before each use: ssh-add -c FILE"));
    }
    let files = propose::in_force(&turn)?;
    let text = files.get(POLICY).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let next = policy.version.saturating_add(1);
    let proposed = text
        .and_then(|text| with_ca(&text, &present, &key))
        .and_then(|text| edit::with_version(&text, next).ok())
        .filter(|text| names(text, &environment, &key));
    let Some(proposed) = proposed else {
        return Err(CliError::failed(format!("the line of the CA of {environment} was not found in policy.toml"))
            .hint(format!(
                "write ca = \"{key}\" yourself, then: jit policy propose policy.toml --bump --reason \"…\""
            )));
    };
    let live = live_by(turn.session.state(), &present, context.now());
    let change = Change {
        given: BTreeMap::from([(POLICY.to_owned(), proposed.into_bytes())]),
        removed: Vec::new(),
        // Not bumped: should another policy have come into force meanwhile, this one rests on an old one.
        bump: false,
        lead: String::new(),
        wish,
    };
    let finished = propose::put(context, &mut turn, &files, change)?;
    let shown = turn.show(context, finished.done, finished.case)?;
    tell(context, &environment, &file, &live);
    Ok(shown)
}

/// What is to be done beside the proposal, and what goes on by itself.
fn tell(context: &Context, environment: &Name, file: &Path, live: &[Timestamp]) {
    let until = match live.iter().max() {
        Some(last) => format!(
            "{} by the CA in force go on until they end, the last {}.",
            count(live.len(), "credential"),
            moment(*last, context.now())
        ),
        None => "No credential by the CA in force is live.".to_owned(),
    };
    context.output.note(until);
    let mut private = file.to_owned();
    if private.extension().is_some_and(|extension| extension == "pub") {
        private.set_extension("");
    }
    context.output.note("Give the minter both keys before the policy changes; it uses the one that is in force:");
    context.output.hint(format!("jit mint --ca {environment}=OLD --ca {environment}={}", private.display()));
}

/// When the live credentials by `ca` end.
fn live_by(state: &State, ca: &PublicKey, now: Timestamp) -> Vec<Timestamp> {
    let mut ends = Vec::new();
    for case in state.awake(now).filter(|case| state.case_state(case, now) == CaseState::Live) {
        for issued in case.access().into_iter().flat_map(|access| &access.issued) {
            let by = crate::domain::certificate::Certificate::parse_line(&issued.certificate);
            if now < issued.valid_before && by.is_ok_and(|certificate| certificate.ca() == ca) {
                ends.push(issued.valid_before);
            }
        }
    }
    ends
}

/// The text with `new` where `old` was the value of a line. A policy names a key once (A10); a comment may repeat it.
fn with_ca(text: &str, old: &PublicKey, new: &PublicKey) -> Option<String> {
    let (old, new) = (old.to_string(), new.to_string());
    let mut done = false;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let value = line.split_once('#').map_or(line, |(before, _)| before);
        if !done && value.contains(&old) {
            out.push_str(&line.replacen(&old, &new, 1));
            done = true;
        } else {
            out.push_str(line);
        }
    }
    done.then_some(out)
}

/// Whether the text is a policy, or at least has no fault but what the proposal will name, with this CA.
fn names(text: &str, environment: &Name, ca: &PublicKey) -> bool {
    match Policy::parse(text.as_bytes()) {
        Ok(policy) => policy.environments.get(environment).is_some_and(|known| known.ca == *ca),
        // Unsound with the new key (it is somebody's): the proposal says so, with line and column.
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKUeTvfOZ4tyIHtgXeaTQzWuFAiAeVczlpbP4uBtXJBW";
    const NEW: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHBHAT+SAwppMtKXW08saVVowiWEuK7M+ZguKkICgwF9";

    #[test]
    fn the_key_alone_changes() {
        let (old, new) = (OLD.parse().unwrap(), NEW.parse().unwrap());
        let text = format!("# was {OLD}\n[environment.prod]\r\n  ca='{OLD}' # since {OLD}\n\n[log] # x\n");
        let after = format!("# was {OLD}\n[environment.prod]\r\n  ca='{NEW}' # since {OLD}\n\n[log] # x\n");
        assert_eq!(with_ca(&text, &old, &new), Some(after));
        assert_eq!(with_ca(&format!("# {OLD}\n"), &old, &new), None);
    }
}
