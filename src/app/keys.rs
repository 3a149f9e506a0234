//! The files of the keys folder: `seal.key`, `ledger.key`, `archive.key`, `epochs/`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::Error;
use crate::base::{Clock, Entropy, Secret};
use crate::config::{self, Config};
use crate::keystore::{self, Epochs, Seal, SealKey, SealKind, Seals};
use crate::seals::{self, KmsSettings, Login, Patience, VaultSettings};

/// Makes a folder that only its owner can enter, or makes sure that one is.
pub(super) fn private_folder(folder: &Path) -> Result<(), Error> {
    let fail = |e| Error::Folder(folder.to_owned(), e);
    keystore::make_folder(folder).map_err(fail)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(fail)
}

/// The file of the seal key.
pub(super) fn seal_file(config: &Config) -> PathBuf {
    config.keys_folder().join("seal.key")
}

/// Every seal that is configured: a key that was given, the one in the file, KMS, Vault. The first one wraps the very first
/// epoch. A file is made only on a first start that has nothing else.
pub(super) fn seals(config: &Config, clock: &Clock, entropy: &Entropy) -> Result<Seals, Error> {
    let mut known = Vec::new();
    if let Some(digits) = &config.keys.seal {
        known.push(Seal::key(SealKind::Given, SealKey::from_hex(digits)?));
    }
    let file = seal_file(config);
    if file.exists() {
        known.push(Seal::key(SealKind::File, SealKey::from_file(&file)?));
    }
    if let Some(section) = &config.keys.aws_kms {
        known.push(seals::kms(&kms_settings(section)));
    }
    if let Some(section) = &config.keys.vault {
        known.push(seals::vault(vault_settings(section), clock, entropy)?);
    }
    if known.is_empty() && Epochs::are_none_in(&config.keys_folder().join("epochs"))? {
        known.push(Seal::key(SealKind::File, SealKey::from_file_or_new(&file, entropy)?));
    }
    Ok(Seals::new(known))
}

fn kms_settings(section: &config::AwsKms) -> KmsSettings {
    KmsSettings {
        key_id: section.key_id.clone(),
        region: section.region.clone(),
        endpoint: section.endpoint.clone(),
        access_key_id: section.access_key_id.expose().clone(),
        secret_access_key: section.secret_access_key.clone(),
        session_token: section.session_token.clone(),
        patience: Patience::default(),
    }
}

fn vault_settings(section: &config::Transit) -> VaultSettings {
    let login = match (&section.token, &section.token_path, &section.role_id, &section.secret_id) {
        (_, Some(path), ..) => Login::TokenFile(path.clone()),
        (_, _, Some(role_id), Some(secret_id)) => Login::AppRole {
            mount: section.role_mount.clone(),
            role_id: role_id.clone(),
            secret_id: secret_id.clone(),
        },
        // The configuration was refused unless there is exactly one way.
        (token, ..) => Login::Token(token.clone().unwrap_or_else(|| Secret::new(String::new()))),
    };
    VaultSettings {
        address: section.address.clone(),
        mount: section.mount.clone(),
        key: section.key.clone(),
        namespace: section.namespace.clone(),
        login,
        patience: Patience::default(),
    }
}

/// An Ed25519 seed, from its file; made when there is none. `ledger.key` signs the ledger's heads, `archive.key` the
/// archives that people take home.
pub(super) fn signing_seed(folder: &Path, name: &str, entropy: &Entropy) -> Result<Secret<[u8; 32]>, Error> {
    let path = folder.join(name);
    let fail = |e| Error::Folder(path.clone(), e);
    if !path.exists() {
        let text = zeroize::Zeroizing::new(hex::encode(*zeroize::Zeroizing::new(entropy.bytes::<32>())));
        keystore::write_new(&path, &text).map_err(fail)?;
    }
    let text = zeroize::Zeroizing::new(fs::read_to_string(&path).map_err(fail)?);
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), &mut *seed).map_err(|_| {
        fail(std::io::Error::new(std::io::ErrorKind::InvalidData, "not 64 hexadecimal digits"))
    })?;
    Ok(Secret::new(*seed))
}
