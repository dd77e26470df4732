//! Emergencies as people see them: a box that nobody overlooks, with or without colour, what is still owed for one, and
//! why a second one has to wait (rules.md, A07). Imports domain.

use serde_json::{Value, json};

use super::waiting_text;
use crate::cli::error::CliError;
use crate::cli::output::{Output, duration, moment};
use crate::domain::id::Name;
use crate::domain::policy::{Missing, Policy};
use crate::domain::state::State;
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, CaseState};
use crate::domain::text::{visible, wrapped};
use crate::domain::time::Timestamp;
use console::measure_text_width;

/// The narrowest and the widest box, in columns.
const WIDTHS: (usize, usize) = (40, 78);

/// What is owed for an access that was issued.
#[derive(Debug, Clone)]
pub struct Owed {
    /// Who still has to review it.
    pub missing: Vec<Missing>,
    /// Until when: from the end of the access, which may still come earlier.
    pub due: Option<Timestamp>,
}

impl Owed {
    /// Whether the time is over.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| now > due)
    }

    /// `2 of security (dave, erin), until 02:35 UTC, in 11 h`.
    pub fn text(&self, now: Timestamp) -> String {
        let who = waiting_text(&self.missing);
        match self.due {
            Some(due) if self.is_overdue(now) => format!("{who}; OVERDUE since {}", moment(due, now)),
            Some(due) => format!("{who}, until {}", moment(due, now)),
            None => who,
        }
    }

    /// Whether `name` can still give one of the reviews.
    pub fn is_for(&self, name: &Name) -> bool {
        self.missing.iter().any(|lack| lack.candidates.contains(name))
    }
}

/// What is owed for an access; `None` before it was issued, and once all of it is there.
pub fn owed(policy: &Policy, access: &Access, now: Timestamp) -> Option<Owed> {
    let missing = access.missing_reviews(policy);
    if access.issued.is_empty() || missing.is_empty() {
        return None;
    }
    Some(Owed { missing, due: due(policy, access, now) })
}

/// Until when the reviews of an access are wanted; `None` where none are, or nothing was issued.
pub fn due(policy: &Policy, access: &Access, now: Timestamp) -> Option<Timestamp> {
    let ended = access.ended(now).map(|(time, _)| time).or(access.ends())?;
    access.duties(policy).into_iter().map(|duty| ended.plus(duty.within)).min()
}

