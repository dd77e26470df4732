//! What changes between two policies, told in terms of people and access: one row a change, edited as a person would edit
//! the file. `{N}` is key N, `{fN}` its fingerprint.

use jit::domain::policy::Policy;
use jit::domain::policy::diff::{Weight, diff};

use super::{hardware_key, key};

const BASE: &str = r#"version = 1
name = "acme/production"
clock_skew = "2m"
decide_within = "8h"
activate_within = "1h"
staleness = "10m"
[root]
threshold = 2
members = ["raj", "rita"]
[member.alice]
email = "alice@acme.example"
groups = ["developers", "on-call"]
keys = ["{1}"]
[member.bob]
email = "bob@acme.example"
groups = ["sre"]
keys = ["{2}"]
[member.carol]
email = "carol@acme.example"
groups = ["sre"]
keys = ["{3}"]
[member.dave]
email = "dave@acme.example"
groups = ["security"]
keys = ["{4}"]
[member.raj]
email = "raj@acme.example"
groups = ["security"]
keys = ["{5}"]
[member.rita]
email = "rita@acme.example"
groups = ["security"]
keys = ["{6}"]
[service.minter]
email = "minter@acme.example"
keys = ["{7}"]
mints = ["prod"]
[host.db1]
email = "db1@acme.example"
keys = ["{8}"]
targets = ["payments-db"]
[log]
key = "{9}"
[environment.prod]
ca = "{10}"
[[environment.prod.recorder]]
key = "{11}"
[environment.staging]
ca = "{12}"
[target.payments-db]
environment = "prod"
description = "PostgreSQL"
data = ["npi"]
[[target.payments-db.probe]]
name = "jobs"
builtin = "jobs"
[target.payments-db.role.operator]
logins = ["operator"]
requesters = ["developers"]
approve = [{ group = "sre", count = 1 }, { group = "security", count = 1 }]
max_duration = "30m"
ticket = "^INC-[0-9]+$"
least_privilege = true
mfa = "touch"
source_address = ["10.0.0.0/8"]
extensions = ["permit-pty"]
record = "required"
review = { group = "security", count = 1, within = "24h", checks = ["no lingering changes"] }
emergency = { group = "on-call", max_duration = "15m", review = { group = "security", count = 1, within = "12h" } }
[target.web]
environment = "prod"
[target.web.role.admin]
logins = ["root"]
requesters = ["sre"]
approve = [{ group = "security", count = 1 }]
max_duration = "1h"
[revoke]
groups = ["security"]
[lock]
groups = ["security"]
"#;

fn filled(text: &str) -> String {
    (1..=20).fold(text.replace("{sk}", &hardware_key(30, "ssh:")), |text, seed: u8| {
        text.replace(&format!("{{{seed}}}"), &key(seed).to_string())
            .replace(&format!("{{f{seed}}}"), &key(seed).fingerprint())
    })
}

