//! Checking the stored ledger against itself: every entry is hashed again, every tile and checkpoint compared.

use super::folder::{Fault, Report};
use super::tree::Tree;
use super::{Checkpoint, Error, Leaf, Ledger, TileId, leaf_hash, sql};
use crate::base::TenantId;
use crate::store::Tx;

/// Rows read at once; as many as one tile of leaf hashes holds.
const STEP: u64 = 256;

/// What a pass over the ledger carries along.
struct Pass {
    tree: Tree,
    report: Report,
    /// Entries whose stored leaf hash is another. Whether the entry or the tile is wrong shows at the end.
    suspects: Vec<u64>,
    /// Tiles that differ from the tree computed anew.
    differing: Vec<TileId>,
    /// The smallest signed size from which on the entries are not those that were signed for.
    parted: Option<u64>,
}

impl Ledger {
    /// Computes the whole tree again from the entries and compares it with the tiles, with every checkpoint ever signed
    /// and with the columns beside the entries. Reads only; costs a pass over all entries.
    pub async fn fsck(&self) -> Result<Report, Error> {
        let mut tx = self.0.db.read().await?;
        let head = self.open_head(&sql::head(&mut tx).await?)?;
        let mut pass = Pass {
            tree: Tree::of(0),
            report: Report::new(&head),
            suspects: Vec::new(),
            differing: Vec::new(),
            parted: None,
        };
        while pass.tree.size() < head.size() {
            let from = pass.tree.size();
            let to = (from + STEP).min(head.size());
            if let Some(missing) = self.hash_rows(&mut tx, &mut pass, from, to).await? {
                pass.report.fault(Fault::EntryMissing { seq: missing });
                return Ok(pass.report);
            }
            self.check_checkpoints(&mut tx, &mut pass, from, to).await?;
            for (id, hashes) in pass.tree.take_full() {
                compare(&mut tx, &mut pass, id, &hashes).await?;
            }
        }
        if pass.tree.root(head.size())? != head.root() {
            pass.parted = pass.parted.or(Some(head.size()));
        }
        let rest = std::mem::replace(&mut pass.tree, Tree::of(0));
        for (id, hashes) in rest.into_tiles() {
            compare(&mut tx, &mut pass, id, &hashes).await?;
        }
        if sql::beyond(&mut tx, head.size()).await? > 0
            && self.open_head(&sql::head(&mut tx).await?)?.size() == head.size()
        {
            pass.report.fault(Fault::Beyond { size: head.size() });
        }
        Ok(judge(pass))
    }

    /// Hashes a stretch of rows; answers with the number of one that is missing.
    async fn hash_rows(
        &self,
        tx: &mut Tx,
        pass: &mut Pass,
        from: u64,
        to: u64,
    ) -> Result<Option<u64>, Error> {
        let stored = sql::tile(tx, TileId { level: 0, n: from / STEP }).await?.unwrap_or_default();
        for (i, row) in sql::rows(tx, from, to).await?.iter().enumerate() {
            let seq = pass.tree.size();
            if row.0 != sql::signed(seq) {
                return Ok(Some(seq));
            }
            let hash = leaf_hash(&row.1);
            if stored.get(i * 32..i * 32 + 32).is_some_and(|s| s != hash.0) {
                pass.suspects.push(seq);
            }
            if !agrees(row) {
                pass.report.fault(Fault::ColumnsDiffer { seq });
            }
            pass.tree.push(hash)?;
            pass.report.entries += 1;
        }
        Ok((pass.tree.size() < to).then_some(pass.tree.size()))
    }

    async fn check_checkpoints(&self, tx: &mut Tx, pass: &mut Pass, from: u64, to: u64) -> Result<(), Error> {
        for (size, note) in sql::checkpoints(tx, from, to).await? {
            let size = sql::unsigned(size, "size")?;
            pass.report.checkpoints += 1;
            match Checkpoint::open(&note, self.0.key.verifier()) {
                Ok(c) if c.size() == size => {
                    if c.root() != pass.tree.root(size)? {
                        pass.parted = pass.parted.or(Some(size));
                    }
                }
                _ => pass.report.fault(Fault::CheckpointBad { size }),
            }
        }
        if to == pass.report.size && sql::checkpoints(tx, to - 1, to).await?.is_empty() {
            pass.report.fault(Fault::CheckpointBad { size: to });
        }
        Ok(())
    }
}

async fn compare(tx: &mut Tx, pass: &mut Pass, id: TileId, hashes: &[u8]) -> Result<(), Error> {
    pass.report.tiles += 1;
    // A sequencer may be at work: a tile may have grown since the head was read, but never changes where it was.
    let stored = sql::tile(tx, id).await?.unwrap_or_default();
    if stored.get(..hashes.len()) != Some(hashes) {
        pass.differing.push(id);
    }
    Ok(())
}

/// When the entries give the signed roots they are right, and tiles that differ are wrong. When they do not, the entries
/// that do not fit their stored leaf hashes are wrong; if all fit, entries and tiles were altered together.
fn judge(pass: Pass) -> Report {
    let mut report = pass.report;
    if let Some(size) = pass.parted {
        report.fault(Fault::RootDiffers { size });
        for seq in pass.suspects {
            report.fault(Fault::EntryAltered { seq });
        }
    } else {
        for tile in pass.differing {
            report.fault(Fault::TileWrong { tile });
        }
    }
    report
}

fn agrees((_, bytes, id, tenant, kind, subject, at): &sql::WholeRow) -> bool {
    Leaf::parse(bytes).is_ok_and(|leaf| {
        leaf.id.to_string() == *id
            && leaf.tenant.as_ref().map(TenantId::as_str) == tenant.as_deref()
            && leaf.kind.as_str() == kind
            && leaf.subject.as_ref().map(super::SubjectRef::as_str) == subject.as_deref()
            && leaf.at.micros() == *at
    })
}
