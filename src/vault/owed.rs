//! Bytes that were to be deleted while the store was down: tried again before anybody looks whether they are gone.

use super::{Error, Vault, sql};
use crate::base::TenantId;
use crate::blobs::BlobKey;
use crate::on;
use crate::store::{self, padding, with_list};

impl Vault {
    /// Deletes those of these bytes whose first deletion is owed still, without waiting for their graves' next turn. What
    /// was deleted once is left to its later visits. What cannot be deleted now either is no error: it waits on.
    pub async fn delete_owed(&self, tenant: &TenantId, manifest: &[String]) -> Result<(), Error> {
        for some in manifest.chunks(store::MOST_IN) {
            let owed: Vec<(String,)> = {
                let mut tx = self.db.read().await?;
                on!(tx, |c| {
                    let mut query = sqlx::query_as(with_list(sql::GRAVES_OWED, some.len()));
                    query = query.bind(tenant.as_str().to_owned());
                    for key in padding(some) {
                        query = query.bind(key.clone());
                    }
                    query.fetch_all(c).await
                })?
            };
            let owed: Vec<BlobKey> = owed.iter().filter_map(|(key,)| key.parse().ok()).collect();
            if !owed.is_empty() {
                // Which of them had landed nobody knows any more.
                self.visit_graves_of(&owed, &owed).await?;
            }
        }
        Ok(())
    }
}
