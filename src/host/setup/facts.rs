//! What stands on the host, read once before anything is planned. Reads and runs only what changes nothing: `getent`,
//! `id`, `sshd -T`, `systemctl is-enabled`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::sshd::{Effective, Sshd};
use super::{AT_DENY, CRON_DENY, Owner, PAM, PROGRAM, Place, Wanted, logins, units};
use crate::domain::id::Digest;
use crate::host::{Grants, HostError};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
    /// Its shell.
    pub shell: String,
    /// All its groups, by name.
    pub groups: Vec<String>,
    /// Whether a password opens it.
    pub has_password: bool,
    /// Whether cron or at have something of it.
    pub has_jobs: bool,
}

/// Owner, group and permissions of a directory or file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Its permissions.
    pub mode: u32,
}

impl Directory {
    fn of(meta: &fs::Metadata) -> Self {
        Self { uid: meta.uid(), gid: meta.gid(), mode: meta.mode() & 0o7777 }
    }
}

/// The program that runs now.
#[derive(Debug, Clone)]
pub struct Program {
    /// Where it lies.
    pub running: PathBuf,
    /// Whether only root can write it, and everybody run it.
    pub is_safe: bool,
    /// Whether the very same lies at [`PROGRAM`].
    pub is_installed: bool,
}

/// What stands.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The directory that stands for the root, where one does.
    pub root: Option<PathBuf>,
    /// The program.
    pub program: Program,
    /// The unprivileged user.
    pub user: Option<Account>,
    /// Directories, `None` where there is none.
    pub directories: BTreeMap<PathBuf, Option<Directory>>,
    files: BTreeMap<PathBuf, String>,
    /// Owner, group and permissions of the host's signing key; `None` where there is none.
    pub key: Option<Directory>,
    /// The logins that the ledger names; `None` where nothing is published yet.
    pub logins: Option<Vec<String>>,
    /// Why what is published cannot be used, where something is.
    pub unreadable: Option<String>,
    /// Their accounts.
    pub accounts: BTreeMap<String, Account>,
    /// Units of user managers that are masked.
    pub masked: BTreeSet<PathBuf>,
    /// Whether systemd runs and is to be used.
    pub systemd: bool,
    /// Whether both daemons are enabled.
    pub units_enabled: bool,
    /// The unit of sshd.
    pub ssh_unit: String,
    /// Whether this is Debian or comes from it.
    pub is_debian: bool,
    /// What sshd has for root now.
    pub sshd: Effective,
}

