//! Reads a revocation list as strictly as it was written, before sshd may see it: what another writer could write, too, is
//! refused. Imports `domain::key` and what lies beside it.

use std::collections::BTreeMap;

use super::shape::{MOST_BITS, Run, runs};
use super::{
    CERTIFICATES, FORMAT, KEY_ID, KrlError, MAGIC, NOBODY, Revocations, SERIAL_BITMAP, SERIAL_LIST, SERIAL_RANGE,
};
use crate::domain::key::{PublicKey, Wire};

/// What a list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its version: the size of the log it was made from.
    pub version: u64,
    /// When it was made, in seconds since 1970-01-01T00:00:00Z.
    pub generated: u64,
    /// One line for people.
    pub comment: String,
    /// The revoked serials of each CA: runs, rising, without overlap.
    revoked: BTreeMap<PublicKey, Vec<Run>>,
}

impl Summary {
    /// Whether the serial of this CA is revoked.
    pub fn revokes(&self, ca: &PublicKey, serial: u64) -> bool {
        let Some(runs) = self.revoked.get(ca) else { return false };
        let after = runs.partition_point(|(first, _)| *first <= serial);
        after.checked_sub(1).and_then(|at| runs.get(at)).is_some_and(|(_, last)| serial <= *last)
    }

    /// How many serials are revoked, of all CAs together.
    pub fn count(&self) -> u64 {
        let length = |(first, last): &Run| last.saturating_sub(*first).saturating_add(1);
        self.revoked.values().flatten().map(length).fold(0, u64::saturating_add)
    }

    /// Whether the list revokes these serials and no other.
    pub fn revokes_exactly(&self, revoked: &Revocations) -> bool {
        let meant: BTreeMap<&PublicKey, Vec<Run>> = revoked
            .iter()
            .filter(|(_, serials)| !serials.is_empty())
            .map(|(ca, serials)| (ca, runs(serials)))
            .collect();
        meant.len() == self.revoked.len() && self.revoked.iter().all(|(ca, runs)| meant.get(ca) == Some(runs))
    }
}

/// Reads a list that is to be published, or that was, and says what it holds. `least` is the version that stands: a list
/// may be written again, but never be replaced by an older one.
///
/// # Errors
/// [`KrlError::Empty`], [`KrlError::Cut`], [`KrlError::Older`] and so on: such a list must not be published.
pub fn check(bytes: &[u8], least: u64) -> Result<Summary, KrlError> {
    if bytes.is_empty() {
        return Err(KrlError::Empty);
    }
    let mut wire = Wire::new(bytes);
    const HEADER: KrlError = KrlError::Truncated("header");
    if wire.take(MAGIC.len()).ok_or(HEADER)? != MAGIC {
        return Err(KrlError::Magic);
    }
    let format = wire.u32().ok_or(HEADER)?;
    if format != FORMAT {
        return Err(KrlError::Format(format));
    }
    let version = wire.u64().ok_or(HEADER)?;
    let generated = wire.u64().ok_or(HEADER)?;
    if wire.u64().ok_or(HEADER)? != 0 {
        return Err(KrlError::Field("flags"));
    }
    if !wire.string().ok_or(HEADER)?.is_empty() {
        return Err(KrlError::Field("reserved field"));
    }
    let comment = std::str::from_utf8(wire.string().ok_or(HEADER)?).map_err(|_| KrlError::Comment)?;
    if comment.contains(char::is_control) {
        return Err(KrlError::Comment);
    }
    let revoked = sections(&mut wire)?;
    if version < least {
        return Err(KrlError::Older { found: version, least });
    }
    Ok(Summary { version, generated, comment: comment.to_owned(), revoked })
}

/// The sections of certificates, up to and with the closing entry.
fn sections(wire: &mut Wire<'_>) -> Result<BTreeMap<PublicKey, Vec<Run>>, KrlError> {
    let mut revoked = BTreeMap::new();
    loop {
        let Some(kind) = wire.u8() else { return Err(KrlError::Cut) };
        if kind != CERTIFICATES {
            return Err(KrlError::Section(kind));
        }
        let mut body = Wire::new(wire.string().ok_or(KrlError::Truncated("sections"))?);
        let ca = body.string().ok_or(KrlError::Truncated("CA's key"))?;
        if !body.string().ok_or(KrlError::Truncated("reserved field"))?.is_empty() {
            return Err(KrlError::Field("reserved field"));
        }
        if ca.is_empty() {
            closing(&mut body)?;
            return if wire.is_empty() { Ok(revoked) } else { Err(KrlError::Trailing) };
        }
        let ca = PublicKey::from_blob(ca).map_err(KrlError::Ca)?;
        if revoked.insert(ca, serials(&mut body)?).is_some() {
            return Err(KrlError::Field("list of CAs"));
        }
    }
}

