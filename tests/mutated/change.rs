//! The changes: one each, to one ledger.

use std::collections::BTreeMap;
use std::fmt;

use jit::domain::id::{CommitId, Digest};

use crate::dice::Dice;
use crate::keys::Key;
use crate::ledgers::Base;
use crate::memory::Memory;
use crate::script::{Flip, Parents, Script, Step};

/// Every kind of change.
pub const KINDS: [&str; 28] = [
    "a byte of an event",
    "a byte of an event, the rest fitted",
    "a line of an event",
    "a line of an event, the rest fitted",
    "another time, the rest fitted",
    "a byte of a signature",
    "another event's signature",
    "signed by somebody else",
    "a forged event by somebody else",
    "a byte of another file",
    "a byte of a commit",
    "a byte of a tree",
    "a line of a commit",
    "bytes put into a commit",
    "a file added",
    "a file removed",
    "a file renamed",
    "a file of another mode",
    "a commit dropped",
    "the last commits dropped",
    "two commits swapped",
    "a commit moved",
    "a commit twice",
    "an empty commit",
    "a second parent",
    "other parents",
    "two events swapped",
    "an object lost",
];

/// A change that was made.
pub struct Change {
    kind: &'static str,
    told: String,
    script: Script,
    /// Which object is taken away, modulo their number.
    lost: Option<usize>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

impl Change {
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whether all it does is to leave the last commits away.
    pub fn only_shortens(&self) -> bool {
        matches!(self.kind, "the last commits dropped" | "a commit dropped")
    }

    /// The changed ledger: its objects and its head.
    pub fn written(&self, base: &Base) -> (Memory, CommitId) {
        let (memory, ids) = self.script.written();
        if let Some(lost) = self.lost {
            let ids = base.memory.ids();
            memory.forget(ids[lost % ids.len()]);
        }
        (memory, *ids.last().unwrap())
    }

    /// Some change that does change something.
    pub fn random(dice: &mut Dice, base: &Base) -> Self {
        let kind = *dice.one(&KINDS);
        loop {
            let mut change = Self { kind, told: String::new(), script: base.script.clone(), lost: None };
            if change.make(dice) {
                return change;
            }
        }
    }

    /// Makes it; whether there was something to change.
    fn make(&mut self, dice: &mut Dice) -> bool {
        let at = dice.below(self.script.steps.len());
        match self.kind {
            "a byte of an event" => self.event(dice, at, false, bent),
            "a byte of an event, the rest fitted" => self.event(dice, at, true, bent),
            "a line of an event" => self.event(dice, at, false, lines),
            "a line of an event, the rest fitted" => self.event(dice, at, true, lines),
            "another time, the rest fitted" => self.event(dice, at, true, another_time),
            "a byte of a signature" => self.signature(dice, at),
            "another event's signature" => self.foreign_signature(dice, at),
            "signed by somebody else" => self.signed_by(dice, at, false),
            "a forged event by somebody else" => self.signed_by(dice, at, true),
            "a byte of another file" => self.other_file(dice, at),
            "a byte of a commit" => {
                let flip = Flip { tree: 0, at: dice.below(4096), with: dice.byte() };
                self.told = format!("commit {at}: {flip:?}");
                self.script.steps[at].raw = Some(flip);
                flip.with != 0
            }
            "a byte of a tree" => {
                let flip = Flip { tree: dice.below(4096), at: dice.below(1 << 20), with: dice.byte() };
                self.told = format!("commit {at}: {flip:?}");
                self.script.steps[at].tree = Some(flip);
                flip.with != 0
            }
            "a line of a commit" => {
                let rest = lines(dice, &self.script.steps[at].rest);
                self.rest(at, rest)
            }
            "bytes put into a commit" => {
                let rest = put_in(dice, &self.script.steps[at].rest);
                self.rest(at, rest)
            }
            "a file added" => self.added(dice, at),
            "a file removed" | "a file renamed" | "a file of another mode" => self.old_file(dice, at),
            "a commit dropped" => self.dropped(at),
            "the last commits dropped" => {
                self.told = format!("all from commit {at} on");
                self.script.steps.truncate(at);
                at > 0
            }
            _ => self.order(dice, at),
        }
    }

    fn rest(&mut self, at: usize, rest: Vec<u8>) -> bool {
        self.told = format!("commit {at} says {:?}", String::from_utf8_lossy(&rest));
        let changed = rest != self.script.steps[at].rest;
        self.script.steps[at].rest = rest;
        changed
    }

