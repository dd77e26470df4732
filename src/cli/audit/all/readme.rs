//! `README.txt` of the folder: what each file is, and in which order to check.

use super::super::super::output::count;
use super::contents::{Contents, Told};
use super::folder::SUMS;
use crate::audit::report::TOOL;
use crate::domain::text::visible;

/// The text.
pub fn text(contents: &Contents<'_>, told: &Told) -> String {
    let ledger = contents.reading.ledger();
    let mut text = "An examiner's folder\n\n".to_owned();
    let mut fact = |name: &str, value: &str| text.push_str(&format!("{:<9}{value}\n", format!("{name}:")));
    fact("Ledger", &ledger.id.to_string());
    fact("Name", &visible(ledger.name()));
    fact("Head", &ledger.head.to_string());
    fact("Size", &format!("{} entries", ledger.size()));
    fact("Root", &ledger.root().to_string());
    fact("Period", &contents.period.to_string());
    fact("Judged", &format!("at {}", ledger.now));
    fact("Made by", TOOL);
    text.push_str(INTRODUCTION);
    steps(&mut text, contents, told);
    text.push_str("\nWhat each file is\n\n");
    let rows = |name: &str| match told.rows.get(name).copied().flatten() {
        Some(0) => " None.".to_owned(),
        Some(1) => " 1 row.".to_owned(),
        Some(count) => format!(" {count} rows."),
        None => String::new(),
    };
    let mut file = |name: &str, what: &str| text.push_str(&format!("  {name:<26}{what}\n"));
    file("README.txt", "This text.");
    file(SUMS, "The SHA-256 of every file but itself.");
    file("verification.txt", "What jit checked, what came of it, and what it did not look at.");
    for (name, what) in REPORTS {
        file(&format!("reports/{name}.*"), &format!("{what}{}", rows(name)));
    }
    file("controls/controls.*", "The records behind each control, and what is checked (md, txt, csv, json).");
    file("controls/oscal.json", "The same as OSCAL 1.2 assessment results: observations, no findings.");
    match told.incidents.len() {
        0 => file("incidents/", "Not here: no case of the period names an incident."),
        _ => file("incidents/NNNN-NAME.*", "One timeline an incident:"),
    }
    for (incident, name) in &told.incidents {
        file("", &format!("{name}: {}", visible(incident)));
    }
    file("sample/", &format!("{} drawn from the period, with their packets.", count(told.sampled, "case")));
    file("bundle.tar.gz", "The evidence of the period: events, signatures, certificates, policies, proofs.");
    file("page.html", "The same to read, search and print; checks itself again in a browser.");
    match told.checkpoint {
        Some(size) => {
            file("log/checkpoint", &format!("The newest checkpoint: {size} entries, signed by the log's key."));
            file("log/tile/", "The log up to it as static files (C2SP tlog-tiles).");
        }
        None => file("log/", "Not here: this ledger has no checkpoint."),
    }
    text.push_str(NOTES);
    text
}

const INTRODUCTION: &str = "
jit wrote this folder from one replay of the whole ledger. It says what the ledger records. Whether a control is met,
and whether anything happened outside of the ledger, is for you to find out.

In which order to check

";

const REPORTS: [(&str, &str); 6] = [
    ("population", "Every case of the period."),
    ("exceptions", "What is to be looked at, with owner and age."),
    ("emergencies", "The register of break-glass."),
    ("latency", "Revocation to session end, request to approval, approval to issuance."),
    ("access-review", "Roles never used, members never active, who approved whom, policies."),
    ("board", "One page of counts, medians and rates."),
];

const NOTES: &str = "
Every report is there as text (some of the columns), CSV and JSON (all of them). FILE.manifest.json says of which ledger
and period it is, how to ask for it again (query), what each column means, and its SHA-256. `None.` is an answer: a report
without rows is no report that was lost. Times are UTC.
";

fn steps(text: &mut String, contents: &Contents<'_>, told: &Told) {
    let checkpoint = match told.checkpoint {
        Some(_) => "log/checkpoint holds what the log's key and witnesses signed: ask a witness what it has cosigned.",
        None => "This ledger has no checkpoint: nobody has signed how long it is.",
    };
    let quoted = contents.seed.replace('\'', "'\\''");
    let flags = contents.window.flags().join(" ");
    let steps = [
        format!("That nothing was changed since it was written:\n       sha256sum --check --quiet {SUMS}"),
        format!(
            "That it is the right ledger, and all of it: compare Ledger, Size and Root above with a clone of your own\n     \
             (jit clone URL DIR; jit verify), or with somebody who has one.\n     {checkpoint}"
        ),
        "What jit checked, and what it did not: verification.txt.".to_owned(),
        "The evidence without jit, with ssh-keygen and sha256sum:\n       tar xf bundle.tar.gz; cd jit-bundle; less HOW-TO-CHECK.txt"
            .to_owned(),
        "The population: reports/population.csv. Its total should be that of your own source, such as the servers' logs."
            .to_owned(),
        format!(
            "The sample: sh sample/check.sh, then read its packets. It was drawn by the seed\n       {}\n     Draw one by a \
             seed of your own:\n       jit audit sample --size {} --seed TEXT --out DIR {flags}",
            visible(&quoted),
            contents.size
        ),
        "What is open: reports/exceptions.txt, then emergencies, latency, access-review and incidents.".to_owned(),
        "The controls: controls/controls.md has the records behind each, and where they are.".to_owned(),
        "To look around: open page.html in a browser. It says itself what it has checked.".to_owned(),
    ];
    for (number, step) in (1..).zip(steps) {
        let number: usize = number;
        text.push_str(&format!("  {number}. {step}\n"));
    }
}
