//! The ledger's template: its workflows' steps as they stand there, on a real ledger; its scenarios; and how a ledger gets
//! a newer one, with what was edited in it kept.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Desk, JIT, Place, Said, absent, executable::executable, forge};
use serde_json::{Value, json};

#[path = "common/harness.rs"]
mod common;

const WORKFLOW: &str = ".github/workflows/jit.yml";
const GITLAB: &str = ".gitlab-ci.yml";

/// What the template of this version brings.
const TEMPLATE: [(&str, &str); 5] = [
    (".gitattributes", include_str!("../ledger-template/.gitattributes")),
    (WORKFLOW, include_str!("../ledger-template/.github/workflows/jit.yml")),
    (GITLAB, include_str!("../ledger-template/.gitlab-ci.yml")),
    ("README.md", include_str!("../ledger-template/README.md")),
    ("scenarios.toml", include_str!("../ledger-template/scenarios.toml")),
];

/// A bare remote with three roots of whom two must agree.
struct Office {
    place: Place,
    remote: PathBuf,
    id: String,
}

impl Office {
    fn new() -> Self {
        let place = Place::new();
        let remote = place.path("remote.git");
        let file = place.path("policy.toml");
        fs::write(&file, policy(&place)).unwrap();
        let rita = place.desk("rita", &remote);
        let arguments = ["init", remote.to_str().unwrap(), "--policy", file.to_str().unwrap(), "--bare", "--json"];
        let id = rita.jit_anywhere(&arguments).ok().text("ledger");
        Self { place, remote, id }
    }

    /// Whose genesis brought these files, written by hand: no `jit` of today would make it.
    fn of_old(files: &BTreeMap<&str, String>) -> Self {
        let place = Place::new();
        let (tree, remote) = (place.path("founder"), place.path("remote.git"));
        let mut all: BTreeMap<String, String> =
            files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
        all.insert("policy.toml".to_owned(), policy(&place));
        // What follows from the policy is taken from a ledger that `jit` made of it.
        let other = place.path("other");
        let file = place.path("policy.toml");
        fs::write(&file, policy(&place)).unwrap();
        let arguments = ["init", other.to_str().unwrap(), "--policy", file.to_str().unwrap(), "--no-template"];
        place.desk("rita", &other).jit_anywhere(&arguments).ok();
        all.insert("allowed_signers".to_owned(), fs::read_to_string(other.join("allowed_signers")).unwrap());
        let time = chrono::DateTime::from_timestamp(common::now().try_into().unwrap(), 0).unwrap();
        let mut event = format!(
            "jit = 1\nkind = \"genesis\"\nactor = \"rita\"\ntime = {}\nnonce = \"{}\"\n\n[genesis]\nname = \"acme/production\"\n",
            time.format("%Y-%m-%dT%H:%M:%SZ"),
            "b5".repeat(13)
        );
        for (path, text) in &all {
            event +=
                &format!("\n[[genesis.file]]\npath = \"{path}\"\nsha256 = \"{}\"\n", forge::digest(text.as_bytes()));
        }
        let name = forge::short(event.as_bytes());
        let path = format!("ledger/{}/{name}/genesis-{name}.toml", time.format("%Y/%m/%d/%H"));
        let signature = forge::sign(&place, &place.key("rita"), "genesis", event.as_bytes());
        all.insert(format!("{path}.sig"), String::from_utf8(signature).unwrap());
        let id = forge::digest(event.as_bytes());
        all.insert(path, event);
        for (path, text) in &all {
            fs::create_dir_all(tree.join(path).parent().unwrap()).unwrap();
            fs::write(tree.join(path), text).unwrap();
        }
        place.git(&tree, &["init", "-q", "-b", "main"]);
        place.git(&tree, &["add", "-A", "-f"]);
        let message = format!("genesis {name}: rita\n\nJit-Event: {id}\n");
        let date = format!("{} +0000", time.timestamp());
        let identity = ["-c", "user.name=rita", "-c", "user.email=rita@acme.example", "-c", "commit.gpgSign=false"];
        let commit = ["commit", "-q", "--date", &date, "--cleanup=verbatim", "-m", &message];
        place.git(&tree, &[&identity[..], &commit].concat());
        place.git(&place.path(""), &["clone", "-q", "--bare", tree.to_str().unwrap(), remote.to_str().unwrap()]);
        Self { place, remote, id }
    }

