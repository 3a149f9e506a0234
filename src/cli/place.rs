use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::Variables;
use crate::app::{self, App, Setup};
use crate::config::{self, Config};
use crate::keystore;

/// Which installation a command is about.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Place {
    /// The configuration, TOML; variables `VOUCHSAFE_…` lie over it
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The data folder, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Development: links are printed instead of mailed, no TLS; for this machine only
    #[arg(long)]
    pub(super) dev: bool,
}

impl Place {
    /// Whether an installation was named at all.
    pub(super) fn is_named(&self) -> bool {
        self.config.is_some() || self.data.is_some() || self.dev
    }

    /// Reads the configuration.
    pub(super) fn config(&self, variables: &Variables) -> anyhow::Result<Config> {
        let mut variables = variables.clone();
        if self.dev {
            variables.insert("VOUCHSAFE_SERVER__DEVELOPMENT".to_owned(), "true".to_owned());
        }
        let loaded = Config::load(self.config.as_deref(), &variables);
        let why = match loaded {
            Err(config::Error::NotPublic) => {
                "the configuration cannot be used (for a try on this machine, add --dev)"
            }
            _ => "the configuration cannot be used",
        };
        let mut config = loaded.context(why)?;
        if let Some(folder) = &self.data {
            config.data.folder.clone_from(folder);
        }
        Ok(config)
    }

    /// Opens an installation that is there already. Nothing is made where there is none.
    pub(super) async fn open(&self, variables: &Variables) -> anyhow::Result<App> {
        let app = self.open_as_it_is(variables).await?;
        if let Some(why) = app.gate.why() {
            bail!(
                "{why}. `vouchsafe ledger replay` and `vouchsafe serve` do again what happened since; until then nothing \
                 else is done here"
            );
        }
        Ok(app)
    }

    /// As [`Place::open`], also where a backup was put back and nothing has been done about it.
    pub(super) async fn open_as_it_is(&self, variables: &Variables) -> anyhow::Result<App> {
        let config = self.config(variables)?;
        if config.store.postgres.is_none() && !is_there(&config.data.folder)? {
            let folder = whole(&config.data.folder);
            bail!("there is no installation in {}; `vouchsafe serve` makes one", folder.display());
        }
        open(config).await
    }
}

/// Whether a database lies in this folder. One that may not be looked into is not one that holds none.
fn is_there(folder: &Path) -> anyhow::Result<bool> {
    match std::fs::metadata(folder.join("vouchsafe.db")) {
        Ok(meta) => Ok(meta.is_file()),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(e) => Err(e).with_context(|| {
            format!(
                "the data folder {} cannot be looked into; whoever runs the service can",
                whole(folder).display()
            )
        }),
    }
}

/// A path with the folder that it counts from.
fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The real service over a configuration, not yet opened.
pub(super) fn setup(config: Config) -> anyhow::Result<Setup> {
    let folder = whole(&config.data.policies);
    match Setup::of(config) {
        Err(e @ app::Error::Folder(..)) => Err(e).with_context(|| {
            format!(
                "the policy documents in {} cannot be read; data.policies names their folder, counted from where the \
                 program is called",
                folder.display()
            )
        }),
        made => Ok(made?),
    }
}

/// Opens the real service over a configuration.
pub(super) async fn open(config: Config) -> anyhow::Result<App> {
    Ok(Box::pin(App::open(setup(config)?)).await?)
}

/// Takes the data folder for one process: what a running service holds, and what a command that may not run beside it
/// asks for. Released when dropped.
pub(super) fn lock(config: &Config) -> anyhow::Result<File> {
    let folder = &config.data.folder;
    keystore::make_folder(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let path = folder.join("vouchsafe.lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("a service is running on {}; stop it first", folder.display())
        }
        Err(std::fs::TryLockError::Error(e)) => Err(e).context("the data folder cannot be locked"),
    }
}
