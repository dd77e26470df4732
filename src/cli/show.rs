//! `jit show`.

use super::session::{Fresh, Session};
use super::view::{case_json, case_text, next_step, proposal};
use super::{Context, Exit, Outcome};

/// Show one case whole: what was asked, who agreed, what was issued, how it ended.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it.
    #[arg(value_name = "CASE")]
    pub case: String,
    /// Show a link to it as a QR code, too: for `jit approve` on another machine. It gives no right.
    #[arg(long)]
    pub qr: bool,
}

/// Runs the command.
///
/// # Errors
/// Where no such case is there.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let session = Session::open(context, Fresh::Try)?;
    let case = session.case(&args.case)?;
    let (state, now) = (session.state(), context.now());
    let plan = proposal::text(&context.output, &session, case, now)?;
    let qr = match crate::monitor::notify::link(state, case.id()).filter(|_| args.qr) {
        Some(link) => format!("\n{}\n{link}", super::link::qr(&link)?),
        None => String::new(),
    };
    let whole = || {
        let text = case_text(&context.output, state, case, now);
        if plan.is_empty() { format!("{text}{qr}") } else { format!("{text}\n{plan}{qr}") }
    };
    context.output.result(|| case_json(state, case, now), whole)?;
    next_step(&context.output, state, case, now);
    Ok(Exit::DONE)
}
