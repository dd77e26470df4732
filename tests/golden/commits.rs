//! C: commits, paths and trees.

use git2::Oid;
use jit::domain::event::{Body, LockScope, Subject};

use crate::bodies::{approval, lock};
use crate::commit::{Commit, Entry};
use crate::ledger::Ledger;

/// A ledger with a request, bob's good approval of it, not landed yet, and what it is to be broken with.
fn broken(code: &'static str, breaking: impl FnOnce(&Ledger, &mut Commit)) {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let event = ledger.event("bob", Some(case.id), approval());
    let signed = ledger.sign(event);
    let mut commit = ledger.lay(&signed);
    breaking(&ledger, &mut commit);
    ledger.void(code, commit);
    ledger.check();
}

/// An event file that stands: the request's.
fn standing(ledger: &Ledger) -> String {
    ledger.paths().find(|path| path.contains("/request-") && path.ends_with(".toml")).unwrap().clone()
}

#[test]
fn c01_a_second_parent() {
    broken("C01", |ledger, commit| commit.parents.push(ledger.commits[0]));
}

#[test]
fn c01_the_same_parent_twice() {
    broken("C01", |ledger, commit| commit.parents.push(ledger.commits[1]));
}

#[test]
fn c01_a_foreign_history_merged() {
    let other = Ledger::new();
    let path = other.path();
    broken("C01", move |ledger, commit| {
        let foreign = ledger.fetch(&path);
        commit.parents.push(foreign);
    });
}

#[test]
fn c02_an_old_event_changed() {
    broken("C02", |ledger, commit| {
        let path = standing(ledger);
        commit.add.insert(path, (0o100_644, b"jit = 1\n".to_vec()));
    });
}

#[test]
fn c02_an_old_signature_changed() {
    broken("C02", |ledger, commit| {
        let path = format!("{}.sig", standing(ledger));
        commit.add.insert(path, (0o100_644, b"\n".to_vec()));
    });
}

#[test]
fn c02_an_old_event_removed() {
    broken("C02", |ledger, commit| commit.remove.push(standing(ledger)));
}

#[test]
fn c02_an_old_event_renamed() {
    broken("C02", |ledger, commit| {
        let path = standing(ledger);
        let bytes = ledger.blob(&path);
        commit.add.insert(path.replace("/request-", "/requests-"), (0o100_644, bytes));
        commit.remove.push(path);
    });
}

#[test]
fn c02_an_old_event_made_executable() {
    broken("C02", |ledger, commit| {
        let path = standing(ledger);
        let bytes = ledger.blob(&path);
        commit.add.insert(path, (0o100_755, bytes));
    });
}

#[test]
fn c02_an_executable_event() {
    broken("C02", |_, commit| commit.add.get_mut(&commit.path).unwrap().0 = 0o100_755);
}

#[test]
fn c02_a_symbolic_link() {
    broken("C02", |_, commit| commit.add.get_mut(&commit.path).unwrap().0 = 0o120_000);
}

#[test]
fn c02_a_submodule() {
    broken("C02", |_, commit| commit.add.get_mut(&commit.path).unwrap().0 = 0o160_000);
}

#[test]
fn c02_an_executable_signature() {
    broken("C02", |_, commit| commit.add.get_mut(&format!("{}.sig", commit.path)).unwrap().0 = 0o100_755);
}

#[test]
fn c03_a_stray_file() {
    broken("C03", |_, commit| {
        commit.add.insert(format!("{}/notes.txt", commit.folder), (0o100_644, b"hello\n".to_vec()));
    });
}

#[test]
fn c03_no_signature() {
    broken("C03", |_, commit| {
        let path = format!("{}.sig", commit.path);
        commit.add.remove(&path);
    });
}

#[test]
fn c03_no_event() {
    broken("C03", |_, commit| {
        let path = commit.path.clone();
        commit.add.remove(&path);
    });
}

#[test]
fn c03_nothing_at_all() {
    broken("C03", |_, commit| commit.add.clear());
}

#[test]
fn c03_two_events() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let [first, second] = ["bob", "dave"].map(|actor| {
        let event = ledger.event(actor, Some(case.id), approval());
        let signed = ledger.sign(event);
        ledger.lay(&signed)
    });
    let mut commit = first;
    commit.add.extend(second.add);
    ledger.void("C03", commit);
    ledger.check();
}