fn policy(text: &str) -> Policy {
    Policy::parse(filled(text).as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn told(old: &Policy, new: &Policy) -> Vec<String> {
    diff(old, new).iter().map(|change| format!("{} {}: {}", change.weight, change.of, change.says)).collect()
}

/// The text edited, what is said of it, and what is said of taking the edit back.
type Row = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const ROWS: &[Row] = &[
    // nothing of access
    ("name = \"acme/production\"\n", "# A comment.\nname = \"acme/production\"\n", &[], &[]),
    ("[\"raj\", \"rita\"]", "[\"rita\", \"raj\"]", &[], &[]),
    ("version = 1", "version = 2", &[], &[]),
    (
        "\"acme/production\"",
        "\"acme/prod\"",
        &["other the policy: its name is \"acme/prod\" instead of \"acme/production\""],
        &["other the policy: its name is \"acme/production\" instead of \"acme/prod\""],
    ),
    (
        "bob@acme.example",
        "bob@acme2.example",
        &["other member bob: the e-mail is \"bob@acme2.example\" instead of \"bob@acme.example\""],
        &["other member bob: the e-mail is \"bob@acme.example\" instead of \"bob@acme2.example\""],
    ),
    // times
    (
        "clock_skew = \"2m\"",
        "clock_skew = \"3m\"",
        &["weaker the policy: clocks may differ by 3m instead of 2m"],
        &["stronger the policy: clocks may differ by 2m instead of 3m"],
    ),
    (
        "decide_within = \"8h\"",
        "decide_within = \"9h\"",
        &["weaker the policy: a request may be decided within 9h instead of 8h"],
        &["stronger the policy: a request may be decided within 8h instead of 9h"],
    ),
    (
        "activate_within = \"1h\"",
        "activate_within = \"2h\"",
        &["weaker the policy: an approval may be used within 2h instead of 1h"],
        &["stronger the policy: an approval may be used within 1h instead of 2h"],
    ),
    (
        "staleness = \"10m\"",
        "staleness = \"1h\"",
        &["weaker the policy: a host may go without news for 1h instead of 10m"],
        &["stronger the policy: a host may go without news for 10m instead of 1h"],
    ),
    (
        "staleness = \"10m\"",
        "staleness = \"10m\"\nappend = \"inbox\"",
        &["other the policy: events get onto the branch by append = \"inbox\" instead of \"direct\""],
        &["other the policy: events get onto the branch by append = \"direct\" instead of \"inbox\""],
    ),
    ("staleness = \"10m\"", "staleness = \"10m\"\nappend = \"direct\"", &[], &[]),
    // root
    (
        "threshold = 2",
        "threshold = 1",
        &["weaker root: 1 of 2 must agree to a change, not 2"],
        &["stronger root: 2 of 2 must agree to a change, not 1"],
    ),
    (
        "[\"raj\", \"rita\"]",
        "[\"raj\", \"rita\", \"dave\"]",
        &["weaker root: dave joins those who change the policy"],
        &["stronger root: dave no longer changes the policy"],
    ),
    // keys
    (
        "keys = [\"{2}\"]",
        "keys = [\"{13}\"]",
        &["weaker member bob: gains the key {f13}", "stronger member bob: loses the key {f2}"],
        &["weaker member bob: gains the key {f2}", "stronger member bob: loses the key {f13}"],
    ),
    (
        "[log]\nkey = \"{9}\"\n",
        "[log]\nkey = \"{9}\"\nquorum = 1\nfreshest = \"1h\"\n[[log.witness]]\nname = \"w\"\nkey = \"{14}\"\n",
        &[
            "weaker the log: w ({f14}) may witness it",
            "stronger the log: 1 of its 1 witnesses must have cosigned, not 0 of 0",
            "stronger the log: cosignatures may be 1h old at most",
        ],
        &[
            "weaker the log: 0 of its 0 witnesses must have cosigned, not 1 of 1",
            "weaker the log: cosignatures may be of any age, not 1h at most",
            "other the log: w ({f14}) no longer witnesses it",
        ],
    ),
    (
        "[log]\nkey = \"{9}\"\n",
        "[log]\nkey = \"{13}\"\n",
        &["weaker the log: its checkpoints are signed by {f13} instead of {f9}"],
        &["weaker the log: its checkpoints are signed by {f9} instead of {f13}"],
    ),
    (
        "ca = \"{10}\"",
        "ca = \"{13}\"",
        &["weaker environment prod: another CA opens its servers: {f13} instead of {f10}"],
        &["weaker environment prod: another CA opens its servers: {f10} instead of {f13}"],
    ),
    (
        "[environment.staging]",
        "[[environment.prod.recorder]]\nkey = \"{13}\"\n[environment.staging]",
        &["weaker environment prod: {f13} can read recordings"],
        &["other environment prod: {f13} cannot read new recordings any more"],
    ),
    (
        "[environment.staging]\nca = \"{12}\"\n",
        "",
        &["stronger environment staging: is gone"],
        &["other environment staging: is new, its CA is {f12}"],
    ),
    // people
    (
        "groups = [\"developers\", \"on-call\"]",
        "groups = [\"developers\", \"on-call\", \"sre\"]",
        &["weaker member alice: gains the group sre (approves payments-db/operator; asks for web/admin)"],
        &["stronger member alice: loses the group sre (approves payments-db/operator; asks for web/admin)"],
    ),
    (
        "[member.carol]\nemail = \"carol@acme.example\"\ngroups = [\"sre\"]\nkeys = [\"{3}\"]\n",
        "",
        &["stronger member carol: is gone, in sre (approves payments-db/operator; asks for web/admin)"],
        &["weaker member carol: is new, in sre (approves payments-db/operator; asks for web/admin); signs with {f3}"],
    ),
    (
        "mints = [\"prod\"]",
        "mints = [\"prod\", \"staging\"]",
        &["weaker service minter: mints for staging"],
        &["stronger service minter: no longer mints for staging"],
    ),
    (
        "targets = [\"payments-db\"]",
        "targets = [\"payments-db\", \"web\"]",
        &["weaker host db1: serves web"],
        &["stronger host db1: no longer serves web"],
    ),
    (
        "groups = [\"developers\", \"on-call\"]",
        "groups = [\"developers\", \"on-call\", \"security\", \"interns\"]",
        &[
            "weaker member alice: gains the group interns",
            "weaker member alice: gains the group security (approves payments-db/operator, web/admin; reviews payments-db/operator; revokes; locks)",
        ],
        &[
            "stronger member alice: loses the group interns",
            "stronger member alice: loses the group security (approves payments-db/operator, web/admin; reviews payments-db/operator; revokes; locks)",
        ],
    ),
    (
        "[member.carol]\nemail = \"carol@acme.example\"\ngroups = [\"sre\"]",
        "[member.carol]\nemail = \"carol@acme.example\"\ngroups = [\"on-call\"]",
        &[
            "weaker member carol: gains the group on-call (opens emergencies on payments-db/operator)",
            "stronger member carol: loses the group sre (approves payments-db/operator; asks for web/admin)",
        ],
        &[
            "weaker member carol: gains the group sre (approves payments-db/operator; asks for web/admin)",
            "stronger member carol: loses the group on-call (opens emergencies on payments-db/operator)",
        ],
    ),
    (
        "[member.carol]\nemail = \"carol@acme.example\"\ngroups = [\"sre\"]",
        "[service.carol]\nemail = \"carol@acme.example\"\nmints = [\"prod\", \"staging\"]",
        &["weaker service carol: was a member; mints for prod, staging"],
        &["weaker member carol: was a service; in sre (approves payments-db/operator; asks for web/admin)"],
    ),
    (
        "[member.carol]\nemail = \"carol@acme.example\"\ngroups = [\"sre\"]",
        "[host.carol]\nemail = \"carol@acme.example\"\ntargets = []",
        &["weaker host carol: was a member; serves nothing"],
        &["weaker member carol: was a host; in sre (approves payments-db/operator; asks for web/admin)"],
    ),
    (
        "[service.minter]",
        "[member.zed]\nemail = \"zed@acme.example\"\ngroups = []\nkeys = [\"{15}\", \"{16}\"]\n[service.minter]",
        &["weaker member zed: is new, in no group; signs with {f15}, {f16}"],
        &["stronger member zed: is gone, in no group"],
    ),
    (
        "[service.minter]\nemail = \"minter@acme.example\"\nkeys = [\"{7}\"]\nmints = [\"prod\"]\n",
        "",
        &["stronger service minter: is gone, mints for prod"],
        &["weaker service minter: is new, mints for prod; signs with {f7}"],
    ),
    (
        "[host.db1]\nemail = \"db1@acme.example\"\nkeys = [\"{8}\"]\ntargets = [\"payments-db\"]\n",
        "",
        &["stronger host db1: is gone, serves payments-db"],
        &["weaker host db1: is new, serves payments-db; signs with {f8}"],
    ),
    // the log
    (
        "[log]\nkey = \"{9}\"\n",
        "",
        &["weaker the log: its checkpoints are signed by none instead of {f9}"],
        &["weaker the log: its checkpoints are signed by {f9} instead of none"],
    ),
    // targets
    (
        "[target.web]\nenvironment = \"prod\"\n[target.web.role.admin]\nlogins = [\"root\"]\nrequesters = [\"sre\"]\napprove = [{ group = \"security\", count = 1 }]\nmax_duration = \"1h\"\n",
        "",
        &["stronger target web: is gone, with all its roles"],
        &[
            "weaker web/admin: is new: sre (bob, carol) may ask for login root for up to 1h, approved by 1 of security",
            "other target web: is new, in prod",
        ],
    ),
    (
        "[[target.payments-db.probe]]\nname = \"jobs\"\nbuiltin = \"jobs\"\n",
        "[[target.payments-db.probe]]\nname = \"left\"\ncommand = [\"/bin/slots\"]\n[[target.payments-db.probe]]\nname = \"jobs\"\nbuiltin = \"jobs\"\n",
        &[
            "stronger target payments-db: looks at \"left\" after each session: [\"/bin/slots\"], clear when it says nothing",
        ],
        &["weaker target payments-db: no longer looks at \"left\" after a session"],
    ),
    (
        "name = \"jobs\"\nbuiltin = \"jobs\"",
        "name = \"jobs\"\nbuiltin = \"jobs\"\ntimeout = \"5s\"",
        &[
            "weaker target payments-db: looks at \"jobs\" in another way: cron and at jobs of the login instead of cron and at jobs of the login",
        ],
        &[
            "weaker target payments-db: looks at \"jobs\" in another way: cron and at jobs of the login instead of cron and at jobs of the login",
        ],
    ),
    (
        "[target.payments-db]\nenvironment = \"prod\"",
        "[target.payments-db]\nenvironment = \"staging\"",
        &["weaker target payments-db: moves from the environment prod to staging: another CA opens it"],
        &["weaker target payments-db: moves from the environment staging to prod: another CA opens it"],
    ),
    (
        "description = \"PostgreSQL\"",
        "description = \"MariaDB\"",
        &["other target payments-db: the description is \"MariaDB\" instead of \"PostgreSQL\""],
        &["other target payments-db: the description is \"PostgreSQL\" instead of \"MariaDB\""],
    ),
    (
        "data = [\"npi\"]",
        "data = []",
        &["weaker target payments-db: is no longer said to hold data of the class npi"],
        &["stronger target payments-db: holds data of the class npi"],
    ),
    (
        "data = [\"npi\"]",
        "data = [\"npi\"]\noffline = \"spool\"",
        &["weaker target payments-db: lets people in while the ledger cannot be reached"],
        &["stronger target payments-db: refuses people while the ledger cannot be reached"],
    ),
    (
        "[[target.payments-db.probe]]\nname = \"jobs\"\nbuiltin = \"jobs\"\n",
        "",
        &["weaker target payments-db: no longer looks at \"jobs\" after a session"],
        &["stronger target payments-db: looks at \"jobs\" after each session: cron and at jobs of the login"],
    ),
    (
        "[target.web.role.admin]",
        "[target.web.role.reader]\nlogins = [\"www\"]\nrequesters = [\"developers\"]\napprove = [{ group = \"sre\", count = 1 }]\nmax_duration = \"1h\"\n[target.web.role.admin]",
        &["weaker web/reader: is new: developers (alice) may ask for login www for up to 1h, approved by 1 of sre"],
        &["stronger web/reader: is gone: nobody gets in by it"],
    ),
    // roles
    (
        "logins = [\"operator\"]",
        "logins = [\"operator\", \"root\"]",
        &["weaker payments-db/operator: opens the login root"],
        &["stronger payments-db/operator: no longer opens the login root"],
    ),
    (
        "requesters = [\"developers\"]",
        "requesters = [\"developers\", \"sre\"]",
        &["weaker payments-db/operator: sre may ask for it (bob, carol)"],
        &["stronger payments-db/operator: sre may no longer ask for it (bob, carol)"],
    ),
    (
        "approve = [{ group = \"sre\", count = 1 }, { group = \"security\", count = 1 }]",
        "approve = [{ group = \"security\", count = 2 }]",
        &["weaker payments-db/operator: approved by 2 of security instead of 1 of sre and 1 of security"],
        &["weaker payments-db/operator: approved by 1 of sre and 1 of security instead of 2 of security"],
    ),
    (
        "approve = [{ group = \"sre\", count = 1 }, ",
        "approve = [{ group = \"sre\", count = 2 }, ",
        &[
            "stronger payments-db/operator: approved by 2 of sre and 1 of security instead of 1 of sre and 1 of security",
        ],
        &["weaker payments-db/operator: approved by 1 of sre and 1 of security instead of 2 of sre and 1 of security"],
    ),
    (
        "max_duration = \"30m\"",
        "max_duration = \"2h\"",
        &["weaker payments-db/operator: lasts up to 2h instead of 30m"],
        &["stronger payments-db/operator: lasts up to 30m instead of 2h"],
    ),
    (
        "ticket = \"^INC-[0-9]+$\"\n",
        "",
        &["weaker payments-db/operator: no ticket is demanded (was ^INC-[0-9]+$)"],
        &["stronger payments-db/operator: a ticket like ^INC-[0-9]+$ is demanded"],
    ),
    (
        "ticket = \"^INC-[0-9]+$\"\n",
        "ticket = \".*\"\n",
        &["weaker payments-db/operator: a ticket is like .* instead of ^INC-[0-9]+$"],
        &["weaker payments-db/operator: a ticket is like ^INC-[0-9]+$ instead of .*"],
    ),
    (
        "least_privilege = true\n",
        "",
        &["weaker payments-db/operator: nobody has to say why a smaller role does not do"],
        &["stronger payments-db/operator: a request says why a smaller role does not do"],
    ),
    (
        "mfa = \"touch\"",
        "mfa = \"none\"",
        &["weaker payments-db/operator: signatures prove none instead of touch"],
        &["stronger payments-db/operator: signatures prove touch instead of none"],
    ),
    (
        "source_address = [\"10.0.0.0/8\"]\n",
        "",
        &["weaker payments-db/operator: a login comes from anywhere instead of 10.0.0.0/8"],
        &["stronger payments-db/operator: a login comes from 10.0.0.0/8 instead of anywhere"],
    ),
    (
        "source_address = [\"10.0.0.0/8\"]",
        "source_address = [\"10.1.0.0/16\"]",
        &["stronger payments-db/operator: a login comes from 10.1.0.0/16 instead of 10.0.0.0/8"],
        &["weaker payments-db/operator: a login comes from 10.0.0.0/8 instead of 10.1.0.0/16"],
    ),
    (
        "extensions = [\"permit-pty\"]",
        "extensions = [\"permit-pty\", \"permit-port-forwarding\"]",
        &["weaker payments-db/operator: a credential has permit-port-forwarding"],
        &["stronger payments-db/operator: a credential no longer has permit-port-forwarding"],
    ),
    (
        "record = \"required\"",
        "record = \"off\"",
        &["weaker payments-db/operator: sessions need not be recorded"],
        &["stronger payments-db/operator: sessions must be recorded"],
    ),
    (
        "review = { group = \"security\", count = 1, within = \"24h\", checks = [\"no lingering changes\"] }\n",
        "",
        &["weaker payments-db/operator: no review afterwards (was 1 of security within 24h)"],
        &["stronger payments-db/operator: reviewed by 1 of security within 24h"],
    ),
    (
        "within = \"24h\"",
        "within = \"48h\"",
        &["weaker payments-db/operator: reviewed by 1 of security within 48h instead of 1 of security within 24h"],
        &["stronger payments-db/operator: reviewed by 1 of security within 24h instead of 1 of security within 48h"],
    ),
    (
        "checks = [\"no lingering changes\"]",
        "checks = [\"no lingering changes\", \"no open data streams\"]",
        &["stronger payments-db/operator: a review answers \"no open data streams\""],
        &["weaker payments-db/operator: a review no longer answers \"no open data streams\""],
    ),
    (
        "emergency = { group = \"on-call\", max_duration = \"15m\", review = { group = \"security\", count = 1, within = \"12h\" } }\n",
        "",
        &["stronger payments-db/operator: no emergency opens it any more"],
        &[
            "weaker payments-db/operator: without approval in an emergency: on-call (alice) for up to 15m, reviewed by 1 of security within 12h",
        ],
    ),
    (
        "review = { group = \"security\", count = 1, within = \"24h\"",
        "review = { group = \"security\", count = 2, within = \"24h\"",
        &["stronger payments-db/operator: reviewed by 2 of security within 24h instead of 1 of security within 24h"],
        &["weaker payments-db/operator: reviewed by 1 of security within 24h instead of 2 of security within 24h"],
    ),
    (
        "review = { group = \"security\", count = 1, within = \"24h\"",
        "review = { group = \"sre\", count = 1, within = \"24h\"",
        &["weaker payments-db/operator: reviewed by 1 of sre within 24h instead of 1 of security within 24h"],
        &["weaker payments-db/operator: reviewed by 1 of security within 24h instead of 1 of sre within 24h"],
    ),
    (
        "count = 1, within = \"12h\"",
        "count = 1, within = \"13h\"",
        &[
            "weaker payments-db/operator: an emergency is reviewed by 1 of security within 13h instead of 1 of security within 12h",
        ],
        &[
            "stronger payments-db/operator: an emergency is reviewed by 1 of security within 12h instead of 1 of security within 13h",
        ],
    ),
    (
        "review = { group = \"security\", count = 1, within = \"12h\"",
        "review = { group = \"sre\", count = 1, within = \"12h\"",
        &[
            "weaker payments-db/operator: an emergency is reviewed by 1 of sre within 12h instead of 1 of security within 12h",
        ],
        &[
            "weaker payments-db/operator: an emergency is reviewed by 1 of security within 12h instead of 1 of sre within 12h",
        ],
    ),
    (
        "max_duration = \"15m\"",
        "max_duration = \"1h\"",
        &["weaker payments-db/operator: an emergency lasts up to 1h instead of 15m"],
        &["stronger payments-db/operator: an emergency lasts up to 15m instead of 1h"],
    ),
    (
        "emergency = { group = \"on-call\"",
        "emergency = { group = \"sre\"",
        &["weaker payments-db/operator: sre (bob, carol) opens emergencies instead of on-call (alice)"],
        &["weaker payments-db/operator: on-call (alice) opens emergencies instead of sre (bob, carol)"],
    ),
    (
        "count = 1, within = \"12h\"",
        "count = 2, within = \"12h\"",
        &[
            "stronger payments-db/operator: an emergency is reviewed by 2 of security within 12h instead of 1 of security within 12h",
        ],
        &[
            "weaker payments-db/operator: an emergency is reviewed by 1 of security within 12h instead of 2 of security within 12h",
        ],
    ),
    // who can stop an access
    (
        "[revoke]\ngroups = [\"security\"]",
        "[revoke]\ngroups = []",
        &["weaker group security: may no longer revoke (dave, raj, rita)"],
        &["stronger group security: may revoke (dave, raj, rita)"],
    ),
    (
        "[lock]\ngroups = [\"security\"]",
        "[lock]\ngroups = [\"security\", \"sre\"]",
        &["stronger group sre: may lock (bob, carol)"],
        &["weaker group sre: may no longer lock (bob, carol)"],
    ),
];

#[test]
fn changes_are_told_in_terms_of_people_and_access() {
    let base = policy(BASE);
    assert_eq!(told(&base, &base), Vec::<String>::new());
    let mut seen = std::collections::BTreeSet::new();
    for (from, to, forth, back) in ROWS {
        assert!(BASE.contains(from), "{from:?} is not in the policy");
        assert!(seen.insert((from, to)), "{from:?} → {to:?} comes twice");
        let new = policy(&BASE.replacen(from, to, 1));
        let filled = |lines: &[&str]| lines.iter().map(|line| filled(line)).collect::<Vec<_>>();
        assert_eq!(told(&base, &new), filled(forth), "{from:?} → {to:?}");
        assert_eq!(told(&new, &base), filled(back), "{to:?} → {from:?}");
    }
}

/// Of policies that differ in more than one edit: where a group only reviews, where probes change places, what a new target
/// opens in an emergency, and witnesses.
#[test]
fn changes_that_take_two_edits_are_told_too() {
    let gains = |text: &str, group: &str| {
        let list = "groups = [\"developers\", \"on-call\"]";
        let more = text.replacen(list, &format!("groups = [\"developers\", \"on-call\", \"{group}\"]"), 1);
        told(&policy(text), &policy(&more))
    };
    let reviewed = BASE.replace(
        "review = { group = \"security\", count = 1, within = \"24h\"",
        "review = { group = \"sre\", count = 1, within = \"24h\"",
    );
    assert_eq!(
        gains(&reviewed, "sre"),
        [
            "weaker member alice: gains the group sre (approves payments-db/operator; asks for web/admin; reviews payments-db/operator)"
        ]
    );
    let reviewed = BASE.replace(
        "review = { group = \"security\", count = 1, within = \"12h\"",
        "review = { group = \"sre\", count = 1, within = \"12h\"",
    );
    assert_eq!(
        gains(&reviewed, "sre"),
        [
            "weaker member alice: gains the group sre (approves payments-db/operator; asks for web/admin; reviews payments-db/operator)"
        ]
    );

    let probe = |name: &str| format!("[[target.payments-db.probe]]\nname = \"{name}\"\nbuiltin = \"{name}\"\n");
    let (jobs, processes) = (probe("jobs"), probe("processes"));
    let old = policy(&BASE.replace(&jobs, &format!("{jobs}{processes}")));
    let new = policy(&BASE.replace(&jobs, &format!("{processes}{jobs}")));
    assert_eq!(told(&old, &new), ["other target payments-db: looks at things in another order after a session"]);

    let target = &BASE[BASE.find("[target.payments-db]").unwrap()..BASE.find("[target.web]").unwrap()];
    let without = policy(&BASE.replace(target, "").replace("targets = [\"payments-db\"]", "targets = []"));
    assert_eq!(
        told(&without, &policy(BASE)),
        [
            "weaker host db1: serves payments-db",
            "weaker payments-db/operator: is new: developers (alice) may ask for login operator for up to 30m, approved by 1 of sre and 1 of security",
            "weaker payments-db/operator: without approval in an emergency: on-call (alice) for up to 15m, reviewed by 1 of security within 12h",
            "other target payments-db: is new, in prod",
        ]
    );

    let log = |rest: &str| policy(&BASE.replace("[log]\nkey = \"{9}\"\n", &format!("[log]\nkey = \"{{9}}\"\n{rest}")));
    let witness = "[[log.witness]]\nname = \"w\"\nkey = \"{14}\"\n";
    let hour = log(&format!("quorum = 1\nfreshest = \"1h\"\n{witness}"));
    let day = log(&format!("quorum = 1\nfreshest = \"24h\"\n{witness}"));
    assert_eq!(told(&hour, &day), ["weaker the log: cosignatures may be as old as 24h instead of 1h"]);
    assert_eq!(told(&day, &hour), ["stronger the log: cosignatures may be as old as 1h instead of 24h"]);
}

#[test]
fn the_dangerous_comes_first() {
    let base = policy(BASE);
    let text = BASE
        .replace("mfa = \"touch\"", "mfa = \"touch+pin\"")
        .replace("description = \"PostgreSQL\"", "description = \"MariaDB\"")
        .replace("max_duration = \"30m\"", "max_duration = \"2h\"")
        .replace("keys = [\"{2}\"]", "keys = [\"{2}\", \"{sk}\"]")
        .replace("threshold = 2", "threshold = 1");
    let changes = diff(&base, &policy(&text));
    let told: Vec<(Weight, &str)> = changes.iter().map(|change| (change.weight, change.of.as_str())).collect();
    assert_eq!(
        told,
        [
            (Weight::Weaker, "root"),
            (Weight::Weaker, "member bob"),
            (Weight::Weaker, "payments-db/operator"),
            (Weight::Other, "target payments-db"),
            (Weight::Stronger, "payments-db/operator"),
        ]
    );
    assert!(changes[1].says.ends_with("(hardware key)"), "{}", changes[1].says);
}
