//! `jit notify` as people and their systems see it: real HTTP and SMTP receivers in python, a real command, processes that are
//! killed. Only those who can answer are asked, nothing is lost or told twice, and nothing that somebody wrote becomes markup,
//! a header or a mention.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use common::{Place, absent, executable::executable, request};
use place::{Receiver, config, notifier, notify, secret, source, until, webhook};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;
#[path = "notify/place.rs"]
mod place;

fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen", "python3"])
}

#[test]
fn only_those_hear_who_can_answer() {
    if gone("only_those_hear_who_can_answer") {
        return;
    }
    let place = Place::new();
    let (ledger, id) = place.ledger("ledger.git", true);
    let receiver = Receiver::http(&place, "hook");
    let file = config(&place, "notify.toml", &webhook(&place, "hook", &receiver, ""));
    notify(&place, &ledger, &file, &[]).ok();
    assert!(receiver.heard().is_empty(), "nothing is open: {:?}", receiver.heard());

    let case = place.desk("alice", &ledger).opens("30m");
    notify(&place, &ledger, &file, &[]).ok();
    // The policy: 1 of sre (bob, carol) and 1 of security (dave, erin). Neither alice, who asks, nor rita and raj.
    assert_eq!(receiver.heard(), ["approval-wanted: bob, carol, dave, erin"]);
    let object = &receiver.objects()[0];
    assert_eq!(object["command"], format!("jit approve {case}"));
    assert_eq!(object["case_id"], *case);
    assert_eq!(object["ledger"], *id);
    assert!(object["title"].as_str().unwrap().starts_with("alice asks for payments-db/read-only for 30m"));
    assert!(object["lines"][0].as_str().unwrap().contains("Payments are stuck"));
    let link = place.desk("bob", &ledger).jit(&["link", &case]).ok().out;
    assert_eq!(object["link"], link.trim());

    // One of two: nobody new is asked, and nothing is decided.
    place.desk("bob", &ledger).approves(&case).ok();
    notify(&place, &ledger, &file, &[]).ok();
    assert_eq!(receiver.heard().len(), 1);
    place.desk("dave", &ledger).approves(&case).ok();
    notify(&place, &ledger, &file, &[]).ok();
    place.desk("minter", &ledger).mints().ok();
    notify(&place, &ledger, &file, &[]).ok();
    place.desk("erin", &ledger).jit(&["revoke", &case, "--reason", "The incident is over.", "--yes"]).ok();
    notify(&place, &ledger, &file, &[]).ok();
    place.desk("dave", &ledger).jit(&["lock", "target:payments-db", "--reason", "Looking into it.", "--yes"]).ok();
    notify(&place, &ledger, &file, &[]).ok();
    let mut expected = vec![
        "approval-wanted: bob, carol, dave, erin",
        "approved: alice",
        "issued: alice",
        "revoked: alice",
        // Security reviews, and dave approved: whoever approved reviews nothing.
        "review-wanted: erin",
        "lock: dave, erin",
    ];
    expected.sort_unstable();
    assert_eq!(receiver.heard(), expected);
    // The signatures by python's own hmac.
    let mut check = Command::new("python3");
    check.arg(source("check.py")).arg(place.path("webhook-secret")).arg(&receiver.out);
    assert_eq!(place.run(check).ok().out.trim(), "6");
    // Another run tells nothing twice.
    notify(&place, &ledger, &file, &[]).ok();
    assert_eq!(receiver.heard(), expected);
}

