//! Taking entries into the tree and signing it. Order of things: lock the head, prove that the new tree contains the
//! head in the database and the head in the state file, sign, commit, write the state file, hand out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::publish::Shown;
use super::tree::{Tree, edge, for_consistency, for_root};
use super::{Checkpoint, Error, Ledger, TileId, leaf_hash, sql, state};
use crate::base::Timestamp;
use crate::store::{self, Tx};

/// Entries that one signature takes in at most; as many as one tile holds.
pub const BATCH: u16 = 256;
/// Batches that one call takes in at most, so that a call ends under any load.
const MOST_BATCHES: usize = 64;
const MOST_TRIES: usize = 5;
/// A clock this much behind the last signature is not to be trusted.
const LARGEST_STEP_BACK: i64 = 5 * 60 * 1_000_000;

impl Ledger {
    /// Takes the waiting entries into the tree, in batches of up to 256, and signs it. Answers with the new checkpoint,
    /// already remembered in the state file; none when nothing waited. Any number of processes may call it at once.
    /// Begins transactions of its own: never call it while holding one (on SQLite it would wait for itself).
    pub async fn sequence(&self) -> Result<Option<Checkpoint>, Error> {
        let _turn = self.0.turn.lock().await;
        let known = self.recall().await?;
        let mut newest = None;
        for _ in 0..MOST_BATCHES {
            let Some((checkpoint, taken)) = self.batch_with_retries(known.as_ref()).await? else { break };
            newest = Some(checkpoint);
            if taken < usize::from(BATCH) {
                break;
            }
        }
        if let Some(head) = &newest {
            self.vouch(head).await?;
        }
        Ok(newest)
    }

    async fn batch_with_retries(
        &self,
        known: Option<&Checkpoint>,
    ) -> Result<Option<(Checkpoint, usize)>, Error> {
        let mut tries = 1;
        loop {
            match self.batch(known).await {
                Err(Error::Store(store::Error::Busy)) if tries < MOST_TRIES => tries += 1,
                other => return other,
            }
        }
    }

    async fn batch(&self, known: Option<&Checkpoint>) -> Result<Option<(Checkpoint, usize)>, Error> {
        let known_size = known.map_or(0, Checkpoint::size);
        if sql::pending(&mut self.0.db.read().await?).await? == 0 {
            // A database that was replaced shows even when nothing waits in it.
            let held = self.held().await?;
            return if known_size > held { Err(Error::Behind { known: known_size, held }) } else { Ok(None) };
        }
        let mut tx = self.0.db.begin().await?;
        let row = sql::lock_head(&mut tx).await?;
        let head = self.open_head(&row)?;
        let old = head.size();
        if known_size > old {
            return Err(Error::Behind { known: known_size, held: old });
        }
        let now = self.time_after(row.at)?;
        let entries = sql::assign(&mut tx, old, BATCH).await?;
        if entries.is_empty() {
            return Ok(None);
        }
        let mut tree = Tree::of(old);
        load(&mut tx, &mut tree, edge(old).into_iter().chain(for_root(old))).await?;
        if tree.root(old)? != head.root() {
            return Err(Error::Forked { size: old });
        }
        for (_, leaf) in &entries {
            tree.push(leaf_hash(leaf))?;
        }
        contains(&mut tx, &mut tree, &head).await?;
        if let Some(known) = known {
            contains(&mut tx, &mut tree, known).await?;
        }
        let checkpoint = Checkpoint::sign(&self.0.key, tree.size(), tree.root(tree.size())?, now)?;
        for id in tree.take_changed() {
            sql::put_tile(&mut tx, id, tree.tile(id).unwrap_or_default()).await?;
        }
        sql::move_head(&mut tx, &row, checkpoint.size(), now, checkpoint.note()).await?;
        tx.commit().await?;
        Ok(Some((checkpoint, entries.len())))
    }

    /// The time of the next signature: later than the last one, whatever the clock says, unless it says something wild.
    fn time_after(&self, last: Timestamp) -> Result<Timestamp, Error> {
        let (now, last) = (self.0.clock.now().micros(), last.micros());
        if last.saturating_sub(now) > LARGEST_STEP_BACK {
            return Err(Error::ClockBehind);
        }
        Ok(Timestamp::from_micros(now.max(last.saturating_add(1))))
    }

    pub(super) fn open_head(&self, row: &sql::Head) -> Result<Checkpoint, Error> {
        let head = Checkpoint::open(&row.note, self.0.key.verifier())?;
        if head.size() == row.size {
            Ok(head)
        } else {
            Err(store::Error::inconsistent("ledger_head", "size").into())
        }
    }