    fn desk(&self, name: &str) -> Desk<'_> {
        let ledger = self.place.path("home").join(name).join("ledger");
        let desk = self.place.desk(name, &ledger);
        if !ledger.exists() {
            desk.clones(&self.remote);
        }
        desk
    }

    /// A file of the ledger, byte for byte.
    fn has(&self, path: &str) -> String {
        self.place.git_says(&self.remote, &["show", &format!("main:{path}")]).ok().out
    }

    fn names(&self) -> String {
        self.place.git(&self.remote, &["ls-tree", "-r", "--name-only", "main"])
    }

    /// rita proposes, raj agrees: what `arguments` propose is in force.
    #[track_caller]
    fn agrees(&self, arguments: &[&str]) -> Said {
        let said = self.desk("rita").jit(&[arguments, &["--yes", "--json"]].concat()).ok();
        let id = said.text("id");
        self.desk("rita").jit(&["policy", "enact", &id, "--yes"]).refused(3).mentions(&["A11"]);
        self.desk("raj").approves(&id).ok();
        self.desk("raj").jit(&["policy", "enact", &id, "--yes"]).ok();
        said
    }

    /// A work tree as a runner has it: a fresh clone of the whole history, HEAD detached at the pushed commit, and `jit` in
    /// the PATH. `cargo` is there as well and installs nothing.
    fn runner(&self, name: &str) -> Runner<'_> {
        let (tree, programs) = (self.place.path(name), self.place.path("programs"));
        self.place.git(&self.place.path(""), &["clone", "-q", self.remote.to_str().unwrap(), tree.to_str().unwrap()]);
        let head = self.place.head(&self.remote);
        self.place.git(&tree, &["checkout", "-q", "--detach", &head]);
        fs::create_dir_all(&programs).unwrap();
        let cargo = programs.join("cargo");
        executable(&cargo, "#!/bin/sh\n[ \"$1\" = install ]\n");
        let path = std::env::var_os("PATH").unwrap();
        let mut all = vec![Path::new(JIT).parent().unwrap().to_owned(), programs];
        all.extend(std::env::split_paths(&path));
        let home = self.place.path(&format!("{name}-home"));
        fs::create_dir_all(&home).unwrap();
        Runner { place: &self.place, tree, home, path: std::env::join_paths(all).unwrap(), head }
    }

    /// A case of alice that waits for the minter.
    fn approved(&self) -> String {
        let case = self.desk("alice").opens("30m");
        self.desk("bob").approves(&case).ok();
        self.desk("erin").approves(&case).ok();
        case
    }

    fn secret(&self, name: &str) -> String {
        fs::read_to_string(self.place.key(name)).unwrap().trim_end().to_owned()
    }
}

struct Runner<'p> {
    place: &'p Place,
    tree: PathBuf,
    home: PathBuf,
    path: OsString,
    head: String,
}

impl Runner<'_> {
    /// Runs a script as the forge would.
    fn runs(&self, shell: &[&str], script: &str, variables: &[(&str, &str)]) -> Said {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).arg("-c").arg(script).current_dir(&self.tree);
        let mut all: Vec<(&str, &OsStr)> = vec![("PATH", &self.path)];
        all.extend(variables.iter().map(|(name, value)| (*name, OsStr::new(*value))));
        self.place.run_with(command, &self.home, &all, b"")
    }
}

/// The policy of seven people with three roots.
fn policy(place: &Place) -> String {
    let two = "threshold = 2\nmembers = [\"rita\", \"raj\"]";
    place.policy_text(2).replace(two, "threshold = 2\nmembers = [\"rita\", \"raj\", \"dave\"]")
}

/// A step of a workflow of GitHub: its job, its script, the variables that it sets and where they come from.
struct Step {
    job: String,
    script: String,
    variables: Vec<(String, String)>,
}

