//! Bytes → `Policy`: each field's presence, type and own value (format.md, section 6). How fields relate to each other
//! is `sound`. Imports `domain::{id, key, text, time}` and the policy's types.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::str::FromStr;

use ipnet::IpNet;
use toml::de::DeTable;

use super::super::id::{Digest, Name};
use super::super::key::{KeyKind, PublicKey};
use super::super::text::{check_reason, is_bidi_control};
use super::super::time::Ttl;
use super::errors::{PolicyErrors, Report};
use super::tree::{Cell, Table};
use super::{
    Actor, Append, Class, EmergencyReview, EmergencyRule, Environment, GroupCount, Mfa, Offline, Pattern, Policy,
    Record, ReviewRule, Role, Root, Target,
};
use super::{log, probe};

/// C06: the files of a proposal are at most 1 MiB together.
const MOST_BYTES: usize = 1 << 20;
/// More people than anybody waits for; it also bounds the work of counting them.
const MOST_PEOPLE: u64 = 64;
/// How many groups a rule may name; it bounds the work of asking whether it can be met.
const MOST_PARTS: usize = 8;
/// "Access for minutes or hours": nothing is open for more than a day.
const LONGEST_ACCESS: u64 = 24 * 3600;
/// L04 tells order by clocks within this.
const LARGEST_SKEW: u64 = 600;
/// How many keys one actor may have.
const MOST_KEYS: usize = 16;
/// The extensions that sshd knows and that a certificate may carry. `no-touch-required` is not among them: it would
/// undo `mfa`.
const EXTENSIONS: [&str; 5] =
    ["permit-X11-forwarding", "permit-agent-forwarding", "permit-port-forwarding", "permit-pty", "permit-user-rc"];

const KEY: &str = "an OpenSSH public key without a comment: ssh-ed25519 or sk-ssh-ed25519@openssh.com";
const SOFTWARE_KEY: &str = "an ssh-ed25519 public key without a comment";
const NAME: &str = "a name: 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or digit";
const GROUPS: &str = "a list of groups, such as [\"sre\"]";
const SPAN: &str = "a duration such as \"90s\", \"30m\" or \"2h\"";

/// The text of the file: UTF-8, at most 1 MiB, no byte order mark, and no bidirectional controls even in comments, since
/// the root members sign what they have read.
pub(super) fn source(bytes: &[u8]) -> Result<&str, PolicyErrors> {
    let refuse = |text: &str, offset: usize, message: &str, expected: &str| {
        let mut report = Report::new(text);
        report.add(offset, message, Some(expected));
        Err(report.into_errors())
    };
    if bytes.len() > MOST_BYTES {
        return refuse("", 0, "the file is too large", "at most 1 MiB");
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let before = String::from_utf8_lossy(valid);
            return refuse(&before, before.len(), "the file is not UTF-8", "UTF-8");
        }
    };
    if text.starts_with('\u{feff}') {
        return refuse(text, 0, "the file begins with a byte order mark", "none");
    }
    if let Some((offset, _)) = text.char_indices().find(|(_, c)| is_bidi_control(*c)) {
        return refuse(text, offset, "a bidirectional control character hides what stands here", "plain text");
    }
    Ok(text)
}

