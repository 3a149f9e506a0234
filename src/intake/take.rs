//! Taking a letter: read, recognised, kept sealed, and its writer asked whether it is theirs.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::letter::{self, Letter};
use super::model::{Envelope, Outcome, Proof};
use super::{Error, Intake, sql, wish};
use crate::base::{MailId, Secret, TenantId, Timestamp};
use crate::crypto::{self, Place};
use crate::mail::letters::{ConfirmLetter, Letter as _, Letterhead};
use crate::policy::{Policy, Right};
use crate::speech::Tongue;
use crate::vault::Owner;

/// Most letters of one address that wait and are answered within a day.
pub const AN_ADDRESS: i64 = 3;
/// Most letters that are taken for one tenant within a day.
pub const A_DAY: i64 = 1_000;
/// How long a writer can confirm a letter: a day less than is promised for the answer, so that the promise can be kept.
const LIFE: TimeDelta = TimeDelta::hours(48);
/// What has been under way for so long was cut off.
const STALE: TimeDelta = TimeDelta::minutes(5);
const DAY: TimeDelta = TimeDelta::days(1);

/// What is kept of a letter until it is confirmed: sealed, and only what a request needs.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) address: String,
    pub(super) subject: String,
    pub(super) words: String,
}

/// A letter that is a request, and what it lies under.
struct Request<'l> {
    letter: &'l Letter,
    proof: Proof,
    right: Option<Right>,
    message_index: Vec<u8>,
    address_index: Vec<u8>,
}

impl Intake {
    /// Takes a letter as a mail system hands it over. Nothing is released or changed by it: its writer is asked, by a
    /// letter to the address it says it is from, to confirm it. The answer is the same for an address that nobody has
    /// an account under.
    pub async fn take(&self, tenant: &TenantId, raw: &[u8], envelope: &Envelope) -> Result<Outcome, Error> {
        let policy = self.0.vault.policy(tenant)?;
        let raw = letter::message_of(raw);
        let letter = letter::read(raw, envelope, self.0.house.domain())?;
        let own = [policy.contact().privacy.as_str(), self.0.house.from.as_str()];
        if letter.automatic.is_some() || own.iter().any(|o| letter.from.expose().eq_ignore_ascii_case(o)) {
            return Ok(Outcome::Automatic);
        }
        if !is_request(&policy, &letter) {
            return Ok(Outcome::NotARequest);
        }
        let named = letter.message_id.clone().unwrap_or_else(|| hex::encode(crypto::sha256(raw)));
        let name = format!("{}\0{named}", letter.from.expose());
        let request = Request {
            proof: self.0.verifier.of(raw, &letter.from, envelope).await,
            right: wish::right_in(&letter.words).filter(|right| policy.right(*right).is_some()),
            message_index: self.0.vault.blind_index(tenant, "mail", &name).await?,
            address_index: self.0.vault.blind_index(tenant, "email", letter.from.expose()).await?,
            letter: &letter,
        };
        let Some((id, token)) = self.keep(tenant, &request).await? else { return Ok(Outcome::Again) };
        self.ask(tenant, &policy, &request, (id, &token)).await?;
        Ok(Outcome::Taken)
    }

    /// Keeps a letter, and gives its id and the token of its link. `None` when it is linked to one that is kept already.
    async fn keep(
        &self,
        tenant: &TenantId,
        request: &Request<'_>,
    ) -> Result<Option<(MailId, Secret<String>)>, Error> {
        let now = self.0.clock.now();
        let id = MailId::new(&self.0.clock, &self.0.entropy);
        let kept = Kept {
            address: request.letter.from.expose().to_owned(),
            subject: request.letter.subject.clone(),
            words: request.letter.words.clone(),
        };
        let sealed = self.seal(tenant, id, &kept).await?;
        let owner = self.0.subjects.find(tenant, &request.letter.from).await?;
        let token = self.0.entropy.token();
        let token_hash = crypto::sha256(token.as_bytes()).to_vec();
        let mut tx = self.0.db.begin().await?;
        // Counted and added in one turn, or many at once would each find that there is room for one more.
        tx.take_turn(&format!("mail/{tenant}")).await?;
        if let Some(old) = sql::by_message(&mut tx, tenant, &request.message_index).await? {
            // Handed over once more because our letter did not go: it gets another link. Anything else is linked.
            let asked_anew = old.waits && old.posted_at.is_none();
            if asked_anew {
                sql::renew(&mut tx, tenant, old.id, &token_hash).await?;
            } else {
                sql::again(&mut tx, tenant, old.id).await?;
            }
            tx.commit().await?;
            return Ok(asked_anew.then(|| (old.id, token.into())));
        }
        let since = now.plus(-DAY);
        if sql::of_address(&mut tx, tenant, &request.address_index, since).await? >= AN_ADDRESS {
            sql::again_of_address(&mut tx, tenant, &request.address_index).await?;
            tx.commit().await?;
            return Ok(None);
        }
        if sql::of_tenant(&mut tx, tenant, since).await? >= A_DAY {
            return Err(Error::TooMany);
        }
        let row = sql::NewMail {
            id,
            subject: owner.map(|o| o.subject),
            message_index: &request.message_index,
            address_index: &request.address_index,
            right: request.right,
            proof: request.proof,
            sealed,
            token_hash,
            received_at: now,
            expires_at: now.plus(LIFE),
        };
        sql::insert(&mut tx, tenant, &row).await?;
        tx.commit().await?;
        Ok(Some((id, token.into())))
    }

