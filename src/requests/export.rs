//! The archive to take home: prepared once, made anew for each download, never on a disk in clear.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Stream, StreamExt as _};

use super::fulfil::PURPOSE;
use super::receipts::IssuedKind;
use super::{Error, Prepared, Request, Requests, State};
use crate::archive::{Layout, Plaintext, Source};
use crate::base::{ObjectId, RequestId, Timestamp};
use crate::ledger::EntryKind;
use crate::policy::Right;
use crate::vault::{self, Access, Actor, OpenObject, Owner};

/// An archive laid out: its length is known, and any part of it can be had. Cheap to clone; holds what small files
/// say, and no picture.
#[derive(Debug, Clone)]
pub struct Archive {
    /// The request it answers.
    pub request: RequestId,
    /// The moment whose holdings it shows.
    pub made_at: Timestamp,
    /// `flux-kontext-your-data-2026-05-05.zip`.
    pub file_name: String,
    /// Whether it is, to the byte, the archive that was prepared. Not, once something in it was erased or changed since.
    pub as_prepared: bool,
    layout: Layout,
    owner: Owner,
    room: Requests,
}

impl Archive {
    /// Its length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "an archive has at least its manifest")]
    pub fn len(&self) -> u64 {
        self.layout.len()
    }

    /// How many files it holds.
    pub fn files(&self) -> usize {
        self.layout.files()
    }

    /// A strong `ETag`, quoted: the same one means the same bytes.
    pub fn etag(&self) -> String {
        self.layout.etag()
    }

    /// SHA-256 of its manifest.
    pub fn manifest_sha256(&self) -> [u8; 32] {
        self.layout.manifest_sha256()
    }

    fn stream(
        &self,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes, crate::archive::Error>> + Send + 'static, Error> {
        let (room, owner) = (self.room.clone(), self.owner.clone());
        let source = FromVault(Arc::new(Reading { room, owner, request: self.request }));
        Ok(self.layout.stream(range, Arc::new(source))?)
    }
}

/// The vault as the archive reads it: as the person themself, who is handed what is theirs.
struct FromVault(Arc<Reading>);

/// Whose pictures are read, and for which request.
struct Reading {
    room: Requests,
    owner: Owner,
    request: RequestId,
}

impl Source for FromVault {
    fn open(&self, object: ObjectId) -> BoxFuture<'static, io::Result<Plaintext>> {
        let reading = Arc::clone(&self.0);
        async move {
            let open = match reading.open(object).await {
                Ok(open) => open,
                Err(why) => return Err(reading.broke(object, why).await),
            };
            let pieces = open.bytes.then(move |piece| {
                let reading = Arc::clone(&reading);
                async move {
                    match piece {
                        Ok(piece) => Ok(piece),
                        Err(why) => Err(reading.broke(object, why).await),
                    }
                }
            });
            Ok(pieces.boxed())
        }
        .boxed()
    }

    /// The vault's files are sealed under keys bound to the object they are of.
    fn authenticates(&self) -> bool {
        true
    }
}

impl Reading {
    async fn open(&self, object: ObjectId) -> Result<OpenObject, vault::Error> {
        let actor = Actor::Subject(self.owner.subject);
        let access = Access { actor: &actor, purpose: PURPOSE };
        self.room.vault.open_object(&self.owner, &access, object, None).await
    }

    /// The download breaks off at a picture. One that is lost is told to staff, and is a gap in the archive from the next
    /// download on; one that was erased meanwhile is in it no longer.
    async fn broke(&self, object: ObjectId, why: vault::Error) -> io::Error {
        let (request, kind) = (self.request, why.kind());
        let is_gone = match &why {
            vault::Error::NotFound | vault::Error::Damaged => {
                // Boxed: it reads the picture once more, and every piece of every picture would carry that.
                match Box::pin(self.room.gap_found(&self.owner, request, object)).await {
                    Ok(lost) => !lost && matches!(why, vault::Error::NotFound),
                    Err(e) => {
                        tracing::warn!(%request, kind = ?e.kind(), "a gap in an archive could not be noted");
                        false
                    }
                }
            }
            vault::Error::Erasing => true,
            _ => false,
        };
        if !is_gone {
            let row = format!("object/{object}");
            tracing::error!(%request, row, ?kind, "an archive broke off at a picture");
        }
        as_io(why)
    }
}

fn as_io(e: vault::Error) -> io::Error {
    let kind = match e {
        vault::Error::NotFound | vault::Error::Erasing => io::ErrorKind::NotFound,
        vault::Error::Damaged => io::ErrorKind::InvalidData,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, e)
}

