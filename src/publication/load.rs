use super::{Error, Publications, sql};
use crate::policy::Policy;

impl Publications {
    /// Takes up every version that is published and not known here yet: what is in the database and no longer in the
    /// folder, and what another process published. Gives how many there were.
    pub async fn refresh(&self) -> Result<u64, Error> {
        let published = {
            let mut tx = self.db.read().await?;
            sql::hashes(&mut tx).await?
        };
        let mut fresh = 0;
        for (tenant, version, hash) in published {
            let bad = |what| Error::Stored { tenant: tenant.clone(), version: version.clone(), what };
            if let Some(known) = self.library.version(&tenant, &version) {
                if known.hash().as_slice() == hash {
                    continue;
                }
                return Err(bad("is not the text that this process knows"));
            }
            let source = {
                let mut tx = self.db.read().await?;
                sql::source(&mut tx, &tenant, &version).await?.ok_or(Error::NotFound)?
            };
            let policy =
                Policy::compile(&source).map_err(|_| bad("this program does not compile it any more"))?;
            if policy.hash().as_slice() != hash {
                return Err(bad("is not the text whose hash was published"));
            }
            self.library.add(policy)?;
            fresh += 1;
        }
        Ok(fresh)
    }
}
