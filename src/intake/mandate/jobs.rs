//! What follows by itself: the letter to the person, the last day of a mandate, and the end of rows.

use super::model::EndedBy;
use super::sql;
use crate::base::TenantId;
use crate::crypto;
use crate::intake::{Error, Intake};
use crate::mail::letters::{ConfirmMandate, Letter as _};
use crate::requests::PURPOSE;
use crate::vault::{Access, Actor, Owner};

impl Intake {
    /// Writes to everybody whom an agent wants to act for and who was not written to yet. A letter that does not go is tried
    /// again with the next pass. Gives how many went.
    pub async fn ask_about_mandates(&self, tenant: &TenantId) -> Result<u64, Error> {
        let now = self.0.clock.now();
        let owed = {
            let mut tx = self.0.db.read().await?;
            sql::unposted(&mut tx, tenant, now).await?
        };
        let policy = self.0.vault.policy(tenant)?;
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let mut n = 0;
        for row in owed {
            let Some(subject) = row.subject else { continue };
            let owner = Owner::new(tenant, subject);
            let profile = self.0.subjects.profile(&owner, &access).await?;
            let kept = self.unseal_proposal(tenant, &row).await?;
            let token = self.0.entropy.token();
            let mut tx = self.0.db.begin().await?;
            // Set before it is sent: two replicas send one letter, and a link that is on its way opens something.
            let first =
                sql::posting(&mut tx, tenant, row.id, (&crypto::sha256(token.as_bytes()), now)).await?;
            tx.commit().await?;
            if !first {
                continue;
            }
            let written = ConfirmMandate {
                head: self.head(tenant, &policy, Some(&owner)).await,
                agent: kept.agent,
                until: row.answer_until,
                link: format!("{}/{tenant}/mandates/confirm?token={token}", self.root()),
            };
            let written = written.write().map_err(|_| Error::Unwritable)?;
            let (of, id) = (subject.to_string(), row.id.to_string());
            if let Err(error) = self.0.post.send(&profile.email, Some(&of), &id, &written).await {
                tracing::warn!(%error, "a letter about a mandate was not taken");
                let mut tx = self.0.db.begin().await?;
                sql::not_posted(&mut tx, tenant, row.id).await?;
                tx.commit().await?;
                continue;
            }
            n += 1;
        }
        Ok(n)
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
            if let Some(subject) = row.subject {
                self.end(&Owner::new(&tenant, subject), row.id, EndedBy::LastDay).await?;
                n += 1;
            }
        }
        let mut tx = self.0.db.begin().await?;
        n += sql::expire(&mut tx, now).await?;
        tx.commit().await?;
        Ok(n)
    }
}
