//! Roles that demand `mfa = "touch"` or `"touch+pin"`: who signs with which key is decided before anything is signed,
//! and what is pushed all the same is void (K05). `sk-dummy.so` of openssh-tests makes true hardware signatures without a
//! device, with each value of the flags: 0x01 touched, 0x05 touched and PIN given, 0x00 neither.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bank::{Agent, Bank, ROLES, SK_DUMMY, make_sk, missing, print_of, with_flags};
use common::history::History;
use common::server::{self, Sshd};
use common::terminal::Terminal;
use common::{Desk, JIT, Said, absent, login, request};
use serde_json::Value;

#[path = "hardware_keys/bank.rs"]
mod bank;
#[path = "common/harness.rs"]
mod common;

/// A refusal before anything was signed: no key was asked, nothing was appended.
#[track_caller]
fn refused_before(bank: &Bank, run: impl FnOnce() -> Said) -> Said {
    let (head, calls) = (bank.place.head(&bank.ledger), bank.calls());
    let said = run().refused(3).mentions(&["K05"]);
    assert_eq!(bank.place.head(&bank.ledger), head, "{}", said.told());
    assert_eq!(bank.calls(), calls, "ssh-keygen was asked\n{}", said.told());
    assert!(!said.err.contains("Touch your"), "{}", said.told());
    said
}

#[test]
fn each_key_signs_what_its_flags_prove() {
    const TEST: &str = "each_key_signs_what_its_flags_prove";
    if missing(TEST) {
        return;
    }
    let bank = Bank::new();
    for (role, mfa, takes) in ROLES {
        for (key, takes) in bank.keys_of("alice").iter().zip(takes) {
            if !takes {
                let said = refused_before(&bank, || bank.asks("alice", Some(key), None, role));
                // Which of her keys would do is said; they lie in no ~/.ssh here, so none is known.
                assert!(said.err.contains("ssh-keygen -t ed25519-sk") || mfa == "none", "{}", said.told());
                continue;
            }
            let said = bank.asks("alice", Some(key), None, role).ok();
            let print = print_of(&bank, key);
            let is_hardware = !key.ends_with("alice");
            assert_eq!(
                said.err.contains(&format!("Touch your security key now: {} ({print})", key.display())),
                is_hardware,
                "{}",
                said.told()
            );
        }
    }
    // Bob approves for sre, dave for security; each with the key that the role wants.
    for (role, _, takes) in ROLES {
        let case = bank.asks("alice", Some(&bank.place.key("alice-pin")), None, role).ok().text("id");
        let approve = |name: &str, key: &Path| bank.jit(name, Some(key), None, &["approve", &case, "--yes", "--json"]);
        for name in ["bob", "dave"] {
            for (key, _) in bank.keys_of(name).iter().zip(takes).filter(|(_, takes)| !takes) {
                refused_before(&bank, || approve(name, key));
                // A denial is an approver's word as well.
                refused_before(&bank, || {
                    bank.jit(name, Some(key), None, &["deny", &case, "--comment", "No need.", "--yes", "--json"])
                });
            }
        }
        let keys = ["bob", "dave"].map(|name| bank.keys_of(name));
        // The last key that the role takes: for `none` and `touch` the one with a PIN does as well.
        assert_eq!(approve("bob", &keys[0][2]).ok().text("state"), "pending");
        let weakest = takes.iter().position(|takes| *takes).unwrap();
        assert_eq!(approve("dave", &keys[1][weakest]).ok().text("state"), "approved");
        // Other words of a case want no touch.
        bank.jit("alice", Some(&bank.place.key("alice")), None, &["withdraw", &case, "--yes", "--json"]).ok();
    }
    // Of several roles the strictest counts.
    let both: Vec<&str> = std::iter::once("request")
        .chain(["payments-db/read-only", "payments-db/vault"])
        .chain(request("-", "30m", "Payments are stuck.").into_iter().skip(2))
        .collect();
    refused_before(&bank, || bank.jit("alice", Some(&bank.place.key("alice-sk")), None, &both));
    bank.jit("alice", Some(&bank.place.key("alice-pin")), None, &both).ok();
    bank.jit("rita", Some(&bank.place.key("rita")), None, &["verify", "--json"]).ok();
}

