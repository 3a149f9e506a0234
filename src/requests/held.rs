//! What is held of a person, in the vault and in the tables beside it.

use super::{Error, Requests, sql};
use crate::vault::{Holdings, Owner};

impl Requests {
    /// What a person has, by category: what lies in the vault and what tables beside it keep. A request counts once, and
    /// so does an edit, whatever is kept of them. Tells counts and times, opens nothing.
    pub async fn holdings(&self, owner: &Owner) -> Result<Vec<Holdings>, Error> {
        let mut all = self.vault.holdings(owner).await?;
        let beside = {
            let mut tx = self.db.read().await?;
            sql::held::beside(&mut tx, owner).await?
        };
        for (category, n, oldest) in beside {
            if let Some(held) = all.iter_mut().find(|h| h.category == category) {
                held.records += n;
                held.oldest = [held.oldest, oldest].into_iter().flatten().min();
            } else {
                all.push(Holdings { category, images: 0, records: n, next_due: None, oldest });
            }
        }
        all.retain(|h| h.images + h.records > 0);
        Ok(all)
    }
}
