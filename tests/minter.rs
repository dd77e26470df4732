//! The minter as a CI job and as a daemon: several at once, killed anywhere, with its key in an agent, and while the
//! remote, the agent or its right comes and goes. Real keys, real agents, real Git.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Desk, JIT, Place, Said, absent, environment, executable::executable, find, now, seconds, skip};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

const PROGRAMS: [&str; 2] = ["git", "ssh-keygen"];
const WAIT: Duration = Duration::from_secs(60);

/// A remote that everybody but the minter uses directly.
struct Shop<'p> {
    place: &'p Place,
    remote: PathBuf,
}

impl<'p> Shop<'p> {
    fn new(place: &'p Place) -> Self {
        let (remote, _) = place.ledger("remote.git", true);
        Self { place, remote }
    }

    fn desk(&self, name: &str) -> Desk<'_> {
        self.place.desk(name, &self.remote)
    }

    /// A clone of the minter's.
    fn minter(&self, clone: &str) -> Desk<'_> {
        let ledger = self.place.path(clone);
        let desk = self.place.desk("minter", &ledger);
        // Bare, as docs/ci.md has it: there is no index that a killed git or jit would leave locked.
        desk.jit_anywhere(&["clone", self.remote.to_str().unwrap(), ledger.to_str().unwrap(), "--bare", "--json"]).ok();
        desk
    }

    /// A case that waits for nothing but the minter.
    #[track_caller]
    fn approved(&self) -> String {
        let case = self.desk("alice").opens("30m");
        for approver in ["bob", "dave"] {
            self.desk(approver).approves(&case).ok();
        }
        case
    }

    fn ca(&self) -> String {
        format!("prod={}", self.place.key("ca-prod").display())
    }

    #[track_caller]
    fn state(&self, case: &str) -> String {
        self.desk("alice").sees(case)["state"].as_str().unwrap().to_owned()
    }

    /// How many issuances the remote holds.
    fn issuances(&self) -> usize {
        self.place.events(&self.remote).iter().filter(|path| path.contains("/issuance-")).count()
    }

    /// The ledger is whole, nothing in it is void, each case has one credential and the serials are 1, 2, 3 …
    #[track_caller]
    fn is_sound(&self, cases: &[String]) {
        let verified = self.desk("rita").jit(&["verify", "--json"]).ok().json();
        assert_eq!(verified["voids"].as_array().map(Vec::len), Some(0), "{verified:#}");
        let mut serials: Vec<u64> = Vec::new();
        for case in cases {
            let shown = self.desk("alice").sees(case);
            let of: Vec<u64> = shown["serials"].as_array().unwrap().iter().map(|one| one.as_u64().unwrap()).collect();
            assert_eq!(of.len(), 1, "{shown:#}");
            serials.extend(of);
        }
        serials.sort_unstable();
        assert_eq!(serials, (1..=u64::try_from(cases.len()).unwrap()).collect::<Vec<_>>());
        assert_eq!(self.issuances(), cases.len());
        self.place.is_sound(&self.remote);
    }
}

