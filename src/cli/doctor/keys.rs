//! The part of `jit doctor` that says which of the person's keys can sign for which roles.

use std::path::Path;

use serde_json::{Value, json};

use super::super::keys::{self, Fit, OwnKey};
use super::super::output::Table;
use super::super::{Context, Output};
use super::Check;
use crate::domain::id::{Name, RoleRef};
use crate::domain::policy::{Mfa, Policy};
use crate::domain::text::visible;

/// A key and what it can sign.
pub(super) struct Row {
    own: OwnKey,
    /// Whose it is in the policy.
    owner: Option<Name>,
    roles: Vec<(RoleRef, Mfa, Fit)>,
}

/// The keys of whoever sits here, each with the roles that its owner asks for or decides on.
pub(super) fn rows(context: &Context, policy: &Policy) -> Vec<Row> {
    let row = |own: OwnKey| {
        let owner = policy.actor_of_key(&own.key).cloned();
        let roles = owner.iter().flat_map(|owner| roles_of(policy, owner));
        let roles = roles.map(|(role, mfa)| (role, mfa, fit(&own, mfa))).collect();
        Row { own, owner, roles }
    };
    keys::all(context).into_iter().map(row).collect()
}

/// What a key can sign here: one whose private half is nowhere signs nothing.
fn fit(own: &OwnKey, mfa: Mfa) -> Fit {
    if own.is_usable() { own.fits(mfa) } else { Fit::No("its private half is neither in a file nor in ssh-agent") }
}

/// The roles that `member` may ask for or decide on, sorted.
fn roles_of(policy: &Policy, member: &Name) -> Vec<(RoleRef, Mfa)> {
    let mut roles = Vec::new();
    for (target_name, target) in &policy.targets {
        for (role_name, role) in &target.roles {
            let asks = policy.in_any_group(member, &role.requesters)
                || role.emergency.as_ref().is_some_and(|rule| policy.in_group(member, &rule.group));
            let decides = role.approve.iter().any(|slot| policy.in_group(member, &slot.group));
            if asks || decides {
                roles.push((RoleRef { target: target_name.clone(), role: role_name.clone() }, role.mfa));
            }
        }
    }
    roles
}

/// A check for each demand that no key of the person's meets.
pub(super) fn checks(context: &Context, rows: &[Row], policy: &Policy, person: &Name) -> Vec<Check> {
    let mut checks = Vec::new();
    let wanted = roles_of(policy, person);
    for mfa in [Mfa::Touch, Mfa::TouchPin] {
        let own = || rows.iter().filter(|row| row.owner.as_ref() == Some(person));
        if own().any(|row| matches!(fit(&row.own, mfa), Fit::Yes | Fit::Perhaps)) {
            continue;
        }
        let roles: Vec<String> =
            wanted.iter().filter(|(_, demanded)| *demanded == mfa).map(|(role, _)| role.to_string()).collect();
        if !roles.is_empty() {
            let found = format!("none of {person}'s here can sign for {} (mfa = {mfa})", roles.join(", "));
            checks.push(Check::warning("keys", found, keys::make(context, person, mfa)));
        }
    }
    checks
}

/// The table: a line for each key and answer.
pub(super) fn table(context: &Context, rows: &[Row], output: &Output) -> String {
    let mut table = Table::new(&["key", "of", "signs for"]);
    for row in rows {
        let name = match &row.own.file {
            Some(file) => visible(&short(context, file)),
            None => format!("ssh-agent {}", row.own.key.fingerprint()),
        };
        let Some(owner) = &row.owner else {
            table.row([name, "-".to_owned(), "nothing: the policy does not know it".to_owned()]);
            continue;
        };
        let who = owner.to_string();
        let mut first = Some((name, who.clone()));
        for (answer, roles) in by_answer(&row.roles) {
            let (name, owner) = first.take().unwrap_or_default();
            table.row([name, owner, format!("{answer}: {}", roles.join(", "))]);
        }
        if let Some((name, owner)) = first {
            table.row([name, owner, format!("no role: {who} neither asks nor approves")]);
        }
    }
    if table.is_empty() { String::new() } else { format!("\n{}", table.render(output.width())) }
}

/// A file as people type it: below HOME from `~`.
fn short(context: &Context, file: &Path) -> String {
    let below = context.environment.home().and_then(|home| file.strip_prefix(home).ok().map(Path::to_owned));
    below.map_or_else(|| file.display().to_string(), |below| format!("~/{}", below.display()))
}

/// The roles with the same answer together, in the order of the first of each.
fn by_answer(roles: &[(RoleRef, Mfa, Fit)]) -> Vec<(String, Vec<String>)> {
    let mut answers: Vec<(String, Vec<String>)> = Vec::new();
    for (role, mfa, fit) in roles {
        let answer = match fit {
            Fit::Yes => "yes".to_owned(),
            Fit::Perhaps => perhaps(*mfa).to_owned(),
            Fit::No(why) => format!("no, {why}"),
        };
        match answers.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, same)) => same.push(role.to_string()),
            None => answers.push((answer, vec![role.to_string()])),
        }
    }
    answers
}

/// What a key must have been made with, where ssh-agent alone knows it or its file is encrypted.
const fn perhaps(mfa: Mfa) -> &'static str {
    match mfa {
        Mfa::None | Mfa::Touch => "yes, unless made with no-touch-required",
        Mfa::TouchPin => "only if made with verify-required",
    }
}

/// The same for programs.
pub(super) fn objects(rows: &[Row]) -> Vec<Value> {
    let object = |row: &Row| {
        let roles: Vec<Value> = row
            .roles
            .iter()
            .map(|(role, mfa, fit)| {
                let (signs, why) = match fit {
                    Fit::Yes => ("yes", None),
                    Fit::Perhaps => ("perhaps", Some(perhaps(*mfa))),
                    Fit::No(why) => ("no", Some(*why)),
                };
                json!({ "role": role.to_string(), "mfa": mfa.to_string(), "signs": signs, "why": why })
            })
            .collect();
        json!({
            "fingerprint": row.own.key.fingerprint(),
            "type": row.own.key.label(),
            "file": row.own.file.as_ref().map(|file| file.display().to_string()),
            "in_agent": row.own.in_agent,
            "in_file": row.own.in_file,
            "member": row.owner.as_ref().map(Name::as_str),
            "touch": row.own.known.map(|known| known.touch),
            "pin": row.own.known.map(|known| known.pin),
            "roles": roles,
        })
    };
    rows.iter().map(object).collect()
}