#[test]
fn emergencies_denials_and_proposals_reach_their_people() {
    if gone("emergencies_denials_and_proposals_reach_their_people") {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let receiver = Receiver::http(&place, "hook");
    let file = config(&place, "notify.toml", &webhook(&place, "hook", &receiver, ""));
    notify(&place, &ledger, &file, &[]).ok();
    let alice = place.desk("alice", &ledger);
    let mut emergency = request("payments-db/read-only", "10m", "Payments are down.");
    emergency.extend(["--emergency", "--incident", "INC-4711"]);
    alice.jit(&emergency).ok();
    let case = alice.opens("20m");
    place.desk("bob", &ledger).jit(&["deny", &case, "--comment", "Not now.", "--yes"]).ok();
    notify(&place, &ledger, &file, &[]).ok();
    // The request was denied before anybody looked: nobody is asked to approve it any more, and of the emergency nobody is.
    assert_eq!(receiver.heard(), ["denied: alice", "emergency: dave, erin"]);
    let emergency = receiver.objects().into_iter().find(|object| object["kind"] == "emergency").unwrap();
    assert!(emergency["title"].as_str().unwrap().starts_with("EMERGENCY: alice opens payments-db/read-only"));
    assert!(emergency["lines"].to_string().contains("INC-4711"));

    // A proposal of somebody who is no root member waits for those who are.
    let policy = place.policy_text(1).replace("version = 1", "version = 2").replace("\"8h\"", "\"6h\"");
    let proposed = place.path("new-policy.toml");
    fs::write(&proposed, policy).unwrap();
    let proposed = format!("policy.toml={}", proposed.display());
    let bob = place.desk("bob", &ledger);
    bob.jit(&["policy", "propose", &proposed, "--reason", "Decide faster.", "--yes"]).ok();
    notify(&place, &ledger, &file, &[]).ok();
    assert!(receiver.heard().contains(&"approval-wanted: raj, rita".to_owned()), "{:?}", receiver.heard());
}

#[test]
fn a_receiver_that_was_down_is_told_once_and_holds_up_no_other() {
    if gone("a_receiver_that_was_down_is_told_once_and_holds_up_no_other") {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let mut down = Receiver::http(&place, "down");
    let up = Receiver::http(&place, "up");
    let text = webhook(&place, "down", &down, "") + &webhook(&place, "up", &up, "");
    let file = config(&place, "notify.toml", &text);
    notify(&place, &ledger, &file, &[]).ok();
    down.stop();
    place.desk("alice", &ledger).opens("30m");
    let said = notify(&place, &ledger, &file, &[]).refused(1).mentions(&["down (1)", "nothing is lost"]);
    assert!(!said.err.contains("up (1)"), "{}", said.told());
    assert_eq!(up.heard().len(), 1);
    assert!(down.heard().is_empty());

    // It refuses, then takes it; a notifier that was killed meanwhile goes on.
    down.restart();
    down.answers("503");
    let running = notifier(&place, &ledger, &file);
    until("it was tried", || !down.all().is_empty());
    running.kill();
    down.answers("200");
    let running = notifier(&place, &ledger, &file);
    until("it was taken", || !down.heard().is_empty());
    // While it runs, what comes is told at once, and once.
    place.desk("alice", &ledger).opens("20m");
    until("the second", || down.heard().len() == 2 && up.heard().len() == 2);
    running.terminate();
    notify(&place, &ledger, &file, &[]).ok();
    for receiver in [&down, &up] {
        let ids: Vec<String> = receiver.objects().iter().map(|object| object["id"].to_string()).collect();
        assert_eq!(ids.len(), 2, "{ids:?}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 2);
    }
    assert_eq!(down.objects().len(), 2);
}

#[test]
fn what_was_decided_while_a_receiver_was_down_is_not_asked_for_any_more() {
    if gone("what_was_decided_while_a_receiver_was_down_is_not_asked_for_any_more") {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let mut receiver = Receiver::http(&place, "hook");
    let file = config(&place, "notify.toml", &webhook(&place, "hook", &receiver, ""));
    notify(&place, &ledger, &file, &[]).ok();
    receiver.stop();
    let case = place.desk("alice", &ledger).opens("30m");
    notify(&place, &ledger, &file, &[]).refused(1);
    place.desk("bob", &ledger).approves(&case).ok();
    place.desk("dave", &ledger).approves(&case).ok();
    receiver.restart();
    notify(&place, &ledger, &file, &[]).ok();
    assert_eq!(receiver.heard(), ["approved: alice"]);
}

#[test]
fn the_first_run_tells_what_is_open_and_many_things_as_one() {
    if gone("the_first_run_tells_what_is_open_and_many_things_as_one") {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let alice = place.desk("alice", &ledger);
    let cases: Vec<String> = (0..4).map(|_| alice.opens("30m")).collect();
    place.desk("bob", &ledger).jit(&["deny", &cases[0], "--comment", "No.", "--yes"]).ok();
    let (few, mail) = (Receiver::http(&place, "few"), Receiver::smtp(&place, "mail"));
    let sink = webhook(&place, "few", &few, "members = [\"carol\"]\nroles = [\"approvers\"]");
    let open = config(&place, "few.toml", &sink);
    // No history: nobody hears of the denial, and each of the three once.
    let dry = notify(&place, &ledger, &open, &["--dry-run", "--json"]).ok();
    assert_eq!(dry.out.lines().count(), 3, "{}", dry.told());
    assert!(few.heard().is_empty());
    notify(&place, &ledger, &open, &[]).ok();
    assert_eq!(few.heard(), ["approval-wanted: carol"; 3]);
    let many = format!(
        "[notify]\ndigest_above = 2\n[[notify.sink]]\nname = \"mail\"\nkind = \"email\"\nserver = \"127.0.0.1:{}\"\n\
         security = \"none\"\nfrom = \"jit <jit@acme.example>\"\n",
        mail.port
    );
    notify(&place, &ledger, &config(&place, "many.toml", &many), &[]).ok();
    let taken = mail.all();
    let to: BTreeSet<&str> = taken.iter().map(|mail| mail["to"][0].as_str().unwrap()).collect();
    // bob denied one; the others wait for all four, one mail each.
    let expected = ["bob@acme.example", "carol@acme.example", "dave@acme.example", "erin@acme.example"];
    assert_eq!(to, expected.into());
    assert_eq!(taken.len(), 4);
    for mail in &taken {
        let text = mail["text"].as_str().unwrap();
        for case in &cases[1..] {
            assert!(text.contains(&format!("jit approve {case}")), "{text}");
        }
        assert!(!text.contains(&cases[0]), "{text}");
    }
}

#[test]
fn nothing_that_somebody_wrote_gets_out_of_its_field() {
    if gone("nothing_that_somebody_wrote_gets_out_of_its_field") {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let (slack, teams) = (Receiver::http(&place, "slack"), Receiver::http(&place, "teams"));
    let mail = Receiver::smtp(&place, "mail");
    let given = place.path("given");
    let script = place.path("tell");
    executable(&script, format!("#!/bin/sh\n{{ cat; env; echo \"$@\"; }} > {}\n", given.display()));
    let url = secret(&place, "slack-url", &format!("http://127.0.0.1:{}/services/T0/B0/secret\n", slack.port));
    let text = format!(
        "[[notify.sink]]\nname = \"slack\"\nkind = \"slack\"\nurl_file = {url:?}\n\
         [[notify.sink]]\nname = \"teams\"\nkind = \"teams\"\nurl = \"http://127.0.0.1:{}/workflow\"\n\
         [[notify.sink]]\nname = \"mail\"\nkind = \"email\"\nserver = \"127.0.0.1:{}\"\nsecurity = \"none\"\n\
         from = \"jit@acme.example\"\nmembers = [\"bob\"]\n\
         [[notify.sink]]\nname = \"command\"\nkind = \"command\"\ncommand = [{script:?}, \"--flag\", \"a b\"]\n",
        teams.port, mail.port
    );
    let file = config(&place, "notify.toml", &text);
    notify(&place, &ledger, &file, &[]).ok();
    let evil = "<!channel> *bold* [x](http://evil.example) `\"}],\n\nBcc: eve@evil.example\n.\nSubject: gone";
    let case = place.desk("alice", &ledger).jit(&request("payments-db/read-only", "30m", evil)).ok().text("id");
    notify(&place, &ledger, &file, &[]).ok();

    let body: Value = serde_json::from_str(slack.all()[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(slack.all()[0]["path"], "/services/T0/B0/secret");
    assert!(!body["text"].as_str().unwrap().contains('<'));
    let blocks = body["blocks"].as_array().unwrap();
    let hostile: Vec<&Value> = blocks.iter().filter(|block| block.to_string().contains("channel")).collect();
    assert_eq!(hostile.len(), 1);
    // Read as plain text: neither a mention nor a link nor bold.
    assert_eq!(hostile[0]["text"]["type"], "plain_text");
    assert!(hostile[0]["text"]["text"].as_str().unwrap().contains("<!channel> *bold*"));
    let marked: Vec<&str> = blocks
        .iter()
        .filter(|block| block["text"]["type"] == "mrkdwn")
        .map(|b| b["text"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(marked, [format!("`jit approve {case}`")]);

    let body: Value = serde_json::from_str(teams.all()[0]["body"].as_str().unwrap()).unwrap();
    let attachment = &body["attachments"][0];
    assert_eq!(
        (body["type"].as_str(), attachment["contentType"].as_str()),
        (Some("message"), Some("application/vnd.microsoft.card.adaptive"))
    );
    for part in attachment["content"]["body"].as_array().unwrap() {
        // Markdown is read in TextBlocks, and there is none.
        assert_eq!(part["type"], "RichTextBlock");
        assert_eq!(part["inlines"][0]["type"], "TextRun");
    }

    let mails = mail.all();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["to"], serde_json::json!(["bob@acme.example"]));
    assert_eq!(mails[0]["defects"], serde_json::json!([]));
    let headers = mails[0]["headers"].as_array().unwrap();
    let named = |name: &str| -> Vec<&str> {
        let found = headers.iter().filter(|header| header[0].as_str().unwrap().eq_ignore_ascii_case(name));
        found.map(|header| header[1].as_str().unwrap()).collect()
    };
    assert!(named("bcc").is_empty());
    assert_eq!(named("subject").len(), 1);
    assert!(named("subject")[0].starts_with("[acme/production] alice asks for payments-db/read-only"));
    let text = mails[0]["text"].as_str().unwrap();
    // On one line, and the mail did not end at the point.
    assert!(text.lines().any(|line| line.contains("<!channel>") && line.contains("Subject: gone")), "{text}");
    assert!(text.contains(&format!("jit approve {case}")));

    let given = fs::read_to_string(given).unwrap();
    let object: Value = serde_json::from_str(given.lines().next().unwrap()).unwrap();
    assert_eq!(object["case_id"], *case);
    assert!(given.ends_with("--flag a b\n"), "{given}");
    assert!(!given.contains("HOME=") && given.contains("PATH=/usr/local/bin:/usr/bin:/bin"), "{given}");
}

#[test]
fn mail_goes_encrypted_with_a_login() {
    if gone("mail_goes_encrypted_with_a_login") || absent("mail_goes_encrypted_with_a_login", &["openssl"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let pair = [place.path("mail.pem"), place.path("mail.key")];
    let mut make = Command::new("openssl");
    make.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    make.args([
        "-subj",
        "/CN=mail",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]);
    make.arg("-out").arg(&pair[0]).arg("-keyout").arg(&pair[1]);
    place.run(make).ok();
    let mail = Receiver::smtp_tls(&place, "mail", &pair);
    let password = secret(&place, "password", "correct horse\n");
    let sink = format!(
        "[[notify.sink]]\nname = \"mail\"\nkind = \"email\"\nserver = \"localhost:{}\"\nfrom = \"jit@acme.example\"\n\
         user = \"jit\"\npassword_file = {password:?}\nroles = [\"approvers\"]\nmembers = [\"bob\"]\n",
        mail.port
    );
    place.desk("alice", &ledger).opens("30m");
    // Nobody whom we trust signed it: it is not sent, and the password neither.
    let strict = config(&place, "strict.toml", &format!("{sink}ca_file = {:?}\n", other_authority(&place)));
    notify(&place, &ledger, &strict, &[]).refused(1).mentions(&["certificate"]);
    assert!(mail.all().is_empty());
    let trusting = config(&place, "trusting.toml", &format!("{sink}ca_file = {:?}\n", pair[0]));
    notify(&place, &ledger, &trusting, &[]).ok();
    let taken = mail.all();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0]["secure"], true);
    assert_eq!(taken[0]["user"], serde_json::json!(["jit", "correct horse"]));
    // A password that others can read is not used.
    fs::set_permissions(&password, fs::Permissions::from_mode(0o644)).unwrap();
    notify(&place, &ledger, &trusting, &[]).refused(1).mentions(&["others can read", "chmod 600"]);
}

fn other_authority(place: &Place) -> std::path::PathBuf {
    let file = place.path("other.pem");
    let mut make = Command::new("openssl");
    make.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    make.args(["-subj", "/CN=other"]).arg("-out").arg(&file).arg("-keyout").arg(place.path("other.key"));
    place.run(make).ok();
    file
}

#[test]
fn settings_that_cannot_work_are_told() {
    if gone("settings_that_cannot_work_are_told") {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let sink = |rest: &str| format!("[[notify.sink]]\nname = \"s\"\n{rest}\n");
    let bad = [
        ("", 2, "nobody is to be told"),
        ("[notify]\nsinks = []\n", 1, "line 2: unknown field"),
        (&sink("kind = \"pager\""), 1, "unknown variant"),
        (&sink("kind = \"webhook\"\nurl = \"https://a.example/\""), 1, "needs a secret"),
        (&sink("kind = \"slack\"\nurl = \"http://a.example/\""), 1, "without encryption"),
        (&sink("kind = \"slack\""), 1, "either url or url_file"),
        (
            &sink("kind = \"email\"\nserver = \"mail.acme.example\"\nfrom = \"a@b.example\"\nsecurity = \"none\""),
            1,
            "on this machine",
        ),
        (&sink("kind = \"command\"\ncommand = [\"tell\"]"), 1, "no absolute path"),
        (&sink("kind = \"terminal\"\nurl = \"https://a.example/\""), 1, "no meaning"),
        (&sink("kind = \"terminal\"\nroles = [\"boss\"]"), 1, "boss"),
        (&(sink("kind = \"terminal\"") + &sink("kind = \"terminal\"")), 1, "two sinks"),
    ];
    for (text, code, said) in bad {
        let file = config(&place, "bad.toml", text);
        notify(&place, &ledger, &file, &[]).refused(code).mentions(&[said]);
    }
}

#[test]
fn a_link_names_a_case_and_gives_no_right() {
    if gone("a_link_names_a_case_and_gives_no_right") {
        return;
    }
    let place = Place::new();
    let (ledger, id) = place.ledger("ledger.git", true);
    let case = place.desk("alice", &ledger).opens("30m");
    let bob = place.desk("bob", &ledger);
    let said = bob.jit(&["link", &case, "--json"]).ok();
    let link = said.text("link");
    assert!(link.starts_with("jit:case/") && link.ends_with(&format!("/{case}")), "{link}");
    assert_eq!(link.len(), "jit:case/".len() + 16 + 1 + 16);
    assert!(id.starts_with("sha256:"));
    // A file that holds it, and everything is shown before it is signed.
    let file = bob.home.join("case.jit");
    fs::write(&file, format!("{link}\n")).unwrap();
    let said = bob.jit(&["approve", "./case.jit"]).refused(2).mentions(&["--yes"]);
    assert!(said.err.contains("Payments are stuck"), "{}", said.told());
    bob.jit(&["approve", "./case.jit", "--yes"]).ok();
    // The link itself: alice's own key approves nothing of hers.
    place.desk("alice", &ledger).jit(&["approve", &link, "--yes"]).refused(3).mentions(&["alice"]);
    let said = place.desk("dave", &ledger).jit(&["approve", &link, "--yes", "--json"]).ok();
    assert_eq!(said.text("state"), "approved");
    // Of another ledger, damaged, or no link.
    let (other, _) = place.ledger("other.git", true);
    place.desk("dave", &other).jit(&["approve", &link, "--yes"]).refused(2).mentions(&["another ledger"]);
    bob.jit(&["approve", "jit:case/abc/def", "--yes"]).refused(2).mentions(&["damaged"]);
    fs::write(&file, "rm -rf /\n").unwrap();
    bob.jit(&["approve", "./case.jit", "--yes"]).refused(2).mentions(&["holds no link"]);
    let qr = bob.jit(&["show", &case, "--qr"]).ok();
    assert!(qr.out.contains('█') && qr.out.contains(&link), "{}", qr.told());
}

#[test]
fn the_terminal_shows_the_exact_command() {
    if gone("the_terminal_shows_the_exact_command") {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let case = place.desk("alice", &ledger).opens("30m");
    let said = place.desk("carol", &ledger).jit(&["notify", "--terminal"]).ok();
    assert!(said.err.contains(&format!("jit approve {case}")), "{}", said.told());
    assert!(!said.err.contains('\u{7}'), "no terminal, no sequence");
    // It was told; and alice has nothing to approve.
    let said = place.desk("carol", &ledger).jit(&["notify", "--terminal"]).ok();
    assert!(!said.err.contains("jit approve"), "{}", said.told());
    let said = place.desk("alice", &ledger).jit(&["notify", "--terminal"]).ok();
    assert!(!said.err.contains("jit approve"), "{}", said.told());
}

/// docs/notify.md shows a configuration: it is one.
#[test]
fn the_configuration_of_the_documentation_is_read() {
    if gone("the_configuration_of_the_documentation_is_read") {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let home = place.path("home").join("notifier");
    let secrets = home.join(".config/jit");
    fs::create_dir_all(&secrets).unwrap();
    let docs = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/notify.md")).unwrap();
    let (_, rest) = docs.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    for (name, content) in [
        ("webhook-secret", "0123456789abcdef0123456789abcdef"),
        ("slack-url", "https://hooks.slack.com/services/T0/B0/x"),
        ("teams-url", "https://acme.example/workflows/x"),
        ("smtp-password", "secret"),
    ] {
        assert!(text.contains(&format!("~/.config/jit/{name}")), "{name} is not in the example");
        fs::write(secrets.join(name), content).unwrap();
        fs::set_permissions(secrets.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let file = config(&place, "docs.toml", text);
    place.desk("alice", &ledger).opens("30m");
    let said = notify(&place, &ledger, &file, &["--dry-run", "--json"]).ok();
    let sinks: BTreeSet<String> = said
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["sink"].as_str().unwrap().to_owned())
        .collect();
    assert!(sinks.contains("sre-channel") && sinks.contains("mail"), "{sinks:?}");
    // The list of kinds in the documentation is whole.
    for kind in [
        "approval-wanted",
        "deciding-ends",
        "approved",
        "denied",
        "lapsed",
        "issued",
        "ending",
        "revoked",
        "review-wanted",
        "review-overdue",
        "emergency",
        "lock",
        "void",
        "residue",
        "digest",
    ] {
        assert!(docs.contains(&format!("`{kind}`")), "{kind} is not documented");
    }
}
