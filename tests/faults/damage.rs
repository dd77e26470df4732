//! Objects that a power cut left empty, under the name of the ledger's tip: told with what to type, and mended by it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::common::{Desk, Place, Said, absent};

/// Empties the loose object of a name.
fn empty(repository: &Path, id: &str) -> PathBuf {
    let git = if repository.join(".git").exists() { repository.join(".git") } else { repository.to_owned() };
    let file = git.join("objects").join(&id[..2]).join(&id[2..]);
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    fs::write(&file, b"").unwrap();
    file
}

/// Types what a hint says between the colons and semicolons, as far as it is commands of git and `rm`.
fn type_hint(desk: &Desk<'_>, said: &Said) -> String {
    let hint = said.err.lines().find_map(|line| line.strip_prefix("Hint: ")).unwrap();
    let commands: Vec<&str> = hint
        .split([';', ':'])
        .map(str::trim)
        .filter(|part| part.starts_with("git -C") || part.starts_with("rm "))
        .collect();
    assert!(!commands.is_empty(), "nothing to type\n{}", said.told());
    for command in &commands {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]);
        desk.run(shell).ok();
    }
    commands.join("; ")
}

#[test]
fn an_empty_object_at_the_tip_of_a_clone_is_fetched_again() {
    if absent("an_empty_object_at_the_tip_of_a_clone_is_fetched_again", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (remote, _) = place.ledger("remote.git", true);
    let clone = place.path("clone");
    let alice = place.desk("alice", &clone);
    alice.clones(&remote);
    for what in ["main", "main^{tree}", "main:ledger"] {
        alice.opens("5m");
        let id = place.git(&clone, &["rev-parse", what]);
        let file = empty(&clone, &id);
        let said = alice.jit(&["verify"]).refused(1).mentions(&[&id]);
        assert!(said.err.contains(&file.display().to_string()), "which file it is\n{}", said.told());
        type_hint(&alice, &said);
        alice.jit(&["verify"]).ok();
        alice.opens("6m");
        place.is_sound(&clone);
        assert_eq!(place.head(&clone), place.head(&remote));
    }
}

#[test]
fn an_empty_object_at_the_tip_of_the_remote_is_told_and_nothing_is_lost() {
    if absent("an_empty_object_at_the_tip_of_the_remote_is_told_and_nothing_is_lost", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (remote, _) = place.ledger("remote.git", true);
    let clone = place.path("clone");
    let alice = place.desk("alice", &clone);
    alice.clones(&remote);
    alice.opens("5m");
    let before = place.head(&clone);
    let file = empty(&remote, &before);
    let said = alice.asks("6m");
    assert_eq!(said.code, 1, "{}", said.told());
    assert!(said.err.contains("Hint:"), "{}", said.told());
    // Whoever runs the remote: the empty file goes, and the object comes back from any clone.
    fs::remove_file(&file).unwrap();
    let mut copy = Command::new("sh");
    let objects = format!(
        "git -C {} cat-file commit {before} | git -C {} hash-object -t commit -w --stdin",
        clone.display(),
        remote.display()
    );
    copy.args(["-c", &objects]);
    place.run(copy).ok();
    alice.jit(&["sync"]).ok();
    alice.opens("7m");
    place.is_sound(&remote);
    assert_eq!(place.head(&clone), place.head(&remote));
}
