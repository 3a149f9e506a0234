use super::{Email, Error, StaffMember, Subjects, sql};
use crate::base::{StaffId, TenantId};
use crate::crypto::{self, Place};
use crate::ledger::{Entry, EntryKind};
use crate::policy::Role;

fn place(tenant: &TenantId, id: StaffId) -> Place {
    Place::new("staff").with(tenant.as_str()).with(id.as_bytes())
}

impl Subjects {
    /// Takes someone on. Only `support`, `compliance` and `admin` are staff.
    pub async fn hire(&self, tenant: &TenantId, email: &Email, role: Role) -> Result<StaffMember, Error> {
        if !matches!(role, Role::Support | Role::Compliance | Role::Admin) {
            return Err(Error::BadName { field: "role", why: "is not a staff role" });
        }
        let id = StaffId::new(&self.clock, &self.entropy);
        let index = self.vault.blind_index(tenant, "email", email.expose()).await?;
        let key = self.keys.system(&format!("staff/{tenant}")).await?;
        let sealed = crypto::seal(&key, &place(tenant, id), email.expose().as_bytes(), &self.entropy);
        let now = self.clock.now();
        let entry = Entry::new("staff.hired".parse::<EntryKind>()?, now, tenant, "admin")
            .fact("staff", id.to_string().as_str())
            .fact("role", role.as_str());
        let mut tx = self.db.begin().await?;
        let row = sql::NewStaff { id, role, email_index: index, sealed, created_at: now };
        sql::insert_staff(&mut tx, tenant, &row).await.map_err(|e| match e {
            crate::store::Error::Duplicate => Error::Taken,
            other => other.into(),
        })?;
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(StaffMember { id, tenant: tenant.clone(), role })
    }

    /// The member of staff with this address.
    pub async fn staff_by_email(
        &self,
        tenant: &TenantId,
        email: &Email,
    ) -> Result<Option<StaffMember>, Error> {
        let index = self.vault.blind_index(tenant, "email", email.expose()).await?;
        let mut tx = self.db.read().await?;
        match sql::staff_by_email(&mut tx, tenant, &index).await? {
            Some(id) => Ok(sql::staff(&mut tx, tenant, id).await?),
            None => Ok(None),
        }
    }

    /// A member of staff's address, to write to them.
    pub async fn staff_address(&self, staff: &StaffMember) -> Result<Email, Error> {
        let sealed = {
            let mut tx = self.db.read().await?;
            sql::staff_sealed(&mut tx, &staff.tenant, staff.id).await?.ok_or(Error::NotFound)?
        };
        let key = self.keys.system(&format!("staff/{}", staff.tenant)).await?;
        let plain =
            crypto::open(&key, &place(&staff.tenant, staff.id), &sealed).map_err(|_| Error::NotFound)?;
        std::str::from_utf8(&plain).map_err(|_| Error::NotFound)?.parse()
    }
}