/// The `run:` steps of a workflow, in their order.
fn steps(workflow: &str) -> Vec<Step> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let uncommented = |text: &str| text.split(" # ").next().unwrap().trim().to_owned();
    let mut found: Vec<Step> = Vec::new();
    let (mut job, mut variables) = (String::new(), Vec::new());
    let mut lines = workflow.lines().skip_while(|line| *line != "jobs:").skip(1).peekable();
    while let Some(line) = lines.next() {
        let text = line.trim();
        if indent(line) == 2 && text.ends_with(':') {
            job = text.trim_end_matches(':').to_owned();
        }
        if text.starts_with("- ") {
            variables.clear();
        }
        if text == "env:" {
            while let Some(next) = lines.next_if(|next| indent(next) > indent(line)) {
                let (name, value) = next.trim().split_once(": ").unwrap();
                variables.push((name.to_owned(), uncommented(value)));
            }
        }
        let Some(run) = text.trim_start_matches("- ").strip_prefix("run: ") else { continue };
        let mut script = uncommented(run);
        if script == "|" {
            script.clear();
            while let Some(next) = lines.next_if(|next| next.is_empty() || indent(next) > indent(line)) {
                script += &format!("{}\n", next.get(indent(line) + 2..).unwrap_or_default());
            }
        }
        found.push(Step { job: job.clone(), script, variables: variables.clone() });
    }
    found
}

/// The script of a job of GitLab.
fn script(file: &str, job: &str) -> String {
    let lines = file.lines().skip_while(|line| *line != format!("{job}:"));
    let lines = lines.skip(1).take_while(|line| line.is_empty() || line.starts_with(' '));
    let lines = lines.skip_while(|line| *line != "  script:").skip(1);
    let lines = lines.take_while(|line| line.starts_with("    "));
    let commands = lines.filter_map(|line| line.trim().strip_prefix("- "));
    commands.map(|command| format!("{command}\n")).collect()
}

fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen", "bash", "jq"])
}

/// GitHub runs each step as `bash -e`.
const BASH: [&str; 2] = ["bash", "-e"];

