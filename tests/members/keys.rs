//! Keys are exchanged: the old one signs no more and comes back for nobody, hardware keys prove themselves, services and
//! hosts too.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::common::{self, absent, skip};
use super::office::{FRANK, Office, adds, changed, gone};

const SK_DUMMY: &str = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so";

#[test]
fn an_exchanged_key_signs_no_more_and_comes_back_for_nobody() {
    if gone("an_exchanged_key_signs_no_more_and_comes_back_for_nobody") {
        return;
    }
    let office = Office::new(2);
    let rita = office.desk("rita");
    let before = office.git_show("policy.toml");
    // Of oneself in one go: the private half lies here.
    let new = office.place.make_key("rita-2");
    let new = new.to_str().unwrap();
    let said =
        rita.jit(&["member", "rotate-key", "rita", "--new", new, "--reason", "A new laptop.", "--yes", "--json"]).ok();
    let id = said.text("id");
    let said = said.mentions(&["Once this is enacted you sign with the new key"]);
    let says: Vec<String> =
        said.json()["changes"].as_array().unwrap().iter().map(|c| c["says"].as_str().unwrap().to_owned()).collect();
    assert!(says.iter().any(|says| says.contains(&office.fingerprint("rita-2"))), "{says:?}");
    office.passes(&id, "rita");
    let (old, key) = (office.place.public_key("rita"), office.place.public_key("rita-2"));
    assert_eq!(
        changed(&before, &office.git_show("policy.toml")),
        [
            "-version = 1   # counts up".to_owned(),
            format!("-keys = [\"{old}\"]"),
            "+version = 2   # counts up".to_owned(),
            format!("+keys = [\"{key}\"]"),
        ]
    );
    assert_eq!(office.member("rita").unwrap()["keys"][0]["proven"], true);

    // The old key signs nothing more: not through jit, and void when it is pushed by hand.
    let proof = office.proof("frank", "frank");
    rita.jit(&adds("frank", FRANK, &proof)).refused(3).mentions(&["K04"]);
    let event = forged(&office, "rita", "rita");
    let said = office.desk("dave").jit(&["verify", "--json"]).exits(4);
    let voids = said.json()["voids"].clone();
    assert_eq!((&voids[0]["commit"], &voids[0]["code"]), (&json!(event), &json!("K04")), "{voids:#}");
    // What it signed before stays good.
    assert_eq!(voids.as_array().unwrap().len(), 1);

    // It is nobody else's, ever; as a hardware key it is the same key.
    let new_rita = office.desk_with("rita", "rita-2");
    let proof = office.proof("frank", "rita");
    new_rita.jit(&adds("frank", FRANK, &proof)).refused(3).mentions(&["was rita's: it can never be frank's", "A10"]);
    let text = office.git_show("policy.toml").replace(&office.place.public_key("bob"), &old);
    let file = format!("policy.toml={}", office.file("back.toml", &text));
    let arguments = ["policy", "propose", &file, "--bump", "--reason", "Mine now.", "--yes"];
    new_rita.jit(&arguments).refused(3).mentions(&["is or was rita's", "A10"]);
    let text = office.git_show("policy.toml").replace(&office.place.public_key("bob"), &as_hardware(&old));
    let file = format!("policy.toml={}", office.file("back.toml", &text));
    let arguments = ["policy", "propose", &file, "--bump", "--reason", "Mine now.", "--yes"];
    new_rita.jit(&arguments).refused(3).mentions(&["is or was rita's", "A10"]);
}

/// The same point, called a hardware key.
fn as_hardware(key: &str) -> String {
    use data_encoding::BASE64;
    let blob = BASE64.decode(key.split(' ').nth(1).unwrap().as_bytes()).unwrap();
    let point = &blob[blob.len() - 32..];
    let mut out = Vec::new();
    for part in [b"sk-ssh-ed25519@openssh.com".as_slice(), point, b"ssh:"] {
        out.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        out.extend(part);
    }
    format!("sk-ssh-ed25519@openssh.com {}", BASE64.encode(&out))
}

