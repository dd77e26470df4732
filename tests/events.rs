//! Every kind of event as format.md writes it (sections 2, 5 and 6), typed by hand: it is read, says what it says, and is
//! written again to the byte. Then each of them with one thing wrong, and the code that it must get (E01 to E04).
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use jit::domain::codec::{EVENT_LIMIT, PROPOSAL_LIMIT, SIGNATURE_LIMIT, parse, write};
use jit::domain::event::{
    Answer, Body, EndCause, Kind, LockScope, ProbeResult, Recording, RiskLevel, Subject, Verdict,
};
use jit::domain::finding::Code;

const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcLYJiFdFj95YaXsHuvhjvt6d0nPiBSeWxAU8o+kaph";
const NONCE: &str = "6vbj325lkwnlgo6tbcbeuswhja";
const COMMIT: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// The table of each kind; of a proposal each subject's. With everything that may be left out, and without.
const TABLES: [(&str, &str); 24] = [
    (
        "genesis",
        "name = \"acme/production\"\n\n[[genesis.file]]\npath = \"README.md\"\nsha256 = \"D\"\n\n[[genesis.file]]\npath = \"policy.toml\"\nsha256 = \"D\"\n",
    ),
    (
        "request",
        "targets = [\"payments-db/operator\", \"payments-db/read-only\"]\nduration = \"90m\"\nnot_before = 2026-11-24T01:00:00Z\n\
         business_need = \"Stuck:\\n\\\"pending\\\" \\\\ 決済\"\nleast_privilege = \"Nothing smaller.\"\nticket = \"INC-1\"\nincident = \"INC-2\"\n\
         extends = \"D\"\nemergency = true\nsource_address = [\"10.1.2.3/32\", \"fd00::/8\"]\ncredential_key = \"KEY\"\n\n[request.risk]\n\
         level = \"high\"\nimpact = \"Rows.\"\nrollback = \"None.\"\ndata = [\"npi\", \"pci\"]\n",
    ),
    (
        "request",
        "targets = [\"payments-db/read-only\"]\nduration = \"45s\"\nbusiness_need = \"Stuck.\"\ncredential_key = \"KEY\"\n\n[request.risk]\n\
         level = \"low\"\nimpact = \"Rows.\"\nrollback = \"None.\"\n",
    ),
    ("approval", ""),
    ("approval", "comment = \"Fine.\\nGo.\"\n"),
    ("denial", "comment = \"Not now.\"\n"),
    ("withdrawal", ""),
    ("withdrawal", "comment = \"Found it.\"\n"),
    (
        "issuance",
        "type = \"ssh-certificate\"\nenvironment = \"prod\"\nserial = 1042\nvalid_after = 2026-11-23T14:05:30Z\n\
         valid_before = 2026-11-23T14:36:30Z\ncertificate = \"ssh-ed25519-cert-v01@openssh.com AAAA\"\n",
    ),
    (
        "session-start",
        "session = \"NONCE\"\nserial = 1042\nlogin = \"readonly\"\nsource = \"10.1.2.3\"\ncommand = \"df -h\"\nrecording = \"on\"\n",
    ),
    (
        "session-start",
        "session = \"NONCE\"\nserial = 1042\nlogin = \"readonly\"\nsource = \"10.1.2.3\"\nrecording = \"off\"\n",
    ),
    ("session-end", "session = \"NONCE\"\ncause = \"expired\"\nexit_code = -1\nrecording = \"D\"\nbytes = 9\n"),
    ("session-end", "session = \"NONCE\"\ncause = \"lost\"\nbytes = 0\n"),
    ("revocation", "reason = \"Laptop stolen.\"\nincident = \"INC-2\"\n"),
    ("closure", "summary = \"Done.\"\nchanges = [\"One row; put back.\", \"None else.\"]\n"),
    ("closure", "summary = \"Done.\"\nchanges = []\n"),
    (
        "residue",
        "clean = false\n\n[[residue.item]]\nprobe = \"processes\"\nresult = \"clear\"\ndetail = \"\"\n\n[[residue.item]]\nprobe = \"files\"\n\
         result = \"found\"\ndetail = \"/tmp/x\"\n\n[[residue.item]]\nprobe = \"jobs\"\nresult = \"failed\"\ndetail = \"no crontab\"\n",
    ),
    (
        "review",
        "verdict = \"follow-up\"\nfollow_up = \"CHG-9\"\n\n[[review.item]]\ncheck = \"no lingering changes\"\nanswer = \"no\"\n\
         note = \"one row\"\n\n[[review.item]]\ncheck = \"looked at\"\nanswer = \"n/a\"\n",
    ),
    ("review", "verdict = \"clean\"\n\n[[review.item]]\ncheck = \"looked at\"\nanswer = \"yes\"\n"),
    ("lock", "scope = \"member:alice\"\nreason = \"Laptop stolen.\"\nincident = \"INC-2\"\n"),
    (
        "proposal",
        "subject = \"policy\"\nversion = 2\nreason = \"Dave leaves.\"\n\n[[proposal.file]]\npath = \"policy.toml\"\nsha256 = \"D\"\n",
    ),
    ("proposal", "subject = \"acknowledge\"\nreason = \"Looked into.\"\ncommits = [\"COMMIT\"]\n"),
    ("proposal", "subject = \"unlock\"\nreason = \"Found again.\"\nlock = \"D\"\n"),
    ("enactment", ""),
];

