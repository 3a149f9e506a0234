//! The providers that this installation can ask, and what it may ask of them.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::policy::Policy;
use crate::providers::{ErasureKey, Provider};

use super::settings::too_large;
use super::{Error, PURPOSE, ProviderChoice, Settings};
use crate::imaging::Format;

/// What may be sent for an edit.
pub(super) const SENT: [&str; 3] = ["input-image", "prompt", "edit-parameters"];

/// A provider that is set up.
#[derive(Debug, Clone)]
pub struct Way {
    /// Itself.
    pub provider: Arc<Provider>,
    /// The key that deletes there, where one of its own is asked for.
    pub erasure: Option<ErasureKey>,
    /// What our addresses begin with as it reaches them: for its webhooks, and for pictures that it fetches. Without one
    /// it is asked how things stand, and gets what can be sent along.
    pub back: Option<Url>,
}

/// The providers that are set up.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// FAL.AI.
    pub fal: Option<Way>,
    /// Replicate.
    pub replicate: Option<Way>,
    /// Most edits of one tenant that are at one provider at a time.
    pub at_once: i64,
    /// Most edits of one tenant that go to one provider in 24 hours.
    pub a_day: Option<i64>,
    /// The program that decodes and encodes results, with limits of its own; without one, this process does it itself.
    pub redrawer: Option<PathBuf>,
}

impl Outside {
    fn way(&self, choice: ProviderChoice) -> Option<&Way> {
        match choice {
            ProviderChoice::Studio => None,
            ProviderChoice::Fal => self.fal.as_ref(),
            ProviderChoice::Replicate => self.replicate.as_ref(),
        }
    }

    /// The provider behind a choice; none for the studio, and for one that is not set up.
    pub(super) fn provider(&self, choice: ProviderChoice) -> Option<&Arc<Provider>> {
        self.way(choice).map(|way| &way.provider)
    }

    /// The key with which things are deleted there, where one of its own is asked for.
    pub(super) fn erasure_key(&self, choice: ProviderChoice) -> Option<&ErasureKey> {
        self.way(choice).and_then(|way| way.erasure.as_ref())
    }

    /// Who does an edit when nobody is named: the first provider that is set up and that the document lets have what an
    /// edit sends; the studio, where there is none.
    pub(super) fn usual(&self, policy: &Policy) -> ProviderChoice {
        let both = [ProviderChoice::Fal, ProviderChoice::Replicate];
        both.into_iter().find(|choice| self.may_have(policy, *choice)).unwrap_or_default()
    }

    /// Whether a choice is set up, and the document lets it have what an edit sends. The studio is always there.
    pub(super) fn may_have(&self, policy: &Policy, choice: ProviderChoice) -> bool {
        let is_there = choice == ProviderChoice::Studio || self.provider(choice).is_some();
        is_there && SENT.iter().all(|c| policy.may_send(c, choice.as_str(), PURPOSE).is_ok())
    }

    /// Where a provider reports on one job.
    pub(super) fn hook(&self, choice: ProviderChoice, nonce: &str) -> Option<Url> {
        self.ours(choice, &["hooks", choice.as_str(), nonce])
    }

    /// Where a provider fetches one picture of a job. The ending is for those who tell a type by it.
    pub(super) fn link(&self, choice: ProviderChoice, token: &str, n: usize, format: Format) -> Option<Url> {
        self.ours(choice, &["v1", "inputs", token, &format!("{n}.{}", format.extension())])
    }

    fn ours(&self, choice: ProviderChoice, segments: &[&str]) -> Option<Url> {
        let mut url = self.way(choice)?.back.clone()?;
        url.path_segments_mut().ok()?.pop_if_empty().extend(segments);
        Some(url)
    }

    /// Whether those who do an edit take so many pictures of these sizes with these settings.
    pub(super) fn check(
        &self,
        choice: ProviderChoice,
        settings: &Settings,
        inputs: &[(Option<Format>, u64)],
    ) -> Result<(), Error> {
        let Some(way) = self.way(choice) else { return settings.check_studio(inputs.len()) };
        let first = inputs.first().and_then(|(format, _)| *format);
        way.provider.check(inputs.len(), &settings.params(first))?;
        let bytes: u64 = inputs.iter().map(|(_, len)| len).sum();
        let fits = bytes <= way.provider.inline_input() as u64;
        if fits || way.back.is_some() || way.provider.takes_uploads() {
            Ok(())
        } else {
            Err(too_large(choice))
        }
    }
}