#[test]
fn the_workflow_of_github_verifies_and_mints() {
    if gone("the_workflow_of_github_verifies_and_mints") {
        return;
    }
    let office = Office::new();
    let case = office.approved();
    let (minter, authority, log) = (office.secret("minter"), office.secret("ca-prod"), office.secret("log"));
    let known = [
        ("${{ vars.JIT_LEDGER_ID }}", &*office.id),
        ("${{ secrets.JIT_MINTER_KEY }}", &*minter),
        ("${{ secrets.JIT_CA_PROD }}", &*authority),
        ("${{ secrets.JIT_LOG_KEY }}", &*log),
    ];
    let steps = steps(&office.has(WORKFLOW));
    let jobs = |job: &str| steps.iter().filter(|step| step.job == job).count();
    assert_eq!((jobs("verify"), jobs("scenarios"), jobs("checkpoint"), jobs("mint")), (3, 3, 3, 4));
    assert_eq!((jobs("comment"), steps.len()), (3, 16));
    let run = |runner: &Runner<'_>, job: &str| {
        for step in steps.iter().filter(|step| step.job == job) {
            let value = |from: &str| known.iter().find(|(name, _)| *name == from).unwrap_or_else(|| panic!("{from}")).1;
            let variables: Vec<(&str, &str)> =
                step.variables.iter().map(|(name, from)| (&**name, value(from))).collect();
            let said = runner.runs(&BASH, &step.script, &variables);
            if said.code != 0 {
                return said;
            }
        }
        runner.runs(&BASH, "git status --porcelain", &[])
    };
    for job in ["verify", "scenarios"] {
        run(&office.runner(job), job).ok();
    }
    assert_eq!(office.desk("alice").sees(&case)["state"], "approved");
    let runner = office.runner("mint");
    // The mint job checks out the branch, as the file says.
    office.place.git(&runner.tree, &["checkout", "-q", "main"]);
    run(&runner, "mint").ok();
    assert_eq!(office.desk("alice").sees(&case)["state"], "live");
    // No key stays behind.
    let left: Vec<PathBuf> = common::files(&runner.tree).into_iter().chain(common::files(&runner.home)).collect();
    let line = minter.lines().nth(2).unwrap().to_owned();
    for file in left {
        assert!(!String::from_utf8_lossy(&fs::read(&file).unwrap()).contains(&line), "{}", file.display());
    }

    // The checkpoint, by whoever has the log's key; without it nothing is signed, and nothing fails.
    let checkpoints = || office.place.git(&office.remote, &["for-each-ref", "refs/heads/checkpoints"]);
    let step = steps.iter().find(|step| step.script.contains("jit checkpoint")).unwrap();
    let runner = office.runner("keyless");
    let said = runner.runs(&BASH, &step.script, &[("LOG_KEY", "")]).ok();
    assert!(said.out.contains("nothing is signed"), "{}", said.told());
    assert_eq!(checkpoints(), "");
    let runner = office.runner("checkpoint");
    office.place.git(&runner.tree, &["checkout", "-q", "main"]);
    run(&runner, "checkpoint").ok();
    assert_ne!(checkpoints(), "");
    let key = log.lines().nth(2).unwrap();
    for file in common::files(&runner.tree).into_iter().chain(common::files(&runner.home)) {
        assert!(!String::from_utf8_lossy(&fs::read(&file).unwrap()).contains(key), "{}", file.display());
    }

    // Another ledger in its place is not minted for.
    let runner = office.runner("stranger");
    let step = steps.iter().find(|step| step.script.contains("$LEDGER_ID")).unwrap();
    assert_ne!(runner.runs(&BASH, &step.script, &[("LEDGER_ID", "sha256:0")]).code, 0);

    // A proposal that gives more than a scenario allows is red, and mints go on.
    let weaker = policy(&office.place)
        .replace("version = 1\n", "version = 2\n")
        .replace(
            "[member.bob]",
            "[member.mallory]\nemail = \"m@acme.example\"\ngroups = [\"developers\"]\nkeys = [\"KEY\"]\n\n[member.bob]",
        )
        .replace("KEY", &{
            office.place.make_key("mallory");
            office.place.public_key("mallory")
        });
    let file = office.place.path("weaker");
    fs::write(&file, weaker).unwrap();
    let named = format!("policy.toml={}", file.display());
    office.desk("alice").jit(&["policy", "propose", &named, "--reason", "A friend.", "--yes"]).ok();
    let said = run(&office.runner("red"), "scenarios").exits(1);
    for part in
        ["Policy version 1, in force", "Policy version 2, proposed by alice", "FAILED  who is not in the policy"]
    {
        assert!(said.out.contains(part), "{part:?}\n{}", said.told());
    }
    run(&office.runner("green"), "verify").ok();

    // A pull request is checked as what would come after main.
    let runner = office.runner("pull-request");
    fs::write(runner.tree.join(WORKFLOW), "on: push\n").unwrap();
    let identity = ["-c", "user.name=Raj", "-c", "user.email=raj@acme.example", "-c", "commit.gpgSign=false"];
    office.place.git(&runner.tree, &[&identity[..], &["commit", "-q", "-a", "-m", "A small mend"]].concat());
    let said = run(&runner, "verify").exits(4);
    assert!(said.out.contains(&format!("::error file={WORKFLOW},line=1,title=C05 ")), "{}", said.told());

    // A void commit is red.
    let raj = office.desk("raj");
    raj.jit(&["sync"]).ok();
    fs::write(raj.ledger.join(WORKFLOW), "on: push\n").unwrap();
    office.place.git(&raj.ledger, &["add", "-A"]);
    let identity = ["-c", "user.name=Raj", "-c", "user.email=raj@acme.example", "-c", "commit.gpgSign=false"];
    office.place.git(&raj.ledger, &[&identity[..], &["commit", "-q", "-m", "A small mend"]].concat());
    office.place.git(&raj.ledger, &["push", "-q", "origin", "main"]);
    let said = run(&office.runner("void"), "verify").exits(4);
    assert!(said.out.contains(&format!("::error file={WORKFLOW},line=1,title=C05 ")), "{}", said.told());
}