/// The fields of the case object about reviews.
pub(super) fn fields(policy: &Policy, access: &Access, now: Timestamp) -> [(&'static str, Value); 3] {
    let reviews = access.reviews.iter().map(|review| {
        json!({ "actor": review.actor.as_str(), "time": review.time.to_string(),
            "verdict": review.review.verdict.as_str(), "follow_up": review.review.follow_up })
    });
    let is_overdue = access.ended(now).is_some() && owed(policy, access, now).is_some_and(|owed| owed.is_overdue(now));
    [
        ("reviews", reviews.collect()),
        ("review_due", json!(due(policy, access, now).map(|due| due.to_string()))),
        ("review_overdue", json!(is_overdue)),
    ]
}

/// The emergencies that somebody has to look at now: asked for and not issued yet, under way, or not reviewed. Newest last.
pub fn open(state: &State, now: Timestamp) -> Vec<&Case> {
    let is_open = |case: &&Case| {
        case.access().is_some_and(|access| access.request.emergency)
            && matches!(
                state.case_state(case, now),
                CaseState::Pending | CaseState::Approved | CaseState::Live | CaseState::ReviewDue
            )
    };
    state.awake(now).filter(is_open).collect()
}

/// Whether the review of an emergency is overdue (F01).
pub fn is_overdue(state: &State, case: &Case, now: Timestamp) -> bool {
    let Some((policy, access)) = state.policy().zip(case.access()) else { return false };
    access.request.emergency
        && state.case_state(case, now) == CaseState::ReviewDue
        && owed(policy, access, now).is_some_and(|owed| owed.is_overdue(now))
}

/// Who opened what before anybody agreed.
fn opened(access: &Access) -> String {
    let targets: Vec<String> = access.request.targets.iter().map(ToString::to_string).collect();
    let incident = access.request.incident.as_deref().unwrap_or("no incident");
    format!(
        "{}: {} for {}, before anybody agreed. Incident: {incident}.",
        access.actor,
        targets.join(", "),
        duration(access.request.duration)
    )
}

/// The reviews that an emergency on these roles will need.
fn duties(policy: &Policy, access: &Access) -> Option<String> {
    let missing = access.missing_reviews(policy);
    let within = access.duties(policy).into_iter().map(|duty| duty.within).min()?;
    Some(format!("{}, within {} of its end", waiting_text(&missing), duration(within)))
}

/// What somebody who asks for an emergency must know, in a box.
pub fn asked(output: &Output, policy: &Policy, access: &Access) -> String {
    let mut lines = vec!["EMERGENCY ACCESS (break-glass)".to_owned(), opened(access)];
    if let Some(duties) = duties(policy, access) {
        lines.push(format!("Afterwards it is reviewed by {duties}."));
    }
    lines.push(format!("Until then {} can open no other emergency. Everybody with a clone sees it.", access.actor));
    boxed(output, &lines)
}

/// The open emergencies for the head of `jit status`, in a box each; `me` is who looks.
pub fn banner(output: &Output, state: &State, me: Option<&Name>, now: Timestamp) -> String {
    let mut text = String::new();
    let Some(policy) = state.policy() else { return text };
    for case in open(state, now) {
        let Some(access) = case.access() else { continue };
        let id = case.id().short();
        let overdue = if is_overdue(state, case, now) { ": ITS REVIEW IS OVERDUE" } else { "" };
        let mut lines = vec![format!("EMERGENCY {id}{overdue}"), opened(access)];
        lines.push(match access.ended(now) {
            Some((at, by)) => format!("State: over ({by} {}), not reviewed.", moment(at, now)),
            None => format!("State: {}.", super::standing(state, case, now)),
        });
        if let Some(owed) = owed(policy, access, now) {
            lines.push(format!("Reviewed by {}.", owed.text(now)));
            let has_ended = access.ended(now).is_some();
            if me == Some(&access.actor) {
                lines.push("It is yours: until they have reviewed it you can open no other emergency.".to_owned());
            } else if me.is_some_and(|me| owed.is_for(me)) {
                let when = if has_ended { "now" } else { "as soon as it has ended" };
                lines.push(format!("You are one of them, {when}: jit review {id}"));
            }
        } else if let Some(duties) = duties(policy, access) {
            lines.push(format!("Afterwards it is reviewed by {duties}."));
        }
        if access.ended(now).is_none() && me.is_some_and(|me| policy.in_any_group(me, &policy.revoke)) {
            lines.push(format!("To end it at once: jit revoke {id} --reason \"why\""));
        }
        text.push_str(&boxed(output, &lines));
        text.push('\n');
    }
    text
}

/// A07 for whoever waits for it: which case, who has to review it, with which command. Other errors stay as they are.
pub fn explained(error: CliError, state: &State, actor: &Name, now: Timestamp) -> CliError {
    let Some((policy, open)) = state.policy().zip(state.open_emergency(actor)) else { return error };
    if error.broken_rule() != Some(crate::domain::finding::Code::A07) || !error.message().contains(&open.id().short()) {
        return error;
    }
    let Some(access) = open.access() else { return error };
    let id = open.id().short();
    let Some(owed) = owed(policy, access, now) else { return error };
    let error = error.because(format!("it has to be reviewed by {}", owed.text(now)));
    let names: Vec<&str> = owed.missing.iter().flat_map(|lack| &lack.candidates).map(|name| name.as_str()).collect();
    if access.ended(now).is_none() {
        return error.hint(format!(
            "jit close {id} ends it; then {} run: jit review {id}. Without an emergency: leave --emergency out",
            names.join(", ")
        ));
    }
    error.hint(format!("{} run: jit review {id}. Without an emergency: leave --emergency out", names.join(", ")))
}

/// Lines in a box of `=` and `|`, as wide as the terminal allows, the first as its title. Other people's text is made
/// visible.
pub fn boxed(output: &Output, lines: &[String]) -> String {
    let inner = output.width().clamp(WIDTHS.0, WIDTHS.1).saturating_sub(6);
    let edge = format!("+{}+", "=".repeat(inner.saturating_add(4)));
    let mut rows = vec![output.red(&edge)];
    for (number, line) in lines.iter().enumerate() {
        for part in fitted(&visible(line).replace('\n', " "), inner) {
            let pad = " ".repeat(inner.saturating_sub(measure_text_width(&part)));
            let part = if number == 0 { output.red(&part) } else { part };
            rows.push(format!("{}  {part}{pad}  {}", output.red("|"), output.red("|")));
        }
    }
    rows.push(output.red(&edge));
    rows.join("\n")
}

/// The words of a text in lines of at most `width` columns; a longer word is cut.
fn fitted(text: &str, width: usize) -> Vec<String> {
    let mut words = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut part = String::new();
        for letter in word.chars() {
            let longer = format!("{part}{letter}");
            if !part.is_empty() && measure_text_width(&longer) > width {
                words.push(std::mem::replace(&mut part, letter.to_string()));
            } else {
                part = longer;
            }
        }
        words.push(part);
    }
    if words.is_empty() { Vec::new() } else { wrapped(&words.join(" "), width, measure_text_width) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_wider_than_the_box() {
        assert_eq!(fitted("a bc def", 4), ["a bc", "def"]);
        assert_eq!(fitted("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(fitted("決済 決済", 4), ["決済", "決済"]);
        assert_eq!(fitted("", 4), Vec::<String>::new());
        for text in ["決済決済決済", "x", "a b c d e f g"] {
            assert!(fitted(text, 5).iter().all(|line| measure_text_width(line) <= 5), "{text}");
        }
    }
}
