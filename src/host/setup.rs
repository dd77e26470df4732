//! `jit host setup`: what has to stand on a host, as a plan of changes over what was read there. Reading ([`facts`]),
//! planning (this file, pure) and doing ([`apply`]) are apart, so that `--dry-run` shows exactly what would be done.
//!
//! Imports domain and the host's shared types. Source: docs/host.md; sshd_config(5), pam_exec(8), pam_succeed_if(8).

use std::path::{Path, PathBuf};

use super::{Config, HostError};

pub mod apply;
pub mod change;
pub mod diff;
pub mod facts;
pub mod logins;
pub mod pam;
pub mod place;
pub mod record;
pub mod sshd;
pub mod units;

pub use change::{Change, Owner};
pub use facts::Facts;
pub use place::Place;
pub use record::Record;

/// Where the program is copied to when it lies where others than root could write it, or where others cannot run it.
pub const PROGRAM: &str = "/usr/local/libexec/jit/jit";

/// PAM's file for sshd.
pub const PAM: &str = "/etc/pam.d/sshd";

/// Who may not use cron, and at.
pub const CRON_DENY: &str = "/etc/cron.deny";
/// Who may not use at.
pub const AT_DENY: &str = "/etc/at.deny";

/// Where systemd does not run.
const RELOAD_BY_HAND: &str =
    "sshd still has its old configuration: kill -HUP \"$(cat /run/sshd.pid)\" makes it read the new one";

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The configuration that is to stand.
    pub config: Config,
    /// Where it lies.
    pub config_file: PathBuf,
    /// sshd's configuration.
    pub sshd_config: PathBuf,
    /// Whether an `Include` line may be added to it.
    pub add_include: bool,
    /// Whether units may be written where systemd runs.
    pub systemd: bool,
    /// Who runs setup through sudo: their login is never served.
    pub admin: Option<String>,
}

impl Wanted {
    /// `jit host …` as sshd, PAM and systemd run it, with `program` as the binary.
    pub fn command(&self, program: &Path, rest: &str) -> String {
        let program = program.display();
        if self.config_file == Path::new(super::config::DEFAULT) {
            return format!("{program} host {rest}");
        }
        format!("{program} host --config {} {rest}", self.config_file.display())
    }

    /// sshd's drop-in: beside its configuration, in the directory that distributions include.
    pub fn drop_in(&self) -> PathBuf {
        self.sshd_config.with_file_name("sshd_config.d").join("50-jit.conf")
    }
}

/// What would be done, in this order, and what there is to know.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The changes.
    pub changes: Vec<Change>,
    /// What is done all the same, but should be known.
    pub warnings: Vec<String>,
    /// The logins that are served from then on; `None` while the ledger has not said which.
    pub logins: Option<Vec<String>>,
    /// What sshd has to say for each of them.
    pub settings: Vec<sshd::Setting>,
}

/// Plans what has to change for `wanted` to stand.
///
/// # Errors
/// [`HostError::Refused`] where the host cannot be set up as it is, with what to do about it.
pub fn plan(wanted: &Wanted, facts: &Facts) -> Result<Plan, HostError> {
    for path in paths(wanted) {
        // They go into sshd's, PAM's and systemd's files, each of which has rules of its own for anything else.
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if !path.is_absolute() || !path.to_string_lossy().chars().all(plain) {
            return Err(HostError::Refused(format!(
                "{} cannot be used: paths are absolute, of letters, digits, '.', '_' and '-'",
                path.display()
            )));
        }
    }
    let mut plan = Plan::default();
    let user = &wanted.config.user;
    let directory = |path: PathBuf, owner: Owner, mode: u32| {
        let found = facts.directories.get(&path).copied().flatten();
        let stands = found.is_some_and(|found| facts.stands(found, &owner, mode) || !is_ours(wanted, &path));
        (!stands).then_some(Change::Directory { path, owner, mode, exists: found.is_some() })
    };
    // The first is the configuration's own: the record of what is done lies there.
    let mut wanted_directories = directories(wanted).into_iter();
    plan.changes.extend(wanted_directories.next().and_then(|(path, owner, mode)| directory(path, owner, mode)));
    if facts.user.is_none() && !facts.is_elsewhere() {
        plan.changes.push(Change::User { name: user.clone(), home: state_directory(&wanted.config) });
    }
    if facts.user.as_ref().is_some_and(|user| user.uid == 0) {
        return Err(HostError::Refused(format!("{user} is root: sync must run as a user that can do nothing else")));
    }
    let program = program(facts, &mut plan);
    plan.changes.extend(wanted_directories.filter_map(|(path, owner, mode)| directory(path, owner, mode)));
    let (path, owner) = (wanted.config.key.clone(), Owner::User(user.clone()));
    match facts.key {
        None => plan.changes.push(Change::Key { path, owner }),
        // Made by hand, before there was a ledger whose policy could name it.
        Some(found) if !facts.stands(found, &owner, 0o600) => {
            plan.changes.push(Change::Own { path, owner, mode: 0o600 })
        }
        Some(_) => {}
    }
    plan.file(facts, &wanted.config_file, &config_text(&wanted.config));
    let tmpfiles = units::tmpfiles(&wanted.config);
    if facts.systemd {
        plan.file(facts, Path::new(units::TMPFILES), &tmpfiles);
        plan.file(facts, Path::new(units::SYNC), &units::sync(wanted, &program));
        plan.file(facts, Path::new(units::REAP), &units::reap(wanted, &program));
        if plan
            .changes
            .iter()
            .any(|change| matches!(change, Change::File { path, .. } if path.starts_with(units::DIRECTORY)))
        {
            plan.run("systemd reads its units again", &["systemctl", "daemon-reload"]);
        }
        if !facts.units_enabled {
            plan.run(
                "the daemons start, now and at each boot",
                &["systemctl", "enable", "--now", units::NAMES[0], units::NAMES[1]],
            );
        } else if plan.changes.iter().any(|change| match change {
            Change::Program { .. } => true,
            Change::File { path, .. } => {
                [Path::new(units::SYNC), Path::new(units::REAP), &wanted.config_file].contains(&&**path)
            }
            _ => false,
        }) {
            plan.run(
                "the daemons start anew; sessions go on",
                &["systemctl", "restart", units::NAMES[0], units::NAMES[1]],
            );
        }
    }
    plan.warnings.extend(facts.unreadable.clone());
    if let Some(published) = &facts.logins {
        let served = logins::serve(wanted, facts, published, &mut plan)?;
        serve(wanted, facts, &program, &served, &mut plan)?;
        plan.logins = Some(served);
    }
    Ok(plan)
}