#[test]
fn c03_files_beside_an_approval() {
    broken("C03", |_, commit| {
        commit.add.insert(format!("{}/files/policy.toml", commit.folder), (0o100_644, b"version = 2\n".to_vec()));
    });
}

#[test]
fn c04_another_digest_in_the_name() {
    broken("C04", |_, commit| {
        let to = format!("{}/approval-aaaaaaaaaaaaaaaa.toml", commit.folder);
        commit.move_event(&to);
    });
}

#[test]
fn c04_another_kind_in_the_name() {
    broken("C04", |_, commit| {
        let to = commit.path.replace("/approval-", "/denial-");
        commit.move_event(&to);
    });
}

#[test]
fn c04_another_hour() {
    broken("C04", |_, commit| {
        let to = commit.path.replace("/23/14/", "/23/15/");
        commit.move_event(&to);
    });
}

#[test]
fn c04_another_cases_folder() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let other = ledger.request("frank", |_| ());
    let event = ledger.event("bob", Some(case.id), approval());
    let signed = ledger.sign(event);
    let mut commit = ledger.lay(&signed);
    let to = commit.path.replace(&case.id.0.short(), &other.id.0.short());
    commit.move_event(&to);
    ledger.void("C04", commit);
    ledger.check();
}

#[test]
fn c04_an_approval_copied_to_another_case() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let other = ledger.request("alice", |_| ());
    let event = ledger.event("bob", Some(case.id), approval());
    let signed = ledger.sign(event);
    let commit = ledger.lay(&signed);
    ledger.land(commit);
    let mut copy = ledger.lay(&signed);
    let to = copy.path.replace(&case.id.0.short(), &other.id.0.short());
    copy.move_event(&to);
    ledger.void("C04", copy);
    ledger.check();
}

#[test]
fn c05_a_governed_file_changed() {
    broken("C05", |_, commit| {
        commit.add.insert("README.md".into(), (0o100_644, b"Anybody may come in.\n".to_vec()));
    });
}

#[test]
fn c05_the_policy_changed_alone() {
    broken("C05", |ledger, commit| {
        commit.add.clear();
        let text = ledger.next_policy(|text| text.replace("threshold = 2", "threshold = 1"));
        commit.add.insert("policy.toml".into(), (0o100_644, text.into_bytes()));
    });
}

#[test]
fn c05_a_workflow_added() {
    broken("C05", |_, commit| {
        commit.add.insert(".github/workflows/mint.yml".into(), (0o100_644, b"on: push\n".to_vec()));
    });
}

#[test]
fn c05_a_governed_file_removed() {
    broken("C05", |_, commit| commit.remove.push("README.md".into()));
}

#[test]
fn c05_a_governed_file_made_executable() {
    broken("C05", |ledger, commit| {
        commit.add.insert("README.md".into(), (0o100_755, ledger.governed["README.md"].clone()));
    });
}

fn enactment(breaking: impl FnOnce(&mut Commit)) {
    let mut ledger = Ledger::new();
    let change = ledger.propose("rita", &[("README.md", "# Access, and how to ask for it\n")]);
    ledger.approve(change.id, "raj");
    let mut commit = ledger.enactment("raj", &change);
    breaking(&mut commit);
    ledger.void("C05", commit);
    ledger.check();
}

#[test]
fn c05_an_enactment_with_another_tree() {
    enactment(|commit| {
        commit.add.insert("README.md".into(), (0o100_644, b"# Something else\n".to_vec()));
    });
}

#[test]
fn c05_an_enactment_that_changes_nothing() {
    enactment(|commit| commit.add.retain(|path, _| path.starts_with("ledger/")));
}

#[test]
fn c05_an_enactment_with_a_file_too_many() {
    enactment(|commit| {
        commit.add.insert("deploy.sh".into(), (0o100_644, b"true\n".to_vec()));
    });
}

