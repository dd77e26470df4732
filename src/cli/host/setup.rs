//! `jit host setup`: reads what stands, shows what would change, does it. The rules are in `host::setup`; here are the
//! arguments, the questions, the key, and what to type next.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::super::error::CliError;
use super::super::output::count;
use super::super::{Context, Exit, Outcome};
use crate::domain::id::{Digest, Name};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;
use crate::host::health::Health;
use crate::host::setup::apply::{Work, apply};
use crate::host::setup::{Change, Facts, Place, Plan, Record, Wanted, facts, plan, public_half, units};
use crate::host::{Config, HostError, SessionFile, cgroup, setup};
use crate::sign::file::generate;

/// sshd's configuration, unless `--sshd-config` says otherwise.
const SSHD_CONFIG: &str = "/etc/ssh/sshd_config";

/// Set this host up: user, directories, sshd, PAM, units.
///
/// Says what it will change and asks. Run again, it changes only what does not stand yet. After the policy has got or
/// lost a login of this host, run it again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The host's name in the policy.
    #[arg(long, value_name = "NAME")]
    pub host: Option<Name>,
    /// Where the ledger is fetched from and pushed to.
    #[arg(long, value_name = "URL")]
    pub remote: Option<String>,
    /// The ledger's id, as somebody you trust told it: sha256:…
    #[arg(long, value_name = "ID")]
    pub ledger_id: Option<Digest>,
    /// The unprivileged user that follows the ledger [default: jit].
    #[arg(long, value_name = "NAME")]
    pub user: Option<Name>,
    /// A directory of cgroup v2, made where its parent is there [default: jit in the cgroup v2 file system].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub cgroup: Option<PathBuf>,
    /// Show every change and make none.
    #[arg(long)]
    pub dry_run: bool,
    /// Take away what setup did. The host's key, the mirror and the recordings stay.
    #[arg(long)]
    pub undo: bool,
    /// With --undo: the host's key, the mirror, the recordings and the user go, too.
    #[arg(long, requires = "undo")]
    pub purge: bool,
    /// Write no units, also where systemd runs.
    #[arg(long)]
    pub no_systemd: bool,
    /// sshd's configuration.
    #[arg(long, value_name = "FILE", default_value = SSHD_CONFIG, value_hint = clap::ValueHint::FilePath)]
    pub sshd_config: PathBuf,
    /// Add the Include line to sshd's configuration, if it has none.
    #[arg(long)]
    pub add_include: bool,
    /// Work on the files below this directory, as if it were /. No user is made and no command is run there.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub root: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Where the host cannot be set up; of what sshd and PAM read, nothing has changed then.
pub fn run(context: &mut Context, file: &Path, args: Args) -> Outcome {
    let place = Place::new(args.root.as_ref().map(|root| context.resolve(root)));
    if place.root().is_none() && !rustix::process::geteuid().is_root() {
        return Err(CliError::refused("jit host setup needs root: it writes to /etc").hint("sudo jit host setup …"));
    }
    if !file.is_absolute() {
        return Err(CliError::usage(format!("--config {}: an absolute path is needed", file.display())));
    }
    if args.undo {
        return undo(context, file, &args, &place);
    }
    let wanted = wanted(context, file, &args, &place)?;
    check_cgroup(&args, &place, &wanted.config)?;
    let mut told = Told::default();
    // What sshd and PAM are told depends on the ledger, which can be asked only once the rest stands.
    for round in 0..2 {
        let facts = Facts::read(&wanted, &place).map_err(unreadable)?;
        let planned = plan(&wanted, &facts)?;
        told.add(&planned);
        told.program = program(&planned, &facts);
        if args.dry_run {
            break;
        }
        if !planned.is_done() {
            if round == 0 {
                ask(context, &planned, "Set this host up so?")?;
            }
            let record = Record::read(&place, file)?.unwrap_or_default();
            let record = Record { sshd_config: wanted.sshd_config.clone(), ..record };
            do_it(context, &wanted, &place, &planned, Some(record))?;
        }
        if planned.logins.is_some() || place.root().is_some() || round > 0 {
            break;
        }
        if let Err(why) = sync_once(&wanted, &told.program) {
            told.warnings.push(format!("the ledger was not followed yet: {why}"));
            break;
        }
    }
    told.key = public_key(&wanted.config, &place);
    report(context, &args, &wanted, &place, &told)
}