/// The part for which the logins must be known.
fn serve(wanted: &Wanted, facts: &Facts, program: &Path, logins: &[String], plan: &mut Plan) -> Result<(), HostError> {
    logins::close_cron(facts, logins, plan);
    logins::close_user_managers(facts, logins, plan);
    if facts.sshd.global("usepam") != Some("yes") {
        return Err(HostError::Refused(format!(
            "sshd runs without PAM, so nothing of jit would see a session: put this line first into {}: UsePAM yes",
            wanted.sshd_config.display()
        )));
    }
    for keyword in ["AllowUsers", "AllowGroups", "DenyUsers", "DenyGroups"] {
        if facts.sshd.global(&keyword.to_ascii_lowercase()).is_some() {
            plan.warnings.push(format!("sshd has {keyword}: see that it lets in {}", logins.join(", ")));
        }
    }
    let pam_text = facts.text(Path::new(PAM)).ok_or_else(|| {
        HostError::Refused(format!("there is no {PAM}: this sshd has no PAM service that could be told about jit"))
    })?;
    let lines = pam::lines(&wanted.command(program, "session"), logins);
    let with = pam::with(pam_text, &lines).map_err(HostError::Refused)?;
    // PAM before sshd: at no moment does a certificate get in past PAM.
    plan.shared_file(facts, Path::new(PAM), &with, true);
    let drop_in = wanted.drop_in();
    let config_text = facts.text(&wanted.sshd_config).unwrap_or_default();
    if !sshd::includes(config_text, &drop_in, facts.root.as_deref()) {
        let line = sshd::include_line(&drop_in, facts.root.as_deref());
        if !wanted.add_include {
            return Err(HostError::Refused(format!(
                "{} does not include {}: put this line first into it, or run setup with --add-include: {line}",
                wanted.sshd_config.display(),
                drop_in.display()
            )));
        }
        plan.shared_file(facts, &wanted.sshd_config, &format!("{line}\n{config_text}"), true);
    }
    plan.settings = sshd::settings(wanted, program, &facts.sshd);
    let text = sshd::drop_in(logins, &plan.settings);
    plan.guarded_file(facts, &drop_in, &text);
    if plan.changes.iter().any(|change| matches!(change, Change::File { path, .. } if *path == drop_in)) {
        if facts.systemd {
            plan.run(
                "sshd reads its configuration again; open sessions stay",
                &["systemctl", "reload", &facts.ssh_unit],
            );
        } else {
            plan.warnings.push(RELOAD_BY_HAND.to_owned());
        }
    }
    Ok(())
}

impl Plan {
    /// Whether everything stands already.
    pub fn is_done(&self) -> bool {
        self.changes.is_empty()
    }

    fn push_file(&mut self, facts: &Facts, path: &Path, new: &str, shared: bool, guarded: bool) {
        let old = facts.text(path).map(str::to_owned);
        if old.as_deref() == Some(new) {
            return;
        }
        let mode = if shared { None } else { Some(0o644) };
        self.changes.push(Change::File { path: path.to_owned(), old, new: new.to_owned(), mode, shared, guarded });
    }

    /// A file that is all ours.
    fn file(&mut self, facts: &Facts, path: &Path, new: &str) {
        self.push_file(facts, path, new, false, false);
    }

