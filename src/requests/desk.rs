//! What staff do: see the queue and its clocks, refuse with reasons, extend once, find a request by its number.

use serde_json::json;

use super::filing::CATEGORY;
use super::identity::clocks;
use super::model::words;
use super::receipts::IssuedKind;
use super::{Error, Request, Requests, State, answer, owner_of, sql};
use crate::base::{Page, PageSize, RequestId, Secret, TenantId, Timestamp};
use crate::ledger::EntryKind;
use crate::policy::{Facts, Right};
use crate::speech::{Tongue, key};
use crate::vault::{Access, Actor, NewRecord};

/// The record of a letter to the person.
pub(super) const LETTER: &str = "letter";

/// What was said in a request, as far as somebody may read it.
#[derive(Debug, Default)]
pub struct Said {
    /// What the person wrote.
    pub words: Option<Secret<String>>,
    /// The letters that answered it.
    pub letters: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// Which requests of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueueFilter {
    /// What is open, the most urgent promise first.
    #[default]
    Open,
    /// What was promised for a time that is over and is not answered, the longest first.
    Overdue,
    /// All, newest first.
    All,
}

/// How many requests of a right stand in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The right.
    pub right: Right,
    /// The state.
    pub state: State,
    /// How many.
    pub n: i64,
}

words!(
    /// Why a request is refused. A person decides this, never the program.
    RefusalReason {
        /// Who is asking could not be shown (Art. 12(2) and 11(2) GDPR).
        Identity = "identity-not-shown",
        /// Manifestly unfounded or excessive (Art. 12(5) GDPR).
        Excessive = "manifestly-excessive",
        /// A law wants the data kept (Art. 17(3)(b) GDPR).
        LegalDuty = "legal-duty",
        /// They are needed for a legal claim (Art. 17(3)(e) GDPR).
        LegalClaim = "legal-claim",
        /// It would harm the rights of others (Art. 15(4) and 20(4) GDPR).
        OthersRights = "rights-of-others",
        /// What is said to be wrong was found to be right (Art. 16 GDPR).
        Accurate = "found-accurate",
    }
);

impl RefusalReason {
    /// As the person is told, in a sentence.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Identity => key("We could not be sure that it is you who asks."),
            Self::Excessive => key("The request is manifestly unfounded or excessive."),
            Self::LegalDuty => key("A law obliges us to keep these data."),
            Self::LegalClaim => key("The data are needed for a legal claim."),
            Self::OthersRights => key("It would harm the rights of others."),
            Self::Accurate => key("We looked into it and found that what we hold is right."),
        }
    }
}

/// A refusal as the person will read it. The remedies, which the law wants in the letter, are added by the program.
#[derive(Debug)]
pub struct RefusalText {
    /// Why, as a code.
    pub reason: RefusalReason,
    /// The provision it rests on.
    pub law: String,
    /// Why, in words to the person.
    pub words: Secret<String>,
}

impl Requests {
    /// A page of a tenant's requests; `after` is the `next` of the page before.
    pub async fn queue(
        &self,
        tenant: &TenantId,
        filter: QueueFilter,
        after: Option<&str>,
        size: PageSize,
    ) -> Result<Page<Request>, Error> {
        let most = i64::try_from(size.get()).unwrap_or(i64::MAX) + 1;
        let mut tx = self.db.read().await?;
        if filter == QueueFilter::All {
            let rows = sql::request::every(&mut tx, tenant, after, most).await?;
            return Ok(Page::cut(rows, size, |r| r.id.to_string()));
        }
        let place = place(after)?;
        let rows = if filter == QueueFilter::Open {
            sql::request::queue(&mut tx, tenant, place, most).await?
        } else {
            sql::request::late(&mut tx, tenant, place, most, self.clock.now()).await?
        };
        Ok(Page::cut(rows, size, |r| format!("{}:{}", r.due.promise.micros(), r.id)))
    }

