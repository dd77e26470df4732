//! `jit request`.

use std::time::Duration;

use super::output::moment;
use super::session::Fresh;
use super::turn::{Turn, reason};
use super::view::{emergency, locks, request_text, waiting_json, waiting_text};
use super::{CliError, Exit};
use super::{Context, Outcome};
use crate::domain::decide::Intent;
use crate::domain::event::{Body, Request, Risk};
use crate::domain::finding::Code;
use crate::domain::id::CaseId;
use crate::domain::key::PublicKey;
use crate::domain::policy::{Mfa, Policy, Role, quorum};
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, CaseState};
use crate::sign::file::read_public;

use std::path::PathBuf;

use ipnet::IpNet;

use crate::domain::event::RiskLevel;
use crate::domain::id::RoleRef;
use crate::domain::time::{Timestamp, Ttl};

/// Ask for access to TARGET/ROLE for a while.
///
/// Asks for what is missing at a terminal. What would be signed is shown in full before it is.
#[derive(Debug, Default, clap::Args)]
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
    /// Not before this time (a booked window), such as 2026-11-24T01:00Z or 2026-11-24T02:00+01:00.
    #[arg(long, value_name = "TIME", value_parser = super::args::time, conflicts_with = "emergency")]
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

/// How often `--wait` looks.
const EVERY: Duration = Duration::from_secs(2);

/// Runs the command.
///
/// # Errors
/// Refused where the policy would refuse, before anything is signed; usage where something is missing and nobody can be
/// asked.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let (wait, dry_run) = (args.wait, args.dry_run);
    let mut args = args;
    if args.targets.is_empty() {
        args.targets = choose_roles(context, &turn, args.emergency)?;
    }
    let policy = turn.session.policy();
    let mfa = args.targets.iter().filter_map(|target| policy.role(target)).map(|role| role.mfa).max();
    turn.suit(context, mfa.unwrap_or(Mfa::None))?;
    let request = complete(context, &turn, args)?;
    submit(context, turn, request, wait, dry_run)
}

/// Shows, asks, signs and appends a request; or says what would happen.
pub(super) fn submit(
    context: &mut Context,
    mut turn: Turn,
    request: Request,
    wait: Option<Option<Ttl>>,
    dry_run: bool,
) -> Outcome {
    let intent = turn.intent(None, Body::Request(Box::new(request.clone())));
    turn.suit(context, turn.demands(&intent))?;
    ask(context, &turn, &intent)?;
    let mut summary = String::new();
    if let Body::Request(request) = &intent.body {
        let access = Access::draft(turn.person.name.clone(), context.now(), (**request).clone());
        summary = request_text(turn.session.policy(), &access);
        summary.push_str(&format!("{:>12}: {}\n", "Approval", approval_text(turn.session.policy(), request, &intent)));
    }
    let draft = Access::draft(turn.person.name.clone(), context.now(), request.clone());
    if let Some((lock, locked)) = locks::covering(turn.session.state(), &draft) {
        let line = locks::line(turn.session.state(), lock, locked, context.now());
        context.output.warning(format!("nothing will be minted for this while a lock stands: {line}"));
    }
    if request.emergency {
        one_at_a_time(context, &turn);
        // Said whatever flags there are: nobody opens this without reading it.
        context.output.summary(&emergency::asked(&context.output, turn.session.policy(), &draft));
    }
    if dry_run {
        return dry(context, &turn, &request, &summary);
    }
    let id = turn.say(context, &intent, &summary)?;
    match wait {
        None => turn.show(context, "Requested", id),
        Some(limit) => wait_for(context, turn, id, limit),
    }
}

/// Asks the rules; where another emergency has to be reviewed first, says whose turn it is.
fn ask(context: &mut Context, turn: &Turn, intent: &Intent) -> Result<(), CliError> {
    let now = context.now();
    turn.session
        .ask(context, intent, &*turn.person.signer)
        .map_err(|error| emergency::explained(error, turn.session.state(), &turn.person.name, now))
}

/// A07: of several emergencies that wait for the minter only one is issued.
fn one_at_a_time(context: &Context, turn: &Turn) {
    let (state, now) = (turn.session.state(), context.now());
    let mine = |case: &&Case| *case.actor() == turn.person.name && case.access().is_some_and(|it| it.issued.is_empty());
    if let Some(other) = emergency::open(state, now).into_iter().find(mine) {
        context.output.warning(format!(
            "your emergency {} waits for the minter already: only the first of them is issued",
            other.id().short()
        ));
    }
}

