//! What the tests of the whole program share: a place of its own for each test (an empty HOME, a cleared environment,
//! keys made by the real `ssh-keygen`, a policy of seven people), and desks at which these people run `jit`.
//!
//! Nothing here knows how `jit` works inside: the binary is called as a script would call it, and what it did is looked
//! at with `git` and `ssh-keygen`.

// Each test file uses a part of this; helpers stand outside of test functions, where the lints allow the rest; tests wait
// for real certificates to end, so they need the real clock, and they read PATH and CI.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

pub mod browser;
pub mod checkpointed;
pub mod counting;
pub mod daemon;
pub mod disk;
pub mod executable;
pub mod forge;
pub mod history;
pub mod island;
pub mod log;
pub mod server;
pub mod terminal;
pub mod world;

/// The program under test.
pub const JIT: &str = env!("CARGO_BIN_EXE_jit");

/// The ledger's branch.
pub const BRANCH: &str = "refs/heads/main";

/// Everybody of the sample policy, services and hosts among them, and the other keys that it names.
const KEYS: [&str; 13] =
    ["alice", "bob", "carol", "dave", "erin", "frank", "rita", "raj", "minter", "db1", "log", "ca-prod", "recorder"];

/// Whether a program is missing; then says that the test is skipped.
pub fn absent(test: &str, programs: &[&str]) -> bool {
    let Some(missing) = programs.iter().find(|program| find(program).is_none()) else { return false };
    skip(test, &format!("{missing} is not installed"));
    true
}

/// Says that a test is skipped because this machine does not allow what it needs. In CI it fails instead: nothing is
/// passed over there.
pub fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{test}: {why}: CI has to have it");
    println!("skipped: {test}: {why}");
    eprintln!("skipped: {test}: {why}");
}

/// Where a program lies; sshd lies where only root looks.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

/// The present second.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The seconds of an RFC 3339 time.
pub fn seconds(time: &Value) -> u64 {
    let text = time.as_str().unwrap_or_else(|| panic!("{time} is no time"));
    let parsed = chrono::DateTime::parse_from_rfc3339(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    parsed.timestamp().try_into().unwrap()
}

/// Waits until the clock shows more than this second.
pub fn wait_past(second: u64) {
    while now() <= second {
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The login that the tests' sshd can give: the person who runs them.
pub fn login() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What a program said.
#[derive(Debug)]
pub struct Said {
    /// The exit code; -1 where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// What was called.
    pub call: String,
}

impl Said {
    /// From what a program left.
    pub fn of(call: String, output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            call,
        }
    }

    /// Everything, for a message.
    pub fn told(&self) -> String {
        format!("$ {}\nexit {}\n--- stdout\n{}\n--- stderr\n{}", self.call, self.code, self.out, self.err)
    }

    /// Demands this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n{}", self.told());
        self
    }

    /// Demands that it went well.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Demands a refusal with this code that says what failed and what to do, on stderr, and gives no result.
    #[track_caller]
    pub fn refused(self, code: i32) -> Self {
        let said = self.exits(code);
        assert!(said.err.contains("Error:"), "no `Error:`\n{}", said.told());
        assert!(said.err.contains("Hint:"), "no `Hint:`\n{}", said.told());
        assert!(!said.err.contains("jit cannot go on"), "a panic\n{}", said.told());
        said
    }

    /// Demands these words on stderr, in any case of letters.
    #[track_caller]
    pub fn mentions(self, words: &[&str]) -> Self {
        let text = self.err.to_lowercase();
        for word in words {
            assert!(text.contains(&word.to_lowercase()), "`{word}` is not said\n{}", self.told());
        }
        self
    }

    /// The one JSON object on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("no JSON: {why}\n{}", self.told()))
    }

    /// A text field of the one JSON object on stdout.
    #[track_caller]
    pub fn text(&self, field: &str) -> String {
        let json = self.json();
        json[field].as_str().unwrap_or_else(|| panic!("no text `{field}`\n{}", self.told())).to_owned()
    }
}

/// A directory for one test, removed at its end.
pub struct Place {
    directory: TempDir,
}

