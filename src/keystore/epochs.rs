//! Epoch keys: one a period, each a small file wrapped by a seal, in a folder that no backup may touch and that every
//! replica shares. A copy of the keystore's database is dead once the epoch it was written under is destroyed.
//!
//! What a process holds of them in memory is a view: looked at anew after ten seconds, and at once when a row names an
//! epoch that is not in it; worth nothing after thirty.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::TimeDelta;
use futures_util::FutureExt as _;

use super::epoch_file::{self, EpochFile};
use super::seals::Binding;
use super::{Error, Seal, SealKey, SealKind, Seals, key_file};
use crate::base::{Entropy, Timestamp};
use crate::crypto::{Fingerprint, Key};

/// When the folder is looked at again.
const FRESH: TimeDelta = TimeDelta::seconds(10);
/// How long a view may serve while the folder cannot be read. No key is used longer than this after it was destroyed.
const LIFE: TimeDelta = TimeDelta::seconds(30);

/// An epoch that is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// Its number, counted from 1.
    pub number: i64,
    /// When it began.
    pub since: Timestamp,
    /// The seals its key is wrapped by: one, or two while it moves from one to another.
    pub seals: Vec<String>,
}

#[derive(Clone)]
pub(super) struct EpochKey {
    pub(super) number: i64,
    pub(super) key: Key,
    pub(super) known_by: Fingerprint,
}

/// Told the name of each step of a change to the epoch store just before it is done: what a crash drill uses to end it there.
pub type Steps = Arc<dyn Fn(&'static str) -> io::Result<()> + Send + Sync>;

struct View {
    alive: BTreeMap<i64, (EpochKey, Epoch)>,
    /// Why some epoch in the folder is not among them.
    missing: Option<Error>,
    mark: [u8; 32],
    at: Timestamp,
}

/// The epoch store, and the epoch keys alive, unwrapped in memory. Cheap to clone; clones share.
#[derive(Clone)]
pub struct Epochs {
    folder: PathBuf,
    installation: String,
    seals: Seals,
    view: Arc<RwLock<Arc<View>>>,
    looking: Arc<tokio::sync::Mutex<()>>,
    steps: Steps,
}

impl std::fmt::Debug for Epochs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Epochs").field("alive", &self.alive()).finish_non_exhaustive()
    }
}

impl Epochs {
    /// Opens the epoch store under a seal key in hand, and begins epoch 1 when it is empty.
    pub fn open(folder: &Path, seal: SealKey, now: Timestamp, entropy: &Entropy) -> Result<Self, Error> {
        let seals = Seals::new(vec![Seal::key(SealKind::Given, seal)]);
        // A key in hand never waits for anything.
        Self::open_with(folder, seals, "", now, entropy).now_or_never().ok_or(Error::Damaged)?
    }

    /// Opens the epoch store of an installation under whatever seals it has, and begins epoch 1 when it is empty. Fails
    /// when an epoch cannot be unwrapped: a service without one of its epochs could not read what lies under it.
    pub async fn open_with(
        folder: &Path,
        seals: Seals,
        installation: &str,
        now: Timestamp,
        entropy: &Entropy,
    ) -> Result<Self, Error> {
        key_file::make_folder(folder).map_err(Error::Epochs)?;
        let nothing = View { alive: BTreeMap::new(), missing: None, mark: [0; 32], at: now };
        let epochs = Self {
            folder: folder.to_owned(),
            installation: installation.to_owned(),
            seals,
            view: Arc::new(RwLock::new(Arc::new(nothing))),
            looking: Arc::default(),
            steps: Arc::new(|_| Ok(())),
        };
        let (files, mark) = epoch_file::read_folder(folder)?;
        if files.is_empty() {
            let seal = epochs.seals.first()?;
            seal.look().await.map_err(|fault| Error::Seal { seal: seal.id().to_owned(), fault })?;
            epochs.begin(now, entropy).await?;
            return Ok(epochs);
        }
        let view = epochs.unwrapped(files, mark, now).await;
        if let Some(why) = view.missing {
            return Err(why);
        }
        epochs.put(view);
        Ok(epochs)
    }

    /// Whether a folder holds no epoch: nothing was ever sealed there, or it is not mounted.
    pub fn are_none_in(folder: &Path) -> Result<bool, Error> {
        match epoch_file::read_folder(folder) {
            Ok((files, _)) => Ok(files.is_empty()),
            Err(Error::Epochs(e)) if e.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(e) => Err(e),
        }
    }

