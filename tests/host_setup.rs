//! `jit host setup` on trees that stand for `/`: what it plans, that it is the same twice, that it can be undone, and that
//! what it writes is what the real sshd and systemd take. The tests of a host that really runs are in `host.rs`.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::world::World;
use common::{JIT, Place, Said, absent, find};
use jit::host::setup::diff::unified;
use serde_json::json;
use tempfile::TempDir;

#[path = "common/harness.rs"]
mod common;

const ID: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const DROP_IN: &str = "etc/ssh/sshd_config.d/50-jit.conf";

/// The file as Debian 12 ships it, shortened to what decides.
const PAM: &str = "@include common-auth\naccount    required     pam_nologin.so\n@include common-account\n\
                   session    required     pam_loginuid.so\n@include common-session\n\
                   session    required     pam_limits.so\n\
                   session    required     pam_env.so user_readenv=1 envfile=/etc/default/locale\n\
                   @include common-password\n";

/// A tree that stands for the root of a Debian host.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        let key = tree.at("etc/ssh/ssh_host_ed25519_key");
        fs::create_dir_all(key.parent().unwrap()).unwrap();
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status().unwrap();
        assert!(made.success());
        tree.write(
            "etc/ssh/sshd_config",
            &format!(
                "Include {}/*.conf\nHostKey {}\nUsePAM yes\nX11Forwarding yes\n",
                tree.at("etc/ssh/sshd_config.d").display(),
                key.display()
            ),
        );
        fs::create_dir(tree.at("etc/ssh/sshd_config.d")).unwrap();
        tree.write("etc/pam.d/sshd", PAM);
        tree.write("etc/debian_version", "12.11\n");
        tree.write("etc/at.deny", "nobody\n");
        tree.write(
            "etc/passwd",
            "root:x:0:0::/root:/bin/bash\nreadonly:x:4001:4001::/home/readonly:/bin/bash\n\
             operator:x:4002:4002::/home/operator:/bin/bash\nalice:x:4003:4003::/home/alice:/bin/bash\n",
        );
        tree.write("etc/group", "sudo:x:27:alice\n");
        fs::create_dir_all(tree.at("run/systemd/system")).unwrap();
        // Started by root, sshd wants its place for privilege separation; a system without an init has not made it.
        let _ = fs::create_dir_all("/run/sshd");
        tree
    }

    /// One on which `jit host sync` has published these logins.
    fn with_logins(logins: &[&str]) -> Self {
        let tree = Self::new();
        tree.publish(logins);
        tree
    }

    fn publish(&self, logins: &[&str]) {
        let grants = json!({ "host": "db1", "ledger": ID, "head": "0".repeat(40), "size": 5, "root": ID,
            "checked": "2026-11-23T13:00:00Z", "staleness": "10m", "clock_skew": "2m", "logins": logins,
            "grants": [], "probes": [], "open": [] });
        self.write("run/jit/published/grants.json", &grants.to_string());
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    fn setup_as(&self, sudo: &str, arguments: &[&str]) -> Said {
        let mut command = Command::new(JIT);
        command.args(["host", "setup", "--root"]).arg(self.0.path()).args(arguments);
        let home = tempfile::tempdir().unwrap();
        let output = command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .env("SUDO_USER", sudo)
            .current_dir("/")
            .output()
            .unwrap();
        Said::of(format!("jit host setup {}", arguments.join(" ")), output)
    }

    fn setup(&self, arguments: &[&str]) -> Said {
        self.setup_as("", arguments)
    }

    /// The first setup of `db1`.
    fn first(&self, more: &[&str]) -> Said {
        let mut arguments = vec!["--host", "db1", "--remote", "git@git.acme.example:prod.git", "--ledger-id", ID];
        arguments.extend(more);
        self.setup(&arguments)
    }

    /// Everything that is there: kind, permissions and content by path.
    fn picture(&self) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.0.path().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let meta = fs::symlink_metadata(&path).unwrap();
                let what = if meta.is_symlink() {
                    format!("link {}", fs::read_link(&path).unwrap().display())
                } else if meta.is_dir() {
                    open.push(path.clone());
                    format!("directory {:o}", meta.mode())
                } else {
                    format!(
                        "file {:o} {:?}",
                        meta.mode(),
                        fs::read(&path).unwrap().get(..4096).unwrap_or(&fs::read(&path).unwrap())
                    )
                };
                found.insert(path.strip_prefix(self.0.path()).unwrap().to_owned(), what);
            }
        }
        found
    }

    /// What the real sshd says of a login.
    fn sshd_says(&self, login: &str) -> Vec<String> {
        let output = Command::new(find("sshd").unwrap())
            .args(["-T", "-C", &format!("user={login},host=db1,addr=127.0.0.1"), "-f"])
            .arg(self.at("etc/ssh/sshd_config"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

fn lacks(test: &str) -> bool {
    absent(test, &["sshd", "ssh-keygen"])
}

fn paths(said: &Said) -> Vec<String> {
    let changes = said.json()["changes"].as_array().unwrap().clone();
    changes.iter().filter_map(|change| change["path"].as_str().map(str::to_owned)).collect()
}

#[test]
fn before_the_ledger_names_the_host_sshd_and_pam_stay_as_they_are() {
    if lacks("before_the_ledger_names_the_host_sshd_and_pam_stay_as_they_are") {
        return;
    }
    let tree = Tree::new();
    let said = tree.first(&["--yes"]).ok();
    assert_eq!(tree.read("etc/pam.d/sshd"), PAM);
    assert!(!tree.at(DROP_IN).exists());
    // The key is one that ssh-keygen reads, and its public half is what the policy is asked to hold.
    let derived = Command::new("ssh-keygen").arg("-y").arg("-f").arg(tree.at("etc/jit/host_key")).output().unwrap();
    let derived = String::from_utf8(derived.stdout).unwrap();
    let key = derived.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    assert!(key.starts_with("ssh-ed25519 "), "{derived}");
    assert!(said.out.contains("[host.db1]\n") && said.out.contains(&format!("keys = [\"{key}\"]")), "{}", said.told());
    assert!(said.out.contains("jit host setup"), "what to type next\n{}", said.told());
    assert_eq!(fs::metadata(tree.at("etc/jit/host_key")).unwrap().mode() & 0o777, 0o600);
    for (path, mode) in [
        ("run/jit/sessions", 0o700),
        ("run/jit/gate", 0o711),
        ("var/lib/jit/recordings", 0o700),
        ("var/lib/jit", 0o1770),
    ] {
        assert_eq!(fs::metadata(tree.at(path)).unwrap().mode() & 0o7777, mode, "{path}");
    }
    let before = tree.picture();
    let again = tree.setup(&["--yes"]).ok();
    assert!(again.out.contains("Nothing to change."), "{}", again.told());
    assert!(tree.picture() == before, "a second run changes nothing");
}

#[test]
fn the_real_sshd_has_what_was_wanted_and_nothing_else() {
    if lacks("the_real_sshd_has_what_was_wanted_and_nothing_else") {
        return;
    }
    let tree = Tree::with_logins(&["operator", "readonly"]);
    let before: Vec<_> = ["root", "alice"].map(|login| tree.sshd_says(login)).into();
    tree.first(&["--yes"]).ok();
    let after: Vec<_> = ["root", "alice"].map(|login| tree.sshd_says(login)).into();
    assert_eq!(before, after, "nothing changed for those whom jit does not serve");
    for login in ["operator", "readonly"] {
        let says = tree.sshd_says(login);
        for line in [
            "trustedusercakeys /run/jit/published/ca.pub",
            "revokedkeys /run/jit/published/krl",
            "authorizedprincipalscommand /usr/local/libexec/jit/jit host principals -- %u %i %s %F %k",
            "authorizedprincipalscommanduser jit",
            "authorizedkeysfile none",
            "authorizedkeyscommand none",
            "authenticationmethods publickey",
            "passwordauthentication no",
            "kbdinteractiveauthentication no",
            "hostbasedauthentication no",
            "forcecommand exec /usr/local/libexec/jit/jit host gate",
            "permituserrc no",
            "permittunnel no",
        ] {
            assert!(says.iter().any(|said| said == line), "{login}: {line}\n{}", says.join("\n"));
        }
    }
    let pam = tree.read("etc/pam.d/sshd");
    let at = |word: &str| pam.find(word).unwrap_or_else(|| panic!("{word}\n{pam}"));
    assert!(at("@include common-session\n") < at("user notin operator:readonly"));
    assert!(at("user notin operator:readonly") < at("/usr/local/libexec/jit/jit host session"));
    assert!(at("host session") < at("user_readenv=1"), "root must not run jit with what the user wrote");
    assert_eq!(tree.read("etc/cron.deny"), "operator\nreadonly\n");
    assert_eq!(tree.read("etc/at.deny"), "nobody\noperator\nreadonly\n");
    for uid in [4001, 4002] {
        let mask = tree.at(&format!("etc/systemd/system/user@{uid}.service"));
        assert_eq!(fs::read_link(mask).unwrap(), Path::new("/dev/null"));
    }
    let picture = tree.picture();
    let again = tree.setup(&["--yes"]).ok();
    assert!(again.out.contains("Nothing to change."), "{}", again.told());
    assert!(tree.picture() == picture, "a second run changes nothing");
    // The policy has lost a login: from now on it is everybody's again.
    tree.publish(&["readonly"]);
    tree.setup(&["--yes"]).ok();
    assert_eq!(tree.sshd_says("operator"), before[1]);
    assert!(tree.read("etc/pam.d/sshd").contains("user notin readonly\n"));
}

#[test]
fn a_dry_run_shows_every_change_and_makes_none() {
    if lacks("a_dry_run_shows_every_change_and_makes_none") {
        return;
    }
    let tree = Tree::with_logins(&["readonly"]);
    let before = tree.picture();
    let text = tree.first(&["--dry-run"]).ok();
    let said = tree.first(&["--dry-run", "--json"]).ok();
    assert!(tree.picture() == before, "something was changed");
    let shown = paths(&said);
    for path in &shown {
        assert!(text.out.contains(path), "{path}\n{}", text.told());
    }
    assert!(text.out.contains("+session required pam_exec.so"), "files are shown as diffs\n{}", text.told());
    // What is made afterwards is what was shown, and the record of it.
    tree.first(&["--yes"]).ok();
    for (path, what) in tree.picture() {
        if before.get(&path) == Some(&what) || what.starts_with("directory") && before.contains_key(&path) {
            continue;
        }
        let path = Path::new("/").join(&path).display().to_string();
        let known = ["/etc/jit/setup.json", "/etc/jit/host_key.pub", "/etc/tmpfiles.d", "/usr", "/var", "/var/lib"];
        let shown = shown.iter().any(|shown| Path::new(shown).starts_with(&path));
        assert!(shown || known.contains(&&*path), "{path} was not shown");
    }
}

#[test]
fn undo_gives_back_what_was_there() {
    if lacks("undo_gives_back_what_was_there") {
        return;
    }
    let tree = Tree::with_logins(&["readonly"]);
    let before = tree.picture();
    tree.first(&["--yes"]).ok();
    tree.publish(&["operator", "readonly"]);
    tree.setup(&["--yes"]).ok();
    let standing = tree.picture();
    tree.setup(&["--undo", "--dry-run"]).ok();
    assert!(tree.picture() == standing, "a dry run changes nothing");
    tree.write("var/lib/jit/recordings/ABCD2345/1.jitrec", "a recording");
    tree.setup(&["--undo", "--yes"]).ok();
    assert!(tree.at("etc/jit/host_key").exists() && tree.at("var/lib/jit/recordings/ABCD2345/1.jitrec").exists());
    let after = tree.picture();
    for (path, what) in &before {
        // What sync had published lay in /run, which goes.
        if !path.starts_with("run/jit") {
            assert_eq!(after.get(path), Some(what), "{}", path.display());
        }
    }
    let new: Vec<&PathBuf> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    let kept = ["etc/jit", "var", "usr", "etc/tmpfiles.d"];
    assert!(
        new.iter().all(|path| kept.iter().any(|kept| path.starts_with(kept)) || path.starts_with("etc/systemd")),
        "{new:?}"
    );
    assert!(
        !new.iter().any(|path| path.extension().is_some_and(|it| it == "service" || it == "conf" || it == "toml")),
        "{new:?}"
    );
    let again = tree.setup(&["--undo", "--yes"]).ok();
    assert!(again.out.contains("Nothing to undo"), "{}", again.told());
}

#[test]
fn undo_with_purge_leaves_nothing() {
    if lacks("undo_with_purge_leaves_nothing") {
        return;
    }
    let tree = Tree::new();
    let before = tree.picture();
    tree.first(&["--yes"]).ok();
    tree.publish(&["readonly"]);
    tree.setup(&["--yes"]).ok();
    tree.write("var/lib/jit/recordings/ABCD2345/1.jitrec", "a recording");
    tree.setup(&["--undo", "--purge", "--yes"]).ok();
    let after = tree.picture();
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert!(after == before);
}

#[test]
fn undo_leaves_what_others_wrote_since() {
    if lacks("undo_leaves_what_others_wrote_since") {
        return;
    }
    let tree = Tree::with_logins(&["readonly"]);
    tree.first(&["--yes"]).ok();
    let theirs = "session optional pam_lastlog.so\n";
    tree.write("etc/pam.d/sshd", &format!("{}{theirs}", tree.read("etc/pam.d/sshd")));
    tree.write("etc/at.deny", &format!("{}guest\n", tree.read("etc/at.deny")));
    tree.setup(&["--undo", "--yes"]).ok();
    assert_eq!(tree.read("etc/pam.d/sshd"), format!("{PAM}{theirs}"));
    assert_eq!(tree.read("etc/at.deny"), "nobody\nguest\n");
}

#[test]
fn what_sshd_does_not_have_in_the_end_is_put_back() {
    if lacks("what_sshd_does_not_have_in_the_end_is_put_back") {
        return;
    }
    let tree = Tree::with_logins(&["readonly"]);
    // It comes first, so sshd would run this and not the gate.
    tree.write("etc/ssh/sshd_config.d/10-other.conf", "Match User readonly\n    ForceCommand /bin/true\n");
    let said = tree.first(&["--yes"]).exits(1);
    assert!(said.err.contains("ForceCommand /bin/true") && said.err.contains("Hint:"), "{}", said.told());
    assert_eq!(tree.read("etc/pam.d/sshd"), PAM);
    assert!(!tree.at(DROP_IN).exists());
    // Then somebody mends it, and the same command goes through.
    fs::remove_file(tree.at("etc/ssh/sshd_config.d/10-other.conf")).unwrap();
    tree.setup(&["--yes"]).ok();
    assert!(tree.at(DROP_IN).exists());
}

#[test]
fn an_sshd_that_is_broken_already_is_left_alone() {
    if lacks("an_sshd_that_is_broken_already_is_left_alone") {
        return;
    }
    let tree = Tree::with_logins(&["readonly"]);
    let config = tree.read("etc/ssh/sshd_config");
    tree.write("etc/ssh/sshd_config", &format!("{config}NoSuchKeyword yes\n"));
    let before = tree.picture();
    let said = tree.first(&["--yes"]).exits(1);
    assert!(said.err.contains("NoSuchKeyword"), "sshd's own words\n{}", said.told());
    assert!(tree.picture() == before);
    tree.write("etc/ssh/sshd_config", &format!("{config}AllowUsers alice\n"));
    let said = tree.first(&["--yes"]).ok();
    assert!(said.err.contains("AllowUsers"), "{}", said.told());
}

#[test]
fn a_key_that_was_made_by_hand_is_taken() {
    if lacks("a_key_that_was_made_by_hand_is_taken") {
        return;
    }
    let tree = Tree::new();
    let key = tree.at("etc/jit/host_key");
    fs::create_dir(key.parent().unwrap()).unwrap();
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(&key).status().unwrap();
    assert!(made.success());
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let public = tree.read("etc/jit/host_key.pub");
    let said = tree.first(&["--yes"]).ok();
    assert!(said.out.contains(public.trim()), "{}", said.told());
    assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
    // It was there before setup: --purge does not take it.
    tree.setup(&["--undo", "--purge", "--yes"]).ok();
    assert!(key.exists() && tree.read("etc/jit/host_key.pub") == public);
}

#[test]
fn no_symbolic_link_is_written_through() {
    if lacks("no_symbolic_link_is_written_through") {
        return;
    }
    for target in
        [DROP_IN, "etc/pam.d/sshd", "etc/jit/host.toml", "etc/cron.deny", "etc/jit", "run/jit", "etc/systemd/system"]
    {
        let tree = Tree::with_logins(&["readonly"]);
        let victim = tree.at("victim");
        let path = tree.at(target);
        if path.is_dir() {
            fs::rename(&path, &victim).unwrap();
        } else if target.contains("systemd") || !target.contains('.') && !target.ends_with("sshd") {
            fs::create_dir(&victim).unwrap();
        } else {
            fs::write(&victim, PAM).unwrap();
            let _ = fs::remove_file(&path);
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(&victim, &path).unwrap();
        let before = tree.picture();
        let said = tree.first(&["--yes"]);
        assert_ne!(said.code, 0, "{target}\n{}", said.told());
        assert!(
            said.err.contains("symbolic link") || said.err.contains("not a directory"),
            "{target}\n{}",
            said.told()
        );
        let after = tree.picture();
        let inside = |picture: &BTreeMap<PathBuf, String>| -> Vec<(PathBuf, String)> {
            picture.iter().filter(|(path, _)| path.starts_with("victim")).map(|(a, b)| (a.clone(), b.clone())).collect()
        };
        assert_eq!(inside(&after), inside(&before), "{target}");
        assert_eq!(tree.read("etc/pam.d/sshd"), PAM, "{target}: PAM is as it was");
    }
}

#[test]
fn a_host_that_cannot_be_served_is_refused() {
    if lacks("a_host_that_cannot_be_served_is_refused") {
        return;
    }
    let tree = Tree::with_logins(&["readonly"]);
    let config = tree.read("etc/ssh/sshd_config");
    tree.write("etc/ssh/sshd_config", &config.replace("UsePAM yes", "UsePAM no"));
    tree.first(&["--yes"]).exits(3).mentions(&["UsePAM yes"]);
    let without = config.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    tree.write("etc/ssh/sshd_config", &without);
    let line = config.lines().next().unwrap();
    tree.first(&["--yes"]).exits(3).mentions(&[line, "--add-include"]);
    assert_eq!(tree.read("etc/pam.d/sshd"), PAM);
    tree.first(&["--yes", "--add-include"]).ok();
    assert_eq!(tree.read("etc/ssh/sshd_config"), config);
    assert!(tree.sshd_says("readonly").iter().any(|line| line == "authorizedkeysfile none"));
    tree.setup(&["--undo", "--yes"]).ok();
    assert_eq!(tree.read("etc/ssh/sshd_config"), without);

    let tree = Tree::new();
    tree.first(&["--yes", "--cgroup", tree.at("etc").to_str().unwrap()]).exits(1).mentions(&["cannot end sessions"]);
    tree.setup(&["--yes"]).exits(2).mentions(&["--ledger-id"]);
    tree.first(&["--yes"]).ok();
    tree.setup(&["--yes", "--host", "db2"]).exits(2).mentions(&["db1"]);
    // Without a terminal nobody says yes.
    tree.publish(&["readonly"]);
    tree.setup(&[]).exits(2).mentions(&["--yes"]);
    assert_eq!(tree.read("etc/pam.d/sshd"), PAM);
}

#[test]
fn neither_root_nor_who_runs_setup_is_locked_out() {
    if lacks("neither_root_nor_who_runs_setup_is_locked_out") {
        return;
    }
    let tree = Tree::with_logins(&["alice", "readonly", "root"]);
    let before: Vec<_> = ["root", "alice"].map(|login| tree.sshd_says(login)).into();
    let arguments = ["--yes", "--host", "db1", "--remote", "/srv/l.git", "--ledger-id", ID];
    let said = tree.setup_as("alice", &arguments).ok();
    assert!(said.err.contains("alice is not served") && said.err.contains("root is not served"), "{}", said.told());
    let after: Vec<_> = ["root", "alice"].map(|login| tree.sshd_says(login)).into();
    assert_eq!(before, after);
    assert!(tree.read("etc/pam.d/sshd").contains("user notin readonly\n"));
    // Run by somebody else, alice is served; that she is in sudo is told, and what else would go past jit.
    let passwd = tree.read("etc/passwd").replace("alice:/bin/bash", "alice:/usr/bin/zsh");
    tree.write("etc/passwd", &passwd);
    tree.write("etc/shadow", "alice:$y$j9T$x:20000::::::\nreadonly:*:20000::::::\n");
    tree.write("var/spool/cron/crontabs/readonly", "* * * * * id\n");
    let said = tree.setup(&["--yes"]).ok();
    for warning in ["alice is in sudo", "alice has zsh", "alice has a password", "readonly has cron or at jobs"] {
        assert!(said.err.contains(warning), "{warning}\n{}", said.told());
    }
    assert!(!said.err.contains("readonly has a password") && !said.err.contains("readonly is in"), "{}", said.told());
    assert!(tree.read("etc/pam.d/sshd").contains("user notin alice:readonly\n"));

    let tree = Tree::with_logins(&["root"]);
    tree.first(&["--yes"]).exits(3).mentions(&["none of the logins"]);
    // The file that names them is written by a user that is not root: nothing odd in it reaches sshd's or PAM's files.
    for odd in ["a,root", "a:root", "*", "!a", "-a", "a b", "a\nMatch all", ""] {
        let tree = Tree::with_logins(&[odd]);
        tree.first(&["--yes"]).exits(3);
        assert_eq!(tree.read("etc/pam.d/sshd"), PAM, "{odd:?}");
        assert!(!tree.at(DROP_IN).exists(), "{odd:?}");
    }
}

#[test]
fn systemd_takes_the_units() {
    const TEST: &str = "systemd_takes_the_units";
    if lacks(TEST) || absent(TEST, &["systemd-analyze"]) {
        return;
    }
    let tree = Tree::new();
    tree.first(&["--yes"]).ok();
    let directory = tempfile::tempdir().unwrap();
    for (name, command) in [("jit-host-sync.service", "sync"), ("jit-host-reap.service", "reap")] {
        let unit = tree.read(&format!("etc/systemd/system/{name}"));
        assert!(unit.contains(&format!("\nExecStart=/usr/local/libexec/jit/jit host {command}\n")), "{unit}");
        // The program is not installed on the machine that runs the tests; everything else is taken as it stands.
        let file = directory.path().join(name);
        fs::write(&file, unit.replace("/usr/local/libexec/jit/jit", JIT)).unwrap();
        let verify = |path: &Path| {
            let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(path).output().unwrap();
            (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let (good, said) = verify(&file);
        let ours: Vec<&str> = said.lines().filter(|line| line.contains(name)).collect();
        assert!(good && ours.is_empty(), "{name}: {said}");
        // systemd-analyze does see what is wrong.
        fs::write(
            &file,
            unit.replace("[Service]\n", "[Service]\nNoSuchSetting=1\n").replace("/usr/local/libexec/jit/jit", JIT),
        )
        .unwrap();
        assert!(verify(&file).1.contains("NoSuchSetting"));
    }
    let sync = tree.read("etc/systemd/system/jit-host-sync.service");
    assert!(
        sync.contains("\nUser=jit\n")
            && sync.contains("\nNoNewPrivileges=yes\n")
            && sync.contains("\nRestart=always\n")
    );
    assert!(tree.read("etc/systemd/system/jit-host-reap.service").contains("\nKillMode=process\n"));
    let plain = Tree::new();
    let said = plain.first(&["--yes", "--no-systemd"]).ok();
    assert!(!plain.at("etc/systemd").exists());
    for command in ["runuser -u jit -- /usr/local/libexec/jit/jit host sync", "/usr/local/libexec/jit/jit host reap"] {
        assert!(said.out.contains(command), "{}", said.told());
    }
}

/// What is shown as a diff is one: `git apply` makes the new text of the old.
#[test]
fn a_diff_is_what_other_tools_read() {
    if absent("a_diff_is_what_other_tools_read", &["git"]) {
        return;
    }
    let long: String = (0..40).map(|line| format!("line {line}\n")).collect();
    let far = long.replace("line 3\n", "").replace("line 30\n", "new\nline 30\nnewer\n");
    let pairs = [
        (None, "a\nb\n"),
        (Some(PAM), "first\n"),
        (Some(long.as_str()), far.as_str()),
        (Some("a\n"), "b\na\n"),
        (Some("a\na\nb\n"), "a\nb\nb\n"),
        (Some(""), "a\n"),
    ];
    for (old, new) in pairs {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        if let Some(old) = old {
            fs::write(&file, old).unwrap();
        }
        fs::write(directory.path().join("patch"), unified("file", old, new)).unwrap();
        let applied =
            Command::new("git").args(["apply", "-p0", "patch"]).current_dir(directory.path()).output().unwrap();
        assert!(
            applied.status.success(),
            "{}\n{}",
            unified("file", old, new),
            String::from_utf8_lossy(&applied.stderr)
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), new);
    }
    assert_eq!(unified("file", Some(PAM), PAM), "");
}

/// A certificate says what it likes; whatever it calls itself, the command prints no principal for it.
#[test]
fn a_certificate_that_calls_itself_help_is_told_nothing() {
    let tree = Tree::with_logins(&["readonly"]);
    let file = tree.at("host.toml");
    fs::write(
        &file,
        format!(
            "host = \"db1\"\nledger = \"{ID}\"\nremote = \"/x\"\npublished = \"{}\"\n",
            tree.at("run/jit/published").display()
        ),
    )
    .unwrap();
    for key_id in ["--help", "-h", "--version", "--json", "-", "--"] {
        let output = Command::new(JIT)
            .args(["host", "--config"])
            .arg(&file)
            .args(["principals", "--", "readonly", key_id, "1", "SHA256:x", "AAAA"])
            .env_clear()
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{key_id}");
    }
}

/// What setup wrote, on a server that runs: the ledger's people get in, the server's own people get in as before, and
/// after undo it is as if jit had never been there.
#[test]
fn a_host_that_was_set_up_serves_its_logins_and_nobody_else() {
    const TEST: &str = "a_host_that_was_set_up_serves_its_logins_and_nobody_else";
    let place = Place::new();
    let Some(mut world) = World::new(TEST, &place, |policy| policy) else { return };
    let again = world.island.jit(&["host", "setup", "--yes", "--no-systemd"]).ok();
    assert!(again.out.contains("Nothing to change."), "{}", again.told());

    // What the login's own files say is run by the gate's shell alone: not before the gate by sshd, and by root never.
    // Each notes what started the shell that reads it.
    let files = "cd /home/readonly\necho 'echo rc $(cat /proc/$PPID/comm) >> ~/before' > .bashrc\necho 'echo env $(cat /proc/$PPID/comm) >> ~/before' > evil\n\
                 printf 'BASH_ENV DEFAULT=/home/readonly/evil\\nLD_PRELOAD DEFAULT=/home/readonly/evil.so\\n' \
                 > .pam_environment\nmkdir -p .ssh\necho 'echo sshrc $(cat /proc/$PPID/comm) >> ~/before' > .ssh/rc\n\
                 chown -R readonly: /home/readonly\n";
    world.island.shell(files).ok();
    let (_, certificate) = world.live("payments-db/read-only", "10m");
    let said = world.ssh("readonly", &certificate, &["id", "-un"]).ok();
    assert_eq!(said.out.trim(), "readonly", "{}\n{}", said.told(), world.island.log("sshd"));
    assert!(!said.err.contains("ld.so") && !world.island.log("sshd").contains("ld.so"), "{}", world.island.log("sshd"));
    let before = world.island.shell("cat /home/readonly/before 2>/dev/null || true").ok();
    assert_eq!(before.out, "rc jit\n", "something was run before the gate");

    // The true CA's key, and a name that would have the command print its help: a line of it is the principal.
    let principals = ["-I", "--help", "-n", "Arguments:,Options:,jit,Usage:", "-V", "-1h:+1h", "-z", "77"];
    let forged = world.forged("help", &principals);
    assert_eq!(world.ssh("readonly", &forged, &["id"]).code, 255);

    // A line that is wider than a terminal is broken, not cut.
    let long = "Z".repeat(60);
    let wide = world.forged("wide", &["-I", &format!("{long} {long}"), "-n", "x", "-V", "-1h:+1h", "-z", "78"]);
    assert_eq!(world.ssh("readonly", &wide, &["id"]).code, 255);

    // The admin has a key of their own, as on any server, and jit has no say in it: also without its daemons.
    let key = place.key("carol");
    let script = format!(
        "install -d -o admin /home/admin/.ssh\ninstall -m 644 -o admin {}.pub /home/admin/.ssh/authorized_keys\n\
         install -d -o readonly /home/readonly/.ssh\n\
         install -m 644 -o readonly {0}.pub /home/readonly/.ssh/authorized_keys\n",
        key.display()
    );
    world.island.shell(&script).ok();
    assert_eq!(world.island.ssh("admin", &key, None, &["id", "-un"]).ok().out.trim(), "admin");
    assert_eq!(world.island.ssh("readonly", &key, None, &["id"]).code, 255, "a served login has no keys of its own");

    let status = world.island.jit(&["host", "status", "--json"]);
    let json = status.json();
    assert_eq!((status.code, &json["sync"], &json["reap"]), (0, &json!(true), &json!(true)), "{}", status.told());
    assert_eq!(json["uncovered"], json!([]), "{}", status.told());
    assert_eq!(json["grants"][0]["requester"], "alice", "{}", status.told());
    let text = world.island.run("env", &["COLUMNS=80", "/usr/local/libexec/jit/jit", "host", "status"]).ok();
    assert!(text.out.lines().all(|line| line.chars().count() <= 80), "wider than 80\n{}", text.told());
    let doctor = world.island.jit(&["doctor", "--json"]).ok();
    assert_eq!(doctor.json()["ok"], true, "{}", doctor.told());

    world.until("the session has ended", || {
        world.island.jit(&["host", "status", "--json"]).json()["sessions"].as_array().is_some_and(Vec::is_empty)
    });
    for daemon in ["reap", "sync"] {
        world.island.kill(daemon);
    }
    let status = world.island.jit(&["host", "status", "--json"]).exits(1);
    assert_eq!((&status.json()["sync"], &status.json()["reap"]), (&json!(false), &json!(false)), "{}", status.told());
    let doctor = world.island.jit(&["doctor"]).exits(1);
    assert!(doctor.out.contains("sync") && doctor.out.contains("does not run"), "{}", doctor.told());
    assert_eq!(world.island.ssh("admin", &key, None, &["id", "-un"]).ok().out.trim(), "admin");
    world.island.jit(&["host", "setup", "--undo", "--yes"]).ok();
    world.island.stop_sshd();
    world.island.start_sshd();
    assert_eq!(world.ssh("readonly", &certificate, &["id"]).code, 255, "nothing trusts the CA any more");
    assert_eq!(world.island.ssh("readonly", &key, None, &["id", "-un"]).ok().out.trim(), "readonly");
    assert_eq!(world.island.ssh("admin", &key, None, &["id", "-un"]).ok().out.trim(), "admin");
}