/// The whole event of a kind with this table.
fn event(kind: &str, table: &str) -> String {
    let opens = ["genesis", "request", "lock", "proposal"].contains(&kind);
    let genesis = kind == "genesis";
    let mut text = format!("jit = 1\nkind = \"{kind}\"\n");
    if !genesis {
        text += "ledger = \"D\"\n";
    }
    if !opens {
        text += "case = \"D\"\n";
    }
    if !genesis {
        text += "policy = \"D\"\n";
    }
    text += "actor = \"alice\"\ntime = 2026-11-23T14:05:09Z\n";
    if opens {
        text += "nonce = \"NONCE\"\n";
    }
    if !genesis {
        text += "\n[seen]\nsize = 1041\nroot = \"D\"\n";
    }
    text += &format!("\n[{kind}]\n{table}");
    text.replace("COMMIT", COMMIT).replace("NONCE", NONCE).replace("KEY", KEY).replace("\"D\"", &format!("\"{D}\""))
}

fn body(kind: &str, nth: usize) -> Body {
    let table = TABLES.iter().filter(|row| row.0 == kind).nth(nth).unwrap().1;
    parse(event(kind, table).as_bytes()).unwrap().body
}

#[test]
fn every_kind_is_read_and_written_again() {
    for (kind, table) in TABLES {
        let text = event(kind, table);
        let event = parse(text.as_bytes()).unwrap_or_else(|fault| unreachable!("{fault}: {text}"));
        assert_eq!(String::from_utf8(write(&event)).unwrap(), text);
        assert_eq!((event.kind().as_str(), event.body.kind()), (kind, event.kind()));
        assert_eq!((event.actor.as_str(), event.time.unix()), ("alice", 1_795_442_709));
        assert_eq!(
            event.seen.map(|seen| (seen.size, seen.root.to_string())),
            (kind != "genesis").then(|| (1041, D.into()))
        );
        assert_eq!(event.nonce.is_some(), event.kind().opens_case());
        assert_eq!(event.case.is_some(), !event.kind().opens_case());
        assert_eq!(event.kind().namespace(), format!("jit-1/{kind}"));
        assert_eq!((kind.parse(), event.kind().to_string()), (Ok(event.kind()), kind.to_owned()));
    }
    assert!(Kind::ALL.iter().all(|kind| TABLES.iter().any(|row| row.0 == kind.as_str())));
    assert_eq!("wish".parse::<Kind>(), Err(()));
}

