//! Networks and remotes: a connection that ends anywhere in a push, a server that dies in its hook, and a remote that is
//! gone, collected, rewound, replaced or moved.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::common::server::free_port;
use super::common::{Desk, Place, absent, environment, executable::executable, files, skip};

/// `git daemon`, which takes pushes, and in front of it a line that can be cut.
struct Server {
    daemon: Child,
    line: Arc<Line>,
    port: u16,
}

/// How many bytes may pass in each direction until the connection is cut.
struct Line {
    to_server: AtomicU64,
    to_client: AtomicU64,
}

const OPEN: u64 = u64::MAX;

impl Server {
    fn start(place: &Place, base: &Path) -> Option<Self> {
        let behind = free_port();
        let mut command = Command::new("git");
        command.args(["daemon", "--reuseaddr", "--enable=receive-pack", "--export-all", "--listen=127.0.0.1"]);
        command.arg(format!("--port={behind}")).arg(format!("--base-path={}", base.display())).arg(base);
        command.env_clear().envs(environment(&place.path("home")));
        let daemon = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(Line { to_server: AtomicU64::new(OPEN), to_client: AtomicU64::new(OPEN) });
        let mut server = Self { daemon, line: line.clone(), port };
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", behind)).is_err() {
            if Instant::now() > end || server.daemon.try_wait().is_ok_and(|status| status.is_some()) {
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", behind)) else { continue };
                let pairs = [(&client, &server, true), (&server, &client, false)]
                    .map(|(from, to, up)| (from.try_clone().unwrap(), to.try_clone().unwrap(), up));
                for (from, to, up) in pairs {
                    let line = line.clone();
                    thread::spawn(move || pass(from, to, if up { &line.to_server } else { &line.to_client }));
                }
            }
        });
        Some(server)
    }

    fn url(&self, name: &str) -> String {
        format!("git://127.0.0.1:{}/{name}", self.port)
    }

    fn cut_after(&self, to_server: u64, to_client: u64) {
        self.line.to_server.store(to_server, Ordering::SeqCst);
        self.line.to_client.store(to_client, Ordering::SeqCst);
    }
}

