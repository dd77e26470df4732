//! Writing a snapshot: one more part with what came since, small ones before it taken in, then the head, then what nobody
//! names any more is removed. Imports `domain` and `ports`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::ops::Range;

use super::page::{Paged, wide};
use super::part::{HASH, Part, Plan, hashes_before};
use super::{HEAD, Head, PARTS, head, version};
use crate::domain::id::{CaseId, CommitId, Digest};
use crate::ledger::Replay;
use crate::ports::Shelf;

/// No part takes others in beyond this many commits: that much is written at once, now and then.
const MERGED: u64 = 32_768;

/// Where the bytes of a case come from.
enum Body<'a> {
    Part(&'a Part, u64, u64),
    State,
}

/// Leaves a snapshot of a replay on a shelf. Says whether it did: not of an empty ledger, nor where another process is about
/// to, or left one of more commits.
///
/// # Errors
/// Where it cannot be written; the one that was there stands then, or none.
pub fn write(replay: &Replay, shelf: &dyn Shelf) -> io::Result<bool> {
    // One that was found damaged was taken away; whoever comes next replays everything, and leaves a whole one.
    if replay.base().is_some_and(|base| base.is_damaged()) {
        return Ok(false);
    }
    let mut is_written = false;
    let done = shelf.exclusively(&mut || {
        is_written = put(replay, shelf)?;
        Ok(())
    });
    if done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::InvalidData) {
        shelf.remove(HEAD)?;
    }
    Ok(done? && is_written)
}

fn put(replay: &Replay, shelf: &dyn Shelf) -> io::Result<bool> {
    let state = replay.state();
    let (Some(ledger), Some(last), Some(tree), Some(core)) =
        (state.ledger(), replay.head(), replay.tree(), state.core())
    else {
        return Ok(false);
    };
    if state.size() == state.since().size {
        return Ok(false);
    }
    let there = head(shelf).ok().flatten().filter(|there| there.ledger == ledger);
    // Another process of this clone went on from the same snapshot, and has seen more.
    if replay.base().is_some() && there.as_ref().is_some_and(|there| there.size > state.size()) {
        return Ok(false);
    }
    let old = replay.base().map_or(&[][..], |base| base.parts());
    let keep = kept(old, state.size(), |part| {
        let is_named = there.as_ref().is_some_and(|there| there.parts.contains(&part.plan));
        is_named && shelf.open(&part.plan.name(&ledger)).is_ok_and(|file| file.is_some())
    });
    let (kept, taken) = old.split_at(keep);
    let mut parts: Vec<Plan> = kept.iter().map(|part| part.plan.clone()).collect();
    parts.push(part(replay, taken, shelf, &ledger)?);
    let names: Vec<String> = parts.iter().map(|plan| plan.name(&ledger)).collect();
    let head = Head { ledger, head: last, size: state.size(), root: replay.root(), tree, parts, core };
    let bytes = sealed(&head);
    shelf.write(HEAD, &mut |out| out.write_all(&bytes))?;
    for name in shelf.list(PARTS)? {
        let name = format!("{PARTS}/{name}");
        if !names.contains(&name) {
            shelf.remove(&name)?;
        }
    }
    Ok(true)
}

/// How many of the parts stay as they are: all but the last ones that are not much larger than what is written now.
fn kept(parts: &[Part], size: u64, is_there: impl Fn(&Part) -> bool) -> usize {
    // Where another process took one away, its pages are still open here: all are taken into the new one.
    if !parts.iter().all(is_there) {
        return 0;
    }
    let mut keep = parts.len();
    while let Some(part) = keep.checked_sub(1).and_then(|at| parts.get(at)) {
        let behind = size.saturating_sub(part.plan.to);
        if part.plan.size() > behind.saturating_mul(2) || part.plan.size().saturating_add(behind) > MERGED {
            break;
        }
        keep -= 1;
    }
    keep
}

fn sealed(head: &Head) -> Vec<u8> {
    let body = postcard::to_allocvec(head).expect("a head has no part that cannot be written");
    let mut bytes = version().into_bytes();
    bytes.extend_from_slice(Digest::of(&body).as_bytes());
    bytes.extend(body);
    bytes
}

