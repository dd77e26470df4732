//! A server of its own: a mount namespace in which `/etc`, `/var`, `/usr/local`, `/home` and `/run` are this test's, over
//! those of the machine. In it run a real sshd with the real PAM, jit's daemons, and the logins' shells; the machine keeps
//! nothing of it. Needs root, overlayfs and a writable cgroup v2.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::server::{free_port, ssh_options};
use super::{JIT, Place, Said, find, skip};

/// What an island needs on the machine.
pub const PROGRAMS: [&str; 7] = ["sshd", "ssh", "ssh-keygen", "git", "unshare", "nsenter", "mount"];

/// The logins that the tests' policy opens, and one that it does not.
pub const LOGINS: [&str; 3] = ["readonly", "operator", "admin"];

/// The unprivileged user of the daemons.
pub const USER: &str = "jit";

/// A server of its own.
pub struct Island<'p> {
    place: &'p Place,
    keeper: Child,
    daemons: Vec<(String, Child)>,
    sshd: Option<Child>,
    /// The directory of cgroup v2 under which the sessions lie.
    pub cgroup: PathBuf,
    /// Where sshd listens, on 127.0.0.1.
    pub port: u16,
    /// The first of its user ids. Each island has its own, because processes are not told apart otherwise.
    first_uid: u32,
}

