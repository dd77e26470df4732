//! `jit host reap`.

use std::path::PathBuf;

use serde_json::json;

use super::super::{Context, Exit, Outcome};
use crate::host::probe::{self, Places};
use crate::host::reap::{Options, Reaper};
use crate::host::{Config, HostError};

/// End sessions when their time comes: the root daemon.
///
/// A session ends at its deadline, when its case is revoked, closed or locked, when its recorder is gone, and when the
/// connection is. Everything that it started is killed, the ledger is told, and what was left behind is looked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Look once, end what is due, say what was done, and stop.
    #[arg(long)]
    pub once: bool,
    /// Become a probe's command in this control group.
    #[arg(long, hide = true, value_name = "GROUP", requires_all = ["uid", "gid", "command"])]
    pub enter: Option<PathBuf>,
    /// As this user.
    #[arg(long, hide = true)]
    pub uid: Option<u32>,
    /// In this group of users.
    #[arg(long, hide = true)]
    pub gid: Option<u32>,
    /// The command.
    #[arg(last = true, hide = true)]
    pub command: Vec<String>,
}

/// Runs the daemon; it does not return unless asked to look only once.
///
/// # Errors
/// Where sessions cannot be ended on this machine, or another reaper runs.
pub fn run(context: &mut Context, config: Result<Config, HostError>, args: Args) -> Outcome {
    if let (Some(group), Some(uid), Some(gid)) = (args.enter, args.uid, args.gid) {
        let error = probe::enter(&probe::Entry { group, uid, gid, argv: args.command });
        context.output.warning(error.to_string());
        return Ok(Exit(probe::NOT_STARTED));
    }
    let options = Options { places: Places::default(), once: args.once };
    let reaper = Reaper::new(config?, options, context.clock())?;
    if !args.once {
        reaper.run();
    }
    let done = reaper.once();
    let text = || if done.is_empty() { "Nothing had to end".to_owned() } else { done.join("\n") };
    context.output.result(|| json!({ "done": done }), text)?;
    Ok(Exit::DONE)
}