/// Writes the part that holds what `taken` hold and what came since.
fn part(replay: &Replay, taken: &[Part], shelf: &dyn Shelf, ledger: &Digest) -> io::Result<Plan> {
    let (state, since) = (replay.state(), replay.state().since());
    let first = taken.first().map_or((since.size, since.cases), |part| (part.plan.from, part.plan.first));
    let mut plan = Plan {
        from: first.0,
        to: state.size(),
        root: Some(replay.root()),
        first: first.1,
        opened: state.case_count().saturating_sub(first.1),
        ..Plan::default()
    };
    let (name, id) = (plan.name(ledger), plan.id(ledger));
    shelf.write(&name, &mut |out| {
        let mut paged = Paged::new(out, id);
        let mut ids: Vec<(CommitId, u64)> = Vec::new();
        commits(replay, taken, &mut paged, &mut ids)?;
        let hashes = paged.length();
        for part in taken {
            let [from, to, ..] = part.plan.at;
            copy(part, from..to, &mut paged)?;
        }
        for leaf in since.size..state.size() {
            for level in 0..=(leaf.saturating_add(1)).trailing_zeros() {
                let index = (leaf.saturating_add(1) >> level).saturating_sub(1);
                let hash = replay.log().subtree(level, index).ok_or_else(|| gone("a hash"))?;
                paged.put(hash.as_bytes())?;
            }
        }
        debug_assert_eq!(paged.length() - hashes, (hashes_before(plan.to) - hashes_before(plan.from)) * HASH);
        let bodies = paged.length();
        let mut places: Vec<[u64; 3]> = Vec::new();
        for (number, body) in whose(replay, taken)? {
            let bytes = match body {
                Body::Part(part, at, length) => part.bytes(at, length)?,
                Body::State => state.case_bytes(number).ok_or_else(|| gone("a case"))?,
            };
            places.push([number, paged.length(), wide(bytes.len())]);
            paged.put(&bytes)?;
        }
        let places_at = paged.length();
        for number in places.iter().flatten() {
            paged.put(&number.to_be_bytes())?;
        }
        let cases_at = paged.length();
        let mut opened: Vec<(CaseId, u64)> = since.opened().collect();
        for part in taken {
            opened.extend(part.opened()?);
        }
        opened.sort_unstable();
        for (id, number) in &opened {
            paged.put(id.0.as_bytes())?;
            paged.put(&number.to_be_bytes())?;
        }
        let ids_at = paged.length();
        ids.sort_unstable();
        for (id, position) in &ids {
            paged.put(id.as_bytes())?;
            paged.put(&position.to_be_bytes())?;
        }
        let texts = paged.length();
        let index = put_texts(replay, taken, &mut paged)?;
        let texts_at = paged.length();
        for (digest, (at, length)) in &index {
            paged.put(digest.as_bytes())?;
            paged.put(&at.to_be_bytes())?;
            paged.put(&length.to_be_bytes())?;
        }
        plan.bodies = wide(places.len());
        plan.texts = wide(index.len());
        plan.at = [hashes, bodies, places_at, cases_at, ids_at, texts, texts_at];
        plan.length = paged.length();
        paged.finish()
    })?;
    Ok(plan)
}

/// The commits with the newest times, and for the index their positions.
fn commits(replay: &Replay, taken: &[Part], paged: &mut Paged<'_>, ids: &mut Vec<(CommitId, u64)>) -> io::Result<()> {
    for part in taken {
        for position in part.plan.from..part.plan.to {
            let (commit, newest) = part.commit(position)?;
            ids.push((commit, position));
            paged.put(commit.as_bytes())?;
            paged.put(&newest.unix_u64().to_be_bytes())?;
        }
    }
    let since = replay.state().since();
    for ((position, commit), newest) in (since.size..).zip(replay.since()).zip(since.newest()) {
        ids.push((*commit, position));
        paged.put(commit.as_bytes())?;
        paged.put(&newest.unix_u64().to_be_bytes())?;
    }
    Ok(())
}

/// Of which case where the newest bytes are, by number.
fn whose<'a>(replay: &Replay, taken: &'a [Part]) -> io::Result<BTreeMap<u64, Body<'a>>> {
    let mut bodies = BTreeMap::new();
    for part in taken {
        bodies.extend(part.bodies()?.into_iter().map(|(number, at, length)| (number, Body::Part(part, at, length))));
    }
    bodies.extend(replay.state().since().changed().map(|number| (number, Body::State)));
    Ok(bodies)
}

/// The texts of policies, each once; where each is.
fn put_texts(replay: &Replay, taken: &[Part], paged: &mut Paged<'_>) -> io::Result<BTreeMap<Digest, (u64, u64)>> {
    let mut index = BTreeMap::new();
    for part in taken {
        for (digest, at, length) in part.texts()? {
            if let Entry::Vacant(new) = index.entry(digest) {
                new.insert((paged.length(), length));
                paged.put(&part.bytes(at, length)?)?;
            }
        }
    }
    for policy in replay.state().since().policies() {
        if let Entry::Vacant(new) = index.entry(policy.digest) {
            new.insert((paged.length(), wide(policy.source.len())));
            paged.put(policy.source.as_bytes())?;
        }
    }
    Ok(index)
}

/// Content of a part, as it is.
fn copy(part: &Part, range: Range<u64>, paged: &mut Paged<'_>) -> io::Result<()> {
    let mut at = range.start;
    while at < range.end {
        let length = (range.end - at).min(1 << 16);
        paged.put(&part.bytes(at, length)?)?;
        at = at.saturating_add(length);
    }
    Ok(())
}

fn gone(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} of the state is not there"))
}
