//! A provider's webhook: it says that there is something to look at, and nothing else is believed of it.

use sha2::{Digest as _, Sha256};

use super::{ErrandState, Note, sql};
use crate::editing::{Editing, Error, ProviderChoice, jobs};
use crate::egress::{CallLog, HeaderMap};

impl Editing {
    /// Whether somebody was ever given this address: asked before anything of a webhook is read.
    pub async fn awaits(&self, provider: &str, nonce: &str) -> Result<bool, Error> {
        let choice = ProviderChoice::of(provider);
        if self.outside.provider(choice).is_none() {
            return Err(Error::NotFound);
        }
        let mut tx = self.db.read().await?;
        let errand = sql::by_hook(&mut tx, &Sha256::digest(nonce)).await?;
        Ok(errand.is_some_and(|e| e.provider == choice))
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
        let errand = {
            let mut tx = self.db.read().await?;
            sql::by_hook(&mut tx, &Sha256::digest(nonce)).await?
        };
        let Some(errand) = errand.filter(|e| e.provider == choice && e.state != ErrandState::Gone) else {
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