/// What keeps setup from knowing what stands.
fn unreadable(error: HostError) -> CliError {
    let hint = match &error {
        HostError::Content { .. } => "look at what lies there, and move it away; nothing was changed",
        // Its service makes that directory, and sshd -t wants it, too.
        HostError::System { cause, .. } if cause.to_string().contains("/run/sshd") => {
            "start sshd first: systemctl start ssh, or service ssh start"
        }
        HostError::System { .. } => "sshd -t says what is wrong with what sshd has now; nothing was changed",
        // The others have their own.
        _ => return error.into(),
    };
    CliError::from(error).hint(hint)
}

/// What setup would change on a host that was set up before.
///
/// # Errors
/// As [`plan`].
pub(in crate::cli) fn planned(context: &Context, file: &Path, config: &Config) -> Result<Plan, HostError> {
    let place = Place::new(None);
    let record = Record::read(&place, file)?.unwrap_or_default();
    let sshd_config = Some(record.sshd_config).filter(|path| path.is_absolute());
    let wanted = Wanted {
        config: config.clone(),
        config_file: file.to_owned(),
        sshd_config: sshd_config.unwrap_or_else(|| SSHD_CONFIG.into()),
        add_include: false,
        systemd: true,
        admin: admin(context),
    };
    plan(&wanted, &Facts::read(&wanted, &place)?)
}

/// Who runs this through sudo.
fn admin(context: &Context) -> Option<String> {
    context.environment.variable("SUDO_USER").and_then(|name| name.to_str()).map(str::to_owned)
}

/// What is told at the end.
#[derive(Default)]
struct Told {
    changes: Vec<Change>,
    warnings: Vec<String>,
    logins: Option<Vec<String>>,
    program: PathBuf,
    key: Option<String>,
}

impl Told {
    fn add(&mut self, plan: &Plan) {
        self.changes.extend(plan.changes.iter().cloned());
        self.warnings
            .extend(plan.warnings.iter().filter(|text| !self.warnings.contains(text)).cloned().collect::<Vec<_>>());
        self.logins.clone_from(&plan.logins);
    }
}

/// From the arguments and the configuration that stands; they must not contradict each other.
fn wanted(context: &Context, file: &Path, args: &Args, place: &Place) -> Result<Wanted, CliError> {
    let there = place.look(file)?.is_some();
    let config = if there {
        let config = Config::read(&place.at(file))?;
        let other = |flag: &str, said: Option<String>, stands: String| match said {
            Some(said) if said != stands => {
                Err(CliError::usage(format!("{flag} {said}: {} says {stands}", file.display()))
                    .hint(format!("edit {}, or take the host down first: jit host setup --undo", file.display())))
            }
            _ => Ok(()),
        };
        other("--host", args.host.as_ref().map(ToString::to_string), config.host.to_string())?;
        other("--remote", args.remote.clone(), config.remote.clone())?;
        other("--ledger-id", args.ledger_id.map(|id| id.to_string()), config.ledger.to_string())?;
        other("--user", args.user.as_ref().map(ToString::to_string), config.user.clone())?;
        let cgroup = args.cgroup.as_ref().map(|path| path.display().to_string());
        other("--cgroup", cgroup, config.cgroup.display().to_string())?;
        config
    } else {
        new_config(args)?
    };
    Ok(Wanted {
        config,
        config_file: file.to_owned(),
        sshd_config: args.sshd_config.clone(),
        add_include: args.add_include,
        systemd: !args.no_systemd,
        admin: admin(context),
    })
}

fn new_config(args: &Args) -> Result<Config, CliError> {
    let (Some(host), Some(remote), Some(ledger)) = (&args.host, &args.remote, args.ledger_id) else {
        return Err(CliError::usage("a new host needs --host, --remote and --ledger-id")
            .hint("jit host setup --host db1 --remote URL --ledger-id sha256:…"));
    };
    if remote.chars().any(char::is_control) || remote.starts_with('-') || remote.is_empty() {
        return Err(CliError::usage(format!("--remote {remote:?} is no address")));
    }
    let text = format!(
        "host = {}\nledger = {}\nremote = {}\n",
        toml::Value::String(host.to_string()),
        toml::Value::String(ledger.to_string()),
        toml::Value::String(remote.clone())
    );
    let mut config: Config = toml::from_str(&text).map_err(|error| CliError::failed(error.to_string()))?;
    if let Some(user) = &args.user {
        config.user = user.to_string();
    }
    // Where cgroup v1 is mounted too, v2 lies below it.
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounted = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let at = fields.next()?;
        (fields.next()? == "cgroup2").then(|| Path::new(at).join("jit"))
    });
    if let Some(named) = args.cgroup.clone().or(mounted) {
        config.cgroup = named;
    }
    let elsewhere = PathBuf::from("/usr/libexec/openssh/sftp-server");
    if !config.sftp_server.exists() && elsewhere.exists() {
        config.sftp_server = elsewhere;
    }
    Ok(config)
}