    /// The newest checkpoint. Whatever leaves by this door is in the state file first, so that no restored database can
    /// make this ledger contradict what it has shown.
    pub async fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let row = sql::head(&mut self.0.db.read().await?).await?;
        let head = self.open_head(&row)?;
        self.vouch(&head).await?;
        Ok(head)
    }

    /// Whether the database is the one that signed the newest head known here: `Behind` if it was restored from a backup,
    /// `Forked` if it was changed. To be asked before the house opens.
    pub async fn standing(&self) -> Result<(), Error> {
        self.recall().await?;
        self.checkpoint().await.map(|_| ())
    }

    /// As [`Ledger::standing`], against a checkpoint of this ledger that was kept elsewhere: by a witness, in a bucket,
    /// in a receipt.
    pub async fn stands_by(&self, note: &str) -> Result<(), Error> {
        let theirs = Checkpoint::open(note, self.0.key.verifier())?;
        let ours = self.checkpoint().await?;
        self.extends(&ours, &theirs).await
    }

    pub(super) async fn extends(&self, head: &Checkpoint, earlier: &Checkpoint) -> Result<(), Error> {
        if earlier.size() > head.size() {
            return Err(Error::Behind { known: earlier.size(), held: head.size() });
        }
        let mut tx = self.0.db.read().await?;
        // Another sequencer may have let tiles grow since this head was read; only the newest tree's lengths are sure.
        let newest = self.open_head(&sql::head(&mut tx).await?)?;
        let mut tree = Tree::of(newest.size());
        let proof = proof_between(&mut tx, &mut tree, earlier.size(), head.size()).await?;
        proof.verify(earlier.root(), head.root()).map_err(|_| Error::Forked { size: earlier.size() })
    }

    /// Remembers a head that is about to be shown.
    async fn vouch(&self, head: &Checkpoint) -> Result<(), Error> {
        let mut known = Arc::clone(&self.0.known).lock_owned().await;
        if let Some(last) = known.as_ref() {
            if last == head {
                return Ok(());
            }
            if last.size() >= head.size() {
                // Two callers may come with two heads in either order; only contradiction is an error.
                let same = last.size() == head.size() && last.root() == head.root();
                let older = last.size() > head.size() && self.holds(last).await?;
                let behind = Error::Behind { known: last.size(), held: head.size() };
                return if same || older { Ok(()) } else { Err(behind) };
            }
            self.extends(head, last).await?;
        }
        // Published before it is remembered: no head is ever known here whose entries are in the database alone.
        self.publish(head, known.as_ref().map_or(0, Checkpoint::size)).await?;
        let (file, head) = (self.0.file.clone(), head.clone());
        // The lock goes with the write: a caller that gives up half-way cannot let an older head overwrite a newer one.
        blocking(move || {
            state::write(&file, head.note())?;
            *known = Some(head);
            Ok(())
        })
        .await
    }

    /// Whether the database has got as far as this head by now.
    async fn holds(&self, head: &Checkpoint) -> Result<bool, Error> {
        Ok(sql::head(&mut self.0.db.read().await?).await?.size >= head.size())
    }

    /// The newest head known here, read from its files again: another process may have written them, or somebody may
    /// have put there what they kept.
    pub(super) async fn recall(&self) -> Result<Option<Checkpoint>, Error> {
        let mut known = self.0.known.lock().await;
        let mut files = vec![self.0.file.clone()];
        files.extend(self.0.published.iter().flat_map(|p| p.kept.iter().cloned()));
        let notes = blocking(move || files.iter().map(|f| state::read(f)).collect::<Result<Vec<_>, _>>());
        let mut filed = Vec::new();
        for note in notes.await?.into_iter().flatten() {
            filed.push(Checkpoint::open(&note, self.0.key.verifier())?);
        }
        match self.shown().await? {
            Shown::Head(head) => filed.push(head),
            // What was published is remembered here as well; the file is written anew with the next head, or within a day.
            Shown::Rotten(_) if known.is_some() || !filed.is_empty() => {}
            Shown::Rotten(why) => return Err(why),
            Shown::Nothing => {}
        }
        for head in filed {
            if known.as_ref().is_none_or(|k| k.size() < head.size()) {
                *known = Some(head);
            }
        }
        Ok(known.clone())
    }

    /// Reads the state file at the start and gives a new database its first, empty head.
    pub(super) async fn begin(&self) -> Result<(), Error> {
        self.recall().await?;
        let now = self.0.clock.now();
        let empty = Checkpoint::sign(&self.0.key, 0, tlog_tiles::EMPTY_HASH, now)?;
        let mut tx = self.0.db.begin().await?;
        sql::init_head(&mut tx, now, empty.note()).await?;
        tx.commit().await?;
        Ok(())
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(std::io::Error::other).flatten().map_err(Error::StateFile)
}

/// Reads the tiles that are not held yet. A tile that is missing or of the wrong length is a forked tree.
pub(super) async fn load(
    tx: &mut Tx,
    tree: &mut Tree,
    tiles: impl IntoIterator<Item = TileId>,
) -> Result<(), Error> {
    let missing: BTreeSet<_> = tiles.into_iter().filter(|id| !tree.holds(*id)).collect();
    for id in missing {
        let hashes = sql::tile(tx, id).await?.unwrap_or_default();
        if !tree.hold(id, hashes) {
            return Err(Error::Forked { size: tree.size() });
        }
    }
    Ok(())
}

pub(super) async fn proof_between(
    tx: &mut Tx,
    tree: &mut Tree,
    old: u64,
    new: u64,
) -> Result<super::ConsistencyProof, Error> {
    load(tx, tree, for_consistency(old, new)).await?;
    tree.consistency(old, new)
}

/// Proves that the tree contains what was signed before.
async fn contains(tx: &mut Tx, tree: &mut Tree, earlier: &Checkpoint) -> Result<(), Error> {
    let new = tree.size();
    let proof = proof_between(tx, tree, earlier.size(), new).await?;
    proof.verify(earlier.root(), tree.root(new)?).map_err(|_| Error::Forked { size: earlier.size() })
}
