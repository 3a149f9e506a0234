//! What can be had of an installation whose databases are not there: where things lie, and the keys that say whether a
//! backup is its own.

use std::path::PathBuf;

use super::{App, Error, keys, open};
use crate::archive;
use crate::base::{Clock, Entropy, Secret};
use crate::blobs::Blobs;
use crate::config::Config;
use crate::keystore::Epochs;
use crate::ledger::{SignerKey, VerifierKey};

/// An installation that is not opened.
#[derive(Debug)]
pub struct Standby {
    /// The data folder; its databases are not PostgreSQL's.
    pub data: PathBuf,
    /// Where the ledger is published.
    pub ledger: PathBuf,
    /// The newest head that was signed here, if this disk still knows it.
    pub head: PathBuf,
    /// Where bytes of images lie.
    pub blobs: Blobs,
    /// Who signs backups.
    pub signer: archive::Signer,
    /// Who signs the ledger.
    pub verifier: VerifierKey,
    /// What opens copies of the keystore: one for each epoch alive.
    pub copy_secrets: Vec<Secret<String>>,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl Standby {
    /// Looks at an installation without opening its databases. Makes no key: without the installation's own, nothing
    /// could be checked.
    pub async fn of(config: &Config, clock: Clock, entropy: Entropy) -> Result<Self, Error> {
        let (folder, origin) = (config.keys_folder(), open::origin(config));
        for name in ["ledger.key", "archive.key"] {
            let path = folder.join(name);
            if !path.is_file() {
                let why = "bring the installation's own keys out of the safe first";
                return Err(Error::Folder(path, std::io::Error::new(std::io::ErrorKind::NotFound, why)));
            }
        }
        let verifier = SignerKey::ledger(&origin, &keys::signing_seed(&folder, "ledger.key", &entropy)?)?;
        let epochs = folder.join("epochs");
        let copy_secrets = if Epochs::are_none_in(&epochs)? {
            Vec::new()
        } else {
            let seals = keys::seals(config, &clock, &entropy)?;
            let epochs = Epochs::open_with(&epochs, seals, &origin, clock.now(), &entropy).await?;
            epochs.copy_secrets()
        };
        Ok(Self {
            data: config.data.folder.clone(),
            ledger: config.ledger_folder(),
            head: folder.join("ledger.head"),
            blobs: Blobs::open(open::blob_settings(config, &config.data.folder)?, &clock, &entropy)?,
            signer: backup_signer(config, &entropy)?,
            verifier: verifier.verifier().clone(),
            copy_secrets,
            clock,
            entropy,
        })
    }
}

impl App {
    /// Who signs backups: the archives' key under another name, so that neither is ever taken for the other.
    pub fn backup_signer(&self) -> Result<archive::Signer, Error> {
        backup_signer(&self.config, &self.entropy)
    }
}

fn backup_signer(config: &Config, entropy: &Entropy) -> Result<archive::Signer, Error> {
    let seed = keys::signing_seed(&config.keys_folder(), "archive.key", entropy)?;
    let name = format!("{}/backup", open::host_of(&config.server.public_url));
    Ok(archive::Signer::new(&name, &seed)?)
}