impl<'p> Island<'p> {
    /// Makes one; `None`, and said so, where this machine does not allow it. In CI that is a failure.
    pub fn new(test: &str, place: &'p Place) -> Option<Self> {
        if super::absent(test, &PROGRAMS) {
            return None;
        }
        if Command::new("id").arg("-u").output().unwrap().stdout != b"0\n" {
            skip(test, "it needs root");
            return None;
        }
        let Some(mount) = cgroup_mount() else {
            skip(test, "there is no cgroup v2");
            return None;
        };
        let name = format!("jit-test-{}-{}", std::process::id(), place.path("").file_name()?.to_string_lossy());
        let cgroup = mount.join(name);
        if let Err(why) = fs::create_dir(&cgroup) {
            skip(test, &format!("cgroup v2 cannot be written: {why}"));
            return None;
        }
        let sea = place.path("island");
        fs::create_dir(&sea).unwrap();
        let script = format!(
            "set -e\nmount -t tmpfs -o mode=755 island {sea}\n\
             for d in etc var usr/local home; do n=$(echo $d | tr / -); mkdir $PWD/$n.up $PWD/$n.work\n\
             mount -t overlay -o lowerdir=/$d,upperdir=$PWD/$n.up,workdir=$PWD/$n.work overlay /$d; done\n\
             mount -t tmpfs -o mode=755 run /run\nmkdir /run/sshd\necho ready\nexec sleep infinity\n",
            sea = sea.display()
        );
        // The tmpfs is mounted over the directory that the script stands in: it goes there anew.
        let script = script.replacen("\nfor d", &format!("\ncd {}\nfor d", sea.display()), 1);
        let mut keeper = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "--", "sh", "-c", &script])
            .current_dir(&sea)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(place.path("island.log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(keeper.stdout.take().unwrap()), &mut line).unwrap();
        if line.trim() != "ready" {
            keeper.wait().unwrap();
            let why = fs::read_to_string(place.path("island.log")).unwrap_or_default();
            let _ = fs::remove_dir(&cgroup);
            skip(test, &format!("a mount namespace with overlays cannot be made: {why}"));
            return None;
        }
        let island =
            Self { place, keeper, daemons: Vec::new(), sshd: None, cgroup, port: free_port(), first_uid: free_uids() };
        island.people();
        Some(island)
    }

    /// A command inside, in a cleared environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", self.keeper.id())).arg("--wd=/").arg("--");
        command.args(["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "TZ=UTC", "HOME=/root"]);
        command.arg("NO_COLOR=1").arg(program);
        command
    }

    /// Runs a command inside.
    #[track_caller]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Said {
        let mut command = self.command(program);
        command.args(arguments);
        self.place.run(command)
    }

    /// Runs a line of shell inside.
    #[track_caller]
    pub fn shell(&self, line: &str) -> Said {
        self.run("sh", &["-ec", line])
    }

    /// Runs jit inside, as root.
    #[track_caller]
    pub fn jit(&self, arguments: &[&str]) -> Said {
        self.run("/usr/local/libexec/jit/jit", arguments)
    }

    /// Starts a daemon inside.
    pub fn start(&mut self, name: &str, arguments: &[&str]) {
        let log = fs::File::create(self.place.path(&format!("{name}.log"))).unwrap();
        let mut command = self.command("/usr/local/libexec/jit/jit");
        command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.daemons.push((name.to_owned(), command.spawn().unwrap()));
    }

    /// Kills a daemon with signal 9.
    pub fn kill(&mut self, name: &str) {
        let at = self.daemons.iter().position(|(known, _)| known == name).unwrap();
        let (_, mut child) = self.daemons.remove(at);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// What a daemon said so far.
    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.place.path(&format!("{name}.log"))).unwrap_or_default()
    }

    /// Starts sshd on `/etc/ssh/sshd_config` as it is inside, with a key and a port of this test.
    pub fn start_sshd(&mut self) {
        let key = self.place.path("ssh_host_key");
        if !key.exists() {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key);
            self.place.run(keygen).ok();
        }
        let log = fs::File::create(self.place.path("sshd.log")).unwrap();
        let mut command = self.command(find("sshd").unwrap());
        command.args(["-D", "-e", "-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none", "-o", "LogLevel=VERBOSE"]);
        command.args(["-o", "MaxStartups=200"]);
        command.args(["-p", &self.port.to_string(), "-h"]).arg(&key);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "sshd ended: {}", self.log("sshd"));
            assert!(Instant::now() < end, "sshd does not listen: {}", self.log("sshd"));
            std::thread::sleep(Duration::from_millis(20));
        }
        self.sshd = Some(child);
    }

    /// Ends sshd, so that it can be started with another configuration.
    pub fn stop_sshd(&mut self) {
        if let Some(mut child) = self.sshd.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// The options with which ssh reaches it, and uses nothing of the person who runs the tests.
    pub fn options(&self) -> Vec<String> {
        ssh_options(self.port, &self.place.path("known_hosts"))
    }

    /// Plain ssh to a login with a key and a certificate, as a command to be run.
    pub fn ssh_command(&self, login: &str, key: &Path, certificate: Option<&Path>, options: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        command.args(self.options()).args(options).arg("-i").arg(key);
        if let Some(certificate) = certificate {
            command.arg("-o").arg(format!("CertificateFile={}", certificate.display()));
        }
        command.arg(format!("{login}@127.0.0.1"));
        command
    }

    /// Runs a command there with plain ssh.
    #[track_caller]
    pub fn ssh(&self, login: &str, key: &Path, certificate: Option<&Path>, remote: &[&str]) -> Said {
        let mut command = self.ssh_command(login, key, certificate, &[]);
        command.args(remote);
        self.place.run(command)
    }

    /// The user id of somebody inside.
    pub fn uid(&self, name: &str) -> u32 {
        let at = LOGINS.iter().chain([&USER]).position(|known| *known == name).unwrap();
        self.first_uid + u32::try_from(at).unwrap()
    }

    /// The processes of a login, whatever they run in: their command lines.
    pub fn processes_of(&self, login: &str) -> Vec<String> {
        let uid = self.uid(login).to_string();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Ok(status) = fs::read_to_string(entry.path().join("status")) else { continue };
            let owned = status
                .lines()
                .any(|line| line.strip_prefix("Uid:").is_some_and(|ids| ids.split_whitespace().next() == Some(&uid)));
            let gone = status.lines().any(|line| line.starts_with("State:\tZ"));
            if owned && !gone {
                let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                found.push(String::from_utf8_lossy(&line).replace('\0', " ").trim().to_owned());
            }
        }
        found
    }

    /// The accounts, and the program where only root writes.
    fn people(&self) {
        let mut script = String::from("mkdir -p /usr/local/libexec/jit\n");
        script += &format!("install -m 755 {JIT} /usr/local/libexec/jit/jit\n");
        for name in LOGINS.into_iter().chain([USER]) {
            let uid = self.uid(name);
            let shell = if name == USER { "/usr/sbin/nologin" } else { "/bin/bash" };
            let home = if name == USER { "/var/lib/jit".to_owned() } else { format!("/home/{name}") };
            script += &format!(
                "echo '{name}:x:{uid}:{uid}::{home}:{shell}' >> /etc/passwd\n\
                 echo '{name}:*:20000:0:99999:7:::' >> /etc/shadow\necho '{name}:x:{uid}:' >> /etc/group\n\
                 mkdir -p {home}\nchown {uid}:{uid} {home}\n"
            );
        }
        // The remote belongs to the test and to the daemon; git wants that to be said.
        script += "printf '[safe]\\n\\tdirectory = *\\n' > /etc/gitconfig\n";
        self.shell(&script).ok();
    }
}

impl Drop for Island<'_> {
    fn drop(&mut self) {
        for child in self.daemons.iter_mut().map(|(_, child)| child).chain(self.sshd.as_mut()) {
            let _ = child.kill();
            let _ = child.wait();
        }
        // Whatever runs in a group of this test ends with it.
        let end = Instant::now() + Duration::from_secs(10);
        let kill = |group: &Path| fs::write(group.join("cgroup.kill"), "1");
        let groups: Vec<PathBuf> = fs::read_dir(&self.cgroup)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        for group in groups.iter().chain([&self.cgroup]) {
            let _ = kill(group);
            while fs::remove_dir(group).is_err() && group.exists() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// Where cgroup v2 is mounted.
fn cgroup_mount() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mut lines = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    lines.find(|fields| fields.get(2) == Some(&"cgroup2")).and_then(|fields| Some(PathBuf::from(fields.get(1)?)))
}

/// Four user ids that no other island of this machine has, as far as process ids differ.
fn free_uids() -> u32 {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let within = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    200_000 + (std::process::id() % 100_000) * 1000 + within * 10
}
