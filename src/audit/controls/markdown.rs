//! The map as Markdown: with its counts for a report, without them as docs/controls.md.

use super::map::{Area, Framework, Map, in_no_baseline};
use super::{Assessed, DISCLAIMER};
use crate::audit::entry::Ledger;
use crate::audit::report::{Report, TOOL};
use crate::domain::text::{visible, wrapped};

/// The page of the documentation: the map without a ledger.
pub fn page(map: &Map) -> String {
    let mut text = String::from(
        "# Controls: what is asked, recorded and checked\n\n\
         `jit audit controls` counts the records behind each of these and says which checks found exceptions\n\
         ([auditor.md](auditor.md#reports)). This page is made from `src/audit/controls.toml`; a test fails when it is stale.\n\n",
    );
    text.push_str(&paragraph(DISCLAIMER));
    text.push_str("\n\n## Frameworks\n\n| name | what it is |\n|---|---|\n");
    for Framework { key, name, note } in &map.frameworks {
        let note = if note.is_empty() { String::new() } else { format!(". {note}") };
        text.push_str(&format!("| `{key}` | {name}{note} |\n"));
    }
    text.push_str("\nIdentifiers only; the questions are in our own words. There is no map to the FFIEC CAT, which was retired on\n2025-08-31.\n");
    for area in &map.areas {
        text.push_str(&format!("\n## {}\n\n{}.\n\n", area.key, area.asks));
        text.push_str(&format!(
            "- Recorded: {}\n- Checked: {}\n- Counted: {}\n",
            area.recorded, area.checked, area.counts
        ));
        text.push_str(&format!("- Codes: {}\n", codes(area)));
        for framework in &map.frameworks {
            let ids = identifiers(framework, area);
            if !ids.is_empty() {
                text.push_str(&format!("- {}: {ids}\n", framework.name));
            }
        }
    }
    text
}

/// The report.
pub fn report(ledger: &Ledger<'_>, report: &Report, map: &Map, assessed: &[Assessed<'_>]) -> String {
    let mut text = format!("# Controls: evidence in {}\n\n", visible(ledger.name()));
    text.push_str(&format!("- Ledger: `{}`\n- Log: {} leaves, root `{}`\n", ledger.id, ledger.size(), ledger.root()));
    text.push_str(&format!(
        "- Period: {}; judged at {}\n- Made by: {TOOL}\n\n{}\n",
        report.period,
        ledger.now,
        paragraph(DISCLAIMER)
    ));
    text.push_str("\n| area | records | exceptions | stopped | result |\n|---|---:|---:|---:|---|\n");
    for it in assessed {
        let counted = it.counted;
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            it.area.key,
            counted.records,
            counted.exceptions,
            counted.stopped,
            it.result()
        ));
    }
    for it in assessed {
        let area = it.area;
        text.push_str(&format!("\n## {}\n\n{}.\n\n", area.key, area.asks));
        text.push_str(&format!("- Recorded: {}\n- Checked: {}\n", area.recorded, area.checked));
        text.push_str(&format!("- Records: {} ({})\n- Codes: {}\n", it.counted.records, area.counts, codes(area)));
        text.push_str(&format!("- Result: {}\n", it.result()));
        for framework in &map.frameworks {
            let ids = identifiers(framework, area);
            if !ids.is_empty() {
                text.push_str(&format!("- Gives evidence for {}: {ids}\n", framework.name));
            }
        }
    }
    text
}

fn identifiers(framework: &Framework, area: &Area) -> String {
    let star = |id: &String| {
        let star = if in_no_baseline(&framework.key, id) { "\\*" } else { "" };
        format!("{id}{star}")
    };
    area.of(&framework.key).iter().map(star).collect::<Vec<_>>().join(", ")
}

fn codes(area: &Area) -> String {
    if area.codes.is_empty() { "none".to_owned() } else { area.codes.join(", ") }
}

/// Lines as the other pages have them.
fn paragraph(text: &str) -> String {
    wrapped(text, 118, |line| line.chars().count()).join("\n")
}