impl Place {
    /// The folders and the configuration of a host in `state`, as `jit host setup` lays them out; the configuration.
    pub fn host_at(&self, state: &Path, ledger: &str, remote: &Path) -> PathBuf {
        for directory in ["published", "run/sessions"] {
            fs::create_dir_all(state.join(directory)).unwrap();
        }
        let file = state.join("host.toml");
        let text = format!(
            "host = \"db1\"\nledger = \"{ledger}\"\nremote = \"{remote}\"\nuser = \"root\"\nkey = \"{key}\"\n\
             mirror = \"{state}/mirror\"\npublished = \"{state}/published\"\nrun = \"{state}/run\"\nlogin_wait = \"5s\"\n",
            remote = remote.display(),
            key = self.key("db1").display(),
            state = state.display(),
        );
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        file
    }

    /// With keys for everybody of the sample policy.
    pub fn new() -> Self {
        let place = Self { directory: tempfile::Builder::new().prefix("jit-").tempdir().unwrap() };
        fs::create_dir(place.path("keys")).unwrap();
        fs::create_dir(place.path("home")).unwrap();
        for name in KEYS {
            place.make_key(name);
        }
        place
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Makes one more key, as the real `ssh-keygen` does, and returns its file.
    pub fn make_key(&self, name: &str) -> PathBuf {
        let file = self.key(name);
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&file);
        self.run(command).ok();
        file
    }

    /// The private key file of somebody.
    pub fn key(&self, name: &str) -> PathBuf {
        self.path("keys").join(name)
    }

    /// The public key of somebody, without the comment.
    pub fn public_key(&self, name: &str) -> String {
        let line = fs::read_to_string(self.path("keys").join(format!("{name}.pub"))).unwrap();
        let fields: Vec<&str> = line.split_whitespace().take(2).collect();
        fields.join(" ")
    }

    /// Runs a command in a cleared environment, HOME being an empty directory, and nothing at its input.
    pub fn run(&self, command: Command) -> Said {
        self.run_with(command, &self.path("home"), &[], b"")
    }

