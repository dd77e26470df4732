//! A remote that is reached by ssh, as a forge is: a real sshd on 127.0.0.1 that admits people by their keys.

#![allow(dead_code)]

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::common::server::{free_port, ssh_options};
use super::common::{Desk, Place, find, login};

/// A running sshd.
pub struct OverSsh {
    child: Child,
    port: u16,
    log: PathBuf,
    known_hosts: PathBuf,
}

impl OverSsh {
    /// Starts one that admits these people.
    pub fn start(place: &Place, people: &[&str]) -> Self {
        let directory = place.path("over-ssh");
        fs::create_dir(&directory).unwrap();
        let at = |name: &str| directory.join(name).display().to_string();
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", &at("host_key")]);
        place.run(keygen).ok();
        let keys: Vec<String> = people.iter().map(|name| place.public_key(name) + "\n").collect();
        fs::write(at("authorized_keys"), keys.concat()).unwrap();
        let port = free_port();
        let configuration = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPubkeyAuthentication yes\n\
             PermitRootLogin prohibit-password\nStrictModes no\nPidFile none\nLogLevel VERBOSE\n",
            at("host_key"),
            at("authorized_keys"),
        );
        fs::write(at("config"), configuration).unwrap();
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
        let server = Self { child, port, log, known_hosts: directory.join("known_hosts") };
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "sshd does not listen: {}", server.said());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// What it logged.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How many connections were let in so far.
    pub fn connections(&self) -> usize {
        self.said().matches("Accepted publickey").count()
    }

    /// From now on somebody's clone reaches the remote through here.
    pub fn serves(&self, desk: &Desk<'_>, remote: &Path) {
        let url = format!("ssh://{}@127.0.0.1:{}{}", login(), self.port, remote.display());
        desk.place().git(&desk.ledger, &["remote", "set-url", "origin", &url]);
        let options = ssh_options(self.port, &self.known_hosts).join(" ");
        let command = format!("ssh {options} -i {}", desk.key.display());
        desk.place().git(&desk.ledger, &["config", "core.sshCommand", &command]);
    }
}

impl Drop for OverSsh {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
