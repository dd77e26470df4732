//! How a command fails: one place maps the library's errors to an exit code and to what the person can type next
//! (product.md, "How it speaks"). Each `match` here names every variant, so that a new cause cannot be forgotten.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::json;

use super::output::Output;
use crate::domain::finding::{Code, Fault};
use crate::domain::policy::PolicyErrors;
use crate::domain::text::visible;
use crate::host::HostError;
use crate::issue::ssh_cert::IssueError;
use crate::ledger::ReplayError;
use crate::ledger::append::AppendError;
use crate::ledger::checkpoints::BranchError;
use crate::ledger::governed::GovernedError;
use crate::ledger::pin::PinError;
use crate::ports::{RemoteError, RngError, SignError};
use crate::sign::{AgentError, KeyFileError, OpenError};

mod store;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// It could not be done.
    Failed,
    /// The other side did not answer: a command that only looks goes on with what lies here.
    Unreachable,
    /// What the other side has cannot be written here: the same.
    Unkept,
    /// It was asked for in a way that cannot be understood or answered.
    Usage,
    /// The policy or a rule forbids it; nothing was signed.
    Refused,
    /// The ledger holds what verification objects to.
    Findings,
    /// The ledger is older than, or other than, what this clone has verified before.
    Stale,
    /// It waits for somebody else.
    Pending,
}

impl ErrorKind {
    /// The exit code (product.md).
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Failed | Self::Unreachable | Self::Unkept => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Findings => 4,
            Self::Stale => 5,
            Self::Pending => 8,
        }
    }
}

/// A failure as it is told: what failed, why, and what to type.
#[derive(Debug)]
pub struct CliError(Box<Told>);

#[derive(Debug)]
struct Told {
    kind: ErrorKind,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    rule: Option<Code>,
}

impl CliError {
    /// A failure of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Told { kind, message: message.into(), causes: Vec::new(), hint: None, rule: None }))
    }

    /// It could not be done (exit 1).
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// What failed and why, in one line: for a log.
    pub fn line(&self) -> String {
        let told = &self.0;
        std::iter::once(&told.message).chain(&told.causes).cloned().collect::<Vec<_>>().join(": ")
    }

    /// It was asked for wrongly (exit 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// The policy or a rule forbids it (exit 3).
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// The ledger is stale or forked (exit 5).
    pub fn stale(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Stale, message)
    }

    /// It still waits (exit 8).
    pub fn pending(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Pending, message)
    }

    /// The person gave up at a question.
    pub fn cancelled() -> Self {
        Self::failed("cancelled: nothing was signed")
    }

    /// A file could not be read or written.
    pub fn file(doing: &str, path: &Path, cause: &io::Error) -> Self {
        let hint = match cause.kind() {
            io::ErrorKind::NotFound => Some("check the path"),
            io::ErrorKind::PermissionDenied => Some("check the permissions of the file and its folder"),
            io::ErrorKind::StorageFull => Some("free some space, then run the command again"),
            io::ErrorKind::ReadOnlyFilesystem => Some("the file system is read-only: mount it writable"),
            // Not ours to list: the system's own words are the cause.
            _ => None,
        };
        let error = Self::failed(format!("cannot {doing} {}", path.display())).because(cause.to_string());
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// Adds a cause below those that are there.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(cause.into());
        self
    }

    /// What failed in the larger: the present message becomes the first cause.
    #[must_use]
    pub fn context(mut self, message: impl Into<String>) -> Self {
        let inner = std::mem::replace(&mut self.0.message, message.into());
        self.0.causes.insert(0, inner);
        self
    }

    /// What to type next; replaces an earlier one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The rule that it breaks (rules.md).
    #[must_use]
    pub fn rule(mut self, code: Code) -> Self {
        self.0.rule = Some(code);
        self
    }

    /// The kind.
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The rule that it breaks, where it is a rule's.
    pub const fn broken_rule(&self) -> Option<Code> {
        self.0.rule
    }

    /// What failed.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The cause at the bottom of it.
    pub fn innermost(&self) -> &str {
        self.0.causes.last().unwrap_or(&self.0.message)
    }

    /// What to type next.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Tells it: on stderr for people, and with `--json` as one object on stdout.
    pub fn report(&self, output: &Output) {
        let Told { kind, message, causes, hint, rule } = &*self.0;
        let mut text = match rule {
            Some(code) => format!("{} {} ({code})\n", output.red("Error:"), visible(message)),
            None => format!("{} {}\n", output.red("Error:"), visible(message)),
        };
        for cause in causes {
            text.push_str(&format!("Caused by: {}\n", visible(cause)));
        }
        if let Some(hint) = hint {
            text.push_str(&format!("{} {}\n", output.cyan("Hint:"), visible(hint)));
        }
        // Nobody is left to tell where stderr is gone.
        let _ = io::stderr().write_all(text.as_bytes());
        if output.is_json() {
            let mut object = json!({ "error": message, "causes": causes, "hint": hint, "code": kind.exit_code() });
            if let (Some(code), Some(map)) = (rule, object.as_object_mut()) {
                map.insert("rule".to_owned(), code.as_str().into());
            }
            let _ = writeln!(io::stdout(), "{object}");
        }
    }
}

