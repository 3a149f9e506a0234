//! Images coming in: an intent, a key, the bytes, and only then the row. None is orphaned, none acknowledged is lost.

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};

use super::blob_stream::{self, Measured};
use super::objects::{context, meta_key, meta_place};
use super::{Error, Item, NewObject, ObjectMeta, Owner, StoredObject, Vault, rows, sql};
use crate::base::{ObjectId, TenantId, Timestamp};
use crate::blobs::BlobKey;
use crate::crypto::{self, Fingerprint, Key, Sealer};
use crate::keystore::NewItem;
use crate::ledger::{Entry, EntryKind};
use crate::on;
use crate::policy::{Fact, Form, Refusal};
use crate::store::Tx;

/// An upload that has not landed by then never will.
const ARRIVAL: TimeDelta = TimeDelta::hours(2);

/// An image whose key and bytes are durable and that waits for its row. Dropped, it is found by the sweep of arrivals.
#[derive(Debug)]
pub struct StagedObject {
    id: ObjectId,
    category: String,
    blob: BlobKey,
    generation: i64,
    sealed_len: u64,
    meta: ObjectMeta,
    sealed: Vec<u8>,
    kfp: Fingerprint,
    item: Item,
    entry: Entry,
}

impl StagedObject {
    /// Its id to be.
    pub fn id(&self) -> ObjectId {
        self.id
    }
}

impl Vault {
    /// Stores an image, streaming. Its key is durable before its bytes, its bytes before its row; acknowledged only
    /// after all three. Refused when the document does not declare the category, or the person is being erased, also
    /// when that began while the bytes were under way.
    pub async fn put_object<S, E>(
        &self,
        owner: &Owner,
        new: NewObject<'_>,
        body: S,
    ) -> Result<StoredObject, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Error> + Send,
    {
        let staged = self.stage_object(owner, new, body).await?;
        let landed = async {
            let mut tx = self.db.begin().await?;
            let stored = self.land_object(&mut tx, owner, &staged).await?;
            tx.commit().await?;
            Ok(stored)
        };
        match landed.await {
            Ok(stored) => Ok(stored),
            Err(e) => {
                self.abandon_object(owner, staged).await;
                Err(e)
            }
        }
    }

    /// The first part of [`Vault::put_object`]: key and bytes. [`Vault::land_object`] is the second, in the transaction
    /// of whatever the image belongs to.
    pub async fn stage_object<S, E>(
        &self,
        owner: &Owner,
        new: NewObject<'_>,
        body: S,
    ) -> Result<StagedObject, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Error> + Send,
    {
        self.stage(owner, new, body.map_err(Into::into).boxed()).await
    }

    async fn stage(
        &self,
        owner: &Owner,
        new: NewObject<'_>,
        body: BoxStream<'_, Result<Bytes, Error>>,
    ) -> Result<StagedObject, Error> {
        let policy = self.policy(&owner.tenant)?;
        super::records::of_form(policy.may_store(new.category)?, Form::Object)?;
        let id = ObjectId::new(&self.clock, &self.entropy);
        let now = self.clock.now();
        let facts = new
            .facts
            .with(Fact::Created, now)
            .with(Fact::Uploaded, new.facts.get(Fact::Uploaded).unwrap_or(now));
        let (rule, due_at) = self.due(&owner.tenant, new.category, policy.version(), &facts);
        let policy_version = policy.version().to_owned();
        let item = Item {
            parent: new.parent.clone(),
            facts,
            policy_version,
            rule,
            done: Vec::new(),
            created_at: now,
            due_at,
        };
        let blob = BlobKey::new(&self.entropy);
        let generation = self.announce(owner, &id.to_string(), new.category, &blob, &item).await?;
        // Boxed, since it is large and lies within many others.
        match Box::pin(self.fill(owner, id, &new, body, (&blob, generation), item)).await {
            Ok(staged) => Ok(staged),
            Err(e) => {
                self.give_up(&owner.tenant, id, &blob).await;
                Err(e)
            }
        }
    }

    /// The intent: a row that says which blob is coming, so that whatever happens next, the bytes will be found.
    async fn announce(
        &self,
        owner: &Owner,
        id: &str,
        category: &str,
        blob: &BlobKey,
        item: &Item,
    ) -> Result<i64, Error> {
        let mut tx = self.db.begin().await?;
        let standing = self.standing_to_write(&mut tx, owner).await?;
        if standing.closed_at.is_some() {
            return Err(closed(category));
        }
        on!(tx, |c| sqlx::query(sql::INSERT_OBJECT)
            .bind(id)
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(category)
            .bind(blob.to_string())
            .bind(&item.parent)
            .bind(rows::facts_text(&item.facts))
            .bind(&item.policy_version)
            .bind(&item.rule)
            .bind(item.created_at.micros())
            .bind(item.due_at.map(Timestamp::micros))
            .bind(item.created_at.plus(ARRIVAL).micros())
            .execute(c)
            .await
            .map(|_| ()))?;
        tx.commit().await?;
        Ok(standing.generation)
    }