/// What came of a pull request stands under it, in one comment of the workflow's own.
#[test]
fn the_workflow_of_github_comments_once() {
    const TEST: &str = "the_workflow_of_github_comments_once";
    if gone(TEST) || absent(TEST, &["python3", "curl"]) {
        return;
    }
    let office = Office::new();
    let kept = office.place.path("comments.json");
    // Somebody else has said something that begins alike.
    let other =
        json!([{"url": "http://127.0.0.1:9/", "user": {"login": "alice"}, "body": "<!-- jit verify -->\nFine."}]);
    fs::write(&kept, other.to_string()).unwrap();
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/template/comments.py")).arg(&kept).arg("t0ken");
    let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let url = format!("http://127.0.0.1:{}/comments", port.trim());

    let steps = steps(&office.has(WORKFLOW));
    let comments = |runner: &Runner<'_>, token: &str| {
        for step in steps.iter().filter(|step| step.job == "comment") {
            let names: Vec<&str> = step.variables.iter().map(|(name, _)| &**name).collect();
            assert!(names.is_empty() || names == ["TOKEN", "COMMENTS"], "{names:?}");
            let said = runner.runs(&BASH, &step.script, &[("TOKEN", token), ("COMMENTS", &url)]);
            if said.code != 0 {
                return Err(said);
            }
        }
        let all: Vec<Value> = serde_json::from_slice(&fs::read(&kept).unwrap()).unwrap();
        assert_eq!(all[0]["body"], "<!-- jit verify -->\nFine.");
        let texts = all.iter().skip(1).map(|comment| comment["body"].as_str().unwrap().to_owned());
        Ok(texts.collect::<Vec<String>>())
    };
    let runner = office.runner("pull-request");
    let said = comments(&runner, "t0ken").unwrap();
    assert!(said.len() == 1 && said[0].contains("acme/production") && !said[0].contains("C05"), "{said:?}");
    // It is pushed to again: the comment says what holds now.
    fs::write(runner.tree.join(WORKFLOW), "on: push\n").unwrap();
    let identity = ["-c", "user.name=Raj", "-c", "user.email=raj@acme.example", "-c", "commit.gpgSign=false"];
    office.place.git(&runner.tree, &[&identity[..], &["commit", "-q", "-a", "-m", "A small mend"]].concat());
    let said = comments(&runner, "t0ken").unwrap();
    assert!(said.len() == 1 && said[0].contains("C05"), "{said:?}");
    // What cannot be checked is not called good.
    fs::remove_file(runner.tree.join(".git/refs/heads/main")).unwrap();
    let step = steps.iter().rfind(|step| step.job == "comment").unwrap();
    runner.runs(&BASH, &step.script, &[("TOKEN", "t0ken"), ("COMMENTS", &url)]).ok();
    let all = fs::read_to_string(&kept).unwrap();
    assert!(all.contains("It could not be checked") && !all.contains("C05"), "{all}");
    // A token that is not taken is an error, and is not shown.
    let said = comments(&office.runner("stranger"), "another").unwrap_err();
    assert!(said.err.contains("401") && !said.told().contains("another\""), "{}", said.told());
    drop(server.stdin.take());
    server.wait().unwrap();
}