/// Hands on what comes until nothing more may pass; then both sides are cut off.
fn pass(mut from: TcpStream, mut to: TcpStream, left: &AtomicU64) {
    let mut buffer = [0; 512];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let allowed = left.load(Ordering::SeqCst);
        let count = count.min(usize::try_from(allowed).unwrap_or(usize::MAX));
        let sent = to.write_all(&buffer[..count]).is_ok();
        if allowed != OPEN {
            left.fetch_sub(u64::try_from(count).unwrap(), Ordering::SeqCst);
        }
        if !sent || left.load(Ordering::SeqCst) == 0 {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A remote behind a server, and alice's clone of it.
struct Far {
    server: Server,
    place: Place,
    remote: PathBuf,
    clone: PathBuf,
}

impl Far {
    fn new(test: &str) -> Option<Self> {
        if absent(test, &["git", "ssh-keygen"]) {
            return None;
        }
        let place = Place::new();
        fs::create_dir(place.path("srv")).unwrap();
        let (remote, _) = place.ledger("srv/remote.git", true);
        let Some(server) = Server::start(&place, &place.path("srv")) else {
            skip(test, "git daemon does not run here");
            return None;
        };
        let clone = place.path("clone");
        let alice = place.desk("alice", &clone);
        alice.jit_anywhere(&["clone", &server.url("remote.git"), clone.to_str().unwrap()]).ok();
        Some(Self { server, place, remote, clone })
    }

    fn alice(&self) -> Desk<'_> {
        self.place.desk("alice", &self.clone)
    }

    fn requests(&self) -> usize {
        self.place.events(&self.remote).iter().filter(|path| path.contains("/request-")).count()
    }

    fn outbox(&self) -> usize {
        files(&self.clone.join(".git/jit/outbox")).len()
    }

    fn hook(&self, name: &str, body: &str) -> PathBuf {
        let hook = self.remote.join("hooks").join(name);
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        executable(&hook, format!("#!/bin/sh\n{body}\n"));
        hook
    }

    #[track_caller]
    fn is_sound(&self) {
        for repository in [&self.remote, &self.clone] {
            self.place.is_sound(repository);
        }
        assert_eq!(self.place.head(&self.remote), self.place.head(&self.clone));
        assert_eq!(self.outbox(), 0);
        self.place.desk("rita", &self.remote).jit(&["verify", "--strict"]).ok();
    }
}

#[test]
fn a_connection_that_is_cut_anywhere_doubles_and_loses_nothing() {
    let Some(far) = Far::new("a_connection_that_is_cut_anywhere_doubles_and_loses_nothing") else { return };
    let alice = far.alice();
    let (mut queued, mut acknowledged) = (0, 0);
    // The fetch before it takes a few hundred bytes each way, the push a few thousand there and a few hundred back.
    let cuts = (1..26).map(|step| (step * 180, OPEN)).chain((1..26).map(|step| (OPEN, step * 60)));
    for (to_server, to_client) in cuts {
        far.server.cut_after(to_server, to_client);
        let before = far.requests();
        let said = alice.asks("5m");
        // What was cut may still be on its way through the server.
        let end = Instant::now() + Duration::from_secs(2);
        while said.code != 0
            && far.requests() == before
            && Instant::now() < end
            && far.outbox() > 0
            && to_server == OPEN
        {
            thread::sleep(Duration::from_millis(20));
        }
        match (said.code, far.outbox()) {
            (0, 0) => acknowledged += 1,
            (_, 1) => {
                queued += 1;
                said.refused(1).mentions(&["waits in the outbox", "not known", "jit sync"]);
            }
            // It could not even ask: nothing was signed.
            (_, 0) => drop(said.refused(1).mentions(&["the remote cannot be reached", "nothing was signed"])),
            (_, waiting) => panic!("{waiting} wait\n{}", said.told()),
        }
        far.server.cut_after(OPEN, OPEN);
        alice.jit(&["sync"]).ok();
        assert_eq!(far.outbox(), 0);
    }
    assert!(queued > 5 && acknowledged > 5, "{queued} waited, {acknowledged} went through");
    // One for each that was signed: those that waited, and those that were acknowledged.
    assert_eq!(far.requests(), queued + acknowledged);
    far.is_sound();
}

#[test]
fn a_server_that_dies_in_its_hook_takes_all_or_nothing() {
    let Some(far) = Far::new("a_server_that_dies_in_its_hook_takes_all_or_nothing") else { return };
    let alice = far.alice();
    let hooks = ["pre-receive", "update", "reference-transaction", "post-receive", "post-update"];
    let mut wanted = 0;
    for name in hooks {
        // The hook kills git receive-pack, which started it.
        let hook = far.hook(name, "kill -9 $PPID; sleep 1");
        let said = alice.asks("5m");
        wanted += 1;
        if said.code != 0 {
            said.refused(1).mentions(&["waits in the outbox", "jit sync"]);
        }
        fs::remove_file(hook).unwrap();
        // Locks that the dead server left at the remote are for whoever runs it: each is named, with what to type.
        let mut said = alice.jit(&["sync"]);
        while said.code != 0 {
            said = said.refused(1);
            let typed = said.err.split("rm ").nth(1).unwrap_or_else(|| panic!("{name}: {}", said.told()));
            let lock = PathBuf::from(typed.split(';').next().unwrap());
            assert!(lock.starts_with(&far.remote), "{name}: {}", said.told());
            fs::remove_file(lock).unwrap();
            said = alice.jit(&["sync"]);
        }
        assert_eq!((far.requests(), far.outbox()), (wanted, 0), "{name}");
    }
    // One that hangs is waited for no longer than git's time; one that says no is told with its words (tests/clones.rs).
    for entry in fs::read_dir(far.remote.join("objects")).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("tmp_objdir-incoming") {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    far.is_sound();
}

#[test]
fn what_becomes_of_a_remote_is_said_clearly() {
    let Some(far) = Far::new("what_becomes_of_a_remote_is_said_clearly") else { return };
    let alice = far.alice();
    alice.opens("30m");
    // Gone for an hour: what is signed waits, looking goes on.
    let away = far.place.path("away.git");
    fs::rename(&far.remote, &away).unwrap();
    alice.asks("5m").refused(1).mentions(&["waits in the outbox", "jit sync"]);
    alice.jit(&["list"]).ok().mentions(&["the remote does not answer", "what lies here"]);
    fs::rename(&away, &far.remote).unwrap();
    alice.jit(&["sync"]).ok();
    assert_eq!((far.requests(), far.outbox()), (2, 0));

    // Collected, packed, pruned.
    let packed = ["gc", "-q", "--aggressive", "--prune=now"];
    far.place.git(&far.remote, &packed);
    far.place.git(&far.remote, &["pack-refs", "--all"]);
    alice.opens("6m");
    far.place.git(&far.clone, &packed);
    alice.opens("7m");
    far.is_sound();

    // Moved: the old place says so, the new one is named, nothing else changes.
    let moved = far.place.path("srv/moved.git");
    fs::rename(&far.remote, &moved).unwrap();
    alice.jit(&["sync"]).refused(1).mentions(&["remote"]);
    far.place.git(&far.clone, &["remote", "set-url", "origin", &far.server.url("moved.git")]);
    alice.jit(&["sync"]).ok();
    assert_eq!(far.place.head(&moved), far.place.head(&far.clone));

    // Restored from yesterday's backup: told as what it is, and mended by whoever has the newer history.
    let head = far.place.head(&moved);
    far.place.git(&moved, &["update-ref", "refs/heads/main", "main~2"]);
    let said = alice.asks("8m").refused(5).mentions(&["rewound", "compare", "push origin main"]);
    assert_eq!(far.outbox(), 0, "nothing was signed\n{}", said.told());
    far.place.git(&far.clone, &["push", "-q", "origin", "main"]);
    assert_eq!(far.place.head(&moved), head);
    alice.opens("8m");

    // Replaced by another ledger.
    fs::remove_dir_all(&moved).unwrap();
    far.place.ledger("srv/moved.git", true);
    alice.asks("9m").refused(5).mentions(&["compare"]);
    assert_eq!(far.outbox(), 0);
    // Replaced by an empty repository: nothing is taken for the ledger; sync puts it there.
    fs::remove_dir_all(&moved).unwrap();
    far.place.git(&far.place.path("srv"), &["init", "-q", "--bare", "-b", "main", moved.to_str().unwrap()]);
    alice.jit(&["sync"]).ok();
    assert_eq!(far.place.head(&moved), far.place.head(&far.clone));
}

/// A git that does what it is told, and then kills who told it to push.
#[test]
fn a_client_that_is_killed_after_the_remote_took_it_adds_it_once() {
    if absent("a_client_that_is_killed_after_the_remote_took_it_adds_it_once", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (remote, _) = place.ledger("remote.git", true);
    let case = place.desk("alice", &remote).opens("30m");
    let clone = place.path("clone");
    let mut bob = place.desk("bob", &clone);
    bob.clones(&remote);
    let folder = place.path("bin");
    fs::create_dir(&folder).unwrap();
    let git = super::common::find("git").unwrap();
    let script = format!(
        "#!/bin/sh\n'{}' \"$@\"\ncode=$?\nfor word; do [ \"$word\" = push ] && kill -9 $PPID; done\nexit $code\n",
        git.display()
    );
    executable(folder.join("git"), script);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    bob.path = Some(path.into());
    bob.approves(&case).exits(-1);
    bob.path = None;
    let approvals = || place.events(&remote).iter().filter(|path| path.contains("/approval-")).count();
    assert_eq!(approvals(), 1, "the remote had taken it");
    // Typed again, it is refused for what it is: there already.
    bob.approves(&case).refused(3).mentions(&["A03"]);
    assert_eq!(approvals(), 1);
    bob.jit(&["sync"]).ok();
    assert_eq!(place.head(&clone), place.head(&remote));
    assert_eq!(place.git(&clone, &["status", "--porcelain"]), "");
    place.is_sound(&clone);
}

/// While the remote is away the same is not signed again and again: it waits once.
#[test]
fn what_waits_is_not_signed_a_second_time() {
    let Some(far) = Far::new("what_waits_is_not_signed_a_second_time") else { return };
    let alice = far.alice();
    let away = far.place.path("away.git");
    fs::rename(&far.remote, &away).unwrap();
    alice.asks("5m").refused(1).mentions(&["waits in the outbox"]);
    alice.asks("5m").refused(1).mentions(&["signed this request already", "waits in the outbox", "jit sync"]);
    assert_eq!(far.outbox(), 1);
    // Another one is another one.
    alice.asks("6m").refused(1);
    assert_eq!(far.outbox(), 2);
    fs::rename(&away, &far.remote).unwrap();
    alice.jit(&["sync"]).ok();
    assert_eq!((far.requests(), far.outbox()), (2, 0));
    far.is_sound();
}