impl Facts {
    /// Reads them.
    ///
    /// # Errors
    /// Where something cannot be read, lies behind a symbolic link, or sshd does not take its present configuration.
    pub fn read(wanted: &Wanted, place: &Place) -> Result<Self, HostError> {
        let config = &wanted.config;
        let systemd = wanted.systemd && place.at(Path::new("/run/systemd/system")).is_dir();
        let mut files = BTreeMap::new();
        let drop_in = wanted.drop_in();
        let named =
            [PAM, CRON_DENY, AT_DENY, "/etc/cron.allow", "/etc/at.allow", units::TMPFILES, units::SYNC, units::REAP];
        for path in named.iter().map(Path::new).chain([&*wanted.config_file, &wanted.sshd_config, &drop_in]) {
            if let Some(text) = place.text(path)? {
                files.insert(path.to_owned(), text);
            }
        }
        let mut directories = BTreeMap::new();
        let installed = Path::new(PROGRAM).parent().map(Path::to_owned);
        for path in super::directories(wanted).into_iter().map(|(path, _, _)| path).chain(installed) {
            let meta = place.look(&path)?;
            if meta.as_ref().is_some_and(|meta| !meta.is_dir()) {
                return Err(HostError::content(path, "it is not a directory"));
            }
            directories.insert(path, meta.as_ref().map(Directory::of));
        }
        let published = crate::host::Config { published: place.at(&config.published), ..config.clone() };
        // What another version published, or what is of another ledger, is no reason not to mend the rest.
        let (logins, unreadable) = match Grants::read(&published) {
            Ok(grants) => (grants.map(|grants| grants.logins), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let accounts: BTreeMap<String, Account> =
            logins.iter().flatten().filter_map(|login| Some((login.clone(), account(place, login)?))).collect();
        let masked = accounts
            .values()
            .map(|account| logins::mask(account.uid))
            .filter(|path| fs::read_link(place.at(path)).is_ok_and(|to| to == Path::new("/dev/null")))
            .collect();
        Ok(Self {
            root: place.root().map(Path::to_owned),
            program: program(place)?,
            user: account(place, &config.user),
            directories,
            files,
            key: key(place, &config.key)?,
            logins,
            unreadable,
            accounts,
            masked,
            systemd,
            units_enabled: systemd && (place.root().is_some() || units_enabled()),
            ssh_unit: ssh_unit(place),
            is_debian: place.at(Path::new("/etc/debian_version")).exists(),
            sshd: sshd(wanted, place)?.effective("root")?,
        })
    }

    /// The text of a file; `None` where there is none.
    pub fn text(&self, path: &Path) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether these are the files of another root: its users cannot be made, and nothing of it runs.
    pub const fn is_elsewhere(&self) -> bool {
        self.root.is_some()
    }

    /// Whether a directory has this owner and mode already. Below a directory that stands for the root, owners are left
    /// alone.
    pub fn stands(&self, found: Directory, owner: &Owner, mode: u32) -> bool {
        let user = self.user.as_ref().map(|user| (user.uid, user.gid));
        let owned = match owner {
            Owner::Root => (found.uid, found.gid) == (0, 0),
            Owner::User(_) => Some((found.uid, found.gid)) == user,
            Owner::RootWithGroup(_) => Some((0, found.gid)) == user.map(|(_, gid)| (found.uid, gid)),
        };
        found.mode == mode && (owned || self.root.is_some())
    }
}

fn key(place: &Place, path: &Path) -> Result<Option<Directory>, HostError> {
    let Some(meta) = place.look(path)? else { return Ok(None) };
    if !meta.is_file() {
        return Err(HostError::content(path, "the host's key is no plain file"));
    }
    Ok(Some(Directory::of(&meta)))
}

/// The sshd that is asked.
///
/// # Errors
/// Where there is none.
pub fn sshd(wanted: &Wanted, place: &Place) -> Result<Sshd, HostError> {
    let program = Sshd::find().ok_or_else(|| {
        HostError::Refused("there is no sshd on this machine: apt-get install openssh-server".to_owned())
    })?;
    let config = place.to_write(&wanted.sshd_config)?;
    Ok(Sshd { program, config, host: wanted.config.host.to_string() })
}

fn program(place: &Place) -> Result<Program, HostError> {
    let running = std::env::current_exe().map_err(|cause| HostError::system("where this program lies", cause))?;
    let installed = place.at(Path::new(PROGRAM));
    let is_installed = match (digest(&running), digest(&installed)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    };
    let is_safe = place.root().is_none() && is_safe(&running);
    Ok(Program { running, is_safe, is_installed })
}

fn digest(path: &Path) -> Option<Digest> {
    fs::read(path).ok().map(|bytes| Digest::of(&bytes))
}

/// sshd runs a command only where root alone can write it and every directory above; the command runs as other users.
fn is_safe(program: &Path) -> bool {
    program.ancestors().all(|path| {
        fs::symlink_metadata(path)
            .is_ok_and(|meta| meta.uid() == 0 && meta.mode() & 0o022 == 0 && meta.mode() & 0o001 != 0)
    })
}

/// The account of a name; of the files below a directory that stands for the root.
fn account(place: &Place, name: &str) -> Option<Account> {
    let (passwd, groups, shadow) = match place.root() {
        Some(_) => {
            let read = |path: &str| fs::read_to_string(place.at(Path::new(path))).unwrap_or_default();
            let member = |line: &str| {
                let fields: Vec<&str> = line.split(':').collect();
                let is_member = fields.get(3).is_some_and(|members| members.split(',').any(|member| member == name));
                is_member.then(|| fields.first().map(|group| (*group).to_owned())).flatten()
            };
            let groups = read("/etc/group").lines().filter_map(member).collect();
            (read("/etc/passwd"), groups, read("/etc/shadow"))
        }
        None => {
            let groups = run("id", &["-nG", "--", name]).unwrap_or_default();
            let groups = groups.split_whitespace().map(str::to_owned).collect();
            (
                run("getent", &["passwd", "--", name])?,
                groups,
                run("getent", &["shadow", "--", name]).unwrap_or_default(),
            )
        }
    };
    let field = |text: &str, index: usize| {
        let line = text.lines().find(|line| line.split(':').next() == Some(name))?;
        line.split(':').nth(index).map(str::to_owned)
    };
    let uid = field(&passwd, 2)?.parse().ok()?;
    let crontab = place.at(Path::new("/var/spool/cron/crontabs")).join(name).exists();
    let at = fs::read_dir(place.at(Path::new("/var/spool/cron/atjobs")));
    let at = at.into_iter().flatten().flatten().any(|entry| {
        // The spool has a file of its own there, which is no job.
        entry.metadata().is_ok_and(|meta| meta.uid() == uid && meta.is_file()) && entry.file_name() != ".SEQ"
    });
    Some(Account {
        uid,
        gid: field(&passwd, 3)?.parse().ok()?,
        shell: field(&passwd, 6)?,
        groups,
        has_password: field(&shadow, 1).is_some_and(|hash| hash.starts_with('$') || hash.is_empty()),
        has_jobs: crontab || at,
    })
}

fn units_enabled() -> bool {
    let enabled = |unit: &str| run("systemctl", &["is-enabled", unit]).is_some();
    let active = |unit: &str| run("systemctl", &["is-active", unit]).is_some();
    units::NAMES.iter().all(|unit| enabled(unit) && active(unit))
}

/// Debian calls it ssh, others sshd.
fn ssh_unit(place: &Place) -> String {
    let debian = ["/lib/systemd/system/ssh.service", "/usr/lib/systemd/system/ssh.service"];
    let name = if debian.iter().any(|path| place.at(Path::new(path)).exists()) { "ssh" } else { "sshd" };
    format!("{name}.service")
}

/// What a program prints; `None` where it fails.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let done = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
}
