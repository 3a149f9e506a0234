//! Pictures that stand in our records and cannot be read. They are looked for before an archive is called ready, and found
//! by whoever downloads one that breaks off; in the archive a note stands in the place of each, and staff are told. Which
//! they are lies sealed with the request, as long as the archive can be had.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::filing::CATEGORY;
use super::fulfil::PURPOSE;
use super::take_home::reaches;
use super::{Error, Request, Requests};
use crate::base::{ObjectId, RequestId};
use crate::policy::{Facts, Form};
use crate::speech::Tongue;
use crate::store::aside::{Unread, set_aside};
use crate::vault::{self, Access, Actor, NewRecord, Owner};

/// The name of such a record.
pub(super) const GAPS: &str = "gaps";
/// Pictures of one archive that are put among the jobs that wait for a hand. Whoever looks at so many has seen enough.
const MOST_ASIDE: usize = 50;

impl Requests {
    /// How many pictures could not be read for a request's archive.
    pub async fn missing(&self, owner: &Owner, request: &Request) -> Result<u64, Error> {
        Ok(self.gaps(owner, request).await?.len() as u64)
    }

    /// Those that are known to be missing from a request's archive.
    pub(super) async fn gaps(&self, owner: &Owner, request: &Request) -> Result<BTreeSet<ObjectId>, Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let found = self.vault.records_of(owner, &access, &request.id.to_string()).await?;
        let mut gaps = BTreeSet::new();
        for record in found.iter().filter(|r| r.name == GAPS && request.gathered(r.item.created_at)) {
            let ids = record.value.get("pictures").and_then(Value::as_array);
            gaps.extend(ids.into_iter().flatten().filter_map(|id| id.as_str()?.parse::<ObjectId>().ok()));
        }
        Ok(gaps)
    }

    /// Looks whether everything is there that goes into an archive, and writes down what is not. A store that is down says
    /// nothing about a picture: then this is an error, and tried again.
    pub(super) async fn find_gaps(&self, owner: &Owner, request: &Request) -> Result<usize, Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        let mut lost = Vec::new();
        for category in policy.categories().filter(|c| c.form == Form::Object && reaches(request.right, c)) {
            for object in self.vault.not_whole(owner, &category.id).await? {
                // A store may be wrong about a length for once; what opens to its end is there.
                if self.is_lost(owner, object).await? {
                    lost.push(object);
                }
            }
        }
        self.keep_gaps(owner, request, &lost).await?;
        Ok(self.gaps(owner, request).await?.len())
    }

    /// A picture at which a download broke off. Gives whether it is lost, and then it is a gap in the next download: not
    /// one that was erased meanwhile, or that reads well when it is read once more.
    pub(super) async fn gap_found(
        &self,
        owner: &Owner,
        request: RequestId,
        object: ObjectId,
    ) -> Result<bool, Error> {
        if !self.is_lost(owner, object).await? {
            return Ok(false);
        }
        let request = self.get(owner, request).await?;
        self.keep_gaps(owner, &request, &[object]).await?;
        Ok(true)
    }

    /// Whether a picture that is somebody's does not open to its end.
    async fn is_lost(&self, owner: &Owner, object: ObjectId) -> Result<bool, Error> {
        let actor = Actor::Subject(owner.subject);
        let access = Access { actor: &actor, purpose: PURPOSE };
        match self.read_through(owner, &access, object).await {
            Ok(()) | Err(vault::Error::Erasing) => return Ok(false),
            Err(vault::Error::NotFound | vault::Error::Damaged) => {}
            Err(e) => return Err(e.into()),
        }
        match self.vault.object(owner, &access, object).await {
            Ok(_) => Ok(true),
            Err(vault::Error::NotFound | vault::Error::Erasing) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    async fn read_through(
        &self,
        owner: &Owner,
        access: &Access<'_>,
        object: ObjectId,
    ) -> Result<(), vault::Error> {
        let mut open = self.vault.open_object(owner, access, object, None).await?;
        while let Some(piece) = open.bytes.next().await {
            piece?;
        }
        Ok(())
    }

    /// Writes down pictures that are missing from an archive, those that are not written down yet, and tells staff.
    async fn keep_gaps(&self, owner: &Owner, request: &Request, lost: &[ObjectId]) -> Result<(), Error> {
        let known = self.gaps(owner, request).await?;
        let fresh: Vec<String> =
            lost.iter().filter(|id| !known.contains(*id)).map(ToString::to_string).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        tracing::error!(request = %request.id, count = fresh.len(), "pictures of an archive cannot be read");
        for id in fresh.iter().take(MOST_ASIDE) {
            let why = "a picture cannot be read: its bytes are gone, or are not those that were stored";
            let row = Unread { tenant: &owner.tenant, table: "object", id, why };
            set_aside(&self.db, &self.clock, &self.entropy, row).await?;
        }
        let (value, parent) = (json!({ "pictures": fresh }), Some(request.id.to_string()));
        let record = NewRecord { category: CATEGORY, name: GAPS, value, parent, facts: Facts::new() };
        let sealed = self.vault.seal_records(owner, vec![record]).await?;
        let kept = self.insert_gaps(owner, &sealed).await;
        if kept.is_err() {
            self.vault.discard(owner, &sealed).await;
        }
        kept
    }

    async fn insert_gaps(&self, owner: &Owner, sealed: &[vault::SealedRecord]) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        self.vault.insert(&mut tx, owner, sealed).await?;
        Ok(tx.commit().await?)
    }
}

/// That pictures are missing from an archive, for its owner. Nothing where none is.
pub fn missing_in_words(tongue: Tongue, missing: u64) -> Option<String> {
    let says = tongue.count(
        missing,
        "One of your pictures could not be read. A note in the archive says which one; we know of it, and look into it.",
        "{count} of your pictures could not be read. Notes in the archive say which ones; we know of it, and look into it.",
    );
    (missing > 0).then(|| says.text())
}
