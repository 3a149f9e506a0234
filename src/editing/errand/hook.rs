//! A provider's webhook: it says that there is something to look at, and nothing else is believed of it.

use sha2::{Digest as _, Sha256};

use super::{Errand, ErrandState, Note, sql};
use crate::editing::{Editing, Error, ProviderChoice, jobs};
use crate::egress::{CallLog, HeaderMap};

impl Editing {
    /// Whether somebody was ever given this address: asked before anything of a webhook is read.
    pub async fn awaits(&self, provider: &str, nonce: &str) -> Result<bool, Error> {
        let choice = ProviderChoice::of(provider);
        if self.outside.provider(choice).is_none() {
            return Err(Error::NotFound);
        }
        Ok(self.at_hook(choice, nonce).await?.is_some())
    }

    /// The errand of this provider's that was given this address.
    async fn at_hook(&self, choice: ProviderChoice, nonce: &str) -> Result<Option<Errand>, Error> {
        let mut tx = self.db.read().await?;
        let found = sql::by_hook(&mut tx, &Sha256::digest(nonce)).await?;
        Ok(found.filter(|errand| errand.provider == choice))
    }

    /// Takes a webhook. [`Error::Provider`] unless the provider signed it, within five minutes of now. One for an errand
    /// that nobody knows, that has ended, or that somebody else's job is named in, has no effect; so has a second one.
    pub async fn called_back(
        &self,
        provider: &str,
        nonce: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), Error> {
        let choice = ProviderChoice::of(provider);
        let provider = self.outside.provider(choice).cloned().ok_or(Error::NotFound)?;
        let callback = provider.verify(headers, body, &CallLog::new()).await?;
        // As it stands now: while the body came in, it may have gone on or ended.
        let errand = self.at_hook(choice, nonce).await?;
        let Some(errand) = errand.filter(|e| e.state != ErrandState::Gone) else {
            tracing::info!(provider = choice.as_str(), "a webhook for nothing that is under way");
            return Ok(());
        };
        let note = self.open_note(&errand).await?;
        match &note.handle {
            Some(handle) if handle.id != callback.id => {
                tracing::warn!(provider = choice.as_str(), "a webhook names another job than its address");
                return Ok(());
            }
            Some(_) => {}
            // The answer to the submit was lost, and this is the job.
            None => match provider.adopt(&note.intent, &callback.id) {
                Some(handle) => self.keep(&errand, &Note { handle: Some(handle), ..note }).await?,
                None => return Ok(()),
            },
        }
        let Some(edit) = errand.edit else { return Ok(()) };
        let mut tx = self.db.begin().await?;
        jobs::wake(&mut tx, &self.clock, edit).await?;
        tx.commit().await?;
        self.nudge.notify_one();
        Ok(())
    }
}
