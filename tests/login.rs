//! From an empty HOME to a login on a real sshd with a certificate that two people approved, and to the refusal of the
//! same login when its end has passed. What the ledger says then is checked with `ssh-keygen` and `git` alone.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::server::{self, Sshd};
use common::{Desk, Place, Said, absent, login, now, seconds, wait_past};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

#[path = "common/harness.rs"]
mod common;

/// What the certificate of a grant for the role opens.
const PRINCIPAL: &str = "prod/payments-db/read-only";

/// The remote command and what it prints.
fn remote_prints_login(said: &Said) {
    assert_eq!(said.code, 0, "{}", said.told());
    assert_eq!(said.out.trim(), login(), "{}", said.told());
}

/// The arguments of `jit ssh` with ssh's own options passed on.
fn jit_ssh(server: &Sshd) -> Vec<String> {
    let mut arguments = vec!["ssh".to_owned()];
    arguments.extend(server.options());
    arguments.extend(["127.0.0.1", "id", "-un"].map(str::to_owned));
    arguments
}

fn jit_with(desk: &Desk<'_>, arguments: &[String]) -> Said {
    desk.jit(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn two_approve_then_one_logs_in_until_the_end() {
    const TEST: &str = "two_approve_then_one_logs_in_until_the_end";
    if absent(TEST, &server::PROGRAMS) {
        return;
    }
    let place = Place::new();
    let server = Sshd::start(&place, PRINCIPAL);
    let (ledger, id) = place.ledger("ledger", false);
    let [alice, bob, dave, minter] = ["alice", "bob", "dave", "minter"].map(|name| place.desk(name, &ledger));
    let key = place.key("alice");

    // Without a case there is nothing to log in with.
    assert_ne!(server.ssh(&place, &login(), &key, None, &["id", "-un"]).code, 0, "the bare key opens nothing");

    let case = alice.opens("15s");
    yields_nothing(&place, &alice, &minter, &case);
    let said = bob.approves(&case).ok();
    assert_eq!(said.text("state"), "pending", "{}", said.told());
    yields_nothing(&place, &alice, &minter, &case);
    let said = dave.approves(&case).ok();
    assert_eq!(said.text("state"), "approved", "{}", said.told());
    let approvers: Vec<Value> =
        said.json()["approvals"].as_array().unwrap().iter().map(|it| it["actor"].clone()).collect();
    assert_eq!(approvers, ["bob", "dave"], "{}", said.told());

    let said = minter.mints().ok();
    let issued = said.json()["issued"].clone();
    assert_eq!(issued.as_array().map(Vec::len), Some(1), "{}", said.told());
    assert_eq!(issued[0]["id"], *case, "{}", said.told());
    assert_eq!(issued[0]["state"], "live", "{}", said.told());
    assert_eq!(issued[0]["serials"], serde_json::json!([1]), "{}", said.told());
    let ends = seconds(&issued[0]["ends"]);
    assert_eq!(ends - seconds(&issued[0]["starts"]), 15, "{}", said.told());

    let certificate = place.path("case-cert.pub");
    alice.jit(&["credential", &case, "--out", certificate.to_str().unwrap()]).ok();
    let by_ssh = server.ssh(&place, &login(), &key, Some(&certificate), &["id", "-un"]);
    let by_jit = jit_with(&alice, &jit_ssh(&server));
    assert!(now() < ends, "this machine is too slow: the case ended before both logins were tried");
    remote_prints_login(&by_ssh);
    remote_prints_login(&by_jit);
    passes_the_code_on(&alice, &server, ends);

    says_exactly_the_grant(&place, &certificate, &alice.sees(&case));
    is_a_story(&place, &ledger, &case);
    everything_is_signed(&place, &ledger);
    verifies(&alice, &id, 5);

    wait_past(ends);
    let before = server.log().len();
    let by_ssh = server.ssh(&place, &login(), &key, Some(&certificate), &["id", "-un"]);
    assert_eq!(by_ssh.code, 255, "{}", by_ssh.told());
    assert_eq!(by_ssh.out, "", "{}", by_ssh.told());
    assert!(by_ssh.err.contains("Permission denied"), "{}", by_ssh.told());
    let log = server.log();
    assert!(log[before..].contains("Certificate invalid: expired"), "sshd says why:\n{}", &log[before..]);
    let by_jit = jit_with(&alice, &jit_ssh(&server));
    assert_ne!(by_jit.code, 0, "{}", by_jit.told());
    assert!(!by_jit.out.contains(&login()), "{}", by_jit.told());
    let after = alice.sees(&case);
    assert!(["expired", "ended", "review due"].iter().any(|state| after["state"] == *state), "{after}");
    // Nothing is minted again for a case that ended.
    let said = minter.mints().ok();
    assert_eq!(said.json()["issued"], serde_json::json!([]), "{}", said.told());
    place.is_sound(&ledger);
}

/// A case that is not approved gets nothing from the minter, and gives nothing to its requester.
fn yields_nothing(place: &Place, alice: &Desk<'_>, minter: &Desk<'_>, case: &str) {
    let head = place.head(&alice.ledger);
    let said = minter.mints().ok();
    assert_eq!(said.json()["issued"], serde_json::json!([]), "{}", said.told());
    assert_eq!(place.head(&alice.ledger), head, "nothing was written");
    let file = place.path("none");
    let said = alice.jit(&["credential", case, "--out", file.to_str().unwrap()]);
    assert_ne!(said.code, 0, "{}", said.told());
    assert!(said.err.contains("Error:"), "{}", said.told());
    assert!(!said.out.contains("cert-v01"), "{}", said.told());
    assert!(!file.exists());
    let said = alice.jit(&["show", case, "--json"]).ok();
    assert_eq!(said.json()["serials"], serde_json::json!([]), "{}", said.told());
    assert!(place.events(&alice.ledger).iter().all(|path| !path.contains("/issuance-")));
}

/// What the remote command exits with is what `jit ssh` exits with.
fn passes_the_code_on(alice: &Desk<'_>, server: &Sshd, ends: u64) {
    let mut arguments = jit_ssh(server);
    arguments.truncate(arguments.len() - 2);
    arguments.extend(["exit", "37"].map(str::to_owned));
    let said = jit_with(alice, &arguments);
    if now() < ends {
        assert_eq!(said.code, 37, "{}", said.told());
    }
}

/// The certificate as the real `ssh-keygen` reads it.
fn says_exactly_the_grant(place: &Place, certificate: &Path, case: &Value) {
    let mut command = Command::new("ssh-keygen");
    command.arg("-L").arg("-f").arg(certificate);
    let said = place.run(command).ok();
    let fingerprint = |name: &str| {
        let mut command = Command::new("ssh-keygen");
        command.arg("-l").arg("-f").arg(place.key(name).with_extension("pub"));
        place.run(command).ok().out.split(' ').nth(1).unwrap().to_owned()
    };
    let id = case["id"].as_str().unwrap();
    let long = case["case"].as_str().unwrap();
    let lines: Vec<&str> = said.out.lines().map(str::trim).collect();
    let field = |name: &str| {
        let at = lines.iter().position(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{}", said.told()));
        (lines[at].to_owned(), lines[at + 1..].to_owned())
    };
    assert!(lines.contains(&"Type: ssh-ed25519-cert-v01@openssh.com user certificate"), "{}", said.told());
    assert!(field("Public key:").0.ends_with(&fingerprint("alice")), "{}", said.told());
    assert!(field("Signing CA:").0.contains(&fingerprint("ca-prod")), "{}", said.told());
    let key_id = field("Key ID:").0;
    assert!(
        key_id == format!("Key ID: \"jit:{id}:alice\"") || key_id == format!("Key ID: \"jit:{long}:alice\""),
        "{}",
        said.told()
    );
    assert_eq!(field("Serial:").0, "Serial: 1");
    assert_eq!(field("Principals:").1[0], PRINCIPAL, "{}", said.told());
    assert!(field("Principals:").1[1].starts_with("Critical Options:"), "one principal\n{}", said.told());
    assert_eq!(field("Critical Options:").1[0], "source-address 127.0.0.0/8", "{}", said.told());
    assert!(field("Critical Options:").1[1].starts_with("Extensions:"), "one option\n{}", said.told());
    assert_eq!(field("Extensions:").1, ["permit-pty"], "{}", said.told());
    let ends = case["ends"].as_str().unwrap().trim_end_matches('Z');
    assert!(field("Valid:").0.ends_with(&format!("to {ends}")), "{}", said.told());
}

/// `git log` reads like a story, and each commit names its event.
fn is_a_story(place: &Place, ledger: &Path, case: &str) {
    let genesis = place.events(ledger).iter().find(|path| path.contains("/genesis-")).unwrap().clone();
    let genesis = genesis.split('/').nth(5).unwrap().to_owned();
    let log = place.git(ledger, &["log", "--reverse", "--format=%an <%ae> %s", common::BRANCH]);
    let told: Vec<&str> = log.lines().collect();
    let expected = [
        format!("rita <rita@acme.example> genesis {genesis}: rita"),
        format!("alice <alice@acme.example> request {case}: alice asks payments-db/read-only for 15s"),
        format!("bob <bob@acme.example> approval {case}: bob"),
        format!("dave <dave@acme.example> approval {case}: dave"),
        format!("minter <minter@acme.example> issuance {case}: minter"),
    ];
    assert_eq!(told, expected);
    for commit in place.commits(ledger) {
        let range = ["diff-tree", "--root", "--no-commit-id", "--name-only", "-r", &commit];
        let names = place.git(ledger, &range);
        let event = names.lines().find(|name| name.starts_with("ledger/") && name.ends_with(".toml")).unwrap();
        let trailer = place.git(ledger, &["log", "-1", "--format=%(trailers:key=Jit-Event,valueonly)", &commit]);
        let bytes = blob(place, ledger, event);
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(trailer.trim(), format!("sha256:{digest}"), "{event}");
        let text = String::from_utf8(bytes).unwrap();
        let date = place.git(ledger, &["log", "-1", "--format=%ad", "--date=format:%Y-%m-%dT%H:%M:%SZ", &commit]);
        assert!(text.contains(&format!("\ntime = {date}\n")), "{date} is not the time of\n{text}");
    }
}

fn blob(place: &Place, ledger: &Path, path: &str) -> Vec<u8> {
    place.git_says(ledger, &["cat-file", "blob", &format!("{}:{path}", common::BRANCH)]).ok().out.into_bytes()
}

/// `ssh-keygen -Y verify` says Good for every signature file, with the `allowed_signers` of the ledger.
fn everything_is_signed(place: &Place, ledger: &Path) {
    let signers = place.path("allowed_signers");
    fs::write(&signers, blob(place, ledger, "allowed_signers")).unwrap();
    let events = place.events(ledger);
    let names = place.git(ledger, &["ls-tree", "-r", "--name-only", common::BRANCH, "ledger/"]);
    let signatures: Vec<&str> = names.lines().filter(|name| name.ends_with(".sig")).collect();
    assert_eq!(signatures.len(), events.len(), "each event is signed");
    assert_eq!(signatures.len(), place.commits(ledger).len(), "each commit is an event");
    for path in signatures {
        let event = blob(place, ledger, path.strip_suffix(".sig").unwrap());
        let text = String::from_utf8(event.clone()).unwrap();
        let said = |field: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{field} = "))).unwrap();
            line.trim_matches('"').to_owned()
        };
        let signature: PathBuf = place.path("event.sig");
        fs::write(&signature, blob(place, ledger, path)).unwrap();
        let good = |namespace: &str| {
            let mut command = Command::new("ssh-keygen");
            command.args(["-Y", "verify", "-n", namespace, "-I", &said("actor"), "-f"]).arg(&signers);
            command.arg("-s").arg(&signature);
            place.run_with(command, &place.path("home"), &[], &event)
        };
        let verdict = good(&format!("jit-1/{}", said("kind"))).ok();
        assert!(verdict.out.starts_with("Good "), "{path}: {}", verdict.told());
        assert_ne!(good("jit-1/denial").code, 0, "{path} is worth nothing as a denial");
    }
}

/// `jit verify` says the same.
fn verifies(desk: &Desk<'_>, ledger: &str, size: u64) {
    let said = desk.jit(&["verify", "--json"]).ok();
    let json = said.json();
    assert_eq!(json["ok"], true, "{}", said.told());
    assert_eq!(json["ledger"], *ledger, "{}", said.told());
    assert_eq!(json["size"], size, "{}", said.told());
    assert_eq!(json["voids"], serde_json::json!([]), "{}", said.told());
}

#[test]
fn the_end_of_one_grant_is_not_the_end_of_another() {
    const TEST: &str = "the_end_of_one_grant_is_not_the_end_of_another";
    if absent(TEST, &server::PROGRAMS) {
        return;
    }
    let place = Place::new();
    let server = Sshd::start(&place, PRINCIPAL);
    let (ledger, _) = place.ledger("ledger.git", true);
    let [alice, bob, dave, minter] = ["alice", "bob", "dave", "minter"].map(|name| place.desk(name, &ledger));
    let cases = [alice.opens("30m"), alice.opens("1h")];
    for case in &cases {
        bob.approves(case).ok();
        dave.approves(case).ok();
    }
    let said = minter.mints().ok();
    assert_eq!(said.json()["issued"].as_array().map(Vec::len), Some(2), "{}", said.told());
    let said = alice.jit(&["close", &cases[0], "--summary", "The queue was read.", "--yes", "--json"]).ok();
    assert!(said.text("state").starts_with("ended") || said.text("state").contains("review"), "{}", said.told());
    let said = alice.jit(&["show", &cases[1], "--json"]).ok();
    assert_eq!(said.text("state"), "live", "{}", said.told());
    let certificate = place.path("second-cert.pub");
    alice.jit(&["credential", &cases[1], "--out", certificate.to_str().unwrap()]).ok();
    remote_prints_login(&server.ssh(&place, &login(), &place.key("alice"), Some(&certificate), &["id", "-un"]));
    // The certificate is of use to nobody else.
    let said = server.ssh(&place, &login(), &place.key("carol"), Some(&certificate), &["id", "-un"]);
    assert_eq!(said.code, 255, "{}", said.told());
    // A revoked one is no longer handed out.
    let said = dave.jit(&["revoke", &cases[1], "--reason", "No longer needed.", "--yes", "--json"]).ok();
    assert_ne!(said.text("state"), "live", "{}", said.told());
    let said = alice.jit(&["credential", &cases[1]]);
    assert_ne!(said.code, 0, "a revoked case gives no credential\n{}", said.told());
    place.is_sound(&ledger);
}