/// A real ssh-agent.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    /// Listens at `socket`; `variables` say what it asks people with.
    fn start(place: &Place, socket: &str, arguments: &[&str], variables: &[(&str, &OsStr)]) -> Self {
        let socket = place.path(socket);
        let _ = fs::remove_file(&socket);
        let mut command = Command::new("ssh-agent");
        command.arg("-D").args(arguments).arg("-a").arg(&socket).env_clear().envs(environment(&place.path("home")));
        command.envs(variables.iter().copied());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + WAIT;
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < end, "ssh-agent does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        Self { child, socket }
    }

    fn ssh_add(&self, place: &Place, arguments: &[&str]) -> Said {
        let mut command = Command::new("ssh-add");
        command.args(arguments);
        place.run_with(command, &place.path("home"), &[("SSH_AUTH_SOCK", self.socket.as_os_str())], b"")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the minter once with further variables.
fn mints(desk: &Desk<'_>, place: &Place, arguments: &[&str], variables: &[(&str, &OsStr)]) -> Said {
    let mut command = desk.command();
    command.arg("--ledger").arg(&desk.ledger).args(["mint", "--json"]).args(arguments);
    place.run_with(command, &desk.home, variables, b"")
}

fn script(path: &Path, text: &str) {
    executable(path, format!("#!/bin/sh\n{text}\n"));
}

/// The CA that signed the credential of a case, as ssh-keygen reads it.
fn signing_ca(shop: &Shop<'_>, case: &str) -> String {
    let line = shop.desk("alice").jit(&["credential", case]).ok().out;
    let file = shop.place.path("read-cert.pub");
    fs::write(&file, line).unwrap();
    let mut keygen = Command::new("ssh-keygen");
    keygen.arg("-Lf").arg(&file);
    let said = shop.place.run(keygen).ok();
    let line = said.out.lines().find(|line| line.contains("Signing CA:")).unwrap();
    line.split_whitespace().find(|word| word.starts_with("SHA256:")).unwrap().to_owned()
}

fn fingerprint(place: &Place, key: &str) -> String {
    let mut keygen = Command::new("ssh-keygen");
    keygen.arg("-lf").arg(place.key(key).with_extension("pub"));
    place.run(keygen).ok().out.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn the_ca_key_may_lie_in_an_agent() {
    const TEST: &str = "the_ca_key_may_lie_in_an_agent";
    if absent(TEST, &PROGRAMS) || absent(TEST, &["ssh-agent", "ssh-add"]) {
        return;
    }
    let place = Place::new();
    let shop = Shop::new(&place);
    let minter = shop.minter("minter");
    let agent = Agent::start(&place, "agent", &[], &[]);
    let sock = [("SSH_AUTH_SOCK", agent.socket.clone())];
    let sock: Vec<(&str, &OsStr)> = sock.iter().map(|(name, path)| (*name, path.as_os_str())).collect();
    // A crowd of other keys, among them one that a ledger does not know.
    let other = place.make_key("other");
    agent.ssh_add(&place, &["-q", other.to_str().unwrap()]).ok();
    agent.ssh_add(&place, &["-q", place.key("ca-prod").to_str().unwrap()]).ok();
    fs::rename(place.key("ca-prod"), place.path("hidden")).unwrap();
    let public = format!("prod={}", place.key("ca-prod").with_extension("pub").display());

    let (one, two) = (shop.approved(), shop.approved());
    let said = mints(&minter, &place, &["--ca", &public], &sock).ok();
    assert_eq!(said.json()["issued"].as_array().map(Vec::len), Some(2), "{}", said.told());
    assert_eq!(signing_ca(&shop, &one), fingerprint(&place, "ca-prod"));
    // Without --ca the policy says which of the agent's keys it is.
    let three = shop.approved();
    mints(&minter, &place, &[], &sock).ok();
    assert_eq!(signing_ca(&shop, &three), fingerprint(&place, "ca-prod"));
    shop.is_sound(&[one, two, three]);

    // An agent that does not hold it, and none: nothing is appended, and it is said what to do.
    let four = shop.approved();
    let head = place.head(&shop.remote);
    agent.ssh_add(&place, &["-q", "-D"]).ok();
    agent.ssh_add(&place, &["-q", other.to_str().unwrap()]).ok();
    mints(&minter, &place, &[], &sock).refused(1).mentions(&["no CA key for prod", "ssh-add"]);
    mints(&minter, &place, &["--ca", &public], &sock).refused(1).mentions(&["agent", "ssh-add"]);
    let wrong = format!("prod={}", other.with_extension("pub").display());
    mints(&minter, &place, &["--ca", &wrong], &sock).refused(1).mentions(&["but the policy names"]);
    drop(agent);
    mints(&minter, &place, &[], &sock).refused(1).mentions(&["no ssh-agent answers"]);
    mints(&minter, &place, &[], &[]).refused(1).mentions(&["no CA key for prod"]);
    assert_eq!(place.head(&shop.remote), head);
    assert_eq!(shop.state(&four), "approved");
}

#[test]
fn a_confirmation_that_is_refused_issues_nothing() {
    const TEST: &str = "a_confirmation_that_is_refused_issues_nothing";
    if absent(TEST, &PROGRAMS) || absent(TEST, &["ssh-agent", "ssh-add"]) {
        return;
    }
    let place = Place::new();
    let shop = Shop::new(&place);
    let minter = shop.minter("minter");
    let ask = place.path("askpass");
    let asked = place.path("asked");
    let says = |code: u8| script(&ask, &format!("echo \"$1\" >> {}\nexit {code}", asked.display()));
    says(1);
    let variables = [("SSH_ASKPASS", ask.as_os_str()), ("DISPLAY", OsStr::new(":9"))];
    let agent = Agent::start(&place, "agent", &[], &variables);
    agent.ssh_add(&place, &["-q", "-c", place.key("ca-prod").to_str().unwrap()]).ok();
    let sock = [("SSH_AUTH_SOCK", agent.socket.as_os_str())];
    let case = shop.approved();
    let head = place.head(&shop.remote);
    let said = mints(&minter, &place, &[], &sock).refused(1).mentions(&["nothing was signed", "refused to sign"]);
    assert!(fs::read_to_string(&asked).unwrap().contains(&fingerprint(&place, "ca-prod")), "{}", said.told());
    assert_eq!((place.head(&shop.remote), shop.state(&case).as_str()), (head, "approved"));
    // The next run asks again, and works.
    says(0);
    mints(&minter, &place, &[], &sock).ok();
    assert_eq!(shop.state(&case), "live");
    shop.is_sound(&[case]);
}

/// A PKCS#11 token behind ssh-agent. OpenSSH before 10.1 takes no Ed25519 key from one; a ledger knows no other.
#[test]
fn a_token_behind_the_agent() {
    const TEST: &str = "a_token_behind_the_agent";
    const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
    if absent(TEST, &PROGRAMS) || absent(TEST, &["ssh-agent", "ssh-add", "softhsm2-util", "pkcs11-tool"]) {
        return;
    }
    if !Path::new(MODULE).exists() {
        return skip(TEST, "SoftHSM's module is not where Debian has it");
    }
    let place = Place::new();
    fs::create_dir(place.path("tokens")).unwrap();
    let conf = place.path("softhsm2.conf");
    fs::write(&conf, format!("directories.tokendir = {}\nlog.level = ERROR\n", place.path("tokens").display()))
        .unwrap();
    let conf = [("SOFTHSM2_CONF", conf.as_os_str())];
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments);
        place.run_with(command, &place.path("home"), &conf, b"")
    };
    run("softhsm2-util", &["--init-token", "--free", "--label", "ca", "--pin", "1234", "--so-pin", "1234"]).ok();
    for (kind, id) in [("EC:edwards25519", "01"), ("EC:prime256v1", "02")] {
        let arguments =
            ["--module", MODULE, "--login", "--pin", "1234", "--keypairgen", "--key-type", kind, "--id", id];
        run("pkcs11-tool", &arguments).ok();
    }
    let ask = place.path("askpass");
    script(&ask, "echo 1234");
    let agent = Agent::start(&place, "agent", &["-P", "/usr/lib/*"], &conf);
    let mut add = Command::new("ssh-add");
    add.args(["-s", MODULE]);
    let variables = [
        ("SSH_AUTH_SOCK", agent.socket.as_os_str()),
        ("SSH_ASKPASS", ask.as_os_str()),
        ("SSH_ASKPASS_REQUIRE", OsStr::new("force")),
    ];
    place.run_with(add, &place.path("home"), &variables, b"").ok();
    let held = agent.ssh_add(&place, &["-L"]).ok().out;
    assert!(held.contains("ecdsa-sha2-nistp256"), "the token is there: {held}");

    let (remote, policy) = (place.path("remote.git"), place.policy(1));
    let text = fs::read_to_string(&policy).unwrap();
    let on_token = held.lines().find(|line| line.starts_with("ssh-ed25519 "));
    if let Some(line) = on_token {
        let key = line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        fs::write(&policy, text.replace(&place.public_key("ca-prod"), &key)).unwrap();
    }
    let arguments = ["init", remote.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--bare", "--json"];
    place.desk("rita", &remote).jit_anywhere(&arguments).ok();
    let shop = Shop { place: &place, remote };
    let case = shop.approved();
    let said = mints(&shop.desk("minter"), &place, &[], &[("SSH_AUTH_SOCK", agent.socket.as_os_str())]);
    if on_token.is_some() {
        said.ok();
        assert_eq!(shop.state(&case), "live");
    } else {
        println!("this OpenSSH takes no Ed25519 key from a token");
        said.refused(1).mentions(&["no CA key for prod"]);
        assert_eq!(shop.state(&case), "approved");
    }
}

/// Another agent than OpenSSH's own: GnuPG's, which also speaks for OpenPGP cards.
#[test]
fn the_agent_of_gnupg_signs_too() {
    const TEST: &str = "the_agent_of_gnupg_signs_too";
    if absent(TEST, &PROGRAMS) || absent(TEST, &["gpg", "gpg-agent", "gpgconf", "ssh-add"]) {
        return;
    }
    let place = Place::new();
    let home = place.path("gnupg");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(home.join("gpg-agent.conf"), "enable-ssh-support\n").unwrap();
    let gpg = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments);
        place.run_with(command, &place.path("home"), &[("GNUPGHOME", home.as_os_str())], b"")
    };
    let arguments = ["--batch", "--passphrase", "", "--quick-gen-key", "CA prod", "ed25519", "sign,auth", "never"];
    gpg("gpg", &arguments).ok();
    let listed = gpg("gpg", &["--list-keys", "--with-keygrip", "--with-colons"]).ok().out;
    let grip = listed.lines().find(|line| line.starts_with("grp:")).unwrap().split(':').nth(9).unwrap();
    fs::write(home.join("sshcontrol"), format!("{grip}\n")).unwrap();
    gpg("gpgconf", &["--launch", "gpg-agent"]).ok();
    let socket = PathBuf::from(gpg("gpgconf", &["--list-dirs", "agent-ssh-socket"]).ok().out.trim());
    let sock = [("SSH_AUTH_SOCK", socket.as_os_str())];
    let mut add = Command::new("ssh-add");
    add.arg("-L");
    let held = place.run_with(add, &place.path("home"), &sock, b"").ok().out;
    let key = held.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let (remote, policy) = (place.path("remote.git"), place.policy(1));
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, text.replace(&place.public_key("ca-prod"), &key)).unwrap();
    let arguments = ["init", remote.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--bare", "--json"];
    place.desk("rita", &remote).jit_anywhere(&arguments).ok();
    let shop = Shop { place: &place, remote };
    let case = shop.approved();
    mints(&shop.desk("minter"), &place, &[], &sock).ok();
    assert_eq!(shop.state(&case), "live");
    shop.is_sound(&[case]);
    gpg("gpgconf", &["--kill", "gpg-agent"]).ok();
}

