//! Keys for one row each: of the service, and yet not for ever. What lies sealed in the row is gone with its key, from
//! every copy of the row as well.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, Keystore, note, sql, system};
use crate::base::Timestamp;
use crate::crypto::{Key, Place};

fn name(of: &str, row: &str) -> String {
    format!("{of}/{row}")
}

impl Keystore {
    /// Seals a note ([`Keystore::seal_note`]) under the key of one row of a kind, as `address/<tenant>`, which is made when
    /// first asked for and durable when this returns.
    pub async fn seal_once(
        &self,
        of: &str,
        row: &str,
        place: &Place,
        value: &impl Serialize,
    ) -> Result<Vec<u8>, Error> {
        self.seal_note(&name(of, row), place, value).await
    }

    /// The inverse of [`Keystore::seal_once`]. `None` when the key was destroyed.
    pub async fn open_once<T: DeserializeOwned>(
        &self,
        of: &str,
        row: &str,
        place: &Place,
        sealed: &[u8],
    ) -> Result<Option<T>, Error> {
        match self.once_known(of, row).await? {
            Some(key) => note::read(&key, place, sealed).map(Some),
            None => Ok(None),
        }
    }

    /// The key of one row, where there is one. A row from before rows had keys of their own lies under one that all of its kind
    /// share. `None` when it was destroyed.
    pub async fn once_known(&self, of: &str, row: &str) -> Result<Option<Key>, Error> {
        let mut tx = self.db.read().await?;
        let own = sql::system(&mut tx, &name(of, row)).await?;
        let found = if own.is_some() { own } else { sql::system(&mut tx, of).await? };
        match found {
            Some(found) => system::unwrap(self, &mut tx, &found).await.map(Some),
            None => Ok(None),
        }
    }

    /// Destroys the key of one row. Durable when this returns; again is harmless.
    pub async fn end_once(&self, of: &str, row: &str) -> Result<(), Error> {
        self.end_named(&[name(of, row)]).await.map(|_| ())
    }

    /// Destroys the keys of a kind whose rows are not among these, of those made before `before`: the row of a younger one
    /// may be about to be written. That which all shared goes when every row has its own. Gives how many.
    pub async fn end_once_but(&self, of: &str, rows: &[String], before: Timestamp) -> Result<u64, Error> {
        let known = sql::once::named(&mut self.db.read().await?, of).await?;
        let lives = |key: &str| rows.iter().any(|row| name(of, row) == key);
        let shared = rows.iter().any(|row| known.iter().all(|(key, _)| *key != name(of, row)));
        let gone = known.iter().filter(|(key, made)| match key.as_str() {
            key if key == of => !shared,
            key => *made < before && !lives(key),
        });
        let gone: Vec<String> = gone.map(|(key, _)| key.clone()).collect();
        self.end_named(&gone).await
    }

    async fn end_named(&self, names: &[String]) -> Result<u64, Error> {
        let mut ended = 0;
        for some in names.chunks(sql::MOST_IN) {
            let mut tx = self.db.begin().await?;
            let n = sql::once::delete(&mut tx, some).await?;
            sql::count_destroyed(&mut tx, usize::try_from(n).unwrap_or(usize::MAX)).await?;
            tx.commit().await?;
            ended += n;
        }
        if ended > 0 {
            self.cut_log().await;
        }
        Ok(ended)
    }
}
