//! The policy from outside: the sample ledger's own files, the templates, soundness (one row a rule). Counting
//! people is tested beside its code. Expected bytes come from the sample (made by another producer) and from git and ssh-keygen.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "helpers outside of test functions; PATH is how git and ssh-keygen are found"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ed25519_dalek::SigningKey;
use jit::domain::id::{Digest, Name};
use jit::domain::key::{KeyError, PublicKey, put_string};
use jit::domain::policy::{Builtin, Class, Clear, Mfa, Offline, Policy, PolicyErrors, Probe, ProbeWhat, Record};
use proptest::prelude::*;

#[path = "policy/diff.rs"]
mod diff;
#[path = "policy/edges.rs"]
mod edges;
#[path = "policy/rows.rs"]
mod rows;

const SAMPLE: &str = include_str!("../ledger-template/policy.sample.toml");
const TEMPLATE: &str = include_str!("../ledger-template/policy.toml");
const README: &str = include_str!("../ledger-template/README.md");

// ---- keys and names ----------------------------------------------------------------------------------------------

fn key(seed: u8) -> PublicKey {
    PublicKey::ed25519(SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes()).unwrap()
}

fn hardware_key(seed: u8, application: &str) -> String {
    let mut blob = Vec::new();
    put_string(&mut blob, b"sk-ssh-ed25519@openssh.com");
    put_string(&mut blob, key(seed).point());
    put_string(&mut blob, application.as_bytes());
    PublicKey::from_blob(&blob).unwrap().to_string()
}

/// Fills `{{key:NAME}}` with a key of its own for each name.
fn fill(text: &str) -> String {
    let mut out = text.to_owned();
    let mut seed = 1;
    while let Some(start) = out.find("{{key:") {
        let end = start + out[start..].find("}}").unwrap() + 2;
        let token = out[start..end].to_owned();
        out = out.replace(&token, &key(seed).to_string());
        seed += 1;
    }
    out
}

