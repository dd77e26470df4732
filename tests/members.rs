//! People come, go and change their keys from the command line: real keys, real git, three roots of whom two must agree
//! where it matters. A new key is proven by its holder; who leaves takes nothing along; an old key never comes back for
//! somebody else.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::process::Command;

use common::terminal::{Answer, Terminal};
use common::{absent, executable::executable};
use jit::git::GitStore;
use jit::issue::krl;
use jit::ledger::Replay;
use jit::ports::Store as _;
use office::{FRANK, Office, adds, changed, gone};
use serde_json::json;

#[path = "common/harness.rs"]
mod common;

#[path = "members/keys.rs"]
mod keys;
#[path = "members/office.rs"]
mod office;

#[test]
fn a_new_member_proves_a_key_is_approved_and_asks() {
    if gone("a_new_member_proves_a_key_is_approved_and_asks") {
        return;
    }
    let office = Office::new(2);
    let before = office.git_show("policy.toml");
    let proof = office.proof("frank", "frank");
    let said = office.desk("rita").jit(&adds("frank", FRANK, &proof)).ok();
    let id = said.text("id");
    assert_eq!(said.json()["state"], "pending", "{}", said.told());
    assert_eq!(said.json()["files"], json!(["allowed_signers", "key_proofs", "policy.toml"]));
    // Not yet: frank is nobody.
    office.desk("frank").asks("30m").refused(3).mentions(&["K04"]);
    // What the second root sees before he agrees.
    let shown = office.desk("erin").jit(&["show", &id]).ok().out;
    let print = office.fingerprint("frank");
    for part in [
        &format!("proven    frank: the key {print}: its holder signed for it"),
        "+ [member.frank]",
        "frank joins the team.",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    office.passes(&id, "alice");

    // The policy has four lines more and the next version; every comment is where it was.
    let after = office.git_show("policy.toml");
    let key = office.place.public_key("frank");
    assert_eq!(
        changed(&before, &after),
        [
            "-version = 1   # counts up".to_owned(),
            "+version = 2   # counts up".to_owned(),
            "+[member.frank]".to_owned(),
            format!("+email = \"{FRANK}\""),
            "+groups = [\"developers\", \"sre\"]".to_owned(),
            format!("+keys = [\"{key}\"]"),
        ]
    );
    assert_eq!(after.lines().count(), before.lines().count() + 5);
    assert!(office.git_show("allowed_signers").contains(&format!("frank namespaces=\"jit-1/*\" {key}")));
    let case = office.desk("frank").opens("30m");
    // alice may approve nothing, frank not his own; another case he may, as he is in sre.
    office.desk("frank").approves(&case).refused(3).mentions(&["A03"]);
    let other = office.desk("alice").opens("30m");
    office.desk("frank").approves(&other).ok();
    let frank = office.member("frank").unwrap();
    assert_eq!(frank["groups"], json!(["developers", "sre"]));
    assert_eq!(frank["keys"][0]["proven"], true);
    assert_eq!(frank["keys"][0]["fingerprint"], *print);
    assert_eq!(frank["last"]["kind"], "approval");
    assert_eq!(office.member("bob").unwrap()["keys"][0]["proven"], false, "the genesis proves the root's key alone");
    office.is_sound();

    // Years later, without jit: the proof lies in the ledger and speaks for itself.
    let proofs = office.git_show("key_proofs");
    let (text, signature) = proofs.split_at(proofs.find("-----BEGIN").unwrap());
    assert_eq!(text, format!("jit-1 enrolment\nledger {}\nname frank\nkey {key}\n", office.id));
    let signature = office.file("frank.sig", signature);
    let signers = office.file("signers", &office.git_show("allowed_signers"));
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "verify", "-f", &signers, "-I", "frank", "-n", "jit-1/enrolment", "-s", &signature]);
    let said = office.place.run_with(command, &office.place.path("home"), &[], text.as_bytes()).ok();
    assert!(said.out.contains("Good"), "{}", said.told());

    office.desk("rita").jit(&adds("frank", FRANK, &proof)).refused(3).mentions(&["named frank already", "rotate-key"]);
}

