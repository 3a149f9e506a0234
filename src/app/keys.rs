//! The files of the keys folder: `seal.key`, `ledger.key`, `archive.key`, `epochs/`.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::Error;
use crate::base::{Entropy, Secret};
use crate::config::Config;
use crate::keystore::SealKey;

/// Makes a folder that only its owner can enter, or makes sure that one is.
pub(super) fn private_folder(folder: &Path) -> Result<(), Error> {
    let fail = |e| Error::Folder(folder.to_owned(), e);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fail)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(fail)
}

/// The seal key: from the configuration, or its file.
pub(super) fn seal(config: &Config, entropy: &Entropy) -> Result<SealKey, Error> {
    Ok(match &config.keys.seal {
        Some(digits) => SealKey::from_hex(digits)?,
        None => SealKey::from_file_or_new(&config.keys_folder().join("seal.key"), entropy)?,
    })
}

/// An Ed25519 seed, from its file; made when there is none. `ledger.key` signs the ledger's heads, `archive.key` the
/// archives that people take home.
pub(super) fn signing_seed(folder: &Path, name: &str, entropy: &Entropy) -> Result<Secret<[u8; 32]>, Error> {
    let path = folder.join(name);
    let fail = |e| Error::Folder(path.clone(), e);
    if !path.exists() {
        let text = zeroize::Zeroizing::new(hex::encode(entropy.bytes::<32>()));
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(fail)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fail)?;
    }
    let text = zeroize::Zeroizing::new(fs::read_to_string(&path).map_err(fail)?);
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim(), &mut seed).map_err(|_| {
        fail(std::io::Error::new(std::io::ErrorKind::InvalidData, "not 64 hexadecimal digits"))
    })?;
    Ok(Secret::new(seed))
}
