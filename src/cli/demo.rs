//! `jit demo`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::CliError;
use super::{Context, Exit, Outcome};
use crate::sign::file;

/// The whole life of a case in a temporary ledger, each step shown.
///
/// Real keys, real Git, real certificates; nothing outside the temporary directory is touched.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep the ledger and its keys, and say where they are.
    #[arg(long)]
    pub keep: bool,
}

/// The policy of the demonstration: the people of the sample.
const POLICY: &str = include_str!("../../ledger-template/policy.sample.toml");
/// Whose keys are made.
const NAMES: [&str; 14] = [
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "rita",
    "raj",
    "minter",
    "db1",
    "log",
    "ca-prod",
    "recorder",
    "alice-session",
];

/// Runs the command.
///
/// # Errors
/// Where a step fails; its own words come first.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let directory = tempfile::Builder::new()
        .prefix("jit-demo-")
        .tempdir()
        .map_err(|cause| CliError::failed("no temporary directory can be made").because(cause.to_string()))?;
    let mut stage = Stage::new(context, directory.path())?;
    let played = stage.play();
    if args.keep {
        let kept = directory.keep();
        context.output.note(format!("The ledger and its keys are kept in {}", kept.display()));
    }
    played?;
    context.output.note("That was the whole life of a case. Nothing is left of it but what you read here.");
    context.output.hint("the README's tour does the same with your own keys");
    Ok(Exit::DONE)
}

/// Where the demonstration takes place.
struct Stage<'a> {
    context: &'a Context,
    home: PathBuf,
    program: PathBuf,
}

impl<'a> Stage<'a> {
    fn new(context: &'a mut Context, home: &Path) -> Result<Self, CliError> {
        let program = std::env::current_exe()
            .map_err(|cause| CliError::failed("jit cannot find itself").because(cause.to_string()))?;
        let mut policy = POLICY.to_owned();
        for name in NAMES {
            let seed = context.rng().bytes32()?;
            let key = file::generate(&home.join(name), name, seed)?;
            policy = policy.replace(&format!("{{{{key:{name}}}}}"), &key.to_string());
        }
        let path = home.join("policy.toml");
        std::fs::write(&path, policy).map_err(|cause| CliError::file("write", &path, &cause))?;
        Ok(Self { context, home: home.to_owned(), program })
    }

    fn play(&mut self) -> Result<(), CliError> {
        self.title("1. A ledger: a Git repository with a policy that two root members govern");
        self.jit("rita", &["init", "ledger", "--policy", "policy.toml"])?;
        self.title("2. alice asks for thirty minutes, and says why and what can go wrong");
        self.jit(
            "alice",
            &[
                "request",
                "payments-db/read-only",
                "--for",
                "30m",
                "--reason",
                "Payments are stuck; I must read the queue table.",
                "--ticket",
                "INC-4711",
                "--risk",
                "medium",
                "--impact",
                "Reads customer rows.",
                "--rollback",
                "Nothing is changed.",
                "--credential-key",
                "alice-session.pub",
            ],
        )?;
        let case = self.case()?;
        self.title("3. The minter finds nothing to do: nobody has approved");
        self.jit("minter", &["mint", "--ca", "prod=ca-prod"])?;
        self.title("4. Two different people approve, each with their own key");
        self.jit("bob", &["approve", &case, "--comment", "Read only, fine."])?;
        self.jit("dave", &["approve", &case])?;
        self.title("5. The minter issues an OpenSSH certificate that ends by itself");
        self.jit("minter", &["mint", "--ca", "prod=ca-prod"])?;
        self.jit("alice", &["credential", &case, "--out", "alice-session-cert.pub"])?;
        self.other("ssh-keygen", &["-L", "-f", "alice-session-cert.pub"])?;
        self.title("6. The work is done: alice closes the case, and erin, who had no part in it, reviews it");
        self.jit("alice", &["close", &case, "--summary", "The queue was read; the worker restarted by itself."])?;
        self.review(&case)?;
        self.title("7. Anybody with a clone checks everything, offline");
        self.jit("erin", &["show", &case])?;
        self.jit("erin", &["verify"])?;
        self.other("git", &["-C", "ledger", "log", "--reverse", "--format=%h %an: %s"])?;
        self.title("8. … and without jit: each signature, by ssh-keygen alone");
        self.check_by_ssh_keygen()
    }

