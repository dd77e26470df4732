//! Fetch, push and clone against remotes on file paths: lost races, refusals, remotes that are gone, rewound or hang.

use super::*;

#[test]
fn the_second_of_two_pushes_loses_the_race() {
    let place = Place::new();
    let remote = place.bare_remote();
    let program = place.program();
    let one = place.cloned("one", &remote);
    assert_eq!(one.head().unwrap(), None, "an empty remote gives an unborn branch");
    let first = append(&one, &[("a", "1")]);
    let to_remote = GitRemote::of(&one, &program, None).unwrap().unwrap();
    assert_eq!(to_remote.fetch().unwrap(), None);
    to_remote.push(first).unwrap();
    assert_eq!(to_remote.last_seen().unwrap(), Some(first));
    to_remote.push(first).unwrap();

    let two = place.cloned("two", &remote);
    assert_eq!(two.head().unwrap(), Some(first));
    assert_eq!(status(&place, &place.path("two")), "");
    let by_two = append(&two, &[("b", "two")]);
    GitRemote::of(&two, &program, None).unwrap().unwrap().push(by_two).unwrap();

    // "fetch first": one does not have two's commit.
    let by_one = append(&one, &[("b", "one")]);
    assert!(matches!(to_remote.push(by_one), Err(RemoteError::LostRace)));
    // "non-fast-forward": it has it now.
    assert_eq!(to_remote.fetch().unwrap(), Some(by_two));
    assert!(matches!(to_remote.push(by_one), Err(RemoteError::LostRace)));
    assert_eq!(id(&place.git(&remote, &["rev-parse", BRANCH])), by_two, "never by force");
    // Decided again on top of it.
    let again = commit(&one, Some(by_two), &[("c", "one")], &[]);
    to_remote.push(again).unwrap();
    assert_eq!(id(&place.git(&remote, &["rev-parse", BRANCH])), again);
}

/// A remote whose branch somebody else moves after it has looked at our push and before it takes it.
fn moving(place: &Place, remote: &Path, one: &GitStore, other: CommitId) {
    one.persist().unwrap();
    place.git(&place.path("one"), &["push", "-q", "origin", &format!("{other}:refs/heads/side")]);
    script(&remote.join("hooks/pre-receive"), &format!("unset GIT_QUARANTINE_PATH; git update-ref {BRANCH} {other}"));
}

#[test]
fn a_branch_that_moves_while_the_push_is_taken_is_a_lost_race() {
    let place = Place::new();
    let remote = place.bare_remote();
    let program = place.program();
    let one = place.cloned("one", &remote);
    let first = append(&one, &[("a", "1")]);
    let to_remote = GitRemote::of(&one, &program, None).unwrap().unwrap();
    to_remote.push(first).unwrap();
    let other = commit(&one, Some(first), &[("a", "other")], &[]);
    moving(&place, &remote, &one, other);
    let mine = append(&one, &[("a", "mine")]);
    assert!(matches!(to_remote.push(mine), Err(RemoteError::LostRace)));
    assert_eq!(id(&place.git(&remote, &["rev-parse", BRANCH])), other);
}

#[test]
fn a_branch_that_is_born_while_the_push_is_taken_is_a_lost_race() {
    let place = Place::new();
    let remote = place.bare_remote();
    let program = place.program();
    let one = place.cloned("one", &remote);
    let other = commit(&one, None, &[("a", "other")], &[]);
    moving(&place, &remote, &one, other);
    let mine = append(&one, &[("a", "mine")]);
    let to_remote = GitRemote::of(&one, &program, None).unwrap().unwrap();
    assert!(matches!(to_remote.push(mine), Err(RemoteError::LostRace)));
    assert_eq!(id(&place.git(&remote, &["rev-parse", BRANCH])), other);
}

#[test]
fn what_the_remote_refuses_comes_with_its_words() {
    let place = Place::new();
    let remote = place.bare_remote();
    let program = place.program();
    let one = place.cloned("one", &remote);
    let first = append(&one, &[("a", "1")]);
    let to_remote = GitRemote::of(&one, &program, None).unwrap().unwrap();
    for name in ["pre-receive", "update"] {
        let hook = remote.join("hooks").join(name);
        script(&hook, "printf 'C05: not an \\033[31menactment\\n' >&2; exit 1");
        let error = to_remote.push(first).unwrap_err();
        assert!(matches!(&error, RemoteError::Refused(why) if why.contains("C05: not an")), "{error}");
        assert!(!error.to_string().contains('\u{1b}'));
        fs::remove_file(hook).unwrap();
    }
    // A lock that somebody left there.
    fs::write(remote.join("refs/heads/main.lock"), b"").unwrap();
    let refused = to_remote.push(first).unwrap_err();
    let named = remote.join("refs/heads/main.lock").display().to_string();
    assert!(
        matches!(&refused, RemoteError::Locked { lock, is_remote: true, .. } if *lock == named),
        "{refused} is not about {named}"
    );
    // One here, that a fetch of a dead process left.
    to_remote.fetch().unwrap();
    fs::remove_file(remote.join("refs/heads/main.lock")).unwrap();
    to_remote.push(first).unwrap();
    let here = place.path("one/.git/refs/remotes/origin/main.lock");
    fs::create_dir_all(here.parent().unwrap()).unwrap();
    fs::write(&here, b"").unwrap();
    let second = append(&one, &[("b", "1")]);
    place.git(&place.path("one"), &["push", "-q", remote.to_str().unwrap(), &format!("{second}:{BRANCH}")]);
    assert_eq!(to_remote.fetch().unwrap(), Some(second));
    assert!(!here.exists());
    // The checked-out branch of a repository with a work tree.
    let owner = place.path("owner");
    place.git(place.directory.path(), &["init", "-q", "-b", "main", owner.to_str().unwrap()]);
    place.git(&owner, &["commit", "-q", "--allow-empty", "-m", "x"]);
    let two = place.cloned("two", &owner);
    let mine = append(&two, &[("a", "1")]);
    let refused = GitRemote::of(&two, &program, None).unwrap().unwrap().push(mine);
    assert!(matches!(refused, Err(RemoteError::Refused(_))), "{refused:?}");
}