#[test]
fn every_kind_says_what_it_says() {
    let Body::Request(full) = body("request", 0) else { unreachable!() };
    assert_eq!((full.duration.seconds(), full.not_before.unwrap().to_string()), (5400, "2026-11-24T01:00:00Z".into()));
    assert_eq!(full.business_need, "Stuck:\n\"pending\" \\ 決済");
    assert_eq!(
        (full.ticket.as_deref(), full.incident.as_deref(), full.emergency),
        (Some("INC-1"), Some("INC-2"), true)
    );
    assert_eq!(
        (full.extends.unwrap().to_string(), full.risk.level, full.risk.data.len()),
        (D.into(), RiskLevel::High, 2)
    );
    let nets: Vec<String> = full.source_address.iter().map(ToString::to_string).collect();
    assert_eq!((nets, full.credential_key.to_string()), (vec!["10.1.2.3/32".into(), "fd00::/8".into()], KEY.into()));
    let Body::Request(bare) = body("request", 1) else { unreachable!() };
    assert_eq!((bare.emergency, bare.not_before, bare.extends, bare.risk.data.len()), (false, None, None, 0));

    let Body::SessionStart(start) = body("session-start", 0) else { unreachable!() };
    assert_eq!((start.serial, start.command.as_deref(), start.recording), (1042, Some("df -h"), Recording::On));
    let Body::SessionEnd(end) = body("session-end", 0) else { unreachable!() };
    assert_eq!((end.cause, end.exit_code, end.bytes, end.recording.is_some()), (EndCause::Expired, Some(-1), 9, true));
    let Body::Residue(residue) = body("residue", 0) else { unreachable!() };
    assert_eq!((residue.clean, residue.items[2].result), (false, ProbeResult::Failed));
    let Body::Review(review) = body("review", 0) else { unreachable!() };
    assert_eq!((review.verdict, review.items[1].answer), (Verdict::FollowUp, Answer::NotApplicable));
    let Body::Proposal(proposal) = body("proposal", 2) else { unreachable!() };
    assert_eq!((proposal.subject.as_str(), matches!(proposal.subject, Subject::Unlock { .. })), ("unlock", true));
    let subject = |nth| match body("proposal", nth) {
        Body::Proposal(proposal) => proposal.subject.as_str(),
        _ => unreachable!(),
    };
    assert_eq!((subject(0), subject(1)), ("policy", "acknowledge"));
}

#[test]
fn what_an_author_says_in_words_is_all_of_it() {
    let words = |kind, nth| body(kind, nth).words();
    assert_eq!(words("approval", 0), None);
    assert_eq!(words("approval", 1).as_deref(), Some("Fine.\nGo."));
    assert_eq!(words("denial", 0).as_deref(), Some("Not now."));
    assert_eq!(words("withdrawal", 1).as_deref(), Some("Found it."));
    assert_eq!(words("revocation", 0).as_deref(), Some("Laptop stolen."));
    assert_eq!(words("closure", 0).as_deref(), Some("Done.\nchanges: One row; put back.; None else."));
    assert_eq!(
        words("residue", 0).as_deref(),
        Some("1 of 3 probes clear\nfiles: found /tmp/x\njobs: failed no crontab")
    );
    assert_eq!(
        words("review", 0).as_deref(),
        Some("follow-up, CHG-9\nno lingering changes: no (one row)\nlooked at: n/a")
    );
    for kind in ["genesis", "request", "issuance", "session-start", "session-end", "lock", "proposal", "enactment"] {
        assert_eq!(words(kind, 0), None, "{kind}");
    }
}

#[test]
fn lock_scopes_have_one_spelling() {
    for text in ["member:alice", "target:payments-db", "environment:prod", "ledger"] {
        assert_eq!(text.parse::<LockScope>().unwrap().to_string(), text);
    }
    for bad in ["", "ledger:", "ledger:x", "member", "member:", "member:Alice", "host:db1", "Ledger"] {
        assert_eq!(bad.parse::<LockScope>(), Err(()), "{bad}");
    }
}

fn code(text: &str) -> Option<Code> {
    parse(text.as_bytes()).err().map(|fault| fault.code)
}

#[test]
fn an_event_has_the_table_of_its_kind_and_no_other() {
    let tables: Vec<(&str, &str)> =
        Kind::ALL.iter().map(|kind| *TABLES.iter().find(|row| row.0 == kind.as_str()).unwrap()).collect();
    for (kind, table) in &tables {
        let text = event(kind, table);
        let header = text.rfind(&format!("\n[{kind}]")).unwrap();
        assert_eq!(code(&text[..header]), Some(Code::E02), "{kind} without its table");
        for (other, more) in tables.iter().filter(|(other, _)| other != kind) {
            let behind = event(other, more);
            let table = &behind[behind.rfind(&format!("\n[{other}]")).unwrap()..];
            assert_eq!(code(&format!("{text}{table}")), Some(Code::E02), "{kind} and {other}");
        }
    }
}

