//! Letters about requests: they arrived, were set for a day, take longer, were answered, or ended unconfirmed. What is held
//! of somebody is never in them; why something was refused is, since the law wants it told (Art. 12(4) GDPR).

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::letters::ANSWERING;
use super::sql::{self, About, Kind};
use super::{Error, Jobs};
use crate::base::{TenantId, Timestamp};
use crate::elsewhere::TaskState;
use crate::keystore::EPOCH_LASTS;
use crate::mail::letters::{
    ErasureDone, ErasureScheduled, ErasureWaits, Letter as _, Letterhead, RequestAcknowledged,
    RequestAnswered, RequestExtended, RequestLapsed, Written,
};
use crate::policy::{Channel, Right};
use crate::requests::{self, Lapsed, LastLetter, RefusalReason, Request, State, Way};
use crate::speech::{Tongue, key};
use crate::vault::{Actor, Owner};

/// What happened longer ago gets no letter any more: a store that was down for longer is a matter for people.
pub(super) const FRESH: TimeDelta = TimeDelta::days(45);
/// A letter that was not taken is tried again after this.
pub(super) const AGAIN: TimeDelta = TimeDelta::minutes(10);

/// A letter of a request's own, as it lies sealed with it.
type Paper = Map<String, Value>;

impl Jobs {
    /// Sends the letters of a kind that are owed about requests. Gives how many.
    pub(super) async fn about_requests(&self, tenant: &TenantId, kind: Kind) -> Result<u64, Error> {
        let now = self.app.clock.now();
        let (since, tried) = (now.plus(-FRESH), now.plus(-AGAIN));
        let owed = {
            let mut tx = self.app.db.read().await?;
            sql::owed(&mut tx, tenant, kind, (since, tried)).await?
        };
        let mut n = 0;
        for (request, subject, round) in owed {
            let (owner, about) = (Owner::new(tenant, subject), About { tenant, request, kind, round });
            // Noted before it is sent and again when it was taken: two replicas send one letter, and one that the mail
            // server did not take is tried again.
            let mut tx = self.app.db.begin().await?;
            let first = sql::try_now(&mut tx, about, (now, tried)).await?;
            tx.commit().await?;
            if !first {
                continue;
            }
            let request = self.app.requests.get(&owner, request).await?;
            // One that cannot be written must not keep the others.
            let letter = match self.letter(&owner, &request, kind).await {
                Ok(letter) => letter,
                Err(e) => {
                    tracing::warn!(error = %e, request = %request.id, "a letter could not be written");
                    continue;
                }
            };
            let id = named(&request, kind);
            if self.send(&owner, ANSWERING, &id, &letter).await {
                let mut tx = self.app.db.begin().await?;
                sql::sent(&mut tx, about, self.app.clock.now()).await?;
                tx.commit().await?;
                n += 1;
            }
        }
        Ok(n)
    }

    /// A letter about a request, written.
    pub(super) async fn letter(
        &self,
        owner: &Owner,
        request: &Request,
        kind: Kind,
    ) -> Result<Written, Error> {
        let head = self.head_for(owner).await?;
        let root = &self.app.config.server.public_url;
        let link = format!("{root}/{}/privacy/requests/{}", owner.tenant, request.reference);
        let policy = self.app.vault.policy(&owner.tenant)?;
        let title = requests::title(head.tongue, &policy, request.right, request.about.as_deref());
        let reference = request.reference.clone();
        let written = match kind {
            Kind::Acknowledged => {
                let identity = self.identity(owner, request, head.tongue).await?;
                let (received, promised_by) = (request.received_at, request.due.promise);
                let law_by = request.legal_due();
                RequestAcknowledged { head, reference, title, received, promised_by, law_by, identity, link }
                    .write()
            }
            Kind::Scheduled => return self.scheduled(owner, request, (head, link)).await,
            Kind::Extended => {
                let paper = self.paper(request, "extended-to").await?;
                let remedy = requests::remedy(head.tongue, &paper).unwrap_or_default();
                let (reasons, until) = (paragraphs(&paper), request.legal_due());
                RequestExtended { head, reference, title, reasons, until, remedy, link }.write()
            }
            Kind::Answered => return self.answered(owner, request, (head, title, link)).await,
            Kind::Lapsed => {
                let agent_removed = request.lapsed() == Some(Lapsed::AgentRemoved);
                let received = request.received_at;
                RequestLapsed { head, reference, title, received, agent_removed, link }.write()
            }
        };
        written.map_err(|_| Error::Payload)
    }

