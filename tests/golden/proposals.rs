//! A10 and A11: proposals, and putting them in force.

use jit::domain::event::{Body, FileDigest, Subject};
use jit::domain::id::{Digest, ObjectId};

use crate::keys::Key;
use crate::ledger::Ledger;

/// A proposal of a new README with its subject changed before it is signed.
fn proposed(change: impl FnOnce(&mut u64, &mut Vec<FileDigest>)) {
    let mut ledger = Ledger::new();
    let (mut event, changed) = ledger.proposal("rita", &[("README.md", "# Access, and how to ask for it\n")]);
    let Body::Proposal(proposal) = &mut event.body else { unreachable!() };
    let Subject::Policy { version, files } = &mut proposal.subject else { unreachable!() };
    change(version, files);
    let commit = ledger.lay_proposal(event, &changed);
    ledger.void("A10", commit);
    ledger.check();
}

#[test]
fn a10_the_present_version() {
    proposed(|version, _| *version = 1);
}

#[test]
fn a10_a_version_left_out() {
    proposed(|version, _| *version = 3);
}

#[test]
fn a10_new_files_under_the_present_policy() {
    // The version is the policy's own: whatever changes, policy.toml changes with it.
    let mut ledger = Ledger::new();
    let policy = String::from_utf8(ledger.governed["policy.toml"].clone()).unwrap();
    let (event, files) = ledger.proposal("rita", &[("README.md", "# Access\n"), ("policy.toml", &policy)]);
    let commit = ledger.lay_proposal(event, &files);
    ledger.void("A10", commit);
    ledger.check();
}

#[test]
fn a10_a_digest_that_is_not_the_files() {
    proposed(|_, files| files[0].sha256 = Digest::of(b"another text"));
}

#[test]
fn a10_a_manifest_without_the_policy() {
    proposed(|_, files| files.retain(|file| file.path != "policy.toml"));
}

/// The files beside a proposal are not those of its manifest.
fn beside(change: impl FnOnce(&mut crate::commit::Commit, &str)) {
    let mut ledger = Ledger::new();
    let (event, files) = ledger.proposal("rita", &[("README.md", "# Access, and how to ask for it\n")]);
    let mut commit = ledger.lay_proposal(event, &files);
    let folder = format!("{}/files", commit.folder);
    change(&mut commit, &folder);
    ledger.void("A10", commit);
    ledger.check();
}

#[test]
fn a10_a_changed_file_that_is_not_there() {
    beside(|commit, folder| {
        commit.add.remove(&format!("{folder}/README.md")).unwrap();
    });
}

#[test]
fn a10_a_file_that_the_manifest_does_not_name() {
    beside(|commit, folder| {
        commit.add.insert(format!("{folder}/deploy.sh"), (0o100_644, b"true\n".to_vec()));
    });
}

#[test]
fn a10_a_file_with_other_bytes() {
    beside(|commit, folder| {
        commit.add.insert(format!("{folder}/README.md"), (0o100_644, b"# Something else\n".to_vec()));
    });
}

/// A proposal of a policy that is unsound.
fn unsound(edit: impl FnOnce(String) -> String) {
    let mut ledger = Ledger::new();
    let text = ledger.next_policy(edit);
    let (event, files) = ledger.proposal("rita", &[("policy.toml", &text)]);
    let commit = ledger.lay_proposal(event, &files);
    ledger.void("A10", commit);
    ledger.check();
}

#[test]
fn a10_an_unknown_group() {
    unsound(|text| text.replace("[lock]\ngroups = [\"security\"]", "[lock]\ngroups = [\"audit\"]"));
}

#[test]
fn a10_a_quorum_that_nobody_can_reach() {
    unsound(|text| text.replacen("{ group = \"security\", count = 1 }]", "{ group = \"security\", count = 3 }]", 1));
}

#[test]
fn a10_one_key_with_two_actors() {
    unsound(|text| text.replace(&Key::of("bob").public.to_string(), &Key::of("carol").public.to_string()));
}

#[test]
fn a10_a_threshold_above_the_members() {
    unsound(|text| text.replace("threshold = 2", "threshold = 3"));
}

#[test]
fn a10_a_policy_with_a_typo() {
    unsound(|text| text.replace("staleness", "stalenes"));
}

/// A probe of payments-db that may not be, in an otherwise sound policy.
fn unsound_probe(fields: &str) {
    unsound(|text| text.replace("\n[revoke]", &format!("\n[[target.payments-db.probe]]\n{fields}\n\n[revoke]")));
}

#[test]
fn a10_a_probe_that_is_no_absolute_command() {
    unsound_probe("name = \"no open data streams\"\ncommand = [\"true\"]");
}

#[test]
fn a10_a_probe_by_the_name_of_another() {
    unsound_probe("name = \"jobs\"\nbuiltin = \"connections\"");
}

#[test]
fn a10_a_probe_that_takes_longer_than_anybody_waits() {
    unsound_probe("name = \"no open data streams\"\nbuiltin = \"connections\"\ntimeout = \"6m\"");
}

#[test]
fn a10_a_target_that_knows_a_third_way_to_be_offline() {
    unsound(|text| text.replace("[target.payments-db]\n", "[target.payments-db]\noffline = \"allow\"\n"));
}

/// The same places with what they may hold: a policy that is proposed, approved and enacted.
#[test]
fn a_policy_with_probes_is_enacted() {
    let mut ledger = Ledger::new();
    let change = ledger.propose_policy("rita", |text| {
        text.replace("[target.payments-db]\n", "[target.payments-db]\noffline = \"spool\"\n").replace(
            "\n[revoke]",
            "\n[[target.payments-db.probe]]\nname = \"no open data streams\"\nbuiltin = \"connections\"\n\n[revoke]",
        )
    });
    ledger.approve(change.id, "raj");
    ledger.enact("rita", &change);
    ledger.check();
}

