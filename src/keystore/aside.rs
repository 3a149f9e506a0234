//! Rows that do not open though every epoch does: a bit that turned, or a hand that was at them. Each is set aside, under
//! epoch nought, so that it keeps no epoch alive: else no copy of the keystore would ever be dead. Whoever reads one is
//! told that it is damaged, never that it was destroyed.

use super::{Error, Keystore, Owner, sql};
use crate::base::TenantId;
use crate::store::Tx;

/// The epoch of what is set aside. There never was one of this number.
pub(super) const NOWHERE: i64 = 0;

/// So many may be set aside in any case, and one in so many of all keys.
const FEW: i64 = 10;
const ONE_IN: i64 = 100;

/// A key that is set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Its table.
    pub table: &'static str,
    /// Whose tenant's it is; none of the service's own.
    pub tenant: Option<TenantId>,
    /// Its id within the table.
    pub id: String,
}

impl Keystore {
    /// The keys that are set aside, the first twenty of them. What is one person's stands there once, where it is their own
    /// key that does not open.
    pub async fn aside(&self) -> Result<Vec<Aside>, Error> {
        Ok(sql::aside::list(&mut self.db.read().await?).await?)
    }

    /// Fails unless every epoch in the folder opens now: else it is not known to be the row's own fault that it does not.
    pub(super) async fn all_epochs_open(&self) -> Result<(), Error> {
        if self.opens_all_epochs().await? { Ok(()) } else { Err(Error::Damaged) }
    }
}

/// Counts what is set aside. Where very many rows do not open, it is not the rows: then nothing more is set aside, and
/// everything stays as it is until somebody has looked.
#[derive(Default)]
pub(super) struct Tally {
    /// How many are, and how many may be; found out when the first is met.
    known: Option<(i64, i64)>,
}

impl Tally {
    pub(super) async fn subject(
        &mut self,
        tx: &mut Tx,
        owner: Owner<'_>,
        row: &sql::SubjectRow,
    ) -> Result<(), Error> {
        self.one_more(tx).await?;
        sql::aside::subject(tx, owner, row).await?;
        let row = format!("subject_key/{}/{}", owner.subject, row.class);
        tracing::error!(row, tenant = %owner.tenant, "a person's key does not open, and is set aside");
        Ok(())
    }

    pub(super) async fn item(
        &mut self,
        tx: &mut Tx,
        tenant: &TenantId,
        row: &sql::ItemRow,
    ) -> Result<(), Error> {
        self.one_more(tx).await?;
        sql::aside::item(tx, tenant, row).await?;
        tracing::error!(row = format!("item_key/{}", row.item), %tenant, "a key does not open, and is set aside");
        Ok(())
    }

    pub(super) async fn system(&mut self, tx: &mut Tx, row: &sql::SystemRow) -> Result<(), Error> {
        self.one_more(tx).await?;
        sql::aside::system(tx, row).await?;
        tracing::error!(
            row = format!("system_key/{}", row.name),
            "a key of the service does not open, and is set aside"
        );
        Ok(())
    }

    /// Asks for leave to set one more aside.
    async fn one_more(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let (are, most) = match self.known {
            Some(known) => known,
            None => (sql::aside::count(tx).await?, FEW.max(sql::aside::all(tx).await? / ONE_IN)),
        };
        if are >= most {
            tracing::error!(
                found = are,
                "too many keys do not open: no more is set aside, and the epochs stay as they are"
            );
            return Err(Error::Damaged);
        }
        self.known = Some((are + 1, most));
        Ok(())
    }
}