    /// How it is known who asks, or what is still needed.
    async fn identity(&self, owner: &Owner, request: &Request, tongue: Tongue) -> Result<String, Error> {
        if request.state == State::IdentityPending {
            let says = key("Sign in and confirm it, so that nobody else can ask in your name.");
            return Ok(tongue.say(says).to_owned());
        }
        let events = self.app.requests.timeline(&owner.tenant, request.id).await?;
        if events.iter().any(|event| event.kind == Way::Agent.as_str()) {
            let agent = self.app.intake.agent_of(owner, request.id).await?;
            return Ok(by_agent(tongue, agent.as_deref()));
        }
        let says = match request.channel {
            Channel::Email => key("You confirmed it by the link in our letter; nothing more is needed."),
            _ => key("You were signed in; nothing more is needed."),
        };
        Ok(tongue.say(says).to_owned())
    }

    async fn scheduled(
        &self,
        owner: &Owner,
        request: &Request,
        (head, link): (Letterhead, String),
    ) -> Result<Written, Error> {
        let holdings = self.app.vault.holdings(owner).await?;
        let images = holdings.iter().map(|h| h.images).sum::<i64>();
        let kept = self.app.vault.kept(owner).await?;
        let letter = ErasureScheduled {
            reference: request.reference.clone(),
            at: request.grace_until.unwrap_or(request.due.promise),
            images: u64::try_from(images).unwrap_or(0),
            stays: kept
                .iter()
                .map(|k| stays(head.tongue, (&k.title, &k.law), (k.records, k.until)))
                .collect(),
            take_back_link: link,
            head,
        };
        letter.write().map_err(|_| Error::Payload)
    }

    async fn answered(
        &self,
        owner: &Owner,
        request: &Request,
        (head, title, link): (Letterhead, String, String),
    ) -> Result<Written, Error> {
        let refused = request.outcome.as_deref().and_then(RefusalReason::parse);
        let (answer, remedy) = if let Some(why) = refused {
            let paper = self.paper(request, "refused-because").await?;
            (refusal(head.tongue, why, &paper), requests::remedy(head.tongue, &paper))
        } else {
            let mut says = vec![head.say(answer(request)).to_owned()];
            if request.archive.is_some() && self.app.requests.missing(owner, request).await? > 0 {
                let gaps =
                    key("Something of it could not be read. The archive says what, and we look into it.");
                says.push(head.say(gaps).to_owned());
            }
            (says, None)
        };
        let letter = RequestAnswered {
            head,
            reference: request.reference.clone(),
            title,
            answer,
            archive_until: request.archive.as_ref().map(|a| a.until),
            remedy,
            link,
        };
        letter.write().map_err(|_| Error::Payload)
    }

    /// Tells people that they are erased, or how far that is while they can be told, and forgets where they were told. Gives
    /// how many.
    pub(super) async fn last_letters(&self, tenant: &TenantId) -> Result<u64, Error> {
        let mut n = 0;
        for last in self.app.requests.last_letters(tenant).await? {
            if !self.app.requests.try_last_letter(&last).await? {
                continue;
            }
            // One that cannot be written must not keep the others.
            let (written, what) = match self.last_words(tenant, &last).await {
                Ok(words) => words,
                Err(e) => {
                    tracing::warn!(error = %e, erasure = %last.erasure.id, "a last letter could not be written");
                    continue;
                }
            };
            let id = format!("{}.{what}", last.request);
            match self.app.post.send(last.to.expose(), Some(&last.of), &id, &written).await {
                Ok(()) => {
                    self.app.requests.last_letter_sent(&last).await?;
                    n += 1;
                }
                Err(e) => tracing::warn!(error = %e, "a last letter was not taken"),
            }
        }
        Ok(n)
    }