/// Who must approve, or that nobody has to before an emergency's credential.
fn approval_text(policy: &Policy, request: &Request, intent: &Intent) -> String {
    if request.emergency {
        return "none before the credential (emergency)".to_owned();
    }
    let nobody = std::collections::BTreeSet::new();
    let missing: Vec<_> = request
        .targets
        .iter()
        .filter_map(|target| policy.role(target))
        .flat_map(|role| quorum(policy, &role.approve, &intent.actor, &nobody).missing)
        .collect();
    waiting_text(&missing)
}

fn dry(context: &Context, turn: &Turn, request: &Request, summary: &str) -> Outcome {
    let access = Access::draft(turn.person.name.clone(), context.now(), request.clone());
    let missing = match request.emergency {
        true => Vec::new(),
        false => access.missing(turn.session.policy()).unwrap_or_default(),
    };
    context.output.result(
        || {
            let targets: Vec<String> = request.targets.iter().map(ToString::to_string).collect();
            serde_json::json!({ "dry_run": true, "actor": turn.person.name.as_str(), "targets": targets,
                "duration": request.duration.to_string(), "emergency": request.emergency, "waiting_on": waiting_json(&missing) })
        },
        || format!("{summary}Nothing was signed (dry run)."),
    )?;
    Ok(Exit::DONE)
}

fn wait_for(context: &mut Context, turn: Turn, id: CaseId, limit: Option<Ttl>) -> Outcome {
    // One object is the result: with --json the live case, or the error.
    if !context.output.is_json() {
        turn.show(context, "Requested", id)?;
    }
    let until = limit.map(|limit| context.now().plus(limit));
    let mut turn = turn;
    loop {
        let (state, now) = (turn.session.state(), context.now());
        match state.case_state(turn.session.known(id)?, now) {
            CaseState::Pending | CaseState::Approved => {}
            CaseState::Live => return turn.show(context, "Live", id),
            over => {
                return Err(CliError::refused(format!("case {} is {over}", id.short()))
                    .hint(format!("jit show {}", id.short())));
            }
        }
        if until.is_some_and(|until| now >= until) {
            return Err(CliError::pending(format!("case {} is still pending", id.short()))
                .hint(format!("jit show {}", id.short())));
        }
        std::thread::sleep(EVERY);
        turn.session = super::session::Session::open(context, Fresh::Try)?;
    }
}

/// The request, with everything that was not given asked for.
fn complete(context: &mut Context, turn: &Turn, args: Args) -> Result<Request, CliError> {
    let policy = turn.session.policy();
    let prompt = context.prompt();
    let emergency = args.emergency;
    let targets = sorted(args.targets.clone());
    let roles: Vec<_> = targets.iter().filter_map(|target| policy.role(target)).collect();
    let longest = roles
        .iter()
        .map(|role| match (&role.emergency, emergency) {
            (Some(rule), true) => rule.max_duration,
            _ => role.max_duration,
        })
        .min();
    let duration = match args.duration {
        Some(duration) => duration,
        None => {
            let question = longest
                .map_or_else(|| "For how long".to_owned(), |longest| format!("For how long (at most {longest})"));
            let text = prompt.input("--for", &question, Some("30m"), |text| super::args::ttl(text).map(|_| ()))?;
            super::args::ttl(&text).map_err(CliError::usage)?
        }
    };
    let credential_key = match &args.credential_key {
        Some(file) => public_key(context, file)?,
        None => turn.person.signer.public_key().clone(),
    };
    certifiable(&roles, &credential_key)?;
    if let Some(at) = args.at {
        opens_later(context.now(), at)?;
    }
    refuse_early(context, turn, &targets, duration, &args)?;
    let business_need = reason(context, "--reason", "Why is it needed?", args.reason)?;
    let ticket = match (args.ticket, roles.iter().find_map(|role| role.ticket.as_ref())) {
        (None, Some(pattern)) => {
            let like = pattern.clone();
            let check =
                move |text: &str| if like.matches(text) { Ok(()) } else { Err(format!("not like {}", like.as_str())) };
            Some(prompt.input("--ticket", &format!("Ticket (like {})", pattern.as_str()), None, check)?)
        }
        (given, _) => given,
    };
    let incident = match args.incident {
        None if emergency => Some(reason(context, "--incident", "Which incident?", None)?),
        given => given,
    };
    let least_privilege = match args.least_privilege {
        None if roles.iter().any(|role| role.least_privilege) => {
            Some(reason(context, "--least-privilege", "Why does a smaller role not do?", None)?)
        }
        given => given,
    };
    let level = match args.risk {
        Some(level) => level,
        None => {
            let words: Vec<String> = RiskLevel::ALL.iter().map(ToString::to_string).collect();
            let at = prompt.select("--risk", "How high is the risk?", &words)?;
            RiskLevel::ALL.get(at).copied().ok_or_else(CliError::cancelled)?
        }
    };
    let impact = reason(context, "--impact", "What can go wrong?", args.impact)?;
    let rollback = reason(context, "--rollback", "How is it undone?", args.rollback)?;
    let mut data = args.data;
    if data.is_empty() {
        // What the targets hold is what may be seen.
        data = targets
            .iter()
            .filter_map(|target| policy.targets.get(&target.target))
            .flat_map(|target| target.data.clone())
            .collect();
    }
    data.sort();
    data.dedup();
    let extends = args.extends.as_deref().map(|named| turn.session.case(named).map(|case| case.id())).transpose()?;
    Ok(Request {
        targets,
        duration,
        not_before: args.at,
        business_need,
        least_privilege,
        ticket,
        incident,
        extends,
        emergency,
        source_address: args.source_address,
        credential_key,
        risk: Risk { level, impact, rollback, data },
    })
}