/// The agent does not tell what a key was made with: the signature does, and what does not do is not appended.
#[test]
fn through_the_agent_the_signature_decides() {
    const TEST: &str = "through_the_agent_the_signature_decides";
    if missing(TEST) {
        return;
    }
    let bank = Bank::new();
    let keys = bank.keys_of("alice");
    let agent = Agent::start(&bank, &keys);
    // Only the public halves lie there.
    let public = bank.place.path("public");
    fs::create_dir(&public).unwrap();
    let mut files = Vec::new();
    for key in &keys {
        let name = format!("{}.pub", key.file_name().unwrap().to_str().unwrap());
        fs::copy(key.with_file_name(&name), public.join(&name)).unwrap();
        files.push(public.join(&name));
    }
    let calls = bank.calls();
    for (role, _, takes) in ROLES {
        for (file, takes) in files.iter().zip(takes) {
            let head = bank.place.head(&bank.ledger);
            let said = bank.asks("alice", Some(file), Some(&agent.socket), role);
            if takes {
                said.ok();
                assert_ne!(bank.place.head(&bank.ledger), head);
            } else {
                let said = said.refused(3).mentions(&["K05"]);
                assert_eq!(bank.place.head(&bank.ledger), head, "{}", said.told());
            }
        }
    }
    assert_eq!(bank.calls(), calls, "the agent signs, and nobody else");
    // The file beside it tells what the agent does not: refused before.
    refused_before(&bank, || bank.asks("alice", Some(&keys[3]), Some(&agent.socket), "read-only"));
    refused_before(&bank, || {
        bank.asks("alice", Some(&bank.place.path("keys/alice-sk.pub")), Some(&agent.socket), "vault")
    });
    // An agent that refuses (here: it was told to ask first, and can ask nobody): nothing is appended, and the error
    // says what else there is.
    drop(agent);
    fs::remove_file(bank.place.path("agent")).unwrap();
    fs::remove_file(bank.place.path("askpass")).unwrap();
    let agent = Agent::start(&bank, &[PathBuf::from("-c"), keys[2].clone()]);
    let said = bank.asks("alice", Some(&files[2]), Some(&agent.socket), "vault").refused(1);
    said.mentions(&["refused to sign", "PIN", "--key FILE, without .pub"]);
}

/// What is pushed all the same, with plain git and ssh-keygen, is void.
#[test]
fn pushed_by_hand_it_is_void() {
    const TEST: &str = "pushed_by_hand_it_is_void";
    if missing(TEST) {
        return;
    }
    for (role, _, takes) in ROLES {
        let bank = Bank::new();
        let case = bank.asks("alice", Some(&bank.place.key("alice-pin")), None, role).ok().text("id");
        let mut asked = History::read(&bank.place, &bank.ledger);
        bank.jit("bob", Some(&bank.place.key("bob-pin")), None, &["approve", &case, "--yes", "--json"]).ok();
        let mut approved = History::read(&bank.place, &bank.ledger);
        for (name, kind, history) in [("alice", "request", &mut asked), ("bob", "approval", &mut approved)] {
            let position = history.position(kind);
            let mut keys: Vec<(PathBuf, bool)> = bank.keys_of(name).into_iter().zip(takes).collect();
            // The enrolled key with the PIN, used without PIN, without touch, and with a PIN but without touch.
            let strong = keys[2].0.clone();
            keys.extend([(with_flags(&strong, 0x01), takes[1]), (with_flags(&strong, 0x00), false)]);
            keys.push((with_flags(&strong, 0x04), false));
            for (key, takes) in keys {
                bank.sign_by_hand(history, position, kind, &key);
                let json = bank.verdict(history);
                let voids = json["voids"].as_array().unwrap();
                let codes: Vec<&str> = voids.iter().map(|void| void["code"].as_str().unwrap()).collect();
                let wanted: &[&str] = if takes { &[] } else { &["K05"] };
                assert_eq!(codes, wanted, "{role}, {kind}, {}: {json}", key.display());
            }
        }
    }
}