    /// The letter, and what it is.
    async fn last_words(
        &self,
        tenant: &TenantId,
        last: &LastLetter,
    ) -> Result<(Written, &'static str), Error> {
        if last.done {
            return Ok((self.erased(tenant, last).await?, "erased"));
        }
        Ok((self.not_erased_yet(tenant, last).await?, "not-erased-yet"))
    }

    async fn erased(&self, tenant: &TenantId, last: &LastLetter) -> Result<Written, Error> {
        let (erasure, tongue) = (&last.erasure, last.tongue);
        let receipt = erasure.receipt.ok_or(Error::Payload)?;
        let root = format!("{}/{tenant}", self.app.config.server.public_url);
        let policy = self.app.vault.policy(tenant)?;
        let mut stays: Vec<String> =
            erasure.stays.iter().map(|s| stays(tongue, (&s.what, &s.law), (s.records, s.until))).collect();
        if erasure.open_copies > 0 {
            let said = tongue.put("Copies at providers that we have not seen to be gone yet ({count}). We asked for their deletion, and look again until they are gone.");
            stays.push(said.with("count", erasure.open_copies).text());
        }
        for task in self.app.elsewhere.of_erasure(tenant, &erasure.id).await? {
            let Some(there) = &task.stays else { continue };
            let name = policy.processor(&task.processor).map_or(task.processor.as_str(), |p| p.name.as_str());
            let said = tongue.put("Payments and invoices at {processor} ({records})").with("processor", name);
            stays.push(said.with("records", there.records).text());
        }
        let at = erasure.verified_at.unwrap_or(erasure.started_at);
        let letter = ErasureDone {
            head: self.head(tenant, tongue)?,
            reference: last.reference.clone(),
            at,
            stays,
            // An epoch is destroyed when the second after it begins.
            backups_until: erasure.destroyed_at.unwrap_or(at).plus(EPOCH_LASTS * 2),
            receipt_file: file_name(&receipt.to_string()),
            verifier_key: self.app.ledger.verifier().to_string(),
            key_link: format!("{}/ledger/key", self.app.config.server.public_url),
            receipt_link: format!("{root}/receipts/{receipt}"),
            proof_link: format!("{root}/erased/{}", last.request),
        };
        letter.write().map_err(|_| Error::Payload)
    }

    async fn not_erased_yet(&self, tenant: &TenantId, last: &LastLetter) -> Result<Written, Error> {
        let (erasure, tongue) = (&last.erasure, last.tongue);
        let policy = self.app.vault.policy(tenant)?;
        let mut waits_for = Vec::new();
        for task in self.app.elsewhere.of_erasure(tenant, &erasure.id).await? {
            if task.state != TaskState::Open {
                continue;
            }
            let name = policy.processor(&task.processor).map_or(task.processor.as_str(), |p| p.name.as_str());
            waits_for.push(match &task.problem {
                Some(why) => {
                    let said = tongue.put("{processor} has not let go yet: {why}.");
                    said.with("processor", name).with("why", tongue.tell(why)).text()
                }
                None => tongue.put("{processor} has not let go yet.").with("processor", name).text(),
            });
        }
        if waits_for.is_empty() {
            let ours = key("A step here could not be done yet; it is tried again by itself.");
            waits_for.push(tongue.say(ours).to_owned());
        }
        let letter = ErasureWaits {
            head: self.head(tenant, tongue)?,
            reference: last.reference.clone(),
            begun: erasure.started_at,
            unreadable: erasure.destroyed_at,
            waits_for,
            proof_link: format!("{}/{tenant}/erased/{}", self.app.config.server.public_url, last.request),
        };
        letter.write().map_err(|_| Error::Payload)
    }

