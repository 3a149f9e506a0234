//! Bringing a restored database up to date from an exported ledger, so that the same tree goes on.

use std::path::Path;

use super::folder::{read_file, verify};
use super::read::Logged;
use super::resource::{FULL, Resource};
use super::sequence::load;
use super::tree::{Tree, edge, for_root};
use super::{Checkpoint, Error, Forgery, Leaf, Ledger, TileId, VerifierKey, bundle, leaf_hash, sql};
use crate::base::Timestamp;
use crate::store::Tx;

impl Ledger {
    /// The entries of an exported ledger ([`Ledger::export`]) that this database lacks, oldest first. The whole folder is
    /// verified, and that it continues this database. Changes nothing: the caller first does again what these entries
    /// record (erase, fence, revoke), each in a way that may be repeated, and then calls [`Ledger::replay`]. A crash
    /// between the two loses nothing.
    pub async fn missing(&self, folder: &Path) -> Result<Vec<Logged>, Error> {
        let newest = self.newest_of(folder).await?;
        let mut tx = self.0.db.read().await?;
        let row = sql::head(&mut tx).await?;
        let mut tree = self.tree_at(&mut tx, &row).await?;
        self.beyond(&mut tree, folder, &newest).await
    }

    /// Puts the missing entries back and takes over the folder's signed head. Signs nothing. Refused as `Behind` when a
    /// head newer than the folder's is known. Answers with the number of entries put back.
    pub async fn replay(&self, folder: &Path) -> Result<usize, Error> {
        let newest = self.newest_of(folder).await?;
        let mut tx = self.0.db.begin().await?;
        let row = sql::lock_head(&mut tx).await?;
        let mut tree = self.tree_at(&mut tx, &row).await?;
        let missing = self.beyond(&mut tree, folder, &newest).await?;
        if missing.is_empty() {
            return Ok(0);
        }
        for entry in &missing {
            sql::replay(&mut tx, &entry.leaf, &entry.bytes, entry.index).await?;
        }
        for id in tree.take_changed() {
            sql::put_tile(&mut tx, id, tree.tile(id).unwrap_or_default()).await?;
        }
        let at = Timestamp::from_micros(self.0.clock.now().micros().max(row.at.micros()));
        sql::move_head(&mut tx, &row, newest.size(), at, newest.note()).await?;
        tx.commit().await?;
        self.checkpoint().await?;
        Ok(missing.len())
    }

    /// The tree of the database as far as it takes to let it grow, checked against its signed head.
    async fn tree_at(&self, tx: &mut Tx, row: &sql::Head) -> Result<Tree, Error> {
        let held = self.open_head(row)?;
        let size = held.size();
        let mut tree = Tree::of(size);
        load(tx, &mut tree, edge(size).into_iter().chain(for_root(size))).await?;
        if tree.root(size)? == held.root() { Ok(tree) } else { Err(Error::Forked { size }) }
    }

    /// Lets the tree grow by the folder's entries up to its head, and proves that it is the folder's tree.
    async fn beyond(
        &self,
        tree: &mut Tree,
        folder: &Path,
        newest: &Checkpoint,
    ) -> Result<Vec<Logged>, Error> {
        let old = tree.size();
        let missing = read_from(tree, folder, newest.size()).await?;
        if old <= newest.size() && tree.root(newest.size())? != newest.root() {
            return Err(Forgery::NotConsistent { old, new: newest.size() }.into());
        }
        Ok(missing)
    }

    /// The folder's head, after everything in the folder was verified and nothing newer is known here.
    async fn newest_of(&self, folder: &Path) -> Result<Checkpoint, Error> {
        let (path, key) = (folder.to_owned(), self.0.key.verifier().clone());
        let newest = tokio::task::spawn_blocking(move || verified_head(&path, &key))
            .await
            .map_err(|e| Error::StateFile(std::io::Error::other(e)))??;
        match self.recall().await? {
            Some(known) if known.size() > newest.size() => {
                Err(Error::Behind { known: known.size(), held: newest.size() })
            }
            _ => Ok(newest),
        }
    }
}

fn verified_head(folder: &Path, key: &VerifierKey) -> Result<Checkpoint, Error> {
    let mut read = |path: &str| read_file(folder, path);
    let report = verify(&mut read, key, None)?;
    if !report.is_sound() {
        return Err(Forgery::NotConsistent { old: 0, new: report.size }.into());
    }
    let note = read(&Resource::Checkpoint.to_string()).map_err(Error::StateFile)?.ok_or(Error::NotFound)?;
    Checkpoint::open(&String::from_utf8(note).map_err(|_| Error::Malformed("a signed checkpoint"))?, key)
}

async fn read_from(tree: &mut Tree, folder: &Path, to: u64) -> Result<Vec<Logged>, Error> {
    let mut found = Vec::new();
    while tree.size() < to {
        let n = tree.size() / u64::from(FULL);
        let width = TileId { level: 0, n }.width_in(to);
        let path = folder.join(Resource::Entries { n, width }.to_string());
        let bytes = tokio::fs::read(path).await.map_err(Error::StateFile)?;
        let skip = usize::try_from(tree.size() % u64::from(FULL)).unwrap_or(0);
        let entries = bundle::read(&bytes)?;
        if entries.len() != usize::from(width) {
            return Err(Error::Malformed("an entry bundle"));
        }
        for entry in entries.into_iter().skip(skip) {
            let (index, leaf) = (tree.size(), Leaf::parse(entry)?);
            tree.push(leaf_hash(entry))?;
            found.push(Logged { index, leaf, bytes: entry.to_vec() });
        }
    }
    Ok(found)
}