/// A02: `verify-required` binds hardware keys only, so no other is certified where a role wants a PIN.
fn certifiable(roles: &[&Role], key: &PublicKey) -> Result<(), CliError> {
    if key.is_hardware() || roles.iter().all(|role| role.mfa != Mfa::TouchPin) {
        return Ok(());
    }
    let print = key.fingerprint();
    Err(CliError::refused(format!(
        "mfa = touch+pin is demanded, and the key to be certified is none in hardware: {print}"
    ))
    .hint("leave --credential-key out, or name the .pub of a key made by: ssh-keygen -t ed25519-sk -O verify-required")
    .rule(Code::A02))
}

/// Refuses what no answer to the questions that follow could mend: nobody types reasons for what cannot be had.
fn refuse_early(
    context: &mut Context,
    turn: &Turn,
    targets: &[RoleRef],
    duration: Ttl,
    args: &Args,
) -> Result<(), CliError> {
    let given = |text: &Option<String>| text.clone().unwrap_or_else(|| "not asked yet".to_owned());
    let probe = Request {
        targets: targets.to_vec(),
        duration,
        not_before: args.at,
        business_need: given(&args.reason),
        least_privilege: args.least_privilege.clone(),
        ticket: args.ticket.clone(),
        incident: args.incident.clone(),
        extends: None,
        emergency: args.emergency,
        source_address: args.source_address.clone(),
        credential_key: turn.person.signer.public_key().clone(),
        risk: Risk {
            level: RiskLevel::Low,
            impact: given(&args.impact),
            rollback: given(&args.rollback),
            data: Vec::new(),
        },
    };
    let intent = turn.intent(None, Body::Request(Box::new(probe)));
    match ask(context, turn, &intent) {
        // What is still missing is asked for next; everything else stands whatever is answered.
        Err(error) if error.broken_rule() == Some(Code::A02) => Ok(()),
        other => other,
    }
}

/// A window that is open already is no window.
fn opens_later(now: Timestamp, at: Timestamp) -> Result<(), CliError> {
    if at > now {
        return Ok(());
    }
    Err(CliError::usage(format!("--at {at}: that was {}", moment(at, now)))
        .because(format!("it is {now} now"))
        .hint("leave --at out to begin as soon as people have agreed"))
}

fn public_key(context: &Context, file: &std::path::Path) -> Result<PublicKey, CliError> {
    Ok(read_public(&context.resolve(file))?)
}

fn sorted(mut targets: Vec<RoleRef>) -> Vec<RoleRef> {
    targets.sort();
    targets.dedup();
    targets
}

/// The roles that whoever acts may ask for, to choose from.
fn choose_roles(context: &Context, turn: &Turn, emergency: bool) -> Result<Vec<RoleRef>, CliError> {
    if !context.prompt().is_available() {
        return Err(
            CliError::usage("TARGET/ROLE is needed: there is no terminal to ask").hint("jit policy show lists them")
        );
    }
    let policy = turn.session.policy();
    let me = &turn.person.name;
    let mut mine = Vec::new();
    let mut lines = Vec::new();
    for (target_name, target) in &policy.targets {
        for (role_name, role) in &target.roles {
            let may = match (&role.emergency, emergency) {
                (Some(rule), true) => policy.in_group(me, &rule.group),
                (None, true) => false,
                (_, false) => policy.in_any_group(me, &role.requesters),
            };
            if may {
                let reference = RoleRef { target: target_name.clone(), role: role_name.clone() };
                lines.push(format!(
                    "{reference}  ({}; at most {})",
                    crate::domain::text::visible(&target.description),
                    role.max_duration
                ));
                mine.push(reference);
            }
        }
    }
    if mine.is_empty() {
        return Err(CliError::refused(format!("{me} may ask for nothing in this policy")).hint("jit policy show"));
    }
    let at = context.prompt().select("TARGET/ROLE", "Access to what?", &lines)?;
    mine.get(at).cloned().map(|role| vec![role]).ok_or_else(CliError::cancelled)
}
