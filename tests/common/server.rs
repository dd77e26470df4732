//! A real sshd on 127.0.0.1 that trusts the CA of the test and nothing else, in the foreground, ended when dropped.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Desk, Place, Said, find, login};

/// What [`Sshd::start`] needs on the machine.
pub const PROGRAMS: [&str; 4] = ["sshd", "ssh", "ssh-keygen", "git"];

/// A running sshd.
pub struct Sshd {
    child: Child,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    log: PathBuf,
    known_hosts: PathBuf,
}

impl Sshd {
    /// Starts one that admits exactly the certificates of the CA `prod` with this principal.
    pub fn start(place: &Place, principal: &str) -> Self {
        Self::start_with(place, principal, "MaxStartups 100\n")
    }

    /// The same with further lines of configuration, which come first.
    pub fn start_with(place: &Place, principal: &str, more: &str) -> Self {
        let directory = place.path("sshd");
        let at = |name: &str| directory.join(name).display().to_string();
        fs::create_dir(&directory).unwrap();
        fs::write(at("ca.pub"), format!("{}\n", place.public_key("ca-prod"))).unwrap();
        fs::write(at("principals"), format!("{principal}\n")).unwrap();
        let admits = format!(
            "{more}TrustedUserCAKeys {}\nAuthorizedPrincipalsFile {}\nAuthorizedKeysFile none\n",
            at("ca.pub"),
            at("principals")
        );
        Self::start_in(place, &directory, &admits)
    }

    /// Starts one that admits people by their keys, as a forge does.
    pub fn of_keys(place: &Place, people: &[&str]) -> Self {
        let directory = place.path("over-ssh");
        fs::create_dir(&directory).unwrap();
        let keys: Vec<String> = people.iter().map(|name| place.public_key(name) + "\n").collect();
        let authorized = directory.join("authorized_keys");
        fs::write(&authorized, keys.concat()).unwrap();
        Self::start_in(place, &directory, &format!("AuthorizedKeysFile {}\n", authorized.display()))
    }

    /// `admits`: lines that say whom it admits.
    fn start_in(place: &Place, directory: &Path, admits: &str) -> Self {
        let at = |name: &str| directory.join(name).display().to_string();
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", &at("host_key")]);
        place.run(keygen).ok();
        let port = free_port();
        // SHLVL: bash, called by sshd, would read the ~/.bashrc of whoever runs the tests.
        let configuration = format!(
            "{admits}ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nUsePAM no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPubkeyAuthentication yes\nPermitRootLogin prohibit-password\n\
             StrictModes no\nPidFile none\nLogLevel VERBOSE\nSetEnv SHLVL=1\n",
            at("host_key"),
        );
        fs::write(at("config"), configuration).unwrap();
        // Started by root, sshd wants its place for privilege separation; a system without an init has not made it.
        let _ = fs::create_dir_all("/run/sshd");
        let log = directory.join("log");
        let child = Command::new(find("sshd").unwrap())
            .args(["-D", "-e", "-f", &at("config")])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut server = Self { child, port, log, known_hosts: directory.join("known_hosts") };
        server.wait();
        server
    }

    /// From now on somebody's clone reaches a repository of this machine through here, with this key.
    pub fn serves(&self, desk: &Desk<'_>, remote: &Path, key: &Path) {
        let url = format!("ssh://{}@127.0.0.1:{}{}", login(), self.port, remote.display());
        desk.place().git(&desk.ledger, &["remote", "set-url", "origin", &url]);
        let command = format!("ssh {} -i {}", self.options().join(" "), key.display());
        desk.place().git(&desk.ledger, &["config", "core.sshCommand", &command]);
    }

    /// How many connections were let in so far.
    pub fn connections(&self) -> usize {
        self.log().matches("Accepted publickey").count()
    }

    fn wait(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("sshd ended with {status}: {}", self.log());
            }
            assert!(Instant::now() < end, "sshd does not listen: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The options with which ssh reaches it, and uses nothing of the person who runs the tests.
    pub fn options(&self) -> Vec<String> {
        ssh_options(self.port, &self.known_hosts)
    }

    /// Runs a command there with plain ssh, a key and a certificate.
    pub fn ssh(&self, place: &Place, login: &str, key: &Path, certificate: Option<&Path>, remote: &[&str]) -> Said {
        let mut command = Command::new("ssh");
        command.args(self.options()).arg("-i").arg(key);
        if let Some(certificate) = certificate {
            command.arg("-o").arg(format!("CertificateFile={}", certificate.display()));
        }
        command.arg(format!("{login}@127.0.0.1")).args(remote);
        place.run(command)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The options with which ssh reaches a port of this machine, and uses nothing of the person who runs the tests.
pub fn ssh_options(port: u16, known_hosts: &Path) -> Vec<String> {
    let known_hosts = format!("UserKnownHostsFile={}", known_hosts.display());
    let mut options: Vec<String> = ["-F", "/dev/null", "-p"].map(str::to_owned).into();
    options.push(port.to_string());
    for option in [
        known_hosts.as_str(),
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=no",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "BatchMode=yes",
        "ConnectTimeout=20",
        "LogLevel=ERROR",
    ] {
        options.extend(["-o".to_owned(), option.to_owned()]);
    }
    options
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