/// A ledger whose README a void commit changed, which the root quorum acknowledges: the enactment and its README's bytes.
fn acknowledged_spoil() -> (Ledger, Commit, Vec<u8>) {
    let mut ledger = Ledger::new();
    let readme = ledger.governed["README.md"].clone();
    let case = ledger.request("alice", |_| ());
    let event = ledger.event("bob", Some(case.id), approval());
    let signed = ledger.sign(event);
    let mut commit = ledger.lay(&signed);
    commit.add.insert("README.md".into(), (0o100_644, b"Anybody may come in.\n".to_vec()));
    ledger.void("C05", commit);
    let commits = ledger.voids().iter().map(|id| id.to_string().parse().unwrap()).collect();
    let proposal = ledger.propose_other("rita", Subject::Acknowledge { commits });
    ledger.approve(proposal, "raj");
    let event = ledger.event("rita", Some(proposal), Body::Enactment);
    let signed = ledger.sign(event);
    let commit = ledger.lay(&signed);
    (ledger, commit, readme)
}

#[test]
fn c05_an_enactment_that_leaves_a_spoilt_file() {
    let (mut ledger, commit, _) = acknowledged_spoil();
    ledger.void("C05", commit);
    ledger.check();
}

#[test]
fn control_an_enactment_that_puts_a_spoilt_file_right() {
    let (mut ledger, mut commit, readme) = acknowledged_spoil();
    commit.add.insert("README.md".into(), (0o100_644, readme));
    ledger.land(commit);
    ledger.acknowledged();
    ledger.check();
    assert_eq!(ledger.judged(&[]).findings(), []);
}

#[test]
fn c06_an_event_of_64_kib_and_one_byte() {
    let mut ledger = Ledger::new();
    let mut request = ledger.asks("alice");
    request.risk.impact = String::new();
    let mut event = ledger.event("alice", None, Body::Request(Box::new(request.clone())));
    let room = 64 * 1024 + 1 - jit::domain::codec::write(&event).len();
    request.risk.impact = "x".repeat(room);
    event.body = Body::Request(Box::new(request));
    let signed = ledger.sign(event);
    assert_eq!(signed.bytes.len(), 64 * 1024 + 1);
    ledger.void_signed("C06", &signed);
    ledger.check();
}

#[test]
fn c06_a_signature_of_more_than_4_kib() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let event = ledger.event("bob", Some(case.id), approval());
    let mut signed = ledger.sign(event);
    signed.signature.extend_from_slice(&[b'\n'; 4096]);
    ledger.void_signed("C06", &signed);
    ledger.check();
}

#[test]
fn c06_proposal_files_of_more_than_1_mib() {
    let mut ledger = Ledger::new();
    let half = "x".repeat(600 * 1024);
    let (event, files) = ledger.proposal("rita", &[("README.md", &half), ("notes.md", &half)]);
    let commit = ledger.lay_proposal(event, &files);
    ledger.void("C06", commit);
    ledger.check();
}

#[test]
fn c07_another_author() {
    broken("C07", |_, commit| commit.author = commit.author.replace("bob", "dave"));
}

#[test]
fn c07_another_email() {
    broken("C07", |_, commit| commit.author = commit.author.replace("@acme.example", "@acme.test"));
}

#[test]
fn c07_another_date() {
    broken("C07", |_, commit| {
        let (who, zone) = commit.author.rsplit_once(' ').unwrap();
        let (who, seconds) = who.rsplit_once(' ').unwrap();
        let seconds: i64 = seconds.parse().unwrap();
        commit.author = format!("{who} {} {zone}", seconds + 1);
    });
}

#[test]
fn c07_another_zone() {
    broken("C07", |_, commit| commit.author = commit.author.replace("+0000", "+0100"));
}

#[test]
fn c07_another_subject() {
    broken("C07", |_, commit| commit.reword("bob", "dave"));
}

#[test]
fn c07_a_body_that_nobody_signed() {
    broken("C07", |_, commit| commit.reword("\n\nJit-Event", "\n\nEverybody agrees.\n\nJit-Event"));
}

#[test]
fn c07_no_trailer() {
    broken("C07", |_, commit| {
        let message = String::from_utf8(commit.message.clone()).unwrap();
        commit.message = message.split_once("\n\n").unwrap().0.as_bytes().to_vec();
        commit.message.push(b'\n');
    });
}

#[test]
fn c07_another_events_trailer() {
    broken("C07", |ledger, commit| {
        let own = jit::domain::id::Digest::of(&commit.event).to_string();
        let other = ledger.id.unwrap().to_string();
        commit.reword(&own, &other);
    });
}

