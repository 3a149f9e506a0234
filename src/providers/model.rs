//! The neutral edit job, and what providers say of it. Pure.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use url::Url;

use super::lost::{Intent, fingerprint};
use super::{Failure, ProviderError};
use crate::base::{Entropy, Secret, Timestamp};
use crate::imaging::Format;

/// Which of the two Kontext models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// FLUX.1 Kontext `pro`.
    Pro,
    /// FLUX.1 Kontext `max`.
    Max,
}

/// The type that the first bytes tell; `None` for anything that is not one of ours.
pub(super) fn sniff(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some(Format::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Format::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
        _ => None,
    }
}

/// The shape of the result: as the input, or one of the ratios that a provider knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Aspect(&'static str);

impl Aspect {
    /// The input's own shape.
    pub const MATCH: Self = Self("match");
    /// The ratios that both providers know.
    pub const COMMON: &[&str] = &["21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"];
    /// Those that only Replicate knows.
    pub const REPLICATE_ONLY: &[&str] = &["4:5", "5:4", "2:1", "1:2"];

    /// Reads `match` or a ratio such as `16:9`.
    pub fn parse(text: &str) -> Option<Self> {
        let known = || [Self::MATCH.0].iter().chain(Self::COMMON).chain(Self::REPLICATE_ONLY);
        known().find(|a| **a == text).map(|a| Self(a))
    }

    /// The text.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for Aspect {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an aspect ratio we know"))
    }
}

/// The knobs of an edit. Which of them a provider has, and how far each goes, `prepare` decides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// The seed asked for; without one a random one is drawn.
    pub seed: Option<u32>,
    /// The result's shape.
    pub aspect: Aspect,
    /// The result's type.
    pub format: Format,
    /// How much the safety filter lets through: 0 (least) to 6. Replicate allows at most 2 when a picture goes in.
    pub safety: u8,
    /// Whether the provider may rewrite the prompt before using it.
    pub upsample: bool,
    /// How closely to follow the prompt, 1 to 20. FAL.AI only.
    pub guidance: Option<f32>,
    /// How many variations, 1 to 4. More than one at FAL.AI only.
    pub images: u8,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            seed: None,
            aspect: Aspect::MATCH,
            format: Format::Jpeg,
            safety: 2,
            upsample: false,
            guidance: None,
            images: 1,
        }
    }
}

impl Params {
    /// What must hold at any provider.
    pub(super) fn check(&self) -> Result<(), ProviderError> {
        let guidance = self.guidance.unwrap_or(1.0);
        let broken = [
            (self.safety > 6, "safety must be 0 to 6"),
            (!(1..=4).contains(&self.images), "images must be 1 to 4"),
            (!(1.0..=20.0).contains(&guidance), "guidance must be 1 to 20"),
            (self.format == Format::WebP, "a result can be JPEG or PNG here"),
        ];
        first_broken(&broken)
    }
}

