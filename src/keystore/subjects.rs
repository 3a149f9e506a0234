use super::epochs::EpochKey;
use super::{Class, DestroyedKey, Error, Keystore, Owner, sql};
use crate::base::KeyId;
use crate::crypto::{self, Fingerprint, Key, Place};
use crate::store::Tx;

pub(super) fn place(owner: Owner<'_>, class: &str, id: KeyId, epoch: i64) -> Place {
    Place::new("subject_key")
        .with(owner.tenant.as_str())
        .with(owner.subject.as_bytes())
        .with(class)
        .with(id.as_bytes())
        .number(epoch)
}

/// `HKDF(epoch key, "vouchsafe/v1/subject-wrap")`.
pub(super) fn wrapping(epoch: &EpochKey) -> Key {
    crypto::derive(epoch.key.expose(), "vouchsafe/v1/subject-wrap")
}

pub(super) async fn unwrap(
    keys: &Keystore,
    tx: &mut Tx,
    owner: Owner<'_>,
    row: &sql::SubjectRow,
) -> Result<Key, Error> {
    let epoch = keys.epoch(tx, row.epoch).await?;
    let plain = crypto::open(&wrapping(&epoch), &place(owner, &row.class, row.id, row.epoch), &row.wrapped)?;
    Ok(Key::from_slice(&plain)?)
}

pub(super) async fn load(keys: &Keystore, tx: &mut Tx, owner: Owner<'_>, class: Class) -> Result<Key, Error> {
    let row = sql::subject(tx, owner, class.as_str()).await?.ok_or(Error::NoKey)?;
    unwrap(keys, tx, owner, &row).await
}

impl Keystore {
    /// Makes the keys of a new person. [`Error::Fenced`] for one whose keys were destroyed.
    pub async fn create_subject(&self, owner: Owner<'_>) -> Result<Fingerprint, Error> {
        let (mut tx, epoch) = self.writing().await?;
        if sql::fenced(&mut tx, owner).await? {
            return Err(Error::Fenced);
        }
        let mut data = None;
        for class in [Class::Data, Class::Proof] {
            let id = KeyId::new(&self.clock, &self.entropy);
            let key = Key::generate(&self.entropy);
            let sealed = crypto::seal(
                &wrapping(&epoch),
                &place(owner, class.as_str(), id, epoch.number),
                key.expose(),
                &self.entropy,
            );
            let kfp = Fingerprint::of(key.expose(), id.as_bytes());
            let row = sql::SubjectRow {
                class: class.as_str().to_owned(),
                id,
                epoch: epoch.number,
                wrapped: sealed,
            };
            sql::insert_subject(&mut tx, owner, &row, kfp, self.clock.now()).await?;
            data.get_or_insert(kfp);
        }
        tx.commit().await?;
        data.ok_or(Error::NoKey)
    }

    /// A key derived from the person's own, for one use under `label`:
    /// `HKDF(subject key, label)`. Gone when the person's key is.
    pub async fn derived(&self, owner: Owner<'_>, class: Class, label: &'static str) -> Result<Key, Error> {
        let mut tx = self.db.read().await?;
        let key = load(self, &mut tx, owner, class).await?;
        Ok(crypto::derive(key.expose(), label))
    }

    /// The public reference under which the ledger speaks of a person: 128 bits derived from their proof key, so that
    /// nobody can tell whose it was once that key is gone. Hexadecimal.
    pub async fn subject_ref(&self, owner: Owner<'_>) -> Result<String, Error> {
        let key = self.derived(owner, Class::Proof, "vouchsafe/v1/subject-ref").await?;
        let half = key.expose().first_chunk::<16>().ok_or(Error::Damaged)?;
        Ok(hex::encode(half))
    }

    /// Whether the person's keys were destroyed.
    pub async fn is_fenced(&self, owner: Owner<'_>) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::fenced(&mut tx, owner).await?)
    }

    /// Destroys a person's key of one class: the fence and the deletion, in one durable write whose cost does not
    /// depend on how much they had. Again is harmless.
    pub async fn destroy_subject(&self, owner: Owner<'_>, class: Class) -> Result<DestroyedKey, Error> {
        let mut tx = self.db.begin().await?;
        let destroyed = match self.fence_off(&mut tx, owner, class).await? {
            Some(destroyed) => {
                sql::count_destroyed(&mut tx, 1).await?;
                destroyed
            }
            None => sql::fence(&mut tx, owner, class.as_str()).await?.ok_or(Error::NoKey)?,
        };
        tx.commit().await?;
        Ok(destroyed)
    }

    /// The fence and the deletion, in the caller's transaction. `None` when there is no such key.
    pub(super) async fn fence_off(
        &self,
        tx: &mut Tx,
        owner: Owner<'_>,
        class: Class,
    ) -> Result<Option<DestroyedKey>, Error> {
        let Some(fingerprint) = sql::delete_subject(tx, owner, class.as_str()).await? else {
            return Ok(None);
        };
        let at = self.clock.now();
        sql::insert_fence(tx, owner, class.as_str(), fingerprint, at).await?;
        Ok(Some(DestroyedKey { fingerprint, at }))
    }
}