#[test]
fn two_at_once_issue_each_credential_once() {
    const TEST: &str = "two_at_once_issue_each_credential_once";
    if absent(TEST, &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let shop = Shop::new(&place);
    let (one, two) = (shop.minter("one"), shop.minter("two"));
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.extend((0..4).map(|_| shop.approved()));
        // Two clones, and two processes on one of them.
        thread::scope(|scope| {
            for desk in [&one, &two, &two] {
                let (place, shop) = (&place, &shop);
                scope.spawn(move || {
                    let said = mints(desk, place, &["--ca", &shop.ca()], &[]).ok();
                    assert!(said.json()["issued"].is_array(), "{}", said.told());
                });
            }
        });
        assert!(cases.iter().all(|case| shop.state(case) == "live"));
        shop.is_sound(&cases);
    }
    // Once more finds nothing to do.
    let head = place.head(&shop.remote);
    let said = mints(&one, &place, &["--ca", &shop.ca()], &[]).ok();
    assert_eq!(said.json()["issued"].as_array().map(Vec::len), Some(0));
    assert_eq!(place.head(&shop.remote), head);
}

#[test]
fn killed_anywhere_the_next_run_completes() {
    const TEST: &str = "killed_anywhere_the_next_run_completes";
    if absent(TEST, &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let shop = Shop::new(&place);
    let minter = shop.minter("minter");
    // The remote takes its time, so that the push is hit as often as the rest.
    let hook = shop.remote.join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    script(&hook, "sleep 0.2");
    let cases: Vec<String> = (0..6).map(|_| shop.approved()).collect();
    for turn in 0..10_u64 {
        let mut command = minter.command();
        command.arg("--ledger").arg(&minter.ledger).args(["mint", "--ca", &shop.ca()]);
        command.env_clear().envs(environment(&minter.home)).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(60 + 90 * turn));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    mints(&minter, &place, &["--ca", &shop.ca()], &[]).ok();
    // What git was doing when its parent was killed may still end.
    thread::sleep(Duration::from_secs(1));
    shop.is_sound(&cases);
    place.is_sound(&minter.ledger);
}

/// A credential that was signed and not delivered is thrown away: its time would have begun while nobody could use it.
#[test]
fn an_undelivered_credential_is_decided_anew() {
    const TEST: &str = "an_undelivered_credential_is_decided_anew";
    if absent(TEST, &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let shop = Shop::new(&place);
    let minter = shop.minter("minter");
    let case = shop.approved();
    let hook = shop.remote.join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    script(&hook, "echo 'closed for maintenance' >&2; exit 1");
    let head = place.head(&shop.remote);
    mints(&minter, &place, &["--ca", &shop.ca()], &[]).refused(1).mentions(&["decided anew", "closed for maintenance"]);
    assert_eq!(place.head(&shop.remote), head);
    thread::sleep(Duration::from_secs(2));
    fs::remove_file(&hook).unwrap();
    let again = now();
    mints(&minter, &place, &["--ca", &shop.ca()], &[]).ok();
    let shown = shop.desk("alice").sees(&case);
    assert!(seconds(&shown["starts"]) >= again, "{shown:#}");
    assert_eq!(seconds(&shown["ends"]) - seconds(&shown["starts"]), 1800, "{shown:#}");
    assert_eq!(fs::read_dir(minter.ledger.join("jit/outbox")).map_or(0, Iterator::count), 0);
    shop.is_sound(&[case]);
}

/// The remote took it, and its answer was lost: the next run finds it there, and says so.
#[test]
fn a_credential_whose_answer_was_lost_is_not_issued_again() {
    const TEST: &str = "a_credential_whose_answer_was_lost_is_not_issued_again";
    if absent(TEST, &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let shop = Shop::new(&place);
    let minter = shop.minter("minter");
    let case = shop.approved();
    let pack = place.path("receive-pack");
    script(&pack, "git receive-pack \"$@\"\nexit 1");
    place.git(&minter.ledger, &["config", "remote.origin.receivepack", pack.to_str().unwrap()]);
    mints(&minter, &place, &["--ca", &shop.ca()], &[]).refused(1).mentions(&["decided anew"]);
    assert_eq!(shop.state(&case), "live", "the remote has it");
    let head = place.head(&shop.remote);
    place.git(&minter.ledger, &["config", "--unset", "remote.origin.receivepack"]);
    let said = mints(&minter, &place, &["--ca", &shop.ca()], &[]).ok();
    assert_eq!(said.json()["issued"][0]["id"], *case, "{}", said.told());
    assert_eq!(place.head(&shop.remote), head);
    let said = mints(&minter, &place, &["--ca", &shop.ca()], &[]).ok();
    assert_eq!(said.json()["issued"].as_array().map(Vec::len), Some(0), "told once: {}", said.told());
    shop.is_sound(&[case]);
}

/// The daemon.
struct Daemon {
    child: Child,
    out: PathBuf,
}

impl Daemon {
    fn start(desk: &Desk<'_>, place: &Place, arguments: &[&str], variables: &[(&str, &OsStr)]) -> Self {
        let out = place.path("daemon.out");
        let mut command = Command::new(JIT);
        command.current_dir(&desk.home).args(["--as", &desk.name, "--key"]).arg(&desk.key).arg("--ledger");
        command.arg(&desk.ledger).args(["mint", "--watch", "--interval", "1s", "--json"]).args(arguments);
        command.env_clear().envs(environment(&desk.home)).envs(variables.iter().copied()).stdin(Stdio::null());
        let err = fs::File::create(place.path("daemon.err")).unwrap();
        let child = command.stdout(fs::File::create(&out).unwrap()).stderr(err).spawn().unwrap();
        Self { child, out }
    }

    /// The events so far; every line is one object.
    fn events(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.out).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
    }

    fn count(&self, event: &str) -> usize {
        self.events().iter().filter(|one| one["event"] == event).count()
    }

    /// Waits until an event was told so often; the last of them.
    #[track_caller]
    fn tells(&self, event: &str, times: usize) -> Value {
        let end = Instant::now() + WAIT;
        while self.count(event) < times {
            let err = fs::read_to_string(self.out.with_extension("err")).unwrap();
            assert!(Instant::now() < end, "{event} was not told {times} times: {:#?}\n{err}", self.events());
            thread::sleep(Duration::from_millis(50));
        }
        self.events().into_iter().rfind(|one| one["event"] == event).unwrap()
    }

    #[track_caller]
    fn ends(&mut self) -> i32 {
        let end = Instant::now() + WAIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < end, "it does not end: {:#?}", self.events());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn terminate(&self) {
        let pid = rustix::process::Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_daemon_outlives_what_goes_away() {
    const TEST: &str = "the_daemon_outlives_what_goes_away";
    if absent(TEST, &PROGRAMS) || absent(TEST, &["ssh-agent", "ssh-add"]) {
        return;
    }
    let place = Place::new();
    // Soon too old, to see that said.
    let policy = place.path("policy.toml");
    fs::write(&policy, place.policy_text(1).replace("staleness = \"10m\"", "staleness = \"4s\"")).unwrap();
    let remote = place.path("remote.git");
    let arguments = ["init", remote.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--bare", "--json"];
    place.desk("rita", &remote).jit_anywhere(&arguments).ok();
    let shop = Shop { place: &place, remote };
    let minter = shop.minter("minter");
    // Each call of git is counted.
    let (bin, calls) = (place.path("bin"), place.path("calls"));
    fs::create_dir(&bin).unwrap();
    script(
        &bin.join("git"),
        &format!("echo call >> {}\nexec {} \"$@\"", calls.display(), find("git").unwrap().display()),
    );
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let agent = Agent::start(&place, "agent", &[], &[]);
    agent.ssh_add(&place, &["-q", place.key("ca-prod").to_str().unwrap()]).ok();
    let variables = [("SSH_AUTH_SOCK", agent.socket.as_os_str()), ("PATH", OsStr::new(&path))];
    let began = Instant::now();
    let mut daemon = Daemon::start(&minter, &place, &[], &variables);
    daemon.tells("started", 1);
    let mut cases = vec![shop.approved()];
    let told = daemon.tells("issued", 1);
    assert_eq!((&told["issued"][0]["id"], &told["serial"]), (&cases[0].as_str().into(), &1.into()), "{told:#}");
    assert_eq!(told["ca"], *fingerprint(&place, "ca-prod"), "{told:#}");
    assert_eq!(told["environment"], "prod", "{told:#}");

    // The remote goes away and comes back: told once each, however often it is asked.
    let away = place.path("away.git");
    fs::rename(&shop.remote, &away).unwrap();
    let trouble = daemon.tells("trouble", 1);
    assert!(trouble["hint"].is_string() && trouble["error"].is_string(), "{trouble:#}");
    daemon.tells("stale", 1);
    fs::rename(&away, &shop.remote).unwrap();
    daemon.tells("back", 1);
    cases.push(shop.approved());
    daemon.tells("issued", 2);
    assert_eq!((daemon.count("trouble"), daemon.count("stale")), (1, 1), "{:#?}", daemon.events());

    // The agent.
    drop(agent);
    cases.push(shop.approved());
    let failed = daemon.tells("failed", 1);
    assert_eq!(failed["id"], *cases[2], "{failed:#}");
    thread::sleep(Duration::from_secs(8));
    // Once while it signed, and once when it was looked for again; not with each try.
    assert!(daemon.count("failed") <= 2, "{:#?}", daemon.events());
    let agent = Agent::start(&place, "agent", &[], &[]);
    agent.ssh_add(&place, &["-q", place.key("ca-prod").to_str().unwrap()]).ok();
    daemon.tells("issued", 3);

    // Never twice in three quarters of a second, but for what an issuance or somebody else's push brings with it.
    let looks = fs::read_to_string(&calls).unwrap().lines().count();
    let most = usize::try_from(began.elapsed().as_millis() / 750).unwrap() + 10 * cases.len();
    assert!(looks <= most, "{looks} calls of git, at most {most} were expected");

    daemon.terminate();
    assert_eq!(daemon.ends(), 0);
    daemon.tells("stopped", 1);
    shop.is_sound(&cases);
}

#[test]
fn the_daemon_meets_voids_locks_and_policies() {
    const TEST: &str = "the_daemon_meets_voids_locks_and_policies";
    if absent(TEST, &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let shop = Shop::new(&place);
    let minter = shop.minter("minter");
    let new = place.make_key("ca-new");
    let both = ["--ca", &shop.ca(), "--ca", &format!("prod={}", new.display())].map(str::to_owned);
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    let mut daemon = Daemon::start(&minter, &place, &both, &[]);
    let mut mints = daemon.tells("mints", 1);
    assert_eq!(mints["environments"], serde_json::json!(["prod"]));
    let rita = shop.desk("rita");

    // Somebody pushes rubbish.
    let clone = place.path("mallory");
    place.git(&place.path(""), &["clone", "-q", shop.remote.to_str().unwrap(), clone.to_str().unwrap()]);
    fs::write(clone.join("README.md"), "Nobody reads this.\n").unwrap();
    let who = ["-c", "user.name=x", "-c", "user.email=x@x.example"];
    place.git(&clone, &[&who[..], &["commit", "-qam", "tidy up"]].concat());
    place.git(&clone, &["push", "-q", "origin", "HEAD:main"]);
    let void = daemon.tells("void", 1);
    assert!(
        void["code"].is_string() && void["hint"].as_str().is_some_and(|hint| hint.contains("acknowledge")),
        "{void:#}"
    );
    let normal = shop.approved();
    // An emergency goes through all the same.
    let reason = "Payments are down; somebody has to look now.";
    let mut arguments = common::request("payments-db/read-only", "10m", reason);
    arguments.extend(["--emergency", "--incident", "INC-4711"]);
    let emergency = shop.desk("alice").jit(&arguments).told();
    let told = daemon.tells("issued", 1);
    assert_eq!(told["issued"][0]["emergency"], true, "{told:#}\n{emergency}");
    assert_eq!(shop.state(&normal), "approved");
    rita.jit(&["policy", "acknowledge", "--reason", "It was a drill.", "--enact", "--yes"]).ok();
    daemon.tells("acknowledged", 1);
    daemon.tells("issued", 2);
    assert_eq!(shop.state(&normal), "live");

    // A lock.
    let lock = shop.desk("dave").jit(&["lock", "environment:prod", "--reason", "A drill.", "--yes", "--json"]).ok();
    let held = shop.approved();
    let told = daemon.tells("held", 1);
    assert!(told["id"] == *held && told["lock"].as_str().is_some_and(|line| line.contains("A drill.")), "{told:#}");
    rita.jit(&["unlock", &lock.text("id"), "--reason", "It is over.", "--yes"]).ok();
    daemon.tells("issued", 3);

    // Another CA: the daemon goes on with the key that the policy names.
    let public = new.with_extension("pub");
    let arguments = ["policy", "rotate-ca", "prod", "--new", public.to_str().unwrap()];
    let said = rita.jit(&[&arguments[..], &["--reason", "It is a year old.", "--enact", "--yes", "--json"]].concat());
    assert_eq!(said.ok().json()["state"], "enacted");
    let by_new = shop.approved();
    let told = daemon.tells("issued", 4);
    assert_eq!((&told["issued"][0]["id"], &told["serial"]), (&by_new.as_str().into(), &1.into()), "{told:#}");
    assert_eq!(signing_ca(&shop, &by_new), fingerprint(&place, "ca-new"));

    // The right to mint goes, and comes back.
    let change = |from: &str, to: &str| {
        let text = place.git(&shop.remote, &["show", "main:policy.toml"]) + "\n";
        let file = place.path("changed.toml");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        let file = format!("policy.toml={}", file.display());
        rita.jit(&["policy", "propose", &file, "--bump", "--reason", "As agreed.", "--enact", "--yes"]).ok();
    };
    change("mints = [\"prod\"]", "mints = []");
    mints = daemon.tells("mints", 2);
    assert_eq!(mints["environments"], serde_json::json!([]));
    let last = shop.approved();
    thread::sleep(Duration::from_secs(3));
    assert_eq!(shop.state(&last), "approved");
    change("mints = []", "mints = [\"prod\"]");
    daemon.tells("issued", 5);
    assert_eq!(shop.state(&last), "live");
    daemon.terminate();
    assert_eq!(daemon.ends(), 0);
    let verified = rita.jit(&["verify", "--json"]).ok().json();
    assert_eq!(verified["voids"].as_array().map(Vec::len), Some(1), "{verified:#}");
}

/// SIGTERM while the credential is signed: it is finished, and nothing else is begun.
#[test]
fn what_is_being_signed_is_finished() {
    const TEST: &str = "what_is_being_signed_is_finished";
    if absent(TEST, &PROGRAMS) || absent(TEST, &["ssh-agent", "ssh-add"]) {
        return;
    }
    let place = Place::new();
    let shop = Shop::new(&place);
    let minter = shop.minter("minter");
    let (ask, asked, answer) = (place.path("askpass"), place.path("asked"), place.path("answer"));
    let wait = format!("touch {}\nwhile ! test -e {}; do sleep 0.05; done", asked.display(), answer.display());
    script(&ask, &wait);
    let variables = [("SSH_ASKPASS", ask.as_os_str()), ("DISPLAY", OsStr::new(":9"))];
    let agent = Agent::start(&place, "agent", &[], &variables);
    agent.ssh_add(&place, &["-q", "-c", place.key("ca-prod").to_str().unwrap()]).ok();
    let cases = [shop.approved(), shop.approved()];
    let mut daemon = Daemon::start(&minter, &place, &[], &[("SSH_AUTH_SOCK", agent.socket.as_os_str())]);
    let end = Instant::now() + WAIT;
    while !asked.exists() {
        assert!(Instant::now() < end, "the agent was not asked: {:#?}", daemon.events());
        thread::sleep(Duration::from_millis(20));
    }
    daemon.terminate();
    thread::sleep(Duration::from_millis(500));
    assert!(daemon.child.try_wait().unwrap().is_none(), "it waits for the agent");
    fs::write(&answer, "").unwrap();
    assert_eq!(daemon.ends(), 0);
    assert_eq!((daemon.count("issued"), daemon.count("stopped")), (1, 1), "{:#?}", daemon.events());
    assert_eq!(cases.map(|case| shop.state(&case)), ["live", "approved"]);
}

#[test]
fn who_may_not_mint_is_told_at_once() {
    const TEST: &str = "who_may_not_mint_is_told_at_once";
    if absent(TEST, &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let shop = Shop::new(&place);
    for arguments in [&["mint", "--watch"][..], &["mint"]] {
        shop.desk("dave").jit(arguments).refused(3).mentions(&["no service that mints", "--as minter"]);
    }
    shop.desk("minter").jit(&["mint", "--interval", "3s"]).exits(2);
}