/// Tells a usage error, a help text or the version as clap has it, and returns the exit code.
pub(super) fn usage(error: &clap::Error, arguments: &[OsString]) -> u8 {
    let _ = error.print();
    if !error.use_stderr() {
        return 0;
    }
    let words = arguments.iter().take_while(|word| *word != "--");
    if words.into_iter().any(|word| word == "--json") {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let hint = "jit --help";
        let _ = writeln!(io::stdout(), "{}", json!({ "error": message, "causes": [], "hint": hint, "code": 2 }));
    }
    ErrorKind::Usage.exit_code()
}

/// The texts of an error's sources, outermost first, without those that an outer one repeats.
fn sources(error: &dyn Error) -> Vec<String> {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(source) = next {
        let text = source.to_string();
        if !said.contains(&text) {
            causes.push(text.clone());
        }
        said = text;
        next = source.source();
    }
    causes
}

fn of(kind: ErrorKind, error: &dyn Error, hint: Option<String>) -> CliError {
    let told = Told { kind, message: error.to_string(), causes: sources(error), hint, rule: None };
    CliError(Box::new(told))
}

fn failed(error: &dyn Error, hint: &str) -> CliError {
    of(ErrorKind::Failed, error, Some(hint.to_owned()))
}

impl From<KeyFileError> for CliError {
    fn from(error: KeyFileError) -> Self {
        Self::from_key_file(&error)
    }
}

impl CliError {
    fn from_key_file(error: &KeyFileError) -> Self {
        match error {
            KeyFileError::NotFound(_) => {
                failed(error, "name your key with --key FILE, or make one: ssh-keygen -t ed25519")
            }
            KeyFileError::Read(..) => failed(error, "check the permissions of the file"),
            KeyFileError::NotAFile(_) | KeyFileError::TooLarge(..) | KeyFileError::NotAKey(_) => {
                failed(error, "--key takes an OpenSSH private key, or a .pub whose private half ssh-agent holds")
            }
            KeyFileError::TooOpen(path, _) => failed(error, &format!("chmod 600 {}", path.display())),
            KeyFileError::Public(_) => failed(error, "name the private key, or load it: ssh-add FILE"),
            KeyFileError::OtherFormat(path, _) => failed(error, &format!("ssh-keygen -p -f {}", path.display())),
            KeyFileError::Damaged(..) => failed(error, "take the key from your backup, or use another one"),
            KeyFileError::OtherType(..) | KeyFileError::Weak(..) => {
                failed(error, "make one with ssh-keygen -t ed25519, and have it put into the policy")
            }
            KeyFileError::Hardware(_) => failed(error, "name a key whose private half is in a file: --key FILE"),
            KeyFileError::NoPassphrase(path, _) => {
                failed(error, &format!("load it into ssh-agent (ssh-add {0}), then: --key {0}.pub", path.display()))
            }
            KeyFileError::WrongPassphrase(_) => failed(error, "try again, or name another key with --key FILE"),
            KeyFileError::Exists(_) => failed(error, "no key is overwritten: move it away first"),
            KeyFileError::Write(..) => failed(error, "check free space and permissions of the folder"),
            KeyFileError::Comment => of(ErrorKind::Usage, error, None),
        }
    }
}

impl From<OpenError> for CliError {
    fn from(error: OpenError) -> Self {
        let held = "load the key into ssh-agent (ssh-add FILE), or name the private key with --key FILE";
        match &error {
            OpenError::File(cause) => Self::from_key_file(cause),
            OpenError::Agent { .. } | OpenError::NotHeld(_) => failed(&error, held),
            OpenError::NoAgent(_) => {
                failed(&error, "start one (eval $(ssh-agent); ssh-add FILE), or name the private key with --key FILE")
            }
            OpenError::OtherPair { .. } => failed(&error, "name the private key itself with --key FILE"),
        }
    }
}

impl From<AgentError> for CliError {
    fn from(error: AgentError) -> Self {
        match &error {
            AgentError::Connect(..) | AgentError::Io(_) => failed(&error, "start one: eval $(ssh-agent); ssh-add FILE"),
            AgentError::Timeout(_) | AgentError::Refused => {
                failed(&error, "unlock the agent, touch the key, try again")
            }
            AgentError::TooLarge(_) | AgentError::Malformed(_) => failed(&error, "use the key's file: --key FILE"),
        }
    }
}

