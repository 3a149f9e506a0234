//! What follows by itself: the letter to the person, the last day of a mandate, and the end of rows.

use super::model::{EndedBy, Row};
use super::sql;
use crate::base::{Kind, TenantId};
use crate::crypto;
use crate::intake::{Error, Intake};
use crate::mail::letters::{ConfirmMandate, Letter as _};
use crate::policy::Policy;
use crate::requests::PURPOSE;
use crate::store::aside::{Unread, set_aside};
use crate::vault::{Access, Actor, Owner};

impl Intake {
    /// Writes to everybody whom an agent wants to act for and who was not written to yet. A letter that does not go is tried
    /// again with the next pass, and keeps no other. Gives how many went.
    pub async fn ask_about_mandates(&self, tenant: &TenantId) -> Result<u64, Error> {
        let policy = self.0.vault.policy(tenant)?;
        let (mut n, mut after) = (0, String::new());
        loop {
            let owed = {
                let mut tx = self.0.db.read().await?;
                sql::unposted(&mut tx, tenant, (self.0.clock.now(), &after)).await?
            };
            let Some(last) = owed.last() else { return Ok(n) };
            after = last.id.to_string();
            for row in owed {
                match self.ask_about(tenant, &policy, &row).await {
                    Ok(went) => n += u64::from(went),
                    Err(e) => self.not_asked(tenant, &row, e).await?,
                }
            }
        }
    }

    async fn ask_about(&self, tenant: &TenantId, policy: &Policy, row: &Row) -> Result<bool, Error> {
        let Some(subject) = row.subject else { return Ok(false) };
        let owner = Owner::new(tenant, subject);
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let profile = self.0.subjects.profile(&owner, &access).await?;
        let kept = self.unseal_proposal(tenant, row).await?;
        let token = self.0.entropy.token();
        let written = ConfirmMandate {
            head: self.head(tenant, policy, Some(&owner)).await,
            agent: kept.agent,
            until: row.answer_until,
            link: format!("{}/{tenant}/mandates/confirm?token={token}", self.root()),
        };
        let written = written.write().map_err(|_| Error::Unwritable)?;
        let (hash, now) = (crypto::sha256(token.as_bytes()), self.0.clock.now());
        let mut tx = self.0.db.begin().await?;
        // Set before it is sent: two replicas send one letter, and a link that is on its way opens something.
        let first = sql::posting(&mut tx, tenant, row.id, (&hash, now)).await?;
        tx.commit().await?;
        if !first {
            return Ok(false);
        }
        let (of, id) = (subject.to_string(), row.id.to_string());
        if let Err(error) = self.0.post.send(&profile.email, Some(&of), &id, &written).await {
            tracing::warn!(%error, "a letter about a mandate was not taken");
            let mut tx = self.0.db.begin().await?;
            sql::not_posted(&mut tx, tenant, row.id).await?;
            tx.commit().await?;
            return Ok(false);
        }
        Ok(true)
    }

    /// One that a fault of ours keeps back must not keep the others; somebody who is leaving is asked nothing any more.
    async fn not_asked(&self, tenant: &TenantId, row: &Row, error: Error) -> Result<(), Error> {
        match error.kind() {
            kind if kind.is_of_a_store() => return Err(error),
            Kind::Internal => {
                let why = "what an agent proposed, or whom to ask about it, cannot be read: nobody is asked";
                let row = Unread { tenant, table: "mandate", id: &row.id.to_string(), why };
                set_aside(&self.0.db, &self.0.clock, &self.0.entropy, row).await?;
            }
            _ => tracing::warn!(%error, "nobody could be asked about a mandate"),
        }
        Ok(())
    }

    /// Ends mandates whose last day is over, forgets what was proposed and not answered, and rows that ended thirty days ago.
    /// Gives how many changed.
    pub(in crate::intake) async fn expire_mandates(&self) -> Result<u64, Error> {
        let now = self.0.clock.now();
        let over = {
            let mut tx = self.0.db.read().await?;
            sql::over(&mut tx, now).await?
        };
        let mut n = 0;
        for (tenant, row) in over {
            let Some(subject) = row.subject else { continue };
            match self.end(&Owner::new(&tenant, subject), row.id, EndedBy::LastDay).await {
                Ok(ended) => n += u64::from(ended),
                Err(e) if e.kind().is_of_a_store() => return Err(e),
                // Nothing is filed under it any more; that it ended is written down with the next pass that can.
                Err(error) => tracing::warn!(%error, "the end of a mandate could not be written down"),
            }
        }
        let mut tx = self.0.db.begin().await?;
        n += sql::expire(&mut tx, now).await?;
        tx.commit().await?;
        Ok(n)
    }
}