#[test]
fn what_opens_a_case_has_a_nonce_and_what_does_not_has_a_case() {
    for (kind, table) in TABLES {
        let text = event(kind, table);
        for field in ["ledger", "case", "policy", "nonce"] {
            let line =
                text.lines().find(|line| line.starts_with(&format!("{field} = "))).map(|line| format!("{line}\n"));
            let bent = match line {
                Some(line) => text.replacen(&line, "", 1),
                None => {
                    let value = if field == "nonce" { NONCE } else { D };
                    text.replacen("actor = ", &format!("{field} = \"{value}\"\nactor = "), 1)
                }
            };
            assert_eq!(code(&bent), Some(Code::E02), "{kind}: {field}");
        }
        let seen = format!("\n[seen]\nsize = 1041\nroot = \"{D}\"\n");
        let bent = if kind == "genesis" { format!("{text}{seen}") } else { text.replacen(&seen, "", 1) };
        assert_eq!(code(&bent), Some(Code::E02), "{kind}: seen");
    }
}

/// Each row: a kind, which of its tables, what is done to it, and the code that it must get.
#[test]
fn each_fault_of_a_field_has_its_code() {
    let rows: [(&str, usize, &str, &str, Option<Code>); 56] = [
        ("issuance", 0, "ssh-certificate", "x509", Some(Code::E02)),
        ("issuance", 0, "serial = 1042", "serial = -1", Some(Code::E02)),
        ("issuance", 0, " AAAA", "\\nAAAA", Some(Code::E03)),
        ("session-start", 0, "\"on\"", "\"yes\"", Some(Code::E02)),
        ("session-start", 0, "\"readonly\"", "\"read\\nonly\"", Some(Code::E03)),
        ("session-start", 0, "\"10.1.2.3\"", "\"10.1.2.3\\n\"", Some(Code::E03)),
        ("session-start", 0, "\"df -h\"", "\"df\\n-h\"", Some(Code::E03)),
        ("session-end", 0, "\"expired\"", "\"tired\"", Some(Code::E02)),
        ("session-end", 0, "recording = \"sha256:", "recording = \"sha512:", Some(Code::E02)),
        ("residue", 0, "\"found\"", "\"lost\"", Some(Code::E02)),
        ("residue", 0, "\"files\"", "\"files\\n\"", Some(Code::E03)),
        ("residue", 0, "\"/tmp/x\"", "\"/tmp/x\\n/tmp/y\"", None),
        ("residue", 0, "\"/tmp/x\"", "\"/tmp/x\\t\"", Some(Code::E03)),
        ("review", 0, "follow_up = \"CHG-9\"\n", "", Some(Code::E02)),
        ("review", 0, "CHG-9", "CHG\\n9", Some(Code::E03)),
        ("review", 1, "\"clean\"\n", "\"clean\"\nfollow_up = \"CHG-9\"\n", Some(Code::E02)),
        ("review", 1, "\"yes\"", "\"maybe\"", Some(Code::E02)),
        ("review", 1, "\"looked at\"", "\"looked\\nat\"", Some(Code::E03)),
        ("review", 0, "\"one row\"", "\"one\\nrow\"", None),
        ("review", 0, "\"one row\"", "\"one\\u0007row\"", Some(Code::E03)),
        ("lock", 0, "member:alice", "somebody:alice", Some(Code::E02)),
        ("lock", 0, "Laptop stolen.", "...", Some(Code::E03)),
        ("lock", 0, "INC-2", "INC\\n2", Some(Code::E03)),
        ("revocation", 0, "Laptop stolen.", "?", Some(Code::E03)),
        ("revocation", 0, "INC-2", "INC\\n2", Some(Code::E03)),
        ("closure", 0, "Done.", ".", Some(Code::E03)),
        ("closure", 0, "None else.", "...", Some(Code::E03)),
        ("closure", 1, "changes = []\n", "", Some(Code::E02)),
        ("approval", 1, "Go.", "Go\\u0000", Some(Code::E03)),
        ("approval", 1, "Fine.\\nGo.", "...", None),
        ("withdrawal", 1, "Found", "\u{202e}Found", Some(Code::E03)),
        ("denial", 0, "Not now.", "-", Some(Code::E03)),
        ("proposal", 0, "\"policy\"", "\"acknowledge\"", Some(Code::E02)),
        ("proposal", 0, "\"policy\"", "\"wish\"", Some(Code::E02)),
        ("proposal", 0, "version = 2\n", "", Some(Code::E02)),
        ("proposal", 0, "Dave leaves.", "!", Some(Code::E03)),
        ("proposal", 0, "\"policy.toml\"", "\"policy\\n.toml\"", Some(Code::E03)),
        ("proposal", 1, "subject = \"acknowledge\"\n", "subject = \"acknowledge\"\nversion = 2\n", Some(Code::E02)),
        ("proposal", 1, COMMIT, "4b825d", Some(Code::E02)),
        ("proposal", 1, "[\"4b825dc642cb6eb9a060e54bf8d69288fbee4904\"]", "[]", Some(Code::E02)),
        ("proposal", 2, "subject = \"unlock\"\n", "subject = \"unlock\"\nversion = 2\n", Some(Code::E02)),
        (
            "proposal",
            2,
            "\nlock = ",
            "\ncommits = [\"4b825dc642cb6eb9a060e54bf8d69288fbee4904\"]\nlock = ",
            Some(Code::E02),
        ),
        ("genesis", 0, "acme/production", "acme\\nproduction", Some(Code::E03)),
        ("genesis", 0, "README.md", "README\\u0001", Some(Code::E03)),
        (
            "request",
            0,
            "\"payments-db/operator\", \"payments-db/read-only\"",
            "\"payments-db/read-only\", \"payments-db/operator\"",
            Some(Code::E01),
        ),
        ("request", 0, "payments-db/operator", "payments-db/read-only", Some(Code::E01)),
        ("request", 0, "10.1.2.3/32", "10.1.2.3/31", Some(Code::E02)),
        ("request", 0, "Nothing smaller.", "...", Some(Code::E03)),
        ("request", 0, "INC-1", "INC\\n1", Some(Code::E03)),
        ("request", 0, "INC-2", "INC\\n2", Some(Code::E03)),
        ("request", 0, "\"npi\"", "\"n\\npi\"", Some(Code::E03)),
        ("request", 0, "2026-11-24T01:00:00Z", "2026-11-24T02:00:00+01:00", Some(Code::E01)),
        ("request", 0, "2026-11-24T01:00:00Z", "2026-11-24T01:00:00", Some(Code::E02)),
        ("request", 0, "Stuck:\\n", "Stuck:\\r\\n", Some(Code::E03)),
        ("request", 0, "Stuck:\\n", "Stuck:\\u000A", Some(Code::E01)),
        ("request", 1, "\"Stuck.\"", "\" \\u0008 \"", Some(Code::E01)),
    ];
    for (kind, nth, from, to, expected) in rows {
        let table = TABLES.iter().filter(|row| row.0 == kind).nth(nth).unwrap().1;
        let text = event(kind, table);
        assert!(text.contains(from), "{from} is not in {text}");
        assert_eq!(code(&text.replacen(from, to, 1)), expected, "{kind}: {from} → {to}");
    }
}

