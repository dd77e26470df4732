//! `jit export` as its receivers see it: real sockets, real TLS, other people's parsers, processes that are killed. Every event
//! arrives, none is lost, each is known by its digest, and nothing that somebody wrote gets out of its field.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::{Place, absent};
use place::{Authority, Receiver, export, exporter, ids, until};
use serde_json::{Value, json};

#[path = "common/harness.rs"]
mod common;
#[path = "export/follow.rs"]
mod follow;
#[path = "export/formats.rs"]
mod formats;
#[path = "export/place.rs"]
mod place;

fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen", "python3", "openssl"])
}

/// A bare clone of the ledger that another producer made, with every kind of event in it.
fn sample(place: &Place) -> PathBuf {
    let ledger = place.path("sample.git");
    let bundle = place::source("vectors/sample/ledger.bundle");
    place.git(&place.path("home"), &["clone", "-q", "--bare", bundle.to_str().unwrap(), ledger.to_str().unwrap()]);
    ledger
}

/// A new ledger with a request and two approvals: four events.
fn small(place: &Place) -> PathBuf {
    let (ledger, _) = place.ledger("ledger.git", true);
    let case = place.desk("alice", &ledger).opens("30m");
    place.desk("bob", &ledger).approves(&case).ok();
    place.desk("dave", &ledger).approves(&case).ok();
    ledger
}

/// The ids of all events of a ledger, by git and SHA-256 alone: of the event file, or where a commit has none that is good, of
/// the commit.
fn truth(place: &Place, ledger: &Path, voids: &BTreeSet<usize>) -> Vec<String> {
    let hex = |bytes: &[u8]| {
        let digest: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(bytes).into();
        data_encoding::HEXLOWER.encode(&digest)
    };
    let raw = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.arg("-C").arg(ledger).args(arguments);
        command.output().unwrap().stdout
    };
    let one = |(position, commit): (usize, &String)| {
        if voids.contains(&position) {
            return hex(&raw(&["cat-file", "commit", commit]));
        }
        let names =
            place.git(ledger, &["show", "--format=", "--name-only", "--diff-filter=A", commit, "--", "ledger/"]);
        let name = names.lines().find(|name| name.ends_with(".toml") && !name.contains("/files/")).unwrap();
        hex(&raw(&["show", &format!("{commit}:{name}")]))
    };
    place.commits(ledger).iter().enumerate().map(one).collect()
}