/// The first thing that does not hold, as an error.
pub(super) fn first_broken(broken: &[(bool, &'static str)]) -> Result<(), ProviderError> {
    match broken.iter().find(|(is, _)| *is) {
        Some((_, why)) => Err(ProviderError::Invalid(why)),
        None => Ok(()),
    }
}

/// A picture to be edited.
#[derive(Clone)]
pub enum Input {
    /// The bytes, already stripped of all metadata.
    Bytes {
        /// What they are.
        format: Format,
        /// The picture.
        bytes: Bytes,
    },
    /// A short-lived HTTPS link from which the provider may fetch it.
    Link(Url),
}

/// A name for one job, drawn at random and used for nothing else: all that a provider learns of whose job it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// A fresh one.
    pub fn new(entropy: &Entropy) -> Self {
        Self(entropy.token())
    }

    /// The text: 43 characters that need no escaping in a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An edit to be done. Its `Debug` shows neither prompt nor pictures.
#[derive(Clone)]
pub struct Job {
    /// The model.
    pub model: Model,
    /// What the user asked for.
    pub prompt: Secret<String>,
    /// The pictures: one for a plain edit, several for a combined one.
    pub inputs: Vec<Input>,
    /// The knobs.
    pub params: Params,
    /// Where the provider is to report. Should hold a nonce of its own (the pseudonym will do).
    pub webhook: Option<Url>,
    /// The job's name at the provider.
    pub pseudonym: Pseudonym,
    /// Asked in the last moment before it is put: whether it may still go.
    pub go: Option<Go>,
}

/// What is known in the last moment before something is sent: whether it may still go, or that it cannot be found out now.
type Answer = Result<bool, Unanswered>;

/// A question that is asked in the last moment before something is sent.
#[derive(Clone)]
pub struct Go(Arc<dyn Fn() -> BoxFuture<'static, Answer> + Send + Sync>);

/// Whether something may still go cannot be found out at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered;

impl Go {
    /// Asks `ask`.
    pub fn new(ask: impl Fn() -> BoxFuture<'static, Answer> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({:?}, {} inputs, {:?})", self.model, self.inputs.len(), self.pseudonym)
    }
}

/// The most characters a prompt may have.
const PROMPT: usize = 10_000;

impl Job {
    /// [`ProviderError::CalledOff`] when it may no longer be put.
    pub(super) async fn still_goes(&self) -> Result<(), ProviderError> {
        let Some(go) = &self.go else { return Ok(()) };
        match (go.0)().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(ProviderError::CalledOff),
            Err(Unanswered) => Err(ProviderError::Unasked),
        }
    }

    /// What must hold at any provider.
    pub(super) fn check(&self) -> Result<(), ProviderError> {
        let prompt = self.prompt.expose();
        self.params.check()?;
        let broken = [
            (prompt.trim().is_empty(), "the prompt is empty"),
            (prompt.chars().count() > PROMPT, "the prompt is longer than 10,000 characters"),
            (prompt.contains('\0'), "the prompt holds a character that cannot be sent"),
            (self.inputs.is_empty(), "there is no picture to edit"),
            (self.webhook.as_ref().is_some_and(|u| !has_host(u)), "the webhook must be an HTTPS link"),
            (self.inputs.iter().any(|i| !i.is_sound()), "a picture is not what it says it is"),
        ];
        first_broken(&broken)
    }

    /// The plan that must be stored before the job is put to the provider.
    pub(super) fn intent(&self, endpoint: &str, at: Timestamp, entropy: &Entropy) -> Intent {
        // 31 bits: both providers take a signed 32-bit integer.
        let drawn = u32::from_be_bytes(entropy.bytes()) >> 1;
        Intent {
            pseudonym: self.pseudonym.clone(),
            endpoint: endpoint.to_owned(),
            seed: self.params.seed.unwrap_or(drawn),
            seed_is_ours: self.params.seed.is_none(),
            fingerprint: fingerprint(&self.pseudonym, self.prompt.expose()),
            at,
        }
    }
}

fn has_host(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http") && url.host().is_some()
}

impl Input {
    fn is_sound(&self) -> bool {
        match self {
            Self::Bytes { format, bytes } => sniff(bytes) == Some(*format),
            Self::Link(url) => has_host(url),
        }
    }
}

/// A job that a provider has taken: what must be stored to follow it, fetch its result and have it erased there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The provider's id of it.
    pub id: String,
    /// The model's id.
    pub endpoint: String,
    /// The links that FAL.AI answered with, each seen to lead back to its queue and to this very job.
    pub links: Option<Links>,
    /// Files uploaded for it that must be deleted.
    pub files: Vec<String>,
    /// Where its results lie, or lay. Whoever has these links can see the pictures.
    pub outputs: Vec<Url>,
    /// When it was put; not known of those that were written down by an older version.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The name under which files may have been uploaded for it that are not among `files`.
    #[serde(default)]
    pub seek: Option<Pseudonym>,
}

/// FAL.AI's links of one job.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// Its state.
    pub status: Url,
    /// Its result.
    pub response: Url,
    /// To cancel it.
    pub cancel: Url,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({}, {} files, {} outputs)", self.id, self.files.len(), self.outputs.len())
    }
}

/// How a job stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Waiting there; the number ahead of it, if told.
    Queued(Option<u32>),
    /// Being worked on.
    Running,
    /// Ended; the result can be fetched (and may still turn out to be a failure).
    Done,
    /// Ended without a result.
    Failed(Failure),
    /// The provider does not know it, or no longer.
    Gone,
}