    /// The same with another HOME, further variables and something at its input.
    pub fn run_with(&self, mut command: Command, home: &Path, variables: &[(&str, &OsStr)], input: &[u8]) -> Said {
        let call = format!("{command:?}");
        command.env_clear().envs(environment(home)).envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|why| panic!("{call}: {why}"));
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // Whoever does not read its input closes it: no error of ours.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Said::of(call, output)
    }

    /// Runs git on a repository and returns what it printed, without the last newline.
    #[track_caller]
    pub fn git(&self, repository: &Path, arguments: &[&str]) -> String {
        self.git_says(repository, arguments).ok().out.trim_end_matches('\n').to_owned()
    }

    /// Runs git on a repository.
    pub fn git_says(&self, repository: &Path, arguments: &[&str]) -> Said {
        let mut command = Command::new("git");
        command.arg("-C").arg(repository).args(arguments);
        self.run(command)
    }

    /// The commit at which a ledger stands.
    #[track_caller]
    pub fn head(&self, repository: &Path) -> String {
        self.git(repository, &["rev-parse", BRANCH])
    }

    /// Demands that git finds nothing wrong with a repository, and nothing half-written.
    #[track_caller]
    pub fn is_sound(&self, repository: &Path) {
        let said = self.git_says(repository, &["fsck", "--full", "--strict", "--no-dangling"]).ok();
        assert!(!said.err.contains("error") && !said.err.contains("missing"), "{}", said.told());
        let directory = PathBuf::from(self.git(repository, &["rev-parse", "--absolute-git-dir"]));
        let locks: Vec<PathBuf> = files(&directory)
            .into_iter()
            .filter(|file| file.extension().is_some_and(|ending| ending == "lock"))
            // These two are files that the system locks and unlocks; that they exist says nothing.
            .filter(|file| !file.ends_with("jit/lock") && !file.ends_with("jit/advance.lock"))
            .collect();
        assert!(locks.is_empty(), "left behind: {locks:?}");
    }

    /// Writes a policy file of seven people and returns its path. `threshold`: how many root members a change takes.
    pub fn policy(&self, threshold: usize) -> PathBuf {
        let file = self.path("policy.toml");
        fs::write(&file, self.policy_text(threshold)).unwrap();
        file
    }

    /// The text of that policy: the sample's people, and a role whose login this machine can give.
    pub fn policy_text(&self, threshold: usize) -> String {
        let mut text = format!(
            "version = 1\nname = \"acme/production\"\nclock_skew = \"2m\"\ndecide_within = \"8h\"\n\
             activate_within = \"1h\"\nstaleness = \"10m\"\n\n\
             [root]\nthreshold = {threshold}\nmembers = [\"rita\", \"raj\"]\n"
        );
        let members: [(&str, &[&str]); 7] = [
            ("alice", &["developers", "on-call"]),
            ("bob", &["sre"]),
            ("carol", &["sre"]),
            ("dave", &["security"]),
            ("erin", &["security"]),
            ("rita", &[]),
            ("raj", &[]),
        ];
        for (name, groups) in members {
            text += &format!(
                "\n[member.{name}]\nemail = \"{name}@acme.example\"\ngroups = {groups:?}\nkeys = [\"{}\"]\n",
                self.public_key(name)
            );
        }
        text += &format!(
            "\n[service.minter]\nemail = \"minter@acme.example\"\nkeys = [\"{}\"]\nmints = [\"prod\"]\n",
            self.public_key("minter")
        );
        text += &format!(
            "\n[host.db1]\nemail = \"db1@acme.example\"\nkeys = [\"{}\"]\ntargets = [\"payments-db\"]\n",
            self.public_key("db1")
        );
        text += &format!("\n[log]\nkey = \"{}\"\n", self.public_key("log"));
        text += &format!("\n[environment.prod]\nca = \"{}\"\n", self.public_key("ca-prod"));
        text += &format!("\n[[environment.prod.recorder]]\nkey = \"{}\"\n", self.public_key("recorder"));
        text += "\n[target.payments-db]\nenvironment = \"prod\"\ndescription = \"PostgreSQL of the payment service\"\n\
                 data = [\"npi\"]\n";
        for (role, longest, least) in [("read-only", "2h", ""), ("operator", "30m", "least_privilege = true\n")] {
            text += &format!(
                "\n[target.payments-db.role.{role}]\nlogins = [\"{}\"]\nrequesters = [\"developers\"]\n\
                 approve = [{{ group = \"sre\", count = 1 }}, {{ group = \"security\", count = 1 }}]\n\
                 max_duration = \"{longest}\"\nticket = \"^(INC|CHG)-[0-9]+$\"\n{least}mfa = \"none\"\n\
                 source_address = [\"127.0.0.0/8\"]\nextensions = [\"permit-pty\"]\nrecord = \"off\"\n\
                 review = {{ group = \"security\", count = 1, within = \"24h\", checks = [\"no lingering changes\", \
                 \"no open data streams\"] }}\n\
                 emergency = {{ group = \"on-call\", max_duration = \"15m\", review = {{ group = \"security\", \
                 count = 2, within = \"12h\" }} }}\n",
                login()
            );
        }
        text + "\n[revoke]\ngroups = [\"security\", \"sre\"]\n\n[lock]\ngroups = [\"security\"]\n"
    }

    /// The desk of somebody: a HOME of their own, empty at first, their key, and a ledger.
    pub fn desk(&self, name: &str, ledger: &Path) -> Desk<'_> {
        let home = self.path("home").join(name);
        fs::create_dir_all(&home).unwrap();
        Desk { place: self, name: name.to_owned(), key: self.key(name), home, ledger: ledger.to_owned(), path: None }
    }

    /// A new ledger with the policy of seven people, made by rita; its path and its id.
    #[track_caller]
    pub fn ledger(&self, name: &str, bare: bool) -> (PathBuf, String) {
        let ledger = self.path(name);
        let policy = self.policy(1);
        let mut arguments = vec!["init", ledger.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--json"];
        if bare {
            arguments.push("--bare");
        }
        let said = self.desk("rita", &ledger).jit_anywhere(&arguments).ok();
        let id = said.text("ledger");
        (ledger, id)
    }

    /// All commits of a ledger, oldest first.
    #[track_caller]
    pub fn commits(&self, ledger: &Path) -> Vec<String> {
        self.git(ledger, &["rev-list", "--reverse", BRANCH]).lines().map(str::to_owned).collect()
    }

    /// The paths of all event files at the head of a ledger.
    #[track_caller]
    pub fn events(&self, ledger: &Path) -> Vec<String> {
        let names = self.git(ledger, &["ls-tree", "-r", "--name-only", BRANCH, "ledger/"]);
        names.lines().filter(|name| name.ends_with(".toml")).map(str::to_owned).collect()
    }
}

