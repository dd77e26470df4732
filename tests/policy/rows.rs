//! One row a rule: an edit of the sample's policy, where the problem must be pointed at, and words of it.

use super::{Row, WEAK, hardware_key, key, same_point_hardware, sample_key};

fn row(from: &'static str, to: impl Into<String>, message: &'static str) -> Row {
    Row(from, to.into(), message)
}

#[expect(clippy::too_many_lines, reason = "a table: one row a rule")]
pub fn rows() -> Vec<Row> {
    let rita = format!("keys = [\"{}\"]", sample_key("rita"));
    let rita: &'static str = Box::leak(rita.into_boxed_str());
    let ca = format!("ca = \"{}\"", sample_key("ca-prod"));
    let ca: &'static str = Box::leak(ca.into_boxed_str());
    let log = format!("[log]\nkey = \"{}\"", sample_key("log"));
    let log: &'static str = Box::leak(log.into_boxed_str());
    let recorder = format!("key = \"{}\"\n\n[target", sample_key("recorder"));
    let recorder: &'static str = Box::leak(recorder.into_boxed_str());
    let dave = sample_key("dave");
    let approve = "approve = [{ group = \"sre\", count = 1 }, { group = \"security\", count = 1 }]";
    let review = "review = { group = \"security\", count = 1, within = \"24h\"";
    let emergency =
        "emergency = { group = \"on-call\", max_duration = \"15m\", review = { group = \"security\", count = 2";
    vec![
        // syntax
        row("version = 1", "version = §", "not TOML"),
        row("version = 1", "version = 1\n§version = 2", "not TOML: duplicate key"),
        row("version = 1", "version §1", "not TOML"),
        // presence and type
        row("version = 1", "§versoin = 1", "unknown key `versoin` in the policy"),
        row(
            "logins = [\"readonly\"]",
            "logins = [\"readonly\"]\n§login = \"x\"",
            "unknown key `login` in [target.payments-db.role.read-only]",
        ),
        row("threshold = 2", "§treshold = 2", "unknown key `treshold` in [root]"),
        row("version = 1", "§", "the policy lacks `version`"),
        row("[member.bob]\nemail = \"bob@acme.example\"", "[member.§bob]", "[member.bob] lacks `email`"),
        row("{ group = \"sre\", count = 1 }", "§{ group = \"sre\" }", "lacks `count`"),
        row("threshold = 2", "threshold = §\"2\"", "`threshold` is a string"),
        row("mints = [\"prod\"]", "mints = §\"prod\"", "`mints` is a string"),
        row("mints = [\"prod\"]", "mints = [§1]", "`mints` is an integer"),
        row("least_privilege = true", "least_privilege = §1", "`least_privilege` is an integer"),
        row("[lock]\ngroups = [\"security\"]", "§lock = 1", "`lock`"),
        row("groups = [\"sre\"]", "groups = [\"sre\", §\"sre\"]", "the same again"),
        // numbers, spans, text, names
        row("version = 1", "version = §0", "0 is out of range"),
        row("version = 1", "version = §-1", "-1 is out of range"),
        row("threshold = 2", "threshold = §0", "0 is out of range"),
        row("{ group = \"sre\", count = 1 }", "{ group = \"sre\", count = §0 }", "0 is out of range"),
        row("{ group = \"sre\", count = 1 }", "{ group = \"sre\", count = §65 }", "65 is out of range"),
        row("clock_skew = \"2m\"", "clock_skew = §\"11m\"", "11m is too long"),
        row("clock_skew = \"2m\"", "clock_skew = §\"0s\"", "`0s` is not a duration"),
        row("staleness = \"10m\"", "staleness = §\"1d\"", "`1d` is not a duration"),
        row("max_duration = \"2h\"", "max_duration = §\"25h\"", "25h is too long"),
        row("max_duration = \"15m\"", "max_duration = §\"1441m\"", "1441m is too long"),
        row("name = \"acme/production\"", "name = §\"...\"", "the text says nothing"),
        row("name = \"acme/production\"", "name = §\"a\\nb\"", "the text holds a control character"),
        row("PostgreSQL of", "PostgreSQL §\u{202e}of", "bidirectional"),
        row("description = \"PostgreSQL", "description = §\"\\u202EPostgreSQL", "bidirectional"),
        row("[member.bob]", "[member.§Bob]", "`Bob` is not a name"),
        row("requesters = [\"developers\"]", "requesters = [§\"Dev ops\"]", "`Dev ops` does not do"),
        row("data = [\"npi\"]", "data = [§\"NPI\"]", "`NPI` does not do"),
        // people, mail, keys
        row("\"bob@acme.example\"", "§\"bob\"", "the e-mail address"),
        row("\"bob@acme.example\"", "§\"Bob <bob@acme.example>\"", "the e-mail address"),
        row("\"bob@acme.example\"", "§\"bob@acme@example\"", "the e-mail address"),
        row("\"bob@acme.example\"", "§\"bob@acme.example.\"", "the e-mail address"),
        row("\"bob@acme.example\"", "§\"bob@acme.example\\u0000\"", "the text holds a control character"),
        row("[service.minter]", "[service.§alice]", "the name `alice` is used twice"),
        row("[host.db1]", "[host.§minter]", "the name `minter` is used twice"),
        row(rita, "keys = §[]", "the list is empty"),
        row(
            rita,
            format!("keys = §[{}]", (100..117).map(|s| format!("\"{}\"", key(s))).collect::<Vec<_>>().join(", ")),
            "too many keys",
        ),
        row(rita, format!("keys = [§\"{} rita@laptop\"]", key(90)), "the key is malformed"),
        row(rita, "keys = [§\"ssh-rsa AAAAB3NzaC1yc2E=\"]", "key type ssh-rsa is not allowed"),
        row(rita, format!("keys = [§\"{}\"]", WEAK), "the key is weak"),
        row(rita, format!("keys = [§\"{}\"]", hardware_key(91, "ssh:work")), "for the application `ssh:work`"),
        row(rita, format!("keys = [§\"{dave}\"]"), "one key with two owners: member dave and member rita"),
        row(
            rita,
            format!("keys = [§\"{}\"]", same_point_hardware("dave")),
            "one key with two owners: member dave and member rita",
        ),
        row(log, format!("[log]\nkey = §\"{dave}\""), "one key with two owners: member dave and the log"),
        row(log, format!("[log]\nkey = §\"{}\"", hardware_key(92, "ssh:")), "a hardware key cannot be used here"),
        // witnesses
        row(log, format!("§{log}\n[[log.witness]]\nname = \"w\"\nkey = \"{}\"", key(71)), "lacks `quorum`"),
        row(log, format!("{log}\nquorum = §1"), "the quorum is 1 and the log has 0 witnesses"),
        row(log, format!("{log}\nquorum = §2\n{}", witness("w", 71)), "the quorum is 2 and the log has 1 witnesses"),
        row(log, format!("{log}\nquorum = §-1\n{}", witness("w", 71)), "-1 is out of range"),
        row(log, format!("{log}\nfreshest = §\"1h\""), "`freshest` without a quorum"),
        row(log, format!("{log}\nquorum = 0\nfreshest = §\"1h\"\n{}", witness("w", 71)), "`freshest` without a quorum"),
        row(log, format!("{log}\nquorum = 1\nfreshest = §\"1d\"\n{}", witness("w", 71)), "`1d` is not a duration"),
        row(
            log,
            format!("{log}\nquorum = 1\n{}", witness("§w w", 71)).replace("\"§", "§\""),
            "the name of the witness does not do",
        ),
        row(
            log,
            format!("{log}\nquorum = 1\n{}", witness("§w+", 71)).replace("\"§", "§\""),
            "the name of the witness does not do",
        ),
        row(
            log,
            format!("{log}\nquorum = 1\n{}\n{}", witness("w", 71), witness("§w", 72)).replace("\"§", "§\""),
            "two witnesses are named `w`",
        ),
        row(
            log,
            format!("{log}\nquorum = 1\n[[log.witness]]\nname = \"w\"\nkey = §\"{dave}\""),
            "one key with two owners: member dave and the witness w",
        ),
        row(
            log,
            format!("{log}\nquorum = 1\n[[log.witness]]\nname = \"w\"\nkey = §\"{}\"", hardware_key(92, "ssh:")),
            "a hardware key cannot be used here",
        ),
        row(ca, format!("ca = §\"{}\"", sample_key("log")), "one key with two owners: the log and the CA of prod"),
        row(ca, format!("ca = §\"{}\"", hardware_key(93, "ssh:")), "a hardware key cannot be used here"),
        row(
            "[target.payments-db]",
            format!("[environment.test]\nca = §\"{}\"\n\n[target.payments-db]", sample_key("ca-prod")),
            "one key with two owners: the CA of prod and the CA of test",
        ),
        row(
            recorder,
            format!("key = §\"{dave}\"\n\n[target"),
            "one key with two owners: member dave and a recorder of prod",
        ),
        row(
            recorder,
            format!("key = \"{0}\"\n[[environment.prod.recorder]]\nkey = \"{0}\"\nx§ = 1\n\n[target", key(94))
                .replace("x§", "§x"),
            "unknown key `x`",
        ),
        // root
        row("threshold = 2", "threshold = §3", "the threshold is 3 and the root has 2 members"),
        row("members = [\"rita\", \"raj\"]", "members = §[]", "the list is empty"),
        row("members = [\"rita\", \"raj\"]", "members = [\"rita\", \"raj\", §\"rita\"]", "the same again"),
        row(
            "members = [\"rita\", \"raj\"]",
            "members = [\"rita\", \"raj\", §\"minter\"]",
            "root member `minter` is no member",
        ),
        row(
            "members = [\"rita\", \"raj\"]",
            "members = [\"rita\", \"raj\", §\"zoe\"]",
            "root member `zoe` is no member",
        ),
        // references
        row("mints = [\"prod\"]", "mints = [\"prod\", §\"test\"]", "environment `test` is unknown"),
        row("targets = [\"payments-db\"]", "targets = [§\"orders-db\"]", "target `orders-db` is unknown"),
        row("environment = \"prod\"", "environment = §\"test\"", "environment `test` is unknown"),
        row(
            "requesters = [\"developers\"]",
            "requesters = [\"developers\", §\"interns\"]",
            "group `interns` is unknown",
        ),
        row("{ group = \"sre\", count = 1 }", "{ group = §\"ops\", count = 1 }", "group `ops` is unknown"),
        row(
            "review = { group = \"security\", count = 1",
            "review = { group = §\"audit\", count = 1",
            "group `audit` is unknown",
        ),
        row("emergency = { group = \"on-call\"", "emergency = { group = §\"duty\"", "group `duty` is unknown"),
        row(
            "review = { group = \"security\", count = 2",
            "review = { group = §\"audit\", count = 2",
            "group `audit` is unknown",
        ),
        row("groups = [\"security\", \"sre\"]", "groups = [\"security\", §\"audit\"]", "group `audit` is unknown"),
        row("[lock]\ngroups = [\"security\"]", "[lock]\ngroups = [§\"audit\"]", "group `audit` is unknown"),
        // a role's own values
        row("logins = [\"readonly\"]", "logins = §[]", "the list is empty"),
        row("logins = [\"readonly\"]", "logins = [§\"Read\"]", "`Read` is not a login"),
        row("logins = [\"readonly\"]", "logins = [§\"1st\"]", "`1st` is not a login"),
        row("logins = [\"readonly\"]", "logins = [§\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]", "is not a login"),
        row("requesters = [\"developers\"]", "requesters = §[]", "the list is empty"),
        row(approve, "approve = §[]", "the list is empty"),
        row(
            approve,
            format!(
                "approve = §[{}]",
                (1..10).map(|n| format!("{{ group = \"sre\", count = {n} }}")).collect::<Vec<_>>().join(", ")
            ),
            "too many parts",
        ),
        row("ticket = \"^(INC|CHG)-[0-9]+$\"", "ticket = §\"^(INC\"", "the ticket pattern does not compile"),
        row("mfa = \"none\"", "mfa = §\"yes\"", "`yes` does not do"),
        row("record = \"required\"", "record = §\"on\"", "`on` does not do"),
        row("\"127.0.0.0/8\"", "§\"127.0.0.1/8\"", "not the network's plain spelling"),
        row("\"127.0.0.0/8\"", "§\"2001:DB8::/32\"", "not the network's plain spelling"),
        row("\"127.0.0.0/8\"", "§\"127.0.0.1\"", "`127.0.0.1` is not a network"),
        row("\"permit-pty\"", "§\"no-touch-required\"", "`no-touch-required` is no extension that we allow"),
        row("\"permit-pty\"", "\"permit-pty\", §\"permit-pty\"", "the same again"),
        row("\"permit-pty\"", "§\"permit-everything\"", "is no extension"),
        row("\"no open data streams\"", "§\"no lingering changes\"", "the same again"),
        row("\"no open data streams\"", "§\"-\"", "the text says nothing"),
        row("checks = [\"no lingering changes\", \"no open data streams\"]", "checks = §[]", "the list is empty"),
        // a target's offline and probes
        row("offline = \"deny\"", "offline = §\"allow\"", "`allow` does not do"),
        row("offline = \"deny\"", "offline = §true", "`offline` is a boolean"),
        row("offline = \"deny\"", "§ofline = \"deny\"", "unknown key `ofline` in [target.payments-db]"),
        row(PROBE, "[target.other]\nenvironment = \"prod\"\nprobe = §\"/bin/true\"", "`probe` is a string"),
        row(PROBE, "[target.other]\nenvironment = \"prod\"\nprobe = §[]", "the list is empty"),
        row(PROBE, "§[[target.payments-db.probe]]\nbuiltin = \"jobs\"", "[target.payments-db.probe.0] lacks `name`"),
        row(PROBE, probe("name = §\"…\"\nbuiltin = \"jobs\""), "the text says nothing"),
        row(PROBE, probe("name = §\"a\\nb\"\nbuiltin = \"jobs\""), "the text holds a control character"),
        row(PROBE, probe(&format!("name = §\"{}\"\nbuiltin = \"jobs\"", "é".repeat(101))), "the name is too long"),
        row(PROBE, probe("builtin = \"jobs\"\nname = §\"processes\""), "`processes` is the name of the host's own"),
        row(PROBE, probe("name = §\"jobs\"\ncommand = [\"/bin/true\"]"), "`jobs` is the name of the host's own"),
        row(
            PROBE,
            probes(["name = \"a1\"\nbuiltin = \"jobs\"", "builtin = \"processes\"\nname = §\"a1\""]),
            "two probes",
        ),
        row(
            PROBE,
            probes(["name = \"a1\"\nbuiltin = \"jobs\"", "name = \"b2\"\nbuiltin = §\"jobs\""]),
            "the same again",
        ),
        row(PROBE, "§[[target.payments-db.probe]]\nname = \"a1\"", "has neither `builtin` nor `command`"),
        row(
            PROBE,
            probe("name = \"a1\"\nbuiltin = \"jobs\"\ncommand = §[\"/bin/true\"]"),
            "a `builtin` or a `command`",
        ),
        row(PROBE, probe("name = \"a1\"\nbuiltin = §\"cron\""), "`cron` does not do"),
        row(PROBE, probe("name = \"a1\"\nbuiltin = \"jobs\"\n§shell = true"), "unknown key `shell`"),
        row(PROBE, probe("name = \"a1\"\nbuiltin = \"jobs\"\nclear = §\"empty\""), "`clear` belongs to a `command`"),
        row(PROBE, probe("name = \"a1\"\nbuiltin = \"jobs\"\nrun_as = §\"bob\""), "`run_as` belongs to a `command`"),
        row(PROBE, probe("name = \"a1\"\nbuiltin = \"jobs\"\npaths = §[\"/etc\"]"), "`paths` belongs to `builtin"),
        row(PROBE, probe("name = \"a1\"\ncommand = [\"/a\"]\npaths = §[\"/etc\"]"), "`paths` belongs to `builtin"),
        row(PROBE, "§[[target.payments-db.probe]]\nname = \"a1\"\nbuiltin = \"files\"", "lacks `paths`"),
        row(PROBE, probe("name = \"a1\"\nbuiltin = \"files\"\npaths = §[]"), "the list is empty"),
        row(
            PROBE,
            probe(&format!("name = \"a1\"\nbuiltin = \"files\"\npaths = §[{}]", many(33))),
            "the list is too long",
        ),
        row(PROBE, probe("name = \"a1\"\nbuiltin = \"files\"\npaths = [\"/etc\", §\"/etc\"]"), "the same again"),
        row(PROBE, probe("name = \"a1\"\nbuiltin = \"files\"\npaths = [§\"etc\"]"), "`etc` does not do"),
        row(PROBE, probe("name = \"a1\"\nbuiltin = \"files\"\npaths = [§\"/etc/\"]"), "`/etc/` does not do"),
        row(PROBE, probe("name = \"a1\"\nbuiltin = \"files\"\npaths = [§\"/a//b\"]"), "`/a//b` does not do"),
        row(PROBE, probe("name = \"a1\"\nbuiltin = \"files\"\npaths = [§\"/a/../b\"]"), "`/a/../b` does not do"),
        row(PROBE, probe("name = \"a1\"\ncommand = §\"/bin/true\""), "`command` is a string"),
        row(PROBE, probe("name = \"a1\"\ncommand = §[]"), "the list is empty"),
        row(PROBE, probe("name = \"a1\"\ncommand = [§\"true\"]"), "the program's path is not absolute"),
        row(PROBE, probe("name = \"a1\"\ncommand = [\"/a\", §1]"), "`command` is an integer"),
        row(PROBE, probe("name = \"a1\"\ncommand = [\"/a\", §\"b\\u0000\"]"), "the text holds a control character"),
        row(
            PROBE,
            probe(&format!("name = \"a1\"\ncommand = [\"/a\", §\"{}\"]", "x".repeat(1025))),
            "the text is too long",
        ),
        row(PROBE, probe(&format!("name = \"a1\"\ncommand = §[{}]", many(33))), "the list is too long"),
        row(PROBE, probe("name = \"a1\"\ncommand = [\"/a\"]\nclear = §\"0\""), "`0` does not do"),
        row(PROBE, probe("name = \"a1\"\ncommand = [\"/a\"]\nrun_as = §\"Bob\""), "`Bob` is not a login"),
        row(PROBE, probe("name = \"a1\"\ncommand = [\"/a\"]\ntimeout = §\"301s\""), "301s is too long"),
        row(PROBE, probe("name = \"a1\"\ncommand = [\"/a\"]\ntimeout = §\"0s\""), "`0s` is not a duration"),
        row(
            PROBE,
            format!(
                "[target.other]\nenvironment = \"prod\"\nprobe = §[{}]",
                (0..33).map(|n| format!("{{name='p{n}',command=['/a']}}")).collect::<Vec<_>>().join(",")
            ),
            "the list is too long",
        ),
        // quorums that nobody can reach
        row(
            approve,
            approve.replace("\"sre\", count = 1", "\"sre\", count = 3").replace("approve = ", "approve = §"),
            "nobody can reach this quorum",
        ),
        row(approve, "approve = §[{ group = \"on-call\", count = 1 }]", "nobody can reach this quorum"),
        row(
            review,
            review.replace("count = 1", "count = 2").replace("review = ", "review = §"),
            "nobody is left to review",
        ),
        row(
            emergency,
            emergency.replace("count = 2", "count = 3").replace("review = ", "review = §"),
            "nobody can reach this emergency review",
        ),
    ]
}

fn witness(name: &str, seed: u8) -> String {
    format!("[[log.witness]]\nname = \"{name}\"\nkey = \"{}\"", key(seed))
}

/// The sample's probe.
const PROBE: &str = "[[target.payments-db.probe]]\nname = \"no open data streams\"\nbuiltin = \"connections\"";

fn probe(fields: &str) -> String {
    format!("[[target.payments-db.probe]]\n{fields}")
}

fn probes(each: [&str; 2]) -> String {
    each.map(probe).join("\n")
}

/// So many different absolute paths.
fn many(count: usize) -> String {
    (0..count).map(|n| format!("\"/p{n}\"")).collect::<Vec<_>>().join(", ")
}
