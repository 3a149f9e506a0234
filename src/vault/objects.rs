//! Images at rest: looked at, listed, opened whole or in ranges.

use std::ops::Range;

use super::blob_stream::{self, Sealed};
use super::rows::ObjectRow;
use super::{Access, Error, OpenObject, Owner, StoredObject, Vault, rows, sql};
use crate::base::{ObjectId, Page, PageSize};
use crate::blobs::BlobKey;
use crate::crypto::{self, Context, Key, Place};
use crate::on;
use crate::store::{self, Tx};

pub(super) fn context(owner: &Owner, id: &str, category: &str) -> Context {
    Context {
        tenant: owner.tenant.to_string(),
        subject: owner.subject.to_string(),
        object: id.to_owned(),
        kind: category.to_owned(),
        revision: 1,
    }
}

pub(super) fn meta_place(owner: &Owner, id: &str, category: &str) -> Place {
    Place::new("object.meta")
        .with(owner.tenant.as_str())
        .with(owner.subject.as_bytes())
        .with(id)
        .with(category)
}

/// The key that seals what is kept beside the bytes: `HKDF(file key ‖ 0¹⁶, "vouchsafe/v1/object-meta")`.
pub(super) fn meta_key(item: &Key) -> Key {
    crypto::derive(item.expose(), "vouchsafe/v1/object-meta")
}

/// Where a page of images begins, and which way it goes.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    /// Oldest first, after this one.
    Oldest(&'a str),
    /// Newest first: before this one, or the newest of all.
    Newest(Option<&'a str>),
}

fn file_key(item: &Key) -> zeroize::Zeroizing<[u8; 16]> {
    zeroize::Zeroizing::new(item.expose().first_chunk::<16>().copied().unwrap_or_default())
}

fn blob_key(text: &str) -> Result<BlobKey, Error> {
    text.parse().map_err(|_| store::Error::inconsistent("object", "blob_key").into())
}

impl Vault {
    /// What is known of an image, its bytes left where they are.
    pub async fn object(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        id: ObjectId,
    ) -> Result<StoredObject, Error> {
        let row = self.object_row(owner, id).await?;
        self.admit(owner, access, &row.category).await?;
        self.admit_item(owner, access, &row.category, &row.item).await?;
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
        self.page(owner, access, category, Start::Oldest(after.unwrap_or_default()), size).await
    }

    /// A page of a category's images, newest first: the gallery.
    pub async fn newest_objects(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
        (before, size): (Option<&str>, PageSize),
    ) -> Result<Page<StoredObject>, Error> {
        self.page(owner, access, category, Start::Newest(before), size).await
    }

    async fn page(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        category: &str,
        from: Start<'_>,
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
        let back = self.held_back(owner, access).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for row in page.items.into_iter().filter(|row| !back.hides(category, &row.item)) {
            // An image whose key was destroyed since the rows were read is gone, not damaged.
            if let Some(key) = keys.get(&row.id) {
                items.push(stored(owner, row, &key.key)?);
            }
        }
        Ok(Page { items, next: page.next })
    }

    /// Opens an image, or a range of its bytes. [`Error::Damaged`] when they are not there or do not open, as far as the
    /// first chunk tells.
    pub async fn open_object(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        id: ObjectId,
        range: Option<Range<u64>>,
    ) -> Result<OpenObject, Error> {
        let row = self.object_row(owner, id).await?;
        self.admit(owner, access, &row.category).await?;
        self.admit_item(owner, access, &row.category, &row.item).await?;
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
        match blob_stream::open(sealed, range).await {
            Ok(bytes) => Ok(OpenObject { object, bytes }),
            // Erased a moment ago, or its bytes are lost: the row knows.
            Err(Error::NotFound) => Err(self.object_row(owner, id).await.map_or_else(
                |gone| gone,
                |_| {
                    tracing::error!(object = %id, "the bytes of an image are not in the store");
                    Error::Damaged
                },
            )),
            Err(e) => {
                if matches!(e, Error::Damaged) {
                    tracing::error!(object = %id, "the bytes of an image are not what was stored");
                }
                Err(e)
            }
        }
    }

    /// Says what an image belongs to: the input of an edit. [`Error::NotFound`] when it belongs to something already.
    pub async fn set_parent(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        id: ObjectId,
        parent: &str,
    ) -> Result<(), Error> {
        self.move_parent(tx, owner, id, (None, parent)).await
    }

    /// Says that an image belongs to something else now: the input of an edit that failed, tried again.
    /// [`Error::NotFound`] when it does not belong to `from`.
    pub async fn move_parent(
        &self,
        tx: &mut Tx,
        owner: &Owner,
        id: ObjectId,
        (from, to): (Option<&str>, &str),
    ) -> Result<(), Error> {
        let changed = on!(tx, |c| sqlx::query(sql::PARENT_OBJECT)
            .bind(to)
            .bind(owner.tenant.as_str())
            .bind(owner.subject.to_string())
            .bind(id.to_string())
            .bind(from.unwrap_or(""))
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
