//! The person decides: yes, no, or no more.

use serde_json::json;

use super::model::{EndedBy, KeptProposal, Mandate, MandateOpened, MandateState, Row, Wanted};
use super::sql;
use crate::base::{MandateId, RequestId, Secret, TenantId, Timestamp};
use crate::crypto;
use crate::intake::{Error, Intake};
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Channel, Fact, Facts, Right};
use crate::requests::{self, Arrived, Ask, Filing, Request, Way};
use crate::speech::key;
use crate::store::Tx;
use crate::vault::{Access, Actor, NewRecord, Owner, SealedRecord};

/// The record of a mandate that was given.
const RECORD: &str = "mandate";
/// The record of its end.
const END: &str = "mandate-ended";

impl Intake {
    /// What the holder of a link is asked about. Changes nothing.
    pub async fn mandate_opened(&self, tenant: &TenantId, token: &str) -> Result<MandateOpened, Error> {
        let (row, _) = self.asked_by(tenant, token).await?;
        let kept = self.unseal_proposal(tenant, &row).await?;
        Ok(MandateOpened {
            wanted: Wanted { ask: wanted(&kept)?, words: kept.words },
            agent: kept.agent,
            contact: kept.contact,
            rights: row.rights,
            until: row.until,
            tells: row.tells,
            answer_until: row.answer_until,
        })
    }

    /// The person says yes: the mandate is theirs from here on, and what the agent asked for is filed in their name. `tells`
    /// is whether the agent may be told how requests stand.
    pub async fn mandate_confirmed(
        &self,
        tenant: &TenantId,
        token: &str,
        tells: bool,
    ) -> Result<Request, Error> {
        let (row, owner) = self.asked_by(tenant, token).await?;
        let kept = self.unseal_proposal(tenant, &row).await?;
        let wanted = Wanted { ask: wanted(&kept)?, words: kept.words.clone() };
        let fresh = (RequestId::new(&self.0.clock, &self.0.entropy), self.0.clock.now());
        let mut tx = self.0.db.begin().await?;
        let id = sql::begin(&mut tx, tenant, row.id, fresh).await?.ok_or(Error::BadLink)?;
        tx.commit().await?;
        let decided = async {
            let filed = self.file_under(&owner, (row.id, Some(id)), wanted).await?;
            self.given(&owner, &row, &kept, (tells && row.tells, filed.id)).await?;
            Ok(filed)
        };
        let decided = decided.await;
        if decided.is_err() {
            self.step(tenant, row.id, (MandateState::Deciding, MandateState::Asked)).await?;
        }
        decided
    }

    /// Writes down that a mandate was given: in the vault, on the ledger, in its row.
    async fn given(
        &self,
        owner: &Owner,
        row: &Row,
        kept: &KeptProposal,
        (tells, request): (bool, RequestId),
    ) -> Result<(), Error> {
        let now = self.0.clock.now();
        let rights = rights_text(&row.rights);
        let value = json!({
            "agent": kept.agent, "contact": kept.contact, "rights": rights, "until": row.until.rfc3339(),
            "status-told": tells, "given": now.rfc3339(),
        });
        let sealed = self.sealed_record(owner, row.id, (RECORD, value)).await?;
        let record = sealed.first().map(SealedRecord::id).ok_or(Error::Damaged)?;
        let entry = self
            .mandate_entry((EntryKind::MANDATE_GIVEN, "subject"), owner, row.id)
            .await?
            .fact("rights", rights.replace(' ', "+"));
        let mut tx = self.0.db.begin().await?;
        self.0.vault.insert(&mut tx, owner, &sealed).await?;
        self.0.ledger.append(&mut tx, entry).await?;
        // Without its row there is no mandate: neither a record nor an entry may say so.
        if !sql::given(&mut tx, &owner.tenant, row.id, (record, tells, request)).await? {
            return Err(Error::BadLink);
        }
        tx.commit().await?;
        Ok(())
    }

    /// The person says no: what is kept of the proposal goes at once. The agent is not told.
    pub async fn mandate_declined(&self, tenant: &TenantId, token: &str) -> Result<(), Error> {
        let (row, _) = self.asked_by(tenant, token).await?;
        self.step(tenant, row.id, (MandateState::Asked, MandateState::Declined)).await
    }

