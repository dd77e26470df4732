//! Three roots of whom two must agree, and one of them who tries it alone, by every path that there is: by hand, past
//! `jit`, with events of his own making. Signatures are by the real `ssh-keygen`, pushes by the real git. Each time: what
//! `verify` calls it, that nothing is different afterwards, that nothing is minted until two roots have looked into it,
//! and what the person on duty reads.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use common::forge::{self, Files, Forged};
use common::{Desk, Place, absent};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

/// A bare remote whose root is rita, raj and dave, two of whom must agree, and a case of alice that waits for the minter.
struct Office {
    place: Place,
    remote: PathBuf,
    /// The case that is approved, and not minted while a void commit is open.
    case: String,
    /// Policies that were proposed so far, for files of their own.
    count: Cell<usize>,
}

const ROOT: &str = "threshold = 2\nmembers = [\"rita\", \"raj\", \"dave\"]";

impl Office {
    fn new() -> Self {
        let place = Place::new();
        place.make_key("raj-2");
        let remote = place.path("remote.git");
        let office = Self { place, remote, case: String::new(), count: Cell::new(0) };
        let file = office.file(1, |text| text);
        let rita = office.place.desk("rita", &office.remote);
        rita.jit_anywhere(&["init", office.remote.to_str().unwrap(), "--policy", &file, "--bare", "--json"]).ok();
        let case = office.desk("alice").opens("30m");
        office.desk("bob").approves(&case).ok();
        office.desk("erin").approves(&case).ok();
        Self { case, ..office }
    }

