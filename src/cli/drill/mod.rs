//! Drills: what must never go wrong is made to go wrong, on a throw-away installation.
//!
//! Promises: nothing outside the drill's own folder is changed; a search that finds nothing has found a planted thing
//! first; the status says whether everything held. Must never: be run over the data of real people.

mod between;
mod case;
mod claims;
mod desk;
mod effects;
mod look;
mod post;
mod protocol;
mod restore;
mod rights;
mod town;
mod visitor;
mod ways;

use std::process::ExitCode;

use super::{Say, status};

/// Which drill.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Backups at random moments, people erased, an old backup put back: the erased stay erased, the ledger goes on
    Restore(restore::Options),
    /// Every right, used by invented people in every way there is, each proved
    Rights(rights::Options),
}

/// Runs it.
pub(super) async fn run(command: Command, say: &mut Say) -> anyhow::Result<ExitCode> {
    match command {
        Command::Rights(options) => Ok(status(Box::pin(rights::run(&options, say)).await?)),
        Command::Restore(options) => Ok(status(Box::pin(restore::run(&options, say)).await?)),
    }
}