/// The policy of `source`; `None` only where the report says why.
pub(super) fn policy(source: &str, digest: Digest, report: &mut Report<'_>) -> Option<Policy> {
    let (document, faults) = DeTable::parse_recoverable(source);
    if !faults.is_empty() {
        for fault in faults {
            let offset = fault.span().map_or(source.len(), |span| span.start);
            let (message, expected) = match fault.message().split_once(", expected ") {
                Some((message, expected)) => (message, Some(expected)),
                None => (fault.message(), None),
            };
            report.add(offset, format!("not TOML: {message}"), expected);
        }
        return None;
    }

    let mut table = Table::root(document.get_ref());
    let version = table.required(report, "version", |report, cell| cell.number(report, 1, u64::MAX));
    let name = table.required(report, "name", |report, cell| reason(report, &cell, "the ledger's name in one line"));
    let clock_skew = table.required(report, "clock_skew", |report, cell| span(report, &cell, Some(LARGEST_SKEW)));
    let decide_within = table.required(report, "decide_within", |report, cell| span(report, &cell, None));
    let activate_within = table.required(report, "activate_within", |report, cell| span(report, &cell, None));
    let staleness = table.required(report, "staleness", |report, cell| span(report, &cell, None));
    let append = table.optional(report, "append", |report, cell| word(report, &cell, Append::ALL));
    let root = table.required(report, "root", root);
    let actors = actors(report, &mut table);
    let log = table.optional(report, "log", log::read);
    let environments = table.named(report, "environment", environment);
    let targets = table.named(report, "target", target);
    let revoke = table.required(report, "revoke", group_table);
    let lock = table.required(report, "lock", group_table);
    table.finish(report);

    Some(Policy {
        digest,
        source: source.into(),
        version: version?,
        name: name?,
        clock_skew: clock_skew?,
        decide_within: decide_within?,
        activate_within: activate_within?,
        staleness: staleness?,
        append: append.unwrap_or(Append::Direct),
        root: root?,
        actors,
        log,
        environments,
        targets,
        revoke: revoke?,
        lock: lock?,
    })
}

fn root(report: &mut Report<'_>, cell: Cell<'_>) -> Option<Root> {
    let mut table = cell.table(report)?;
    let threshold = table.required(report, "threshold", |report, cell| cell.number(report, 1, MOST_PEOPLE));
    let members = table.required(report, "members", |report, cell| {
        cell.some(report, "at least one member, such as [\"rita\"]", |report, cell| cell.parsed(report, NAME))
    });
    table.finish(report);
    Some(Root { threshold: usize::try_from(threshold?).ok()?, members: members? })
}

/// Members, services and hosts: one map, and no name twice.
fn actors(report: &mut Report<'_>, table: &mut Table<'_>) -> BTreeMap<Name, Actor> {
    let members = table.named(report, "member", |report, table| {
        actor(report, table, "groups", GROUPS, |groups| Class::Member { groups })
    });
    let services = table.named(report, "service", |report, table| {
        actor(report, table, "mints", "a list of environments, such as [\"prod\"]", |mints| Class::Service { mints })
    });
    let hosts = table.named(report, "host", |report, table| {
        actor(report, table, "targets", "a list of targets, such as [\"payments-db\"]", |targets| Class::Host {
            targets,
        })
    });
    let mut out: BTreeMap<Name, Actor> = members;
    for (class, more) in [("service", services), ("host", hosts)] {
        for (name, actor) in more {
            match out.entry(name) {
                Entry::Vacant(free) => {
                    free.insert(actor);
                }
                Entry::Occupied(taken) => {
                    let (place, message) =
                        (format!("{class}/{}", taken.key()), format!("the name `{}` is used twice", taken.key()));
                    report.add_at(&place, message, Some("one name for each member, service and host"));
                }
            }
        }
    }
    out
}

fn actor(
    report: &mut Report<'_>,
    mut table: Table<'_>,
    list: &'static str,
    what: &str,
    class: impl FnOnce(Vec<Name>) -> Class,
) -> Option<Actor> {
    let email = table.required(report, "email", email);
    let keys = table.required(report, "keys", |report, cell| {
        cell.some(report, "at least one key", |report, cell| key(report, &cell))
    });
    let names =
        table.required(report, list, |report, cell| cell.list(report, what, |report, cell| cell.parsed(report, NAME)));
    if keys.as_ref().is_some_and(|keys| keys.len() > MOST_KEYS) {
        table.refuse(report, "keys", "too many keys", Some("at most 16"));
    }
    table.finish(report);
    Some(Actor { email: email?, keys: keys?, class: class(names?) })
}