    /// Asks the writer whether the letter is theirs: always in the same words, of the language they read.
    async fn ask(
        &self,
        tenant: &TenantId,
        policy: &Policy,
        request: &Request<'_>,
        (id, token): (MailId, &Secret<String>),
    ) -> Result<(), Error> {
        let mail = {
            let mut tx = self.0.db.read().await?;
            sql::get(&mut tx, tenant, id).await?.ok_or(Error::Damaged)?
        };
        let owner = mail.subject.map(|subject| Owner::new(tenant, subject));
        let promised = policy.right(request.right.unwrap_or(Right::Access));
        let written = ConfirmLetter {
            head: self.head(tenant, policy, owner.as_ref()).await,
            received: mail.received_at,
            until: mail.expires_at,
            promised_by: promised.map_or(mail.expires_at, |r| r.answer_within.after(mail.received_at)),
            link: format!("{}/{tenant}/letters/confirm?token={}", self.root(), token.expose()),
        };
        let written = written.write().map_err(|_| Error::Unwritable)?;
        let of = mail.subject.map(|s| s.to_string());
        self.0.post.send(request.letter.from.expose(), of.as_deref(), &id.to_string(), &written).await?;
        let mut tx = self.0.db.begin().await?;
        sql::posted(&mut tx, tenant, id, self.0.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) fn root(&self) -> &str {
        self.0.house.public_url.trim_end_matches('/')
    }

    /// The head of a letter: in the language that its reader last read our pages in, or in that of the document.
    pub(super) async fn head(&self, tenant: &TenantId, policy: &Policy, owner: Option<&Owner>) -> Letterhead {
        let known = match owner {
            Some(owner) => self.0.subjects.get(owner).await.ok().map(|subject| subject.tongue),
            None => Tongue::of_tag(policy.language()),
        };
        Letterhead {
            brand: policy.controller().name.clone(),
            contact: policy.contact().privacy.clone(),
            privacy_link: format!("{}/{tenant}/privacy", self.root()),
            development: self.0.house.development,
            tongue: known.unwrap_or_default(),
        }
    }

    async fn seal(&self, tenant: &TenantId, id: MailId, kept: &Kept) -> Result<Vec<u8>, Error> {
        Ok(self.0.keys.seal_note(&mail_key(tenant), &place(tenant, id), kept).await?)
    }

    pub(super) async fn unseal(&self, tenant: &TenantId, id: MailId, sealed: &[u8]) -> Result<Kept, Error> {
        Ok(self.0.keys.open_note(&mail_key(tenant), &place(tenant, id), sealed).await?)
    }

    /// What was answered and never carried out, since a process died over it, can be answered again. Gives how many.
    pub async fn take_up_again(&self, tenant: &TenantId) -> Result<u64, Error> {
        let now = self.0.clock.now();
        let span = (now.plus(DAY), now.plus(-STALE));
        let mut tx = self.0.db.begin().await?;
        let letters = sql::take_up(&mut tx, tenant, span).await?;
        let mandates = super::mandate::sql::take_up(&mut tx, tenant, span).await?;
        tx.commit().await?;
        if letters + mandates > 0 {
            tracing::warn!(letters, mandates, "answers that were cut off can be given again");
        }
        Ok(letters + mandates)
    }

    /// Forgets letters whose link is over and those that were used thirty days ago, and does the same for mandates. Gives
    /// how many.
    pub async fn expire(&self) -> Result<u64, Error> {
        let now: Timestamp = self.0.clock.now();
        let mut tx = self.0.db.begin().await?;
        let n = sql::expire(&mut tx, now).await?;
        tx.commit().await?;
        Ok(n + self.expire_mandates().await?)
    }
}

/// The service's key under which a tenant's letters lie, and what agents propose.
pub(super) fn mail_key(tenant: &TenantId) -> String {
    format!("mail/{tenant}")
}

fn place(tenant: &TenantId, id: MailId) -> Place {
    Place::new("mail").with(tenant.as_str()).with(id.as_bytes())
}

/// Whether a letter is to the document's address and bears its subject line, if it has one.
fn is_request(policy: &Policy, letter: &Letter) -> bool {
    let contact = policy.contact();
    let address = contact.privacy.to_lowercase();
    let line = contact.subject_line.as_deref();
    letter.to.contains(&address) && line.is_none_or(|line| wish::is_subject(&letter.subject, line))
}