/// `ssh-keygen` alone makes the same proof, so nobody has to trust this program with a new key.
#[test]
fn plain_ssh_keygen_makes_a_proof() {
    if gone("plain_ssh_keygen_makes_a_proof") {
        return;
    }
    let office = Office::new(1);
    let text = format!("jit-1 enrolment\nledger {}\nname frank\nkey {}\n", office.id, office.place.public_key("frank"));
    let file = office.file("frank", &text);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", "jit-1/enrolment", "-f"]).arg(office.place.key("frank")).arg(&file);
    office.place.run(command).ok();
    let proof = office.file("proof", &(text + &fs::read_to_string(format!("{file}.sig")).unwrap()));
    assert_eq!(proof_text(&proof), proof_text(&office.proof("frank", "frank")), "Ed25519 signs the same twice");
    let mut arguments = adds("frank", FRANK, &proof);
    arguments.push("--enact");
    assert_eq!(office.desk("rita").jit(&arguments).ok().json()["state"], "enacted");
    office.desk("frank").opens("30m");
}

fn proof_text(file: &str) -> String {
    fs::read_to_string(file).unwrap()
}

#[test]
fn what_is_no_proof_is_refused_each_with_its_reason() {
    if gone("what_is_no_proof_is_refused_each_with_its_reason") {
        return;
    }
    let office = Office::new(1);
    let rita = office.desk("rita");
    let good = proof_text(&office.proof("frank", "frank"));
    let commits = office.place.commits(&office.remote).len();

    // None at all: the words that frank has to type are there.
    let arguments = ["member", "add", "frank", "--email", FRANK, "--reason", "He joins.", "--yes"];
    rita.jit(&arguments).refused(2).mentions(&["--proof is needed", "jit member prove frank --ledger-id", &office.id]);
    let public = office.place.path("keys").join("frank.pub");
    let arguments = [&arguments[..], &["--new", public.to_str().unwrap()]].concat();
    rita.jit(&arguments).refused(3).mentions(&["no proof of possession", "nobody has shown that frank holds it"]);

    let other_ledger = format!("sha256:{}", "0".repeat(64));
    let other_ledger = proof_text(&office.proof_for("frank", "frank", &other_ledger));
    let other_name = proof_text(&office.proof("carol-2", "frank"));
    let key = office.place.public_key("frank");
    // Somebody else's key in the text, frank's under it.
    let stranger = office.place.public_key("log");
    let other_key = good.replace(&key, &stranger);
    let at = good.rfind("\n-----END").unwrap() - 12;
    let flipped = |at: usize| {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let event_namespace = {
        let text = &good[..good.find("-----BEGIN").unwrap()];
        let file = office.file("as-event", text);
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-Y", "sign", "-n", "jit-1/approval", "-f"]).arg(office.place.key("frank")).arg(&file);
        office.place.run(command).ok();
        text.to_owned() + &fs::read_to_string(format!("{file}.sig")).unwrap()
    };
    for (what, text, says) in [
        ("ledger", other_ledger, "for another ledger"),
        ("name", other_name, "it is for carol-2, not for frank"),
        ("key", other_key, "was signed by SHA256:"),
        ("flipped", flipped(at), "does not verify"),
        ("armor", flipped(good.find("-----BEGIN").unwrap() + 3), "does not begin with the line"),
        ("namespace", event_namespace, "namespace \"jit-1/approval\""),
        ("title", good.replacen("enrolment", "enrolmenT", 1), "four lines of a proof"),
        ("crlf", good.replacen('\n', "\r\n", 1), "four lines of a proof"),
        ("more", format!("{good}\n"), "does not end with the line"),
        ("empty", String::new(), "four lines of a proof"),
        ("large", good.repeat(20), "at most 8192"),
    ] {
        let proof = office.file(&format!("{what}.proof"), &text);
        rita.jit(&adds("frank", FRANK, &proof)).refused(3).mentions(&["is no proof that frank holds a key", says]);
    }
    // The key that was told by another way is not the proof's.
    let proof = office.file("good.proof", &good);
    let bob = office.place.path("keys").join("bob.pub");
    let arguments = [&adds("frank", FRANK, &proof)[..], &["--new", bob.to_str().unwrap()]].concat();
    rita.jit(&arguments).refused(3).mentions(&["no proof of possession"]);
    let arguments = [&adds("frank", FRANK, &proof)[..], &["--proof", &proof]].concat();
    rita.jit(&arguments).refused(3).mentions(&["is given twice", "A10"]);
    let arguments = adds("frank", "no address", &proof);
    rita.jit(&arguments).refused(3).mentions(&["unsound", "policy.toml:"]);
    assert_eq!(office.place.commits(&office.remote).len(), commits, "nothing was appended");
    rita.jit(&adds("frank", FRANK, &proof)).ok();
}

#[test]
fn a_key_put_in_by_hand_is_shown_as_unproven() {
    if gone("a_key_put_in_by_hand_is_shown_as_unproven") {
        return;
    }
    let office = Office::new(2);
    let rita = office.desk("rita");
    let new = office.place.make_key("bob-2");
    assert!(new.exists());
    let text =
        office.git_show("policy.toml").replace(&office.place.public_key("bob"), &office.place.public_key("bob-2"));
    let file = format!("policy.toml={}", office.file("by-hand.toml", &text));
    let said = rita.jit(&["policy", "propose", &file, "--bump", "--reason", "bob has a new key.", "--yes"]).ok();
    let line = format!("UNPROVEN  bob: the key {}: there is no proof of possession", office.fingerprint("bob-2"));
    let id = said.out.split_whitespace().nth(1).unwrap().trim_end_matches(':').to_owned();
    let shown = office.desk("erin").jit(&["show", &id]).ok().out;
    assert!(shown.contains(&line), "{shown}");
    // A proof for somebody else under his name is none.
    let proof = office.file("wrong", &proof_text(&office.proof("carol", "bob-2")));
    let proofs = format!("key_proofs={proof}");
    let arguments = ["policy", "propose", &file, &proofs, "--bump", "--reason", "bob.", "--yes", "--json"];
    let id = rita.jit(&arguments).ok().text("id");
    let shown = office.desk("erin").jit(&["show", &id]).ok().out;
    assert!(shown.contains("UNPROVEN  bob"), "{shown}");
    assert!(shown.contains("its proof does not hold: it is for carol, not for bob"), "{shown}");
}

#[test]
fn one_key_is_one_person_and_two_keys_are_one_vote() {
    if gone("one_key_is_one_person_and_two_keys_are_one_vote") {
        return;
    }
    let office = Office::with(2, |text| {
        text.replacen("\"sre\", count = 1", "\"sre\", count = 2", 2)
            .replace("groups = [\"security\"]", "groups = [\"security\", \"sre\"]")
    });
    let rita = office.desk("rita");
    // bob's key for frank; the minter's; the log's.
    for (key, says) in [("bob", "is bob's: it can never be frank's"), ("minter", "is minter's"), ("log", "two owners")]
    {
        let proof = office.proof("frank", key);
        rita.jit(&adds("frank", FRANK, &proof)).refused(3).mentions(&[says, "A10"]);
    }
    // The same key of bob once more.
    let proof = office.proof("bob", "bob");
    let arguments = ["member", "rotate-key", "bob", "--proof", &proof, "--keep-old", "--reason", "Twice.", "--yes"];
    rita.jit(&arguments).refused(3).mentions(&["is a key of bob already", "one vote", "A10"]);
    // By hand it is refused as well.
    let bob = office.place.public_key("bob");
    let twice = office.git_show("policy.toml").replace(&format!("[\"{bob}\"]"), &format!("[\"{bob}\", \"{bob}\"]"));
    let file = format!("policy.toml={}", office.file("twice.toml", &twice));
    rita.jit(&["policy", "propose", &file, "--bump", "--reason", "Twice.", "--yes"])
        .refused(3)
        .mentions(&["policy.toml:"]);

    // A second key for bob: both sign, and count once.
    let proof = office.proof("bob", "bob-2");
    let arguments =
        ["member", "rotate-key", "bob", "--proof", &proof, "--keep-old", "--reason", "At home.", "--yes", "--json"];
    let id = rita.jit(&arguments).ok().text("id");
    office.passes(&id, "rita");
    assert_eq!(office.member("bob").unwrap()["keys"].as_array().unwrap().len(), 2);
    let case = office.desk("alice").opens("30m");
    office.desk("bob").approves(&case).ok();
    office.desk_with("bob", "bob-2").approves(&case).refused(3).mentions(&["A03"]);
    let seen = office.desk("alice").sees(&case);
    assert_eq!((&seen["state"], &seen["waiting_on"][0]["count"]), (&json!("pending"), &json!(1)), "{seen:#}");
    // The same for a root: rita's two keys are not two roots.
    let proof = office.proof("rita", "rita-2");
    let arguments =
        ["member", "rotate-key", "rita", "--proof", &proof, "--keep-old", "--reason", "At home.", "--yes", "--json"];
    let id = rita.jit(&arguments).ok().text("id");
    office.passes(&id, "rita");
    let proof = office.proof("frank", "frank");
    let id = rita.jit(&adds("frank", FRANK, &proof)).ok().text("id");
    office.desk_with("rita", "rita-2").approves(&id).refused(3).mentions(&["A03"]);
    office.desk_with("rita", "rita-2").jit(&["policy", "enact", &id, "--yes"]).refused(3).mentions(&["A11"]);
    office.is_sound();
}

#[test]
fn who_left_the_group_before_issuance_does_not_count() {
    if gone("who_left_the_group_before_issuance_does_not_count") {
        return;
    }
    let office = Office::new(2);
    let alice = office.desk("alice");
    let case = alice.opens("30m");
    office.desk("bob").approves(&case).ok();
    office.desk("dave").approves(&case).ok();
    assert_eq!(alice.sees(&case)["state"], "approved");
    let said =
        office.desk("rita").jit(&["member", "remove", "bob", "--reason", "bob has left.", "--yes", "--json"]).ok();
    assert_eq!(said.json()["leaving"], json!([{ "member": "bob", "live": [], "open": [], "approvals": [case] }]));
    let id = said.text("id");
    let said = office.passes(&id, "alice");
    assert!(!said.err.contains("revocation"), "{}", said.told());
    let seen = alice.sees(&case);
    assert_eq!(seen["state"], "pending", "{seen:#}");
    assert_eq!(seen["waiting_on"][0]["members"], json!(["carol"]));
    assert_eq!(office.desk("minter").mints().ok().json()["issued"], json!([]));
    office.desk("carol").approves(&case).ok();
    assert_eq!(office.desk("minter").mints().ok().json()["issued"].as_array().unwrap().len(), 1);
}

/// Somebody else may ask too, so that the policy is sound without alice.
fn without_alice(text: String) -> String {
    text.replacen("groups = [\"sre\"]", "groups = [\"sre\", \"developers\", \"on-call\"]", 2)
}

#[test]
fn removal_ends_what_is_live_and_says_so() {
    if gone("removal_ends_what_is_live_and_says_so") {
        return;
    }
    let office = Office::with(2, without_alice);
    let before = office.git_show("policy.toml");
    let live = [office.live("30m"), office.live("1h")];
    let open = office.desk("alice").opens("15m");
    let rita = office.desk("rita");
    let said = rita.jit(&["member", "remove", "alice", "--reason", "alice has left.", "--yes"]).ok();
    let id = said.out.split_whitespace().nth(1).unwrap().trim_end_matches(':').to_owned();
    let said = said.mentions(&["stays in until this is enacted", "jit lock member:alice"]);
    assert!(!said.err.contains(&format!("jit revoke {}", live[0])), "rita may not revoke\n{}", said.told());
    // The plan, as the next root reads it.
    let shown = office.desk("erin").jit(&["show", &id]).ok().out;
    for part in [
        "alice leaves. What ends with the enactment:".to_owned(),
        format!("grant     {}", live[0]),
        format!("grant     {}", live[1]),
        format!("request   {open}"),
        "signs the revocations, if they may revoke: security (dave, erin), sre (bob, carol), service minter".to_owned(),
    ] {
        assert!(shown.contains(&part), "{part:?} is not in\n{shown}");
    }
    let state = |case: &str| office.desk("dave").sees(case)["state"].clone();
    assert_eq!(state(&live[0]), "live", "nothing ends before the enactment");
    assert_eq!(revoked(&office, &live), [false, false]);

    // Whoever enacts and may revoke signs the revocations in the same run, all in one push.
    office.desk("erin").approves(&id).ok();
    let commits = office.place.commits(&office.remote).len();
    let said = office.desk("dave").jit(&["policy", "enact", &id, "--yes"]).ok();
    for case in live.iter().chain([&open]) {
        assert!(said.err.contains(&format!("Revoked {case}: alice is no member any more.")), "{}", said.told());
        let seen = office.desk("dave").sees(case);
        assert_eq!(seen["ended"]["by"], "revoked", "{seen:#}");
        assert!(!matches!(seen["state"].as_str(), Some("live" | "pending" | "approved")), "{seen:#}");
        let last = seen["events"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["kind"], &last["actor"]), (&json!("revocation"), &json!("dave")));
        assert_eq!(last["words"], "alice left the policy with version 2.");
    }
    assert_eq!(office.place.commits(&office.remote).len(), commits + 4, "an enactment and three revocations");
    assert_eq!(
        changed(&before, &office.git_show("policy.toml"))[..3],
        ["-version = 1   # counts up", "-# alice is on call in May", "-[member.alice]"]
    );
    assert!(office.git_show("policy.toml").contains("# Everybody who works here.\n"));

    // Nothing is open for her any more, by any path.
    assert_eq!(office.desk("minter").mints().ok().json()["issued"], json!([]));
    office.desk("alice").asks("15m").refused(3).mentions(&["K04"]);
    office.desk("bob").approves(&open).refused(3).mentions(&["A03"]);
    assert_eq!(office.member("alice"), None);
    let verified = office.desk("dave").jit(&["verify", "--json"]).ok().json();
    assert_eq!(verified["voids"], json!([]));
    assert_eq!(revoked(&office, &live), [true, true]);
    office.is_sound();

    // Her name is told when it comes back, and her key can be nobody else's.
    let proof = office.proof("frank", "alice");
    rita.jit(&adds("frank", FRANK, &proof)).refused(3).mentions(&["was alice's: it can never be frank's", "A10"]);
    let proof = office.proof("alice", "alice");
    let said = rita.jit(&adds("alice", "alice@acme.example", &proof)).ok();
    let id = said.text("id");
    said.mentions(&["was in this ledger before"]);
    office.passes(&id, "rita");
    // Were there no revocations, her certificates would open again with her return.
    assert_eq!(revoked(&office, &live), [true, true]);
    office.desk("alice").opens("5m");
}