/// Nothing of the workflows is wider than it has to be, and what they run from elsewhere cannot change under them.
#[test]
fn the_workflows_ask_for_little() {
    let workflow = TEMPLATE[1].1;
    assert!(workflow.contains("\npermissions: {}\n"));
    let writes: Vec<&str> = workflow.lines().filter(|line| line.contains(": write")).map(str::trim).collect();
    let reasons = [
        "pull-requests: write # the comment",
        "contents: write # to the branch checkpoints",
        "contents: write # the issuance is pushed",
    ];
    assert_eq!(writes, reasons);
    let uses: Vec<&str> = workflow.lines().filter_map(|line| line.split("uses: ").nth(1)).collect();
    assert_eq!(uses.len(), 5);
    for line in uses {
        let digest = line.split('@').nth(1).unwrap().split(' ').next().unwrap();
        assert!(digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
    }
    assert!(!workflow.contains("pull_request_target"));
    // An expression within a script would be text that others write.
    for step in steps(workflow) {
        assert!(!step.script.contains("${{"), "{}", step.script);
        let secret = step.variables.iter().any(|(_, from)| from.contains("secrets."));
        assert!(!secret || ["mint", "checkpoint"].contains(&&*step.job), "{}", step.job);
    }
    assert!(TEMPLATE[2].1.contains("@sha256:"));
}

#[test]
fn the_file_of_gitlab_verifies_and_mints() {
    if gone("the_file_of_gitlab_verifies_and_mints") {
        return;
    }
    let office = Office::new();
    let case = office.approved();
    let file = office.has(GITLAB);
    let (minter, authority, log) = (office.place.key("minter"), office.place.key("ca-prod"), office.place.key("log"));
    let url = office.remote.to_str().unwrap().strip_suffix(".git").unwrap();
    for (number, shell) in [&["bash", "-eo", "pipefail"][..], &["sh", "-e"]].iter().enumerate() {
        for job in ["verify", "scenarios", "checkpoint", "mint"] {
            let runner = office.runner(&format!("{job}-{number}"));
            let variables = [
                ("CI_COMMIT_SHA", &*runner.head),
                ("CI_DEFAULT_BRANCH", "main"),
                ("CI_PROJECT_URL", url),
                ("CI_SERVER_HOST", "forge.example"),
                ("LEDGER_ID", &*office.id),
                ("MINTER_KEY_FILE", minter.to_str().unwrap()),
                ("CA_PROD_FILE", authority.to_str().unwrap()),
                ("LOG_KEY_FILE", log.to_str().unwrap()),
                ("PUSH_TOKEN", "secret-of-the-forge"),
            ];
            let script = script(&file, job);
            assert!(script.contains("jit "), "{job}: {script:?}");
            runner.runs(shell, &script, &variables).ok();
            if job == "verify" {
                let report = fs::read_to_string(runner.tree.join("gl-code-quality-report.json")).unwrap();
                assert_eq!(report.trim(), "[]");
            }
        }
        assert_ne!(office.place.git(&office.remote, &["for-each-ref", "refs/heads/checkpoints"]), "");
        assert_eq!(office.desk("alice").sees(&case)["state"], "live");
    }
}

/// A ledger of one founder begins with scenarios that pass; the examples pass once the policy's are uncommented.
#[test]
fn the_scenarios_pass() {
    if gone("the_scenarios_pass") {
        return;
    }
    let place = Place::new();
    let ledger = place.path("ledger");
    let rita = place.desk("rita", &ledger);
    let arguments = ["init", ledger.to_str().unwrap(), "--name", "acme/production", "--email", "rita@acme.example"];
    rita.jit_anywhere(&arguments).ok();
    for arguments in
        [&["policy", "test"][..], &["policy", "test", "--proposals"], &["policy", "test", "scenarios.toml"]]
    {
        let mut command = rita.command();
        command.args(arguments).current_dir(&ledger);
        let said = rita.run(command).ok();
        assert!(said.out.contains("1 of 1 as expected"), "{}", said.told());
    }

    // The examples, uncommented, against both policies of the sample's people.
    let text = fs::read_to_string(ledger.join("scenarios.toml")).unwrap();
    let bare = |line: &str| match line.strip_prefix('#') {
        Some(example) if !example.starts_with(' ') && !example.is_empty() => format!("{example}\n"),
        _ => format!("{line}\n"),
    };
    let all: String = text.lines().map(bare).collect();
    let file = place.path("all.toml");
    fs::write(&file, &all).unwrap();
    let mut sample = include_str!("../ledger-template/policy.sample.toml").to_owned();
    for name in
        ["alice", "bob", "carol", "dave", "erin", "frank", "rita", "raj", "minter", "db1", "log", "ca-prod", "recorder"]
    {
        sample = sample.replace(&format!("{{{{key:{name}}}}}"), &place.public_key(name));
    }
    for policy in [place.policy_text(2), sample] {
        let with = place.path("with.toml");
        fs::write(&with, policy).unwrap();
        let arguments = ["policy", "test", file.to_str().unwrap(), "--policy", with.to_str().unwrap(), "--json"];
        let said = rita.jit_anywhere(&arguments).ok();
        assert_eq!(said.json()["scenarios"].as_array().map(Vec::len), Some(8), "{}", said.told());
    }
    let arguments = ["policy", "test", "--proposals", "--policy", "x"];
    rita.jit(&arguments).exits(2);
}

#[test]
fn an_older_template_is_replaced_by_quorum() {
    if gone("an_older_template_is_replaced_by_quorum") {
        return;
    }
    let files = BTreeMap::from([
        (WORKFLOW, "name: an older one\n".to_owned()),
        ("README.md", "# An older one\n".to_owned()),
        (".gitattributes", TEMPLATE[0].1.to_owned()),
    ]);
    let office = Office::of_old(&files);
    office.desk("carol").jit(&["verify", "--strict"]).ok();
    let rita = office.desk("rita");
    let head = office.place.head(&office.remote);
    let said = rita.jit(&["ledger", "upgrade-template", "--dry-run", "--json"]).ok();
    let states: Vec<(String, String, bool)> = said.json()["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            let text = |name: &str| file[name].as_str().unwrap().to_owned();
            (text("path"), text("state"), file["taken"].as_bool().unwrap())
        })
        .collect();
    let row = |path: &str, state: &str, taken| (path.to_owned(), state.to_owned(), taken);
    let rows = [
        row(".gitattributes", "same", false),
        row(WORKFLOW, "older", true),
        row(GITLAB, "new", true),
        row("README.md", "older", true),
        row("scenarios.toml", "new", true),
    ];
    assert_eq!(states, rows);
    assert_eq!(office.place.head(&office.remote), head);

    let said = office.agrees(&["ledger", "upgrade-template"]);
    assert_eq!(said.json()["reason"], format!("The template of jit {}.", env!("CARGO_PKG_VERSION")));
    assert!(said.err.contains(&format!("{WORKFLOW} is as an older template brought it: replaced.")), "{}", said.told());
    for (path, text) in TEMPLATE {
        assert_eq!(office.has(path), text, "{path}");
    }
    assert_eq!(office.desk("erin").jit(&["policy", "show", "--json"]).ok().json()["version"], 2);
    office.desk("erin").jit(&["verify", "--strict"]).ok();
    let said = rita.jit(&["ledger", "upgrade-template", "--yes"]).ok();
    assert!(said.out.contains("Nothing to do"), "{}", said.told());
    office.place.is_sound(&office.remote);
}

