//! What a person had in force when, and what they have been told of and not yet said that they read.

use super::{Error, Publications, sql};
use crate::base::Timestamp;
use crate::consent::Word;
use crate::ledger::{Entry, EntryKind};
use crate::policy::Role;
use crate::policy::diff::{Change, diff};
use crate::vault::Owner;

/// A version, as one person had it.
#[derive(Debug, Clone)]
pub struct Era {
    /// The version.
    pub version: String,
    /// Its SHA-256.
    pub sha256: String,
    /// Since when it is in force for them: since its day, or since they came. May lie ahead.
    pub from: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
    /// Since when the notice of it stands in their privacy centre.
    pub posted_at: Option<Timestamp>,
    /// When the letter about it went.
    pub mailed_at: Option<Timestamp>,
    /// When they said that they had read of it.
    pub acknowledged_at: Option<Timestamp>,
    /// The words they gave under it, with their purpose, oldest first.
    pub words: Vec<(String, Word)>,
}

/// A version that a person has been told of and has not acknowledged.
#[derive(Debug, Clone)]
pub struct News {
    /// The version.
    pub version: String,
    /// When it comes into force, or came.
    pub effective: Timestamp,
    /// Since when this stands here.
    pub posted_at: Timestamp,
    /// What it changes.
    pub changes: Vec<Change>,
}

impl News {
    /// Whether something in it needs a yes, which is off until it is given.
    pub fn asks_again(&self) -> bool {
        self.changes.iter().any(|change| change.must_ask)
    }
}

impl Publications {
    /// What a person had in force when: every version from the day they came, with what they were told and what they
    /// said under it. Oldest first; one that is only announced is the last.
    pub async fn timeline(&self, owner: &Owner) -> Result<Vec<Era>, Error> {
        let subject = self.subjects.get(owner).await?;
        let mut words = self.consents.history(owner).await?;
        words.reverse();
        let notices = {
            let mut tx = self.db.read().await?;
            sql::notices(&mut tx, owner).await?
        };
        let versions = self.library.versions(&owner.tenant);
        let mut eras = Vec::new();
        for (n, policy) in versions.iter().enumerate() {
            let until = versions.get(n + 1).map(|next| next.starts());
            if until.is_some_and(|until| until <= subject.created_at) {
                continue;
            }
            // Before the day of the very first version, that one is in force all the same.
            let from = if n == 0 { subject.created_at } else { policy.starts().max(subject.created_at) };
            let notice = notices.iter().find(|row| row.version == policy.version());
            let given = words.iter().filter(|(_, word)| word.policy_version == policy.version());
            eras.push(Era {
                version: policy.version().to_owned(),
                sha256: hex::encode(policy.hash()),
                from,
                until,
                posted_at: notice.and_then(|row| row.posted_at),
                mailed_at: notice.filter(|row| row.letter == "sent").and_then(|row| row.letter_at),
                acknowledged_at: notice.and_then(|row| row.acknowledged_at),
                words: given.cloned().collect(),
            });
        }
        Ok(eras)
    }

    /// What a person has been told of in their privacy centre and has not acknowledged, the oldest first.
    pub async fn unread(&self, owner: &Owner) -> Result<Vec<News>, Error> {
        let notices = {
            let mut tx = self.db.read().await?;
            sql::notices(&mut tx, owner).await?
        };
        let mut news = Vec::new();
        for row in notices.into_iter().filter(|row| row.acknowledged_at.is_none()) {
            let Some(posted_at) = row.posted_at else { continue };
            // A replica that has not read the version yet shows it a moment later.
            let Some((old, new)) = self.before(&owner.tenant, &row.version) else { continue };
            let changes = diff(&old, &new).changes;
            news.push(News { version: row.version, effective: new.starts(), posted_at, changes });
        }
        news.sort_by_key(|news| news.effective);
        Ok(news)
    }

    /// Notes that a person said that they had read of a version. Again is harmless. [`Error::NotFound`] when they were
    /// not told of such a version.
    pub async fn acknowledge(&self, owner: &Owner, version: &str) -> Result<Timestamp, Error> {
        let known = {
            let mut tx = self.db.read().await?;
            sql::notices(&mut tx, owner).await?.into_iter().find(|row| row.version == version)
        };
        let known = known.filter(|row| row.letter != "spared").ok_or(Error::NotFound)?;
        if let Some(at) = known.acknowledged_at {
            return Ok(at);
        }
        let now = self.clock.now();
        let entry = Entry::new(EntryKind::NOTICE_ACKNOWLEDGED, now, &owner.tenant, Role::Subject.as_str())
            .about(self.vault.subject_ref(owner).await?)
            .fact("version", version);
        let mut tx = self.db.begin().await?;
        self.vault.standing_to_write(&mut tx, owner).await?;
        if sql::acknowledge(&mut tx, owner, version, now).await? {
            self.ledger.append(&mut tx, entry).await?;
        }
        tx.commit().await?;
        Ok(now)
    }
}
