//! The periodic look at who may do what: roles nobody used, members who did nothing, who approved whom, and the policies
//! that came into force. Imports `domain`.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::Ledger;
use super::exceptions::{Pair, pairs};
use super::period::Period;
use super::population::accesses;
use super::report::{Figure, Report};
use super::sheet::{Cell, Column, Sheet};
use crate::domain::event::Subject;
use crate::domain::id::{Digest, Name, RoleRef};
use crate::domain::policy::Policy;
use crate::domain::state::case::{Case, Matter, Proposed};
use crate::domain::time::Timestamp;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::brief("about", "role, member, approvals or policy"),
    Column::brief("subject", "TARGET/ROLE of the policy in force; a member of it; two people; a policy's version"),
    Column::brief(
        "used",
        "How often: accesses opened with the role; events signed by the member; approvals between the two",
    ),
    Column::brief("note", "never used, never active, reciprocal, or nothing"),
    Column::full("asked", "How often the role was asked for; how often the member asked"),
    Column::full("last", "When it last was, within the period, UTC; when the policy came into force"),
    Column::full("groups", "The groups that may ask for the role; the groups of the member"),
    Column::full(
        "detail",
        "Who approved whom how often; who proposed the policy and who agreed, its case and its digest",
    ),
];

/// What there is to review of `period`. Roles and members are those of the policy in force at the head. `first`: the
/// ledger's first policy, which no proposal names, and when it came into force.
pub fn report(ledger: &Ledger<'_>, period: Period, first: Option<(&Policy, Timestamp)>) -> Report {
    let mut report = Report::new("access-review", "Access review: who may, who did, who agreed", period);
    let mut sheet = Sheet::new(COLUMNS);
    let (mut unused, mut inactive) = (0, 0);
    if let Some(policy) = ledger.state.policy() {
        for row in roles(ledger, period, policy) {
            unused += usize::from(row.is_idle());
            sheet.push(row.cells());
        }
        for row in members(ledger, period, policy) {
            inactive += usize::from(row.is_idle());
            sheet.push(row.cells());
        }
    }
    let pairs = pairs(ledger, period);
    let reciprocal = pairs.iter().filter(|pair| pair.is_reciprocal()).count();
    pairs.iter().for_each(|pair| sheet.push(approvals(pair)));
    let policies = policies(ledger, period, first);
    let versions = policies.len();
    policies.into_iter().for_each(|row| sheet.push(row));
    report.figures = vec![
        Figure::new(
            "roles_never_used",
            "Roles of the policy in force for which no access was opened",
            Cell::count(unused),
        ),
        Figure::new("members_never_active", "Members of the policy in force who signed nothing", Cell::count(inactive)),
        Figure::new(
            "approval_pairs",
            "Pairs of people of whom one approved a case of the other",
            Cell::count(pairs.len()),
        ),
        Figure::new("reciprocal_pairs", "Of these, pairs who approved each other", Cell::count(reciprocal)),
        Figure::new("policies", "Policies that came into force", Cell::count(versions)),
    ];
    report.sheet = Some(sheet);
    report
}

/// A role or member.
struct Row {
    about: &'static str,
    subject: String,
    used: usize,
    asked: usize,
    last: Option<Timestamp>,
    groups: Vec<Name>,
}

impl Row {
    const fn is_idle(&self) -> bool {
        self.used == 0
    }

