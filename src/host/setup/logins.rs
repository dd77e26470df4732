//! The logins that the policy names for this host: which of them can be served, and what else would let them in or let
//! something of them stay. Pure.

use std::path::{Path, PathBuf};

use super::{AT_DENY, CRON_DENY, Change, Facts, Plan, Wanted, units};
use crate::host::HostError;

/// Who is in one of these can become root, and then nothing of jit holds.
const MIGHTY: [&str; 9] = ["root", "sudo", "wheel", "admin", "adm", "docker", "lxd", "libvirt", "disk"];

/// Those that are served; the plan gets a warning for each thing that somebody should know.
///
/// # Errors
/// Where a name is none that sshd and PAM would read as one login, or none is left.
pub fn serve(wanted: &Wanted, facts: &Facts, named: &[String], plan: &mut Plan) -> Result<Vec<String>, HostError> {
    let mut served = Vec::new();
    for login in named {
        // The policy allows no other; but it comes here through a file that the unprivileged user writes.
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if login.is_empty() || login.len() > 32 || login.starts_with('-') || !login.chars().all(plain) {
            return Err(HostError::Refused(format!(
                "{:?} in the published grants is not a login",
                login.escape_debug()
            )));
        }
        let account = facts.accounts.get(login);
        if login == "root" || account.is_some_and(|account| account.uid == 0) {
            plan.warnings.push(format!("{login} is not served: it is root, whom nothing here could stop"));
            continue;
        }
        if wanted.admin.as_ref() == Some(login) {
            plan.warnings.push(format!(
                "{login} is not served: it is your own login, and you would be locked out; take it out of the policy's roles"
            ));
            continue;
        }
        if *login == wanted.config.user {
            plan.warnings.push(format!("{login} is not served: it holds the host's key"));
            continue;
        }
        served.push(login.clone());
        let Some(account) = account else {
            plan.warnings
                .push(format!("{login} does not exist here: useradd -m -s /bin/bash {login}; then jit host setup"));
            continue;
        };
        let mighty: Vec<&str> =
            account.groups.iter().map(String::as_str).filter(|group| MIGHTY.contains(group)).collect();
        if !mighty.is_empty() {
            plan.warnings.push(format!(
                "{login} is in {}: it can become root and take jit away: gpasswd -d {login} {}",
                mighty.join(", "),
                mighty.first().unwrap_or(&"")
            ));
        }
        if account.shell.ends_with("nologin") || account.shell.ends_with("/false") || account.shell.is_empty() {
            plan.warnings.push(format!("{login} has no shell ({}): usermod -s /bin/bash {login}", account.shell));
        }
        let shell = account.shell.rsplit('/').next().unwrap_or_default();
        if !shell.is_empty() && !["bash", "dash", "sh", "nologin", "false"].contains(&shell) {
            plan.warnings.push(format!(
                "{login} has {shell}, which reads files of the login's own before the recording begins: usermod -s /bin/bash \
                 {login}"
            ));
        }
        if account.has_password {
            plan.warnings.push(format!("{login} has a password: su and the console go past jit: passwd -l {login}"));
        }
        if account.has_jobs {
            plan.warnings.push(format!(
                "{login} has cron or at jobs, which run outside of any session: crontab -r -u {login}; atq"
            ));
        }
    }
    if served.is_empty() && !named.is_empty() {
        return Err(HostError::Refused(format!("none of the logins can be served: {}", plan.warnings.join("; "))));
    }
    Ok(served)
}

/// cron and at start things outside of a session's control group.
pub fn close_cron(facts: &Facts, logins: &[String], plan: &mut Plan) {
    for (deny, allow, what) in [(CRON_DENY, "/etc/cron.allow", "cron"), (AT_DENY, "/etc/at.allow", "at")] {
        if let Some(allowed) = facts.text(Path::new(allow)) {
            // Where this file is, the other one counts for nothing.
            for login in logins.iter().filter(|login| allowed.lines().any(|line| line.trim() == login.as_str())) {
                plan.warnings
                    .push(format!("{allow} lets {login} use {what}, outside of any session: take the line out"));
            }
            continue;
        }
        let old = facts.text(Path::new(deny));
        // Without any of the files, at is root's alone everywhere, and cron everybody's on Debian: a new at.deny would
        // open at to everybody whom it does not name.
        if old.is_none() && !(what == "cron" && facts.is_debian) {
            if what == "cron" {
                plan.warnings
                    .push(format!("there is no {deny}: see in crontab(1) whether {} may use cron", logins.join(", ")));
            }
            continue;
        }
        let mut text = old.unwrap_or_default().to_owned();
        for login in
            logins.iter().filter(|login| !old.unwrap_or_default().lines().any(|line| line.trim() == login.as_str()))
        {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&format!("{login}\n"));
        }
        plan.shared_file(facts, Path::new(deny), &text, false);
    }
}

/// `systemd --user` is a way out of a control group, too: the login gets no manager of its own.
pub fn close_user_managers(facts: &Facts, logins: &[String], plan: &mut Plan) {
    if !facts.systemd {
        return;
    }
    for account in logins.iter().filter_map(|login| facts.accounts.get(login)) {
        let path = mask(account.uid);
        if facts.masked.contains(&path) {
            continue;
        }
        plan.changes.push(Change::Link { path, to: PathBuf::from("/dev/null") });
    }
}

/// The unit of a login's own manager.
pub fn mask(uid: u32) -> PathBuf {
    Path::new(units::DIRECTORY).join(format!("user@{uid}.service"))
}
