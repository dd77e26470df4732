//! The command line: one tree of commands from which the help, the completions and the man pages come. One file a
//! command holds its arguments (the doc comments are the help) and what it does. The composition root: `cli` alone sees
//! every other module, and within it [`context`] alone names the concrete adapters.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::domain::id::Name;

pub mod args;
pub mod context;
pub mod error;
pub mod output;
pub mod prompt;

mod approve;
mod audit;
mod checkpoint;
mod clone;
mod close;
mod completions;
mod credential;
mod demo;
mod deny;
mod doctor;
mod exec;
mod export;
mod extend;
mod files;
mod hook;
mod host;
mod incident;
mod init;
mod keys;
mod ledger;
pub mod link;
mod list;
mod lock;
mod log;
mod man;
mod member;
mod mint;
mod notify;
mod overview;
mod panic;
mod play;
mod policy;
mod progress;
mod request;
mod review;
mod revoke;
pub mod session;
mod show;
mod ssh;
mod status;
mod sync;
pub mod turn;
mod unlock;
mod verify;
pub mod view;
mod watch;
mod withdraw;
mod witness;

pub use completions::script as completion_script;
pub use context::{Context, Environment};
pub use error::CliError;
pub use man::pages as man_pages;
pub use output::Output;
pub use prompt::Prompt;

/// What reads bytes and addresses of strangers inside commands: reachable from outside for the fuzz targets (`fuzz/`).
pub mod outside {
    pub use super::export::Destination as ExportDestination;
    pub use super::play::{Filter, Look};
    pub use super::witness::{Head, head};
}

/// Temporary production access, approved in Git.
///
/// A request, its approvals, the credential, the closing and the review are each one signed file in a Git repository.
/// Anyone with a clone can check all of it, offline.
#[derive(Debug, Parser)]
#[command(name = "jit", version, propagate_version = true, max_term_width = 120)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 refused by policy, 4 findings, 5 ledger stale or \
                        forked, 8 still pending. `jit ssh` and `jit exec` pass on the code of what they ran.")]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The ledger: a Git repository [default: the one around this directory, else the user's default].
    #[arg(long, global = true, value_name = "DIR", env = "JIT_LEDGER", hide_env_values = true, value_hint = clap::ValueHint::DirPath)]
    pub ledger: Option<PathBuf>,
    /// Who acts: a member or service of the policy [default: whose key it is].
    #[arg(long = "as", global = true, value_name = "NAME", env = "JIT_AS", hide_env_values = true)]
    pub actor: Option<Name>,
    /// The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519].
    #[arg(long, global = true, value_name = "FILE", env = "JIT_KEY", hide_env_values = true, value_hint = clap::ValueHint::FilePath)]
    pub key: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Answer yes to "shall I sign this?".
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,
    /// Print the result and errors only.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more about what is done.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[command(subcommand_help_heading = "Commands", disable_help_subcommand = true)]
#[expect(missing_docs, reason = "each variant is the command of its name; the help is its Args'")]
pub enum Command {
    Demo(demo::Args),
    Init(init::Args),
    Clone(clone::Args),
    Request(Box<request::Args>),
    Approve(approve::Args),
    Deny(deny::Args),
    Withdraw(withdraw::Args),
    Extend(extend::Args),
    Mint(mint::Args),
    Credential(credential::Args),
    Ssh(ssh::Args),
    Exec(exec::Args),
    Close(close::Args),
    Revoke(revoke::Args),
    Incident(incident::Args),
    Lock(lock::Args),
    Unlock(unlock::Args),
    Panic(panic::Args),
    Review(review::Args),
    Play(play::Args),
    Status(status::Args),
    Watch(watch::Args),
    List(list::Args),
    Show(show::Args),
    Link(link::Args),
    Log(log::Args),
    Audit(audit::Args),
    Export(export::Args),
    Notify(Box<notify::Args>),
    Verify(verify::Args),
    Sync(sync::Args),
    Hook(hook::Args),
    Checkpoint(checkpoint::Args),
    Witness(witness::Args),
    Policy(policy::Args),
    Member(member::Args),
    Ledger(ledger::Args),
    Host(host::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// How a command ended when it did not fail. `main` makes it the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// It is done.
    pub const DONE: Self = Self(0);
    /// Verification found something.
    pub const FINDINGS: Self = Self(4);
    /// It still waits for somebody.
    pub const PENDING: Self = Self(8);
}

/// What a command's `run` returns.
pub type Outcome = Result<Exit, CliError>;

/// The tree of commands, as help, completions and man pages show it.
pub fn tree() -> clap::Command {
    Cli::command()
}

/// Parses `arguments` (the program's name first), runs the command and returns the exit code. Errors are told on the
/// way.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: Environment) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return error::usage(&error, &arguments),
    };
    let output = Output::new(&cli.global, &environment);
    let mut context = Context::new(environment, cli.global, output);
    let result = dispatch(&mut context, cli.command);
    match result {
        Ok(Exit(code)) => code,
        Err(error) => {
            error.report(&context.output);
            error.kind().exit_code()
        }
    }
}

fn dispatch(context: &mut Context, command: Option<Command>) -> Outcome {
    let Some(command) = command else { return overview::run(context) };
    match command {
        Command::Demo(args) => demo::run(context, args),
        Command::Init(args) => init::run(context, args),
        Command::Clone(args) => clone::run(context, args),
        Command::Request(args) => request::run(context, *args),
        Command::Approve(args) => approve::run(context, args),
        Command::Deny(args) => deny::run(context, args),
        Command::Withdraw(args) => withdraw::run(context, args),
        Command::Extend(args) => extend::run(context, args),
        Command::Mint(args) => mint::run(context, args),
        Command::Credential(args) => credential::run(context, args),
        Command::Ssh(args) => ssh::run(context, args),
        Command::Exec(args) => exec::run(context, args),
        Command::Close(args) => close::run(context, args),
        Command::Revoke(args) => revoke::run(context, args),
        Command::Incident(args) => incident::run(context, args),
        Command::Lock(args) => lock::run(context, args),
        Command::Unlock(args) => unlock::run(context, args),
        Command::Panic(args) => panic::run(context, args),
        Command::Review(args) => review::run(context, args),
        Command::Play(args) => play::run(context, args),
        Command::Status(args) => status::run(context, args),
        Command::Watch(args) => watch::run(context, args),
        Command::List(args) => list::run(context, args),
        Command::Show(args) => show::run(context, args),
        Command::Link(args) => link::run(context, args),
        Command::Log(args) => log::run(context, args),
        Command::Audit(args) => audit::run(context, args),
        Command::Export(args) => export::run(context, args),
        Command::Notify(args) => notify::run(context, *args),
        Command::Verify(args) => verify::run(context, args),
        Command::Sync(args) => sync::run(context, args),
        Command::Hook(args) => hook::run(context, args),
        Command::Checkpoint(args) => checkpoint::run(context, args),
        Command::Witness(args) => witness::run(context, args),
        Command::Policy(args) => policy::run(context, args),
        Command::Member(args) => member::run(context, args),
        Command::Ledger(args) => ledger::run(context, args),
        Command::Host(args) => host::run(context, args),
        Command::Doctor(args) => doctor::run(context, args),
        Command::Completions(args) => completions::run(context, args),
        Command::Man(args) => man::run(context, args),
    }
}