    /// One that is all ours, and that sshd must take.
    fn guarded_file(&mut self, facts: &Facts, path: &Path, new: &str) {
        self.push_file(facts, path, new, false, true);
    }

    /// One in which others have lines, too.
    fn shared_file(&mut self, facts: &Facts, path: &Path, new: &str, guarded: bool) {
        self.push_file(facts, path, new, true, guarded);
    }

    fn run(&mut self, what: &str, argv: &[&str]) {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        self.changes.push(Change::Run { what: what.to_owned(), argv });
    }
}

/// Where the binary will be run from; copied there first where that is needed.
fn program(facts: &Facts, plan: &mut Plan) -> PathBuf {
    if facts.program.is_safe {
        return facts.program.running.clone();
    }
    let to = PathBuf::from(PROGRAM);
    if !facts.program.is_installed {
        if let Some(parent) = to.parent()
            && facts.directories.get(parent).copied().flatten().is_none()
        {
            plan.changes.push(Change::Directory {
                path: parent.to_owned(),
                owner: Owner::Root,
                mode: 0o755,
                exists: false,
            });
        }
        plan.changes.push(Change::Program { from: facts.program.running.clone(), to: to.clone() });
    }
    to
}

/// The public half of a key file: its name with `.pub`.
pub fn public_half(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// Where the unprivileged user's things lie: the home of the user.
fn state_directory(config: &Config) -> PathBuf {
    config.mirror.parent().unwrap_or(Path::new("/")).to_owned()
}

/// The directories, parents first.
pub fn directories(wanted: &Wanted) -> Vec<(PathBuf, Owner, u32)> {
    let config = &wanted.config;
    let user = || Owner::User(config.user.clone());
    let parent = |path: &Path| path.parent().unwrap_or(Path::new("/")).to_owned();
    let mut all = vec![
        (parent(&wanted.config_file), Owner::Root, 0o755),
        (parent(&config.key), Owner::Root, 0o755),
        // Sticky: the user makes its mirror there, and can neither move nor replace the recordings, which are root's.
        (state_directory(config), Owner::RootWithGroup(config.user.clone()), 0o1770),
        (config.recordings.clone(), Owner::Root, 0o700),
        (config.run.clone(), Owner::Root, 0o755),
        (config.sessions(), Owner::Root, 0o700),
        (config.gates(), Owner::Root, 0o711),
        (config.published.clone(), user(), 0o755),
    ];
    let mut seen = Vec::new();
    all.retain(|(path, _, _)| {
        !seen.contains(path) && {
            seen.push(path.clone());
            true
        }
    });
    all
}

/// Whether owner and mode of a directory that exists are ours to set. `/srv` is nobody's to change because a mirror lies
/// in it.
fn is_ours(wanted: &Wanted, path: &Path) -> bool {
    let config = &wanted.config;
    path.file_name().is_some_and(|name| name == "jit")
        || path.starts_with(&config.run)
        || path == config.published
        || path == config.recordings
}

fn paths(wanted: &Wanted) -> Vec<PathBuf> {
    let Config { key, mirror, published, run, recordings, cgroup, sftp_server, .. } = &wanted.config;
    let all = [key, mirror, published, run, recordings, cgroup, sftp_server, &wanted.config_file, &wanted.sshd_config];
    all.into_iter().cloned().collect()
}

/// The configuration as text: what has to be said, and what differs from the defaults.
pub fn config_text(config: &Config) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let path = |path: &Path| quoted(&path.display().to_string());
    let mut text = format!(
        "# Written by jit host setup. docs/host.md has every key; only root may write this file.\n\
         host = {}\nledger = {}\nremote = {}\n",
        quoted(config.host.as_str()),
        quoted(&config.ledger.to_string()),
        quoted(&config.remote)
    );
    // What is not said has its default: read back, the same configuration must come out.
    let Ok(default) = toml::from_str::<Config>(&text) else { return text };
    let mut say = |key: &str, value: String, is_default: bool| {
        if !is_default {
            text.push_str(&format!("{key} = {value}\n"));
        }
    };
    say("user", quoted(&config.user), config.user == default.user);
    say("key", path(&config.key), config.key == default.key);
    say("mirror", path(&config.mirror), config.mirror == default.mirror);
    say("published", path(&config.published), config.published == default.published);
    say("run", path(&config.run), config.run == default.run);
    say("recordings", path(&config.recordings), config.recordings == default.recordings);
    say("cgroup", path(&config.cgroup), config.cgroup == default.cgroup);
    say("sftp_server", path(&config.sftp_server), config.sftp_server == default.sftp_server);
    say("interval", quoted(&config.interval.to_string()), config.interval == default.interval);
    say("login_wait", quoted(&config.login_wait.to_string()), config.login_wait == default.login_wait);
    say("probe_commands", config.probe_commands.to_string(), config.probe_commands == default.probe_commands);
    text
}
