use super::{Edit, Editing, Error, Filter, sql};
use crate::base::{EditId, Page, PageSize};
use crate::store::Tx;
use crate::vault::Owner;

impl Editing {
    /// An edit of a person.
    pub async fn get(&self, owner: &Owner, id: EditId) -> Result<Edit, Error> {
        let mut tx = self.db.read().await?;
        sql::get(&mut tx, owner, id).await?.ok_or(Error::NotFound)
    }

    /// A page of a person's edits, newest first.
    pub async fn list(
        &self,
        owner: &Owner,
        before: Option<&str>,
        size: PageSize,
    ) -> Result<Page<Edit>, Error> {
        self.search(owner, &Filter::default(), (before, size)).await
    }

    /// A page of those of a person's edits that fit, newest first.
    pub async fn search(
        &self,
        owner: &Owner,
        filter: &Filter,
        (before, size): (Option<&str>, PageSize),
    ) -> Result<Page<Edit>, Error> {
        let most = i64::try_from(size.get()).unwrap_or(i64::MAX) + 1;
        let mut tx = self.db.read().await?;
        let rows = sql::page(&mut tx, owner, filter, (before, most)).await?;
        Ok(Page::cut(rows, size, |e| e.id.to_string()))
    }

    /// Forgets a person's edits: part of erasing them. What was asked lies in the vault and goes with it; what is at a
    /// provider is on its way out from here on.
    pub async fn forget(&self, tx: &mut Tx, owner: &Owner) -> Result<u64, Error> {
        self.recall_all(tx, owner).await?;
        Ok(sql::forget(tx, owner).await?)
    }
}