/// The key id `jit:none`, alone.
fn closing(body: &mut Wire<'_>) -> Result<(), KrlError> {
    const PLACE: KrlError = KrlError::Truncated("closing entry");
    let kind = body.u8().ok_or(PLACE)?;
    if kind != KEY_ID {
        return Err(KrlError::Section(kind));
    }
    let mut ids = Wire::new(body.string().ok_or(PLACE)?);
    let id = ids.text().ok_or(PLACE)?;
    if id == NOBODY && ids.is_empty() && body.is_empty() { Ok(()) } else { Err(KrlError::Field("closing entry")) }
}

/// The serials of one CA, as rising runs.
fn serials(body: &mut Wire<'_>) -> Result<Vec<Run>, KrlError> {
    let mut found: Vec<Run> = Vec::new();
    while let Some(kind) = body.u8() {
        let mut wire = Wire::new(body.string().ok_or(KrlError::Truncated("serials"))?);
        match kind {
            SERIAL_LIST => {
                while !wire.is_empty() {
                    let serial = wire.u64().ok_or(KrlError::Truncated("list of serials"))?;
                    found.push((serial, serial));
                }
            }
            SERIAL_RANGE => {
                let first = wire.u64().ok_or(KrlError::Truncated("range of serials"))?;
                let last = wire.u64().ok_or(KrlError::Truncated("range of serials"))?;
                if first > last {
                    return Err(KrlError::Serials("a range"));
                }
                found.push((first, last));
            }
            SERIAL_BITMAP => bitmap(&mut wire, &mut found)?,
            other => return Err(KrlError::Section(other)),
        }
        if !wire.is_empty() {
            return Err(KrlError::Field("serials"));
        }
    }
    if found.is_empty() {
        return Err(KrlError::Field("list of CAs"));
    }
    found.sort_unstable();
    let mut joined: Vec<Run> = Vec::new();
    for (first, last) in found {
        match joined.last_mut() {
            // Our writer puts each serial into one section.
            Some((_, before)) if *before >= first => return Err(KrlError::Serials("a serial twice")),
            Some((_, before)) if before.checked_add(1) == Some(first) => *before = last,
            _ => joined.push((first, last)),
        }
    }
    match joined.first() {
        Some((0, _)) => Err(KrlError::SerialZero),
        _ => Ok(joined),
    }
}

fn bitmap(wire: &mut Wire<'_>, found: &mut Vec<Run>) -> Result<(), KrlError> {
    const PLACE: KrlError = KrlError::Truncated("bitmap of serials");
    const WRONG: KrlError = KrlError::Serials("a bitmap");
    let start = wire.u64().ok_or(PLACE)?;
    let number = wire.string().ok_or(PLACE)?;
    // RFC 4251: an mpint is negative where its first bit is set, and has no zero byte that it does not need.
    let number = match number {
        [0, rest @ ..] if rest.first().is_some_and(|byte| byte & 0x80 != 0) => rest,
        [first, ..] if (1..0x80).contains(first) => number,
        _ => return Err(WRONG),
    };
    if u64::try_from(number.len()).map_or(true, |bytes| bytes > MOST_BITS / 8) {
        return Err(WRONG);
    }
    for (index, byte) in number.iter().rev().enumerate() {
        for bit in 0..8 {
            let offset = u64::try_from(index).ok().and_then(|index| index.checked_mul(8)?.checked_add(bit));
            if byte & (1 << bit) != 0 {
                let serial = offset.and_then(|offset| start.checked_add(offset)).ok_or(WRONG)?;
                match found.last_mut() {
                    Some((_, last)) if last.checked_add(1) == Some(serial) => *last = serial,
                    _ => found.push((serial, serial)),
                }
            }
        }
    }
    // The offset is the first serial of the bitmap, or it would be longer than it need be.
    if number.last().is_some_and(|lowest| lowest & 1 == 1) { Ok(()) } else { Err(WRONG) }
}
