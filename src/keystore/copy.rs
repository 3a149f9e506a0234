//! Copies of the keystore for a backup. A copy is encrypted under the newest epoch, which is in no backup, so all of it is
//! dead once that epoch is destroyed: a week after it was made at the earliest, two at the latest.

use super::{Epochs, Error, Keystore};
use crate::base::Secret;
use crate::crypto;

fn secret(epoch: &crypto::Key) -> Secret<String> {
    Secret::new(hex::encode(crypto::derive(epoch.expose(), "vouchsafe/v1/keystore-copy").expose()))
}

impl Keystore {
    /// Writes a copy of the database into an empty file, as it is at one moment. `false`, and nothing done, for a server.
    pub async fn copy_into(&self, file: &str) -> Result<bool, Error> {
        Ok(self.db.copy_into(file).await?)
    }

    /// How many bytes a copy takes at most. `None` for a server.
    pub async fn copy_takes(&self) -> Result<Option<u64>, Error> {
        Ok(self.db.copy_takes().await?)
    }

    /// What a copy made now is encrypted under: 256 bits, as hexadecimal digits.
    pub async fn copy_secret(&self) -> Result<Secret<String>, Error> {
        Ok(secret(&self.epochs.current(self.clock.now()).await?.key))
    }
}

impl Epochs {
    /// What opens copies that were made under the epochs alive.
    pub fn copy_secrets(&self) -> Vec<Secret<String>> {
        self.keys().iter().map(secret).collect()
    }
}
