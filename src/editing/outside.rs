//! The providers that this installation can ask, and what it may ask of them.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::policy::Policy;
use crate::providers::{ErasureKey, Provider};

use super::{PURPOSE, ProviderChoice};

/// What may be sent for an edit.
pub(super) const SENT: [&str; 3] = ["input-image", "prompt", "edit-parameters"];

/// The providers that are set up.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// FAL.AI, and the key that deletes there.
    pub fal: Option<(Arc<Provider>, Option<ErasureKey>)>,
    /// Replicate.
    pub replicate: Option<Arc<Provider>>,
    /// What our address for webhooks begins with; without one, providers are asked how things stand and nothing else.
    pub hooks: Option<Url>,
    /// Most edits of one tenant that are at one provider at a time.
    pub at_once: i64,
    /// The program that decodes and encodes results, with limits of its own; without one, this process does it itself.
    pub redrawer: Option<PathBuf>,
}

impl Outside {
    /// The provider behind a choice; none for the studio, and for one that is not set up.
    pub(super) fn provider(&self, choice: ProviderChoice) -> Option<&Arc<Provider>> {
        match choice {
            ProviderChoice::Studio => None,
            ProviderChoice::Fal => self.fal.as_ref().map(|(provider, _)| provider),
            ProviderChoice::Replicate => self.replicate.as_ref(),
        }
    }

    /// The key with which things are deleted there, where one of its own is asked for.
    pub(super) fn erasure_key(&self, choice: ProviderChoice) -> Option<&ErasureKey> {
        match choice {
            ProviderChoice::Fal => self.fal.as_ref().and_then(|(_, key)| key.as_ref()),
            ProviderChoice::Studio | ProviderChoice::Replicate => None,
        }
    }

    /// Who does an edit when nobody is named: the first provider that is set up and that the document lets have what an
    /// edit sends; the studio, where there is none.
    pub(super) fn usual(&self, policy: &Policy) -> ProviderChoice {
        let allowed = |choice: &ProviderChoice| {
            self.provider(*choice).is_some()
                && SENT.iter().all(|c| policy.may_send(c, choice.as_str(), PURPOSE).is_ok())
        };
        [ProviderChoice::Fal, ProviderChoice::Replicate].into_iter().find(allowed).unwrap_or_default()
    }

    /// Where a provider reports on one job.
    pub(super) fn hook(&self, choice: ProviderChoice, nonce: &str) -> Option<Url> {
        let base = self.hooks.as_ref()?;
        let mut url = base.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(["hooks", choice.as_str(), nonce]);
        Some(url)
    }
}