/// The key is chosen where nobody names one: the one that the role wants, and it is said.
#[test]
fn the_key_that_a_role_wants_is_taken() {
    const TEST: &str = "the_key_that_a_role_wants_is_taken";
    if missing(TEST) {
        return;
    }
    let bank = Bank::new();
    let ssh = bank.place.desk("alice", &bank.ledger).home.join(".ssh");
    let bring = |from: &str, to: &str| {
        fs::create_dir_all(&ssh).unwrap();
        for end in ["", ".pub"] {
            let file = bank.place.path("keys").join(format!("{from}{end}"));
            if file.exists() {
                fs::copy(file, ssh.join(format!("{to}{end}"))).unwrap();
            }
        }
    };
    // Only a software key: refused, with what would do.
    bring("alice", "id_ed25519");
    refused_before(&bank, || bank.asks("alice", None, None, "vault")).mentions(&["-O verify-required"]);
    // One that shows touch, under the usual name: taken for touch, never for a PIN.
    bring("alice-sk", "id_ed25519_sk");
    let said =
        bank.asks("alice", None, None, "guarded").ok().mentions(&["Signing with", "id_ed25519_sk", "mfa = touch"]);
    assert!(said.err.contains("Touch your security key now"), "{}", said.told());
    let said = bank.asks("alice", None, None, "read-only").ok();
    assert!(!said.err.contains("Touch your"), "the usual key where nothing more is wanted\n{}", said.told());
    refused_before(&bank, || bank.asks("alice", None, None, "vault"));
    // With --key nothing is chosen, but it is said which one would do.
    let named = ssh.join("id_ed25519");
    refused_before(&bank, || bank.asks("alice", Some(&named), None, "guarded"))
        .mentions(&["Hint: --key", "id_ed25519_sk"]);
    // A third, of any name: for a PIN there is one; for a touch there are two, and nothing is guessed.
    bring("alice-pin", "work");
    bank.asks("alice", None, None, "vault").ok().mentions(&["Signing with", "/.ssh/work", "mfa = touch+pin"]);
    refused_before(&bank, || bank.asks("alice", None, None, "guarded")).mentions(&["id_ed25519_sk; or --key", "work"]);
    // In the agent alone: that one.
    fs::remove_file(ssh.join("work")).unwrap();
    fs::remove_file(ssh.join("work.pub")).unwrap();
    let agent = Agent::start(&bank, &[bank.place.key("alice-pin")]);
    bank.asks("alice", None, Some(&agent.socket), "vault").ok().mentions(&["Signing with", "in ssh-agent"]);
    // The usual key is nobody's, the hardware key is hers: no flag is needed.
    fs::copy(bank.place.key("log"), &named).unwrap();
    fs::copy(bank.place.path("keys/log.pub"), ssh.join("id_ed25519.pub")).unwrap();
    let said = bank.asks("alice", None, None, "read-only").ok();
    assert!(said.err.contains("id_ed25519_sk"), "{}", said.told());
    // No file at all: what the agent holds.
    fs::remove_dir_all(&ssh).unwrap();
    let case = bank.asks("alice", None, Some(&agent.socket), "vault").ok().text("id");
    let status = bank.jit("alice", None, Some(&agent.socket), &["show", &case, "--json"]).ok().json();
    assert_eq!(status["actor"], "alice");
}

#[test]
fn doctor_says_which_key_signs_what() {
    const TEST: &str = "doctor_says_which_key_signs_what";
    if missing(TEST) {
        return;
    }
    let bank = Bank::new();
    let ssh = bank.place.desk("alice", &bank.ledger).home.join(".ssh");
    fs::create_dir_all(&ssh).unwrap();
    for (from, to) in
        [("alice", "id_ed25519"), ("alice-sk", "id_ed25519_sk"), ("alice-lax", "lax"), ("log", "stranger")]
    {
        for end in ["", ".pub"] {
            fs::copy(bank.place.path("keys").join(format!("{from}{end}")), ssh.join(format!("{to}{end}"))).unwrap();
        }
    }
    let signs = |json: &Value, key: &str| -> Vec<(String, String)> {
        let print = print_of(&bank, &bank.place.key(key));
        let keys = json["keys"].as_array().unwrap();
        let key = keys.iter().find(|it| it["fingerprint"] == *print).unwrap_or_else(|| panic!("no {key}: {json}"));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let roles = key["roles"].as_array().unwrap();
        roles.iter().map(|role| (text(&role["role"]).replace("payments-db/", ""), text(&role["signs"]))).collect()
    };
    let pairs = |answers: [&str; 4]| -> Vec<(String, String)> {
        let roles = ["guarded", "operator", "read-only", "vault"];
        roles.iter().zip(answers).map(|(role, answer)| ((*role).to_owned(), answer.to_owned())).collect()
    };
    let json = bank.jit("alice", None, None, &["doctor", "--json"]).ok().json();
    assert_eq!(signs(&json, "alice"), pairs(["no", "yes", "yes", "no"]));
    assert_eq!(signs(&json, "alice-sk"), pairs(["yes", "yes", "yes", "no"]));
    assert_eq!(signs(&json, "alice-lax"), pairs(["no", "no", "no", "no"]));
    assert_eq!(signs(&json, "log"), []);
    let said = bank.jit("alice", None, None, &["doctor"]).ok();
    for words in [
        "none of alice's here can sign for payments-db/vault (mfa = touch+pin)",
        "-O verify-required",
        "no, wants touch: payments-db/guarded",
        "no, made with no-touch-required",
        "the policy does not know it",
    ] {
        assert!(said.out.contains(words), "{words}\n{}", said.told());
    }
    // The agent does not say what its key was made with.
    let agent = Agent::start(&bank, &[bank.place.key("alice-pin")]);
    let json = bank.jit("alice", None, Some(&agent.socket), &["doctor", "--json"]).ok().json();
    assert_eq!(signs(&json, "alice-pin"), pairs(["perhaps", "perhaps", "perhaps", "perhaps"]));
    let warned = json["checks"].as_array().unwrap().iter().any(|check| check["check"] == "keys");
    assert!(!warned, "{json}");
}

