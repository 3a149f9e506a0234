//! What a person would have done their edits with, when they do not say it each time.

use serde::{Deserialize, Serialize};

use super::{Editing, Error, ModelChoice, NewEdit, PURPOSE, ProviderChoice};
use crate::policy::Facts;
use crate::vault::{Access, Actor, NewRecord, Owner, Record};

/// Where it lies in the vault.
const CATEGORY: &str = "preferences";
const NAME: &str = "editing";

/// A person's choice for edits to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Preference {
    /// Which model.
    #[serde(default)]
    pub model: ModelChoice,
    /// Who does it. Left out: the usual one of this installation that the policy names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderChoice>,
}

impl Editing {
    /// What a person prefers; the usual for one who never said.
    pub async fn preference(&self, owner: &Owner, actor: &Actor) -> Result<Preference, Error> {
        Ok(self.preferred(owner, actor).await?.map(|(_, said)| said).unwrap_or_default())
    }

    /// Keeps what a person prefers from now on. Refused when the document does not hold preferences.
    pub async fn prefer(&self, owner: &Owner, actor: &Actor, said: Preference) -> Result<(), Error> {
        let value = serde_json::to_value(said).map_err(|_| Error::BadValue("preferences"))?;
        let access = Access { actor, purpose: PURPOSE };
        if let Some((record, _)) = self.preferred(owner, actor).await? {
            self.vault.amend_record(owner, &access, &record, &value).await?;
        } else {
            let record =
                NewRecord { category: CATEGORY, name: NAME, value, parent: None, facts: Facts::new() };
            self.vault.add_record(owner, record).await?;
        }
        Ok(())
    }

    async fn preferred(&self, owner: &Owner, actor: &Actor) -> Result<Option<(Record, Preference)>, Error> {
        if self.vault.policy(&owner.tenant)?.category(CATEGORY).is_none() {
            return Ok(None);
        }
        let access = Access { actor, purpose: PURPOSE };
        let found = self.vault.record_named(owner, &access, CATEGORY, NAME).await?;
        Ok(found.map(|record| {
            // What an app wrote there by another road is no choice of ours to read.
            let said = serde_json::from_value(record.value.clone()).unwrap_or_default();
            (record, said)
        }))
    }

    /// Model and provider of a wish: as said in it, else as preferred, else the usual ones.
    pub(super) async fn chosen(
        &self,
        owner: &Owner,
        actor: &Actor,
        new: &NewEdit,
    ) -> Result<(ModelChoice, ProviderChoice), Error> {
        if let (Some(model), Some(provider)) = (new.model, new.provider) {
            return Ok((model, provider));
        }
        let preferred = self.preference(owner, actor).await?;
        let policy = self.vault.policy(&owner.tenant)?;
        // A provider that was preferred once and cannot be had now is no reason to refuse.
        let had = preferred.provider.filter(|choice| self.outside.may_have(&policy, *choice));
        let provider = new.provider.or(had).unwrap_or_else(|| self.outside.usual(&policy));
        Ok((new.model.unwrap_or(preferred.model), provider))
    }
}
