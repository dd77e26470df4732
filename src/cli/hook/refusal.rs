//! A refusal as whoever pushed reads it behind git's `remote:`: which commit, what it tried, which rule it breaks, why
//! there is such a rule, and what to type. Imports domain. Rules: docs/rules.md.

use serde_json::{Value, json};

use super::super::view::void::Tried;
use super::check::Update;
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CommitId, Digest};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;
use crate::git::{BRANCH, CHECKPOINTS};

/// How many paths are named.
const PATHS: usize = 3;
/// Takes the commits back that main does not have, and what they changed.
const RESET: &str = "git fetch origin && git reset --keep origin/main";
/// Takes them back and leaves what they changed in the work tree.
const RESET_SOFT: &str = "git fetch origin && git reset --soft origin/main";

/// Why a push is refused.
#[derive(Debug)]
pub struct Refusal {
    reference: String,
    code: Option<Code>,
    commit: Option<CommitId>,
    by: Option<String>,
    tried: Option<String>,
    breaks: String,
    why: String,
    remedy: Vec<String>,
}

impl Refusal {
    /// A commit on main that would be void.
    pub fn void(update: &Update, commit: CommitId, tried: &Tried, fault: Fault, now: Timestamp) -> Self {
        let subject = tried.message.lines().next().unwrap_or_default();
        let mut paths = tried.paths.iter().take(PATHS).cloned().collect::<Vec<_>>().join(", ");
        let left = tried.paths.len().saturating_sub(PATHS);
        if left > 0 || tried.more {
            paths.push_str(&format!(" and {}{left} more", if tried.more { "at least " } else { "" }));
        }
        let changes = if paths.is_empty() { "changes no file".to_owned() } else { format!("changes {paths}") };
        // `ledger/YYYY/MM/DD/HH/CASE/…`
        let case = tried.paths.iter().find_map(|path| path.strip_prefix("ledger/")?.split('/').nth(4));
        let (why, remedy) = match (update.old, fault.code) {
            (None, _) => (
                "This repository is empty: what comes first must be a ledger that `jit init` made.",
                vec!["jit init DIR   # then, in DIR: git push origin main".to_owned()],
            ),
            (Some(_), code) => advice(code, &fault.message, case, now),
        };
        Self {
            reference: update.reference.clone(),
            code: Some(fault.code),
            commit: Some(commit),
            by: Some(tried.committer.clone()),
            tried: Some(format!("\"{subject}\", {changes}")),
            breaks: fault.message,
            why: why.to_owned(),
            remedy,
        }
    }

    /// A commit that does not belong on the branch of checkpoints.
    pub fn checkpoint(update: &Update, commit: Option<CommitId>, breaks: &str) -> Self {
        Self::plain(
            update,
            commit,
            breaks,
            "The branch checkpoints holds what the log's key has signed of this ledger, and nothing else.",
            vec!["with the log's key: jit checkpoint".to_owned()],
        )
    }

    /// A reference that this repository does not take.
    pub fn foreign(update: &Update) -> Self {
        let why = match update.reference.starts_with("refs/tags/") {
            true => "A tag is a name that anybody can move; what holds is on main, and signed.",
            false => "A ledger is one line of signed events on main: a proposal is an event too, and needs no branch.",
        };
        let own = match update.reference.strip_prefix("refs/tags/") {
            Some(tag) => format!("git tag -d {tag}   # nothing here needs it"),
            None => "jit policy propose   # for a change that others shall agree to".to_owned(),
        };
        let remedy =
            vec![own, format!("or ask who runs this repository for: jit hook install --allow {}", update.reference)];
        Self::plain(update, None, "this repository takes main and checkpoints only", why, remedy)
    }

    /// A branch that would go.
    pub fn deleted(update: &Update) -> Self {
        let why = "What was said stays said: neither branch of a ledger is ever removed.";
        let remedy = vec![format!("nothing: leave {} where it is", short(&update.reference))];
        Self::plain(update, None, "it would be deleted", why, remedy)
    }

