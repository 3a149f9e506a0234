//! Bringing a restored database up to date from an exported ledger, so that the same tree goes on.

use std::path::Path;

use super::folder::{read_file, verify};
use super::read::Logged;
use super::resource::{FULL, Resource};
use super::sequence::load;
use super::tree::{Tree, edge, for_root};
use super::{Checkpoint, Error, Forgery, Leaf, Ledger, TileId, bundle, leaf_hash, sql};
use crate::base::Timestamp;
use crate::store::Tx;

impl Ledger {
    /// Reads a ledger folder ([`Ledger::export`]) of which this database holds only the beginning, verifies all of it,
    /// puts the missing entries back and takes over its signed head. Answers with the entries put back, oldest first, so
    /// that the caller can do again what they record: erase, fence, revoke. Signs nothing. A folder that is not newer
    /// than the database changes nothing.
    pub async fn replay(&self, folder: &Path) -> Result<Vec<Logged>, Error> {
        let head = self.verified_head(folder).await?;
        let mut tx = self.0.db.begin().await?;
        let row = sql::lock_head(&mut tx).await?;
        let held = self.open_head(&row)?;
        if held.size() >= head.size() {
            return Ok(Vec::new());
        }
        let mut tree = Tree::of(held.size());
        load(&mut tx, &mut tree, edge(held.size()).into_iter().chain(for_root(held.size()))).await?;
        if tree.root(held.size())? != held.root() {
            return Err(Error::Forked { size: held.size() });
        }
        let back = put_back(&mut tx, &mut tree, folder, &head).await?;
        if tree.root(head.size())? != head.root() {
            return Err(Forgery::NotConsistent { old: held.size(), new: head.size() }.into());
        }
        for id in tree.take_changed() {
            sql::put_tile(&mut tx, id, tree.tile(id).unwrap_or_default()).await?;
        }
        let at = Timestamp::from_micros(self.0.clock.now().micros().max(row.at.micros()));
        sql::move_head(&mut tx, &row, head.size(), at, head.note()).await?;
        tx.commit().await?;
        self.checkpoint().await?;
        Ok(back)
    }

    async fn verified_head(&self, folder: &Path) -> Result<Checkpoint, Error> {
        let (folder, key) = (folder.to_owned(), self.0.key.verifier().clone());
        let read = tokio::task::spawn_blocking(move || {
            let mut read = |path: &str| read_file(&folder, path);
            let report = verify(&mut read, &key, None)?;
            if !report.is_sound() {
                return Err(Forgery::NotConsistent { old: 0, new: report.size }.into());
            }
            let note = read(&Resource::Checkpoint.to_string()).map_err(Error::StateFile)?;
            let note = String::from_utf8(note.ok_or(Error::NotFound)?);
            Checkpoint::open(&note.map_err(|_| Error::Malformed("a signed checkpoint"))?, &key)
        });
        read.await.map_err(|e| Error::StateFile(std::io::Error::other(e)))?
    }
}

async fn put_back(
    tx: &mut Tx,
    tree: &mut Tree,
    folder: &Path,
    head: &Checkpoint,
) -> Result<Vec<Logged>, Error> {
    let mut back = Vec::new();
    while tree.size() < head.size() {
        let n = tree.size() / u64::from(FULL);
        let width = TileId { level: 0, n }.width_in(head.size());
        let path = folder.join(Resource::Entries { n, width }.to_string());
        let bytes = tokio::fs::read(path).await.map_err(Error::StateFile)?;
        let skip = usize::try_from(tree.size() % u64::from(FULL)).unwrap_or(0);
        for entry in bundle::read(&bytes)?.into_iter().skip(skip) {
            let leaf = Leaf::parse(entry)?;
            let index = tree.size();
            sql::replay(tx, &leaf, entry, index).await?;
            tree.push(leaf_hash(entry))?;
            back.push(Logged { index, leaf, bytes: entry.to_vec() });
        }
        if tree.size() % u64::from(FULL) != 0 && tree.size() < head.size() {
            return Err(Error::Malformed("an entry bundle"));
        }
    }
    Ok(back)
}