    fn review(&self, case: &str) -> Result<(), CliError> {
        // The checks are the policy's: read them from it rather than know them.
        let policy = std::fs::read(self.home.join("policy.toml")).unwrap_or_default();
        let policy = crate::domain::policy::Policy::parse(&policy)?;
        let role = "payments-db/read-only"
            .parse()
            .ok()
            .and_then(|role| policy.role(&role))
            .and_then(|role| role.review.clone());
        let mut words = vec!["review".to_owned(), case.to_owned(), "--verdict".to_owned(), "clean".to_owned()];
        for check in role.map(|review| review.checks).unwrap_or_default() {
            words.push("--answer".to_owned());
            words.push(format!("{check}=yes"));
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.jit("erin", &words)
    }

    /// The one case that there is.
    fn case(&self) -> Result<String, CliError> {
        let output = self.command("alice").args(["list", "--json"]).output();
        let output = output.map_err(|cause| CliError::failed("jit list").because(cause.to_string()))?;
        let object: serde_json::Value = serde_json::from_slice(&output.stdout)
            .map_err(|cause| CliError::failed("jit list gives no case").because(cause.to_string()))?;
        object
            .get("id")
            .and_then(|id| id.as_str())
            .map(str::to_owned)
            .ok_or_else(|| CliError::failed("jit list gives no case"))
    }

    fn check_by_ssh_keygen(&self) -> Result<(), CliError> {
        let script = "cd ledger && good=0 && for sig in $(git ls-files 'ledger/*.sig'); do event=${sig%.sig}; \
            kind=$(sed -n 's/^kind = \"\\(.*\\)\"$/\\1/p' $event); who=$(sed -n 's/^actor = \"\\(.*\\)\"$/\\1/p' $event); \
            ssh-keygen -q -Y verify -f allowed_signers -I $who -n jit-1/$kind -s $sig < $event > /dev/null || exit 1; \
            good=$((good + 1)); done; echo \"$good signatures, all Good\"";
        self.say(
            "$ for each event: ssh-keygen -Y verify -f allowed_signers -I ACTOR -n jit-1/KIND -s EVENT.sig < EVENT",
        );
        self.finish(self.bare("sh").args(["-c", script]), "ssh-keygen -Y verify")
    }

    fn title(&self, text: &str) {
        self.say(&format!("\n{}", self.context.output.bold(text)));
    }

    fn say(&self, text: &str) {
        // One stream for all, so that steps and their output keep their order.
        let _ = self.context.output.print(text);
    }

    /// Runs jit as `name`, and shows what was typed.
    fn jit(&self, name: &str, arguments: &[&str]) -> Result<(), CliError> {
        self.say(&format!("{} jit {}", self.context.output.cyan(&format!("{name}$")), typed(arguments)));
        self.finish(self.command(name).args(arguments), &format!("jit {}", typed(arguments)))
    }

    fn other(&self, program: &str, arguments: &[&str]) -> Result<(), CliError> {
        self.say(&format!("{} {program} {}", self.context.output.cyan("$"), typed(arguments)));
        self.finish(self.bare(program).args(arguments), program)
    }

    fn finish(&self, command: &mut Command, what: &str) -> Result<(), CliError> {
        let status = command
            .status()
            .map_err(|cause| CliError::failed(format!("{what} cannot be started")).because(cause.to_string()))?;
        if status.success() { Ok(()) } else { Err(CliError::failed(format!("{what} failed ({status})"))) }
    }

    fn command(&self, name: &str) -> Command {
        let mut command = self.bare(&self.program);
        command.args(["--yes", "--as", name, "--key"]).arg(self.home.join(name));
        command.env("JIT_LEDGER", self.home.join("ledger"));
        command
    }

    /// A program with an environment of its own: nothing of the user's is read or written.
    fn bare(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", &self.home).env("GIT_CONFIG_NOSYSTEM", "1").current_dir(&self.home);
        command.stdin(std::process::Stdio::null());
        for name in ["PATH", "NO_COLOR", "TERM"] {
            if let Some(value) = self.context.environment.variable(name) {
                command.env(name, value);
            }
        }
        command
    }
}

/// Arguments as a person would type them.
fn typed(arguments: &[&str]) -> String {
    let quoted: Vec<String> = arguments
        .iter()
        .map(|word| if word.contains([' ', ';', '\'']) { format!("\"{word}\"") } else { (*word).to_owned() })
        .collect();
    quoted.join(" ")
}