    /// Changes the bytes of an event; where it is fitted, path and message follow the new bytes.
    fn event(&mut self, dice: &mut Dice, at: usize, fitted: bool, edit: fn(&mut Dice, &[u8]) -> Vec<u8>) -> bool {
        let step = &mut self.script.steps[at];
        let Some(path) = step.event_path() else { return false };
        let bytes = edit(dice, &step.add[&path].1);
        if bytes == step.add[&path].1 {
            return false;
        }
        self.told = format!("commit {at}, {}: {:?}", text(&path), String::from_utf8_lossy(&bytes));
        if fitted {
            fit(step, &path, bytes);
        } else {
            step.add.get_mut(&path).unwrap().1 = bytes;
        }
        true
    }

    fn signature(&mut self, dice: &mut Dice, at: usize) -> bool {
        let step = &mut self.script.steps[at];
        let Some(path) = step.event_path() else { return false };
        let signature = &mut step.add.get_mut(&sig(&path)).unwrap().1;
        let before = signature.clone();
        *signature = match dice.below(3) {
            0 => bent(dice, signature),
            1 => lines(dice, signature),
            _ => put_in(dice, signature),
        };
        self.told = format!("commit {at}: {:?}", String::from_utf8_lossy(signature));
        *signature != before
    }

    fn foreign_signature(&mut self, dice: &mut Dice, at: usize) -> bool {
        let other = dice.below(self.script.steps.len());
        let Some(from) = self.script.steps[other].event_path() else { return false };
        let Some(to) = self.script.steps[at].event_path() else { return false };
        let signature = self.script.steps[other].add[&sig(&from)].1.clone();
        self.told = format!("commit {at} with the signature of commit {other}");
        self.script.steps[at].add.get_mut(&sig(&to)).unwrap().1 = signature;
        at != other
    }

    /// Signs an event with another key than its author's; a forged one says something else, too.
    fn signed_by(&mut self, dice: &mut Dice, at: usize, forged: bool) -> bool {
        let step = &mut self.script.steps[at];
        let Some(path) = step.event_path() else { return false };
        let mut bytes = step.add[&path].1.clone();
        let Some(actor) = field(&bytes, "actor") else { return false };
        let Some(kind) = field(&bytes, "kind") else { return false };
        let who = *dice.one(&["a stranger", "alice", "bob", "dave", "rita", "minter", "db1", "the CA of prod", "log"]);
        // In the ledgers made here the names have these keys; in the sample all of them are strangers.
        if who == actor {
            return false;
        }
        if forged {
            let before = bytes.clone();
            bytes = if dice.coin() { another_time(dice, &bytes) } else { lines(dice, &bytes) };
            if bytes == before {
                return false;
            }
        }
        self.told = format!("commit {at} of {actor} by {who}: {:?}", String::from_utf8_lossy(&bytes));
        let signature = Key::of(who).sshsig(&format!("jit-1/{kind}"), &bytes);
        let path = fit(step, &path, bytes);
        step.add.get_mut(&sig(&path)).unwrap().1 = signature;
        true
    }

    /// A byte of a governed file or of a proposal's.
    fn other_file(&mut self, dice: &mut Dice, at: usize) -> bool {
        let step = &mut self.script.steps[at];
        let event = step.event_path();
        let others: Vec<Vec<u8>> = step
            .add
            .keys()
            .filter(|path| event.as_ref().is_none_or(|event| *path != event && **path != sig(event)))
            .cloned()
            .collect();
        if others.is_empty() {
            return false;
        }
        let path = dice.one(&others);
        let bytes = &mut step.add.get_mut(path).unwrap().1;
        let before = bytes.clone();
        *bytes = if dice.coin() { bent(dice, bytes) } else { lines(dice, bytes) };
        self.told = format!("commit {at}, {}: {:?}", text(path), String::from_utf8_lossy(bytes));
        *bytes != before
    }

