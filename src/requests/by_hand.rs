//! Corrections that only words describe: somebody reads them, and does what they say.

use serde_json::json;

use super::desk::LETTER;
use super::filing::CATEGORY;
use super::fulfil::PURPOSE;
use super::model::{IN_WORDS, words};
use super::receipts::IssuedKind;
use super::{BadStep, Error, Request, Requests, State, owner_of};
use crate::base::{RequestId, Secret, TenantId};
use crate::policy::{Facts, Right};
use crate::vault::{Access, Actor, NewRecord};

words!(
    /// What of an account can be corrected.
    Field {
        /// The name.
        Name = "name",
        /// The address.
        Email = "email",
        /// What they are called in the app.
        Username = "username",
    }
);

/// One value of an account that is wrong, and what is right.
#[derive(Debug)]
pub struct Correction {
    /// Which.
    pub field: Field,
    /// As it stands now: what is corrected must be what was looked at.
    pub old: Secret<String>,
    /// As it ought to be.
    pub new: Secret<String>,
}

impl Requests {
    /// Corrects one value as a person asked in words, and closes the request: as [`Requests::rectify`]. [`Error::Invalid`]
    /// when the old value is not the one that is held.
    pub async fn rectify_by_hand(
        &self,
        tenant: &TenantId,
        id: RequestId,
        by: &Actor,
        correction: &Correction,
    ) -> Result<Request, Error> {
        let request = self.find(tenant, id).await?;
        correctable(&request, by)?;
        let owner = owner_of(&request)?;
        let mut profile = self.subjects.profile(&owner, &Access { actor: by, purpose: PURPOSE }).await?;
        let (old, new) = (correction.old.expose().trim(), correction.new.expose().trim());
        let value = match correction.field {
            Field::Name => &mut profile.name,
            Field::Email => &mut profile.email,
            Field::Username => &mut profile.username,
        };
        if value.as_str() != old {
            return Err(Error::Invalid("the old value is not what is held now; look at it again"));
        }
        if new.is_empty() || new == old {
            return Err(Error::Invalid("the new value must be another than the old one"));
        }
        new.clone_into(value);
        self.rectify(&owner, &request, by, &profile).await
    }

    /// Closes a correction that was made by other means than a value of the account, or that needs none: with a reason,
    /// which the person reads as the answer.
    pub async fn corrected_elsewhere(
        &self,
        tenant: &TenantId,
        id: RequestId,
        by: &Actor,
        reason: &Secret<String>,
    ) -> Result<Request, Error> {
        let words = reason.expose().trim();
        if words.is_empty() {
            return Err(Error::Invalid("say what was corrected, and where"));
        }
        let request = self.find(tenant, id).await?;
        correctable(&request, by)?;
        let owner = owner_of(&request)?;
        let letter = NewRecord {
            category: CATEGORY,
            name: LETTER,
            value: json!({ "reasons": words }),
            parent: Some(id.to_string()),
            facts: Facts::new(),
        };
        let answered = request.answer(State::Fulfilled, IN_WORDS, self.clock.now())?;
        self.vault.add_record(&owner, letter).await?;
        self.shut(&owner, answered, by, Some((IssuedKind::Request, None))).await
    }
}

fn correctable(request: &Request, by: &Actor) -> Result<(), Error> {
    if !matches!(by, Actor::Staff(..)) {
        return Err(Error::Invalid("only a person of staff corrects by hand"));
    }
    if request.state != State::Working || request.right != Right::Rectification {
        return Err(BadStep { from: request.state, to: State::Fulfilled }.into());
    }
    Ok(())
}