    /// The mandates that a person gave, newest first, read by them or for them.
    pub async fn mandates(&self, owner: &Owner, actor: &Actor) -> Result<Vec<Mandate>, Error> {
        let rows = {
            let mut tx = self.0.db.read().await?;
            sql::of_person(&mut tx, owner).await?
        };
        let access = Access { actor, purpose: requests::PURPOSE };
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(record) = row.record else { continue };
            let value = self.0.vault.record(owner, &access, record).await?.value;
            let word = |name: &str| value.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
            all.push(Mandate {
                id: row.id,
                agent: word("agent"),
                contact: word("contact"),
                holds: row.holds(self.0.clock.now()),
                rights: row.rights,
                until: row.until,
                tells: row.tells,
                ended_at: row.ended_at,
            });
        }
        Ok(all)
    }

    /// Who asked for a request of this person under a mandate of theirs, if somebody did and it is still known.
    pub async fn agent_of(&self, owner: &Owner, request: RequestId) -> Result<Option<String>, Error> {
        let rows = {
            let mut tx = self.0.db.read().await?;
            sql::of_person(&mut tx, owner).await?
        };
        let row = rows.into_iter().find(|row| row.requests.contains(&request));
        let Some(record) = row.and_then(|row| row.record) else { return Ok(None) };
        let access = Access { actor: &Actor::Service, purpose: requests::PURPOSE };
        let value = self.0.vault.record(owner, &access, record).await?.value;
        Ok(value.get("agent").and_then(|agent| agent.as_str()).map(ToOwned::to_owned))
    }

    /// The person ends a mandate: from this second nothing is filed under it. What was filed before goes on.
    pub async fn end_mandate(&self, owner: &Owner, id: MandateId) -> Result<(), Error> {
        let found = {
            let mut tx = self.0.db.read().await?;
            sql::get(&mut tx, &owner.tenant, id).await?
        };
        let row = found.filter(|row| row.subject == Some(owner.subject)).ok_or(Error::NoMandate)?;
        if row.state != MandateState::Confirmed {
            return Err(Error::NoMandate);
        }
        self.end(owner, id, EndedBy::Person).await.map(|_| ())
    }

    /// Ends a mandate, with the record and the entry of it. `false` when it had ended before.
    pub(super) async fn end(&self, owner: &Owner, id: MandateId, by: EndedBy<'_>) -> Result<bool, Error> {
        let now = self.0.clock.now();
        let (who, role, more) = match by {
            EndedBy::Person => ("subject", "subject", None),
            EndedBy::LastDay => ("service", "service", None),
            EndedBy::Staff(staff, role, why) => ("staff", role.as_str(), Some((staff, why))),
        };
        let mut entry = self.mandate_entry((EntryKind::MANDATE_ENDED, role), owner, id).await?;
        let mut value = json!({ "mandate": id.to_string(), "ended": now.rfc3339(), "by": who });
        if let (Some((staff, why)), Some(value)) = (more, value.as_object_mut()) {
            entry = entry.fact("staff", staff.to_string().as_str());
            value.insert("why".to_owned(), json!(why));
        }
        let sealed = self.sealed_record(owner, id, (END, value)).await?;
        let mut tx = self.0.db.begin().await?;
        if !sql::end(&mut tx, &owner.tenant, id, now).await? {
            return Ok(false);
        }
        self.0.vault.insert(&mut tx, owner, &sealed).await?;
        let over = [(Fact::RequestClosed, now)];
        self.0.vault.happened(&mut tx, owner, &id.to_string(), &over).await?;
        self.0.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Files under a mandate, in the person's name; under an id that is given, once.
    pub(super) async fn file_under(
        &self,
        owner: &Owner,
        (mandate, id): (MandateId, Option<RequestId>),
        wanted: Wanted,
    ) -> Result<Request, Error> {
        let filing = Filing {
            ask: wanted.ask,
            channel: Channel::Api,
            by: Actor::Subject(owner.subject),
            proved: true,
            words: Some(wanted.words).filter(|w| !w.is_empty()).map(Secret::new),
        };
        let arrived = Arrived {
            id,
            at: self.0.clock.now(),
            way: Way::Agent,
            how: format!("asked for by an agent, under the mandate {mandate}"),
            proved: key("the mandate was confirmed by a link to their address").to_owned(),
        };
        Ok(self.0.requests.file_arrived(owner, filing, &arrived).await?.request)
    }

    async fn sealed_record(
        &self,
        owner: &Owner,
        mandate: MandateId,
        (name, value): (&'static str, serde_json::Value),
    ) -> Result<Vec<SealedRecord>, Error> {
        let record = NewRecord {
            category: requests::CATEGORY,
            name,
            value,
            parent: Some(mandate.to_string()),
            facts: Facts::new(),
        };
        Ok(self.0.vault.seal_records(owner, vec![record]).await?)
    }

    async fn mandate_entry(
        &self,
        (kind, role): (EntryKind, &str),
        owner: &Owner,
        id: MandateId,
    ) -> Result<Entry, Error> {
        let entry = Entry::new(kind, self.0.clock.now(), &owner.tenant, role);
        Ok(entry.about(self.0.vault.subject_ref(owner).await?).fact("mandate", id.to_string()))
    }

    async fn asked_by(&self, tenant: &TenantId, token: &str) -> Result<(Row, Owner), Error> {
        let hash = crypto::sha256(token.as_bytes());
        let found = {
            let mut tx = self.0.db.read().await?;
            sql::by_token(&mut tx, tenant, &hash, self.0.clock.now()).await?.ok_or(Error::BadLink)?
        };
        let owner = Owner::new(tenant, found.subject.ok_or(Error::BadLink)?);
        Ok((found, owner))
    }

    async fn step(
        &self,
        tenant: &TenantId,
        id: MandateId,
        step: (MandateState, MandateState),
    ) -> Result<(), Error> {
        let mut tx: Tx = self.0.db.begin().await?;
        if !sql::step(&mut tx, tenant, id, step).await? {
            return Err(Error::BadLink);
        }
        tx.commit().await?;
        Ok(())
    }
}

impl Row {
    /// Whether something can be filed under it now.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        self.state == MandateState::Confirmed && self.until > now
    }
}

/// Rights as a row keeps them.
pub(super) fn rights_text(rights: &[Right]) -> String {
    rights.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(" ")
}

fn wanted(kept: &KeptProposal) -> Result<Ask, Error> {
    let right = kept.right.parse().map_err(|_| Error::Damaged)?;
    Ask::of(right, kept.about.as_deref()).ok_or(Error::Damaged)
}
