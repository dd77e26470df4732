//! The other side of a ledger: fetch, push and clone through the `git` program, whose transports people have already
//! configured. Never by force. Imports `ports` and `domain::id`.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use super::drops::Drops;
use super::inbox::FETCHED;
use super::program::{Finished, Program};
use super::reference::places;
use super::repository::GitStore;
use super::{BRANCH, GitError, stale, unfinished};
use crate::domain::id::CommitId;
use crate::ports::{Remote, RemoteError, StoreError};

/// How long the first fetch of a clone may take.
const CLONE_TIMEOUT: Duration = Duration::from_secs(3600);

/// A remote of a ledger's repository.
pub struct GitRemote<'a> {
    pub(super) store: &'a GitStore,
    program: &'a Program,
    pub(super) name: String,
    branch: &'static str,
}

/// What a push came to.
pub(super) enum Verdict {
    LostRace,
    /// The other side's branch was locked for a moment; or this lock was left there.
    Locked(String),
    Failed(RemoteError),
}

impl<'a> GitRemote<'a> {
    /// The remote of this name, or `origin` where it is configured; `None` where the ledger has no remote.
    ///
    /// # Errors
    /// Where a remote was named and is not configured, or the configuration cannot be read.
    pub fn of(store: &'a GitStore, program: &'a Program, name: Option<&str>) -> Result<Option<Self>, GitError> {
        let wanted = name.unwrap_or("origin");
        match store.git().find_remote(wanted) {
            Ok(_) => Ok(Some(Self { store, program, name: wanted.to_owned(), branch: BRANCH })),
            Err(error) if error.code() == git2::ErrorCode::NotFound && name.is_none() => Ok(None),
            Err(error) => Err(GitError::repository(store.path(), &error)),
        }
    }

    /// The same remote's other branch: its whole name, such as `refs/heads/checkpoints`.
    #[must_use]
    pub fn with_branch(self, branch: &'static str) -> Self {
        Self { branch, ..self }
    }

    /// The remote's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the branch of the remote was when it was last fetched or pushed to.
    ///
    /// # Errors
    /// Where the reference cannot be read.
    pub fn last_seen(&self) -> Result<Option<CommitId>, StoreError> {
        self.store.reference(&self.tracking())
    }

    /// Where the branch of the other side is, where that is a repository on this machine: read from its files, without
    /// asking anybody. `None` for any other remote. A hint to fetch, never an answer.
    pub fn nearby_head(&self) -> Option<CommitId> {
        let remote = self.store.git().find_remote(&self.name).ok()?;
        let url = remote.url().ok()?;
        let path = Path::new(url.strip_prefix("file://").unwrap_or(url));
        let there = if path.is_absolute() { git2::Repository::open(path).ok()? } else { return None };
        super::reference::current(&there, BRANCH).ok().flatten()
    }

    fn tracking(&self) -> String {
        let branch = self.branch.strip_prefix("refs/heads/").unwrap_or(self.branch);
        format!("refs/remotes/{}/{branch}", self.name)
    }

    fn push_once(&self, commit: CommitId) -> Result<Result<(), Verdict>, RemoteError> {
        // A full id and a full name: nothing of the configuration decides what is pushed where. No `+`, ever.
        let what = format!("{commit}:{}", self.branch);
        Ok(judge(&self.push_refs(&[], &[what])?, self.branch))
    }

    /// Pushes exactly these, whatever the configuration says.
    pub(super) fn push_refs(&self, options: &[String], what: &[String]) -> Result<Finished, RemoteError> {
        let mut arguments = vec!["push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"];
        arguments.extend(options.iter().map(String::as_str));
        arguments.push(&self.name);
        arguments.extend(what.iter().map(String::as_str));
        self.ask(&arguments)
    }

    /// Runs git, again where the connection dropped. Whatever was asked may have been done all the same: a push that is
    /// repeated finds its commit there, or that somebody has gone on from it.
    fn ask(&self, arguments: &[&str]) -> Result<Finished, RemoteError> {
        let mut drops = Drops::within(self.program.timeout());
        loop {
            let finished = self.program.run(self.store, arguments)?;
            match drops.pause_after(&finished) {
                Some(pause) => sleep(pause),
                None => return Ok(finished),
            }
        }
    }
}