/// A lock by `name`, written with git and ssh-keygen alone and signed with `key`; its commit.
fn forged(office: &Office, name: &str, key: &str) -> String {
    let desk = office.desk(name);
    desk.jit_anywhere(&["sync", "--ledger", desk.ledger.to_str().unwrap()]).ok();
    // A good event of hers is taken, and everything but the signature's key is as it would be.
    let made = office.desk_with(name, &format!("{key}-2"));
    let head = office.place.head(&made.ledger);
    made.jit(&["policy", "acknowledge", "--reason", "Nothing.", "--yes"]).exits(1);
    assert_eq!(office.place.head(&made.ledger), head);
    let proof = office.proof("frank", "frank");
    let id = made.jit(&adds("frank", FRANK, &proof)).ok().text("id");
    let commit = office.place.head(&office.remote);
    let path = office.place.git(&office.remote, &["ls-tree", "-r", "--name-only", "main"]);
    let path = path
        .lines()
        .find(|line| line.contains(&id) && line.ends_with(".toml") && line.contains("/proposal-"))
        .unwrap()
        .to_owned();
    // The same again with another nonce and time, signed with the old key.
    let text = office.git_show(&path);
    let nonce = text.lines().find(|line| line.starts_with("nonce = ")).unwrap().to_owned();
    let other = if nonce.contains("= \"a") {
        nonce.replacen("= \"a", "= \"b", 1)
    } else {
        format!("nonce = \"a{}", &nonce[10..])
    };
    let text = text.replace(&nonce, &other);
    let digest = {
        use sha2::{Digest as _, Sha256};
        Sha256::digest(text.as_bytes()).to_vec()
    };
    let short = data_encoding::BASE32_NOPAD.encode(&digest).to_lowercase()[..16].to_owned();
    let (folder, _) = path.rsplit_once('/').unwrap();
    let (hour, _) = folder.rsplit_once('/').unwrap();
    let file = office.place.path("forged");
    fs::write(&file, &text).unwrap();
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", "jit-1/proposal", "-f"]).arg(office.place.key(key)).arg(&file);
    office.place.run(command).ok();
    let tree = &made.ledger;
    office.place.git(tree, &["reset", "-q", "--hard", &commit]);
    let new = tree.join(hour).join(&short);
    fs::create_dir_all(&new).unwrap();
    fs::copy(&file, new.join(format!("proposal-{short}.toml"))).unwrap();
    fs::copy(office.place.path("forged.sig"), new.join(format!("proposal-{short}.toml.sig"))).unwrap();
    copy(&tree.join(folder).join("files"), &new.join("files"));
    office.place.git(tree, &["add", "-A", "-f", "ledger"]);
    let time = text.lines().find_map(|line| line.strip_prefix("time = ")).unwrap().to_owned();
    let message =
        format!("proposal {short}: {name}\n\nJit-Event: sha256:{}\n", data_encoding::HEXLOWER.encode(&digest));
    let email = format!("{name}@acme.example");
    let mut command = Command::new("git");
    command.arg("-C").arg(tree).args([
        "-c",
        "commit.gpgSign=false",
        "commit",
        "-q",
        "--cleanup=verbatim",
        "-m",
        &message,
    ]);
    let variables = [
        ("GIT_AUTHOR_NAME", name),
        ("GIT_AUTHOR_EMAIL", &email),
        ("GIT_AUTHOR_DATE", &time),
        ("GIT_COMMITTER_NAME", name),
        ("GIT_COMMITTER_EMAIL", &email),
    ]
    .map(|(name, value)| (name, OsStr::new(value)));
    office.place.run_with(command, &made.home, &variables, b"").ok();
    office.place.git(tree, &["push", "-q", "origin", "main"]);
    office.place.head(&office.remote)
}

fn copy(from: &Path, to: &Path) {
    for file in common::files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}

#[test]
fn keys_of_services_and_hosts_are_exchanged_too() {
    if gone("keys_of_services_and_hosts_are_exchanged_too") {
        return;
    }
    let office = Office::new(1);
    let rita = office.desk("rita");
    for name in ["minter", "db1"] {
        let new = office.place.make_key(&format!("{name}-2"));
        let arguments =
            ["member", "rotate-key", name, "--new", new.to_str().unwrap(), "--reason", "Yearly.", "--enact", "--yes"];
        rita.jit(&arguments).ok();
        let keys = office.member(name).unwrap()["keys"].clone();
        assert_eq!(
            (&keys[0]["fingerprint"], &keys[0]["proven"]),
            (&json!(office.fingerprint(&format!("{name}-2"))), &json!(true))
        );
    }
    let case = office.desk("alice").opens("30m");
    office.desk("bob").approves(&case).ok();
    office.desk("dave").approves(&case).ok();
    office.desk("minter").mints().refused(3).mentions(&["K04"]);
    assert_eq!(office.desk_with("minter", "minter-2").mints().ok().json()["issued"].as_array().unwrap().len(), 1);
    // Another person's key is not proven here, whatever lies on the disk.
    let bob = office.place.make_key("bob-2");
    let arguments = ["member", "rotate-key", "bob", "--new", bob.to_str().unwrap(), "--reason", "New.", "--yes"];
    rita.jit(&arguments).refused(3).mentions(&["no proof of possession", "jit member prove bob"]);
}

