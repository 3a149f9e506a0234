//! What staff write about a request: notes, and refusals that a second person has to agree to. All of it is sealed under
//! the person's key, theirs to see in an access request, and gone with them.

use serde_json::{Map, Value, json};

use super::filing::CATEGORY;
use super::{BadStep, Error, RefusalReason, RefusalText, Request, Requests, State, owner_of};
use crate::base::{RequestId, Secret, TenantId, Timestamp};
use crate::policy::Facts;
use crate::vault::{Access, Actor, NewRecord};

const REMARK: &str = "remark";
const PROPOSAL: &str = "refusal-proposal";
/// Most characters of one note.
pub const LONGEST_REMARK: usize = 2_000;

/// A note by staff.
#[derive(Debug)]
pub struct Remark {
    /// When.
    pub at: Timestamp,
    /// Who: the id of a member of staff.
    pub by: String,
    /// The words.
    pub words: Secret<String>,
}

/// A refusal that waits for a second person.
#[derive(Debug)]
pub struct Proposal {
    /// When it was proposed.
    pub at: Timestamp,
    /// By whom: the id of a member of staff.
    pub by: String,
    /// What the person would read.
    pub text: RefusalText,
}

/// What staff wrote about a request, oldest first.
#[derive(Debug, Default)]
pub struct Papers {
    /// The notes.
    pub remarks: Vec<Remark>,
    /// The newest proposal to refuse.
    pub proposal: Option<Proposal>,
}

impl Requests {
    /// Adds a note by staff.
    pub async fn remark(
        &self,
        tenant: &TenantId,
        id: RequestId,
        by: &Actor,
        words: &Secret<String>,
    ) -> Result<(), Error> {
        let text = words.expose().trim();
        if text.is_empty() || text.chars().count() > LONGEST_REMARK {
            return Err(Error::Invalid("a note has 1 to 2,000 characters"));
        }
        let request = self.find(tenant, id).await?;
        let paper = json!({ "words": text, "by": staff(by)?, "at": self.clock.now().rfc3339() });
        self.paper(&request, by, (REMARK, "noted"), paper).await
    }

    /// Proposes to refuse a request. Nothing is decided until somebody else agrees ([`Requests::agree_to_refuse`]).
    pub async fn propose_refusal(
        &self,
        tenant: &TenantId,
        id: RequestId,
        by: &Actor,
        text: &RefusalText,
    ) -> Result<(), Error> {
        if text.law.trim().is_empty() || text.words.expose().trim().is_empty() {
            return Err(Error::Invalid("a refusal needs the law it rests on and reasons in words"));
        }
        let request = self.find(tenant, id).await?;
        refusable(&request)?;
        let paper = json!({
            "reason": text.reason.as_str(), "law": text.law.trim(), "words": text.words.expose().trim(),
            "by": staff(by)?, "at": self.clock.now().rfc3339(),
        });
        self.paper(&request, by, (PROPOSAL, "refusal-proposed"), paper).await
    }

    /// Refuses a request as it was proposed. [`Error::Invalid`] for whoever proposed it: two persons decide.
    pub async fn agree_to_refuse(
        &self,
        tenant: &TenantId,
        id: RequestId,
        by: &Actor,
    ) -> Result<Request, Error> {
        let request = self.find(tenant, id).await?;
        refusable(&request)?;
        let proposal = self.papers(&request, by).await?.proposal;
        let proposal = proposal.ok_or(Error::Invalid("nobody has proposed to refuse it"))?;
        if proposal.by == staff(by)? {
            return Err(Error::Invalid("a second person has to agree, not the one who proposed it"));
        }
        self.refuse(tenant, id, by, &proposal.text).await
    }

    /// What staff wrote, read by somebody whom the document lets; the read is on the ledger.
    pub async fn papers(&self, request: &Request, actor: &Actor) -> Result<Papers, Error> {
        let owner = owner_of(request)?;
        let access = Access { actor, purpose: super::fulfil::PURPOSE };
        let mut papers = Papers::default();
        for record in self.vault.records_of(&owner, &access, &request.id.to_string()).await? {
            match record.name.as_str() {
                REMARK => papers.remarks.extend(remark(&record.value)),
                PROPOSAL => papers.proposal = proposal(&record.value).or(papers.proposal),
                _ => {}
            }
        }
        Ok(papers)
    }

    async fn paper(
        &self,
        request: &Request,
        by: &Actor,
        (name, event): (&'static str, &str),
        value: Value,
    ) -> Result<(), Error> {
        let owner = owner_of(request)?;
        let parent = Some(request.id.to_string());
        let record = NewRecord { category: CATEGORY, name, value, parent, facts: Facts::new() };
        let sealed = self.vault.seal_records(&owner, vec![record]).await?;
        let mut tx = self.db.begin().await?;
        self.vault.insert(&mut tx, &owner, &sealed).await?;
        self.note(&mut tx, request, (by.role().as_str(), event), None, None).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn staff(by: &Actor) -> Result<String, Error> {
    match by {
        Actor::Staff(id, _) => Ok(id.to_string()),
        _ => Err(Error::Invalid("only a person of staff can do this")),
    }
}

fn refusable(request: &Request) -> Result<(), Error> {
    let (from, to) = (request.state, State::Refused);
    if from.leads_to(to, request.right) { Ok(()) } else { Err(BadStep { from, to }.into()) }
}

fn text<'a>(value: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn remark(value: &Value) -> Option<Remark> {
    let value = value.as_object()?;
    Some(Remark {
        at: Timestamp::parse_rfc3339(text(value, "at")?)?,
        by: text(value, "by")?.to_owned(),
        words: Secret::new(text(value, "words")?.to_owned()),
    })
}

fn proposal(value: &Value) -> Option<Proposal> {
    let value = value.as_object()?;
    Some(Proposal {
        at: Timestamp::parse_rfc3339(text(value, "at")?)?,
        by: text(value, "by")?.to_owned(),
        text: RefusalText {
            reason: RefusalReason::parse(text(value, "reason")?)?,
            law: text(value, "law")?.to_owned(),
            words: Secret::new(text(value, "words")?.to_owned()),
        },
    })
}