impl Remote for GitRemote<'_> {
    fn fetch(&self) -> Result<Option<CommitId>, RemoteError> {
        self.fetch_with(&[], &[])
    }

    fn push(&self, commit: CommitId) -> Result<(), RemoteError> {
        self.store.persist().map_err(|error| RemoteError::Git(error.to_string()))?;
        let mut attempt = 0;
        loop {
            match self.push_once(commit)? {
                Ok(()) => break,
                Err(Verdict::LostRace) => return Err(RemoteError::LostRace),
                Err(Verdict::Failed(error)) => return Err(error),
                // Nothing of ours was refused: the same push again, a few times.
                Err(Verdict::Locked(_)) if attempt < 5 => {
                    sleep(Duration::from_millis(100 << attempt));
                    attempt += 1;
                }
                Err(Verdict::Locked(lock)) => {
                    let why = "at the remote: another git is writing there, or one died".to_owned();
                    return Err(RemoteError::Locked { lock, why, is_remote: true });
                }
            }
        }
        // Git does it where its fetch settings are usual; the push stands whether or not this does.
        if let Ok(oid) = git2::Oid::from_bytes(commit.as_bytes()) {
            let _ = self.store.git().reference(&self.tracking(), oid, true, "update by push");
        }
        Ok(())
    }
}

impl GitRemote<'_> {
    /// Fetches the branch and what else is named, and returns where the other side has the branch.
    pub(super) fn fetch_with(&self, options: &[&str], more: &[String]) -> Result<Option<CommitId>, RemoteError> {
        let tracking = self.tracking();
        // `+`: a branch that was rewound or replaced is seen as it is; the pin says what to think of it.
        let what = format!("+{}:{tracking}", self.branch);
        let mut arguments = vec![
            "fetch",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--refmap=",
        ];
        arguments.extend(options);
        arguments.extend([self.name.as_str(), &what]);
        arguments.extend(more.iter().map(String::as_str));
        let mut finished = self.ask(&arguments)?;
        // Another process fetched into this clone at the same moment: what it fetched may be older than what we saw.
        let mut lock = self.lock_in(&finished.stderr);
        let mut seen = None;
        for attempt in 0..8 {
            if finished.success || !finished.stderr.contains("cannot lock ref") {
                break;
            }
            match attempt {
                0 => seen = stale::identity(&lock),
                // It has stayed for more than two seconds: it is git's own, and a git that was killed left it.
                7 => {
                    let now = self.lock_in(&finished.stderr);
                    // Another one than was seen at first has not stayed.
                    if now != lock {
                        seen = None;
                        lock = now;
                    }
                    stale::clear(&lock, seen, &places(self.store.git())).map_err(|told| RemoteError::Locked {
                        lock: told.lock.display().to_string(),
                        why: told.why(),
                        is_remote: false,
                    })?;
                }
                _ => {}
            }
            sleep(Duration::from_millis(20 << attempt));
            finished = self.ask(&arguments)?;
        }
        if !finished.success {
            if finished.stderr.contains("couldn't find remote ref") {
                return Ok(None);
            }
            let ours = |line: &&str| {
                let is_full = line.contains("No space left on device") || line.contains("Disk quota exceeded");
                !line.starts_with("remote:") && (is_full || line.contains("Read-only file system"))
            };
            return Err(match finished.stderr.lines().find(ours) {
                Some(line) => RemoteError::Disk(printable(line)),
                None => RemoteError::Unreachable(summary(&finished.stderr)),
            });
        }
        // Git warns, exits with 0 and leaves the reference where it was: that must not pass for an answer.
        if finished.stderr.contains("shallow roots are not allowed") {
            return Err(RemoteError::Git(
                "the remote is a shallow repository: part of its history is missing".to_owned(),
            ));
        }
        match self.store.reference(&tracking) {
            Ok(Some(head)) => Ok(Some(head)),
            Ok(None) => Err(RemoteError::Git(format!("the fetch brought no branch: {}", summary(&finished.stderr)))),
            Err(error) => Err(RemoteError::Git(error.to_string())),
        }
    }

    /// The lock that a fetch stood before: of a reference of ours that git names, else of the branch's.
    fn lock_in(&self, stderr: &str) -> PathBuf {
        let named = stderr.split_once("cannot lock ref '").and_then(|(_, rest)| rest.split_once('\''));
        let ours = named.map(|(name, _)| name).filter(|name| name.starts_with(FETCHED) && !name.contains(".."));
        let name = ours.map_or_else(|| self.tracking(), str::to_owned);
        self.store.git().commondir().join(format!("{name}.lock"))
    }
}

/// Makes an empty repository at `directory` with `url` as its `origin`, and fetches. The branch is still unborn, so
/// that nothing is checked out before it is verified: the caller then advances from `None` to the returned head.
///
/// # Errors
/// Where the directory holds something, or the fetch fails; a directory that was made is gone again then. What a clone left
/// that was killed is no hindrance: it goes first.
pub fn clone(
    url: &str,
    directory: &Path,
    bare: bool,
    program: &Program,
) -> Result<(GitStore, Option<CommitId>), GitError> {
    unfinished::clear(directory, bare)?;
    let was_there = directory.exists();
    let occupied = std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
    if occupied || std::fs::symlink_metadata(directory).is_ok_and(|meta| !meta.is_dir()) {
        return Err(GitError::NotEmpty(directory.to_owned()));
    }
    let cloned = clone_into(url, directory, bare, program);
    if cloned.is_err() {
        unfinished::forget(directory, bare, was_there);
    }
    cloned
}