/// Where somebody works.
pub struct Desk<'p> {
    place: &'p Place,
    /// Who sits here.
    pub name: String,
    /// The private key.
    pub key: PathBuf,
    /// The HOME.
    pub home: PathBuf,
    /// The ledger that they name.
    pub ledger: PathBuf,
    /// A PATH other than the test's.
    pub path: Option<OsString>,
}

impl<'p> Desk<'p> {
    /// The place where the desk stands.
    pub fn place(&self) -> &'p Place {
        self.place
    }

    /// Runs `jit` on the ledger with the own name and key.
    #[track_caller]
    pub fn jit(&self, arguments: &[&str]) -> Said {
        let mut command = self.command();
        command.arg("--ledger").arg(&self.ledger).args(arguments);
        self.run(command)
    }

    /// Makes this desk's ledger a clone of that one.
    pub fn clones(&self, from: &Path) {
        self.jit_anywhere(&["clone", from.to_str().unwrap(), self.ledger.to_str().unwrap(), "--json"]).ok();
    }

    /// Runs `jit` with the own name and key, without naming the ledger (for `init` and `clone`).
    #[track_caller]
    pub fn jit_anywhere(&self, arguments: &[&str]) -> Said {
        let mut command = self.command();
        command.args(arguments);
        self.run(command)
    }

    /// The command line of `jit` up to name and key.
    pub fn command(&self) -> Command {
        let mut command = Command::new(JIT);
        command.current_dir(&self.home).args(["--as", &self.name, "--key"]).arg(&self.key);
        command
    }

    /// Runs a command in the own HOME.
    pub fn run(&self, command: Command) -> Said {
        let path = self.path.as_deref().map(|path| ("PATH", path));
        self.place.run_with(command, &self.home, path.as_slice(), b"")
    }

    /// Asks for the read-only role for this long; what the program said.
    #[track_caller]
    pub fn asks(&self, duration: &str) -> Said {
        self.jit(&request("payments-db/read-only", duration, "Payments are stuck; the queue table has to be read."))
    }

    /// Opens a case for the read-only role; its short id.
    #[track_caller]
    pub fn opens(&self, duration: &str) -> String {
        let said = self.asks(duration).ok();
        let json = said.json();
        assert_eq!(json["state"], "pending", "{}", said.told());
        assert_eq!(json["actor"], *self.name, "{}", said.told());
        assert_eq!(json["case"].as_str().map(str::len), Some(64), "{}", said.told());
        let id = said.text("id");
        assert_eq!(id.len(), 16, "{}", said.told());
        id
    }

    /// Approves a case.
    #[track_caller]
    pub fn approves(&self, case: &str) -> Said {
        self.jit(&["approve", case, "--yes", "--json"])
    }

    /// Issues what is due, with the CA key of `prod`.
    #[track_caller]
    pub fn mints(&self) -> Said {
        let authority = format!("prod={}", self.place.key("ca-prod").display());
        self.jit(&["mint", "--ca", &authority, "--json"])
    }

    /// The state of a case.
    #[track_caller]
    pub fn sees(&self, case: &str) -> Value {
        self.jit(&["show", case, "--json"]).ok().json()
    }
}

/// The arguments of a request that leaves nothing out.
pub fn request<'a>(role: &'a str, duration: &'a str, reason: &'a str) -> Vec<&'a str> {
    vec![
        "request",
        role,
        "--for",
        duration,
        "--reason",
        reason,
        "--ticket",
        "INC-4711",
        "--risk",
        "low",
        "--impact",
        "Reads customer rows.",
        "--rollback",
        "Nothing is changed.",
        "--data",
        "npi",
        "--yes",
        "--json",
    ]
}

/// The environment of every program here: nothing of the person who runs the tests.
pub fn environment(home: &Path) -> Vec<(OsString, OsString)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    [
        ("PATH", path.as_os_str()),
        ("HOME", home.as_os_str()),
        ("LANG", OsStr::new("C.UTF-8")),
        ("NO_COLOR", OsStr::new("1")),
        ("TZ", OsStr::new("UTC")),
        ("GIT_CONFIG_NOSYSTEM", OsStr::new("1")),
    ]
    .map(|(name, value)| (name.into(), value.to_owned()))
    .into()
}

/// All files below a directory.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                _ => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}