    /// Unanswered requests whose promised time was over at `now`: the probe of the promise on deadlines.
    pub async fn overdue(&self, tenant: &TenantId, now: Timestamp) -> Result<Vec<Request>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::request::late(&mut tx, tenant, (i64::MIN, ""), 1000, now).await?)
    }

    /// How many requests stand where.
    pub async fn counts(&self, tenant: &TenantId) -> Result<Vec<Counted>, Error> {
        let mut tx = self.db.read().await?;
        let rows = sql::request::counts(&mut tx, tenant).await?;
        Ok(rows.into_iter().map(|(right, state, n)| Counted { right, state, n }).collect())
    }

    /// A request by the number people read out; case and a missing `PR-` are forgiven.
    pub async fn by_reference(&self, tenant: &TenantId, reference: &str) -> Result<Request, Error> {
        let upper = reference.trim().to_ascii_uppercase();
        let bare = upper.strip_prefix("PR-").unwrap_or(&upper);
        let mut tx = self.db.read().await?;
        let found = sql::request::by_reference(&mut tx, tenant, &format!("PR-{bare}")).await?;
        found.ok_or(Error::NotFound)
    }

    /// Refuses a request: the letter, with reason, law, authority and court in it, is sealed for the person, and the
    /// request closed. Never for what a person can do alone.
    pub async fn refuse(
        &self,
        tenant: &TenantId,
        id: RequestId,
        by: &Actor,
        text: &RefusalText,
    ) -> Result<Request, Error> {
        if !matches!(by, Actor::Staff(..)) {
            return Err(Error::Invalid("only a person of staff can refuse a request"));
        }
        if text.law.trim().is_empty() || text.words.expose().trim().is_empty() {
            return Err(Error::Invalid("a refusal needs the law it rests on and reasons in words"));
        }
        let request = self.find(tenant, id).await?;
        let refused = request.clone().answer(State::Refused, text.reason.as_str(), self.clock.now())?;
        let owner = owner_of(&request)?;
        let authority = answer::authority(&*self.vault.policy(tenant)?);
        let letter = NewRecord {
            category: CATEGORY,
            name: LETTER,
            value: json!({
                "refused-because": text.reason.as_str(),
                "law": text.law.trim(),
                "reasons": text.words.expose().trim(),
                "authority": authority.name,
                "contact": authority.contact,
            }),
            parent: Some(id.to_string()),
            facts: Facts::new(),
        };
        self.vault.add_record(&owner, letter).await?;
        self.shut(&owner, refused, by, Some((IssuedKind::Request, None))).await
    }

    /// Extends the law's time of an open request, once, with a reason that the person is told by a letter, which is owed from
    /// here on. The promise stays.
    pub async fn extend(
        &self,
        tenant: &TenantId,
        id: RequestId,
        by: &Actor,
        reason: &Secret<String>,
    ) -> Result<Request, Error> {
        if reason.expose().trim().is_empty() {
            return Err(Error::Invalid("an extension needs its reason"));
        }
        let request = self.find(tenant, id).await?;
        let owner = owner_of(&request)?;
        let extended = request.extend(self.clock.now())?;
        let authority = answer::authority(&*self.vault.policy(tenant)?);
        let letter = NewRecord {
            category: CATEGORY,
            name: LETTER,
            value: json!({
                "extended-to": extended.legal_due().rfc3339(),
                "reasons": reason.expose().trim(),
                "authority": authority.name,
                "contact": authority.contact,
            }),
            parent: Some(id.to_string()),
            facts: Facts::new(),
        };
        let sealed = self.vault.seal_records(&owner, vec![letter]).await?;
        let kind: EntryKind = "request.extended".parse()?;
        let role = by.role().as_str();
        let entry = self.entry(kind, &owner, role, &extended).await?;
        let mut tx = self.db.begin().await?;
        self.vault.insert(&mut tx, &owner, &sealed).await?;
        let entry = self.ledger.append(&mut tx, entry).await?.id;
        let saved = self.save(&mut tx, extended).await?;
        self.note(&mut tx, &saved, (role, "extended"), None, Some(entry)).await?;
        tx.commit().await?;
        Ok(saved)
    }

    /// The letters of a request, oldest first: JSON objects of short texts.
    pub async fn letters(
        &self,
        request: &Request,
        actor: &Actor,
    ) -> Result<Vec<serde_json::Map<String, serde_json::Value>>, Error> {
        let owner = owner_of(request)?;
        let access = Access { actor, purpose: super::fulfil::PURPOSE };
        let found = self.vault.records_of(&owner, &access, &request.id.to_string()).await?;
        let letters = found.into_iter().filter(|r| r.name == LETTER);
        Ok(letters.map(|r| super::fulfil::object(r.value)).collect())
    }

    /// What was asked for in words and what was answered, for whom the document lets read it: whoever else may hear how a
    /// request stands, as an app for its user, hears nothing of that, which is no refusal.
    pub async fn said(&self, request: &Request, actor: &Actor) -> Result<Said, Error> {
        let policy = self.vault.policy(&request.tenant)?;
        if policy.may_read(CATEGORY, actor.role(), super::fulfil::PURPOSE).is_err() {
            return Ok(Said::default());
        }
        let (words, letters) = (self.words(request, actor).await?, self.letters(request, actor).await?);
        Ok(Said { words, letters })
    }

    /// Takes a closed request up again: after a complaint, or when something was missed. Its clocks begin anew.
    pub async fn reopen(&self, tenant: &TenantId, id: RequestId, by: &Actor) -> Result<Request, Error> {
        let request = self.find(tenant, id).await?;
        let owner = owner_of(&request)?;
        let now = self.clock.now();
        let policy = self.vault.policy(tenant)?;
        let due = clocks(&policy, request.right, now)?;
        let reopened = request.reopen(now, due)?;
        let mut tx = self.db.begin().await?;
        let saved = self.save(&mut tx, reopened).await?;
        self.note(&mut tx, &saved, (by.role().as_str(), "reopened"), None, None).await?;
        tx.commit().await?;
        // What was gathered for the round before is used for nothing more; what a legal hold keeps goes with the next end.
        if let Err(why) = self.drop_copies(&owner, &saved).await {
            tracing::warn!(request = %saved.id, kind = ?why.kind(), "what was gathered before is still there");
        }
        Ok(saved)
    }

    /// Tries the next step of a request now, without waiting for its time.
    pub async fn retry(&self, tenant: &TenantId, id: RequestId) -> Result<Request, Error> {
        let request = self.find(tenant, id).await?;
        let now = self.clock.now();
        self.carry_out(Request { next_at: request.next_at.or(Some(now)), ..request }).await
    }
}