/// A host that cannot end sessions is not protected. Looking leaves nothing behind.
fn check_cgroup(args: &Args, place: &Place, config: &Config) -> Result<(), CliError> {
    if place.root().is_some() && args.cgroup.is_none() {
        return Ok(());
    }
    let was_there = config.cgroup.exists();
    let checked = cgroup::check(config);
    if args.dry_run && !was_there {
        let _ = fs::remove_dir(&config.cgroup);
    }
    Ok(checked?)
}

fn program(plan: &Plan, facts: &Facts) -> PathBuf {
    let copied = plan.changes.iter().any(|change| matches!(change, Change::Program { .. }));
    if !copied && facts.program.is_safe { facts.program.running.clone() } else { setup::PROGRAM.into() }
}

fn ask(context: &Context, plan: &Plan, question: &str) -> Result<(), CliError> {
    if context.global.yes {
        return Ok(());
    }
    for change in &plan.changes {
        context.output.summary(&visible_lines(&change.words()));
    }
    for warning in &plan.warnings {
        context.output.warning(warning);
    }
    if context.prompt().confirm("--yes", question)? {
        Ok(())
    } else {
        Err(CliError::failed("cancelled: nothing was changed"))
    }
}

fn visible_lines(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", visible(line))).collect()
}

fn do_it(
    context: &mut Context,
    wanted: &Wanted,
    place: &Place,
    plan: &Plan,
    record: Option<Record>,
) -> Result<(), CliError> {
    let mut others = vec!["root".to_owned(), "somebody-else".to_owned()];
    others.extend(wanted.admin.clone());
    let seed = context.rng().bytes32()?;
    let comment = format!("jit host {}", wanted.config.host);
    let mut make_key =
        |path: &Path| generate(path, &comment, seed).map(|_| ()).map_err(|error| HostError::content(path, error));
    let output = context.output.clone();
    let mut tell = |change: &Change| output.note(change.words().lines().next().unwrap_or_default());
    let mut work = Work {
        place,
        config_file: &wanted.config_file,
        sshd: facts::sshd(wanted, place)?,
        others,
        make_key: &mut make_key,
        tell: &mut tell,
    };
    apply(&mut work, plan, record).map_err(|error| {
        CliError::from(error).hint("nobody's way in has changed; jit host setup --dry-run shows the rest")
    })
}

/// Has the ledger followed once, as the unprivileged user.
///
/// # Errors
/// Its own words. That is no failure of setup: the user may have to be let in at the remote first.
fn sync_once(wanted: &Wanted, program: &Path) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(["--quiet", "host", "--config"]).arg(&wanted.config_file).args(["sync", "--once"]);
    let done = command.current_dir("/").stdin(Stdio::null()).output().map_err(|cause| cause.to_string())?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let line = said.lines().find_map(|line| line.strip_prefix("Error: "));
    Err(line.unwrap_or("jit host sync --once says why").to_owned())
}

