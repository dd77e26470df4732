//! `jit request`.

use std::path::PathBuf;

use ipnet::IpNet;

use crate::domain::event::RiskLevel;
use crate::domain::id::RoleRef;
use crate::domain::time::{Timestamp, Ttl};

use super::error::CliError;
use super::{Context, Outcome};

/// Ask for access to TARGET/ROLE for a while.
///
/// Asks for what is missing at a terminal. What would be signed is shown in full before it is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to enter, as TARGET/ROLE; several are one case.
    #[arg(value_name = "TARGET/ROLE", value_parser = super::args::role)]
    pub targets: Vec<RoleRef>,
    /// For how long, such as 30m; counted from the credential, not while people wait for approvers.
    #[arg(long = "for", value_name = "DURATION", value_parser = super::args::ttl)]
    pub duration: Option<Ttl>,
    /// Why it is needed.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The ticket, where the role demands one.
    #[arg(long, value_name = "TICKET")]
    pub ticket: Option<String>,
    /// The incident; an emergency must name one.
    #[arg(long, value_name = "INCIDENT")]
    pub incident: Option<String>,
    /// How high the risk is.
    #[arg(long, value_name = "LEVEL", value_parser = super::args::risk())]
    pub risk: Option<RiskLevel>,
    /// What can go wrong.
    #[arg(long, value_name = "TEXT")]
    pub impact: Option<String>,
    /// How it is undone.
    #[arg(long, value_name = "TEXT")]
    pub rollback: Option<String>,
    /// A class of data that may be seen; may be given several times.
    #[arg(long, value_name = "CLASS")]
    pub data: Vec<String>,
    /// Why a smaller role does not do.
    #[arg(long, value_name = "TEXT")]
    pub least_privilege: Option<String>,
    /// Not before this time (a booked window), such as 2026-11-24T01:00Z.
    #[arg(long, value_name = "TIME", value_parser = super::args::time)]
    pub at: Option<Timestamp>,
    /// The case that this one continues.
    #[arg(long, value_name = "CASE")]
    pub extends: Option<String>,
    /// Break-glass: the credential comes before the approvals, and a review must follow.
    #[arg(long)]
    pub emergency: bool,
    /// The public key to be certified [default: the key that signs].
    #[arg(long, value_name = "FILE.pub", value_hint = clap::ValueHint::FilePath)]
    pub credential_key: Option<PathBuf>,
    /// Where the login will come from; may be given several times, and only narrows what the role allows.
    #[arg(long, value_name = "CIDR")]
    pub source_address: Vec<IpNet>,
    /// Wait until the credential is there, at most for DURATION; exits with 8 if it is still pending then.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, value_parser = super::args::ttl)]
    pub wait: Option<Option<Ttl>>,
    /// Sign nothing; say what would happen and who would have to approve.
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("request"))
}