/// What the law wants said with a refusal, of a letter that has it (Art. 12(4) GDPR): the authority and the courts.
pub fn remedy(tongue: Tongue, letter: &serde_json::Map<String, serde_json::Value>) -> Option<String> {
    let word = |name: &str| letter.get(name).and_then(|v| v.as_str()).filter(|text| !text.is_empty());
    if let Some(whole) = word("remedy") {
        return Some(tongue.tell(whole));
    }
    let name = tongue.tell(word("authority")?);
    let authority =
        [Some(name.as_str()), word("contact")].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let says = key("You can complain to this authority: {authority}. You can also take the matter to court.");
    Some(tongue.put(says).with("authority", authority).text())
}

fn place(after: Option<&str>) -> Result<(i64, &str), Error> {
    let Some(text) = after else { return Ok((i64::MIN, "")) };
    let (due, id) = text.split_once(':').ok_or(BAD_PLACE)?;
    Ok((due.parse().map_err(|_| BAD_PLACE)?, id))
}

const BAD_PLACE: Error = Error::Invalid("not a place in the queue");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_in_the_queue_is_read_back_or_refused(text in "\\PC{0,40}", due: i64, id in "[a-z_0-9]{0,36}") {
            let _ = place(Some(&text));
            let written = format!("{due}:{id}");
            prop_assert_eq!(place(Some(&written)).unwrap(), (due, id.as_str()));
        }
    }
}