impl State {
    /// True if nothing more will happen to it there.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed(_) | Self::Gone)
    }
}

/// A job taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// To be stored.
    pub handle: Handle,
    /// How it stands.
    pub state: State,
}

/// One picture of a result, its type told from its bytes.
#[derive(Clone)]
pub struct Picture {
    /// What it is.
    pub format: Format,
    /// The bytes, not yet decoded: hostile until shown otherwise.
    pub bytes: Bytes,
    /// True if the provider marked it as not safe for work (it is then often blank).
    pub flagged: bool,
}

/// What came out.
#[derive(Clone)]
pub struct Output {
    /// The pictures.
    pub pictures: Vec<Picture>,
    /// The seed that the provider names.
    pub seed: Option<u64>,
    /// Why there are not more of them, when others could not be fetched.
    pub missing: Option<ProviderError>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Output({} pictures)", self.pictures.len())
    }
}

/// What came of asking to cancel. None of them proves that the job did not run: poll on, and erase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The provider will try.
    Requested,
    /// It had ended.
    TooLate,
    /// It is not there.
    NotThere,
}

/// How an erasure at the provider stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erasure {
    /// Nothing of it is left that can be asked for; these observations show it.
    Proven(Vec<Proof>),
    /// Not yet possible; try again at this time.
    Waiting {
        /// When to look again.
        until: Timestamp,
    },
    /// The provider says, or shows, that this many pieces are still there. Try again, and tell someone.
    Survives {
        /// How many.
        pieces: usize,
    },
}

/// One observation that something is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The provider deleted the stored request and result, and named no file that stayed.
    PayloadDeleted,
    /// The provider had stored no request or result to delete.
    NeverStored,
    /// A result's link no longer answers.
    OutputGone,
    /// The provider's history shows no content for the job.
    HistoryEmpty,
    /// An uploaded file was deleted, or was no longer there.
    FileDeleted,
    /// The provider says that the job's data were removed, and shows none.
    DataRemoved,
    /// The provider does not know the job.
    JobUnknown,
}

impl Proof {
    /// A fixed word.
    pub fn word(self) -> &'static str {
        match self {
            Self::PayloadDeleted => "payload-deleted",
            Self::NeverStored => "never-stored",
            Self::OutputGone => "output-gone",
            Self::HistoryEmpty => "history-empty",
            Self::FileDeleted => "file-deleted",
            Self::DataRemoved => "data-removed",
            Self::JobUnknown => "job-unknown",
        }
    }
}

/// A webhook shown to be the provider's. It says that there is something to look at; what it is, `poll` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The provider's id of the job.
    pub id: String,
    /// The key to know a repeated delivery by.
    pub delivery: String,
    /// When the provider signed it.
    pub at: Timestamp,
}

/// True for a job or file id that can stand in a path: 1 to 64 of `[A-Za-z0-9_-]`.
pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// `base` with path segments added, each escaped.
pub(super) fn join(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments.iter().flat_map(|s| s.split('/')));
    }
    url
}

/// Where a result is.
pub(super) enum Place {
    /// In the answer itself.
    Inline(Vec<u8>),
    /// Behind a link.
    At(Url),
}

/// Reads where a result is: a link, or a `data:` URL of at most so many bytes.
pub(super) fn place(url: &str, at_most: u64) -> Result<Place, ProviderError> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let garbled = ProviderError::Garbled("result link");
    let Some(rest) = url.strip_prefix("data:") else {
        return Url::parse(url).map(Place::At).map_err(|_| garbled);
    };
    let (_, text) = rest.split_once(";base64,").ok_or(garbled)?;
    if text.len() as u64 / 4 * 3 > at_most {
        return Err(ProviderError::Garbled("size"));
    }
    STANDARD.decode(text).map(Place::Inline).map_err(|_| garbled)
}

/// A `data:` URL of a picture.
pub(super) fn data_url(format: Format, bytes: &[u8]) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let mut url = format!("data:{};base64,", format.media_type());
    STANDARD.encode_string(bytes, &mut url);
    url
}