#[test]
fn a_remote_that_is_gone_is_unreachable_and_one_rewound_is_seen_as_it_is() {
    let place = Place::new();
    let remote = place.bare_remote();
    let program = place.program();
    let one = place.cloned("one", &remote);
    let first = append(&one, &[("a", "1")]);
    let second = append(&one, &[("a", "2")]);
    let to_remote = GitRemote::of(&one, &program, None).unwrap().unwrap();
    to_remote.push(second).unwrap();
    place.git(&remote, &["update-ref", BRANCH, &first.to_string()]);
    assert_eq!(to_remote.fetch().unwrap(), Some(first));
    assert_eq!(one.head().unwrap(), Some(second), "our branch is not touched by a fetch");
    fs::rename(&remote, place.path("gone")).unwrap();
    assert!(matches!(to_remote.fetch(), Err(RemoteError::Unreachable(_))));
    assert!(matches!(to_remote.push(second), Err(RemoteError::Unreachable(_))));
    assert!(matches!(GitRemote::of(&one, &program, Some("other")), Err(GitError::Repository { .. })));
    let alone = GitStore::init(&place.path("alone"), false).unwrap();
    assert!(GitRemote::of(&alone, &program, None).unwrap().is_none());
    let error = clone(remote.to_str().unwrap(), &place.path("failed"), false, &program);
    assert!(matches!(error, Err(GitError::Remote(RemoteError::Unreachable(_)))));
    assert!(!place.path("failed").exists(), "a clone that failed leaves no directory");
    fs::create_dir(place.path("full")).unwrap();
    fs::write(place.path("full/x"), b"").unwrap();
    assert!(matches!(clone("x", &place.path("full"), false, &program), Err(GitError::NotEmpty(_))));
}

#[test]
fn a_remote_that_hangs_is_given_up() {
    let place = Place::new();
    let remote = place.bare_remote();
    let one = place.cloned("one", &remote);
    let first = append(&one, &[("a", "1")]);
    script(&remote.join("hooks/pre-receive"), "exec sleep 20");
    let program = place.program().with_timeout(Duration::from_millis(700));
    let begun = std::time::Instant::now();
    let gave_up = GitRemote::of(&one, &program, None).unwrap().unwrap().push(first);
    assert!(matches!(gave_up, Err(RemoteError::Unreachable(_))), "{gave_up:?}");
    assert!(begun.elapsed() < Duration::from_secs(15), "it did not wait for the end of the hook");
}

#[test]
fn variables_hooks_and_configuration_do_not_point_git_elsewhere() {
    let place = Place::new();
    let remote = place.bare_remote();
    let one = place.cloned("one", &remote);
    let first = append(&one, &[("a", "1")]);
    let mut hostile = environment(place.directory.path());
    for (name, value) in [
        ("GIT_DIR", "/nowhere"),
        ("GIT_OBJECT_DIRECTORY", "/nowhere"),
        ("GIT_INDEX_FILE", "/nowhere"),
        ("GIT_NAMESPACE", "x"),
        ("GIT_CONFIG_PARAMETERS", "'core.bare=maybe'"),
        ("GIT_CONFIG_COUNT", "1"),
    ] {
        hostile.push((name.into(), value.into()));
    }
    let program = Program::new(hostile, false);
    let ran = place.path("ran");
    for hook in ["pre-push", "reference-transaction", "post-merge"] {
        script(&place.path("one/.git/hooks").join(hook), &format!("touch {}; exit 1", ran.display()));
    }
    let to_remote = GitRemote::of(&one, &program, None).unwrap().unwrap();
    to_remote.push(first).unwrap();
    assert_eq!(to_remote.fetch().unwrap(), Some(first));
    assert!(!ran.exists());
    // An `ext::` remote would be a command.
    let url = format!("ext::touch {}", ran.display());
    place.git(&place.path("one"), &["config", "remote.bad.url", &url]);
    let bad = GitRemote::of(&one, &program, Some("bad")).unwrap().unwrap();
    assert!(matches!(bad.fetch(), Err(RemoteError::Unreachable(_))));
    assert!(!ran.exists());
    // No git at all.
    let nothing = Program::new([("PATH".into(), "/nonexistent".into())], false);
    assert!(matches!(GitRemote::of(&one, &nothing, None).unwrap().unwrap().fetch(), Err(RemoteError::Git(_))));
}