/// A ledger of somebody who has but a hardware key, and no policy of their own.
#[test]
fn a_ledger_begins_with_a_hardware_key_alone() {
    const TEST: &str = "a_ledger_begins_with_a_hardware_key_alone";
    if missing(TEST) {
        return;
    }
    let bank = Bank::new();
    let home = bank.place.path("home").join("rita");
    fs::create_dir_all(home.join(".ssh")).unwrap();
    make_sk(&bank.place, &home.join(".ssh/id_ed25519_sk"), &[]);
    let run = |directory: &str, agent: Option<&Path>| {
        let mut command = Command::new(JIT);
        command.current_dir(&home).args([
            "init",
            directory,
            "--name",
            directory,
            "--email",
            "rita@acme.example",
            "--json",
        ]);
        let variables = bank.variables(agent);
        let variables: Vec<(&str, &OsStr)> = variables.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
        bank.place.run_with(command, &home, &variables, b"")
    };
    let said = run("by-file", None).ok().mentions(&["Touch your security key now"]);
    let verified = bank.place.desk("rita", &home.join("by-file")).jit(&["verify", "--json"]).ok().json();
    assert_eq!(verified["ledger"], said.json()["ledger"]);
    // The same with the public half and an agent; and with the agent alone.
    let agent = Agent::start(&bank, &[home.join(".ssh/id_ed25519_sk")]);
    fs::remove_file(home.join(".ssh/id_ed25519_sk")).unwrap();
    run("by-agent", Some(&agent.socket)).ok().mentions(&["Touch your security key now"]);
    fs::remove_file(home.join(".ssh/id_ed25519_sk.pub")).unwrap();
    run("by-agent-alone", Some(&agent.socket)).ok().mentions(&["in ssh-agent"]);
    // One that no touch is asked of signs no genesis.
    make_sk(&bank.place, &home.join(".ssh/id_ed25519_sk"), &["-O", "no-touch-required"]);
    run("lax", None).refused(3).mentions(&["K05"]);
    assert!(!home.join("lax").exists());
}