/// What `ssh-keygen` says of the certificates of these cases, by the list that hosts make of the ledger.
fn revoked(office: &Office, cases: &[String]) -> Vec<bool> {
    let dave = office.desk("dave");
    dave.jit(&["sync"]).ok();
    let store = GitStore::open(&dave.ledger).unwrap();
    let replay = Replay::of(&store, store.head().unwrap().unwrap()).unwrap();
    let revoked = krl::revocations(replay.state()).unwrap();
    let now = "2026-11-23T14:05:09Z".parse().unwrap();
    let list = office.place.path("krl");
    fs::write(&list, krl::write(replay.state().size(), now, "test", &revoked).unwrap()).unwrap();
    let says = |case: &String| {
        let paths = office.place.git(&office.remote, &["ls-tree", "-r", "--name-only", "main"]);
        let path = paths.lines().find(|path| path.contains(case.as_str()) && path.contains("/issuance-")).unwrap();
        let event = office.git_show(path);
        let line = event.lines().find_map(|line| line.strip_prefix("certificate = \"")).unwrap();
        let file = office.file("issued-cert.pub", &format!("{}\n", line.trim_end_matches('"')));
        let mut command = Command::new("ssh-keygen");
        command.arg("-Qf").arg(&list).arg(&file);
        let said = office.place.run(command);
        assert_eq!(said.out.contains("REVOKED"), said.code == 1, "{}", said.told());
        said.code == 1
    };
    cases.iter().map(says).collect()
}