    fn added(&mut self, dice: &mut Dice, at: usize) -> bool {
        let folder = self.script.steps[at].event_path().map_or_else(|| b"ledger".to_vec(), |path| parent(&path));
        let old = dice.below(self.script.steps.len());
        let old = self.script.steps[old].event_path().unwrap_or_else(|| b"README.md".to_vec());
        let path: Vec<u8> = match dice.below(9) {
            0 => b"README.md".to_vec(),
            1 => b".github/workflows/mint.yml".to_vec(),
            2 => [&folder[..], b"/notes.txt"].concat(),
            3 => [&folder[..], b"/files/policy.toml"].concat(),
            4 => old,
            5 => [&parent(&old)[..], b"/approval-aaaaaaaaaaaaaaaa.toml"].concat(),
            6 => b"ledger".to_vec(),
            7 => [&folder[..], b"/.GIT/config"].concat(),
            _ => b"Policy.toml".to_vec(),
        };
        let mode = *dice.one(&[0o100_644, 0o100_644, 0o100_755, 0o120_000, 0o160_000]);
        self.told = format!("commit {at}: {} with mode {mode:o}", text(&path));
        let step = &mut self.script.steps[at];
        step.add.insert(path, (mode, b"added\n".to_vec())).is_none_or(|(_, bytes)| bytes != b"added\n")
    }

    /// A file that is in the tree, whoever put it there, is removed, renamed or gets another mode.
    fn old_file(&mut self, dice: &mut Dice, at: usize) -> bool {
        let mut there: BTreeMap<Vec<u8>, (u32, Vec<u8>)> = BTreeMap::new();
        for step in &self.script.steps[..=at] {
            there.extend(step.add.clone());
        }
        let paths: Vec<Vec<u8>> = there.keys().cloned().collect();
        let path = dice.one(&paths).clone();
        let (mode, bytes) = there[&path].clone();
        let step = &mut self.script.steps[at];
        let kind = self.kind;
        let mut told = format!("commit {at}: {}", text(&path));
        if kind == "a file of another mode" {
            let new = *dice.one(&[0o100_755, 0o100_664, 0o120_000, 0o160_000, 0o40_000, 0]);
            told.push_str(&format!(" from {mode:o} to {new:o}"));
            step.add.insert(path, (new, bytes));
        } else {
            step.add.remove(&path);
            step.remove.push(path.clone());
            if kind == "a file renamed" {
                let mut name = path.clone();
                let place = dice.below(name.len());
                name[place] = *dice.one(b"aZ/.~\0-\xff");
                told.push_str(&format!(" to {}", text(&name)));
                if name == path || step.add.contains_key(&name) {
                    return false;
                }
                step.add.insert(name, (mode, bytes));
            }
        }
        self.told = told;
        true
    }

    /// Its files are never there.
    fn dropped(&mut self, at: usize) -> bool {
        self.told = format!("commit {at}");
        let gone = self.script.steps.remove(at);
        if at == 0 {
            let Some(first) = self.script.steps.first_mut() else { return false };
            first.parents = Parents::None;
        }
        !gone.add.is_empty() && !self.script.steps.is_empty()
    }

    /// What changes which commits there are, or how they hang together.
    fn order(&mut self, dice: &mut Dice, at: usize) -> bool {
        let steps = &mut self.script.steps;
        let other = dice.below(steps.len());
        self.told = format!("commit {at}, and {other}");
        match self.kind {
            "two commits swapped" => {
                if at == 0 || other == 0 || at == other {
                    return false;
                }
                steps.swap(at, other);
            }
            "a commit moved" => {
                if at == 0 || other == 0 || at == other {
                    return false;
                }
                let step = steps.remove(at);
                steps.insert(other, step);
            }
            "a commit twice" => {
                let mut again = steps[at].clone();
                again.parents = Parents::Previous;
                steps.insert(other + 1, again);
            }
            "an empty commit" => {
                let mut empty = steps[at].clone();
                empty.parents = Parents::Previous;
                empty.add.clear();
                empty.remove.clear();
                steps.insert(other + 1, empty);
            }
            "a second parent" => {
                if at == 0 || other >= at {
                    return false;
                }
                steps[at].parents = Parents::And(other);
            }
            "other parents" => {
                if at < 2 {
                    return false;
                }
                let before = other % (at - 1);
                steps[at].parents = if dice.below(4) == 0 { Parents::None } else { Parents::Only(before) };
            }
            "two events swapped" => return self.swap_events(at, other),
            "an object lost" => {
                // One that the ledger needs: all that lie in its own store are.
                self.lost = Some(dice.below(1 << 20));
                self.told = format!("object {:?}", self.lost);
            }
            kind => unreachable!("{kind}"),
        }
        true
    }