impl From<SignError> for CliError {
    fn from(error: SignError) -> Self {
        match &error {
            SignError::Refused(_) => failed(
                &error,
                "unlock the agent, touch the key, then run the command again; a key that wants its PIN is better used \
                 from its file at a terminal: --key FILE, without .pub",
            ),
            SignError::Timeout(..) => failed(&error, "touch the key as soon as it blinks; run the command again"),
            SignError::NobodyToAsk(..) => {
                failed(&error, "run the command at a terminal, or let a program ask: SSH_ASKPASS, see ssh(1)")
            }
            SignError::Failed(..) => {
                failed(&error, "plug the key in, touch it when it blinks, then run the command again")
            }
            SignError::OnlyMessages(_) => failed(&error, "load the key into ssh-agent: ssh-add FILE"),
            SignError::Unreachable(..) => {
                failed(&error, "check SSH_AUTH_SOCK and ssh-add -l, then run the command again")
            }
            SignError::Malformed(_) => failed(&error, "use the key's file: --key FILE"),
        }
    }
}

impl From<IssueError> for CliError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::OtherCa { .. } => failed(&error, "name the CA's key: --ca ENV=FILE"),
            IssueError::Spec(_) => of(ErrorKind::Refused, &error, None),
            IssueError::Sign(cause) => cause.into(),
            IssueError::Malformed(_) | IssueError::Differs(_) | IssueError::NotWhatWasSigned => {
                failed(&error, "nothing was issued; use the CA's key from a file: --ca ENV=FILE")
            }
        }
    }
}

impl From<PolicyErrors> for CliError {
    fn from(error: PolicyErrors) -> Self {
        let mut problems = error.0.iter().map(ToString::to_string);
        let first = problems.next().unwrap_or_else(|| "the policy is unsound".to_owned());
        let told = Told {
            kind: ErrorKind::Refused,
            message: first,
            causes: problems.collect(),
            hint: Some("mend the file, then: jit policy check FILE".to_owned()),
            rule: Some(Code::A10),
        };
        Self(Box::new(told))
    }
}

impl From<GovernedError> for CliError {
    fn from(error: GovernedError) -> Self {
        match error {
            GovernedError::Store(error) => error.into(),
            error => failed(&error, "jit verify; git fsck --full"),
        }
    }
}

impl From<RngError> for CliError {
    fn from(error: RngError) -> Self {
        of(ErrorKind::Failed, &error, None)
    }
}

impl From<Fault> for CliError {
    /// What a rule would make void is refused before it is signed.
    fn from(fault: Fault) -> Self {
        let hint = hint_of(fault.code);
        let told = Told {
            kind: ErrorKind::Refused,
            message: fault.message,
            causes: Vec::new(),
            hint: hint.map(str::to_owned),
            rule: Some(fault.code),
        };
        Self(Box::new(told))
    }
}

/// What to do about a rule that says no.
const fn hint_of(code: Code) -> Option<&'static str> {
    match code {
        Code::A01 | Code::A02 | Code::A07 => Some("jit policy explain MEMBER TARGET/ROLE says what the role wants"),
        Code::A03 | Code::A09 | Code::L06 => Some("jit show CASE says who may do what now"),
        Code::A04 | Code::A05 | Code::A06 => Some("jit show CASE says what is missing"),
        Code::A10 => Some("jit policy check FILE"),
        Code::A11 | Code::A12 | Code::A08 => Some("jit policy show says who may"),
        Code::A13 => Some("jit verify shows the void commits; the root members acknowledge them"),
        Code::K01 | Code::K02 | Code::K03 => Some("use the key's file: --key FILE"),
        Code::K04 => Some("name your key with --key FILE; jit policy show lists everybody's"),
        Code::K05 => Some("jit doctor says which of your keys can sign for which roles"),
        Code::L01 | Code::L02 | Code::L03 | Code::L05 => Some("jit sync, then run the command again"),
        Code::L04 => Some(
            "compare this machine's clock (date -u) with one that you trust, and set it; if it is right, somebody wrote with a \
             clock that is ahead (jit log shows who): run the command again when that time has come",
        ),
        Code::E03 => Some("write it as plain text that says why"),
        Code::C01 | Code::C02 | Code::C03 | Code::C04 | Code::C05 | Code::C06 | Code::C07 | Code::C08 => None,
        Code::E01 | Code::E02 | Code::E04 => None,
        Code::F01 | Code::F02 | Code::F03 | Code::F04 | Code::F05 | Code::F06 | Code::F07 => Some("jit verify"),
    }
}

