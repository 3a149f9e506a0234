//! Notes: what the service must remember of somebody for a while and cannot put under a key of their own.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{Error, Keystore};
use crate::crypto::{self, Key, Place};

impl Keystore {
    /// Seals a value as JSON under a key of the service ([`Keystore::system`]), for this place alone.
    pub async fn seal_note(
        &self,
        key: &str,
        place: &Place,
        value: &impl Serialize,
    ) -> Result<Vec<u8>, Error> {
        let plain = written(value).map_err(|_| Error::Note)?;
        Ok(crypto::seal(&self.system(key).await?, place, &plain, &self.entropy))
    }

    /// The inverse of [`Keystore::seal_note`]. [`Error::Note`] for another key, another place, a changed byte, or a value
    /// that is not of this type.
    pub async fn open_note<T: DeserializeOwned>(
        &self,
        key: &str,
        place: &Place,
        sealed: &[u8],
    ) -> Result<T, Error> {
        read(&self.system(key).await?, place, sealed)
    }
}

/// What a note says.
pub(super) fn read<T: DeserializeOwned>(key: &Key, place: &Place, sealed: &[u8]) -> Result<T, Error> {
    let plain = crypto::open(key, place, sealed).map_err(|_| Error::Note)?;
    serde_json::from_slice(&plain).map_err(|_| Error::Note)
}

/// A value as JSON. How long it is, is counted first, so that no half of it stays behind where a buffer had to grow.
fn written(value: &impl Serialize) -> serde_json::Result<Zeroizing<Vec<u8>>> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *plain, value)?;
    Ok(plain)
}

/// Counts what is written to it, and keeps none of it.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_written_into_memory_that_never_grows() {
        let words = "ä".repeat(1000);
        let value = serde_json::json!({ "to": words, "n": [1, null, true] });
        let plain = written(&value).unwrap();
        assert_eq!(*plain, serde_json::to_vec(&value).unwrap());
        assert_eq!(plain.capacity(), plain.len());
    }
}
