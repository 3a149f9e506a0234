//! An agent asks to act for somebody. Nothing about the person follows from the answer, or from the time it takes.

use chrono::TimeDelta;

use super::model::{Asked, KeptProposal, MandateState, Proposal, Row};
use super::sql;
use crate::base::{MandateId, TenantId};
use crate::crypto::Place;
use crate::intake::take::mail_key;
use crate::intake::{Error, Intake};
use crate::policy::Right;
use crate::requests::{Ask, MOST_WORDS};
use crate::speech::key;

/// Most mandates that are asked of one address within a day.
pub const A_PERSON: i64 = 3;
/// Most characters of an agent's name.
pub const LONGEST_NAME: usize = 120;
/// How long a person can answer.
const ANSWER: TimeDelta = TimeDelta::days(7);
/// The longest that a mandate may hold.
const LONGEST: TimeDelta = TimeDelta::days(366);

impl Intake {
    /// Keeps what an agent wants to ask for, and has the person asked by letter if they are known. `key` is the agent's
    /// API key; whoever asks by the page has none, and is told nothing later.
    pub async fn propose(
        &self,
        tenant: &TenantId,
        key: Option<&str>,
        proposal: Proposal,
    ) -> Result<Asked, Error> {
        self.sound(tenant, &proposal)?;
        let now = self.0.clock.now();
        let id = MandateId::new(&self.0.clock, &self.0.entropy);
        let (right, about) = proposal.wanted.ask.parts();
        let kept = KeptProposal {
            agent: proposal.agent.trim().to_owned(),
            contact: proposal.contact.expose().to_owned(),
            right: right.as_str().to_owned(),
            about,
            words: proposal.wanted.words.trim().to_owned(),
        };
        let sealed = self.seal_proposal(tenant, id, &kept).await?;
        let address = self.0.vault.blind_index(tenant, "email", proposal.person.expose()).await?;
        let owner = self.0.subjects.find(tenant, &proposal.person).await?;
        let row = Row {
            id,
            subject: owner.map(|o| o.subject),
            key_id: key.map(ToOwned::to_owned),
            state: MandateState::Asked,
            rights: proposal.rights,
            tells: proposal.tells,
            sealed: Some(sealed),
            record: None,
            requests: Vec::new(),
            asked_at: now,
            decided_at: None,
            answer_until: now.plus(ANSWER),
            until: proposal.until,
            ended_at: None,
        };
        let mut tx = self.0.db.begin().await?;
        tx.take_turn(&format!("mandate/{tenant}")).await?;
        if sql::of_address(&mut tx, tenant, &address, now.plus(TimeDelta::days(-1))).await? >= A_PERSON {
            return Err(Error::TooManyMandates);
        }
        sql::insert(&mut tx, tenant, &row, &address).await?;
        tx.commit().await?;
        Ok(Asked { id, answer_until: row.answer_until })
    }

    fn sound(&self, tenant: &TenantId, proposal: &Proposal) -> Result<(), Error> {
        let now = self.0.clock.now();
        let name = proposal.agent.trim();
        let marks =
            |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let wrong = if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(marks) {
            key("say who you are, in at most 120 characters")
        } else if proposal.rights.is_empty() || proposal.rights.len() > 7 {
            key("say which rights the mandate is for")
        } else if proposal.until <= now || proposal.until > now.plus(LONGEST) {
            key("a mandate ends in the future, and within a year")
        } else if proposal.wanted.words.chars().count() > MOST_WORDS {
            key("what you wrote is longer than 4,000 characters")
        } else {
            return self.covered(tenant, &proposal.rights, &proposal.wanted.ask, &proposal.wanted.words);
        };
        Err(Error::Invalid(wrong))
    }

    /// Whether something may be asked for under a mandate for these rights.
    pub(super) fn covered(
        &self,
        tenant: &TenantId,
        rights: &[Right],
        ask: &Ask,
        words: &str,
    ) -> Result<(), Error> {
        if !rights.contains(&ask.right()) {
            return Err(Error::Invalid(key("the mandate is not for this right")));
        }
        if matches!(
            ask,
            Ask::Rectification(Some(_)) | Ask::Erasure { at_once: true } | Ask::Restriction { on: false }
        ) {
            return Err(Error::Invalid(key("only the person themself can ask for this")));
        }
        Ok(self.0.requests.may_be_filed(tenant, ask, words)?)
    }

    pub(super) async fn seal_proposal(
        &self,
        tenant: &TenantId,
        id: MandateId,
        kept: &KeptProposal,
    ) -> Result<Vec<u8>, Error> {
        Ok(self.0.keys.seal_note(&mail_key(tenant), &place(tenant, id), kept).await?)
    }

    pub(super) async fn unseal_proposal(&self, tenant: &TenantId, row: &Row) -> Result<KeptProposal, Error> {
        let sealed = row.sealed.as_deref().ok_or(Error::BadLink)?;
        Ok(self.0.keys.open_note(&mail_key(tenant), &place(tenant, row.id), sealed).await?)
    }
}

fn place(tenant: &TenantId, id: MandateId) -> Place {
    Place::new("mandate").with(tenant.as_str()).with(id.as_bytes())
}
