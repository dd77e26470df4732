//! Many commits at once: one thread reads objects, others check signatures, one folds, in order. Memory stays bounded,
//! however long the history is: a reader that is ahead waits.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{available_parallelism, scope};

use crate::domain::id::{CommitId, ObjectId};
use crate::ports::Objects;

use super::check::{Checked, Checker};
use super::read::{Fetched, Reader};
use super::replay::{ReplayError, read_commit};

/// How many commits are handed on together: enough that handing on costs nothing.
const BATCH: usize = 128;

/// How many commits are read at a time, newest first: Git stores an older tree as a difference to a newer one.
const WINDOW: usize = 2048;

/// How many bytes of them are held at a time: many proposals may follow each other, each with a megabyte of files.
const WINDOW_BYTES: usize = 8 * 1024 * 1024;

/// From how many commits on threads are worth starting.
const MANY: usize = 64;

/// Some commits that follow each other, and which they are in the whole.
type Numbered<T> = (usize, Vec<T>);

/// Reads and checks the commits of `chain` (newest first) and gives them to `fold`, oldest first. `before` is the tree
/// that the oldest one changes.
///
/// # Errors
/// Where something cannot be read, and what `fold` says. What was folded by then is the caller's to forget.
pub fn run(
    objects: &dyn Objects,
    before: Option<ObjectId>,
    chain: &[CommitId],
    mut fold: impl FnMut(Checked) -> Result<(), ReplayError> + Send,
) -> Result<(), ReplayError> {
    if chain.len() < MANY {
        let (mut reader, mut checker, mut tree) = (Reader::new(objects), Checker::default(), before);
        for id in chain.iter().rev() {
            let (raw, links) = read_commit(objects, *id)?;
            let fetched = reader.fetch(*id, raw, &links, tree)?;
            tree = Some(links.tree);
            fold(checker.check(fetched))?;
        }
        return Ok(());
    }
    // One for each core: a signature costs more than reading and folding what it is about, which take what is left.
    let checkers = available_parallelism().map_or(1, NonZero::get).clamp(1, 16);
    let (fetched_in, fetched_out) = sync_channel(WINDOW / BATCH);
    let (checked_in, checked_out) = sync_channel(checkers);
    let fetched_out = Mutex::new(fetched_out);
    scope(|threads| {
        for _ in 0..checkers {
            let (from, to) = (&fetched_out, checked_in.clone());
            threads.spawn(move || check(from, &to));
        }
        // Only the checkers send: when the last of them has ended, the fold has seen everything.
        drop(checked_in);
        let folded = threads.spawn(move || in_order(&checked_out, &mut fold));
        let read = read(objects, before, chain, &fetched_in);
        drop(fetched_in);
        let folded = folded.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Where the fold stopped, the reader only saw that nobody listens any more.
        folded.and(read)
    })
}

/// Reads all commits and hands them on, oldest first. Stops early where nobody listens.
fn read(
    objects: &dyn Objects,
    before: Option<ObjectId>,
    chain: &[CommitId],
    to: &SyncSender<Numbered<Fetched>>,
) -> Result<(), ReplayError> {
    let mut reader = Reader::new(objects);
    let mut before = before;
    let mut number = 0;
    // Parts that are still to be read, the next one last.
    let mut parts: Vec<&[CommitId]> = chain.chunks(WINDOW).collect();
    while let Some(part) = parts.pop() {
        let Some((mut fetched, tree)) = window(objects, &mut reader, before, part)? else {
            // Too much to hold at once: in halves, the older one first.
            let (newer, older) = part.split_at(part.len() / 2);
            parts.extend([newer, older]);
            continue;
        };
        before = tree;
        while !fetched.is_empty() {
            let rest = fetched.len().saturating_sub(BATCH);
            let batch = fetched.split_off(rest).into_iter().rev().collect();
            if to.send((number, batch)).is_err() {
                return Ok(());
            }
            number += 1;
        }
    }
    Ok(())
}

/// What the commits of a window bring, newest first, and the tree of the newest. `None` where that is more than may be
/// held at once, and can be had in parts.
#[expect(clippy::type_complexity, reason = "what was read and the tree behind it, unless it is too much")]
fn window(
    objects: &dyn Objects,
    reader: &mut Reader<'_>,
    before: Option<ObjectId>,
    ids: &[CommitId],
) -> Result<Option<(Vec<Fetched>, Option<ObjectId>)>, ReplayError> {
    let mut commits = Vec::with_capacity(ids.len());
    for id in ids {
        commits.push((*id, read_commit(objects, *id)?));
    }
    let mut trees: Vec<Option<ObjectId>> = commits.iter().skip(1).map(|(_, (_, links))| Some(links.tree)).collect();
    trees.push(before);
    let newest = commits.first().map(|(_, (_, links))| links.tree);
    let mut fetched = Vec::with_capacity(ids.len());
    let mut held = 0_usize;
    for ((id, (raw, links)), tree) in commits.into_iter().zip(trees) {
        let one = reader.fetch(id, raw, &links, tree)?;
        held = held.saturating_add(one.bytes());
        if held > WINDOW_BYTES && ids.len() > 1 {
            return Ok(None);
        }
        fetched.push(one);
    }
    Ok(Some((fetched, newest)))
}

/// Checks what is read until nothing comes any more, or nobody listens.
fn check(from: &Mutex<Receiver<Numbered<Fetched>>>, to: &SyncSender<Numbered<Checked>>) {
    let mut checker = Checker::default();
    loop {
        let next = from.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, batch)) = next else { return };
        let checked = batch.into_iter().map(|fetched| checker.check(fetched)).collect();
        if to.send((number, checked)).is_err() {
            return;
        }
    }
}

/// Folds what was checked, in the order in which it was read.
fn in_order(
    from: &Receiver<Numbered<Checked>>,
    fold: &mut impl FnMut(Checked) -> Result<(), ReplayError>,
) -> Result<(), ReplayError> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    while let Ok((number, batch)) = from.recv() {
        early.insert(number, batch);
        while let Some(batch) = early.remove(&next) {
            for checked in batch {
                fold(checked)?;
            }
            next += 1;
        }
    }
    Ok(())
}