    fn cells(self) -> [(&'static str, Cell); 7] {
        let note = match (self.is_idle(), self.about) {
            (false, _) => None,
            (true, "role") => Some("never used"),
            (true, _) => Some("never active"),
        };
        [
            ("about", Cell::Text(self.about.to_owned())),
            ("subject", Cell::Text(self.subject)),
            ("used", Cell::count(self.used)),
            ("note", Cell::optional(note)),
            ("asked", Cell::count(self.asked)),
            ("last", Cell::time(self.last)),
            ("groups", Cell::names(&self.groups)),
        ]
    }
}

fn roles(ledger: &Ledger<'_>, period: Period, policy: &Policy) -> Vec<Row> {
    let mut used: BTreeMap<&RoleRef, (usize, usize, Option<Timestamp>)> = BTreeMap::new();
    for (_, access) in accesses(ledger, period) {
        for role in &access.request.targets {
            let (asked, opened, last) = used.entry(role).or_default();
            *asked += 1;
            *opened += usize::from(!access.issued.is_empty());
            *last = access.starts().max(*last);
        }
    }
    let mut rows = Vec::new();
    for (target, rules) in &policy.targets {
        for (role, rule) in &rules.roles {
            let name = RoleRef { target: target.clone(), role: role.clone() };
            let (asked, opened, last) = used.get(&name).copied().unwrap_or_default();
            let groups = rule.requesters.clone();
            rows.push(Row { about: "role", subject: name.to_string(), used: opened, asked, last, groups });
        }
    }
    rows
}

fn members(ledger: &Ledger<'_>, period: Period, policy: &Policy) -> Vec<Row> {
    let mut active: BTreeMap<&Name, (usize, Option<Timestamp>)> = BTreeMap::new();
    let mut asked: BTreeMap<&Name, usize> = BTreeMap::new();
    for event in ledger.state.cases().flat_map(Case::events).filter(|event| period.holds(event.time)) {
        let (count, last) = active.entry(&event.actor).or_default();
        *count += 1;
        *last = Some(event.time).max(*last);
    }
    for (_, access) in accesses(ledger, period) {
        *asked.entry(&access.actor).or_default() += 1;
    }
    let people = policy.actors.iter().filter(|(name, _)| policy.is_member(name));
    people
        .map(|(name, actor)| {
            let (used, last) = active.get(name).copied().unwrap_or_default();
            let asked = asked.get(name).copied().unwrap_or_default();
            Row { about: "member", subject: name.to_string(), used, asked, last, groups: actor.groups().to_vec() }
        })
        .collect()
}

fn approvals(pair: &Pair) -> Vec<(&'static str, Cell)> {
    let (by_first, by_second) = (pair.by_first.len(), pair.by_second.len());
    let (first, second) = (&pair.first, &pair.second);
    let mut detail = Vec::new();
    for (who, whom, cases) in [(first, second, &pair.by_first), (second, first, &pair.by_second)] {
        if !cases.is_empty() {
            detail.push(format!("{who} approved {} of {whom}'s: {}", cases.len(), cases.join(" ")));
        }
    }
    vec![
        ("about", Cell::Text("approvals".to_owned())),
        ("subject", Cell::Text(format!("{first} and {second}"))),
        ("used", Cell::count(by_first + by_second)),
        ("note", Cell::optional(pair.is_reciprocal().then_some("reciprocal"))),
        ("last", Cell::Time(pair.last)),
        ("detail", Cell::List(detail)),
    ]
}

/// The policies that came into force in `period`, in order.
fn policies(
    ledger: &Ledger<'_>,
    period: Period,
    first: Option<(&Policy, Timestamp)>,
) -> Vec<Vec<(&'static str, Cell)>> {
    let mut rows = Vec::new();
    if let Some((policy, since)) = first.filter(|(_, since)| period.holds(*since)) {
        let detail = vec!["the first policy, founded with the ledger".to_owned(), policy.digest.to_string()];
        rows.push(policy_row(policy.version, since, detail));
    }
    let enacted = ledger.state.cases().filter_map(|case| match case.matter() {
        Matter::Proposal(proposed) => Some((case, proposed)),
        _ => None,
    });
    let mut found: Vec<(Timestamp, Vec<(&'static str, Cell)>)> = Vec::new();
    for (case, proposed) in enacted {
        let Some(since) = proposed.enacted.filter(|since| period.holds(*since)) else { continue };
        let Subject::Policy { version, files } = &proposed.subject else { continue };
        let digest = files.iter().find(|file| file.path == "policy.toml").map(|file| file.sha256);
        let detail = put_in_force(case, proposed, digest);
        found.push((since, policy_row(*version, since, detail)));
    }
    found.sort_by_key(|(since, _)| *since);
    rows.extend(found.into_iter().map(|(_, row)| row));
    rows
}

fn policy_row(version: u64, since: Timestamp, detail: Vec<String>) -> Vec<(&'static str, Cell)> {
    vec![
        ("about", Cell::Text("policy".to_owned())),
        ("subject", Cell::Text(format!("version {version}"))),
        ("last", Cell::Time(since)),
        ("detail", Cell::List(detail)),
    ]
}

fn put_in_force(case: &Case, proposed: &Proposed, digest: Option<Digest>) -> Vec<String> {
    let agreed: BTreeSet<&str> = proposed.approvals.keys().map(Name::as_str).collect();
    let agreed =
        if agreed.is_empty() { "nobody else".to_owned() } else { agreed.into_iter().collect::<Vec<_>>().join(", ") };
    let mut detail =
        vec![format!("proposed by {}, agreed by {agreed}", case.actor()), format!("case {}", case.id().short())];
    detail.extend(digest.map(|digest| digest.to_string()));
    detail
}
