//! `jit audit all` and `jit verify --report`: the examiner's folder is whole or not there, says what the single commands say,
//! and checks with `sha256sum`; an empty ledger has reports too; and nothing that is written anywhere claims compliance.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::disk::Disk;
use common::log::Logged;
use common::{Place, Said, absent, checkpointed, environment, files, skip};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

/// Behind every deadline of the sample.
const AT: &str = "2026-12-24T00:00:00Z";

/// The sample ledger: made by another producer from the format's page alone.
fn sample(place: &Place) -> PathBuf {
    let ledger = place.path("sample.git");
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sample/ledger.bundle");
    place.git(&place.path("home"), &["clone", "-q", "--bare", bundle.to_str().unwrap(), ledger.to_str().unwrap()]);
    ledger
}

fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen", "sha256sum", "tar"])
}

/// By somebody without a key.
#[track_caller]
fn jit(place: &Place, ledger: &Path, arguments: &[&str]) -> Said {
    place.desk("examiner", ledger).jit(arguments)
}

#[track_caller]
fn sums(place: &Place, folder: &Path) -> Said {
    let mut command = Command::new("sha256sum");
    command.current_dir(folder).args(["--check", "--strict", "SHA256SUMS"]);
    place.run(command)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The names in `folder`, but for what fills a disk.
fn beside(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("filler-"))
        .collect();
    names.sort();
    names
}

