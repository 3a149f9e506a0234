use serde::{Deserialize, Serialize};

use super::Error;
use crate::base::{EditId, ObjectId, RecordId, TenantId, Timestamp};
use crate::imaging::{Format, ImageMetadata};
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

/// The settings of an edit: all optional.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// A named style.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// How closely to follow the words, 1 to 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guidance: Option<f32>,
    /// The same seed gives the same result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// `jpeg`, `png` or `webp`; as the upload unless asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_format: Option<String>,
    /// Such as `1:1` or `16:9`; as the upload unless asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewEdit {
    /// The pictures, the first of which is edited.
    pub inputs: Vec<ObjectId>,
    /// What to do, in their words.
    pub prompt: String,
    /// Which model.
    pub model: ModelChoice,
    /// How.
    pub settings: Settings,
    /// Who does it; the usual one of the installation, if nobody is named.
    pub provider: Option<ProviderChoice>,
}

impl NewEdit {
    pub(super) fn checked(mut self) -> Result<Self, Error> {
        self.prompt = self.prompt.trim().to_owned();
        if self.inputs.is_empty() || self.inputs.len() > MAX_INPUTS {
            return Err(Error::BadValue("inputs (1 to 4)"));
        }
        if self
            .inputs
            .iter()
            .enumerate()
            .any(|(n, id)| self.inputs.iter().skip(n + 1).any(|other| other == id))
        {
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
        let settings = &self.settings;
        if settings.guidance.is_some_and(|g| !(1.0..=20.0).contains(&g)) {
            return Err(Error::BadValue("guidance (1 to 20)"));
        }
        if settings.output_format.as_deref().is_some_and(|f| Format::parse(f).is_none()) {
            return Err(Error::BadValue("output_format (jpeg, png or webp)"));
        }
        if let Some(style) = &settings.style
            && !crate::providers::studio::STYLES.iter().any(|(name, _)| name == style)
        {
            return Err(Error::BadValue("style"));
        }
        let ratio = settings.aspect_ratio.as_deref();
        if ratio.is_some_and(|r| crate::providers::studio::AspectRatio::parse(r).is_none()) {
            return Err(Error::BadValue("aspect_ratio (such as 1:1 or 16:9)"));
        }
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
    /// The result.
    pub output: Option<ObjectId>,
    /// The record that holds the prompt.
    pub prompt: Option<RecordId>,
    /// The record that holds the settings.
    pub settings: Option<RecordId>,
    /// 0 to 100.
    pub progress: i64,
    /// Credits.
    pub cost: i64,
    /// Why it failed: a fixed phrase.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

impl Edit {
    pub(super) fn queued(
        id: EditId,
        owner: &Owner,
        (new, provider): (&NewEdit, ProviderChoice),
        cost: i64,
        now: Timestamp,
        sealed: &[SealedRecord],
    ) -> Self {
        Self {
            id,
            owner: owner.clone(),
            state: EditState::Queued,
            provider: provider.as_str().to_owned(),
            model: new.model.as_str().to_owned(),
            inputs: new.inputs.clone(),
            output: None,
            prompt: sealed.first().map(SealedRecord::id),
            settings: sealed.get(1).map(SealedRecord::id),
            progress: 0,
            cost,
            error: None,
            created_at: now,
            started_at: None,
            ended_at: None,
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