/// "String: basic strings …": the one escape of each character. None of them may be in a text, so E03 is what a canonical
/// one gets, and E01 any other spelling.
#[test]
fn a_character_has_one_escape() {
    let text = |escape: &str| event("denial", &format!("comment = \"x{escape}\"\n"));
    for (escape, others) in [
        ("\\t", &["\t", "\\u0009"][..]),
        ("\\r", &["\\u000D", "\\u000d"]),
        ("\\b", &["\\u0008"]),
        ("\\f", &["\\u000C"]),
        ("\\u0000", &[]),
        ("\\u001F", &["\\u001f", "\\U0000001F"]),
        ("\\u007F", &["\\u007f"]),
    ] {
        assert_eq!(code(&text(escape)), Some(Code::E03), "{escape}");
        for other in others {
            assert_eq!(code(&text(other)), Some(Code::E01), "{other:?}");
        }
    }
    for (escape, others) in [
        ("\\\"", &["\\u0022"][..]),
        ("\\\\", &["\\u005C"]),
        ("\\n", &["\\u000A"]),
        (" ", &["\\u0020"]),
        ("~", &["\\u007E"]),
    ] {
        assert_eq!(code(&text(escape)), None, "{escape}");
        for other in others {
            assert_eq!(code(&text(other)), Some(Code::E01), "{other:?}");
        }
    }
}