    /// A branch that would not continue what is there.
    pub fn rewritten(update: &Update) -> Self {
        let why =
            "What was said stays said: the branch only grows, and everybody's clone would see that it was rewritten.";
        let remedy = match &*update.reference {
            CHECKPOINTS => vec!["jit checkpoint   # looks where the branch stands, and adds to it".to_owned()],
            _ => vec![
                format!("{RESET}   # your commits go; never --force"),
                "then run the jit command again; what waits in its outbox: jit sync".to_owned(),
            ],
        };
        Self::plain(update, None, "what is pushed does not lie on top of what is here", why, remedy)
    }

    /// Another ledger than the one that this repository is for.
    pub fn other_ledger(update: &Update, wanted: &Digest, found: &Digest) -> Self {
        let breaks = format!("it is the ledger {found}, and this repository is for {wanted}");
        let remedy = vec!["git remote -v; jit verify   # is it the repository you meant, and the ledger?".to_owned()];
        Self::plain(update, None, &breaks, "The repository was set up for one ledger.", remedy)
    }

    fn plain(update: &Update, commit: Option<CommitId>, breaks: &str, why: &str, remedy: Vec<String>) -> Self {
        Self {
            reference: update.reference.clone(),
            code: None,
            commit,
            by: None,
            tried: None,
            breaks: breaks.to_owned(),
            why: why.to_owned(),
            remedy,
        }
    }

    /// What whoever pushed reads.
    pub fn text(&self) -> String {
        let mut text = "jit: push refused. Nothing was changed.\n".to_owned();
        // A path may hold a line feed: nobody writes lines of ours.
        let mut field = |label: &str, value: &str| {
            text.push_str(&format!("  {label:<8} {}\n", visible(value).replace('\n', "\\u{a}")))
        };
        match &self.commit {
            Some(commit) if self.reference == BRANCH => field("Commit", &commit.to_string()),
            Some(commit) => field("Commit", &format!("{commit} on {}", short(&self.reference))),
            None => field("Branch", short(&self.reference)),
        }
        if let Some(by) = &self.by {
            field("Made by", by);
        }
        if let Some(tried) = &self.tried {
            field("Tried", tried);
        }
        match self.code {
            Some(code) => field("Breaks", &format!("{code}: {}", self.breaks)),
            None => field("Refused", &self.breaks),
        }
        field("Why", &self.why);
        for (number, line) in self.remedy.iter().enumerate() {
            field(if number == 0 { "Do" } else { "" }, line);
        }
        text
    }

    /// The same for scripts.
    pub fn json(&self) -> Value {
        json!({ "ref": self.reference, "rule": self.code.map(Code::as_str),
            "commit": self.commit.map(|commit| commit.to_string()), "message": self.breaks, "why": self.why,
            "remedy": self.remedy, "unverified": { "committer": self.by, "tried": self.tried } })
    }
}

fn short(reference: &str) -> &str {
    reference.strip_prefix("refs/heads/").unwrap_or(reference)
}

