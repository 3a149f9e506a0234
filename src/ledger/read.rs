//! Reading: lists for boards, proofs, and the static resources of C2SP tlog-tiles.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::ask::is_same;
use super::resource::{FULL, Resource};
use super::sequence::{load, proof_between};
use super::tree::{Tree, for_inclusion};
use super::{
    Checkpoint, ConsistencyProof, EntryKind, Error, InclusionProof, Leaf, Ledger, Opening, Receipt,
    SubjectRef, TileId, bundle, sql,
};
use crate::base::{EntryId, Page, PageSize, TenantId};
use crate::store;

/// An entry that is in the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// Its number, from 0.
    pub index: u64,
    /// The entry.
    pub leaf: Leaf,
    /// The bytes that the tree hashes.
    pub bytes: Vec<u8>,
}

/// Which of a tenant's entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this kind only.
    pub kind: Option<EntryKind>,
    /// About this person only.
    pub subject: Option<SubjectRef>,
}

fn logged((seq, bytes): sql::Row) -> Result<Logged, Error> {
    let leaf = Leaf::parse(&bytes).map_err(|_| store::Error::inconsistent("ledger_entry", "leaf"))?;
    Ok(Logged { index: sql::unsigned(seq, "seq")?, leaf, bytes })
}

fn page(rows: Vec<sql::Row>, size: PageSize) -> Result<Page<Logged>, Error> {
    let rows = rows.into_iter().map(logged).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, size, |entry| entry.index.to_string()))
}

fn place(after: Option<&str>) -> Result<i64, Error> {
    after.map_or(Ok(i64::MAX), |text| {
        text.parse().ok().filter(|n| *n >= 0).ok_or(Error::Malformed("a place in the ledger"))
    })
}

fn one_more(size: PageSize) -> i64 {
    i64::try_from(size.get()).unwrap_or(i64::MAX).saturating_add(1)
}

impl Ledger {
    /// A tenant's entries that are in the tree, newest first. `after` is the `next` of the page before.
    pub async fn list(
        &self,
        tenant: &TenantId,
        filter: &Filter,
        size: PageSize,
        after: Option<&str>,
    ) -> Result<Page<Logged>, Error> {
        let mut tx = self.0.db.read().await?;
        let only = (filter.kind.as_ref(), filter.subject.as_ref());
        page(sql::list(&mut tx, tenant, only, place(after)?, one_more(size)).await?, size)
    }

    /// Entries of a kind that concern the whole installation and no one tenant, newest first, at most so many.
    pub async fn of_house(&self, kind: &EntryKind, most: u32) -> Result<Vec<Logged>, Error> {
        let mut tx = self.0.db.read().await?;
        sql::of_house(&mut tx, kind, most.into()).await?.into_iter().map(logged).collect()
    }

    /// Everybody's entries that are in the tree, newest first: the public ledger, as anybody can read it from its bundles.
    pub async fn tail(&self, size: PageSize, after: Option<&str>) -> Result<Page<Logged>, Error> {
        let mut tx = self.0.db.read().await?;
        page(sql::tail(&mut tx, place(after)?, one_more(size)).await?, size)
    }

    /// The entries with the numbers from `from` on, at most `most` of them, oldest first, of whichever tenant: for going
    /// through all of them in batches.
    pub async fn from(&self, from: u64, most: u64) -> Result<Vec<Logged>, Error> {
        let mut tx = self.0.db.read().await?;
        let rows = sql::leaves(&mut tx, from, from.saturating_add(most)).await?;
        rows.into_iter().map(logged).collect()
    }

    /// The entries that wait to be taken into the tree: what they record is done.
    pub async fn waiting(&self) -> Result<HashSet<EntryId>, Error> {
        let ids = sql::waiting(&mut self.0.db.read().await?).await?;
        let bad = |_| Error::from(store::Error::inconsistent("ledger_entry", "id"));
        ids.iter().map(|id| id.parse().map_err(bad)).collect()
    }

    /// An entry by its id. `Pending` when it waits to be taken into the tree.
    pub async fn entry(&self, id: EntryId) -> Result<Logged, Error> {
        let row = sql::entry(&mut self.0.db.read().await?, id).await?;
        let (seq, bytes) = row.ok_or(Error::NotFound)?;
        logged((seq.ok_or(Error::Pending)?, bytes))
    }

    /// The numbers of those of some entries that are in the tree; one that waits has none yet.
    pub async fn places(&self, ids: &[EntryId]) -> Result<BTreeMap<EntryId, u64>, Error> {
        let ids: Vec<String> = ids.iter().map(EntryId::to_string).collect();
        let mut places = BTreeMap::new();
        let mut tx = self.0.db.read().await?;
        for some in ids.chunks(store::MOST_IN) {
            for (id, seq) in sql::places(&mut tx, some).await? {
                let id = id.parse().map_err(|_| store::Error::inconsistent("ledger_entry", "id"))?;
                places.insert(id, sql::unsigned(seq, "seq")?);
            }
        }
        Ok(places)
    }

    /// How many entries wait to be taken into the tree.
    pub async fn pending(&self) -> Result<u64, Error> {
        sql::pending(&mut self.0.db.read().await?).await
    }