    fn desk(&self, name: &str) -> Desk<'_> {
        let ledger = self.place.path("home").join(name).join("ledger");
        let desk = self.place.desk(name, &ledger);
        if !ledger.exists() {
            desk.clones(&self.remote);
        }
        desk
    }

    /// The policy of seven people under this version, with three roots, and raj with two keys.
    fn policy(&self, version: u64, edit: impl Fn(String) -> String) -> String {
        let raj = format!("keys = [\"{}\"]", self.place.public_key("raj"));
        let two = format!("keys = [\"{}\", \"{}\"]", self.place.public_key("raj"), self.place.public_key("raj-2"));
        let text = self.place.policy_text(2).replace("threshold = 2\nmembers = [\"rita\", \"raj\"]", ROOT);
        assert!(text.contains(ROOT) && text.contains(&raj));
        edit(text.replace(&raj, &two).replace("version = 1\n", &format!("version = {version}\n")))
    }

    fn file(&self, version: u64, edit: impl Fn(String) -> String) -> String {
        self.count.set(self.count.get() + 1);
        let directory = self.place.path(&format!("proposed-{}", self.count.get()));
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("policy.toml");
        fs::write(&file, self.policy(version, edit)).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Proposes a policy with `jit`; the case object.
    #[track_caller]
    fn proposed(&self, who: &str, version: u64, edit: impl Fn(String) -> String) -> Value {
        let file = self.file(version, edit);
        self.desk(who).jit(&["policy", "propose", &file, "--reason", "The rota.", "--yes", "--json"]).ok().json()
    }

    /// What a proposal that was made with `jit` would put in force, as an enactment has to bring it.
    fn brought(&self, proposal: &Value) -> Files {
        let opened = proposal["opened"].as_str().unwrap();
        let folder =
            format!("ledger/{}/{}/files/", opened[..13].replace(['-', 'T'], "/"), proposal["id"].as_str().unwrap());
        let names = self.place.git(&self.remote, &["ls-tree", "-r", "--name-only", "main", &folder]);
        let show = |name: &str| {
            let said = self.place.git_says(&self.remote, &["show", &format!("main:{name}")]).ok();
            (name[folder.len()..].to_owned(), said.out.into_bytes())
        };
        names.lines().map(show).collect()
    }

    /// An enactment by raj, made and pushed without `jit`; the commit.
    #[track_caller]
    fn enacts_by_hand(&self, proposal: &Value, files: &Files) -> String {
        let raj = self.desk("raj");
        let forged = forge::event(&raj, &raj.key, "enactment", "raj", Some(proposal), "[enactment]\n");
        forge::push(&raj, &forged, Some(proposal), files)
    }

    /// An approval, made and pushed without `jit`; the commit.
    #[track_caller]
    fn approves_by_hand(&self, who: &str, key: &Path, proposal: &Value) -> String {
        let desk = self.desk(who);
        let forged = forge::event(&desk, key, "approval", who, Some(proposal), "[approval]\n");
        forge::push(&desk, &forged, Some(proposal), &Files::new())
    }

    /// A proposal of raj's of a version of his choice, made and pushed without `jit`; the commit.
    #[track_caller]
    fn proposes_by_hand(&self, version: u64, text: &str) -> String {
        let raj = self.desk("raj");
        let mut manifest = String::new();
        let names = self.place.git(&self.remote, &["ls-tree", "-r", "--name-only", "main"]);
        for name in names.lines().filter(|name| !name.starts_with("ledger/")) {
            let bytes = match name {
                "policy.toml" => text.as_bytes().to_vec(),
                _ => self.place.git_says(&self.remote, &["show", &format!("main:{name}")]).ok().out.into_bytes(),
            };
            manifest += &format!("\n[[proposal.file]]\npath = \"{name}\"\nsha256 = \"{}\"\n", forge::digest(&bytes));
        }
        let table = format!("[proposal]\nsubject = \"policy\"\nversion = {version}\nreason = \"Mine.\"\n{manifest}");
        let forged = forge::event(&raj, &raj.key, "proposal", "raj", None, &table);
        let files = Files::from([("{folder}/files/policy.toml".to_owned(), text.as_bytes().to_vec())]);
        forge::push(&raj, &forged, None, &files)
    }

    /// raj edits files of his work tree, commits and pushes them as git lets anybody do who may push; the commit.
    #[track_caller]
    fn edits_by_hand(&self, edit: impl Fn(&Path)) -> String {
        let raj = self.desk("raj");
        raj.jit(&["sync"]).ok();
        edit(&raj.ledger);
        self.place.git(&raj.ledger, &["add", "-A", "-f"]);
        let identity = ["-c", "user.name=Raj", "-c", "user.email=raj@acme.example", "-c", "commit.gpgSign=false"];
        self.place.git(&raj.ledger, &[&identity[..], &["commit", "-q", "-m", "A small mend"]].concat());
        self.place.git(&raj.ledger, &["push", "-q", "origin", "main"]);
        self.place.head(&self.remote)
    }

    /// Version, digest and roots of the policy in force, as anybody computes them.
    fn in_force(&self) -> Value {
        let shown = self.desk("carol").jit(&["policy", "show", "--json"]).ok().json();
        serde_json::json!([shown["version"], shown["policy"], shown["root"], shown["actors"]])
    }

    /// `try_it` pushes a commit that changes nothing: it is void with this code; what is in force stands; the person on
    /// duty reads what it was; nothing is minted. Then two other roots look into it, and minting goes on.
    #[track_caller]
    fn comes_to_nothing(&self, code: &str, says: &[&str], try_it: impl FnOnce() -> String) {
        let before = self.in_force();
        let commit = try_it();
        assert_eq!(self.in_force(), before, "what is in force changed");

        let carol = self.desk("carol");
        let verdict = carol.jit(&["verify", "--json"]).exits(4).json();
        assert_eq!(verdict["ok"], false);
        let open: Vec<&Value> =
            verdict["voids"].as_array().unwrap().iter().filter(|void| void["acknowledged"] == false).collect();
        assert_eq!(open.len(), 1, "{verdict:#}");
        assert_eq!((&open[0]["commit"], &open[0]["code"]), (&Value::from(&*commit), &Value::from(code)), "{verdict:#}");
        let told = carol.jit(&["verify"]).exits(4);
        for part in says.iter().copied().chain(["VOID", "NOT OK", &commit, "anybody can write it"]) {
            assert!(told.out.contains(part), "{part:?} is not said\n{}", told.told());
        }
        told.mentions(&["Nothing but emergencies is minted", &format!("jit policy acknowledge {}", &commit[..7])]);
        let minted = self.desk("minter").mints().exits(4).mentions(&["jit policy acknowledge"]);
        assert_eq!(minted.json()["issued"], serde_json::json!([]));
        assert_eq!(carol.sees(&self.case)["state"], "approved");

        // The one who did it cannot wave it through: one root is no quorum here either.
        let reason = ["--reason", "raj tried it alone; we talked.", "--yes", "--json"];
        let again = [&["policy", "acknowledge", &commit][..], &reason].concat();
        let id = self.desk("dave").jit(&again).ok().text("id");
        self.desk("dave").jit(&["policy", "enact", &id, "--yes"]).refused(3).mentions(&["A11"]);
        self.desk("rita").approves(&id).ok();
        self.desk("rita").jit(&["policy", "enact", &id, "--yes"]).ok();
        assert_eq!(self.in_force(), before);
        carol.jit(&["verify", "--strict"]).ok();
        self.place.is_sound(&self.remote);
    }

    /// What waited all the while is minted.
    #[track_caller]
    fn goes_on(&self) {
        let issued = self.desk("minter").mints().ok().json();
        assert_eq!(issued["issued"].as_array().unwrap().len(), 1, "{issued:#}");
        assert_eq!(self.desk("alice").sees(&self.case)["state"], "live");
    }
}

fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen"])
}

/// Only raj is root.
fn alone(text: String) -> String {
    text.replace(ROOT, "threshold = 1\nmembers = [\"raj\"]")
}

fn staler(text: String) -> String {
    text.replace("staleness = \"10m\"", "staleness = \"20m\"")
}

/// The way of making events by hand makes good ones: what two roots agreed to is taken from it, too.
#[test]
fn two_roots_need_no_jit() {
    if gone("two_roots_need_no_jit") {
        return;
    }
    let office = Office::new();
    let proposal = office.proposed("rita", 2, staler);
    office.approves_by_hand("raj", &office.place.key("raj"), &proposal);
    office.enacts_by_hand(&proposal, &office.brought(&proposal));
    assert_eq!(office.in_force()[0], 2);
    office.proposes_by_hand(3, &office.policy(3, |text| text));
    office.desk("carol").jit(&["verify", "--strict"]).ok();
    office.goes_on();
}

#[test]
fn by_hand() {
    if gone("by_hand") {
        return;
    }
    let office = Office::new();
    office.comes_to_nothing("C05", &["policy.toml changes outside an enactment", "A small mend", "Raj <raj@"], || {
        office.edits_by_hand(|ledger| fs::write(ledger.join("policy.toml"), office.policy(2, alone)).unwrap())
    });
    let workflow = ".github/workflows/jit.yml";
    office.comes_to_nothing("C05", &[".github/workflows/jit.yml changes outside an enactment"], || {
        office.edits_by_hand(|ledger| fs::write(ledger.join(workflow), "on: push\n").unwrap())
    });
    office.comes_to_nothing("C05", &["Makefile changes outside an enactment"], || {
        office.edits_by_hand(|ledger| fs::write(ledger.join("Makefile"), "all:\n").unwrap())
    });
    // Another key for rita among the signers, and then rita's name under raj's key: the policy says whose a key is.
    let mine = office.place.public_key("raj-2");
    office.comes_to_nothing("C05", &["allowed_signers changes outside an enactment"], || {
        office.edits_by_hand(|ledger| {
            let file = ledger.join("allowed_signers");
            let mut text = fs::read_to_string(&file).unwrap();
            text += &format!("rita namespaces=\"jit-1/*\" {mine}\n");
            fs::write(&file, text).unwrap();
        })
    });
    office.comes_to_nothing("C05", &["allowed_signers changes outside an enactment"], || {
        office.edits_by_hand(|ledger| fs::remove_file(ledger.join("allowed_signers")).unwrap())
    });
    let proposal = office.proposed("raj", 2, alone);
    office.comes_to_nothing("K04", &["is not a key of rita: it is raj's"], || {
        office.approves_by_hand("rita", &office.place.key("raj-2"), &proposal)
    });
    assert_eq!(office.desk("raj").sees(proposal["id"].as_str().unwrap())["state"], "pending");
    office.goes_on();
}