#[test]
fn the_folder_says_what_the_commands_say() {
    if gone("the_folder_says_what_the_commands_say") {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    for period in [&[][..], &["--from", "2026-11-23T14:16:00Z", "--to", "2026-11-23T14:36:00Z"]] {
        let out = place.path(&format!("folder-{}", period.len()));
        let single = place.path(&format!("single-{}", period.len()));
        fs::create_dir(&single).unwrap();
        let arguments = [&["audit", "all", out.to_str().unwrap(), "--json", "--at", AT], period].concat();
        let said = jit(&place, &ledger, &arguments);
        assert!(said.code == 0 || said.code == 4, "{}", said.told());
        let told = said.json();

        // Every file is in the list, and only whoever made it reads it.
        let checked = sums(&place, &out).ok();
        let all = files(&out);
        assert_eq!(checked.out.lines().count() + 1, all.len(), "{}", checked.told());
        assert_eq!(told["files"], all.len());
        let bytes: u64 = all.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
        assert_eq!(told["bytes"], bytes);
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o700);

        // Each report is, byte for byte, what its own command writes, and so is its manifest.
        let mut names: Vec<(String, String, Vec<&str>)> = Vec::new();
        for name in ["population", "exceptions", "emergencies", "latency", "access-review", "board"] {
            names.extend(
                ["txt", "csv", "json"].map(|form| {
                    (format!("reports/{name}.{form}"), format!("{name}.{form}"), [&[name], period].concat())
                }),
            );
        }
        for (form, flags) in [("txt", &[][..]), ("csv", &[]), ("json", &[]), ("md", &[])] {
            let arguments = [&["controls"], period, flags].concat();
            names.push((format!("controls/controls.{form}"), format!("controls.{form}"), arguments));
        }
        let arguments = [&["controls", "--format", "oscal"], period].concat();
        names.push(("controls/oscal.json".into(), "oscal.json".into(), arguments));
        assert_eq!(names.len(), 23);
        let mut exceptions = 0;
        for (file, name, arguments) in &names {
            let alone = single.join(name);
            let arguments = [&["audit"], &arguments[..], &["--at", AT, "--out", alone.to_str().unwrap()]].concat();
            let said = jit(&place, &ledger, &arguments);
            assert!(said.code == 0 || said.code == 4, "{}", said.told());
            if name == "exceptions.txt" {
                exceptions = said.code;
            }
            assert_eq!(text(&out.join(file)), text(&alone), "{file}");
            for folder in [out.join(file), alone] {
                let manifest: Value =
                    serde_json::from_str(&text(&folder.with_file_name(format!("{name}.manifest.json")))).unwrap();
                assert_eq!(manifest["file"]["name"], **name);
                assert_eq!(manifest["root"], told["root"]);
            }
            let manifest = format!("{name}.manifest.json");
            assert_eq!(text(&out.join(file).with_file_name(&manifest)), text(&single.join(&manifest)), "{manifest}");
        }
        assert_eq!(said.code, exceptions, "the exit code is that of `audit exceptions`\n{}", said.told());
        assert_eq!(told["open_exceptions"], exceptions == 4);

        // So are the timelines, the sample, the bundle and the page.
        for (incident, name) in told["incidents"].as_object().unwrap() {
            let alone = single.join(format!("{}.csv", name.as_str().unwrap()));
            jit(&place, &ledger, &["audit", "incident", incident, "--at", AT, "--out", alone.to_str().unwrap()]).ok();
            assert_eq!(text(&out.join(format!("incidents/{}.csv", name.as_str().unwrap()))), text(&alone));
        }
        let incidents: Vec<&String> = told["incidents"].as_object().unwrap().keys().collect();
        if period.is_empty() {
            assert_eq!(incidents, ["INC-4711", "INC-4712"]);
        }
        let alone = single.join("sample");
        let seed = told["seed"].as_str().unwrap();
        assert_eq!(told["seed"], told["root"], "nobody chose it");
        let drawn = ["audit", "sample", "--size", "25", "--seed", seed, "--at", AT, "--out", alone.to_str().unwrap()];
        jit(&place, &ledger, &[&drawn, period].concat()).ok();
        assert_eq!(text(&out.join("sample/SHA256SUMS")), text(&alone.join("SHA256SUMS")));
        let mut script = Command::new("sh");
        script.arg(out.join("sample/check.sh"));
        assert!(place.run(script).ok().out.contains("All signatures verify."));
        let archive = single.join("bundle.tar.gz");
        jit(&place, &ledger, &[&["audit", "bundle", "--out", archive.to_str().unwrap()], period].concat()).ok();
        assert_eq!(fs::read(out.join("bundle.tar.gz")).unwrap(), fs::read(archive).unwrap());
        let page = single.join("page.html");
        jit(&place, &ledger, &[&["audit", "page", "--at", AT, "--out", page.to_str().unwrap()], period].concat()).ok();
        assert_eq!(fs::read(out.join("page.html")).unwrap(), fs::read(page).unwrap());

        // The README names everything that lies there, and what is not there.
        let readme = text(&out.join("README.txt"));
        for name in beside(&out) {
            assert!(readme.contains(&name), "{name}\n{readme}");
        }
        assert!(readme.contains(told["ledger"].as_str().unwrap()) && readme.contains("log/"), "{readme}");

        // One changed byte, and the list says which file.
        let page = out.join("page.html");
        let mut bytes = fs::read(&page).unwrap();
        bytes[100] ^= 1;
        fs::write(&page, bytes).unwrap();
        assert!(sums(&place, &out).exits(1).out.contains("page.html: FAILED"));
    }
}

#[test]
fn a_checkpoint_comes_with_its_tiles_and_proofs() {
    if gone("a_checkpoint_comes_with_its_tiles_and_proofs") {
        return;
    }
    let place = Place::new();
    let ledger = checkpointed::ledger(&place);
    let (out, tiles) = (place.path("folder"), place.path("tiles"));
    let told = jit(&place, &ledger, &["audit", "all", out.to_str().unwrap(), "--json"]).ok().json();
    assert_eq!(told["checkpoint"], 3);
    jit(&place, &ledger, &["audit", "tiles", tiles.to_str().unwrap()]).ok();
    let relative = |root: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let one = |file: &PathBuf| (file.strip_prefix(root).unwrap().to_owned(), fs::read(file).unwrap());
        files(root).iter().map(one).collect()
    };
    assert_eq!(relative(&out.join("log")), relative(&tiles));
    assert!(!relative(&tiles).is_empty());
    let proofs = files(&out.join("sample")).into_iter().filter(|file| file.to_string_lossy().ends_with(".tlog-proof"));
    assert_eq!(proofs.count(), 2, "the request and the denial; what came later has none");
    let verification = text(&out.join("verification.txt"));
    for words in
        ["The newest is of 3 entries", "— jit/", "— witness.example/w1", "Witness witness.example/w1: cosigned it at"]
    {
        assert!(verification.contains(words), "{words}\n{verification}");
    }
    sums(&place, &out).ok();
    let doctor = jit(&place, &ledger, &["doctor"]);
    assert!(
        doctor.out.contains("newest checkpoint of 3 entries, 1 entry newer; none is demanded"),
        "{}",
        doctor.told()
    );
}