#[test]
fn who_enacts_and_may_not_revoke_is_told_who_has_to() {
    if gone("who_enacts_and_may_not_revoke_is_told_who_has_to") {
        return;
    }
    let office = Office::with(1, without_alice);
    let live = office.live("30m");
    let arguments = ["member", "remove", "alice", "--reason", "alice has left.", "--enact", "--yes"];
    let said = office.desk("rita").jit(&arguments).ok().mentions(&[
        &format!("the grant of alice in case {live} still has to be revoked"),
        "security (dave, erin), sre (bob, carol), service minter",
        &format!("jit revoke {live} --reason"),
    ]);
    assert!(said.out.contains("Enacted"), "{}", said.told());
    assert_eq!(office.desk("dave").sees(&live)["state"], "live", "by the ledger; servers end it by the policy");
    office.desk("dave").jit(&["revoke", &live, "--reason", "alice left.", "--yes"]).ok();
    assert_ne!(office.desk("dave").sees(&live)["state"], "live");
    office.is_sound();
}

/// One question for the enactment and its revocations, after everything was shown; no answer, no signature.
#[test]
fn whoever_enacts_a_removal_sees_all_that_is_signed() {
    const TEST: &str = "whoever_enacts_a_removal_sees_all_that_is_signed";
    if absent(TEST, &["git", "ssh-keygen", "tmux"]) {
        return;
    }
    let office = Office::with(1, without_alice);
    let live = office.live("30m");
    let arguments = ["member", "remove", "alice", "--reason", "alice has left.", "--yes", "--json"];
    let id = office.desk("rita").jit(&arguments).ok().text("id");
    let bob = office.desk("bob");
    let key = bob.key.display().to_string();
    let screen = Terminal::open(&office.place, &bob.home, &bob.ledger, &[("JIT_AS", "bob"), ("JIT_KEY", &key)]);
    let question = "sign this enactment and 1 revocation as bob";
    let said = screen.converses(&format!("jit policy enact {id}"), &[Answer { when: &[question], keys: &["text:n"] }]);
    let shown = said.when_asked(&[question]);
    for part in ["alice leaves. What ends with the enactment:", &format!("grant     {live}"), "- [member.alice]"] {
        assert!(shown.contains(part), "{part:?} is not shown\n{shown}");
    }
    assert_ne!(said.code, 0, "{}", said.all());
    assert_eq!(bob.sees(&id)["state"], "approved");
    let said = screen.converses(&format!("jit policy enact {id}"), &[Answer { when: &[question], keys: &["text:y"] }]);
    assert_eq!(said.code, 0, "{}", said.all());
    assert_eq!(bob.sees(&live)["ended"]["by"], "revoked");
}

