//! Whether the bytes of images are where they ought to be, by their number alone: nothing is opened.

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};

use super::objects::Start;
use super::rows::ObjectRow;
use super::{Error, Owner, Vault, rows};
use crate::base::ObjectId;
use crate::blobs::{self, BlobKey};
use crate::store;

/// Images that the store is asked for at once.
const AT_ONCE: usize = 8;
/// Rows that are held at a time.
const A_PAGE: i64 = 200;

impl Vault {
    /// The images of a category whose bytes are not there, or not as many as were stored. A store that cannot be asked is
    /// an error: it says nothing about an image.
    pub async fn not_whole(&self, owner: &Owner, category: &str) -> Result<Vec<ObjectId>, Error> {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = {
                let mut tx = self.db.read().await?;
                rows::objects(&mut tx, owner, category, Start::Oldest(&after), A_PAGE).await?
            };
            let Some(last) = page.last() else { return Ok(found) };
            after.clone_from(&last.id);
            // Boxed by hand: a closure that returns a borrowing future would keep callers from being spawned.
            let mut looks: Vec<BoxFuture<'_, Result<Option<ObjectId>, Error>>> =
                Vec::with_capacity(page.len());
            for row in &page {
                looks.push(self.unless_whole(row).boxed());
            }
            let looked: Vec<Option<ObjectId>> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
            found.extend(looked.into_iter().flatten());
        }
    }

    /// The image's id, if it is not whole.
    async fn unless_whole(&self, row: &ObjectRow) -> Result<Option<ObjectId>, Error> {
        let key: BlobKey =
            row.blob_key.parse().map_err(|_| store::Error::inconsistent("object", "blob_key"))?;
        match self.blobs.head(&key).await {
            Ok(head) if head.len == row.cipher_len => Ok(None),
            Ok(_) | Err(blobs::Error::NotFound) => {
                let id: ObjectId = row.id.parse().map_err(|_| store::Error::inconsistent("object", "id"))?;
                Ok(Some(id))
            }
            Err(e) => Err(e.into()),
        }
    }
}