/// One plain `x@y`: it stands in the author line of commits, where Git strips what it thinks is dirt.
fn email(report: &mut Report<'_>, cell: Cell<'_>) -> Option<String> {
    const WHAT: &str = "one plain address, such as \"alice@acme.example\"";
    let text = cell.line(report, WHAT)?;
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"'".contains(c);
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.');
    let good = text.len() <= 254
        && !text.contains(forbidden)
        && text.split_once('@').is_some_and(|(user, host)| plain(user) && plain(host) && !host.contains('@'));
    if good { Some(text) } else { cell.refuse(report, "the e-mail address does not do", Some(WHAT)) }
}

/// An actor's key, software or hardware.
fn key(report: &mut Report<'_>, cell: &Cell<'_>) -> Option<PublicKey> {
    let text = cell.string(report, KEY)?;
    match text.parse::<PublicKey>() {
        Ok(key) => match key.kind() {
            // K05: for sk keys the application must be `ssh:`.
            KeyKind::SkEd25519 { application } if application != "ssh:" => {
                let message = format!("the hardware key is for the application `{}`", application.escape_debug());
                cell.refuse(report, message, Some("`ssh:`"))
            }
            _ => Some(key),
        },
        Err(error) => cell.refuse(report, error.to_string(), Some(KEY)),
    }
}

/// A key that works unattended (log, CA) or that is encrypted to (recorder): hardware keys can do neither.
pub(super) fn software_key(report: &mut Report<'_>, cell: &Cell<'_>) -> Option<PublicKey> {
    let key = key(report, cell)?;
    if key.is_hardware() {
        return cell.refuse(report, "a hardware key cannot be used here", Some(SOFTWARE_KEY));
    }
    Some(key)
}

/// `key = "…"` alone.
fn key_table(report: &mut Report<'_>, cell: Cell<'_>) -> Option<PublicKey> {
    let mut table = cell.table(report)?;
    let key = table.required(report, "key", |report, cell| software_key(report, &cell));
    table.finish(report);
    key
}

/// `groups = […]` alone.
fn group_table(report: &mut Report<'_>, cell: Cell<'_>) -> Option<Vec<Name>> {
    let mut table = cell.table(report)?;
    let groups = table
        .required(report, "groups", |report, cell| cell.list(report, GROUPS, |report, cell| cell.parsed(report, NAME)));
    table.finish(report);
    groups
}

fn environment(report: &mut Report<'_>, mut table: Table<'_>) -> Option<Environment> {
    let ca = table.required(report, "ca", |report, cell| software_key(report, &cell));
    let recorders =
        table.optional(report, "recorder", |report, cell| cell.list(report, "[[environment.E.recorder]]", key_table));
    table.finish(report);
    Some(Environment { ca: ca?, recorders: recorders.unwrap_or_default() })
}

fn target(report: &mut Report<'_>, mut table: Table<'_>) -> Option<Target> {
    let environment = table.required(report, "environment", |report, cell| cell.parsed(report, NAME));
    let description = table.optional(report, "description", |report, cell| cell.line(report, "one line of text"));
    let data = table.optional(report, "data", |report, cell| {
        cell.list(report, "a list of data classes, such as [\"npi\"]", |report, cell| {
            cell.parsed::<Name>(report, NAME).map(|name| name.to_string())
        })
    });
    let offline = table.optional(report, "offline", |report, cell| probe::offline(report, &cell));
    let probes = table.optional(report, "probe", probe::probes);
    let roles = table.named(report, "role", role);
    table.finish(report);
    Some(Target {
        environment: environment?,
        description: description.unwrap_or_default(),
        data: data.unwrap_or_default(),
        offline: offline.unwrap_or(Offline::Deny),
        probes: probes.unwrap_or_default(),
        roles,
    })
}