#[test]
fn what_was_edited_stays_unless_it_is_named() {
    if gone("what_was_edited_stays_unless_it_is_named") {
        return;
    }
    let old = |path: &str| format!("# An older {path}\n");
    let mut files: BTreeMap<&str, String> = TEMPLATE.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
    for path in [WORKFLOW, GITLAB] {
        files.insert(path, old(path));
    }
    let office = Office::of_old(&files);
    let write = |name: &str, text: &str| {
        let file = office.place.path(name);
        fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let (mine, readme) = (write("jit.yml", "# An older one, mended\n"), write("README.md", "# How we do it\n"));
    let (mine, readme) = (format!("{WORKFLOW}={mine}"), format!("README.md={readme}"));
    office.agrees(&["policy", "propose", &mine, &readme, "--remove", GITLAB, "--reason", "We are on GitHub."]);
    let rita = office.desk("rita");
    let head = office.place.head(&office.remote);
    for (more, code) in [(&[][..], 3), (&["--dry-run"], 0)] {
        let said = rita.jit(&[&["ledger", "upgrade-template", "--yes"], more].concat()).exits(code);
        for part in [
            &*format!("{WORKFLOW} was edited here and stays as it is"),
            "    - # An older one, mended",
            "    + name: jit",
            &*format!("{GITLAB} was taken away here, and stays away"),
            &*format!("--force {WORKFLOW}"),
            // The README that was edited is this template's: there is nothing new.
            "README.md was edited here, from this template: there is nothing new for it",
        ] {
            assert!(said.err.contains(part), "{part:?}\n{}", said.told());
        }
    }
    assert_eq!(office.place.head(&office.remote), head, "nothing was proposed");
    let odd = ["ledger", "upgrade-template", "--force", "policy.toml", "--yes"];
    rita.jit(&odd).refused(2).mentions(&["scenarios.toml"]);

    // One comes back, the edits stay.
    let said = office.agrees(&["ledger", "upgrade-template", "--force", GITLAB, "--reason", "GitLab again."]);
    assert!(said.err.contains("was edited here and stays"), "{}", said.told());
    assert_eq!(office.has(GITLAB), TEMPLATE[2].1);
    assert_eq!(office.has(WORKFLOW), "# An older one, mended\n");
    let said = office.agrees(&["ledger", "upgrade-template", "--force", WORKFLOW]);
    assert!(said.err.contains("the edit goes, as --force says"), "{}", said.told());
    assert_eq!(office.has(WORKFLOW), TEMPLATE[1].1);
    assert!(office.names().contains(GITLAB));
    assert_eq!(office.has("README.md"), "# How we do it\n");
    assert!(rita.jit(&["ledger", "upgrade-template"]).ok().out.contains("Nothing to do"));
    office.desk("erin").jit(&["verify", "--strict"]).ok();
}