    /// Each under the other's path, with the other's commit around it.
    fn swap_events(&mut self, at: usize, other: usize) -> bool {
        let steps = &mut self.script.steps;
        let (Some(one), Some(two)) = (steps[at].event_path(), steps[other].event_path()) else { return false };
        if one == two {
            return false;
        }
        for (left, right) in [(one.clone(), two.clone()), (sig(&one), sig(&two))] {
            let (first, second) = (steps[at].add[&left].clone(), steps[other].add[&right].clone());
            steps[at].add.insert(left, second);
            steps[other].add.insert(right, first);
        }
        true
    }
}

fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn sig(path: &[u8]) -> Vec<u8> {
    [path, b".sig"].concat()
}

fn parent(path: &[u8]) -> Vec<u8> {
    path.iter().rposition(|byte| *byte == b'/').map_or_else(Vec::new, |at| path[..at].to_vec())
}

/// The value of `name = "value"` in an event.
fn field(bytes: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")))?;
    value.strip_suffix('"').map(str::to_owned)
}

/// Gives a commit's event other bytes, and makes name, date and message those that such an event has. The new path.
fn fit(step: &mut Step, path: &[u8], bytes: Vec<u8>) -> Vec<u8> {
    let (mode, before) = step.add.remove(path).unwrap();
    let signature = step.add.remove(&sig(path)).unwrap();
    let (old, new) = (Digest::of(&before), Digest::of(&bytes));
    let said = String::from_utf8_lossy(&bytes).into_owned();
    let mut rest = String::from_utf8_lossy(&step.rest).replace(&old.to_string(), &new.to_string());
    let mut path = text(path).replace(&old.short(), &new.short());
    rest = rest.replace(&old.short(), &new.short());
    let time = |text: &str| -> Option<jit::domain::time::Timestamp> {
        text.lines().find_map(|line| line.strip_prefix("time = "))?.parse().ok()
    };
    if let (Some(from), Some(to)) = (time(&String::from_utf8_lossy(&before)), time(&said)) {
        rest = rest.replacen(&format!(" {} +0000", from.unix()), &format!(" {} +0000", to.unix()), 2);
        // Of what opens a case, the folder's hour.
        if !said.contains("\ncase = ") {
            let hour = |time: jit::domain::time::Timestamp| time.utc().format("%Y/%m/%d/%H").to_string();
            path = path.replace(&hour(from), &hour(to));
        }
    }
    step.rest = rest.into_bytes();
    let path = path.into_bytes();
    step.add.insert(sig(&path), signature);
    step.add.insert(path.clone(), (mode, bytes));
    path
}

/// One byte becomes another, goes, or comes.
fn bent(dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    if out.is_empty() {
        return vec![dice.byte()];
    }
    let at = dice.below(out.len());
    match dice.below(4) {
        0 => out[at] ^= 1 << dice.below(8),
        1 => out[at] = dice.byte(),
        2 => {
            out.remove(at);
        }
        _ => out.insert(at, dice.byte()),
    }
    out
}

/// One line goes, stands twice, or changes places with another.
fn lines(dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let (at, other) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(3) {
        0 => {
            lines.remove(at);
        }
        1 => lines.insert(other, lines[at]),
        _ => lines.swap(at, other),
    }
    lines.concat()
}

/// Something that a reader may stumble over.
fn put_in(dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    let odd: [&[u8]; 14] = [
        b"\0",
        b"\r",
        b"\n",
        b"\n\n",
        b" ",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"#",
        b"<>",
        b"-",
        b"9999999999999999999999",
        b"\ngpgsig x",
        b"\nparent 0000000000000000000000000000000000000000",
        b"\nencoding UTF-8",
    ];
    let at = if dice.below(4) == 0 { bytes.len() } else { dice.below(bytes.len() + 1) };
    [&bytes[..at], *dice.one(&odd), &bytes[at..]].concat()
}

/// A moment, an hour or a year earlier or later.
fn another_time(dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let Some(line) = text.lines().find(|line| line.starts_with("time = ")) else { return bytes.to_vec() };
    let Ok(time) = line["time = ".len()..].parse::<jit::domain::time::Timestamp>() else { return bytes.to_vec() };
    let span = dice.one(&["1s", "2m", "1h", "24h", "9000h"]).parse().unwrap();
    let time = if dice.coin() { time.plus(span) } else { time.minus(span) };
    text.replacen(line, &format!("time = {time}"), 1).into_bytes()
}