#[test]
fn a10_a_policy_with_another_version_than_its_proposal() {
    unsound(|text| text.replace("version = 2\n", "version = 3\n"));
}

#[test]
fn a10_a_key_that_was_once_anothers() {
    let mut ledger = Ledger::new();
    let bobs = Key::of("bob").public.to_string();
    let new = Key::of("bob's new one").public.to_string();
    let change = ledger.propose_policy("rita", |text| text.replace(&bobs, &new));
    ledger.approve(change.id, "raj");
    ledger.enact("rita", &change);
    let text = ledger.next_policy(|text| text.replace(&Key::of("carol").public.to_string(), &bobs));
    let (event, files) = ledger.proposal("rita", &[("policy.toml", &text)]);
    let commit = ledger.lay_proposal(event, &files);
    ledger.void("A10", commit);
    ledger.check();
}

#[test]
fn a10_an_acknowledgement_of_a_good_commit() {
    let mut ledger = Ledger::new();
    let commits = vec![ledger.commits[0].to_string().parse::<ObjectId>().unwrap()];
    let subject = Subject::Acknowledge { commits };
    let proposal = jit::domain::event::Proposal { reason: "It was looked into.".into(), subject };
    let event = ledger.event("rita", None, Body::Proposal(proposal));
    ledger.void_event("A10", event);
    ledger.check();
}

/// Nobody would have signed them. A change of which `tests/mutated.rs` said that it changes nothing led here.
#[test]
fn a10_files_beside_a_proposal_that_names_none() {
    let mut ledger = Ledger::new();
    let event = ledger.event("dave", None, crate::bodies::lock(jit::domain::event::LockScope::Ledger));
    let lock = ledger.say(event);
    let proposal = jit::domain::event::Proposal { reason: "Found.".into(), subject: Subject::Unlock { lock } };
    let event = ledger.event("rita", None, Body::Proposal(proposal));
    let signed = ledger.sign(event);
    let mut commit = ledger.lay(&signed);
    commit.add.insert(format!("{}/files/policy.toml", commit.folder), (0o100_644, b"version = 2\n".to_vec()));
    ledger.void("A10", commit);
    ledger.check();
}

#[test]
fn a10_a_proposal_by_a_service() {
    let mut ledger = Ledger::new();
    let (event, files) = ledger.proposal("minter", &[("README.md", "# Access\n")]);
    let commit = ledger.lay_proposal(event, &files);
    ledger.void("A10", commit);
    ledger.check();
}

#[test]
fn a10_a_manifest_that_reaches_into_the_ledger() {
    proposed(|_, files| {
        files.push(FileDigest { path: "ledger/readme.md".into(), sha256: Digest::of(b"x") });
        files.sort_by(|left, right| left.path.cmp(&right.path));
    });
}

#[test]
fn a11_an_enactment_of_a_request() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let event = ledger.event("rita", Some(case.id), Body::Enactment);
    ledger.void_event("A11", event);
    ledger.check();
}

const README: &[(&str, &str)] = &[("README.md", "# Access, and how to ask for it\n")];

#[test]
fn a11_an_enactment_that_only_the_proposer_wants() {
    let mut ledger = Ledger::new();
    let change = ledger.propose("rita", README);
    let commit = ledger.enactment("rita", &change);
    ledger.void("A11", commit);
    // The tree is the void commit's now; what is in force is not.
    ledger.check();
}

#[test]
fn a11_a_threshold_lowered_by_the_change_that_uses_it() {
    let mut ledger = Ledger::new();
    let change = ledger.propose_policy("rita", |text| text.replace("threshold = 2", "threshold = 1"));
    let commit = ledger.enactment("rita", &change);
    ledger.void("A11", commit);
    ledger.check();
}

#[test]
fn a11_an_enactment_without_the_new_root_quorum() {
    let mut ledger = Ledger::new();
    let change = ledger.propose_policy("rita", |text| {
        text.replace("threshold = 2\nmembers = [\"rita\", \"raj\"]", "threshold = 2\nmembers = [\"rita\", \"erin\"]")
    });
    ledger.approve(change.id, "raj");
    let commit = ledger.enactment("raj", &change);
    ledger.void("A11", commit);
    ledger.check();
}

#[test]
fn a11_an_enactment_of_a_denied_proposal() {
    let mut ledger = Ledger::new();
    let change = ledger.propose("rita", README);
    ledger.told("raj", change.id, crate::bodies::denial());
    let commit = ledger.enactment("rita", &change);
    ledger.void("A11", commit);
    ledger.check();
}

#[test]
fn a11_an_enactment_of_an_overtaken_proposal() {
    let mut ledger = Ledger::new();
    let first = ledger.propose("rita", README);
    let second = ledger.propose("raj", &[("README.md", "# Access, otherwise\n")]);
    ledger.approve(first.id, "raj");
    ledger.approve(second.id, "rita");
    ledger.enact("rita", &first);
    let commit = ledger.enactment("raj", &second);
    ledger.void("A11", commit);
    ledger.check();
}

#[test]
fn a11_a_second_enactment() {
    let mut ledger = Ledger::new();
    let change = ledger.propose("rita", README);
    ledger.approve(change.id, "raj");
    ledger.enact("rita", &change);
    let commit = ledger.enactment("raj", &change);
    ledger.void("A11", commit);
    ledger.check();
}