impl From<ReplayError> for CliError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Store(cause) => Self::from(cause).context("the ledger could not be checked"),
            ReplayError::Commit(..) => failed(&error, "the clone is damaged: clone it again, and compare"),
            ReplayError::CommitTooLarge { .. } => failed(
                &error,
                "take the remote's main back to the commit before it: nobody has verified more than that",
            ),
            ReplayError::Genesis { .. } => {
                of(ErrorKind::Findings, &error, Some("this is no ledger of jit/1".to_owned()))
            }
            ReplayError::Forked { .. } => of(ErrorKind::Stale, &error, Some(FORKED.to_owned())),
            ReplayError::WouldBeVoid(fault) => fault.into(),
        }
    }
}

const FORKED: &str = "compare with another clone before you sign anything, and find out who rewrote the remote";

impl From<BranchError> for CliError {
    fn from(error: BranchError) -> Self {
        match error {
            BranchError::Store(cause) => Self::from(cause).context("the checkpoints could not be read"),
            BranchError::Commit(..) => failed(&error, "the clone is damaged: git fsck --full"),
            BranchError::Unwritable(_) => of(ErrorKind::Failed, &error, None),
            BranchError::Key(..) => failed(&error, "jit policy show; the log and its witnesses need ssh-ed25519 keys"),
        }
    }
}

impl From<PinError> for CliError {
    fn from(error: PinError) -> Self {
        match &error {
            PinError::Damaged(_) => {
                failed(&error, "verify it against another clone, then remove jit/pin in the git directory")
            }
            PinError::Forked { .. } => of(ErrorKind::Stale, &error, Some(FORKED.to_owned())),
        }
    }
}

impl From<AppendError> for CliError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Refused(fault) => fault.into(),
            AppendError::Cancelled => Self::cancelled(),
            AppendError::Replay(cause) => cause.into(),
            AppendError::Store(cause) => Self::from(cause).context("nothing was appended"),
            AppendError::Sign(cause) => Self::from(cause).context("nothing was signed"),
            AppendError::Rng(cause) => cause.into(),
            AppendError::Queued { cause: RemoteError::Locked { ref lock, .. }, .. } => {
                let hint = format!(
                    "if no git is at work there, whoever runs the remote types: rm {lock}; then, here: jit sync"
                );
                failed(&error, &hint)
            }
            AppendError::Queued { .. } => {
                failed(&error, "do not sign it again: jit sync delivers it once, as soon as the remote takes it")
            }
            AppendError::Remote(cause) => {
                let kind = match cause {
                    RemoteError::Unreachable(_) => ErrorKind::Unreachable,
                    RemoteError::Disk(_) => ErrorKind::Unkept,
                    RemoteError::LostRace
                    | RemoteError::Refused(_)
                    | RemoteError::Locked { .. }
                    | RemoteError::Git(_) => ErrorKind::Failed,
                };
                let mut told = Self::from(cause).context("nothing was signed: the remote could not be asked");
                told.0.kind = kind;
                told
            }
            AppendError::Waits { .. } => failed(&error, "jit sync delivers it once, as soon as the remote takes it"),
            AppendError::Outbox(_) => failed(&error, "check free space and permissions of the ledger"),
            AppendError::Busy(_) => failed(&error, "run the command again"),
            AppendError::Other(_) => of(ErrorKind::Failed, &error, None),
        }
    }
}

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        match &error {
            HostError::NoSync { .. } => {
                failed(&error, "is it running? systemctl status jit-host-sync; jit host status")
            }
            HostError::Writable { .. } => failed(&error, "find out who changed it, then: jit host setup"),
            HostError::NoCgroup(_) => failed(&error, "mount cgroup2, or name a writable directory of it in host.toml"),
            HostError::Content { .. } => {
                failed(&error, "jit doctor says what is missing; jit host setup writes it anew")
            }
            HostError::Refused(_) => of(ErrorKind::Refused, &error, None),
            HostError::File { .. } | HostError::System { .. } => of(ErrorKind::Failed, &error, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_product() {
        use ErrorKind::*;
        let codes = [Failed, Usage, Refused, Findings, Stale, Pending].map(ErrorKind::exit_code);
        assert_eq!(codes, [1, 2, 3, 4, 5, 8]);
    }

    #[test]
    fn a_cause_is_told_once() {
        let missing = KeyFileError::Read("/k".into(), io::Error::other("bad sector"));
        let told = CliError::from(missing);
        assert_eq!(told.message(), "cannot read /k: bad sector");
        assert!(told.0.causes.is_empty());
        let outer = told.context("no request was made");
        assert_eq!(outer.0.causes, ["cannot read /k: bad sector"]);
    }
}