#[test]
fn an_enactment_pushed_past_jit() {
    if gone("an_enactment_pushed_past_jit") {
        return;
    }
    let office = Office::new();
    // A threshold that the change itself would lower, and a root that it would make.
    let lowered: fn(String) -> String = |text| text.replace("threshold = 2", "threshold = 1");
    for edit in [lowered, alone, staler] {
        let proposal = office.proposed("raj", 2, edit);
        let id = proposal["id"].as_str().unwrap();
        office
            .desk("raj")
            .jit(&["policy", "enact", id, "--yes"])
            .refused(3)
            .mentions(&["A11", "1 of root (dave, rita)"]);
        office.comes_to_nothing("A11", &["lacks the root quorum", "enactment"], || {
            office.enacts_by_hand(&proposal, &office.brought(&proposal))
        });
        // With other files than the proposal's.
        let mut files = office.brought(&proposal);
        files.insert(".gitlab-ci.yml".to_owned(), b"mint: {}\n".to_vec());
        office.comes_to_nothing("C05", &[".gitlab-ci.yml is not what the manifest says"], || {
            office.enacts_by_hand(&proposal, &files)
        });
        assert_eq!(office.desk("raj").sees(id)["state"], "pending");
    }
    office.goes_on();
}

#[test]
fn versions_that_were() {
    if gone("versions_that_were") {
        return;
    }
    let office = Office::new();
    let first = office.proposed("rita", 2, staler);
    let other = office.proposed("raj", 2, |text| text.replace("staleness = \"10m\"", "staleness = \"30m\""));
    office.desk("raj").approves(first["id"].as_str().unwrap()).ok();
    office.desk("dave").approves(other["id"].as_str().unwrap()).ok();
    let (old, overtaken) = (office.brought(&first), office.brought(&other));
    office.desk("rita").jit(&["policy", "enact", first["id"].as_str().unwrap(), "--yes"]).ok();
    assert_eq!(office.in_force()[0], 2);

    // Two roots agreed to it once; another of its version is in force.
    office.comes_to_nothing("A11", &["is overtaken"], || office.enacts_by_hand(&other, &overtaken));
    // What is in force, put in force once more.
    office.comes_to_nothing("A11", &["is enacted"], || office.enacts_by_hand(&first, &old));
    // An equal version, an older one, and one left out.
    office.comes_to_nothing("A10", &["version 2 is not the next one, 3"], || {
        office.proposes_by_hand(2, &office.policy(2, alone))
    });
    office.comes_to_nothing("A10", &["version 1 is not the next one, 3"], || {
        office.proposes_by_hand(1, &office.policy(1, |text| text))
    });
    office.comes_to_nothing("A10", &["version 4 is not the next one, 3"], || {
        office.proposes_by_hand(4, &office.policy(4, |text| text))
    });
    // The proposal says the next version, its policy an older one.
    office.comes_to_nothing("A10", &["policy.toml has version 1, the proposal 3"], || {
        office.proposes_by_hand(3, &office.policy(1, |text| text))
    });
    for version in [1, 2] {
        let file = office.file(version, |text| text);
        let back = ["policy", "propose", &file, "--reason", "Back.", "--yes"];
        office.desk("raj").jit(&back).refused(3).mentions(&["version 2 is in force", "version = 3", "A10"]);
    }
    office.goes_on();
}

