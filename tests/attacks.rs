//! The 31 attacks that the design lists: what is done, what jit says of it, the code, and the exit code. Most of them are
//! golden ledgers or stories of other test files: the table names these tests, and each name is looked for. What needs a
//! repository that was tampered with beside its commits, or the real `ssh-keygen` in the attacker's hand, is played here.
//! Everything is judged by the real binary, on a ledger on disk.

// Helpers stand outside of test functions, where the lints allow this. What is shared with the golden ledgers is not all used.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, dead_code)]

use std::fs;
use std::path::Path;

use Verdict::{Both, Error, Ok, Refused, Rewritten, Void};

#[path = "golden/bodies.rs"]
mod bodies;
#[path = "attacks/certified.rs"]
mod certified;
#[path = "golden/commit.rs"]
mod commit;
#[path = "common/harness.rs"]
mod common;
#[path = "golden/governed.rs"]
mod governed;
#[path = "golden/keys.rs"]
mod keys;
#[path = "golden/ledger.rs"]
mod ledger;
#[path = "golden/minting.rs"]
mod minting;
#[path = "attacks/points.rs"]
mod points;
#[path = "attacks/repository.rs"]
mod repository;
#[path = "attacks/times.rs"]
mod times;
#[path = "golden/verdict.rs"]
mod verdict;

/// What jit says of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The commit is void, for the first of these codes that it breaks: exit 4.
    Void(&'static [&'static str]),
    /// It could not be checked, which is neither good nor bad: exit 1.
    Error,
    /// Another history than the one that was verified before: exit 5.
    Rewritten,
    /// Refused before anything was signed, for this code: exit 3.
    Refused(&'static str),
    /// Void where it is in the history; exit 5 for whoever has seen more.
    Both(&'static [&'static str]),
    /// The attack changes nothing: exit 0.
    Ok,
}

impl Verdict {
    /// The exit codes of `jit verify` and of the command that meets it.
    const fn exits(self) -> &'static [i32] {
        match self {
            Void(_) => &[4],
            Error => &[1],
            Rewritten => &[5],
            Refused(_) => &[3],
            Both(_) => &[4, 5],
            Ok => &[0],
        }
    }

    const fn codes(self) -> &'static [&'static str] {
        match self {
            Void(codes) | Both(codes) => codes,
            _ => &[],
        }
    }
}

/// An attack: its number, what is done, what jit says, the exit codes, and the tests that play it (`file::test`).
struct Attack(u8, &'static str, Verdict, &'static [i32], &'static [&'static str]);

