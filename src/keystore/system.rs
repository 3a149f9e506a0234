use super::epochs::EpochKey;
use super::{Error, Keystore, sql};
use crate::crypto::{self, Key, Place};
use crate::store::Tx;

pub(super) fn place(name: &str, epoch: i64) -> Place {
    Place::new("system_key").with(name).number(epoch)
}

/// `HKDF(epoch key, "vouchsafe/v1/system-wrap")`.
pub(super) fn wrapping(epoch: &EpochKey) -> Key {
    crypto::derive(epoch.key.expose(), "vouchsafe/v1/system-wrap")
}

pub(super) async fn unwrap(keys: &Keystore, tx: &mut Tx, row: &sql::SystemRow) -> Result<Key, Error> {
    let epoch = keys.epoch(tx, row.epoch).await?;
    Ok(Key::from_slice(&crypto::open(&wrapping(&epoch), &place(&row.name, row.epoch), &row.wrapped)?)?)
}

impl Keystore {
    /// A key of the service itself, made when first asked for: `blind-index/<tenant>`, `cursor`, `answers`.
    pub async fn system(&self, name: &str) -> Result<Key, Error> {
        {
            let mut tx = self.db.read().await?;
            if let Some(row) = sql::system(&mut tx, name).await? {
                return unwrap(self, &mut tx, &row).await;
            }
        }
        let (mut tx, epoch) = self.writing().await?;
        let key = Key::generate(&self.entropy);
        let wrapped =
            crypto::seal(&wrapping(&epoch), &place(name, epoch.number), key.expose(), &self.entropy);
        let row = sql::SystemRow { name: name.to_owned(), epoch: epoch.number, wrapped };
        sql::insert_system(&mut tx, &row, self.clock.now()).await?;
        // Another replica may have been first: what is in the table is the key.
        let row = sql::system(&mut tx, name).await?.ok_or(Error::NoKey)?;
        let key = unwrap(self, &mut tx, &row).await?;
        tx.commit().await?;
        Ok(key)
    }
}