    /// Key, then bytes.
    async fn fill(
        &self,
        owner: &Owner,
        id: ObjectId,
        new: &NewObject<'_>,
        body: BoxStream<'_, Result<Bytes, Error>>,
        (blob, generation): (&BlobKey, i64),
        item: Item,
    ) -> Result<StagedObject, Error> {
        let name = id.to_string();
        let (sealer, key) = Sealer::new(&context(owner, &name, new.category))?;
        let mut padded = zeroize::Zeroizing::new([0; 32]);
        padded.iter_mut().zip(key.iter()).for_each(|(to, from)| *to = *from);
        let minted = NewItem { item: &name, kind: new.category, key: Some(Key::from_bytes(*padded)) };
        let key = self.keys.mint(owner.key(), vec![minted]).await?.pop().ok_or(Error::NotFound)?;
        let (sealed_len, measured) =
            blob_stream::seal_into(&self.blobs, blob, sealer, body, new.most_bytes).await?;
        let meta = meta(new.media_type, new.size, measured);
        let plain = serde_json::to_vec(&meta).map_err(|_| Error::Damaged)?;
        let place = meta_place(owner, &name, new.category);
        let meta_sealed = crypto::seal(&meta_key(&key.key), &place, &plain, &self.entropy);
        let entry = Entry::new(EntryKind::OBJECT_STORED, self.clock.now(), &owner.tenant, "service")
            .about(self.subject_ref(owner).await?)
            .fact("category", new.category)
            .fact("object", name.as_str())
            .fact("key", key.fingerprint.to_string().as_str());
        let (category, kfp) = (new.category.to_owned(), key.fingerprint);
        let blob = *blob;
        Ok(StagedObject {
            id,
            category,
            blob,
            generation,
            sealed_len,
            meta,
            sealed: meta_sealed,
            kfp,
            item,
            entry,
        })
    }

    /// Makes a staged image one of its owner's, in the caller's transaction. [`Error::Erasing`] when the person is
    /// being erased, or was announced to be since, or the upload took too long and was given up.
    pub async fn land_object(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        staged: &StagedObject,
    ) -> Result<StoredObject, Error> {
        if self.standing_to_write(tx, owner).await?.generation != staged.generation {
            return Err(Error::Erasing);
        }
        let landed = on!(tx, |c| sqlx::query(sql::LAND_OBJECT)
            .bind(i64::try_from(staged.sealed_len).unwrap_or(i64::MAX))
            .bind(&staged.sealed)
            .bind(staged.kfp.as_bytes().as_slice())
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(staged.id.to_string())
            .execute(c)
            .await
            .map(|r| r.rows_affected()))?;
        if landed != 1 {
            return Err(Error::Erasing);
        }
        self.ledger.append(tx, staged.entry.clone()).await?;
        let StagedObject { id, category, meta, kfp, item, .. } = staged;
        Ok(StoredObject {
            id: *id,
            category: category.clone(),
            meta: meta.clone(),
            kfp: *kfp,
            item: item.clone(),
        })
    }

    /// Lets a staged image go that will not land. One that has landed after all stays.
    pub async fn abandon_object(&self, owner: &Owner, staged: StagedObject) {
        self.give_up(&owner.tenant, staged.id, &staged.blob).await;
    }

    /// Clears up after an upload that failed. What cannot be cleared now is found again by the sweep of arrivals.
    async fn give_up(&self, tenant: &TenantId, id: ObjectId, blob: &BlobKey) {
        // Boxed, since it is deep and lies within every upload.
        if Box::pin(self.clear_arrival(tenant, &id.to_string(), blob)).await.is_err() {
            tracing::warn!("a failed upload could not be cleared at once; the sweep will");
        }
    }

    /// Clears an upload unless it has landed, which nothing can undo: first the row says that it never will, then key,
    /// row and bytes go.
    pub(super) async fn clear_arrival(
        &self,
        tenant: &TenantId,
        id: &str,
        blob: &BlobKey,
    ) -> Result<bool, Error> {
        let mut tx = self.db.begin().await?;
        let given_up = on!(tx, |c| sqlx::query(sql::GIVE_UP_ARRIVAL)
            .bind(tenant.as_str())
            .bind(id)
            .execute(c)
            .await
            .map(|r| r.rows_affected()))?;
        let (rows,): (i64,) =
            on!(tx, |c| sqlx::query_as(sql::LIVE_AT).bind(tenant.as_str()).bind(id).fetch_one(c).await)?;
        tx.commit().await?;
        if given_up == 0 && rows > 0 {
            return Ok(false);
        }
        self.keys.destroy_items(tenant, &[id]).await?;
        self.keys.cut_log().await;
        self.bury(tenant, id, blob).await?;
        Ok(true)
    }
}

/// Nothing new is taken in for an account that is closed.
fn closed(category: &str) -> Error {
    let why = "the account is closed, so nothing new is stored in it".to_owned();
    Error::Refused(Refusal { rule: format!("category.{category}"), why, clause: None })
}

fn meta(media_type: &str, size: Option<(u32, u32)>, measured: Measured) -> ObjectMeta {
    let Measured { len, crc32, sha256 } = measured;
    let (width, height) = size.unzip();
    ObjectMeta { media_type: media_type.to_owned(), len, crc32, sha256, width, height }
}
