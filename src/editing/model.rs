use serde::{Deserialize, Serialize};

use super::{Error, Settings};
use crate::base::{BatchId, EditId, ObjectId, RecordId, TenantId, Timestamp};
use crate::imaging::ImageMetadata;
use crate::vault::{Owner, SealedRecord};

/// Most characters of a prompt.
pub const MAX_PROMPT: usize = 2_000;
/// Most inputs of one edit.
const MAX_INPUTS: usize = 4;

/// Which model, in the words of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelChoice {
    /// The quicker one.
    #[default]
    Pro,
    /// The more careful one.
    Max,
}

impl ModelChoice {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pro => "pro",
            Self::Max => "max",
        }
    }

    /// What an edit costs, in credits.
    pub fn cost(self) -> i64 {
        match self {
            Self::Pro => 1,
            Self::Max => 2,
        }
    }
}

/// Who does the edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderChoice {
    /// The local one. Nothing leaves the house.
    #[default]
    Studio,
    /// FAL.AI.
    #[serde(rename = "fal-ai")]
    Fal,
    /// Replicate.
    Replicate,
}

impl ProviderChoice {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Studio, Self::Fal, Self::Replicate];

    /// Its name in the documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Studio => "studio",
            Self::Fal => "fal-ai",
            Self::Replicate => "replicate",
        }
    }

    /// The choice of a name; the studio for any other.
    pub(super) fn of(name: &str) -> Self {
        Self::ALL.into_iter().find(|choice| choice.as_str() == name).unwrap_or_default()
    }
}

/// Most edits of a batch.
const MOST_BATCH: usize = 20;

/// The same wish for each of several pictures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewBatch {
    /// The pictures, each of which is edited by itself.
    pub inputs: Vec<ObjectId>,
    /// What to do with each of them.
    pub wish: NewEdit,
}

impl NewBatch {
    /// One edit a picture.
    pub(super) fn each(self) -> Result<Vec<NewEdit>, Error> {
        if self.inputs.is_empty() || self.inputs.len() > MOST_BATCH {
            return Err(Error::BadValue("inputs (1 to 20 in one batch)"));
        }
        if has_twice(&self.inputs) {
            return Err(Error::BadValue("inputs (each once)"));
        }
        let each = |input| NewEdit { inputs: vec![input], ..self.wish.clone() };
        Ok(self.inputs.iter().copied().map(each).collect())
    }
}

fn has_twice(ids: &[ObjectId]) -> bool {
    ids.iter().enumerate().any(|(n, id)| ids.iter().skip(n + 1).any(|other| other == id))
}

/// Which edits of a person are looked for: those that fit everything that is said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// How they stand.
    pub state: Option<EditState>,
    /// Their model.
    pub model: Option<ModelChoice>,
    /// Who did them.
    pub provider: Option<ProviderChoice>,
    /// What they were asked for together with.
    pub batch: Option<BatchId>,
    /// Asked for at this moment or later.
    pub since: Option<Timestamp>,
    /// Asked for before this moment.
    pub until: Option<Timestamp>,
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewEdit {
    /// The pictures, the first of which is edited.
    pub inputs: Vec<ObjectId>,
    /// What to do, in their words.
    pub prompt: String,
    /// Which model; the one that the person prefers, if none is named.
    pub model: Option<ModelChoice>,
    /// How.
    pub settings: Settings,
    /// Who does it; the one that the person prefers or the usual one, if nobody is named.
    pub provider: Option<ProviderChoice>,
}

impl NewEdit {
    pub(super) fn checked(mut self) -> Result<Self, Error> {
        self.prompt = self.prompt.trim().to_owned();
        if self.inputs.is_empty() || self.inputs.len() > MAX_INPUTS {
            return Err(Error::BadValue("inputs (1 to 4)"));
        }
        if has_twice(&self.inputs) {
            return Err(Error::BadValue("inputs (each once)"));
        }
        if self.prompt.chars().count() > MAX_PROMPT {
            return Err(Error::BadValue("prompt (at most 2,000 characters)"));
        }
        if self.prompt.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(Error::BadValue("prompt (control characters)"));
        }
        if self.prompt.is_empty() && self.settings.style.is_none() {
            return Err(Error::BadValue("prompt (write what to do, or choose a style)"));
        }
        self.settings.check()?;
        Ok(self)
    }
}

/// How an edit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EditState {
    /// Waits for its turn.
    Queued,
    /// Under way.
    Running,
    /// Done; there is a result.
    Succeeded,
    /// Ended without a result; the credits were given back.
    Failed,
    /// Stopped by its owner; the credits were given back.
    Cancelled,
}

impl EditState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// An edit: states and ids. What was asked is sealed in the vault.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Its id.
    pub id: EditId,
    /// Whose.
    pub owner: Owner,
    /// How it stands.
    pub state: EditState,
    /// Who does it.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// The pictures it was made from. They are gone when it has succeeded.
    pub inputs: Vec<ObjectId>,
    /// The result; of several variations the first.
    pub output: Option<ObjectId>,
    /// The other variations.
    pub more_outputs: Vec<ObjectId>,
    /// How many pictures were asked for.
    pub images: i64,
    /// What it was asked for together with.
    pub batch: Option<BatchId>,
    /// The record that holds the prompt.
    pub prompt: Option<RecordId>,
    /// The record that holds the settings.
    pub settings: Option<RecordId>,
    /// 0 to 100.
    pub progress: i64,
    /// Credits: of one that succeeded, for the pictures that were made.
    pub cost: i64,
    /// Why it failed: a fixed phrase.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Since when it waits for a provider that has no time.
    pub(super) put_off_since: Option<Timestamp>,
}

impl Edit {
    pub(super) fn queued(
        id: EditId,
        owner: &Owner,
        (new, model, provider): (&NewEdit, ModelChoice, ProviderChoice),
        batch: Option<BatchId>,
        now: Timestamp,
        sealed: &[SealedRecord],
    ) -> Self {
        Self {
            id,
            owner: owner.clone(),
            state: EditState::Queued,
            provider: provider.as_str().to_owned(),
            model: model.as_str().to_owned(),
            inputs: new.inputs.clone(),
            output: None,
            more_outputs: Vec::new(),
            images: new.settings.count().into(),
            batch,
            prompt: sealed.first().map(SealedRecord::id),
            settings: sealed.get(1).map(SealedRecord::id),
            progress: 0,
            cost: model.cost() * i64::from(new.settings.count()),
            error: None,
            created_at: now,
            started_at: None,
            ended_at: None,
            put_off_since: None,
        }
    }

    pub(super) fn ended(&self, state: EditState, error: Option<&str>, now: Timestamp) -> Self {
        Self {
            state,
            progress: if state == EditState::Succeeded { 100 } else { self.progress },
            error: error.map(ToOwned::to_owned),
            ended_at: Some(now),
            ..self.clone()
        }
    }

    /// All results, the first one first.
    pub fn outputs(&self) -> impl Iterator<Item = ObjectId> + '_ {
        self.output.into_iter().chain(self.more_outputs.iter().copied())
    }

    /// Whether a picture is one of its results.
    pub fn made(&self, object: ObjectId) -> bool {
        self.outputs().any(|id| id == object)
    }

    /// The tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.owner.tenant
    }
}

/// A picture that has arrived.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// Its id.
    pub id: ObjectId,
    /// What is kept of it beside the picture.
    pub metadata: ImageMetadata,
    /// What was taken out of it before it was stored, in words.
    pub removed: Vec<&'static str>,
    /// When it goes in any case.
    pub due_at: Option<Timestamp>,
}
