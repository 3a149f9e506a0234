//! Where a provider fetches a picture that is too large to be sent along: an address of ours that nobody can guess, that
//! gives one edit's pictures and nothing else, and that is dead as soon as the edit is over, the person restricts their
//! data or leaves, or some minutes have passed.

use bytes::Bytes;
use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use super::sql;
use crate::base::ObjectId;
use crate::editing::{Editing, Error, PURPOSE};
use crate::imaging::{self, Format};
use crate::vault::{Access, Actor, Owner};

/// How long an address lives at most: longer than a job may wait at a provider before it begins.
const LIFE: TimeDelta = TimeDelta::minutes(10);
/// How often one is used at most, all pictures of it together: a provider's fetcher asks more than once.
const USES: i64 = 24;

/// A picture that is fetched: what is sent along with smaller ones, to the byte.
#[derive(Debug)]
pub struct Fetched {
    /// What it is.
    pub format: Format,
    /// The picture, without metadata.
    pub bytes: Bytes,
}

impl Editing {
    /// The `n`th picture of the errand whose address ends in `token`. [`Error::NotFound`] for an address that nobody has,
    /// that is dead or too old, and whenever the person's word or a restriction forbids it at this moment: one answer for
    /// all of them.
    pub async fn fetched(&self, token: &str, n: usize) -> Result<Fetched, Error> {
        let digest = Sha256::digest(token);
        let oldest = self.clock.now().plus(-LIFE);
        let mut tx = self.db.begin().await?;
        let Some((owner, edit)) = sql::use_link(&mut tx, &digest, (oldest, USES)).await? else {
            return Err(Error::NotFound);
        };
        let policy = self.vault.policy(&owner.tenant)?;
        self.willing(&mut tx, &owner, &policy).await.map_err(as_if_not_there)?;
        tx.commit().await?;
        let edit = self.get(&owner, edit).await?;
        let input = edit.inputs.get(n).ok_or(Error::NotFound)?;
        let (format, bytes) = self.bare_input(&owner, *input).await.map_err(as_if_not_there)?;
        Ok(Fetched { format, bytes })
    }

    /// A picture as it goes out: itself and nothing else. A result that goes out again loses its mark on the way, as an
    /// upload lost its EXIF.
    pub(super) async fn bare_input(&self, owner: &Owner, id: ObjectId) -> Result<(Format, Bytes), Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let open = self.vault.open_object(owner, &access, id, None).await?;
        let picture = open.read(self.limits.max_bytes as u64).await?;
        let limits = self.limits;
        let bare = tokio::task::spawn_blocking(move || {
            let inspected = imaging::inspect(picture.expose(), &limits)?;
            let bytes = imaging::strip(picture.expose(), &inspected)?;
            Ok::<_, Error>((inspected.format, Bytes::from(bytes)))
        });
        bare.await.map_err(|_| Error::BadValue("the picture"))?
    }
}

/// What must not be told apart from outside.
fn as_if_not_there(e: Error) -> Error {
    use crate::base::Kind;
    if matches!(e.kind(), Kind::Unavailable | Kind::Full) { e } else { Error::NotFound }
}
