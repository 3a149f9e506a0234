//! The bytes of a ZIP around its files (PKWARE APPNOTE 6.3.10), for files that are stored as they are and whose length
//! and CRC-32 are known beforehand: no data descriptor, no flag, ZIP64 where a number does not fit. The `zip` crate
//! writes the same bytes, but only from the beginning and by reading every file; `docs/decisions/0002-archive-room.md`
//! says why that is not enough, and a test holds the two equal.

use chrono::{Datelike, Timelike};

use crate::base::Timestamp;

const STORED_NEEDS: u16 = 10;
const ZIP64_NEEDS: u16 = 45;
/// Made on Unix: the upper byte of "version made by".
const UNIX: u16 = 3 << 8;
/// A regular file, `rw-r--r--`, in the upper half of the external attributes.
const REGULAR_FILE: u32 = 0o100_644 << 16;
const MAX32: u64 = 0xffff_ffff;
const MAX16: u64 = 0xffff;

/// A time as ZIP tells it, to two seconds, between 1980 and 2107.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    time: u16,
    date: u16,
}

impl Stamp {
    /// `at` in UTC, clamped into what ZIP can express (F14).
    pub(super) fn new(at: Timestamp) -> Self {
        let t = at.to_utc();
        match t.year() {
            ..1980 => Self::packed([1980, 1, 1], [0, 0, 0]),
            2108.. => Self::packed([2107, 12, 31], [23, 59, 58]),
            year => {
                Self::packed([year.unsigned_abs(), t.month(), t.day()], [t.hour(), t.minute(), t.second()])
            }
        }
    }

    /// Seven bits of years since 1980, four of month, five of day; five of hour, six of minute, five of two seconds.
    fn packed([year, month, day]: [u32; 3], [hour, minute, second]: [u32; 3]) -> Self {
        let fit = |n: u32| u16::try_from(n).unwrap_or(0);
        Self {
            time: fit((hour << 11) | (minute << 5) | (second / 2)),
            date: fit((year.saturating_sub(1980) << 9) | (month << 5) | day),
        }
    }
}

/// A file as its headers tell it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    /// An ASCII path.
    pub(super) path: &'a str,
    /// Its bytes.
    pub(super) len: u64,
    /// Their CRC-32.
    pub(super) crc32: u32,
    /// Where its local header begins.
    pub(super) at: u64,
    /// The time of the archive.
    pub(super) stamp: Stamp,
}

impl Entry<'_> {
    fn is_large(&self) -> bool {
        self.len >= MAX32
    }

    fn is_far(&self) -> bool {
        self.at >= MAX32
    }

    /// Length of the local header.
    pub(super) fn local_len(&self) -> u64 {
        30 + length(self.path) + if self.is_large() { 20 } else { 0 }
    }

    /// Length of the central header.
    pub(super) fn central_len(&self) -> u64 {
        46 + length(self.path) + u64::from(self.extra_len())
    }

    fn extra_len(&self) -> u16 {
        match (self.is_large(), self.is_far()) {
            (false, false) => 0,
            (true, false) => 4 + 16,
            (false, true) => 4 + 8,
            (true, true) => 4 + 24,
        }
    }

    fn needs(&self) -> u16 {
        if self.is_large() || self.is_far() { ZIP64_NEEDS } else { STORED_NEEDS }
    }

    /// The header before the file's bytes.
    pub(super) fn local(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        put32(&mut out, 0x0403_4b50);
        put16(&mut out, if self.is_large() { ZIP64_NEEDS } else { STORED_NEEDS });
        self.shared(&mut out);
        put16(&mut out, if self.is_large() { 20 } else { 0 });
        out.extend_from_slice(self.path.as_bytes());
        if self.is_large() {
            put16(&mut out, 1);
            put16(&mut out, 16);
            put64(&mut out, self.len);
            put64(&mut out, self.len);
        }
        out
    }

    /// The header in the directory at the end.
    pub(super) fn central(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        put32(&mut out, 0x0201_4b50);
        put16(&mut out, UNIX | self.needs());
        put16(&mut out, self.needs());
        self.shared(&mut out);
        put16(&mut out, self.extra_len());
        // No comment, first disk, no internal attributes.
        out.extend_from_slice(&[0; 6]);
        put32(&mut out, REGULAR_FILE);
        put32(&mut out, capped32(self.at));
        out.extend_from_slice(self.path.as_bytes());
        if let Some(body) = self.extra_len().checked_sub(4) {
            put16(&mut out, 1);
            put16(&mut out, body);
            if self.is_large() {
                put64(&mut out, self.len);
                put64(&mut out, self.len);
            }
            if self.is_far() {
                put64(&mut out, self.at);
            }
        }
        out
    }

    /// From the flags to the length of the name: the same in both headers.
    fn shared(&self, out: &mut Vec<u8>) {
        // Flags: none, an ASCII name is UTF-8 already. Method: stored.
        put32(out, 0);
        put16(out, self.stamp.time);
        put16(out, self.stamp.date);
        put32(out, self.crc32);
        put32(out, capped32(self.len));
        put32(out, capped32(self.len));
        put16(out, capped16(length(self.path)));
    }
}

/// What closes an archive of `count` files whose directory of `len` bytes begins at `at`.
pub(super) fn end(count: u64, at: u64, len: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(98);
    if count >= MAX16 || at >= MAX32 || len >= MAX32 {
        put32(&mut out, 0x0606_4b50);
        put64(&mut out, 44);
        put16(&mut out, UNIX | ZIP64_NEEDS);
        put16(&mut out, ZIP64_NEEDS);
        put64(&mut out, 0);
        put64(&mut out, count);
        put64(&mut out, count);
        put64(&mut out, len);
        put64(&mut out, at);
        put32(&mut out, 0x0706_4b50);
        put32(&mut out, 0);
        put64(&mut out, at.saturating_add(len));
        put32(&mut out, 1);
    }
    put32(&mut out, 0x0605_4b50);
    put32(&mut out, 0);
    put16(&mut out, capped16(count));
    put16(&mut out, capped16(count));
    put32(&mut out, capped32(len));
    put32(&mut out, capped32(at));
    put16(&mut out, 0);
    out
}

fn length(path: &str) -> u64 {
    path.len() as u64
}

fn capped16(n: u64) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

fn capped32(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn put16(out: &mut Vec<u8>, n: u16) {
    out.extend_from_slice(&n.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, n: u32) {
    out.extend_from_slice(&n.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, n: u64) {
    out.extend_from_slice(&n.to_le_bytes());
}
