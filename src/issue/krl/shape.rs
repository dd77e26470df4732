//! The most compact sections for a set of serials (PROTOCOL.krl, section 2): a list of 8 bytes a serial, a range of 16
//! bytes, or a bitmap. Imports what lies beside it and
//! `domain::key`.
//!
//! A section has 5 bytes before its body. All listed serials share one list; each range is a section of its own; a bitmap
//! has 12 bytes more, and then one bit for each serial from its first to its last. The choice is made over runs of
//! consecutive serials, the cost in bits: the least sum over all ways to put each run into the list, into a range, or
//! into a bitmap that it opens or goes on with. It takes one step a run.

use std::collections::BTreeSet;

use super::{SERIAL_BITMAP, SERIAL_LIST, SERIAL_RANGE, section};
use crate::domain::key::put_string;

/// Consecutive serials, first and last.
pub(super) type Run = (u64, u64);

/// The most bits of a bitmap: sshd reads no number of more (`SSHBUF_MAX_BIGNUM`).
pub(super) const MOST_BITS: u64 = 16_384;

const LIST_BITS: u64 = 64;
const RANGE_BITS: u64 = (5 + 16) * 8;
/// With the byte that keeps the number positive, and on average half a byte that is not filled.
const OPEN_BITS: u64 = (5 + 12) * 8 + 4;

/// Where a run is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Put {
    List,
    Range,
    /// A bitmap begins with this run.
    Open,
    /// The bitmap of the run before goes on.
    GoOn,
}

/// The runs of a set of serials, rising.
pub(super) fn runs(serials: &BTreeSet<u64>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for serial in serials {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*serial) => *last = *serial,
            _ => runs.push((*serial, *serial)),
        }
    }
    runs
}

/// The sections that hold exactly these runs.
pub(super) fn sections(runs: &[Run]) -> Vec<u8> {
    // The list's head is paid once, which a sum over runs cannot say: both ways are written, and the shorter is taken.
    let with = encode(runs, &choose(runs, LIST_BITS));
    let without = encode(runs, &choose(runs, u64::MAX));
    if without.len() < with.len() { without } else { with }
}

/// The cheapest way to put each run, where a listed serial costs `listed` bits.
fn choose(runs: &[Run], listed: u64) -> Vec<Put> {
    // For each run: how it is put where no bitmap is open after it, and where one is; and whether one was open before.
    let mut steps: Vec<[(Put, bool); 2]> = Vec::with_capacity(runs.len());
    let (mut closed, mut open) = (0_u64, u64::MAX);
    let mut before: Option<u64> = None;
    for (first, last) in runs {
        let length = last.saturating_sub(*first).saturating_add(1);
        let gap = before.map_or(0, |before| first.saturating_sub(before).saturating_sub(1));
        before = Some(*last);
        let best = closed.min(open);
        let was_open = open < closed;
        let list = length.saturating_mul(listed);
        let alone = if list < RANGE_BITS { (Put::List, list) } else { (Put::Range, RANGE_BITS) };
        let begun = best.saturating_add(OPEN_BITS).saturating_add(length);
        let gone_on = open.saturating_add(gap).saturating_add(length);
        let in_bitmap = if gone_on < begun { (Put::GoOn, true) } else { (Put::Open, was_open) };
        steps.push([(alone.0, was_open), in_bitmap]);
        (closed, open) = (best.saturating_add(alone.1), gone_on.min(begun));
    }
    let mut puts = Vec::with_capacity(runs.len());
    let mut is_open = open < closed;
    for [alone, in_bitmap] in steps.iter().rev() {
        let (put, before) = if is_open { *in_bitmap } else { *alone };
        puts.push(put);
        is_open = before;
    }
    puts.reverse();
    puts
}

fn encode(runs: &[Run], puts: &[Put]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut list = Vec::new();
    let mut bitmap: Vec<Run> = Vec::new();
    for ((first, last), put) in runs.iter().zip(puts) {
        match put {
            Put::List => list.extend((*first..=*last).flat_map(u64::to_be_bytes)),
            Put::Range => {
                let body = [first.to_be_bytes(), last.to_be_bytes()].concat();
                out.extend_from_slice(&section(SERIAL_RANGE, &body));
            }
            Put::Open => {
                put_bitmaps(&mut out, &std::mem::take(&mut bitmap));
                bitmap.push((*first, *last));
            }
            Put::GoOn => bitmap.push((*first, *last)),
        }
    }
    put_bitmaps(&mut out, &bitmap);
    if !list.is_empty() {
        out.extend_from_slice(&section(SERIAL_LIST, &list));
    }
    out
}

/// The runs as bitmaps, a new one wherever a number would become too long for sshd. The bits of a run are few: from 21
/// bytes on it is a range.
fn put_bitmaps(out: &mut Vec<u8>, runs: &[Run]) {
    let mut bits: Vec<u64> = Vec::new();
    let mut start = 0;
    for serial in runs.iter().flat_map(|(first, last)| *first..=*last) {
        if bits.is_empty() {
            start = serial;
        } else if serial.saturating_sub(start) >= MOST_BITS {
            put_bitmap(out, start, &std::mem::take(&mut bits));
            start = serial;
        }
        bits.push(serial.saturating_sub(start));
    }
    if !bits.is_empty() {
        put_bitmap(out, start, &bits);
    }
}

/// `uint64 serial_offset, mpint revoked_keys_bitmap`: bit n of the number is the serial `offset + n`. `bits` rises.
fn put_bitmap(out: &mut Vec<u8>, start: u64, bits: &[u64]) {
    let bytes = bits.last().map_or(0, |highest| highest / 8).saturating_add(1);
    let mut number = vec![0_u8; usize::try_from(bytes).unwrap_or_default()];
    for bit in bits {
        if let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| number.get_mut(at)) {
            *byte |= 1 << (bit % 8);
        }
    }
    // An mpint is big-endian, and negative where its first bit is set.
    if number.last().is_some_and(|highest| highest & 0x80 != 0) {
        number.push(0);
    }
    number.reverse();
    let mut body = start.to_be_bytes().to_vec();
    put_string(&mut body, &number);
    out.extend_from_slice(&section(SERIAL_BITMAP, &body));
}