/// The enactment lands, the push of the revocations is turned away: nothing is lost, and it is said.
#[test]
fn revocations_that_are_turned_away_wait() {
    if gone("revocations_that_are_turned_away_wait") {
        return;
    }
    let office = Office::with(1, |text| without_alice(text).replacen("groups = []", "groups = [\"security\"]", 1));
    let live = office.live("30m");
    let rita = office.desk("rita");
    rita.jit(&["sync"]).ok();
    let hook = office.remote.join("hooks/pre-receive");
    let script = "#!/bin/sh\nwhile read old new ref; do\n  git log --format=%s \"$old..$new\" | grep -q ^revocation && exit 1\ndone\nexit 0\n";
    executable(&hook, script);
    let arguments = ["member", "remove", "alice", "--reason", "alice has left.", "--enact", "--yes"];
    let said =
        rita.jit(&arguments).ok().mentions(&["the revocations are not in the ledger yet", "waits in the outbox"]);
    assert!(said.out.contains("Enacted"), "{}", said.told());
    assert_eq!(office.member("alice"), None);
    assert_eq!(office.desk("dave").sees(&live)["state"], "live");
    fs::remove_file(&hook).unwrap();
    rita.jit(&["sync"]).ok();
    assert_ne!(office.desk("dave").sees(&live)["state"], "live");
    let revocations = office.place.git(&office.remote, &["log", "--format=%s", "--grep=^revocation", "main"]);
    assert_eq!(revocations.lines().count(), 1, "{revocations}");
    office.is_sound();
}

