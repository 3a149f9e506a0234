use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context as _, bail};

use super::Variables;
use crate::app::{App, Setup};
use crate::config::Config;
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
        let mut config = Config::load(self.config.as_deref(), &variables)
            .context("the configuration cannot be used (for a try on this machine, add --dev)")?;
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
        let folder = &config.data.folder;
        if config.store.postgres.is_none() && !folder.join("vouchsafe.db").is_file() {
            bail!("there is no installation in {}; `vouchsafe serve` makes one", folder.display());
        }
        open(config).await
    }
}

/// Opens the real service over a configuration.
pub(super) async fn open(config: Config) -> anyhow::Result<App> {
    let setup = Setup::of(config)?;
    Ok(Box::pin(App::open(setup)).await?)
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