#[test]
fn one_person_is_one_vote() {
    if gone("one_person_is_one_vote") {
        return;
    }
    let office = Office::new();
    // His own proposal, with either key.
    let own = office.proposed("raj", 2, staler);
    for key in ["raj", "raj-2"] {
        let raj = office.desk("raj");
        let key = office.place.key(key);
        let arguments = ["approve", own["id"].as_str().unwrap(), "--yes", "--key", key.to_str().unwrap()];
        let mut command = std::process::Command::new(common::JIT);
        command.arg("--ledger").arg(&raj.ledger).args(["--as", "raj"]).args(arguments);
        raj.run(command).refused(3).mentions(&["A03", "raj cannot decide their own proposal"]);
        office.comes_to_nothing("A03", &["raj cannot decide their own proposal"], || {
            office.approves_by_hand("raj", &key, &own)
        });
    }
    office.comes_to_nothing("A11", &["lacks the root quorum"], || office.enacts_by_hand(&own, &office.brought(&own)));

    // Somebody's who is no root: raj with the one key, and then with the other.
    let carols = office.proposed("carol", 2, staler);
    office.approves_by_hand("raj", &office.place.key("raj"), &carols);
    assert_eq!(office.desk("carol").sees(carols["id"].as_str().unwrap())["waiting_on"][0]["count"], 1);
    office.comes_to_nothing("A03", &["raj has already approved case"], || {
        office.approves_by_hand("raj", &office.place.key("raj-2"), &carols)
    });
    office.comes_to_nothing("A11", &["lacks the root quorum"], || {
        office.enacts_by_hand(&carols, &office.brought(&carols))
    });

    // One key cannot be two people's: neither a second name for it, nor the same twice in one list.
    let key = office.place.public_key("raj-2");
    let twin = move |text: String| {
        let raj_too = format!(
            "[member.raj-too]\nemail = \"raj-too@acme.example\"\ngroups = []\nkeys = [\"{key}\"]\n\n[member.rita]"
        );
        let text = text.replace("[member.rita]", &raj_too);
        text.replace("members = [\"rita\", \"raj\", \"dave\"]", "members = [\"rita\", \"raj\", \"dave\", \"raj-too\"]")
    };
    let first = office.place.public_key("raj");
    let second = office.place.public_key("raj-2");
    let twice =
        move |text: String| text.replace(&format!("\"{first}\", \"{second}\""), &format!("\"{first}\", \"{first}\""));
    let named_twice = |text: String| text.replace("[\"rita\", \"raj\", \"dave\"]", "[\"raj\", \"raj\"]");
    let edits: [(&dyn Fn(String) -> String, &str); 3] =
        [(&twin, "one key with two owners"), (&twice, "the same again"), (&named_twice, "the same again")];
    for (edit, says) in edits {
        let file = office.file(2, edit);
        let arguments = ["policy", "propose", &file, "--reason", "More of us.", "--yes"];
        office.desk("raj").jit(&arguments).refused(3).mentions(&["A10", says]);
        office.comes_to_nothing("A10", &["the policy is unsound", says], || {
            office.proposes_by_hand(2, &office.policy(2, edit))
        });
    }
    office.goes_on();
}

#[test]
fn an_approval_counts_where_it_was_given() {
    if gone("an_approval_counts_where_it_was_given") {
        return;
    }
    let office = Office::new();
    let good = office.proposed("raj", 2, staler);
    let bad = office.proposed("raj", 2, alone);
    office.desk("dave").approves(good["id"].as_str().unwrap()).ok();
    // dave's approval, as it lies in the ledger.
    let path = office
        .place
        .events(&office.remote)
        .into_iter()
        .find(|path| path.contains("/approval-") && path.contains(good["id"].as_str().unwrap()));
    let path = path.unwrap();
    let show =
        |path: &str| office.place.git_says(&office.remote, &["show", &format!("main:{path}")]).ok().out.into_bytes();
    let event = String::from_utf8(show(&path)).unwrap();
    let time = event.lines().find_map(|line| line.strip_prefix("time = ")).unwrap().to_owned();
    let copy = Forged {
        kind: "approval".to_owned(),
        actor: "dave".to_owned(),
        event: event.clone().into_bytes(),
        signature: show(&format!("{path}.sig")),
        time,
    };
    let raj = office.desk("raj");
    office.comes_to_nothing("C04", &["approval"], || forge::push(&raj, &copy, Some(&bad), &Files::new()));
    // The same with the other case written into it: the signature is not of these bytes.
    let (from, to) = (good["case"].as_str().unwrap(), bad["case"].as_str().unwrap());
    let changed = Forged { event: event.replace(from, to).into_bytes(), ..copy };
    office.comes_to_nothing("K02", &["approval"], || forge::push(&raj, &changed, Some(&bad), &Files::new()));
    // And signed for another kind of event.
    let dave = office.desk("dave");
    let meant = forge::event(&dave, &dave.key, "approval", "dave", Some(&bad), "[approval]\n");
    let signature = forge::sign(&office.place, &dave.key, "denial", &meant.event);
    let other = Forged { signature, ..meant };
    office.comes_to_nothing("K03", &["approval"], || forge::push(&raj, &other, Some(&bad), &Files::new()));
    office.comes_to_nothing("A11", &["lacks the root quorum"], || office.enacts_by_hand(&bad, &office.brought(&bad)));
    assert_eq!(office.desk("raj").sees(bad["id"].as_str().unwrap())["state"], "pending");
    assert_eq!(office.desk("raj").sees(good["id"].as_str().unwrap())["state"], "approved");
    office.goes_on();
}