/// The certificate of a hardware key, judged by `ssh-keygen -L`, and a login with it at a real sshd.
#[test]
fn a_hardware_key_is_certified_and_logs_in() {
    const TEST: &str = "a_hardware_key_is_certified_and_logs_in";
    if missing(TEST) || absent(TEST, &server::PROGRAMS) {
        return;
    }
    let bank = Bank::new();
    let provider = format!("SecurityKeyProvider={SK_DUMMY}");
    for (role, kind, verify) in [("guarded", "sk", false), ("vault", "pin", true)] {
        let key = bank.place.key(&format!("alice-{kind}"));
        let case = bank.asks("alice", Some(&key), None, role).ok().text("id");
        for name in ["bob", "dave"] {
            let key = bank.place.key(&format!("{name}-pin"));
            bank.jit(name, Some(&key), None, &["approve", &case, "--yes", "--json"]).ok();
        }
        bank.place.desk("minter", &bank.ledger).mints().ok();
        let certificate = bank.place.path(&format!("{role}-cert.pub"));
        bank.jit("alice", Some(&key), None, &["credential", &case, "--out", certificate.to_str().unwrap()]).ok();
        let mut command = Command::new("ssh-keygen");
        command.arg("-Lf").arg(&certificate);
        let told = bank.place.run(command).ok().out;
        assert!(told.contains("sk-ssh-ed25519-cert-v01@openssh.com user certificate"), "{told}");
        assert!(told.contains(&format!("ED25519-SK-CERT {}", print_of(&bank, &key))), "{told}");
        assert_eq!(told.lines().any(|line| line.trim() == "verify-required"), verify, "{told}");

        let sshd = Sshd::start(&bank.place, &format!("prod/payments-db/{role}"));
        let opens = |key: &Path| {
            let mut command = Command::new("ssh");
            command.args(["-o", "BatchMode=no", "-o", &provider]).args(sshd.options()).arg("-i").arg(key);
            command.arg("-o").arg(format!("CertificateFile={}", certificate.display()));
            command.arg(format!("{}@127.0.0.1", login())).args(["id", "-un"]);
            let variables = bank.variables(None);
            let variables: Vec<(&str, &OsStr)> =
                variables.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
            let said = bank.place.run_with(command, &bank.place.path("home"), &variables, b"");
            assert_eq!(said.code == 0, said.out.trim() == login(), "{}", said.told());
            (said.code == 0, format!("{}\n{}", said.told(), sshd.log()))
        };
        // sshd demands touch by itself, and the PIN because the certificate says so.
        for (flags, wanted) in [(0x05, true), (0x01, !verify), (0x00, false)] {
            let (opened, told) = opens(&with_flags(&key, flags));
            assert_eq!(opened, wanted, "{role}, flags {flags}: {told}");
        }
        // The same by jit, from the key's file.
        let mut arguments = ["ssh", "-o", "BatchMode=no", "-o", &provider].map(str::to_owned).to_vec();
        arguments.splice(1..1, ["--case".to_owned(), case.clone()]);
        arguments.extend(sshd.options());
        arguments.extend(["127.0.0.1", "id", "-un"].map(str::to_owned));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = bank.jit("alice", Some(&key), None, &arguments);
        assert_eq!((said.code, said.out.trim()), (0, login().as_str()), "{}", said.told());
        drop(sshd);
        fs::remove_dir_all(bank.place.path("sshd")).unwrap();
    }
    // A software key is never certified where a PIN is wanted: sshd ignores verify-required for it.
    let soft = bank.place.path("keys/alice.pub");
    let mut arguments = request("payments-db/vault", "30m", "Payments are stuck.");
    arguments.extend(["--credential-key", soft.to_str().unwrap()]);
    let calls = bank.calls();
    let said = bank.jit("alice", Some(&bank.place.key("alice-pin")), None, &arguments).refused(3);
    assert_eq!(bank.calls(), calls);
    said.mentions(&["A02", "touch+pin", "--credential-key"]);
}

/// At a terminal: jit says which key waits, ssh-keygen asks for the PIN, and the approval stands.
#[test]
fn at_a_terminal_the_pin_is_asked_for() {
    const TEST: &str = "at_a_terminal_the_pin_is_asked_for";
    if missing(TEST) || absent(TEST, &["tmux"]) {
        return;
    }
    let bank = Bank::new();
    let case = bank.asks("alice", Some(&bank.place.key("alice-pin")), None, "vault").ok().text("id");
    let bob: Desk<'_> = bank.place.desk("bob", &bank.ledger);
    // Also where an agent holds the key: it could not ask.
    let agent = Agent::start(&bank, &[bank.place.key("bob-pin")]);
    let socket = agent.socket.display().to_string();
    let variables = [("SSH_SK_PROVIDER", SK_DUMMY), ("SSH_AUTH_SOCK", &socket)];
    let terminal = Terminal::open(&bank.place, &bob.home, &bob.home, &variables);
    terminal.types(&format!(
        "jit --ledger {} --key {} approve {case} --yes",
        bank.ledger.display(),
        bank.place.key("bob-pin").display()
    ));
    terminal.presses("Enter");
    let screen = terminal.wait_for("the PIN", |screen| screen.contains("Enter PIN for ED25519-SK key"));
    assert!(screen.contains("Touch your security key now"), "{screen}");
    terminal.types("1234");
    terminal.presses("Enter");
    let screen = terminal.wait_for("the approval", |screen| screen.contains(&format!("Approved {case}")));
    assert!(screen.contains("Confirm user presence for key ED25519-SK"), "{screen}");
    assert!(!screen.contains("1234"), "{screen}");
}