#[test]
fn nobody_leaves_whom_the_rules_need() {
    if gone("nobody_leaves_whom_the_rules_need") {
        return;
    }
    let office = Office::new(3);
    let rita = office.desk("rita");
    let removes = |name: &str| rita.jit(&["member", "remove", name, "--reason", "Gone.", "--yes"]);
    // The only one who may ask.
    let said = removes("alice").refused(3).mentions(&[
        "alice cannot leave",
        "group `developers` is unknown",
        "policy.toml:",
        "A10",
    ]);
    said.mentions(&["jit member add", "jit lock member:alice"]);
    // A root of three of whom three must agree.
    removes("raj").refused(3).mentions(&["raj cannot leave", "threshold is 3 and the root has 2 members"]);
    // Two have to review an emergency: with one left nobody can.
    removes("dave").refused(3).mentions(&["nobody can reach this emergency review"]);
    removes("db1").refused(3).mentions(&["db1 is a host, not a person"]);
    removes("frank").refused(3).mentions(&["no member frank", "jit member list"]);
    assert_eq!(office.place.commits(&office.remote).len(), 1);
}

#[test]
fn a_root_member_leaves_the_root_too() {
    if gone("a_root_member_leaves_the_root_too") {
        return;
    }
    let office = Office::new(2);
    let before = office.git_show("policy.toml");
    let said =
        office.desk("rita").jit(&["member", "remove", "raj", "--reason", "raj has left.", "--yes", "--json"]).ok();
    let id = said.text("id");
    assert_eq!(said.json()["changes"][0]["of"], "root", "{}", said.told());
    office.passes(&id, "rita");
    let differs = changed(&before, &office.git_show("policy.toml"));
    assert!(differs.contains(&"-    \"raj\",   # her deputy".to_owned()), "{differs:#?}");
    let after = office.git_show("policy.toml");
    assert!(after.contains("    \"rita\",  # the owner\n    \"erin\"\n]"), "{after}");
}
