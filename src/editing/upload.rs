use bytes::Bytes;

use super::{Editing, Error, PURPOSE, Uploaded};
use crate::crypto::sha256;
use crate::imaging::{self, Carried, Inspected};
use crate::policy::Facts;
use crate::store::idempotency::Closing;
use crate::vault::{self, Actor, NewObject, NewRecord, Owner};

/// A picture that may come in: what it is, and its bytes as they would be stored.
#[derive(Debug)]
pub struct Cleaned {
    bytes: Vec<u8>,
    inspected: Inspected,
    removed: Vec<&'static str>,
}

impl Cleaned {
    /// SHA-256 of the bytes that would be stored.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.bytes)
    }
}

impl Editing {
    /// Takes a picture in: looked at by content, within limits set before it is decoded, stripped of what the camera
    /// wrote into it, sealed. Refused with a reason for its owner, and then nothing is left behind.
    pub async fn upload(&self, owner: &Owner, actor: &Actor, bytes: Bytes) -> Result<Uploaded, Error> {
        let cleaned = self.cleaned(owner, actor, bytes).await?;
        self.take_in(owner, cleaned).await
    }

    /// The first half of [`Editing::upload`]: looks at a picture and strips it. Stores nothing.
    pub async fn cleaned(&self, owner: &Owner, actor: &Actor, bytes: Bytes) -> Result<Cleaned, Error> {
        if let Actor::Subject(id) | Actor::App(id) = actor
            && *id != owner.subject
        {
            return Err(vault::Error::NotFound.into());
        }
        self.may_upload(owner).await?;
        let limits = self.limits;
        let clean = tokio::task::spawn_blocking(move || {
            let inspected = imaging::inspect(&bytes, &limits)?;
            let removed = inspected.removed_by_strip().map(Carried::label).collect();
            let stripped = imaging::strip(&bytes, &inspected)?;
            // A picture that says of itself that it was generated goes on saying so; the mark names nobody.
            let bytes = match inspected.mark.filter(|m| m.is_generated()) {
                Some(mark) => imaging::mark(&stripped, mark)?,
                None => stripped,
            };
            Ok::<_, imaging::Refused>(Cleaned { bytes, inspected, removed })
        });
        Ok(clean.await.map_err(|_| Error::BadValue("the picture"))??)
    }

    /// The second half of [`Editing::upload`]: seals what was looked at.
    pub async fn take_in(&self, owner: &Owner, cleaned: Cleaned) -> Result<Uploaded, Error> {
        self.take_in_once(owner, cleaned, &Closing::none()).await
    }

    /// The same for a call that shall have its effect once: its answer is kept in the transaction in which the picture lands.
    pub async fn take_in_once(
        &self,
        owner: &Owner,
        cleaned: Cleaned,
        closing: &Closing<Uploaded>,
    ) -> Result<Uploaded, Error> {
        let Cleaned { bytes, inspected, removed } = cleaned;
        let metadata = imaging::ImageMetadata { bytes: bytes.len() as u64, ..inspected.metadata() };
        let new = NewObject {
            category: "input-image",
            media_type: inspected.format.media_type(),
            parent: None,
            facts: Facts::new(),
            size: Some(inspected.upright_size()),
            most_bytes: self.limits.max_bytes as u64,
        };
        let body = futures_util::stream::iter([Ok::<_, vault::Error>(Bytes::from(bytes))]);
        let staged = self.vault.stage_object(owner, new, body).await?;
        let details = NewRecord {
            category: "image-metadata",
            name: "input",
            value: serde_json::json!({
                "format": metadata.format.name(),
                "width": metadata.width,
                "height": metadata.height,
                "bytes": metadata.bytes,
            }),
            parent: Some(staged.id().to_string()),
            facts: Facts::new(),
        };
        // Picture and details land together: half an upload is none.
        let mut sealed = Vec::new();
        let landed = async {
            sealed = self.vault.seal_records(owner, vec![details]).await?;
            let mut tx = self.db.begin().await?;
            if self.vault.standing_to_write(&mut tx, owner).await?.restricted_at.is_some() {
                return Err(vault::Error::Restricted);
            }
            let object = self.vault.land_object(&mut tx, owner, &staged).await?;
            self.vault.insert(&mut tx, owner, &sealed).await?;
            let uploaded = Uploaded { id: object.id, metadata, removed, due_at: object.item.due_at };
            closing.close(&mut tx, &uploaded).await?;
            tx.commit().await?;
            Ok(uploaded)
        };
        match landed.await {
            Ok(uploaded) => Ok(uploaded),
            Err(e) => {
                self.vault.abandon_object(owner, staged).await;
                self.vault.discard(owner, &sealed).await;
                Err(e.into())
            }
        }
    }

    /// Whether a picture may come in at all: asked before its bytes are looked at.
    async fn may_upload(&self, owner: &Owner) -> Result<(), Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        policy.may_use("input-image", PURPOSE).map_err(vault::Error::from)?;
        let mut tx = self.db.read().await?;
        let standing = self.vault.standing(&mut tx, owner).await?;
        if standing.restricted_at.is_some() {
            return Err(vault::Error::Restricted.into());
        }
        Ok(())
    }
}