fn url(scheme: &str, receiver: &Receiver) -> String {
    format!("{scheme}://127.0.0.1:{}{}", receiver.port, if scheme.starts_with("http") { "/in" } else { "" })
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_cursor_goes_on_where_it_was() {
    if gone("the_cursor_goes_on_where_it_was") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let file = place.path("events.jsonl");
    let to = ["--to", text(&file), "--json"];
    let first = export(&place, &ledger, &to).ok().json();
    assert_eq!(first["exported"], 4);
    let state = PathBuf::from(first["state"].as_str().unwrap());
    assert!(state.starts_with(place.path("home/siem/.local/state/jit/export")), "{}", state.display());
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(export(&place, &ledger, &to).ok().json()["exported"], 0);
    place.desk("alice", &ledger).opens("15m");
    let second = export(&place, &ledger, &to).ok().json();
    assert_eq!((&second["exported"], &second["first"]), (&json!(1), &json!(4)));
    let truth = truth(&place, &ledger, &BTreeSet::new());
    assert_eq!(ids(&fs::read_to_string(&file).unwrap()), truth, "each once");

    // Another destination has a cursor of its own; one event at a time is the same.
    let other = place.path("other.jsonl");
    export(&place, &ledger, &["--to", text(&other), "--batch", "1"]).ok();
    assert_eq!(fs::read(&other).unwrap(), fs::read(&file).unwrap());

    // A process that died while it wrote: the half line goes, the events behind the cursor come, with the same ids.
    let cursor = fs::read_to_string(&state).unwrap();
    let whole = fs::read_to_string(&file).unwrap();
    let until_third: usize = whole.split_inclusive('\n').take(3).map(str::len).sum();
    fs::write(&file, &whole[..until_third + 40]).unwrap();
    let at_third = export(&place, &ledger, &["--since", "3", "--to", text(&file), "--json"]).ok().json();
    assert_eq!(at_third["exported"], 2);
    assert_eq!(fs::read_to_string(&file).unwrap(), whole);
    assert_eq!(fs::read_to_string(&state).unwrap(), cursor, "the cursor stands where it stood");

    // From now on: what comes next, even if nothing came before the process was started again.
    let later = place.path("later.jsonl");
    let arguments = ["--since", "now", "--to", text(&later), "--json"];
    let said = export(&place, &ledger, &arguments).ok().json();
    assert_eq!((&said["exported"], &said["cursor"]["size"]), (&json!(0), &json!(5)));
    export(&place, &ledger, &arguments).refused(2).mentions(&["there is a cursor already"]);
    // Where to begin.
    let commits = place.commits(&ledger);
    for (since, expected) in [
        ("start", 5),
        ("now", 0),
        ("0", 5),
        ("5", 0),
        (commits[1].as_str(), 3),
        (&commits[1][..12], 3),
        (&format!("sha256:{}", truth[3]), 1),
    ] {
        let said = export(&place, &ledger, &["--since", since]).ok();
        assert_eq!(ids(&said.out), truth[5 - expected..], "{since}");
    }
}

#[test]
fn a_cursor_that_does_not_fit_is_refused() {
    if gone("a_cursor_that_does_not_fit_is_refused") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let (file, state) = (place.path("out"), place.path("cursor.toml"));
    let arguments = ["--to", text(&file), "--state", text(&state)];
    export(&place, &ledger, &arguments).ok();
    let good = fs::read_to_string(&state).unwrap();
    let before = fs::read(&file).unwrap();
    let other = place.path("other.git");
    let policy = place.path("policy.toml");
    place.desk("rita", &other).jit_anywhere(&["init", text(&other), "--policy", text(&policy), "--bare"]).ok();
    export(&place, &other, &arguments).refused(5).mentions(&["another ledger"]);

    // A clone of the history as it was before, without a pin: what the receiver has is not in it.
    let behind = place.path("behind.git");
    let commits = place.commits(&ledger);
    place.git(&place.path("home"), &["clone", "-q", "--bare", text(&ledger), text(&behind)]);
    place.git(&behind, &["remote", "remove", "origin"]);
    place.git(&behind, &["update-ref", "refs/heads/main", &commits[2]]);
    export(&place, &behind, &arguments).refused(5).mentions(&["no longer in the history", &commits[3]]);
    // The same length, another last event.
    place.desk("alice", &behind).opens("15m");
    export(&place, &behind, &arguments).refused(5).mentions(&["no longer in the history"]);
    for since in [&commits[3], "9", &format!("sha256:{}", "0".repeat(64))] {
        export(&place, &behind, &["--since", since]).refused(5);
    }
    // A root that is not the log's.
    let root = good.lines().find(|line| line.starts_with("root")).unwrap();
    let wrong = good.replace(root, &format!("root = \"sha256:{}\"", "0".repeat(64)));
    fs::write(&state, &wrong).unwrap();
    export(&place, &ledger, &arguments).refused(5).mentions(&["another root"]);
    // No cursor at all.
    fs::write(&state, "head = 1\n").unwrap();
    export(&place, &ledger, &arguments).refused(1).mentions(&["is no cursor"]);
    fs::remove_file(&state).unwrap();
    std::os::unix::fs::symlink(place.path("elsewhere"), &state).unwrap();
    export(&place, &ledger, &arguments).refused(1);
    assert!(!place.path("elsewhere").exists());
    assert_eq!(fs::read(&file).unwrap(), before, "nothing was given with any of them");

    // Two at a time with one cursor.
    fs::remove_file(&state).unwrap();
    fs::write(&state, &good).unwrap();
    let running = exporter(&place, &ledger, "first", &[&arguments[..], &["--follow"]].concat());
    place.desk("alice", &ledger).opens("15m");
    until("the first is at work", || fs::read(&file).unwrap().len() > before.len());
    export(&place, &ledger, &arguments).refused(1).mentions(&["another export uses the cursor"]);
    running.terminate();
    export(&place, &ledger, &arguments).ok();
}

#[test]
fn what_cannot_be_verified_is_not_given_away() {
    if gone("what_cannot_be_verified_is_not_given_away") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let clone = place.path("clone");
    let desk = place.desk("rita", &clone);
    desk.jit_anywhere(&["clone", text(&ledger), text(&clone)]).ok();
    // The remote was rewound behind what this clone has verified.
    let commits = place.commits(&ledger);
    place.git(&ledger, &["update-ref", "refs/heads/main", &commits[1]]);
    let said = export(&place, &clone, &[]).refused(5);
    assert_eq!(said.out, "", "nothing is given before the history stands");
    // And the branch here, too: the pin remembers.
    place.git(&clone, &["remote", "remove", "origin"]);
    place.git(&clone, &["update-ref", "refs/heads/main", &commits[1]]);
    let said = export(&place, &clone, &[]).refused(5).mentions(&["rewound or rewritten"]);
    assert_eq!(said.out, "");
    // An event whose object is gone: what stands before it was verified, what comes behind is not told.
    let damaged = place.path("damaged.git");
    place.git(&place.path("home"), &["clone", "-q", "--bare", "--no-local", text(&ledger), text(&damaged)]);
    let empty = place.path("empty");
    place.git(&place.path("home"), &["init", "-q", "--bare", text(&empty)]);
    let said = export(&place, &empty, &[]).refused(1);
    assert_eq!(said.out, "");
    let tree = place.git(&damaged, &["ls-tree", "-r", "main", "ledger/"]);
    let blob = tree.lines().find(|line| line.contains("/request-") && line.ends_with(".toml")).unwrap();
    let blob = blob.split_whitespace().nth(2).unwrap();
    // Loose objects, without this one.
    let pack = common::files(&damaged.join("objects/pack"))
        .into_iter()
        .find(|file| file.extension().is_some_and(|e| e == "pack"));
    let pack = fs::read(pack.unwrap()).unwrap();
    for file in common::files(&damaged.join("objects/pack")) {
        fs::remove_file(file).unwrap();
    }
    let mut unpack = std::process::Command::new("git");
    unpack.arg("-C").arg(&damaged).args(["unpack-objects", "-q"]);
    place.run_with(unpack, &place.path("home"), &[], &pack).ok();
    fs::remove_file(damaged.join("objects").join(&blob[..2]).join(&blob[2..])).unwrap();
    let file = place.path("given");
    export(&place, &damaged, &["--to", text(&file)]).refused(1).mentions(&["could not be checked"]);
    assert!(!file.exists(), "the batch that could not be verified whole was not given");
}

#[test]
fn syslog_over_tcp_and_udp() {
    if gone("syslog_over_tcp_and_udp") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let truth = truth(&place, &ledger, &BTreeSet::new());
    let udp = Receiver::new(&place, "udp", "udp", &[]);
    export(&place, &ledger, &["--format", "syslog", "--to", &url("syslog+udp", &udp)]).ok();
    until("datagrams arrive", || udp.ids().len() == truth.len());
    assert_eq!(udp.ids(), truth);
    let usage = export(&place, &ledger, &["--to", &url("syslog+udp", &udp)]).refused(2);
    usage.mentions(&["datagram"]);

    let mut tcp = Receiver::new(&place, "tcp", "tcp", &[]);
    let to = url("syslog+tcp", &tcp);
    let arguments = ["--format", "syslog", "--to", &to, "--timeout", "1s", "--json"];
    // A receiver that breaks off, hangs, or is not there has not acknowledged; the cursor does not move.
    for how in ["half", "hang"] {
        tcp.behave(how);
        let said = export(&place, &ledger, &[&arguments[..], &["--retry-for", "4s"]].concat()).refused(1);
        said.mentions(&["did not take the events", "trying again", "run the command again"]);
        assert!(tcp.ids().is_empty());
    }
    tcp.stop();
    export(&place, &ledger, &[&arguments[..], &["--retry-for", "1s"]].concat())
        .refused(1)
        .mentions(&["cannot connect"]);
    tcp.behave("ok");
    tcp.restart();
    assert_eq!(export(&place, &ledger, &arguments).ok().json()["exported"], 4);
    assert_eq!(tcp.ids(), truth, "each once, in order");
    assert_eq!(export(&place, &ledger, &arguments).ok().json()["exported"], 0);
}

#[test]
fn tls_is_checked() {
    if gone("tls_is_checked") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let truth = truth(&place, &ledger, &BTreeSet::new());
    let (ours, theirs) = (Authority::new(&place, "ours"), Authority::new(&place, "theirs"));
    let authority = ours.file();
    let good = Receiver::new(&place, "tls", "good", &ours.signs("good", "server", false));
    let expired = Receiver::new(&place, "tls", "expired", &ours.signs("expired", "server", true));
    let misnamed = Receiver::new(&place, "tls", "misnamed", &ours.signs("misnamed", "other", false));
    let foreign = Receiver::new(&place, "tls", "foreign", &theirs.signs("foreign", "server", false));
    let [certificate, key] = ours.signs("strict", "server", false);
    let strict = Receiver::new(&place, "tls", "strict", &[certificate, key, ours.file()]);
    let try_it = |receiver: &Receiver, further: &[&str]| {
        let to = url("syslog+tls", receiver);
        let arguments = ["--format", "syslog", "--to", &to, "--timeout", "2s", "--retry-for", "1s"];
        export(&place, &ledger, &[&arguments[..], further].concat())
    };
    let trusted = ["--ca-file", text(&authority)];
    // Refused at once, and told why: nobody has to wait for the end of --retry-for.
    try_it(&foreign, &trusted).refused(1).mentions(&["UnknownIssuer", "--ca-file"]);
    try_it(&expired, &trusted).refused(1).mentions(&["expired"]);
    try_it(&misnamed, &trusted).refused(1).mentions(&["not valid for name", "as its certificate does"]);
    try_it(&strict, &trusted).refused(1);
    for none in [&foreign, &expired, &misnamed, &strict] {
        assert!(none.ids().is_empty());
    }
    // The system's authorities know nothing of ours.
    try_it(&good, &[]).refused(1);
    try_it(&good, &trusted).ok();
    assert_eq!(good.ids(), truth);
    // With a certificate of ours.
    let [certificate, key] = ours.signs("client", "client", false);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let mine = [&trusted[..], &["--client-cert", text(&certificate), "--client-key", text(&key)]].concat();
    try_it(&strict, &mine).refused(1).mentions(&["others can read", "chmod 600"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    try_it(&strict, &mine).ok();
    assert_eq!(strict.ids(), truth);
    // An end of the stream that TLS does not vouch for is no acknowledgement.
    let rude = Receiver::new(&place, "tls", "rude", &ours.signs("rude", "server", false));
    rude.behave("rude");
    try_it(&rude, &trusted).refused(1).mentions(&["close_notify"]);
    rude.behave("ok");
    try_it(&rude, &trusted).ok();
    // HTTPS is checked by the same authorities.
    let web = Receiver::new(&place, "https", "web", &ours.signs("web", "server", false));
    let old = Receiver::new(&place, "https", "old", &ours.signs("old", "server", true));
    let to = url("https", &old);
    export(&place, &ledger, &["--to", &to, "--ca-file", text(&authority)]).refused(1).mentions(&["expired"]);
    let to = url("https", &web);
    export(&place, &ledger, &["--to", &to, "--retry-for", "1s"]).refused(1).mentions(&["UnknownIssuer"]);
    export(&place, &ledger, &["--to", &to, "--ca-file", text(&authority)]).ok();
    assert_eq!(web.ids(), truth);
}

#[test]
fn http_takes_batches_and_says_when_it_cannot() {
    if gone("http_takes_batches_and_says_when_it_cannot") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let truth = truth(&place, &ledger, &BTreeSet::new());
    let web = Receiver::new(&place, "http", "web", &[]);
    let to = url("http", &web);
    let arguments = ["--to", &to, "--timeout", "1s", "--retry-for", "1s"];
    for (how, words) in [
        ("500", "500"),
        ("hang", "timeout"),
        ("half", "cannot send"),
        ("429", "429"),
        ("401", "check the token"),
        ("302", "no redirect is followed"),
        ("413", "--batch"),
        ("404", "check the address"),
    ] {
        web.behave(how);
        let said = export(&place, &ledger, &arguments).refused(1).mentions(&[words]);
        assert!(!said.err.contains('\u{1b}'), "what a receiver says cannot drive the terminal: {:?}", said.err);
        assert!(web.taken().is_empty(), "{how}");
    }
    web.behave("ok");
    export(&place, &ledger, &arguments).ok();
    assert_eq!(web.ids(), truth);
    assert_eq!(web.taken()[0]["type"], "application/x-ndjson");
    assert_eq!(web.taken()[0]["authorization"], Value::Null);

    // The other formats, one event a batch; CloudEvents as the batch of its HTTP binding.
    let other = Receiver::new(&place, "http", "other", &[]);
    let token = place.path("token");
    fs::write(&token, "s3cr3t-T0ken\n").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    for (format, kind) in [
        ("ocsf", "application/x-ndjson"),
        ("cef", "text/plain; charset=utf-8"),
        ("syslog", "text/plain; charset=utf-8"),
        ("cloudevents", "application/cloudevents-batch+json; charset=utf-8"),
    ] {
        let before = other.taken().len();
        let to = url("http", &other);
        let arguments = ["--format", format, "--to", &to, "--batch", "3", "--token-file", text(&token)];
        let said = export(&place, &ledger, &arguments).ok();
        assert!(!said.told().contains("s3cr3t"), "{}", said.told());
        let taken = &other.taken()[before..];
        assert_eq!(taken.len(), 2, "{format}: three and one");
        assert_eq!(taken[0]["type"], kind);
        assert_eq!(taken[0]["authorization"], "Bearer s3cr3t-T0ken");
        if format == "cloudevents" {
            let batch: Vec<Value> = serde_json::from_str(taken[0]["text"].as_str().unwrap()).unwrap();
            assert_eq!(batch.len(), 3);
            assert_eq!(batch[0]["id"], format!("sha256:{}", truth[0]));
        } else {
            assert_eq!(taken[0]["text"].as_str().unwrap().lines().count(), 3);
        }
    }
    // A token is a secret.
    let with = |token: &Path, to: &str| export(&place, &ledger, &["--to", to, "--token-file", text(token)]);
    fs::set_permissions(&token, fs::Permissions::from_mode(0o640)).unwrap();
    with(&token, &url("http", &other)).refused(1).mentions(&["others can read", "chmod 600"]);
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    with(&token, "http://log.acme.example/in").refused(2).mentions(&["without encryption"]);
    with(&token, text(&place.path("file"))).refused(2);
    fs::write(&token, "two\nlines\r\nx: y\n").unwrap();
    with(&token, &url("http", &other)).refused(1).mentions(&["no bearer token"]);
}

#[test]
fn a_wrong_address_is_no_file() {
    if gone("a_wrong_address_is_no_file") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    for to in
        ["syslog://x", "syslog+tls://", "syslog+tcp://x", "htps://x", "https://me:secret@x/", "syslog+udp://x:99999"]
    {
        let said = export(&place, &ledger, &["--to", to]);
        assert_eq!(said.code, 2, "{}", said.told());
    }
    assert!(common::files(&place.path("home/siem")).is_empty(), "no file of such a name");
    export(&place, &ledger, &["--since", "yesterday"]).refused(2).mentions(&["is no cursor"]);
    let link = place.path("link");
    std::os::unix::fs::symlink(place.path("target"), &link).unwrap();
    export(&place, &ledger, &["--to", text(&link)]).refused(1).mentions(&["cannot write"]);
    export(&place, &ledger, &["--to", text(&place.path("home"))]).refused(1).mentions(&["cannot write"]);
    assert!(!place.path("target").exists());
}