    /// The newest letter of a request's own that says something of this name.
    async fn paper(&self, request: &Request, name: &str) -> Result<Paper, Error> {
        let papers = self.app.requests.letters(request, &Actor::Service).await?;
        papers.into_iter().rev().find(|paper| paper.contains_key(name)).ok_or(Error::Payload)
    }
}

/// What a receipt is called as a file, as its page gives it.
fn file_name(receipt: &str) -> String {
    format!("receipt-{}.json", receipt.get(receipt.len().saturating_sub(8)..).unwrap_or(receipt))
}

/// A letter's own name: the same for one that is sent twice for want of an answer.
pub(super) fn named(request: &Request, kind: Kind) -> String {
    match request.round {
        0 => format!("{}.{}", request.id, kind.as_str()),
        round => format!("{}.{}.{round}", request.id, kind.as_str()),
    }
}

/// What staff wrote, as they wrote it.
fn paragraphs(paper: &Paper) -> Vec<String> {
    let words = paper.get("reasons").and_then(Value::as_str).unwrap_or_default();
    words.lines().map(str::trim).filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

/// A refusal in full: why, in the words of the law's ground and in those of whoever decided it, and the law.
fn refusal(tongue: Tongue, why: RefusalReason, paper: &Paper) -> Vec<String> {
    let law = paper.get("law").and_then(Value::as_str).unwrap_or_default();
    let mut says = vec![tongue.say(key("We did not do what you asked, and this is why.")).to_owned()];
    says.push(tongue.say(why.in_words()).to_owned());
    says.extend(paragraphs(paper));
    says.push(tongue.put("This rests on: {law}.").with("law", law).text());
    says
}

/// That an agent asked, whom the mailbox knows from the letter that asked for the mandate.
fn by_agent(tongue: Tongue, agent: Option<&str>) -> String {
    match agent {
        Some(agent) => tongue
            .put("{agent} asked for it in your name, under the mandate that you gave by the link in our letter. You can end the mandate in your privacy centre.")
            .with("agent", agent)
            .text(),
        None => tongue
            .say(key("An agent asked for it in your name, under the mandate that you gave by the link in our letter. You can end the mandate in your privacy centre."))
            .to_owned(),
    }
}

/// What stays of somebody who is erased, in a sentence.
fn stays(tongue: Tongue, (what, law): (&str, &str), (records, until): (i64, Timestamp)) -> String {
    let said = tongue.put("{what} ({records}), reduced to what the law asks for ({law}), until {day}.");
    let said = said.with("what", what).with("records", records).with("law", law);
    said.with("day", tongue.day(until)).text()
}

/// The answer in a sentence. What it holds is on the request's page, behind the sign-in, never in a mail.
fn answer(request: &Request) -> &'static str {
    match (request.right, request.outcome.as_deref()) {
        (_, Some("no-data")) => key("We hold nothing that your request is about."),
        (Right::Access | Right::Portability, _) => key("Your archive is ready. Sign in to fetch it."),
        (Right::Rectification, Some("address-not-confirmed")) => key(
            "The link to your new address was not opened in time, so the address stays as it was. You can ask again at any time.",
        ),
        (Right::Rectification, Some("address-replaced")) => key(
            "Another change of your address was asked for before the link of this one was opened, and took its place. Everything else is corrected.",
        ),
        // The words themselves may say what is held of their reader.
        (Right::Rectification, _) if request.answered_in_words() => {
            key("Somebody looked into it, and answers you in words. They stand on your request’s page.")
        }
        (Right::Rectification, _) => key("Your details are corrected."),
        (Right::Restriction, _) if request.about.as_deref() == Some("off") => {
            key("The pause is lifted. Everything works again.")
        }
        (Right::Restriction, _) => {
            key("Everything is paused, as you asked: your data are kept, and not used.")
        }
        (Right::Objection, _) => key("We stopped using your data for what you objected to."),
        (Right::Withdrawal, _) => key("Your consent is withdrawn."),
        (Right::Erasure, _) => key("Your account is being erased."),
    }
}
