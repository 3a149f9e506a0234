//! The store that lives in memory: for tests, with failures to order.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::error::Error;
use super::key::{BlobKey, KeyPrefix};
use super::model::{Body, Deleted, Head, Listed, Source, cut};
use crate::base::{Clock, Timestamp};

/// A failure that a test orders for the next write or deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens, and the answer is [`Error::Unavailable`].
    Lost,
    /// It happens, and the answer is [`Error::Unavailable`] all the same.
    AppliedButUnknown,
    /// Nothing happens, and the answer is [`Error::Full`].
    Full,
}

/// A handle on the blobs in memory; clones share them.
#[derive(Debug, Clone)]
pub struct Memory {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    blobs: BTreeMap<BlobKey, (Bytes, Timestamp)>,
    faults: VecDeque<Fault>,
}

impl Memory {
    /// An empty store.
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Arc::default() }
    }

    /// Makes the next write or deletion that has no fault yet fail so.
    pub fn fail_next(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// All keys, in order: what a test compares with the rows.
    pub fn keys(&self) -> Vec<BlobKey> {
        self.state().blobs.keys().copied().collect()
    }

    /// The bytes under a key, for a test that looks for canaries.
    pub fn bytes(&self, key: &BlobKey) -> Option<Bytes> {
        self.state().blobs.get(key).map(|(bytes, _)| bytes.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a change under the next fault.
    fn change<T>(&self, apply: impl FnOnce(&mut State) -> Result<T, Error>) -> Result<T, Error> {
        let mut state = self.state();
        let fault = state.faults.pop_front();
        match fault {
            None => apply(&mut state),
            Some(Fault::Full) => Err(Error::Full),
            Some(Fault::Lost) => Err(Error::Unavailable("ordered by the test".to_owned())),
            Some(Fault::AppliedButUnknown) => {
                apply(&mut state)?;
                Err(Error::Unavailable("ordered by the test".to_owned()))
            }
        }
    }

    pub(super) async fn put(&self, key: &BlobKey, body: Source<'_>) -> Result<u64, Error> {
        let whole = body.try_fold(Vec::new(), |mut all, chunk| async move {
            all.extend_from_slice(&chunk);
            Ok(all)
        });
        let whole = Bytes::from(whole.await?);
        let now = self.clock.now();
        self.change(|state| {
            if state.blobs.contains_key(key) {
                return Err(Error::Exists);
            }
            let len = whole.len() as u64;
            state.blobs.insert(*key, (whole, now));
            Ok(len)
        })
    }

    pub(super) fn get(&self, key: &BlobKey, range: Option<&Range<u64>>) -> Result<Body, Error> {
        let bytes = self.bytes(key).ok_or(Error::NotFound)?;
        let total = bytes.len() as u64;
        let (start, len) = cut(range, total)?;
        let narrow = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let part = bytes.slice(narrow(start)..narrow(start + len));
        Ok(Body::new(len, total, stream::iter([Ok(part)]).boxed()))
    }

    pub(super) fn head(&self, key: &BlobKey) -> Result<Head, Error> {
        let state = self.state();
        let (bytes, modified) = state.blobs.get(key).ok_or(Error::NotFound)?;
        Ok(Head { len: bytes.len() as u64, modified: *modified })
    }

    pub(super) fn delete(&self, key: &BlobKey) -> Result<Deleted, Error> {
        self.change(|state| Ok(Deleted { was_there: state.blobs.remove(key).is_some() }))
    }

    pub(super) fn page(&self, prefix: &KeyPrefix, after: &str, limit: usize) -> Vec<Listed> {
        let state = self.state();
        let rest = state.blobs.iter().filter(|(key, _)| prefix.covers(key) && key.path().as_str() > after);
        rest.take(limit)
            .map(|(key, (bytes, modified))| Listed {
                key: *key,
                len: bytes.len() as u64,
                modified: *modified,
            })
            .collect()
    }
}
