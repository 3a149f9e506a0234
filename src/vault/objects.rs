//! Images: two-phase writes, so that none is orphaned and none acknowledged is lost.

use std::ops::Range;

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};

use super::blob_stream::{self, Measured, Sealed};
use super::rows::ObjectRow;
use super::{Access, Error, NewObject, ObjectMeta, OpenObject, Owner, StoredObject, Vault, rows, sql};
use crate::base::{ObjectId, Page, PageSize, Timestamp};
use crate::blobs::BlobKey;
use crate::crypto::{self, Context, Key, Place, Sealer};
use crate::keystore::{ItemKey, NewItem};
use crate::ledger::{Entry, EntryKind};
use crate::on;
use crate::policy::Fact;
use crate::store::{self, Tx};

/// An upload that has not landed by then never will.
const ARRIVAL: TimeDelta = TimeDelta::hours(2);

fn context(owner: &Owner, id: &str, category: &str) -> Context {
    Context {
        tenant: owner.tenant.to_string(),
        subject: owner.subject.to_string(),
        object: id.to_owned(),
        kind: category.to_owned(),
        revision: 1,
    }
}

fn meta_place(owner: &Owner, id: &str, category: &str) -> Place {
    Place::new("object.meta")
        .with(owner.tenant.as_str())
        .with(owner.subject.as_bytes())
        .with(id)
        .with(category)
}

/// The key that seals what is kept beside the bytes: `HKDF(file key ‖ 0¹⁶, "vouchsafe/v1/object-meta")`.
fn meta_key(item: &Key) -> Key {
    crypto::derive(item.expose(), "vouchsafe/v1/object-meta")
}

fn file_key(item: &Key) -> zeroize::Zeroizing<[u8; 16]> {
    zeroize::Zeroizing::new(item.expose().first_chunk::<16>().copied().unwrap_or_default())
}