fn sample() -> String {
    fill(SAMPLE)
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn names(text: &str) -> BTreeSet<Name> {
    text.split_whitespace().map(name).collect()
}

fn parse(text: &str) -> Result<Policy, PolicyErrors> {
    Policy::parse(text.as_bytes())
}

// ---- the sample ledger -------------------------------------------------------------------------------------------

fn run(program: &str, args: &[&str], dir: &Path) -> Output {
    let output = Command::new(program)
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A clone of the sample; the directory lives as long as the first part.
fn clone_sample() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sample/ledger.bundle");
    run("git", &["clone", "-q", "-b", "main", bundle.to_str().unwrap(), "ledger"], dir.path());
    let ledger = dir.path().join("ledger");
    (dir, ledger)
}

#[test]
fn the_samples_policies_parse_and_derive_their_allowed_signers() {
    let (_dir, ledger) = clone_sample();
    let commits = run("git", &["log", "--format=%H", "--reverse", "--", "policy.toml"], &ledger).stdout;
    let mut versions = Vec::new();
    for commit in String::from_utf8(commits).unwrap().lines() {
        let show = |path: &str| run("git", &["show", &format!("{commit}:{path}")], &ledger).stdout;
        let bytes = show("policy.toml");
        let policy = Policy::parse(&bytes).unwrap();
        assert_eq!(policy.digest, Digest::of(&bytes));
        assert_eq!(policy.allowed_signers().into_bytes(), show("allowed_signers"), "{commit}");
        versions.push(policy.version);
    }
    assert_eq!(versions, [1, 2]);
}

#[test]
fn ssh_keygen_says_good_by_the_ledgers_readme_alone() {
    let (_dir, ledger) = clone_sample();
    // What the README tells an auditor to type, word for word.
    let script = README.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let out = String::from_utf8(run("sh", &["-c", script], &ledger).stdout).unwrap();
    assert!(!out.contains("BAD"), "{out}");
    // 39 leaves, one of them a void commit without an event: expected.json.
    assert_eq!(out.lines().filter(|line| line.starts_with("Good \"jit-1/")).count(), 38, "{out}");
    assert_eq!(out.lines().filter(|line| line.starts_with("no event: ")).count(), 1, "{out}");
}

#[test]
fn the_samples_policy_says_what_it_says() {
    let policy = parse(&sample()).unwrap();
    let role = policy.role(&"payments-db/read-only".parse().unwrap()).unwrap();
    assert_eq!(role.logins, ["readonly"]);
    assert_eq!(role.max_duration.seconds(), 7200);
    assert_eq!(role.mfa, Mfa::None);
    assert_eq!(role.record, Record::Required);
    assert!(!role.least_privilege);
    assert!(role.ticket.as_ref().unwrap().matches("INC-4711"));
    assert_eq!(role.source_address[0].to_string(), "127.0.0.0/8");
    let emergency = role.emergency.as_ref().unwrap();
    assert_eq!((emergency.max_duration.seconds(), emergency.review.count), (900, 2));
    assert!(policy.role(&"payments-db/operator".parse().unwrap()).unwrap().least_privilege);
    assert!(policy.role(&"payments-db/nope".parse().unwrap()).is_none());
    assert_eq!(policy.environment_of(&"payments-db/operator".parse().unwrap()), Some(&name("prod")));
    assert_eq!(policy.environment_of(&"payments-db/nope".parse().unwrap()), None);
    assert!(policy.is_member(&name("alice")) && !policy.is_member(&name("minter")) && !policy.is_member(&name("db1")));
    assert!(policy.in_group(&name("alice"), &name("on-call")) && !policy.in_group(&name("bob"), &name("on-call")));
    assert!(policy.in_any_group(&name("dave"), &policy.revoke) && !policy.in_any_group(&name("alice"), &policy.lock));
    assert_eq!(policy.members_of(&name("sre")).cloned().collect::<BTreeSet<_>>(), names("bob carol"));
    assert_eq!(policy.actor_of_key(&policy.actor(&name("erin")).unwrap().keys[0]), Some(&name("erin")));
    assert_eq!(policy.data_classes().into_iter().collect::<Vec<_>>(), ["npi"]);
    let Class::Service { mints } = &policy.actor(&name("minter")).unwrap().class else { panic!() };
    assert_eq!(*mints, [name("prod")]);
    assert!(policy.root_quorum(&names("raj rita")));
    assert!(!policy.root_quorum(&names("raj alice bob nobody")));
}

// ---- the template that `init` writes -----------------------------------------------------------------------------

fn template() -> String {
    TEMPLATE
        .replace("{{name}}", "acme/production")
        .replace("{{root_member}}", "rita")
        .replace("{{root_email}}", "rita@acme.example")
        .replace("{{root_key}}", &key(1).to_string())
        .replace("{{minter_key}}", &key(2).to_string())
        .replace("{{ca_key}}", &key(3).to_string())
        .replace("{{log_key}}", &key(4).to_string())
}

#[test]
fn the_template_is_sound_as_it_is_and_with_its_examples_uncommented() {
    let plain = template();
    assert!(!plain.contains("{{"), "a placeholder is left");
    let policy = parse(&plain).unwrap();
    assert_eq!(policy.actors.len(), 2);
    assert!(policy.targets.is_empty() && policy.root_quorum(&names("rita")));

    let mut text = String::new();
    for line in plain.lines() {
        let example = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ') && !rest.is_empty());
        text.push_str(example.unwrap_or(line));
        text.push('\n');
    }
    for (seed, who) in (10..).zip(["alice", "bob", "dave", "db1"]) {
        text = text.replace(&format!("ssh-ed25519 AAAA…{who}"), &key(seed).to_string());
    }
    let policy = parse(&text).unwrap_or_else(|errors| panic!("{errors}"));
    let target = &policy.targets[&name("payments-db")];
    assert_eq!((target.roles.len(), target.probes.len()), (1, 2));
    assert_eq!(policy.actors.len(), 6);
}

// ---- what may be left out ----------------------------------------------------------------------------------------

#[test]
fn what_is_left_out_has_its_documented_default() {
    let text: String = sample()
        .lines()
        .filter(|line| {
            ![
                "ticket",
                "mfa",
                "source_address",
                "extensions",
                "record",
                "review",
                "emergency",
                "least_privilege",
                "description",
                "data",
                "offline",
                "[[target",
                "name = \"no ",
                "builtin",
                "[log]",
                "[[environment",
            ]
            .iter()
            .any(|start| line.starts_with(start))
        })
        .map(|line| format!("{line}\n"))
        .collect();
    // The key lines of [log] and the recorder.
    let text: String = text.split_inclusive('\n').filter(|line| !line.starts_with("key = ")).collect();
    let policy = parse(&text).unwrap_or_else(|errors| panic!("{errors}"));
    let role = policy.role(&"payments-db/operator".parse().unwrap()).unwrap();
    assert!(role.ticket.is_none() && role.review.is_none() && role.emergency.is_none());
    assert!(role.source_address.is_empty() && role.extensions.is_empty() && !role.least_privilege);
    assert_eq!((role.mfa, role.record), (Mfa::None, Record::Required));
    assert!(policy.log.is_none() && policy.environments[&name("prod")].recorders.is_empty());
    let target = &policy.targets[&name("payments-db")];
    assert!(target.description.is_empty() && target.data.is_empty());
    assert_eq!(target.offline, Offline::Deny);
    assert!(target.probes.is_empty());
}

// ---- what a host looks at ----------------------------------------------------------------------------------------

/// The sample with `probes` in place of its own.
fn with_probes(probes: &str) -> String {
    let text = sample();
    let start = text.find("[[target.payments-db.probe]]").unwrap();
    let end = text.find("[revoke]").unwrap();
    format!("{}{probes}\n\n{}", &text[..start], &text[end..])
}

#[test]
fn probes_say_what_a_host_looks_at() {
    let policy = parse(&with_probes(
        r#"
[[target.payments-db.probe]]
name = "no lingering changes"
builtin = "files"
paths = ["/etc/postgresql", "/"]
timeout = "300s"

[[target.payments-db.probe]]
name = "no replication slots"
command = ["/usr/bin/psql", "-c", "-c", "SELECT 1; -- `$HOME`"]
clear = "success"
run_as = "postgres"

[[target.payments-db.probe]]
name = "jobs"
builtin = "jobs"

[[target.payments-db.probe]]
name = "nobody of them is left"
builtin = "processes"
timeout = "5s"

[[target.payments-db.probe]]
name = "true is true"
command = ["/bin/true"]
"#,
    ))
    .unwrap_or_else(|errors| panic!("{errors}"));
    let target = &policy.targets[&name("payments-db")];
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let seconds = |n| jit::domain::time::Ttl::from_seconds(n).unwrap();
    let probe = |name: &str, what, timeout| Probe { name: name.to_owned(), what, timeout: seconds(timeout) };
    let listed = [
        probe("no lingering changes", ProbeWhat::Files(words(&["/etc/postgresql", "/"])), 300),
        probe(
            "no replication slots",
            ProbeWhat::Command {
                argv: words(&["/usr/bin/psql", "-c", "-c", "SELECT 1; -- `$HOME`"]),
                clear: Clear::Success,
                run_as: Some("postgres".to_owned()),
            },
            30,
        ),
        probe("jobs", ProbeWhat::Builtin(Builtin::Jobs), 30),
        probe("nobody of them is left", ProbeWhat::Builtin(Builtin::Processes), 5),
        probe(
            "true is true",
            ProbeWhat::Command { argv: words(&["/bin/true"]), clear: Clear::Empty, run_as: None },
            30,
        ),
    ];
    assert_eq!(target.probes, listed);
    // The host's own run in any case; one that the policy lists does not run twice.
    let all = target.all_probes();
    assert_eq!(all[..5], listed);
    assert_eq!(all[5..], [probe("connections", ProbeWhat::Builtin(Builtin::Connections), 30)]);
    let distinct: BTreeSet<&str> = all.iter().map(|probe| probe.name.as_str()).collect();
    assert_eq!(distinct.len(), all.len());
    let none = parse(&with_probes("")).unwrap();
    let own: Vec<ProbeWhat> = none.targets[&name("payments-db")].all_probes().into_iter().map(|p| p.what).collect();
    assert_eq!(own, [Builtin::Processes, Builtin::Connections, Builtin::Jobs].map(ProbeWhat::Builtin));
}

#[test]
fn a_host_that_is_cut_off_does_what_the_policy_says() {
    assert_eq!(parse(&sample()).unwrap().targets[&name("payments-db")].offline, Offline::Deny);
    let spool = sample().replace("offline = \"deny\"", "offline = \"spool\"");
    assert_eq!(parse(&spool).unwrap().targets[&name("payments-db")].offline, Offline::Spool);
}

#[test]
fn the_order_of_mfa_is_its_strength() {
    assert!(Mfa::None < Mfa::Touch && Mfa::Touch < Mfa::TouchPin);
}

// ---- what is refused, and where ----------------------------------------------------------------------------------

/// One edit of the sample's policy. `§` in the new text marks where the problem must be pointed at.
struct Row(&'static str, String, &'static str);

/// Applies the row: the policy's text, and line and column of the mark.
fn edit(row: &Row) -> (String, usize, usize) {
    let Row(from, to, _) = row;
    let base = sample();
    assert!(base.contains(from), "the sample lacks {from:?}");
    let marked = base.replacen(from, to, 1);
    let offset = marked.find('§').unwrap_or_else(|| panic!("no mark in {to:?}"));
    let before = &marked[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    (marked.replace('§', ""), line, column)
}

/// The key that [`fill`] gives `who`.
fn sample_key(who: &str) -> String {
    let line = SAMPLE.lines().position(|line| line.contains(&format!("{{{{key:{who}}}}}"))).unwrap();
    sample().lines().nth(line).unwrap().split('"').nth(1).unwrap().to_owned()
}

fn same_point_hardware(who: &str) -> String {
    let point = *sample_key(who).parse::<PublicKey>().unwrap().point();
    let mut blob = Vec::new();
    put_string(&mut blob, b"sk-ssh-ed25519@openssh.com");
    put_string(&mut blob, &point);
    put_string(&mut blob, b"ssh:");
    PublicKey::from_blob(&blob).unwrap().to_string()
}

/// The identity point (y = 1, order 1): RFC 8032, section 5.1.
const WEAK: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn the_weak_key_is_weak_and_nothing_else() {
    assert_eq!(WEAK.parse::<PublicKey>(), Err(KeyError::Weak));
}

#[test]
fn each_rule_is_told_where_it_is_broken() {
    let mut failures = Vec::new();
    for row in rows::rows() {
        let (text, line, column) = edit(&row);
        let at = |errors: &PolicyErrors| {
            errors.0.iter().any(|p| (p.line, p.column) == (line, column) && p.message.contains(row.2))
        };
        match parse(&text) {
            Err(errors) if at(&errors) => {}
            Err(errors) => failures.push(format!("{:?} at {line}:{column}, got\n{errors}", row.2)),
            Ok(_) => failures.push(format!("{:?} was accepted", row.2)),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_problem_is_told_at_once_and_in_order() {
    let text = sample()
        .replace("version = 1", "version = 0")
        .replace("\"bob@acme.example\"", "\"bob\"")
        .replace("mints", "mint")
        .replace("mfa = \"none\"", "mfa = \"loud\"");
    let errors = parse(&text).unwrap_err();
    let lines: Vec<usize> = errors.0.iter().map(|problem| problem.line).collect();
    assert_eq!(errors.0.len(), 6, "{errors}"); // `mint` is both unknown and `mints` missing
    assert!(lines.is_sorted(), "{errors}");
    assert!(errors.to_string().starts_with("policy.toml:1:11: 0 is out of range; expected a number of at least 1\n"));
}

#[test]
fn what_is_no_text_is_refused() {
    let errors = |bytes: &[u8]| Policy::parse(bytes).unwrap_err().to_string();
    assert!(errors(b"version = 1\n\xff").starts_with("policy.toml:2:1: the file is not UTF-8"));
    assert!(errors("\u{feff}version = 1".as_bytes()).contains("byte order mark"));
    assert!(errors(&vec![b'#'; (1 << 20) + 1]).contains("too large"));
    // Nothing at all: each of the nine keys that have no default.
    assert_eq!(Policy::parse(b"").unwrap_err().0.len(), 9);
    // Deep nesting is the parser's to refuse, not the stack's.
    assert!(errors(format!("version = {}", "[".repeat(100_000)).as_bytes()).contains("not TOML"));
}

/// A member may propose any megabyte, and every verifier reads it for ever: the work must stay small. The bound is far
/// above what it takes (well under a second) and far below what a quadratic look would.
#[test]
fn a_hostile_megabyte_is_judged_in_time() {
    let megabyte = |line: &dyn Fn(usize) -> String| {
        let mut text = sample();
        for n in 0.. {
            let line = line(n);
            if text.len() + line.len() > 1 << 20 {
                return text;
            }
            text.push_str(&line);
        }
        text
    };
    let items = |n: usize| (0..n).map(|i| format!("\"g{i}\"")).collect::<Vec<_>>().join(",");
    let roles = |n: usize| {
        format!(
            "[target.payments-db.role.r{n}]\nlogins=[\"x\"]\nrequesters=[\"sre\"]\nmax_duration=\"1h\"\napprove=[{}]\n",
            ["sre", "security", "on-call", "developers"]
                .map(|g| format!("{{group=\"{g}\",count={}}}", n % 60 + 1))
                .join(",")
        )
    };
    let start = std::time::Instant::now();
    for text in [
        megabyte(&|n| format!("x{n}=1\n")),
        megabyte(&|_| "x=1\n".to_owned()),
        megabyte(&|n| format!("[target.t{n}]\nenvironment=\"no\"\n")),
        megabyte(&|_| "]\n".to_owned()),
        megabyte(&roles),
        sample().replace("requesters = [\"developers\"]", &format!("requesters = [{}]", items(60_000))),
    ] {
        let errors = parse(&text).unwrap_err();
        assert!((1..=100).contains(&errors.0.len()), "{}", errors.0.len());
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn an_sk_key_is_an_actors_key() {
    let text = sample().replace(&sample_key("rita"), &hardware_key(95, "ssh:"));
    let policy = parse(&text).unwrap();
    assert!(policy.actor(&name("rita")).unwrap().keys[0].is_hardware());
    assert!(policy.allowed_signers().contains("rita namespaces=\"jit-1/*\" sk-ssh-ed25519@openssh.com AAAA"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(parse(&text).is_err());
        prop_assert!(Policy::parse(&bytes).is_err());
    }

    #[test]
    fn no_mutation_makes_it_panic(
        at in any::<prop::sample::Index>(),
        length in 0usize..40,
        new in "[\\[\\]{}=\"'#.,a-z0-9\n\u{0}é-]{0,12}",
    ) {
        let base = sample();
        let start = at.index(base.len());
        let end = (start + length).min(base.len());
        let mutated = format!("{}{new}{}", &base[..start], &base[end..]);
        match parse(&mutated) {
            // Sound policies stay so: what they derive names only their actors.
            Ok(policy) => {
                let keys: usize = policy.actors.values().map(|actor| actor.keys.len()).sum();
                prop_assert_eq!(policy.allowed_signers().lines().count(), keys);
            }
            Err(errors) => {
                let lines = mutated.matches('\n').count() + 1;
                prop_assert!(!errors.0.is_empty());
                prop_assert!(errors.0.iter().all(|p| (1..=lines).contains(&p.line) && p.column >= 1));
            }
        }
    }
}