impl Requests {
    /// Prepares the archive of an access or portability request: looks whether everything is there that goes into it, lays
    /// it out once, to be sure that it can be made, and answers the request.
    pub(super) async fn prepare(&self, owner: &Owner, request: &Request) -> Result<Request, Error> {
        // What the ledger tells of readings must be in the tree, or a later layout would tell more.
        self.ledger.sequence().await?;
        self.fetch_copies(owner, request).await?;
        self.take_down(owner, request).await?;
        let gaps = self.find_gaps(owner, request).await?;
        let now = self.clock.now();
        let layout = self.lay_out(owner, request, now).await?.0;
        let until = now.plus(self.settings.archive_for);
        let mut answered = request.clone().answer(State::Fulfilled, "fulfilled", now)?;
        answered.archive = Some(Prepared {
            made_at: now,
            len: layout.len(),
            sha256: layout.manifest_sha256(),
            until,
            delivered_at: None,
        });
        answered.next_at = Some(until);
        let entry = self.entry("request.answered".parse()?, owner, "service", &answered).await?;
        let entry = entry
            .fact("manifest-sha256", hex::encode(layout.manifest_sha256()))
            .fact("bytes", layout.len())
            .fact("files", layout.files() as u64);
        let mut tx = self.db.begin().await?;
        let entry = self.ledger.append(&mut tx, entry).await?.id;
        let saved = self.save(&mut tx, answered).await?;
        self.note(&mut tx, &saved, ("service", "ready"), None, Some(entry)).await?;
        if gaps > 0 {
            self.note(&mut tx, &saved, ("service", "gaps"), None, None).await?;
        }
        self.webhooks.request_answered(&mut tx, owner, saved.id).await?;
        tx.commit().await?;
        Ok(saved)
    }

    async fn lay_out(
        &self,
        owner: &Owner,
        request: &Request,
        at: Timestamp,
    ) -> Result<(Layout, String), Error> {
        let home = self.gather(owner, request, at).await?;
        let file_name = home.head.file_name();
        let signer = self.signer.clone();
        // Hashing and page writing take long for people with much.
        let made = tokio::task::spawn_blocking(move || Layout::new(home.contents()?, &signer)).await;
        let layout = made.map_err(|_| crate::archive::Error::Unwritable("the archive"))??;
        Ok((layout, file_name))
    }

    /// The archive that answers a request of this person, laid out now. [`Error::NotFound`] when none was prepared,
    /// [`Error::Over`] when its time is over.
    pub async fn archive(&self, owner: &Owner, id: RequestId) -> Result<Archive, Error> {
        let request = self.get(owner, id).await?;
        let prepared = request.archive.ok_or(Error::NotFound)?;
        if !matches!(request.right, Right::Access | Right::Portability) {
            return Err(Error::NotFound);
        }
        if self.clock.now() > prepared.until {
            return Err(Error::Over);
        }
        let (layout, file_name) = self.lay_out(owner, &request, prepared.made_at).await?;
        Ok(Archive {
            request: id,
            made_at: prepared.made_at,
            file_name,
            as_prepared: layout.manifest_sha256() == prepared.sha256,
            layout,
            owner: owner.clone(),
            room: self.clone(),
        })
    }

    /// Hands over an archive, or a part of it; not while the owner's address is new ([`crate::subjects::ADDRESS_HOLD`]). The first time, the ledger gets an entry with its hash, the owner a
    /// receipt, and the request is closed; an archive that has changed since counts anew. The stream ends with an error
    /// if a picture in it was erased meanwhile: the transfer must then be broken off.
    pub async fn deliver(
        &self,
        owner: &Owner,
        archive: &Archive,
        range: Option<Range<u64>>,
    ) -> Result<impl Stream<Item = Result<Bytes, crate::archive::Error>> + Send + 'static, Error> {
        self.subjects.may_take_out(owner).await?;
        let stream = archive.stream(range.unwrap_or(0..archive.len()))?;
        let request = self.get(owner, archive.request).await?;
        let prepared = request.archive.ok_or(Error::NotFound)?;
        let known = prepared.delivered_at.is_some() && prepared.sha256 == archive.manifest_sha256();
        if !known {
            match self.delivered(owner, request, prepared, archive).await {
                // Somebody else, who fetches the other half, has just written it down.
                Ok(()) | Err(Error::Raced) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(stream)
    }

    async fn delivered(
        &self,
        owner: &Owner,
        request: Request,
        prepared: Prepared,
        archive: &Archive,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let entry = self.entry(EntryKind::EXPORT_DELIVERED, owner, "subject", &request).await?;
        let entry = entry
            .fact("manifest-sha256", hex::encode(archive.manifest_sha256()))
            .fact("bytes", archive.len());
        let mut tx = self.db.begin().await?;
        let entry = self.ledger.append(&mut tx, entry).await?.id;
        let receipt = self.issue(&mut tx, owner, IssuedKind::Export, entry).await?;
        let mut next = request;
        next.receipt = Some(receipt);
        next.archive = Some(Prepared {
            len: archive.len(),
            sha256: archive.manifest_sha256(),
            delivered_at: Some(now),
            ..prepared
        });
        let saved = self.save(&mut tx, next).await?;
        self.note(&mut tx, &saved, ("subject", "delivered"), None, Some(entry)).await?;
        tx.commit().await?;
        if saved.state.is_answer() {
            self.shut(owner, saved, &Actor::Service, None).await?;
        }
        Ok(())
    }
}