fn public_key(config: &Config, place: &Place) -> Option<String> {
    let text = place.text(&public_half(&config.key)).ok()??;
    // Without the comment, as the policy has keys.
    Some(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// What to type next.
fn next(args: &Args, wanted: &Wanted, place: &Place, told: &Told, now: Timestamp) -> String {
    let host = &wanted.config.host;
    let mut text = String::new();
    if told.logins.is_none() {
        let key = told.key.clone().unwrap_or_else(|| "the key that setup makes".to_owned());
        text.push_str(&format!(
            "\nThe ledger names no login of this host yet, so sshd and PAM are as they were. The root members put\n\
             these lines into the policy, with the targets that this host serves:\n\n\
             [host.{host}]\nemail = \"{host}@YOUR-DOMAIN\"\nkeys = [\"{key}\"]\ntargets = [\"TARGET\"]\n\n\
             The user {user} must be able to fetch and push {remote}.\n\
             Once the policy is in force, here again: jit host setup\n",
            user = wanted.config.user,
            remote = wanted.config.remote,
        ));
    }
    let systemd = !args.no_systemd && place.at(Path::new("/run/systemd/system")).is_dir();
    let runs =
        place.root().is_none() && Health::look(&wanted.config, now).is_ok_and(|health| health.sync && health.reap);
    if !systemd && !runs {
        let [sync, reap] = units::plain(wanted, &told.program);
        text.push_str(&format!(
            "\nsystemd does not start the daemons. Start both at boot, and again whenever they end; after a boot,\n\
             jit host setup --yes makes what was in {} first:\n  {sync}\n  {reap}\n",
            wanted.config.run.display()
        ));
    }
    text
}

fn report(context: &Context, args: &Args, wanted: &Wanted, place: &Place, told: &Told) -> Outcome {
    let next = next(args, wanted, place, told, context.now());
    let object = || {
        json!({
            "dry_run": args.dry_run,
            "changes": told.changes.iter().map(Change::json).collect::<Vec<Value>>(),
            "warnings": told.warnings,
            "logins": told.logins,
            "key": told.key,
            "next": next.trim(),
        })
    };
    let words = || {
        let mut text = String::new();
        if args.dry_run {
            for change in &told.changes {
                text.push_str(&visible_lines(&change.words()));
            }
        }
        match (told.changes.len(), args.dry_run) {
            (0, _) => text.push_str("Nothing to change.\n"),
            (many, true) => text.push_str(&format!("\n{}: none was made.\n", count(many, "change"))),
            (many, false) => text.push_str(&format!("{} made.\n", count(many, "change"))),
        }
        if let Some(logins) = told.logins.as_ref().filter(|_| !args.dry_run) {
            text.push_str(&format!("jit serves {}: {}\n", wanted.config.host, logins.join(", ")));
        }
        text.push_str(&next);
        text
    };
    context.output.result(object, words)?;
    for warning in &told.warnings {
        context.output.warning(warning);
    }
    if told.logins.is_some() && !told.changes.is_empty() && !args.dry_run {
        context.output.hint("jit host status; keep a second session open until you have seen a login work");
    }
    Ok(Exit::DONE)
}

fn undo(context: &mut Context, file: &Path, args: &Args, place: &Place) -> Outcome {
    let Some(done) = Record::read(place, file)? else {
        let none = json!({ "dry_run": args.dry_run, "changes": [], "warnings": [] });
        context.output.result(|| none, || "Nothing to undo: setup has left no record here.\n".to_owned())?;
        return Ok(Exit::DONE);
    };
    let config = place.look(file)?.is_some().then(|| Config::read(&place.at(file))).transpose()?;
    if let Some(config) = &config {
        let there = Config { run: place.at(&config.run), ..config.clone() };
        let open = if there.sessions().is_dir() { SessionFile::all(&there)?.0.len() } else { 0 };
        if open > 0 {
            return Err(CliError::refused(format!("{open} sessions run, and nothing would end them any more"))
                .hint("jit host status lists them; revoke their cases, or wait until they have ended"));
        }
    }
    let ssh_unit =
        if place.at(Path::new("/lib/systemd/system/ssh.service")).exists() { "ssh.service" } else { "sshd.service" };
    let planned = done.undo(place, file, config.as_ref(), ssh_unit, args.purge)?;
    if !args.dry_run {
        let question =
            if args.purge { "Take jit off this host, recordings included?" } else { "Take jit off this host?" };
        ask(context, &planned, question)?;
        let config = match config {
            Some(config) => config,
            None => {
                return Err(CliError::failed(format!("{} is gone, and with it where things lie", file.display()))
                    .hint("write it again (docs/host.md), then: jit host setup --undo"));
            }
        };
        let wanted = Wanted {
            config,
            config_file: file.to_owned(),
            sshd_config: done.sshd_config.clone(),
            add_include: false,
            systemd: !args.no_systemd,
            admin: admin(context),
        };
        do_it(context, &wanted, place, &planned, None)?;
    }
    let object = || {
        json!({ "dry_run": args.dry_run, "changes": planned.changes.iter().map(Change::json).collect::<Vec<Value>>(),
            "warnings": planned.warnings })
    };
    let words = || {
        let mut text = String::new();
        if args.dry_run {
            for change in &planned.changes {
                text.push_str(&visible_lines(&change.words()));
            }
            text.push_str(&format!("\n{}: none was made.\n", count(planned.changes.len(), "change")));
        } else {
            text.push_str("jit is off this host.\n");
        }
        if !args.purge {
            text.push_str("The host's key, the mirror, the recordings and the user stay (--purge takes them, too).\n");
        }
        text
    };
    context.output.result(object, words)?;
    for warning in &planned.warnings {
        context.output.warning(warning);
    }
    Ok(Exit::DONE)
}