/// Of another version, or of an unknown kind, only that is known: E04, whatever else it holds, if it is TOML at all.
#[test]
fn an_unknown_version_or_kind_is_told_before_anything_else() {
    let text = event("denial", "comment = \"No.\"\n");
    for (from, to, expected) in [
        ("jit = 1\n", "jit = 2\n", Code::E04),
        ("jit = 1\n", "jit = 0\n", Code::E04),
        ("kind = \"denial\"", "kind = \"wish\"", Code::E04),
        ("[denial]", "[wish]", Code::E02),
        ("kind = \"denial\"\n", "", Code::E02),
        ("kind = \"denial\"", "kind = 7", Code::E02),
        ("jit = 1\n", "jit = 1.0\n", Code::E02),
    ] {
        assert_eq!(code(&text.replacen(from, to, 1)), Some(expected), "{to}");
    }
    for text in ["jit = 2\n", "jit = 2\nfuture = true\n", "jit = 1\nkind = \"wish\"\nfuture = true\n"] {
        assert_eq!(code(text), Some(Code::E04), "{text}");
    }
    for text in ["jit = 1\n", "jit = 1\nkind = \"denial\"\nfuture = true\n", "jit = 2\njit = 2\n", ""] {
        assert_eq!(code(text), Some(Code::E02), "{text}");
    }
}

#[test]
fn times_are_instants_whatever_their_offset() {
    // Other spellings of the same second are E01; what is no whole second of a day that there is, E02.
    let text = event("denial", "comment = \"No.\"\n");
    for (time, expected) in [
        ("2026-11-23T15:05:09+01:00", Code::E01),
        ("2026-11-23T13:35:09-00:30", Code::E01),
        ("2026-11-23t14:05:09z", Code::E01),
        ("2026-11-23 14:05:09Z", Code::E01),
        ("2026-11-23T14:05:09.000Z", Code::E01),
        ("2026-11-23T14:05:09.001Z", Code::E02),
        ("2026-11-23", Code::E02),
        ("14:05:09", Code::E02),
        ("2026-02-29T00:00:00Z", Code::E02),
        ("1970-01-01T00:30:00+01:00", Code::E02),
        ("\"2026-11-23T14:05:09Z\"", Code::E02),
    ] {
        assert_eq!(code(&text.replacen("2026-11-23T14:05:09Z", time, 1)), Some(expected), "{time}");
    }
    // The offset is taken off, not added: the same instant, told by what is read.
    let event = parse(text.as_bytes()).unwrap();
    assert_eq!(event.time.to_string(), "2026-11-23T14:05:09Z");
}

/// E01: "no BOM, no CR", also where TOML itself would refuse them (E02).
#[test]
fn a_carriage_return_or_a_byte_order_mark_is_told_before_toml_is_asked() {
    let text = event("denial", "comment = \"No.\"\n");
    for (from, to) in [("jit = 1\n", "jit = 1\rx\n"), ("\"No.\"", "\"No\r.\""), ("\n", "\r"), ("jit = 1", "= \r")] {
        assert_eq!(code(&text.replacen(from, to, 1)), Some(Code::E01), "{to:?}");
    }
    for start in ["\u{feff}", "\u{feff}\u{feff}", "\u{feff}="] {
        assert_eq!(code(&format!("{start}{text}")), Some(Code::E01), "{start:?}");
    }
    assert_eq!(code(&format!("={text}")), Some(Code::E02));
}

/// C06: "the event is larger than 64 KiB, the signature than 4 KiB, or a proposal's files than 1 MiB together".
#[test]
fn the_limits_are_those_of_the_rules() {
    assert_eq!((EVENT_LIMIT, SIGNATURE_LIMIT, PROPOSAL_LIMIT), (65_536, 4_096, 1_048_576));
}