fn clone_into(
    url: &str,
    directory: &Path,
    bare: bool,
    program: &Program,
) -> Result<(GitStore, Option<CommitId>), GitError> {
    let store = GitStore::init(directory, bare)?;
    // A path is kept absolute, as git does: it was meant from where the person stands.
    let path = Path::new(url);
    let url = match path.canonicalize() {
        Ok(absolute) if path.exists() => absolute.to_string_lossy().into_owned(),
        _ => url.to_owned(),
    };
    store.git().remote("origin", &url).map_err(|error| GitError::repository(directory, &error))?;
    // A whole history, not a few events.
    let patient = program.clone().with_timeout(CLONE_TIMEOUT.max(program.timeout()));
    let remote = GitRemote { store: &store, program: &patient, name: "origin".to_owned(), branch: BRANCH };
    let head = remote.fetch()?;
    // As `git clone` does, so that people's `git pull` and `git status` know whom to compare with.
    let mut config = store.git().config().map_err(|error| GitError::repository(directory, &error))?;
    for (key, value) in [("branch.main.remote", "origin"), ("branch.main.merge", BRANCH)] {
        config.set_str(key, value).map_err(|error| GitError::repository(directory, &error))?;
    }
    // Opened again: a shallow or grafted source may have made this one so.
    let mark = store.mark();
    Ok((GitStore::open(directory)?.being_made(mark), head))
}

/// What `git push --porcelain` says about the one reference that was pushed.
pub(super) fn judge(finished: &Finished, branch: &str) -> Result<(), Verdict> {
    let refusal = finished.stdout.lines().find_map(|line| {
        let mut fields = line.split('\t');
        let flag = fields.next()?;
        let names = fields.next()?;
        (flag == "!" && names.ends_with(&format!(":{branch}"))).then(|| fields.next().unwrap_or_default().to_owned())
    });
    if finished.success && refusal.is_none() {
        return Ok(());
    }
    let Some(refusal) = refusal else {
        // Not a word about our reference: the other side was not reached, or went away.
        return Err(Verdict::Failed(RemoteError::Unreachable(summary(&finished.stderr))));
    };
    let both = format!("{refusal}\n{}", finished.stderr);
    let says = |text: &str| both.contains(text);
    // The other side's branch is ahead: it told us before we sent anything.
    if refusal.starts_with("[rejected]") {
        return Err(Verdict::LostRace);
    }
    // It moved while the other side was taking our push.
    let moved = says("but expected") || says("reference already exists") || says("incorrect old value");
    if moved {
        return Err(Verdict::LostRace);
    }
    if let Some((before, _)) = both.split_once(".lock': File exists") {
        // "Unable to create '/srv/acme.git/./refs/heads/main.lock': File exists."
        let path = before.rsplit('\'').next().unwrap_or_default();
        return Err(Verdict::Locked(format!("{}.lock", printable(&path.replace("/./", "/")))));
    }
    if refusal.contains("hook declined") {
        let why = remote_lines(&finished.stderr).unwrap_or(refusal);
        return Err(Verdict::Failed(RemoteError::Refused(why)));
    }
    if refusal.contains("failed to update ref") || refusal.contains("cannot lock ref") {
        return Err(Verdict::LostRace);
    }
    if refusal.starts_with("[remote failure]") {
        return Err(Verdict::Failed(RemoteError::Unreachable(summary(&finished.stderr))));
    }
    let unpacking = finished.stderr.lines().find_map(|line| line.strip_prefix("error: remote unpack failed: "));
    let why = match (remote_lines(&finished.stderr), unpacking) {
        (Some(lines), _) => format!("{refusal}: {lines}"),
        (None, Some(unpacking)) => {
            format!("it cannot write: {} (is its disk full, or read-only?)", printable(unpacking))
        }
        (None, None) => refusal,
    };
    Err(Verdict::Failed(RemoteError::Refused(why)))
}

/// What the other side said (`remote: …`), a line each, control characters taken out: it goes to a terminal.
pub(super) fn remote_lines(stderr: &str) -> Option<String> {
    let lines: Vec<String> = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("remote:"))
        .map(printable)
        .filter(|line| !line.is_empty())
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The last lines of git's messages, on one.
pub(super) fn summary(stderr: &str) -> String {
    let lines: Vec<String> = stderr.lines().map(printable).filter(|line| !line.is_empty()).collect();
    let skip = lines.len().saturating_sub(4);
    if lines.is_empty() {
        "git said nothing".to_owned()
    } else {
        lines.into_iter().skip(skip).collect::<Vec<_>>().join("; ")
    }
}

fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect::<String>().trim().to_owned()
}