#[test]
fn doctor_says_when_a_checkpoint_is_lacking() {
    if gone("doctor_says_when_a_checkpoint_is_lacking") {
        return;
    }
    let logged =
        Logged::new("quorum = 1\nfreshest = \"1h\"\n\n[[log.witness]]\nname = \"w1.example\"\nkey = \"{w1}\"\n");
    let rita = logged.clone_of("rita");
    let doctor = rita.jit(&["doctor"]);
    assert!(doctor.out.contains("no checkpoint yet; nothing is minted"), "{}", doctor.told());
    assert!(doctor.out.contains("jit checkpoint; then each witness: jit witness"), "{}", doctor.told());
    logged.checkpoint(&rita, &[]).ok();
    logged.witness(&rita, "w1", &[]).ok();
    let doctor = rita.jit(&["doctor"]);
    assert!(doctor.out.contains("newest checkpoint of 1 entry, all that is here"), "{}", doctor.told());
    assert!(!doctor.out.contains("nothing is minted"), "{}", doctor.told());
}

#[test]
fn what_is_there_is_left_alone() {
    if gone("what_is_there_is_left_alone") {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let all = |directory: &Path| jit(&place, &ledger, &["audit", "all", directory.to_str().unwrap(), "--at", AT]);
    let full = place.path("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), "mine").unwrap();
    let file = place.path("file");
    fs::write(&file, "mine").unwrap();
    let empty = place.path("empty");
    fs::create_dir(&empty).unwrap();
    let link = place.path("link");
    symlink(&empty, &link).unwrap();
    let before = beside(&place.path(""));
    for taken in [&full, &file, &link] {
        all(taken).refused(1).mentions(&["is there already"]);
    }
    // The directory in which somebody stands, and one that has no name.
    all(Path::new(".")).refused(1).mentions(&["is there already"]);
    all(Path::new("/")).refused(2);
    all(&place.path("nowhere/folder")).exits(1);
    assert_eq!((text(&full.join("mine")), text(&file)), ("mine".to_owned(), "mine".to_owned()));
    assert_eq!(beside(&place.path("")), before);
    assert!(beside(&empty).is_empty());
    // An empty one is as good as none.
    let said = all(&empty);
    assert!(said.code == 0 || said.code == 4, "{}", said.told());
    sums(&place, &empty).ok();
}

#[test]
fn there_is_no_half_of_a_folder() {
    if gone("there_is_no_half_of_a_folder") {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    // Killed at any moment.
    let mut whole = 0;
    for number in 0..25_u64 {
        let out = place.path(&format!("killed-{number}"));
        let mut command = Command::new(common::JIT);
        command.args(["--ledger", ledger.to_str().unwrap(), "audit", "all", out.to_str().unwrap(), "--at", AT]);
        command.env_clear().envs(environment(&place.path("home"))).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(number * 20));
        let _ = child.kill();
        child.wait().unwrap();
        if out.exists() {
            sums(&place, &out).ok();
            whole += 1;
        }
    }
    assert!(whole < 25, "it was never killed before its end");

    // The disk is full.
    let Some(disk) = Disk::new(place.path("disk"), 200) else {
        skip("there_is_no_half_of_a_folder", "no tmpfs can be mounted here");
        return;
    };
    let out = disk.path().join("folder");
    jit(&place, &ledger, &["audit", "all", out.to_str().unwrap(), "--at", AT]).exits(1).mentions(&["no space left"]);
    assert!(beside(disk.path()).is_empty(), "{:?}", beside(disk.path()));
}

/// The reports, and what each needs; a command that is new must be put here, or the tests that walk all of them fail.
fn arguments(command: &str) -> Option<(Vec<&'static str>, Vec<&'static str>)> {
    let forms = vec!["text", "csv", "json"];
    Some(match command {
        "population" | "exceptions" | "emergencies" | "latency" | "access-review" | "board" => (vec![], forms),
        "sample" => (vec!["--size", "3", "--seed", "2026-Q4"], forms),
        "incident" => (vec!["INC-4711"], forms),
        "controls" => (vec![], [forms, vec!["markdown", "oscal"]].concat()),
        // These write files, or need a checkpoint: looked at by themselves.
        "bundle" | "page" | "prove" | "consistency" | "check" | "tiles" | "all" => return None,
        other => panic!("jit audit {other}: which formats does it have?"),
    })
}

fn reports() -> Vec<String> {
    let tree = jit::cli::tree();
    let audit = tree.find_subcommand("audit").unwrap();
    audit.get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

#[test]
fn an_empty_ledger_has_reports_too() {
    if gone("an_empty_ledger_has_reports_too") {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let mut looked = 0;
    for command in reports() {
        let Some((more, forms)) = arguments(&command) else { continue };
        // These have rows or figures of a policy alone: roles that nobody used, counts that are zero.
        let none = !["access-review", "board", "controls"].contains(&command.as_str());
        for form in forms {
            looked += 1;
            let said = jit(&place, &ledger, &[&["audit", &command], &more[..], &["--format", form]].concat()).ok();
            match form {
                "text" if none => assert!(said.out.contains("\nNone.\n"), "{}", said.told()),
                "csv" if none => {
                    assert_eq!(said.out.lines().count(), 1, "{}", said.told());
                    assert!(said.err.contains("None."), "{}", said.told());
                }
                "json" => {
                    let json = said.json();
                    assert_eq!(json["none"], none, "{}", said.told());
                    assert_eq!(json["size"], 1, "{}", said.told());
                }
                _ => assert!(!said.out.trim().is_empty(), "{}", said.told()),
            }
        }
    }
    assert_eq!(looked, 29);
    let out = place.path("folder");
    let told = jit(&place, &ledger, &["audit", "all", out.to_str().unwrap(), "--json"]).ok().json();
    assert_eq!((&told["rows"]["population"], &told["rows"]["exceptions"]), (&0.into(), &0.into()));
    assert_eq!((&told["sampled"], &told["checkpoint"]), (&0.into(), &Value::Null));
    sums(&place, &out).ok();
    let readme = text(&out.join("README.txt"));
    for words in ["Every case of the period. None.", "no case of the period names an incident", "0 cases drawn"] {
        assert!(readme.contains(words), "{words}\n{readme}");
    }
    assert!(text(&out.join("reports/population.txt")).contains("\nNone.\n"));
    assert_eq!(text(&out.join("reports/population.csv")).lines().count(), 1);
    assert!(text(&out.join("verification.txt")).contains("Result: ok."));
    let mut script = Command::new("sh");
    script.arg(out.join("sample/check.sh"));
    place.run(script).ok();
}

#[test]
fn an_open_exception_is_told_by_the_exit_code() {
    if gone("an_open_exception_is_told_by_the_exit_code") {
        return;
    }
    let logged = Logged::new("");
    logged.add_voids(2);
    let (place, out) = (&logged.place, logged.place.path("folder"));
    let said = jit(place, &logged.remote, &["audit", "all", out.to_str().unwrap()]).exits(4);
    assert!(said.out.contains("exceptions are open"), "{}", said.told());
    let verification = text(&out.join("verification.txt"));
    for words in [
        "Result: NOT OK.",
        "2 void commits that nobody acknowledged",
        "3 entries: 1 event, 2 void commits",
        "NOT ACKNOWLEDGED",
    ] {
        assert!(verification.contains(words), "{words}\n{verification}");
    }
    sums(place, &out).ok();
}

#[test]
fn a_report_of_a_verification_is_a_verdict_or_not_there() {
    if gone("a_report_of_a_verification_is_a_verdict_or_not_there") {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let file = place.path("verification.txt");
    let arguments = ["verify", "--json", "--at", AT, "--report", file.to_str().unwrap()];
    let verified = jit(&place, &ledger, &arguments).ok().json();
    let report = text(&file);
    for field in ["ledger", "head", "root"] {
        assert!(report.contains(verified[field].as_str().unwrap()), "{field}\n{report}");
    }
    // What the sample's own description says of it.
    for words in [
        "39 entries: 38 events, 1 void commit\n",
        "Result: ok.",
        "Name:    acme/production\n",
        "acknowledged: C03",
        "in force from entry 26 on, brought by entry 23",
        "Recordings (jit play",
        concat!("by jit ", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(report.contains(words), "{words}\n{report}");
    }
    let cases = verified["cases"].as_object().unwrap();
    let line = |state: &str, count: u64| {
        let lines = report.lines().filter(|line| line.starts_with("  ") && line.ends_with(&format!(" {count}")));
        lines.filter(|line| line.contains(state)).count()
    };
    for (state, count) in cases {
        assert!(line(state, count.as_u64().unwrap()) > 0, "{state} {count}\n{report}");
    }
    for finding in verified["findings"].as_array().unwrap() {
        assert!(report.contains(finding["message"].as_str().unwrap()), "{finding}\n{report}");
    }
    // The counts of events are those of the files.
    let names = place.git(&ledger, &["ls-tree", "-r", "--name-only", "main", "ledger/"]);
    let approvals = names.lines().filter(|name| name.contains("/approval-") && name.ends_with(".toml")).count();
    assert!(approvals > 0 && report.contains(&format!("  {:<24}{approvals:>8}\n", "approval")), "{report}");

    // The remote is gone: what lies here is checked, and the report says that it is.
    let away = place.path("away.bundle");
    place.git(&ledger, &["remote", "set-url", "origin", away.to_str().unwrap()]);
    let said = jit(&place, &ledger, &arguments);
    if said.code == 0 {
        assert!(text(&file).contains("did not answer"), "{}", text(&file));
    }

    // Something is missing: it could not be checked. No report says anything, and one that is there stays what it was.
    place.git(&ledger, &["remote", "remove", "origin"]);
    assert!(!files(&ledger.join("objects/pack")).is_empty());
    let broken = place.path("broken.git");
    let mut copy = Command::new("cp");
    copy.args(["-r", ledger.to_str().unwrap(), broken.to_str().unwrap()]);
    place.run(copy).ok();
    for pack in
        files(&broken.join("objects/pack")).iter().filter(|pack| pack.extension().is_some_and(|it| it == "pack"))
    {
        fs::set_permissions(pack, fs::Permissions::from_mode(0o600)).unwrap();
        let mut bytes = fs::read(pack).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 64].fill(0);
        fs::write(pack, bytes).unwrap();
    }
    let other = place.path("other.txt");
    let said = jit(&place, &broken, &["verify", "--report", other.to_str().unwrap()]);
    assert!(said.code != 0 && said.code != 4, "{}", said.told());
    assert!(!other.exists(), "{}", text(&other));
    let folder = place.path("folder");
    assert_eq!(jit(&place, &broken, &["audit", "all", folder.to_str().unwrap()]).code, said.code);
    assert!(!folder.exists());
}

/// Fails where a text claims compliance: the word in any form, but for what may be said.
#[track_caller]
fn claims_nothing(of: &str, text: &str) {
    const MAY_BE_SAID: [&str; 3] =
        ["does not make anybody compliant with anything", "compliance finding", "\"compliance\":"];
    let mut plain = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    for words in MAY_BE_SAID {
        plain = plain.replace(words, "");
    }
    for claim in ["complian", "complies with", "in conformity with", "certified by", "guarantees that the control"] {
        if let Some(at) = plain.find(claim) {
            let around: String = plain.chars().skip(at.saturating_sub(60)).take(160).collect();
            panic!("{of} claims: … {around} …");
        }
    }
}

#[test]
#[should_panic(expected = "claims")]
fn a_claim_would_be_found() {
    claims_nothing("a text", "With jit you are fully\nCOMPLIANT with DORA.");
}

#[test]
fn nothing_claims_compliance() {
    if gone("nothing_claims_compliance") {
        return;
    }
    // What is printed, in every form.
    let place = Place::new();
    let (ledger, logged) = (sample(&place), checkpointed::ledger(&place));
    let mut looked = 0;
    for command in reports() {
        let Some((more, forms)) = arguments(&command) else { continue };
        for form in forms {
            let arguments = [&["audit", &command, "--at", AT], &more[..], &["--format", form]].concat();
            let said = jit(&place, &ledger, &arguments);
            assert!((said.code == 0 || said.code == 4) && !said.out.is_empty(), "{}", said.told());
            claims_nothing(&said.call.clone(), &said.told());
            looked += 1;
        }
    }
    assert_eq!(looked, 29);
    // What is written: everything is in the folder, of a ledger without a checkpoint and of one with it.
    for (number, ledger) in [&ledger, &logged].into_iter().enumerate() {
        let out = place.path(&format!("folder-{number}"));
        let said = jit(&place, ledger, &["audit", "all", out.to_str().unwrap()]);
        claims_nothing("audit all", &said.told());
        let mut tar = Command::new("tar");
        tar.arg("-xf").arg(out.join("bundle.tar.gz")).arg("-C").arg(&out);
        place.run(tar).ok();
        let all = files(&out);
        assert!(all.len() > 60, "{}", said.told());
        for file in all {
            claims_nothing(&file.display().to_string(), &String::from_utf8_lossy(&fs::read(&file).unwrap()));
        }
    }
    let proofs = place.path("proofs");
    let case = jit(&place, &logged, &["list", "--json"]).out;
    let case: Value = serde_json::from_str(case.lines().last().unwrap()).unwrap();
    let mut said = vec![
        jit(&place, &logged, &["audit", "prove", "--position", "1", "--out", proofs.to_str().unwrap()]).ok(),
        jit(&place, &logged, &["audit", "consistency", "1", "3"]).ok(),
        jit(&place, &logged, &["show", case["id"].as_str().unwrap()]).ok(),
    ];
    let checked = ["audit", "check", proofs.to_str().unwrap(), "--log-key", place.key("log").to_str().unwrap()]
        .map(str::to_owned);
    said.push(jit(&place, &logged, &checked.each_ref().map(String::as_str)));
    for command in [&["verify"][..], &["verify", "--json"], &["list"], &["log"], &["status"], &["doctor"], &["export"]]
    {
        said.push(jit(&place, &ledger, command));
    }
    for said in said {
        claims_nothing(&said.call.clone(), &said.told());
    }
    // What the program says of itself, and what is written about it.
    for (name, page) in jit::cli::man_pages().unwrap() {
        claims_nothing(&name, &String::from_utf8_lossy(&page));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|it| it == "md"));
    assert!(pages.len() > 10);
    pages.extend(["README.md", "CHANGELOG.md"].map(|name| root.join(name)));
    pages.extend(files(&root.join("ledger-template")));
    for page in pages {
        claims_nothing(&page.display().to_string(), &text(&page));
    }
}