/// A policy proposal is overtaken when somebody leaves the root, because that takes a version. An acknowledgement is not,
/// and loses the voice of whoever left.
#[test]
fn who_left_the_root_has_no_voice_left() {
    if gone("who_left_the_root_has_no_voice_left") {
        return;
    }
    let office = Office::new();
    let file = |ledger: &Path| fs::write(ledger.join("Makefile"), "all:\n").unwrap();
    let void = office.edits_by_hand(file);
    let reason = ["--reason", "It was nothing.", "--yes", "--json"];
    let raj = office.desk("raj");
    let acknowledgement = raj.jit(&[&["policy", "acknowledge", &void][..], &reason].concat()).ok().json();
    let id = acknowledgement["id"].as_str().unwrap();
    office.desk("dave").approves(id).ok();
    assert_eq!(raj.sees(id)["state"], "approved");
    let proposal = office.proposed("dave", 2, alone);
    office.desk("raj").approves(proposal["id"].as_str().unwrap()).ok();
    assert_eq!(raj.sees(proposal["id"].as_str().unwrap())["state"], "approved");

    // rita and raj take dave out of the root, before either was enacted.
    let without = office.proposed("rita", 2, |text| text.replace("\"raj\", \"dave\"]", "\"raj\"]"));
    office.desk("raj").approves(without["id"].as_str().unwrap()).ok();
    office.desk("rita").jit(&["policy", "enact", without["id"].as_str().unwrap(), "--yes"]).ok();
    assert_eq!(raj.sees(id)["state"], "pending", "dave's approval no longer counts");
    assert_eq!(raj.sees(proposal["id"].as_str().unwrap())["state"], "overtaken");
    raj.jit(&["policy", "enact", id, "--yes"]).refused(3).mentions(&["A11", "1 of root (rita)"]);

    let before = office.in_force();
    let first = office.enacts_by_hand(&acknowledgement, &Files::new());
    let second = office.enacts_by_hand(&proposal, &office.brought(&proposal));
    assert_eq!(office.in_force(), before);
    let verdict = office.desk("carol").jit(&["verify", "--json"]).exits(4).json();
    let codes: Vec<(&str, &str)> = verdict["voids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|void| (void["commit"].as_str().unwrap(), void["code"].as_str().unwrap()))
        .collect();
    assert_eq!(codes, [(&*void, "C05"), (&*first, "A11"), (&*second, "A11")]);
    assert!(verdict["voids"].as_array().unwrap().iter().all(|void| void["acknowledged"] == false));
    office.desk("minter").mints().exits(4);

    // rita agrees: with her it is two of the root that there is.
    let all = raj.jit(&[&["policy", "acknowledge"][..], &reason].concat()).ok().text("id");
    office.desk("dave").approves(&all).refused(3).mentions(&["A03"]);
    office.desk("rita").approves(&all).ok();
    office.desk("rita").jit(&["policy", "enact", &all, "--yes"]).ok();
    office.desk("carol").jit(&["verify", "--strict"]).ok();
    office.goes_on();
}