    /// Proof that an entry is in the newest signed tree. Verified here before it is handed out.
    pub async fn proof(&self, id: EntryId) -> Result<(Logged, InclusionProof), Error> {
        let entry = self.entry(id).await?;
        let newest = self.checkpoint().await?;
        // A head that witnesses signed says more than a newer one that they have not seen.
        let seen =
            self.cosigned().await?.filter(|seen| entry.index < seen.size() && seen.size() <= newest.size());
        let head = seen.unwrap_or(newest);
        if entry.index >= head.size() {
            return Err(Error::Pending);
        }
        let mut tree = self.grown().await?;
        let mut tx = self.0.db.read().await?;
        load(&mut tx, &mut tree, for_inclusion(entry.index, head.size())).await?;
        let hashes = tree.inclusion(entry.index, head.size())?;
        let (index, checkpoint) = (entry.index, head.note().to_owned());
        let proof = InclusionProof { index, hashes, checkpoint, extra: None };
        proof
            .verify(&entry.bytes, self.0.key.verifier())
            .map_err(|_| store::Error::inconsistent("ledger_entry", "leaf"))?;
        Ok((entry, proof))
    }

    /// A receipt for an entry, with the details it commits to when the caller has their opening. Takes the entry into the
    /// tree first if it still waits; so never call it while holding a transaction.
    pub async fn receipt(&self, id: EntryId, opening: Option<Opening>) -> Result<Receipt, Error> {
        let proved = match self.proof(id).await {
            Err(Error::Pending) => {
                self.sequence().await?;
                self.proof(id).await
            }
            other => other,
        };
        let (entry, proof) = proved?;
        Receipt::build(&entry.bytes, opening, proof)
    }

    /// Proof that the tree at `new` entries begins with the tree at `old`; `new` at most the newest head's size.
    pub async fn consistency(&self, old: u64, new: u64) -> Result<ConsistencyProof, Error> {
        if old > new || new > self.checkpoint().await?.size() {
            return Err(Error::NotFound);
        }
        let mut tree = self.grown().await?;
        proof_between(&mut self.0.db.read().await?, &mut tree, old, new).await
    }

    /// The tree as the database has it now: tiles may have grown past a head read a moment ago.
    async fn grown(&self) -> Result<Tree, Error> {
        Ok(Tree::of(sql::head(&mut self.0.db.read().await?).await?.size))
    }

    /// The bytes of a static resource, as C2SP tlog-tiles names and forms it. Nothing beyond the newest signed head.
    pub async fn resource(&self, resource: Resource) -> Result<Vec<u8>, Error> {
        let head = self.checkpoint().await?;
        match resource {
            Resource::Checkpoint => Ok(self.as_witnessed(head).await?.note().as_bytes().to_vec()),
            Resource::Tile { tile, width } => self.tile(&head, tile, width).await,
            Resource::Entries { n, width } => self.bundle(&head, n, width).await,
        }
    }

    /// A head with what witnesses signed of it.
    async fn as_witnessed(&self, head: Checkpoint) -> Result<Checkpoint, Error> {
        Ok(self.cosigned().await?.filter(|seen| is_same(seen, &head)).unwrap_or(head))
    }

    pub(super) async fn tile(&self, head: &Checkpoint, tile: TileId, width: u16) -> Result<Vec<u8>, Error> {
        if width == 0 || tile.width_in(head.size()) < width {
            return Err(Error::NotFound);
        }
        let mut hashes = sql::tile(&mut self.0.db.read().await?, tile).await?.unwrap_or_default();
        let length = usize::from(width) * 32;
        if hashes.len() < length {
            return Err(store::Error::inconsistent("ledger_tile", "hashes").into());
        }
        hashes.truncate(length);
        Ok(hashes)
    }

    pub(super) async fn bundle(&self, head: &Checkpoint, n: u64, width: u16) -> Result<Vec<u8>, Error> {
        if width == 0 || (TileId { level: 0, n }).width_in(head.size()) < width {
            return Err(Error::NotFound);
        }
        let first = n.saturating_mul(FULL.into());
        let rows = sql::leaves(&mut self.0.db.read().await?, first, first + u64::from(width)).await?;
        if rows.len() != usize::from(width) {
            return Err(store::Error::inconsistent("ledger_entry", "seq").into());
        }
        bundle::write(rows.iter().map(|(_, leaf)| leaf.as_slice()))
    }

    /// Writes the whole ledger into a folder, the checkpoint last: what [`super::verify_folder`] verifies, and what any
    /// web server can serve as a C2SP log.
    pub async fn export(&self, folder: &Path) -> Result<Checkpoint, Error> {
        let head = self.checkpoint().await?;
        let head = self.as_witnessed(head).await?;
        for resource in Resource::all(head.size()) {
            let bytes = match resource {
                Resource::Checkpoint => head.note().as_bytes().to_vec(),
                Resource::Tile { tile, width } => self.tile(&head, tile, width).await?,
                Resource::Entries { n, width } => self.bundle(&head, n, width).await?,
            };
            let path = folder.join(resource.to_string());
            if let Some(parent) = path.parent() {
                tokio::fs::create_dir_all(parent).await.map_err(Error::StateFile)?;
            }
            tokio::fs::write(&path, bytes).await.map_err(Error::StateFile)?;
        }
        Ok(head)
    }
}