#[test]
fn c07_no_final_line_feed() {
    broken("C07", |_, commit| {
        commit.message.pop();
    });
}

#[test]
fn c07_another_line_feed() {
    broken("C07", |_, commit| commit.message.push(b'\n'));
}

#[test]
fn c07_a_nul() {
    broken("C07", |_, commit| commit.message.extend_from_slice(b"\0hidden\n"));
}

#[test]
fn c07_a_second_author() {
    broken("C07", |_, commit| commit.headers = format!("author {}\n", commit.author));
}

#[test]
fn c07_an_encoding() {
    broken("C07", |_, commit| commit.headers = "encoding ISO-8859-1\n".into());
}

#[test]
fn c07_a_signature_of_gits_own() {
    broken("C07", |_, commit| {
        commit.headers = "gpgsig -----BEGIN SSH SIGNATURE-----\n -----END SSH SIGNATURE-----\n".into();
    });
}

/// Breaks the entries of one directory: the root's for the empty path.
fn reshaped(directory: &'static str, change: impl Fn(&mut Vec<Entry>) + 'static) {
    broken("C08", |_, commit| {
        let folder = commit.folder.clone();
        let directory = if directory == "the case" { folder } else { directory.to_owned() };
        commit.reshape = Some(Box::new(move |path, entries| {
            if path == directory {
                change(entries);
            }
        }));
    });
}

#[test]
fn c08_an_unsorted_root() {
    reshaped("", |entries| entries.swap(0, 1));
}

#[test]
fn c08_an_unsorted_folder() {
    reshaped("the case", |entries| entries.swap(0, 1));
}

#[test]
fn c08_a_name_twice() {
    reshaped("", |entries| entries.insert(0, entries[0].clone()));
}

#[test]
fn c08_an_event_twice() {
    reshaped("the case", |entries| entries.insert(0, entries[0].clone()));
}

#[test]
fn c08_a_padded_mode() {
    reshaped("", |entries| {
        for entry in entries.iter_mut().filter(|entry| entry.name == "ledger") {
            entry.mode = "040000".into();
        }
    });
}

#[test]
fn c08_a_proposal_with_colliding_files() {
    let mut ledger = Ledger::new();
    let (event, files) = ledger.proposal("rita", &[("Readme.md", "one\n"), ("readme.md", "two\n")]);
    let commit = ledger.lay_proposal(event, &files);
    ledger.void("C08", commit);
    ledger.check();
}

#[test]
fn c08_a_proposal_with_files_that_fold_to_one() {
    let mut ledger = Ledger::new();
    let (event, files) = ledger.proposal("rita", &[("caf\u{e9}.md", "one\n"), ("cafe\u{301}.md", "two\n")]);
    let commit = ledger.lay_proposal(event, &files);
    ledger.void("C08", commit);
    ledger.check();
}

/// A proposal whose files lie under a name that no tree may have.
fn proposed(name: &str) {
    let mut ledger = Ledger::new();
    let (event, files) = ledger.proposal("rita", &[(name, "one\n")]);
    let commit = ledger.lay_proposal(event, &files);
    ledger.void("C08", commit);
    ledger.check();
}

#[test]
fn c08_a_git_directory() {
    proposed(".git/config");
}

#[test]
fn c08_a_git_directory_in_capitals() {
    proposed(".GIT/config");
}

#[test]
fn c08_a_way_out() {
    proposed("../policy.toml");
}

#[test]
fn c03_a_file_named_for_git() {
    // Malformed too, but a stray file first.
    broken("C03", |_, commit| {
        commit.add.insert(format!("{}/.git", commit.folder), (0o100_644, b"gitdir: /tmp\n".to_vec()));
    });
}

#[test]
fn void_commits_that_follow_each_other() {
    let mut ledger = Ledger::new();
    for _ in 0..3 {
        let event = ledger.event("bob", None, lock(LockScope::Ledger));
        ledger.void_event("A12", event);
    }
    assert_eq!(ledger.voids().len(), 3);
    assert!(ledger.voids().iter().all(|id| *id != Oid::ZERO_SHA1));
    ledger.check();
}
