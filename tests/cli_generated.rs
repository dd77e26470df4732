//! The generated files under `completions/` and `docs/man/` are what the command tree gives now. To write them anew:
//! `UPDATE=1 cargo test --test cli_generated`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap_complete::Shell;
use jit::cli::{completion_script, man_pages, tree};

/// Every generated file by its path in the repository.
fn generated() -> Vec<(PathBuf, Vec<u8>)> {
    let scripts = [(Shell::Bash, "jit.bash"), (Shell::Zsh, "_jit"), (Shell::Fish, "jit.fish")];
    let mut files: Vec<(PathBuf, Vec<u8>)> =
        scripts.map(|(shell, name)| (Path::new("completions").join(name), completion_script(shell))).into();
    for (name, page) in man_pages().expect("a page is written to memory") {
        files.push((Path::new("docs/man").join(name), page));
    }
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
#[allow(clippy::disallowed_methods, reason = "whether to write is said by who runs the test")]
fn the_files_are_fresh() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut stale = Vec::new();
    for (path, bytes) in generated() {
        let place = root().join(&path);
        if update {
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(&place, &bytes).unwrap();
        }
        if std::fs::read(&place).ok().as_ref() != Some(&bytes) {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "stale: {stale:?}; run: UPDATE=1 cargo test --test cli_generated");
}

#[test]
fn no_page_is_left_of_a_command_that_is_gone() {
    let known: BTreeSet<PathBuf> = generated().into_iter().map(|(path, _)| root().join(path)).collect();
    for folder in ["completions", "docs/man"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            assert!(known.contains(&path), "{} comes from no command", path.display());
        }
    }
}

/// bash reads the script and offers what was typed the beginning of: the shell is the judge, not we.
#[test]
fn bash_completes_a_command() {
    let script =
        "source completions/jit.bash; COMP_WORDS=(jit req); COMP_CWORD=1; _jit jit req jit; echo ${COMPREPLY[@]}";
    let run = std::process::Command::new("bash").args(["-c", script]).current_dir(root()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&run.stdout).trim(), "request", "{}", String::from_utf8_lossy(&run.stderr));
}

/// Every command and every flag says what it does, and clap finds no contradiction in the tree.
#[test]
fn everything_has_help() {
    fn check(command: &clap::Command, path: &str, silent: &mut Vec<String>) {
        if command.get_about().is_none() {
            silent.push(path.to_owned());
        }
        for argument in command.get_arguments() {
            if argument.get_help().is_none() {
                silent.push(format!("{path} {}", argument.get_id()));
            }
        }
        for below in command.get_subcommands() {
            check(below, &format!("{path} {}", below.get_name()), silent);
        }
    }
    tree().debug_assert();
    let mut silent = Vec::new();
    check(&tree(), "jit", &mut silent);
    assert!(silent.is_empty(), "without help: {silent:?}");
}

/// What scripts may rely on (product.md): these commands and long flags are there, with these names.
#[test]
fn the_promised_flags_are_there() {
    let promised = [
        ("init", "name email policy bare no-template"),
        ("clone", "ledger-id"),
        (
            "request",
            "for reason ticket incident risk impact rollback data least-privilege at extends emergency credential-key \
             source-address wait dry-run",
        ),
        ("approve", "comment"),
        ("deny", "comment"),
        ("withdraw", ""),
        ("extend", "for"),
        ("revoke", "reason incident"),
        ("close", "summary change"),
        ("review", "answer verdict"),
        ("mint", "ca watch"),
        ("credential", "out"),
        ("show", ""),
        ("list", "state member target incident"),
        ("status", ""),
        ("log", ""),
        (
            "export",
            "format to follow every since state token-file ca-file client-cert client-key timeout retry-for batch",
        ),
        ("verify", "since at strict github"),
        ("ssh", ""),
        ("exec", ""),
        ("sync", ""),
        ("doctor", ""),
        ("completions", ""),
        ("man", ""),
        ("demo", ""),
    ];
    let mut tree = tree();
    tree.build();
    let longs = |command: &clap::Command| -> BTreeSet<String> {
        command.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned)).collect()
    };
    for (name, flags) in promised {
        let command = tree.find_subcommand(name).unwrap_or_else(|| panic!("no `jit {name}`"));
        let has = longs(command);
        for flag in flags.split_whitespace().chain(["ledger", "as", "key", "json", "yes", "quiet", "verbose"]) {
            assert!(has.contains(flag), "jit {name} --{flag}");
        }
    }
    let policy = tree.find_subcommand("policy").unwrap();
    assert!(policy.find_subcommand("check").is_some() && policy.find_subcommand("show").is_some());
    let explain = longs(policy.find_subcommand("explain").unwrap());
    assert!(explain.contains("for") && explain.contains("emergency"));
}