    /// The same store, with somebody who is told of each step of a change and may end it there.
    #[must_use]
    pub fn watched(mut self, steps: Steps) -> Self {
        self.steps = steps;
        self
    }

    /// The epochs alive, oldest first, as last seen.
    pub fn alive(&self) -> Vec<Epoch> {
        self.seen().alive.values().map(|(_, epoch)| epoch.clone()).collect()
    }

    /// The keys of the epochs alive, as last seen.
    pub(super) fn keys(&self) -> Vec<Key> {
        self.seen().alive.values().map(|(epoch, _)| epoch.key.clone()).collect()
    }

    /// The seals that are configured.
    pub fn seals(&self) -> &Seals {
        &self.seals
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn steps(&self) -> &Steps {
        &self.steps
    }

    /// The newest epoch: what new keys are wrapped under.
    pub(super) async fn current(&self, now: Timestamp) -> Result<EpochKey, Error> {
        let view = self.fresh(now).await?;
        view.alive.values().next_back().map(|(key, _)| key.clone()).ok_or(Error::Damaged)
    }

    /// An epoch by its number. [`Error::EpochAway`] when the folder does not show it.
    pub(super) async fn get(&self, number: i64, now: Timestamp) -> Result<EpochKey, Error> {
        let view = self.fresh(now).await?;
        if let Some((key, _)) = view.alive.get(&number) {
            return Ok(key.clone());
        }
        // Begun by another process a moment ago, or dead.
        self.look(now).await?;
        let view = self.seen();
        match (view.alive.get(&number), &view.missing) {
            (Some((key, _)), _) => Ok(key.clone()),
            (None, Some(Error::Seal { seal, fault })) => {
                Err(Error::Seal { seal: seal.clone(), fault: *fault })
            }
            (None, Some(_)) => Err(Error::Damaged),
            (None, None) => Err(Error::EpochAway),
        }
    }

    /// Whether every epoch in the folder can be opened now.
    pub(super) async fn are_all_open(&self, now: Timestamp) -> Result<bool, Error> {
        self.look(now).await?;
        Ok(self.seen().missing.is_none())
    }

    /// Reads the folder anew, and forgets what is no longer in it.
    pub(super) async fn look(&self, now: Timestamp) -> Result<(), Error> {
        let _one_at_a_time = self.looking.lock().await;
        let folder = self.folder.clone();
        let read = tokio::task::spawn_blocking(move || epoch_file::read_folder(&folder)).await;
        let (files, mark) = read.map_err(|e| Error::Epochs(io::Error::other(e)))??;
        if files.is_empty() {
            // No living installation has none: the folder is not mounted.
            return Err(Error::OtherEpochs("it holds no epoch at all"));
        }
        let seen = self.seen();
        if mark == seen.mark && seen.missing.is_none() {
            let alive = seen.alive.clone();
            self.put(View { alive, missing: None, mark, at: now });
            return Ok(());
        }
        let view = self.unwrapped(files, mark, now).await;
        if let Some(why) = &view.missing {
            tracing::error!(error = %why, "a key epoch cannot be opened");
        }
        self.put(view);
        Ok(())
    }

    async fn fresh(&self, now: Timestamp) -> Result<Arc<View>, Error> {
        let view = self.seen();
        let age = now.since(view.at);
        // A clock that went back says nothing about how old it is.
        if age >= TimeDelta::zero() && age < FRESH {
            return Ok(view);
        }
        match self.look(now).await {
            Ok(()) => Ok(self.seen()),
            Err(e) if age >= TimeDelta::zero() && age < LIFE => {
                tracing::warn!(error = %e, "the epoch store cannot be read; what was seen serves for a moment");
                Ok(view)
            }
            Err(e) => Err(e),
        }
    }

    fn seen(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, view: View) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }

    /// The view of what lies in the folder. A key that is in memory already is not asked of a seal again.
    async fn unwrapped(&self, files: Vec<EpochFile>, mark: [u8; 32], at: Timestamp) -> View {
        let before = self.seen();
        let mut view = View { alive: BTreeMap::new(), missing: None, mark, at };
        for file in files {
            let held = before.alive.get(&file.number).map(|(key, _)| key.clone());
            let held = held.filter(|key| file.known_by == Some(key.known_by));
            let key = match held {
                Some(key) => Ok(key),
                None => self.unwrap(&file).await,
            };
            match key {
                Ok(key) => {
                    let seals = file.seals().into_iter().map(str::to_owned).collect();
                    let epoch = Epoch { number: file.number, since: file.since, seals };
                    view.alive.insert(file.number, (key, epoch));
                }
                Err(why) => view.missing = Some(why),
            }
        }
        view
    }