#[rustfmt::skip]
const ATTACKS: [Attack; 36] = [
    Attack(1, "the identity point as a key: its signature fits every message", Void(&["K02"]), &[4],
        &["golden/signatures::k02_the_identity_as_key"]),
    Attack(2, "a key, or an R, of small order, in each of its encodings", Void(&["K02"]), &[4],
        &["attacks/points::small_orders_as_key_and_as_r", "golden/signatures::k02_a_small_order_r"]),
    Attack(3, "S plus the group's order: another signature from a good one", Void(&["K02"]), &[4],
        &["golden/signatures::k02_s_that_is_not_reduced"]),
    Attack(4, "the reserved field of SSHSIG is filled", Void(&["K01"]), &[4],
        &["golden/signatures::k01_a_filled_reserved_field"]),
    Attack(5, "SSHSIG version 0", Void(&["K01"]), &[4], &["golden/signatures::k01_version_0"]),
    Attack(6, "a signature made for another kind, or for files", Void(&["K03"]), &[4],
        &["golden/signatures::k03_another_kinds_namespace", "golden/signatures::k03_the_namespace_of_files"]),
    Attack(7, "text after the signature, or a second block", Void(&["K01"]), &[4],
        &["golden/signatures::k01_text_after_the_armor", "golden/signatures::k01_two_blocks"]),
    Attack(8, "CRLF, or text before the signature", Void(&["K01"]), &[4],
        &["golden/signatures::k01_carriage_returns", "golden/signatures::k01_text_before_the_armor"]),
    Attack(9, "a hardware key that nobody touched", Void(&["K05"]), &[4],
        &["golden/signatures::k05_no_touch", "golden/signatures::k05_an_approval_without_touch", "hardware_keys::pushed_by_hand_it_is_void"]),
    Attack(10, "a hardware key without its PIN where it is demanded", Void(&["K05"]), &[4],
        &["golden/signatures::k05_touch_where_a_pin_is_demanded", "golden/signatures::k05_an_approval_without_a_pin", "hardware_keys::pushed_by_hand_it_is_void"]),
    Attack(11, "one key for two people, or again for another", Void(&["A10"]), &[4],
        &["golden/proposals::a10_one_key_with_two_actors", "golden/proposals::a10_a_key_that_was_once_anothers"]),
    Attack(12, "two approvals by two keys of one person", Void(&["A03"]), &[4],
        &["golden/authority::a03_two_approvals_by_two_keys_of_one_person", "roots::one_person_is_one_vote"]),
    Attack(13, "somebody approves their own request or proposal", Void(&["A03"]), &[4],
        &["golden/authority::a03_approval_by_the_requester", "golden/authority::a03_approval_of_a_proposal_by_its_proposer"]),
    Attack(14, "an approval is copied to another case", Void(&["C04"]), &[4],
        &["golden/commits::c04_an_approval_copied_to_another_case", "golden/commits::c04_another_cases_folder"]),
    Attack(15, "an approval is made before its author saw the request", Void(&["L06"]), &[4],
        &["golden/log::l06_a_case_that_was_not_seen"]),
    Attack(16, "a key that is added later, or was removed earlier", Void(&["K04"]), &[4],
        &["golden/signatures::k04_a_key_that_is_added_later", "golden/signatures::k04_a_key_that_was_removed_before",
          "golden/signatures::k04_a_key_that_was_removed_since_it_was_used"]),
    Attack(17, "a change of policy lowers the threshold that it needs", Void(&["A11"]), &[4],
        &["golden/proposals::a11_a_threshold_lowered_by_the_change_that_uses_it", "governance::old_and_new_root_agree"]),
    Attack(18, "a merge, or the same parent twice", Void(&["C01"]), &[4],
        &["golden/commits::c01_a_second_parent", "golden/commits::c01_the_same_parent_twice", "golden/commits::c01_a_foreign_history_merged"]),
    Attack(19, "an event is edited, removed or renamed", Both(&["C02", "C04", "L03"]), &[4, 5],
        &["golden/commits::c02_an_old_event_changed", "golden/commits::c02_an_old_event_removed", "golden/commits::c02_an_old_event_renamed",
          "golden/tampering::one_byte_of_an_old_event_changed", "sample::what_was_rewritten_after_it_was_pinned_exits_5"]),
    Attack(20, "a symlink, a submodule, an executable", Void(&["C02"]), &[4],
        &["golden/commits::c02_a_symbolic_link", "golden/commits::c02_a_submodule", "golden/commits::c02_an_executable_event"]),
    Attack(20, "names that are one where case or accents are folded", Void(&["C08"]), &[4],
        &["golden/commits::c08_a_proposal_with_colliding_files", "golden/commits::c08_a_proposal_with_files_that_fold_to_one"]),
    Attack(21, "an event that says it is older than what its author saw", Void(&["L04"]), &[4],
        &["golden/log::l04_backdated"]),
    Attack(21, "an event from the future that is pushed past jit: honest clocks are told", Refused("L04"), &[3],
        &["attacks/times::an_event_from_the_future"]),
    Attack(22, "refs/replace shows git another history: ignored, and told", Ok, &[0],
        &["attacks/repository::a_replaced_commit_is_ignored_and_told", "golden/tampering::a_replaced_commit"]),
    Attack(23, "grafts", Error, &[1],
        &["attacks/repository::grafts_are_refused_by_every_command", "golden/tampering::a_graft"]),
    Attack(24, "a shallow clone, and one without its files", Error, &[1],
        &["attacks/repository::a_shallow_clone_is_never_good", "attacks/repository::a_partial_clone_is_never_good",
          "clones::a_clone_without_history_is_incomplete_and_never_good"]),
    Attack(25, "a loose object with other bytes, none, or another object's", Error, &[1],
        &["attacks/repository::a_tampered_object_is_never_good"]),
    Attack(26, "the ledger is rewound to an older head that is valid", Rewritten, &[5],
        &["golden/tampering::an_older_head_than_the_pinned", "clones::a_remote_that_was_rewound_is_seen_by_every_command"]),
    Attack(27, "two people are shown two histories", Both(&["L03"]), &[4, 5],
        &["golden/log::l03_another_history_of_the_same_size", "golden/tampering::another_history_than_the_pinned",
          "checkpoints::a_fork_is_seen_by_whoever_meets_it"]),
    Attack(28, "TOML that is not canonical", Void(&["E01"]), &[4],
        &["golden/encoding::e01_a_byte_order_mark", "golden/encoding::e01_a_carriage_return", "golden/encoding::e01_a_comment",
          "golden/encoding::e01_another_spelling_of_a_number", "golden/encoding::e01_trailing_bytes"]),
    Attack(28, "a key twice in TOML", Void(&["E02"]), &[4], &["golden/encoding::e02_a_duplicate_key"]),
    Attack(29, "a certificate without end, without principals, or with more than the grant", Void(&["A05"]), &[4],
        &["attacks/certified::what_ssh_keygen_would_sign_and_nobody_granted", "golden/authority::a05_a_later_end", "golden/authority::a05_a_principal_too_many"]),
    Attack(30, "a version or kind that is unknown", Void(&["E04"]), &[4],
        &["golden/encoding::e04_a_version_to_come", "golden/encoding::e04_an_unknown_kind"]),
    Attack(30, "a field that is unknown", Void(&["E02"]), &[4],
        &["golden/encoding::e02_an_unknown_field", "golden/encoding::e02_an_unknown_table"]),
    Attack(31, "control: ledgers that break no rule, with every kind of event", Ok, &[0],
        &["golden/control::control_a_genesis_alone", "golden/control::control_a_whole_case", "golden/control::control_denied_withdrawn_and_revoked",
          "golden/control::control_an_emergency_and_its_two_reviews", "golden/control::control_a_new_policy",
          "golden/control::control_a_lock_that_was_lifted", "golden/control::control_a_touched_hardware_key",
          "golden/turns::control_minting_after_an_acknowledgement"]),
    Attack(31, "control: a ledger that another program made", Ok, &[0],
        &["sample::the_sample_verifies_with_exactly_its_figures"]),
];