fn blob_key(text: &str) -> Result<BlobKey, Error> {
    text.parse().map_err(|_| store::Error::inconsistent("object", "blob_key").into())
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
        self.put_stream(owner, new, body.map_err(Into::into).boxed()).await
    }

    async fn put_stream(
        &self,
        owner: &Owner,
        new: NewObject<'_>,
        body: BoxStream<'_, Result<Bytes, Error>>,
    ) -> Result<StoredObject, Error> {
        let policy = self.policy(&owner.tenant)?;
        policy.may_store(new.category)?;
        let id = ObjectId::new(&self.clock, &self.entropy);
        let name = id.to_string();
        let now = self.clock.now();
        let facts = new
            .facts
            .with(Fact::Created, now)
            .with(Fact::Uploaded, new.facts.get(Fact::Uploaded).unwrap_or(now));
        let (rule, due_at) = self.due(&owner.tenant, new.category, policy.version(), &facts)?;
        let item = super::Item {
            parent: new.parent,
            facts,
            policy_version: policy.version().to_owned(),
            rule,
            created_at: now,
            due_at,
        };
        let blob = BlobKey::new(&self.entropy);
        let generation = self.announce(owner, &name, new.category, &blob, &item).await?;
        let (sealer, key) = Sealer::new(&context(owner, &name, new.category))?;
        let mut padded = zeroize::Zeroizing::new([0; 32]);
        padded.iter_mut().zip(key.iter()).for_each(|(to, from)| *to = *from);
        let minted = NewItem { item: &name, kind: new.category, key: Some(Key::from_bytes(*padded)) };
        let key = self.keys.mint(owner.key(), vec![minted]).await?.pop().ok_or(Error::NotFound)?;
        let landed = match blob_stream::seal_into(&self.blobs, &blob, sealer, body, new.most_bytes).await {
            Ok((put, measured)) => {
                let meta = meta(new.media_type, new.size, measured);
                self.land(owner, (&name, new.category, generation), &put, &meta, &key).await.map(|()| meta)
            }
            Err(e) => Err(e),
        };
        match landed {
            Ok(meta) => {
                Ok(StoredObject { id, category: new.category.to_owned(), meta, kfp: key.fingerprint, item })
            }
            Err(e) => {
                self.abandon(owner, &name, &blob).await;
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
        item: &super::Item,
    ) -> Result<i64, Error> {
        let mut tx = self.db.begin().await?;
        let standing = self.standing_kept(&mut tx, owner).await?;
        if standing.erasing {
            return Err(Error::Erasing);
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

    async fn land(
        &self,
        owner: &Owner,
        (id, category, generation): (&str, &str, i64),
        put: &crate::blobs::Put,
        meta: &ObjectMeta,
        key: &ItemKey,
    ) -> Result<(), Error> {
        let place = meta_place(owner, id, category);
        let plain = serde_json::to_vec(meta).map_err(|_| Error::Damaged)?;
        let sealed = crypto::seal(&meta_key(&key.key), &place, &plain, &self.entropy);
        let entry = Entry::new(EntryKind::OBJECT_STORED, self.clock.now(), &owner.tenant, "service")
            .about(self.subject_ref(owner).await?)
            .fact("category", category)
            .fact("object", id)
            .fact("key", key.fingerprint.to_string().as_str());
        let mut tx = self.db.begin().await?;
        let standing = self.standing_kept(&mut tx, owner).await?;
        if standing.erasing || standing.generation != generation {
            return Err(Error::Erasing);
        }
        let landed = on!(tx, |c| sqlx::query(sql::LAND_OBJECT)
            .bind(i64::try_from(put.len).unwrap_or(i64::MAX))
            .bind(put.sha256.as_slice())
            .bind(&sealed)
            .bind(key.fingerprint.as_bytes().as_slice())
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(id)
            .execute(c)
            .await
            .map(|r| r.rows_affected()))?;
        if landed != 1 {
            return Err(Error::Erasing);
        }
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Clears up after an upload that failed. What cannot be cleared now is found again by the sweep of arrivals.
    async fn abandon(&self, owner: &Owner, id: &str, blob: &BlobKey) {
        let cleared = async {
            self.keys.destroy_items(&owner.tenant, &[id]).await?;
            self.bury(&owner.tenant, id, blob).await
        };
        if cleared.await.is_err() {
            tracing::warn!("a failed upload could not be cleared at once; the sweep will");
        }
    }

    /// What is known of an image, its bytes left where they are.
    pub async fn object(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        id: ObjectId,
    ) -> Result<StoredObject, Error> {
        let row = self.object_row(owner, id).await?;
        self.admit(owner, access, &row.category).await?;
        let key = self.keys.item(owner.key(), &row.id).await?;
        stored(owner, row, &key.key)
    }

    /// A page of a category's images, oldest first.
    pub async fn objects(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
        (after, size): (Option<&str>, PageSize),
    ) -> Result<Page<StoredObject>, Error> {
        self.page(owner, access, category, (false, after.unwrap_or("")), size).await
    }

    /// A page of a category's images, newest first: the gallery.
    pub async fn newest_objects(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
        (before, size): (Option<&str>, PageSize),
    ) -> Result<Page<StoredObject>, Error> {
        // `~` sorts after every id.
        self.page(owner, access, category, (true, before.unwrap_or("~")), size).await
    }

    async fn page(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
        from: (bool, &str),
        size: PageSize,
    ) -> Result<Page<StoredObject>, Error> {
        self.admit(owner, access, category).await?;
        let most = i64::try_from(size.get()).unwrap_or(i64::MAX) + 1;
        let found = {
            let mut tx = self.db.read().await?;
            rows::objects(&mut tx, owner, category, from, most).await?
        };
        let page = Page::cut(found, size, |r| r.id.clone());
        let ids: Vec<_> = page.items.iter().map(|r| r.id.as_str()).collect();
        let keys = self.keys.items(owner.key(), &ids).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for row in page.items {
            // An image whose key was destroyed since the rows were read is gone, not damaged.
            if let Some(key) = keys.get(&row.id) {
                items.push(stored(owner, row, &key.key)?);
            }
        }
        Ok(Page { items, next: page.next })
    }

    /// Opens an image, or a range of its bytes.
    pub async fn open_object(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        id: ObjectId,
        range: Option<Range<u64>>,
    ) -> Result<OpenObject, Error> {
        let row = self.object_row(owner, id).await?;
        self.admit(owner, access, &row.category).await?;
        let key = self.keys.item(owner.key(), &row.id).await?;
        let blob = blob_key(&row.blob_key)?;
        let sealed = Sealed {
            cipher_len: row.cipher_len,
            key: blob,
            blobs: self.blobs.clone(),
            context: context(owner, &row.id, &row.category),
            file_key: file_key(&key.key),
        };
        let object = stored(owner, row, &key.key)?;
        Ok(OpenObject { object, bytes: blob_stream::open(sealed, range) })
    }

    /// Says what an image belongs to: the input of an edit.
    pub async fn set_parent(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        id: ObjectId,
        parent: &str,
    ) -> Result<(), Error> {
        let changed = on!(tx, |c| sqlx::query(sql::PARENT_OBJECT)
            .bind(parent)
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(id.to_string())
            .execute(c)
            .await
            .map(|r| r.rows_affected()))?;
        if changed == 1 { Ok(()) } else { Err(Error::NotFound) }
    }

    async fn object_row(&self, owner: &Owner, id: ObjectId) -> Result<ObjectRow, Error> {
        let mut tx = self.db.read().await?;
        rows::object(&mut tx, owner, &id.to_string()).await?.ok_or(Error::NotFound)
    }
}

fn meta(media_type: &str, size: Option<(u32, u32)>, measured: Measured) -> ObjectMeta {
    let Measured { len, crc32, sha256 } = measured;
    let (width, height) = size.unzip();
    ObjectMeta { media_type: media_type.to_owned(), len, crc32, sha256, width, height }
}

fn stored(owner: &Owner, row: ObjectRow, key: &Key) -> Result<StoredObject, Error> {
    let plain = crypto::open(&meta_key(key), &meta_place(owner, &row.id, &row.category), &row.meta)?;
    Ok(StoredObject {
        id: row.id.parse().map_err(|_| store::Error::inconsistent("object", "id"))?,
        category: row.category,
        meta: serde_json::from_slice(&plain).map_err(|_| Error::Damaged)?,
        kfp: row.kfp,
        item: row.item,
    })
}