    pub(super) fn binding(&self, number: i64, since: Timestamp) -> Binding {
        Binding { installation: self.installation.clone(), epoch: number, since }
    }

    /// The key of an epoch file, from the first of its seals that gives it.
    pub(super) async fn unwrap(&self, file: &EpochFile) -> Result<EpochKey, Error> {
        let mut why = Error::Damaged;
        for (id, wrapped) in &file.wraps {
            let tried = match id {
                Some(id) => self.unwrap_by(self.seals.by_id(id), wrapped, file).await,
                None => self.unwrap_nameless(wrapped, file).await,
            };
            match tried {
                Ok(key) => return Ok(key),
                Err(e) => why = e,
            }
        }
        Err(why)
    }

    async fn unwrap_by(
        &self,
        seal: Result<&Seal, Error>,
        wrapped: &[u8],
        file: &EpochFile,
    ) -> Result<EpochKey, Error> {
        let key = seal?.unwrap(wrapped, &self.binding(file.number, file.since)).await?;
        let known_by = epoch_file::known_by(file.number, &key);
        if file.known_by.is_some_and(|expected| expected != known_by) {
            return Err(Error::Damaged);
        }
        Ok(EpochKey { number: file.number, key, known_by })
    }

    /// The first form of file names no seal; then there were only keys in hand.
    async fn unwrap_nameless(&self, wrapped: &[u8], file: &EpochFile) -> Result<EpochKey, Error> {
        let in_hand = |s: &&Seal| matches!(s.kind(), SealKind::File | SealKind::Given);
        for seal in self.seals.all().iter().filter(in_hand) {
            if let Ok(key) = self.unwrap_by(Ok(seal), wrapped, file).await {
                return Ok(key);
            }
        }
        Err(Error::Damaged)
    }

    /// The seals that a new epoch is wrapped by: those of the newest one, so that a move from one to another is not
    /// undone by an epoch that begins in the middle of it.
    fn seals_in_use(&self) -> Result<Vec<&Seal>, Error> {
        let view = self.seen();
        let ids = view.alive.values().next_back().map(|(_, epoch)| epoch.seals.clone()).unwrap_or_default();
        if ids.is_empty() {
            return Ok(vec![self.seals.first()?]);
        }
        ids.iter().map(|id| self.seals.by_id(id)).collect()
    }

    /// Begins an epoch. When another process began the same one first, theirs is it.
    pub(super) async fn begin(&self, now: Timestamp, entropy: &Entropy) -> Result<i64, Error> {
        let number = self.seen().alive.keys().next_back().map_or(1, |n| n + 1);
        let key = Key::generate(entropy);
        let known_by = epoch_file::known_by(number, &key);
        let binding = self.binding(number, now);
        let mut wraps = Vec::new();
        for seal in self.seals_in_use()? {
            wraps.push((Some(seal.id().to_owned()), seal.wrap(&key, &binding, entropy).await?));
        }
        let file = EpochFile { number, since: now, known_by: Some(known_by), wraps };
        epoch_file::create(&self.folder, number, &file.text(known_by), entropy, &*self.steps)
            .map_err(Error::Epochs)?;
        let (files, mark) = epoch_file::read_folder(&self.folder)?;
        let mut view = self.unwrapped(files, mark, now).await;
        if let Some(why) = view.missing.take() {
            return Err(why);
        }
        self.put(view);
        Ok(number)
    }

    /// Clears away what changes that were cut short left; for whoever has the turn.
    pub(super) fn sweep(&self) -> Result<(), Error> {
        epoch_file::sweep(&self.folder).map_err(Error::Epochs)
    }

    /// Destroys an epoch's key on the disk and in memory.
    pub(super) async fn destroy(&self, number: i64, now: Timestamp) -> Result<(), Error> {
        epoch_file::destroy(&self.folder, number, &*self.steps).map_err(Error::Epochs)?;
        self.look(now).await
    }
}