fn role(report: &mut Report<'_>, mut table: Table<'_>) -> Option<Role> {
    let logins = table.required(report, "logins", |report, cell| {
        cell.some(report, "at least one login, such as [\"readonly\"]", |report, cell| login(report, &cell))
    });
    let requesters = table.required(report, "requesters", |report, cell| {
        cell.some(report, GROUPS, |report, cell| cell.parsed(report, NAME))
    });
    let approve = table.required(report, "approve", |report, cell| {
        cell.some(report, "at least one { group = …, count = … }: nobody opens access alone", group_count)
    });
    if approve.as_ref().is_some_and(|approve| approve.len() > MOST_PARTS) {
        table.refuse(report, "approve", "too many parts", Some("at most 8"));
    }
    let max_duration = table.required(report, "max_duration", |report, cell| span(report, &cell, Some(LONGEST_ACCESS)));
    let ticket = table.optional(report, "ticket", pattern);
    let least_privilege = table.optional(report, "least_privilege", |report, cell| cell.boolean(report));
    let mfa = table.optional(report, "mfa", |report, cell| word(report, &cell, Mfa::ALL));
    let source_address = table.optional(report, "source_address", |report, cell| {
        cell.list(report, "a list of networks, such as [\"10.0.0.0/8\"]", |report, cell| network(report, &cell))
    });
    let extensions = table.optional(report, "extensions", |report, cell| {
        cell.list(report, "a list of extensions, such as [\"permit-pty\"]", |report, cell| extension(report, &cell))
    });
    let record = table.optional(report, "record", |report, cell| word(report, &cell, Record::ALL));
    let review = table.optional(report, "review", review);
    let emergency = table.optional(report, "emergency", emergency);
    table.finish(report);
    Some(Role {
        logins: logins?,
        requesters: requesters?,
        approve: approve?,
        max_duration: max_duration?,
        ticket,
        least_privilege: least_privilege.unwrap_or(false),
        mfa: mfa.unwrap_or(Mfa::None),
        source_address: source_address.unwrap_or_default(),
        extensions: extensions.unwrap_or_default(),
        record: record.unwrap_or(Record::Required),
        review,
        emergency,
    })
}

fn group_count(report: &mut Report<'_>, cell: Cell<'_>) -> Option<GroupCount> {
    let mut table = cell.table(report)?;
    let (group, count) = group_and_count(report, &mut table);
    table.finish(report);
    Some(GroupCount { group: group?, count: count? })
}

fn group_and_count(report: &mut Report<'_>, table: &mut Table<'_>) -> (Option<Name>, Option<usize>) {
    let group = table.required(report, "group", |report, cell| cell.parsed(report, NAME));
    let count = table.required(report, "count", |report, cell| cell.number(report, 1, MOST_PEOPLE));
    (group, count.and_then(|count| usize::try_from(count).ok()))
}

fn review(report: &mut Report<'_>, cell: Cell<'_>) -> Option<ReviewRule> {
    let mut table = cell.table(report)?;
    let (group, count) = group_and_count(report, &mut table);
    let within = table.required(report, "within", |report, cell| span(report, &cell, None));
    let checks = table.required(report, "checks", |report, cell| {
        cell.some(report, "at least one check", |report, cell| reason(report, &cell, "a check in one line"))
    });
    table.finish(report);
    Some(ReviewRule { group: group?, count: count?, within: within?, checks: checks? })
}

fn emergency(report: &mut Report<'_>, cell: Cell<'_>) -> Option<EmergencyRule> {
    let mut table = cell.table(report)?;
    let group = table.required(report, "group", |report, cell| cell.parsed(report, NAME));
    let max_duration = table.required(report, "max_duration", |report, cell| span(report, &cell, Some(LONGEST_ACCESS)));
    let review = table.required(report, "review", |report, cell| {
        let mut table = cell.table(report)?;
        let (group, count) = group_and_count(report, &mut table);
        let within = table.required(report, "within", |report, cell| span(report, &cell, None));
        table.finish(report);
        Some(EmergencyReview { group: group?, count: count?, within: within? })
    });
    table.finish(report);
    Some(EmergencyRule { group: group?, max_duration: max_duration?, review: review? })
}

