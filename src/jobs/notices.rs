//! Letters about a new version of a document: the same for everybody of a tenant who reads one language, at most one each.

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};

use super::{Error, Jobs};
use crate::mail::letters::{Letter as _, PolicyChanged, Written};
use crate::policy::Medium;
use crate::policy::diff::Difference;
use crate::publication::{Letter, Telling, Told};
use crate::speech::Tongue;
use crate::vault::Owner;

/// Letters looked up at once.
const BATCH: i64 = 200;
/// Letters under way at once.
const AT_ONCE: usize = 8;
/// Why an address is read: a law wants people told (Art. 13 and 14 GDPR), restricted or not.
const PURPOSE: &str = "rights";

impl Jobs {
    /// Tells people of versions that were published. Gives how many were entered or written to.
    pub(super) async fn notices(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        // What is to be told must be known here.
        self.app.publications.refresh().await?;
        let unsure = self.app.publications.give_up_unsure().await?;
        if unsure > 0 {
            tracing::error!(
                count = unsure,
                "letters about a new version were under way when their sender ended; they are not sent again"
            );
        }
        let mut n = unsure;
        for telling in self.app.publications.tellings().await? {
            n += self.tell(&telling, stop).await?;
        }
        Ok(n)
    }

    async fn tell(&self, telling: &Telling, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        let publications = &self.app.publications;
        let (difference, told) = publications.news(telling)?;
        let mut n = publications.enter(telling, stop).await?;
        let mut letters = Vec::with_capacity(Tongue::ALL.len());
        for tongue in Tongue::ALL {
            letters.push((tongue, self.news_letter(telling, &difference, tongue)?));
        }
        while !stop() {
            let owed = publications.owed(telling, BATCH).await?;
            if owed.is_empty() {
                publications.conclude(telling).await?;
                break;
            }
            let sent: Vec<BoxFuture<'_, _>> =
                owed.iter().map(|owner| self.tell_one(owner, telling, &told, &letters).boxed()).collect();
            let went: Vec<bool> = stream::iter(sent).buffer_unordered(AT_ONCE).try_collect().await?;
            n += went.into_iter().filter(|went| *went).count() as u64;
        }
        Ok(n)
    }

    /// One letter: taken in hand, sent, and what became of it written down. A crash between leaves it in hand, and it is
    /// not sent again.
    async fn tell_one(
        &self,
        owner: &Owner,
        telling: &Telling,
        told: &Told,
        letters: &[(Tongue, Written)],
    ) -> Result<bool, Error> {
        let publications = &self.app.publications;
        if !publications.claim(owner, &telling.version, told).await? {
            return Ok(false);
        }
        let became = if told.by.contains(&Medium::Email) {
            let id = format!("{}.policy.{}", owner.subject, telling.version);
            let tongue = self.app.subjects.get(owner).await.map(|s| s.tongue).unwrap_or_default();
            let letter = letters.iter().find(|(of, _)| *of == tongue);
            let went = match letter {
                Some((_, letter)) => self.send(owner, PURPOSE, &id, letter).await,
                None => false,
            };
            if went { Letter::Sent } else { Letter::NotTaken }
        } else {
            Letter::None
        };
        publications.settled(owner, &telling.version, became).await?;
        Ok(became == Letter::Sent)
    }

    fn news_letter(
        &self,
        telling: &Telling,
        difference: &Difference,
        tongue: Tongue,
    ) -> Result<Written, Error> {
        let root = self.app.config.server.public_url.as_str();
        let letter = PolicyChanged {
            head: self.head(&telling.tenant, tongue)?,
            effective: telling.effective,
            changes: difference.changes.iter().map(|change| change.says.clone()).collect(),
            asks_again: difference.must_ask().next().is_some(),
            policy_link: format!("{root}/{}/policy/{}", telling.tenant, telling.version),
        };
        letter.write().map_err(|_| Error::Payload)
    }
}
