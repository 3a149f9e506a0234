//! What the ledger says of accounts, staff and apps, done once more to a restored database. Nothing here writes on the
//! ledger: it has it already.

use super::{Error, Subjects, sql};
use crate::base::{StaffId, TenantId, Timestamp};
use crate::policy::Role;
use crate::vault::Owner;

impl Subjects {
    /// Ends every session and every link, of people and of staff: a backup may have brought back some that ended. Gives
    /// how many sessions there were.
    pub async fn end_all_sessions(&self) -> Result<u64, Error> {
        let mut tx = self.db.begin().await?;
        let ended = sql::again::end_all(&mut tx).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Voids every recovery code of staff: a backup brings back some that were used since, and the ledger does not say which.
    /// Their owners make new ones at the desk. Gives how many there were.
    pub async fn void_recovery_codes(&self) -> Result<u64, Error> {
        let mut tx = self.db.begin().await?;
        let voided = sql::again::void_codes(&mut tx).await?;
        tx.commit().await?;
        Ok(voided)
    }

    /// People of all tenants, 500 at a time, after the one that the last page ended with.
    pub async fn people(&self, after: Option<&Owner>) -> Result<Vec<Owner>, Error> {
        let after = after.map(|o| o.subject.to_string()).unwrap_or_default();
        let mut tx = self.db.read().await?;
        let found = sql::again::people(&mut tx, &after).await?;
        Ok(found.into_iter().map(|(tenant, id)| Owner::new(&tenant, id)).collect())
    }

    /// Restricts or frees as it was, at the time it was. `false` when the person is not there.
    pub async fn restrict_again(&self, owner: &Owner, on: bool, at: Timestamp) -> Result<bool, Error> {
        let mut tx = self.db.begin().await?;
        let done = sql::set_restricted(&mut tx, owner, on.then_some(at)).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Revokes an app's key. `false` when it is not there, or revoked.
    pub async fn revoke_again(&self, tenant: &TenantId, id: &str, at: Timestamp) -> Result<bool, Error> {
        let mut tx = self.db.begin().await?;
        let done = sql::revoke_api_key(&mut tx, tenant, id, at).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Takes a second factor away as it was. `false` when there is none, or it was set up after.
    pub async fn reset_factor_again(
        &self,
        tenant: &TenantId,
        staff: StaffId,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let mut tx = self.db.begin().await?;
        let row = sql::factor::factor(&mut tx, (tenant, staff)).await?;
        let done = match row {
            Some(row) if row.made_at < at => sql::factor::reset(&mut tx, (tenant, staff), at).await?,
            _ => false,
        };
        tx.commit().await?;
        Ok(done)
    }

    /// Takes a role away, or changes it, as it was. `false` when there is nothing to change.
    pub async fn role_again(
        &self,
        tenant: &TenantId,
        staff: StaffId,
        role: Option<Role>,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let mut tx = self.db.begin().await?;
        let done = match role {
            Some(role) => sql::again::set_role(&mut tx, tenant, staff, role).await?,
            None => sql::again::disable_staff(&mut tx, tenant, staff, at).await?,
        };
        tx.commit().await?;
        Ok(done)
    }
}
