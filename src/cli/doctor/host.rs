//! The part of `jit doctor` for a host: what is missing there, and the command that mends it.

use std::path::Path;

use super::super::Context;
use super::super::host::{setup, status};
use super::super::output::count;
use super::Check;
use crate::host::health::Health;
use crate::host::setup::{Place, Record};
use crate::host::{Config, HostError, cgroup};

/// The checks of a host.
pub(super) fn checks(context: &Context, file: &Path) -> Vec<Check> {
    let config = match Config::read(file) {
        Ok(config) => config,
        Err(error) => return vec![Check::bad("host", &error.into())],
    };
    let mut checks = vec![Check::good("host", format!("{}: {}", file.display(), config.host))];
    if !rustix::process::geteuid().is_root() {
        checks.push(Check::warning("setup", "only root can look at the rest", "sudo jit doctor"));
        return checks;
    }
    match cgroup::check(&config) {
        Ok(()) => checks.push(Check::good("cgroup", format!("{}: sessions can be ended", config.cgroup.display()))),
        Err(error) => checks.push(Check::bad("cgroup", &error.into())),
    }
    checks.push(stands(context, file, &config));
    match Health::look(&config, context.now()) {
        Ok(health) => checks.extend(health_checks(file, &config, &health)),
        Err(error) => checks.push(Check::bad("health", &error.into())),
    }
    checks
}

/// Whether setup would change anything.
fn stands(context: &Context, file: &Path, config: &Config) -> Check {
    let plan = match setup::planned(context, file, config) {
        Ok(plan) => plan,
        Err(error) => return Check::bad("setup", &error.into()),
    };
    let Some(first) = plan.changes.first() else {
        return match (plan.logins, plan.warnings.first()) {
            (None, _) => Check::warning(
                "setup",
                "the ledger names no login of this host yet: sshd and PAM know nothing of jit",
                "put the host into the policy (jit host setup prints the lines), then: jit host setup",
            ),
            (Some(_), Some(warning)) => Check::warning("setup", warning, "jit host setup --dry-run lists all of it"),
            (Some(logins), None) => Check::good("setup", format!("serves {}", logins.join(", "))),
        };
    };
    let words = first.words();
    let found =
        format!("{} things do not stand; the first: {}", plan.changes.len(), words.lines().next().unwrap_or_default());
    Check::failed("setup", found, "jit host setup --dry-run shows them, jit host setup mends them")
}

fn health_checks(file: &Path, config: &Config, health: &Health) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut runs = |name, runs: bool, unit: &str| {
        checks.push(if runs {
            Check::good(name, "runs")
        } else {
            Check::failed(name, "does not run", format!("systemctl start {unit}; journalctl -u {unit}"))
        });
    };
    runs("sync", health.sync, "jit-host-sync");
    runs("reap", health.reap, "jit-host-reap");
    checks.push(match &health.grants {
        None => Check::failed("mirror", "nothing is published: nobody gets in", "jit host sync --once says why"),
        Some(grants) if health.is_stale => Check::failed(
            "mirror",
            format!("last checked {}, and stale after {}: nobody gets in", grants.checked, grants.staleness),
            "journalctl -u jit-host-sync: why the remote does not answer",
        ),
        Some(grants) => Check::good("mirror", format!("{}, checked {}", count(grants.size, "event"), grants.checked)),
    });
    checks.push(match health.krl {
        Some(version) => Check::good("revoked", format!("list {version}")),
        None => Check::failed(
            "revoked",
            format!("{} is no usable list", config.krl().display()),
            "systemctl restart jit-host-sync",
        ),
    });
    let record = Record::read(&Place::new(None), file).ok().flatten();
    let uncovered = status::uncovered(health, record.as_ref());
    if !uncovered.is_empty() {
        checks.push(Check::failed(
            "logins",
            format!("setup does not cover {}", uncovered.join(", ")),
            "jit host setup",
        ));
    }
    for error in &health.unreadable {
        let error: &HostError = error;
        checks.push(Check::failed(
            "session",
            error.to_string(),
            "look at the file: its session is not ended while it is so",
        ));
    }
    checks
}