#[test]
fn every_attack_is_played() {
    for Attack(number, what, verdict, exits, tests) in &ATTACKS {
        assert_eq!(verdict.exits(), *exits, "{number}: {what}");
        for test in *tests {
            let (file, name) = test.split_once("::").unwrap();
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/{file}.rs"));
            let source = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{number}: {}: {why}", path.display()));
            assert!(has_test(&source, name), "{number}: {test} is not there");
            // A golden ledger is named for the code that it must get.
            let code = name.split('_').next().unwrap().to_uppercase();
            if file.starts_with("golden/") && jit::domain::finding::Code::ALL.iter().any(|it| it.as_str() == code) {
                assert!(verdict.codes().contains(&code.as_str()), "{number}: {test} is not for {:?}", verdict.codes());
            }
        }
    }
    let numbers: std::collections::BTreeSet<u8> = ATTACKS.iter().map(|attack| attack.0).collect();
    assert_eq!(numbers, (1..=31).collect(), "all of them");
}

/// Whether a test of this name runs: a function under `#[test]`, or a row of the table of edits.
fn has_test(source: &str, name: &str) -> bool {
    let function = source.match_indices(&format!("fn {name}()")).any(|(at, _)| {
        let before = source[..at].trim_end();
        before.ends_with("#[test]") && !before.contains("#[ignore]\nfn")
    });
    function || source.contains(&format!("\n    {name}: "))
}

/// docs/threats.md says of each row which tests show it. Whoever renames one of them is told here; a row that names a
/// test's name, and not only its file, is held to it.
#[test]
fn the_tests_that_threats_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/threats.md")).unwrap();
    let (mut rows, mut files) = (0, 0);
    let table = text.split("| attack | what happens | shown by |").nth(1).unwrap().split("\n## ").next().unwrap();
    for row in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| **")) {
        rows += 1;
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for name in shown.split(", ").filter(|name| name.starts_with("tests/") || name.starts_with("src/")) {
            files += 1;
            let (file, test) = name.split_once("::").map_or((name, None), |(file, test)| (file, Some(test)));
            let source = fs::read_to_string(root.join(file)).unwrap_or_else(|why| panic!("{file}: {why}\n{row}"));
            if let Some(test) = test {
                assert!(has_test(&source, test), "{name} is not there\n{row}");
            }
        }
        assert!(shown.contains("tests/") || shown.contains("src/"), "nothing shows it\n{row}");
    }
    assert!(rows > 50 && files > rows, "{rows} rows name {files} tests");
}