/// Why there is this rule, and what whoever broke it by mistake types.
fn advice(code: Code, message: &str, case: Option<&str>, now: Timestamp) -> (&'static str, Vec<String>) {
    let again = |what: &str| vec![RESET.to_owned(), what.to_owned()];
    let show = case.map_or_else(|| "jit list".to_owned(), |case| format!("jit show {case}"));
    match code {
        Code::C01 => (
            "A ledger is one line of events. `git pull` in a ledger makes merges: use jit sync.",
            again("jit sync   # delivers what jit signed and what waits"),
        ),
        Code::C02 => (
            "What was said stays said: an event is never edited, moved or removed.",
            again("say it with a new event: jit --help lists them (withdraw, revoke, close, ...)"),
        ),
        Code::C03 | Code::C04 | Code::C06 | Code::C08 => (
            "A commit of a ledger is one signed event, as jit writes it; nothing else is committed by hand.",
            again("run the jit command for what you meant: jit --help"),
        ),
        Code::C05 if message.contains("outside an enactment") => (
            "This file is governed: it changes only by a proposal that the root members approve.",
            vec![
                format!("{RESET_SOFT}   # your edit stays in the work tree"),
                "jit policy propose --bump --reason \"...\"   # proposes what you edited".to_owned(),
            ],
        ),
        Code::C05 => (
            "An enactment makes the governed files exactly what the approved proposal says.",
            again("jit policy enact CASE   # writes it"),
        ),
        Code::C07 => (
            "Author, date and message of a commit are what its event says. Amend, rebase and cherry-pick change them.",
            again("run the jit command again; what waits in its outbox: jit sync"),
        ),
        Code::E01 | Code::E02 | Code::E03 | Code::E04 => (
            "An event's bytes are canonical, so that one text has one signature; jit writes them, nobody else has to.",
            again("run the jit command for what you meant; if jit wrote this, its version differs: jit --version"),
        ),
        Code::K01 | Code::K02 | Code::K03 => (
            "Each event carries its author's signature of exactly its bytes.",
            again("run the jit command again with your own key: --key FILE"),
        ),
        Code::K04 => (
            "Only a key that the policy in force gives to the event's actor speaks for them.",
            again("jit member list   # shows whose keys count; sign with yours: --as NAME --key FILE"),
        ),
        Code::K05 => (
            "The policy demands a hardware key, and its touch or PIN.",
            again("run the jit command again with that key, and touch it: --key FILE"),
        ),
        Code::L01 => (
            "An event names the ledger and the policy it was signed under; the policy may have changed meanwhile.",
            again("run the jit command again: it signs for the policy in force"),
        ),
        Code::L02 | Code::L03 => (
            "An event names the history its author saw. This one was signed on another history than the one here.",
            vec![
                "jit verify   # in your clone; compare its root with a colleague's before you sign anything".to_owned(),
                format!("if only your clone differs: {RESET}"),
            ],
        ),
        Code::L04 => (
            "An event's time must be now, give or take the policy's clock_skew: one of the two clocks is wrong.",
            vec![
                format!("date -u   # here it is {now}; set your clock right (timedatectl set-ntp true)"),
                format!("{RESET}   # then run the jit command again"),
            ],
        ),
        Code::L05 => {
            ("The same event is in the ledger already.", again("nothing more: jit sync shows that it arrived"))
        }
        Code::L06 => (
            "Nobody decides about what they have not seen.",
            again("run the jit command again: it looks at the newest state first"),
        ),
        Code::A01 | Code::A02 | Code::A07 => (
            "The policy says who may ask for what, for how long, and what they must say.",
            again("jit policy explain NAME TARGET/ROLE   # says what holds for you"),
        ),
        Code::A03 => (
            "Those whom the policy names decide, each once, and nobody on their own request.",
            again(&format!("{show}   # says on whom it waits")),
        ),
        Code::A04 | Code::A05 | Code::A06 | Code::A13 => (
            "A credential is issued only for what was approved, and says exactly that.",
            again("jit mint   # decides anew what is due"),
        ),
        Code::A08 => {
            ("Only a host that the target names reports its sessions.", again("on that host: jit host status"))
        }
        Code::A09 => (
            "Each turn of a case is open to certain people, at certain states.",
            again(&format!("{show}   # says what comes next, and from whom")),
        ),
        Code::A10 => (
            "A proposal is the next version of a sound policy.",
            again("jit policy check FILE   # says what is wrong; then: jit policy propose --bump"),
        ),
        Code::A11 => (
            "A proposal comes into force once the old and the new root members have agreed.",
            again(&format!("{show}   # says on whom it waits")),
        ),
        Code::A12 => (
            "The policy says who may lock; only a proposal of the root members lifts a lock.",
            again("jit policy show   # says who may"),
        ),
        Code::F01 | Code::F02 | Code::F03 | Code::F04 | Code::F05 | Code::F06 | Code::F07 => {
            ("The ledger's rules.", again("jit verify"))
        }
    }
}