#[test]
fn which_key_goes_is_said() {
    if gone("which_key_goes_is_said") {
        return;
    }
    let office = Office::new(1);
    let rita = office.desk("rita");
    let rotates = |more: &[&str]| {
        let proof = more[0];
        let arguments =
            [&["member", "rotate-key", "bob", "--proof", proof, "--reason", "New.", "--enact", "--yes"], &more[1..]];
        rita.jit(&arguments.concat())
    };
    let prints = || -> Vec<String> {
        let keys = office.member("bob").unwrap()["keys"].clone();
        let mut prints: Vec<String> =
            keys.as_array().unwrap().iter().map(|key| key["fingerprint"].as_str().unwrap().to_owned()).collect();
        prints.sort();
        prints
    };
    let expected = |keys: &[&str]| {
        let mut prints: Vec<String> = keys.iter().map(|key| office.fingerprint(key)).collect();
        prints.sort();
        prints
    };
    rotates(&[&office.proof("bob", "b2"), "--keep-old"]).ok();
    assert_eq!(prints(), expected(&["bob", "b2"]));
    let third = office.proof("bob", "b3");
    rotates(&[&third]).refused(2).mentions(&["--old is needed", &office.fingerprint("b2")]);
    rotates(&[&third, "--old", &office.fingerprint("carol")]).refused(3).mentions(&["is no key of bob"]);
    rotates(&[&third, "--old", "all", "--keep-old"]).exits(2);
    rotates(&[&third, "--old", &office.fingerprint("bob")]).ok();
    assert_eq!(prints(), expected(&["b2", "b3"]));
    let file = office.place.path("keys").join("b2.pub");
    rotates(&[&office.proof("bob", "b4"), "--old", file.to_str().unwrap()]).ok();
    assert_eq!(prints(), expected(&["b3", "b4"]));
    rotates(&[&office.proof("bob", "b5"), "--old", "all"]).ok();
    assert_eq!(prints(), expected(&["b5"]));
    // While one proposal waits, whoever makes a second of the same version is told.
    let proof = office.proof("frank", "frank");
    rita.jit(&adds("frank", FRANK, &proof)).ok();
    rita.jit(&adds("frank", FRANK, &proof)).ok().mentions(&["rita has proposed a version", "only one of the two"]);
    // The file of proofs has those of the keys in force, no others.
    assert_eq!(office.git_show("key_proofs").matches("jit-1 enrolment").count(), 1);
    office.is_sound();
}

struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_hardware_key_proves_itself_through_the_agent() {
    const TEST: &str = "a_hardware_key_proves_itself_through_the_agent";
    if absent(TEST, &["git", "ssh-keygen", "ssh-agent", "ssh-add"]) {
        return;
    }
    if !Path::new(SK_DUMMY).exists() {
        return skip(TEST, "sk-dummy.so of openssh-tests is not installed");
    }
    let office = Office::new(1);
    let key = office.place.key("frank-sk");
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519-sk", "-w", SK_DUMMY, "-N", "", "-f"]).arg(&key);
    office.place.run(command).ok();
    let socket = office.place.path("agent");
    let mut command = Command::new("ssh-agent");
    command.args(["-D", "-P", SK_DUMMY, "-a"]).arg(&socket).stdout(Stdio::null()).stderr(Stdio::null());
    let _agent = Agent(command.spawn().unwrap());
    while !socket.exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let home = office.place.path("home");
    let variables = [("SSH_AUTH_SOCK", socket.as_os_str())];
    let mut command = Command::new("ssh-add");
    command.args(["-q", "-S", SK_DUMMY]).arg(&key);
    office.place.run_with(command, &home, &variables, b"").ok();
    let mut command = Command::new(common::JIT);
    command.args(["member", "prove", "frank", "--ledger-id", &office.id, "--yes", "--key"]).arg(&key);
    let said = office.place.run_with(command, &home, &variables, b"").ok();
    let proof = office.file("frank.proof", &said.out);
    let arguments = [&adds("frank", FRANK, &proof)[..], &["--enact"]].concat();
    office.desk("rita").jit(&arguments).ok();
    let frank = office.member("frank").unwrap();
    assert_eq!(
        (&frank["keys"][0]["type"], &frank["keys"][0]["proven"]),
        (&json!("sk-ssh-ed25519@openssh.com"), &json!(true))
    );

    // The same by a key that signs without being touched is no proof: whoever sits at that computer could have made it.
    let key = office.place.key("carol-sk");
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519-sk", "-O", "no-touch-required", "-w", SK_DUMMY, "-N", "", "-f"]).arg(&key);
    office.place.run(command).ok();
    let text =
        format!("jit-1 enrolment\nledger {}\nname carol\nkey {}\n", office.id, office.place.public_key("carol-sk"));
    let file = office.file("carol", &text);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", "jit-1/enrolment", "-f"]).arg(&key).arg(&file);
    office.place.run_with(command, &home, &[("SSH_SK_PROVIDER", OsStr::new(SK_DUMMY))], b"").ok();
    let proof = office.file("proof", &(text + &fs::read_to_string(format!("{file}.sig")).unwrap()));
    let arguments = ["member", "rotate-key", "carol", "--proof", &proof, "--reason", "Hardware.", "--yes"];
    office.desk("rita").jit(&arguments).refused(3).mentions(&["was not touched"]);
}