/// `<n>s|m|h`, in any unit: people write `90m`. Events have one spelling, the policy is hashed as bytes and needs none.
pub(super) fn span(report: &mut Report<'_>, cell: &Cell<'_>, most: Option<u64>) -> Option<Ttl> {
    let text = cell.string(report, SPAN)?;
    let parsed = if text.ends_with(['s', 'm', 'h']) { Ttl::from_human(text).ok() } else { None };
    let Some(ttl) = parsed else {
        return cell.refuse(report, format!("`{}` is not a duration", text.escape_debug()), Some(SPAN));
    };
    match most.and_then(Ttl::from_seconds) {
        Some(most) if ttl > most => cell.refuse(report, format!("{ttl} is too long"), Some(&format!("at most {most}"))),
        _ => Some(ttl),
    }
}

/// One line that says something.
pub(super) fn reason(report: &mut Report<'_>, cell: &Cell<'_>, what: &str) -> Option<String> {
    let text = cell.line(report, what)?;
    match check_reason(&text) {
        Ok(()) => Some(text),
        Err(fault) => cell.refuse(report, format!("the text {fault}"), Some(what)),
    }
}

/// A Unix login: `[a-z_][a-z0-9_-]{0,31}`.
pub(super) fn login(report: &mut Report<'_>, cell: &Cell<'_>) -> Option<String> {
    const WHAT: &str = "a Unix login: 1 to 32 of a-z, 0-9, '_' and '-', the first a letter or '_'";
    let text = cell.string(report, WHAT)?;
    let first = |c: u8| c.is_ascii_lowercase() || c == b'_';
    let good = text.len() <= 32
        && text.bytes().next().is_some_and(first)
        && text.bytes().all(|c| first(c) || c.is_ascii_digit() || c == b'-');
    if good {
        return Some(text.to_owned());
    }
    cell.refuse(report, format!("`{}` is not a login", text.escape_debug()), Some(WHAT))
}

fn pattern(report: &mut Report<'_>, cell: Cell<'_>) -> Option<Pattern> {
    let text = cell.line(report, "a regular expression, such as \"^INC-[0-9]+$\"")?;
    match Pattern::new(&text) {
        Ok(pattern) => Some(pattern),
        Err(error) => cell.refuse(report, format!("the ticket pattern does not compile: {error}"), None),
    }
}

/// A network whose host bits are zero, in its one spelling: it goes into certificates as it stands.
fn network(report: &mut Report<'_>, cell: &Cell<'_>) -> Option<IpNet> {
    const WHAT: &str = "a network such as 10.0.0.0/8 or 2001:db8::/32";
    let text = cell.string(report, WHAT)?;
    let Ok(network) = text.parse::<IpNet>() else {
        return cell.refuse(report, format!("`{}` is not a network", text.escape_debug()), Some(WHAT));
    };
    let canonical = network.trunc().to_string();
    if canonical == text {
        return Some(network);
    }
    cell.refuse(report, format!("`{text}` is not the network's plain spelling"), Some(&canonical))
}

fn extension(report: &mut Report<'_>, cell: &Cell<'_>) -> Option<String> {
    let what = format!("one of {}", EXTENSIONS.join(", "));
    let text = cell.string(report, &what)?;
    if EXTENSIONS.contains(&text) {
        return Some(text.to_owned());
    }
    cell.refuse(report, format!("`{}` is no extension that we allow", text.escape_debug()), Some(&what))
}

/// One of the words of `all`.
pub(super) fn word<T: FromStr + ToString>(report: &mut Report<'_>, cell: &Cell<'_>, all: &[T]) -> Option<T> {
    let words: Vec<String> = all.iter().map(|word| format!("\"{}\"", word.to_string())).collect();
    cell.parsed(report, &format!("one of {}", words.join(", ")))
}
